/* The events socket: requests of sessions, events of services. */
#include "common/wire/codec_internal.h"

/* ---- requests ---- */

static Wire__StreamRequest *put_request(codec_t *codec, const stream_request_t *request)
{
    Wire__StreamRequest *to = codec_new(codec, &wire__stream_request__descriptor);
    to->kind = request->kind;
    to->dispatcher_hi = request->dispatcher_id.hi;
    to->dispatcher_lo = request->dispatcher_id.lo;
    if (request->kind != STREAM_REMOVE) {
        to->epoch = request->epoch;
        to->position = codec_put_position(codec, request->position);
        to->credit_bytes = request->credit_bytes;
    }
    if (request->kind != STREAM_REGISTER)
        return to;
    to->span = codec_put_span(codec, request->span);
    to->mode = request->mode;
    to->created = request->created.v;
    to->only_reuse = request->only_reuse;
    to->group_bytes_max = request->group_bytes_max;
    return to;
}

sluice_error_t codec_encode_stream_requests(codec_t *codec, const message_t *message,
                                            ProtobufCMessage **body)
{
    const stream_requests_t *requests = &message->stream_requests;
    if (requests->request_count > STREAM_REQUESTS_MAX)
        return SLUICE_ERROR_TOO_LARGE;
    Wire__StreamRequests *to = codec_new(codec, &wire__stream_requests__descriptor);
    to->changefeed = codec_put_changefeed(codec, &requests->changefeed);
    to->n_requests = requests->request_count;
    to->requests = arena_calloc(codec->arena, requests->request_count, sizeof *to->requests);
    for (uint32_t i = 0; i < requests->request_count; i++)
        to->requests[i] = put_request(codec, &requests->requests[i]);
    *body = &to->base;
    return SLUICE_OK;
}

/* A request from outside is always one that reads nothing for the asker. */
static bool get_register(const Wire__StreamRequest *from, stream_request_t *request)
{
    request->mode = (pipeline_t)from->mode;
    request->created = (commit_ts_t){from->created};
    request->only_reuse = from->only_reuse;
    request->group_bytes_max = from->group_bytes_max;
    return from->only_reuse && codec_is_mode(from->mode) &&
           codec_get_span(from->span, &request->span);
}

static bool get_request(const Wire__StreamRequest *from, stream_request_t *request)
{
    *request = (stream_request_t){.kind = (stream_request_kind_t)from->kind,
                                  .dispatcher_id = {from->dispatcher_hi, from->dispatcher_lo},
                                  .epoch = from->epoch,
                                  .credit_bytes = from->credit_bytes};
    if (from->kind > STREAM_CREDIT || dispatcher_id_is_none(request->dispatcher_id))
        return false;
    bool has_position = from->kind != STREAM_REMOVE;
    if (has_position ? !codec_get_position(from->position, &request->position)
                     : from->position != NULL)
        return false;
    if (from->kind == STREAM_REGISTER)
        return get_register(from, request);
    return !from->span;
}

sluice_error_t codec_decode_stream_requests(codec_t *codec, const ProtobufCMessage *body,
                                            message_t *message)
{
    const Wire__StreamRequests *from = (const Wire__StreamRequests *)body;
    stream_requests_t *requests = &message->stream_requests;
    if (from->n_requests > STREAM_REQUESTS_MAX)
        return SLUICE_ERROR_TOO_LARGE;
    if (!codec_get_changefeed(from->changefeed, &requests->changefeed))
        return SLUICE_ERROR_MALFORMED;
    stream_request_t *kept = arena_calloc(codec->arena, from->n_requests, sizeof *kept);
    for (size_t i = 0; i < from->n_requests; i++) {
        if (get_request(from->requests[i], &kept[requests->request_count]))
            requests->request_count++;
        else
            codec->refused++;
    }
    requests->requests = kept;
    return SLUICE_OK;
}

/* ---- events ---- */

static bool has_payload(uint32_t kind)
{
    return kind == STREAM_ROWS || kind == STREAM_DDL;
}

static Wire__StreamEvent *put_event(codec_t *codec, const stream_message_event_t *event)
{
    Wire__StreamEvent *to = codec_new(codec, &wire__stream_event__descriptor);
    to->kind = event->kind;
    to->dispatcher_hi = event->dispatcher_id.hi;
    to->dispatcher_lo = event->dispatcher_id.lo;
    to->epoch = event->epoch;
    to->sequence = event->sequence;
    to->commit_ts = event->commit_ts.v;
    to->commit_time = event->commit_time.v;
    to->definition = event->definition == STREAM_NO_DEFINITION ? 0 : event->definition + 1;
    to->payload = codec_put_bytes(event->payload);
    to->piece = event->piece;
    to->continues = event->continues;
    return to;
}

sluice_error_t codec_encode_stream_events(codec_t *codec, const message_t *message,
                                          ProtobufCMessage **body)
{
    const stream_events_t *events = &message->stream_events;
    if (events->event_count > STREAM_EVENTS_MAX ||
        events->definition_count > STREAM_DEFINITIONS_MAX)
        return SLUICE_ERROR_TOO_LARGE;
    Wire__StreamEvents *to = codec_new(codec, &wire__stream_events__descriptor);
    to->changefeed = codec_put_changefeed(codec, &events->changefeed);
    to->n_definitions = events->definition_count;
    to->definitions = arena_calloc(codec->arena, events->definition_count, sizeof *to->definitions);
    for (uint32_t i = 0; i < events->definition_count; i++)
        to->definitions[i] = codec_put_bytes(events->definitions[i]);
    to->n_events = events->event_count;
    to->events = arena_calloc(codec->arena, events->event_count, sizeof *to->events);
    for (uint32_t i = 0; i < events->event_count; i++)
        to->events[i] = put_event(codec, &events->events[i]);
    *body = &to->base;
    return SLUICE_OK;
}

static bool get_event(const Wire__StreamEvent *from, size_t definition_count,
                      stream_message_event_t *event)
{
    *event = (stream_message_event_t){
        .kind = (stream_kind_t)from->kind,
        .dispatcher_id = {from->dispatcher_hi, from->dispatcher_lo},
        .epoch = from->epoch,
        .sequence = from->sequence,
        .commit_ts = {from->commit_ts},
        .commit_time = {from->commit_time},
        .definition = from->definition ? from->definition - 1 : STREAM_NO_DEFINITION,
        .payload = codec_get_bytes(from->payload),
        .piece = from->piece,
        .continues = from->continues,
    };
    /* Another node's service has no reason to say NOT_HELD. */
    bool is_known = from->kind <= STREAM_RESOLVED && from->kind != STREAM_NOT_HELD;
    bool is_definition = from->kind == STREAM_ROWS
                             ? from->definition > 0 && from->definition <= definition_count
                             : from->definition == 0;
    bool is_payload = has_payload(from->kind)
                          ? from->payload.len > 0
                          : from->payload.len == 0 && !from->continues && from->piece == 0;
    return is_known && is_definition && is_payload && from->payload.len <= STREAM_PIECE_BYTES_MAX &&
           !dispatcher_id_is_none(event->dispatcher_id) && from->commit_ts != COMMIT_TS_MAX.v;
}

/* An event that is wrong by itself leaves a gap, which its session answers with a reset. */
sluice_error_t codec_decode_stream_events(codec_t *codec, const ProtobufCMessage *body,
                                          message_t *message)
{
    const Wire__StreamEvents *from = (const Wire__StreamEvents *)body;
    stream_events_t *events = &message->stream_events;
    if (from->n_events > STREAM_EVENTS_MAX || from->n_definitions > STREAM_DEFINITIONS_MAX)
        return SLUICE_ERROR_TOO_LARGE;
    if (!codec_get_changefeed(from->changefeed, &events->changefeed))
        return SLUICE_ERROR_MALFORMED;
    bytes_t *definitions = arena_calloc(codec->arena, from->n_definitions, sizeof *definitions);
    for (size_t i = 0; i < from->n_definitions; i++)
        definitions[i] = codec_get_bytes(from->definitions[i]);
    stream_message_event_t *kept = arena_calloc(codec->arena, from->n_events, sizeof *kept);
    for (size_t i = 0; i < from->n_events; i++) {
        if (get_event(from->events[i], from->n_definitions, &kept[events->event_count]))
            events->event_count++;
        else
            codec->refused++;
    }
    events->definitions = definitions;
    events->definition_count = (uint32_t)from->n_definitions;
    events->events = kept;
    return SLUICE_OK;
}
