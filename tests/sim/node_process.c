#include "tests/sim/node_process.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/memory.h"
#include "dispatcher/core/node/schema_envelope.h"
#include "tests/sim/feed.h"
#include "tests/sim/network.h"
#include "tests/sim/sink.h"

enum { HOSTED_MAX = 16, CHECKS_MAX = 8 };
/* What takes threads and sockets in a real node takes at most so long. */
#define CLOSE_NS_MAX (200 * NS_PER_MS)
#define CHECK_NS_MAX (300 * NS_PER_MS)

typedef struct node_process node_process_t;

typedef struct {
    node_process_t *node;
    bool is_used, is_closed;
    sim_feed_t *feed;
    sim_sink_pool_t *pool;
} hosted_t;

typedef struct {
    node_process_t *node;
    arena_t arena;
    bool is_answered;
    check_response_t response;
} check_t;

typedef struct {
    node_process_t *node;
    int maintainer;
    incarnation_t incarnation;
} link_t;

/* Another node that it reads from. */
typedef struct {
    uint32_t slot;
    sim_process_t *server; /* NULL: none of that slot */
} reading_from_t;

struct node_process {
    sim_process_t process;
    node_settings_t settings;
    node_core_t *core;
    arena_t arena;
    link_t links[SIM_MAINTAINERS_MAX];
    bool has_others; /* it serves other nodes and reads from them */
    char endpoint[16];
    reading_from_t reading[SIM_NODES_MAX];
    hosted_t hosted[HOSTED_MAX];
    check_t checks[CHECKS_MAX];
    bool is_leaving;
};

static node_process_t *of(const sim_process_t *process)
{
    return (node_process_t *)(uintptr_t)process;
}

/* ---- links ---- */

static sluice_error_t link_connect(void *context, incarnation_t incarnation, error_report_t *report)
{
    (void)report;
    link_t *link = context;
    link->incarnation = incarnation;
    sim_process_t *process = &link->node->process;
    sim_network_connect(process, process->world->maintainers[link->maintainer], incarnation);
    return SLUICE_OK;
}

static sluice_error_t send_up(const link_t *link, sim_wire_t wire, message_t *message)
{
    sim_process_t *process = &link->node->process;
    message->header.version = SLUICE_PROTOCOL_VERSION;
    message->header.sender = process->id;
    message->header.incarnation = link->incarnation;
    return sim_network_send_up(process, process->world->maintainers[link->maintainer], wire,
                               message);
}

static sluice_error_t send_control(void *context, message_t *message)
{
    return send_up(context, SIM_CONTROL_UP, message);
}

static sluice_error_t send_status(void *context, message_t *message)
{
    return send_up(context, SIM_STATUS_UP, message);
}

/* ---- other nodes ---- */

static reading_from_t *reading_of(node_process_t *self, uint32_t slot)
{
    for (int i = 0; i < SIM_NODES_MAX; i++)
        if (self->reading[i].server && self->reading[i].slot == slot)
            return &self->reading[i];
    return NULL;
}

static void events_disconnect(void *context, uint32_t slot)
{
    node_process_t *self = context;
    reading_from_t *reading = reading_of(self, slot);
    if (!reading)
        return;
    sim_network_leave(&self->process, reading->server);
    reading->server = NULL;
}

/* Endpoints are names of nodes. */
static sluice_error_t events_connect(void *context, uint32_t slot, const char *endpoint,
                                     incarnation_t own)
{
    node_process_t *self = context;
    sim_world_t *world = self->process.world;
    events_disconnect(self, slot);
    for (uint32_t i = 0; i < world->rates.nodes; i++) {
        sim_process_t *server = world->nodes[i];
        if (strcmp(server->name, endpoint) != 0)
            continue;
        if (server == &self->process)
            sim_violated(world, "LC-1", "%s is told to read from itself", server->name);
        self->reading[server->index] = (reading_from_t){.slot = slot, .server = server};
        sim_network_read_from(&self->process, server, own);
        return SLUICE_OK;
    }
    return SLUICE_ERROR_CONFIGURATION;
}

static void fill_header(const node_process_t *self, message_t *message)
{
    message->header.version = SLUICE_PROTOCOL_VERSION;
    message->header.sender = self->process.id;
}

static sluice_error_t events_send_requests(void *context, uint32_t slot, message_t *message)
{
    node_process_t *self = context;
    const reading_from_t *reading = reading_of(self, slot);
    if (!reading)
        return SLUICE_ERROR_AGAIN;
    fill_header(self, message);
    return sim_network_send_requests(&self->process, reading->server, message);
}

static sluice_error_t events_send_events(void *context, const node_id_t *node,
                                         incarnation_t incarnation, message_t *message)
{
    node_process_t *self = context;
    fill_header(self, message);
    return sim_network_send_events(&self->process, node, incarnation, message);
}

static events_port_t events_port(node_process_t *self)
{
    return (events_port_t){.self = self,
                           .endpoint = self->has_others ? self->endpoint : NULL,
                           .connect = events_connect,
                           .disconnect = events_disconnect,
                           .send_requests = events_send_requests,
                           .send_events = events_send_events};
}

/* ---- the host: changefeeds ---- */

static hosted_t *new_hosted(node_process_t *self)
{
    for (int i = 0; i < HOSTED_MAX; i++)
        if (!self->hosted[i].is_used) {
            self->hosted[i] = (hosted_t){.node = self, .is_used = true};
            return &self->hosted[i];
        }
    return NULL;
}

static sluice_error_t host_open(void *context, const changefeed_request_t *request,
                                changefeed_ports_t *ports, error_report_t *report)
{
    node_process_t *self = context;
    sim_world_t *world = self->process.world;
    hosted_t *hosted = new_hosted(self);
    if (!hosted)
        return error_report_set(report, SLUICE_ERROR_FULL, "no room for one more");
    const changefeed_open_t *open = request->open;
    sim_feed_options_t options = {.anchor = open->anchor,
                                  .snapshot = request->snapshot,
                                  .snapshot_ts = open->snapshot_ts,
                                  .ddls = open->ddls,
                                  .ddl_count = open->ddl_count,
                                  .config = &open->config};
    sluice_error_t error =
        sim_feed_open(world, &self->process, world->log, &options, &hosted->feed, report);
    if (error != SLUICE_OK) {
        hosted->is_used = false;
        return error;
    }
    hosted->pool = sim_sink_open(world->sink, &self->process, open->changefeed);
    *ports = (changefeed_ports_t){
        .self = hosted, .feed = sim_feed_port(hosted->feed), .sink = sim_sink_port(hosted->pool)};
    return SLUICE_OK;
}

static void closed(void *context, uint64_t unused)
{
    (void)unused;
    hosted_t *hosted = context;
    hosted->is_closed = true;
    sim_process_wake(&hosted->node->process);
}

static void close_soon(hosted_t *hosted)
{
    sim_process_t *process = &hosted->node->process;
    uint64_t delay_ns = sim_random_below(&process->world->random, CLOSE_NS_MAX);
    sim_after(process->world, process, delay_ns, closed, hosted, 0);
}

static void host_begin_close(void *context, void *changefeed, bool forgets)
{
    (void)context, (void)forgets;
    hosted_t *hosted = changefeed;
    sim_feed_close(&hosted->feed);
    sim_sink_close(&hosted->pool);
    close_soon(hosted);
}

static void *host_begin_forget(void *context, const changefeed_close_t *close)
{
    (void)close;
    hosted_t *hosted = new_hosted(context);
    if (hosted)
        close_soon(hosted);
    return hosted;
}

static bool host_is_closed(void *context, void *changefeed)
{
    (void)context;
    hosted_t *hosted = changefeed;
    if (hosted && !hosted->is_closed)
        return false;
    if (!hosted)
        return true;
    hosted->is_used = false;
    return true;
}

/* ---- the host: checks ---- */

static void answer_check(void *context, uint64_t unused)
{
    (void)unused;
    check_t *check = context;
    check->is_answered = true;
    sim_process_wake(&check->node->process);
}

static void host_begin_check(void *context, uint32_t place, const check_request_t *request,
                             uint32_t slot, uint32_t slot_count_max)
{
    (void)slot, (void)slot_count_max;
    node_process_t *self = context;
    sim_world_t *world = self->process.world;
    check_t *check = &self->checks[place];
    sim_forget(world, check);
    arena_clear(&check->arena);
    *check = (check_t){.node = self};
    schema_envelope_t envelope = {.snapshot = sim_log_snapshot(world->log)};
    check->response =
        (check_response_t){.check_id = request->check_id,
                           .anchor = sim_log_start(world->log),
                           .source_domain = request->config.domain,
                           .is_last_piece = true,
                           .snapshot = schema_envelope_encode(&envelope, &check->arena)};
    sim_after(world, &self->process, sim_random_below(&world->random, CHECK_NS_MAX), answer_check,
              check, 0);
}

static const check_response_t *host_check_response(void *context, uint32_t place)
{
    const node_process_t *self = context;
    return self->checks[place].is_answered ? &self->checks[place].response : NULL;
}

/* ---- the host: the rest ---- */

static incarnation_t host_new_incarnation(void *context)
{
    const node_process_t *self = context;
    return (incarnation_t){sim_wall(self->process.world).v};
}

static void host_log(void *context, log_level_t level, const char *changefeed, const char *text,
                     const log_attribute_t *fields, size_t field_count)
{
    (void)level, (void)changefeed;
    const node_process_t *self = context;
    const char *detail = "";
    int len = 0;
    for (size_t i = 0; i < field_count; i++)
        if (fields[i].text.data) {
            detail = (const char *)fields[i].text.data;
            len = (int)fields[i].text.len;
        }
    sim_trace(self->process.world, self->process.name, "logs %s %.*s", text, len, detail);
}

static host_port_t host_port(node_process_t *self)
{
    return (host_port_t){.self = self,
                         .open = host_open,
                         .begin_close = host_begin_close,
                         .begin_forget = host_begin_forget,
                         .is_closed = host_is_closed,
                         .begin_check = host_begin_check,
                         .check_response = host_check_response,
                         .new_incarnation = host_new_incarnation,
                         .log = host_log};
}

/* ---- the loop ---- */

static void start(sim_process_t *process)
{
    node_process_t *self = of(process);
    sim_world_t *world = process->world;
    link_port_t ports[SIM_MAINTAINERS_MAX];
    for (uint32_t i = 0; i < world->rates.maintainers; i++) {
        self->links[i] = (link_t){.node = self, .maintainer = (int)i};
        ports[i] = (link_port_t){.self = &self->links[i],
                                 .name = world->maintainers[i]->name,
                                 .connect = link_connect,
                                 .send_control = send_control,
                                 .send_status = send_status};
    }
    node_core_options_t options = {.machine = "host",
                                   .version = "simulated",
                                   .incarnation = {sim_wall(world).v + process->life},
                                   .settings = self->settings,
                                   .links = ports,
                                   .link_count = world->rates.maintainers,
                                   .host = host_port(self),
                                   .events = events_port(self)};
    self->is_leaving = false;
    self->core = node_core_new(&options);
    error_report_t report;
    if (node_core_start(self->core, &report) != SLUICE_OK)
        sim_violated(world, "start", "%s: %s", process->name, report.text);
}

static void hear(node_process_t *self, const sim_process_t *from, const message_t *message,
                 mono_ns_t now)
{
    const reading_from_t *reading = &self->reading[from->index];
    if (from->is_maintainer)
        node_core_receive(self->core, (uint32_t)from->index, message, now);
    else if (message->header.type == MESSAGE_STREAM_REQUESTS)
        node_core_serve(self->core, message, now);
    else if (reading->server == from)
        node_core_hear(self->core, reading->slot, message, now);
}

static void follow_readings(node_process_t *self, mono_ns_t now)
{
    for (int i = 0; i < SIM_NODES_MAX; i++) {
        const reading_from_t *reading = &self->reading[i];
        bool is_up = false;
        if (reading->server && sim_network_link_changed(&self->process, reading->server, &is_up))
            node_core_service_link(self->core, reading->slot, is_up, now);
    }
}

static void receive(node_process_t *self, mono_ns_t now)
{
    message_t message;
    sim_process_t *from;
    sim_process_t *process = &self->process;
    while (!process->is_doomed && sim_network_take(process, &self->arena, &message, &from)) {
        hear(self, from, &message, now);
        arena_reset(&self->arena);
    }
    for (uint32_t i = 0; i < process->world->rates.maintainers; i++) {
        sim_process_t *maintainer = process->world->maintainers[i];
        if (sim_network_came_up(process, maintainer, SIM_STATUS_UP))
            node_core_link_up(self->core, i, NODE_LINK_STATUS, now);
        if (sim_network_came_up(process, maintainer, SIM_CONTROL_UP))
            node_core_link_up(self->core, i, NODE_LINK_CONTROL, now);
    }
    follow_readings(self, now);
}

static mono_ns_t turn(sim_process_t *process)
{
    node_process_t *self = of(process);
    mono_ns_t now = sim_process_now(process);
    receive(self, now);
    if (process->is_doomed)
        return now;
    if (self->is_leaving && !node_core_state(self->core).is_leaving)
        node_core_leave(self->core, now);
    bool has_more = false;
    error_report_t report;
    if (node_core_run(self->core, now, &has_more, &report) != SLUICE_OK)
        sim_violated(process->world, "run", "%s: %s", process->name, report.text);
    if (node_core_has_ended(self->core, now))
        process->is_doomed = true;
    return has_more ? now : node_core_next_deadline(self->core, now);
}

static void end(sim_process_t *process)
{
    node_process_t *self = of(process);
    for (int i = 0; i < HOSTED_MAX; i++) {
        hosted_t *hosted = &self->hosted[i];
        sim_feed_close(&hosted->feed);
        sim_sink_close(&hosted->pool);
    }
    node_core_destroy(&self->core);
    memset(self->reading, 0, sizeof self->reading);
    for (int i = 0; i < HOSTED_MAX; i++)
        self->hosted[i] = (hosted_t){0};
    for (int i = 0; i < CHECKS_MAX; i++) {
        arena_clear(&self->checks[i].arena);
        self->checks[i] = (check_t){0};
    }
}

static const sim_process_class_t class = {.start = start, .turn = turn, .end = end};

/* ---- life ---- */

static const int64_t sizes[] = {1, 16, 10000};
static const uint64_t windows[] = {0, 10 * NS_PER_MS, 100 * NS_PER_MS};

static node_settings_t draw_settings(sim_random_t *random)
{
    dispatcher_set_options_t dispatchers = dispatcher_set_options_default();
    dispatchers.resend.interval_ns = sim_random_between(random, 500, 5000) * NS_PER_MS;
    dispatchers.resend.retry_first_ns = sim_random_between(random, 10, 100) * NS_PER_MS;
    dispatchers.resend.retry_max_ns = sim_random_between(random, 500, 5000) * NS_PER_MS;
    dispatchers.path.buffer_capacity = sizes[sim_random_below(random, 3)];
    dispatchers.path.queue_capacity = sizes[sim_random_below(random, 3)];
    dispatchers.path.batcher.window_ns = windows[sim_random_below(random, 3)];
    dispatchers.path.batcher.idle_ns = sim_random_chance(random, 50) ? 50 * NS_PER_US : NS_PER_MS;
    return (node_settings_t){
        .dispatchers = dispatchers,
        .session = {.repeat_first_ns = sim_random_between(random, 100, 1000) * NS_PER_MS,
                    .repeat_max_ns = 10 * NS_PER_S,
                    .heartbeat_ns = sim_random_between(random, 500, 10000) * NS_PER_MS,
                    .credit_bytes_max = sim_random_chance(random, 30) ? 2000 : 1 << 20},
        .candidate_lag_ms = 3600 * 1000,
    };
}

sim_process_t *sim_node_new(sim_world_t *world, int index)
{
    node_process_t *self = memory_zalloc(sizeof *self);
    sim_process_init(&self->process, &class, world, false, index);
    self->settings = draw_settings(&world->random);
    self->has_others = sim_random_chance(&world->random, 85);
    snprintf(self->endpoint, sizeof self->endpoint, "%s", self->process.name);
    return &self->process;
}

void sim_node_destroy(sim_process_t **process)
{
    node_process_t *self = of(*process);
    sim_process_clear(&self->process);
    arena_clear(&self->arena);
    free(self);
    *process = NULL;
}

node_core_t *sim_node_core(const sim_process_t *process)
{
    return of(process)->core;
}

node_settings_t *sim_node_settings(sim_process_t *process)
{
    return &of(process)->settings;
}

void sim_node_leave(sim_process_t *process)
{
    if (process->state == SIM_DOWN)
        return;
    of(process)->is_leaving = true;
    sim_trace(process->world, process->name, "is told to leave");
    sim_process_wake(process);
}
