/*
 * The MariaDB sink itself, on a server, under a simulated node: calls fail at every step that has a
 * fail point, answers are lost, the node dies and others take over. In the end the server holds
 * what the log says, row by row; every kind of DDL is among it, partitions too.
 *
 * The order of things follows from the seed alone; only the server's time is its own.
 */
#include "tests/testing.h"

#include <stdio.h>
#include <stdlib.h>

#include "dispatcher/sink/adapters.h"
#include "tests/integration/mariadb_fixture.h"
#include "tests/sim/fail_calls.h"
#include "tests/sim/relay.h"

static const sim_rates_t rates = {.feed_delay_ns = 3 * NS_PER_MS,
                                  .sink_delay_min_ns = 100 * NS_PER_US,
                                  .sink_delay_max_ns = 4 * NS_PER_MS,
                                  .sink_linger_ns = 200 * NS_PER_MS,
                                  .sink_lost_answer = 60,
                                  .sink_broken_call = 30};

#define SEED_FIRST 1
#define SEEDS 12
#define GROUPS 80
#define DEATHS 4
#define STEPS_MAX 400000
#define STEPS_A_LIFE 1200

typedef struct {
    mariadb_fixture_t *server;
    fail_calls_t calls;
    sim_world_t *world;
    sim_log_t *log;
    sim_sink_t *sink;
    relay_t relay;
    uint64_t fenced; /* nodes that found out that they were replaced */
} fixture_t;

/* ---- the server's content ---- */

static void make_tables(const fixture_t *f)
{
    sim_database_t content;
    sim_log_replay(f->log, sim_log_start(f->log).commit_ts, &content);
    mariadb_fixture_run(f->server, "DROP DATABASE IF EXISTS a; DROP DATABASE IF EXISTS b;"
                                   "DROP DATABASE IF EXISTS c; DROP DATABASE IF EXISTS `out`;"
                                   "DROP DATABASE IF EXISTS sluice");
    for (const sim_schema_t *schema = content.schemas; schema; schema = schema->next)
        mariadb_fixture_printf(f->server, "CREATE DATABASE `%s` CHARACTER SET utf8mb4",
                               schema->name);
    for (const sim_table_t *table = content.tables; table; table = table->next) {
        char text[STATEMENT_SQL_SIZE];
        sim_table_show(table, text, sizeof text);
        mariadb_fixture_printf(f->server, "USE `%s`; %s", table->name.schema, text);
    }
    sim_database_clear(&content);
}

static void read_rows(MYSQL *connection, const sim_table_t *form, sim_table_t *found)
{
    char sql[128];
    *found = *form;
    found->rows = NULL;
    found->row_count = found->row_capacity = 0;
    snprintf(sql, sizeof sql, "SELECT * FROM `%s`.`%s`", form->name.schema, form->name.table);
    if (mysql_query(connection, sql) != 0)
        fail_msg("%s: %s", sql, mysql_error(connection));
    MYSQL_RES *result = mysql_store_result(connection);
    assert_int_equal(mysql_num_fields(result), form->column_count);
    for (uint32_t i = 0; i < form->column_count; i++)
        assert_string_equal(mysql_fetch_field_direct(result, i)->name, form->columns[i].name);
    for (MYSQL_ROW values; (values = mysql_fetch_row(result));) {
        sim_row_t row = {.nulls = 0};
        for (uint32_t i = 0; i < form->column_count; i++) {
            uint8_t slot = form->columns[i].slot;
            if (values[i])
                row.values[slot] = strtoll(values[i], NULL, 10);
            else
                row.nulls |= 1u << slot;
        }
        sim_table_add_row(found, &row);
    }
    mysql_free_result(result);
}

/* The model writes its tables as the server does. */
static void assert_form(MYSQL *connection, const sim_table_t *table)
{
    char sql[128], text[STATEMENT_SQL_SIZE];
    snprintf(sql, sizeof sql, "SHOW CREATE TABLE `%s`.`%s`", table->name.schema, table->name.table);
    if (mysql_query(connection, sql) != 0)
        fail_msg("%s: %s", sql, mysql_error(connection));
    MYSQL_RES *result = mysql_store_result(connection);
    MYSQL_ROW row = mysql_fetch_row(result);
    sim_table_show(table, text, sizeof text);
    assert_string_equal(row[1], text);
    mysql_free_result(result);
}

static void assert_same(const fixture_t *f, uint64_t seed)
{
    sim_database_t expected;
    char text[4096];
    uint64_t count = 0;
    MYSQL *connection = mariadb_fixture_connect(f->server);
    sim_log_replay(f->log, sim_log_last(f->log), &expected);
    for (const sim_table_t *table = expected.tables; table; table = table->next) {
        sim_table_t found;
        count++;
        if (table->is_view)
            continue;
        assert_form(connection, table);
        read_rows(connection, table, &found);
        if (sim_table_differs(table, &found, text, sizeof text))
            fail_msg("seed %llu: %s", (unsigned long long)seed, text);
        free(found.rows);
    }
    assert_int_equal(mariadb_fixture_number(f->server,
                                            "SELECT COUNT(*) FROM information_schema.TABLES WHERE "
                                            "TABLE_SCHEMA IN ('a','b','c','out')"),
                     count);
    mysql_close(connection);
    sim_database_clear(&expected);
}

/* ---- */

static void begin(fixture_t *f, uint64_t seed)
{
    error_report_t report = {0};
    changefeed_ref_t changefeed = {.generation = 1};
    f->calls.random.state = seed;
    f->world = small_world_new(seed, true, &rates);
    sim_log_options_t options =
        sim_log_options_draw(sim_random(f->world), 5, GROUPS, 5 * NS_PER_MS, 2000);
    options.has_partitions = true;
    options.ddl_percent = 40;
    f->log = sim_log_new(&options, sim_random(f->world));
    sim_log_draw(f->log);
    f->sink = sim_sink_new(f->world, f->log, SIM_SINK_MARIADB);
    make_tables(f);
    if (sim_sink_use(f->sink, &mariadb_sink_api, mariadb_fixture_uri(f->server), changefeed,
                     &report) != SLUICE_OK)
        fail_msg("%s", report.text);
    fail_calls_begin(&f->calls, f->sink);
}

static void end(fixture_t *f)
{
    fail_calls_end();
    relay_end(&f->relay);
    f->fenced += f->relay.fenced;
    sim_sink_destroy(&f->sink);
    sim_log_destroy(&f->log);
    small_world_destroy(&f->world);
}

static void run(fixture_t *f, uint64_t seed)
{
    begin(f, seed);
    uint64_t steps = 0, last = sim_log_last(f->log).v;
    relay_start(&f->relay, f->world, f->log, f->sink, seed);
    while (relay_checkpoint(&f->relay).v < last) {
        small_world_step(f->world);
        relay_step(&f->relay);
        if (small_world_violation(f->world)[0])
            fail_msg("seed %llu: %s", (unsigned long long)seed, small_world_violation(f->world));
        if (steps++ > STEPS_MAX)
            fail_msg("seed %llu: stands still at %llu of %llu", (unsigned long long)seed,
                     (unsigned long long)relay_checkpoint(&f->relay).v, (unsigned long long)last);
        if (f->relay.life <= DEATHS && steps % STEPS_A_LIFE == 0)
            relay_pass_on(&f->relay);
    }
    assert_same(f, seed);
    end(f);
}

static uint64_t number_of(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

static void the_server_holds_what_the_log_says(void **state)
{
    (void)state;
    fixture_t f = {.server = mariadb_fixture_start(NULL)};
    uint64_t first = number_of("SIM_DATA_FIRST", SEED_FIRST),
             seeds = number_of("SIM_DATA_SEEDS", SEEDS);
    for (uint64_t i = 0; i < seeds; i++)
        run(&f, first + i);
    assert_true(f.fenced > 0);
    print_message("%llu nodes were fenced\n", (unsigned long long)f.fenced);
    print_message("%llu calls were to fail on the way\n", (unsigned long long)f.calls.count);
    mariadb_fixture_stop(&f.server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_server_holds_what_the_log_says)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
