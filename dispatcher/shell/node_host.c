#include "dispatcher/shell/node_host.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/base/memory.h"
#include "common/runtime/clock.h"
#include "common/runtime/log.h"
#include "dispatcher/shell/hosted_changefeed.h"
#include "dispatcher/shell/preflight.h"
#include "dispatcher/shell/server_ids.h"

struct node_host {
    const settings_t *settings;
    int preflight_fd; /* a check or the end of a changefeed has come */
    preflight_t *preflights[NODE_CHECKS_MAX];
    hosted_changefeed_t **changefeeds;
    uint32_t count, capacity;
};

/* ---- life ---- */

node_host_t *node_host_new(const settings_t *settings)
{
    node_host_t *host = memory_zalloc(sizeof *host);
    host->settings = settings;
    host->preflight_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    assert(host->preflight_fd >= 0);
    return host;
}

void node_host_destroy(node_host_t **host)
{
    node_host_t *self = *host;
    if (!self)
        return;
    for (uint32_t i = 0; i < self->count; i++)
        hosted_changefeed_destroy(&self->changefeeds[i]);
    for (uint32_t i = 0; i < NODE_CHECKS_MAX; i++)
        preflight_destroy(&self->preflights[i]);
    close(self->preflight_fd);
    free(self->changefeeds);
    free(self);
    *host = NULL;
}

uint32_t node_host_fds(const node_host_t *host, bool serves, int fds[NODE_HOST_FDS_MAX])
{
    uint32_t count = 0;
    fds[count++] = host->preflight_fd;
    for (uint32_t i = 0; i < host->count && count + HOSTED_CHANGEFEED_FDS <= NODE_HOST_FDS_MAX; i++)
        count += hosted_changefeed_fds(host->changefeeds[i], serves, fds + count);
    return count;
}

void node_host_drain(node_host_t *host)
{
    uint64_t value = 0;
    (void)!read(host->preflight_fd, &value, sizeof value);
}

/* ---- changefeeds ---- */

static void keep(node_host_t *host, hosted_changefeed_t *changefeed)
{
    if (host->count == host->capacity) {
        host->capacity = host->capacity ? 2 * host->capacity : 8;
        host->changefeeds =
            memory_realloc(host->changefeeds, host->capacity * sizeof(hosted_changefeed_t *));
    }
    host->changefeeds[host->count++] = changefeed;
}

static sluice_error_t open_changefeed(void *self, const changefeed_request_t *request,
                                      changefeed_ports_t *ports, error_report_t *report)
{
    node_host_t *host = self;
    hosted_changefeed_t *changefeed = NULL;
    sluice_error_t error = hosted_changefeed_open(host->settings, request, &changefeed, report);
    if (error != SLUICE_OK)
        return error;
    keep(host, changefeed);
    *ports = hosted_changefeed_ports(changefeed);
    return SLUICE_OK;
}

static void begin_close(void *self, void *changefeed, bool forgets)
{
    (void)self;
    hosted_changefeed_begin_close(changefeed, forgets);
}

static void *begin_forget(void *self, const changefeed_close_t *close)
{
    hosted_changefeed_t *changefeed = hosted_changefeed_of_removed(close);
    keep(self, changefeed);
    hosted_changefeed_begin_close(changefeed, true);
    return changefeed;
}

static bool is_closed(void *self, void *changefeed)
{
    node_host_t *host = self;
    if (!hosted_changefeed_is_closed(changefeed))
        return false;
    for (uint32_t i = 0; i < host->count; i++) {
        if (host->changefeeds[i] != changefeed)
            continue;
        hosted_changefeed_destroy(&host->changefeeds[i]);
        host->changefeeds[i] = host->changefeeds[--host->count];
        break;
    }
    return true;
}

/* ---- checks ---- */

static void begin_check(void *self, uint32_t place, const check_request_t *request, uint32_t slot,
                        uint32_t slot_count_max)
{
    node_host_t *host = self;
    uint32_t base = (uint32_t)host->settings->node.server_id_base;
    preflight_options_t options = {
        .server_id = base + SERVER_IDS_PER_NODE * slot + SERVER_ID_NUMBER_CHECK,
        .server_id_min = base,
        .server_id_max = base + SERVER_IDS_PER_NODE * (slot_count_max + 1) - 1,
        .event_fd = host->preflight_fd,
    };
    preflight_destroy(&host->preflights[place]);
    host->preflights[place] = preflight_start(request, &options);
}

static const check_response_t *check_response(void *self, uint32_t place)
{
    const node_host_t *host = self;
    preflight_t *preflight = host->preflights[place];
    return preflight_is_done(preflight) ? preflight_response(preflight) : NULL;
}

/* ---- the process ---- */

static incarnation_t new_incarnation(void *self)
{
    (void)self;
    return (incarnation_t){clock_wall().v};
}

static void log_line(void *self, log_level_t level, const char *changefeed, const char *text,
                     const log_attribute_t *fields, size_t field_count)
{
    (void)self;
    log_event(level, "node", changefeed, text, fields, field_count);
}

host_port_t node_host_port(node_host_t *host)
{
    return (host_port_t){
        .self = host,
        .open = open_changefeed,
        .begin_close = begin_close,
        .begin_forget = begin_forget,
        .is_closed = is_closed,
        .begin_check = begin_check,
        .check_response = check_response,
        .new_incarnation = new_incarnation,
        .log = log_line,
    };
}
