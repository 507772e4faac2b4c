/*
 * Sluice's own tables in a MariaDB sink, schema `sluice`:
 *   changefeed  one row a changefeed: its generation, up to where it was persisted, whether it was
 *               removed; the only one that stays then
 *   claim       one row a table: taken first by every claim, so that claims of one table queue up
 *               even where no progress row overlaps yet
 *   progress    one row a span: who owns it and up to where its rows are in (DESIGN §5, Fencing)
 *   ddl_record  one row a DDL: what the named objects were before, and whether it was run
 *   ddl_table   the tables a DDL was about, so that a claim finds the last one of its table
 *   syncpoint   one row a sync point
 */
#ifndef SLUICE_DISPATCHER_SINK_MARIADB_TABLES_H
#define SLUICE_DISPATCHER_SINK_MARIADB_TABLES_H

#include "dispatcher/sink/mariadb/session.h"
#include "dispatcher/sink/sink.h"

/* A start_key or end_key longer than this is refused with SLUICE_ERROR_TOO_LARGE. */
#define MARIADB_SPAN_KEY_MAX 1024

/* Makes what is missing. Commits. */
sluice_error_t mariadb_tables_create(mariadb_session_t *session,
                                     error_report_t *report) SLUICE_MUST_USE;

/* Whether the session's last error says that they (or one of them) are missing. */
bool mariadb_tables_are_missing(const mariadb_session_t *session);

/* "feed=X'…' AND generation=7" */
void mariadb_tables_where_feed(sql_text_t *sql, const changefeed_ref_t *changefeed);
/* "X'…',7": the first two columns of every table but changefeed, claim and progress. */
void mariadb_tables_feed_values(sql_text_t *sql, const changefeed_ref_t *changefeed);

#endif
