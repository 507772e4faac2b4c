#include "tests/unit/node/dispatcher_set_fixture.h"

int set_up(void **state)
{
    static fixture_t fixture;
    dispatcher_set_options_t options = dispatcher_set_options_default();
    fixture = (fixture_t){dispatcher_set_new(&options, EPOCH), {NS_PER_S}};
    *state = &fixture;
    return 0;
}

int tear_down(void **state)
{
    fixture_t *fixture = *state;
    dispatcher_set_destroy(&fixture->set);
    return 0;
}

/* ---- dispatchers ---- */

dispatcher_id_t id_of(uint64_t table)
{
    return (dispatcher_id_t){9, table + 1};
}

uint64_t run_of(fixture_t *fixture, uint64_t table)
{
    const dispatcher_t *dispatcher = dispatcher_set_find(fixture->set, id_of(table));
    return dispatcher ? dispatcher_run(dispatcher) : 0;
}

block_stage_t stage_of(fixture_t *fixture, uint64_t table)
{
    return dispatcher_view(dispatcher_set_find(fixture->set, id_of(table))).stage;
}

/* ---- what it wants and says ---- */

void forget_effects(fixture_t *fixture)
{
    node_effects_reset(dispatcher_set_effects(fixture->set));
}

uint32_t count_effects(fixture_t *fixture, node_effect_kind_t kind)
{
    const node_effects_t *effects = dispatcher_set_effects(fixture->set);
    uint32_t count = 0;
    for (uint32_t i = 0; i < effects->count; i++)
        count += effects->items[i].kind == kind;
    return count;
}

uint64_t offered(fixture_t *fixture, block_stage_t stage)
{
    return status_path_state(dispatcher_set_path(fixture->set)).statuses.offered[stage];
}

uint64_t send_statuses(fixture_t *fixture)
{
    status_path_t *path = dispatcher_set_path(fixture->set);
    status_path_step(path, fixture->now);
    status_path_step(path, mono_add(fixture->now, 20 * NS_PER_MS));
    uint64_t sequence = 0;
    const status_request_t *request = NULL;
    while ((request = status_path_next(path))) {
        sequence = request->sequence;
        status_path_complete(path, request, REQUEST_SENT, fixture->now);
    }
    return sequence;
}

/* ---- what the maintainer says ---- */

schedule_create_t create_of(uint64_t table, uint64_t start)
{
    return (schedule_create_t){.dispatcher_id = id_of(table),
                               .span = {.table_id = {table}},
                               .start = {.checkpoint = {start}},
                               .assignment_epoch = {EPOCH, 1}};
}

bool schedule_create(fixture_t *fixture, uint64_t epoch, schedule_create_t create)
{
    schedule_request_t request = {.creates = &create, .create_count = 1};
    return dispatcher_set_schedule(fixture->set, epoch, &request, fixture->now);
}

void schedule_close(fixture_t *fixture, dispatcher_id_t id)
{
    schedule_request_t request = {.closes = &id, .close_count = 1};
    assert_true(dispatcher_set_schedule(fixture->set, EPOCH, &request, fixture->now));
}

bool act(fixture_t *fixture, uint64_t epoch, barrier_action_t action)
{
    heartbeat_response_t response = {.actions = &action, .action_count = 1};
    return dispatcher_set_respond(fixture->set, epoch, &response, fixture->now);
}

void make_work(fixture_t *fixture, uint64_t table, uint64_t start)
{
    assert_true(schedule_create(fixture, EPOCH, create_of(table, start)));
    dispatcher_set_claimed(fixture->set, id_of(table), run_of(fixture, table), SLUICE_OK,
                           COMMIT_TS_NONE, fixture->now);
    dispatcher_set_opened(fixture->set, id_of(table), fixture->now);
    forget_effects(fixture);
}

/* ---- events ---- */

event_key_t ddl_key(uint64_t ts)
{
    return (event_key_t){{ts}, false};
}

ddl_event_t *new_ddl(uint64_t ts, influence_kind_t kind, uint64_t schema)
{
    ddl_event_t *ddl = ddl_event_new();
    ddl->commit_ts = (commit_ts_t){ts};
    ddl->payload.influence.kind = kind;
    ddl->payload.influence.schema = (schema_id_t){schema};
    return ddl;
}

void deliver(fixture_t *fixture, uint64_t table, stream_event_t event)
{
    event.dispatcher_id = id_of(table);
    dispatcher_set_event(fixture->set, &event, fixture->now);
}

void deliver_resolved(fixture_t *fixture, uint64_t table, uint64_t ts)
{
    deliver(fixture, table, (stream_event_t){.kind = STREAM_RESOLVED, .commit_ts = {ts}});
}

void deliver_ddl(fixture_t *fixture, uint64_t table, ddl_event_t *ddl)
{
    deliver(fixture, table,
            (stream_event_t){
                .kind = STREAM_DDL, .commit_ts = ddl->commit_ts, .ddl = ddl_event_ref(ddl)});
}
