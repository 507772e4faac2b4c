#include "dispatcher/sink/file/canal_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/memory.h"
#include "dispatcher/sink/file/canal_type.h"
#include "dispatcher/sink/file/json_text.h"
#include "dispatcher/sink/value_text.h"

typedef struct {
    bytes_t key; /* "name": */
    const charset_t *charset;
} canal_column_t;

struct canal_table {
    const table_definition_t *definition;
    canal_options_t options;
    canal_column_t *columns;
    char table_id[17];
    bool has_varying_types;
    sink_text_t head;      /* up to the value of "type" */
    sink_text_t sql_types; /* "sqlType" as long as no value is large */
    sink_text_t types;     /* "mysqlType" */
    arena_t arena;
};

/* ---- tables ---- */

static void put_sql_types(sink_text_t *out, const canal_table_t *table, const value_t *values)
{
    for (uint32_t i = 0; i < table->definition->column_count; i++) {
        sink_text_char(out, i ? ',' : '{');
        sink_text_bytes(out, table->columns[i].key);
        sink_text_printf(
            out, "%d", canal_type_code(&table->definition->columns[i], values ? &values[i] : NULL));
    }
    sink_text_char(out, '}');
}

static void put_types(canal_table_t *table)
{
    sink_text_t name = {0};
    for (uint32_t i = 0; i < table->definition->column_count; i++) {
        sink_text_char(&table->types, i ? ',' : '{');
        sink_text_bytes(&table->types, table->columns[i].key);
        sink_text_reset(&name);
        canal_type_name(&name, &table->definition->columns[i],
                        table->options.is_content_compatible);
        json_text_string(&table->types, bytes_of(name.text, name.len));
    }
    sink_text_char(&table->types, '}');
    sink_text_clear(&name);
}

static void put_head(canal_table_t *table)
{
    const table_definition_t *definition = table->definition;
    const key_definition_t *key = table_definition_row_key(definition);
    sink_text_t *head = &table->head;
    sink_text_text(head, "{\"id\":0,\"database\":");
    json_text_string(head, bytes_of_text(definition->schema));
    sink_text_text(head, ",\"table\":");
    json_text_string(head, bytes_of_text(definition->name));
    sink_text_text(head, ",\"pkNames\":");
    for (uint32_t i = 0; key && i < key->part_count; i++) {
        sink_text_char(head, i ? ',' : '[');
        json_text_string(head, bytes_of_text(definition->columns[key->parts[i].column].name));
    }
    sink_text_text(head, key ? "]" : "null");
    sink_text_text(head, ",\"isDdl\":false,\"type\":\"");
}

canal_table_t *canal_table_new(const table_definition_t *definition, canal_options_t options)
{
    canal_table_t *table = memory_zalloc(sizeof *table);
    table->definition = table_definition_ref(definition);
    table->options = options;
    table->columns = arena_calloc(&table->arena, definition->column_count, sizeof *table->columns);
    snprintf(table->table_id, sizeof table->table_id, "%016" PRIx64, definition->table_id.v);
    sink_text_t key = {0};
    for (uint32_t i = 0; i < definition->column_count; i++) {
        const column_definition_t *column = &definition->columns[i];
        sink_text_reset(&key);
        json_text_string(&key, bytes_of_text(column->name));
        sink_text_char(&key, ':');
        table->columns[i].key = arena_bytes(&table->arena, bytes_of(key.text, key.len));
        const charset_t *charset = column->charset ? charset_find(column->charset) : NULL;
        table->columns[i].charset = charset ? charset : charset_find("utf8mb4");
        table->has_varying_types |= canal_type_varies(column);
    }
    sink_text_clear(&key);
    put_head(table);
    put_sql_types(&table->sql_types, table, NULL);
    put_types(table);
    return table;
}

void canal_table_destroy(canal_table_t **table)
{
    if (!*table)
        return;
    table_definition_unref(&(*table)->definition);
    sink_text_clear(&(*table)->head);
    sink_text_clear(&(*table)->sql_types);
    sink_text_clear(&(*table)->types);
    arena_clear(&(*table)->arena);
    free(*table);
    *table = NULL;
}

const table_definition_t *canal_table_definition(const canal_table_t *table)
{
    return table->definition;
}

/* ---- values ---- */

typedef struct {
    sink_text_t *out;
    const canal_table_t *table;
    charset_converter_t *converter;
    arena_t *arena;
    error_report_t *report;
} row_writer_t;

static void put_quoted_ascii(sink_text_t *out, const char *text, size_t len)
{
    char *at = sink_text_reserve(out, len + 2);
    at[0] = '"';
    memcpy(at + 1, text, len);
    at[len + 1] = '"';
    at[len + 2] = '\0';
    out->len += len + 2;
}

static void put_quoted_unsigned(sink_text_t *out, uint64_t number)
{
    sink_text_char(out, '"');
    sink_text_unsigned(out, number);
    sink_text_char(out, '"');
}

static void put_quoted_signed(sink_text_t *out, int64_t number)
{
    sink_text_text(out, number < 0 ? "\"-" : "\"");
    sink_text_unsigned(out, number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
    sink_text_char(out, '"');
}

/* The shortest decimal text that reads back as the same number. */
static void put_quoted_real(sink_text_t *out, double real, bool is_float)
{
    char text[40];
    int len = 0;
    for (int digits = is_float ? 6 : 15; digits <= (is_float ? 9 : 17); digits++) {
        len = snprintf(text, sizeof text, "%.*g", digits, real);
        if (is_float ? strtof(text, NULL) == (float)real : strtod(text, NULL) == real)
            break;
    }
    put_quoted_ascii(out, text, (size_t)len);
}

static sluice_error_t misfit(const row_writer_t *writer, uint32_t column)
{
    const table_definition_t *definition = writer->table->definition;
    return error_report_set(writer->report, SLUICE_ERROR_SOURCE_CORRUPT,
                            "a value of column %s of %s.%s does not fit its definition",
                            definition->columns[column].name, definition->schema, definition->name);
}

static sluice_error_t put_text(row_writer_t *writer, uint32_t column, bytes_t text)
{
    const charset_t *charset = writer->table->columns[column].charset;
    bytes_t utf8;
    if (charset_to_utf8(writer->converter, charset, text, writer->arena, &utf8) != SLUICE_OK)
        return charset_check(writer->converter, charset, writer->report);
    json_text_string(writer->out, utf8);
    return SLUICE_OK;
}

static sluice_error_t put_label(row_writer_t *writer, uint32_t column, const value_t *value)
{
    const column_definition_t *definition = &writer->table->definition->columns[column];
    if (!writer->table->options.has_labels) {
        put_quoted_unsigned(writer->out, value->u64);
        return SLUICE_OK;
    }
    bytes_t label;
    bool is_known = value->kind == VALUE_ENUM
                        ? value_text_enum(definition, value->u64, &label)
                        : value_text_set(definition, value->u64, writer->arena, &label);
    if (!is_known)
        return misfit(writer, column);
    json_text_string(writer->out, label);
    return SLUICE_OK;
}

static sluice_error_t put_binary(row_writer_t *writer, uint32_t column, bytes_t bytes)
{
    const column_definition_t *definition = &writer->table->definition->columns[column];
    if (definition->type < COLUMN_INET4) {
        json_text_binary(writer->out, bytes);
        return SLUICE_OK;
    }
    char text[VALUE_TEXT_SIZE];
    bytes_t address = value_text_address(definition, bytes, text);
    if (address.len == 0)
        return misfit(writer, column);
    put_quoted_ascii(writer->out, text, address.len);
    return SLUICE_OK;
}

static sluice_error_t put_value(row_writer_t *writer, uint32_t column, const value_t *value)
{
    char text[TEMPORAL_TEXT_SIZE];
    switch (value->kind) {
    case VALUE_NULL:
        sink_text_text(writer->out, "null");
        return SLUICE_OK;
    case VALUE_INT:
        put_quoted_signed(writer->out, value->i64);
        return SLUICE_OK;
    case VALUE_UINT:
    case VALUE_BIT:
        put_quoted_unsigned(writer->out, value->u64);
        return SLUICE_OK;
    case VALUE_FLOAT:
        put_quoted_real(writer->out, (double)value->f32, true);
        return SLUICE_OK;
    case VALUE_DOUBLE:
        put_quoted_real(writer->out, value->f64, false);
        return SLUICE_OK;
    case VALUE_DECIMAL:
        put_quoted_ascii(writer->out, (const char *)value->bytes.data, value->bytes.len);
        return SLUICE_OK;
    case VALUE_TEXT:
        return put_text(writer, column, value->bytes);
    case VALUE_BINARY:
        return put_binary(writer, column, value->bytes);
    case VALUE_ENUM:
    case VALUE_SET:
        return put_label(writer, column, value);
    case VALUE_DATE:
    case VALUE_TIME:
    case VALUE_DATETIME:
    case VALUE_TIMESTAMP:
        put_quoted_ascii(writer->out, text, temporal_format(value->kind, &value->temporal, text));
        return SLUICE_OK;
    case VALUE_GEOMETRY:
        json_text_binary(writer->out, value->bytes);
        return SLUICE_OK;
    }
    return misfit(writer, column);
}

/* {"column":value,…}; with `unlike` only the columns whose values differ from it. */
static sluice_error_t put_image(row_writer_t *writer, const value_t *values, const value_t *unlike)
{
    sluice_error_t error = SLUICE_OK;
    bool is_first = true;
    sink_text_char(writer->out, '{');
    for (uint32_t i = 0; i < writer->table->definition->column_count && !error; i++) {
        if (unlike && value_equal(&values[i], &unlike[i]))
            continue;
        if (!is_first)
            sink_text_char(writer->out, ',');
        is_first = false;
        sink_text_bytes(writer->out, writer->table->columns[i].key);
        error = put_value(writer, i, &values[i]);
    }
    sink_text_char(writer->out, '}');
    return error;
}

/* ---- lines ---- */

static void put_times(sink_text_t *out, wall_ms_t event, wall_ms_t now)
{
    sink_text_text(out, "\"es\":");
    sink_text_unsigned(out, event.v);
    sink_text_text(out, ",\"ts\":");
    sink_text_unsigned(out, now.v);
}

static void put_row_head(sink_text_t *out, const canal_table_t *table, const row_change_t *change,
                         const value_t *image, const canal_position_t *position)
{
    static const char *const types[] = {
        [ROW_INSERT] = "INSERT", [ROW_UPDATE] = "UPDATE", [ROW_DELETE] = "DELETE"};
    sink_text_bytes(out, bytes_of(table->head.text, table->head.len));
    sink_text_text(out, types[change->kind]);
    sink_text_text(out, "\",");
    put_times(out, position->commit_time, position->now);
    sink_text_text(out, ",\"sql\":\"\",\"sqlType\":");
    if (table->has_varying_types)
        put_sql_types(out, table, image);
    else
        sink_text_bytes(out, bytes_of(table->sql_types.text, table->sql_types.len));
    sink_text_text(out, ",\"mysqlType\":");
    sink_text_bytes(out, bytes_of(table->types.text, table->types.len));
}

sluice_error_t canal_json_row(sink_text_t *out, const canal_table_t *table,
                              const row_change_t *change, const canal_position_t *position,
                              charset_converter_t *converter, arena_t *arena,
                              error_report_t *report)
{
    row_writer_t writer = {out, table, converter, arena, report};
    size_t start = out->len;
    const value_t *image = change->kind == ROW_DELETE ? change->before : change->after;
    put_row_head(out, table, change, image, position);
    sink_text_text(out, ",\"data\":[");
    sluice_error_t error = put_image(&writer, image, NULL);
    if (!error && change->kind == ROW_UPDATE) {
        sink_text_text(out, "],\"old\":[");
        error = put_image(&writer, change->before,
                          table->options.is_content_compatible ? change->after : NULL);
        sink_text_char(out, ']');
    } else {
        sink_text_text(out, "],\"old\":null");
    }
    if (error) {
        out->len = start;
        return error;
    }
    sink_text_text(out, ",\"_cdc\":{\"commitTs\":");
    sink_text_unsigned(out, position->commit_ts.v);
    sink_text_text(out, ",\"seq\":");
    sink_text_unsigned(out, position->seq);
    sink_text_text(out, ",\"tableId\":\"");
    sink_text_bytes(out, bytes_of(table->table_id, sizeof table->table_id - 1));
    sink_text_text(out, "\",\"watermarkTs\":");
    sink_text_unsigned(out, position->watermark.v);
    sink_text_text(out, "}}\n");
    return SLUICE_OK;
}
