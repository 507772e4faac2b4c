/*
 * Whether a changefeed can start, and from what: looks at the source, reads its schema, makes the
 * snapshot, looks at the sink (OPERATORS.md, pre-flight). Takes as long as source and sink take, so
 * it has a thread of its own.
 *
 * Threads: started and asked by the protocol thread.
 */
#ifndef SLUICE_DISPATCHER_SHELL_PREFLIGHT_H
#define SLUICE_DISPATCHER_SHELL_PREFLIGHT_H

#include "common/base/arena.h"
#include "common/wire/message.h"

typedef struct preflight preflight_t;

typedef struct {
    uint32_t server_id;                    /* to look at the source's log with */
    uint32_t server_id_min, server_id_max; /* what nodes may use */
    int event_fd;                          /* written when it has ended; borrowed */
} preflight_options_t;

/* Copies the request and starts the thread. */
preflight_t *preflight_start(const check_request_t *request, const preflight_options_t *options);
/* Waits for the thread; NULL is allowed. */
void preflight_destroy(preflight_t **preflight);

const check_request_t *preflight_request(const preflight_t *preflight);
/* Ended: preflight_response may be asked, and preflight_destroy does not wait. */
bool preflight_is_done(const preflight_t *preflight);

/* The answer with the whole snapshot in one piece; borrowed from the preflight. */
const check_response_t *preflight_response(const preflight_t *preflight);

#endif
