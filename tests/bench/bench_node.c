#include "tests/bench/bench_node.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/memory.h"
#include "common/runtime/clock.h"
#include "common/runtime/transport.h"
#include "dispatcher/core/dispatch/dispatcher_set.h"

/* As the node's own loop does: so many events, then what is due and what has come; and what finds
 * their dispatchers is announced so many before. */
#define EVENTS_A_TURN 512
#define PREFETCHED 8

struct bench_node {
    dispatcher_set_t *set;
    zsock_t *control, *status;
    node_id_t id;
    arena_t arena;
    uint64_t naive_sequence;
    uint64_t passes; /* PASS actions received by the naive way */
    uint64_t writes;
};

static const changefeed_ref_t changefeed = {.generation = 1};

/* ---- life ---- */

static void add_dispatcher(bench_node_t *node, uint64_t table, mono_ns_t now)
{
    schedule_create_t create = {.dispatcher_id = bench_dispatcher(table),
                                .span = {.table_id = {table}},
                                .start = {.checkpoint = {1}}};
    schedule_request_t request = {.creates = &create, .create_count = 1};
    (void)dispatcher_set_schedule(node->set, BENCH_EPOCH, &request, now);
    dispatcher_id_t id = bench_dispatcher(table);
    uint64_t run = dispatcher_run(dispatcher_set_find(node->set, id));
    dispatcher_set_claimed(node->set, id, run, SLUICE_OK, COMMIT_TS_NONE, now);
    dispatcher_set_opened(node->set, id, now);
    node_effects_reset(dispatcher_set_effects(node->set));
}

bench_node_t *bench_node_new(const bench_maintainer_t *maintainer, uint32_t tables,
                             uint64_t idle_ns)
{
    bench_node_t *node = memory_zalloc(sizeof *node);
    dispatcher_set_options_t options = dispatcher_set_options_default();
    options.path.batcher.idle_ns = idle_ns;
    options.path.buffer_capacity = 4 * 1048576;
    node->set = dispatcher_set_new(&options, BENCH_EPOCH);
    (void)!node_id_parse(bytes_of_text("n1"), &node->id);
    routing_id_t routing;
    routing_id_make(&node->id, (incarnation_t){1}, &routing);
    node->control = transport_socket_new(TRANSPORT_CONTROL_DEALER, &routing);
    node->status = transport_socket_new(TRANSPORT_STATUS_PUSH, NULL);
    if (transport_connect(node->control, bench_maintainer_control(maintainer), NULL) != SLUICE_OK ||
        transport_connect(node->status, bench_maintainer_status(maintainer), NULL) != SLUICE_OK)
        abort();
    for (uint64_t table = 0; table <= tables; table++)
        add_dispatcher(node, table, clock_mono());
    (void)bench_node_round_trip(node);
    return node;
}

void bench_node_destroy(bench_node_t **node)
{
    zsock_destroy(&(*node)->control);
    zsock_destroy(&(*node)->status);
    dispatcher_set_destroy(&(*node)->set);
    arena_clear(&(*node)->arena);
    free(*node);
    *node = NULL;
}

/* ---- messages ---- */

static sluice_error_t send_message(bench_node_t *node, zsock_t *socket, transport_role_t role,
                                   message_t *message)
{
    frames_t frames;
    message->header.version = SLUICE_PROTOCOL_VERSION;
    message->header.sender = node->id;
    message->header.incarnation = (incarnation_t){1};
    message->header.maintainer_epoch = BENCH_EPOCH;
    arena_reset(&node->arena);
    if (message_encode(message, &node->arena, &frames) != SLUICE_OK)
        abort();
    return transport_send(socket, role, NULL, &frames);
}

static bool receive(bench_node_t *node, message_t *message)
{
    transport_received_t received;
    uint32_t refused = 0;
    arena_reset(&node->arena);
    if (transport_receive(node->control, TRANSPORT_CONTROL_DEALER, &node->arena, &received) !=
        SLUICE_OK)
        return false;
    *message = (message_t){0};
    if (message_decode(&received.frames, &node->arena, message, &refused) != SLUICE_OK)
        abort();
    return true;
}

double bench_node_round_trip(bench_node_t *node)
{
    message_t hello = {.header = {.type = MESSAGE_HELLO}}, echo;
    hello.hello = (hello_t){.host = bytes_of_text("h"), .version = bytes_of_text("v")};
    mono_ns_t start = clock_mono();
    while (send_message(node, node->control, TRANSPORT_CONTROL_DEALER, &hello) != SLUICE_OK)
        start = clock_mono();
    while (!receive(node, &echo))
        ;
    return (double)mono_elapsed(start, clock_mono());
}

/* ---- a round ---- */

static ddl_event_t *new_event(uint64_t ts, uint32_t last, int is_all)
{
    ddl_event_t *ddl = ddl_event_new();
    ddl->commit_ts = (commit_ts_t){ts};
    ddl->payload.influence.kind = is_all ? INFLUENCE_ALL : INFLUENCE_NORMAL;
    if (is_all)
        return ddl;
    table_id_t *tables = arena_calloc(&ddl->arena, last, sizeof *tables);
    for (uint32_t i = 0; i < last; i++)
        tables[i].v = i + 1;
    ddl->payload.influence.table_ids = tables;
    ddl->payload.influence.table_count = last;
    return ddl;
}

static void send_requests(bench_node_t *node)
{
    status_path_t *path = dispatcher_set_path(node->set);
    const status_request_t *request = NULL;
    block_status_group_t groups[STATUSES_PER_REQUEST_MAX];
    while ((request = status_path_next(path))) {
        status_request_view(request, groups);
        message_t message = {
            .header = {.type = MESSAGE_BLOCK_STATUS_REQUEST, .sequence = request->sequence}};
        message.block_status_request = (block_status_request_t){
            .changefeed = changefeed, .groups = groups, .group_count = request->group_count};
        sluice_error_t error = send_message(node, node->status, TRANSPORT_STATUS_PUSH, &message);
        status_path_complete(path, request, error == SLUICE_OK ? REQUEST_SENT : REQUEST_FAILED,
                             clock_mono());
        if (error != SLUICE_OK)
            return;
    }
}

static void carry_out(bench_node_t *node, mono_ns_t now)
{
    node_effects_t *effects = dispatcher_set_effects(node->set);
    for (uint32_t i = 0; i < effects->count; i++)
        if (effects->items[i].kind == NODE_EFFECT_RUN_DDL)
            dispatcher_set_executed(node->set, effects->items[i].dispatcher_id,
                                    effects->items[i].run, SLUICE_OK, now);
    node_effects_reset(effects);
}

static void turn(bench_node_t *node)
{
    message_t message;
    mono_ns_t now = clock_mono();
    while (receive(node, &message)) {
        (void)dispatcher_set_respond(node->set, BENCH_EPOCH, &message.heartbeat_response, now);
        carry_out(node, now);
    }
    dispatcher_set_tick(node->set, clock_mono());
    send_requests(node);
}

/* Until a message comes or something is due; what is due very soon is waited for awake. */
static void rest(bench_node_t *node)
{
    mono_ns_t now = clock_mono();
    mono_ns_t deadline = dispatcher_set_next_deadline(node->set);
    zmq_pollitem_t item = {.socket = zsock_resolve(node->control), .events = ZMQ_POLLIN};
    if (deadline.v > now.v + 200 * NS_PER_US)
        zmq_poll(&item, 1, 1);
}

double bench_node_round(bench_node_t *node, const bench_maintainer_t *maintainer, uint64_t ts,
                        uint32_t last, int is_all, int times)
{
    ddl_event_t *ddl = new_event(ts, last, is_all);
    uint64_t finished = bench_maintainer_finished(maintainer);
    mono_ns_t start = clock_mono();
    for (uint64_t table = is_all ? 0 : 1; table <= last; table++) {
        stream_event_t event = {.kind = STREAM_DDL,
                                .dispatcher_id = bench_dispatcher(table),
                                .commit_ts = ddl->commit_ts,
                                .ddl = ddl_event_ref(ddl)};
        dispatcher_set_prefetch(node->set, bench_dispatcher(table + PREFETCHED));
        dispatcher_set_event(node->set, &event, start);
        if (table % EVENTS_A_TURN == EVENTS_A_TURN - 1 && times == 1)
            turn(node);
    }
    for (int again = 1; again < times; again++)
        dispatcher_set_offer_again(node->set, start);
    while (bench_maintainer_finished(maintainer) == finished) {
        turn(node);
        rest(node);
    }
    double took = (double)mono_elapsed(start, bench_maintainer_finished_at(maintainer));
    turn(node);
    ddl_event_unref(&ddl);
    return took;
}

/* ---- the naive way ---- */

typedef struct naive_status {
    struct naive_status *next;
    dispatcher_id_t *id;
    block_status_group_t *group;
} naive_status_t;

static naive_status_t *naive_offer(naive_status_t *last, const dispatcher_id_t *id,
                                   block_stage_t stage, uint64_t ts, const block_payload_t *payload)
{
    naive_status_t *status = memory_zalloc(sizeof *status);
    status->id = memory_zalloc(sizeof *status->id);
    status->group = memory_zalloc(sizeof *status->group);
    *status->id = *id;
    *status->group = (block_status_group_t){.key = {{ts}, false},
                                            .stage = stage,
                                            .is_blocked = true,
                                            .payload = payload,
                                            .dispatchers = status->id,
                                            .dispatcher_count = 1};
    last->next = status;
    return status;
}

static void naive_receive(bench_node_t *node)
{
    message_t message;
    zmq_pollitem_t item = {.socket = zsock_resolve(node->control), .events = ZMQ_POLLIN};
    zmq_poll(&item, 1, 1);
    while (receive(node, &message))
        for (uint32_t i = 0; i < message.heartbeat_response.action_count; i++) {
            const barrier_action_t *action = &message.heartbeat_response.actions[i];
            node->writes += action->kind == ACTION_WRITE;
            node->passes += action->kind == ACTION_PASS;
        }
}

static void naive_send_all(bench_node_t *node, naive_status_t *first)
{
    static const event_key_t passed = {{0}, false};
    while (first) {
        naive_status_t *status = first;
        status->group->passed = &passed;
        message_t message = {
            .header = {.type = MESSAGE_BLOCK_STATUS_REQUEST, .sequence = ++node->naive_sequence}};
        message.block_status_request = (block_status_request_t){
            .changefeed = changefeed, .groups = status->group, .group_count = 1};
        while (send_message(node, node->status, TRANSPORT_STATUS_PUSH, &message) != SLUICE_OK)
            naive_receive(node);
        first = status->next;
        free(status->group);
        free(status->id);
        free(status);
    }
}

static void naive_say(bench_node_t *node, block_stage_t stage, uint64_t ts, uint32_t from,
                      uint32_t last, int times, const block_payload_t *payload)
{
    naive_status_t head = {0}, *end = &head;
    for (int time = 0; time < times; time++)
        for (uint32_t table = from; table <= last; table++) {
            dispatcher_id_t id = bench_dispatcher(table);
            end = naive_offer(end, &id, stage, ts, payload);
        }
    naive_send_all(node, head.next);
}

double bench_node_naive_round(bench_node_t *node, const bench_maintainer_t *maintainer, uint64_t ts,
                              uint32_t last, int times)
{
    ddl_event_t *ddl = new_event(ts, last, 1);
    uint64_t finished = bench_maintainer_finished(maintainer);
    node->writes = node->passes = 0;
    mono_ns_t start = clock_mono();
    naive_say(node, STAGE_WAITING, ts, 0, last, times, &ddl->payload);
    while (node->writes == 0)
        naive_receive(node);
    naive_say(node, STAGE_DONE, ts, 0, 0, 1, NULL);
    while (node->passes == 0)
        naive_receive(node);
    naive_say(node, STAGE_DONE, ts, 1, last, times, NULL);
    while (bench_maintainer_finished(maintainer) == finished)
        naive_receive(node);
    double took = (double)mono_elapsed(start, bench_maintainer_finished_at(maintainer));
    ddl_event_unref(&ddl);
    return took;
}
