#include "dispatcher/shell/node.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "common/base/memory.h"
#include "common/runtime/clock.h"
#include "dispatcher/shell/node_internal.h"

/* News are told at once, but not more often than this. */
#define NEWS_INTERVAL_NS (10 * NS_PER_MS)
#define LAST_WORDS_NS (100 * NS_PER_MS)
/* Leaving ends when nothing has been handed over for so long. */
#define LEAVE_WAIT_NS (3 * NS_PER_S)
#define POLL_ITEMS_MAX (4 + 3 * CONFIG_LIST_MAX + NODE_CHANGEFEED_FDS * NODE_CHANGEFEEDS_MAX)

/* ---- life ---- */

static void read_host(node_t *node)
{
    FILE *file = fopen("/etc/machine-id", "re");
    if (file && fscanf(file, "%100[0-9A-Za-z-]", node->host) != 1)
        node->host[0] = '\0';
    if (file)
        fclose(file);
    if (node->host[0] == '\0')
        (void)!gethostname(node->host, sizeof node->host - 1);
}

node_t *node_new(const node_options_t *options)
{
    node_t *node = memory_zalloc(sizeof *node);
    const settings_t *settings = options->settings;
    node->options = *options;
    node->settings = settings;
    node->id = options->id;
    node->preflight_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    node->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    assert(node->preflight_fd >= 0 && node->timer_fd >= 0);
    read_host(node);
    node->incarnation = (incarnation_t){clock_wall().v};
    node->leave_by = MONO_NEVER;
    node->watchdog_ns = process_watchdog_interval_ns();
    node->link_count = settings->node.control.count;
    node->links = memory_zalloc((node->link_count + 1) * sizeof *node->links);
    node->heartbeat_at = memory_zalloc((node->link_count + 1) * sizeof *node->heartbeat_at);
    for (uint32_t i = 0; i < node->link_count; i++)
        node->links[i] = maintainer_link_new(settings->node.control.items[i],
                                             settings->node.status.items[i], &node->id);
    return node;
}

void node_destroy(node_t **node)
{
    node_t *self = *node;
    if (!self)
        return;
    http_server_destroy(&self->http);
    for (uint32_t i = 0; i < self->changefeed_count; i++) {
        open_changefeed_t *open = self->changefeeds[i];
        if (open->has_thread)
            pthread_join(open->thread, NULL);
        node_changefeed_destroy(&open->changefeed);
        free(open);
    }
    for (uint32_t i = 0; i < NODE_PREFLIGHTS_MAX; i++)
        preflight_destroy(&self->preflights[i]);
    for (uint32_t i = 0; i < self->link_count; i++)
        maintainer_link_destroy(&self->links[i]);
    changefeed_opening_clear(&self->opening);
    free(self->links);
    free(self->heartbeat_at);
    close(self->preflight_fd);
    close(self->timer_fd);
    free(self);
    *node = NULL;
}

static sluice_error_t connect_links(node_t *node, error_report_t *report)
{
    for (uint32_t i = 0; i < node->link_count; i++) {
        sluice_error_t error = maintainer_link_connect(node->links[i], node->incarnation, report);
        if (error != SLUICE_OK)
            return error;
    }
    return SLUICE_OK;
}

/* ---- links ---- */

static void follow_link(node_t *node, maintainer_link_t *link, mono_ns_t now)
{
    link_changes_t changes = maintainer_link_changes(link);
    if (changes.control_is_up)
        link->hello_at = now;
    for (uint32_t i = 0; changes.status_is_up && i < node->changefeed_count; i++)
        if (node->changefeeds[i]->changefeed && node->changefeeds[i]->link == link)
            node_changefeed_link_up(node->changefeeds[i]->changefeed, now);
    if (!mono_reached(link->hello_at, now))
        return;
    if (!link->is_welcome || changes.control_is_up || node->is_leaving)
        node_say_hello(node, link, now);
    else
        link->hello_at = MONO_NEVER;
}

static bool has_news(const node_t *node, const maintainer_link_t *link)
{
    for (uint32_t i = 0; i < node->changefeed_count; i++) {
        const open_changefeed_t *open = node->changefeeds[i];
        if (open->changefeed && open->link == link && node_changefeed_has_news(open->changefeed))
            return true;
    }
    return false;
}

static void send_lease_heartbeat(node_t *node, maintainer_link_t *link)
{
    message_t message = {0};
    message.header.type = MESSAGE_HEARTBEAT_REQUEST;
    message.heartbeat_request.heartbeat_sequence = node->heartbeat_sequence;
    message.heartbeat_request.is_last_piece = true;
    (void)!maintainer_link_send_status(link, &message);
}

static void send_heartbeats(node_t *node, uint32_t index, mono_ns_t now)
{
    maintainer_link_t *link = node->links[index];
    if (!link->is_welcome || node->is_starting_again)
        return;
    bool is_news =
        has_news(node, link) && mono_elapsed(node->heartbeat_sent_at, now) >= NEWS_INTERVAL_NS;
    if (!is_news && !mono_reached(node->heartbeat_at[index], now))
        return;
    node->heartbeat_at[index] = mono_add(now, link->settings.heartbeat_ms * NS_PER_MS);
    node->heartbeat_sent_at = now;
    node_lease_sent(&link->lease, ++node->heartbeat_sequence, now);
    bool has_sent = false;
    for (uint32_t i = 0; i < node->changefeed_count; i++) {
        open_changefeed_t *open = node->changefeeds[i];
        if (!open->changefeed || open->link != link)
            continue;
        node_changefeed_heartbeat(open->changefeed, node->heartbeat_sequence, now);
        has_sent = true;
    }
    if (!has_sent)
        send_lease_heartbeat(node, link);
}

/* ---- starting again, leaving, stopping ---- */

static sluice_error_t start_again(node_t *node, error_report_t *report)
{
    if (!node->is_starting_again || node->changefeed_count > 0)
        return SLUICE_OK;
    uint64_t wall = clock_wall().v;
    node->incarnation.v = wall > node->incarnation.v ? wall : node->incarnation.v + 1;
    node->is_starting_again = false;
    return connect_links(node, report);
}

static void close_all(node_t *node, mono_ns_t now)
{
    node->is_stopping = true;
    for (uint32_t i = 0; i < node->changefeed_count; i++)
        node_close(node->changefeeds[i], true, now);
}

static bool is_known_anywhere(const node_t *node)
{
    for (uint32_t i = 0; i < node->link_count; i++)
        if (node->links[i]->is_welcome)
            return true;
    return false;
}

static void follow_leaving(node_t *node, mono_ns_t now)
{
    if (!node->is_leaving || node->is_stopping)
        return;
    uint32_t left = node_dispatchers(node);
    if (left < node->dispatchers_left)
        node->leave_by = mono_add(now, LEAVE_WAIT_NS);
    node->dispatchers_left = left;
    if (left == 0 || mono_reached(node->leave_by, now) || !is_known_anywhere(node))
        close_all(node, now);
}

static void handle_stop(node_t *node, mono_ns_t now)
{
    if (node->is_leaving) {
        LOG(LOG_LEVEL_WARNING, "node", NULL, "ends at once", log_number("signals", 2));
        _exit(PROCESS_OK);
    }
    LOG(LOG_LEVEL_INFO, "node", NULL, "leaving", log_number("dispatchers", node_dispatchers(node)));
    process_notify("STOPPING=1");
    node->is_leaving = true;
    node->dispatchers_left = UINT32_MAX;
    for (uint32_t i = 0; i < node->link_count; i++)
        node->links[i]->hello_at = now;
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

static mono_ns_t next_deadline(const node_t *node, mono_ns_t now)
{
    mono_ns_t deadline = node_reap_deadline(node, now);
    for (uint32_t i = 0; i < node->link_count; i++) {
        deadline = mono_min(deadline, node->links[i]->hello_at);
        if (node->links[i]->is_welcome)
            deadline = mono_min(deadline, node->heartbeat_at[i]);
        if (has_news(node, node->links[i]))
            deadline = mono_min(deadline, mono_add(node->heartbeat_sent_at, NEWS_INTERVAL_NS));
    }
    for (uint32_t i = 0; i < node->changefeed_count; i++)
        if (node->changefeeds[i]->changefeed)
            deadline =
                mono_min(deadline, node_changefeed_next_deadline(node->changefeeds[i]->changefeed));
    if (node->watchdog_ns)
        deadline = mono_min(deadline, node->watchdog_at);
    return mono_min(deadline, node->is_leaving ? node->leave_by : MONO_NEVER);
}

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

static void wait_for_work(node_t *node, mono_ns_t now, bool has_more)
{
    zmq_pollitem_t items[POLL_ITEMS_MAX];
    int count = 0;
    int fixed[] = {node->options.signals, node->preflight_fd, node->timer_fd,
                   node->http ? http_server_descriptor(node->http) : -1};
    for (size_t i = 0; i < 4; i++)
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
    for (uint32_t i = 0; i < node->changefeed_count; i++) {
        if (!node->changefeeds[i]->changefeed)
            continue;
        int fds[NODE_CHANGEFEED_FDS];
        node_changefeed_fds(node->changefeeds[i]->changefeed, fds);
        for (size_t j = 0; j < NODE_CHANGEFEED_FDS; j++)
            items[count++] = (zmq_pollitem_t){.fd = fds[j], .events = ZMQ_POLLIN};
    }
    mono_ns_t deadline = next_deadline(node, now);
    bool is_due = has_more || mono_reached(deadline, now);
    if (!is_due)
        arm_timer(node, deadline);
    int timeout = node->http ? http_server_timeout_ms(node->http) : -1;
    zmq_poll(items, count, is_due ? 0 : timeout);
}

static void drain_descriptor(int descriptor)
{
    uint64_t value = 0;
    (void)!read(descriptor, &value, sizeof value);
}

static void feed_watchdog(node_t *node, mono_ns_t now)
{
    if (node->watchdog_ns == 0 || !mono_reached(node->watchdog_at, now))
        return;
    process_notify("WATCHDOG=1");
    node->watchdog_at = mono_add(now, node->watchdog_ns);
}

/* One turn; true: there is more to do at once. */
static bool turn(node_t *node, mono_ns_t now)
{
    bool has_more = false;
    drain_descriptor(node->timer_fd);
    drain_descriptor(node->preflight_fd);
    handle_signals(node, now);
    for (uint32_t i = 0; i < node->link_count; i++) {
        node_handle_messages(node, node->links[i], now);
        follow_link(node, node->links[i], now);
    }
    node_answer_preflights(node);
    for (uint32_t i = 0; i < node->changefeed_count; i++)
        if (node->changefeeds[i]->changefeed)
            has_more |= node_changefeed_run(node->changefeeds[i]->changefeed, now);
    for (uint32_t i = 0; i < node->link_count; i++)
        send_heartbeats(node, i, now);
    node_reap(node, now);
    follow_leaving(node, now);
    if (node->http)
        http_server_run(node->http);
    feed_watchdog(node, now);
    return has_more;
}

/* What was said last must leave the sockets before they are closed. */
static bool may_end(node_t *node, mono_ns_t now)
{
    if (!node->is_stopping || node->changefeed_count > 0)
        return false;
    if (!node->has_ended) {
        node->has_ended = true;
        node->leave_by = mono_add(now, LAST_WORDS_NS);
    }
    return mono_reached(node->leave_by, now);
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
        error = connect_links(node, report);
    LOG(LOG_LEVEL_INFO, "node", NULL, "started", log_text("id", node->id.text),
        log_number("incarnation", node->incarnation.v));
    process_notify("READY=1");
    bool has_more = true;
    while (error == SLUICE_OK && !may_end(node, clock_mono())) {
        wait_for_work(node, clock_mono(), has_more);
        has_more = turn(node, clock_mono());
        error = start_again(node, report);
    }
    if (error != SLUICE_OK)
        return process_exit_of(error);
    LOG(LOG_LEVEL_INFO, "node", NULL, "stopped", log_text("id", node->id.text));
    return PROCESS_OK;
}
