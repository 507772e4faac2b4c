/*
 * Messages as two frames: header and protobuf body (proto/sluice.proto). The only place that knows
 * protobuf.
 *
 * Decoding validates: every count has a limit, every enum is known, every id has its form; an entry
 * of a list that is wrong by itself (unknown stage, missing id) is left out and counted, the rest
 * of the message is kept (ORACLE §5). What it returns can be given to a core without further checks
 * of form.
 *
 * Threads: stateless.
 */
#ifndef SLUICE_COMMON_WIRE_CODEC_H
#define SLUICE_COMMON_WIRE_CODEC_H

#include "common/base/arena.h"
#include "common/wire/message.h"

typedef struct {
    bytes_t header, body;
} frames_t;

/* Encodes into the arena. SLUICE_ERROR_TOO_LARGE when the body would pass MESSAGE_BYTES_MAX. */
sluice_error_t message_encode(const message_t *message, arena_t *arena,
                              frames_t *frames) SLUICE_MUST_USE;

/* Decodes; message and everything in it live in the arena (nothing borrows the frames).
 * `refused_entries` counts what was left out. Errors: SLUICE_ERROR_MALFORMED,
 * SLUICE_ERROR_TOO_LARGE; SLUICE_ERROR_UNSUPPORTED for another protocol version, with
 * message->header filled as far as it could be read. */
sluice_error_t message_decode(const frames_t *frames, arena_t *arena, message_t *message,
                              uint32_t *refused_entries) SLUICE_MUST_USE;

/* Stable name of a type for logs and metrics; "unknown". */
const char *message_type_name(message_type_t type);
/* No type is above it; not every number below is one. */
#define MESSAGE_TYPE_MAX MESSAGE_STREAM_EVENTS
bool message_type_is_known(message_type_t type);

#endif
