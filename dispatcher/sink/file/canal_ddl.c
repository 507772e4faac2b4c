/* Lines of canal_json.h that are no rows. */
#include <inttypes.h>

#include "dispatcher/sink/file/canal_json.h"
#include "dispatcher/sink/file/canal_type.h"
#include "dispatcher/sink/file/json_text.h"

/* Canal's names; "QUERY" for what concerns no single table. */
static const char *ddl_type(ddl_verb_t verb)
{
    switch (verb) {
    case DDL_CREATE_TABLE:
        return "CREATE";
    case DDL_ALTER_TABLE:
    case DDL_TRUNCATE_PARTITION:
    case DDL_DROP_PARTITION:
    case DDL_EXCHANGE_PARTITION:
    case DDL_CONVERT_PARTITION:
        return "ALTER";
    case DDL_DROP_TABLE:
        return "ERASE";
    case DDL_RENAME_TABLE:
        return "RENAME";
    case DDL_TRUNCATE_TABLE:
        return "TRUNCATE";
    case DDL_CREATE_DATABASE:
    case DDL_ALTER_DATABASE:
    case DDL_DROP_DATABASE:
    case DDL_CREATE_VIEW:
    case DDL_DROP_VIEW:
    case DDL_SKIPPED:
    case DDL_UNKNOWN:
        break;
    }
    return "QUERY";
}

static const char *change_name(table_change_kind_t kind)
{
    switch (kind) {
    case TABLE_CREATED:
        return "created";
    case TABLE_ALTERED:
        return "altered";
    case TABLE_RENAMED:
        return "renamed";
    case TABLE_DROPPED:
        return "dropped";
    case TABLE_TRUNCATED:
        return "truncated";
    case TABLE_LEFT_FILTER:
        return "left_filter";
    }
    return "unknown";
}

static void put_line(sink_text_t *out, const char *database, const char *table, bool is_ddl,
                     const char *type, wall_ms_t event, wall_ms_t now, const char *sql)
{
    sink_text_text(out, "{\"id\":0,\"database\":");
    json_text_string(out, bytes_of_text(database));
    sink_text_text(out, ",\"table\":");
    json_text_string(out, bytes_of_text(table));
    sink_text_printf(out,
                     ",\"pkNames\":null,\"isDdl\":%s,\"type\":\"%s\",\"es\":%" PRIu64
                     ",\"ts\":%" PRIu64 ",\"sql\":",
                     is_ddl ? "true" : "false", type, event.v, now.v);
    json_text_string(out, bytes_of_text(sql));
    sink_text_text(out,
                   ",\"sqlType\":null,\"mysqlType\":null,\"data\":null,\"old\":null,\"_cdc\":");
}

static void put_name(sink_text_t *out, const char *field, const table_definition_t *definition)
{
    sink_text_printf(out, ",\"%s\":", field);
    if (!definition) {
        sink_text_text(out, "null");
        return;
    }
    sink_text_text(out, "{\"database\":");
    json_text_string(out, bytes_of_text(definition->schema));
    sink_text_text(out, ",\"table\":");
    json_text_string(out, bytes_of_text(definition->name));
    sink_text_char(out, '}');
}

/* What the rows that are there get in a new column, as far as the definition says it. */
static void put_new_column(sink_text_t *out, const column_definition_t *column)
{
    static const char *const kinds[] = {[DEFAULT_NONE] = "none",
                                        [DEFAULT_NULL] = "null",
                                        [DEFAULT_LITERAL] = "literal",
                                        [DEFAULT_EXPRESSION] = "expression"};
    bool is_generated = column->generated != GENERATED_NO;
    sink_text_printf(out, ",\"defaultKind\":\"%s\",\"default\":",
                     is_generated ? "generated" : kinds[column->default_kind]);
    if (column->default_value && !is_generated)
        json_text_string(out, bytes_of_text(column->default_value));
    else
        sink_text_text(out, "null");
}

static void put_type(sink_text_t *out, const char *field, const column_definition_t *column)
{
    sink_text_t type = {0};
    canal_type_name(&type, column, true);
    sink_text_printf(out, ",\"%s\":", field);
    json_text_string(out, bytes_of(type.text, type.len));
    sink_text_clear(&type);
}

/* The column of the form before that this one was; NULL: it is new. */
static const column_definition_t *column_before(const table_change_t *change, uint32_t index)
{
    if (!change->before)
        return NULL;
    if (!change->column_sources)
        return &change->before->columns[index];
    uint32_t source = change->column_sources[index];
    return source == COLUMN_SOURCE_NEW ? NULL : &change->before->columns[source];
}

static void put_column(sink_text_t *out, const table_change_t *change, uint32_t index)
{
    const column_definition_t *column = &change->after->columns[index];
    const column_definition_t *before = column_before(change, index);
    sink_text_text(out, "{\"name\":");
    json_text_string(out, bytes_of_text(column->name));
    put_type(out, "mysqlType", column);
    sink_text_printf(
        out, ",\"notNull\":%s,\"from\":", column->flags & COLUMN_NOT_NULL ? "true" : "false");
    if (before) {
        json_text_string(out, bytes_of_text(before->name));
        put_type(out, "fromType", before);
    } else {
        sink_text_text(out, "null");
        put_new_column(out, column);
    }
    sink_text_char(out, '}');
}

/* Each column of the new form with the one it was before; null: it is new. */
static void put_columns(sink_text_t *out, const table_change_t *change)
{
    sink_text_text(out, ",\"columns\":");
    if (!change->after) {
        sink_text_text(out, "null");
        return;
    }
    for (uint32_t i = 0; i < change->after->column_count; i++) {
        sink_text_char(out, i ? ',' : '[');
        put_column(out, change, i);
    }
    sink_text_char(out, ']');
}

/* What identifies the table's rows from now on; null: nothing does. */
static void put_key(sink_text_t *out, const table_definition_t *definition)
{
    const key_definition_t *key = definition ? table_definition_row_key(definition) : NULL;
    sink_text_text(out, ",\"pkNames\":");
    for (uint32_t i = 0; key && i < key->part_count; i++) {
        sink_text_char(out, i ? ',' : '[');
        json_text_string(out, bytes_of_text(definition->columns[key->parts[i].column].name));
    }
    sink_text_text(out, key ? "]" : "null");
}

void canal_json_ddl(sink_text_t *out, const ddl_event_t *ddl, commit_ts_t watermark, wall_ms_t now)
{
    put_line(out, ddl->schema, ddl->object, true, ddl_type(ddl->verb), ddl->commit_time, now,
             ddl->sql_utf8);
    sink_text_printf(out, "{\"commitTs\":%" PRIu64 ",\"watermarkTs\":%" PRIu64 ",\"changes\":[",
                     ddl->commit_ts.v, watermark.v);
    for (uint32_t i = 0; i < ddl->change_count; i++) {
        const table_change_t *change = &ddl->changes[i];
        const table_definition_t *table = change->after ? change->after : change->before;
        sink_text_printf(out, "%s{\"kind\":\"%s\",\"tableId\":\"%016" PRIx64 "\"", i ? "," : "",
                         change_name(change->kind), table->table_id.v);
        put_name(out, "from", change->before);
        put_name(out, "to", change->after);
        put_key(out, change->after);
        put_columns(out, change);
        sink_text_char(out, '}');
    }
    sink_text_text(out, "]}}\n");
}

void canal_json_syncpoint(sink_text_t *out, commit_ts_t ts, commit_ts_t watermark, wall_ms_t now)
{
    put_line(out, "", "", false, "SYNCPOINT", now, now, "");
    sink_text_printf(out, "{\"commitTs\":%" PRIu64 ",\"watermarkTs\":%" PRIu64 "}}\n", ts.v,
                     watermark.v);
}

void canal_json_watermark(sink_text_t *out, commit_ts_t resolved, wall_ms_t now)
{
    put_line(out, "", "", false, "WATERMARK", now, now, "");
    sink_text_printf(out, "{\"watermarkTs\":%" PRIu64 "}}\n", resolved.v);
}
