#include "tests/testing.h"

#include "tests/integration/sink/log_source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/core/binlog/frame.h"
#include "dispatcher/core/binlog/group_assembler.h"
#include "dispatcher/core/ddl/schema_tracker.h"
#include "dispatcher/sink/sql_text.h"

#define TABLES_MAX 64
#define TRANSACTIONS_MAX 4096

struct log_source {
    mariadb_fixture_t *server;
    group_assembler_t *assembler;
    binlog_frame_t frame;
    table_filter_t *filter; /* takes everything */
    size_t offset;          /* into the log file */
    const table_definition_t *tables[TABLES_MAX];
    uint32_t table_count;
    transaction_t *transactions[TRANSACTIONS_MAX];
    uint32_t transaction_count;
};

/* What the server shows, read as a changefeed reads it at its start. */
static const table_definition_t *definition_read(log_source_t *source, const char *table)
{
    sql_text_t sql = {0};
    sql_text_add(&sql, "SHOW CREATE TABLE ");
    sql_text_add_table(&sql, "s", table);
    MYSQL *connection = mariadb_fixture_connect(source->server);
    if (mysql_query(connection, "SET sql_mode=''") != 0 ||
        mysql_query(connection, sql_text_get(&sql)) != 0)
        fail_msg("%s", mysql_error(connection));
    sql_text_clear(&sql);
    MYSQL_RES *result = mysql_store_result(connection);
    MYSQL_ROW row = mysql_fetch_row(result);
    error_report_t report = {0};
    schema_tracker_options_t options = {.filter = source->filter};
    schema_tracker_t *tracker = schema_tracker_new(&options);
    if (schema_tracker_add_table(tracker, bytes_of_text("k"), bytes_of_text(row[1]), &report) !=
        SLUICE_OK)
        fail_msg("%s", report.text);
    schema_tracker_set_position(tracker, COMMIT_TS_NONE);
    tracked_table_t found = schema_tracker_find(tracker, bytes_of_text("k"), bytes_of_text(table));
    assert_non_null(found.definition);
    const table_definition_t *definition = table_definition_ref(found.definition);
    schema_tracker_destroy(&tracker);
    mysql_free_result(result);
    mysql_close(connection);
    return definition;
}

static const table_definition_t **table_slot(log_source_t *source, bytes_t name)
{
    for (uint32_t i = 0; i < source->table_count; i++) {
        if (bytes_equal(bytes_of_text(source->tables[i]->name), name))
            return &source->tables[i];
    }
    return NULL;
}

const table_definition_t *log_source_define(log_source_t *source, const char *table)
{
    const table_definition_t *definition = definition_read(source, table);
    const table_definition_t **slot = table_slot(source, bytes_of_text(table));
    if (!slot) {
        assert_true(source->table_count < TABLES_MAX);
        slot = &source->tables[source->table_count++];
    }
    table_definition_unref(slot);
    *slot = definition;
    return definition;
}

static const table_definition_t *resolve(void *context, bytes_t schema, bytes_t table)
{
    if (!bytes_equal(schema, bytes_of_text("s")))
        return NULL;
    const table_definition_t **slot = table_slot(context, table);
    return slot ? *slot : NULL;
}

static bool touches_nothing(void *context, const binlog_query_t *statement)
{
    (void)context, (void)statement;
    return false;
}

log_source_t *log_source_new(mariadb_fixture_t *server)
{
    log_source_t *source = calloc(1, sizeof *source);
    source->server = server;
    source->offset = 4;
    assert_int_equal(table_filter_new(NULL, 0, false, &source->filter, NULL), SLUICE_OK);
    binlog_frame_init(&source->frame, BINLOG_CHECKSUM_NONE);
    group_assembler_options_t options = {
        .group_bytes_max = GROUP_BYTES_MAX_DEFAULT,
        .resolver = {.resolve = resolve, .may_touch = touches_nothing, .context = source}};
    assert_int_equal(group_assembler_new(&options, &source->assembler), SLUICE_OK);
    mariadb_fixture_run(server, "CREATE DATABASE s; CREATE DATABASE k");
    return source;
}

static void transactions_forget(log_source_t *source)
{
    while (source->transaction_count > 0)
        transaction_unref(&source->transactions[--source->transaction_count]);
}

void log_source_destroy(log_source_t **source)
{
    if (!*source)
        return;
    transactions_forget(*source);
    group_assembler_destroy(&(*source)->assembler);
    for (uint32_t i = 0; i < (*source)->table_count; i++)
        table_definition_unref(&(*source)->tables[i]);
    table_filter_destroy(&(*source)->filter);
    free(*source);
    *source = NULL;
}

static void event_push(log_source_t *source, bytes_t event)
{
    error_report_t report = {0};
    bytes_t stripped;
    if (binlog_frame_check(&source->frame, event, &stripped, &report) != SLUICE_OK ||
        group_assembler_push(source->assembler, stripped, "test", &report) != SLUICE_OK)
        fail_msg("log: %s", report.text);
    group_t group;
    do {
        if (group_assembler_take(source->assembler, &group, &report) != SLUICE_OK)
            fail_msg("log: %s", report.text);
        if (group.kind == GROUP_ROWS) {
            assert_true(source->transaction_count < TRANSACTIONS_MAX);
            source->transactions[source->transaction_count++] = group.transaction;
        }
    } while (group.kind != GROUP_NONE);
}

uint32_t log_source_read(log_source_t *source, transaction_t *const **transactions)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/data/binlog.000001", mariadb_fixture_directory(source->server));
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    transactions_forget(source);
    uint8_t header[BINLOG_HEADER_SIZE];
    while (fseek(file, (long)source->offset, SEEK_SET) == 0 &&
           fread(header, 1, sizeof header, file) == sizeof header) {
        uint32_t len;
        memcpy(&len, header + 9, sizeof len);
        uint8_t *event = malloc(len);
        memcpy(event, header, sizeof header);
        assert_int_equal(fread(event + sizeof header, 1, len - sizeof header, file),
                         len - sizeof header);
        event_push(source, bytes_of(event, len));
        free(event);
        source->offset += len;
    }
    fclose(file);
    *transactions = source->transactions;
    return source->transaction_count;
}

/* One text for a row, in which different values never look the same. */
static void row_expression(const table_definition_t *definition, char *sql, size_t size)
{
    size_t used = (size_t)snprintf(sql, size, "MD5(CONCAT_WS(','");
    for (uint32_t i = 0; i < definition->column_count; i++) {
        const column_definition_t *column = &definition->columns[i];
        const char *begin = "HEX(CONCAT(`", *end = "`))";
        if (column->type == COLUMN_ENUM || column->type == COLUMN_SET)
            end = "`+0))";
        else if (column->type == COLUMN_FLOAT)
            begin = "CAST(`", end = "` AS DOUBLE)";
        else if (column->charset || column->type == COLUMN_GEOMETRY)
            begin = "HEX(`", end = "`)";
        used += (size_t)snprintf(sql + used, size - used, ",IFNULL(%s%s%s,'-')", begin,
                                 column->name, end);
    }
    snprintf(sql + used, size - used, "))");
}

static void rows_text(log_source_t *source, const char *schema,
                      const table_definition_t *definition, char *text, size_t size)
{
    char row[8192], sql[10000];
    row_expression(definition, row, sizeof row);
    snprintf(sql, sizeof sql,
             "SELECT CONCAT(COUNT(*),' rows ',MD5(IFNULL(GROUP_CONCAT(h ORDER BY h),''))) FROM "
             "(SELECT %s AS h FROM %s.`%s`) r",
             row, schema, definition->name);
    mariadb_fixture_run(source->server, "SET time_zone='+00:00', group_concat_max_len=1<<30");
    snprintf(text, size, "%s", mariadb_fixture_value(source->server, sql));
}

void log_source_assert_equal(log_source_t *source, const char *table)
{
    const table_definition_t *definition = *table_slot(source, bytes_of_text(table));
    char in_source[128], in_sink[128];
    rows_text(source, "s", definition, in_source, sizeof in_source);
    rows_text(source, "k", definition, in_sink, sizeof in_sink);
    if (strcmp(in_source, in_sink) != 0)
        fail_msg("table %s: source has %s, sink has %s", table, in_source, in_sink);
}
