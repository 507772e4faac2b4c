/*
 * sink_api_t.check for MariaDB: whether the server and the tables can take what the changefeed will
 * send. Each failure is a line that names the mend.
 */
#ifndef SLUICE_DISPATCHER_SINK_MARIADB_CHECK_H
#define SLUICE_DISPATCHER_SINK_MARIADB_CHECK_H

#include "common/model/table_definition.h"
#include "dispatcher/sink/mariadb/session.h"

/* What tells one server from another; the source's identity (dispatcher/upstream/source.h) is the
 * same expression. */
#define MARIADB_IDENTITY_SQL "SELECT CONCAT(@@hostname, ':', @@port, ':', @@datadir)"

/* Version, engine, privileges, settings; makes Sluice's own tables. `source_identity` NULL: not
 * known. */
sluice_error_t mariadb_check_server(mariadb_session_t *session, const char *source_identity,
                                    error_report_t *report) SLUICE_MUST_USE;

/* Each table: there, InnoDB, the same columns and row key, no triggers. */
sluice_error_t mariadb_check_tables(mariadb_session_t *session,
                                    const table_definition_t *const *tables, uint32_t count,
                                    error_report_t *report) SLUICE_MUST_USE;

/* Adds a line; the first one decides the code. Returns the report's code. */
sluice_error_t mariadb_check_add(error_report_t *report, sluice_error_t code, const char *format,
                                 ...) SLUICE_PRINTF(3, 4);

/* Whether what the sink has committed stays: if not, the report has a warning and SLUICE_OK. */
sluice_error_t mariadb_check_durability(mariadb_session_t *session,
                                        error_report_t *report) SLUICE_MUST_USE;

#endif
