/* The pieces that many messages carry: changefeed, keys, positions, spans, anchors, ids. */
#include "common/base/utf8.h"
#include "common/wire/codec_internal.h"

void *codec_new(codec_t *codec, const ProtobufCMessageDescriptor *descriptor)
{
    ProtobufCMessage *message = arena_alloc(codec->arena, descriptor->sizeof_message);
    protobuf_c_message_init(descriptor, message);
    return message;
}

bool codec_is_name(bytes_t text)
{
    return text.len > 0 && text.len <= NAME_BYTES_MAX && !memchr(text.data, 0, text.len) &&
           utf8_is_valid(text);
}

bool codec_is_endpoint(bytes_t text)
{
    if (text.len == 0 || text.len > ENDPOINT_BYTES_MAX)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] <= ' ' || text.data[i] > '~')
            return false;
    return true;
}

bool codec_is_event(event_key_t key)
{
    return key.commit_ts.v != 0 && key.commit_ts.v != COMMIT_TS_MAX.v;
}

bool codec_is_mode(uint32_t mode)
{
    return mode < PIPELINE_COUNT;
}

Wire__Changefeed *codec_put_changefeed(codec_t *codec, const changefeed_ref_t *changefeed)
{
    Wire__Changefeed *to = codec_new(codec, &wire__changefeed__descriptor);
    to->uuid = codec_put_bytes(bytes_of(changefeed->uuid.bytes, sizeof changefeed->uuid.bytes));
    to->generation = changefeed->generation;
    return to;
}

bool codec_get_changefeed(const Wire__Changefeed *from, changefeed_ref_t *changefeed)
{
    if (!from || from->uuid.len != sizeof changefeed->uuid.bytes)
        return false;
    memcpy(changefeed->uuid.bytes, from->uuid.data, from->uuid.len);
    changefeed->generation = from->generation;
    return true;
}

Wire__EventKey *codec_put_key(codec_t *codec, event_key_t key)
{
    if (event_key_equal(key, EVENT_KEY_NONE))
        return NULL;
    Wire__EventKey *to = codec_new(codec, &wire__event_key__descriptor);
    to->commit_ts = key.commit_ts.v;
    to->is_syncpoint = key.is_syncpoint;
    return to;
}

bool codec_get_key(const Wire__EventKey *from, event_key_t *key)
{
    *key = EVENT_KEY_NONE;
    if (!from)
        return true;
    *key = (event_key_t){{from->commit_ts}, from->is_syncpoint};
    return codec_is_event(*key);
}

static uint32_t run_len(const event_key_t *keys, uint32_t count)
{
    uint32_t len = 1;
    while (len < count && event_key_equal(keys[0], keys[len]))
        len++;
    return len;
}

static uint32_t run_count(const event_key_t *keys, uint32_t count)
{
    uint32_t runs = 0;
    for (uint32_t i = 0; i < count; i += run_len(keys + i, count - i))
        runs++;
    return runs;
}

Wire__EventKeyRuns *codec_put_keys(codec_t *codec, const event_key_t *keys, uint32_t count)
{
    Wire__EventKeyRuns *to = codec_new(codec, &wire__event_key_runs__descriptor);
    uint32_t runs = run_count(keys, count);
    to->commit_ts = arena_calloc(codec->arena, runs, sizeof *to->commit_ts);
    to->is_syncpoint = arena_calloc(codec->arena, runs, sizeof *to->is_syncpoint);
    to->run = arena_calloc(codec->arena, runs, sizeof *to->run);
    to->n_commit_ts = to->n_is_syncpoint = to->n_run = runs;
    for (uint32_t i = 0, at = 0; i < runs; i++) {
        to->commit_ts[i] = keys[at].commit_ts.v;
        to->is_syncpoint[i] = keys[at].is_syncpoint;
        to->run[i] = run_len(keys + at, count - at);
        at += to->run[i];
    }
    return to;
}

event_key_t *codec_get_keys(codec_t *codec, const Wire__EventKeyRuns *from, uint32_t count)
{
    if (!from || from->n_commit_ts != from->n_run || from->n_is_syncpoint != from->n_run)
        return NULL;
    event_key_t *keys = arena_alloc(codec->arena, count * sizeof *keys);
    uint32_t at = 0;
    for (size_t i = 0; i < from->n_run; i++) {
        event_key_t key = {{from->commit_ts[i]}, from->is_syncpoint[i]};
        bool is_none = event_key_equal(key, EVENT_KEY_NONE);
        if (from->run[i] == 0 || from->run[i] > count - at || (!is_none && !codec_is_event(key)))
            return NULL;
        for (uint32_t end = at + from->run[i]; at < end; at++)
            keys[at] = key;
    }
    return at == count ? keys : NULL;
}

Wire__Position *codec_put_position(codec_t *codec, position_t position)
{
    Wire__Position *to = codec_new(codec, &wire__position__descriptor);
    to->checkpoint = position.checkpoint.v;
    to->passed = codec_put_key(codec, position.passed);
    return to;
}

bool codec_get_position(const Wire__Position *from, position_t *position)
{
    if (!from || from->checkpoint == COMMIT_TS_MAX.v)
        return false;
    position->checkpoint = (commit_ts_t){from->checkpoint};
    return codec_get_key(from->passed, &position->passed);
}

Wire__Span *codec_put_span(codec_t *codec, span_t span)
{
    Wire__Span *to = codec_new(codec, &wire__span__descriptor);
    to->table_id = span.table_id.v;
    to->start_key = codec_put_bytes(span.start_key);
    to->end_key = codec_put_bytes(span.end_key);
    return to;
}

bool codec_get_span(const Wire__Span *from, span_t *span)
{
    if (!from || from->start_key.len > KEY_BYTES_MAX || from->end_key.len > KEY_BYTES_MAX)
        return false;
    *span = (span_t){.table_id = {from->table_id},
                     .start_key = codec_get_bytes(from->start_key),
                     .end_key = codec_get_bytes(from->end_key)};
    bool is_trigger = span->table_id.v == TABLE_ID_TRIGGER.v;
    if (is_trigger)
        return span_is_whole(*span);
    return span->end_key.len == 0 || bytes_compare(span->start_key, span->end_key) < 0;
}

Wire__Anchor *codec_put_anchor(codec_t *codec, const anchor_t *anchor)
{
    Wire__Anchor *to = codec_new(codec, &wire__anchor__descriptor);
    to->commit_ts = anchor->commit_ts.v;
    to->commit_time = anchor->commit_time.v;
    to->gtid_list = codec_put_bytes(bytes_of_text(anchor->gtid_list));
    return to;
}

bool codec_get_anchor(const Wire__Anchor *from, anchor_t *anchor)
{
    if (!from || from->gtid_list.len >= sizeof anchor->gtid_list)
        return false;
    *anchor = (anchor_t){.commit_ts = {from->commit_ts}, .commit_time = {from->commit_time}};
    if (from->gtid_list.len)
        memcpy(anchor->gtid_list, from->gtid_list.data, from->gtid_list.len);
    uint64_t sequence;
    return strlen(anchor->gtid_list) == from->gtid_list.len &&
           gtid_list_sequence(anchor->gtid_list, 0, &sequence) == SLUICE_OK;
}

bool codec_get_ids(const uint64_t *from, size_t length, const dispatcher_id_t **ids,
                   uint32_t *count)
{
    *ids = (const dispatcher_id_t *)from;
    *count = (uint32_t)(length / 2);
    if (length % 2 || length / 2 > UINT32_MAX)
        return false;
    bool is_one_none = false;
    for (uint32_t i = 0; i < *count; i++)
        is_one_none |= dispatcher_id_is_none((*ids)[i]);
    return !is_one_none;
}

ProtobufCBinaryData codec_put_error(sluice_error_t error)
{
    return codec_put_bytes(bytes_of_text(error == SLUICE_OK ? "" : sluice_error_name(error)));
}

sluice_error_t codec_get_error(codec_t *codec, ProtobufCBinaryData from)
{
    if (from.len == 0)
        return SLUICE_OK;
    sluice_error_t error = sluice_error_from_name(arena_strndup(codec->arena, from.data, from.len));
    return error == SLUICE_OK ? SLUICE_ERROR_BUG : error;
}
