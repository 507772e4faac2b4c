#include "dispatcher/core/puller/catch_up.h"

#include <stdlib.h>

#include "common/base/memory.h"
#include "dispatcher/core/puller/server_map.h"

typedef struct stream stream_t;
struct stream {
    uint64_t number;
    uint32_t server;
    bool has_delivered;
    stream_t *after;
};

struct catch_up {
    event_service_t *service;
    log_puller_t *puller;
    server_map_t map;
    stream_t *streams; /* few: store_count times as many as a store may have */
    bool is_failing;
    bool is_over_limit; /* more dispatchers wait than there may be subscriptions */
};

catch_up_t *catch_up_new(const log_puller_options_t *options, event_service_t *service)
{
    catch_up_t *catch_up = memory_zalloc(sizeof *catch_up);
    catch_up->service = service;
    catch_up->puller = log_puller_new(options);
    catch_up->map = server_map_init(options->store_count);
    return catch_up;
}

static stream_t **find(catch_up_t *catch_up, uint64_t number)
{
    stream_t **at = &catch_up->streams;
    while (*at && (*at)->number != number)
        at = &(*at)->after;
    return at;
}

/* The round's dispatchers wait for another one. */
static void remove_stream(catch_up_t *catch_up, uint64_t number)
{
    stream_t **at = find(catch_up, number);
    stream_t *stream = *at;
    if (!stream)
        return;
    event_service_catch_up_end(catch_up->service, number);
    *at = stream->after;
    free(stream);
}

void catch_up_destroy(catch_up_t **catch_up)
{
    catch_up_t *self = *catch_up;
    *catch_up = NULL;
    if (!self)
        return;
    while (self->streams)
        remove_stream(self, self->streams->number);
    log_puller_destroy(&self->puller);
    free(self);
}

/* ---- what happens to dispatchers ---- */

static void take_note(catch_up_t *catch_up, const catch_up_note_t *note, mono_ns_t now)
{
    span_t whole = {.table_id = note->table_id};
    switch (note->kind) {
    case CATCH_UP_WAITS:
        catch_up->is_over_limit |=
            !log_puller_subscribe(catch_up->puller, note->dispatcher_id, whole, note->start,
                                  note->is_new ? PULL_HIGH : PULL_NORMAL);
        return;
    case CATCH_UP_JOINED:
        log_puller_region_initialised(catch_up->puller, note->request, now);
        return;
    case CATCH_UP_LEFT:
        log_puller_unsubscribe(catch_up->puller, note->dispatcher_id);
        return;
    }
}

static void take_notes(catch_up_t *catch_up, mono_ns_t now)
{
    catch_up_note_t note;
    while (event_service_take_note(catch_up->service, &note))
        take_note(catch_up, &note, now);
}

/* ---- what the puller wants ---- */

static void locate(catch_up_t *catch_up, const log_puller_effect_t *wanted, mono_ns_t now)
{
    region_location_t location =
        server_map_locate(&catch_up->map, catch_up->puller, wanted->table_id, now);
    log_puller_located(catch_up->puller, wanted->number, &location, 1, now);
}

static void open(catch_up_t *catch_up, const log_puller_effect_t *wanted)
{
    stream_t *stream = memory_zalloc(sizeof *stream);
    stream->number = wanted->stream;
    stream->server = wanted->store;
    stream->after = catch_up->streams;
    catch_up->streams = stream;
    event_service_catch_up_begin(catch_up->service, wanted->stream, wanted->start);
}

static void request(catch_up_t *catch_up, const log_puller_effect_t *wanted, mono_ns_t now)
{
    static const region_failure_t moved = {.kind = REGION_EPOCH_NOT_MATCH};
    if (!event_service_catch_up_admit(catch_up->service, wanted->stream, wanted->dispatcher_id,
                                      wanted->number))
        log_puller_region_failed(catch_up->puller, wanted->number, &moved, now);
}

/* True: it is the caller's to carry out. */
static bool carry_out(catch_up_t *catch_up, const log_puller_effect_t *wanted,
                      catch_up_effect_t *effect, mono_ns_t now)
{
    *effect = (catch_up_effect_t){
        .stream = wanted->stream, .server = wanted->store, .from = wanted->start};
    switch (wanted->kind) {
    case LOG_PULLER_LOCATE:
        locate(catch_up, wanted, now);
        return false;
    case LOG_PULLER_OPEN:
        open(catch_up, wanted);
        effect->kind = CATCH_UP_OPEN;
        return true;
    case LOG_PULLER_REQUEST:
        request(catch_up, wanted, now);
        return false;
    case LOG_PULLER_CANCEL: /* the service said so itself */
        return false;
    case LOG_PULLER_CLOSE:
        remove_stream(catch_up, wanted->stream);
        effect->kind = CATCH_UP_CLOSE;
        return true;
    case LOG_PULLER_INITIALISED: /* the live reading carries it from now on */
        log_puller_unsubscribe(catch_up->puller, wanted->dispatcher_id);
        return false;
    case LOG_PULLER_FAILED:
        effect->kind = CATCH_UP_FAILED;
        effect->error = wanted->error;
        return true;
    }
    return false;
}

static bool next_wanted(catch_up_t *catch_up, log_puller_effect_t *wanted, mono_ns_t now)
{
    if (log_puller_take(catch_up->puller, wanted))
        return true;
    take_notes(catch_up, now);
    log_puller_step(catch_up->puller, now);
    return log_puller_take(catch_up->puller, wanted);
}

bool catch_up_take(catch_up_t *catch_up, catch_up_effect_t *effect, mono_ns_t now)
{
    log_puller_effect_t wanted;
    while (next_wanted(catch_up, &wanted, now)) {
        if (carry_out(catch_up, &wanted, effect, now))
            return true;
    }
    if (!catch_up->is_over_limit)
        return false;
    catch_up->is_over_limit = false;
    *effect = (catch_up_effect_t){.kind = CATCH_UP_FAILED, .error = SLUICE_ERROR_FULL};
    return true;
}

mono_ns_t catch_up_next_deadline(const catch_up_t *catch_up)
{
    return log_puller_next_deadline(catch_up->puller);
}

/* ---- how streams fare ---- */

void catch_up_opened(catch_up_t *catch_up, uint64_t number, commit_ts_t begins)
{
    const stream_t *stream = *find(catch_up, number);
    if (!stream)
        return;
    event_service_catch_up_begin(catch_up->service, number, begins);
    log_puller_stream_at(catch_up->puller, stream->server, number, begins);
}

void catch_up_append(catch_up_t *catch_up, uint64_t number, feed_item_t *item)
{
    stream_t *stream = *find(catch_up, number);
    if (!stream) {
        feed_item_clear(item);
        return;
    }
    event_service_catch_up_append(catch_up->service, number, item);
    catch_up_position_t position = event_service_catch_up_position(catch_up->service, number);
    log_puller_stream_at(catch_up->puller, stream->server, number, position.admits);
    if (stream->has_delivered)
        return;
    stream->has_delivered = true;
    catch_up->is_failing = false;
    server_map_delivered(&catch_up->map, stream->server);
    log_puller_store_serves(catch_up->puller, stream->server);
}

void catch_up_failed(catch_up_t *catch_up, uint64_t number, sluice_error_t error, mono_ns_t now)
{
    const stream_t *stream = *find(catch_up, number);
    if (!stream)
        return;
    uint32_t server = stream->server;
    region_failure_t failure = {.kind = REGION_BUSY};
    if (error != SLUICE_ERROR_AGAIN)
        failure = server_map_failed(&catch_up->map, server, error, now);
    take_notes(catch_up, now);
    /* What was admitted at parts of a group is where the group before ended. */
    catch_up_position_t position = event_service_catch_up_position(catch_up->service, number);
    log_puller_stream_at(catch_up->puller, server, number, position.read);
    remove_stream(catch_up, number);
    log_puller_stream_failed(catch_up->puller, server, number, &failure, now);
    catch_up->is_failing = true;
}

bool catch_up_has_refused(const catch_up_t *catch_up, uint32_t server)
{
    return catch_up->map.servers[server].has_refused;
}

bool catch_up_is_failing(const catch_up_t *catch_up)
{
    return catch_up->is_failing && log_puller_state(catch_up->puller).subscriptions > 0;
}

log_puller_state_t catch_up_state(const catch_up_t *catch_up)
{
    return log_puller_state(catch_up->puller);
}
