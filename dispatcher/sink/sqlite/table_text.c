#include "dispatcher/sink/sqlite/table_text.h"

#include <inttypes.h>

#include "common/base/ids.h"
#include "dispatcher/sink/sqlite/column.h"

/* SQLite's default limit. */
#define SQLITE_COLUMNS_MAX 2000
/* A full-row match is one expression, whose depth SQLite limits to 1000. */
#define KEYLESS_COLUMNS_MAX 900
#define INDEX_KEY_NAME_MAX 80

const char *sqlite_table_name(arena_t *arena, const char *schema, const char *table)
{
    return arena_printf(arena, "%s.%s", schema, table);
}

bool sqlite_key_is_index(const table_definition_t *definition, const key_definition_t *key)
{
    switch (key->kind) {
    case KEY_PRIMARY:
    case KEY_UNIQUE:
    case KEY_INDEX:
        return key != table_definition_row_key(definition);
    case KEY_FULLTEXT:
    case KEY_SPATIAL:
        return false;
    }
    return false;
}

const char *sqlite_index_name(arena_t *arena, const table_definition_t *definition,
                              const key_definition_t *key)
{
    if (strlen(key->name) <= INDEX_KEY_NAME_MAX)
        return arena_printf(arena, "__sluice_%016" PRIx64 "_%s", definition->table_id.v, key->name);
    uint64_t hash = schema_id_derive(bytes_of_text(key->name)).v;
    return arena_printf(arena, "__sluice_%016" PRIx64 "_%.60s_%016" PRIx64, definition->table_id.v,
                        key->name, hash);
}

static bool is_key_column(const key_definition_t *key, uint32_t column)
{
    for (uint32_t i = 0; key && i < key->part_count; i++) {
        if (key->parts[i].column == column)
            return true;
    }
    return false;
}

static void put_key_columns(sink_text_t *sql, const table_definition_t *definition,
                            const key_definition_t *key)
{
    for (uint32_t i = 0; i < key->part_count; i++) {
        if (i)
            sink_text_text(sql, ", ");
        sink_text_identifier(sql, definition->columns[key->parts[i].column].name);
    }
}

static bool is_integer_key(const table_definition_t *definition, const key_definition_t *key)
{
    return key && key->part_count == 1 &&
           sqlite_column_storage(&definition->columns[key->parts[0].column]) ==
               SQLITE_STORAGE_INTEGER;
}

void sqlite_table_text_create(sink_text_t *sql, const table_definition_t *definition,
                              const char *name)
{
    const key_definition_t *key = table_definition_row_key(definition);
    bool is_rowid = is_integer_key(definition, key);
    sink_text_text(sql, "CREATE TABLE ");
    sink_text_identifier(sql, name);
    sink_text_text(sql, " (");
    for (uint32_t i = 0; i < definition->column_count; i++) {
        const column_definition_t *column = &definition->columns[i];
        sink_text_text(sql, i ? ", " : "");
        sink_text_identifier(sql, column->name);
        sink_text_printf(sql, " %s", sqlite_storage_name(sqlite_column_storage(column)));
        if (is_key_column(key, i))
            sink_text_text(sql, is_rowid ? " PRIMARY KEY" : " NOT NULL");
    }
    if (key && !is_rowid) {
        sink_text_text(sql, ", PRIMARY KEY (");
        put_key_columns(sql, definition, key);
        sink_text_char(sql, ')');
    }
    sink_text_text(sql, key && !is_rowid ? ") STRICT, WITHOUT ROWID" : ") STRICT");
}

void sqlite_table_text_create_index(sink_text_t *sql, const table_definition_t *definition,
                                    const key_definition_t *key, const char *table_name,
                                    const char *index_name)
{
    sink_text_text(sql, "CREATE INDEX ");
    sink_text_identifier(sql, index_name);
    sink_text_text(sql, " ON ");
    sink_text_identifier(sql, table_name);
    sink_text_text(sql, " (");
    put_key_columns(sql, definition, key);
    sink_text_char(sql, ')');
}

static bool has_column(const table_definition_t *definition, const char *name)
{
    return table_definition_find_column(definition, bytes_of_text(name)) >= 0;
}

const char *sqlite_rowid_name(const table_definition_t *definition)
{
    static const char *const names[] = {"rowid", "_rowid_", "oid"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!has_column(definition, names[i]))
            return names[i];
    }
    return NULL;
}

sluice_error_t sqlite_table_is_possible(const table_definition_t *definition,
                                        error_report_t *report)
{
    const char *reason = NULL;
    if (definition->is_system_versioned)
        reason = "is system-versioned: its history would count as rows";
    else if (definition->is_view || definition->is_sequence)
        reason = "is no table";
    else if (definition->column_count > SQLITE_COLUMNS_MAX)
        reason = "has more than 2000 columns";
    else if (!table_definition_row_key(definition) &&
             definition->column_count > KEYLESS_COLUMNS_MAX)
        reason = "has no key and more than 900 columns";
    else if (!table_definition_row_key(definition) && !sqlite_rowid_name(definition))
        reason = "has no key and columns named rowid, _rowid_ and oid";
    if (!reason)
        return SLUICE_OK;
    return error_report_set(report, SLUICE_ERROR_DDL_UNSUPPORTED,
                            "%s.%s cannot be carried to SQLite: it %s; leave it out by the filter",
                            definition->schema, definition->name, reason);
}
