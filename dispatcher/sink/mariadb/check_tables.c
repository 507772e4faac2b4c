#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "dispatcher/sink/mariadb/check.h"
#include "dispatcher/sink/mariadb/column_equal.h"
#include "dispatcher/sink/mariadb/table.h"

typedef struct {
    const table_definition_t *definition;
    bool is_found, has_key;
    bool *columns_found;
} checked_table_t;

typedef struct {
    mariadb_session_t *session;
    arena_t arena;
    checked_table_t *tables; /* by schema, then name */
    uint32_t count;
    error_report_t *report;
} check_work_t;

static int checked_table_compare(const void *a, const void *b)
{
    const table_definition_t *left = ((const checked_table_t *)a)->definition;
    const table_definition_t *right = ((const checked_table_t *)b)->definition;
    int order = strcmp(left->schema, right->schema);
    return order != 0 ? order : strcmp(left->name, right->name);
}

static checked_table_t *table_find(check_work_t *work, const char *schema, const char *name)
{
    table_definition_t wanted = {.schema = schema, .name = name};
    checked_table_t key = {.definition = &wanted};
    return bsearch(&key, work->tables, work->count, sizeof key, checked_table_compare);
}

static void refuse(check_work_t *work, const checked_table_t *table, const char *what)
{
    mariadb_check_add(work->report, SLUICE_ERROR_SCHEMA_MISMATCH, "table %s.%s: %s",
                      table->definition->schema, table->definition->name, what);
}

typedef void (*row_visitor_t)(check_work_t *work, checked_table_t *table, MYSQL_ROW row);

/* Runs `select` with the schema behind it; the first column of each row is a table. */
static sluice_error_t rows_visit(check_work_t *work, const char *select, const char *schema,
                                 const char *rest, row_visitor_t visit)
{
    sql_text_t sql = {0};
    sql_text_add(&sql, select);
    sql_text_add_string(&sql, schema);
    sql_text_add(&sql, rest);
    MYSQL_RES *result;
    error_report_t own = {0};
    sluice_error_t error = mariadb_session_select(work->session, sql_text_get(&sql), &result, &own);
    sql_text_clear(&sql);
    if (error != SLUICE_OK)
        return mariadb_check_add(work->report, error, "%s", own.text);
    for (MYSQL_ROW row; (row = mysql_fetch_row(result));) {
        checked_table_t *table = table_find(work, schema, row[0]);
        if (table)
            visit(work, table, row);
    }
    mysql_free_result(result);
    return SLUICE_OK;
}

static void table_visit(check_work_t *work, checked_table_t *table, MYSQL_ROW row)
{
    table->is_found = true;
    char text[256];
    if (!row[1] || strcasecmp(row[1], "InnoDB") != 0) {
        snprintf(text, sizeof text,
                 "is of engine %s in the sink: ALTER TABLE … ENGINE=InnoDB it there",
                 row[1] ? row[1] : "(a view)");
        refuse(work, table, text);
    }
}

static void column_visit(check_work_t *work, checked_table_t *table, MYSQL_ROW row)
{
    const table_definition_t *definition = table->definition;
    int column = table_definition_find_column(definition, bytes_of_text(row[1]));
    char text[512];
    if (column < 0) {
        snprintf(text, sizeof text, "the sink's has a column %s that the source's has not", row[1]);
        refuse(work, table, text);
        return;
    }
    table->columns_found[column] = true;
    sink_column_t found = {.data_type = row[2],
                           .column_type = row[3],
                           .charset = row[4],
                           .length = row[5],
                           .precision = row[6],
                           .scale = row[7],
                           .fsp = row[8],
                           .is_nullable = strcmp(row[9], "YES") == 0};
    if (mariadb_column_equal(&definition->columns[column], &found))
        return;
    snprintf(text, sizeof text,
             "column %s is %s%s%s in the sink, which is not the source's type: load the table as "
             "it is in the source",
             row[1], row[3], row[4] ? " CHARACTER SET " : "", row[4] ? row[4] : "");
    refuse(work, table, text);
}

static int name_compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The key's columns, sorted, a newline behind each. */
static const char *key_text(check_work_t *work, const table_definition_t *definition,
                            const key_definition_t *key)
{
    const char **names = arena_calloc(&work->arena, key->part_count, sizeof *names);
    size_t len = 1;
    for (uint32_t i = 0; i < key->part_count; i++) {
        names[i] = definition->columns[key->parts[i].column].name;
        len += strlen(names[i]) + 1;
    }
    qsort(names, key->part_count, sizeof *names, name_compare);
    char *text = arena_zalloc(&work->arena, len);
    size_t used = 0;
    for (uint32_t i = 0; i < key->part_count; i++)
        used += (size_t)snprintf(text + used, len - used, "%s\n", names[i]);
    return text;
}

static void key_visit(check_work_t *work, checked_table_t *table, MYSQL_ROW row)
{
    const key_definition_t *key = table_definition_row_key(table->definition);
    if (key && strcasecmp(key_text(work, table->definition, key), row[1]) == 0)
        table->has_key = true;
}

static void trigger_visit(check_work_t *work, checked_table_t *table, MYSQL_ROW row)
{
    char text[256];
    snprintf(text, sizeof text,
             "has the trigger %s in the sink, whose work is in the source's log already: drop it "
             "there",
             row[1]);
    refuse(work, table, text);
}

static sluice_error_t schema_visit(check_work_t *work, const char *schema)
{
    sluice_error_t error = rows_visit(
        work, "SELECT TABLE_NAME,ENGINE FROM information_schema.TABLES WHERE TABLE_SCHEMA=", schema,
        "", table_visit);
    if (error == SLUICE_OK)
        error = rows_visit(work,
                           "SELECT TABLE_NAME,COLUMN_NAME,DATA_TYPE,COLUMN_TYPE,CHARACTER_SET_NAME,"
                           "CHARACTER_MAXIMUM_LENGTH,NUMERIC_PRECISION,NUMERIC_SCALE,"
                           "DATETIME_PRECISION,IS_NULLABLE FROM information_schema.COLUMNS WHERE "
                           "TABLE_SCHEMA=",
                           schema, "", column_visit);
    if (error == SLUICE_OK)
        error = rows_visit(work,
                           "SELECT TABLE_NAME,GROUP_CONCAT(CONCAT(COLUMN_NAME,'\n') ORDER BY "
                           "CAST(COLUMN_NAME AS BINARY) SEPARATOR '') FROM "
                           "information_schema.STATISTICS WHERE NON_UNIQUE=0 AND TABLE_SCHEMA=",
                           schema, " GROUP BY TABLE_NAME,INDEX_NAME", key_visit);
    if (error == SLUICE_OK)
        error = rows_visit(work,
                           "SELECT EVENT_OBJECT_TABLE,TRIGGER_NAME FROM "
                           "information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA=",
                           schema, "", trigger_visit);
    return error;
}

static void table_judge(check_work_t *work, const checked_table_t *table)
{
    const table_definition_t *definition = table->definition;
    const char *refusal = mariadb_table_refusal(definition);
    char text[256];
    if (refusal) {
        refuse(work, table, refusal);
        return;
    }
    if (!table->is_found) {
        refuse(work, table, "is not in the sink: load it from a dump of the start position");
        return;
    }
    if (table_definition_row_key(definition) && !table->has_key)
        refuse(work, table,
               "lacks in the sink the primary or unique key by which rows are found: add it there");
    for (uint32_t i = 0; i < definition->column_count; i++) {
        if (table->columns_found[i])
            continue;
        snprintf(text, sizeof text, "the sink's lacks the column %s", definition->columns[i].name);
        refuse(work, table, text);
    }
}

sluice_error_t mariadb_check_tables(mariadb_session_t *session,
                                    const table_definition_t *const *tables, uint32_t count,
                                    error_report_t *report)
{
    check_work_t work = {.session = session, .count = count, .report = report};
    work.tables = arena_calloc(&work.arena, count, sizeof *work.tables);
    for (uint32_t i = 0; i < count; i++) {
        work.tables[i].definition = tables[i];
        work.tables[i].columns_found =
            arena_calloc(&work.arena, tables[i]->column_count, sizeof(bool));
    }
    qsort(work.tables, count, sizeof *work.tables, checked_table_compare);
    sluice_error_t error = SLUICE_OK;
    for (uint32_t i = 0; i < count && error == SLUICE_OK; i++) {
        const char *schema = work.tables[i].definition->schema;
        if (i == 0 || strcmp(schema, work.tables[i - 1].definition->schema) != 0)
            error = schema_visit(&work, schema);
    }
    for (uint32_t i = 0; i < count && error == SLUICE_OK; i++)
        table_judge(&work, &work.tables[i]);
    arena_clear(&work.arena);
    return report->code;
}
