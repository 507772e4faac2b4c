#include "tests/testing.h"

#include "maintainer/core/checkpoint.h"

static const node_index_t node_1 = {1}, node_2 = {2};

typedef struct {
    span_table_t *table;
    checkpoint_t *checkpoint;
} fixture_t;

static fixture_t setup(uint64_t start)
{
    return (fixture_t){span_table_new(), checkpoint_new((commit_ts_t){start})};
}

static void teardown(fixture_t *f)
{
    span_table_destroy(&f->table);
    checkpoint_destroy(&f->checkpoint);
}

static span_entry_t *absent(fixture_t *f, uint64_t id, uint64_t checkpoint)
{
    table_info_t info = {.table_id = {id}, .schema_id = {1}, .name = bytes_of_text("t")};
    return span_table_add(f->table, &info, (position_t){{checkpoint}, EVENT_KEY_NONE})->first_span;
}

static span_entry_t *scheduling(fixture_t *f, uint64_t id, node_index_t node, uint64_t checkpoint)
{
    span_entry_t *span = absent(f, id, checkpoint);
    span_table_assign(f->table, span, node, (dispatcher_id_t){1, id}, id);
    return span;
}

static span_entry_t *replicating(fixture_t *f, uint64_t id, node_index_t node, uint64_t checkpoint)
{
    span_entry_t *span = scheduling(f, id, node, checkpoint);
    span_table_replicating(f->table, span);
    return span;
}

static void watermark(fixture_t *f, node_index_t node, uint64_t seq, uint64_t checkpoint)
{
    watermark_t mark = {.seq = seq, .checkpoint = {checkpoint}, .resolved = {checkpoint + 5}};
    checkpoint_watermark(f->checkpoint, node, &mark);
}

static uint64_t advance(fixture_t *f)
{
    return checkpoint_advance(f->checkpoint, f->table, COMMIT_TS_MAX).v;
}

/* CKP-8. */
static void is_bound_by_what_nobody_carries_yet(void **state)
{
    (void)state;
    fixture_t f = setup(1);
    span_entry_t *slow = absent(&f, 1, 80), *other = absent(&f, 2, 100);
    replicating(&f, 3, node_1, 50);
    watermark(&f, node_1, 1, 1000);
    assert_int_equal(advance(&f), 80);
    assert_int_equal(checkpoint_holder(f.checkpoint).kind, HOLDER_SPAN);
    assert_ptr_equal(checkpoint_holder(f.checkpoint).span, slow);
    span_table_assign(f.table, slow, node_1, (dispatcher_id_t){9, 1}, 9);
    span_entry_raise(slow, (position_t){{120}, EVENT_KEY_NONE});
    assert_int_equal(advance(&f), 100);
    span_table_assign(f.table, other, node_1, (dispatcher_id_t){9, 2}, 9);
    span_table_replicating(f.table, other);
    assert_int_equal(advance(&f), 120);
    span_table_replicating(f.table, slow);
    assert_int_equal(advance(&f), 1000);
    assert_int_equal(checkpoint_resolved(f.checkpoint).v, 1005);
    teardown(&f);
}

/* CKP-10, K4. */
static void invalid_values_are_never_published(void **state)
{
    (void)state;
    fixture_t f = setup(10);
    replicating(&f, 1, node_1, 50);
    assert_int_equal(advance(&f), 10);
    assert_int_equal(checkpoint_holder(f.checkpoint).kind, HOLDER_WATERMARK_MISSING);
    watermark(&f, node_1, 1, 100);
    assert_int_equal(advance(&f), 100);
    watermark(&f, node_1, 2, UINT64_MAX);
    assert_int_equal(advance(&f), 100);
    watermark(&f, node_1, 3, 0);
    assert_int_equal(advance(&f), 100);
    watermark(&f, node_1, 4, 102);
    assert_int_equal(advance(&f), 102);
    teardown(&f);
}

/* CKP-12, K1. */
static void never_goes_back(void **state)
{
    (void)state;
    fixture_t f = setup(1);
    replicating(&f, 1, node_1, 1);
    watermark(&f, node_1, 1, 10);
    assert_int_equal(advance(&f), 10);
    watermark(&f, node_1, 2, 5);
    assert_int_equal(advance(&f), 10);
    teardown(&f);
}

/* CKP-13. */
static void an_event_that_adds_tables_holds_it(void **state)
{
    (void)state;
    fixture_t f = setup(1);
    replicating(&f, 1, node_1, 1);
    watermark(&f, node_1, 1, 100);
    assert_int_equal(checkpoint_advance(f.checkpoint, f.table, (commit_ts_t){49}).v, 49);
    assert_int_equal(checkpoint_holder(f.checkpoint).kind, HOLDER_EVENT);
    assert_int_equal(advance(&f), 100);
    teardown(&f);
}

static void a_fresh_table_holds_it_just_before_its_creation(void **state)
{
    (void)state;
    fixture_t f = setup(1);
    replicating(&f, 1, node_1, 1);
    watermark(&f, node_1, 1, 100);
    span_entry_t *fresh = scheduling(&f, 2, node_1, 50);
    fresh->table->created.v = 50;
    fresh->is_fresh = true;
    assert_int_equal(advance(&f), 49);
    span_table_replicating(f.table, fresh);
    assert_int_equal(advance(&f), 100);
    teardown(&f);
}

/* ORACLE §6.4: what a watermark says before it counts the span. */
static void a_watermark_older_than_the_newest_replicating_does_not_count(void **state)
{
    (void)state;
    fixture_t f = setup(1);
    replicating(&f, 1, node_1, 1);
    watermark(&f, node_1, 7, 500);
    checkpoint_require(f.checkpoint, node_1, 8);
    assert_int_equal(advance(&f), 1);
    watermark(&f, node_1, 8, 100);
    assert_int_equal(advance(&f), 100);
    teardown(&f);
}

static void a_new_incarnation_starts_from_nothing(void **state)
{
    (void)state;
    fixture_t f = setup(1);
    replicating(&f, 1, node_1, 1);
    watermark(&f, node_1, 1000, 500);
    checkpoint_forget_node(f.checkpoint, node_1);
    assert_int_equal(advance(&f), 1);
    watermark(&f, node_1, 1, 300);
    assert_int_equal(advance(&f), 300);
    teardown(&f);
}

static void the_slowest_node_decides(void **state)
{
    (void)state;
    fixture_t f = setup(1);
    replicating(&f, 1, node_1, 1);
    replicating(&f, 2, node_2, 1);
    watermark(&f, node_1, 1, 100);
    assert_int_equal(advance(&f), 1);
    watermark(&f, node_2, 1, 60);
    assert_int_equal(advance(&f), 60);
    assert_int_equal(checkpoint_holder(f.checkpoint).node.v, node_2.v);
    teardown(&f);
}

/* A node may have dropped it from its watermark before we know that it stopped. */
static void a_moving_span_holds_it_at_its_own_position(void **state)
{
    (void)state;
    fixture_t f = setup(1);
    replicating(&f, 1, node_1, 1);
    span_entry_t *moving = replicating(&f, 2, node_1, 40);
    watermark(&f, node_1, 1, 30);
    assert_int_equal(advance(&f), 30);
    span_table_move(f.table, moving, node_2);
    watermark(&f, node_1, 2, 90);
    assert_int_equal(advance(&f), 40);
    teardown(&f);
}

static anchor_t anchor_at(uint64_t ts)
{
    return (anchor_t){.commit_ts = {ts}};
}

static void picks_the_newest_anchor_at_or_below(void **state)
{
    (void)state;
    fixture_t f = setup(1);
    assert_null(checkpoint_pick_anchor(f.checkpoint, (commit_ts_t){100}));
    for (uint64_t ts = 10; ts <= 10000; ts += 10) {
        anchor_t anchor = anchor_at(ts);
        checkpoint_add_anchor(f.checkpoint, &anchor);
    }
    anchor_t stale = anchor_at(5);
    checkpoint_add_anchor(f.checkpoint, &stale);
    const anchor_t *picked = checkpoint_pick_anchor(f.checkpoint, (commit_ts_t){9995});
    assert_non_null(picked);
    assert_true(picked->commit_ts.v <= 9990 && picked->commit_ts.v > 5000);
    picked = checkpoint_pick_anchor(f.checkpoint, (commit_ts_t){20000});
    assert_int_equal(picked->commit_ts.v, 10000);
    assert_null(checkpoint_pick_anchor(f.checkpoint, (commit_ts_t){9999}));
    teardown(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_bound_by_what_nobody_carries_yet),
        cmocka_unit_test(invalid_values_are_never_published),
        cmocka_unit_test(never_goes_back),
        cmocka_unit_test(an_event_that_adds_tables_holds_it),
        cmocka_unit_test(a_fresh_table_holds_it_just_before_its_creation),
        cmocka_unit_test(a_watermark_older_than_the_newest_replicating_does_not_count),
        cmocka_unit_test(a_new_incarnation_starts_from_nothing),
        cmocka_unit_test(the_slowest_node_decides),
        cmocka_unit_test(a_moving_span_holds_it_at_its_own_position),
        cmocka_unit_test(picks_the_newest_anchor_at_or_below),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
