#include "dispatcher/sink/mariadb/columns.h"

static sluice_error_t columns_select(mariadb_session_t *session,
                                     const table_definition_t *definition, MYSQL_RES **result,
                                     error_report_t *report)
{
    sql_text_t sql = {0};
    sql_text_add(&sql, "SELECT COLUMN_NAME,CHARACTER_SET_NAME,COLLATION_NAME FROM "
                       "information_schema.COLUMNS WHERE TABLE_SCHEMA=");
    sql_text_add_string(&sql, definition->schema);
    sql_text_add(&sql, " AND TABLE_NAME=");
    sql_text_add_string(&sql, definition->name);
    sluice_error_t error = mariadb_session_select(session, sql_text_get(&sql), result, report);
    sql_text_clear(&sql);
    return error;
}

static sluice_error_t mismatch(const table_definition_t *definition, const char *what,
                               const char *column, error_report_t *report)
{
    return error_report_set(report, SLUICE_ERROR_SCHEMA_MISMATCH,
                            "table %s.%s: %s%s%s; make the sink's table like the source's and "
                            "resume",
                            definition->schema, definition->name, what, column ? " " : "",
                            column ? column : "");
}

static sluice_error_t columns_match(const table_definition_t *definition, MYSQL_RES *result,
                                    arena_t *arena, mariadb_column_t *columns,
                                    error_report_t *report)
{
    bool *is_found = arena_calloc(arena, definition->column_count, sizeof *is_found);
    if (mysql_num_rows(result) == 0)
        return mismatch(definition, "the sink has no such table", NULL, report);
    for (MYSQL_ROW row; (row = mysql_fetch_row(result));) {
        int column = table_definition_find_column(definition, bytes_of_text(row[0]));
        if (column < 0)
            return mismatch(definition,
                            "the sink's table has a column that the source's has not:", row[0],
                            report);
        is_found[column] = true;
        /* ENUM and SET travel as numbers. */
        column_type_t type = definition->columns[column].type;
        bool is_text = row[1] && row[2] && type != COLUMN_ENUM && type != COLUMN_SET;
        columns[column].charset = is_text ? arena_strdup(arena, row[1]) : NULL;
        columns[column].collation = is_text ? arena_strdup(arena, row[2]) : NULL;
    }
    for (uint32_t i = 0; i < definition->column_count; i++) {
        if (!is_found[i])
            return mismatch(definition, "the sink's table lacks the column",
                            definition->columns[i].name, report);
    }
    return SLUICE_OK;
}

sluice_error_t mariadb_columns_read(mariadb_session_t *session,
                                    const table_definition_t *definition, arena_t *arena,
                                    const mariadb_column_t **columns, error_report_t *report)
{
    MYSQL_RES *result;
    sluice_error_t error = columns_select(session, definition, &result, report);
    if (error != SLUICE_OK)
        return error;
    mariadb_column_t *found = arena_calloc(arena, definition->column_count, sizeof *found);
    error = columns_match(definition, result, arena, found, report);
    mysql_free_result(result);
    *columns = found;
    return error;
}
