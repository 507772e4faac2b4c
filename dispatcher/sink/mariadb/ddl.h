/*
 * sink_api_t.run_ddl for MariaDB: one DDL, exactly once, by its owner, in the session it was run in
 * at the source. Each call has a connection of its own, so that nothing of that session stays.
 */
#ifndef SLUICE_DISPATCHER_SINK_MARIADB_DDL_H
#define SLUICE_DISPATCHER_SINK_MARIADB_DDL_H

#include "dispatcher/core/ddl/ddl_event.h"
#include "dispatcher/sink/mariadb/claim.h"

/* `owner->session` is of kind DDL, not connected, and is closed again at the end. */
sluice_error_t mariadb_ddl_run(const mariadb_owner_t *owner, const char *changefeed_name,
                               const sink_claim_t *claim, const ddl_event_t *event,
                               error_report_t *report) SLUICE_MUST_USE;

#endif
