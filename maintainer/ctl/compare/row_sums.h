/*
 * Finds out whether two sets of rows are equal without holding either: every row is digested and
 * added to one of a fixed number of chunks chosen by its key. Chunks whose count or sum differ are
 * then looked at row by row.
 *
 * A row is its canonical cells, the same bytes on both sides for the same value. Order does not
 * matter; a row that is there twice counts twice. Pure.
 *
 * Threads: one at a time.
 */
#ifndef SLUICE_MAINTAINER_CTL_COMPARE_ROW_SUMS_H
#define SLUICE_MAINTAINER_CTL_COMPARE_ROW_SUMS_H

#include "common/base/bytes.h"

#define ROW_SUMS_CHUNKS 1024

/* One value in canonical form; `is_null` has no bytes. */
typedef struct {
    bytes_t bytes;
    bool is_null;
} cell_t;

typedef struct {
    uint64_t high, low;
} row_digest_t;

typedef struct {
    uint64_t count[ROW_SUMS_CHUNKS];
    row_digest_t sum[ROW_SUMS_CHUNKS];
    uint64_t rows;
} row_sums_t;

/* Digest of `count` cells, lengths and NULLs included. */
row_digest_t row_digest(const cell_t *cells, uint32_t count);

/* The chunk of a row whose key has this digest. */
uint32_t row_chunk(row_digest_t key_digest);

void row_sums_init(row_sums_t *sums);
void row_sums_add(row_sums_t *sums, row_digest_t key_digest, row_digest_t digest);

/* Marks the chunks that differ; returns how many. */
uint32_t row_sums_differ(const row_sums_t *a, const row_sums_t *b, bool differs[ROW_SUMS_CHUNKS]);

#endif
