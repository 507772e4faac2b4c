/* The whole feed over a simulated source, with the sessions of a small node: everything that the
 * log holds arrives exactly once, whatever the order in which dispatchers come. */
#include "tests/testing.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/memory.h"
#include "common/runtime/clock.h"
#include "dispatcher/core/ddl/schema_tracker.h"
#include "dispatcher/core/session_set.h"
#include "dispatcher/shell/event_feed.h"
#include "dispatcher/upstream/simulated.h"

#define GROUPS 3000
#define DEADLINE_NS (60 * NS_PER_S)
#define LOOK_AGAIN_NS (5 * NS_PER_MS) /* for what is not told by an event */
#define DISPATCHERS_MAX 4096

typedef struct {
    dispatcher_id_t id; /* {1, index + 1} */
    table_id_t table_id;
    position_t position;
    uint64_t dropped_at; /* the DDL that dropped its table; 0: none */
    bool is_closed;
} dispatcher_t;

typedef struct {
    event_feed_t *feed;
    session_set_t *sessions;
    dispatcher_t dispatchers[DISPATCHERS_MAX];
    uint32_t count;
    uint8_t seen[GROUPS + 1]; /* rows or DDL of a group, by whoever must see them first */
    uint64_t table_ddls;      /* met by a table's dispatcher */
    commit_ts_t resolved;     /* of the trigger */
} node_t;

static position_t position_of(void *context, dispatcher_id_t id)
{
    node_t *node = context;
    return node->dispatchers[id.lo - 1].position;
}

static void add_dispatcher(node_t *node, table_id_t table_id, commit_ts_t start,
                           commit_ts_t created)
{
    assert_true(node->count < DISPATCHERS_MAX);
    dispatcher_t *dispatcher = &node->dispatchers[node->count++];
    *dispatcher = (dispatcher_t){.id = {1, node->count},
                                 .table_id = table_id,
                                 .position = {.checkpoint = start, .passed = {created, false}}};
    session_start_t how = {.dispatcher_id = dispatcher->id,
                           .span = {.table_id = table_id},
                           .created = created,
                           .start = dispatcher->position};
    assert_int_equal(session_set_add(node->sessions, &how, clock_mono()), SLUICE_OK);
}

static void send_requests(node_t *node)
{
    session_request_t requests[64];
    uint32_t count;
    while ((count = session_set_take_requests(node->sessions, requests, 64))) {
        for (uint32_t i = 0; i < count; i++)
            event_feed_request(node->feed, &requests[i].request);
    }
}

static dispatcher_t *find_table(node_t *node, table_id_t table_id)
{
    for (uint32_t i = 0; i < node->count; i++) {
        if (node->dispatchers[i].table_id.v == table_id.v && !node->dispatchers[i].is_closed)
            return &node->dispatchers[i];
    }
    return NULL;
}

/* What the maintainer does with the change of the table list. */
static void schedule(node_t *node, const ddl_event_t *ddl)
{
    const block_payload_t *payload = &ddl->payload;
    for (uint32_t i = 0; i < payload->dropped.table_count; i++) {
        dispatcher_t *dispatcher = find_table(node, payload->dropped.table_ids[i]);
        if (dispatcher)
            dispatcher->dropped_at = ddl->commit_ts.v;
    }
    for (uint32_t i = 0; i < payload->added_count; i++) {
        const table_info_t *table = &payload->added[i];
        commit_ts_t start =
            table->created_by_select ? commit_ts_before(table->created) : table->created;
        add_dispatcher(node, table->table_id, start, table->created);
    }
}

static void handle(node_t *node, const stream_event_t *event)
{
    mono_ns_t now = clock_mono();
    session_result_t result = session_set_handle(node->sessions, SERVICE_LOCAL, event, now);
    if (result != SESSION_RESULT_DELIVER)
        return;
    dispatcher_t *dispatcher = &node->dispatchers[event->dispatcher_id.lo - 1];
    bool is_trigger = dispatcher->table_id.v == TABLE_ID_TRIGGER.v;
    assert_true(event->commit_ts.v >= dispatcher->position.checkpoint.v);
    if (event->kind == STREAM_ROWS) {
        assert_int_equal(event->rows->definition->table_id.v, dispatcher->table_id.v);
        node->seen[event->commit_ts.v]++;
    } else if (event->kind == STREAM_DDL) {
        node->table_ddls += !is_trigger;
        if (is_trigger) {
            node->seen[event->commit_ts.v] += 10;
            schedule(node, event->ddl);
        }
    } else if (event->kind == STREAM_RESOLVED) {
        dispatcher->position.checkpoint = event->commit_ts;
        if (is_trigger)
            node->resolved = event->commit_ts;
    }
    session_set_flushed(node->sessions, dispatcher->id, stream_event_cost(event), now);
}

static bool is_done(const node_t *node)
{
    for (uint32_t i = 0; i < node->count; i++) {
        const dispatcher_t *dispatcher = &node->dispatchers[i];
        if (dispatcher->position.checkpoint.v < GROUPS)
            return false;
    }
    return true;
}

static void run_until(node_t *node, bool (*is_reached)(const node_t *node))
{
    mono_ns_t deadline = mono_add(clock_mono(), DEADLINE_NS);
    stream_event_t events[256];
    send_requests(node);
    while (!is_reached(node)) {
        assert_false(mono_reached(deadline, clock_mono()));
        event_feed_state_t state;
        event_feed_state(node->feed, &state);
        if (state.error != SLUICE_OK)
            fail_msg("%s", state.error_text);
        struct pollfd fd = {.fd = event_feed_fd(node->feed), .events = POLLIN};
        mono_ns_t look_again = mono_add(clock_mono(), LOOK_AGAIN_NS);
        mono_ns_t due = mono_min(session_set_next_deadline(node->sessions), look_again);
        poll(&fd, 1, clock_poll_timeout(due, clock_mono()));
        session_set_tick(node->sessions, clock_mono());
        uint32_t count = event_feed_take(node->feed, events, 256);
        for (uint32_t i = 0; i < count; i++) {
            handle(node, &events[i]);
            stream_event_clear(&events[i]);
        }
        send_requests(node);
    }
}

typedef struct {
    schema_tracker_t *tracker;
} schema_filler_t;

static void fill(void *context, const char *schema, const char *create)
{
    schema_filler_t *filler = context;
    error_report_t report;
    if (schema_tracker_add_table(filler->tracker, bytes_of_text(schema), bytes_of_text(create),
                                 &report) != SLUICE_OK)
        fail_msg("%s", report.text);
}

/* Opens a feed that begins behind group `from`. */
static node_t *open_node(const char *uri, uint64_t from, uint64_t tail_bytes_max)
{
    node_t *node = memory_zalloc(sizeof *node);
    arena_t arena = {0};
    error_report_t report = {0};
    table_filter_t *filter;
    assert_int_equal(table_filter_new(NULL, 0, false, &filter, &report), SLUICE_OK);
    schema_tracker_options_t how = {.filter = filter};
    schema_filler_t filler = {schema_tracker_new(&how)};
    anchor_t anchor = {.commit_ts = {from}};
    snprintf(anchor.gtid_list, sizeof anchor.gtid_list, from ? "0-1-%d" : "", (int)from);
    assert_int_equal(
        schema_tracker_add_schema(filler.tracker, bytes_of_text("sim"), "utf8mb4", NULL, &report),
        SLUICE_OK);
    assert_int_equal(
        simulated_schema(uri, anchor.commit_ts, fill, &filler, &anchor.commit_time, &report),
        SLUICE_OK);
    schema_tracker_set_position(filler.tracker, anchor.commit_ts);
    bytes_t snapshot;
    assert_int_equal(
        schema_tracker_snapshot(filler.tracker, anchor.commit_ts, true, &arena, &snapshot),
        SLUICE_OK);
    changefeed_config_t config = {.name = bytes_of_text("test"), .source = bytes_of_text(uri)};
    event_feed_options_t options = {.config = &config,
                                    .server_id_base = 1000,
                                    .anchor = anchor,
                                    .snapshot = snapshot,
                                    .snapshot_ts = anchor.commit_ts,
                                    .tail_bytes_max = tail_bytes_max,
                                    .shed_grace_ns = 1,
                                    .spill_directory = "/tmp"};
    if (event_feed_open(&options, &node->feed, &report) != SLUICE_OK)
        fail_msg("%s", report.text);
    session_set_options_t sessions = {
        .session = session_options_default(), .position_of = position_of, .context = node};
    node->sessions = session_set_new(&sessions);
    schema_tracker_destroy(&filler.tracker);
    table_filter_destroy(&filter);
    arena_clear(&arena);
    return node;
}

static void close_node(node_t *node)
{
    event_feed_close(&node->feed);
    session_set_destroy(&node->sessions);
    free(node);
}

static void add_listed_tables(node_t *node, commit_ts_t at)
{
    arena_t arena = {0};
    const table_info_t *tables;
    uint32_t count;
    assert_int_equal(event_feed_table_list(node->feed, at, &arena, &tables, &count), SLUICE_OK);
    for (uint32_t i = 0; i < count; i++)
        add_dispatcher(node, tables[i].table_id, at, tables[i].created);
    arena_clear(&arena);
}

/* Each group of rows was seen once by one table's dispatcher or by several of them for several
 * tables; each DDL once by the trigger; CREATE … SELECT is both. */
static void assert_all_seen(const node_t *node, uint64_t from, uint32_t ddl_every)
{
    uint32_t ddls = 0;
    for (uint64_t ts = from + 1; ts <= GROUPS; ts++) {
        uint8_t seen = node->seen[ts];
        if (ts % ddl_every != 0)
            assert_int_equal(seen, 1);
        else
            assert_true(seen == 0 || seen == 10 || seen == 11);
        ddls += seen >= 10;
    }
    /* All but ANALYZE. */
    assert_true(ddls > (GROUPS - from) / ddl_every * 3 / 4);
    assert_true(node->table_ddls > 0);
}

#define URI "simulated:///?tables=6&transactions=3000&rows_per_transaction=5&ddl_every=20&seed="

/* The state is published a moment after the events it is about. */
static bool has_settled(const node_t *node)
{
    event_feed_state_t feed;
    event_feed_state(node->feed, &feed);
    return feed.resolved.v == GROUPS && feed.is_caught_up && feed.catching_up == 0;
}

static void everything_arrives_exactly_once(void **state)
{
    (void)state;
    node_t *node = open_node(URI "1", 0, 0);
    add_dispatcher(node, TABLE_ID_TRIGGER, COMMIT_TS_NONE, COMMIT_TS_NONE);
    add_listed_tables(node, COMMIT_TS_NONE);
    run_until(node, is_done);
    assert_all_seen(node, 0, 20);
    run_until(node, has_settled);
    event_feed_state_t feed;
    event_feed_state(node->feed, &feed);
    assert_int_equal(feed.drops, 0);
    assert_int_equal(feed.catch_ups, 0);
    anchor_t anchor;
    assert_true(event_feed_anchor(node->feed, COMMIT_TS_MAX, &anchor));
    assert_int_equal(anchor.commit_ts.v, GROUPS);
    close_node(node);
}

static void a_feed_may_begin_in_the_middle(void **state)
{
    (void)state;
    node_t *node = open_node(URI "2", 1111, 0);
    add_dispatcher(node, TABLE_ID_TRIGGER, (commit_ts_t){1111}, COMMIT_TS_NONE);
    add_listed_tables(node, (commit_ts_t){1111});
    run_until(node, is_done);
    assert_all_seen(node, 1111, 20);
    close_node(node);
}

static bool has_trigger_read_all(const node_t *node)
{
    return node->resolved.v == GROUPS;
}

/* The tail is far too small for the log: whoever comes late needs another reading of it. */
static void who_comes_late_catches_up(void **state)
{
    (void)state;
    node_t *node = open_node(URI "3", 0, 256 << 10);
    add_dispatcher(node, TABLE_ID_TRIGGER, COMMIT_TS_NONE, COMMIT_TS_NONE);
    run_until(node, has_trigger_read_all);
    add_listed_tables(node, COMMIT_TS_NONE);
    run_until(node, is_done);
    assert_all_seen(node, 0, 20);
    run_until(node, has_settled);
    event_feed_state_t feed;
    event_feed_state(node->feed, &feed);
    assert_true(feed.catch_ups > 0);
    close_node(node);
}

static void persist_all(node_t *node)
{
    commit_ts_t lowest = COMMIT_TS_MAX;
    for (uint32_t i = 0; i < node->count; i++) {
        if (node->dispatchers[i].position.checkpoint.v < lowest.v)
            lowest = node->dispatchers[i].position.checkpoint;
    }
    event_feed_set_persisted(node->feed, lowest);
}

static bool has_forgotten_all(const node_t *node)
{
    event_feed_state_t feed;
    event_feed_state(node->feed, &feed);
    return feed.tail_bytes == 0;
}

static void what_is_persisted_and_flushed_is_forgotten(void **state)
{
    (void)state;
    node_t *node = open_node(URI "4", 0, 0);
    add_dispatcher(node, TABLE_ID_TRIGGER, COMMIT_TS_NONE, COMMIT_TS_NONE);
    add_listed_tables(node, COMMIT_TS_NONE);
    run_until(node, is_done);
    assert_false(has_forgotten_all(node));
    persist_all(node);
    run_until(node, has_forgotten_all);
    close_node(node);
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

static void the_schema_of_every_moment_is_known_until_persisted(void **state)
{
    (void)state;
    node_t *node = open_node(URI "5", 0, 0);
    add_dispatcher(node, TABLE_ID_TRIGGER, COMMIT_TS_NONE, COMMIT_TS_NONE);
    add_listed_tables(node, COMMIT_TS_NONE);
    run_until(node, is_done);
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
        assert_int_equal(expected.found, expected.count);
    }
    commit_ts_t up_to = {GROUPS};
    const schema_ddl_t *ddls;
    uint32_t count;
    assert_int_equal(
        event_feed_schema_ddls(node->feed, (commit_ts_t){1000}, &up_to, 10, &arena, &ddls, &count),
        SLUICE_OK);
    assert_int_equal(count, 10);
    assert_true(ddls[0].commit_ts.v > 1000 && ddls[9].commit_ts.v == up_to.v);
    up_to = (commit_ts_t){GROUPS + 1};
    assert_int_equal(
        event_feed_schema_ddls(node->feed, (commit_ts_t){1000}, &up_to, 10, &arena, &ddls, &count),
        SLUICE_ERROR_AGAIN);
    const table_info_t *tables;
    assert_int_equal(
        event_feed_table_list(node->feed, (commit_ts_t){GROUPS + 1}, &arena, &tables, &count),
        SLUICE_ERROR_AGAIN);
    arena_clear(&arena);
    close_node(node);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_arrives_exactly_once),
        cmocka_unit_test(a_feed_may_begin_in_the_middle),
        cmocka_unit_test(who_comes_late_catches_up),
        cmocka_unit_test(what_is_persisted_and_flushed_is_forgotten),
        cmocka_unit_test(the_schema_of_every_moment_is_known_until_persisted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
