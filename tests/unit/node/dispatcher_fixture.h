/* A dispatcher that replicates, and what it wants done, for the tests of its behaviour. */
#ifndef SLUICE_TESTS_UNIT_NODE_DISPATCHER_FIXTURE_H
#define SLUICE_TESTS_UNIT_NODE_DISPATCHER_FIXTURE_H

#include "tests/testing.h"

#include "dispatcher/core/dispatch/dispatcher.h"

#define TABLE 7

typedef struct {
    status_resend_options_t resend;
    status_path_t *path;
    node_effects_t effects;
    dispatcher_t *dispatcher;
    mono_ns_t now;
} fixture_t;

static inline dispatcher_step_t step_of(fixture_t *fixture)
{
    return (dispatcher_step_t){&fixture->resend, fixture->path, &fixture->effects, fixture->now};
}

static inline event_key_t ddl_key(uint64_t ts)
{
    return (event_key_t){{ts}, false};
}

static inline event_key_t sync_key(uint64_t ts)
{
    return (event_key_t){{ts}, true};
}

static inline uint32_t count_effects(const fixture_t *fixture, node_effect_kind_t kind)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < fixture->effects.count; i++)
        count += fixture->effects.items[i].kind == kind;
    return count;
}

static inline const node_effect_t *find_effect(const fixture_t *fixture, node_effect_kind_t kind)
{
    for (uint32_t i = 0; i < fixture->effects.count; i++)
        if (fixture->effects.items[i].kind == kind)
            return &fixture->effects.items[i];
    return NULL;
}

/* Whether exactly `count` effects of the kind were wanted; forgets all effects. */
static inline void expect_effects(fixture_t *fixture, node_effect_kind_t kind, uint32_t count)
{
    assert_int_equal(count_effects(fixture, kind), count);
    node_effects_reset(&fixture->effects);
}

static inline uint64_t offered(fixture_t *fixture, block_stage_t stage)
{
    return status_path_state(fixture->path).statuses.offered[stage];
}

static inline void start_with(fixture_t *fixture, const schedule_create_t *create)
{
    status_path_options_t options = status_path_options_default();
    *fixture = (fixture_t){
        .resend = {STATUS_RESEND_INTERVAL_NS, STATUS_RETRY_FIRST_NS, STATUS_RETRY_MAX_NS},
        .path = status_path_new(&options),
        .dispatcher = dispatcher_new(create, 1, NULL),
        .now = {NS_PER_S},
    };
}

static inline void make_work(fixture_t *fixture)
{
    dispatcher_step_t step = step_of(fixture);
    dispatcher_start(fixture->dispatcher, &step);
    dispatcher_handle_claimed(fixture->dispatcher, &step, SLUICE_OK, COMMIT_TS_NONE);
    dispatcher_handle_opened(fixture->dispatcher, &step);
    node_effects_reset(&fixture->effects);
    assert_int_equal(dispatcher_phase(fixture->dispatcher), DISPATCHER_PHASE_WORKING);
}

static inline schedule_create_t create_of(uint64_t table, uint64_t start)
{
    return (schedule_create_t){
        .dispatcher_id = {1, table + 1},
        .span = {.table_id = {table}},
        .start = {.checkpoint = {start}},
        .assignment_epoch = {1, 1},
    };
}

static inline void end(fixture_t *fixture)
{
    dispatcher_destroy(&fixture->dispatcher);
    node_effects_clear(&fixture->effects);
    status_path_destroy(&fixture->path);
}

/* A dispatcher that works, of a table or (table 0) the trigger; the fixture lasts as long as the
 * program. */
static inline int set_up_work(void **state, uint64_t table, uint64_t start)
{
    static fixture_t fixture;
    schedule_create_t create = create_of(table, start);
    start_with(&fixture, &create);
    make_work(&fixture);
    *state = &fixture;
    return 0;
}

static inline int set_up_table(void **state)
{
    return set_up_work(state, TABLE, 0);
}

static inline int set_up_trigger(void **state)
{
    return set_up_work(state, 0, 0);
}

static inline int tear_down(void **state)
{
    end(*state);
    return 0;
}

/* ---- events ---- */

static inline void deliver(fixture_t *fixture, stream_event_t event)
{
    dispatcher_step_t step = step_of(fixture);
    dispatcher_handle_event(fixture->dispatcher, &step, &event);
    assert_null(event.transaction);
    assert_null(event.ddl);
}

static inline void deliver_rows(fixture_t *fixture, uint64_t ts)
{
    transaction_t *transaction = transaction_new();
    transaction->commit_ts = (commit_ts_t){ts};
    transaction->is_last_part = true;
    table_rows_t *rows = arena_calloc(&transaction->arena, 1, sizeof *rows);
    rows->bytes = 100;
    deliver(fixture,
            (stream_event_t){
                .kind = STREAM_ROWS, .commit_ts = {ts}, .transaction = transaction, .rows = rows});
}

static inline void deliver_resolved(fixture_t *fixture, uint64_t ts)
{
    deliver(fixture, (stream_event_t){.kind = STREAM_RESOLVED, .commit_ts = {ts}});
}

static inline void deliver_syncpoint(fixture_t *fixture, uint64_t ts)
{
    deliver(fixture, (stream_event_t){.kind = STREAM_SYNCPOINT, .commit_ts = {ts}});
}

static inline ddl_event_t *new_ddl(uint64_t ts, influence_kind_t kind, uint32_t count,
                                   const uint64_t *tables)
{
    ddl_event_t *ddl = ddl_event_new();
    ddl->commit_ts = (commit_ts_t){ts};
    table_id_t *ids = arena_calloc(&ddl->arena, count + 1, sizeof *ids);
    for (uint32_t i = 0; i < count; i++)
        ids[i] = (table_id_t){tables[i]};
    ddl->payload.influence = (influence_t){.kind = kind, .table_ids = ids, .table_count = count};
    return ddl;
}

static inline void deliver_ddl(fixture_t *fixture, ddl_event_t *ddl)
{
    deliver(fixture, (stream_event_t){.kind = STREAM_DDL, .commit_ts = ddl->commit_ts, .ddl = ddl});
}

/* A DDL that concerns `table` alone. */
static inline ddl_event_t *ddl_of_one(uint64_t ts, uint64_t table)
{
    return new_ddl(ts, INFLUENCE_NORMAL, 1, &table);
}

/* A DDL that TABLE and another one must agree on. */
static inline ddl_event_t *ddl_of_two(uint64_t ts)
{
    return new_ddl(ts, INFLUENCE_NORMAL, 2, (const uint64_t[]){TABLE, TABLE + 1});
}

/* CREATE TABLE as the trigger meets it. */
static inline ddl_event_t *ddl_that_adds(uint64_t ts)
{
    ddl_event_t *ddl = ddl_of_one(ts, 0);
    table_info_t *added = arena_calloc(&ddl->arena, 1, sizeof *added);
    added->table_id = (table_id_t){1000 + ts};
    ddl->payload.added = added;
    ddl->payload.added_count = 1;
    return ddl;
}

static inline ddl_event_t *ddl_that_drops(uint64_t ts)
{
    ddl_event_t *ddl = ddl_of_one(ts, 0);
    table_id_t *dropped = arena_calloc(&ddl->arena, 1, sizeof *dropped);
    dropped->v = 1;
    ddl->payload.dropped = (influence_t){.table_ids = dropped, .table_count = 1};
    return ddl;
}

/* ---- answers ---- */

static inline void written(fixture_t *fixture, uint32_t count, sluice_error_t error)
{
    dispatcher_step_t step = step_of(fixture);
    dispatcher_handle_written(fixture->dispatcher, &step, count, error);
}

static inline void executed(fixture_t *fixture, sluice_error_t error)
{
    dispatcher_step_t step = step_of(fixture);
    dispatcher_handle_executed(fixture->dispatcher, &step, error);
}

static inline void verdict(fixture_t *fixture, event_key_t key, block_stage_t stage,
                           verdict_t verdict)
{
    dispatcher_step_t step = step_of(fixture);
    dispatcher_handle_verdict(fixture->dispatcher, &step, key, stage, verdict);
}

static inline void action(fixture_t *fixture, action_kind_t kind, event_key_t key)
{
    dispatcher_step_t step = step_of(fixture);
    dispatcher_handle_action(fixture->dispatcher, &step, kind, key);
}

static inline void tick_after(fixture_t *fixture, uint64_t ns)
{
    fixture->now = mono_add(fixture->now, ns);
    dispatcher_step_t step = step_of(fixture);
    dispatcher_tick(fixture->dispatcher, &step);
}

/* The statuses said so far leave the buffer, so that the next offers are seen. */
static inline void send_statuses(fixture_t *fixture)
{
    status_path_step(fixture->path, fixture->now);
    status_path_step(fixture->path, mono_add(fixture->now, 20 * NS_PER_MS));
    const status_request_t *request = NULL;
    while ((request = status_path_next(fixture->path)))
        status_path_complete(fixture->path, request, REQUEST_SENT, fixture->now);
}

static inline uint64_t checkpoint(const fixture_t *fixture)
{
    return dispatcher_position(fixture->dispatcher).checkpoint.v;
}

static inline dispatcher_view_t view(const fixture_t *fixture)
{
    return dispatcher_view(fixture->dispatcher);
}

#endif
