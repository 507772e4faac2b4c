#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/memory.h"
#include "maintainer/ctl/compare/database.h"

typedef struct {
    database_t base;
    sqlite3 *handle;
} sqlite_database_t;

static sluice_error_t sqlite_failed(sqlite_database_t *self, error_report_t *report)
{
    return error_report_set(report, SLUICE_ERROR_SINK_CONNECTION, "sqlite: %s",
                            sqlite3_errmsg(self->handle));
}

static void sqlite_database_close(database_t **database)
{
    sqlite_database_t *self = (sqlite_database_t *)*database;
    if (!self)
        return;
    sqlite3_close(self->handle);
    free(self);
    *database = NULL;
}

static void split_name(arena_t *arena, const char *full, compare_table_t *table)
{
    const char *dot = strchr(full, '.');
    table->schema = arena_strndup(arena, full, (size_t)(dot - full));
    table->name = arena_strdup(arena, dot + 1);
}

static sluice_error_t sqlite_tables(database_t *database, arena_t *arena, compare_table_t **tables,
                                    uint32_t *count, error_report_t *report)
{
    sqlite_database_t *self = (sqlite_database_t *)database;
    static const char sql[] = "SELECT name, type = 'view' FROM sqlite_master WHERE type IN "
                              "('table', 'view') AND instr(name, '.') > 1 ORDER BY name";
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(self->handle, sql, -1, &statement, NULL) != SQLITE_OK)
        return sqlite_failed(self, report);
    uint32_t room = 64;
    compare_table_t *found = arena_calloc(arena, room, sizeof *found);
    *count = 0;
    int rc;
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
        if (*count == room) {
            compare_table_t *more = arena_calloc(arena, (size_t)room * 2, sizeof *more);
            memcpy(more, found, room * sizeof *more);
            found = more;
            room *= 2;
        }
        split_name(arena, (const char *)sqlite3_column_text(statement, 0), &found[*count]);
        found[(*count)++].is_view = sqlite3_column_int(statement, 1) != 0;
    }
    sqlite3_finalize(statement);
    *tables = found;
    return rc == SQLITE_DONE ? SLUICE_OK : sqlite_failed(self, report);
}

static sluice_error_t sqlite_describe(database_t *database, arena_t *arena, compare_table_t *table,
                                      error_report_t *report)
{
    sqlite_database_t *self = (sqlite_database_t *)database;
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(self->handle, "SELECT name, pk FROM pragma_table_xinfo(?)", -1,
                           &statement, NULL) != SQLITE_OK)
        return sqlite_failed(self, report);
    const char *full = arena_printf(arena, "%s.%s", table->schema, table->name);
    sqlite3_bind_text(statement, 1, full, -1, SQLITE_STATIC);
    compare_column_t *columns = arena_calloc(arena, 4096, sizeof *columns);
    uint32_t count = 0;
    int rc;
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW && count < 4096) {
        columns[count].name = arena_strdup(arena, (const char *)sqlite3_column_text(statement, 0));
        columns[count++].in_key = sqlite3_column_int(statement, 1) > 0;
    }
    sqlite3_finalize(statement);
    table->columns = columns;
    table->column_count = count;
    return rc == SQLITE_DONE ? SLUICE_OK : sqlite_failed(self, report);
}

static char *select_text(const compare_table_t *table)
{
    char *text = memory_strdup("SELECT ");
    for (uint32_t i = 0; i < table->column_count; i++) {
        char *more = sqlite3_mprintf("%s%s\"%w\"", text, i ? ", " : "", table->columns[i].name);
        free(text);
        text = memory_strdup(more);
        sqlite3_free(more);
    }
    char *more = sqlite3_mprintf("%s FROM \"%w.%w\"", text, table->schema, table->name);
    free(text);
    text = memory_strdup(more);
    sqlite3_free(more);
    return text;
}

#define REAL_TEXT_SIZE 40

static cell_t cell_of_column(sqlite3_stmt *statement, int column, canon_t canon,
                             char real[REAL_TEXT_SIZE])
{
    if (sqlite3_column_type(statement, column) == SQLITE_NULL)
        return (cell_t){.is_null = true};
    if (canon == CANON_REAL) {
        int len = snprintf(real, REAL_TEXT_SIZE, "%.17g", sqlite3_column_double(statement, column));
        return (cell_t){.bytes = bytes_of(real, (size_t)len)};
    }
    const void *data = sqlite3_column_blob(statement, column);
    return (cell_t){.bytes = bytes_of(data, (size_t)sqlite3_column_bytes(statement, column))};
}

static sluice_error_t sqlite_rows(database_t *database, const compare_table_t *table, bool as_utf8,
                                  database_row_t *row, void *context, error_report_t *report)
{
    (void)as_utf8;
    sqlite_database_t *self = (sqlite_database_t *)database;
    char *sql = select_text(table);
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(self->handle, sql, -1, &statement, NULL);
    free(sql);
    if (rc != SQLITE_OK)
        return sqlite_failed(self, report);
    cell_t *cells = memory_zalloc(table->column_count * sizeof *cells);
    char(*reals)[REAL_TEXT_SIZE] = memory_zalloc(table->column_count * sizeof *reals);
    sluice_error_t error = SLUICE_OK;
    while (!error && (rc = sqlite3_step(statement)) == SQLITE_ROW) {
        for (uint32_t i = 0; i < table->column_count; i++)
            cells[i] = cell_of_column(statement, (int)i, table->columns[i].canon, reals[i]);
        error = row(cells, context);
    }
    if (!error && rc != SQLITE_DONE)
        error = sqlite_failed(self, report);
    sqlite3_finalize(statement);
    free(reals);
    free(cells);
    return error;
}

static const database_api_t sqlite_api = {
    .close = sqlite_database_close,
    .tables = sqlite_tables,
    .describe = sqlite_describe,
    .rows = sqlite_rows,
};

sluice_error_t database_open_sqlite(const char *path, database_t **database, error_report_t *report)
{
    sqlite_database_t *self = memory_zalloc(sizeof *self);
    self->base.api = &sqlite_api;
    *database = &self->base;
    if (sqlite3_open_v2(path, &self->handle, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK) {
        error_report_set(report, SLUICE_ERROR_SINK_CONNECTION, "cannot open %s: %s", path,
                         sqlite3_errmsg(self->handle));
        sqlite_database_close(database);
        return SLUICE_ERROR_SINK_CONNECTION;
    }
    sqlite3_busy_timeout(self->handle, 10000);
    return SLUICE_OK;
}
