#include "tests/testing.h"

#include "dispatcher/core/dispatch/row_queue.h"

enum { PART_BYTES = 100 };

static const row_limits_t limits = {.parts_max = 8, .bytes_max = 10 * PART_BYTES};

typedef struct {
    row_queue_t queue;
    bool has_key;
} fixture_t;

static table_definition_t *define(bool has_key, uint64_t version)
{
    table_definition_t *definition = table_definition_new();
    definition->table_id.v = 7;
    definition->version.v = version;
    if (has_key) {
        key_definition_t *key = arena_calloc(&definition->arena, 1, sizeof *key);
        *key = (key_definition_t){.kind = KEY_PRIMARY, .name = "PRIMARY"};
        definition->keys = key;
        definition->key_count = 1;
    }
    return definition;
}

/* Each with a definition of its own, as if every part came from somebody else. */
static void push(fixture_t *f, uint64_t commit_ts, bool continues, uint64_t version)
{
    transaction_t *transaction = transaction_new();
    table_rows_t *rows = arena_calloc(&transaction->arena, 1, sizeof *rows);
    *rows = (table_rows_t){
        .definition = define(f->has_key, version), .bytes = PART_BYTES, .continues = continues};
    transaction->commit_ts.v = commit_ts;
    transaction->tables = rows;
    transaction->table_count = 1;
    row_queue_push(&f->queue, transaction, rows);
}

/* A transaction in parts. */
static void push_parts(fixture_t *f, uint64_t commit_ts, uint32_t count, bool has_end)
{
    for (uint32_t i = 1; i <= count; i++)
        push(f, commit_ts, i < count || !has_end, 1);
}

static uint32_t together(const fixture_t *f, uint32_t parts, uint64_t bytes)
{
    return row_queue_together(&f->queue, &limits, parts, bytes);
}

static void ends_where_a_transaction_ends(void **state)
{
    (void)state;
    for (int has_key = 0; has_key < 2; has_key++) {
        fixture_t f = {.has_key = has_key};
        assert_false(row_queue_is_ready(&f.queue, &limits));
        push_parts(&f, 10, 1, true);
        push_parts(&f, 11, 2, true);
        push_parts(&f, 12, 2, false);
        assert_true(row_queue_is_ready(&f.queue, &limits));
        assert_int_equal(together(&f, 0, 0), 3);
        row_queue_clear(&f.queue);
    }
}

static void stays_within_the_limits(void **state)
{
    (void)state;
    fixture_t f = {.has_key = true};
    for (uint64_t ts = 10; ts < 30; ts++)
        push(&f, ts, false, 1);
    assert_int_equal(together(&f, 0, 0), 8);
    assert_int_equal(together(&f, 6, 0), 2);
    assert_int_equal(together(&f, 0, 7 * PART_BYTES), 3);
    assert_int_equal(together(&f, 0, 20 * PART_BYTES), 1);
    assert_int_equal(row_queue_clear(&f.queue), 20);
}

static void with_a_key_a_transaction_is_cut(void **state)
{
    (void)state;
    fixture_t f = {.has_key = true};
    push_parts(&f, 10, 20, true);
    assert_int_equal(together(&f, 6, 0), 2);
    assert_int_equal(together(&f, 0, 9 * PART_BYTES), 1);
    row_queue_clear(&f.queue);
}

static void without_a_key_its_end_is_waited_for(void **state)
{
    (void)state;
    fixture_t f = {0};
    push_parts(&f, 10, 4, false);
    assert_false(row_queue_is_ready(&f.queue, &limits));
    push(&f, 10, false, 1);
    assert_true(row_queue_is_ready(&f.queue, &limits));
    assert_int_equal(together(&f, 0, 0), 5);
    assert_int_equal(together(&f, 0, 9 * PART_BYTES), 5);
    row_queue_clear(&f.queue);
}

/* Its rows written twice could not be told from rows that are there twice. */
static void without_a_key_it_is_not_cut_to_fill_a_batch(void **state)
{
    (void)state;
    fixture_t f = {0};
    push_parts(&f, 10, 4, true);
    assert_int_equal(together(&f, 4, 0), 4);
    assert_int_equal(together(&f, 5, 0), 0);
    assert_int_equal(together(&f, 7, 0), 0);
    row_queue_clear(&f.queue);
}

static void beyond_all_limits_it_is_cut(void **state)
{
    (void)state;
    fixture_t f = {0};
    push_parts(&f, 10, 7, false);
    assert_false(row_queue_is_ready(&f.queue, &limits));
    push(&f, 10, true, 1);
    assert_true(row_queue_is_ready(&f.queue, &limits));
    assert_int_equal(together(&f, 1, 0), 0);
    assert_int_equal(together(&f, 0, 0), 8);
    row_queue_clear(&f.queue);
}

static void another_version_of_the_table_is_for_the_next_batch(void **state)
{
    (void)state;
    fixture_t f = {.has_key = true};
    push(&f, 10, false, 1);
    push(&f, 11, false, 1);
    push(&f, 12, false, 2);
    assert_int_equal(together(&f, 0, 0), 2);
    for (uint32_t i = 0; i < 2; i++) {
        transaction_t *transaction = row_queue_at(&f.queue, i)->transaction;
        transaction_unref(&transaction);
    }
    row_queue_pop(&f.queue, 2);
    assert_int_equal(row_queue_at(&f.queue, 0)->transaction->commit_ts.v, 12);
    assert_int_equal(together(&f, 0, 0), 1);
    row_queue_clear(&f.queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_where_a_transaction_ends),
        cmocka_unit_test(stays_within_the_limits),
        cmocka_unit_test(with_a_key_a_transaction_is_cut),
        cmocka_unit_test(without_a_key_its_end_is_waited_for),
        cmocka_unit_test(without_a_key_it_is_not_cut_to_fill_a_batch),
        cmocka_unit_test(beyond_all_limits_it_is_cut),
        cmocka_unit_test(another_version_of_the_table_is_for_the_next_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
