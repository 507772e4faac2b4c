/* The whole feed over a simulated source: everything that the log holds arrives exactly once,
 * whatever the order in which dispatchers come. */
#include "tests/testing.h"

#include <stdio.h>

#include "dispatcher/upstream/simulated.h"
#include "tests/unit/event/feed_node.h"

#define GROUPS 3000
#define DDL_EVERY 20
#define URI "simulated:///?tables=6&transactions=3000&rows_per_transaction=5&ddl_every=20&seed="

/* What was seen of a group: rows by whoever has the table, DDL by the trigger. */
#define SEEN_ROWS 1
#define SEEN_DDL 10
static uint8_t seen[GROUPS + 1];

static void see_rows(feed_node_t *node, const stream_event_t *event)
{
    (void)node;
    seen[event->commit_ts.v] += SEEN_ROWS;
}

static void see_ddl(feed_node_t *node, const stream_event_t *event)
{
    (void)node;
    seen[event->commit_ts.v] += SEEN_DDL;
}

static void add_table(void *context, const char *schema, const char *create)
{
    error_report_t report;
    if (schema_tracker_add_table(context, bytes_of_text(schema), bytes_of_text(create), &report) !=
        SLUICE_OK)
        fail_msg("%s", report.text);
}

/* Opens a feed that begins behind group `from`, with a trigger there. */
static feed_node_t *open_node(const char *uri, uint64_t from, uint64_t tail_bytes_max)
{
    error_report_t report = {.code = SLUICE_OK};
    table_filter_t *filter;
    assert_int_equal(table_filter_new(NULL, 0, false, &filter, &report), SLUICE_OK);
    schema_tracker_options_t how = {.filter = filter};
    schema_tracker_t *tracker = schema_tracker_new(&how);
    anchor_t anchor = {.commit_ts = {from}};
    if (from)
        snprintf(anchor.gtid_list, sizeof anchor.gtid_list, "0-1-%d", (int)from);
    assert_int_equal(
        schema_tracker_add_schema(tracker, bytes_of_text("sim"), "utf8mb4", NULL, &report),
        SLUICE_OK);
    assert_int_equal(
        simulated_schema(uri, anchor.commit_ts, add_table, tracker, &anchor.commit_time, &report),
        SLUICE_OK);
    schema_tracker_set_position(tracker, anchor.commit_ts);
    event_feed_options_t limits = {.tail_bytes_max = tail_bytes_max};
    feed_node_t *node = feed_node_open(uri, &anchor, tracker, &limits);
    node->on_rows = see_rows;
    node->on_ddl = see_ddl;
    feed_node_add(node, TABLE_ID_TRIGGER, anchor.commit_ts, COMMIT_TS_NONE);
    schema_tracker_destroy(&tracker);
    table_filter_destroy(&filter);
    memset(seen, 0, sizeof seen);
    return node;
}

static bool has_all(const feed_node_t *node)
{
    return feed_node_checkpoint(node).v == GROUPS;
}

/* The state is published a moment after the events it is about. */
static bool has_settled(const feed_node_t *node)
{
    event_feed_state_t feed;
    event_feed_state(node->feed, &feed);
    return feed.resolved.v == GROUPS && feed.is_caught_up && feed.catching_up == 0;
}

/* Every group of rows once, every DDL once; CREATE … SELECT is both, ANALYZE neither. */
static void assert_all_seen(const feed_node_t *node, uint64_t from)
{
    uint32_t ddls = 0;
    for (uint64_t ts = from + 1; ts <= GROUPS; ts++) {
        if (ts % DDL_EVERY != 0)
            assert_int_equal(seen[ts], SEEN_ROWS);
        else
            assert_true(seen[ts] == 0 || seen[ts] == SEEN_DDL || seen[ts] == SEEN_DDL + SEEN_ROWS);
        ddls += seen[ts] >= SEEN_DDL;
    }
    assert_true(ddls > (GROUPS - from) / DDL_EVERY * 3 / 4);
    assert_true(node->table_ddls > 0);
}

static void everything_arrives_exactly_once(void **state)
{
    (void)state;
    feed_node_t *node = open_node(URI "1", 0, 0);
    feed_node_add_listed(node, COMMIT_TS_NONE);
    feed_node_run(node, has_all, false);
    assert_all_seen(node, 0);
    feed_node_run(node, has_settled, false);
    event_feed_state_t feed;
    event_feed_state(node->feed, &feed);
    assert_int_equal(feed.drops, 0);
    assert_int_equal(feed.catch_ups, 0);
    anchor_t anchor;
    assert_true(event_feed_anchor(node->feed, COMMIT_TS_MAX, &anchor));
    assert_int_equal(anchor.commit_ts.v, GROUPS);
    feed_node_close(&node);
}

static void a_feed_may_begin_in_the_middle(void **state)
{
    (void)state;
    feed_node_t *node = open_node(URI "2", 1111, 0);
    feed_node_add_listed(node, (commit_ts_t){1111});
    feed_node_run(node, has_all, false);
    assert_all_seen(node, 1111);
    feed_node_close(&node);
}

static bool has_trigger_all(const feed_node_t *node)
{
    return node->dispatchers[0].position.checkpoint.v == GROUPS;
}

/* The tail is far too small for the log: whoever comes late needs another reading of it. */
static void who_comes_late_catches_up(void **state)
{
    (void)state;
    feed_node_t *node = open_node(URI "3", 0, 256 << 10);
    feed_node_run(node, has_trigger_all, false);
    feed_node_add_listed(node, COMMIT_TS_NONE);
    feed_node_run(node, has_all, false);
    assert_all_seen(node, 0);
    feed_node_run(node, has_settled, false);
    event_feed_state_t feed;
    event_feed_state(node->feed, &feed);
    assert_true(feed.catch_ups > 0);
    feed_node_close(&node);
}

static bool has_forgotten_all(const feed_node_t *node)
{
    event_feed_state_t feed;
    event_feed_state(node->feed, &feed);
    return feed.tail_bytes == 0;
}

static void what_is_persisted_and_flushed_is_forgotten(void **state)
{
    (void)state;
    feed_node_t *node = open_node(URI "4", 0, 0);
    feed_node_add_listed(node, COMMIT_TS_NONE);
    feed_node_run(node, has_all, false);
    assert_false(has_forgotten_all(node));
    event_feed_set_persisted(node->feed, feed_node_checkpoint(node), feed_node_checkpoint(node));
    feed_node_run(node, has_forgotten_all, false);
    feed_node_close(&node);
}

typedef struct {
    const table_info_t *tables;
    uint32_t count;
    uint32_t found;
} expected_tables_t;

static void look_up(void *context, const char *schema, const char *create)
{
    expected_tables_t *expected = context;
    const char *name = strchr(create, '`') + 1;
    bytes_t wanted = bytes_of(name, strcspn(name, "`"));
    (void)schema;
    for (uint32_t i = 0; i < expected->count; i++)
        expected->found += bytes_equal(expected->tables[i].name, wanted);
}

static void the_tables_of_every_moment_are_known(void **state)
{
    (void)state;
    feed_node_t *node = open_node(URI "5", 0, 0);
    feed_node_add_listed(node, COMMIT_TS_NONE);
    feed_node_run(node, has_all, false);
    arena_t arena = {0};
    error_report_t report;
    wall_ms_t time;
    for (uint64_t at = 100; at <= GROUPS; at += 100) {
        expected_tables_t expected = {0};
        assert_int_equal(event_feed_table_list(node->feed, (commit_ts_t){at}, &arena,
                                               &expected.tables, &expected.count),
                         SLUICE_OK);
        assert_int_equal(
            simulated_schema(URI "5", (commit_ts_t){at}, look_up, &expected, &time, &report),
            SLUICE_OK);
        assert_true(expected.count > 0);
        assert_int_equal(expected.found, expected.count);
    }
    const table_info_t *tables;
    uint32_t count;
    assert_int_equal(
        event_feed_table_list(node->feed, (commit_ts_t){GROUPS + 1}, &arena, &tables, &count),
        SLUICE_ERROR_AGAIN);
    arena_clear(&arena);
    feed_node_close(&node);
}

static void schema_changes_are_told_piece_by_piece(void **state)
{
    (void)state;
    feed_node_t *node = open_node(URI "6", 0, 0);
    feed_node_add_listed(node, COMMIT_TS_NONE);
    feed_node_run(node, has_all, false);
    arena_t arena = {0};
    const schema_ddl_t *ddls;
    uint32_t count, total = 0;
    commit_ts_t after = COMMIT_TS_NONE, up_to;
    do {
        up_to = (commit_ts_t){GROUPS};
        assert_int_equal(
            event_feed_schema_ddls(node->feed, after, &up_to, 10, &arena, &ddls, &count),
            SLUICE_OK);
        for (uint32_t i = 0; i < count; i++)
            assert_true(ddls[i].commit_ts.v > after.v && ddls[i].commit_ts.v <= up_to.v &&
                        ddls[i].commit_ts.v % DDL_EVERY == 0);
        total += count;
        after = up_to;
    } while (up_to.v < GROUPS);
    assert_true(total > GROUPS / DDL_EVERY * 3 / 4);
    up_to = (commit_ts_t){GROUPS + 1};
    assert_int_equal(event_feed_schema_ddls(node->feed, after, &up_to, 10, &arena, &ddls, &count),
                     SLUICE_ERROR_AGAIN);
    event_feed_set_persisted(node->feed, (commit_ts_t){2000}, (commit_ts_t){2000});
    up_to = (commit_ts_t){GROUPS};
    assert_int_equal(
        event_feed_schema_ddls(node->feed, (commit_ts_t){1999}, &up_to, 10, &arena, &ddls, &count),
        SLUICE_ERROR_NOT_FOUND);
    arena_clear(&arena);
    feed_node_close(&node);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_arrives_exactly_once),
        cmocka_unit_test(a_feed_may_begin_in_the_middle),
        cmocka_unit_test(who_comes_late_catches_up),
        cmocka_unit_test(what_is_persisted_and_flushed_is_forgotten),
        cmocka_unit_test(the_tables_of_every_moment_are_known),
        cmocka_unit_test(schema_changes_are_told_piece_by_piece),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
