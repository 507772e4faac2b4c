#include "tests/testing.h"

#include <stdio.h>

#include "dispatcher/core/binlog/group_assembler.h"
#include "dispatcher/core/binlog/rows.h"
#include "tests/unit/binlog/event_builder.h"

/* Tables d.a and d.b (one INT column) are in the filter, d.new once `knows_new` is set; every other
 * name is outside. */
typedef struct {
    group_assembler_t *assembler;
    builder_t builder;
    table_definition_t *a, *b, *new_table;
    bool knows_new;
    bool statement_may_touch;
    group_t group;
    error_report_t report;
    uint8_t spill[1 << 16];
    uint64_t spill_size, spill_peak;
    bool spill_fails;
} fixture_t;

static const column_definition_t int_column[] = {{.name = "x", .type = COLUMN_INT}};

static table_definition_t *definition(const char *name)
{
    table_definition_t *made = table_definition_new();
    made->schema = "d";
    made->name = name;
    made->columns = int_column;
    made->column_count = 1;
    return made;
}

static const table_definition_t *resolve(void *context, bytes_t schema, bytes_t table)
{
    fixture_t *f = context;
    if (!bytes_equal(schema, bytes_of_text("d")))
        return NULL;
    if (bytes_equal(table, bytes_of_text("a")))
        return f->a;
    if (bytes_equal(table, bytes_of_text("b")))
        return f->b;
    return f->knows_new && bytes_equal(table, bytes_of_text("new")) ? f->new_table : NULL;
}

static bool may_touch(void *context, const binlog_query_t *query)
{
    (void)query;
    return ((fixture_t *)context)->statement_may_touch;
}

static sluice_error_t spill_write(void *context, uint64_t offset, bytes_t bytes,
                                  error_report_t *report)
{
    fixture_t *f = context;
    if (f->spill_fails)
        return error_report_set(report, SLUICE_ERROR_NO_SPACE, "full");
    assert_true(offset <= f->spill_size && offset + bytes.len <= sizeof f->spill);
    if (bytes.len)
        memcpy(f->spill + offset, bytes.data, bytes.len);
    f->spill_size = offset + bytes.len;
    if (f->spill_size > f->spill_peak)
        f->spill_peak = f->spill_size;
    return SLUICE_OK;
}

static sluice_error_t spill_read(void *context, uint64_t offset, void *to, size_t len,
                                 error_report_t *report)
{
    (void)report;
    fixture_t *f = context;
    assert_true(offset + len <= f->spill_size);
    memcpy(to, f->spill + offset, len);
    return SLUICE_OK;
}

static void spill_clear(void *context)
{
    ((fixture_t *)context)->spill_size = 0;
}

static void open_at(fixture_t *f, const char *gtid_list, uint64_t bytes_max)
{
    group_assembler_options_t options = {
        .domain = 0,
        .group_bytes_max = bytes_max,
        .resolver = {resolve, may_touch, f},
        .spill = {spill_write, spill_read, spill_clear, f},
    };
    strcpy(options.anchor.gtid_list, gtid_list);
    group_assembler_destroy(&f->assembler);
    assert_int_equal(group_assembler_new(&options, &f->assembler), SLUICE_OK);
}

static int set_up(void **state)
{
    fixture_t *f = test_calloc(1, sizeof *f);
    f->a = definition("a");
    f->b = definition("b");
    f->new_table = definition("new");
    f->statement_may_touch = true;
    open_at(f, "", GROUP_BYTES_MAX_DEFAULT);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture_t *f = *state;
    transaction_unref(&f->group.transaction);
    group_assembler_destroy(&f->assembler);
    const table_definition_t *definitions[] = {f->a, f->b, f->new_table};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(atomic_load(&((table_definition_t *)definitions[i])->references), 1);
        table_definition_unref(&definitions[i]);
    }
    test_free(f);
    return 0;
}

static sluice_error_t try_push(fixture_t *f, bytes_t event)
{
    sluice_error_t error = group_assembler_push(f->assembler, event, "binlog.000001:4", &f->report);
    builder_reset(&f->builder);
    return error;
}

static void push(fixture_t *f, bytes_t event)
{
    sluice_error_t error = try_push(f, event);
    if (error != SLUICE_OK)
        print_error("%s\n", f->report.text);
    assert_int_equal(error, SLUICE_OK);
}

static void gtid(fixture_t *f, uint64_t sequence, uint8_t flags)
{
    push(f, gtid_event(&f->builder, 0, sequence, flags));
}

static void map(fixture_t *f, uint64_t map_id, const char *table)
{
    const uint8_t type = BINLOG_TYPE_LONG;
    push(f, table_map_event(&f->builder, map_id, "d", table, &type, 1, (bytes_t){0}, (bytes_t){0}));
}

static bytes_t int_row(fixture_t *f, uint8_t type, uint64_t map_id, uint8_t value)
{
    const uint8_t row[] = {0xfe, value, 0, 0, 0};
    return rows_event(&f->builder, type, map_id, 1, bytes_of(row, sizeof row));
}

static void insert(fixture_t *f, uint64_t map_id, uint8_t value)
{
    push(f, int_row(f, BINLOG_WRITE_ROWS_V1, map_id, value));
}

static void query(fixture_t *f, const char *sql)
{
    push(f, query_event(&f->builder, "d", sql));
}

static void commit(fixture_t *f)
{
    push(f, xid_event(&f->builder));
}

static const group_t *take(fixture_t *f)
{
    transaction_unref(&f->group.transaction);
    sluice_error_t error = group_assembler_take(f->assembler, &f->group, &f->report);
    if (error != SLUICE_OK)
        print_error("%s\n", f->report.text);
    assert_int_equal(error, SLUICE_OK);
    return &f->group;
}

static void expect_none(fixture_t *f)
{
    assert_int_equal(take(f)->kind, GROUP_NONE);
}

static void expect_empty(fixture_t *f)
{
    assert_int_equal(take(f)->kind, GROUP_EMPTY);
    assert_true(f->group.is_last);
    expect_none(f);
}

static void expect_anchor(fixture_t *f, const char *gtid_list)
{
    anchor_t anchor;
    group_assembler_anchor(f->assembler, &anchor);
    assert_string_equal(anchor.gtid_list, gtid_list);
}

/* The values inserted by a table of the transaction taken last, as text "1 2 3". */
static const char *values_of(const table_rows_t *table)
{
    static char text[1024];
    text[0] = '\0';
    arena_t arena = {0};
    for (uint32_t i = 0; i < table->event_count; i++) {
        rows_reader_t reader;
        row_change_t change;
        assert_int_equal(rows_reader_init(&reader, &table->events[i], NULL), SLUICE_OK);
        while (rows_reader_next(&reader, &arena, &change, NULL) == SLUICE_OK) {
            size_t len = strlen(text);
            snprintf(text + len, sizeof text - len, "%s%d", len ? " " : "",
                     (int)change.after[0].i64);
        }
    }
    arena_clear(&arena);
    return text;
}

static void collects_rows_by_table_in_their_order(void **state)
{
    fixture_t *f = *state;
    gtid(f, 1, GTID_TRANSACTIONAL);
    map(f, 7, "a");
    map(f, 8, "b");
    insert(f, 8, 1);
    insert(f, 7, 2);
    insert(f, 8, 3);
    assert_true(group_assembler_is_inside_group(f->assembler));
    expect_none(f);
    commit(f);
    assert_int_equal(take(f)->kind, GROUP_ROWS);
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
        gtid(f, i, GTID_TRANSACTIONAL);
        map(f, 7, "a");
        insert(f, 7, (uint8_t)i);
        commit(f);
        assert_int_equal(take(f)->kind, GROUP_ROWS);
        const table_map_t *used = f->group.transaction->maps[0];
        assert_true(first == NULL || used == first);
        first = used;
    }
}

static void two_numbers_of_one_table_are_one_table(void **state)
{
    fixture_t *f = *state;
    gtid(f, 1, GTID_TRANSACTIONAL);
    map(f, 7, "a");
    insert(f, 7, 1);
    map(f, 9, "a");
    insert(f, 9, 2);
    commit(f);
    take(f);
    assert_int_equal(f->group.transaction->table_count, 1);
    assert_int_equal(f->group.transaction->map_count, 2);
    assert_string_equal(values_of(&f->group.transaction->tables[0]), "1 2");
}

static void leaves_out_tables_outside_the_filter(void **state)
{
    fixture_t *f = *state;
    gtid(f, 1, GTID_TRANSACTIONAL);
    map(f, 7, "a");
    map(f, 8, "other");
    insert(f, 8, 1);
    insert(f, 7, 2);
    commit(f);
    assert_int_equal(take(f)->kind, GROUP_ROWS);
    assert_int_equal(f->group.transaction->table_count, 1);
    gtid(f, 2, GTID_TRANSACTIONAL);
    map(f, 8, "other");
    insert(f, 8, 1);
    query(f, "COMMIT");
    expect_empty(f);
    expect_anchor(f, "0-1-2");
}

static void a_rolled_back_group_moves_the_position_only(void **state)
{
    fixture_t *f = *state;
    gtid(f, 1, GTID_TRANSACTIONAL);
    map(f, 7, "a");
    insert(f, 7, 1);
    query(f, "ROLLBACK");
    expect_empty(f);
    expect_anchor(f, "0-1-1");
}

static void honours_savepoints(void **state)
{
    fixture_t *f = *state;
    gtid(f, 1, GTID_TRANSACTIONAL);
    map(f, 7, "a");
    insert(f, 7, 1);
    query(f, "SAVEPOINT `s1`");
    insert(f, 7, 2);
    query(f, "SAVEPOINT `s2`");
    insert(f, 7, 3);
    query(f, "ROLLBACK TO `S1`");
    insert(f, 7, 4);
    query(f, "SAVEPOINT s3");
    insert(f, 7, 5);
    query(f, "rollback work to savepoint s3");
    commit(f);
    take(f);
    assert_string_equal(values_of(&f->group.transaction->tables[0]), "1 4");
}

static void a_savepoint_set_again_moves(void **state)
{
    fixture_t *f = *state;
    gtid(f, 1, GTID_TRANSACTIONAL);
    map(f, 7, "a");
    query(f, "SAVEPOINT `s`");
    insert(f, 7, 1);
    query(f, "SAVEPOINT `s`");
    insert(f, 7, 2);
    query(f, "ROLLBACK TO `s`");
    commit(f);
    take(f);
    assert_string_equal(values_of(&f->group.transaction->tables[0]), "1");
}

static void rolls_back_to_a_savepoint_that_lies_in_the_spill(void **state)
{
    fixture_t *f = *state;
    open_at(f, "", 120);
    gtid(f, 1, GTID_TRANSACTIONAL);
    map(f, 7, "a");
    insert(f, 7, 1);
    query(f, "SAVEPOINT s");
    for (uint8_t i = 2; i < 20; i++)
        insert(f, 7, i);
    assert_true(f->spill_size > 0);
    query(f, "ROLLBACK TO s");
    insert(f, 7, 20);
    commit(f);
    take(f);
    assert_true(f->group.transaction->is_last_part);
    assert_string_equal(values_of(&f->group.transaction->tables[0]), "1 20");
    assert_int_equal(f->spill_size, 0);
}

static void a_group_larger_than_the_limit_comes_in_parts(void **state)
{
    fixture_t *f = *state;
    open_at(f, "", 200);
    gtid(f, 1, GTID_TRANSACTIONAL);
    map(f, 7, "a");
    map(f, 8, "b");
    for (uint8_t i = 0; i < 50; i++)
        insert(f, i % 2 ? 7 : 8, i);
    commit(f);
    unsigned parts = 0;
    int next = 0;
    while (take(f)->kind == GROUP_ROWS) {
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

static void without_room_in_the_spill_the_group_fails(void **state)
{
    fixture_t *f = *state;
    open_at(f, "", 10);
    f->spill_fails = true;
    gtid(f, 1, GTID_TRANSACTIONAL);
    map(f, 7, "a");
    assert_int_equal(try_push(f, int_row(f, BINLOG_WRITE_ROWS_V1, 7, 1)), SLUICE_ERROR_NO_SPACE);
    assert_non_null(strstr(f->report.text, "0-1-1"));
}

static void a_schema_change_is_a_group_of_its_own(void **state)
{
    fixture_t *f = *state;
    gtid(f, 5, GTID_STANDALONE | GTID_DDL);
    query(f, "alter table a add y int");
    assert_int_equal(take(f)->kind, GROUP_DDL);
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
    gtid(f, 5, GTID_DDL);
    query(f, "CREATE TABLE `new` (x int)");
    expect_none(f);
    map(f, 7, "new");
    insert(f, 7, 1);
    map(f, 8, "other");
    insert(f, 8, 2);
    commit(f);
    assert_int_equal(take(f)->kind, GROUP_DDL);
    assert_false(f->group.is_last);
    expect_anchor(f, "");
    f->knows_new = true;
    assert_int_equal(take(f)->kind, GROUP_ROWS);
    assert_true(f->group.is_last);
    assert_int_equal(f->group.transaction->table_count, 1);
    assert_string_equal(values_of(&f->group.transaction->tables[0]), "1");
    expect_none(f);
    expect_anchor(f, "0-1-5");
}

static void create_select_of_a_table_outside_has_no_rows(void **state)
{
    fixture_t *f = *state;
    gtid(f, 5, GTID_DDL);
    query(f, "CREATE TABLE `new` (x int)");
    map(f, 7, "new");
    insert(f, 7, 1);
    commit(f);
    assert_int_equal(take(f)->kind, GROUP_DDL);
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
        push(f, end_event(&f->builder));
        query(f, "alter table a add y int");
        assert_int_equal(take(f)->kind, i == 3 ? GROUP_DDL : GROUP_EMPTY);
    }
    expect_anchor(f, "0-1-4");
}

static void xa_inside_the_filter_fails_and_outside_passes(void **state)
{
    fixture_t *f = *state;
    gtid(f, 1, GTID_TRANSACTIONAL | GTID_PREPARED_XA);
    map(f, 8, "other");
    insert(f, 8, 1);
    query(f, "XA END X'78',X'',1");
    begin_event(&f->builder, BINLOG_XA_PREPARE, 0);
    push(f, end_event(&f->builder));
    expect_empty(f);
    gtid(f, 2, GTID_STANDALONE | GTID_COMPLETED_XA);
    query(f, "XA COMMIT X'78',X'',1");
    expect_empty(f);
    gtid(f, 3, GTID_TRANSACTIONAL | GTID_PREPARED_XA);
    map(f, 7, "a");
    assert_int_equal(try_push(f, int_row(f, BINLOG_WRITE_ROWS_V1, 7, 1)), SLUICE_ERROR_SOURCE_XA);
}

static void other_domains_pass_unless_they_touch_the_filter(void **state)
{
    fixture_t *f = *state;
    gtid(f, 1, GTID_STANDALONE | GTID_DDL);
    query(f, "grant all on *.* to x");
    take(f);
    push(f, gtid_event(&f->builder, 3, 50, GTID_TRANSACTIONAL));
    map(f, 8, "other");
    insert(f, 8, 1);
    commit(f);
    assert_int_equal(take(f)->kind, GROUP_EMPTY);
    assert_false(f->group.in_domain);
    assert_int_equal(f->group.commit_ts.v, 1);
    expect_anchor(f, "0-1-1,3-1-50");

    push(f, gtid_event(&f->builder, 3, 51, GTID_TRANSACTIONAL));
    map(f, 7, "a");
    assert_int_equal(try_push(f, int_row(f, BINLOG_DELETE_ROWS_V1, 7, 1)),
                     SLUICE_ERROR_SOURCE_DOMAIN);
}

static void a_schema_change_in_another_domain_fails_when_it_might_touch(void **state)
{
    fixture_t *f = *state;
    f->statement_may_touch = false;
    push(f, gtid_event(&f->builder, 3, 50, GTID_STANDALONE | GTID_DDL));
    query(f, "create table other.x (a int)");
    expect_empty(f);
    f->statement_may_touch = true;
    push(f, gtid_event(&f->builder, 3, 51, GTID_STANDALONE | GTID_DDL));
    assert_int_equal(try_push(f, query_event(&f->builder, "d", "drop table a")),
                     SLUICE_ERROR_SOURCE_DOMAIN);
}

static void statements_fail_when_they_might_touch(void **state)
{
    fixture_t *f = *state;
    f->statement_may_touch = false;
    gtid(f, 1, GTID_TRANSACTIONAL);
    query(f, "insert into other.x values (1)");
    commit(f);
    expect_empty(f);
    f->statement_may_touch = true;
    gtid(f, 2, GTID_TRANSACTIONAL);
    query(f, "create temporary table x (a int)");
    assert_int_equal(try_push(f, query_event(&f->builder, "d", "/* c */ update a set x = 1")),
                     SLUICE_ERROR_SOURCE_STATEMENT_FORMAT);
}

static void a_sequence_that_does_not_ascend_fails(void **state)
{
    fixture_t *f = *state;
    gtid(f, 5, GTID_TRANSACTIONAL);
    commit(f);
    take(f);
    assert_int_equal(try_push(f, gtid_event(&f->builder, 0, 5, GTID_TRANSACTIONAL)),
                     SLUICE_ERROR_SOURCE_SEQUENCE);
}

static void groups_at_or_below_the_anchor_are_passed(void **state)
{
    fixture_t *f = *state;
    open_at(f, "0-9-5,3-3-7", GROUP_BYTES_MAX_DEFAULT);
    for (uint64_t i = 4; i <= 6; i++) {
        gtid(f, i, GTID_TRANSACTIONAL);
        map(f, 7, "a");
        insert(f, 7, (uint8_t)i);
        assert_int_equal(group_assembler_is_inside_group(f->assembler), i == 6);
        commit(f);
        assert_int_equal(take(f)->kind, i == 6 ? GROUP_ROWS : GROUP_NONE);
    }
    push(f, gtid_event(&f->builder, 3, 7, GTID_TRANSACTIONAL));
    map(f, 7, "a");
    insert(f, 7, 1);
    commit(f);
    expect_none(f);
    expect_anchor(f, "0-1-6,3-3-7");
}

static void a_reset_forgets_the_open_group_and_reads_again(void **state)
{
    fixture_t *f = *state;
    for (int round = 0; round < 2; round++) {
        gtid(f, 1, GTID_TRANSACTIONAL);
        map(f, 7, "a");
        insert(f, 7, 1);
        commit(f);
        assert_int_equal(take(f)->kind, round ? GROUP_NONE : GROUP_ROWS);
        gtid(f, 2, GTID_TRANSACTIONAL);
        map(f, 7, "a");
        insert(f, 7, 2);
        if (round == 0)
            group_assembler_reset(f->assembler);
    }
    commit(f);
    assert_int_equal(take(f)->kind, GROUP_ROWS);
    assert_string_equal(values_of(&f->group.transaction->tables[0]), "2");
}

static void a_group_cut_by_a_crash_of_the_source_is_dropped(void **state)
{
    fixture_t *f = *state;
    gtid(f, 1, GTID_TRANSACTIONAL);
    map(f, 7, "a");
    insert(f, 7, 1);
    begin_event(&f->builder, BINLOG_FORMAT_DESCRIPTION, 0);
    push(f, end_event(&f->builder));
    assert_false(group_assembler_is_inside_group(f->assembler));
    gtid(f, 2, GTID_TRANSACTIONAL);
    map(f, 7, "a");
    insert(f, 7, 2);
    commit(f);
    take(f);
    assert_string_equal(values_of(&f->group.transaction->tables[0]), "2");
}

static void a_partial_row_image_fails_by_table_and_place(void **state)
{
    fixture_t *f = *state;
    gtid(f, 1, GTID_TRANSACTIONAL);
    map(f, 7, "a");
    bytes_t event = int_row(f, BINLOG_WRITE_ROWS_V1, 7, 1);
    f->builder.data[BINLOG_HEADER_SIZE + 9] = 0;
    assert_int_equal(try_push(f, event), SLUICE_ERROR_SOURCE_ROW_IMAGE);
    assert_non_null(strstr(f->report.text, "d.a"));
    assert_non_null(strstr(f->report.text, "binlog.000001:4"));
}

static void a_map_that_is_not_of_the_definition_fails(void **state)
{
    fixture_t *f = *state;
    const uint8_t types[] = {BINLOG_TYPE_LONG, BINLOG_TYPE_LONG};
    gtid(f, 1, GTID_TRANSACTIONAL);
    assert_int_equal(try_push(f, table_map_event(&f->builder, 7, "d", "a", types, 2, (bytes_t){0},
                                                 (bytes_t){0})),
                     SLUICE_ERROR_SCHEMA_MISMATCH);
    assert_non_null(strstr(f->report.text, "d.a"));
}

static void events_in_no_possible_order_are_damage(void **state)
{
    fixture_t *f = *state;
    assert_int_equal(try_push(f, xid_event(&f->builder)), SLUICE_ERROR_SOURCE_CORRUPT);
    gtid(f, 1, GTID_TRANSACTIONAL);
    assert_int_equal(try_push(f, int_row(f, BINLOG_WRITE_ROWS_V1, 7, 1)),
                     SLUICE_ERROR_SOURCE_CORRUPT);
    assert_int_equal(try_push(f, query_event(&f->builder, "d", "ROLLBACK TO nowhere")),
                     SLUICE_ERROR_SOURCE_CORRUPT);
    assert_int_equal(try_push(f, gtid_event(&f->builder, 0, 2, 0)), SLUICE_ERROR_SOURCE_CORRUPT);
}

static void a_map_of_an_earlier_group_does_not_count(void **state)
{
    fixture_t *f = *state;
    gtid(f, 1, GTID_TRANSACTIONAL);
    map(f, 7, "a");
    commit(f);
    expect_empty(f);
    gtid(f, 2, GTID_TRANSACTIONAL);
    assert_int_equal(try_push(f, int_row(f, BINLOG_WRITE_ROWS_V1, 7, 1)),
                     SLUICE_ERROR_SOURCE_CORRUPT);
}

static void unknown_events_pass_only_if_they_may_be_ignored(void **state)
{
    fixture_t *f = *state;
    begin_event(&f->builder, 200, BINLOG_FLAG_IGNORABLE);
    push(f, end_event(&f->builder));
    begin_event(&f->builder, 200, 0);
    assert_int_equal(try_push(f, end_event(&f->builder)), SLUICE_ERROR_SOURCE_CORRUPT);
    begin_event(&f->builder, BINLOG_INCIDENT, 0);
    assert_int_equal(try_push(f, end_event(&f->builder)), SLUICE_ERROR_SOURCE_CORRUPT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(collects_rows_by_table_in_their_order),
        TEST(a_map_serves_the_following_groups),
        TEST(two_numbers_of_one_table_are_one_table),
        TEST(leaves_out_tables_outside_the_filter),
        TEST(a_rolled_back_group_moves_the_position_only),
        TEST(honours_savepoints),
        TEST(a_savepoint_set_again_moves),
        TEST(rolls_back_to_a_savepoint_that_lies_in_the_spill),
        TEST(a_group_larger_than_the_limit_comes_in_parts),
        TEST(without_room_in_the_spill_the_group_fails),
        TEST(a_schema_change_is_a_group_of_its_own),
        TEST(create_select_yields_the_schema_change_and_then_its_rows),
        TEST(create_select_of_a_table_outside_has_no_rows),
        TEST(alter_in_two_phases_counts_when_it_commits),
        TEST(xa_inside_the_filter_fails_and_outside_passes),
        TEST(other_domains_pass_unless_they_touch_the_filter),
        TEST(a_schema_change_in_another_domain_fails_when_it_might_touch),
        TEST(statements_fail_when_they_might_touch),
        TEST(a_sequence_that_does_not_ascend_fails),
        TEST(groups_at_or_below_the_anchor_are_passed),
        TEST(a_reset_forgets_the_open_group_and_reads_again),
        TEST(a_group_cut_by_a_crash_of_the_source_is_dropped),
        TEST(a_partial_row_image_fails_by_table_and_place),
        TEST(a_map_that_is_not_of_the_definition_fails),
        TEST(events_in_no_possible_order_are_damage),
        TEST(a_map_of_an_earlier_group_does_not_count),
        TEST(unknown_events_pass_only_if_they_may_be_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
