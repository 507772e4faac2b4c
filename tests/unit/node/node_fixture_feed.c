/* A node's feed: its own event service, which answers at once, and what is read from others. */
#include "tests/unit/node/node_fixture_ports.h"

/* ---- the port ---- */

static uint32_t world_take_events(void *self, stream_event_t *events, uint32_t max)
{
    world_t *world = self;
    assert_true(world->event_count <= max);
    uint32_t count = world->event_count;
    memcpy(events, world->events, count * sizeof *events);
    world->event_count = 0;
    return count;
}

void put_event(world_t *world, stream_event_t event)
{
    assert_true(world->event_count < ASKED_MAX);
    world->events[world->event_count++] = event;
}

/* Services answer at once. */
static void world_request(void *self, const stream_request_t *request)
{
    world_t *world = self;
    bool is_own = request->peer.v == STREAM_PEER_OWN.v;
    world->heartbeats += is_own && request->kind == STREAM_HEARTBEAT;
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

static uint32_t world_take_remote(void *self, stream_event_t *events, uint32_t max)
{
    world_t *world = self;
    assert_true(world->remote_event_count <= max);
    uint32_t count = world->remote_event_count;
    memcpy(events, world->remote_events, count * sizeof *events);
    world->remote_event_count = 0;
    return count;
}

static bool world_holds(void *self, event_store_report_t *report, store_floor_t *floors)
{
    const world_t *world = self;
    report->floor = report->resolved = world->held_floor;
    report->resolved.v += 10;
    report->floors = floors;
    return world->held_floor.v > 0;
}

static void world_set_persisted(void *self, commit_ts_t persisted, commit_ts_t told)
{
    world_t *world = self;
    world->persisted = persisted;
    world->told = told;
}

static sluice_error_t world_table_list(void *self, commit_ts_t at, arena_t *arena,
                                       const table_info_t **tables, uint32_t *count)
{
    (void)at, (void)arena;
    *tables = NULL;
    *count = 0;
    return ((world_t *)self)->list_error;
}

static sluice_error_t world_snapshot(void *self, commit_ts_t at, arena_t *arena, bytes_t *snapshot)
{
    (void)at;
    const world_t *world = self;
    *snapshot = bytes_of(arena_zalloc(arena, world->snapshot_len + 1), world->snapshot_len);
    return world->snapshot_error;
}

static sluice_error_t world_schema_ddls(void *self, commit_ts_t after, commit_ts_t *up_to,
                                        uint32_t max, arena_t *arena, const schema_ddl_t **ddls,
                                        uint32_t *count)
{
    (void)max;
    const world_t *world = self;
    schema_ddl_t *ddl = arena_calloc(arena, 1, sizeof *ddl);
    ddl->commit_ts = *up_to;
    *ddls = ddl;
    *count = world->has_ddls && up_to->v > after.v;
    return world->ddls_error;
}

static bool world_anchor(void *self, commit_ts_t ts, anchor_t *anchor)
{
    (void)self;
    *anchor = (anchor_t){.commit_ts = ts, .commit_time = {ts.v * NS_PER_MS}};
    return true;
}

static void world_feed_state(void *self, event_feed_state_t *state)
{
    (void)self;
    *state = (event_feed_state_t){0};
}

static void world_set_feed_lease(void *self, mono_ns_t until)
{
    ((world_t *)self)->feed_lease = until;
}

feed_port_t world_feed_port(world_t *world)
{
    return (feed_port_t){.self = world,
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
                         .set_lease = world_set_feed_lease};
}

/* ---- what it says ---- */

uint64_t stream_epoch(const world_t *world, dispatcher_id_t id)
{
    for (uint32_t i = world->request_count; i-- > 0;)
        if (world->requests[i].kind == STREAM_RESET &&
            dispatcher_id_equal(world->requests[i].dispatcher_id, id))
            return world->requests[i].epoch;
    fail_msg("its stream was not reset");
    return 0;
}

void deliver_rows(world_t *world, uint64_t table, uint64_t sequence, uint64_t ts)
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

void deliver_resolved(world_t *world, uint64_t table, uint64_t sequence, uint64_t ts)
{
    put_event(world, (stream_event_t){.kind = STREAM_RESOLVED,
                                      .dispatcher_id = id_of(table),
                                      .epoch = stream_epoch(world, id_of(table)),
                                      .sequence = sequence,
                                      .commit_ts = {ts}});
    run(world);
}
