#include "dispatcher/shell/service_actor.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/runtime/clock.h"
#include "common/runtime/log.h"
#include "dispatcher/shell/request_list.h"
#include "dispatcher/shell/store_actor.h"
#include "dispatcher/shell/stream_ring.h"

/* That closing has with a disk that hangs. */
#define STORE_PATIENCE_NS (10 * NS_PER_S)
#define EVENTS_A_TURN 512
/* While something waits for memory to be given back. */
#define RETRY_NS (10 * NS_PER_MS)

struct service_actor {
    service_actor_options_t options;
    pthread_t thread;
    bool is_started;
    feed_inbox_t *live;
    stream_ring_t *ring, *remote_ring;
    store_actor_t *store; /* NULL: there is none */

    pthread_mutex_t lock; /* of what follows, up to the thread's own */
    pthread_cond_t bell;
    bool is_rung, is_stopping;
    request_list_t requests;
    commit_ts_t persisted;
    event_service_state_t state;
    log_puller_state_t pulls;
    bool wants_held, has_held;
    event_store_report_t held;
    store_floor_t held_floors[STORE_FLOORS_MAX];

    /* The thread's own. */
    event_service_t *service;
    request_list_t taken;
    catch_up_streams_t *older;
    mono_ns_t catch_up_at; /* when they have to be looked at again */
    bool live_has_room;
    bool is_store_hanging; /* as was logged */
};

static void ring_bell(void *context)
{
    service_actor_t *actor = context;
    pthread_mutex_lock(&actor->lock);
    actor->is_rung = true;
    pthread_cond_signal(&actor->bell);
    pthread_mutex_unlock(&actor->lock);
}

sluice_error_t service_actor_new(const service_actor_options_t *options, service_actor_t **actor,
                                 error_report_t *report)
{
    *actor = NULL;
    service_actor_t *self = memory_zalloc(sizeof *self);
    if (stream_ring_new(ring_bell, self, &self->ring) != SLUICE_OK ||
        stream_ring_new(ring_bell, self, &self->remote_ring) != SLUICE_OK) {
        stream_ring_destroy(&self->ring);
        free(self);
        return error_report_set(report, SLUICE_ERROR_IO, "no file descriptor left");
    }
    self->options = *options;
    self->live = feed_inbox_new(ring_bell, self);
    self->service = event_service_new(&options->service, clock_mono());
    self->older =
        catch_up_streams_new(&options->catch_up, &options->puller, self->service, ring_bell, self);
    self->state = event_service_state(self->service);
    self->live_has_room = true;
    pthread_mutex_init(&self->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&self->bell, &attributes);
    pthread_condattr_destroy(&attributes);
    *actor = self;
    return SLUICE_OK;
}

/* ---- the thread ---- */

/* Whether anything came in. */
static bool take_items(service_actor_t *actor)
{
    feed_item_t *items;
    bool is_caught_up;
    uint32_t count = feed_inbox_take(actor->live, &items, &is_caught_up);
    for (uint32_t i = 0; i < count; i++)
        event_service_append(actor->service, &items[i]);
    event_service_set_caught_up(actor->service, is_caught_up);
    return catch_up_streams_take_items(actor->older) || count > 0;
}

static bool take_requests(service_actor_t *actor, mono_ns_t now)
{
    pthread_mutex_lock(&actor->lock);
    request_list_t emptied = actor->taken;
    actor->taken = actor->requests;
    actor->requests = emptied;
    commit_ts_t persisted = actor->persisted;
    pthread_mutex_unlock(&actor->lock);
    event_service_set_persisted(actor->service, persisted);
    bool has_some = actor->taken.count > 0;
    for (uint32_t i = 0; i < actor->taken.count; i++)
        event_service_request(actor->service, &actor->taken.items[i], now);
    request_list_clear(&actor->taken);
    return has_some;
}

/* Whether there were any. */
static bool take_answers(service_actor_t *actor, mono_ns_t now)
{
    store_answer_t answer;
    bool has_some = false;
    while (actor->store && store_actor_take(actor->store, &answer)) {
        event_service_store_done(actor->service, &answer, now);
        has_some = true;
    }
    return has_some;
}

static void ask_store(service_actor_t *actor, mono_ns_t now)
{
    store_request_t request;
    while (actor->store && event_service_store_next(actor->service, &request, now))
        store_actor_put(actor->store, &request);
}

/* The node's own go into one ring, other nodes' into the other. */
static void put_events(service_actor_t *actor, stream_event_t *events, uint32_t count)
{
    stream_event_t remote[EVENTS_A_TURN];
    uint32_t own_count = 0, remote_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (events[i].peer.v == STREAM_PEER_OWN.v)
            events[own_count++] = events[i];
        else
            remote[remote_count++] = events[i];
    }
    stream_ring_put(actor->ring, events, own_count);
    stream_ring_put(actor->remote_ring, remote, remote_count);
}

/* How many events may be taken; those for other nodes only while there is room for them. */
static uint32_t room_for_events(service_actor_t *actor)
{
    uint32_t room = stream_ring_room(actor->ring, EVENT_SERVICE_TAKE_MIN);
    uint32_t remote = stream_ring_room(actor->remote_ring, EVENT_SERVICE_TAKE_MIN);
    bool is_remote_allowed = remote >= EVENT_SERVICE_TAKE_MIN;
    event_service_allow_remote(actor->service, is_remote_allowed);
    if (is_remote_allowed && remote < room)
        room = remote;
    return room < EVENTS_A_TURN ? room : EVENTS_A_TURN;
}

/* How many events went out; *is_full: more could not be put. */
static uint32_t give_events(service_actor_t *actor, mono_ns_t now, bool *is_full)
{
    stream_event_t events[EVENTS_A_TURN];
    uint32_t given = 0;
    for (;;) {
        uint32_t room = room_for_events(actor);
        *is_full = room < EVENT_SERVICE_TAKE_MIN;
        if (*is_full)
            return given;
        uint32_t count = event_service_take(actor->service, events, room, now);
        if (count == 0)
            return given;
        put_events(actor, events, count);
        given += count;
        /* Requests and new items have their turn in between. */
        if (given >= STREAM_RING_EVENTS_MAX)
            return given;
    }
}

static void steer_room(service_actor_t *actor, mono_ns_t now)
{
    bool live = event_service_has_room(actor->service, now);
    if (live != actor->live_has_room)
        feed_inbox_set_room(actor->live, live);
    actor->live_has_room = live;
}

/* By the state of the last turn, which this thread alone writes. */
static void note_store(service_actor_t *actor)
{
    bool is_hanging = actor->state.store.is_hanging;
    if (is_hanging && !actor->is_store_hanging)
        LOG(LOG_LEVEL_WARNING, "event_store", actor->options.changefeed,
            "the event store does not answer; what it held is read from the source again");
    else if (!is_hanging && actor->is_store_hanging)
        LOG(LOG_LEVEL_INFO, "event_store", actor->options.changefeed,
            "the event store answers again");
    actor->is_store_hanging = is_hanging;
}

static mono_ns_t next_deadline(service_actor_t *actor, mono_ns_t now, bool is_full)
{
    mono_ns_t deadline = is_full ? MONO_NEVER : event_service_next_deadline(actor->service);
    deadline = mono_min(deadline, actor->catch_up_at);
    bool must_retry = !actor->live_has_room || catch_up_streams_wait_for_room(actor->older);
    return must_retry ? mono_min(deadline, mono_add(now, RETRY_NS)) : deadline;
}

/* Until the bell rings or the deadline comes; false: to be stopped. */
static bool wait_for_bell(service_actor_t *actor, mono_ns_t deadline)
{
    pthread_mutex_lock(&actor->lock);
    actor->state = event_service_state(actor->service);
    actor->pulls = catch_up_streams_state(actor->older);
    if (actor->wants_held) {
        event_service_holds(actor->service, &actor->held, actor->held_floors);
        actor->wants_held = false;
        actor->has_held = true;
    }
    int timed_out = 0;
    while (!actor->is_rung && !actor->is_stopping && !timed_out) {
        if (deadline.v == MONO_NEVER.v) {
            pthread_cond_wait(&actor->bell, &actor->lock);
            continue;
        }
        struct timespec until = {.tv_sec = (time_t)(deadline.v / NS_PER_S),
                                 .tv_nsec = (long)(deadline.v % NS_PER_S)};
        timed_out = pthread_cond_timedwait(&actor->bell, &actor->lock, &until);
    }
    actor->is_rung = false;
    bool goes_on = !actor->is_stopping;
    pthread_mutex_unlock(&actor->lock);
    return goes_on;
}

static void *run(void *context)
{
    service_actor_t *actor = context;
    bool goes_on = true;
    while (goes_on) {
        mono_ns_t now = clock_mono();
        bool is_full;
        bool is_busy = take_requests(actor, now);
        is_busy |= take_items(actor);
        is_busy |= give_events(actor, now, &is_full) > 0;
        actor->catch_up_at = catch_up_streams_steer(actor->older, now);
        /* Answers before the clock is looked at: the process may have slept. */
        is_busy |= take_answers(actor, now);
        steer_room(actor, now);
        ask_store(actor, now);
        note_store(actor);
        /* Somebody who is busy looks again before it sleeps. */
        mono_ns_t deadline = is_busy && !is_full ? now : next_deadline(actor, now, is_full);
        goes_on = wait_for_bell(actor, deadline);
    }
    return NULL;
}

/* ---- for the others ---- */

static sluice_error_t start_store(service_actor_t *actor, error_report_t *report)
{
    store_actor_options_t how = {.api = actor->options.store,
                                 .parent = actor->options.store_parent,
                                 .changefeed = actor->options.changefeed,
                                 .bytes_max = actor->options.service.store_bytes_max,
                                 .patience_ns = STORE_PATIENCE_NS,
                                 .ring = ring_bell,
                                 .context = actor};
    return how.bytes_max ? store_actor_start(&how, &actor->store, report) : SLUICE_OK;
}

sluice_error_t service_actor_start(service_actor_t *actor, error_report_t *report)
{
    sluice_error_t error = start_store(actor, report);
    if (error != SLUICE_OK)
        return error;
    if (pthread_create(&actor->thread, NULL, run, actor) != 0)
        return error_report_set(report, SLUICE_ERROR_MEMORY,
                                "no thread left for the event service");
    actor->is_started = true;
    return SLUICE_OK;
}

void service_actor_destroy(service_actor_t **actor)
{
    service_actor_t *self = *actor;
    *actor = NULL;
    if (!self)
        return;
    pthread_mutex_lock(&self->lock);
    self->is_stopping = true;
    pthread_cond_signal(&self->bell);
    pthread_mutex_unlock(&self->lock);
    if (self->is_started)
        pthread_join(self->thread, NULL);
    catch_up_streams_destroy(&self->older);
    store_actor_destroy(&self->store);
    event_service_destroy(&self->service);
    feed_inbox_destroy(&self->live);
    stream_ring_destroy(&self->ring);
    stream_ring_destroy(&self->remote_ring);
    request_list_free(&self->requests);
    request_list_free(&self->taken);
    pthread_cond_destroy(&self->bell);
    pthread_mutex_destroy(&self->lock);
    free(self);
}

feed_inbox_t *service_actor_inbox(service_actor_t *actor)
{
    return actor->live;
}

int service_actor_fd(const service_actor_t *actor)
{
    return stream_ring_fd(actor->ring);
}

uint32_t service_actor_take(service_actor_t *actor, stream_event_t *events, uint32_t max)
{
    return stream_ring_take(actor->ring, events, max);
}

int service_actor_remote_fd(const service_actor_t *actor)
{
    return stream_ring_fd(actor->remote_ring);
}

uint32_t service_actor_take_remote(service_actor_t *actor, stream_event_t *events, uint32_t max)
{
    return stream_ring_take(actor->remote_ring, events, max);
}

bool service_actor_holds(service_actor_t *actor, event_store_report_t *state, store_floor_t *floors)
{
    pthread_mutex_lock(&actor->lock);
    bool has_held = actor->has_held;
    if (has_held) {
        state->floor = actor->held.floor;
        state->resolved = actor->held.resolved;
        state->resolved_time = actor->held.resolved_time;
        state->floor_count = actor->held.floor_count;
        memcpy(floors, actor->held_floors, state->floor_count * sizeof *floors);
        state->floors = floors;
    }
    actor->wants_held = true;
    actor->is_rung = true;
    pthread_cond_signal(&actor->bell);
    pthread_mutex_unlock(&actor->lock);
    return has_held;
}

void service_actor_request(service_actor_t *actor, const stream_request_t *request)
{
    pthread_mutex_lock(&actor->lock);
    request_list_add(&actor->requests, request);
    actor->is_rung = true;
    pthread_cond_signal(&actor->bell);
    pthread_mutex_unlock(&actor->lock);
}

void service_actor_set_persisted(service_actor_t *actor, commit_ts_t persisted)
{
    pthread_mutex_lock(&actor->lock);
    if (persisted.v > actor->persisted.v)
        actor->persisted = persisted;
    actor->is_rung = true;
    pthread_cond_signal(&actor->bell);
    pthread_mutex_unlock(&actor->lock);
}

event_service_state_t service_actor_state(service_actor_t *actor)
{
    pthread_mutex_lock(&actor->lock);
    event_service_state_t state = actor->state;
    pthread_mutex_unlock(&actor->lock);
    return state;
}

log_puller_state_t service_actor_pulls(service_actor_t *actor)
{
    pthread_mutex_lock(&actor->lock);
    log_puller_state_t pulls = actor->pulls;
    pthread_mutex_unlock(&actor->lock);
    return pulls;
}
