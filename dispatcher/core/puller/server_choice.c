#include "dispatcher/core/puller/server_choice.h"

server_choice_settings_t server_choice_default(void)
{
    return (server_choice_settings_t){.retry_first_ns = BACKOFF_FIRST_NS,
                                      .retry_max_ns = BACKOFF_MAX_NS,
                                      .cooldown = STORE_COOLDOWN_DEFAULT,
                                      .refused_ns = 10 * NS_PER_S,
                                      .lag_ns = 10 * NS_PER_S,
                                      .conflict_ns = SOURCE_CONFLICT_NS};
}

server_choice_t server_choice_init(const server_choice_settings_t *settings, uint32_t count)
{
    return (server_choice_t){
        .settings = *settings,
        .count = count,
        .backoff = {.first_ns = settings->retry_first_ns, .max_ns = settings->retry_max_ns}};
}

static mono_ns_t allowed_at(const server_choice_server_t *server)
{
    mono_ns_t at = server->not_before;
    if (server->cooldown.failures > 0 && server->cooldown.until.v > at.v)
        at = server->cooldown.until;
    return at;
}

uint32_t server_choice_next(const server_choice_t *choice, mono_ns_t now, mono_ns_t *at)
{
    mono_ns_t earliest = choice->next_at.v > now.v ? choice->next_at : now;
    uint32_t best = 0;
    mono_ns_t best_at = MONO_NEVER;
    for (uint32_t i = 0; i < choice->count; i++) {
        const server_choice_server_t *server = &choice->servers[i];
        mono_ns_t server_at = allowed_at(server);
        if (server_at.v < earliest.v)
            server_at = earliest;
        if (server_at.v < best_at.v ||
            (server_at.v == best_at.v && server->failed < choice->servers[best].failed)) {
            best = i;
            best_at = server_at;
        }
    }
    *at = best_at;
    return best;
}

void server_choice_succeed(server_choice_t *choice, uint32_t server)
{
    if (choice->failures == 0)
        return;
    choice->failures = 0;
    choice->next_at = (mono_ns_t){0};
    backoff_succeed(&choice->backoff);
    store_cooldown_succeed(&choice->servers[server].cooldown);
    for (uint32_t i = 0; i < choice->count; i++) {
        choice->servers[i].failed = 0;
        choice->servers[i].has_refused = false;
    }
}

void server_choice_note_other(server_choice_t *choice, uint64_t position, uint64_t other,
                              mono_ns_t now)
{
    if (choice->ahead <= position)
        choice->ahead = 0;
    if (choice->ahead != 0 || other <= position)
        return;
    choice->ahead = other;
    choice->ahead_since = now;
}

bool server_choice_lags(const server_choice_t *choice, uint64_t position, mono_ns_t now)
{
    return choice->ahead > position &&
           mono_elapsed(choice->ahead_since, now) >= choice->settings.lag_ns;
}

static bool all_have_refused(const server_choice_t *choice)
{
    for (uint32_t i = 0; i < choice->count; i++)
        if (!choice->servers[i].has_refused)
            return false;
    return true;
}

bool server_choice_fail(server_choice_t *choice, uint32_t number, sluice_error_t error,
                        mono_ns_t now, uint64_t random)
{
    server_choice_server_t *server = &choice->servers[number];
    server->failed = ++choice->failures;
    server->has_refused = false;
    switch (source_failure_of(&choice->conflicts, choice->settings.conflict_ns, error, now)) {
    case SOURCE_FAILURE_CONNECTION:
        store_cooldown_fail(&server->cooldown, &choice->settings.cooldown, now);
        break;
    case SOURCE_FAILURE_LOAD:
        break;
    case SOURCE_FAILURE_SERVER:
        server->has_refused = true;
        server->not_before = mono_add(now, choice->settings.refused_ns);
        break;
    case SOURCE_FAILURE_LOG:
        return false;
    }
    choice->next_at = mono_add(now, backoff_fail(&choice->backoff, random));
    return !all_have_refused(choice);
}
