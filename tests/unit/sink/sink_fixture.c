#include "tests/testing.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/sink/sink_fixture.h"

#define ROWS_MAX 256

/* ---- tables ---- */

table_definition_t *fixture_table(const char *name, uint64_t id, const column_definition_t *columns,
                                  uint32_t column_count, uint32_t key_columns)
{
    table_definition_t *definition = table_definition_new();
    column_definition_t *copied = arena_calloc(&definition->arena, column_count, sizeof *copied);
    memcpy(copied, columns, column_count * sizeof *copied);
    definition->table_id = (table_id_t){id};
    definition->schema = "d";
    definition->name = arena_strdup(&definition->arena, name);
    definition->columns = copied;
    definition->column_count = column_count;
    if (key_columns == 0)
        return definition;
    key_part_t *parts = arena_calloc(&definition->arena, key_columns, sizeof *parts);
    for (uint32_t i = 0; i < key_columns; i++)
        parts[i].column = i;
    key_definition_t *key = arena_calloc(&definition->arena, 1, sizeof *key);
    *key = (key_definition_t){
        .kind = KEY_PRIMARY, .name = "PRIMARY", .parts = parts, .part_count = key_columns};
    definition->keys = key;
    definition->key_count = 1;
    return definition;
}

table_definition_t *fixture_plain_table(const char *name, uint64_t id, bool has_key)
{
    const column_definition_t columns[] = {
        {.name = "id", .type = COLUMN_BIGINT, .flags = COLUMN_NOT_NULL},
        {.name = "v", .type = COLUMN_VARCHAR, .length = 100, .charset = "utf8mb4"},
    };
    return fixture_table(name, id, columns, 2, has_key ? 1 : 0);
}

/* ---- rows ---- */

fixture_rows_t *fixture_rows_new(const table_definition_t *definition)
{
    static const uint8_t types[] = {BINLOG_TYPE_LONGLONG, BINLOG_TYPE_VARCHAR};
    static const uint8_t meta[] = {100 * 4 % 256, 100 * 4 / 256};
    fixture_rows_t *rows = calloc(1, sizeof *rows);
    rows->made = calloc(ROWS_MAX, sizeof *rows->made);
    table_map_event(&rows->events, 7, definition->schema, definition->name, types, 2,
                    bytes_of(meta, sizeof meta), bytes_of(NULL, 0));
    table_map_t *map;
    error_report_t report;
    assert_int_equal(table_map_parse(end_body(&rows->events), &map, &report), SLUICE_OK);
    assert_int_equal(table_map_bind(map, definition, &report), SLUICE_OK);
    rows->map = map;
    rows->table_rows.definition = definition;
    return rows;
}

void fixture_rows_destroy(fixture_rows_t **rows)
{
    table_map_unref(&(*rows)->map);
    arena_clear(&(*rows)->arena);
    free((*rows)->made);
    free(*rows);
    *rows = NULL;
}

static void put_row(fixture_rows_t *rows, int64_t id, const char *text)
{
    put_uint(&rows->rows, text ? 0xfc : 0xfe, 1);
    put_uint(&rows->rows, (uint64_t)id, 8);
    if (!text)
        return;
    put_uint(&rows->rows, strlen(text), 2);
    put_text(&rows->rows, text);
}

static void finish_event(fixture_rows_t *rows, uint8_t type, row_kind_t kind)
{
    assert_true(rows->made_count < ROWS_MAX);
    rows_event(&rows->events, type, 7, 2, bytes_of(rows->rows.data, rows->rows.len));
    bytes_t body = arena_bytes(&rows->arena, end_body(&rows->events));
    rows->made[rows->made_count++] = (rows_event_t){.kind = kind, .map = rows->map, .body = body};
    rows->table_rows.bytes += body.len;
    builder_reset(&rows->rows);
    builder_reset(&rows->events);
}

void fixture_insert(fixture_rows_t *rows, int64_t id, const char *text)
{
    put_row(rows, id, text);
    finish_event(rows, BINLOG_WRITE_ROWS_V1, ROW_INSERT);
}

void fixture_update(fixture_rows_t *rows, int64_t id, const char *text, int64_t new_id,
                    const char *new_text)
{
    put_row(rows, id, text);
    put_row(rows, new_id, new_text);
    finish_event(rows, BINLOG_UPDATE_ROWS_V1, ROW_UPDATE);
}

void fixture_delete(fixture_rows_t *rows, int64_t id, const char *text)
{
    put_row(rows, id, text);
    finish_event(rows, BINLOG_DELETE_ROWS_V1, ROW_DELETE);
}

const table_rows_t *fixture_rows_get(fixture_rows_t *rows)
{
    rows->table_rows.events = rows->made;
    rows->table_rows.event_count = rows->made_count;
    return &rows->table_rows;
}

/* ---- the sink ---- */

void fixture_make_directory(char path[256])
{
    const char *base = getenv("TMPDIR");
    snprintf(path, 256, "%s/sluice-sink-XXXXXX", base ? base : "/tmp");
    assert_non_null(mkdtemp(path));
}

void fixture_remove_directory(const char *path)
{
    DIR *directory = opendir(path);
    const struct dirent *entry;
    while (directory && (entry = readdir(directory))) {
        char file[600];
        snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.' || strlen(entry->d_name) > 2)
            unlink(file);
    }
    if (directory)
        closedir(directory);
    rmdir(path);
}

sink_options_t fixture_options(const char *uri)
{
    return (sink_options_t){
        .uri = uri, .changefeed = {.uuid = {{1}}, .generation = 1}, .changefeed_name = "test"};
}

sink_claim_t fixture_claim(uint64_t table_id, uint64_t epoch)
{
    return (sink_claim_t){.span = {.table_id = {table_id}},
                          .mode = PIPELINE_DEFAULT,
                          .epoch = {.maintainer_epoch = epoch, .counter = 1}};
}

sink_claim_result_t fixture_claim_in(sink_connection_t *connection, const sink_claim_t *claim)
{
    sink_claim_result_t result;
    error_report_t report;
    assert_int_equal(connection->api->claim(connection, claim, 1, &result, &report), SLUICE_OK);
    return result;
}

sink_write_result_t fixture_write(sink_connection_t *connection, const sink_claim_t *claim,
                                  const table_rows_t *rows, uint64_t ts)
{
    commit_ts_t part_ts = {ts};
    wall_ms_t part_time = {ts * 1000};
    sink_write_t write = {.claim = claim,
                          .parts = &rows,
                          .part_ts = &part_ts,
                          .part_time = &part_time,
                          .part_count = 1,
                          .moves_progress = true,
                          .progress = part_ts};
    sink_write_result_t result;
    error_report_t report = {0};
    sluice_error_t error = connection->api->write(connection, &write, 1, &result, &report);
    if (error)
        print_message("%s\n", report.text);
    assert_int_equal(error, SLUICE_OK);
    return result;
}
