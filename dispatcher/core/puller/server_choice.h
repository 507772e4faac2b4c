/*
 * Which of the servers that hold a log is read from, and when the next attempt is made.
 *
 * The first of the list that can serve is taken. One that fails is left alone for its cooldown; one
 * that is busy, or not yet as far as the log was read, comes after the others; one that refuses
 * (position purged or diverged, credentials, settings, damage) ends the reading only if every
 * server does. A server at the end of its log says nothing of whether it still receives: it lags
 * when the log of another one ended behind that for a while. Beside all that attempts are at least
 * the backoff apart, whichever server they go to, until a server has delivered (DESIGN §6, log
 * puller).
 *
 * Threads: a value.
 */
#ifndef SLUICE_DISPATCHER_CORE_PULLER_SERVER_CHOICE_H
#define SLUICE_DISPATCHER_CORE_PULLER_SERVER_CHOICE_H

#include "dispatcher/core/backoff.h"
#include "dispatcher/core/puller/source_failure.h"
#include "dispatcher/core/puller/store_cooldown.h"

#define SERVER_CHOICE_MAX 16

typedef struct {
    uint64_t retry_first_ns, retry_max_ns; /* backoff */
    store_cooldown_settings_t cooldown;
    uint64_t refused_ns;  /* before a server that refused is asked again, while others may serve */
    uint64_t lag_ns;      /* an idle server stays behind another for so long: it lags */
    uint64_t conflict_ns; /* two ends by another replica of our server_id within this: a refusal */
} server_choice_settings_t;

server_choice_settings_t server_choice_default(void);

typedef struct {
    store_cooldown_t cooldown;
    mono_ns_t not_before;
    uint64_t failed; /* number of its last failure since a server delivered; 0: none */
    bool has_refused;
} server_choice_server_t;

typedef struct {
    server_choice_settings_t settings;
    uint32_t count;
    server_choice_server_t servers[SERVER_CHOICE_MAX];
    backoff_t backoff;
    uint64_t failures; /* since a server delivered */
    mono_ns_t next_at;
    uint64_t ahead; /* where the log of another one ended, not reached yet; 0: none */
    mono_ns_t ahead_since;
    source_conflicts_t conflicts;
} server_choice_t;

/* `count` of 1 to SERVER_CHOICE_MAX. */
server_choice_t server_choice_init(const server_choice_settings_t *settings, uint32_t count);

/* The server to open next; *at is when, `now` at the earliest. */
uint32_t server_choice_next(const server_choice_t *choice, mono_ns_t now, mono_ns_t *at);

/* The server has delivered a whole group, or the end of its log. */
void server_choice_succeed(server_choice_t *choice, uint32_t server);

/* The log of another server ends at sequence `other`, while the one that is read from is at the end
 * of its own, `position`. */
void server_choice_note_other(server_choice_t *choice, uint64_t position, uint64_t other,
                              mono_ns_t now);
bool server_choice_lags(const server_choice_t *choice, uint64_t position, mono_ns_t now);

/* The server could not be opened, or its stream ended. `random` is any number. false: the reading
 * has to end, since the log itself cannot be read on or no server can serve. */
bool server_choice_fail(server_choice_t *choice, uint32_t server, sluice_error_t error,
                        mono_ns_t now, uint64_t random) SLUICE_MUST_USE;

#endif
