/* Groups that are no plain transaction, and those that fail the changefeed. */
#include "tests/unit/binlog/assembler_fixture.h"

static void a_schema_change_is_a_group_of_its_own(void **state)
{
    fixture_t *f = *state;
    send_gtid(f, 5, GTID_STANDALONE | GTID_DDL);
    send_query(f, "alter table a add y int");
    assert_int_equal(take_group(f)->kind, GROUP_DDL);
    assert_true(f->group.is_last && f->group.in_domain);
    assert_int_equal(f->group.commit_ts.v, 5);
    assert_true(bytes_equal(f->group.query->sql, bytes_of_text("alter table a add y int")));
    assert_string_equal(f->group.query->context.default_schema, "d");
    expect_none(f);
    expect_anchor(f, "0-1-5");
}

static void create_select_yields_the_schema_change_and_then_its_rows(void **state)
{
    fixture_t *f = *state;
    send_gtid(f, 5, GTID_DDL);
    send_query(f, "CREATE TABLE `new` (x int)");
    expect_none(f);
    send_map(f, 7, "new");
    send_insert(f, 7, 1);
    send_map(f, 8, "other");
    send_insert(f, 8, 2);
    send_commit(f);
    assert_int_equal(take_group(f)->kind, GROUP_DDL);
    assert_false(f->group.is_last);
    expect_anchor(f, "");
    f->knows_new = true;
    assert_int_equal(take_group(f)->kind, GROUP_ROWS);
    assert_true(f->group.is_last);
    assert_int_equal(f->group.transaction->table_count, 1);
    assert_string_equal(values_of(&f->group.transaction->tables[0]), "1");
    expect_none(f);
    expect_anchor(f, "0-1-5");
}

static void create_select_of_a_table_outside_has_no_rows(void **state)
{
    fixture_t *f = *state;
    send_gtid(f, 5, GTID_DDL);
    send_query(f, "CREATE TABLE `new` (x int)");
    send_map(f, 7, "new");
    send_insert(f, 7, 1);
    send_commit(f);
    assert_int_equal(take_group(f)->kind, GROUP_DDL);
    assert_false(f->group.is_last);
    expect_empty(f);
    expect_anchor(f, "0-1-5");
}

static void alter_in_two_phases_counts_when_it_commits(void **state)
{
    fixture_t *f = *state;
    static const uint8_t phases[] = {GTID_EXTRA_START_ALTER, GTID_EXTRA_ROLLBACK_ALTER,
                                     GTID_EXTRA_START_ALTER, GTID_EXTRA_COMMIT_ALTER};
    for (uint64_t i = 0; i < 4; i++) {
        begin_event(&f->builder, BINLOG_GTID, 0);
        put_uint(&f->builder, i + 1, 8);
        put_uint(&f->builder, 0, 4);
        put_uint(&f->builder, GTID_STANDALONE | GTID_DDL, 1);
        put_uint(&f->builder, phases[i], 1);
        put_uint(&f->builder, 1, 8);
        push_event(f, end_event(&f->builder));
        send_query(f, "alter table a add y int");
        assert_int_equal(take_group(f)->kind, i == 3 ? GROUP_DDL : GROUP_EMPTY);
    }
    expect_anchor(f, "0-1-4");
}

static void xa_inside_the_filter_fails_and_outside_passes(void **state)
{
    fixture_t *f = *state;
    send_gtid(f, 1, GTID_TRANSACTIONAL | GTID_PREPARED_XA);
    send_map(f, 8, "other");
    send_insert(f, 8, 1);
    send_query(f, "XA END X'78',X'',1");
    begin_event(&f->builder, BINLOG_XA_PREPARE, 0);
    push_event(f, end_event(&f->builder));
    expect_empty(f);
    send_gtid(f, 2, GTID_STANDALONE | GTID_COMPLETED_XA);
    send_query(f, "XA COMMIT X'78',X'',1");
    expect_empty(f);
    send_gtid(f, 3, GTID_TRANSACTIONAL | GTID_PREPARED_XA);
    send_map(f, 7, "a");
    assert_int_equal(try_push_event(f, int_row(f, BINLOG_WRITE_ROWS_V1, 7, 1)),
                     SLUICE_ERROR_SOURCE_XA);
}

static void other_domains_pass_unless_they_touch_the_filter(void **state)
{
    fixture_t *f = *state;
    send_gtid(f, 1, GTID_STANDALONE | GTID_DDL);
    send_query(f, "grant all on *.* to x");
    take_group(f);
    push_event(f, gtid_event(&f->builder, 3, 50, GTID_TRANSACTIONAL));
    send_map(f, 8, "other");
    send_insert(f, 8, 1);
    send_commit(f);
    assert_int_equal(take_group(f)->kind, GROUP_EMPTY);
    assert_false(f->group.in_domain);
    assert_int_equal(f->group.commit_ts.v, 1);
    expect_anchor(f, "0-1-1,3-1-50");

    push_event(f, gtid_event(&f->builder, 3, 51, GTID_TRANSACTIONAL));
    send_map(f, 7, "a");
    assert_int_equal(try_push_event(f, int_row(f, BINLOG_DELETE_ROWS_V1, 7, 1)),
                     SLUICE_ERROR_SOURCE_DOMAIN);
}

static void a_schema_change_in_another_domain_fails_when_it_might_touch(void **state)
{
    fixture_t *f = *state;
    f->statement_may_touch = false;
    push_event(f, gtid_event(&f->builder, 3, 50, GTID_STANDALONE | GTID_DDL));
    send_query(f, "create table other.x (a int)");
    expect_empty(f);
    f->statement_may_touch = true;
    push_event(f, gtid_event(&f->builder, 3, 51, GTID_STANDALONE | GTID_DDL));
    assert_int_equal(try_push_event(f, query_event(&f->builder, "d", "drop table a")),
                     SLUICE_ERROR_SOURCE_DOMAIN);
}

static void statements_fail_when_they_might_touch(void **state)
{
    fixture_t *f = *state;
    f->statement_may_touch = false;
    send_gtid(f, 1, GTID_TRANSACTIONAL);
    send_query(f, "insert into other.x values (1)");
    send_commit(f);
    expect_empty(f);
    f->statement_may_touch = true;
    send_gtid(f, 2, GTID_TRANSACTIONAL);
    send_query(f, "create temporary table x (a int)");
    assert_int_equal(try_push_event(f, query_event(&f->builder, "d", "/* c */ update a set x = 1")),
                     SLUICE_ERROR_SOURCE_STATEMENT_FORMAT);
}

static void a_sequence_that_does_not_ascend_fails(void **state)
{
    fixture_t *f = *state;
    send_gtid(f, 5, GTID_TRANSACTIONAL);
    send_commit(f);
    take_group(f);
    assert_int_equal(try_push_event(f, gtid_event(&f->builder, 0, 5, GTID_TRANSACTIONAL)),
                     SLUICE_ERROR_SOURCE_SEQUENCE);
}

static void groups_at_or_below_the_anchor_are_passed(void **state)
{
    fixture_t *f = *state;
    open_at(f, "0-9-5,3-3-7", GROUP_BYTES_MAX_DEFAULT);
    for (uint64_t i = 4; i <= 6; i++) {
        send_gtid(f, i, GTID_TRANSACTIONAL);
        send_map(f, 7, "a");
        send_insert(f, 7, (uint8_t)i);
        assert_int_equal(group_assembler_is_inside_group(f->assembler), i == 6);
        send_commit(f);
        assert_int_equal(take_group(f)->kind, i == 6 ? GROUP_ROWS : GROUP_NONE);
    }
    push_event(f, gtid_event(&f->builder, 3, 7, GTID_TRANSACTIONAL));
    send_map(f, 7, "a");
    send_insert(f, 7, 1);
    send_commit(f);
    expect_none(f);
    expect_anchor(f, "0-1-6,3-3-7");
}

static void a_reset_forgets_the_open_group_and_reads_again(void **state)
{
    fixture_t *f = *state;
    for (int round = 0; round < 2; round++) {
        send_gtid(f, 1, GTID_TRANSACTIONAL);
        send_map(f, 7, "a");
        send_insert(f, 7, 1);
        send_commit(f);
        assert_int_equal(take_group(f)->kind, round ? GROUP_NONE : GROUP_ROWS);
        send_gtid(f, 2, GTID_TRANSACTIONAL);
        send_map(f, 7, "a");
        send_insert(f, 7, 2);
        if (round == 0)
            group_assembler_reset(f->assembler);
    }
    send_commit(f);
    assert_int_equal(take_group(f)->kind, GROUP_ROWS);
    assert_string_equal(values_of(&f->group.transaction->tables[0]), "2");
}

static void a_group_cut_by_a_crash_of_the_source_is_dropped(void **state)
{
    fixture_t *f = *state;
    send_gtid(f, 1, GTID_TRANSACTIONAL);
    send_map(f, 7, "a");
    send_insert(f, 7, 1);
    begin_event(&f->builder, BINLOG_FORMAT_DESCRIPTION, 0);
    push_event(f, end_event(&f->builder));
    assert_false(group_assembler_is_inside_group(f->assembler));
    send_gtid(f, 2, GTID_TRANSACTIONAL);
    send_map(f, 7, "a");
    send_insert(f, 7, 2);
    send_commit(f);
    take_group(f);
    assert_string_equal(values_of(&f->group.transaction->tables[0]), "2");
}

static void a_partial_row_image_fails_by_table_and_place(void **state)
{
    fixture_t *f = *state;
    send_gtid(f, 1, GTID_TRANSACTIONAL);
    send_map(f, 7, "a");
    bytes_t event = int_row(f, BINLOG_WRITE_ROWS_V1, 7, 1);
    f->builder.data[BINLOG_HEADER_SIZE + 9] = 0;
    assert_int_equal(try_push_event(f, event), SLUICE_ERROR_SOURCE_ROW_IMAGE);
    assert_non_null(strstr(f->report.text, "d.a"));
    assert_non_null(strstr(f->report.text, "binlog.000001:4"));
}

static void a_map_that_is_not_of_the_definition_fails(void **state)
{
    fixture_t *f = *state;
    const uint8_t types[] = {BINLOG_TYPE_LONG, BINLOG_TYPE_LONG};
    send_gtid(f, 1, GTID_TRANSACTIONAL);
    assert_int_equal(try_push_event(f, table_map_event(&f->builder, 7, "d", "a", types, 2,
                                                       (bytes_t){0}, (bytes_t){0})),
                     SLUICE_ERROR_SCHEMA_MISMATCH);
    assert_non_null(strstr(f->report.text, "d.a"));
}

static void events_in_no_possible_order_are_damage(void **state)
{
    fixture_t *f = *state;
    assert_int_equal(try_push_event(f, xid_event(&f->builder)), SLUICE_ERROR_SOURCE_CORRUPT);
    send_gtid(f, 1, GTID_TRANSACTIONAL);
    assert_int_equal(try_push_event(f, int_row(f, BINLOG_WRITE_ROWS_V1, 7, 1)),
                     SLUICE_ERROR_SOURCE_CORRUPT);
    assert_int_equal(try_push_event(f, query_event(&f->builder, "d", "ROLLBACK TO nowhere")),
                     SLUICE_ERROR_SOURCE_CORRUPT);
    assert_int_equal(try_push_event(f, gtid_event(&f->builder, 0, 2, 0)),
                     SLUICE_ERROR_SOURCE_CORRUPT);
}

static void a_map_of_an_earlier_group_does_not_count(void **state)
{
    fixture_t *f = *state;
    send_gtid(f, 1, GTID_TRANSACTIONAL);
    send_map(f, 7, "a");
    send_commit(f);
    expect_empty(f);
    send_gtid(f, 2, GTID_TRANSACTIONAL);
    assert_int_equal(try_push_event(f, int_row(f, BINLOG_WRITE_ROWS_V1, 7, 1)),
                     SLUICE_ERROR_SOURCE_CORRUPT);
}

static void unknown_events_pass_only_if_they_may_be_ignored(void **state)
{
    fixture_t *f = *state;
    begin_event(&f->builder, 200, BINLOG_FLAG_IGNORABLE);
    push_event(f, end_event(&f->builder));
    begin_event(&f->builder, 200, 0);
    assert_int_equal(try_push_event(f, end_event(&f->builder)), SLUICE_ERROR_SOURCE_CORRUPT);
    begin_event(&f->builder, BINLOG_INCIDENT, 0);
    assert_int_equal(try_push_event(f, end_event(&f->builder)), SLUICE_ERROR_SOURCE_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ASSEMBLER_TEST(a_schema_change_is_a_group_of_its_own),
        ASSEMBLER_TEST(create_select_yields_the_schema_change_and_then_its_rows),
        ASSEMBLER_TEST(create_select_of_a_table_outside_has_no_rows),
        ASSEMBLER_TEST(alter_in_two_phases_counts_when_it_commits),
        ASSEMBLER_TEST(xa_inside_the_filter_fails_and_outside_passes),
        ASSEMBLER_TEST(other_domains_pass_unless_they_touch_the_filter),
        ASSEMBLER_TEST(a_schema_change_in_another_domain_fails_when_it_might_touch),
        ASSEMBLER_TEST(statements_fail_when_they_might_touch),
        ASSEMBLER_TEST(a_sequence_that_does_not_ascend_fails),
        ASSEMBLER_TEST(groups_at_or_below_the_anchor_are_passed),
        ASSEMBLER_TEST(a_reset_forgets_the_open_group_and_reads_again),
        ASSEMBLER_TEST(a_group_cut_by_a_crash_of_the_source_is_dropped),
        ASSEMBLER_TEST(a_partial_row_image_fails_by_table_and_place),
        ASSEMBLER_TEST(a_map_that_is_not_of_the_definition_fails),
        ASSEMBLER_TEST(events_in_no_possible_order_are_damage),
        ASSEMBLER_TEST(a_map_of_an_earlier_group_does_not_count),
        ASSEMBLER_TEST(unknown_events_pass_only_if_they_may_be_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
