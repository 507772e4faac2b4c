#include <mysql.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/memory.h"
#include "common/runtime/secret.h"
#include "maintainer/ctl/compare/database.h"
#include "maintainer/ctl/compare/mariadb_text.h"

typedef struct {
    database_t base;
    MYSQL *connection;
} mariadb_database_t;

static sluice_error_t mariadb_failed(mariadb_database_t *self, const char *doing,
                                     error_report_t *report)
{
    return error_report_set(report, SLUICE_ERROR_SOURCE_CONNECTION, "%s: %s (%u)", doing,
                            mysql_error(self->connection), mysql_errno(self->connection));
}

static void mariadb_close(database_t **database)
{
    mariadb_database_t *self = (mariadb_database_t *)*database;
    if (!self)
        return;
    if (self->connection)
        mysql_close(self->connection);
    free(self);
    *database = NULL;
}

static sluice_error_t query(mariadb_database_t *self, const char *sql, MYSQL_RES **result,
                            error_report_t *report)
{
    if (mysql_query(self->connection, sql) != 0)
        return mariadb_failed(self, sql, report);
    *result = mysql_store_result(self->connection);
    return *result ? SLUICE_OK : mariadb_failed(self, sql, report);
}

static sluice_error_t mariadb_tables(database_t *database, arena_t *arena, compare_table_t **tables,
                                     uint32_t *count, error_report_t *report)
{
    mariadb_database_t *self = (mariadb_database_t *)database;
    static const char sql[] =
        "SELECT table_schema, table_name, table_type = 'VIEW' FROM information_schema.tables WHERE "
        "table_schema NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys', "
        "'sluice') AND table_type IN ('BASE TABLE', 'VIEW', 'SYSTEM VERSIONED') "
        "ORDER BY BINARY table_schema, BINARY table_name";
    MYSQL_RES *result = NULL;
    sluice_error_t error = query(self, sql, &result, report);
    if (error)
        return error;
    *count = (uint32_t)mysql_num_rows(result);
    *tables = arena_calloc(arena, *count ? *count : 1, sizeof **tables);
    for (uint32_t i = 0; i < *count; i++) {
        MYSQL_ROW row = mysql_fetch_row(result);
        (*tables)[i] = (compare_table_t){
            .schema = arena_strdup(arena, row[0]),
            .name = arena_strdup(arena, row[1]),
            .is_view = row[2][0] == '1',
        };
    }
    mysql_free_result(result);
    return SLUICE_OK;
}

static sluice_error_t read_definition(mariadb_database_t *self, arena_t *arena,
                                      compare_table_t *table, error_report_t *report)
{
    char *sql = mariadb_text_show_create(arena, table);
    MYSQL_RES *result = NULL;
    sluice_error_t error = query(self, sql, &result, report);
    if (error)
        return error;
    MYSQL_ROW row = mysql_fetch_row(result);
    if (row && row[1])
        table->definition = mariadb_text_normal_definition(arena, row[1]);
    mysql_free_result(result);
    return SLUICE_OK;
}

static sluice_error_t read_columns(mariadb_database_t *self, arena_t *arena, compare_table_t *table,
                                   error_report_t *report)
{
    char *sql = mariadb_text_columns_query(arena, table);
    MYSQL_RES *result = NULL;
    sluice_error_t error = query(self, sql, &result, report);
    if (error)
        return error;
    table->column_count = (uint32_t)mysql_num_rows(result);
    table->columns =
        arena_calloc(arena, table->column_count ? table->column_count : 1, sizeof *table->columns);
    for (uint32_t i = 0; i < table->column_count; i++) {
        MYSQL_ROW row = mysql_fetch_row(result);
        table->columns[i] = (compare_column_t){
            .name = arena_strdup(arena, row[0]),
            .canon = mariadb_text_canon(row[1], row[2]),
            .in_key = row[3] && strcmp(row[3], "PRI") == 0,
        };
    }
    mysql_free_result(result);
    return SLUICE_OK;
}

static sluice_error_t mariadb_describe(database_t *database, arena_t *arena, compare_table_t *table,
                                       error_report_t *report)
{
    mariadb_database_t *self = (mariadb_database_t *)database;
    sluice_error_t error = read_definition(self, arena, table, report);
    return error ? error : read_columns(self, arena, table, report);
}

#define REAL_TEXT_SIZE 40

static cell_t cell_of(const char *text, unsigned long len, canon_t canon, char real[REAL_TEXT_SIZE])
{
    if (!text)
        return (cell_t){.is_null = true};
    if (canon == CANON_REAL) {
        int real_len = snprintf(real, REAL_TEXT_SIZE, "%.17g", strtod(text, NULL));
        return (cell_t){.bytes = bytes_of(real, (size_t)real_len)};
    }
    return (cell_t){.bytes = bytes_of(text, len)};
}

static sluice_error_t deliver_rows(mariadb_database_t *self, MYSQL_RES *result,
                                   const compare_table_t *table, database_row_t *row_callback,
                                   void *context, error_report_t *report)
{
    uint32_t count = table->column_count;
    cell_t *cells = memory_zalloc(count * sizeof *cells);
    char(*reals)[REAL_TEXT_SIZE] = memory_zalloc(count * sizeof *reals);
    sluice_error_t error = SLUICE_OK;
    MYSQL_ROW row;
    while (!error && (row = mysql_fetch_row(result))) {
        unsigned long *lens = mysql_fetch_lengths(result);
        for (uint32_t i = 0; i < count; i++)
            cells[i] = cell_of(row[i], lens[i], table->columns[i].canon, reals[i]);
        error = row_callback(cells, context);
    }
    if (!error && mysql_errno(self->connection))
        error = mariadb_failed(self, table->name, report);
    free(reals);
    free(cells);
    return error;
}

static sluice_error_t mariadb_rows(database_t *database, const compare_table_t *table, bool as_utf8,
                                   database_row_t *row, void *context, error_report_t *report)
{
    mariadb_database_t *self = (mariadb_database_t *)database;
    arena_t arena = {0};
    char *sql = mariadb_text_select(&arena, table, as_utf8);
    sluice_error_t error = SLUICE_OK;
    if (mysql_query(self->connection, sql) != 0) {
        error = mariadb_failed(self, sql, report);
    } else {
        MYSQL_RES *result = mysql_use_result(self->connection);
        error = result ? deliver_rows(self, result, table, row, context, report)
                       : mariadb_failed(self, sql, report);
        if (result)
            mysql_free_result(result);
    }
    arena_clear(&arena);
    return error;
}

static const database_api_t mariadb_api = {
    .close = mariadb_close,
    .tables = mariadb_tables,
    .describe = mariadb_describe,
    .rows = mariadb_rows,
};

static sluice_error_t set_session(mariadb_database_t *self, error_report_t *report)
{
    static const char *const statements[] = {
        "SET NAMES utf8mb4", "SET character_set_results = NULL", "SET time_zone = '+00:00'",
        "SET sql_mode = ''", "SET sql_quote_show_create = 1",    "SET net_write_timeout = 600",
    };
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++)
        if (mysql_query(self->connection, statements[i]) != 0)
            return mariadb_failed(self, statements[i], report);
    return SLUICE_OK;
}

sluice_error_t database_open_mariadb(const char *text, const char *password_variable,
                                     database_t **database, error_report_t *report)
{
    uri_t uri;
    arena_t arena = {0};
    *database = NULL;
    sluice_error_t error = uri_parse(bytes_of_text(text), &arena, &uri, report);
    const char *password = NULL;
    if (!error)
        error = secret_password(&uri, password_variable, &arena, &password, report);
    if (!error) {
        mariadb_database_t *self = memory_zalloc(sizeof *self);
        self->base.api = &mariadb_api;
        self->base.has_definitions = true;
        self->connection = mysql_init(NULL);
        *database = &self->base;
        if (!mysql_real_connect(self->connection, uri.host, uri.user, password, NULL,
                                uri.port ? uri.port : 3306, uri_parameter(&uri, "socket"), 0))
            error = mariadb_failed(self, "cannot connect", report);
        else
            error = set_session(self, report);
        if (error)
            mariadb_close(database);
    }
    arena_clear(&arena);
    return error;
}
