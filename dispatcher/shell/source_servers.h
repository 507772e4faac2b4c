/*
 * The servers that a reader may read its log from: their URIs beside the choice among them
 * (dispatcher/core/puller/server_choice.h), and what each said when it refused.
 *
 * Threads: the reader's own.
 */
#ifndef SLUICE_DISPATCHER_SHELL_SOURCE_SERVERS_H
#define SLUICE_DISPATCHER_SHELL_SOURCE_SERVERS_H

#include "common/base/ids.h"
#include "common/runtime/uri_servers.h"
#include "dispatcher/core/puller/server_choice.h"

#define SOURCE_REFUSAL_TEXT_MAX 256

typedef struct {
    arena_t arena;
    const uri_server_t *servers;
    uint32_t count;
    server_choice_t choice;
    uint32_t current;   /* the one to open, or open */
    uint32_t compared;  /* looked at last */
    uint32_t delivered; /* number + 1 of the one that delivered last; 0: none yet */
    char refusals[SERVER_CHOICE_MAX][SOURCE_REFUSAL_TEXT_MAX];
    uint64_t random;
    bool is_fixed;
} source_servers_t;

/* SLUICE_ERROR_CONFIGURATION: the URI. To be cleared in any case. */
sluice_error_t source_servers_init(source_servers_t *servers, const char *uri,
                                   const server_choice_settings_t *settings, uint64_t seed,
                                   error_report_t *report) SLUICE_MUST_USE;
void source_servers_clear(source_servers_t *servers);

/* Only this one is read from, and its first failure ends the reading: somebody else chooses. */
void source_servers_fix(source_servers_t *servers, uint32_t server);

/* Makes the next one to open the current one; returns when it may be opened. */
mono_ns_t source_servers_next(source_servers_t *servers, mono_ns_t now);
static inline const uri_server_t *source_servers_current(const source_servers_t *servers)
{
    return &servers->servers[servers->current];
}

/* A whole group came from the current one, or the end of its log. */
static inline void source_servers_delivered(source_servers_t *servers)
{
    servers->delivered = servers->current + 1;
    server_choice_succeed(&servers->choice, servers->current);
}

/* Whether commit times found in the current one's log are those that were read before: a replica
 * logs when the last statement began, not when the transaction was committed. */
static inline bool source_servers_know_times(const source_servers_t *servers)
{
    return servers->count == 1 || servers->delivered == servers->current + 1;
}

/* The current one is at the end of its log, `position`: looks where that of one of the others ends,
 * each in turn; blocks for a second or two if that one does not answer. SLUICE_ERROR_SOURCE_BUSY:
 * the current one lags. */
sluice_error_t source_servers_compare(source_servers_t *servers, uint32_t domain,
                                      commit_ts_t position, error_report_t *report) SLUICE_MUST_USE;

/* Whether that was so, and still is. */
static inline bool source_servers_lag(const source_servers_t *servers, commit_ts_t position,
                                      mono_ns_t now)
{
    return servers->choice.ahead != 0 && server_choice_lags(&servers->choice, position.v, now);
}

/* The current one failed with this report, to which the server's name is added where there are
 * several, and what the others refused with. false: the reading ends with it; true: it is tried
 * again, and the report's code is a retriable one. */
bool source_servers_failed(source_servers_t *servers, error_report_t *report,
                           mono_ns_t now) SLUICE_MUST_USE;

#endif
