#include "dispatcher/core/node/stream_decoder.h"

#include <stdlib.h>

#include "common/base/memory.h"
#include "dispatcher/core/binlog/rows_codec.h"
#include "dispatcher/core/binlog/table_map.h"
#include "dispatcher/core/ddl/ddl_event_codec.h"
#include "dispatcher/core/ddl/definition_codec.h"
#include "dispatcher/core/node/stream_batch.h"

#define DEFINITIONS_KEPT 256

/* A definition that came last with a hash like this. */
typedef struct {
    bytes_t bytes; /* its own */
    const table_definition_t *definition;
    const table_map_t *map; /* the last one its rows used */
} kept_t;

struct stream_decoder {
    kept_t kept[DEFINITIONS_KEPT];
    /* The event whose pieces are coming. */
    bool has_pieces;
    dispatcher_id_t dispatcher_id;
    uint64_t epoch, sequence;
    uint32_t next_piece;
    uint8_t *pieces;
    size_t len, capacity;
    uint64_t refused;
};

stream_decoder_t *stream_decoder_new(void)
{
    return memory_zalloc(sizeof(stream_decoder_t));
}

static void kept_clear(kept_t *kept)
{
    free((uint8_t *)(uintptr_t)kept->bytes.data);
    table_map_unref(&kept->map);
    table_definition_unref(&kept->definition);
    *kept = (kept_t){0};
}

static void forget_pieces(stream_decoder_t *decoder)
{
    free(decoder->pieces);
    decoder->pieces = NULL;
    decoder->len = decoder->capacity = 0;
    decoder->has_pieces = false;
}

void stream_decoder_destroy(stream_decoder_t **decoder)
{
    stream_decoder_t *self = *decoder;
    *decoder = NULL;
    if (!self)
        return;
    for (uint32_t i = 0; i < DEFINITIONS_KEPT; i++)
        kept_clear(&self->kept[i]);
    forget_pieces(self);
    free(self);
}

/* ---- definitions ---- */

/* FNV-1a */
static uint32_t place_of(bytes_t bytes)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < bytes.len; i++)
        hash = (hash ^ bytes.data[i]) * UINT64_C(1099511628211);
    return (uint32_t)((hash ^ hash >> 32) % DEFINITIONS_KEPT);
}

/* NULL: the bytes are no definition. */
static kept_t *definition_of(stream_decoder_t *decoder, bytes_t bytes)
{
    kept_t *kept = &decoder->kept[place_of(bytes)];
    if (kept->definition && bytes_equal(kept->bytes, bytes))
        return kept;
    arena_t arena = {0};
    unpacker_t unpacker = unpacker_of(bytes, &arena);
    const table_definition_t *definition = definition_unpack(&unpacker);
    bool is_whole = definition && unpacker.at == unpacker.end;
    arena_clear(&arena);
    if (!is_whole) {
        table_definition_unref(&definition);
        return NULL;
    }
    kept_clear(kept);
    uint8_t *copy = memory_alloc(bytes.len);
    memcpy(copy, bytes.data, bytes.len);
    *kept = (kept_t){.bytes = bytes_of(copy, bytes.len), .definition = definition};
    return kept;
}

/* ---- pieces ---- */

static bool is_next_piece(const stream_decoder_t *decoder, const stream_message_event_t *from)
{
    return decoder->has_pieces && decoder->next_piece == from->piece &&
           dispatcher_id_equal(decoder->dispatcher_id, from->dispatcher_id) &&
           decoder->epoch == from->epoch && decoder->sequence == from->sequence;
}

static void begin_pieces(stream_decoder_t *decoder, const stream_message_event_t *from)
{
    forget_pieces(decoder);
    decoder->has_pieces = true;
    decoder->dispatcher_id = from->dispatcher_id;
    decoder->epoch = from->epoch;
    decoder->sequence = from->sequence;
    decoder->next_piece = 0;
}

static bool add_piece(stream_decoder_t *decoder, stream_kind_t kind, bytes_t piece)
{
    uint64_t max = stream_payload_bytes_max(kind);
    if (decoder->len > max || piece.len > max - decoder->len)
        return false;
    if (decoder->len + piece.len > decoder->capacity) {
        decoder->capacity = 2 * (decoder->len + piece.len);
        decoder->pieces = memory_realloc(decoder->pieces, decoder->capacity);
    }
    memcpy(decoder->pieces + decoder->len, piece.data, piece.len);
    decoder->len += piece.len;
    decoder->next_piece++;
    return true;
}

/* ---- events ---- */

static bool decode_rows(stream_decoder_t *decoder, bytes_t definition, bytes_t payload,
                        stream_event_t *event)
{
    kept_t *kept = definition_of(decoder, definition);
    error_report_t report;
    if (!kept || rows_codec_decode(payload, kept->definition, &kept->map, &event->transaction,
                                   &report) != SLUICE_OK)
        return false;
    event->rows = &event->transaction->tables[0];
    return event->transaction->commit_ts.v == event->commit_ts.v;
}

static bool decode_ddl(bytes_t payload, stream_event_t *event)
{
    event->ddl = ddl_event_unpack(payload);
    return event->ddl && event->ddl->commit_ts.v == event->commit_ts.v;
}

static void decode(stream_decoder_t *decoder, const stream_events_t *message,
                   const stream_message_event_t *from, bytes_t payload, stream_event_t *event)
{
    *event = (stream_event_t){.kind = from->kind,
                              .dispatcher_id = from->dispatcher_id,
                              .epoch = from->epoch,
                              .sequence = from->sequence,
                              .commit_ts = from->commit_ts,
                              .commit_time = from->commit_time};
    bool is_right = true;
    if (from->kind == STREAM_ROWS)
        is_right = decode_rows(decoder, message->definitions[from->definition], payload, event);
    else if (from->kind == STREAM_DDL)
        is_right = decode_ddl(payload, event);
    if (is_right)
        return;
    decoder->refused++;
    stream_event_clear(event);
    event->kind = STREAM_NOT_REUSABLE;
}

bool stream_decoder_take(stream_decoder_t *decoder, const stream_events_t *message, uint32_t index,
                         stream_event_t *event)
{
    const stream_message_event_t *from = &message->events[index];
    bool is_first = from->piece == 0;
    if (!is_first && !is_next_piece(decoder, from)) {
        forget_pieces(decoder);
        return false;
    }
    if (is_first && !from->continues) {
        forget_pieces(decoder);
        decode(decoder, message, from, from->payload, event);
        return true;
    }
    if (is_first)
        begin_pieces(decoder, from);
    if (!add_piece(decoder, from->kind, from->payload)) {
        decoder->refused++;
        forget_pieces(decoder);
        *event =
            (stream_event_t){.kind = STREAM_NOT_REUSABLE, .dispatcher_id = from->dispatcher_id};
        return true;
    }
    if (from->continues)
        return false;
    decode(decoder, message, from, bytes_of(decoder->pieces, decoder->len), event);
    forget_pieces(decoder);
    return true;
}

uint64_t stream_decoder_refused(const stream_decoder_t *decoder)
{
    return decoder->refused;
}
