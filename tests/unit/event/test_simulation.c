#include "tests/testing.h"

#include <stdio.h>
#include <stdlib.h>

#include "dispatcher/core/binlog/group_assembler.h"
#include "dispatcher/core/binlog/rows.h"
#include "dispatcher/upstream/simulation.h"

#define ROWS_MAX 100000

static const simulation_options_t plain = {.tables = 2,
                                           .transactions = 500,
                                           .rows_per_transaction = 4,
                                           .tables_per_transaction = 2,
                                           .seed = 7};

static void binlog_of(const simulation_options_t *options, uint64_t from, binlog_writer_t *writer)
{
    simulation_t *simulation = simulation_new(options);
    while (simulation_position(simulation).v < from)
        assert_true(simulation_next(simulation, NULL));
    while (simulation_next(simulation, writer))
        continue;
    simulation_destroy(&simulation);
}

static void same_options_give_the_same_log_from_any_position(void **state)
{
    (void)state;
    simulation_options_t options = plain;
    options.ddl_every = 3;
    binlog_writer_t whole = {0}, again = {0}, rest = {0}, other = {0};
    binlog_of(&options, 0, &whole);
    binlog_of(&options, 0, &again);
    binlog_of(&options, 250, &rest);
    assert_int_equal(whole.len, again.len);
    assert_memory_equal(whole.data, again.data, whole.len);
    assert_true(rest.len > 0 && rest.len < whole.len);
    assert_memory_equal(whole.data + whole.len - rest.len, rest.data, rest.len);
    options.seed++;
    binlog_of(&options, 0, &other);
    assert_false(other.len == whole.len && memcmp(other.data, whole.data, whole.len) == 0);
    binlog_writer_clear(&whole);
    binlog_writer_clear(&again);
    binlog_writer_clear(&rest);
    binlog_writer_clear(&other);
}

/* ---- read back with our own parser ---- */

typedef struct {
    table_definition_t *definitions[2];
    char *last[2][ROWS_MAX]; /* text of each live row */
    uint64_t changes;
} reader_t;

static column_definition_t column(const char *name, column_type_t type)
{
    return (column_definition_t){.name = name, .type = type};
}

static table_definition_t *definition_of(uint64_t number)
{
    table_definition_t *definition = table_definition_new();
    column_definition_t *columns = arena_calloc(&definition->arena, 5, sizeof *columns);
    columns[0] = column("id", COLUMN_BIGINT);
    columns[0].flags = COLUMN_NOT_NULL;
    columns[1] = column("a", COLUMN_INT);
    columns[2] = column("b", COLUMN_VARCHAR);
    columns[2].length = 64;
    columns[2].charset = "utf8mb4";
    columns[3] = column("c", COLUMN_DECIMAL);
    columns[3].flags = COLUMN_NOT_NULL;
    columns[3].precision = 12;
    columns[3].scale = 2;
    columns[4] = column("d", COLUMN_DATETIME);
    columns[4].fsp = 3;
    definition->table_id.v = number + 1;
    definition->schema = "sim";
    definition->name = arena_printf(&definition->arena, "t%d", (int)number);
    definition->columns = columns;
    definition->column_count = 5;
    return definition;
}

static const table_definition_t *resolve(void *context, bytes_t schema, bytes_t table)
{
    reader_t *reader = context;
    assert_true(bytes_equal(schema, bytes_of_text("sim")));
    assert_int_equal(table.len, 2);
    return reader->definitions[table.data[1] - '0'];
}

static char *text_of(const value_t *values)
{
    char date[TEMPORAL_TEXT_SIZE] = "NULL", text[256];
    assert_int_equal(values[0].kind, VALUE_INT);
    assert_int_equal(values[3].kind, VALUE_DECIMAL);
    if (values[4].kind != VALUE_NULL)
        temporal_format(VALUE_DATETIME, &values[4].temporal, date);
    snprintf(text, sizeof text, "%lld|%lld|%.*s|%.*s|%s", (long long)values[0].i64,
             values[1].kind == VALUE_NULL ? -1LL : (long long)values[1].i64,
             values[2].kind == VALUE_NULL ? 4 : (int)values[2].bytes.len,
             values[2].kind == VALUE_NULL ? "NULL" : (const char *)values[2].bytes.data,
             (int)values[3].bytes.len, (const char *)values[3].bytes.data, date);
    return strdup(text);
}

/* Every before image is what was written last. */
static void follow(reader_t *reader, const table_definition_t *definition,
                   const row_change_t *change)
{
    char **rows = reader->last[definition->table_id.v - 1];
    int64_t id = change->before ? change->before[0].i64 : change->after[0].i64;
    assert_in_range(id, 0, ROWS_MAX - 1);
    if (change->kind == ROW_INSERT) {
        assert_null(rows[id]);
    } else {
        char *before = text_of(change->before);
        assert_non_null(rows[id]);
        assert_string_equal(before, rows[id]);
        free(before);
        free(rows[id]);
        rows[id] = NULL;
    }
    if (change->after)
        rows[id] = text_of(change->after);
    reader->changes++;
}

static void read_transaction(reader_t *reader, const transaction_t *transaction)
{
    arena_t arena = {0};
    for (uint32_t t = 0; t < transaction->table_count; t++) {
        const table_rows_t *rows = &transaction->tables[t];
        for (uint32_t e = 0; e < rows->event_count; e++) {
            rows_reader_t events;
            row_change_t change;
            error_report_t report;
            assert_int_equal(rows_reader_init(&events, &rows->events[e], &report), SLUICE_OK);
            while (rows_reader_next(&events, &arena, &change, &report) == SLUICE_OK) {
                follow(reader, rows->definition, &change);
                arena_reset(&arena);
            }
        }
    }
    arena_clear(&arena);
}

static uint64_t read_all(reader_t *reader, const binlog_writer_t *writer)
{
    group_assembler_t *assembler;
    group_assembler_options_t options = {.group_bytes_max = GROUP_BYTES_MAX_DEFAULT,
                                         .resolver = {.resolve = resolve, .context = reader}};
    assert_int_equal(group_assembler_new(&options, &assembler), SLUICE_OK);
    uint64_t groups = 0;
    size_t offset = 0;
    for (bytes_t event; (event = binlog_writer_event(writer, &offset)).len;) {
        error_report_t report = {0};
        if (group_assembler_push(assembler, event, "here", &report) != SLUICE_OK)
            fail_msg("%s", report.text);
        for (;;) {
            group_t group;
            assert_int_equal(group_assembler_take(assembler, &group, &report), SLUICE_OK);
            if (group.kind == GROUP_NONE)
                break;
            assert_int_equal(group.commit_ts.v, ++groups);
            read_transaction(reader, group.transaction);
            transaction_unref(&group.transaction);
        }
    }
    group_assembler_destroy(&assembler);
    return groups;
}

static void our_parser_reads_it_and_before_images_are_truthful(void **state)
{
    (void)state;
    reader_t *reader = calloc(1, sizeof *reader);
    for (uint64_t i = 0; i < 2; i++)
        reader->definitions[i] = definition_of(i);
    binlog_writer_t writer = {.server_id = 1};
    binlog_write_format_description(&writer);
    binlog_of(&plain, 0, &writer);
    assert_int_equal(read_all(reader, &writer), 500);
    assert_true(reader->changes > 1000);
    binlog_writer_clear(&writer);
    for (int t = 0; t < 2; t++) {
        const table_definition_t *definition = reader->definitions[t];
        table_definition_unref(&definition);
        for (int i = 0; i < ROWS_MAX; i++)
            free(reader->last[t][i]);
    }
    free(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_options_give_the_same_log_from_any_position),
        cmocka_unit_test(our_parser_reads_it_and_before_images_are_truthful),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
