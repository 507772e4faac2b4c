#include <stddef.h>
#include <string.h>

#include "common/runtime/version.h"
#include "dispatcher/shell/node_internal.h"

/* A field of node_changefeed_state_t that is a number of four or eight bytes. */
typedef struct {
    const char *name, *type, *help;
    size_t offset, size;
} metric_t;

#define FIELD(member)                                                                              \
    offsetof(node_changefeed_state_t, member), sizeof((node_changefeed_state_t){0}.member)

static const metric_t metrics[] = {
    {"block_status_buffer_length", "gauge", "Block statuses that wait for a request.",
     FIELD(statuses.buffered)},
    {"block_status_request_queue_length", "gauge", "Requests that wait for the socket.",
     FIELD(statuses.queued_requests)},
    {"block_status_requests_total", "counter", "Requests handed to the socket.",
     FIELD(statuses.sent_requests)},
    {"checkpoint_ts", "gauge", "Everything up to it is durable on this node.", FIELD(checkpoint)},
    {"dispatcher_count", "gauge", "Dispatchers on this node.", FIELD(dispatchers)},
    {"sink_rows_total", "counter", "Row changes written.", FIELD(rows)},
    {"sink_bytes_total", "counter", "Logged bytes of row changes written.", FIELD(bytes)},
    {"event_sessions_on_other_nodes", "gauge", "Dispatchers that read from another node.",
     FIELD(sessions.reading_others)},
    {"event_sessions_on_other_nodes_total", "counter",
     "Times that a dispatcher began to read from another node.", FIELD(sessions.others_read)},
    {"event_sessions_held_nowhere_total", "counter",
     "Times that no other node held what a dispatcher needed, and the source was read.",
     FIELD(sessions.last_resorts)},
    {"event_streams_of_other_nodes", "gauge", "Dispatchers of other nodes that read from this one.",
     FIELD(feed.remote_streams)},
    {"ddl_executed_total", "counter", "DDL and sync points executed.", FIELD(ddls)},
    {"event_tail_bytes", "gauge", "Events held in memory.", FIELD(feed.tail_bytes)},
    {"event_catch_ups_total", "counter", "Second readings of the source begun.",
     FIELD(feed.catch_ups)},
    {"region_requests_total", "counter", "Tables asked of a server to be caught up.",
     FIELD(feed.older_requests)},
    {"retry_scheduled_total", "counter", "Such requests that failed, to be made again.",
     FIELD(feed.older_failures)},
    {"range_reload_total", "counter", "Such tables whose server was looked for anew.",
     FIELD(feed.older_reloads)},
    {"event_streams_dropped_total", "counter", "Streams given up, to start again.",
     FIELD(feed.drops)},
    {"event_store_bytes", "gauge", "Events on the disk.", FIELD(feed.store.bytes)},
    {"event_store_tables", "gauge", "Tables that have events there.", FIELD(feed.store.tables)},
    {"event_store_written_bytes_total", "counter", "Memory freed by writing there.",
     FIELD(feed.store.written_bytes)},
    {"event_store_read_bytes_total", "counter", "Events read back from there.",
     FIELD(feed.store.read_bytes)},
    {"event_store_given_up_total", "counter", "Tables there was no place for.",
     FIELD(feed.store.given_up)},
    {"event_store_failures_total", "counter", "Times all there was lost.",
     FIELD(feed.store.failures)},
};

static uint64_t value_of(const metric_t *metric, const node_changefeed_state_t *state)
{
    const uint8_t *field = (const uint8_t *)state + metric->offset;
    uint64_t wide = 0;
    uint32_t narrow = 0;
    if (metric->size == sizeof narrow) {
        memcpy(&narrow, field, sizeof narrow);
        return narrow;
    }
    memcpy(&wide, field, sizeof wide);
    return wide;
}

static const char *const stage_names[] = {"none", "waiting", "writing", "done"};

static void append_stages(arena_t *arena, const char **text, const char *changefeed,
                          const block_status_counters_t *counters)
{
    for (int stage = 0; stage <= STAGE_DONE; stage++)
        *text = arena_printf(arena,
                             "%sblock_status_offered_total{changefeed=\"%s\",stage=\"%s\"} %llu\n"
                             "block_status_coalesced_total{changefeed=\"%s\",stage=\"%s\"} %llu\n",
                             *text, changefeed, stage_names[stage],
                             (unsigned long long)counters->offered[stage], changefeed,
                             stage_names[stage], (unsigned long long)counters->coalesced[stage]);
}

void node_respond_metrics(node_t *node, http_request_t **request)
{
    arena_t arena = {0};
    node_core_state_t process = node_core_state(node->core);
    const char *text = arena_printf(
        &arena,
        "# TYPE build_info gauge\nbuild_info{version=\"%s\",hash=\"%s\"} 1\n"
        "# TYPE messages_dropped_total counter\nmessages_dropped_total %llu\n"
        "# TYPE stream_messages_sent_total counter\nstream_messages_sent_total %llu\n"
        "# TYPE stream_bytes_sent_total counter\nstream_bytes_sent_total %llu\n"
        "# TYPE stream_events_given_up_total counter\n"
        "stream_events_given_up_total %llu\n"
        "# TYPE stream_services_lost_total counter\nstream_services_lost_total %llu\n",
        version_number(), version_hash(), (unsigned long long)node_messages_dropped(node),
        (unsigned long long)process.sessions.messages, (unsigned long long)process.sessions.bytes,
        (unsigned long long)process.sessions.given_up, (unsigned long long)process.services.lost);
    for (size_t i = 0; i < sizeof metrics / sizeof metrics[0]; i++) {
        const metric_t *metric = &metrics[i];
        text = arena_printf(&arena, "%s# HELP %s %s\n# TYPE %s %s\n", text, metric->name,
                            metric->help, metric->name, metric->type);
        for (uint32_t j = 0; j < node_core_changefeed_count(node->core); j++) {
            node_changefeed_t *changefeed = node_core_changefeed(node->core, j);
            node_changefeed_state_t state;
            if (!changefeed)
                continue;
            node_changefeed_state(changefeed, &state);
            text = arena_printf(&arena, "%s%s{changefeed=\"%s\"} %llu\n", text, metric->name,
                                node_changefeed_name(changefeed),
                                (unsigned long long)value_of(metric, &state));
            if (i == 0)
                append_stages(&arena, &text, node_changefeed_name(changefeed),
                              &state.statuses.statuses);
        }
    }
    http_respond(request, 200, "text/plain; version=0.0.4", bytes_of_text(text), NULL);
    arena_clear(&arena);
}
