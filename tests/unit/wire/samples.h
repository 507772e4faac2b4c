/* One well-formed message of every type, with every field set, for tests of the wire. */
#ifndef SLUICE_TESTS_UNIT_WIRE_SAMPLES_H
#define SLUICE_TESTS_UNIT_WIRE_SAMPLES_H

#include "common/base/arena.h"
#include "common/wire/message.h"

extern const message_type_t sample_types[];
extern const size_t sample_type_count;

/* In the arena. */
message_t *sample_message(message_type_t type, arena_t *arena);

/* A request of one group that reports `count` dispatchers WAITING at an ALL event. */
message_t *sample_block_status(arena_t *arena, uint32_t count);

#endif
