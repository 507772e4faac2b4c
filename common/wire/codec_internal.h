/*
 * What the families of the codec share. Included by common/wire/codec*.c only.
 *
 * Every message type has a pair: encode builds the protobuf struct in the arena, borrowing what the
 * plain struct borrows; decode checks and makes the plain struct, whose arrays and bytes are those
 * that protobuf-c has put into the same arena.
 */
#ifndef SLUICE_COMMON_WIRE_CODEC_INTERNAL_H
#define SLUICE_COMMON_WIRE_CODEC_INTERNAL_H

#include "common/base/arena.h"
#include "common/wire/message.h"
#include "sluice.pb-c.h"

#define NAME_BYTES_MAX 256          /* 64 characters of MariaDB's identifiers, 4 bytes each */
#define KEY_BYTES_MAX (16 * 1024)   /* memcomparable form of at most 3,072 bytes of index */
#define TEXT_BYTES_MAX (256 * 1024) /* what a person is told: pre-flight reports, errors */
#define SETTING_BYTES_MAX (64 * 1024)
#define SETTINGS_MAX 10000

typedef struct {
    arena_t *arena;
    uint32_t refused; /* entries left out while decoding */
} codec_t;

/* encode: SLUICE_ERROR_TOO_LARGE when a list is longer than its cap. decode:
 * SLUICE_ERROR_MALFORMED, SLUICE_ERROR_TOO_LARGE. */
typedef sluice_error_t codec_encode_t(codec_t *codec, const message_t *message,
                                      ProtobufCMessage **body) SLUICE_MUST_USE;
typedef sluice_error_t codec_decode_t(codec_t *codec, const ProtobufCMessage *body,
                                      message_t *message) SLUICE_MUST_USE;

/* A zeroed and initialised protobuf struct. */
void *codec_new(codec_t *codec, const ProtobufCMessageDescriptor *descriptor);

/* ---- pieces (codec_pieces.c) ---- */

static inline ProtobufCBinaryData codec_put_bytes(bytes_t bytes)
{
    return (ProtobufCBinaryData){.len = bytes.len, .data = (uint8_t *)bytes.data};
}

static inline bytes_t codec_get_bytes(ProtobufCBinaryData bytes)
{
    return bytes_of(bytes.data, bytes.len);
}

/* Valid UTF-8 without NUL of 1..NAME_BYTES_MAX bytes. */
bool codec_is_name(bytes_t text);
/* Printable ASCII of 1..ENDPOINT_BYTES_MAX bytes; whether it can be connected is for the socket. */
bool codec_is_endpoint(bytes_t text);
/* A key that can be one's: neither 0 nor the largest commit_ts. */
bool codec_is_event(event_key_t key);
bool codec_is_mode(uint32_t mode);

Wire__Changefeed *codec_put_changefeed(codec_t *codec, const changefeed_ref_t *changefeed);
bool codec_get_changefeed(const Wire__Changefeed *from, changefeed_ref_t *changefeed);

/* NULL for EVENT_KEY_NONE, and back. A key that is there but none is false. */
Wire__EventKey *codec_put_key(codec_t *codec, event_key_t key);
bool codec_get_key(const Wire__EventKey *from, event_key_t *key);

Wire__EventKeyRuns *codec_put_keys(codec_t *codec, const event_key_t *keys, uint32_t count);
/* NULL when the runs do not make `count` keys. */
event_key_t *codec_get_keys(codec_t *codec, const Wire__EventKeyRuns *from, uint32_t count);

Wire__Position *codec_put_position(codec_t *codec, position_t position);
bool codec_get_position(const Wire__Position *from, position_t *position);

Wire__Span *codec_put_span(codec_t *codec, span_t span);
bool codec_get_span(const Wire__Span *from, span_t *span);

Wire__Anchor *codec_put_anchor(codec_t *codec, const anchor_t *anchor);
bool codec_get_anchor(const Wire__Anchor *from, anchor_t *anchor);

/* Dispatcher ids are two 64-bit numbers in memory as on the wire: nothing is copied. */
_Static_assert(sizeof(dispatcher_id_t) == 2 * sizeof(uint64_t), "ids are sent as they are");
static inline uint64_t *codec_put_ids(const dispatcher_id_t *ids)
{
    return (uint64_t *)ids;
}
/* false when the length is odd or an id is none. */
bool codec_get_ids(const uint64_t *from, size_t length, const dispatcher_id_t **ids,
                   uint32_t *count);

/* Name of the code, empty for SLUICE_OK, and back; a name that we do not have is SLUICE_ERROR_BUG.
 */
ProtobufCBinaryData codec_put_error(sluice_error_t error);
sluice_error_t codec_get_error(codec_t *codec, ProtobufCBinaryData from);

/* ---- tables and payloads (codec_payload.c) ---- */

Wire__TableInfo **codec_put_tables(codec_t *codec, const table_info_t *tables, uint32_t count);
bool codec_get_table(const Wire__TableInfo *from, table_info_t *table);

Wire__BlockPayload *codec_put_payload(codec_t *codec, const block_payload_t *payload);
/* NULL when something in it is wrong. */
const block_payload_t *codec_get_payload(codec_t *codec, const Wire__BlockPayload *from,
                                         bool is_syncpoint);

/* ---- messages, by family ---- */

codec_encode_t codec_encode_block_status_request, codec_encode_heartbeat_request,
    codec_encode_hello, codec_encode_check_response, codec_encode_changefeed_opened,
    codec_encode_changefeed_closed, codec_encode_bootstrap_response, codec_encode_table_list,
    codec_encode_schema_snapshot, codec_encode_schema_ddls, codec_encode_hello_response,
    codec_encode_check_request, codec_encode_changefeed_open, codec_encode_changefeed_close,
    codec_encode_bootstrap_request, codec_encode_schedule_request, codec_encode_heartbeat_response,
    codec_encode_schema_snapshot_ack, codec_encode_event_store_state,
    codec_encode_candidates_request, codec_encode_candidates_response, codec_encode_stream_requests,
    codec_encode_stream_events;
codec_decode_t codec_decode_block_status_request, codec_decode_heartbeat_request,
    codec_decode_hello, codec_decode_check_response, codec_decode_changefeed_opened,
    codec_decode_changefeed_closed, codec_decode_bootstrap_response, codec_decode_table_list,
    codec_decode_schema_snapshot, codec_decode_schema_ddls, codec_decode_hello_response,
    codec_decode_check_request, codec_decode_changefeed_open, codec_decode_changefeed_close,
    codec_decode_bootstrap_request, codec_decode_schedule_request, codec_decode_heartbeat_response,
    codec_decode_schema_snapshot_ack, codec_decode_event_store_state,
    codec_decode_candidates_request, codec_decode_candidates_response, codec_decode_stream_requests,
    codec_decode_stream_events;

#endif
