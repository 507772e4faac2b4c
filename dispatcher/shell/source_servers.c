#include "dispatcher/shell/source_servers.h"

#include <stdio.h>

#include "common/runtime/clock.h"
#include "dispatcher/upstream/source.h"

#define COMPARE_TIMEOUT_S 1

_Static_assert(URI_SERVERS_MAX <= SERVER_CHOICE_MAX, "every server of a list has its place");

sluice_error_t source_servers_init(source_servers_t *servers, const char *uri,
                                   const server_choice_settings_t *settings, uint64_t seed,
                                   error_report_t *report)
{
    *servers = (source_servers_t){.random = seed};
    sluice_error_t error = uri_servers_parse(bytes_of_text(uri), &servers->arena, &servers->servers,
                                             &servers->count, report);
    servers->choice = server_choice_init(settings, servers->count);
    return error;
}

void source_servers_clear(source_servers_t *servers)
{
    arena_clear(&servers->arena);
    *servers = (source_servers_t){0};
}

void source_servers_fix(source_servers_t *servers, uint32_t server)
{
    servers->is_fixed = true;
    servers->current = server;
}

mono_ns_t source_servers_next(source_servers_t *servers, mono_ns_t now)
{
    mono_ns_t at;
    if (servers->is_fixed)
        return now;
    servers->current = server_choice_next(&servers->choice, now, &at);
    return at;
}

sluice_error_t source_servers_compare(source_servers_t *servers, uint32_t domain,
                                      commit_ts_t position, error_report_t *report)
{
    if (servers->count == 1)
        return SLUICE_OK;
    servers->compared = (servers->compared + 1) % servers->count;
    if (servers->compared == servers->current)
        servers->compared = (servers->compared + 1) % servers->count;
    const uri_server_t *other = &servers->servers[servers->compared];
    uint64_t sequence;
    error_report_t unused;
    if (source_position(other->uri, domain, COMPARE_TIMEOUT_S, &sequence, &unused) == SLUICE_OK)
        server_choice_note_other(&servers->choice, position.v, sequence, clock_mono());
    if (!source_servers_lag(servers, position, clock_mono()))
        return SLUICE_OK;
    return error_report_set(report, SLUICE_ERROR_SOURCE_BUSY,
                            "it lags: its log ends at sequence %llu, while another one's has been "
                            "at %llu",
                            (unsigned long long)position.v,
                            (unsigned long long)servers->choice.ahead);
}

static void add(error_report_t *report, const char *name, const char *text)
{
    size_t len = strlen(report->text);
    snprintf(report->text + len, sizeof report->text - len, "; %s: %s", name, text);
}

static void name_servers(source_servers_t *servers, error_report_t *report)
{
    const server_choice_t *choice = &servers->choice;
    char text[ERROR_REPORT_TEXT_MAX];
    snprintf(text, sizeof text, "%s", report->text);
    (void)error_report_set(report, report->code, "%s: %s", source_servers_current(servers)->name,
                           text);
    for (uint32_t i = 0; i < servers->count; i++)
        if (i != servers->current && choice->servers[i].has_refused)
            add(report, servers->servers[i].name, servers->refusals[i]);
    snprintf(servers->refusals[servers->current], SOURCE_REFUSAL_TEXT_MAX, "%.*s",
             SOURCE_REFUSAL_TEXT_MAX - 1, text);
}

bool source_servers_failed(source_servers_t *servers, error_report_t *report, mono_ns_t now)
{
    if (servers->is_fixed) {
        if (servers->count > 1)
            name_servers(servers, report);
        return false;
    }
    servers->random = servers->random * UINT64_C(6364136223846793005) + 1442695040888963407;
    bool goes_on = server_choice_fail(&servers->choice, servers->current, report->code, now,
                                      servers->random >> 16);
    if (servers->count > 1)
        name_servers(servers, report);
    if (goes_on && !sluice_error_is_retriable(report->code))
        report->code = SLUICE_ERROR_SOURCE_CONNECTION;
    return goes_on;
}
