/*
 * What CREATE TABLE and ALTER TABLE make of a table: actions applied to a definition, with
 * MariaDB's rules for what a statement leaves unsaid.
 *
 * Pure. Threads: functions of their arguments only.
 */
#ifndef SLUICE_DISPATCHER_CORE_DDL_DEFINITION_H
#define SLUICE_DISPATCHER_CORE_DDL_DEFINITION_H

#include "common/base/error.h"
#include "dispatcher/core/ddl/statement.h"

/* More in one statement is refused; a table has at most 4096 columns and 128 keys. */
#define DEFINITION_ACTIONS_MAX 20000

typedef struct {
    charset_choice_t schema_charset;  /* default of a table that says nothing */
    bool explicit_timestamp_defaults; /* @@explicit_defaults_for_timestamp of the session */
    bool is_show_create; /* the text is the server's own: what it does not say is not there */
} definition_context_t;

/* `before` NULL: a new table schema.name, which keeps the identity fields of `after` zero. Else its
 * next version with before's identity, and *column_sources tells for each column which one of
 * before it was. The result has one reference, the caller's; sources are in the arena, which is
 * used for work too. SLUICE_ERROR_DDL_UNSUPPORTED: an action names what the table does not have. */
sluice_error_t definition_apply(const table_definition_t *before, const char *schema,
                                const char *name, const table_action_t *actions,
                                uint32_t action_count, const definition_context_t *context,
                                arena_t *arena, table_definition_t **after,
                                const uint32_t **column_sources,
                                error_report_t *report) SLUICE_MUST_USE;

/* CREATE TABLE schema.name LIKE source: the same without foreign keys. */
table_definition_t *definition_like(const table_definition_t *source, const char *schema,
                                    const char *name);

/* The same table under another name; automatic names of its foreign keys follow it. */
table_definition_t *definition_renamed(const table_definition_t *from, const char *schema,
                                       const char *name);

#endif
