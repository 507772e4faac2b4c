#include "dispatcher/shell/node.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "common/base/memory.h"
#include "common/runtime/clock.h"
#include "common/runtime/version.h"
#include "dispatcher/shell/node_internal.h"

#define RECEIVED_MAX 256
#define POLL_ITEMS_MAX (3 + 3 * CONFIG_LIST_MAX + EVENTS_SOCKETS_POLL_MAX + NODE_HOST_FDS_MAX)

/* ---- life ---- */

static void read_machine(node_t *node)
{
    FILE *file = fopen("/etc/machine-id", "re");
    if (file && fscanf(file, "%100[0-9A-Za-z-]", node->machine) != 1)
        node->machine[0] = '\0';
    if (file)
        fclose(file);
    if (node->machine[0] == '\0')
        (void)!gethostname(node->machine, sizeof node->machine - 1);
}

static node_settings_t core_settings(const settings_t *settings)
{
    dispatcher_set_options_t dispatchers = dispatcher_set_options_default();
    dispatchers.resend.retry_first_ns = settings->node.ignored_retry_first_ns;
    dispatchers.resend.retry_max_ns = settings->node.ignored_retry_max_ns;
    dispatchers.path.buffer_capacity = (int64_t)settings->node.block_status_buffer_max;
    dispatchers.path.queue_capacity = (int64_t)settings->node.request_queue_max;
    dispatchers.path.batcher.window_ns = settings->node.batch_window_ns;
    dispatchers.path.batcher.idle_ns = settings->node.batch_idle_ns;
    return (node_settings_t){
        .dispatchers = dispatchers,
        .session = {.repeat_first_ns = settings->node.session_repeat_first_ns,
                    .repeat_max_ns = settings->node.session_repeat_max_ns,
                    .heartbeat_ns = settings->node.session_heartbeat_ns,
                    .credit_bytes_max = settings->node.session_credit_bytes},
        .candidate_lag_ms = settings->node.candidate_lag_max_ns / NS_PER_MS,
    };
}

static node_core_t *new_core(node_t *node)
{
    link_port_t *ports = memory_zalloc((node->link_count + 1) * sizeof *ports);
    for (uint32_t i = 0; i < node->link_count; i++)
        ports[i] = maintainer_link_port(node->links[i]);
    node_core_options_t options = {
        .machine = node->machine,
        .version = version_number(),
        .incarnation = {clock_wall().v},
        .settings = core_settings(node->settings),
        .links = ports,
        .link_count = node->link_count,
        .host = node_host_port(node->host),
        .events = events_sockets_port(node->events),
    };
    node_core_t *core = node_core_new(&options);
    free(ports);
    return core;
}

node_t *node_new(const node_options_t *options)
{
    node_t *node = memory_zalloc(sizeof *node);
    const settings_t *settings = options->settings;
    node->options = *options;
    node->settings = settings;
    node->id = options->id;
    node->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    assert(node->timer_fd >= 0);
    read_machine(node);
    node->watchdog_ns = process_watchdog_interval_ns();
    node->link_count = settings->node.control.count;
    node->links = memory_zalloc((node->link_count + 1) * sizeof *node->links);
    for (uint32_t i = 0; i < node->link_count; i++)
        node->links[i] = maintainer_link_new(settings->node.control.items[i],
                                             settings->node.status.items[i], &node->id);
    events_sockets_options_t events = {.bind = settings->node.events,
                                       .advertise = settings->node.events_advertise,
                                       .insecure = settings->insecure,
                                       .node = &node->id};
    node->events = events_sockets_new(&events);
    node->host = node_host_new(settings);
    node->core = new_core(node);
    return node;
}

void node_destroy(node_t **node)
{
    node_t *self = *node;
    if (!self)
        return;
    http_server_destroy(&self->http);
    node_core_destroy(&self->core);
    events_sockets_destroy(&self->events);
    node_host_destroy(&self->host);
    for (uint32_t i = 0; i < self->link_count; i++)
        maintainer_link_destroy(&self->links[i]);
    free(self->links);
    close(self->timer_fd);
    free(self);
    *node = NULL;
}

/* ---- links ---- */

static void note_refused(node_t *node, const char *endpoint, mono_ns_t now)
{
    uint64_t suppressed = 0;
    node->messages_refused++;
    if (log_limiter_allow(&node->refused_limiter, now, &suppressed))
        LOG(LOG_LEVEL_WARNING, "node", NULL, "a message could not be understood",
            log_text("endpoint", endpoint), log_number("not_logged", suppressed));
}

static void receive_messages(node_t *node, uint32_t index, mono_ns_t now)
{
    maintainer_link_t *link = node->links[index];
    arena_t arena = {0};
    for (uint32_t i = 0; i < RECEIVED_MAX; i++) {
        message_t message = {0};
        sluice_error_t error = maintainer_link_receive(link, &arena, &message);
        if (error == SLUICE_ERROR_AGAIN)
            break;
        if (error != SLUICE_OK)
            note_refused(node, link->control_endpoint, now);
        else
            node_core_receive(node->core, index, &message, now);
        arena_reset(&arena);
    }
    arena_clear(&arena);
}

static void follow_link(node_t *node, uint32_t index, mono_ns_t now)
{
    link_changes_t changes = maintainer_link_changes(node->links[index]);
    if (changes.status_is_up)
        node_core_link_up(node->core, index, NODE_LINK_STATUS, now);
    if (changes.control_is_up)
        node_core_link_up(node->core, index, NODE_LINK_CONTROL, now);
}

/* ---- other nodes ---- */

/* False: there is no more for now. */
static bool take_from_nodes(node_t *node, arena_t *arena, mono_ns_t now)
{
    message_t message = {0};
    uint32_t slot = 0;
    switch (events_sockets_take(node->events, arena, &message, &slot)) {
    case EVENTS_NOTHING:
        return false;
    case EVENTS_REFUSED:
        note_refused(node, "events", now);
        break;
    case EVENTS_REQUEST:
        node_core_serve(node->core, &message, now);
        break;
    case EVENTS_ANSWER:
        node_core_hear(node->core, slot, &message, now);
        break;
    case EVENTS_UP:
        node_core_service_link(node->core, slot, true, now);
        break;
    case EVENTS_DOWN:
        node_core_service_link(node->core, slot, false, now);
        break;
    }
    return true;
}

static void receive_from_nodes(node_t *node, mono_ns_t now)
{
    arena_t arena = {0};
    for (uint32_t i = 0; i < RECEIVED_MAX && take_from_nodes(node, &arena, now); i++)
        arena_reset(&arena);
    arena_clear(&arena);
}

/* ---- signals ---- */

static void handle_stop(node_t *node, mono_ns_t now)
{
    if (node->is_leaving) {
        LOG(LOG_LEVEL_WARNING, "node", NULL, "ends at once", log_number("signals", 2));
        _exit(PROCESS_OK);
    }
    node->is_leaving = true;
    process_notify("STOPPING=1");
    node_core_leave(node->core, now);
}

static void handle_signals(node_t *node, mono_ns_t now)
{
    for (;;) {
        switch (process_signal_next(node->options.signals)) {
        case PROCESS_SIGNAL_NONE:
            return;
        case PROCESS_SIGNAL_STOP:
            handle_stop(node, now);
            break;
        case PROCESS_SIGNAL_RELOAD:
            node->options.reload(node->options.reload_context);
            break;
        case PROCESS_SIGNAL_DUMP:
            node_log_state(node);
            break;
        }
    }
}

/* ---- the loop ---- */

/* Deadlines are finer than poll's milliseconds. */
static void arm_timer(const node_t *node, mono_ns_t deadline)
{
    struct itimerspec at = {0};
    if (deadline.v != UINT64_MAX) {
        at.it_value.tv_sec = (time_t)(deadline.v / NS_PER_S);
        at.it_value.tv_nsec = (long)(deadline.v % NS_PER_S);
        if (deadline.v == 0)
            at.it_value.tv_nsec = 1;
    }
    timerfd_settime(node->timer_fd, TFD_TIMER_ABSTIME, &at, NULL);
}

static int fill_poll_items(const node_t *node, zmq_pollitem_t items[POLL_ITEMS_MAX])
{
    int count = 0;
    int fixed[] = {node->options.signals, node->timer_fd,
                   node->http ? http_server_descriptor(node->http) : -1};
    for (size_t i = 0; i < 3; i++)
        if (fixed[i] >= 0)
            items[count++] = (zmq_pollitem_t){.fd = fixed[i], .events = ZMQ_POLLIN};
    for (uint32_t i = 0; i < node->link_count; i++) {
        maintainer_link_t *link = node->links[i];
        zsock_t *sockets[] = {link->control, transport_monitor_socket(link->control_monitor),
                              transport_monitor_socket(link->status_monitor)};
        for (size_t j = 0; j < 3; j++)
            items[count++] =
                (zmq_pollitem_t){.socket = zsock_resolve(sockets[j]), .events = ZMQ_POLLIN};
    }
    count += events_sockets_poll(node->events, items + count);
    int fds[NODE_HOST_FDS_MAX];
    uint32_t hosted = node_host_fds(node->host, node_core_serves(node->core), fds);
    for (uint32_t i = 0; i < hosted; i++)
        items[count++] = (zmq_pollitem_t){.fd = fds[i], .events = ZMQ_POLLIN};
    return count;
}

static void wait_for_work(node_t *node, mono_ns_t now, bool has_more)
{
    zmq_pollitem_t items[POLL_ITEMS_MAX];
    int count = fill_poll_items(node, items);
    mono_ns_t deadline = node_core_next_deadline(node->core, now);
    if (node->watchdog_ns)
        deadline = mono_min(deadline, node->watchdog_at);
    bool is_due = has_more || mono_reached(deadline, now);
    if (!is_due)
        arm_timer(node, deadline);
    int timeout = node->http ? http_server_timeout_ms(node->http) : -1;
    zmq_poll(items, count, is_due ? 0 : timeout);
}

static void drain_timer(const node_t *node)
{
    uint64_t value = 0;
    (void)!read(node->timer_fd, &value, sizeof value);
}

static void feed_watchdog(node_t *node, mono_ns_t now)
{
    if (node->watchdog_ns == 0 || !mono_reached(node->watchdog_at, now))
        return;
    process_notify("WATCHDOG=1");
    node->watchdog_at = mono_add(now, node->watchdog_ns);
}

/* One turn; *has_more: there is more to do at once. */
static sluice_error_t turn(node_t *node, mono_ns_t now, bool *has_more, error_report_t *report)
{
    drain_timer(node);
    node_host_drain(node->host);
    handle_signals(node, now);
    for (uint32_t i = 0; i < node->link_count; i++) {
        receive_messages(node, i, now);
        follow_link(node, i, now);
    }
    receive_from_nodes(node, now);
    sluice_error_t error = node_core_run(node->core, now, has_more, report);
    if (node->http)
        http_server_run(node->http);
    feed_watchdog(node, now);
    return error;
}

static sluice_error_t start_http(node_t *node, error_report_t *report)
{
    const char *endpoint = node->settings->node.http;
    if (!endpoint || endpoint[0] == '\0')
        return SLUICE_OK;
    return http_server_start(endpoint, node->settings->insecure, node_handle_http, node,
                             &node->http, report);
}

process_exit_t node_run(node_t *node, error_report_t *report)
{
    sluice_error_t error = start_http(node, report);
    if (error == SLUICE_OK)
        error = events_sockets_open(node->events, report);
    if (error == SLUICE_OK)
        error = node_core_start(node->core, report);
    LOG(LOG_LEVEL_INFO, "node", NULL, "started", log_text("id", node->id.text),
        log_number("incarnation", node_core_state(node->core).incarnation.v));
    process_notify("READY=1");
    bool has_more = true;
    while (error == SLUICE_OK && !node_core_has_ended(node->core, clock_mono())) {
        wait_for_work(node, clock_mono(), has_more);
        error = turn(node, clock_mono(), &has_more, report);
    }
    if (error != SLUICE_OK)
        return process_exit_of(error);
    LOG(LOG_LEVEL_INFO, "node", NULL, "stopped", log_text("id", node->id.text));
    return PROCESS_OK;
}
