/*
 * Taking spans over, and proving in each later transaction that they are still ours (DESIGN §5,
 * Fencing and Exactly once).
 */
#ifndef SLUICE_DISPATCHER_SINK_MARIADB_CLAIM_H
#define SLUICE_DISPATCHER_SINK_MARIADB_CLAIM_H

#include "dispatcher/sink/mariadb/session.h"
#include "dispatcher/sink/sink.h"

typedef struct {
    mariadb_session_t *session;
    const mariadb_endpoint_t *endpoint;
    changefeed_ref_t changefeed;
    const char *changefeed_name; /* NULL: not known */
} mariadb_owner_t;

/* sink_api_t.claim: one transaction; makes Sluice's own tables if they are not there. */
sluice_error_t mariadb_claim(const mariadb_owner_t *owner, const sink_claim_t *claims,
                             uint32_t count, sink_claim_result_t *results,
                             error_report_t *report) SLUICE_MUST_USE;

/* Locks the progress row of a claim within the open transaction and compares the epoch: OK, or
 * SLUICE_ERROR_NOT_OWNER. */
sluice_error_t mariadb_claim_prove(const mariadb_owner_t *owner, const sink_claim_t *claim,
                                   error_report_t *report) SLUICE_MUST_USE;

/* Adds the condition that names exactly the row of a claim: its key, its end and its epoch. */
void mariadb_claim_where(sql_text_t *sql, const changefeed_ref_t *changefeed,
                         const sink_claim_t *claim);

#endif
