/*
 * Shared by the files of alter.h.
 */
#ifndef SLUICE_DISPATCHER_SINK_SQLITE_ALTER_INTERNAL_H
#define SLUICE_DISPATCHER_SINK_SQLITE_ALTER_INTERNAL_H

#include "dispatcher/sink/sink_text.h"
#include "dispatcher/sink/sqlite/alter.h"

/* Whether the table needs to be built anew. */
bool alter_needs_rebuild(const table_change_t *change);
/* Refuses what would change values of generated columns in rows that are there. */
sluice_error_t alter_check_generated(const table_change_t *change,
                                     error_report_t *report) SLUICE_MUST_USE;

/* Builds the table anew under its name. `has_rows` false: nothing is converted. */
sluice_error_t alter_rebuild(const sqlite_alter_context_t *context, const char *name,
                             const table_change_t *change, bool has_rows,
                             error_report_t *report) SLUICE_MUST_USE;

/* Makes the indexes of `definition`; all of them, or those that `change` brings. */
sluice_error_t alter_create_indexes(const sqlite_alter_context_t *context, const char *name,
                                    const table_definition_t *definition,
                                    const table_change_t *change,
                                    error_report_t *report) SLUICE_MUST_USE;

sluice_error_t alter_execute(const sqlite_alter_context_t *context, sink_text_t *sql,
                             error_report_t *report) SLUICE_MUST_USE;

/* The value as an SQL literal. */
void alter_put_literal(sink_text_t *sql, const stored_value_t *value);

#endif
