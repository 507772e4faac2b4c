#include "tests/testing.h"

#include "tests/unit/binlog/recorded_set.h"

#include <stdio.h>
#include <stdlib.h>

#include "dispatcher/core/binlog/rows.h"
#include "dispatcher/core/ddl/definition.h"
#include "tests/unit/binlog/value_text.h"

#define TABLES_MAX 64
#define FIELDS_MAX 64
#define SERVER_VERSION 101119

typedef struct {
    const value_t **rows;
    size_t count, max;
} table_state_t;

struct recorded_set {
    char directory[256];
    arena_t arena; /* definitions' sources and every row ever seen */
    source_description_t schema;
    const table_definition_t *tables[TABLES_MAX];
    table_state_t states[TABLES_MAX];
    uint32_t table_count;
    upstream_t *upstream;
    group_assembler_t *assembler;
    FILE *spill;
    recorded_counts_t counts;
    recorded_ddl_fn *on_ddl; /* NULL: nobody asks */
    void *ddl_context;
    bool carries_nothing;
    bool is_damaged; /* rows are decoded and not kept */
};

/* ---- schema ---- */

static charset_choice_t schema_charset(const recorded_set_t *set, const char *schema)
{
    for (uint32_t i = 0; i < set->schema.object_count; i++) {
        const source_object_t *object = &set->schema.objects[i];
        if (object->kind == SOURCE_SCHEMA && strcmp(object->schema, schema) == 0)
            return (charset_choice_t){object->charset, object->collation};
    }
    return (charset_choice_t){set->schema.default_charset, set->schema.default_collation};
}

static void add_table(recorded_set_t *set, const source_object_t *object)
{
    statement_options_t options = {.default_schema = object->schema,
                                   .server_version = SERVER_VERSION};
    definition_context_t context = {.schema_charset = schema_charset(set, object->schema),
                                    .explicit_timestamp_defaults = true,
                                    .is_show_create = true};
    statement_t statement;
    error_report_t report = {0};
    const uint32_t *sources;
    table_definition_t *definition;
    statement_parse(bytes_of_text(object->create), &options, &set->arena, &statement);
    if (!statement.is_whole ||
        definition_apply(NULL, object->schema, object->name, statement.actions,
                         statement.action_count, &context, &set->arena, &definition, &sources,
                         &report) != SLUICE_OK)
        fail_msg("%s.%s is not understood: %s", object->schema, object->name, report.text);
    assert_true(set->table_count < TABLES_MAX);
    set->tables[set->table_count++] = definition;
}

static const table_definition_t *resolve(void *context, bytes_t schema, bytes_t table)
{
    const recorded_set_t *set = context;
    for (uint32_t i = 0; !set->carries_nothing && i < set->table_count; i++)
        if (bytes_equal(schema, bytes_of_text(set->tables[i]->schema)) &&
            bytes_equal(table, bytes_of_text(set->tables[i]->name)))
            return set->tables[i];
    return NULL;
}

/* ---- spill ---- */

static sluice_error_t spill_write(void *context, uint64_t offset, bytes_t bytes,
                                  error_report_t *report)
{
    (void)report;
    recorded_set_t *set = context;
    assert_int_equal(fseek(set->spill, (long)offset, SEEK_SET), 0);
    assert_int_equal(fwrite(bytes.data, 1, bytes.len, set->spill), bytes.len);
    return SLUICE_OK;
}

static sluice_error_t spill_read(void *context, uint64_t offset, void *to, size_t len,
                                 error_report_t *report)
{
    (void)report;
    recorded_set_t *set = context;
    assert_int_equal(fseek(set->spill, (long)offset, SEEK_SET), 0);
    assert_int_equal(fread(to, 1, len, set->spill), len);
    return SLUICE_OK;
}

static void spill_clear(void *context)
{
    (void)context;
}

/* ---- opening ---- */

recorded_set_t *recorded_set_open(const char *name, uint64_t group_bytes_max)
{
    recorded_set_t *set = test_calloc(1, sizeof *set);
    error_report_t report = {0};
    snprintf(set->directory, sizeof set->directory, "%s/%s", SLUICE_TEST_DATA, name);
    char text[512];
    snprintf(text, sizeof text, "%s/%s", set->directory, SCHEMA_FILE_NAME);
    if (source_schema_read(text, &set->arena, &set->schema, &report) != SLUICE_OK)
        fail_msg("%s", report.text);
    for (uint32_t i = 0; i < set->schema.object_count; i++)
        if (set->schema.objects[i].kind == SOURCE_TABLE)
            add_table(set, &set->schema.objects[i]);
    set->spill = tmpfile();
    assert_non_null(set->spill);
    snprintf(text, sizeof text, "binlog://%s", set->directory);
    upstream_options_t options = {.uri = text, .anchor = set->schema.anchor};
    if (upstream_find(text)->open(&options, &set->upstream, &report) != SLUICE_OK)
        fail_msg("%s", report.text);
    group_assembler_options_t assembler = {
        .domain = set->schema.domain,
        .anchor = set->schema.anchor,
        .group_bytes_max = group_bytes_max,
        .resolver = {.resolve = resolve, .context = set},
        .spill = {spill_write, spill_read, spill_clear, set},
    };
    assert_int_equal(group_assembler_new(&assembler, &set->assembler), SLUICE_OK);
    return set;
}

void recorded_set_close(recorded_set_t **set)
{
    recorded_set_t *self = *set;
    *set = NULL;
    self->upstream->api->close(&self->upstream);
    group_assembler_destroy(&self->assembler);
    fclose(self->spill);
    for (uint32_t i = 0; i < self->table_count; i++) {
        assert_int_equal(atomic_load(&((table_definition_t *)self->tables[i])->references), 1);
        table_definition_unref(&self->tables[i]);
        free(self->states[i].rows);
    }
    arena_clear(&self->arena);
    test_free(self);
}

/* ---- rows ---- */

static const value_t *copy_row(recorded_set_t *set, const value_t *row, uint32_t width)
{
    value_t *copy = arena_alloc(&set->arena, width * sizeof *copy);
    for (uint32_t i = 0; i < width; i++) {
        copy[i] = row[i];
        if (row[i].kind == VALUE_TEXT || row[i].kind == VALUE_BINARY ||
            row[i].kind == VALUE_DECIMAL || row[i].kind == VALUE_GEOMETRY)
            copy[i].bytes = arena_bytes(&set->arena, row[i].bytes);
    }
    return copy;
}

static size_t find_row(const table_state_t *state, const value_t *row, uint32_t width)
{
    for (size_t i = 0; i < state->count; i++) {
        uint32_t same = 0;
        while (same < width && value_equal(&state->rows[i][same], &row[same]))
            same++;
        if (same == width)
            return i;
    }
    fail_msg("a before image that no row has");
    return 0;
}

static void apply(recorded_set_t *set, table_state_t *state, const row_change_t *change,
                  uint32_t width)
{
    if (change->kind == ROW_INSERT) {
        if (state->count == state->max) {
            state->max = state->max ? state->max * 2 : 64;
            state->rows = realloc(state->rows, state->max * sizeof *state->rows);
            assert_non_null(state->rows);
        }
        state->rows[state->count++] = copy_row(set, change->after, width);
        return;
    }
    size_t at = find_row(state, change->before, width);
    state->rows[at] = change->kind == ROW_UPDATE ? copy_row(set, change->after, width)
                                                 : state->rows[--state->count];
}

static void take_table(recorded_set_t *set, const table_rows_t *table)
{
    uint32_t index = 0;
    while (set->tables[index] != table->definition)
        assert_true(++index < set->table_count);
    arena_t arena = {0};
    error_report_t report = {0};
    for (uint32_t i = 0; i < table->event_count; i++) {
        rows_reader_t reader;
        row_change_t change;
        sluice_error_t error = rows_reader_init(&reader, &table->events[i], &report);
        while (error == SLUICE_OK &&
               (error = rows_reader_next(&reader, &arena, &change, &report)) == SLUICE_OK) {
            if (!set->is_damaged)
                apply(set, &set->states[index], &change, table->definition->column_count);
            set->counts.rows++;
            arena_reset(&arena);
        }
        if (error != SLUICE_ERROR_NOT_FOUND && !set->is_damaged)
            fail_msg("%s", report.text);
    }
    arena_clear(&arena);
}

static sluice_error_t take_groups(recorded_set_t *set, error_report_t *report)
{
    for (;;) {
        group_t group;
        sluice_error_t error = group_assembler_take(set->assembler, &group, report);
        if (error != SLUICE_OK || group.kind == GROUP_NONE)
            return error;
        set->counts.newest = group.commit_ts;
        set->counts.groups += group.is_last;
        set->counts.ddls += group.kind == GROUP_DDL;
        if (group.kind == GROUP_DDL && set->on_ddl)
            set->on_ddl(set->ddl_context, &group);
        if (group.kind != GROUP_ROWS)
            continue;
        set->counts.row_groups += group.is_last;
        set->counts.parts++;
        for (uint32_t i = 0; i < group.transaction->table_count; i++)
            take_table(set, &group.transaction->tables[i]);
        transaction_unref(&group.transaction);
    }
}

void recorded_set_carry_nothing(recorded_set_t *set)
{
    set->carries_nothing = true;
}

void recorded_set_on_ddl(recorded_set_t *set, recorded_ddl_fn *on_ddl, void *context)
{
    set->on_ddl = on_ddl;
    set->ddl_context = context;
}

sluice_error_t recorded_set_read(recorded_set_t *set, error_report_t *report)
{
    for (;;) {
        raw_event_t event;
        upstream_result_t result = set->upstream->api->next(set->upstream, &event, report);
        if (result == UPSTREAM_END)
            return SLUICE_OK;
        if (result != UPSTREAM_EVENT)
            return report->code;
        sluice_error_t error =
            group_assembler_push(set->assembler, event.bytes, event.location, report);
        if (error == SLUICE_OK)
            error = take_groups(set, report);
        if (error != SLUICE_OK)
            return error;
    }
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* A copy of its own size, so that the sanitizer sees every byte read beyond it. */
static sluice_error_t push_damaged(recorded_set_t *set, bytes_t event, uint64_t *random)
{
    size_t len = next_random(random) % 4 ? event.len : next_random(random) % (event.len + 1);
    uint8_t *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, event.data, len);
    for (uint64_t i = next_random(random) % 4; len > BINLOG_HEADER_SIZE && i > 0; i--)
        copy[BINLOG_HEADER_SIZE + next_random(random) % (len - BINLOG_HEADER_SIZE)] =
            (uint8_t)next_random(random);
    sluice_error_t error = group_assembler_push(set->assembler, bytes_of(copy, len), NULL, NULL);
    free(copy);
    return error;
}

sluice_error_t recorded_set_read_damaged(recorded_set_t *set, uint64_t seed, unsigned period)
{
    uint64_t random = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
    set->is_damaged = true;
    raw_event_t event;
    while (set->upstream->api->next(set->upstream, &event, NULL) == UPSTREAM_EVENT) {
        sluice_error_t error = next_random(&random) % period == 0
                                   ? push_damaged(set, event.bytes, &random)
                                   : group_assembler_push(set->assembler, event.bytes, NULL, NULL);
        if (error == SLUICE_OK)
            error = take_groups(set, NULL);
        if (error != SLUICE_OK)
            return error;
    }
    return SLUICE_OK;
}

recorded_counts_t recorded_set_counts(const recorded_set_t *set)
{
    return set->counts;
}

/* ---- comparing ---- */

typedef struct {
    char *text; /* of the line as record.c would write it */
    const value_t *row;
    const table_definition_t *table;
} line_t;

/* Text values are shown by their bytes. */
static const char *field_text(arena_t *arena, const value_t *value)
{
    value_t shown = *value;
    if (shown.kind == VALUE_TEXT)
        shown.kind = VALUE_BINARY;
    return value_text(arena, &shown);
}

static line_t make_line(arena_t *arena, const table_definition_t *table, const value_t *row)
{
    char *text = arena_printf(arena, "%s.%s", table->schema, table->name);
    for (uint32_t i = 0; i < table->column_count; i++)
        text = arena_printf(arena, "%s\t%s", text, field_text(arena, &row[i]));
    return (line_t){text, row, table};
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(((const line_t *)a)->text, ((const line_t *)b)->text);
}

static bool field_matches(arena_t *arena, const value_t *value, const char *expected)
{
    if (value->kind == VALUE_NULL || strcmp(expected, "NULL") == 0)
        return value->kind == VALUE_NULL && strcmp(expected, "NULL") == 0;
    if (value->kind == VALUE_FLOAT)
        return (float)strtod(expected, NULL) == value->f32;
    if (value->kind == VALUE_DOUBLE)
        return strtod(expected, NULL) == value->f64;
    if (value->kind == VALUE_UINT) /* ZEROFILL and YEAR come with leading zeros */
        return strtoull(expected, NULL, 10) == value->u64;
    return strcmp(field_text(arena, value), expected) == 0;
}

static void check_line(arena_t *arena, const line_t *line, char *expected)
{
    char *save = NULL;
    const char *name = strtok_r(expected, "\t", &save);
    if (strncmp(line->text, name, strlen(name)) != 0)
        fail_msg("%.200s where the source has a row of %s", line->text, name);
    for (uint32_t i = 0; i < line->table->column_count; i++) {
        /* Empty fields: strtok would pass over them. */
        const char *field = strsep(&save, "\t");
        assert_non_null(field);
        if (!field_matches(arena, &line->row[i], field))
            fail_msg("%s column %s: %.100s, the source has %.100s", name,
                     line->table->columns[i].name, field_text(arena, &line->row[i]), field);
    }
}

void recorded_set_check_state(const recorded_set_t *set)
{
    arena_t arena = {0};
    size_t count = 0, total = 0;
    for (uint32_t i = 0; i < set->table_count; i++)
        total += set->states[i].count;
    line_t *lines = test_calloc(total + 1, sizeof *lines);
    for (uint32_t i = 0; i < set->table_count; i++)
        for (size_t row = 0; row < set->states[i].count; row++)
            lines[count++] = make_line(&arena, set->tables[i], set->states[i].rows[row]);
    qsort(lines, count, sizeof *lines, compare_lines);

    char path[512], *expected = NULL;
    size_t size = 0, read = 0;
    snprintf(path, sizeof path, "%s/state.txt", set->directory);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    for (ssize_t len; (len = getline(&expected, &size, file)) > 0; read++) {
        expected[len - 1] = '\0';
        if (read == count)
            fail_msg("a row is missing: %.200s", expected);
        check_line(&arena, &lines[read], expected);
    }
    assert_int_equal(read, count);
    fclose(file);
    free(expected);
    test_free(lines);
    arena_clear(&arena);
}
