#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"
#include "dispatcher/upstream/binlog_writer.h"
#include "tests/sim/feed_internal.h"

#define ANCHOR_INTERVAL_NS (100 * NS_PER_MS)
#define NO_ROOM_NS (10 * NS_PER_MS)
#define GROUPS_A_TURN 8
#define STALL_MAX_NS (8 * NS_PER_S)
#define BROKEN 4 /* of a thousand turns: the connection ends */
#define STALLED 3

/* ---- large groups ---- */

static sluice_error_t spill_write(void *context, uint64_t offset, bytes_t bytes,
                                  error_report_t *report)
{
    (void)report;
    sim_reading_t *reading = context;
    reading->spilled = memory_realloc(reading->spilled, offset + bytes.len + 1);
    memcpy(reading->spilled + offset, bytes.data, bytes.len);
    reading->spilled_len = offset + bytes.len;
    return SLUICE_OK;
}

static sluice_error_t spill_read(void *context, uint64_t offset, void *to, size_t len,
                                 error_report_t *report)
{
    const sim_reading_t *reading = context;
    if (offset + len > reading->spilled_len)
        return error_report_set(report, SLUICE_ERROR_BUG, "read behind what was spilled");
    memcpy(to, reading->spilled + offset, len);
    return SLUICE_OK;
}

static void spill_clear(void *context)
{
    sim_reading_t *reading = context;
    reading->spilled_len = 0;
}

/* ---- what comes out ---- */

static sluice_error_t apply_ddl(void *context, const logged_ddl_t *ddl, schema_outcome_t *outcome,
                                error_report_t *report)
{
    sim_reading_t *reading = context;
    sluice_error_t error = schema_tracker_apply(reading->tracker, ddl, outcome, report);
    if (error == SLUICE_OK && outcome->changes_schema && reading->is_live) {
        arena_t arena = {0};
        schema_ddl_t encoded = schema_ddl_encode(ddl, &arena);
        schema_history_add(&reading->feed->history, &encoded);
        arena_clear(&arena);
    }
    return error;
}

static void give_anchor(sim_reading_t *reading, bool is_due)
{
    sim_feed_t *feed = reading->feed;
    if (!reading->is_live || !log_reader_is_between_groups(reading->reader))
        return;
    mono_ns_t now = sim_now(feed->world);
    if (!is_due && mono_elapsed(reading->anchored_at, now) < ANCHOR_INTERVAL_NS)
        return;
    reading->anchored_at = now;
    anchor_t anchor;
    log_reader_anchor(reading->reader, &anchor);
    anchor_list_add(&feed->anchors, &anchor);
    commit_ts_t oldest = feed->anchors.anchors[0].commit_ts;
    if (oldest.v <= feed->forgotten.v)
        return;
    feed->forgotten = oldest;
    schema_tracker_forget(feed->tracker, oldest);
}

static sluice_error_t take_items(sim_reading_t *reading, error_report_t *report)
{
    sim_feed_t *feed = reading->feed;
    for (;;) {
        feed_item_t item;
        bool has_item;
        log_note_t note;
        sluice_error_t error = log_reader_take(reading->reader, &item, &has_item, &note, report);
        if (error != SLUICE_OK || !has_item)
            return error;
        bool completes = item.completes;
        if (completes && reading->is_live)
            feed->position = item.commit_ts;
        if (reading->is_live)
            event_service_append(feed->service, &item);
        else
            catch_up_append(feed->catch_up, reading->number, &item);
        if (completes)
            give_anchor(reading, false);
    }
}

/* ---- reading ---- */

static sluice_error_t push_events(sim_reading_t *reading, bytes_t events, size_t until,
                                  error_report_t *report)
{
    binlog_writer_t log = {.data = (uint8_t *)(uintptr_t)events.data, .len = events.len};
    size_t offset = 0;
    sluice_error_t error = SLUICE_OK;
    while (error == SLUICE_OK && offset < until) {
        bytes_t event = binlog_writer_event(&log, &offset);
        error = log_reader_push(reading->reader, event, "simulated", report);
        if (error == SLUICE_OK)
            error = take_items(reading, report);
    }
    return error;
}

static bool has_room(sim_reading_t *reading)
{
    mono_ns_t now = sim_process_now(reading->feed->process);
    return reading->is_live ? event_service_has_room(reading->feed->service, now)
                            : event_service_catch_up_has_room(reading->feed->service, now);
}

static void fail(sim_reading_t *reading, const error_report_t *report, sluice_error_t error)
{
    sim_feed_t *feed = reading->feed;
    reading->has_ended = true;
    if (feed->error.code == SLUICE_OK) {
        feed->error = *report;
        feed->error.code = error;
    }
    sim_violated(feed->world, "reading", "%s cannot go on at %llu: %s",
                 reading->is_live ? "the live reading" : "the catch-up reading",
                 (unsigned long long)reading->read.v, report->text);
}

static void disconnect(sim_reading_t *reading)
{
    static const sluice_error_t reasons[] = {SLUICE_ERROR_SOURCE_CONNECTION,
                                             SLUICE_ERROR_SOURCE_BUSY, SLUICE_ERROR_AGAIN};
    sim_feed_t *feed = reading->feed;
    if (!reading->is_live) {
        reading->has_ended = true;
        reading->lost = reasons[sim_random_below(&feed->random, 3)];
        return;
    }
    reading->is_connected = false;
    log_reader_reset(reading->reader);
    sim_timer_arm(&reading->timer, backoff_fail(&reading->backoff, sim_random_next(&feed->random)));
}

static sluice_error_t connect(sim_reading_t *reading, error_report_t *report)
{
    reading->is_connected = true;
    reading->read = log_reader_position(reading->reader);
    /* A server may send again what lies before the position. */
    uint64_t start = sim_log_start(reading->feed->log).commit_ts.v;
    uint64_t again = sim_random_chance(&reading->feed->random, 20)
                         ? sim_random_below(&reading->feed->random, 4)
                         : 0;
    reading->read.v -= again < reading->read.v - start ? again : reading->read.v - start;
    bytes_t beginning = sim_log_beginning(reading->feed->log);
    return push_events(reading, beginning, beginning.len, report);
}

/* A connection that ends in the middle of a group. */
static sluice_error_t push_part(sim_reading_t *reading, error_report_t *report)
{
    bytes_t events = sim_log_events(reading->feed->log, (commit_ts_t){reading->read.v + 1});
    size_t until = (size_t)sim_random_below(&reading->feed->random, events.len);
    return push_events(reading, events, until, report);
}

/* Everything visible was read: until the next group is there. */
static void wait_for_group(sim_reading_t *reading)
{
    sim_feed_t *feed = reading->feed;
    if (reading->is_live) {
        give_anchor(reading, true);
        event_service_set_caught_up(feed->service, true);
    }
    const sim_group_t *next = sim_log_group(feed->log, (commit_ts_t){reading->read.v + 1});
    if (!next)
        return;
    uint64_t now = sim_now(feed->world).v;
    uint64_t delay = next->visible_ns > now ? next->visible_ns - now : 0;
    uint64_t lag = sim_rates(feed->world)->feed_delay_ns;
    sim_timer_arm(&reading->timer, delay + sim_random_below(&feed->random, lag + 1));
}

/* As much as one turn takes in. */
static sluice_error_t read_groups(sim_reading_t *reading, error_report_t *report)
{
    sim_feed_t *feed = reading->feed;
    sluice_error_t error = SLUICE_OK;
    commit_ts_t visible = sim_log_visible(feed->log, sim_now(feed->world));
    uint64_t count = sim_random_between(&feed->random, 1, GROUPS_A_TURN);
    for (uint64_t i = 0; i < count && error == SLUICE_OK; i++) {
        if (reading->read.v >= visible.v) {
            wait_for_group(reading);
            return SLUICE_OK;
        }
        if (!has_room(reading)) {
            sim_timer_arm(&reading->timer, NO_ROOM_NS);
            return SLUICE_OK;
        }
        commit_ts_t next = {reading->read.v + 1};
        bytes_t events = sim_log_events(feed->log, next);
        error = push_events(reading, events, events.len, report);
        reading->read = next;
        backoff_succeed(&reading->backoff);
    }
    if (error == SLUICE_OK)
        sim_timer_arm(&reading->timer, sim_random_below(&feed->random, NS_PER_MS));
    return error;
}

static void act(void *context)
{
    sim_reading_t *reading = context;
    sim_feed_t *feed = reading->feed;
    error_report_t report = {.code = SLUICE_OK};
    sluice_error_t error = SLUICE_OK;
    bool has_faults = sim_has_faults(feed->world);
    if (reading->has_ended)
        return;
    if (!reading->is_connected)
        error = connect(reading, &report);
    commit_ts_t visible = sim_log_visible(feed->log, sim_now(feed->world));
    if (error == SLUICE_OK && has_faults && sim_random_rarely(&feed->random, BROKEN)) {
        if (reading->read.v < visible.v && has_room(reading))
            error = push_part(reading, &report);
        disconnect(reading);
    } else if (error == SLUICE_OK && has_faults && sim_random_rarely(&feed->random, STALLED)) {
        sim_timer_arm(&reading->timer, sim_random_below(&feed->random, STALL_MAX_NS));
    } else if (error == SLUICE_OK) {
        error = read_groups(reading, &report);
    }
    if (error != SLUICE_OK)
        fail(reading, &report, error);
    feed_ring(feed);
}

/* ---- life ---- */

sim_reading_t *reading_new(sim_feed_t *feed, const anchor_t *anchor, schema_tracker_t *tracker,
                           error_report_t *report)
{
    sim_reading_t *reading = memory_zalloc(sizeof *reading);
    reading->feed = feed;
    reading->is_live = tracker == NULL;
    reading->tracker = tracker ? tracker : feed->tracker;
    reading->backoff = backoff_default();
    log_reader_options_t how = {
        .anchor = *anchor,
        .group_bytes_max = feed->group_bytes_max,
        .spill = {spill_write, spill_read, spill_clear, reading},
        .syncpoint_interval_ms = sim_log_syncpoint_ms(feed->log),
        .filter = feed->filter,
        .tracker = reading->tracker,
        .apply = apply_ddl,
        .apply_context = reading,
    };
    sim_timer_init(&reading->timer, feed->world, feed->process, act, reading);
    if (log_reader_new(&how, &reading->reader) != SLUICE_OK) {
        error_report_set(report, SLUICE_ERROR_MALFORMED, "the anchor \"%s\" is no GTID list",
                         anchor->gtid_list);
        reading_destroy(&reading);
        return NULL;
    }
    uint64_t lag = sim_rates(feed->world)->feed_delay_ns;
    sim_timer_arm(&reading->timer, sim_random_below(&feed->random, lag + 1));
    return reading;
}

void reading_destroy(sim_reading_t **reading)
{
    sim_reading_t *self = *reading;
    *reading = NULL;
    if (!self)
        return;
    sim_timer_stop(&self->timer);
    log_reader_destroy(&self->reader);
    if (!self->is_live)
        schema_tracker_destroy(&self->tracker);
    free(self->spilled);
    free(self);
}
