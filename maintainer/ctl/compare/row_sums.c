#include "maintainer/ctl/compare/row_sums.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

row_digest_t row_digest(const cell_t *cells, uint32_t count)
{
    XXH3_state_t state;
    XXH3_128bits_reset(&state);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t len = cells[i].is_null ? UINT64_MAX : cells[i].bytes.len;
        XXH3_128bits_update(&state, &len, sizeof len);
        if (!cells[i].is_null)
            XXH3_128bits_update(&state, cells[i].bytes.data, cells[i].bytes.len);
    }
    XXH128_hash_t hash = XXH3_128bits_digest(&state);
    return (row_digest_t){.high = hash.high64, .low = hash.low64};
}

uint32_t row_chunk(row_digest_t key_digest)
{
    return (uint32_t)(key_digest.low % ROW_SUMS_CHUNKS);
}

void row_sums_init(row_sums_t *sums)
{
    memset(sums, 0, sizeof *sums);
}

void row_sums_add(row_sums_t *sums, row_digest_t key_digest, row_digest_t digest)
{
    uint32_t chunk = row_chunk(key_digest);
    sums->count[chunk]++;
    sums->sum[chunk].high += digest.high;
    sums->sum[chunk].low += digest.low;
    sums->rows++;
}

uint32_t row_sums_differ(const row_sums_t *a, const row_sums_t *b, bool differs[ROW_SUMS_CHUNKS])
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < ROW_SUMS_CHUNKS; i++) {
        differs[i] = a->count[i] != b->count[i] || a->sum[i].high != b->sum[i].high ||
                     a->sum[i].low != b->sum[i].low;
        count += differs[i];
    }
    return count;
}
