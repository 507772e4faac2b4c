#include "tests/testing.h"

#include <stdio.h>

#include "maintainer/core/coverage.h"
#include "maintainer/core/span_table.h"

static const node_index_t node_1 = {1}, node_2 = {2};

static table_info_t info(uint64_t id, uint64_t schema, const char *name)
{
    return (table_info_t){.table_id = {id},
                          .schema_id = {schema},
                          .schema = bytes_of_text("s"),
                          .name = bytes_of_text(name)};
}

static span_entry_t *carried(span_table_t *table, uint64_t id, position_t start)
{
    table_info_t i = info(id, 1, "t");
    span_entry_t *span = span_table_add(table, &i, start)->first_span;
    span_table_assign(table, span, node_1, (dispatcher_id_t){5, id}, id);
    span_table_replicating(table, span);
    return span;
}

static void adding_twice_is_idempotent(void **state)
{
    (void)state;
    span_table_t *table = span_table_new();
    table_info_t i = info(1, 1, "t");
    assert_non_null(span_table_add(table, &i, (position_t){{5}, EVENT_KEY_NONE}));
    assert_null(span_table_add(table, &i, (position_t){{6}, EVENT_KEY_NONE}));
    assert_int_equal(span_table_count(table, SPAN_ABSENT), 1);
    assert_int_equal(span_table_find(table, (table_id_t){1})->first_span->checkpoint.v, 5);
    span_table_destroy(&table);
}

static void positions_never_go_back(void **state)
{
    (void)state;
    span_table_t *table = span_table_new();
    span_entry_t *span = carried(table, 1, (position_t){{10}, EVENT_KEY_NONE});
    assert_false(span_entry_raise(span, (position_t){{9}, EVENT_KEY_NONE}));
    assert_int_equal(span->checkpoint.v, 10);
    assert_true(span_entry_raise(span, (position_t){{11}, EVENT_KEY_NONE}));
    assert_int_equal(span->checkpoint.v, 11);
    span_table_destroy(&table);
}

/* Whatever is announced: known, unknown, gone, the last ones of a list. */
static void announced_dispatchers_are_found_as_others(void **state)
{
    (void)state;
    enum { COUNT = 100 };
    dispatcher_id_t ids[COUNT];
    span_table_t *table = span_table_new();
    for (uint32_t i = 0; i < COUNT; i++)
        ids[i] = (dispatcher_id_t){5, i + 1};
    span_table_prefetch(table, ids, COUNT, 0); /* nothing is there yet */
    for (uint64_t id = 1; id <= COUNT; id++) {
        span_entry_t *span = carried(table, id, (position_t){{10}, EVENT_KEY_NONE});
        if (id % 3 == 0)
            span_table_unbind(table, span);
    }
    for (uint32_t i = 0; i < COUNT; i++) {
        span_table_prefetch(table, ids, COUNT, i);
        const span_entry_t *span = span_table_dispatcher(table, ids[i]);
        assert_int_equal(span == NULL, (i + 1) % 3 == 0);
        if (span)
            assert_int_equal(span->table->table_id.v, i + 1);
    }
    span_table_destroy(&table);
}

/* CKP-3, CKP-5 and the rule for a moved span: where it starts. */
static void caught_in_a_ddl_it_starts_before_in_a_syncpoint_at_it(void **state)
{
    (void)state;
    span_table_t *table = span_table_new();
    span_entry_t *ddl = carried(table, 1, (position_t){{9}, EVENT_KEY_NONE});
    span_entry_t *sync = carried(table, 2, (position_t){{9}, {{8}, false}});
    span_entry_set_block(ddl, (event_key_t){{10}, false}, STAGE_WAITING);
    span_entry_set_block(sync, (event_key_t){{10}, true}, STAGE_WAITING);
    span_table_unbind(table, ddl);
    span_table_unbind(table, sync);
    assert_int_equal(span_entry_position(ddl).checkpoint.v, 9);
    assert_int_equal(span_entry_position(sync).checkpoint.v, 10);
    assert_true(event_key_equal(span_entry_passed(sync), (event_key_t){{8}, false}));
    assert_int_equal(sync->block_stage, STAGE_NONE);
    assert_null(span_table_dispatcher(table, (dispatcher_id_t){5, 1}));
    span_table_destroy(&table);
}

static void what_it_passed_it_does_not_meet_again(void **state)
{
    (void)state;
    span_table_t *table = span_table_new();
    span_entry_t *span = carried(table, 1, (position_t){{9}, EVENT_KEY_NONE});
    span_entry_raise(span, (position_t){COMMIT_TS_NONE, {{50}, false}});
    span_table_unbind(table, span);
    assert_int_equal(span_entry_start(span).checkpoint.v, 50);
    assert_true(event_key_equal(span_entry_start(span).passed, (event_key_t){{50}, false}));
    /* CREATE … SELECT: the rows at its own commit_ts are still to come. */
    table_info_t created = info(2, 1, "u");
    created.created.v = 60;
    span_entry_t *fresh =
        span_table_add(table, &created, (position_t){{59}, {{60}, false}})->first_span;
    span_table_assign(table, fresh, node_1, (dispatcher_id_t){5, 2}, 2);
    span_table_unbind(table, fresh);
    assert_int_equal(span_entry_start(fresh).checkpoint.v, 59);
    assert_true(event_key_equal(span_entry_start(fresh).passed, (event_key_t){{60}, false}));
    span_table_destroy(&table);
}

/* It has to report again what lies above its checkpoint, and must not believe it passed that. */
static void the_trigger_starts_at_its_checkpoint_whatever_it_passed(void **state)
{
    (void)state;
    span_table_t *table = span_table_new();
    span_table_add_trigger(table, (position_t){{9}, EVENT_KEY_NONE});
    span_entry_t *trigger = span_table_trigger(table);
    span_table_assign(table, trigger, node_1, (dispatcher_id_t){5, 3}, 3);
    span_entry_raise(trigger, (position_t){COMMIT_TS_NONE, {{50}, false}});
    span_table_unbind(table, trigger);
    assert_int_equal(span_entry_start(trigger).checkpoint.v, 9);
    assert_true(event_key_equal(span_entry_start(trigger).passed, (event_key_t){{9}, true}));
    /* As proof it counts all the same. */
    assert_true(event_key_equal(span_entry_passed(trigger), (event_key_t){{50}, false}));
    span_table_destroy(&table);
}

/* Before the first position of a log there is nothing to have passed: no message can say so. */
static void at_the_beginning_of_a_log_the_trigger_has_passed_nothing(void **state)
{
    (void)state;
    span_table_t *table = span_table_new();
    span_table_add_trigger(table, (position_t){{0}, EVENT_KEY_NONE});
    span_entry_t *trigger = span_table_trigger(table);
    span_table_assign(table, trigger, node_1, (dispatcher_id_t){5, 3}, 3);
    span_entry_raise(trigger, (position_t){COMMIT_TS_NONE, {{1}, false}});
    span_table_unbind(table, trigger);
    assert_true(event_key_equal(span_entry_start(trigger).passed, EVENT_KEY_NONE));
    span_table_destroy(&table);
}

static void a_dropped_table_leaves_its_dispatcher_to_be_closed(void **state)
{
    (void)state;
    span_table_t *table = span_table_new();
    span_entry_t *span = carried(table, 1, (position_t){{9}, EVENT_KEY_NONE});
    span_table_drop(table, span->table);
    assert_null(span_table_find(table, (table_id_t){1}));
    assert_null(span_table_schema(table, (schema_id_t){1}));
    assert_int_equal(span_table_table_count(table), 0);
    assert_int_equal(span_table_count(table, SPAN_CLOSING), 1);
    assert_int_equal(span_table_node_count(table, node_1), 0);
    assert_ptr_equal(span_table_dispatcher(table, (dispatcher_id_t){5, 1}), span);
    span_table_unbind(table, span);
    assert_int_equal(span_table_count(table, SPAN_CLOSING), 0);
    assert_null(span_table_dispatcher(table, (dispatcher_id_t){5, 1}));
    span_table_destroy(&table);
}

/* FAN-8. */
static void a_moved_table_is_listed_under_its_new_schema_only(void **state)
{
    (void)state;
    span_table_t *table = span_table_new();
    span_entry_t *span = carried(table, 1, (position_t){{9}, EVENT_KEY_NONE});
    schema_move_t move = {.table_id = {1},
                          .from = {1},
                          .to = {2},
                          .schema = bytes_of_text("other"),
                          .name = bytes_of_text("u")};
    span_table_rename(table, span->table, &move, (event_key_t){{20}, false});
    assert_null(span_table_schema(table, (schema_id_t){1}));
    schema_entry_t *schema = span_table_schema(table, (schema_id_t){2});
    assert_non_null(schema);
    assert_int_equal(schema->table_count, 1);
    assert_string_equal(schema->first_table->name, "u");
    assert_int_equal(table_entry_last_change(span->table).commit_ts.v, 20);
    span_table_destroy(&table);
}

static void counts_spans_by_node_and_state(void **state)
{
    (void)state;
    span_table_t *table = span_table_new();
    span_entry_t *span = carried(table, 1, (position_t){{9}, EVENT_KEY_NONE});
    carried(table, 2, (position_t){{9}, EVENT_KEY_NONE});
    assert_int_equal(span_table_node_count(table, node_1), 2);
    span_table_move(table, span, node_2);
    assert_int_equal(span_table_node_count(table, node_1), 2);
    span_table_unbind(table, span);
    assert_int_equal(span_table_node_count(table, node_1), 1);
    assert_int_equal(span->target.v, 2);
    span_table_assign(table, span, node_2, (dispatcher_id_t){6, 1}, 9);
    assert_int_equal(span_table_node_count(table, node_2), 1);
    assert_int_equal(span_table_node_scheduling(table, node_2), 1);
    span_table_destroy(&table);
}

static void a_split_table_has_ranges_without_gap(void **state)
{
    (void)state;
    span_table_t *table = span_table_new();
    table_info_t i = info(1, 1, "t");
    table_entry_t *entry = span_table_add(table, &i, (position_t){{5}, EVENT_KEY_NONE});
    bytes_t boundaries[] = {bytes_of("\x10", 1), bytes_of("\x20", 1)};
    span_table_split(table, entry, boundaries, 2);
    range_checker_t checker;
    range_checker_init(&checker);
    int count = 0;
    for (span_entry_t *span = entry->first_span; span; span = span->next_in_table, count++)
        range_checker_add(&checker, span_entry_range(span));
    assert_int_equal(count, 3);
    assert_true(range_checker_is_covered(&checker, (bytes_t){0}, (bytes_t){0}));
    assert_non_null(table_entry_span(entry, boundaries[0], boundaries[1]));
    assert_null(table_entry_span(entry, boundaries[0], (bytes_t){0}));
    range_checker_clear(&checker);
    span_table_destroy(&table);
}

static void an_idle_dispatcher_costs_at_most_256_bytes(void **state)
{
    (void)state;
    span_table_t *table = span_table_new();
    enum { COUNT = 100000 };
    for (uint64_t i = 1; i <= COUNT; i++) {
        char name[32];
        snprintf(name, sizeof name, "table_%06d", (int)i);
        table_info_t t = info(i * 7919, i % 10 + 1, name);
        span_entry_t *span =
            span_table_add(table, &t, (position_t){{5}, EVENT_KEY_NONE})->first_span;
        span_table_assign(table, span, node_1, (dispatcher_id_t){5, i}, i);
        span_table_replicating(table, span);
    }
    assert_true(span_table_bytes(table) / COUNT <= 256);
    for (uint64_t i = 1; i <= COUNT; i += 997) {
        span_entry_t *span = span_table_dispatcher(table, (dispatcher_id_t){5, i});
        assert_int_equal(span->table->table_id.v, i * 7919);
    }
    /* Half of them go and come again: numbers are reused. */
    size_t bytes = span_table_bytes(table);
    for (uint64_t i = 1; i <= COUNT; i += 2) {
        span_entry_t *span = span_table_dispatcher(table, (dispatcher_id_t){5, i});
        span_table_drop(table, span->table);
        span_table_unbind(table, span);
    }
    for (uint64_t i = 1; i <= COUNT; i += 2) {
        table_info_t t = info(i * 7919, 3, "table_000000");
        assert_non_null(span_table_add(table, &t, (position_t){{5}, EVENT_KEY_NONE}));
    }
    assert_true(span_table_bytes(table) < bytes + bytes / 20);
    for (uint64_t i = 2; i <= COUNT; i += 998)
        assert_non_null(span_table_dispatcher(table, (dispatcher_id_t){5, i}));
    span_table_destroy(&table);
}

/* BAR-43. */
static void the_count_checker_wants_every_table_once(void **state)
{
    (void)state;
    table_id_t ids[] = {{1}, {2}, {3}};
    count_checker_t checker;
    count_checker_init(&checker, ids, 3);
    count_checker_add(&checker, ids[0]);
    count_checker_add(&checker, ids[0]);
    count_checker_add(&checker, ids[1]);
    count_checker_add(&checker, (table_id_t){9});
    assert_false(count_checker_is_covered(&checker));
    count_checker_add(&checker, ids[2]);
    assert_true(count_checker_is_covered(&checker));
    count_checker_reset(&checker);
    assert_false(count_checker_is_covered(&checker));
    count_checker_clear(&checker);
}

static span_t range(const char *start, const char *end)
{
    return (span_t){{1}, bytes_of_text(start), bytes_of_text(end)};
}

/* BAR-44. */
static void the_range_checker_wants_every_key(void **state)
{
    (void)state;
    bytes_t low = bytes_of_text(""), high = bytes_of_text("\xff");
    range_checker_t checker;
    range_checker_init(&checker);
    range_checker_add(&checker, range("\x7f", "\xff"));
    range_checker_add(&checker, range("", "\x7f"));
    assert_true(range_checker_is_covered(&checker, low, high));
    assert_false(range_checker_is_covered(&checker, low, (bytes_t){0}));
    range_checker_reset(&checker);
    range_checker_add(&checker, range("", "\x50"));
    assert_false(range_checker_is_covered(&checker, low, high));
    range_checker_reset(&checker);
    range_checker_add(&checker, range("", "\x10"));
    range_checker_add(&checker, range("\x10", "\x20"));
    range_checker_add(&checker, range("", "\x20"));
    range_checker_add(&checker, range("\x20", "\xff"));
    assert_true(range_checker_is_covered(&checker, low, high));
    range_checker_reset(&checker);
    range_checker_add(&checker, range("", "\x10"));
    range_checker_add(&checker, range("\x11", ""));
    assert_false(range_checker_is_covered(&checker, low, high));
    range_checker_clear(&checker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adding_twice_is_idempotent),
        cmocka_unit_test(positions_never_go_back),
        cmocka_unit_test(caught_in_a_ddl_it_starts_before_in_a_syncpoint_at_it),
        cmocka_unit_test(what_it_passed_it_does_not_meet_again),
        cmocka_unit_test(the_trigger_starts_at_its_checkpoint_whatever_it_passed),
        cmocka_unit_test(at_the_beginning_of_a_log_the_trigger_has_passed_nothing),
        cmocka_unit_test(a_dropped_table_leaves_its_dispatcher_to_be_closed),
        cmocka_unit_test(a_moved_table_is_listed_under_its_new_schema_only),
        cmocka_unit_test(counts_spans_by_node_and_state),
        cmocka_unit_test(a_split_table_has_ranges_without_gap),
        cmocka_unit_test(announced_dispatchers_are_found_as_others),
        cmocka_unit_test(an_idle_dispatcher_costs_at_most_256_bytes),
        cmocka_unit_test(the_count_checker_wants_every_table_once),
        cmocka_unit_test(the_range_checker_wants_every_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
