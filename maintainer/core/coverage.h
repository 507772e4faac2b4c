/*
 * Whether a set of reports covers what it must: by count, for whole tables, and by key range, for
 * split ones. Small pure helpers of the barrier.
 *
 * Threads: values, one at a time.
 */
#ifndef SLUICE_MAINTAINER_CORE_COVERAGE_H
#define SLUICE_MAINTAINER_CORE_COVERAGE_H

#include "common/base/ids.h"

/* ---- a listed set of tables, each to be reported once ---- */

typedef struct {
    const table_id_t *ids; /* ascending, borrowed */
    bool *is_reported;
    uint32_t count, reported;
} count_checker_t;

void count_checker_init(count_checker_t *checker, const table_id_t *ids, uint32_t count);
void count_checker_clear(count_checker_t *checker);
/* No effect for a table that is not in the set, or was reported before. */
void count_checker_add(count_checker_t *checker, table_id_t table_id);
bool count_checker_is_covered(const count_checker_t *checker);
void count_checker_reset(count_checker_t *checker);

/* ---- the key ranges of one table, to be covered without a gap ---- */

typedef struct {
    span_t *ranges;
    uint32_t count, capacity;
    bool is_sorted;
} range_checker_t;

void range_checker_init(range_checker_t *checker);
void range_checker_clear(range_checker_t *checker);
/* The range's keys are borrowed until reset or clear. Ranges may overlap. */
void range_checker_add(range_checker_t *checker, span_t range);
/* Whether [start_key, end_key) is covered; an empty start is the lowest key, an empty end
 * unbounded. */
bool range_checker_is_covered(range_checker_t *checker, bytes_t start_key, bytes_t end_key);
void range_checker_reset(range_checker_t *checker);

#endif
