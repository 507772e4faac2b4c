#include "tests/unit/binlog/assembler_fixture.h"

static void collects_rows_by_table_in_their_order(void **state)
{
    fixture_t *f = *state;
    send_gtid(f, 1, GTID_TRANSACTIONAL);
    send_map(f, 7, "a");
    send_map(f, 8, "b");
    send_insert(f, 8, 1);
    send_insert(f, 7, 2);
    send_insert(f, 8, 3);
    assert_true(group_assembler_is_inside_group(f->assembler));
    expect_none(f);
    send_commit(f);
    assert_int_equal(take_group(f)->kind, GROUP_ROWS);
    assert_true(f->group.is_last);
    assert_int_equal(f->group.commit_ts.v, 1);
    assert_int_equal(f->group.commit_time.v, 1000000);
    const transaction_t *transaction = f->group.transaction;
    assert_int_equal(transaction->table_count, 2);
    assert_true(transaction->is_first_part && transaction->is_last_part);
    assert_ptr_equal(transaction->tables[0].definition, f->b);
    assert_string_equal(values_of(&transaction->tables[0]), "1 3");
    assert_string_equal(values_of(&transaction->tables[1]), "2");
    expect_none(f);
    expect_anchor(f, "0-1-1");
}

static void a_map_serves_the_following_groups(void **state)
{
    fixture_t *f = *state;
    const table_map_t *first = NULL;
    for (uint64_t i = 1; i <= 3; i++) {
        send_gtid(f, i, GTID_TRANSACTIONAL);
        send_map(f, 7, "a");
        send_insert(f, 7, (uint8_t)i);
        send_commit(f);
        assert_int_equal(take_group(f)->kind, GROUP_ROWS);
        const table_map_t *used = f->group.transaction->maps[0];
        assert_true(first == NULL || used == first);
        first = used;
    }
}

static void two_numbers_of_one_table_are_one_table(void **state)
{
    fixture_t *f = *state;
    send_gtid(f, 1, GTID_TRANSACTIONAL);
    send_map(f, 7, "a");
    send_insert(f, 7, 1);
    send_map(f, 9, "a");
    send_insert(f, 9, 2);
    send_commit(f);
    take_group(f);
    assert_int_equal(f->group.transaction->table_count, 1);
    assert_int_equal(f->group.transaction->map_count, 2);
    assert_string_equal(values_of(&f->group.transaction->tables[0]), "1 2");
}

static void leaves_out_tables_outside_the_filter(void **state)
{
    fixture_t *f = *state;
    send_gtid(f, 1, GTID_TRANSACTIONAL);
    send_map(f, 7, "a");
    send_map(f, 8, "other");
    send_insert(f, 8, 1);
    send_insert(f, 7, 2);
    send_commit(f);
    assert_int_equal(take_group(f)->kind, GROUP_ROWS);
    assert_int_equal(f->group.transaction->table_count, 1);
    send_gtid(f, 2, GTID_TRANSACTIONAL);
    send_map(f, 8, "other");
    send_insert(f, 8, 1);
    send_query(f, "COMMIT");
    expect_empty(f);
    expect_anchor(f, "0-1-2");
}

static void a_rolled_back_group_moves_the_position_only(void **state)
{
    fixture_t *f = *state;
    send_gtid(f, 1, GTID_TRANSACTIONAL);
    send_map(f, 7, "a");
    send_insert(f, 7, 1);
    send_query(f, "ROLLBACK");
    expect_empty(f);
    expect_anchor(f, "0-1-1");
}

static void honours_savepoints(void **state)
{
    fixture_t *f = *state;
    send_gtid(f, 1, GTID_TRANSACTIONAL);
    send_map(f, 7, "a");
    send_insert(f, 7, 1);
    send_query(f, "SAVEPOINT `s1`");
    send_insert(f, 7, 2);
    send_query(f, "SAVEPOINT `s2`");
    send_insert(f, 7, 3);
    send_query(f, "ROLLBACK TO `S1`");
    send_insert(f, 7, 4);
    send_query(f, "SAVEPOINT s3");
    send_insert(f, 7, 5);
    send_query(f, "rollback work to savepoint s3");
    send_commit(f);
    take_group(f);
    assert_string_equal(values_of(&f->group.transaction->tables[0]), "1 4");
}

static void a_savepoint_set_again_moves(void **state)
{
    fixture_t *f = *state;
    send_gtid(f, 1, GTID_TRANSACTIONAL);
    send_map(f, 7, "a");
    send_query(f, "SAVEPOINT `s`");
    send_insert(f, 7, 1);
    send_query(f, "SAVEPOINT `s`");
    send_insert(f, 7, 2);
    send_query(f, "ROLLBACK TO `s`");
    send_commit(f);
    take_group(f);
    assert_string_equal(values_of(&f->group.transaction->tables[0]), "1");
}

static void rolls_back_to_a_savepoint_that_lies_in_the_spill(void **state)
{
    fixture_t *f = *state;
    open_at(f, "", 120);
    send_gtid(f, 1, GTID_TRANSACTIONAL);
    send_map(f, 7, "a");
    send_insert(f, 7, 1);
    send_query(f, "SAVEPOINT s");
    for (uint8_t i = 2; i < 20; i++)
        send_insert(f, 7, i);
    assert_true(f->spill_size > 0);
    send_query(f, "ROLLBACK TO s");
    send_insert(f, 7, 20);
    send_commit(f);
    take_group(f);
    assert_true(f->group.transaction->is_last_part);
    assert_string_equal(values_of(&f->group.transaction->tables[0]), "1 20");
    assert_int_equal(f->spill_size, 0);
}

static void a_group_larger_than_the_limit_comes_in_parts(void **state)
{
    fixture_t *f = *state;
    open_at(f, "", 200);
    send_gtid(f, 1, GTID_TRANSACTIONAL);
    send_map(f, 7, "a");
    send_map(f, 8, "b");
    for (uint8_t i = 0; i < 50; i++)
        send_insert(f, i % 2 ? 7 : 8, i);
    send_commit(f);
    unsigned parts = 0;
    int next = 0;
    while (take_group(f)->kind == GROUP_ROWS) {
        const transaction_t *part = f->group.transaction;
        assert_int_equal(part->is_first_part, parts++ == 0);
        assert_int_equal(part->is_last_part, f->group.is_last);
        assert_true(part->bytes < 4096);
        next += (int)part->tables[0].event_count;
        if (part->table_count == 2)
            next += (int)part->tables[1].event_count;
    }
    assert_true(parts > 5);
    assert_int_equal(next, 50);
    assert_int_equal(f->spill_size, 0);
    expect_anchor(f, "0-1-1");
}

/* Who waits for the whole of a transaction waits for the last part with rows of its own table. */
static void a_part_says_which_tables_have_more_rows(void **state)
{
    fixture_t *f = *state;
    open_at(f, "", 200);
    send_gtid(f, 1, GTID_TRANSACTIONAL);
    send_map(f, 7, "a");
    send_map(f, 8, "b");
    for (uint8_t i = 0; i < 50; i++)
        send_insert(f, i < 10 ? 8 : 7, i);
    send_commit(f);
    uint32_t rows[2] = {0}, ends[2] = {0};
    while (take_group(f)->kind == GROUP_ROWS) {
        const transaction_t *part = f->group.transaction;
        for (uint32_t i = 0; i < part->table_count; i++) {
            const table_rows_t *table = &part->tables[i];
            bool is_b = strcmp(table->definition->name, "b") == 0;
            rows[is_b] += table->event_count;
            ends[is_b] += !table->continues;
            assert_int_equal(table->continues, rows[is_b] < (is_b ? 10 : 40));
        }
    }
    assert_int_equal(rows[0], 40);
    assert_int_equal(rows[1], 10);
    assert_true(ends[0] == 1 && ends[1] == 1);
}

static void without_room_in_the_spill_the_group_fails(void **state)
{
    fixture_t *f = *state;
    open_at(f, "", 10);
    f->spill_fails = true;
    send_gtid(f, 1, GTID_TRANSACTIONAL);
    send_map(f, 7, "a");
    assert_int_equal(try_push_event(f, int_row(f, BINLOG_WRITE_ROWS_V1, 7, 1)),
                     SLUICE_ERROR_NO_SPACE);
    assert_non_null(strstr(f->report.text, "0-1-1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ASSEMBLER_TEST(collects_rows_by_table_in_their_order),
        ASSEMBLER_TEST(a_map_serves_the_following_groups),
        ASSEMBLER_TEST(two_numbers_of_one_table_are_one_table),
        ASSEMBLER_TEST(leaves_out_tables_outside_the_filter),
        ASSEMBLER_TEST(a_rolled_back_group_moves_the_position_only),
        ASSEMBLER_TEST(honours_savepoints),
        ASSEMBLER_TEST(a_savepoint_set_again_moves),
        ASSEMBLER_TEST(rolls_back_to_a_savepoint_that_lies_in_the_spill),
        ASSEMBLER_TEST(a_group_larger_than_the_limit_comes_in_parts),
        ASSEMBLER_TEST(a_part_says_which_tables_have_more_rows),
        ASSEMBLER_TEST(without_room_in_the_spill_the_group_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
