/* A node's core whose world is in the test's hands: what it says is kept, what its feed and sink
 * say is put in by the test. */
#ifndef SLUICE_TESTS_UNIT_NODE_NODE_FIXTURE_H
#define SLUICE_TESTS_UNIT_NODE_NODE_FIXTURE_H

#include "tests/testing.h"

#include <stdio.h>

#include "dispatcher/core/node/node_core.h"
#include "dispatcher/core/node/schema_envelope.h"

enum { SAID_MAX = 1024, ASKED_MAX = 64, CALLS_MAX = 64, WORLD_LINKS = 2, LAG_MS = 3600000 };

#define EPOCH 5
#define LEASE_MS 10000
#define HEARTBEAT_MS 200
#define START 100 /* anchor and checkpoint of what is opened */

typedef struct world world_t;

typedef struct {
    world_t *world;
    uint32_t connects;
    incarnation_t incarnation;
    bool is_full; /* sends are refused */
} world_link_t;

/* What was sent; what its pointers point to is gone but for a heartbeat's one entry. */
typedef struct {
    world_link_t *link;
    message_t message;
    dispatcher_heartbeat_t entry;
    mono_ns_t at;
} said_t;

typedef enum {
    CALL_CLAIM,
    CALL_WRITE,
    CALL_DDL,
    CALL_SYNCPOINT,
    CALL_CANCEL,
    CALL_CLOSE_LANE
} call_kind_t;

typedef struct {
    call_kind_t kind;
    dispatcher_id_t dispatcher_id;
    uint64_t run;
} call_t;

struct world {
    node_core_t *core;
    mono_ns_t now;
    arena_t arena;
    world_link_t links[WORLD_LINKS];
    /* Not NULL: gets what is said, which is not kept then. */
    void (*listen)(void *listener, const message_t *message);
    void *listener;
    said_t said[SAID_MAX];
    uint32_t said_count;
    /* the host */
    uint32_t opened, closing, forgotten; /* changefeeds */
    bool may_close;                      /* what is being closed is gone */
    sluice_error_t open_error;
    incarnation_t next_incarnation;
    check_response_t check_response;
    uint32_t checks_begun;
    bool is_check_done;
    uint32_t lines;
    /* the feed */
    stream_event_t events[ASKED_MAX];
    uint32_t event_count;
    stream_request_t requests[ASKED_MAX];
    uint32_t request_count;
    sluice_error_t list_error, ddls_error, snapshot_error;
    size_t snapshot_len;
    bool has_ddls;      /* one in each stretch that is asked for */
    bool holds_nothing; /* of what others may be asked for first */
    stream_event_t remote_events[ASKED_MAX];
    uint32_t remote_event_count;
    commit_ts_t held_floor; /* NONE: that is not known yet */
    commit_ts_t persisted, told;
    commit_ts_t cleaned_up;
    /* the sink */
    call_t calls[CALLS_MAX];
    uint32_t call_count;
    sink_completion_t completions[ASKED_MAX];
    uint32_t completion_count;
    mono_ns_t lease, feed_lease;
    /* other nodes */
    char reading[64];                  /* slots that it is connected to, as "+3 -3" */
    stream_request_t asked[ASKED_MAX]; /* of other nodes' services */
    uint32_t asked_count;
    stream_message_event_t told_others[ASKED_MAX];
    uint32_t told_others_count;
};

/* ---- links ---- */

static inline sluice_error_t world_connect(void *self, incarnation_t incarnation,
                                           error_report_t *report)
{
    (void)report;
    world_link_t *link = self;
    link->connects++;
    link->incarnation = incarnation;
    return SLUICE_OK;
}

static inline sluice_error_t world_send(void *self, message_t *message)
{
    world_link_t *link = self;
    world_t *world = link->world;
    if (link->is_full)
        return SLUICE_ERROR_AGAIN;
    if (world->listen) {
        world->listen(world->listener, message);
        return SLUICE_OK;
    }
    assert_true(world->said_count < SAID_MAX);
    said_t *said = &world->said[world->said_count++];
    *said = (said_t){.link = link, .message = *message, .at = world->now};
    if (message->header.type == MESSAGE_HEARTBEAT_REQUEST &&
        message->heartbeat_request.entry_count > 0)
        said->entry = message->heartbeat_request.entries[0];
    return SLUICE_OK;
}

static inline uint32_t count_said(const world_t *world, message_type_t type)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < world->said_count; i++)
        count += world->said[i].message.header.type == type;
    return count;
}

/* The newest of that type, which must have been said. */
static inline const said_t *last_of(const world_t *world, message_type_t type)
{
    for (uint32_t i = world->said_count; i-- > 0;)
        if (world->said[i].message.header.type == type)
            return &world->said[i];
    fail_msg("nothing of type %d was said", (int)type);
    return NULL;
}

static inline const message_t *last_said(const world_t *world, message_type_t type)
{
    return &last_of(world, type)->message;
}

static inline void forget_said(world_t *world)
{
    world->said_count = 0;
}

/* ---- the feed ---- */

static inline uint32_t world_take_events(void *self, stream_event_t *events, uint32_t max)
{
    world_t *world = self;
    assert_true(world->event_count <= max);
    uint32_t count = world->event_count;
    memcpy(events, world->events, count * sizeof *events);
    world->event_count = 0;
    return count;
}

static inline void put_event(world_t *world, stream_event_t event)
{
    assert_true(world->event_count < ASKED_MAX);
    world->events[world->event_count++] = event;
}

/* Services answer at once. */
static inline void world_request(void *self, const stream_request_t *request)
{
    world_t *world = self;
    bool is_own = request->peer.v == STREAM_PEER_OWN.v;
    if (is_own && (request->kind == STREAM_HEARTBEAT || request->kind == STREAM_CREDIT))
        return;
    assert_true(world->request_count < ASKED_MAX);
    world->requests[world->request_count++] = *request;
    if (!is_own)
        return;
    stream_event_t answer = {.dispatcher_id = request->dispatcher_id,
                             .epoch = request->epoch,
                             .commit_ts = request->position.checkpoint};
    if (request->kind == STREAM_REGISTER && request->others_first && world->holds_nothing)
        answer.kind = STREAM_NOT_HELD;
    else if (request->kind == STREAM_REGISTER)
        answer.kind = STREAM_READY;
    else if (request->kind == STREAM_RESET)
        answer.kind = STREAM_HANDSHAKE;
    else
        return;
    answer.sequence = answer.kind == STREAM_HANDSHAKE;
    put_event(world, answer);
}

static inline uint32_t world_take_remote(void *self, stream_event_t *events, uint32_t max)
{
    world_t *world = self;
    assert_true(world->remote_event_count <= max);
    uint32_t count = world->remote_event_count;
    memcpy(events, world->remote_events, count * sizeof *events);
    world->remote_event_count = 0;
    return count;
}

static inline bool world_holds(void *self, event_store_report_t *report, store_floor_t *floors)
{
    const world_t *world = self;
    report->floor = report->resolved = world->held_floor;
    report->resolved.v += 10;
    report->floors = floors;
    return world->held_floor.v > 0;
}

static inline void world_set_persisted(void *self, commit_ts_t persisted, commit_ts_t told)
{
    world_t *world = self;
    world->persisted = persisted;
    world->told = told;
}

static inline sluice_error_t world_table_list(void *self, commit_ts_t at, arena_t *arena,
                                              const table_info_t **tables, uint32_t *count)
{
    (void)at, (void)arena;
    *tables = NULL;
    *count = 0;
    return ((world_t *)self)->list_error;
}

static inline sluice_error_t world_snapshot(void *self, commit_ts_t at, arena_t *arena,
                                            bytes_t *snapshot)
{
    (void)at;
    const world_t *world = self;
    *snapshot = bytes_of(arena_zalloc(arena, world->snapshot_len + 1), world->snapshot_len);
    return world->snapshot_error;
}

static inline sluice_error_t world_schema_ddls(void *self, commit_ts_t after, commit_ts_t *up_to,
                                               uint32_t max, arena_t *arena,
                                               const schema_ddl_t **ddls, uint32_t *count)
{
    (void)max;
    const world_t *world = self;
    schema_ddl_t *ddl = arena_calloc(arena, 1, sizeof *ddl);
    ddl->commit_ts = *up_to;
    *ddls = ddl;
    *count = world->has_ddls && up_to->v > after.v;
    return world->ddls_error;
}

static inline bool world_anchor(void *self, commit_ts_t ts, anchor_t *anchor)
{
    (void)self;
    *anchor = (anchor_t){.commit_ts = ts, .commit_time = {ts.v * NS_PER_MS}};
    return true;
}

static inline void world_feed_state(void *self, event_feed_state_t *state)
{
    (void)self;
    *state = (event_feed_state_t){0};
}

/* ---- the sink ---- */

static inline call_t *add_call(world_t *world, call_kind_t kind, uint64_t run)
{
    assert_true(world->call_count < CALLS_MAX);
    call_t *call = &world->calls[world->call_count++];
    *call = (call_t){.kind = kind, .run = run};
    return call;
}

static inline uint32_t count_calls(const world_t *world, call_kind_t kind)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < world->call_count; i++)
        count += world->calls[i].kind == kind;
    return count;
}

static inline void put_completion(world_t *world, sink_completion_t completion)
{
    assert_true(world->completion_count < ASKED_MAX);
    world->completions[world->completion_count++] = completion;
}

static inline void world_claim(void *self, dispatcher_id_t dispatcher_id, uint64_t run,
                               const sink_claim_t *claim)
{
    (void)claim;
    add_call(self, CALL_CLAIM, run)->dispatcher_id = dispatcher_id;
    put_completion(self, (sink_completion_t){
                             .kind = SINK_CLAIMED, .dispatcher_id = dispatcher_id, .run = run});
}

static inline void world_write(void *self, uint64_t run, transaction_t *transaction,
                               const table_rows_t *rows)
{
    (void)rows;
    add_call(self, CALL_WRITE, run);
    transaction_unref(&transaction);
}

static inline void world_run_ddl(void *self, uint64_t run, ddl_event_t *ddl)
{
    add_call(self, CALL_DDL, run);
    ddl_event_unref(&ddl);
}

static inline void world_write_syncpoint(void *self, uint64_t run, commit_ts_t commit_ts)
{
    (void)commit_ts;
    add_call(self, CALL_SYNCPOINT, run);
}

static inline void world_cancel(void *self, uint64_t run)
{
    add_call(self, CALL_CANCEL, run);
}

static inline void world_close_lane(void *self, uint64_t run)
{
    add_call(self, CALL_CLOSE_LANE, run);
}

static inline void world_ignore_ts(void *self, commit_ts_t ts)
{
    (void)self, (void)ts;
}

static inline void world_clean_up(void *self, commit_ts_t persisted)
{
    ((world_t *)self)->cleaned_up = persisted;
}

static inline void world_set_lease(void *self, mono_ns_t until)
{
    ((world_t *)self)->lease = until;
}

static inline void world_set_feed_lease(void *self, mono_ns_t until)
{
    ((world_t *)self)->feed_lease = until;
}

static inline uint32_t world_take_completions(void *self, sink_completion_t *completions,
                                              uint32_t max)
{
    world_t *world = self;
    assert_true(world->completion_count <= max);
    uint32_t count = world->completion_count;
    memcpy(completions, world->completions, count * sizeof *completions);
    world->completion_count = 0;
    return count;
}

static inline void world_sink_state(void *self, sink_pool_state_t *state)
{
    (void)self;
    *state = (sink_pool_state_t){0};
}

/* ---- the host ---- */

static inline sluice_error_t world_open(void *self, const changefeed_request_t *request,
                                        changefeed_ports_t *ports, error_report_t *report)
{
    (void)request;
    world_t *world = self;
    if (world->open_error != SLUICE_OK)
        return error_report_set(report, world->open_error, "as the test wants it");
    world->opened++;
    *ports = (changefeed_ports_t){
        .self = world,
        .feed = {.self = world,
                 .take = world_take_events,
                 .take_remote = world_take_remote,
                 .group_bytes_max = 4711,
                 .holds = world_holds,
                 .request = world_request,
                 .set_persisted = world_set_persisted,
                 .table_list = world_table_list,
                 .snapshot = world_snapshot,
                 .schema_ddls = world_schema_ddls,
                 .anchor = world_anchor,
                 .state = world_feed_state,
                 .set_lease = world_set_feed_lease},
        .sink = {.self = world,
                 .claim = world_claim,
                 .write = world_write,
                 .run_ddl = world_run_ddl,
                 .write_syncpoint = world_write_syncpoint,
                 .cancel = world_cancel,
                 .close_lane = world_close_lane,
                 .watermark = world_ignore_ts,
                 .clean_up = world_clean_up,
                 .set_lease = world_set_lease,
                 .take = world_take_completions,
                 .state = world_sink_state},
    };
    return SLUICE_OK;
}

static inline void world_begin_close(void *self, void *changefeed, bool forgets)
{
    assert_ptr_equal(self, changefeed);
    ((world_t *)self)->closing++;
    ((world_t *)self)->forgotten += forgets;
}

static inline void *world_begin_forget(void *self, const changefeed_close_t *close)
{
    assert_true(close->is_removed);
    ((world_t *)self)->forgotten++;
    return self;
}

static inline bool world_is_closed(void *self, void *changefeed)
{
    (void)changefeed;
    return ((world_t *)self)->may_close;
}

static inline void world_begin_check(void *self, uint32_t place, const check_request_t *request,
                                     uint32_t slot, uint32_t slot_count_max)
{
    (void)place, (void)request, (void)slot, (void)slot_count_max;
    ((world_t *)self)->checks_begun++;
}

static inline const check_response_t *world_check_response(void *self, uint32_t place)
{
    (void)place;
    world_t *world = self;
    return world->is_check_done ? &world->check_response : NULL;
}

static inline incarnation_t world_new_incarnation(void *self)
{
    return ((world_t *)self)->next_incarnation;
}

static inline void world_log(void *self, log_level_t level, const char *changefeed,
                             const char *text, const log_attribute_t *fields, size_t field_count)
{
    (void)level, (void)changefeed, (void)text, (void)fields, (void)field_count;
    ((world_t *)self)->lines++;
}

/* ---- other nodes ---- */

static inline void note_reading(world_t *world, char what, uint32_t slot)
{
    size_t len = strlen(world->reading);
    snprintf(world->reading + len, sizeof world->reading - len, "%s%c%u", len ? " " : "", what,
             (unsigned)slot);
}

static inline sluice_error_t world_read_from(void *self, uint32_t slot, const char *endpoint,
                                             incarnation_t own)
{
    (void)own;
    assert_string_equal(endpoint, "ipc://other");
    note_reading(self, '+', slot);
    return SLUICE_OK;
}

static inline void world_leave(void *self, uint32_t slot)
{
    note_reading(self, '-', slot);
}

static inline sluice_error_t world_ask(void *self, uint32_t slot, message_t *message)
{
    (void)slot;
    world_t *world = self;
    const stream_requests_t *requests = &message->stream_requests;
    for (uint32_t i = 0; i < requests->request_count; i++) {
        assert_true(world->asked_count < ASKED_MAX);
        world->asked[world->asked_count++] = requests->requests[i];
    }
    return SLUICE_OK;
}

static inline sluice_error_t world_tell(void *self, const node_id_t *node,
                                        incarnation_t incarnation, message_t *message)
{
    (void)node, (void)incarnation;
    world_t *world = self;
    const stream_events_t *events = &message->stream_events;
    for (uint32_t i = 0; i < events->event_count; i++) {
        assert_true(world->told_others_count < ASKED_MAX);
        world->told_others[world->told_others_count++] = events->events[i];
    }
    return SLUICE_OK;
}

/* ---- life ---- */

static inline int world_begin(void **state, bool has_others)
{
    static world_t world;
    world = (world_t){.now = {NS_PER_S}, .may_close = true, .next_incarnation = {7}};
    link_port_t links[WORLD_LINKS];
    for (uint32_t i = 0; i < WORLD_LINKS; i++) {
        world.links[i].world = &world;
        links[i] = (link_port_t){.self = &world.links[i],
                                 .name = "link",
                                 .connect = world_connect,
                                 .send_control = world_send,
                                 .send_status = world_send};
    }
    node_core_options_t options = {
        .machine = "machine",
        .version = "1",
        .incarnation = {7},
        .settings = {dispatcher_set_options_default(), session_options_default(), LAG_MS},
        .links = links,
        .link_count = WORLD_LINKS,
        .host = {.self = &world,
                 .open = world_open,
                 .begin_close = world_begin_close,
                 .begin_forget = world_begin_forget,
                 .is_closed = world_is_closed,
                 .begin_check = world_begin_check,
                 .check_response = world_check_response,
                 .new_incarnation = world_new_incarnation,
                 .log = world_log},
        .events = {.self = &world,
                   .endpoint = has_others ? "ipc://own" : NULL,
                   .connect = world_read_from,
                   .disconnect = world_leave,
                   .send_requests = world_ask,
                   .send_events = world_tell},
    };
    world.core = node_core_new(&options);
    error_report_t report;
    assert_int_equal(node_core_start(world.core, &report), SLUICE_OK);
    *state = &world;
    return 0;
}

static inline int world_set_up(void **state)
{
    return world_begin(state, false);
}

static inline int world_set_up_with_others(void **state)
{
    return world_begin(state, true);
}

static inline int world_tear_down(void **state)
{
    world_t *world = *state;
    node_core_destroy(&world->core);
    for (uint32_t i = 0; i < world->event_count; i++)
        stream_event_clear(&world->events[i]);
    arena_clear(&world->arena);
    return 0;
}

/* Until there is no more to do at this moment. */
static inline void run(world_t *world)
{
    error_report_t report;
    bool has_more = true;
    for (uint32_t i = 0; i < 8 || has_more; i++) {
        assert_true(i < 100);
        assert_int_equal(node_core_run(world->core, world->now, &has_more, &report), SLUICE_OK);
    }
}

/* Runs at every deadline until `ns` have gone by. */
static inline void pass_time(world_t *world, uint64_t ns)
{
    mono_ns_t end = mono_add(world->now, ns);
    for (uint32_t turns = 0;; turns++) {
        assert_true(turns < 100000); /* it always wants to run again */
        run(world);
        if (node_core_has_ended(world->core, world->now))
            break;
        mono_ns_t deadline = node_core_next_deadline(world->core, world->now);
        if (deadline.v > end.v)
            break;
        if (deadline.v > world->now.v)
            world->now = deadline;
    }
    if (node_core_has_ended(world->core, world->now))
        return;
    world->now = end;
    run(world);
}

/* ---- what maintainers say ---- */

static inline message_t message_of(message_type_t type, uint64_t maintainer_epoch)
{
    message_t message = {0};
    message.header.type = type;
    message.header.maintainer_epoch = maintainer_epoch;
    return message;
}

static inline void hear(world_t *world, uint32_t link, const message_t *message)
{
    node_core_receive(world->core, link, message, world->now);
    run(world);
}

static const hello_response_t world_welcome = {.slot = 3,
                                               .slot_count_max = 100,
                                               .lease_ms = LEASE_MS,
                                               .heartbeat_ms = HEARTBEAT_MS,
                                               .complete_heartbeat_ms = 10000,
                                               .resend_ms = 5000};

static inline void welcome(world_t *world, uint32_t link)
{
    message_t message = message_of(MESSAGE_HELLO_RESPONSE, 0);
    message.hello_response = world_welcome;
    hear(world, link, &message);
}

/* The newest heartbeat said so far has been received. */
static inline void answer_lease(world_t *world, uint32_t link)
{
    message_t message = message_of(MESSAGE_HEARTBEAT_RESPONSE, 0);
    message.heartbeat_response.newest_heartbeat =
        last_said(world, MESSAGE_HEARTBEAT_REQUEST)->heartbeat_request.heartbeat_sequence;
    hear(world, link, &message);
}

static inline changefeed_ref_t ref_of(uint64_t generation)
{
    return (changefeed_ref_t){.uuid = {{1}}, .generation = generation};
}

static inline void say_open(world_t *world, uint32_t link, uint64_t epoch, uint64_t generation)
{
    message_t message = message_of(MESSAGE_CHANGEFEED_OPEN, epoch);
    schema_envelope_t envelope = {0};
    message.changefeed_open = (changefeed_open_t){
        .changefeed = ref_of(generation),
        .config = {.name = bytes_of_text("feed")},
        .anchor = {.commit_ts = {START}},
        .checkpoint = {START},
        .is_last_piece = true,
        .snapshot = schema_envelope_encode(&envelope, &world->arena),
    };
    hear(world, link, &message);
}

static inline void say_close(world_t *world, uint32_t link, uint64_t epoch, uint64_t generation)
{
    message_t message = message_of(MESSAGE_CHANGEFEED_CLOSE, epoch);
    message.changefeed_close.changefeed = ref_of(generation);
    hear(world, link, &message);
}

static inline dispatcher_id_t id_of(uint64_t table)
{
    return (dispatcher_id_t){9, table + 1};
}

static inline void say_create(world_t *world, uint32_t link, uint64_t epoch, uint64_t table)
{
    schedule_create_t create = {.dispatcher_id = id_of(table),
                                .span = {.table_id = {table}},
                                .start = {.checkpoint = {START}},
                                .assignment_epoch = {epoch, table + 1}};
    message_t message = message_of(MESSAGE_SCHEDULE_REQUEST, epoch);
    message.schedule_request =
        (schedule_request_t){.changefeed = ref_of(1), .creates = &create, .create_count = 1};
    hear(world, link, &message);
}

static inline void say_close_dispatcher(world_t *world, uint32_t link, uint64_t epoch,
                                        uint64_t table)
{
    dispatcher_id_t id = id_of(table);
    message_t message = message_of(MESSAGE_SCHEDULE_REQUEST, epoch);
    message.schedule_request =
        (schedule_request_t){.changefeed = ref_of(1), .closes = &id, .close_count = 1};
    hear(world, link, &message);
}

/* A changefeed that runs with one dispatcher, of table 7, heard of over link 0. */
static inline void open_with_table(world_t *world)
{
    welcome(world, 0);
    say_open(world, 0, EPOCH, 1);
    say_create(world, 0, EPOCH, 7);
    assert_int_equal(node_core_state(world->core).dispatchers, 1);
}

/* ---- what the feed says ---- */

static inline uint64_t stream_epoch(const world_t *world, dispatcher_id_t id)
{
    for (uint32_t i = world->request_count; i-- > 0;)
        if (world->requests[i].kind == STREAM_RESET &&
            dispatcher_id_equal(world->requests[i].dispatcher_id, id))
            return world->requests[i].epoch;
    fail_msg("its stream was not reset");
    return 0;
}

/* `sequence` from 2: the handshake was 1. */
static inline void deliver_rows(world_t *world, uint64_t table, uint64_t sequence, uint64_t ts)
{
    transaction_t *transaction = transaction_new();
    transaction->commit_ts = (commit_ts_t){ts};
    transaction->is_last_part = true;
    static const table_definition_t definition;
    table_rows_t *rows = arena_calloc(&transaction->arena, 1, sizeof *rows);
    rows->definition = &definition;
    rows->bytes = 100;
    put_event(world, (stream_event_t){.kind = STREAM_ROWS,
                                      .dispatcher_id = id_of(table),
                                      .epoch = stream_epoch(world, id_of(table)),
                                      .sequence = sequence,
                                      .commit_ts = {ts},
                                      .transaction = transaction,
                                      .rows = rows});
    run(world);
}

static inline void deliver_resolved(world_t *world, uint64_t table, uint64_t sequence, uint64_t ts)
{
    put_event(world, (stream_event_t){.kind = STREAM_RESOLVED,
                                      .dispatcher_id = id_of(table),
                                      .epoch = stream_epoch(world, id_of(table)),
                                      .sequence = sequence,
                                      .commit_ts = {ts}});
    run(world);
}

#endif
