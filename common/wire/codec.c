#include "common/wire/codec.h"

#include "common/wire/codec_internal.h"

/* The header frame: fixed places, little-endian, so that magic, version and type can be read
 * whatever a later version puts behind them. */
enum {
    HEADER_MAGIC = 0,
    HEADER_VERSION = 4,
    HEADER_TYPE = 8,
    HEADER_INCARNATION = 12,
    HEADER_MAINTAINER_EPOCH = 20,
    HEADER_SEQUENCE = 28,
    HEADER_SENDER_LEN = 36,
    HEADER_SENDER = 37,
    HEADER_LEN_MAX = HEADER_SENDER + NODE_ID_SIZE - 1
};

static const uint8_t magic[4] = {'S', 'L', 'C', 'E'};

/* What one message may take while it is decoded. A body of MESSAGE_BYTES_MAX made of nothing but
 * empty nested messages would else take a hundred times its size. */
#define DECODE_BYTES_MAX (64 * 1024 * 1024)

typedef struct {
    message_type_t type;
    const char *name;
    const ProtobufCMessageDescriptor *body;
    codec_encode_t *encode;
    codec_decode_t *decode;
} message_kind_t;

static sluice_error_t encode_empty(codec_t *codec, const message_t *message,
                                   ProtobufCMessage **body)
{
    (void)message;
    *body = codec_new(codec, &wire__empty__descriptor);
    return SLUICE_OK;
}

static sluice_error_t decode_empty(codec_t *codec, const ProtobufCMessage *body, message_t *message)
{
    (void)codec, (void)body, (void)message;
    return SLUICE_OK;
}

#define KIND(type, name)                                                                           \
    {                                                                                              \
        type, #name, &wire__##name##__descriptor, codec_encode_##name, codec_decode_##name         \
    }

static const message_kind_t kinds[] = {
    KIND(MESSAGE_BLOCK_STATUS_REQUEST, block_status_request),
    KIND(MESSAGE_HEARTBEAT_REQUEST, heartbeat_request),
    KIND(MESSAGE_HELLO, hello),
    KIND(MESSAGE_CHECK_RESPONSE, check_response),
    KIND(MESSAGE_CHANGEFEED_OPENED, changefeed_opened),
    KIND(MESSAGE_CHANGEFEED_CLOSED, changefeed_closed),
    KIND(MESSAGE_BOOTSTRAP_RESPONSE, bootstrap_response),
    KIND(MESSAGE_TABLE_LIST, table_list),
    KIND(MESSAGE_SCHEMA_SNAPSHOT, schema_snapshot),
    KIND(MESSAGE_SCHEMA_DDL, schema_ddls),
    KIND(MESSAGE_HELLO_RESPONSE, hello_response),
    {MESSAGE_START_AGAIN, "start_again", &wire__empty__descriptor, encode_empty, decode_empty},
    KIND(MESSAGE_CHECK_REQUEST, check_request),
    KIND(MESSAGE_CHANGEFEED_OPEN, changefeed_open),
    KIND(MESSAGE_CHANGEFEED_CLOSE, changefeed_close),
    KIND(MESSAGE_BOOTSTRAP_REQUEST, bootstrap_request),
    KIND(MESSAGE_SCHEDULE_REQUEST, schedule_request),
    KIND(MESSAGE_HEARTBEAT_RESPONSE, heartbeat_response),
    KIND(MESSAGE_SCHEMA_SNAPSHOT_ACK, schema_snapshot_ack),
    KIND(MESSAGE_EVENT_STORE_STATE, event_store_state),
    KIND(MESSAGE_CANDIDATES_REQUEST, candidates_request),
    KIND(MESSAGE_CANDIDATES_RESPONSE, candidates_response),
    KIND(MESSAGE_STREAM_REQUESTS, stream_requests),
    KIND(MESSAGE_STREAM_EVENTS, stream_events),
    {MESSAGE_VERSION_MISMATCH, "version_mismatch", &wire__empty__descriptor, encode_empty,
     decode_empty},
};

static const message_kind_t *kind_of(message_type_t type)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (kinds[i].type == type)
            return &kinds[i];
    return NULL;
}

const char *message_type_name(message_type_t type)
{
    const message_kind_t *kind = kind_of(type);
    return kind ? kind->name : "unknown";
}

bool message_type_is_known(message_type_t type)
{
    return kind_of(type) != NULL;
}

/* ---- header ---- */

static void store(uint8_t *at, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t load(const uint8_t *at, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++)
        value |= (uint64_t)at[i] << (8 * i);
    return value;
}

static bytes_t encode_header(const message_header_t *header, arena_t *arena)
{
    uint8_t *at = arena_alloc(arena, HEADER_LEN_MAX);
    size_t sender_len = strnlen(header->sender.text, NODE_ID_SIZE - 1);
    memcpy(at + HEADER_MAGIC, magic, sizeof magic);
    store(at + HEADER_VERSION, header->version, 4);
    store(at + HEADER_TYPE, header->type, 4);
    store(at + HEADER_INCARNATION, header->incarnation.v, 8);
    store(at + HEADER_MAINTAINER_EPOCH, header->maintainer_epoch, 8);
    store(at + HEADER_SEQUENCE, header->sequence, 8);
    store(at + HEADER_SENDER_LEN, sender_len, 1);
    memcpy(at + HEADER_SENDER, header->sender.text, sender_len);
    return bytes_of(at, HEADER_SENDER + sender_len);
}

static sluice_error_t decode_header(bytes_t frame, message_header_t *header)
{
    *header = (message_header_t){0};
    if (frame.len < HEADER_TYPE || memcmp(frame.data, magic, sizeof magic) != 0)
        return SLUICE_ERROR_MALFORMED;
    header->version = (uint32_t)load(frame.data + HEADER_VERSION, 4);
    bool is_ours = header->version == SLUICE_PROTOCOL_VERSION;
    if (frame.len < HEADER_SENDER)
        return is_ours ? SLUICE_ERROR_MALFORMED : SLUICE_ERROR_UNSUPPORTED;
    header->type = (message_type_t)load(frame.data + HEADER_TYPE, 4);
    header->incarnation = (incarnation_t){load(frame.data + HEADER_INCARNATION, 8)};
    header->maintainer_epoch = load(frame.data + HEADER_MAINTAINER_EPOCH, 8);
    header->sequence = load(frame.data + HEADER_SEQUENCE, 8);
    size_t sender_len = frame.data[HEADER_SENDER_LEN];
    bool has_sender =
        frame.len == HEADER_SENDER + sender_len &&
        node_id_parse(bytes_of(frame.data + HEADER_SENDER, sender_len), &header->sender);
    if (!is_ours)
        return SLUICE_ERROR_UNSUPPORTED;
    return has_sender ? SLUICE_OK : SLUICE_ERROR_MALFORMED;
}

/* ---- body ---- */

typedef struct {
    arena_t *arena;
    size_t left;
} decode_memory_t;

static void *decode_alloc(void *data, size_t size)
{
    decode_memory_t *memory = data;
    if (size > memory->left)
        return NULL;
    memory->left -= size;
    return arena_alloc(memory->arena, size);
}

static void decode_free(void *data, void *pointer)
{
    (void)data, (void)pointer;
}

/* The body must be the very bytes that encoding what was understood gives: this refuses unknown and
 * repeated fields, overlong numbers, and whatever else two readers could read differently. */
static bool is_shortest_form(const ProtobufCMessage *body, size_t len)
{
    return body->n_unknown_fields == 0 && protobuf_c_message_get_packed_size(body) == len;
}

sluice_error_t message_encode(const message_t *message, arena_t *arena, frames_t *frames)
{
    codec_t codec = {.arena = arena};
    const message_kind_t *kind = kind_of(message->header.type);
    if (!kind)
        return SLUICE_ERROR_BUG;
    ProtobufCMessage *body;
    sluice_error_t error = kind->encode(&codec, message, &body);
    if (error != SLUICE_OK)
        return error;
    size_t len = protobuf_c_message_get_packed_size(body);
    if (len > MESSAGE_BYTES_MAX)
        return SLUICE_ERROR_TOO_LARGE;
    uint8_t *packed = arena_alloc(arena, len);
    protobuf_c_message_pack(body, packed);
    frames->header = encode_header(&message->header, arena);
    frames->body = bytes_of(packed, len);
    return SLUICE_OK;
}

sluice_error_t message_decode(const frames_t *frames, arena_t *arena, message_t *message,
                              uint32_t *refused_entries)
{
    *message = (message_t){0};
    *refused_entries = 0;
    sluice_error_t error = decode_header(frames->header, &message->header);
    if (error != SLUICE_OK)
        return error;
    const message_kind_t *kind = kind_of(message->header.type);
    if (!kind)
        return SLUICE_ERROR_MALFORMED;
    if (frames->body.len > MESSAGE_BYTES_MAX)
        return SLUICE_ERROR_TOO_LARGE;
    decode_memory_t memory = {.arena = arena, .left = DECODE_BYTES_MAX};
    ProtobufCAllocator allocator = {
        .alloc = decode_alloc, .free = decode_free, .allocator_data = &memory};
    ProtobufCMessage *body =
        protobuf_c_message_unpack(kind->body, &allocator, frames->body.len, frames->body.data);
    if (!body || !is_shortest_form(body, frames->body.len))
        return SLUICE_ERROR_MALFORMED;
    codec_t codec = {.arena = arena};
    error = kind->decode(&codec, body, message);
    *refused_entries = codec.refused;
    return error;
}
