#include "tests/testing.h"

#include "dispatcher/core/dispatch/dispatcher_set.h"

#define EPOCH 2

typedef struct {
    dispatcher_set_t *set;
    mono_ns_t now;
} fixture_t;

static int set_up(void **state)
{
    static fixture_t fixture;
    dispatcher_set_options_t options = dispatcher_set_options_default();
    fixture = (fixture_t){dispatcher_set_new(&options, EPOCH), {NS_PER_S}};
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    fixture_t *fixture = *state;
    dispatcher_set_destroy(&fixture->set);
    return 0;
}

static dispatcher_id_t id_of(uint64_t table)
{
    return (dispatcher_id_t){9, table + 1};
}

static event_key_t ddl_key(uint64_t ts)
{
    return (event_key_t){{ts}, false};
}

static schedule_create_t create_of(uint64_t table, uint64_t start)
{
    return (schedule_create_t){.dispatcher_id = id_of(table),
                               .span = {.table_id = {table}},
                               .start = {.checkpoint = {start}},
                               .assignment_epoch = {EPOCH, 1}};
}

static bool schedule_create(fixture_t *fixture, uint64_t epoch, schedule_create_t create)
{
    schedule_request_t request = {.creates = &create, .create_count = 1};
    return dispatcher_set_schedule(fixture->set, epoch, &request, fixture->now);
}

static void schedule_close(fixture_t *fixture, dispatcher_id_t id)
{
    schedule_request_t request = {.closes = &id, .close_count = 1};
    assert_true(dispatcher_set_schedule(fixture->set, EPOCH, &request, fixture->now));
}

static uint64_t run_of(fixture_t *fixture, uint64_t table)
{
    const dispatcher_t *dispatcher = dispatcher_set_find(fixture->set, id_of(table));
    return dispatcher ? dispatcher_run(dispatcher) : 0;
}

static void forget_effects(fixture_t *fixture)
{
    node_effects_reset(dispatcher_set_effects(fixture->set));
}

static uint32_t count_effects(fixture_t *fixture, node_effect_kind_t kind)
{
    const node_effects_t *effects = dispatcher_set_effects(fixture->set);
    uint32_t count = 0;
    for (uint32_t i = 0; i < effects->count; i++)
        count += effects->items[i].kind == kind;
    return count;
}

static void make_work(fixture_t *fixture, uint64_t table, uint64_t start)
{
    assert_true(schedule_create(fixture, EPOCH, create_of(table, start)));
    dispatcher_set_claimed(fixture->set, id_of(table), run_of(fixture, table), SLUICE_OK,
                           COMMIT_TS_NONE, fixture->now);
    dispatcher_set_opened(fixture->set, id_of(table), fixture->now);
    forget_effects(fixture);
}

static void deliver(fixture_t *fixture, uint64_t table, stream_event_t event)
{
    event.dispatcher_id = id_of(table);
    dispatcher_set_event(fixture->set, &event, fixture->now);
}

static void deliver_resolved(fixture_t *fixture, uint64_t table, uint64_t ts)
{
    deliver(fixture, table, (stream_event_t){.kind = STREAM_RESOLVED, .commit_ts = {ts}});
}

static void deliver_ddl(fixture_t *fixture, uint64_t table, ddl_event_t *ddl)
{
    deliver(fixture, table,
            (stream_event_t){
                .kind = STREAM_DDL, .commit_ts = ddl->commit_ts, .ddl = ddl_event_ref(ddl)});
}

static ddl_event_t *new_ddl(uint64_t ts, influence_kind_t kind, uint64_t schema)
{
    ddl_event_t *ddl = ddl_event_new();
    ddl->commit_ts = (commit_ts_t){ts};
    ddl->payload.influence.kind = kind;
    ddl->payload.influence.schema = (schema_id_t){schema};
    return ddl;
}

static bool act(fixture_t *fixture, uint64_t epoch, barrier_action_t action)
{
    heartbeat_response_t response = {.actions = &action, .action_count = 1};
    return dispatcher_set_respond(fixture->set, epoch, &response, fixture->now);
}

static uint64_t offered(fixture_t *fixture, block_stage_t stage)
{
    return status_path_state(dispatcher_set_path(fixture->set)).statuses.offered[stage];
}

static uint64_t send_statuses(fixture_t *fixture)
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

static block_stage_t stage_of(fixture_t *fixture, uint64_t table)
{
    return dispatcher_view(dispatcher_set_find(fixture->set, id_of(table))).stage;
}

/* ---- scheduling ---- */

static void creates_once_and_tells_again_when_asked_again(void **state)
{
    fixture_t *fixture = *state;
    assert_true(schedule_create(fixture, EPOCH, create_of(1, 10)));
    assert_int_equal(count_effects(fixture, NODE_EFFECT_CLAIM), 1);
    dispatcher_heartbeat_t entries[4];
    assert_int_equal(dispatcher_set_take_changed(fixture->set, PIPELINE_DEFAULT, entries, 4), 1);
    assert_int_equal(entries[0].state, DISPATCHER_PREPARING);
    assert_int_equal(entries[0].position.checkpoint.v, 10);
    assert_false(dispatcher_set_has_changed(fixture->set, PIPELINE_DEFAULT));

    assert_true(schedule_create(fixture, EPOCH, create_of(1, 10)));
    assert_int_equal(count_effects(fixture, NODE_EFFECT_CLAIM), 1);
    assert_int_equal(dispatcher_set_count(fixture->set), 1);
    assert_int_equal(dispatcher_set_take_changed(fixture->set, PIPELINE_DEFAULT, entries, 4), 1);
}

static void answers_a_close_with_stopped_known_or_not(void **state)
{
    fixture_t *fixture = *state;
    make_work(fixture, 1, 10);
    deliver_resolved(fixture, 1, 30);
    dispatcher_heartbeat_t entries[4];
    dispatcher_set_take_changed(fixture->set, PIPELINE_DEFAULT, entries, 4);
    schedule_close(fixture, id_of(1));
    assert_int_equal(dispatcher_set_count(fixture->set), 0);
    assert_int_equal(dispatcher_set_take_changed(fixture->set, PIPELINE_DEFAULT, entries, 4), 1);
    assert_int_equal(entries[0].state, DISPATCHER_STOPPED);
    assert_int_equal(entries[0].position.checkpoint.v, 30);
    schedule_close(fixture, id_of(1));
    assert_int_equal(dispatcher_set_take_changed(fixture->set, PIPELINE_DEFAULT, entries, 4), 1);
    assert_int_equal(entries[0].state, DISPATCHER_STOPPED);
    assert_true(dispatcher_id_equal(entries[0].dispatcher_id, id_of(1)));
}

static void drops_orders_of_another_maintainer_epoch(void **state)
{
    fixture_t *fixture = *state;
    uint64_t epochs[] = {0, EPOCH - 1, EPOCH + 1};
    for (size_t i = 0; i < 3; i++)
        assert_false(schedule_create(fixture, epochs[i], create_of(1, 10)));
    assert_int_equal(dispatcher_set_count(fixture->set), 0);
    make_work(fixture, 1, 0);
    ddl_event_t *ddl = new_ddl(5, INFLUENCE_ALL, 0);
    deliver_ddl(fixture, 1, ddl);
    ddl_event_unref(&ddl);
    barrier_action_t pass = {.kind = ACTION_PASS, .key = ddl_key(5), .scope = INFLUENCE_ALL};
    assert_false(act(fixture, EPOCH - 1, pass));
    assert_int_equal(stage_of(fixture, 1), STAGE_WAITING);
    assert_true(act(fixture, EPOCH, pass));
    assert_int_equal(stage_of(fixture, 1), STAGE_NONE);
}

static void asks_for_the_table_list_again_when_the_trigger_is_scheduled_again(void **state)
{
    fixture_t *fixture = *state;
    schedule_create_t create = create_of(0, 10);
    create.wants_table_list = true;
    schedule_create(fixture, EPOCH, create);
    schedule_create(fixture, EPOCH, create);
    assert_int_equal(count_effects(fixture, NODE_EFFECT_SEND_TABLE_LIST), 0);
    dispatcher_set_claimed(fixture->set, create.dispatcher_id, run_of(fixture, 0), SLUICE_OK,
                           COMMIT_TS_NONE, fixture->now);
    assert_int_equal(count_effects(fixture, NODE_EFFECT_SEND_TABLE_LIST), 1);
    assert_non_null(dispatcher_set_trigger(fixture->set, PIPELINE_DEFAULT));
    assert_null(dispatcher_set_trigger(fixture->set, PIPELINE_REDO));
    forget_effects(fixture);
    schedule_create(fixture, EPOCH, create);
    const node_effects_t *effects = dispatcher_set_effects(fixture->set);
    assert_int_equal(effects->count, 1);
    assert_int_equal(effects->items[0].kind, NODE_EFFECT_SEND_TABLE_LIST);
    assert_int_equal(effects->items[0].commit_ts.v, 10);
}

static void ignores_answers_of_an_earlier_run(void **state)
{
    fixture_t *fixture = *state;
    schedule_create(fixture, EPOCH, create_of(1, 10));
    uint64_t first = run_of(fixture, 1);
    schedule_close(fixture, id_of(1));
    dispatcher_set_claimed(fixture->set, id_of(1), first, SLUICE_OK, COMMIT_TS_NONE, fixture->now);
    assert_int_equal(dispatcher_set_count(fixture->set), 0);
    schedule_create(fixture, EPOCH, create_of(1, 10));
    assert_true(run_of(fixture, 1) > first);
    dispatcher_set_claimed(fixture->set, id_of(1), first, SLUICE_OK, COMMIT_TS_NONE, fixture->now);
    assert_int_equal(count_effects(fixture, NODE_EFFECT_OPEN_SESSION), 0);
    dispatcher_set_written(fixture->set, id_of(1), first, 1, SLUICE_ERROR_SINK_REFUSED,
                           fixture->now);
    dispatcher_set_executed(fixture->set, id_of(1), first, SLUICE_ERROR_SINK_REFUSED, fixture->now);
    assert_int_equal(dispatcher_set_error(fixture->set), SLUICE_OK);
}

/* ---- watermarks and entries ---- */

static void takes_the_minimum_as_watermark_and_counts_changes_of_the_set(void **state)
{
    fixture_t *fixture = *state;
    watermark_t watermark;
    assert_false(dispatcher_set_watermark(fixture->set, PIPELINE_DEFAULT, &watermark));
    make_work(fixture, 1, 10);
    make_work(fixture, 2, 10);
    make_work(fixture, 3, 10);
    deliver_resolved(fixture, 1, 100);
    deliver_resolved(fixture, 2, 80);
    deliver_resolved(fixture, 3, 120);
    assert_true(dispatcher_set_watermark(fixture->set, PIPELINE_DEFAULT, &watermark));
    assert_int_equal(watermark.checkpoint.v, 80);
    assert_int_equal(watermark.resolved.v, 80);
    uint64_t seq = watermark.seq;
    deliver_resolved(fixture, 2, 110);
    dispatcher_set_watermark(fixture->set, PIPELINE_DEFAULT, &watermark);
    assert_int_equal(watermark.checkpoint.v, 100);
    assert_int_equal(watermark.seq, seq);
    schedule_close(fixture, id_of(1));
    dispatcher_set_watermark(fixture->set, PIPELINE_DEFAULT, &watermark);
    assert_int_equal(watermark.checkpoint.v, 110);
    assert_int_equal(watermark.seq, seq + 1);
    schedule_create(fixture, EPOCH, create_of(4, 50));
    dispatcher_set_watermark(fixture->set, PIPELINE_DEFAULT, &watermark);
    assert_int_equal(watermark.checkpoint.v, 50);
    assert_int_equal(watermark.seq, seq + 2);
}

static void keeps_modes_apart(void **state)
{
    fixture_t *fixture = *state;
    make_work(fixture, 1, 100);
    schedule_create_t redo = create_of(2, 40);
    redo.mode = PIPELINE_REDO;
    schedule_create(fixture, EPOCH, redo);
    watermark_t watermark;
    dispatcher_set_watermark(fixture->set, PIPELINE_DEFAULT, &watermark);
    assert_int_equal(watermark.checkpoint.v, 100);
    dispatcher_set_watermark(fixture->set, PIPELINE_REDO, &watermark);
    assert_int_equal(watermark.checkpoint.v, 40);
    dispatcher_heartbeat_t entries[4];
    uint32_t cursor = 0;
    assert_int_equal(dispatcher_set_list(fixture->set, PIPELINE_REDO, &cursor, entries, 4), 1);
    assert_true(dispatcher_id_equal(entries[0].dispatcher_id, id_of(2)));
    assert_int_equal(dispatcher_set_take_changed(fixture->set, PIPELINE_REDO, entries, 4), 1);

    ddl_event_t *ddl = new_ddl(200, INFLUENCE_ALL, 0);
    deliver_ddl(fixture, 1, ddl);
    ddl_event_unref(&ddl);
    barrier_action_t pass = {.kind = ACTION_PASS, .key = ddl_key(200), .scope = INFLUENCE_ALL};
    heartbeat_response_t response = {.mode = PIPELINE_REDO, .actions = &pass, .action_count = 1};
    dispatcher_set_respond(fixture->set, EPOCH, &response, fixture->now);
    assert_int_equal(stage_of(fixture, 1), STAGE_WAITING);
}

static void tells_new_states_at_once_and_everything_in_pieces(void **state)
{
    fixture_t *fixture = *state;
    for (uint64_t table = 1; table <= 5; table++)
        make_work(fixture, table, 10);
    dispatcher_heartbeat_t entries[8];
    uint32_t told = 0;
    while (dispatcher_set_has_changed(fixture->set, PIPELINE_DEFAULT))
        told += dispatcher_set_take_changed(fixture->set, PIPELINE_DEFAULT, entries, 2);
    assert_int_equal(told, 5);
    assert_int_equal(entries[0].state, DISPATCHER_WORKING);
    deliver_resolved(fixture, 1, 99);
    assert_false(dispatcher_set_has_changed(fixture->set, PIPELINE_DEFAULT));

    uint32_t cursor = 0, listed = 0, pieces = 0, some = 0;
    while ((some = dispatcher_set_list(fixture->set, PIPELINE_DEFAULT, &cursor, entries, 2)) > 0) {
        listed += some;
        pieces++;
    }
    assert_int_equal(listed, 5);
    assert_int_equal(pieces, 3);
    bootstrap_entry_t bootstrap[8];
    cursor = 0;
    assert_int_equal(dispatcher_set_list_bootstrap(fixture->set, &cursor, bootstrap, 8), 5);
    assert_int_equal(bootstrap[0].assignment_epoch.maintainer_epoch, EPOCH);
}

/* First, last or between: what has ended is told of once, the others in the order of their news. */
static void tells_of_what_ends_before_it_was_told_only_that(void **state)
{
    fixture_t *fixture = *state;
    dispatcher_heartbeat_t entries[8];
    for (uint64_t ended = 1; ended <= 3; ended++) {
        for (uint64_t table = 1; table <= 3; table++)
            make_work(fixture, table, 10);
        schedule_close(fixture, id_of(ended));
        uint32_t count = dispatcher_set_take_changed(fixture->set, PIPELINE_DEFAULT, entries, 8);
        assert_int_equal(count, 3);
        assert_true(dispatcher_id_equal(entries[0].dispatcher_id, id_of(ended)));
        assert_int_equal(entries[0].state, DISPATCHER_STOPPED);
        assert_true(dispatcher_id_equal(entries[1].dispatcher_id, id_of(ended == 1 ? 2 : 1)));
        assert_true(dispatcher_id_equal(entries[2].dispatcher_id, id_of(ended == 3 ? 2 : 3)));
        assert_int_equal(entries[2].state, DISPATCHER_WORKING);
        assert_false(dispatcher_set_has_changed(fixture->set, PIPELINE_DEFAULT));
        for (uint64_t table = 1; table <= 3; table++)
            schedule_close(fixture, id_of(table));
        while (dispatcher_set_has_changed(fixture->set, PIPELINE_DEFAULT))
            dispatcher_set_take_changed(fixture->set, PIPELINE_DEFAULT, entries, 8);
    }
}

static void remembers_the_first_error(void **state)
{
    fixture_t *fixture = *state;
    make_work(fixture, 1, 10);
    make_work(fixture, 2, 10);
    transaction_t *transaction = transaction_new();
    transaction->is_last_part = true;
    table_rows_t *rows = arena_calloc(&transaction->arena, 1, sizeof *rows);
    deliver(fixture, 1,
            (stream_event_t){
                .kind = STREAM_ROWS, .commit_ts = {11}, .transaction = transaction, .rows = rows});
    dispatcher_set_written(fixture->set, id_of(1), run_of(fixture, 1), 1,
                           SLUICE_ERROR_SOURCE_CORRUPT, fixture->now);
    assert_int_equal(dispatcher_set_error(fixture->set), SLUICE_ERROR_SOURCE_CORRUPT);
    dispatcher_heartbeat_t entries[4];
    dispatcher_set_take_changed(fixture->set, PIPELINE_DEFAULT, entries, 4);
    deliver_resolved(fixture, 2, 100);
    watermark_t watermark;
    dispatcher_set_watermark(fixture->set, PIPELINE_DEFAULT, &watermark);
    assert_int_equal(watermark.checkpoint.v, 10);
}

/* ---- barriers ---- */

static void fans_out_to_everything_on_the_node(void **state)
{
    fixture_t *fixture = *state;
    ddl_event_t *ddl = new_ddl(20, INFLUENCE_ALL, 0);
    for (uint64_t table = 0; table <= 3; table++) {
        make_work(fixture, table, 10);
        deliver_ddl(fixture, table, ddl);
    }
    ddl_event_unref(&ddl);
    assert_int_equal(offered(fixture, STAGE_WAITING), 4);
    dispatcher_id_t writer = id_of(0);
    act(fixture, EPOCH,
        (barrier_action_t){.kind = ACTION_WRITE,
                           .key = ddl_key(20),
                           .scope = INFLUENCE_ALL,
                           .dispatchers = &writer,
                           .dispatcher_count = 1});
    assert_int_equal(count_effects(fixture, NODE_EFFECT_RUN_DDL), 1);
    barrier_action_t pass = {.kind = ACTION_PASS, .key = ddl_key(20), .scope = INFLUENCE_ALL};
    act(fixture, EPOCH, pass);
    assert_int_equal(offered(fixture, STAGE_DONE), 3);
    assert_int_equal(stage_of(fixture, 0), STAGE_WRITING);
    dispatcher_set_executed(fixture->set, id_of(0), run_of(fixture, 0), SLUICE_OK, fixture->now);
    assert_int_equal(offered(fixture, STAGE_DONE), 4);
    send_statuses(fixture);
    act(fixture, EPOCH, pass);
    assert_int_equal(offered(fixture, STAGE_DONE), 8);
}

static void fans_out_to_one_schema_and_the_trigger(void **state)
{
    fixture_t *fixture = *state;
    ddl_event_t *ddl = new_ddl(20, INFLUENCE_DB, 77);
    for (uint64_t table = 0; table <= 2; table++)
        make_work(fixture, table, 10);
    deliver_ddl(fixture, 0, ddl);
    deliver_ddl(fixture, 1, ddl);
    ddl_event_unref(&ddl);
    deliver_resolved(fixture, 2, 30);
    barrier_action_t pass = {
        .kind = ACTION_PASS, .key = ddl_key(20), .scope = INFLUENCE_DB, .schema = {77}};
    act(fixture, EPOCH, pass);
    assert_int_equal(offered(fixture, STAGE_DONE), 2);
    send_statuses(fixture);
    act(fixture, EPOCH, pass);
    assert_int_equal(offered(fixture, STAGE_DONE), 4);
}

static void names_dispatchers_of_a_normal_event(void **state)
{
    fixture_t *fixture = *state;
    ddl_event_t *ddl = new_ddl(20, INFLUENCE_ALL, 0);
    for (uint64_t table = 1; table <= 2; table++) {
        make_work(fixture, table, 10);
        deliver_ddl(fixture, table, ddl);
    }
    ddl_event_unref(&ddl);
    dispatcher_id_t named[] = {id_of(2), id_of(44)};
    act(fixture, EPOCH,
        (barrier_action_t){.kind = ACTION_PASS,
                           .key = ddl_key(20),
                           .scope = INFLUENCE_NORMAL,
                           .dispatchers = named,
                           .dispatcher_count = 2});
    assert_int_equal(stage_of(fixture, 1), STAGE_WAITING);
    assert_int_equal(stage_of(fixture, 2), STAGE_NONE);
}

static void applies_verdicts_by_request_and_group(void **state)
{
    fixture_t *fixture = *state;
    ddl_event_t *ddl = new_ddl(20, INFLUENCE_ALL, 0);
    for (uint64_t table = 1; table <= 3; table++) {
        make_work(fixture, table, 10);
        deliver_ddl(fixture, table, ddl);
    }
    ddl_event_unref(&ddl);
    uint64_t sequence = send_statuses(fixture);
    verdict_exception_t unknown = {.index = 1, .verdict = VERDICT_UNKNOWN};
    group_verdict_t verdict = {.request_sequence = sequence,
                               .verdict = VERDICT_ACK,
                               .exceptions = &unknown,
                               .exception_count = 1};
    heartbeat_response_t response = {.verdicts = &verdict, .verdict_count = 1};
    assert_true(dispatcher_set_respond(fixture->set, EPOCH, &response, fixture->now));
    assert_int_equal(dispatcher_set_count(fixture->set), 2);
    assert_null(dispatcher_set_find(fixture->set, id_of(2)));
    assert_int_equal(dispatcher_view(dispatcher_set_find(fixture->set, id_of(1))).resends, 0);
    send_statuses(fixture);
    fixture->now = mono_add(fixture->now, 2 * STATUS_RESEND_INTERVAL_NS);
    dispatcher_set_tick(fixture->set, fixture->now);
    assert_int_equal(offered(fixture, STAGE_WAITING), 3);
}

static void resends_what_is_not_acknowledged(void **state)
{
    fixture_t *fixture = *state;
    ddl_event_t *ddl = new_ddl(20, INFLUENCE_ALL, 0);
    for (uint64_t table = 1; table <= 3; table++) {
        make_work(fixture, table, 10);
        deliver_ddl(fixture, table, ddl);
    }
    ddl_event_unref(&ddl);
    send_statuses(fixture);
    fixture->now = mono_add(fixture->now, STATUS_RESEND_INTERVAL_NS);
    assert_true(dispatcher_set_next_deadline(fixture->set).v <= fixture->now.v);
    dispatcher_set_tick(fixture->set, fixture->now);
    assert_int_equal(offered(fixture, STAGE_WAITING), 6);
    send_statuses(fixture);
    dispatcher_set_offer_again(fixture->set, fixture->now);
    assert_int_equal(offered(fixture, STAGE_WAITING), 9);
}

static void offers_everything_again_to_a_newer_maintainer(void **state)
{
    fixture_t *fixture = *state;
    make_work(fixture, 1, 10);
    ddl_event_t *ddl = new_ddl(20, INFLUENCE_ALL, 0);
    deliver_ddl(fixture, 1, ddl);
    ddl_event_unref(&ddl);
    uint64_t sequence = send_statuses(fixture);
    group_verdict_t ack = {.request_sequence = sequence, .verdict = VERDICT_ACK};
    heartbeat_response_t response = {.verdicts = &ack, .verdict_count = 1};
    dispatcher_set_respond(fixture->set, EPOCH, &response, fixture->now);

    assert_true(dispatcher_set_bootstrap(fixture->set, EPOCH, fixture->now));
    assert_int_equal(offered(fixture, STAGE_WAITING), 1);
    assert_false(dispatcher_set_bootstrap(fixture->set, EPOCH - 1, fixture->now));
    assert_false(dispatcher_set_bootstrap(fixture->set, UINT64_MAX, fixture->now));
    assert_true(dispatcher_set_bootstrap(fixture->set, EPOCH + 1, fixture->now));
    assert_int_equal(offered(fixture, STAGE_WAITING), 2);
    assert_int_equal(dispatcher_set_epoch(fixture->set), EPOCH + 1);
    assert_false(schedule_create(fixture, EPOCH, create_of(2, 1)));
}

static void closes_and_abandons_all(void **state)
{
    fixture_t *fixture = *state;
    for (uint64_t table = 0; table < 20; table++)
        make_work(fixture, table, 10);
    ddl_event_t *ddl = ddl_event_new();
    ddl->commit_ts = (commit_ts_t){20};
    table_id_t *own = arena_calloc(&ddl->arena, 1, sizeof *own);
    own->v = 5;
    ddl->payload.influence = (influence_t){.table_ids = own, .table_count = 1};
    deliver_ddl(fixture, 5, ddl);
    ddl_event_unref(&ddl);
    dispatcher_set_close_all(fixture->set, fixture->now);
    assert_int_equal(dispatcher_set_count(fixture->set), 1);
    dispatcher_set_abandon_all(fixture->set, fixture->now);
    assert_int_equal(dispatcher_set_count(fixture->set), 1);
    dispatcher_set_executed(fixture->set, id_of(5), run_of(fixture, 5), SLUICE_OK, fixture->now);
    assert_int_equal(dispatcher_set_count(fixture->set), 0);
    assert_int_equal(count_effects(fixture, NODE_EFFECT_CLOSE_LANE), 20);
}

/* ---- what stops by itself ---- */

static uint32_t told_stopped(const dispatcher_heartbeat_t *entries, uint32_t count, uint64_t table)
{
    uint32_t told = 0;
    for (uint32_t i = 0; i < count; i++)
        told += entries[i].state == DISPATCHER_STOPPED &&
                dispatcher_id_equal(entries[i].dispatcher_id, id_of(table));
    return told;
}

static uint32_t heartbeat_tells_stopped(fixture_t *fixture, uint64_t table)
{
    dispatcher_heartbeat_t entries[8];
    uint32_t count = dispatcher_set_take_changed(fixture->set, PIPELINE_DEFAULT, entries, 8);
    return told_stopped(entries, count, table);
}

/* The watermark goes on without it: a maintainer that hears the one must hear the other. */
static void who_stopped_unasked_is_told_with_every_list_until_it_is_closed(void **state)
{
    fixture_t *fixture = *state;
    make_work(fixture, 7, 100);
    make_work(fixture, 8, 100);
    assert_true(schedule_create(fixture, EPOCH, create_of(9, 100)));
    dispatcher_set_claimed(fixture->set, id_of(9), run_of(fixture, 9), SLUICE_ERROR_NOT_OWNER,
                           COMMIT_TS_NONE, fixture->now);
    assert_int_equal(dispatcher_set_count(fixture->set), 2);
    assert_true(heartbeat_tells_stopped(fixture, 9) > 0);
    assert_false(dispatcher_set_has_changed(fixture->set, PIPELINE_DEFAULT));
    assert_int_equal(heartbeat_tells_stopped(fixture, 9), 1);
    dispatcher_heartbeat_t entries[4];
    uint32_t cursor = 0;
    assert_int_equal(dispatcher_set_list(fixture->set, PIPELINE_DEFAULT, &cursor, entries, 2), 2);
    assert_int_equal(told_stopped(entries, 2, 9), 1);
    assert_int_equal(dispatcher_set_list(fixture->set, PIPELINE_DEFAULT, &cursor, entries, 2), 2);
    assert_int_equal(told_stopped(entries, 2, 9), 1);
    assert_int_equal(dispatcher_set_list(fixture->set, PIPELINE_DEFAULT, &cursor, entries, 2), 1);
    schedule_close(fixture, id_of(9));
    assert_int_equal(heartbeat_tells_stopped(fixture, 9), 1);
    assert_int_equal(heartbeat_tells_stopped(fixture, 9), 0);
    forget_effects(fixture);
}

/* A node that leaves with more than it can name: the newest of those nobody asked for, and all of
 * them once, in the order in which they stopped, however they are taken. */
static void many_that_stop_at_once_are_told_in_order(void **state)
{
    enum { COUNT = 1000, NAMED = 512 };
    fixture_t *fixture = *state;
    static dispatcher_heartbeat_t entries[4 * COUNT];
    for (uint64_t table = 0; table < COUNT; table++)
        make_work(fixture, table, 10);
    dispatcher_set_take_changed(fixture->set, PIPELINE_DEFAULT, entries, 2 * COUNT);
    dispatcher_set_abandon_all(fixture->set, fixture->now);
    uint64_t next = COUNT;
    while (dispatcher_set_has_changed(fixture->set, PIPELINE_DEFAULT)) {
        uint32_t count =
            dispatcher_set_take_changed(fixture->set, PIPELINE_DEFAULT, entries, 2 * NAMED + 70);
        for (uint32_t i = 0; i < NAMED; i++)
            assert_int_equal(entries[i].dispatcher_id.lo, id_of(NAMED - 1 - i).lo);
        for (uint32_t i = NAMED; i < count; i++)
            assert_int_equal(entries[i].dispatcher_id.lo, id_of(--next).lo);
    }
    assert_int_equal(next, 0);
}

static void who_was_closed_is_told_once(void **state)
{
    fixture_t *fixture = *state;
    make_work(fixture, 7, 100);
    schedule_close(fixture, id_of(7));
    assert_int_equal(heartbeat_tells_stopped(fixture, 7), 1);
    assert_int_equal(heartbeat_tells_stopped(fixture, 7), 0);
    forget_effects(fixture);
}

/* A close of the maintainer before ends after the one of now was told that it works. */
static void a_close_of_the_maintainer_before_counts_as_unasked(void **state)
{
    fixture_t *fixture = *state;
    make_work(fixture, 7, 100);
    transaction_t *transaction = transaction_new();
    transaction->is_last_part = true;
    table_rows_t *rows = arena_calloc(&transaction->arena, 1, sizeof *rows);
    deliver(fixture, 7,
            (stream_event_t){
                .kind = STREAM_ROWS, .commit_ts = {105}, .transaction = transaction, .rows = rows});
    schedule_close(fixture, id_of(7));
    assert_int_equal(dispatcher_set_count(fixture->set), 1);
    assert_true(dispatcher_set_bootstrap(fixture->set, EPOCH + 1, fixture->now));
    dispatcher_set_written(fixture->set, id_of(7), run_of(fixture, 7), 1, SLUICE_OK, fixture->now);
    assert_int_equal(dispatcher_set_count(fixture->set), 0);
    heartbeat_tells_stopped(fixture, 7);
    assert_int_equal(heartbeat_tells_stopped(fixture, 7), 1);
    /* The next one is told what there is. */
    assert_true(dispatcher_set_bootstrap(fixture->set, EPOCH + 2, fixture->now));
    assert_int_equal(heartbeat_tells_stopped(fixture, 7), 0);
    forget_effects(fixture);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(creates_once_and_tells_again_when_asked_again),
        TEST(answers_a_close_with_stopped_known_or_not),
        TEST(drops_orders_of_another_maintainer_epoch),
        TEST(asks_for_the_table_list_again_when_the_trigger_is_scheduled_again),
        TEST(ignores_answers_of_an_earlier_run),
        TEST(takes_the_minimum_as_watermark_and_counts_changes_of_the_set),
        TEST(keeps_modes_apart),
        TEST(tells_new_states_at_once_and_everything_in_pieces),
        TEST(tells_of_what_ends_before_it_was_told_only_that),
        TEST(remembers_the_first_error),
        TEST(fans_out_to_everything_on_the_node),
        TEST(fans_out_to_one_schema_and_the_trigger),
        TEST(names_dispatchers_of_a_normal_event),
        TEST(applies_verdicts_by_request_and_group),
        TEST(resends_what_is_not_acknowledged),
        TEST(offers_everything_again_to_a_newer_maintainer),
        TEST(closes_and_abandons_all),
        TEST(who_stopped_unasked_is_told_with_every_list_until_it_is_closed),
        TEST(many_that_stop_at_once_are_told_in_order),
        TEST(who_was_closed_is_told_once),
        TEST(a_close_of_the_maintainer_before_counts_as_unasked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
