#include "dispatcher/core/node/node_core.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/memory.h"
#include "dispatcher/core/node/node_core_internal.h"

#define HELLO_REPEAT_NS NS_PER_S
/* Heartbeats are answered every second: a maintainer that is silent for longer may not know the
 * node. Something between the two may have kept the connection while it was replaced. */
#define SILENCE_MAX_NS (3 * NS_PER_S)
/* News are told at once, but not more often than this. */
#define NEWS_INTERVAL_NS (10 * NS_PER_MS)
/* What was said last must leave the sockets before they are closed. */
#define LAST_WORDS_NS (100 * NS_PER_MS)
/* Leaving ends when nothing has been handed over for so long. */
#define LEAVE_WAIT_NS (3 * NS_PER_S)

/* ---- life ---- */

node_core_t *node_core_new(const node_core_options_t *options)
{
    node_core_t *core = memory_zalloc(sizeof *core);
    core->machine = options->machine;
    core->version = options->version;
    core->settings = options->settings;
    core->host = options->host;
    core->incarnation = options->incarnation;
    core->events = options->events;
    if (node_has_others(core)) {
        core->others.services = remote_services_new(&core->events);
        core->others.sessions = remote_sessions_new(&core->events);
    }
    core->leave_by = MONO_NEVER;
    core->link_count = options->link_count;
    core->links = memory_zalloc((core->link_count + 1) * sizeof *core->links);
    for (uint32_t i = 0; i < core->link_count; i++)
        core->links[i].port = options->links[i];
    return core;
}

void node_core_destroy(node_core_t **core)
{
    node_core_t *self = *core;
    if (!self)
        return;
    for (uint32_t i = 0; i < self->changefeed_count; i++) {
        node_changefeed_destroy(&self->changefeeds[i]->changefeed);
        free(self->changefeeds[i]);
    }
    changefeed_opening_clear(&self->opening);
    remote_services_destroy(&self->others.services);
    remote_sessions_destroy(&self->others.sessions);
    free(self->links);
    free(self);
    *core = NULL;
}

sluice_error_t node_core_start(node_core_t *core, error_report_t *report)
{
    node_others_start(core);
    for (uint32_t i = 0; i < core->link_count; i++) {
        node_link_t *link = &core->links[i];
        link->is_welcome = link->is_greeted = false;
        link->lease = (node_lease_t){0};
        link->hello_at = (mono_ns_t){0};
        sluice_error_t error = link->port.connect(link->port.self, core->incarnation, report);
        if (error != SLUICE_OK)
            return error;
    }
    return SLUICE_OK;
}

/* ---- links ---- */

void node_say_hello(node_core_t *core, node_link_t *link, mono_ns_t now)
{
    message_t message = {0};
    message.header.type = MESSAGE_HELLO;
    message.hello = (hello_t){.host = bytes_of_text(core->machine),
                              .version = bytes_of_text(core->version),
                              .is_leaving = core->is_leaving};
    if (node_has_others(core))
        message.hello.events = bytes_of_text(core->events.endpoint);
    if (link->settings.slot_count_max)
        message.hello.slot_held = link->settings.slot + 1;
    link->hello_at = mono_add(now, HELLO_REPEAT_NS);
    /* Repeated until answered. */
    (void)!node_link_send_control(link, &message);
}

void node_core_link_up(node_core_t *core, uint32_t index, node_connection_t connection,
                       mono_ns_t now)
{
    assert(index < core->link_count);
    node_link_t *link = &core->links[index];
    if (connection == NODE_LINK_CONTROL) {
        link->is_greeted = false;
        node_say_hello(core, link, now);
        return;
    }
    for (uint32_t i = 0; i < core->changefeed_count; i++)
        if (core->changefeeds[i]->changefeed && core->changefeeds[i]->link == link)
            node_changefeed_link_up(core->changefeeds[i]->changefeed, now);
}

static void repeat_hello(node_core_t *core, node_link_t *link, mono_ns_t now)
{
    if (!mono_reached(link->hello_at, now))
        return;
    mono_ns_t silent_at = mono_add(link->heard_at, SILENCE_MAX_NS);
    if (!link->is_greeted || core->is_leaving || mono_reached(silent_at, now))
        node_say_hello(core, link, now);
    else
        link->hello_at = silent_at;
}

/* ---- heartbeats ---- */

static bool has_news(const node_core_t *core, const node_link_t *link)
{
    for (uint32_t i = 0; i < core->changefeed_count; i++) {
        const open_changefeed_t *open = core->changefeeds[i];
        if (open->changefeed && open->link == link && node_changefeed_has_news(open->changefeed))
            return true;
    }
    return false;
}

static void send_lease_heartbeat(node_core_t *core, node_link_t *link)
{
    message_t message = {0};
    message.header.type = MESSAGE_HEARTBEAT_REQUEST;
    message.heartbeat_request.heartbeat_sequence = core->heartbeat_sequence;
    message.heartbeat_request.answered_heartbeat = link->lease.answered;
    message.heartbeat_request.is_last_piece = true;
    (void)!node_link_send_status(link, &message);
}

static void send_heartbeats(node_core_t *core, node_link_t *link, mono_ns_t now)
{
    if (!link->is_welcome || core->is_starting_again)
        return;
    bool is_news =
        has_news(core, link) && mono_elapsed(core->heartbeat_sent_at, now) >= NEWS_INTERVAL_NS;
    if (!is_news && !mono_reached(link->heartbeat_at, now))
        return;
    link->heartbeat_at = mono_add(now, link->settings.heartbeat_ms * NS_PER_MS);
    core->heartbeat_sent_at = now;
    node_lease_sent(&link->lease, ++core->heartbeat_sequence, now);
    bool has_sent = false;
    for (uint32_t i = 0; i < core->changefeed_count; i++) {
        open_changefeed_t *open = core->changefeeds[i];
        if (!open->changefeed || open->link != link)
            continue;
        node_changefeed_heartbeat(open->changefeed, core->heartbeat_sequence, now);
        has_sent = true;
    }
    if (!has_sent)
        send_lease_heartbeat(core, link);
}

/* ---- starting again, leaving, stopping ---- */

static sluice_error_t start_again(node_core_t *core, error_report_t *report)
{
    if (!core->is_starting_again || core->changefeed_count > 0)
        return SLUICE_OK;
    uint64_t fresh = core->host.new_incarnation(core->host.self).v;
    core->incarnation.v = fresh > core->incarnation.v ? fresh : core->incarnation.v + 1;
    core->is_starting_again = false;
    return node_core_start(core, report);
}

static void close_all(node_core_t *core, mono_ns_t now)
{
    core->is_stopping = true;
    core->leave_by = MONO_NEVER;
    for (uint32_t i = 0; i < core->changefeed_count; i++)
        node_close(core->changefeeds[i], true, now);
}

static uint32_t links_welcome(const node_core_t *core)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < core->link_count; i++)
        count += core->links[i].is_welcome;
    return count;
}

uint32_t node_dispatchers(const node_core_t *core)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < core->changefeed_count; i++)
        if (core->changefeeds[i]->changefeed)
            count += node_changefeed_dispatchers(core->changefeeds[i]->changefeed);
    return count;
}

void node_core_leave(node_core_t *core, mono_ns_t now)
{
    NODE_LOG(&core->host, LOG_LEVEL_INFO, NULL, "leaving",
             log_number("dispatchers", node_dispatchers(core)));
    core->is_leaving = true;
    core->dispatchers_left = UINT32_MAX;
    for (uint32_t i = 0; i < core->link_count; i++)
        core->links[i].hello_at = now;
}

static void follow_leaving(node_core_t *core, mono_ns_t now)
{
    if (!core->is_leaving || core->is_stopping)
        return;
    uint32_t left = node_dispatchers(core);
    if (left < core->dispatchers_left)
        core->leave_by = mono_add(now, LEAVE_WAIT_NS);
    core->dispatchers_left = left;
    if (left == 0 || mono_reached(core->leave_by, now) || links_welcome(core) == 0)
        close_all(core, now);
}

static void follow_stopping(node_core_t *core, mono_ns_t now)
{
    if (!core->is_stopping || core->has_stopped || core->changefeed_count > 0)
        return;
    core->has_stopped = true;
    core->leave_by = mono_add(now, LAST_WORDS_NS);
}

bool node_core_has_ended(const node_core_t *core, mono_ns_t now)
{
    return core->has_stopped && mono_reached(core->leave_by, now);
}

/* ---- the step ---- */

sluice_error_t node_core_run(node_core_t *core, mono_ns_t now, bool *has_more,
                             error_report_t *report)
{
    *has_more = false;
    for (uint32_t i = 0; i < core->link_count; i++)
        repeat_hello(core, &core->links[i], now);
    node_answer_checks(core);
    for (uint32_t i = 0; i < core->changefeed_count; i++)
        if (core->changefeeds[i]->changefeed)
            *has_more |= node_changefeed_run(core->changefeeds[i]->changefeed, now);
    node_run_others(core, now);
    for (uint32_t i = 0; i < core->link_count; i++)
        send_heartbeats(core, &core->links[i], now);
    node_reap(core, now);
    follow_leaving(core, now);
    follow_stopping(core, now);
    return start_again(core, report);
}

mono_ns_t node_core_next_deadline(const node_core_t *core, mono_ns_t now)
{
    mono_ns_t deadline = mono_min(node_reap_deadline(core, now), node_others_deadline(core));
    for (uint32_t i = 0; i < core->link_count; i++) {
        const node_link_t *link = &core->links[i];
        deadline = mono_min(deadline, link->hello_at);
        if (core->is_starting_again)
            continue;
        if (link->is_welcome)
            deadline = mono_min(deadline, link->heartbeat_at);
        if (has_news(core, link))
            deadline = mono_min(deadline, mono_add(core->heartbeat_sent_at, NEWS_INTERVAL_NS));
    }
    for (uint32_t i = 0; i < core->changefeed_count; i++)
        if (core->changefeeds[i]->changefeed)
            deadline =
                mono_min(deadline, node_changefeed_next_deadline(core->changefeeds[i]->changefeed));
    return mono_min(deadline, core->is_leaving ? core->leave_by : MONO_NEVER);
}

/* ---- views ---- */

node_core_state_t node_core_state(const node_core_t *core)
{
    node_core_state_t state = {
        .incarnation = core->incarnation,
        .links_welcome = links_welcome(core),
        .dispatchers = node_dispatchers(core),
        .messages_dropped = core->messages_dropped,
        .is_leaving = core->is_leaving,
    };
    if (node_has_others(core)) {
        state.services = remote_services_state(core->others.services);
        state.sessions = remote_sessions_counters(core->others.sessions);
    }
    return state;
}

uint32_t node_core_changefeed_count(const node_core_t *core)
{
    return core->changefeed_count;
}

node_changefeed_t *node_core_changefeed(const node_core_t *core, uint32_t index)
{
    assert(index < core->changefeed_count);
    return core->changefeeds[index]->changefeed;
}
