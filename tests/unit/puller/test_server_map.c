#include "tests/testing.h"

#include "dispatcher/core/puller/server_map.h"

static const table_id_t table = {77};

typedef struct {
    log_puller_t *puller;
    server_map_t map;
    mono_ns_t now;
} fixture_t;

static fixture_t begin(uint32_t servers)
{
    log_puller_options_t options = log_puller_options_default(servers);
    return (fixture_t){
        .puller = log_puller_new(&options), .map = server_map_init(servers), .now = {NS_PER_S}};
}

static void expect(fixture_t *f, uint32_t server)
{
    region_location_t found = server_map_locate(&f->map, f->puller, table, f->now);
    assert_int_equal(found.region_id, table.v);
    assert_int_equal(found.store, server);
}

static region_failure_t fails(fixture_t *f, uint32_t server, sluice_error_t error)
{
    return server_map_failed(&f->map, server, error, f->now);
}

static void the_first_server_serves_until_it_fails(void **state)
{
    (void)state;
    fixture_t f = begin(2);
    expect(&f, 0);
    region_failure_t failure = fails(&f, 0, SLUICE_ERROR_SOURCE_BUSY);
    assert_int_equal(failure.kind, REGION_NOT_LEADER);
    assert_int_equal(failure.leader, REGION_LEADER_UNKNOWN);
    expect(&f, 1);
    fails(&f, 1, SLUICE_ERROR_SOURCE_BUSY);
    expect(&f, 0);
    server_map_delivered(&f.map, 0);
    expect(&f, 0);
    log_puller_destroy(&f.puller);
}

static void the_epoch_grows_with_every_move(void **state)
{
    (void)state;
    fixture_t f = begin(2);
    uint64_t before = server_map_locate(&f.map, f.puller, table, f.now).region_epoch;
    assert_int_equal(server_map_locate(&f.map, f.puller, table, f.now).region_epoch, before);
    fails(&f, 0, SLUICE_ERROR_SOURCE_BUSY);
    assert_true(server_map_locate(&f.map, f.puller, table, f.now).region_epoch > before);
    log_puller_destroy(&f.puller);
}

static void a_connection_that_fails_is_a_failure_of_the_store(void **state)
{
    (void)state;
    fixture_t f = begin(2);
    assert_int_equal(fails(&f, 0, SLUICE_ERROR_SOURCE_CONNECTION).kind, REGION_STREAM_FAILED);
    assert_int_equal(fails(&f, 0, SLUICE_ERROR_TIMEOUT).kind, REGION_STREAM_FAILED);
    log_puller_destroy(&f.puller);
}

static void the_only_server_is_busy_rather_than_elsewhere(void **state)
{
    (void)state;
    fixture_t f = begin(1);
    assert_int_equal(fails(&f, 0, SLUICE_ERROR_SOURCE_BUSY).kind, REGION_BUSY);
    log_puller_destroy(&f.puller);
}

static void the_changefeed_fails_when_every_server_refuses(void **state)
{
    (void)state;
    fixture_t f = begin(2);
    assert_int_equal(fails(&f, 0, SLUICE_ERROR_SOURCE_PURGED).kind, REGION_NOT_LEADER);
    expect(&f, 1);
    assert_int_equal(fails(&f, 1, SLUICE_ERROR_SOURCE_CONNECTION).kind, REGION_STREAM_FAILED);
    region_failure_t failure = fails(&f, 1, SLUICE_ERROR_SOURCE_DIVERGED);
    assert_int_equal(failure.kind, REGION_FATAL);
    assert_int_equal(failure.error, SLUICE_ERROR_SOURCE_DIVERGED);
    log_puller_destroy(&f.puller);
}

/* RTY-9: with the others it is tried, and alone it is the end. */
static void whatever_a_server_refuses_with_is_fatal_at_the_last_one(void **state)
{
    (void)state;
    static const sluice_error_t errors[] = {
        SLUICE_ERROR_SOURCE_PURGED,      SLUICE_ERROR_SOURCE_DIVERGED,
        SLUICE_ERROR_SOURCE_CREDENTIALS, SLUICE_ERROR_SOURCE_PRIVILEGE,
        SLUICE_ERROR_SOURCE_SETTINGS,    SLUICE_ERROR_SOURCE_CORRUPT};
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        fixture_t f = begin(2);
        assert_int_equal(fails(&f, 0, errors[i]).kind, REGION_NOT_LEADER);
        region_failure_t failure = fails(&f, 1, errors[i]);
        assert_int_equal(failure.kind, REGION_FATAL);
        assert_int_equal(failure.error, errors[i]);
        log_puller_destroy(&f.puller);
    }
}

static void a_server_that_refused_is_asked_again_after_a_while(void **state)
{
    (void)state;
    fixture_t f = begin(2);
    fails(&f, 0, SLUICE_ERROR_SOURCE_CREDENTIALS);
    fails(&f, 1, SLUICE_ERROR_SOURCE_BUSY);
    f.now = mono_add(f.now, SERVER_MAP_REFUSED_NS - 1);
    expect(&f, 1);
    f.now = mono_add(f.now, 1);
    expect(&f, 0);
    log_puller_destroy(&f.puller);
}

static void a_log_that_cannot_be_read_on_is_so_everywhere(void **state)
{
    (void)state;
    fixture_t f = begin(3);
    assert_int_equal(fails(&f, 0, SLUICE_ERROR_SOURCE_XA).kind, REGION_FATAL);
    log_puller_destroy(&f.puller);
}

/* DESIGN: 4052 counts when it comes twice within a minute. */
static void the_same_server_id_refuses_the_second_time_within_a_minute(void **state)
{
    (void)state;
    fixture_t f = begin(1);
    assert_int_equal(fails(&f, 0, SLUICE_ERROR_SOURCE_SERVER_ID).kind, REGION_BUSY);
    f.now = mono_add(f.now, 61 * NS_PER_S);
    assert_int_equal(fails(&f, 0, SLUICE_ERROR_SOURCE_SERVER_ID).kind, REGION_BUSY);
    f.now = mono_add(f.now, 59 * NS_PER_S);
    assert_int_equal(fails(&f, 0, SLUICE_ERROR_SOURCE_SERVER_ID).kind, REGION_FATAL);
    log_puller_destroy(&f.puller);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_server_serves_until_it_fails),
        cmocka_unit_test(the_epoch_grows_with_every_move),
        cmocka_unit_test(a_connection_that_fails_is_a_failure_of_the_store),
        cmocka_unit_test(the_only_server_is_busy_rather_than_elsewhere),
        cmocka_unit_test(the_changefeed_fails_when_every_server_refuses),
        cmocka_unit_test(whatever_a_server_refuses_with_is_fatal_at_the_last_one),
        cmocka_unit_test(a_server_that_refused_is_asked_again_after_a_while),
        cmocka_unit_test(a_log_that_cannot_be_read_on_is_so_everywhere),
        cmocka_unit_test(the_same_server_id_refuses_the_second_time_within_a_minute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
