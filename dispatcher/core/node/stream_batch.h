/*
 * One message of stream events for another node, while it is filled and until it is sent: payloads
 * encoded (rows_codec.h, ddl_event_codec.h), each table definition once.
 *
 * Limits: STREAM_EVENTS_MAX events, STREAM_DEFINITIONS_MAX definitions, about
 * STREAM_PIECE_BYTES_MAX bytes. A longer payload is cut into pieces, each a batch of its own.
 *
 * Threads: a value's owner.
 */
#ifndef SLUICE_DISPATCHER_CORE_NODE_STREAM_BATCH_H
#define SLUICE_DISPATCHER_CORE_NODE_STREAM_BATCH_H

#include "dispatcher/core/stream.h"

/* What a payload may have in all. Larger ones are not sent to other nodes. A DDL takes several
 * times its bytes when it is decoded, so that it may have fewer. */
#define STREAM_PAYLOAD_BYTES_MAX (UINT64_C(256) << 20)
#define STREAM_DDL_BYTES_MAX (UINT64_C(16) << 20)

static inline uint64_t stream_payload_bytes_max(stream_kind_t kind)
{
    return kind == STREAM_DDL ? STREAM_DDL_BYTES_MAX : STREAM_PAYLOAD_BYTES_MAX;
}

typedef struct stream_batch stream_batch_t;

struct stream_batch {
    stream_batch_t *next; /* the owner's */
    arena_t arena;
    changefeed_ref_t changefeed;
    stream_message_event_t *events;
    uint32_t event_count;
    bytes_t *definitions;
    const table_definition_t **sources; /* of the definitions; one reference each */
    uint32_t definition_count;
    size_t bytes; /* about what it takes on the wire */
};

stream_batch_t *stream_batch_new(changefeed_ref_t changefeed);
void stream_batch_destroy(stream_batch_t **batch);
/* About what it takes in memory. Its lists have their full length from the start, so that this is
 * much even with one event in it. */
size_t stream_batch_memory(const stream_batch_t *batch);

/* The encoded payload of ROWS and DDL, in the arena; empty for other kinds. False: it is larger
 * than it may be. */
bool stream_payload_encode(const stream_event_t *event, arena_t *arena, bytes_t *payload);

/* Whether the event has room in it beside what is there; an empty batch takes any. RESOLVED behind
 * RESOLVED of the same dispatcher replaces it, so it always has. */
bool stream_batch_has_room(const stream_batch_t *batch, const stream_event_t *event,
                           size_t payload_len);
/* Appends the event with `payload` (alive as long as the batch: in its arena). */
void stream_batch_add(stream_batch_t *batch, const stream_event_t *event, bytes_t payload,
                      uint32_t piece, bool continues);

stream_events_t stream_batch_message(const stream_batch_t *batch);

#endif
