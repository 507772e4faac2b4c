/*
 * sink_api_t.run_ddl for MariaDB: one DDL, exactly once, by its owner, in the session it was run in
 * at the source. Each call has a connection of its own, so that nothing of that session stays.
 */
#ifndef SLUICE_DISPATCHER_SINK_MARIADB_DDL_H
#define SLUICE_DISPATCHER_SINK_MARIADB_DDL_H

#include "dispatcher/core/ddl/ddl_event.h"
#include "dispatcher/sink/mariadb/claim.h"

#define MARIADB_DDL_LOCK_NAME_SIZE 48

/* The lock that whoever runs this DDL holds meanwhile. Names of locks are short, so the key goes in
 * as a hash. */
void mariadb_ddl_lock_name(const changefeed_ref_t *changefeed, commit_ts_t commit_ts,
                           char name[MARIADB_DDL_LOCK_NAME_SIZE]);

/* `owner->session` is of kind DDL, not connected, and is closed again at the end. */
sluice_error_t mariadb_ddl_run(const mariadb_owner_t *owner, const char *changefeed_name,
                               const sink_claim_t *claim, const ddl_event_t *event,
                               error_report_t *report) SLUICE_MUST_USE;

#endif
