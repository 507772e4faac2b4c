/*
 * The SQLite sink itself under a simulated node: calls are repeated after answers that were lost,
 * the node dies and others take over. In the end the file holds what the log says, row by row.
 */
#include "tests/testing.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "dispatcher/sink/adapters.h"
#include "tests/sim/fail_calls.h"
#include "tests/sim/relay.h"

static const sim_rates_t rates = {.feed_delay_ns = 3 * NS_PER_MS,
                                  .sink_delay_min_ns = 100 * NS_PER_US,
                                  .sink_delay_max_ns = 4 * NS_PER_MS,
                                  .sink_linger_ns = 200 * NS_PER_MS,
                                  .sink_lost_answer = 60,
                                  .sink_broken_call = 30};

#define STEPS_MAX 400000
#define STEPS_A_LIFE 1500

typedef struct {
    sim_world_t *world;
    sim_log_t *log;
    sim_sink_t *sink;
    relay_t relay;
    fail_calls_t calls;
    char path[128];
} fixture_t;

static void begin(fixture_t *f, uint64_t seed)
{
    error_report_t report = {0};
    char uri[256];
    *f = (fixture_t){.world = small_world_new(seed, true, &rates)};
    sim_log_options_t options =
        sim_log_options_draw(sim_random(f->world), 5, 120, 5 * NS_PER_MS, 2000);
    options.has_partitions = false;
    f->log = sim_log_new(&options, sim_random(f->world));
    sim_log_draw(f->log);
    f->sink = sim_sink_new(f->world, f->log, SIM_SINK_SQLITE);
    snprintf(f->path, sizeof f->path, "/dev/shm/sim-sqlite-%d-%llu.db", (int)getpid(),
             (unsigned long long)seed);
    unlink(f->path);
    snprintf(uri, sizeof uri, "sqlite://%s?create-tables=yes&synchronous=normal", f->path);
    changefeed_ref_t changefeed = {.generation = 1};
    if (sim_sink_use(f->sink, &sqlite_sink_api, uri, changefeed, &report) != SLUICE_OK)
        fail_msg("%s", report.text);
    f->calls.random.state = seed;
    fail_calls_begin(&f->calls, f->sink);
}

static void end(fixture_t *f)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    fail_calls_end();
    relay_end(&f->relay);
    sim_sink_destroy(&f->sink);
    sim_log_destroy(&f->log);
    small_world_destroy(&f->world);
    for (size_t i = 0; i < 3; i++) {
        char path[160];
        snprintf(path, sizeof path, "%s%s", f->path, suffixes[i]);
        unlink(path);
    }
}

/* ---- comparing ---- */

static uint32_t count_columns(sqlite3 *file, const sim_table_t *form)
{
    char sql[128];
    sqlite3_stmt *statement = NULL;
    snprintf(sql, sizeof sql, "SELECT * FROM \"%s.%s\"", form->name.schema, form->name.table);
    if (sqlite3_prepare_v2(file, sql, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(file));
    uint32_t count = (uint32_t)sqlite3_column_count(statement);
    sqlite3_finalize(statement);
    return count;
}

/* The rows that the file has of a table of that form, whose columns may lie in another order:
 * SQLite adds them at the end. */
static void read_rows(sqlite3 *file, const sim_table_t *form, sim_table_t *found)
{
    char sql[512];
    sqlite3_stmt *statement = NULL;
    *found = *form;
    found->rows = NULL;
    found->row_count = found->row_capacity = 0;
    size_t len = (size_t)snprintf(sql, sizeof sql, "SELECT ");
    for (uint32_t i = 0; i < form->column_count; i++)
        len += (size_t)snprintf(sql + len, sizeof sql - len, "\"%s\",", form->columns[i].name);
    snprintf(sql + len - 1, sizeof sql - len, " FROM \"%s.%s\"", form->name.schema,
             form->name.table);
    if (sqlite3_prepare_v2(file, sql, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(file));
    if (count_columns(file, form) != form->column_count)
        fail_msg("%s.%s has %u columns, not %u", form->name.schema, form->name.table,
                 count_columns(file, form), form->column_count);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        sim_row_t row = {.nulls = 0};
        for (uint32_t i = 0; i < form->column_count; i++) {
            uint8_t slot = form->columns[i].slot;
            if (sqlite3_column_type(statement, (int)i) == SQLITE_NULL)
                row.nulls |= 1u << slot;
            else
                row.values[slot] = sqlite3_column_int64(statement, (int)i);
        }
        sim_table_add_row(found, &row);
    }
    sqlite3_finalize(statement);
}

static uint32_t count_tables(sqlite3 *file)
{
    sqlite3_stmt *statement = NULL;
    sqlite3_prepare_v2(file,
                       "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND "
                       "name NOT LIKE '\\_\\_sluice%' ESCAPE '\\'",
                       -1, &statement, NULL);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    uint32_t count = (uint32_t)sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    return count;
}

static void assert_same(const fixture_t *f, uint64_t seed)
{
    sqlite3 *file = NULL;
    sim_database_t expected;
    char text[4096];
    uint32_t count = 0;
    assert_int_equal(sqlite3_open(f->path, &file), SQLITE_OK);
    sim_log_replay(f->log, sim_log_last(f->log), &expected);
    for (const sim_table_t *table = expected.tables; table; table = table->next) {
        sim_table_t found;
        if (table->is_view)
            continue;
        count++;
        read_rows(file, table, &found);
        if (sim_table_differs(table, &found, text, sizeof text))
            fail_msg("seed %llu: %s", (unsigned long long)seed, text);
        free(found.rows);
    }
    assert_int_equal(count_tables(file), count);
    sim_database_clear(&expected);
    sqlite3_close(file);
}

/* ---- */

static void run(uint64_t seed, uint32_t deaths)
{
    fixture_t f;
    begin(&f, seed);
    uint64_t steps = 0, last = sim_log_last(f.log).v;
    relay_start(&f.relay, f.world, f.log, f.sink, seed);
    while (relay_checkpoint(&f.relay).v < last) {
        small_world_step(f.world);
        relay_step(&f.relay);
        if (small_world_violation(f.world)[0])
            fail_msg("seed %llu: %s", (unsigned long long)seed, small_world_violation(f.world));
        if (steps++ > STEPS_MAX)
            fail_msg("seed %llu: stands still at %llu of %llu", (unsigned long long)seed,
                     (unsigned long long)relay_checkpoint(&f.relay).v, (unsigned long long)last);
        if (f.relay.life <= deaths && steps % STEPS_A_LIFE == 0)
            relay_pass_on(&f.relay);
    }
    assert_same(&f, seed);
    end(&f);
}

static uint64_t number_of(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

static void the_file_holds_what_the_log_says(void **state)
{
    (void)state;
    uint64_t first = number_of("SIM_DATA_FIRST", 1), seeds = number_of("SIM_DATA_SEEDS", 16);
    for (uint64_t i = 0; i < seeds; i++)
        run(first + i, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_file_holds_what_the_log_says)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
