/* Lease, schema report, and the putting together of an open. */
#include "tests/testing.h"

#include "dispatcher/core/node/changefeed_opening.h"
#include "dispatcher/core/node/node_lease.h"
#include "dispatcher/core/node/schema_report.h"

/* ---- lease ---- */

static void lease_counts_from_when_the_answered_heartbeat_was_sent(void **state)
{
    (void)state;
    node_lease_t lease = {0};
    node_lease_set_length(&lease, 10 * NS_PER_S);
    assert_int_equal(node_lease_until(&lease).v, 0);
    node_lease_sent(&lease, 1, (mono_ns_t){1 * NS_PER_S});
    node_lease_sent(&lease, 2, (mono_ns_t){2 * NS_PER_S});
    node_lease_sent(&lease, 3, (mono_ns_t){3 * NS_PER_S});
    assert_int_equal(node_lease_until(&lease).v, 0);
    node_lease_answered(&lease, 2);
    assert_int_equal(node_lease_until(&lease).v, 12 * NS_PER_S);
    node_lease_answered(&lease, 1);
    assert_int_equal(node_lease_until(&lease).v, 12 * NS_PER_S);
    node_lease_answered(&lease, 99);
    assert_int_equal(node_lease_until(&lease).v, 12 * NS_PER_S);
    node_lease_answered(&lease, 3);
    assert_int_equal(node_lease_until(&lease).v, 13 * NS_PER_S);
}

static void lease_forgets_heartbeats_that_are_too_old(void **state)
{
    (void)state;
    node_lease_t lease = {0};
    node_lease_set_length(&lease, NS_PER_S);
    for (uint64_t i = 1; i <= NODE_LEASE_MARKS + 1; i++)
        node_lease_sent(&lease, i, (mono_ns_t){i});
    node_lease_answered(&lease, 1);
    assert_int_equal(node_lease_until(&lease).v, 0);
    node_lease_answered(&lease, 2);
    assert_int_equal(node_lease_until(&lease).v, 2 + NS_PER_S);
}

/* ---- schema report ---- */

static const mono_ns_t start_of_time = {NS_PER_S};

static void report_sends_ddls_until_they_are_acknowledged(void **state)
{
    (void)state;
    schema_report_t report = {0};
    commit_ts_t checkpoint = {120};
    mono_ns_t now = start_of_time;
    assert_int_equal(schema_report_next(&report, checkpoint, now), SCHEMA_REPORT_NOTHING);
    schema_report_start(&report, (commit_ts_t){100});
    /* Also that there is nothing new, until the maintainer has said where it stands. */
    assert_int_equal(schema_report_next(&report, (commit_ts_t){100}, now), SCHEMA_REPORT_DDLS);
    assert_int_equal(schema_report_next(&report, checkpoint, now), SCHEMA_REPORT_DDLS);
    schema_report_sent(&report, false, checkpoint, 2, now);
    assert_int_equal(schema_report_next(&report, checkpoint, now), SCHEMA_REPORT_NOTHING);
    now = schema_report_next_deadline(&report, checkpoint);
    assert_int_equal(now.v, start_of_time.v + SCHEMA_REPORT_INTERVAL_NS);
    assert_int_equal(schema_report_next(&report, checkpoint, now), SCHEMA_REPORT_DDLS);
    schema_report_acknowledged(&report, checkpoint);
    assert_int_equal(schema_report_next(&report, checkpoint, now), SCHEMA_REPORT_NOTHING);
    assert_true(schema_report_next_deadline(&report, checkpoint).v == UINT64_MAX);
}

static void report_sends_a_snapshot_when_the_maintainer_misses_something(void **state)
{
    (void)state;
    schema_report_t report = {0};
    commit_ts_t checkpoint = {120};
    mono_ns_t now = start_of_time;
    schema_report_start(&report, (commit_ts_t){100});
    schema_report_sent(&report, false, checkpoint, 0, now);
    schema_report_acknowledged(&report, (commit_ts_t){90});
    assert_int_equal(schema_report_next(&report, checkpoint, now), SCHEMA_REPORT_SNAPSHOT);
    schema_report_sent(&report, true, checkpoint, 0, now);
    assert_int_equal(schema_report_next(&report, checkpoint, now), SCHEMA_REPORT_NOTHING);
    schema_report_acknowledged(&report, (commit_ts_t){90});
    now = mono_add(now, SCHEMA_SNAPSHOT_RESEND_NS);
    assert_int_equal(schema_report_next(&report, checkpoint, now), SCHEMA_REPORT_SNAPSHOT);
    schema_report_acknowledged(&report, checkpoint);
    assert_int_equal(schema_report_next(&report, checkpoint, now), SCHEMA_REPORT_NOTHING);
    assert_int_equal(schema_report_next(&report, (commit_ts_t){130}, now), SCHEMA_REPORT_DDLS);
}

static void report_sends_a_snapshot_every_so_many_ddls(void **state)
{
    (void)state;
    schema_report_t report = {0};
    mono_ns_t now = start_of_time;
    schema_report_start(&report, (commit_ts_t){0});
    schema_report_sent(&report, false, (commit_ts_t){500}, SCHEMA_DDLS_PER_SNAPSHOT - 1, now);
    schema_report_sent(&report, false, (commit_ts_t){500}, SCHEMA_DDLS_PER_SNAPSHOT - 1, now);
    schema_report_acknowledged(&report, (commit_ts_t){500});
    assert_int_equal(schema_report_next(&report, (commit_ts_t){500}, now), SCHEMA_REPORT_NOTHING);
    schema_report_sent(&report, false, (commit_ts_t){501}, 1, now);
    schema_report_acknowledged(&report, (commit_ts_t){501});
    assert_int_equal(schema_report_next(&report, (commit_ts_t){501}, now), SCHEMA_REPORT_SNAPSHOT);
    schema_report_sent(&report, true, (commit_ts_t){501}, 0, now);
    schema_report_acknowledged(&report, (commit_ts_t){501});
    assert_int_equal(schema_report_next(&report, (commit_ts_t){501}, now), SCHEMA_REPORT_NOTHING);
}

/* ---- opening ---- */

static changefeed_open_t piece_of(uint32_t number, bool is_last)
{
    return (changefeed_open_t){
        .changefeed = {.uuid = {{1, 2, 3}}, .generation = 4},
        .piece = number,
        .is_last_piece = is_last,
    };
}

static void opening_is_whole_with_its_last_piece(void **state)
{
    (void)state;
    changefeed_opening_t opening = {0};
    char name[] = "orders";
    bytes_t rule = bytes_of_text("a.*");
    changefeed_open_t first = piece_of(0, false);
    first.config.name = bytes_of_text(name);
    first.config.filter_rules = &rule;
    first.config.filter_rule_count = 1;
    first.anchor.commit_ts = (commit_ts_t){77};
    first.snapshot = bytes_of_text("abc");
    assert_null(changefeed_opening_add(&opening, 9, &first));
    name[0] = 'X';
    changefeed_open_t second = piece_of(1, false);
    second.snapshot = bytes_of_text("def");
    assert_null(changefeed_opening_add(&opening, 9, &second));
    schema_ddl_t ddl = {.commit_ts = {80}, .content = bytes_of_text("x")};
    changefeed_open_t third = piece_of(2, true);
    third.ddls = &ddl;
    third.ddl_count = 1;
    const changefeed_open_t *whole = changefeed_opening_add(&opening, 9, &third);
    assert_non_null(whole);
    assert_true(bytes_equal(whole->snapshot, bytes_of_text("abcdef")));
    assert_true(bytes_equal(whole->config.name, bytes_of_text("orders")));
    assert_true(bytes_equal(whole->config.filter_rules[0], rule));
    assert_int_equal(whole->anchor.commit_ts.v, 77);
    assert_int_equal(whole->ddl_count, 1);
    changefeed_opening_clear(&opening);
}

static void opening_drops_what_does_not_continue(void **state)
{
    (void)state;
    changefeed_opening_t opening = {0};
    changefeed_open_t first = piece_of(0, false), second = piece_of(1, true);
    first.snapshot = second.snapshot = bytes_of_text("s");
    assert_null(changefeed_opening_add(&opening, 9, &second));
    changefeed_opening_add(&opening, 9, &first);
    assert_null(changefeed_opening_add(&opening, 8, &second));
    changefeed_open_t other = second;
    other.changefeed.generation = 5;
    assert_null(changefeed_opening_add(&opening, 9, &other));
    changefeed_open_t late = piece_of(2, true);
    assert_null(changefeed_opening_add(&opening, 9, &late));
    changefeed_opening_add(&opening, 9, &first);
    const changefeed_open_t *whole = changefeed_opening_add(&opening, 9, &second);
    assert_non_null(whole);
    assert_int_equal(whole->snapshot.len, 2);
    assert_null(changefeed_opening_add(&opening, 9, &second));
    changefeed_opening_clear(&opening);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lease_counts_from_when_the_answered_heartbeat_was_sent),
        cmocka_unit_test(lease_forgets_heartbeats_that_are_too_old),
        cmocka_unit_test(report_sends_ddls_until_they_are_acknowledged),
        cmocka_unit_test(report_sends_a_snapshot_when_the_maintainer_misses_something),
        cmocka_unit_test(report_sends_a_snapshot_every_so_many_ddls),
        cmocka_unit_test(opening_is_whole_with_its_last_piece),
        cmocka_unit_test(opening_drops_what_does_not_continue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
