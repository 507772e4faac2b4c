/*
 * The tracker's own binary form: numbers as LEB128, texts with their length. Reading never goes
 * beyond the bytes given: whatever does not fit sets `failed`, and all later readings give zero.
 *
 * Threads: values.
 */
#ifndef SLUICE_DISPATCHER_CORE_DDL_PACKING_H
#define SLUICE_DISPATCHER_CORE_DDL_PACKING_H

#include "dispatcher/core/ddl/text_builder.h"

typedef struct {
    const uint8_t *at, *end;
    bool failed;
    arena_t *arena; /* texts that are read go here */
} unpacker_t;

void pack_number(text_builder_t *to, uint64_t value);
void pack_bytes(text_builder_t *to, bytes_t value);
/* NULL is kept apart from "". */
void pack_text(text_builder_t *to, const char *text);

unpacker_t unpacker_of(bytes_t bytes, arena_t *arena);
uint64_t unpack_number(unpacker_t *from);
/* A number that must be at most `max`. */
uint32_t unpack_below(unpacker_t *from, uint32_t max);
/* How many elements follow, each of which takes at least `least` bytes (not 0), so that room made
 * for them stays in proportion to what was sent. */
uint32_t unpack_count_of(unpacker_t *from, uint32_t least);
/* ... at least one byte. */
uint32_t unpack_count(unpacker_t *from);
/* Borrowed from what is read. */
bytes_t unpack_bytes(unpacker_t *from);
/* In the arena; a text with a NUL byte fails. */
const char *unpack_text(unpacker_t *from);
/* A text that must be there; "" when it failed. */
const char *unpack_name(unpacker_t *from);

#endif
