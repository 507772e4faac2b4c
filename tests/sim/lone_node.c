#include "tests/sim/lone_node.h"

#include <stdlib.h>

#include "common/base/memory.h"
#include "dispatcher/core/session_set.h"
#include "tests/sim/timer.h"

enum { STREAMS_MAX = 1024, TAKEN_MAX = 64 };

typedef struct {
    table_id_t table_id;
    uint64_t run;
    commit_ts_t created, flushed, resolved;
    bool is_open, is_gone;
    stream_event_t *queue;
    uint32_t count, capacity;
    uint32_t outstanding;
    uint64_t bytes; /* of what is outstanding */
} stream_t;

struct lone_node {
    sim_world_t *world;
    sim_process_t *process;
    const sim_log_t *log;
    sim_sink_pool_t *pool;
    sim_feed_t *feed;
    sink_port_t sink_port;
    feed_port_t feed_port;
    session_set_t *sessions;
    sim_timer_t timer;
    stream_t *streams; /* the first is the trigger's */
    uint32_t count;
    uint64_t life, runs;
    bool is_outlived, is_fenced;
    bool has_list, is_busy; /* at a schema change or sync point */
    event_key_t done;
    commit_ts_t start, checkpoint;
};

static void act(void *context);

static dispatcher_id_t id_of(uint32_t index)
{
    return (dispatcher_id_t){1, index};
}

static position_t position_of(void *context, dispatcher_id_t id)
{
    const lone_node_t *node = context;
    const stream_t *stream = &node->streams[id.lo];
    return (position_t){stream->flushed, node->done};
}

static void add_stream(lone_node_t *node, table_id_t table_id, commit_ts_t created,
                       commit_ts_t start)
{
    stream_t *stream = &node->streams[node->count];
    *stream = (stream_t){.table_id = table_id,
                         .run = node->life * 10000 + ++node->runs,
                         .created = created,
                         .flushed = start,
                         .resolved = start};
    sink_claim_t claim = {
        .span = {.table_id = table_id}, .epoch = {1, stream->run}, .checkpoint = start};
    node->sink_port.claim(node->sink_port.self, id_of(node->count), stream->run, &claim);
    node->count++;
}

static void pass_requests(lone_node_t *node)
{
    session_request_t requests[TAKEN_MAX];
    uint32_t count;
    while ((count = session_set_take_requests(node->sessions, requests, TAKEN_MAX)) > 0)
        for (uint32_t i = 0; i < count; i++)
            node->feed_port.request(node->feed_port.self, &requests[i].request);
}

/* ---- what comes in ---- */

/* Refused, by right or not. */
static void refused(lone_node_t *node, sluice_error_t error)
{
    if (node->is_outlived && (error == SLUICE_ERROR_NOT_OWNER || error == SLUICE_ERROR_CLOSED))
        node->is_fenced = true;
    else
        sim_violated(node->world, "lone node", "the sink failed: %s", sluice_error_name(error));
}

static void claimed(lone_node_t *node, uint32_t index, const sink_completion_t *done)
{
    stream_t *stream = &node->streams[index];
    if (done->progress.v > stream->flushed.v)
        stream->flushed = stream->resolved = done->progress;
    stream->is_open = true;
    session_start_t start = {.dispatcher_id = id_of(index),
                             .span = {.table_id = stream->table_id},
                             .created = stream->created,
                             .start = {stream->flushed, node->done}};
    if (session_set_add(node->sessions, &start, sim_process_now(node->process)) != SLUICE_OK)
        sim_violated(node->world, "lone node", "two sessions");
}

static void forget_stream(lone_node_t *node, uint32_t index)
{
    stream_t *stream = &node->streams[index];
    if (stream->is_gone)
        return;
    stream->is_gone = true;
    session_set_remove(node->sessions, id_of(index), sim_process_now(node->process));
    node->sink_port.close_lane(node->sink_port.self, stream->run);
    for (uint32_t i = 0; i < stream->count; i++)
        stream_event_clear(&stream->queue[i]);
    stream->count = 0;
}

static void forget_table(lone_node_t *node, table_id_t table_id)
{
    for (uint32_t i = 1; i < node->count; i++)
        if (node->streams[i].table_id.v == table_id.v)
            forget_stream(node, i);
}

static void forget_dropped(lone_node_t *node, const ddl_event_t *ddl)
{
    const influence_t *dropped = &ddl->payload.dropped;
    for (uint32_t i = 0; dropped->kind == INFLUENCE_NORMAL && i < dropped->table_count; i++)
        forget_table(node, dropped->table_ids[i]);
    for (uint32_t i = 0; dropped->kind == INFLUENCE_DB && i < ddl->change_count; i++)
        forget_table(node, ddl->changes[i].before->table_id);
}

static void executed(lone_node_t *node)
{
    stream_t *trigger = &node->streams[0];
    stream_event_t event = trigger->queue[0];
    trigger->count--;
    memmove(trigger->queue, trigger->queue + 1, trigger->count * sizeof *trigger->queue);
    node->is_busy = false;
    node->done = (event_key_t){event.commit_ts, event.kind == STREAM_SYNCPOINT};
    if (event.kind == STREAM_DDL) {
        const block_payload_t *payload = &event.ddl->payload;
        forget_dropped(node, event.ddl);
        for (uint32_t i = 0; i < payload->added_count; i++) {
            const table_info_t *added = &payload->added[i];
            add_stream(node, added->table_id, added->created,
                       added->created_by_select ? commit_ts_before(event.commit_ts)
                                                : event.commit_ts);
        }
    }
    stream_event_clear(&event);
}

static void take_completions(lone_node_t *node)
{
    sink_completion_t completions[TAKEN_MAX];
    uint32_t count;
    while ((count = node->sink_port.take(node->sink_port.self, completions, TAKEN_MAX)) > 0) {
        for (uint32_t i = 0; i < count; i++) {
            const sink_completion_t *done = &completions[i];
            uint32_t index = (uint32_t)done->dispatcher_id.lo;
            if (done->error != SLUICE_OK) {
                refused(node, done->error);
                continue;
            }
            if (done->kind == SINK_CLAIMED)
                claimed(node, index, done);
            else if (done->kind == SINK_WRITTEN)
                node->streams[index].outstanding -= done->count;
            else
                executed(node);
            stream_t *stream = &node->streams[index];
            if (stream->outstanding == 0 && stream->bytes > 0) {
                session_set_flushed(node->sessions, id_of(index), stream->bytes,
                                    sim_process_now(node->process));
                stream->bytes = 0;
            }
        }
    }
}

static void take_events(lone_node_t *node)
{
    stream_event_t events[TAKEN_MAX];
    uint32_t count;
    mono_ns_t now = sim_process_now(node->process);
    while ((count = node->feed_port.take(node->feed_port.self, events, TAKEN_MAX)) > 0) {
        for (uint32_t i = 0; i < count; i++) {
            stream_t *stream = &node->streams[events[i].dispatcher_id.lo];
            if (session_set_handle(node->sessions, SERVICE_LOCAL, &events[i], now) !=
                SESSION_RESULT_DELIVER) {
                stream_event_clear(&events[i]);
                continue;
            }
            if (stream->count == stream->capacity) {
                stream->capacity = stream->capacity ? stream->capacity * 2 : 8;
                stream->queue =
                    memory_realloc(stream->queue, stream->capacity * sizeof *stream->queue);
            }
            stream->queue[stream->count++] = events[i];
        }
        pass_requests(node);
    }
}

/* ---- going forward ---- */

static const stream_event_t *gate_of(const lone_node_t *node)
{
    const stream_t *trigger = &node->streams[0];
    return trigger->count > 0 ? &trigger->queue[0] : NULL;
}

static void pop(lone_node_t *node, stream_t *stream)
{
    stream_event_t *event = &stream->queue[0];
    if (event->commit_ts.v > stream->resolved.v && event->kind == STREAM_RESOLVED)
        stream->resolved = event->commit_ts;
    uint64_t cost = stream_event_cost(event);
    if (event->kind == STREAM_DDL)
        session_set_flushed(node->sessions, id_of((uint32_t)(stream - node->streams)), cost,
                            sim_process_now(node->process));
    stream_event_clear(event);
    stream->count--;
    memmove(stream->queue, stream->queue + 1, stream->count * sizeof *stream->queue);
}

/* The trigger's queue begins with the next gate, or is empty. */
static void advance_trigger(lone_node_t *node)
{
    stream_t *trigger = &node->streams[0];
    while (trigger->count > 0 && trigger->queue[0].kind == STREAM_RESOLVED)
        pop(node, trigger);
}

static void advance_table(lone_node_t *node, uint32_t index)
{
    stream_t *stream = &node->streams[index];
    const stream_event_t *gate = gate_of(node);
    uint64_t frontier =
        !gate ? node->streams[0].resolved.v : gate->commit_ts.v - (gate->kind == STREAM_DDL);
    while (stream->count > 0) {
        stream_event_t *event = &stream->queue[0];
        event_key_t key = {event->commit_ts, event->kind == STREAM_SYNCPOINT};
        if (event->kind == STREAM_ROWS) {
            if (event->commit_ts.v > frontier)
                return;
            stream->outstanding++;
            stream->bytes += stream_event_cost(event);
            if (!event->rows->continues)
                stream->resolved = event->commit_ts;
            node->sink_port.write(node->sink_port.self, stream->run,
                                  transaction_ref(event->transaction), event->rows);
        } else if (event->kind != STREAM_RESOLVED && event_key_compare(key, node->done) > 0) {
            return;
        }
        pop(node, stream);
    }
}

/* Whether a table's stream stands at the gate, or will not meet it, with nothing left before it. */
static bool is_at(const stream_t *stream, const stream_event_t *gate)
{
    if (stream->is_gone)
        return true;
    if (stream->outstanding > 0 || !stream->is_open)
        return false;
    if (stream->count > 0)
        return stream->queue[0].commit_ts.v >= gate->commit_ts.v;
    return gate->kind == STREAM_DDL && stream->resolved.v >= gate->commit_ts.v;
}

static void advance_gate(lone_node_t *node)
{
    const stream_event_t *gate = gate_of(node);
    if (!gate || node->is_busy || !node->has_list)
        return;
    for (uint32_t i = 1; i < node->count; i++)
        if (!is_at(&node->streams[i], gate))
            return;
    node->is_busy = true;
    if (gate->kind == STREAM_DDL)
        node->sink_port.run_ddl(node->sink_port.self, node->streams[0].run,
                                ddl_event_ref(gate->ddl));
    else
        node->sink_port.write_syncpoint(node->sink_port.self, node->streams[0].run,
                                        gate->commit_ts);
}

static void take_list(lone_node_t *node)
{
    arena_t arena = {0};
    const table_info_t *tables;
    uint32_t count;
    sluice_error_t error =
        node->feed_port.table_list(node->feed_port.self, node->start, &arena, &tables, &count);
    if (error == SLUICE_OK) {
        node->has_list = true;
        for (uint32_t i = 0; i < count; i++) {
            commit_ts_t created = tables[i].created;
            if (tables[i].created_by_select)
                created = commit_ts_before(created);
            add_stream(node, tables[i].table_id, tables[i].created,
                       created.v > node->start.v ? created : node->start);
        }
    } else if (error != SLUICE_ERROR_AGAIN) {
        sim_violated(node->world, "lone node", "no table list: %s", sluice_error_name(error));
    }
    arena_clear(&arena);
}

static void note_progress(lone_node_t *node)
{
    uint64_t lowest = node->has_list ? UINT64_MAX : node->start.v;
    for (uint32_t i = 0; i < node->count; i++) {
        stream_t *stream = &node->streams[i];
        if (stream->is_gone)
            continue;
        uint64_t reached = stream->resolved.v;
        if (stream->count > 0 && stream->queue[0].commit_ts.v <= reached)
            reached = stream->queue[0].commit_ts.v - 1;
        if (stream->outstanding == 0 && reached > stream->flushed.v)
            stream->flushed.v = reached;
        if (stream->flushed.v < lowest)
            lowest = stream->flushed.v;
    }
    if (lowest > node->checkpoint.v)
        node->checkpoint.v = lowest;
}

static void act(void *context)
{
    lone_node_t *node = context;
    mono_ns_t now = sim_process_now(node->process);
    take_completions(node);
    if (node->is_fenced)
        return;
    take_events(node);
    if (!node->has_list)
        take_list(node);
    session_set_tick(node->sessions, now);
    advance_trigger(node);
    for (uint32_t i = 1; i < node->count; i++)
        advance_table(node, i);
    advance_gate(node);
    note_progress(node);
    /* What nobody has persisted for it any more is not to be cleaned up behind. */
    if (!node->is_outlived) {
        node->feed_port.set_persisted(node->feed_port.self, node->checkpoint, COMMIT_TS_MAX);
        node->sink_port.clean_up(node->sink_port.self, node->checkpoint);
    }
    pass_requests(node);
    sim_timer_arm(&node->timer, 5 * NS_PER_MS);
}

/* ---- life ---- */

lone_node_t *lone_node_start(sim_world_t *world, uint32_t process, const sim_log_t *log,
                             sim_sink_t *sink, commit_ts_t checkpoint, uint64_t life)
{
    lone_node_t *node = memory_zalloc(sizeof *node);
    error_report_t report = {0};
    changefeed_ref_t changefeed = {.generation = 1};
    node->world = world;
    node->process = small_world_process(world, process);
    node->log = log;
    node->life = life;
    node->start = node->checkpoint = checkpoint;
    node->streams = memory_zalloc(STREAMS_MAX * sizeof *node->streams);

    sim_timer_init(&node->timer, world, node->process, act, node);
    session_set_options_t sessions = {
        .session = session_options_default(), .position_of = position_of, .context = node};
    sessions.session.credit_bytes_max = UINT64_C(64) << 20;
    node->sessions = session_set_new(&sessions);
    node->pool = sim_sink_open(sink, node->process, changefeed);
    node->sink_port = sim_sink_port(node->pool);
    node->sink_port.set_lease(node->sink_port.self, MONO_NEVER);
    sim_feed_options_t feed = {.anchor = sim_log_start(log),
                               .snapshot = sim_log_snapshot(log),
                               .snapshot_ts = sim_log_start(log).commit_ts,
                               .config = sim_log_config(log)};
    if (sim_feed_open(world, node->process, log, &feed, &node->feed, &report) != SLUICE_OK) {
        sim_violated(world, "lone node", "no feed: %s", report.text);
        lone_node_destroy(&node);
        return NULL;
    }
    node->feed_port = sim_feed_port(node->feed);
    small_world_on_wake(node->process, act, node);
    add_stream(node, TABLE_ID_TRIGGER, COMMIT_TS_NONE, checkpoint);
    sim_timer_arm(&node->timer, 0);
    return node;
}

void lone_node_destroy(lone_node_t **node)
{
    lone_node_t *self = *node;
    *node = NULL;
    if (!self)
        return;
    small_world_on_wake(self->process, NULL, NULL);
    sim_timer_stop(&self->timer);
    for (uint32_t i = 0; i < self->count; i++) {
        for (uint32_t j = 0; j < self->streams[i].count; j++)
            stream_event_clear(&self->streams[i].queue[j]);
        free(self->streams[i].queue);
    }
    free(self->streams);
    session_set_destroy(&self->sessions);
    sim_sink_close(&self->pool);
    sim_feed_close(&self->feed);
    free(self);
}

commit_ts_t lone_node_checkpoint(const lone_node_t *node)
{
    return node->checkpoint;
}

void lone_node_outlive(lone_node_t *node)
{
    node->is_outlived = true;
}

bool lone_node_is_fenced(const lone_node_t *node)
{
    return node->is_fenced;
}
