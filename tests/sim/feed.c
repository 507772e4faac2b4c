#include "tests/sim/feed.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"
#include "tests/sim/feed_internal.h"

#define RING_EVENTS 256
#define SERVICE_DELAY_NS (200 * NS_PER_US)
#define SERVERS_MAX 3

/* ---- readings of older log ---- */

static schema_tracker_t *tracker_at(sim_feed_t *feed, const anchor_t *anchor)
{
    arena_t arena = {0};
    bytes_t snapshot;
    error_report_t report = {0};
    schema_tracker_t *tracker = NULL;
    schema_tracker_options_t how = {.filter = feed->filter};
    sluice_error_t error =
        schema_tracker_snapshot(feed->tracker, anchor->commit_ts, true, &arena, &snapshot);
    if (error == SLUICE_OK)
        error = schema_tracker_from_snapshot(&how, snapshot, &tracker, &report);
    arena_clear(&arena);
    if (error != SLUICE_OK)
        sim_violated(feed->world, "reading", "the schema at %llu is no longer known",
                     (unsigned long long)anchor->commit_ts.v);
    return tracker;
}

static void open_older(sim_feed_t *feed, const catch_up_effect_t *wanted, mono_ns_t now)
{
    const anchor_t *found = anchor_list_find(&feed->anchors, wanted->from);
    schema_tracker_t *tracker = found ? tracker_at(feed, found) : NULL;
    if (!tracker) {
        catch_up_failed(feed->catch_up, wanted->stream, SLUICE_ERROR_AGAIN, now);
        return;
    }
    anchor_t anchor = *found;
    error_report_t report = {0};
    sim_reading_t *reading = reading_new(feed, &anchor, tracker, &report);
    reading->number = wanted->stream;
    reading->after = feed->older;
    feed->older = reading;
    catch_up_opened(feed->catch_up, wanted->stream, anchor.commit_ts);
}

static void close_older(sim_feed_t *feed, uint64_t number)
{
    sim_reading_t **at = &feed->older;
    while (*at && (*at)->number != number)
        at = &(*at)->after;
    sim_reading_t *reading = *at;
    if (!reading)
        return;
    *at = reading->after;
    reading_destroy(&reading);
}

static void tell_lost(sim_feed_t *feed, mono_ns_t now)
{
    for (sim_reading_t *reading = feed->older, *after; reading; reading = after) {
        after = reading->after;
        if (reading->lost == SLUICE_OK)
            continue;
        uint64_t number = reading->number;
        sluice_error_t lost = reading->lost;
        close_older(feed, number);
        catch_up_failed(feed->catch_up, number, lost, now);
    }
}

/* When there is something to do again. */
static mono_ns_t steer_catch_up(sim_feed_t *feed, mono_ns_t now)
{
    catch_up_effect_t wanted;
    tell_lost(feed, now);
    while (catch_up_take(feed->catch_up, &wanted, now)) {
        switch (wanted.kind) {
        case CATCH_UP_OPEN:
            open_older(feed, &wanted, now);
            break;
        case CATCH_UP_CLOSE:
            close_older(feed, wanted.stream);
            break;
        case CATCH_UP_FAILED:
            sim_violated(feed->world, "reading", "older log is not read any more");
            break;
        }
    }
    return catch_up_next_deadline(feed->catch_up);
}

/* ---- the service's turn ---- */

static void free_request(stream_request_t *request)
{
    free((uint8_t *)(uintptr_t)request->span.start_key.data);
    free((uint8_t *)(uintptr_t)request->span.end_key.data);
}

static void take_requests(sim_feed_t *feed, mono_ns_t now)
{
    for (uint32_t i = 0; i < feed->request_count; i++) {
        event_service_request(feed->service, &feed->requests[i], now);
        free_request(&feed->requests[i]);
    }
    feed->request_count = 0;
}

static void put(sim_ring_t *ring, const stream_event_t *event)
{
    ring->items[(ring->first + ring->count++) % RING_EVENTS] = *event;
}

static uint32_t room_for_events(sim_feed_t *feed)
{
    uint32_t room = RING_EVENTS - feed->ring.count;
    uint32_t remote = RING_EVENTS - feed->remote_ring.count;
    bool is_allowed = remote >= EVENT_SERVICE_TAKE_MIN;
    event_service_allow_remote(feed->service, is_allowed);
    return is_allowed && remote < room ? remote : room;
}

/* True: the ring is full. */
static bool give_events(sim_feed_t *feed, mono_ns_t now)
{
    for (;;) {
        uint32_t room = room_for_events(feed);
        if (room < EVENT_SERVICE_TAKE_MIN)
            return true;
        stream_event_t events[RING_EVENTS];
        uint32_t count = event_service_take(feed->service, events, room, now);
        if (count == 0)
            return false;
        for (uint32_t i = 0; i < count; i++) {
            bool is_own = events[i].peer.v == STREAM_PEER_OWN.v;
            put(is_own ? &feed->ring : &feed->remote_ring, &events[i]);
        }
        sim_process_wake(feed->process);
    }
}

static void act(void *context)
{
    sim_feed_t *feed = context;
    mono_ns_t now = sim_process_now(feed->process);
    take_requests(feed, now);
    bool is_full = give_events(feed, now);
    mono_ns_t catch_up_at = steer_catch_up(feed, now);
    feed_store_steer(feed);
    mono_ns_t deadline = is_full ? MONO_NEVER : event_service_next_deadline(feed->service);
    deadline = mono_min(deadline, catch_up_at);
    if (deadline.v != MONO_NEVER.v)
        sim_timer_arm(&feed->timer, mono_elapsed(now, deadline) + NS_PER_US);
}

void feed_ring(sim_feed_t *feed)
{
    sim_timer_arm(&feed->timer, sim_random_below(&feed->random, SERVICE_DELAY_NS));
}

/* ---- port ---- */

static uint32_t take(sim_feed_t *feed, sim_ring_t *ring, stream_event_t *events, uint32_t max)
{
    uint32_t count = ring->count < max ? ring->count : max;
    if (count == 0)
        return 0;
    for (uint32_t i = 0; i < count; i++)
        events[i] = ring->items[(ring->first + i) % RING_EVENTS];
    ring->first = (ring->first + count) % RING_EVENTS;
    ring->count -= count;
    feed_ring(feed);
    return count;
}

static uint32_t port_take(void *self, stream_event_t *events, uint32_t max)
{
    sim_feed_t *feed = self;
    uint32_t count = take(feed, &feed->ring, events, max);
    for (uint32_t i = 0; i < count; i++)
        sim_moment(feed->world,
                   &(sim_moment_t){.kind = SIM_TOLD, .to = feed->process, .event = &events[i]});
    return count;
}

static uint32_t port_take_remote(void *self, stream_event_t *events, uint32_t max)
{
    sim_feed_t *feed = self;
    return take(feed, &feed->remote_ring, events, max);
}

static bool port_holds(void *self, event_store_report_t *state, store_floor_t *floors)
{
    sim_feed_t *feed = self;
    event_service_holds(feed->service, state, floors);
    return true;
}

static bytes_t copy_key(bytes_t key)
{
    if (key.len == 0)
        return (bytes_t){0};
    uint8_t *copy = memory_alloc(key.len);
    memcpy(copy, key.data, key.len);
    return bytes_of(copy, key.len);
}

static void port_request(void *self, const stream_request_t *request)
{
    sim_feed_t *feed = self;
    if (request->peer.v == STREAM_PEER_OWN.v)
        sim_moment(feed->world,
                   &(sim_moment_t){.kind = SIM_ASKED, .from = feed->process, .request = request});
    if (feed->request_count == feed->request_capacity) {
        feed->request_capacity = feed->request_capacity ? feed->request_capacity * 2 : 64;
        feed->requests =
            memory_realloc(feed->requests, feed->request_capacity * sizeof *feed->requests);
    }
    stream_request_t own = *request;
    bool has_span = request->kind == STREAM_REGISTER;
    own.span.start_key = has_span ? copy_key(request->span.start_key) : (bytes_t){0};
    own.span.end_key = has_span ? copy_key(request->span.end_key) : (bytes_t){0};
    feed->requests[feed->request_count++] = own;
    feed_ring(feed);
}

static void port_set_persisted(void *self, commit_ts_t persisted, commit_ts_t told)
{
    sim_feed_t *feed = self;
    event_service_set_persisted(feed->service, persisted);
    anchor_list_forget(&feed->anchors, persisted);
    schema_history_forget(&feed->history, told.v < persisted.v ? told : persisted);
}

static bool has_read(const sim_feed_t *feed, commit_ts_t at)
{
    return feed->position.v >= at.v;
}

static sluice_error_t port_table_list(void *self, commit_ts_t at, arena_t *arena,
                                      const table_info_t **tables, uint32_t *count)
{
    sim_feed_t *feed = self;
    return schema_tracker_table_list(feed->tracker, at, has_read(feed, at), arena, tables, count);
}

static sluice_error_t port_snapshot(void *self, commit_ts_t at, arena_t *arena, bytes_t *snapshot)
{
    sim_feed_t *feed = self;
    return schema_tracker_snapshot(feed->tracker, at, has_read(feed, at), arena, snapshot);
}

static sluice_error_t port_schema_ddls(void *self, commit_ts_t after, commit_ts_t *up_to,
                                       uint32_t max, arena_t *arena, const schema_ddl_t **ddls,
                                       uint32_t *count)
{
    sim_feed_t *feed = self;
    if (!has_read(feed, *up_to))
        return SLUICE_ERROR_AGAIN;
    return schema_history_read(&feed->history, after, up_to, max, arena, ddls, count);
}

static bool port_anchor(void *self, commit_ts_t ts, anchor_t *anchor)
{
    sim_feed_t *feed = self;
    const anchor_t *found = anchor_list_find(&feed->anchors, ts);
    if (found)
        *anchor = *found;
    return found != NULL;
}

static void port_state(void *self, event_feed_state_t *state)
{
    sim_feed_t *feed = self;
    event_service_state_t service = event_service_state(feed->service);
    *state = (event_feed_state_t){
        .resolved = service.resolved,
        .resolved_time = service.resolved_time,
        .is_caught_up = service.is_caught_up,
        .tail_bytes = service.tail_bytes,
        .is_waiting_for_room = service.is_waiting_for_room,
        .streams = service.registrations,
        .remote_streams = service.remote,
        .withheld = service.withheld,
        .catching_up = service.catching_up,
        .catch_ups = service.rounds,
        .drops = service.drops,
        .store = service.store,
        .error = feed->error.code,
    };
    memcpy(state->error_text, feed->error.text, sizeof state->error_text);
}

feed_port_t sim_feed_port(sim_feed_t *feed)
{
    return (feed_port_t){
        .self = feed,
        .take = port_take,
        .take_remote = port_take_remote,
        .group_bytes_max = feed->group_bytes_max,
        .holds = port_holds,
        .request = port_request,
        .set_persisted = port_set_persisted,
        .table_list = port_table_list,
        .snapshot = port_snapshot,
        .schema_ddls = port_schema_ddls,
        .anchor = port_anchor,
        .state = port_state,
    };
}

/* ---- life ---- */

static sluice_error_t apply_stored(sim_feed_t *feed, const sim_feed_options_t *options,
                                   error_report_t *report)
{
    arena_t arena = {0};
    sluice_error_t error = SLUICE_OK;
    for (uint32_t i = 0; i < options->ddl_count && error == SLUICE_OK; i++) {
        const schema_ddl_t *stored = &options->ddls[i];
        if (stored->commit_ts.v <= options->snapshot_ts.v ||
            stored->commit_ts.v > options->anchor.commit_ts.v)
            continue;
        logged_ddl_t ddl;
        schema_outcome_t outcome = {.kind = SCHEMA_OUTSIDE};
        error = schema_ddl_decode(stored, &arena, &ddl);
        if (error == SLUICE_OK)
            error = schema_tracker_apply(feed->tracker, &ddl, &outcome, report);
        if (error == SLUICE_OK && outcome.kind == SCHEMA_EVENT)
            ddl_event_unref(&outcome.event);
        arena_reset(&arena);
    }
    arena_clear(&arena);
    return error;
}

/* Small enough, now and then, that dispatchers fall out of the tail and groups come in parts. */
static void draw_sizes(sim_feed_t *feed, event_service_options_t *how)
{
    static const uint64_t tails[] = {UINT64_C(1) << 30, 256 << 10, 64 << 10, 16 << 10, 4 << 10};
    how->tail_bytes_max = tails[sim_random_below(&feed->random, 5)];
    feed->group_bytes_max = GROUP_BYTES_MAX_DEFAULT;
    if (sim_random_chance(&feed->random, 30))
        feed->group_bytes_max = 256;
}

sluice_error_t sim_feed_open(sim_world_t *world, sim_process_t *process, const sim_log_t *log,
                             const sim_feed_options_t *options, sim_feed_t **feed,
                             error_report_t *report)
{
    sim_feed_t *self = memory_zalloc(sizeof *self);
    self->world = world;
    self->process = process;
    self->log = log;
    self->random = sim_random_split(sim_random(world));
    self->forgotten = self->position = options->anchor.commit_ts;
    self->ring.items = memory_zalloc(RING_EVENTS * sizeof *self->ring.items);
    self->remote_ring.items = memory_zalloc(RING_EVENTS * sizeof *self->remote_ring.items);
    anchor_list_add(&self->anchors, &options->anchor);
    schema_history_init(&self->history, options->anchor.commit_ts);
    sim_timer_init(&self->timer, world, process, act, self);
    event_service_options_t how = event_service_options_default(options->anchor.commit_ts);
    draw_sizes(self, &how);
    feed_store_open(self, &how);
    how.group_bytes_max = self->group_bytes_max;
    self->service = event_service_new(&how, sim_process_now(process));
    log_puller_options_t puller =
        log_puller_options_default((uint32_t)sim_random_between(&self->random, 1, SERVERS_MAX));
    puller.seed = sim_random_next(&self->random);
    self->catch_up = catch_up_new(&puller, self->service);
    sluice_error_t error =
        table_filter_new(options->config->filter_rules, options->config->filter_rule_count, false,
                         &self->filter, report);
    schema_tracker_options_t tracker = {.filter = self->filter};
    if (error == SLUICE_OK)
        error = schema_tracker_from_snapshot(&tracker, options->snapshot, &self->tracker, report);
    if (error == SLUICE_OK)
        error = apply_stored(self, options, report);
    if (error == SLUICE_OK) {
        self->live = reading_new(self, &options->anchor, NULL, report);
        error = self->live ? SLUICE_OK : report->code;
    }
    if (error != SLUICE_OK)
        sim_feed_close(&self);
    *feed = self;
    return error;
}

static void ring_clear(sim_ring_t *ring)
{
    for (uint32_t i = 0; i < ring->count; i++)
        stream_event_clear(&ring->items[(ring->first + i) % RING_EVENTS]);
    free(ring->items);
}

void sim_feed_close(sim_feed_t **feed)
{
    sim_feed_t *self = *feed;
    *feed = NULL;
    if (!self)
        return;
    sim_timer_stop(&self->timer);
    feed_store_close(self);
    reading_destroy(&self->live);
    while (self->older)
        close_older(self, self->older->number);
    catch_up_destroy(&self->catch_up);
    ring_clear(&self->ring);
    ring_clear(&self->remote_ring);
    for (uint32_t i = 0; i < self->request_count; i++)
        free_request(&self->requests[i]);
    free(self->requests);
    event_service_destroy(&self->service);
    schema_tracker_destroy(&self->tracker);
    table_filter_destroy(&self->filter);
    schema_history_clear(&self->history);
    anchor_list_clear(&self->anchors);
    free(self);
}
