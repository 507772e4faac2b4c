/*
 * From another node's messages back to stream events: pieces put together, definitions and table
 * maps kept, so that a table's rows are decoded with the same ones from message to message.
 *
 * What comes is a peer's word: whatever cannot be decoded becomes NOT_REUSABLE, so that its session
 * reads elsewhere. Limits: one event in pieces at a time, as large as stream_batch.h says; as many
 * definitions as DEFINITIONS_KEPT.
 *
 * Threads: one.
 */
#ifndef SLUICE_DISPATCHER_CORE_NODE_STREAM_DECODER_H
#define SLUICE_DISPATCHER_CORE_NODE_STREAM_DECODER_H

#include "dispatcher/core/stream.h"

typedef struct stream_decoder stream_decoder_t;

stream_decoder_t *stream_decoder_new(void);
/* NULL is allowed. */
void stream_decoder_destroy(stream_decoder_t **decoder);

/* Takes the next event of a message; they must be given in order, messages too. True: *event is
 * one, the caller's to clear. False: it is not whole yet, or a piece of one whose beginning is
 * missing. */
bool stream_decoder_take(stream_decoder_t *decoder, const stream_events_t *message, uint32_t index,
                         stream_event_t *event);

/* Events that could not be decoded. */
uint64_t stream_decoder_refused(const stream_decoder_t *decoder);

#endif
