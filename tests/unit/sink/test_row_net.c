#include "tests/testing.h"

#include <ctype.h>
#include <stdlib.h>

#include "dispatcher/sink/row_net.h"

/* A table (id TEXT, unique_text TEXT, payload INT) with changing keys. */
enum { COLUMN_ID, COLUMN_TEXT_UNIQUE, COLUMN_PAYLOAD, COLUMNS };

typedef struct {
    arena_t arena;
    table_definition_t *definition;
    row_net_t *net;
} fixture_t;

typedef enum { WITH_PRIMARY_KEY, WITHOUT_KEY } keys_t;

static fixture_t *fixture_new(keys_t keys)
{
    fixture_t *fixture = calloc(1, sizeof *fixture);
    fixture->definition = table_definition_new();
    table_definition_t *definition = fixture->definition;
    column_definition_t *columns = arena_calloc(&definition->arena, COLUMNS, sizeof *columns);
    columns[COLUMN_ID] = (column_definition_t){
        .name = "id", .type = COLUMN_VARCHAR, .flags = COLUMN_NOT_NULL, .charset = "utf8mb4"};
    columns[COLUMN_TEXT_UNIQUE] =
        (column_definition_t){.name = "u", .type = COLUMN_VARCHAR, .charset = "utf8mb4"};
    columns[COLUMN_PAYLOAD] = (column_definition_t){.name = "p", .type = COLUMN_BIGINT};
    definition->schema = "d";
    definition->name = "t";
    definition->columns = columns;
    definition->column_count = COLUMNS;
    static const key_part_t parts[] = {{COLUMN_ID, 0}, {COLUMN_TEXT_UNIQUE, 0}};
    key_definition_t *made = arena_calloc(&definition->arena, 2, sizeof *made);
    made[0] = (key_definition_t){
        .kind = KEY_PRIMARY, .name = "PRIMARY", .parts = &parts[0], .part_count = 1};
    made[1] =
        (key_definition_t){.kind = KEY_UNIQUE, .name = "u", .parts = &parts[1], .part_count = 1};
    definition->keys = keys == WITH_PRIMARY_KEY ? made : made + 1;
    definition->key_count = keys == WITH_PRIMARY_KEY ? 2 : 1;
    fixture->net = row_net_new(&fixture->arena, definition);
    return fixture;
}

static void fixture_destroy(fixture_t *fixture)
{
    const table_definition_t *definition = fixture->definition;
    table_definition_unref(&definition);
    arena_clear(&fixture->arena);
    free(fixture);
}

static value_t text_value(arena_t *arena, const char *text)
{
    if (!text)
        return (value_t){.kind = VALUE_NULL};
    return (value_t){.kind = VALUE_TEXT, .bytes = bytes_of_text(arena_strdup(arena, text))};
}

static const value_t *image(fixture_t *fixture, const char *id, const char *unique, int64_t payload)
{
    value_t *values = arena_calloc(&fixture->arena, COLUMNS, sizeof *values);
    values[COLUMN_ID] = text_value(&fixture->arena, id);
    values[COLUMN_TEXT_UNIQUE] = text_value(&fixture->arena, unique);
    values[COLUMN_PAYLOAD] = (value_t){.kind = VALUE_INT, .i64 = payload};
    return values;
}

static void insert(fixture_t *fixture, const value_t *after)
{
    row_net_add(fixture->net, &(row_change_t){.kind = ROW_INSERT, .after = after});
}

static void update(fixture_t *fixture, const value_t *before, const value_t *after)
{
    row_net_add(fixture->net,
                &(row_change_t){.kind = ROW_UPDATE, .before = before, .after = after});
}

static void remove_row(fixture_t *fixture, const value_t *before)
{
    row_net_add(fixture->net, &(row_change_t){.kind = ROW_DELETE, .before = before});
}

static row_batch_t finish(fixture_t *fixture)
{
    row_batch_t batch;
    row_net_finish(fixture->net, &batch);
    return batch;
}

static void assert_id(const value_t *row, const char *id)
{
    assert_int_equal(row[COLUMN_ID].bytes.len, strlen(id));
    assert_memory_equal(row[COLUMN_ID].bytes.data, id, strlen(id));
}

static void nothing_added_is_nothing_to_do(void **state)
{
    (void)state;
    fixture_t *fixture = fixture_new(WITH_PRIMARY_KEY);
    row_batch_t batch = finish(fixture);
    assert_int_equal(batch.delete_count + batch.upsert_count + batch.change_count, 0);
    assert_int_equal(batch.source_rows, 0);
    fixture_destroy(fixture);
}

static void only_the_last_image_of_a_key_is_put(void **state)
{
    (void)state;
    fixture_t *fixture = fixture_new(WITH_PRIMARY_KEY);
    insert(fixture, image(fixture, "1", "x", 1));
    update(fixture, image(fixture, "1", "x", 1), image(fixture, "1", "x", 2));
    update(fixture, image(fixture, "1", "x", 2), image(fixture, "1", "y", 3));
    row_batch_t batch = finish(fixture);
    assert_int_equal(batch.delete_count, 0);
    assert_int_equal(batch.upsert_count, 1);
    assert_int_equal(batch.upserts[0][COLUMN_PAYLOAD].i64, 3);
    assert_int_equal(batch.source_rows, 3);
    fixture_destroy(fixture);
}

static void a_row_that_came_and_went_is_still_deleted(void **state)
{
    /* An earlier try of the same changes may have left it in the sink. */
    (void)state;
    fixture_t *fixture = fixture_new(WITH_PRIMARY_KEY);
    insert(fixture, image(fixture, "1", "x", 1));
    remove_row(fixture, image(fixture, "1", "x", 1));
    row_batch_t batch = finish(fixture);
    assert_int_equal(batch.upsert_count, 0);
    assert_int_equal(batch.delete_count, 1);
    assert_id(batch.deletes[0], "1");
    fixture_destroy(fixture);
}

static void a_row_deleted_and_inserted_again_is_put(void **state)
{
    (void)state;
    fixture_t *fixture = fixture_new(WITH_PRIMARY_KEY);
    remove_row(fixture, image(fixture, "1", "x", 1));
    insert(fixture, image(fixture, "1", "z", 5));
    row_batch_t batch = finish(fixture);
    assert_int_equal(batch.delete_count, 0);
    assert_int_equal(batch.upsert_count, 1);
    assert_int_equal(batch.upserts[0][COLUMN_PAYLOAD].i64, 5);
    fixture_destroy(fixture);
}

static void a_freed_unique_value_taken_by_another_key_is_deleted_first(void **state)
{
    (void)state;
    fixture_t *fixture = fixture_new(WITH_PRIMARY_KEY);
    remove_row(fixture, image(fixture, "1", "x", 1));
    insert(fixture, image(fixture, "2", "x", 2));
    row_batch_t batch = finish(fixture);
    assert_int_equal(batch.delete_count, 1);
    assert_id(batch.deletes[0], "1");
    assert_int_equal(batch.upsert_count, 1);
    assert_id(batch.upserts[0], "2");
    fixture_destroy(fixture);
}

static void a_key_that_only_changes_case_is_deleted_and_put(void **state)
{
    (void)state;
    fixture_t *fixture = fixture_new(WITH_PRIMARY_KEY);
    update(fixture, image(fixture, "a", "x", 1), image(fixture, "A", "x", 1));
    row_batch_t batch = finish(fixture);
    assert_int_equal(batch.delete_count, 1);
    assert_id(batch.deletes[0], "a");
    assert_int_equal(batch.upsert_count, 1);
    assert_id(batch.upserts[0], "A");
    fixture_destroy(fixture);
}

static void a_key_that_changes_there_and_back_is_put_only(void **state)
{
    (void)state;
    fixture_t *fixture = fixture_new(WITH_PRIMARY_KEY);
    update(fixture, image(fixture, "1", "x", 1), image(fixture, "2", "x", 1));
    update(fixture, image(fixture, "2", "x", 1), image(fixture, "1", "x", 7));
    row_batch_t batch = finish(fixture);
    assert_int_equal(batch.delete_count, 1);
    assert_id(batch.deletes[0], "2");
    assert_int_equal(batch.upsert_count, 1);
    assert_id(batch.upserts[0], "1");
    assert_int_equal(batch.upserts[0][COLUMN_PAYLOAD].i64, 7);
    fixture_destroy(fixture);
}

static void a_table_without_key_keeps_every_change_in_order(void **state)
{
    (void)state;
    fixture_t *fixture = fixture_new(WITHOUT_KEY);
    const uint32_t count = 1000;
    for (uint32_t i = 0; i < count; i++) {
        const value_t *row = image(fixture, "same", NULL, i);
        if (i % 2 == 0)
            insert(fixture, row);
        else
            remove_row(fixture, row);
    }
    row_batch_t batch = finish(fixture);
    assert_null(batch.key);
    assert_int_equal(batch.delete_count + batch.upsert_count, 0);
    assert_int_equal(batch.change_count, count);
    for (uint32_t i = 0; i < count; i++) {
        const row_change_t *change = &batch.changes[i];
        assert_int_equal(change->kind, i % 2 == 0 ? ROW_INSERT : ROW_DELETE);
        const value_t *row = change->kind == ROW_INSERT ? change->after : change->before;
        assert_int_equal(row[COLUMN_PAYLOAD].i64, i);
    }
    fixture_destroy(fixture);
}

static void values_of_different_kinds_are_different_keys(void **state)
{
    (void)state;
    fixture_t *fixture = fixture_new(WITH_PRIMARY_KEY);
    value_t rows[][COLUMNS] = {
        {{.kind = VALUE_INT, .i64 = -1}},
        {{.kind = VALUE_UINT, .u64 = UINT64_MAX}},
        {{.kind = VALUE_DOUBLE, .f64 = 0.0}},
        {{.kind = VALUE_DOUBLE, .f64 = -0.0}},
        {{.kind = VALUE_BINARY, .bytes = bytes_of("a", 1)}},
        {{.kind = VALUE_TEXT, .bytes = bytes_of("a", 1)}},
        {{.kind = VALUE_TIME, .temporal = {.hour = 1}}},
        {{.kind = VALUE_TIME, .temporal = {.hour = 1, .negative = true}}},
    };
    uint32_t count = sizeof rows / sizeof rows[0];
    for (uint32_t i = 0; i < count; i++)
        insert(fixture, rows[i]);
    for (uint32_t i = 0; i < count; i++)
        update(fixture, rows[i], rows[i]);
    row_batch_t batch = finish(fixture);
    assert_int_equal(batch.delete_count, 0);
    assert_int_equal(batch.upsert_count, count);
    fixture_destroy(fixture);
}

/* ---- against a model: a source and a sink whose text keys ignore case ---- */

#define MODEL_ROWS_MAX 32

typedef struct {
    char id[4], unique[4];
    bool has_unique;
    int64_t payload;
} model_row_t;

typedef struct {
    model_row_t rows[MODEL_ROWS_MAX];
    uint32_t count;
} model_t;

static uint32_t random_state;

static uint32_t random_below(uint32_t bound)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % bound;
}

static bool text_equal_by_collation(const char *a, const char *b)
{
    for (; *a && *b; a++, b++) {
        if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
            return false;
    }
    return *a == *b;
}

static void model_remove(model_t *model, uint32_t index)
{
    model->rows[index] = model->rows[--model->count];
}

/* A row other than `except` that a unique index would not allow beside `row`; count: none. */
static uint32_t model_find_conflict(const model_t *model, const model_row_t *row, uint32_t except)
{
    for (uint32_t i = 0; i < model->count; i++) {
        if (i == except)
            continue;
        const model_row_t *other = &model->rows[i];
        if (text_equal_by_collation(other->id, row->id) ||
            (row->has_unique && other->has_unique &&
             text_equal_by_collation(other->unique, row->unique)))
            return i;
    }
    return model->count;
}

static model_row_t random_row(void)
{
    static const char letters[] = "aAbBcCdD";
    model_row_t row = {.payload = random_below(1000), .has_unique = random_below(4) != 0};
    row.id[0] = letters[random_below(8)];
    if (random_below(3) == 0)
        row.id[1] = letters[random_below(8)];
    if (row.has_unique)
        row.unique[0] = letters[random_below(8)];
    return row;
}

static const value_t *model_image(fixture_t *fixture, const model_row_t *row)
{
    return image(fixture, row->id, row->has_unique ? row->unique : NULL, row->payload);
}

static void source_step(fixture_t *fixture, model_t *source)
{
    model_row_t row = random_row();
    if (source->count > 0 && random_below(3) == 0) {
        uint32_t victim = random_below(source->count);
        remove_row(fixture, model_image(fixture, &source->rows[victim]));
        model_remove(source, victim);
    } else if (source->count > 0 && random_below(2) == 0) {
        uint32_t changed = random_below(source->count);
        if (model_find_conflict(source, &row, changed) != source->count)
            return;
        update(fixture, model_image(fixture, &source->rows[changed]), model_image(fixture, &row));
        source->rows[changed] = row;
    } else if (source->count < MODEL_ROWS_MAX &&
               model_find_conflict(source, &row, UINT32_MAX) == source->count) {
        insert(fixture, model_image(fixture, &row));
        source->rows[source->count++] = row;
    }
}

static void text_of(const value_t *value, char text[4])
{
    memset(text, 0, 4);
    memcpy(text, value->bytes.data, value->bytes.len);
}

static void sink_apply(model_t *sink, const row_batch_t *batch)
{
    for (uint32_t i = 0; i < batch->delete_count; i++) {
        char id[4];
        text_of(&batch->deletes[i][COLUMN_ID], id);
        for (uint32_t j = sink->count; j > 0; j--) {
            if (text_equal_by_collation(sink->rows[j - 1].id, id))
                model_remove(sink, j - 1);
        }
    }
    for (uint32_t i = 0; i < batch->upsert_count; i++) {
        const value_t *values = batch->upserts[i];
        model_row_t row = {.payload = values[COLUMN_PAYLOAD].i64};
        text_of(&values[COLUMN_ID], row.id);
        row.has_unique = values[COLUMN_TEXT_UNIQUE].kind != VALUE_NULL;
        if (row.has_unique)
            text_of(&values[COLUMN_TEXT_UNIQUE], row.unique);
        uint32_t conflict;
        while ((conflict = model_find_conflict(sink, &row, UINT32_MAX)) != sink->count)
            model_remove(sink, conflict);
        sink->rows[sink->count++] = row;
    }
}

static int model_row_compare(const void *a, const void *b)
{
    return strcmp(((const model_row_t *)a)->id, ((const model_row_t *)b)->id);
}

static void assert_same_rows(model_t *source, model_t *sink, uint32_t round)
{
    qsort(source->rows, source->count, sizeof *source->rows, model_row_compare);
    qsort(sink->rows, sink->count, sizeof *sink->rows, model_row_compare);
    if (source->count != sink->count)
        fail_msg("round %u: %u rows in the source, %u in the sink", round, source->count,
                 sink->count);
    for (uint32_t i = 0; i < source->count; i++) {
        const model_row_t *a = &source->rows[i], *b = &sink->rows[i];
        if (strcmp(a->id, b->id) != 0 || strcmp(a->unique, b->unique) != 0 ||
            a->payload != b->payload)
            fail_msg("round %u: source has (%s, %s), sink (%s, %s)", round, a->id, a->unique, b->id,
                     b->unique);
    }
}

static void ends_with_the_rows_of_the_source_whatever_the_changes(void **state)
{
    (void)state;
    random_state = 20240717;
    for (uint32_t round = 0; round < 300; round++) {
        model_t source = {0}, sink = {0};
        for (uint32_t part = 0; part < 6; part++) {
            fixture_t *fixture = fixture_new(WITH_PRIMARY_KEY);
            uint32_t steps = random_below(40);
            for (uint32_t i = 0; i < steps; i++)
                source_step(fixture, &source);
            row_batch_t batch = finish(fixture);
            sink_apply(&sink, &batch);
            assert_same_rows(&source, &sink, round);
            fixture_destroy(fixture);
        }
    }
}

static void repeating_parts_that_are_in_already_ends_the_same(void **state)
{
    (void)state;
    random_state = 4711;
    for (uint32_t round = 0; round < 200; round++) {
        model_t source = {0}, sink = {0};
        fixture_t *fixtures[4];
        row_batch_t batches[4];
        for (uint32_t part = 0; part < 4; part++) {
            fixtures[part] = fixture_new(WITH_PRIMARY_KEY);
            for (uint32_t i = 0; i < 20; i++)
                source_step(fixtures[part], &source);
            batches[part] = finish(fixtures[part]);
            sink_apply(&sink, &batches[part]);
        }
        for (uint32_t part = random_below(4); part < 4; part++)
            sink_apply(&sink, &batches[part]);
        assert_same_rows(&source, &sink, round);
        for (uint32_t part = 0; part < 4; part++)
            fixture_destroy(fixtures[part]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_added_is_nothing_to_do),
        cmocka_unit_test(only_the_last_image_of_a_key_is_put),
        cmocka_unit_test(a_row_that_came_and_went_is_still_deleted),
        cmocka_unit_test(a_row_deleted_and_inserted_again_is_put),
        cmocka_unit_test(a_freed_unique_value_taken_by_another_key_is_deleted_first),
        cmocka_unit_test(a_key_that_only_changes_case_is_deleted_and_put),
        cmocka_unit_test(a_key_that_changes_there_and_back_is_put_only),
        cmocka_unit_test(a_table_without_key_keeps_every_change_in_order),
        cmocka_unit_test(values_of_different_kinds_are_different_keys),
        cmocka_unit_test(ends_with_the_rows_of_the_source_whatever_the_changes),
        cmocka_unit_test(repeating_parts_that_are_in_already_ends_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
