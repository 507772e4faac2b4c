#include "dispatcher/sink/mariadb/statement.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/memory.h"
#include "dispatcher/sink/mariadb/binding.h"
#include "dispatcher/sink/mariadb/error.h"

/* One execute carries at most so much, so that the server's copy stays small. */
#define EXECUTE_BYTES_MAX ((size_t)4 << 20)
#define EXECUTE_ROWS_MAX 10000
#define PACKET_OVERHEAD 1024

struct mariadb_statement {
    mariadb_session_t *session;
    const table_definition_t *definition;
    MYSQL_STMT *handle;
    mariadb_parameter_t *parameters;
    uint32_t parameter_count;
};

static sluice_error_t statement_failed(const mariadb_statement_t *statement, const char *doing,
                                       error_report_t *report)
{
    char text[256];
    snprintf(text, sizeof text, "table %s.%s: %s", statement->definition->schema,
             statement->definition->name, doing);
    return mariadb_session_statement_failed(statement->session, statement->handle, text, report);
}

sluice_error_t mariadb_statement_new(mariadb_session_t *session,
                                     const table_definition_t *definition, const char *sql,
                                     const mariadb_parameter_t *parameters,
                                     uint32_t parameter_count, mariadb_statement_t **statement,
                                     error_report_t *report)
{
    *statement = NULL;
    sluice_error_t error = mariadb_session_check(session, report);
    if (error != SLUICE_OK)
        return error;
    mariadb_statement_t *made = memory_zalloc(sizeof *made);
    made->session = session;
    made->definition = definition;
    made->parameters = memory_alloc(parameter_count * sizeof *parameters + 1);
    memcpy(made->parameters, parameters, parameter_count * sizeof *parameters);
    made->parameter_count = parameter_count;
    made->handle = mysql_stmt_init(mariadb_session_handle(session));
    if (!made->handle)
        memory_exhausted(sizeof(MYSQL_STMT));
    if (mysql_stmt_prepare(made->handle, sql, strlen(sql)) != 0)
        error = statement_failed(made, "preparing a statement", report);
    else if (mysql_stmt_param_count(made->handle) != parameter_count)
        error = error_report_set(report, SLUICE_ERROR_BUG,
                                 "table %s.%s: a statement with %lu parameters instead of %u",
                                 definition->schema, definition->name,
                                 mysql_stmt_param_count(made->handle), parameter_count);
    if (error != SLUICE_OK)
        mariadb_statement_destroy(&made);
    *statement = made;
    return error;
}

void mariadb_statement_destroy(mariadb_statement_t **statement)
{
    if (!*statement)
        return;
    if ((*statement)->handle)
        mysql_stmt_close((*statement)->handle);
    free((*statement)->parameters);
    free(*statement);
    *statement = NULL;
}

static size_t row_size(const mariadb_statement_t *statement, const mariadb_images_t *images,
                       uint32_t row)
{
    size_t size = 0;
    for (uint32_t i = 0; i < statement->parameter_count; i++) {
        const mariadb_parameter_t *parameter = &statement->parameters[i];
        const value_t *const *side = parameter->is_before ? images->before : images->after;
        size += mariadb_binding_size(&side[row][parameter->column]);
    }
    return size;
}

/* How many rows from `start` on go into one execute: at least one. */
static uint32_t rows_that_fit(const mariadb_statement_t *statement, const mariadb_images_t *images,
                              uint32_t start, size_t *size)
{
    uint64_t packet_max = mariadb_session_packet_max(statement->session);
    size_t limit = packet_max / 2 < EXECUTE_BYTES_MAX ? (size_t)packet_max / 2 : EXECUTE_BYTES_MAX;
    *size = row_size(statement, images, start);
    uint32_t count = 1;
    for (; start + count < images->count && count < EXECUTE_ROWS_MAX; count++) {
        size_t more = row_size(statement, images, start + count);
        if (*size + more > limit)
            break;
        *size += more;
    }
    return count;
}

/* ENUM holds '' as its error value, index 0; storing it is right and always warned of. */
static bool warning_is_enum_zero(const mariadb_statement_t *statement, const char *code,
                                 const char *text)
{
    if (strtoul(code, NULL, 10) != MARIADB_DATA_TRUNCATED)
        return false;
    const char *start = strchr(text, '\'');
    const char *end = start ? strrchr(text, '\'') : NULL;
    if (!start || end <= start + 1)
        return false;
    int column = table_definition_find_column(statement->definition,
                                              bytes_of(start + 1, (size_t)(end - start - 1)));
    return column >= 0 && statement->definition->columns[column].type == COLUMN_ENUM;
}

static sluice_error_t warnings_look(const mariadb_statement_t *statement, error_report_t *report)
{
    MYSQL_RES *result;
    sluice_error_t error =
        mariadb_session_select(statement->session, "SHOW WARNINGS", &result, report);
    if (error != SLUICE_OK)
        return error;
    for (MYSQL_ROW row; (row = mysql_fetch_row(result));) {
        if (strcmp(row[0], "Note") == 0 || warning_is_enum_zero(statement, row[1], row[2]))
            continue;
        error = error_report_set(report, SLUICE_ERROR_SINK_REFUSED,
                                 "table %s.%s: the sink would alter a value: warning %s: %s",
                                 statement->definition->schema, statement->definition->name, row[1],
                                 row[2]);
        break;
    }
    mysql_free_result(result);
    return error;
}

static sluice_error_t rows_execute(mariadb_statement_t *statement, const mariadb_images_t *images,
                                   uint32_t start, uint32_t count, arena_t *arena,
                                   uint64_t *matched, error_report_t *report)
{
    MYSQL_BIND *binds = arena_calloc(arena, statement->parameter_count + 1, sizeof *binds);
    for (uint32_t i = 0; i < statement->parameter_count; i++) {
        const mariadb_parameter_t *parameter = &statement->parameters[i];
        const value_t *const *side = parameter->is_before ? images->before : images->after;
        mariadb_binding_fill(&binds[i], &statement->definition->columns[parameter->column],
                             side + start, parameter->column, count, arena);
    }
    unsigned int array_size = count;
    mysql_stmt_attr_set(statement->handle, STMT_ATTR_ARRAY_SIZE, &array_size);
    if (mysql_stmt_bind_param(statement->handle, binds) != 0)
        return statement_failed(statement, "binding rows", report);
    if (mysql_stmt_execute(statement->handle) != 0)
        return statement_failed(statement, "writing rows", report);
    *matched += mysql_stmt_affected_rows(statement->handle);
    if (mysql_warning_count(mariadb_session_handle(statement->session)) > 0)
        return warnings_look(statement, report);
    return SLUICE_OK;
}

sluice_error_t mariadb_statement_run(mariadb_statement_t *statement, const mariadb_images_t *images,
                                     arena_t *arena, uint64_t *matched, error_report_t *report)
{
    *matched = 0;
    for (uint32_t start = 0; start < images->count;) {
        size_t size;
        uint32_t count = rows_that_fit(statement, images, start, &size);
        uint64_t packet_max = mariadb_session_packet_max(statement->session);
        if (size + PACKET_OVERHEAD > packet_max)
            return error_report_set(report, SLUICE_ERROR_SINK_REFUSED,
                                    "table %s.%s: a row of %zu bytes is larger than the sink's "
                                    "max_allowed_packet of %llu; raise it there",
                                    statement->definition->schema, statement->definition->name,
                                    size, (unsigned long long)packet_max);
        sluice_error_t error =
            rows_execute(statement, images, start, count, arena, matched, report);
        if (error != SLUICE_OK)
            return error;
        start += count;
    }
    return SLUICE_OK;
}
