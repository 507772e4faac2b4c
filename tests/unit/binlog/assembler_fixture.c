#include "tests/unit/binlog/assembler_fixture.h"

#include <stdio.h>

#include "dispatcher/core/binlog/rows.h"

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

void open_at(fixture_t *f, const char *gtid_list, uint64_t bytes_max)
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

int fixture_set_up(void **state)
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

int fixture_tear_down(void **state)
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

sluice_error_t try_push_event(fixture_t *f, bytes_t event)
{
    sluice_error_t error = group_assembler_push(f->assembler, event, "binlog.000001:4", &f->report);
    builder_reset(&f->builder);
    return error;
}

void push_event(fixture_t *f, bytes_t event)
{
    sluice_error_t error = try_push_event(f, event);
    if (error != SLUICE_OK)
        print_error("%s\n", f->report.text);
    assert_int_equal(error, SLUICE_OK);
}

void send_gtid(fixture_t *f, uint64_t sequence, uint8_t flags)
{
    push_event(f, gtid_event(&f->builder, 0, sequence, flags));
}

void send_map(fixture_t *f, uint64_t map_id, const char *table)
{
    const uint8_t type = BINLOG_TYPE_LONG;
    push_event(
        f, table_map_event(&f->builder, map_id, "d", table, &type, 1, (bytes_t){0}, (bytes_t){0}));
}

bytes_t int_row(fixture_t *f, uint8_t type, uint64_t map_id, uint8_t value)
{
    const uint8_t row[] = {0xfe, value, 0, 0, 0};
    return rows_event(&f->builder, type, map_id, 1, bytes_of(row, sizeof row));
}

void send_insert(fixture_t *f, uint64_t map_id, uint8_t value)
{
    push_event(f, int_row(f, BINLOG_WRITE_ROWS_V1, map_id, value));
}

void send_query(fixture_t *f, const char *sql)
{
    push_event(f, query_event(&f->builder, "d", sql));
}

void send_commit(fixture_t *f)
{
    push_event(f, xid_event(&f->builder));
}

const group_t *take_group(fixture_t *f)
{
    transaction_unref(&f->group.transaction);
    sluice_error_t error = group_assembler_take(f->assembler, &f->group, &f->report);
    if (error != SLUICE_OK)
        print_error("%s\n", f->report.text);
    assert_int_equal(error, SLUICE_OK);
    return &f->group;
}

void expect_none(fixture_t *f)
{
    assert_int_equal(take_group(f)->kind, GROUP_NONE);
}

void expect_empty(fixture_t *f)
{
    assert_int_equal(take_group(f)->kind, GROUP_EMPTY);
    assert_true(f->group.is_last);
    expect_none(f);
}

void expect_anchor(fixture_t *f, const char *gtid_list)
{
    anchor_t anchor;
    group_assembler_anchor(f->assembler, &anchor);
    assert_string_equal(anchor.gtid_list, gtid_list);
}

/* The values inserted by a table of the transaction taken last, as text "1 2 3". */
const char *values_of(const table_rows_t *table)
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
