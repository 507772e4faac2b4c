/*
 * Used by record.sh: what a server's schema and rows are, written beside the logs it made.
 *
 *   record schema URI FILE   source_describe's result, as source_schema_write puts it
 *   record state URI FILE    every row of every table: schema.table and its columns, separated by
 *                            tabs, sorted; numbers as text, text and binary values as hexadecimal
 *                            of their bytes, ENUM, SET and BIT as numbers, NULL as such
 */
#include <stdio.h>
#include <stdlib.h>

#include "dispatcher/upstream/source.h"
#include "dispatcher/upstream/source_connection.h"

#define PROBE_SERVER_ID 999999

static int fail(const error_report_t *report)
{
    fprintf(stderr, "record: %s\n", report->text);
    return 1;
}

static int record_schema(const char *uri, const char *path)
{
    arena_t arena = {0};
    error_report_t report = {0};
    source_description_t description;
    source_request_t request = {.uri = uri,
                                .server_id = PROBE_SERVER_ID,
                                .server_id_min = PROBE_SERVER_ID,
                                .server_id_max = PROBE_SERVER_ID};
    sluice_error_t error = source_describe(&request, &arena, &description, &report);
    if (error == SLUICE_OK)
        error = source_schema_write(path, &description, &report);
    for (uint32_t i = 0; error == SLUICE_OK && i < description.warning_count; i++)
        fprintf(stderr, "record: warning: %s\n", description.warnings[i]);
    arena_clear(&arena);
    return error == SLUICE_OK ? 0 : fail(&report);
}

/* For each table the SELECT that shows its rows in this form. */
static const char selects_sql[] =
    "SELECT CONCAT('SELECT CONCAT_WS(''\\t'', ''', c.TABLE_SCHEMA, '.', c.TABLE_NAME, ''', ',"
    " GROUP_CONCAT(CONCAT('IFNULL(',"
    "  CASE WHEN DATA_TYPE IN ('enum', 'set', 'bit') THEN CONCAT('CAST(`', COLUMN_NAME, '`+0 AS "
    "UNSIGNED)')"
    "   WHEN DATA_TYPE = 'float' THEN CONCAT('CAST(`', COLUMN_NAME, '` AS DOUBLE)')"
    "   WHEN DATA_TYPE IN ('inet4') THEN CONCAT('HEX(CAST(`', COLUMN_NAME, '` AS BINARY(4)))')"
    "   WHEN DATA_TYPE IN ('inet6', 'uuid')"
    "    THEN CONCAT('HEX(CAST(`', COLUMN_NAME, '` AS BINARY(16)))')"
    "   WHEN DATA_TYPE LIKE '%char' OR DATA_TYPE LIKE '%text' OR DATA_TYPE LIKE '%blob'"
    "    OR DATA_TYPE LIKE '%binary' OR DATA_TYPE IN ('point', 'geometry', 'linestring', 'polygon')"
    "    THEN CONCAT('HEX(`', COLUMN_NAME, '`)')"
    "   ELSE CONCAT('`', COLUMN_NAME, '`') END,"
    "  ', ''NULL'')') ORDER BY ORDINAL_POSITION SEPARATOR ', '),"
    " ') FROM `', c.TABLE_SCHEMA, '`.`', REPLACE(c.TABLE_NAME, '`', '``'), '`')"
    " FROM information_schema.COLUMNS c JOIN information_schema.TABLES t"
    "  USING (TABLE_SCHEMA, TABLE_NAME)"
    " WHERE TABLE_SCHEMA NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys',"
    "  'sluice') AND TABLE_TYPE = 'BASE TABLE'"
    " GROUP BY TABLE_SCHEMA, TABLE_NAME";

static int write_rows(MYSQL *mysql, const char *select, FILE *file, error_report_t *report)
{
    MYSQL_RES *result;
    if (source_query(mysql, select, &result, report) != SLUICE_OK)
        return fail(report);
    MYSQL_ROW row;
    while ((row = mysql_fetch_row(result)))
        fprintf(file, "%s\n", row[0]);
    mysql_free_result(result);
    return 0;
}

static int write_state(MYSQL *mysql, FILE *file, error_report_t *report)
{
    MYSQL_RES *selects;
    if (source_query(mysql,
                     "SET SESSION sql_mode='', time_zone='+00:00', group_concat_max_len=1000000, "
                     "NAMES utf8mb4",
                     NULL, report) != SLUICE_OK ||
        source_query(mysql, selects_sql, &selects, report) != SLUICE_OK)
        return fail(report);
    int status = 0;
    MYSQL_ROW row;
    while (status == 0 && (row = mysql_fetch_row(selects)))
        status = write_rows(mysql, row[0], file, report);
    mysql_free_result(selects);
    return status;
}

static int record_state(const char *uri, const char *path)
{
    arena_t arena = {0};
    error_report_t report = {0};
    source_address_t address;
    MYSQL *mysql;
    sluice_error_t error = source_address_parse(uri, &arena, &address, &report);
    if (error == SLUICE_OK)
        error = source_connect(&address, (source_timeouts_t){5, 60}, &mysql, &report);
    int status = 1;
    if (error == SLUICE_OK) {
        FILE *file = fopen(path, "we");
        status = file ? write_state(mysql, file, &report) : 1;
        if (file && fclose(file) != 0)
            status = 1;
        mysql_close(mysql);
    } else {
        status = fail(&report);
    }
    arena_clear(&arena);
    return status;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "schema") == 0)
        return record_schema(argv[2], argv[3]);
    if (argc == 4 && strcmp(argv[1], "state") == 0)
        return record_state(argv[2], argv[3]);
    fprintf(stderr, "usage: record schema|state URI FILE\n");
    return 2;
}
