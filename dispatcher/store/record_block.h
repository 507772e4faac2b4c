/*
 * Several records of one table in one value, so that a store has few keys: each record is commit_ts
 * (8 bytes, little endian), number (8), length (4), bytes.
 *
 * Pure. Threads: values.
 */
#ifndef SLUICE_DISPATCHER_STORE_RECORD_BLOCK_H
#define SLUICE_DISPATCHER_STORE_RECORD_BLOCK_H

#include "dispatcher/store/event_store.h"

#define RECORD_BLOCK_BYTES_MAX (64 << 10) /* one larger record is a block of its own */

/* How many of the records, all of one table, go into one block; *bytes: its size. */
uint32_t record_block_fit(const store_record_t *records, uint32_t count, size_t *bytes);
void record_block_write(const store_record_t *records, uint32_t count, uint8_t *to);

/* Takes the next record out of *block, which shrinks; false: there is none, or *is_damaged. */
bool record_block_next(bytes_t *block, store_key_t *key, bytes_t *bytes, bool *is_damaged);

#endif
