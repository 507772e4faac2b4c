#include "tests/unit/event/feed_node.h"

#include "tests/testing.h"

#include <poll.h>
#include <stdlib.h>

#include "common/base/memory.h"
#include "common/runtime/clock.h"

#define DEADLINE_NS (60 * NS_PER_S)
#define LOOK_AGAIN_NS (5 * NS_PER_MS) /* for what is not told by an event */
#define TAKEN_MAX 256

static position_t position_of(void *context, dispatcher_id_t id)
{
    feed_node_t *node = context;
    return node->dispatchers[id.lo - 1].position;
}

feed_node_t *feed_node_open(const char *uri, const anchor_t *anchor, schema_tracker_t *tracker,
                            const event_feed_options_t *limits)
{
    feed_node_t *node = memory_zalloc(sizeof *node);
    arena_t arena = {0};
    error_report_t report = {.code = SLUICE_OK};
    bytes_t snapshot;
    assert_int_equal(schema_tracker_snapshot(tracker, anchor->commit_ts, true, &arena, &snapshot),
                     SLUICE_OK);
    changefeed_config_t config = {0};
    if (limits->config)
        config = *limits->config;
    config.name = bytes_of_text("test");
    config.source = bytes_of_text(uri);
    event_feed_options_t options = *limits;
    options.config = &config;
    options.server_id_first = 1000;
    options.anchor = *anchor;
    options.snapshot = snapshot;
    options.snapshot_ts = anchor->commit_ts;
    options.shed_grace_ns = 1;
    options.spill_directory = "/tmp";
    if (event_feed_open(&options, &node->feed, &report) != SLUICE_OK)
        fail_msg("%s", report.text);
    session_set_options_t sessions = {
        .session = session_options_default(), .position_of = position_of, .context = node};
    node->sessions = session_set_new(&sessions);
    arena_clear(&arena);
    return node;
}

void feed_node_close(feed_node_t **node)
{
    event_feed_close(&(*node)->feed);
    session_set_destroy(&(*node)->sessions);
    free(*node);
    *node = NULL;
}

void feed_node_add(feed_node_t *node, table_id_t table_id, commit_ts_t start, commit_ts_t created)
{
    assert_true(node->count < FEED_NODE_DISPATCHERS_MAX);
    feed_dispatcher_t *dispatcher = &node->dispatchers[node->count++];
    *dispatcher =
        (feed_dispatcher_t){.id = {1, node->count},
                            .table_id = table_id,
                            .position = {.checkpoint = start, .passed = {created, false}}};
    session_start_t how = {.dispatcher_id = dispatcher->id,
                           .span = {.table_id = table_id},
                           .created = created,
                           .start = dispatcher->position};
    assert_int_equal(session_set_add(node->sessions, &how, clock_mono()), SLUICE_OK);
}

void feed_node_add_listed(feed_node_t *node, commit_ts_t at)
{
    arena_t arena = {0};
    const table_info_t *tables;
    uint32_t count;
    assert_int_equal(event_feed_table_list(node->feed, at, &arena, &tables, &count), SLUICE_OK);
    for (uint32_t i = 0; i < count; i++)
        feed_node_add(node, tables[i].table_id, at, tables[i].created);
    arena_clear(&arena);
}

/* What the maintainer does with the change of the table list. */
static void schedule(feed_node_t *node, const ddl_event_t *ddl)
{
    for (uint32_t i = 0; i < ddl->payload.added_count; i++) {
        const table_info_t *table = &ddl->payload.added[i];
        commit_ts_t start =
            table->created_by_select ? commit_ts_before(table->created) : table->created;
        feed_node_add(node, table->table_id, start, table->created);
    }
}

static void handle(feed_node_t *node, const stream_event_t *event)
{
    mono_ns_t now = clock_mono();
    if (session_set_handle(node->sessions, SERVICE_LOCAL, event, now) != SESSION_RESULT_DELIVER)
        return;
    feed_dispatcher_t *dispatcher = &node->dispatchers[event->dispatcher_id.lo - 1];
    bool is_trigger = dispatcher->table_id.v == TABLE_ID_TRIGGER.v;
    assert_true(event->commit_ts.v > dispatcher->position.checkpoint.v);
    if (event->kind == STREAM_ROWS) {
        assert_int_equal(event->rows->definition->table_id.v, dispatcher->table_id.v);
        if (node->on_rows)
            node->on_rows(node, event);
    } else if (event->kind == STREAM_DDL && is_trigger) {
        schedule(node, event->ddl);
        if (node->on_ddl)
            node->on_ddl(node, event);
    } else if (event->kind == STREAM_DDL) {
        node->table_ddls++;
    } else if (event->kind == STREAM_RESOLVED) {
        dispatcher->position.checkpoint = event->commit_ts;
    }
    session_set_flushed(node->sessions, event->dispatcher_id, stream_event_cost(event), now);
}

static void send_requests(feed_node_t *node)
{
    session_request_t requests[64];
    uint32_t count;
    while ((count = session_set_take_requests(node->sessions, requests, 64))) {
        for (uint32_t i = 0; i < count; i++)
            event_feed_request(node->feed, &requests[i].request);
    }
}

static void take_events(feed_node_t *node)
{
    stream_event_t events[TAKEN_MAX];
    uint32_t count = event_feed_take(node->feed, events, TAKEN_MAX);
    for (uint32_t i = 0; i < count; i++) {
        handle(node, &events[i]);
        stream_event_clear(&events[i]);
    }
}

void feed_node_run(feed_node_t *node, bool (*is_reached)(const feed_node_t *node), bool may_fail)
{
    mono_ns_t deadline = mono_add(clock_mono(), DEADLINE_NS);
    send_requests(node);
    while (!is_reached(node)) {
        assert_false(mono_reached(deadline, clock_mono()));
        event_feed_state_t state;
        event_feed_state(node->feed, &state);
        node->error = state.error;
        if (state.error != SLUICE_OK && may_fail)
            return;
        if (state.error != SLUICE_OK)
            fail_msg("%s", state.error_text);
        struct pollfd fd = {.fd = event_feed_fd(node->feed), .events = POLLIN};
        mono_ns_t look_again = mono_add(clock_mono(), LOOK_AGAIN_NS);
        mono_ns_t due = mono_min(session_set_next_deadline(node->sessions), look_again);
        poll(&fd, 1, clock_poll_timeout(due, clock_mono()));
        session_set_tick(node->sessions, clock_mono());
        take_events(node);
        send_requests(node);
    }
}

commit_ts_t feed_node_checkpoint(const feed_node_t *node)
{
    commit_ts_t lowest = COMMIT_TS_MAX;
    for (uint32_t i = 0; i < node->count; i++) {
        if (node->dispatchers[i].position.checkpoint.v < lowest.v)
            lowest = node->dispatchers[i].position.checkpoint;
    }
    return lowest;
}
