#include "dispatcher/core/node/remote_services.h"

#include <stdlib.h>

#include "common/base/memory.h"

#define RETRY_NS (10 * NS_PER_MS)

typedef struct {
    changefeed_ref_t changefeed;
    stream_request_t request; /* keys in the service's arena */
} waiting_t;

typedef struct {
    bool is_used, is_up;
    uint32_t slot;
    node_id_t node;
    incarnation_t incarnation;
    incarnation_t own; /* the life that the connection is of */
    mono_ns_t lost_at; /* gone then unless it is up by then; MONO_NEVER: it is */
    mono_ns_t idle_at;
    stream_decoder_t *decoder;
    arena_t arena; /* keys of what waits */
    waiting_t *waiting;
    uint32_t count, capacity;
    uint32_t tries;
    mono_ns_t send_at;
} place_t;

struct remote_services {
    events_port_t port;
    place_t places[REMOTE_SERVICES_MAX];
    service_id_t gone[REMOTE_SERVICES_MAX]; /* nobody was told yet */
    uint32_t gone_count;
    remote_services_state_t state;
};

remote_services_t *remote_services_new(const events_port_t *port)
{
    remote_services_t *services = memory_zalloc(sizeof *services);
    services->port = *port;
    return services;
}

static void forget_waiting(place_t *place)
{
    place->count = place->tries = 0;
    place->send_at = MONO_NEVER;
    arena_reset(&place->arena);
}

static void leave(remote_services_t *services, place_t *place)
{
    services->port.disconnect(services->port.self, place->slot);
    services->state.refused += stream_decoder_refused(place->decoder);
    stream_decoder_destroy(&place->decoder);
    arena_clear(&place->arena);
    free(place->waiting);
    *place = (place_t){0};
}

void remote_services_reset(remote_services_t *services)
{
    for (uint32_t i = 0; i < REMOTE_SERVICES_MAX; i++)
        if (services->places[i].is_used)
            leave(services, &services->places[i]);
    services->gone_count = 0;
}

void remote_services_destroy(remote_services_t **services)
{
    remote_services_t *self = *services;
    *services = NULL;
    if (!self)
        return;
    remote_services_reset(self);
    free(self);
}

/* ---- who is met ---- */

static place_t *place_of_slot(remote_services_t *services, uint32_t slot)
{
    for (uint32_t i = 0; i < REMOTE_SERVICES_MAX; i++)
        if (services->places[i].is_used && services->places[i].slot == slot)
            return &services->places[i];
    return NULL;
}

static place_t *place_of(remote_services_t *services, service_id_t service)
{
    return place_of_slot(services, service_slot(service));
}

static bool is_being_told(const remote_services_t *services, uint32_t slot)
{
    for (uint32_t i = 0; i < services->gone_count; i++)
        if (service_slot(services->gone[i]) == slot)
            return true;
    return false;
}

static void lose(remote_services_t *services, place_t *place)
{
    services->gone[services->gone_count++] = service_of_slot(place->slot);
    services->state.lost++;
    leave(services, place);
}

service_id_t remote_services_take_gone(remote_services_t *services)
{
    return services->gone_count ? services->gone[--services->gone_count] : SERVICE_NONE;
}

static bool is_same_life(const place_t *place, const node_id_t *node, incarnation_t incarnation)
{
    return place->incarnation.v == incarnation.v && node_id_equal(&place->node, node);
}

static uint32_t used_count(const remote_services_t *services)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < REMOTE_SERVICES_MAX; i++)
        count += services->places[i].is_used;
    return count;
}

static service_id_t connect_to(remote_services_t *services, place_t *place,
                               const candidate_t *candidate, incarnation_t own, mono_ns_t now)
{
    arena_t arena = {0};
    const char *endpoint = arena_strndup(&arena, candidate->events.data, candidate->events.len);
    sluice_error_t error =
        services->port.connect(services->port.self, candidate->slot, endpoint, own);
    arena_clear(&arena);
    if (error != SLUICE_OK)
        return SERVICE_NONE;
    *place = (place_t){.is_used = true,
                       .slot = candidate->slot,
                       .node = candidate->node,
                       .incarnation = candidate->incarnation,
                       .own = own,
                       .lost_at = mono_add(now, REMOTE_SERVICE_LOST_NS),
                       .idle_at = mono_add(now, REMOTE_SERVICE_IDLE_NS),
                       .decoder = stream_decoder_new(),
                       .send_at = MONO_NEVER};
    return service_of_slot(candidate->slot);
}

service_id_t remote_services_meet(remote_services_t *services, const candidate_t *candidate,
                                  incarnation_t own, mono_ns_t now)
{
    place_t *place = place_of_slot(services, candidate->slot);
    if (place && is_same_life(place, &candidate->node, candidate->incarnation)) {
        place->idle_at = mono_add(now, REMOTE_SERVICE_IDLE_NS);
        return service_of_slot(candidate->slot);
    }
    if (place)
        lose(services, place);
    /* Who read from the life before must be told first, and not of the one to come. */
    if (is_being_told(services, candidate->slot) ||
        services->gone_count + used_count(services) >= REMOTE_SERVICES_MAX)
        return SERVICE_NONE;
    for (uint32_t i = 0; i < REMOTE_SERVICES_MAX; i++)
        if (!services->places[i].is_used)
            return connect_to(services, &services->places[i], candidate, own, now);
    return SERVICE_NONE;
}

service_id_t remote_services_link(remote_services_t *services, uint32_t slot, bool is_up,
                                  mono_ns_t now)
{
    place_t *place = place_of_slot(services, slot);
    if (!place)
        return SERVICE_NONE;
    place->is_up = is_up;
    place->lost_at = is_up ? MONO_NEVER : mono_add(now, REMOTE_SERVICE_LOST_NS);
    return service_of_slot(slot);
}

service_id_t remote_services_hear(remote_services_t *services, uint32_t slot,
                                  const message_header_t *header, mono_ns_t now)
{
    place_t *place = place_of_slot(services, slot);
    if (!place)
        return SERVICE_NONE;
    if (!is_same_life(place, &header->sender, header->incarnation)) {
        lose(services, place);
        return SERVICE_NONE;
    }
    place->idle_at = mono_add(now, REMOTE_SERVICE_IDLE_NS);
    return service_of_slot(slot);
}

stream_decoder_t *remote_services_decoder(remote_services_t *services, service_id_t service)
{
    place_t *place = place_of(services, service);
    return place ? place->decoder : NULL;
}

/* ---- requests ---- */

static bool is_of_same_feed(const waiting_t *a, const waiting_t *b)
{
    return a->changefeed.generation == b->changefeed.generation &&
           changefeed_uuid_equal(a->changefeed.uuid, b->changefeed.uuid);
}

/* One message of those from `from` on that are of one changefeed; *count: how many. */
static sluice_error_t send_some(remote_services_t *services, place_t *place, uint32_t from,
                                uint32_t *count)
{
    static const size_t size = sizeof(stream_request_t);
    arena_t arena = {0};
    uint32_t most = place->count - from;
    if (most > STREAM_REQUESTS_MAX)
        most = STREAM_REQUESTS_MAX;
    stream_request_t *requests = arena_calloc(&arena, most, size);
    for (*count = 0; *count < most; ++*count) {
        if (!is_of_same_feed(&place->waiting[from], &place->waiting[from + *count]))
            break;
        requests[*count] = place->waiting[from + *count].request;
    }
    message_t message = {.header = {.type = MESSAGE_STREAM_REQUESTS, .incarnation = place->own}};
    message.stream_requests = (stream_requests_t){.changefeed = place->waiting[from].changefeed,
                                                  .requests = requests,
                                                  .request_count = *count};
    sluice_error_t error = services->port.send_requests(services->port.self, place->slot, &message);
    arena_clear(&arena);
    return error;
}

static void send_waiting(remote_services_t *services, place_t *place, mono_ns_t now)
{
    uint32_t sent = 0, count;
    while (sent < place->count) {
        if (send_some(services, place, sent, &count) != SLUICE_OK)
            break;
        sent += count;
    }
    if (sent)
        place->tries = 0;
    if (sent == place->count || ++place->tries > REMOTE_SERVICE_TRIES_MAX) {
        services->state.dropped += place->count - sent;
        forget_waiting(place);
        return;
    }
    place->count -= sent;
    memmove(place->waiting, place->waiting + sent, place->count * sizeof *place->waiting);
    place->send_at = mono_add(now, RETRY_NS);
}

void remote_services_request(remote_services_t *services, service_id_t service,
                             changefeed_ref_t changefeed, const stream_request_t *request,
                             mono_ns_t now)
{
    place_t *place = place_of(services, service);
    /* More may be asked in one turn than can wait. */
    if (place && place->is_up && place->count == REMOTE_REQUESTS_MAX &&
        mono_reached(place->send_at, now))
        send_waiting(services, place, now);
    if (!place || !place->is_up || place->count == REMOTE_REQUESTS_MAX) {
        services->state.dropped++;
        return;
    }
    if (place->count == place->capacity) {
        place->capacity = place->capacity ? place->capacity * 2 : 64;
        place->waiting = memory_realloc(place->waiting, place->capacity * sizeof *place->waiting);
    }
    waiting_t *own = &place->waiting[place->count++];
    *own = (waiting_t){.changefeed = changefeed, .request = *request};
    own->request.span.start_key = arena_bytes(&place->arena, request->span.start_key);
    own->request.span.end_key = arena_bytes(&place->arena, request->span.end_key);
    place->idle_at = mono_add(now, REMOTE_SERVICE_IDLE_NS);
    if (place->send_at.v == MONO_NEVER.v)
        place->send_at = now;
}

void remote_services_run(remote_services_t *services, mono_ns_t now)
{
    for (uint32_t i = 0; i < REMOTE_SERVICES_MAX; i++) {
        place_t *place = &services->places[i];
        if (!place->is_used)
            continue;
        if (mono_reached(place->lost_at, now))
            lose(services, place);
        else if (mono_reached(place->idle_at, now))
            leave(services, place);
        else if (mono_reached(place->send_at, now))
            send_waiting(services, place, now);
    }
}

mono_ns_t remote_services_next_deadline(const remote_services_t *services)
{
    if (services->gone_count)
        return (mono_ns_t){0};
    mono_ns_t deadline = MONO_NEVER;
    for (uint32_t i = 0; i < REMOTE_SERVICES_MAX; i++) {
        const place_t *place = &services->places[i];
        if (place->is_used)
            deadline = mono_min(deadline,
                                mono_min(mono_min(place->lost_at, place->idle_at), place->send_at));
    }
    return deadline;
}

remote_services_state_t remote_services_state(const remote_services_t *services)
{
    remote_services_state_t state = services->state;
    for (uint32_t i = 0; i < REMOTE_SERVICES_MAX; i++) {
        const place_t *place = &services->places[i];
        state.connected += place->is_used && place->is_up;
        if (place->is_used)
            state.refused += stream_decoder_refused(place->decoder);
    }
    return state;
}
