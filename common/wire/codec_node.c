/* Nodes and their dispatchers: hello, heartbeats, bootstrap, table list, schedule. */
#include "common/wire/codec_internal.h"

sluice_error_t codec_encode_hello(codec_t *codec, const message_t *message, ProtobufCMessage **body)
{
    Wire__Hello *to = codec_new(codec, &wire__hello__descriptor);
    to->host = codec_put_bytes(message->hello.host);
    to->version = codec_put_bytes(message->hello.version);
    to->is_leaving = message->hello.is_leaving;
    to->slot_held = message->hello.slot_held;
    to->events = codec_put_bytes(message->hello.events);
    *body = &to->base;
    return SLUICE_OK;
}

sluice_error_t codec_decode_hello(codec_t *codec, const ProtobufCMessage *body, message_t *message)
{
    (void)codec;
    const Wire__Hello *from = (const Wire__Hello *)body;
    message->hello = (hello_t){.host = codec_get_bytes(from->host),
                               .version = codec_get_bytes(from->version),
                               .is_leaving = from->is_leaving,
                               .slot_held = from->slot_held,
                               .events = codec_get_bytes(from->events)};
    bool is_endpoint = from->events.len == 0 || codec_is_endpoint(message->hello.events);
    bool is_version = message->hello.version.len == 0 || codec_is_name(message->hello.version);
    return codec_is_name(message->hello.host) && is_version && is_endpoint ? SLUICE_OK
                                                                           : SLUICE_ERROR_MALFORMED;
}

sluice_error_t codec_encode_hello_response(codec_t *codec, const message_t *message,
                                           ProtobufCMessage **body)
{
    const hello_response_t *response = &message->hello_response;
    Wire__HelloResponse *to = codec_new(codec, &wire__hello_response__descriptor);
    to->slot = response->slot;
    to->slot_count_max = response->slot_count_max;
    to->lease_ms = response->lease_ms;
    to->heartbeat_ms = response->heartbeat_ms;
    to->complete_heartbeat_ms = response->complete_heartbeat_ms;
    to->resend_ms = response->resend_ms;
    *body = &to->base;
    return SLUICE_OK;
}

sluice_error_t codec_decode_hello_response(codec_t *codec, const ProtobufCMessage *body,
                                           message_t *message)
{
    (void)codec;
    const Wire__HelloResponse *from = (const Wire__HelloResponse *)body;
    message->hello_response =
        (hello_response_t){.slot = from->slot,
                           .slot_count_max = from->slot_count_max,
                           .lease_ms = from->lease_ms,
                           .heartbeat_ms = from->heartbeat_ms,
                           .complete_heartbeat_ms = from->complete_heartbeat_ms,
                           .resend_ms = from->resend_ms};
    bool has_times = from->lease_ms && from->heartbeat_ms && from->complete_heartbeat_ms &&
                     from->resend_ms && from->heartbeat_ms < from->lease_ms;
    uint64_t longest_ms = UINT64_MAX / NS_PER_S;
    bool is_bounded = from->lease_ms < longest_ms && from->complete_heartbeat_ms < longest_ms &&
                      from->resend_ms < longest_ms;
    return has_times && is_bounded && from->slot < from->slot_count_max ? SLUICE_OK
                                                                        : SLUICE_ERROR_MALFORMED;
}

/* ---- heartbeats ---- */

static Wire__HeartbeatEntries *put_entries(codec_t *codec, const heartbeat_request_t *request)
{
    Wire__HeartbeatEntries *to = codec_new(codec, &wire__heartbeat_entries__descriptor);
    uint32_t count = request->entry_count;
    dispatcher_id_t *ids = arena_calloc(codec->arena, count, sizeof *ids);
    event_key_t *passed = arena_calloc(codec->arena, count, sizeof *passed);
    to->states = arena_calloc(codec->arena, count, sizeof *to->states);
    to->checkpoints = arena_calloc(codec->arena, count, sizeof *to->checkpoints);
    for (uint32_t i = 0; i < count; i++) {
        const dispatcher_heartbeat_t *entry = &request->entries[i];
        ids[i] = entry->dispatcher_id;
        passed[i] = entry->position.passed;
        to->states[i] = entry->state;
        to->checkpoints[i] = entry->position.checkpoint.v;
    }
    to->dispatchers = codec_put_ids(ids);
    to->n_dispatchers = (size_t)count * 2;
    to->n_states = to->n_checkpoints = count;
    to->passed = codec_put_keys(codec, passed, count);
    return to;
}

static Wire__Watermark *put_watermark(codec_t *codec, const watermark_t *watermark)
{
    Wire__Watermark *to = codec_new(codec, &wire__watermark__descriptor);
    to->seq = watermark->seq;
    to->checkpoint = watermark->checkpoint.v;
    to->resolved = watermark->resolved.v;
    to->last_synced = watermark->last_synced.v;
    return to;
}

sluice_error_t codec_encode_heartbeat_request(codec_t *codec, const message_t *message,
                                              ProtobufCMessage **body)
{
    const heartbeat_request_t *request = &message->heartbeat_request;
    if (request->entry_count > ENTRIES_PER_PIECE_MAX)
        return SLUICE_ERROR_TOO_LARGE;
    Wire__HeartbeatRequest *to = codec_new(codec, &wire__heartbeat_request__descriptor);
    *body = &to->base;
    to->heartbeat_sequence = request->heartbeat_sequence;
    to->answered_heartbeat = request->answered_heartbeat;
    if (!request->has_changefeed)
        return SLUICE_OK;
    to->changefeed = codec_put_changefeed(codec, &request->changefeed);
    to->mode = request->mode;
    to->watermark = request->has_watermark ? put_watermark(codec, &request->watermark) : NULL;
    to->is_complete = request->is_complete;
    to->piece = request->piece;
    to->is_last_piece = request->is_last_piece;
    to->entries = request->entry_count ? put_entries(codec, request) : NULL;
    to->anchor = request->has_anchor ? codec_put_anchor(codec, &request->anchor) : NULL;
    to->rows_applied = request->rows_applied;
    to->bytes_applied = request->bytes_applied;
    to->ddl_applied = request->ddl_applied;
    to->read_ts = request->read_ts.v;
    to->read_commit_time = request->read_commit_time.v;
    to->is_caught_up = request->is_caught_up;
    to->error = codec_put_error(request->error);
    to->error_text = codec_put_bytes(request->error_text);
    return SLUICE_OK;
}

static bool is_entry_valid(const dispatcher_heartbeat_t *entry)
{
    return !dispatcher_id_is_none(entry->dispatcher_id) && entry->state <= DISPATCHER_FAILED &&
           entry->position.checkpoint.v != COMMIT_TS_MAX.v;
}

static sluice_error_t get_entries(codec_t *codec, const Wire__HeartbeatEntries *from,
                                  heartbeat_request_t *request)
{
    uint32_t count = (uint32_t)from->n_states;
    if (from->n_states > ENTRIES_PER_PIECE_MAX)
        return SLUICE_ERROR_TOO_LARGE;
    event_key_t *passed = codec_get_keys(codec, from->passed, count);
    if (from->n_dispatchers != (size_t)count * 2 || from->n_checkpoints != count || !passed)
        return SLUICE_ERROR_MALFORMED;
    dispatcher_heartbeat_t *entries = arena_calloc(codec->arena, count, sizeof *entries);
    for (uint32_t i = 0; i < count; i++) {
        dispatcher_heartbeat_t *entry = &entries[request->entry_count];
        entry->dispatcher_id =
            (dispatcher_id_t){from->dispatchers[2 * i], from->dispatchers[2 * i + 1]};
        entry->state = (dispatcher_state_t)from->states[i];
        entry->position = (position_t){{from->checkpoints[i]}, passed[i]};
        if (is_entry_valid(entry))
            request->entry_count++;
        else
            codec->refused++;
    }
    request->entries = entries;
    return SLUICE_OK;
}

/* A watermark beyond what was received, or at no position at all, would move the checkpoint past
 * changes that are not durable: left out. */
static void get_watermark(codec_t *codec, const Wire__Watermark *from, heartbeat_request_t *request)
{
    if (!from)
        return;
    if (from->checkpoint > from->resolved || from->checkpoint == COMMIT_TS_MAX.v) {
        codec->refused++;
        return;
    }
    request->has_watermark = true;
    request->watermark = (watermark_t){.seq = from->seq,
                                       .checkpoint = {from->checkpoint},
                                       .resolved = {from->resolved},
                                       .last_synced = {from->last_synced}};
}

static void get_progress(codec_t *codec, const Wire__HeartbeatRequest *from,
                         heartbeat_request_t *request)
{
    request->rows_applied = from->rows_applied;
    request->bytes_applied = from->bytes_applied;
    request->ddl_applied = from->ddl_applied;
    request->read_ts = (commit_ts_t){from->read_ts};
    request->read_commit_time = (wall_ms_t){from->read_commit_time};
    request->is_caught_up = from->is_caught_up;
    request->error = codec_get_error(codec, from->error);
    request->error_text = codec_get_bytes(from->error_text);
}

sluice_error_t codec_decode_heartbeat_request(codec_t *codec, const ProtobufCMessage *body,
                                              message_t *message)
{
    const Wire__HeartbeatRequest *from = (const Wire__HeartbeatRequest *)body;
    heartbeat_request_t *request = &message->heartbeat_request;
    request->heartbeat_sequence = from->heartbeat_sequence;
    request->answered_heartbeat = from->answered_heartbeat;
    request->has_changefeed = from->changefeed != NULL;
    if (!request->has_changefeed)
        return from->entries || from->watermark ? SLUICE_ERROR_MALFORMED : SLUICE_OK;
    if (!codec_get_changefeed(from->changefeed, &request->changefeed) ||
        !codec_is_mode(from->mode) || from->error_text.len > TEXT_BYTES_MAX)
        return SLUICE_ERROR_MALFORMED;
    request->mode = (pipeline_t)from->mode;
    request->is_complete = from->is_complete;
    request->piece = from->piece;
    request->is_last_piece = from->is_last_piece;
    get_progress(codec, from, request);
    get_watermark(codec, from->watermark, request);
    request->has_anchor = from->anchor && codec_get_anchor(from->anchor, &request->anchor);
    if (from->anchor && !request->has_anchor)
        codec->refused++;
    return from->entries ? get_entries(codec, from->entries, request) : SLUICE_OK;
}
