#include "dispatcher/sink/sqlite/partition.h"

#include "dispatcher/core/ddl/partition_rows.h"
#include "dispatcher/core/ddl/partitioning.h"
#include "dispatcher/sink/sink_text.h"
#include "dispatcher/sink/sqlite/column.h"

static void add_value(sink_text_t *sql, bool is_number, const char *value)
{
    if (is_number)
        sink_text_text(sql, value);
    else
        sink_text_literal(sql, bytes_of_text(value));
}

static void add_bound(sink_text_t *sql, const char *column, const char *comparison, bool is_number,
                      const char *value)
{
    sink_text_text(sql, " AND ");
    sink_text_identifier(sql, column);
    sink_text_text(sql, comparison);
    add_value(sql, is_number, value);
}

/* Dates and times lie in the file as text whose order is theirs, and a date is before each of its
 * times; an integer that lies there as text has no order. */
static bool is_comparable(const column_definition_t *column)
{
    return sqlite_column_storage(column) == SQLITE_STORAGE_INTEGER || column->type == COLUMN_DATE ||
           column->type == COLUMN_DATETIME || column->type == COLUMN_TIMESTAMP;
}

static void add_condition(sink_text_t *sql, const column_definition_t *column,
                          const partition_rows_t *rows)
{
    bool is_number = sqlite_column_storage(column) == SQLITE_STORAGE_INTEGER;
    sink_text_text(sql, " WHERE (");
    sink_text_identifier(sql, column->name);
    sink_text_text(sql, " IS NOT NULL");
    if (rows->lower)
        add_bound(sql, column->name, " >= ", is_number, rows->lower);
    if (rows->upper)
        add_bound(sql, column->name, " < ", is_number, rows->upper);
    if (rows->is_list) {
        sink_text_text(sql, " AND ");
        sink_text_identifier(sql, column->name);
        sink_text_text(sql, " IN (");
        for (uint32_t i = 0; i < rows->value_count; i++) {
            sink_text_text(sql, i ? ", " : "");
            add_value(sql, is_number, rows->values[i]);
        }
        sink_text_text(sql, ")");
    }
    sink_text_text(sql, ")");
    if (rows->holds_null) {
        sink_text_text(sql, " OR ");
        sink_text_identifier(sql, column->name);
        sink_text_text(sql, " IS NULL");
    }
}

static sluice_error_t execute(sqlite_session_t *session, const char *name,
                              const column_definition_t *column, const partition_rows_t *rows,
                              error_report_t *report)
{
    sink_text_t sql = {0};
    sink_text_text(&sql, "DELETE FROM ");
    sink_text_identifier(&sql, name);
    if (rows)
        add_condition(&sql, column, rows);
    sluice_error_t error = sqlite_session_execute(session, sql.text, report);
    sink_text_clear(&sql);
    return error;
}

static bool has_partition(const table_definition_t *table, const char *partition, arena_t *arena)
{
    partitioning_t all;
    return !table->partition_text || !partitioning_parse(table->partition_text, arena, &all) ||
           all.partition_count == 0 || partitioning_find(&all, partition) >= 0;
}

static sluice_error_t delete_one(sqlite_session_t *session, const table_definition_t *table,
                                 const char *name, const char *partition, arena_t *arena,
                                 error_report_t *report)
{
    partition_rows_t rows;
    if (!has_partition(table, partition, arena))
        return SLUICE_OK;
    if (!partition_rows_find(table, partition, arena, &rows) ||
        !is_comparable(&table->columns[rows.column]))
        return error_report_set(report, SLUICE_ERROR_DDL_UNSUPPORTED,
                                "SQLite has no partitions, and the rows of partition %s of %s.%s "
                                "cannot be told from its definition (%.300s)",
                                partition, table->schema, table->name,
                                table->partition_text ? table->partition_text : "not known");
    return execute(session, name, &table->columns[rows.column], &rows, report);
}

sluice_error_t sqlite_delete_partitions(sqlite_session_t *session, const ddl_event_t *ddl,
                                        const char *name, error_report_t *report)
{
    const table_definition_t *table = ddl->changes[0].before;
    if (ddl->names_all_partitions)
        return execute(session, name, NULL, NULL, report);
    arena_t arena = {0};
    sluice_error_t error = SLUICE_OK;
    for (uint32_t i = 0; i < ddl->partition_count && !error; i++)
        error = delete_one(session, table, name, ddl->partitions[i], &arena, report);
    arena_clear(&arena);
    return error;
}
