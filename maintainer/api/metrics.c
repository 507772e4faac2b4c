/* What /metrics says: Prometheus text format 0.0.4. Labels: changefeed and mode, never a table. */
#include <stdio.h>
#include <stdlib.h>

#include "maintainer/api/api_internal.h"

#define PREFIX "sluice_"

typedef struct {
    FILE *out;
    const api_t *api;
    const changefeed_view_t *feeds;
    size_t feed_count;
} metrics_t;

static void head(const metrics_t *metrics, const char *name, const char *type, const char *help)
{
    fprintf(metrics->out, "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s %s\n", name, help, name,
            type);
}

static void plain(const metrics_t *metrics, const char *name, const char *type, const char *help,
                  double value)
{
    head(metrics, name, type, help);
    fprintf(metrics->out, PREFIX "%s %.17g\n", name, value);
}

typedef double feed_value_t(const api_t *api, const changefeed_view_t *view);

static void by_feed(const metrics_t *metrics, const char *name, const char *type, const char *help,
                    feed_value_t *value)
{
    head(metrics, name, type, help);
    for (size_t i = 0; i < metrics->feed_count; i++)
        fprintf(metrics->out, PREFIX "%s{changefeed=\"%s\",mode=\"default\"} %.17g\n", name,
                metrics->feeds[i].name, value(metrics->api, &metrics->feeds[i]));
}

#define FEED_FIELD(function, expression)                                                           \
    static double function(const api_t *api, const changefeed_view_t *view)                        \
    {                                                                                              \
        (void)api;                                                                                 \
        return (double)(expression);                                                               \
    }

FEED_FIELD(checkpoint_of, view->checkpoint.v)
FEED_FIELD(state_of, view->state)
FEED_FIELD(tables_of, view->table_count)
FEED_FIELD(barriers_of, view->barrier_count)
FEED_FIELD(rows_of, view->rows_applied)
FEED_FIELD(bytes_of_feed, view->bytes_applied)
FEED_FIELD(ddl_of, view->ddl_applied)
FEED_FIELD(pass_sent_of, view->pass_sent)
FEED_FIELD(pass_held_of, view->pass_held_quiet)
FEED_FIELD(merged_of, view->heartbeats_merged)
FEED_FIELD(handled_of, view->statuses_handled)
FEED_FIELD(duplicate_of, view->statuses_duplicate)

static double resolved_lag_of(const api_t *api, const changefeed_view_t *view)
{
    bool is_behind =
        !view->is_caught_up && view->read_commit_time.v && view->read_commit_time.v < api->wall.v;
    return is_behind ? (double)(api->wall.v - view->read_commit_time.v) / 1000.0 : 0;
}

/* How long the oldest open barrier has been open. */
static void write_barrier_age(const metrics_t *metrics, arena_t *arena)
{
    head(metrics, "barrier_unresolved_seconds", "gauge", "Age of the oldest open barrier event.");
    for (size_t i = 0; i < metrics->feed_count; i++) {
        barrier_view_t *views;
        size_t count = 0;
        uint64_t oldest_ms = 0;
        if (coordinator_barriers(metrics->api->coordinator, metrics->api->now,
                                 bytes_of_text(metrics->feeds[i].name), arena, &views,
                                 &count) != SLUICE_OK)
            continue;
        for (size_t b = 0; b < count; b++)
            oldest_ms = views[b].age_ms > oldest_ms ? views[b].age_ms : oldest_ms;
        fprintf(metrics->out,
                PREFIX "barrier_unresolved_seconds{changefeed=\"%s\",mode=\"default\"} %.3f\n",
                metrics->feeds[i].name, (double)oldest_ms / 1000.0);
    }
}

static void write_spans(const metrics_t *metrics)
{
    head(metrics, "dispatcher_count", "gauge", "Spans by state.");
    for (size_t i = 0; i < metrics->feed_count; i++) {
        const changefeed_view_t *view = &metrics->feeds[i];
        const struct {
            const char *state;
            uint32_t count;
        } states[] = {{"absent", view->absent_count},
                      {"scheduling", view->scheduling_count},
                      {"replicating", view->replicating_count},
                      {"closing", view->closing_count},
                      {"moving", view->moving_count}};
        for (size_t state = 0; state < sizeof states / sizeof states[0]; state++)
            fprintf(metrics->out,
                    PREFIX "dispatcher_count{changefeed=\"%s\",mode=\"default\",state=\"%s\"} %u\n",
                    view->name, states[state].state, states[state].count);
    }
}

static void write_feeds(const metrics_t *metrics)
{
    by_feed(metrics, "changefeed_state", "gauge",
            "0 normal, 1 warning, 2 failed, 3 stopped, 4 finished, 5 removed.", state_of);
    by_feed(metrics, "checkpoint_ts", "gauge", "Persisted checkpoint.", checkpoint_of);
    by_feed(metrics, "checkpoint_lag_seconds", "gauge", "Age of the checkpoint.", api_lag_seconds);
    by_feed(metrics, "resolved_lag_seconds", "gauge", "Age of the newest group that was read.",
            resolved_lag_of);
    by_feed(metrics, "table_count", "gauge", "Tables carried.", tables_of);
    by_feed(metrics, "barrier_open", "gauge", "Barrier events that are not finished.", barriers_of);
    by_feed(metrics, "sink_rows_total", "counter", "Row changes written.", rows_of);
    by_feed(metrics, "sink_bytes_total", "counter", "Bytes of row changes written.", bytes_of_feed);
    by_feed(metrics, "ddl_executed_total", "counter", "Schema changes written.", ddl_of);
    by_feed(metrics, "pass_action_sent_total", "counter", "PASS actions sent.", pass_sent_of);
    by_feed(metrics, "pass_action_held_quiet_total", "counter",
            "PASS actions held because statuses of their event still came.", pass_held_of);
    by_feed(metrics, "heartbeat_merged_total", "counter", "Heartbeats merged while buffered.",
            merged_of);
    by_feed(metrics, "block_status_handled_total", "counter", "Block statuses handled.",
            handled_of);
    by_feed(metrics, "block_status_coalesced_total", "counter",
            "Block statuses that repeated one still buffered.", duplicate_of);
    write_spans(metrics);
}

static void write_drops(const metrics_t *metrics)
{
    const actor_counters_t *counters = metrics->api->counters;
    coordinator_drops_t drops = coordinator_drops(metrics->api->coordinator);
    const struct {
        const char *reason;
        uint64_t count;
    } reasons[] = {{"bad_frame", counters->dropped_frames},
                   {"malformed", counters->dropped_malformed},
                   {"version", counters->dropped_version},
                   {"sender", counters->dropped_sender},
                   {"refused_entry", counters->refused_entries},
                   {"unknown_node", drops.unknown_node},
                   {"stale_incarnation", drops.stale_incarnation},
                   {"stale_epoch", drops.stale_epoch},
                   {"unknown_changefeed", drops.unknown_changefeed},
                   {"unexpected_type", drops.unexpected_type},
                   {"unreachable", counters->send_unreachable},
                   {"full", counters->send_full}};
    head(metrics, "messages_dropped_total", "counter", "Messages or entries dropped.");
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        fprintf(metrics->out, PREFIX "messages_dropped_total{reason=\"%s\"} %llu\n",
                reasons[i].reason, (unsigned long long)reasons[i].count);
}

static void write_traffic(const metrics_t *metrics, const char *way, const traffic_t *traffic)
{
    char messages[64], bytes[64];
    snprintf(messages, sizeof messages, "messages_%s_total", way);
    snprintf(bytes, sizeof bytes, "message_bytes_%s_total", way);
    head(metrics, messages, "counter", "Messages between maintainer and nodes.");
    for (int i = 0; i <= MESSAGE_TYPE_MAX; i++)
        if (message_type_is_known((message_type_t)i))
            fprintf(metrics->out, PREFIX "%s{type=\"%s\"} %llu\n", messages,
                    message_type_name((message_type_t)i), (unsigned long long)traffic[i].messages);
    head(metrics, bytes, "counter", "Bytes of them, without what the transport adds.");
    for (int i = 0; i <= MESSAGE_TYPE_MAX; i++)
        if (message_type_is_known((message_type_t)i))
            fprintf(metrics->out, PREFIX "%s{type=\"%s\"} %llu\n", bytes,
                    message_type_name((message_type_t)i), (unsigned long long)traffic[i].bytes);
}

static void write_process(const metrics_t *metrics, arena_t *arena)
{
    const api_t *api = metrics->api;
    const actor_counters_t *counters = api->counters;
    node_view_t *nodes;
    size_t present = 0, count = coordinator_nodes(api->coordinator, api->now, arena, &nodes);
    for (size_t i = 0; i < count; i++)
        present += nodes[i].is_present;
    head(metrics, "build_info", "gauge", "Always 1.");
    fprintf(metrics->out, PREFIX "build_info{version=\"%s\",git_hash=\"%s\"} 1\n",
            api->identity.version, api->identity.hash);
    plain(metrics, "node_count", "gauge", "Nodes that are present.", (double)present);
    write_traffic(metrics, "received", counters->received);
    write_traffic(metrics, "sent", counters->sent);
    plain(metrics, "persist_failed_total", "counter", "Writes that the meta store refused.",
          (double)counters->persist_failed);
    head(metrics, "maintainer_loop_seconds", "summary", "Turns of the loop, without waiting.");
    fprintf(metrics->out,
            PREFIX "maintainer_loop_seconds_sum %.9f\n" PREFIX
                   "maintainer_loop_seconds_count %llu\n",
            (double)counters->loop_ns_total / 1e9, (unsigned long long)counters->steps);
    plain(metrics, "maintainer_loop_max_seconds", "gauge", "The longest turn since the start.",
          (double)counters->loop_ns_max / 1e9);
}

bytes_t api_metrics_text(const api_t *api, arena_t *arena)
{
    changefeed_view_t *feeds;
    char *text = NULL;
    size_t len = 0;
    metrics_t metrics = {.out = open_memstream(&text, &len), .api = api};
    if (!metrics.out)
        return bytes_of_text("");
    metrics.feed_count = coordinator_changefeeds(api->coordinator, api->now, arena, &feeds);
    metrics.feeds = feeds;
    write_process(&metrics, arena);
    write_drops(&metrics);
    write_feeds(&metrics);
    write_barrier_age(&metrics, arena);
    fclose(metrics.out);
    bytes_t copied = arena_bytes(arena, bytes_of(text, len));
    free(text);
    return copied;
}
