#include "dispatcher/shell/catch_up_streams.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/memory.h"

#define REFUSAL_TEXT_MAX 256

typedef struct stream stream_t;
struct stream {
    uint64_t number;
    uint32_t server;
    feed_inbox_t *inbox;
    void *reading;
    stream_t *after;
};

struct catch_up_streams {
    catch_up_source_t source;
    catch_up_t *core;
    event_service_t *service;
    void (*ring)(void *context);
    void *context;
    stream_t *streams;
    bool has_room;
    bool is_retrying;       /* told so, and not yet that it is over */
    error_report_t failure; /* the last one */
    uint32_t failed_server; /* whose it was */
    uint32_t server_count;
    char refusals[LOG_PULLER_STORES_MAX][REFUSAL_TEXT_MAX]; /* the last failure of each */
};

catch_up_streams_t *catch_up_streams_new(const catch_up_source_t *source,
                                         const log_puller_options_t *options,
                                         event_service_t *service, void (*ring)(void *context),
                                         void *context)
{
    catch_up_streams_t *streams = memory_zalloc(sizeof *streams);
    streams->source = *source;
    streams->core = catch_up_new(options, service);
    streams->service = service;
    streams->ring = ring;
    streams->context = context;
    streams->has_room = true;
    streams->server_count = options->store_count;
    return streams;
}

static void close_stream(catch_up_streams_t *streams, stream_t *stream)
{
    stream_t **at = &streams->streams;
    while (*at != stream)
        at = &(*at)->after;
    *at = stream->after;
    streams->source.close(streams->source.context, stream->reading);
    feed_inbox_destroy(&stream->inbox);
    free(stream);
}

void catch_up_streams_destroy(catch_up_streams_t **streams)
{
    catch_up_streams_t *self = *streams;
    *streams = NULL;
    if (!self)
        return;
    while (self->streams)
        close_stream(self, self->streams);
    catch_up_destroy(&self->core);
    free(self);
}

/* ---- what the core wants ---- */

static void open_stream(catch_up_streams_t *streams, const catch_up_effect_t *wanted, mono_ns_t now)
{
    feed_inbox_t *inbox = feed_inbox_new(streams->ring, streams->context);
    commit_ts_t begins;
    if (!streams->has_room)
        feed_inbox_set_room(inbox, false);
    void *reading =
        streams->source.open(streams->source.context, wanted->server, wanted->from, inbox, &begins);
    if (!reading) {
        feed_inbox_destroy(&inbox);
        catch_up_failed(streams->core, wanted->stream, SLUICE_ERROR_AGAIN, now);
        return;
    }
    stream_t *stream = memory_zalloc(sizeof *stream);
    *stream = (stream_t){wanted->stream, wanted->server, inbox, reading, streams->streams};
    streams->streams = stream;
    catch_up_opened(streams->core, wanted->stream, begins);
}

static void close_number(catch_up_streams_t *streams, uint64_t number)
{
    stream_t *stream = streams->streams;
    while (stream && stream->number != number)
        stream = stream->after;
    if (stream)
        close_stream(streams, stream);
}

/* Beside the last failure what the other servers refused with. */
static void fail_changefeed(catch_up_streams_t *streams, sluice_error_t error)
{
    error_report_t report = streams->failure;
    if (report.code != error)
        (void)error_report_set(&report, error, "older log cannot be read");
    for (uint32_t i = 0; i < streams->server_count; i++) {
        size_t len = strlen(report.text);
        if (i != streams->failed_server && catch_up_has_refused(streams->core, i))
            snprintf(report.text + len, sizeof report.text - len, "; %s", streams->refusals[i]);
    }
    streams->source.on_error(streams->source.context, &report);
}

static void carry_out(catch_up_streams_t *streams, const catch_up_effect_t *wanted, mono_ns_t now)
{
    switch (wanted->kind) {
    case CATCH_UP_OPEN:
        open_stream(streams, wanted, now);
        return;
    case CATCH_UP_CLOSE:
        close_number(streams, wanted->stream);
        return;
    case CATCH_UP_FAILED:
        fail_changefeed(streams, wanted->error);
        return;
    }
}

/* ---- how they fare ---- */

static void note_failure(catch_up_streams_t *streams, stream_t *stream, mono_ns_t now)
{
    uint64_t number = stream->number;
    streams->failed_server = stream->server;
    snprintf(streams->refusals[stream->server], REFUSAL_TEXT_MAX, "%.*s", REFUSAL_TEXT_MAX - 1,
             streams->failure.text);
    streams->is_retrying = true;
    streams->source.on_retry(streams->source.context, &streams->failure);
    close_stream(streams, stream);
    catch_up_failed(streams->core, number, streams->failure.code, now);
}

static void look_for_failures(catch_up_streams_t *streams, mono_ns_t now)
{
    for (stream_t *stream = streams->streams, *after; stream; stream = after) {
        after = stream->after;
        if (feed_inbox_has_failed(stream->inbox, &streams->failure))
            note_failure(streams, stream, now);
    }
    if (!streams->is_retrying || catch_up_is_failing(streams->core))
        return;
    streams->is_retrying = false;
    streams->source.on_retry(streams->source.context, NULL);
}

static void steer_room(catch_up_streams_t *streams, mono_ns_t now)
{
    if (!streams->streams)
        return;
    bool has_room = event_service_catch_up_has_room(streams->service, now);
    if (has_room == streams->has_room)
        return;
    streams->has_room = has_room;
    for (stream_t *stream = streams->streams; stream; stream = stream->after)
        feed_inbox_set_room(stream->inbox, has_room);
}

bool catch_up_streams_take_items(catch_up_streams_t *streams)
{
    bool has_some = false;
    for (stream_t *stream = streams->streams; stream; stream = stream->after) {
        feed_item_t *items;
        bool is_caught_up;
        uint32_t count = feed_inbox_take(stream->inbox, &items, &is_caught_up);
        for (uint32_t i = 0; i < count; i++)
            catch_up_append(streams->core, stream->number, &items[i]);
        has_some |= count > 0;
    }
    return has_some;
}

mono_ns_t catch_up_streams_steer(catch_up_streams_t *streams, mono_ns_t now)
{
    catch_up_effect_t wanted;
    look_for_failures(streams, now);
    while (catch_up_take(streams->core, &wanted, now))
        carry_out(streams, &wanted, now);
    steer_room(streams, now);
    return catch_up_next_deadline(streams->core);
}

bool catch_up_streams_wait_for_room(const catch_up_streams_t *streams)
{
    return streams->streams && !streams->has_room;
}

log_puller_state_t catch_up_streams_state(const catch_up_streams_t *streams)
{
    return catch_up_state(streams->core);
}
