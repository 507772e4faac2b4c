/*
 * The session in which a DDL means the same in the sink as it meant in the source (DESIGN §5,
 * Fencing: default database, sql_mode, charsets, time zone, timestamp, option flags).
 */
#ifndef SLUICE_DISPATCHER_SINK_MARIADB_DDL_CONTEXT_H
#define SLUICE_DISPATCHER_SINK_MARIADB_DDL_CONTEXT_H

#include "dispatcher/core/ddl/ddl_event.h"
#include "dispatcher/sink/mariadb/session.h"

/* Adds the SET statement. `is_utf8`: the text that will be run is UTF-8 whatever the source's
 * client spoke. */
void mariadb_ddl_context_sql(const ddl_context_t *context, bool is_utf8, sql_text_t *sql);

/* Selects the default schema and sets everything. A default schema that the sink does not have is
 * left out: the statement then names its objects in full, or fails by its own name. */
sluice_error_t mariadb_ddl_context_apply(mariadb_session_t *session, const ddl_event_t *event,
                                         bool is_utf8, error_report_t *report) SLUICE_MUST_USE;

#endif
