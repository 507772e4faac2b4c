#include "dispatcher/core/node/remote_sessions.h"

#include <stdlib.h>

#include "common/base/memory.h"
#include "dispatcher/core/node/stream_batch.h"

#define RETRY_NS (10 * NS_PER_MS)

typedef struct {
    node_id_t node;
    incarnation_t incarnation;
    stream_peer_t number; /* STREAM_PEER_OWN: the place is free */
    mono_ns_t heard_at;
    stream_batch_t *first, *last;
    uint64_t bytes;       /* of memory */
    bool is_full;         /* from REMOTE_SESSIONS_BYTES_MAX on until half of it has gone */
    mono_ns_t full_since; /* MONO_NEVER: nothing was sent since it is full */
    mono_ns_t send_at;
} peer_t;

typedef struct {
    changefeed_ref_t changefeed;
    stream_peer_t peer;
    dispatcher_id_t dispatcher_id;
} removed_t;

struct remote_sessions {
    events_port_t port;
    peer_t peers[REMOTE_PEERS_MAX];
    uint32_t last_number; /* never given twice: what comes late is nobody's */
    removed_t *removed;
    uint32_t removed_count, removed_capacity;
    remote_sessions_counters_t counters;
};

remote_sessions_t *remote_sessions_new(const events_port_t *port)
{
    remote_sessions_t *sessions = memory_zalloc(sizeof *sessions);
    sessions->port = *port;
    return sessions;
}

static void drop_batches(peer_t *peer)
{
    while (peer->first) {
        stream_batch_t *batch = peer->first;
        peer->first = batch->next;
        stream_batch_destroy(&batch);
    }
    peer->last = NULL;
    peer->bytes = 0;
    peer->is_full = false;
    peer->full_since = MONO_NEVER;
    peer->send_at = MONO_NEVER;
}

void remote_sessions_reset(remote_sessions_t *sessions)
{
    for (uint32_t i = 0; i < REMOTE_PEERS_MAX; i++) {
        drop_batches(&sessions->peers[i]);
        sessions->peers[i] = (peer_t){0};
    }
    sessions->removed_count = 0;
}

void remote_sessions_destroy(remote_sessions_t **sessions)
{
    remote_sessions_t *self = *sessions;
    *sessions = NULL;
    if (!self)
        return;
    remote_sessions_reset(self);
    free(self->removed);
    free(self);
}

/* ---- peers ---- */

static bool is_free(const peer_t *peer)
{
    return peer->number.v == STREAM_PEER_OWN.v;
}

static peer_t *find_peer(remote_sessions_t *sessions, stream_peer_t number)
{
    for (uint32_t i = 0; number.v && i < REMOTE_PEERS_MAX; i++)
        if (sessions->peers[i].number.v == number.v)
            return &sessions->peers[i];
    return NULL;
}

static bool is_silent(const peer_t *peer, mono_ns_t now)
{
    return mono_elapsed(peer->heard_at, now) >= REMOTE_PEER_SILENCE_NS;
}

/* A free place, or that of the one silent longest. */
static peer_t *take_place(remote_sessions_t *sessions, mono_ns_t now)
{
    peer_t *oldest = &sessions->peers[0];
    for (uint32_t i = 0; i < REMOTE_PEERS_MAX; i++) {
        peer_t *peer = &sessions->peers[i];
        if (is_free(peer))
            return peer;
        if (peer->heard_at.v < oldest->heard_at.v)
            oldest = peer;
    }
    if (!is_silent(oldest, now))
        return NULL;
    drop_batches(oldest);
    return oldest;
}

stream_peer_t remote_sessions_hear(remote_sessions_t *sessions, const node_id_t *node,
                                   incarnation_t incarnation, mono_ns_t now)
{
    for (uint32_t i = 0; i < REMOTE_PEERS_MAX; i++) {
        peer_t *peer = &sessions->peers[i];
        if (is_free(peer) || peer->incarnation.v != incarnation.v ||
            !node_id_equal(&peer->node, node))
            continue;
        peer->heard_at = now;
        return peer->number;
    }
    peer_t *peer = take_place(sessions, now);
    if (!peer)
        return STREAM_PEER_OWN;
    *peer = (peer_t){.node = *node,
                     .incarnation = incarnation,
                     .number = {++sessions->last_number},
                     .heard_at = now,
                     .full_since = MONO_NEVER,
                     .send_at = MONO_NEVER};
    return peer->number;
}

/* ---- what waits ---- */

static void note_removed(remote_sessions_t *sessions, const peer_t *peer,
                         changefeed_ref_t changefeed, dispatcher_id_t dispatcher_id)
{
    if (sessions->removed_count == sessions->removed_capacity) {
        sessions->removed_capacity =
            sessions->removed_capacity ? sessions->removed_capacity * 2 : 64;
        sessions->removed = memory_realloc(sessions->removed,
                                           sessions->removed_capacity * sizeof *sessions->removed);
    }
    sessions->removed[sessions->removed_count++] =
        (removed_t){changefeed, peer->number, dispatcher_id};
}

/* What waits for it is lost, and its sessions are to be forgotten. */
static void give_up(remote_sessions_t *sessions, peer_t *peer)
{
    for (const stream_batch_t *batch = peer->first; batch; batch = batch->next) {
        dispatcher_id_t last = {0};
        for (uint32_t i = 0; i < batch->event_count; i++) {
            if (!dispatcher_id_equal(batch->events[i].dispatcher_id, last))
                note_removed(sessions, peer, batch->changefeed, batch->events[i].dispatcher_id);
            last = batch->events[i].dispatcher_id;
        }
        sessions->counters.given_up += batch->event_count;
    }
    drop_batches(peer);
}

bool remote_sessions_take_removed(remote_sessions_t *sessions, changefeed_ref_t *changefeed,
                                  stream_request_t *request)
{
    if (sessions->removed_count == 0)
        return false;
    const removed_t *removed = &sessions->removed[--sessions->removed_count];
    *changefeed = removed->changefeed;
    *request = (stream_request_t){
        .kind = STREAM_REMOVE, .peer = removed->peer, .dispatcher_id = removed->dispatcher_id};
    return true;
}

static void fill(peer_t *peer, uint64_t bytes)
{
    peer->bytes += bytes;
    peer->is_full |= peer->bytes >= REMOTE_SESSIONS_BYTES_MAX;
}

static void drain(peer_t *peer, uint64_t bytes)
{
    peer->bytes -= bytes;
    if (peer->bytes >= REMOTE_SESSIONS_BYTES_MAX / 2)
        return;
    peer->is_full = false;
    peer->full_since = MONO_NEVER;
}

static stream_batch_t *open_batch(peer_t *peer, changefeed_ref_t changefeed)
{
    stream_batch_t *batch = stream_batch_new(changefeed);
    if (peer->last)
        peer->last->next = batch;
    else
        peer->first = batch;
    peer->last = batch;
    fill(peer, stream_batch_memory(batch));
    if (peer->send_at.v == MONO_NEVER.v)
        peer->send_at = (mono_ns_t){0};
    return batch;
}

static bool is_of(const stream_batch_t *batch, changefeed_ref_t changefeed)
{
    return batch && batch->changefeed.generation == changefeed.generation &&
           changefeed_uuid_equal(batch->changefeed.uuid, changefeed.uuid);
}

static void put(peer_t *peer, changefeed_ref_t changefeed, const stream_event_t *event,
                bytes_t payload, uint32_t piece, bool continues)
{
    stream_batch_t *batch = is_of(peer->last, changefeed) ? peer->last : NULL;
    if (!batch || !stream_batch_has_room(batch, event, payload.len))
        batch = open_batch(peer, changefeed);
    size_t before = batch->bytes;
    stream_batch_add(batch, event, arena_bytes(&batch->arena, payload), piece, continues);
    fill(peer, batch->bytes - before);
}

static void put_pieces(peer_t *peer, changefeed_ref_t changefeed, const stream_event_t *event,
                       bytes_t payload)
{
    uint32_t piece = 0;
    size_t at = 0;
    do {
        size_t len = payload.len - at;
        if (len > STREAM_PIECE_BYTES_MAX)
            len = STREAM_PIECE_BYTES_MAX;
        put(peer, changefeed, event, bytes_of(payload.data + at, len), piece++,
            at + len < payload.len);
        at += len;
    } while (at < payload.len);
}

void remote_sessions_give(remote_sessions_t *sessions, changefeed_ref_t changefeed,
                          stream_event_t *event)
{
    peer_t *peer = find_peer(sessions, event->peer);
    if (!peer) {
        stream_event_clear(event);
        return;
    }
    arena_t arena = {0};
    bytes_t payload;
    if (stream_payload_encode(event, &arena, &payload)) {
        put_pieces(peer, changefeed, event, payload);
    } else {
        stream_event_t refusal = {.kind = STREAM_NOT_REUSABLE,
                                  .dispatcher_id = event->dispatcher_id};
        note_removed(sessions, peer, changefeed, event->dispatcher_id);
        put_pieces(peer, changefeed, &refusal, (bytes_t){0});
    }
    arena_clear(&arena);
    stream_event_clear(event);
}

bool remote_sessions_has_room(const remote_sessions_t *sessions)
{
    for (uint32_t i = 0; i < REMOTE_PEERS_MAX; i++)
        if (sessions->peers[i].is_full)
            return false;
    return true;
}

/* ---- sending ---- */

static sluice_error_t send_batch(remote_sessions_t *sessions, const peer_t *peer, incarnation_t own)
{
    const stream_batch_t *batch = peer->first;
    message_t message = {.header = {.type = MESSAGE_STREAM_EVENTS, .incarnation = own}};
    message.stream_events = stream_batch_message(batch);
    sluice_error_t error =
        sessions->port.send_events(sessions->port.self, &peer->node, peer->incarnation, &message);
    if (error == SLUICE_OK) {
        sessions->counters.messages++;
        sessions->counters.bytes += batch->bytes;
    }
    return error;
}

static void drop_first(peer_t *peer)
{
    stream_batch_t *batch = peer->first;
    peer->first = batch->next;
    if (!peer->first)
        peer->last = NULL;
    drain(peer, stream_batch_memory(batch));
    stream_batch_destroy(&batch);
}

/* A definition may be larger than any message: its rows cannot be sent. */
static void refuse_first(remote_sessions_t *sessions, peer_t *peer)
{
    stream_batch_t *batch = peer->first;
    stream_batch_t *refusals = stream_batch_new(batch->changefeed);
    for (uint32_t i = 0; i < batch->event_count; i++) {
        stream_event_t refusal = {.kind = STREAM_NOT_REUSABLE,
                                  .dispatcher_id = batch->events[i].dispatcher_id};
        note_removed(sessions, peer, batch->changefeed, refusal.dispatcher_id);
        stream_batch_add(refusals, &refusal, (bytes_t){0}, 0, false);
    }
    sessions->counters.given_up += batch->event_count;
    drop_first(peer);
    refusals->next = peer->first;
    peer->first = refusals;
    if (!peer->last)
        peer->last = refusals;
    fill(peer, stream_batch_memory(refusals));
}

static void send_to(remote_sessions_t *sessions, peer_t *peer, incarnation_t own, mono_ns_t now)
{
    while (peer->first) {
        sluice_error_t error = send_batch(sessions, peer, own);
        if (error == SLUICE_ERROR_AGAIN) {
            peer->send_at = mono_add(now, RETRY_NS);
            return;
        }
        if (error == SLUICE_ERROR_TOO_LARGE) {
            refuse_first(sessions, peer);
            continue;
        }
        if (error != SLUICE_OK) {
            give_up(sessions, peer);
            return;
        }
        drop_first(peer);
    }
    peer->send_at = MONO_NEVER;
}

/* While one is full nobody else is given anything, so that taking a little now and then does not
 * count: it must get to half in time. */
static bool is_stalled(peer_t *peer, mono_ns_t now)
{
    if (!peer->is_full)
        return false;
    if (peer->full_since.v == MONO_NEVER.v)
        peer->full_since = now;
    return mono_elapsed(peer->full_since, now) >= REMOTE_SESSIONS_STALLED_NS;
}

void remote_sessions_send(remote_sessions_t *sessions, incarnation_t own, mono_ns_t now)
{
    for (uint32_t i = 0; i < REMOTE_PEERS_MAX; i++) {
        peer_t *peer = &sessions->peers[i];
        if (is_free(peer))
            continue;
        if (peer->first && mono_reached(peer->send_at, now))
            send_to(sessions, peer, own, now);
        if (is_stalled(peer, now))
            give_up(sessions, peer);
    }
}

mono_ns_t remote_sessions_next_deadline(const remote_sessions_t *sessions)
{
    if (sessions->removed_count)
        return (mono_ns_t){0};
    mono_ns_t deadline = MONO_NEVER;
    for (uint32_t i = 0; i < REMOTE_PEERS_MAX; i++)
        if (sessions->peers[i].first)
            deadline = mono_min(deadline, sessions->peers[i].send_at);
    return deadline;
}

remote_sessions_counters_t remote_sessions_counters(const remote_sessions_t *sessions)
{
    return sessions->counters;
}
