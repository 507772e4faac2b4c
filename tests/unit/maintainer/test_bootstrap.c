#include "tests/testing.h"

#include "maintainer/core/bootstrap.h"

static const node_index_t node_1 = {1}, node_2 = {2};

typedef struct {
    maintainer_settings_t settings;
    span_table_t *table;
    barrier_t *barrier;
    bootstrap_t *bootstrap;
} fixture_t;

static void setup(fixture_t *f, uint64_t checkpoint)
{
    maintainer_settings_default(&f->settings);
    f->table = span_table_new();
    f->barrier = barrier_new(&f->settings, f->table, PIPELINE_DEFAULT);
    f->bootstrap = bootstrap_new(f->table, f->barrier, (commit_ts_t){checkpoint}, PIPELINE_DEFAULT);
}

static void teardown(fixture_t *f)
{
    bootstrap_destroy(&f->bootstrap);
    barrier_destroy(&f->barrier);
    span_table_destroy(&f->table);
}

static dispatcher_id_t id_of(uint64_t number)
{
    return (dispatcher_id_t){3, number};
}

static bootstrap_entry_t entry(uint64_t table, uint64_t dispatcher, uint64_t checkpoint,
                               uint64_t epoch)
{
    return (bootstrap_entry_t){.dispatcher_id = id_of(dispatcher),
                               .span = {.table_id = {table}},
                               .state = DISPATCHER_WORKING,
                               .position = {{checkpoint}, EVENT_KEY_NONE},
                               .assignment_epoch = {epoch, dispatcher}};
}

static bool tell(fixture_t *f, node_index_t node, uint32_t piece, bool is_last,
                 const bootstrap_entry_t *entries, uint32_t count)
{
    bootstrap_response_t response = {
        .piece = piece, .is_last_piece = is_last, .entries = entries, .entry_count = count};
    return bootstrap_add_response(f->bootstrap, node, &response);
}

static bool list(fixture_t *f, node_index_t node, uint64_t at, const table_info_t *tables,
                 uint32_t count)
{
    table_list_t message = {
        .at = {at}, .is_last_piece = true, .tables = tables, .table_count = count};
    return bootstrap_add_table_list(f->bootstrap, node, &message);
}

static table_info_t info(uint64_t id, uint64_t created, bool by_select)
{
    return (table_info_t){.table_id = {id},
                          .schema_id = {1},
                          .schema = bytes_of_text("d"),
                          .name = bytes_of_text("t"),
                          .created = {created},
                          .created_by_select = by_select};
}

static span_entry_t *span_of(const fixture_t *f, uint64_t table)
{
    table_entry_t *found = span_table_find(f->table, (table_id_t){table});
    return found ? found->first_span : NULL;
}

static void listed_tables_get_their_dispatchers_others_are_closed(void **state)
{
    (void)state;
    fixture_t f;
    setup(&f, 90);
    bootstrap_entry_t one[] = {entry(0, 1, 150, 1), entry(10, 2, 140, 1)};
    bootstrap_entry_t two[] = {entry(99, 3, 100, 1)};
    assert_true(tell(&f, node_1, 0, true, one, 2));
    assert_true(tell(&f, node_2, 0, true, two, 1));
    bootstrap_place_trigger(f.bootstrap);
    assert_int_equal(span_table_trigger(f.table)->node.v, node_1.v);
    table_info_t tables[] = {info(10, 0, false), info(11, 120, false), info(12, 130, true),
                             info(13, 0, false)};
    /* Only from the node of the trigger. */
    assert_false(list(&f, node_2, 150, tables, 4));
    assert_true(list(&f, node_1, 150, tables, 4));
    bootstrap_build(f.bootstrap, (mono_ns_t){0});
    assert_int_equal(span_of(&f, 10)->state, SPAN_REPLICATING);
    assert_int_equal(span_of(&f, 10)->checkpoint.v, 140);
    /* The larger of persisted checkpoint and created, created - 1 for CREATE … SELECT. */
    assert_int_equal(span_of(&f, 11)->checkpoint.v, 120);
    assert_int_equal(span_of(&f, 12)->checkpoint.v, 129);
    assert_int_equal(span_of(&f, 12)->passed_ts.v, 130);
    assert_int_equal(span_of(&f, 13)->checkpoint.v, 90);
    assert_int_equal(span_table_count(f.table, SPAN_ABSENT), 3);
    assert_int_equal(span_table_dispatcher(f.table, id_of(3))->state, SPAN_CLOSING);
    teardown(&f);
}

static void heartbeat(fixture_t *f, node_index_t node, uint64_t dispatcher,
                      dispatcher_state_t state, uint64_t checkpoint)
{
    dispatcher_heartbeat_t entry = {id_of(dispatcher), state, {{checkpoint}, EVENT_KEY_NONE}};
    bootstrap_add_news(f->bootstrap, node, &entry);
}

/* A close of the maintainer before ends after the node was asked what it has: nobody carries the
 * table any more, whatever the answer says. */
static void one_that_has_stopped_meanwhile_is_not_taken_for_alive(void **state)
{
    (void)state;
    fixture_t f;
    setup(&f, 90);
    bootstrap_entry_t one[] = {entry(0, 1, 150, 1), entry(10, 2, 140, 1), entry(11, 3, 140, 1)};
    assert_true(tell(&f, node_1, 0, true, one, 3));
    bootstrap_place_trigger(f.bootstrap);
    heartbeat(&f, node_1, 2, DISPATCHER_STOPPED, 145);
    heartbeat(&f, node_1, 3, DISPATCHER_PREPARING, 140);
    table_info_t tables[] = {info(10, 0, false), info(11, 0, false)};
    assert_true(list(&f, node_1, 150, tables, 2));
    bootstrap_build(f.bootstrap, (mono_ns_t){0});
    assert_int_equal(span_of(&f, 10)->state, SPAN_ABSENT);
    assert_int_equal(span_of(&f, 10)->checkpoint.v, 145);
    assert_int_equal(span_of(&f, 11)->state, SPAN_REPLICATING);
    /* The same of a node that comes later. */
    bootstrap_entry_t two[] = {entry(10, 4, 145, 2)};
    heartbeat(&f, node_2, 4, DISPATCHER_STOPPED, 170);
    assert_true(tell(&f, node_2, 0, true, two, 1));
    bootstrap_merge_node(f.bootstrap, (mono_ns_t){0}, node_2);
    assert_int_equal(span_of(&f, 10)->state, SPAN_ABSENT);
    assert_int_equal(span_of(&f, 10)->checkpoint.v, 170);
    teardown(&f);
}

/* A node that slept while another one carried on, and that one is gone. */
static void who_is_below_the_persisted_checkpoint_was_replaced(void **state)
{
    (void)state;
    fixture_t f;
    setup(&f, 90);
    bootstrap_entry_t one[] = {entry(0, 1, 40, 1), entry(10, 2, 50, 1), entry(11, 3, 90, 1)};
    tell(&f, node_1, 0, true, one, 3);
    bootstrap_place_trigger(f.bootstrap);
    assert_int_equal(span_table_trigger(f.table)->state, SPAN_ABSENT);
    assert_int_equal(span_table_trigger(f.table)->checkpoint.v, 90);
    /* The list comes from the one that is given out now. */
    span_table_assign(f.table, span_table_trigger(f.table), node_2, id_of(9), 9);
    table_info_t tables[] = {info(10, 0, false), info(11, 0, false)};
    assert_false(list(&f, node_2, 40, tables, 2));
    assert_true(list(&f, node_2, 90, tables, 2));
    bootstrap_build(f.bootstrap, (mono_ns_t){0});
    assert_int_equal(span_of(&f, 10)->state, SPAN_ABSENT);
    assert_int_equal(span_of(&f, 11)->state, SPAN_REPLICATING);
    assert_int_equal(span_table_dispatcher(f.table, id_of(1))->state, SPAN_CLOSING);
    assert_int_equal(span_table_dispatcher(f.table, id_of(2))->state, SPAN_CLOSING);
    teardown(&f);
}

/* The trigger that was asked for the list stops ahead of it, and the next one starts there. */
static void a_list_below_the_trigger_that_is_given_out_is_not_its_list(void **state)
{
    (void)state;
    fixture_t f;
    setup(&f, 90);
    bootstrap_entry_t one[] = {entry(0, 1, 100, 1)};
    tell(&f, node_1, 0, true, one, 1);
    bootstrap_place_trigger(f.bootstrap);
    span_entry_t *trigger = span_table_trigger(f.table);
    span_entry_raise(trigger, (position_t){{101}, {{101}, false}});
    span_table_unbind(f.table, trigger);
    span_table_assign(f.table, trigger, node_1, id_of(9), 9);
    table_info_t tables[] = {info(10, 0, false), info(11, 101, false)};
    assert_false(list(&f, node_1, 100, tables, 1));
    assert_true(list(&f, node_1, 101, tables, 2));
    teardown(&f);
}

/* One of long ago may keep the node of the newest from reading on to where its list is valid. */
static void other_triggers_are_closed_before_there_is_a_list(void **state)
{
    (void)state;
    fixture_t f;
    setup(&f, 90);
    bootstrap_entry_t one[] = {entry(0, 1, 40, 1), entry(0, 2, 100, 3), entry(0, 3, 95, 2)};
    bootstrap_entry_t two[] = {entry(0, 4, 97, 2)};
    tell(&f, node_1, 0, true, one, 3);
    bootstrap_place_trigger(f.bootstrap);
    assert_true(dispatcher_id_equal(span_table_trigger(f.table)->dispatcher_id, id_of(2)));
    assert_int_equal(span_table_dispatcher(f.table, id_of(1))->state, SPAN_CLOSING);
    assert_int_equal(span_table_dispatcher(f.table, id_of(3))->state, SPAN_CLOSING);
    /* A node that is late. */
    tell(&f, node_2, 0, true, two, 1);
    assert_int_equal(span_table_dispatcher(f.table, id_of(4))->state, SPAN_CLOSING);
    span_table_unbind(f.table, span_table_dispatcher(f.table, id_of(1)));
    table_info_t tables[] = {info(10, 0, false)};
    assert_true(list(&f, node_1, 100, tables, 1));
    bootstrap_build(f.bootstrap, (mono_ns_t){0});
    assert_null(span_table_dispatcher(f.table, id_of(1)));
    assert_int_equal(span_table_count(f.table, SPAN_CLOSING), 2);
    teardown(&f);
}

static void without_a_list_the_trigger_starts_again_at_the_persisted_checkpoint(void **state)
{
    (void)state;
    fixture_t f;
    setup(&f, 90);
    bootstrap_entry_t one[] = {entry(0, 1, 120, 1), entry(10, 2, 100, 1), entry(11, 3, 40, 1)};
    tell(&f, node_1, 0, true, one, 3);
    bootstrap_place_trigger(f.bootstrap);
    assert_int_equal(span_table_dispatcher(f.table, id_of(3))->state, SPAN_CLOSING);
    assert_true(bootstrap_restart_trigger(f.bootstrap));
    assert_false(bootstrap_restart_trigger(f.bootstrap));
    span_entry_t *trigger = span_table_trigger(f.table);
    assert_int_equal(trigger->state, SPAN_MOVING);
    /* What is heard of the old one does not move the new one's start. */
    span_entry_raise(trigger, (position_t){{121}, {{121}, false}});
    span_table_unbind(f.table, trigger);
    assert_int_equal(trigger->checkpoint.v, 90);
    span_table_assign(f.table, trigger, node_1, id_of(9), 9);
    assert_false(bootstrap_restart_trigger(f.bootstrap));
    table_info_t tables[] = {info(10, 0, false)};
    assert_true(list(&f, node_1, 90, tables, 1));
    bootstrap_build(f.bootstrap, (mono_ns_t){0});
    assert_int_equal(span_of(&f, 10)->state, SPAN_REPLICATING);
    teardown(&f);
}

/* It may take long to give the trigger back, as while that executes a DDL. */
static void a_list_that_comes_while_the_trigger_is_restarted_is_taken(void **state)
{
    (void)state;
    for (int has_given_back = 0; has_given_back < 2; has_given_back++) {
        fixture_t f;
        setup(&f, 90);
        bootstrap_entry_t one[] = {entry(0, 1, 120, 1)};
        tell(&f, node_1, 0, true, one, 1);
        bootstrap_place_trigger(f.bootstrap);
        span_entry_t *trigger = span_table_trigger(f.table);
        assert_true(bootstrap_restart_trigger(f.bootstrap));
        table_info_t tables[] = {info(10, 0, false)};
        assert_true(list(&f, node_1, 120, tables, 1));
        if (has_given_back)
            span_table_unbind(f.table, trigger);
        bootstrap_build(f.bootstrap, (mono_ns_t){0});
        if (!has_given_back)
            span_table_unbind(f.table, trigger);
        assert_int_equal(trigger->state, SPAN_ABSENT);
        assert_int_equal(trigger->checkpoint.v, 120);
        teardown(&f);
    }
}

static void a_node_that_leaves_behind_its_list_takes_only_the_trigger_with_it(void **state)
{
    (void)state;
    fixture_t f;
    setup(&f, 90);
    bootstrap_entry_t trigger = entry(0, 1, 120, 1);
    trigger.position.passed = (event_key_t){{121}, false};
    tell(&f, node_1, 0, true, &trigger, 1);
    bootstrap_place_trigger(f.bootstrap);
    table_info_t tables[] = {info(10, 0, false)};
    assert_true(list(&f, node_1, 120, tables, 1));
    bootstrap_forget_node(f.bootstrap, node_1);
    span_table_unbind(f.table, span_table_trigger(f.table));
    bootstrap_build(f.bootstrap, (mono_ns_t){0});
    assert_int_equal(span_table_trigger(f.table)->state, SPAN_ABSENT);
    assert_int_equal(span_table_trigger(f.table)->checkpoint.v, 120);
    teardown(&f);
}

static void a_list_goes_on_while_its_trigger_does(void **state)
{
    (void)state;
    fixture_t f;
    setup(&f, 90);
    bootstrap_place_trigger(f.bootstrap);
    span_entry_t *trigger = span_table_trigger(f.table);
    span_table_assign(f.table, trigger, node_1, id_of(9), 9);
    table_info_t tables[] = {info(10, 0, false), info(11, 0, false)};
    table_list_t piece = {.at = {90}, .tables = tables, .table_count = 1};
    assert_false(bootstrap_add_table_list(f.bootstrap, node_1, &piece));
    span_entry_raise(trigger, (position_t){{95}, {{95}, true}});
    piece = (table_list_t){
        .piece = 1, .is_last_piece = true, .at = {90}, .tables = tables + 1, .table_count = 1};
    assert_true(bootstrap_add_table_list(f.bootstrap, node_1, &piece));
    assert_int_equal(bootstrap_pieces_taken(f.bootstrap), 2);
    teardown(&f);
}

static void of_two_claims_the_newer_assignment_wins(void **state)
{
    (void)state;
    fixture_t f;
    setup(&f, 90);
    bootstrap_entry_t one[] = {entry(0, 1, 100, 1), entry(10, 2, 140, 1)};
    bootstrap_entry_t two[] = {entry(0, 3, 95, 2), entry(10, 4, 120, 2)};
    tell(&f, node_1, 0, true, one, 2);
    tell(&f, node_2, 0, true, two, 2);
    bootstrap_place_trigger(f.bootstrap);
    assert_int_equal(span_table_trigger(f.table)->node.v, node_2.v);
    table_info_t tables[] = {info(10, 0, false)};
    assert_true(list(&f, node_2, 95, tables, 1));
    bootstrap_build(f.bootstrap, (mono_ns_t){0});
    assert_true(dispatcher_id_equal(span_of(&f, 10)->dispatcher_id, id_of(4)));
    assert_int_equal(span_table_dispatcher(f.table, id_of(1))->state, SPAN_CLOSING);
    assert_int_equal(span_table_dispatcher(f.table, id_of(2))->state, SPAN_CLOSING);
    teardown(&f);
}

static void pieces_count_only_in_order_and_begin_anew_at_the_first(void **state)
{
    (void)state;
    fixture_t f;
    setup(&f, 90);
    bootstrap_entry_t trigger = entry(0, 1, 100, 1), a = entry(10, 2, 100, 1),
                      b = entry(11, 3, 100, 1);
    assert_false(tell(&f, node_1, 1, true, &a, 1));
    assert_false(tell(&f, node_1, 0, false, &trigger, 1));
    assert_false(tell(&f, node_1, 2, true, &b, 1));
    /* Asked again. */
    assert_false(tell(&f, node_1, 0, false, &trigger, 1));
    assert_false(tell(&f, node_1, 1, false, &a, 1));
    assert_true(tell(&f, node_1, 2, true, &b, 1));
    assert_false(tell(&f, node_1, 2, true, &b, 1));
    bootstrap_place_trigger(f.bootstrap);
    table_info_t tables[] = {info(10, 0, false), info(11, 0, false)};
    list(&f, node_1, 100, tables, 2);
    bootstrap_build(f.bootstrap, (mono_ns_t){0});
    assert_int_equal(span_table_count(f.table, SPAN_REPLICATING), 3);
    teardown(&f);
}

static void without_a_trigger_it_starts_at_the_persisted_checkpoint(void **state)
{
    (void)state;
    fixture_t f;
    setup(&f, 90);
    bootstrap_entry_t one[] = {entry(10, 2, 140, 1)};
    tell(&f, node_1, 0, true, one, 1);
    bootstrap_place_trigger(f.bootstrap);
    assert_int_equal(span_table_trigger(f.table)->state, SPAN_ABSENT);
    assert_int_equal(span_table_trigger(f.table)->checkpoint.v, 90);
    table_info_t tables[] = {info(10, 0, false)};
    assert_false(list(&f, node_1, 90, tables, 1));
    span_table_assign(f.table, span_table_trigger(f.table), node_2, id_of(9), 1);
    assert_true(list(&f, node_2, 90, tables, 1));
    bootstrap_build(f.bootstrap, (mono_ns_t){0});
    assert_int_equal(span_of(&f, 10)->state, SPAN_REPLICATING);
    teardown(&f);
}

/* While it was away nobody else carried the trigger; what it reported meanwhile was heard by a
 * maintainer that had been replaced already. */
static void a_trigger_that_comes_late_is_started_again_where_the_list_is(void **state)
{
    (void)state;
    fixture_t f;
    setup(&f, 90);
    bootstrap_entry_t one[] = {entry(0, 1, 90, 1)};
    assert_true(tell(&f, node_1, 0, true, one, 1));
    bootstrap_place_trigger(f.bootstrap);
    table_info_t tables[] = {info(10, 0, false)};
    assert_true(list(&f, node_1, 90, tables, 1));
    bootstrap_build(f.bootstrap, (mono_ns_t){0});
    span_table_unbind(f.table, span_table_trigger(f.table));
    bootstrap_entry_t late[] = {entry(0, 5, 150, 1), entry(10, 6, 140, 1)};
    assert_true(tell(&f, node_2, 0, true, late, 2));
    bootstrap_merge_node(f.bootstrap, (mono_ns_t){0}, node_2);
    assert_int_equal(span_of(&f, 10)->state, SPAN_REPLICATING);
    assert_int_equal(span_table_trigger(f.table)->state, SPAN_ABSENT);
    assert_int_equal(span_table_trigger(f.table)->checkpoint.v, 90);
    assert_int_equal(span_table_dispatcher(f.table, id_of(5))->state, SPAN_CLOSING);
    teardown(&f);
}

/* K7: a trigger that passed something behind the list reports it to nobody any more. */
static void a_trigger_ahead_of_its_list_is_started_again_there(void **state)
{
    (void)state;
    fixture_t f;
    setup(&f, 70);
    bootstrap_entry_t trigger = entry(0, 1, 81, 1);
    trigger.position.passed = (event_key_t){{94}, false};
    tell(&f, node_1, 0, true, &trigger, 1);
    bootstrap_place_trigger(f.bootstrap);
    list(&f, node_1, 81, NULL, 0);
    bootstrap_build(f.bootstrap, (mono_ns_t){0});
    span_entry_t *span = span_table_trigger(f.table);
    assert_int_equal(span->state, SPAN_MOVING);
    assert_int_equal(span->target.v, node_1.v);
    /* Whatever the old one still says. */
    span_entry_raise(span, (position_t){{100}, {{99}, false}});
    span_table_unbind(f.table, span);
    assert_int_equal(span_entry_start(span).checkpoint.v, 81);
    span_table_assign(f.table, span, node_1, id_of(2), 1);
    assert_true(span_entry_raise(span, (position_t){{100}, EVENT_KEY_NONE}));
    teardown(&f);
}

static void a_trigger_that_is_where_its_list_is_goes_on(void **state)
{
    (void)state;
    fixture_t f;
    setup(&f, 70);
    bootstrap_entry_t trigger = entry(0, 1, 81, 1);
    trigger.position.passed = (event_key_t){{80}, false};
    tell(&f, node_1, 0, true, &trigger, 1);
    bootstrap_place_trigger(f.bootstrap);
    list(&f, node_1, 81, NULL, 0);
    bootstrap_build(f.bootstrap, (mono_ns_t){0});
    assert_int_equal(span_table_trigger(f.table)->state, SPAN_REPLICATING);
    teardown(&f);
}

/* BOOT-1 to BOOT-4 through the whole of it. */
static void block_states_make_the_barrier(void **state)
{
    (void)state;
    fixture_t f;
    setup(&f, 1);
    table_id_t ids[] = {{2}, {1}};
    block_payload_t payload = {
        .influence = {.kind = INFLUENCE_NORMAL, .table_ids = ids, .table_count = 2}};
    bootstrap_entry_t one[] = {entry(0, 1, 5, 1), entry(1, 2, 5, 1), entry(2, 3, 5, 1)};
    for (int i = 1; i < 3; i++) {
        one[i].stage = i == 1 ? STAGE_WAITING : STAGE_WRITING;
        one[i].key = (event_key_t){{6}, false};
        one[i].is_blocked = true;
        one[i].payload = &payload;
    }
    tell(&f, node_1, 0, true, one, 3);
    bootstrap_place_trigger(f.bootstrap);
    table_info_t tables[] = {info(1, 0, false), info(2, 0, false)};
    list(&f, node_1, 5, tables, 2);
    bootstrap_build(f.bootstrap, (mono_ns_t){0});
    const barrier_event_t *event = barrier_find(f.barrier, (event_key_t){{6}, false});
    assert_non_null(event);
    assert_int_equal(event->state, BARRIER_SELECTED);
    assert_true(dispatcher_id_equal(event->writer, id_of(3)));
    assert_int_equal(event->waiting, 2);
    teardown(&f);
}

static void ranges_of_a_split_table_are_put_together(void **state)
{
    (void)state;
    fixture_t f;
    setup(&f, 1);
    bootstrap_entry_t one[] = {entry(0, 1, 5, 1), entry(1, 2, 5, 1), entry(1, 3, 7, 1)};
    one[1].span.end_key = bytes_of_text("g");
    one[2].span.start_key = bytes_of_text("p");
    tell(&f, node_1, 0, true, one, 3);
    bootstrap_place_trigger(f.bootstrap);
    table_info_t tables[] = {info(1, 0, false)};
    list(&f, node_1, 5, tables, 1);
    bootstrap_build(f.bootstrap, (mono_ns_t){0});
    table_entry_t *table = span_table_find(f.table, (table_id_t){1});
    bytes_t none = {0}, g = bytes_of_text("g"), p = bytes_of_text("p");
    assert_int_equal(table_entry_span(table, none, g)->state, SPAN_REPLICATING);
    assert_int_equal(table_entry_span(table, p, none)->state, SPAN_REPLICATING);
    /* The range between was lost with its node. */
    assert_int_equal(table_entry_span(table, g, p)->state, SPAN_ABSENT);
    assert_int_equal(table_entry_span(table, g, p)->checkpoint.v, 1);
    teardown(&f);
}

static void what_a_late_node_has_is_taken_if_it_is_free_and_closed_if_not(void **state)
{
    (void)state;
    fixture_t f;
    setup(&f, 1);
    bootstrap_entry_t trigger = entry(0, 1, 5, 1);
    tell(&f, node_1, 0, true, &trigger, 1);
    bootstrap_place_trigger(f.bootstrap);
    table_info_t tables[] = {info(1, 0, false), info(2, 0, false)};
    list(&f, node_1, 5, tables, 2);
    bootstrap_build(f.bootstrap, (mono_ns_t){0});
    span_table_assign(f.table, span_of(&f, 1), node_1, id_of(50), 1);
    bootstrap_entry_t late[] = {entry(1, 7, 5, 1), entry(2, 8, 5, 1)};
    assert_true(tell(&f, node_2, 0, true, late, 2));
    bootstrap_merge_node(f.bootstrap, (mono_ns_t){0}, node_2);
    assert_true(dispatcher_id_equal(span_of(&f, 1)->dispatcher_id, id_of(50)));
    assert_int_equal(span_table_dispatcher(f.table, id_of(7))->state, SPAN_CLOSING);
    assert_true(dispatcher_id_equal(span_of(&f, 2)->dispatcher_id, id_of(8)));
    teardown(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(listed_tables_get_their_dispatchers_others_are_closed),
        cmocka_unit_test(one_that_has_stopped_meanwhile_is_not_taken_for_alive),
        cmocka_unit_test(who_is_below_the_persisted_checkpoint_was_replaced),
        cmocka_unit_test(a_list_below_the_trigger_that_is_given_out_is_not_its_list),
        cmocka_unit_test(other_triggers_are_closed_before_there_is_a_list),
        cmocka_unit_test(without_a_list_the_trigger_starts_again_at_the_persisted_checkpoint),
        cmocka_unit_test(a_list_that_comes_while_the_trigger_is_restarted_is_taken),
        cmocka_unit_test(a_node_that_leaves_behind_its_list_takes_only_the_trigger_with_it),
        cmocka_unit_test(a_list_goes_on_while_its_trigger_does),
        cmocka_unit_test(of_two_claims_the_newer_assignment_wins),
        cmocka_unit_test(pieces_count_only_in_order_and_begin_anew_at_the_first),
        cmocka_unit_test(without_a_trigger_it_starts_at_the_persisted_checkpoint),
        cmocka_unit_test(a_trigger_ahead_of_its_list_is_started_again_there),
        cmocka_unit_test(a_trigger_that_comes_late_is_started_again_where_the_list_is),
        cmocka_unit_test(a_trigger_that_is_where_its_list_is_goes_on),
        cmocka_unit_test(block_states_make_the_barrier),
        cmocka_unit_test(ranges_of_a_split_table_are_put_together),
        cmocka_unit_test(what_a_late_node_has_is_taken_if_it_is_free_and_closed_if_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
