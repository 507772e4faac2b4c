#include "tests/testing.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/sink/sqlite_fixture.h"

static void open_sink(sqlite_fixture_t *fixture, bool is_new)
{
    sink_options_t options = fixture_options(fixture->uri);
    const sink_api_t *api = sink_find(fixture->uri);
    error_report_t report = {0};
    sluice_error_t error = api->open(&options, &fixture->sink, &report);
    if (!error && is_new)
        error = api->check(fixture->sink, NULL, 0, &report);
    if (!error)
        error = api->connect(fixture->sink, &fixture->connection, &report);
    if (error)
        print_message("%s\n", report.text);
    assert_int_equal(error, SLUICE_OK);
}

static void close_sink(sqlite_fixture_t *fixture)
{
    const sink_api_t *api = fixture->sink->api;
    api->disconnect(&fixture->connection);
    api->close(&fixture->sink);
}

sqlite_fixture_t *sqlite_fixture_new(const char *parameters)
{
    sqlite_fixture_t *fixture = calloc(1, sizeof *fixture);
    fixture_make_directory(fixture->directory);
    snprintf(fixture->path, sizeof fixture->path, "%s/sink.db", fixture->directory);
    snprintf(fixture->uri, sizeof fixture->uri, "sqlite://%s?%s", fixture->path, parameters);
    open_sink(fixture, true);
    return fixture;
}

void sqlite_fixture_destroy(sqlite_fixture_t **fixture)
{
    close_sink(*fixture);
    fixture_remove_directory((*fixture)->directory);
    free(*fixture);
    *fixture = NULL;
}

void sqlite_fixture_reopen(sqlite_fixture_t *fixture)
{
    close_sink(fixture);
    open_sink(fixture, false);
}

static size_t append_column(char *text, size_t size, sqlite3_stmt *statement, int column)
{
    switch (sqlite3_column_type(statement, column)) {
    case SQLITE_NULL:
        return (size_t)snprintf(text, size, "NULL");
    case SQLITE_BLOB: {
        const uint8_t *bytes = sqlite3_column_blob(statement, column);
        size_t len = (size_t)snprintf(text, size, "x'");
        for (int i = 0; i < sqlite3_column_bytes(statement, column); i++)
            len += (size_t)snprintf(text + len, size - len, "%02x", bytes[i]);
        return len + (size_t)snprintf(text + len, size - len, "'");
    }
    default:
        return (size_t)snprintf(text, size, "%s", sqlite3_column_text(statement, column));
    }
}

const char *sqlite_fixture_query(sqlite_fixture_t *fixture, const char *sql)
{
    sqlite3 *handle;
    sqlite3_stmt *statement = NULL;
    size_t len = 0;
    assert_int_equal(sqlite3_open(fixture->path, &handle), SQLITE_OK);
    if (sqlite3_prepare_v2(handle, sql, -1, &statement, NULL) != SQLITE_OK)
        print_message("%s\n", sqlite3_errmsg(handle));
    assert_non_null(statement);
    fixture->text[0] = '\0';
    while (sqlite3_step(statement) == SQLITE_ROW) {
        if (len)
            fixture->text[len++] = '\n';
        for (int i = 0; i < sqlite3_column_count(statement); i++) {
            if (i)
                fixture->text[len++] = '|';
            len += append_column(fixture->text + len, sizeof fixture->text - len, statement, i);
        }
    }
    sqlite3_finalize(statement);
    sqlite3_close(handle);
    return fixture->text;
}

void sqlite_fixture_execute(sqlite_fixture_t *fixture, const char *sql)
{
    sqlite3 *handle;
    assert_int_equal(sqlite3_open(fixture->path, &handle), SQLITE_OK);
    char *message = NULL;
    if (sqlite3_exec(handle, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
    sqlite3_close(handle);
}

sluice_error_t sqlite_fixture_ddl(sqlite_fixture_t *fixture, const sink_claim_t *claim, uint64_t ts,
                                  ddl_verb_t verb, const table_change_t *changes,
                                  uint32_t change_count, error_report_t *report)
{
    ddl_event_t *ddl = ddl_event_new();
    table_change_t *copied = arena_calloc(&ddl->arena, change_count + 1, sizeof *copied);
    if (change_count)
        memcpy(copied, changes, change_count * sizeof *copied);
    /* The event gives its definitions' references back. */
    for (uint32_t i = 0; i < change_count; i++) {
        if (copied[i].before)
            table_definition_ref(copied[i].before);
        if (copied[i].after)
            table_definition_ref(copied[i].after);
    }
    ddl->commit_ts = (commit_ts_t){ts};
    ddl->verb = verb;
    ddl->schema = "d";
    ddl->object = "t";
    ddl->sql_utf8 = "THE STATEMENT";
    ddl->partitions = fixture->partitions;
    ddl->partition_count = fixture->partition_count;
    ddl->names_all_partitions = fixture->names_all_partitions;
    ddl->changes = copied;
    ddl->change_count = change_count;
    ddl->context.default_schema = "d";
    ddl->context.time_zone = "SYSTEM";
    ddl->context.timestamp_us = UINT64_C(1700000000123456);
    sluice_error_t error =
        fixture->connection->api->run_ddl(fixture->connection, claim, ddl, report);
    ddl_event_unref(&ddl);
    return error;
}
