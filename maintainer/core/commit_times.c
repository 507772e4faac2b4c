#include "maintainer/core/commit_times.h"

#include <string.h>

/* Forgets the pair between whose neighbours the least time lies, so that the gaps stay alike. */
static void forget_one(commit_times_t *times)
{
    uint32_t least = 1;
    uint64_t least_gap = UINT64_MAX;
    for (uint32_t i = 1; i + 1 < times->count; i++) {
        uint64_t before = times->pairs[i - 1].time.v, after = times->pairs[i + 1].time.v;
        uint64_t gap = after > before ? after - before : 0;
        if (gap < least_gap) {
            least_gap = gap;
            least = i;
        }
    }
    times->count--;
    memmove(times->pairs + least, times->pairs + least + 1,
            (times->count - least) * sizeof times->pairs[0]);
}

void commit_times_add(commit_times_t *times, commit_ts_t ts, wall_ms_t time)
{
    if (time.v == 0 || (times->count && ts.v <= times->pairs[times->count - 1].ts.v))
        return;
    if (times->count == COMMIT_TIMES_MAX)
        forget_one(times);
    times->pairs[times->count].ts = ts;
    times->pairs[times->count++].time = time;
}

wall_ms_t commit_times_reach(commit_times_t *times, commit_ts_t ts)
{
    uint32_t found = 0;
    while (found + 1 < times->count && times->pairs[found + 1].ts.v <= ts.v)
        found++;
    times->count -= found;
    memmove(times->pairs, times->pairs + found, times->count * sizeof times->pairs[0]);
    bool is_known = times->count > 0 && times->pairs[0].ts.v <= ts.v;
    return is_known ? times->pairs[0].time : (wall_ms_t){0};
}
