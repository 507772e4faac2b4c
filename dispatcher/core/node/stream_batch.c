#include "dispatcher/core/node/stream_batch.h"

#include <stdlib.h>

#include "common/base/memory.h"
#include "dispatcher/core/binlog/rows_codec.h"
#include "dispatcher/core/ddl/ddl_event_codec.h"
#include "dispatcher/core/ddl/definition_codec.h"

#define EVENTS_MAX 512 /* of one batch, so that its lists need not grow */
#define DEFINITIONS_MAX 64
#define EVENT_BYTES 96 /* about what one takes without its payload */

_Static_assert(EVENTS_MAX <= STREAM_EVENTS_MAX && DEFINITIONS_MAX <= STREAM_DEFINITIONS_MAX,
               "a batch is a message");

#define LISTS_BYTES                                                                                \
    (EVENTS_MAX * sizeof(stream_message_event_t) +                                                 \
     DEFINITIONS_MAX * (sizeof(bytes_t) + sizeof(const table_definition_t *)))

stream_batch_t *stream_batch_new(changefeed_ref_t changefeed)
{
    stream_batch_t *batch = memory_zalloc(sizeof *batch);
    batch->changefeed = changefeed;
    batch->events = arena_calloc(&batch->arena, EVENTS_MAX, sizeof *batch->events);
    batch->definitions = arena_calloc(&batch->arena, DEFINITIONS_MAX, sizeof *batch->definitions);
    batch->sources =
        arena_calloc(&batch->arena, DEFINITIONS_MAX, sizeof(const table_definition_t *));
    return batch;
}

void stream_batch_destroy(stream_batch_t **batch)
{
    stream_batch_t *self = *batch;
    *batch = NULL;
    if (!self)
        return;
    for (uint32_t i = 0; i < self->definition_count; i++)
        table_definition_unref(&self->sources[i]);
    arena_clear(&self->arena);
    free(self);
}

size_t stream_batch_memory(const stream_batch_t *batch)
{
    return sizeof *batch + LISTS_BYTES + batch->bytes;
}

/* ---- payloads ---- */

static bytes_t encode_rows(const stream_event_t *event, size_t len, arena_t *arena)
{
    uint8_t *data = arena_alloc(arena, len);
    rows_codec_encode(event->transaction, event->rows, data);
    return bytes_of(data, len);
}

static bytes_t encode_ddl(const stream_event_t *event, arena_t *arena)
{
    text_builder_t builder;
    text_builder_init(&builder, arena);
    ddl_event_pack(event->ddl, &builder);
    return bytes_of(builder.data, builder.len);
}

bool stream_payload_encode(const stream_event_t *event, arena_t *arena, bytes_t *payload)
{
    const uint64_t max = stream_payload_bytes_max(event->kind);
    *payload = (bytes_t){0};
    if (event->kind == STREAM_ROWS) {
        size_t len = rows_codec_size(event->transaction, event->rows);
        if (len > max)
            return false;
        *payload = encode_rows(event, len, arena);
    } else if (event->kind == STREAM_DDL) {
        *payload = encode_ddl(event, arena);
    }
    return payload->len <= max;
}

/* ---- filling ---- */

static uint32_t find_definition(const stream_batch_t *batch, const table_definition_t *definition)
{
    for (uint32_t i = 0; i < batch->definition_count; i++)
        if (batch->sources[i] == definition)
            return i;
    return STREAM_NO_DEFINITION;
}

static uint32_t add_definition(stream_batch_t *batch, const table_definition_t *definition)
{
    uint32_t place = batch->definition_count++;
    text_builder_t builder;
    text_builder_init(&builder, &batch->arena);
    definition_pack(definition, &builder);
    batch->definitions[place] = bytes_of(builder.data, builder.len);
    batch->sources[place] = table_definition_ref(definition);
    batch->bytes += builder.len;
    return place;
}

static bool replaces_last(const stream_batch_t *batch, const stream_event_t *event)
{
    if (batch->event_count == 0)
        return false;
    const stream_message_event_t *last = &batch->events[batch->event_count - 1];
    return event->kind == STREAM_RESOLVED && last->kind == STREAM_RESOLVED &&
           last->epoch == event->epoch &&
           dispatcher_id_equal(last->dispatcher_id, event->dispatcher_id);
}

static const table_definition_t *definition_of(const stream_event_t *event)
{
    return event->kind == STREAM_ROWS ? event->rows->definition : NULL;
}

bool stream_batch_has_room(const stream_batch_t *batch, const stream_event_t *event,
                           size_t payload_len)
{
    if (batch->event_count == 0 || replaces_last(batch, event))
        return true;
    const table_definition_t *definition = definition_of(event);
    bool is_new = definition && find_definition(batch, definition) == STREAM_NO_DEFINITION;
    return batch->event_count < EVENTS_MAX &&
           (!is_new || batch->definition_count < DEFINITIONS_MAX) &&
           batch->bytes + payload_len <= STREAM_PIECE_BYTES_MAX;
}

void stream_batch_add(stream_batch_t *batch, const stream_event_t *event, bytes_t payload,
                      uint32_t piece, bool continues)
{
    const table_definition_t *definition = definition_of(event);
    if (replaces_last(batch, event)) {
        batch->event_count--;
        batch->bytes -= EVENT_BYTES;
    }
    uint32_t place = STREAM_NO_DEFINITION;
    if (definition) {
        place = find_definition(batch, definition);
        if (place == STREAM_NO_DEFINITION)
            place = add_definition(batch, definition);
    }
    batch->events[batch->event_count++] =
        (stream_message_event_t){.kind = event->kind,
                                 .dispatcher_id = event->dispatcher_id,
                                 .epoch = event->epoch,
                                 .sequence = event->sequence,
                                 .commit_ts = event->commit_ts,
                                 .commit_time = event->commit_time,
                                 .definition = place,
                                 .payload = payload,
                                 .piece = piece,
                                 .continues = continues};
    batch->bytes += EVENT_BYTES + payload.len;
}

stream_events_t stream_batch_message(const stream_batch_t *batch)
{
    return (stream_events_t){.changefeed = batch->changefeed,
                             .definitions = batch->definitions,
                             .definition_count = batch->definition_count,
                             .events = batch->events,
                             .event_count = batch->event_count};
}
