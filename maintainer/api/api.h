/*
 * The HTTP API: routes to the coordinator's commands and views, all on the actor's thread. Commands
 * that take time are answered when the coordinator says so (EFFECT_ANSWER).
 *
 * Lists are {"total": n, "items": [...]}, errors {"error_code": "...", "error_msg": "..."}.
 *
 * Threads: the actor's.
 */
#ifndef SLUICE_MAINTAINER_API_API_H
#define SLUICE_MAINTAINER_API_API_H

#include "common/runtime/http_server.h"
#include "common/wire/codec.h"
#include "maintainer/core/coordinator.h"

/* What the process says of itself; text is borrowed. */
typedef struct {
    const char *name;
    const char *version, *hash;
    mono_ns_t started;
} api_identity_t;

/* Messages of one type, with header and body. */
typedef struct {
    uint64_t messages, bytes;
} traffic_t;

/* Counters of the actor, for /metrics. */
typedef struct {
    traffic_t received[MESSAGE_TYPE_MAX + 1], sent[MESSAGE_TYPE_MAX + 1];
    uint64_t effects, steps;
    uint64_t dropped_frames, dropped_malformed, dropped_version, dropped_sender, refused_entries;
    uint64_t send_unreachable, send_full, persist_failed;
    uint64_t loop_ns_total, loop_ns_max;
} actor_counters_t;

typedef struct api api_t;

/* Borrows all three for its life. */
api_t *api_new(coordinator_t *coordinator, const api_identity_t *identity,
               const actor_counters_t *counters);
/* After the HTTP server was destroyed, which has answered what was pending. */
void api_destroy(api_t **api);

/* The time for what follows: once a turn of the loop. */
void api_set_now(api_t *api, mono_ns_t now, wall_ms_t wall);

/* http_handler_t; context is the api_t. */
void api_handle(void *api, http_request_t *request);

/* The outcome of a command. Unknown ids are ignored. */
void api_answer(api_t *api, uint64_t request_id, sluice_error_t error, bytes_t text);

#endif
