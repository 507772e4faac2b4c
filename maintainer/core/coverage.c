#include "maintainer/core/coverage.h"

#include <stdlib.h>

#include "common/base/memory.h"

void count_checker_init(count_checker_t *checker, const table_id_t *ids, uint32_t count)
{
    *checker = (count_checker_t){.ids = ids, .count = count};
    checker->is_reported = memory_zalloc((count ? count : 1) * sizeof *checker->is_reported);
}

void count_checker_clear(count_checker_t *checker)
{
    free(checker->is_reported);
    *checker = (count_checker_t){0};
}

static int compare_ids(const void *a, const void *b)
{
    table_id_t x = *(const table_id_t *)a, y = *(const table_id_t *)b;
    return (x.v > y.v) - (x.v < y.v);
}

void count_checker_add(count_checker_t *checker, table_id_t table_id)
{
    const table_id_t *found = checker->count ? bsearch(&table_id, checker->ids, checker->count,
                                                       sizeof *checker->ids, compare_ids)
                                             : NULL;
    if (!found || checker->is_reported[found - checker->ids])
        return;
    checker->is_reported[found - checker->ids] = true;
    checker->reported++;
}

bool count_checker_is_covered(const count_checker_t *checker)
{
    return checker->reported == checker->count;
}

void count_checker_reset(count_checker_t *checker)
{
    memset(checker->is_reported, 0, checker->count * sizeof *checker->is_reported);
    checker->reported = 0;
}

void range_checker_init(range_checker_t *checker)
{
    *checker = (range_checker_t){0};
}

void range_checker_clear(range_checker_t *checker)
{
    free(checker->ranges);
    *checker = (range_checker_t){0};
}

void range_checker_add(range_checker_t *checker, span_t range)
{
    if (checker->count == checker->capacity) {
        checker->capacity = checker->capacity ? checker->capacity * 2 : 8;
        checker->ranges =
            memory_realloc(checker->ranges, checker->capacity * sizeof *checker->ranges);
    }
    checker->ranges[checker->count++] = range;
    checker->is_sorted = false;
}

static int compare_starts(const void *a, const void *b)
{
    return bytes_compare(((const span_t *)a)->start_key, ((const span_t *)b)->start_key);
}

bool range_checker_is_covered(range_checker_t *checker, bytes_t start_key, bytes_t end_key)
{
    if (!checker->is_sorted && checker->count) {
        qsort(checker->ranges, checker->count, sizeof *checker->ranges, compare_starts);
        checker->is_sorted = true;
    }
    bytes_t reached = start_key;
    for (uint32_t i = 0; i < checker->count; i++) {
        const span_t *range = &checker->ranges[i];
        if (bytes_compare(range->start_key, reached) > 0)
            return false;
        if (range->end_key.len == 0)
            return true;
        if (bytes_compare(range->end_key, reached) > 0)
            reached = range->end_key;
        if (end_key.len && bytes_compare(reached, end_key) >= 0)
            return true;
    }
    return false;
}

void range_checker_reset(range_checker_t *checker)
{
    checker->count = 0;
    checker->is_sorted = false;
}
