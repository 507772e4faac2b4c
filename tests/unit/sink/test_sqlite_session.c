/* What a SQLite file survives: no room, a writer that dies, a writer that waits. */
#include "tests/testing.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dispatcher/sink/sqlite/ledger.h"
#include "dispatcher/sink/sqlite/session.h"
#include "dispatcher/sink/sqlite/table_writer.h"
#include "tests/unit/sink/sqlite_ddl_fixture.h"

static sqlite_session_t *open_session(sqlite_gate_t *gate)
{
    sqlite_session_options_t options = {
        .path = fixture.file->path, .busy_timeout_ms = 2000, .gate = gate};
    sqlite_session_t *session;
    error_report_t report = {0};
    assert_int_equal(sqlite_session_open(&options, &session, &report), SLUICE_OK);
    return session;
}

/* One transaction: the span's progress and `count` rows of a long text. */
static sluice_error_t write_rows(sqlite_session_t *session, sqlite_ledger_t *ledger,
                                 const table_definition_t *table, int64_t count, uint64_t ts,
                                 error_report_t *report)
{
    static char text[4000];
    memset(text, 'x', sizeof text);
    sqlite_table_writer_t *writer = sqlite_table_writer_new(session);
    sink_claim_t claim = fixture_claim(table->table_id.v, 1);
    ledger_verdict_t verdict;
    assert_int_equal(sqlite_session_begin(session, report), SLUICE_OK);
    sluice_error_t error =
        sqlite_ledger_advance(ledger, &claim, (commit_ts_t){ts}, &verdict, report);
    for (int64_t i = 0; i < count && !error; i++) {
        const value_t image[] = {{.kind = VALUE_INT, .i64 = (int64_t)ts * 1000 + i},
                                 {.kind = VALUE_TEXT, .bytes = bytes_of(text, sizeof text)}};
        const value_t *upsert = image;
        row_batch_t batch = {.definition = table, .upserts = &upsert, .upsert_count = 1};
        error = sqlite_table_writer_apply(writer, &batch, report);
    }
    sqlite_table_writer_destroy(&writer);
    return error;
}

typedef struct {
    sqlite_gate_t *gate;
    sqlite_session_t *session;
    sqlite_ledger_t *ledger;
    table_definition_t *table;
} opened_t;

static opened_t open_with_table(void)
{
    opened_t opened = {.gate = sqlite_gate_new(), .table = plain("t", 5)};
    create(opened.table);
    sink_claim_t claim = fixture_claim(5, 1);
    fixture_claim_in(fixture.file->connection, &claim);
    opened.session = open_session(opened.gate);
    error_report_t report = {0};
    assert_int_equal(
        sqlite_ledger_open(opened.session, fixture_options("").changefeed, &opened.ledger, &report),
        SLUICE_OK);
    return opened;
}

static void close_opened(opened_t *opened)
{
    sqlite_ledger_close(&opened->ledger);
    sqlite_session_close(&opened->session);
    sqlite_gate_destroy(&opened->gate);
}

static const char *state_of_file(void)
{
    return query("SELECT (SELECT count(*) FROM \"d.t\"), (SELECT progress FROM __sluice_progress "
                 "WHERE table_id = 5)");
}

static void full_disk_leaves_neither_rows_nor_progress_and_passes(void **state)
{
    (void)state;
    opened_t opened = open_with_table();
    error_report_t report = {0};
    assert_int_equal(sqlite_session_execute(opened.session, "PRAGMA max_page_count = 60", &report),
                     SLUICE_OK);
    sluice_error_t error =
        write_rows(opened.session, opened.ledger, opened.table, 200, 20, &report);
    error = sqlite_session_end(opened.session, error, &report);
    assert_int_equal(error, SLUICE_ERROR_NO_SPACE);
    assert_non_null(strstr(report.text, fixture.file->path));
    assert_string_equal(state_of_file(), "0|0");
    assert_int_equal(
        sqlite_session_execute(opened.session, "PRAGMA max_page_count = 1000000", &report),
        SLUICE_OK);
    error = write_rows(opened.session, opened.ledger, opened.table, 200, 20, &report);
    assert_int_equal(sqlite_session_end(opened.session, error, &report), SLUICE_OK);
    assert_string_equal(state_of_file(), "200|20");
    close_opened(&opened);
}

static void writer_that_dies_in_a_transaction_leaves_nothing_of_it(void **state)
{
    (void)state;
    opened_t opened = open_with_table();
    error_report_t report = {0};
    sluice_error_t error = write_rows(opened.session, opened.ledger, opened.table, 5, 20, &report);
    assert_int_equal(sqlite_session_end(opened.session, error, &report), SLUICE_OK);
    close_opened(&opened);
    sqlite_fixture_reopen(fixture.file);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        sqlite_gate_t *gate = sqlite_gate_new();
        sqlite_session_t *session = open_session(gate);
        sqlite_ledger_t *ledger;
        error = sqlite_ledger_open(session, fixture_options("").changefeed, &ledger, &report);
        if (!error)
            error = write_rows(session, ledger, fixture.tables[0], 400, 21, &report);
        _exit(error ? 1 : 0);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_string_equal(state_of_file(), "5|20");
    sink_claim_t next = fixture_claim(5, 2);
    assert_int_equal(fixture_claim_in(fixture.file->connection, &next).progress.v, 20);
}

/* Puts the file away, and another one in its place if it is given. */
static void put_away(const char *other)
{
    char away[sizeof fixture.file->path + 8];
    snprintf(away, sizeof away, "%s.away", fixture.file->path);
    assert_int_equal(rename(fixture.file->path, away), 0);
    if (!other)
        return;
    FILE *file = fopen(fixture.file->path, "w");
    assert_non_null(file);
    assert_true(fputs(other, file) >= 0);
    fclose(file);
}

static void put_back(void)
{
    char away[sizeof fixture.file->path + 8];
    snprintf(away, sizeof away, "%s.away", fixture.file->path);
    assert_int_equal(rename(away, fixture.file->path), 0);
}

static void file_that_is_put_away_or_replaced_is_written_to_no_more(void **state)
{
    (void)state;
    opened_t opened = open_with_table();
    for (int is_replaced = 0; is_replaced < 2; is_replaced++) {
        error_report_t report = {0};
        put_away(is_replaced ? "" : NULL);
        assert_int_equal(sqlite_session_begin(opened.session, &report), SLUICE_ERROR_SINK_SETTINGS);
        assert_non_null(strstr(report.text, fixture.file->path));
        put_back();
        assert_int_equal(sqlite_session_begin(opened.session, &report), SLUICE_OK);
        put_away(is_replaced ? "" : NULL);
        assert_int_equal(sqlite_session_commit(opened.session, &report),
                         SLUICE_ERROR_SINK_SETTINGS);
        put_back();
    }
    close_opened(&opened);
}

static void file_is_made_at_create_and_never_again(void **state)
{
    (void)state;
    const sink_api_t *api = fixture.file->sink->api;
    sink_connection_t *connection;
    error_report_t report = {0};
    put_away(NULL);
    assert_int_equal(api->connect(fixture.file->sink, &connection, &report),
                     SLUICE_ERROR_SINK_SETTINGS);
    assert_non_null(strstr(report.text, "removed"));
    assert_int_not_equal(access(fixture.file->path, F_OK), 0);
    put_back();
    put_away("");
    assert_int_equal(api->connect(fixture.file->sink, &connection, &report),
                     SLUICE_ERROR_SINK_SETTINGS);
    assert_non_null(strstr(report.text, "not the one"));
    put_back();
    assert_int_equal(api->connect(fixture.file->sink, &connection, &report), SLUICE_OK);
    api->disconnect(&connection);
}

typedef struct {
    sqlite_session_t *session;
    sluice_error_t error;
} waiter_t;

static void *wait_for_turn(void *argument)
{
    waiter_t *waiter = argument;
    error_report_t report = {0};
    waiter->error = sqlite_session_begin(waiter->session, &report);
    return NULL;
}

static void interrupt_ends_the_wait_for_ones_turn(void **state)
{
    (void)state;
    sqlite_gate_t *gate = sqlite_gate_new();
    sqlite_session_t *holder = open_session(gate);
    waiter_t waiter = {.session = open_session(gate)};
    error_report_t report = {0};
    assert_int_equal(sqlite_session_begin(holder, &report), SLUICE_OK);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, wait_for_turn, &waiter), 0);
    sqlite_session_interrupt(waiter.session);
    pthread_join(thread, NULL);
    assert_int_equal(waiter.error, SLUICE_ERROR_CLOSED);
    sqlite_session_close(&waiter.session);
    sqlite_session_close(&holder);
    sqlite_gate_destroy(&gate);
}

static void process_that_is_stopped_with_the_lock_is_named(void **state)
{
    (void)state;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        sqlite_session_t *holder = open_session(sqlite_gate_new());
        error_report_t report = {0};
        if (sqlite_session_begin(holder, &report) != SLUICE_OK)
            _exit(1);
        raise(SIGSTOP);
        _exit(0);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, WUNTRACED), child);
    assert_true(WIFSTOPPED(status));
    sqlite_gate_t *gate = sqlite_gate_new();
    sqlite_session_t *session;
    error_report_t report = {0};
    sqlite_session_options_t options = {
        .path = fixture.file->path, .busy_timeout_ms = 50, .gate = gate};
    assert_int_equal(sqlite_session_open(&options, &session, &report), SLUICE_OK);
    assert_int_equal(sqlite_session_begin(session, &report), SLUICE_ERROR_SINK_BUSY);
    char wanted[64];
    snprintf(wanted, sizeof wanted, "process %d holds its lock and is stopped", (int)child);
    assert_non_null(strstr(report.text, wanted));
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(sqlite_session_begin(session, &report), SLUICE_OK);
    sqlite_session_close(&session);
    sqlite_gate_destroy(&gate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_FILE(full_disk_leaves_neither_rows_nor_progress_and_passes),
        ON_FILE(writer_that_dies_in_a_transaction_leaves_nothing_of_it),
        ON_FILE(file_that_is_put_away_or_replaced_is_written_to_no_more),
        ON_FILE(file_is_made_at_create_and_never_again),
        ON_FILE(interrupt_ends_the_wait_for_ones_turn),
        ON_FILE(process_that_is_stopped_with_the_lock_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
