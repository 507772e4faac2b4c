/*
 * An event store that is an array, for tests of the event service and the simulator: carries out
 * requests as the real one has to (dispatcher/core/store_request.h), when and as its user says.
 *
 * Threads: one owner.
 */
#ifndef SLUICE_TESTS_MEMORY_STORE_H
#define SLUICE_TESTS_MEMORY_STORE_H

#include "dispatcher/core/store_request.h"

typedef struct {
    store_part_t part;
    const table_definition_t *definition; /* one reference */
    bytes_t encoded;                      /* NULL unless as_bytes */
    uint64_t bytes;
} memory_part_t;

/* A value; all zero is an empty store that keeps references. */
typedef struct {
    bool as_bytes;      /* rows go through the codec */
    uint64_t bytes_max; /* 0: no limit */
    bool fails;         /* the next request does */
    bool has_failed;
    memory_part_t *parts;
    uint32_t count, capacity;
    uint64_t bytes;
} memory_store_t;

/* Consumes the request; the answer is the caller's. */
void memory_store_execute(memory_store_t *store, store_request_t *request, store_answer_t *answer);
void memory_store_clear(memory_store_t *store);

#endif
