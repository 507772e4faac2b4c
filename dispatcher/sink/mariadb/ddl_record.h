/*
 * The DDL record: what makes a DDL run exactly once although no transaction of the sink can hold it
 * (DESIGN §5, Exactly once).
 */
#ifndef SLUICE_DISPATCHER_SINK_MARIADB_DDL_RECORD_H
#define SLUICE_DISPATCHER_SINK_MARIADB_DDL_RECORD_H

#include "dispatcher/core/ddl/ddl_event.h"
#include "dispatcher/sink/mariadb/session.h"

typedef enum {
    DDL_RECORD_NONE,   /* never begun */
    DDL_RECORD_BEFORE, /* begun, outcome not known */
    DDL_RECORD_DONE
} ddl_record_state_t;

/* `before` (cleared first) is what the objects looked like when it was begun. */
sluice_error_t mariadb_ddl_record_read(mariadb_session_t *session,
                                       const changefeed_ref_t *changefeed, commit_ts_t commit_ts,
                                       ddl_record_state_t *state, sql_text_t *before,
                                       error_report_t *report) SLUICE_MUST_USE;

/* Within the open transaction: the record "before" and the tables it is about. */
sluice_error_t mariadb_ddl_record_begin(mariadb_session_t *session,
                                        const changefeed_ref_t *changefeed,
                                        const ddl_event_t *event, const sql_text_t *before,
                                        error_report_t *report) SLUICE_MUST_USE;

/* The record "after". Commits. */
sluice_error_t mariadb_ddl_record_finish(mariadb_session_t *session,
                                         const changefeed_ref_t *changefeed, commit_ts_t commit_ts,
                                         error_report_t *report) SLUICE_MUST_USE;

/* Takes a record "before" back, when the server has said that the statement failed. Commits. */
sluice_error_t mariadb_ddl_record_withdraw(mariadb_session_t *session,
                                           const changefeed_ref_t *changefeed,
                                           commit_ts_t commit_ts,
                                           error_report_t *report) SLUICE_MUST_USE;

/* Forgets records at or below `persisted`, and the progress of the tables that they dropped. One
 * transaction. */
sluice_error_t mariadb_ddl_record_clean_up(mariadb_session_t *session,
                                           const changefeed_ref_t *changefeed,
                                           commit_ts_t persisted,
                                           error_report_t *report) SLUICE_MUST_USE;

typedef enum { DDL_RUN, DDL_RUN_IF_EXISTS, DDL_WAS_DONE } ddl_decision_t;

/* What to do about a DDL whose outcome is not known. Pure. */
ddl_decision_t mariadb_ddl_decide(ddl_verb_t verb, const char *before, const char *now,
                                  bool target_is_absent);

#endif
