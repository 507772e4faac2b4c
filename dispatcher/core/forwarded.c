#include "dispatcher/core/forwarded.h"

void forwarded_init(forwarded_t *forwarded, position_t start)
{
    *forwarded = (forwarded_t){
        .commit_ts = start.checkpoint, .phase = FORWARDED_ROWS, .parts = FORWARDED_ALL_PARTS};
    event_key_t at_start = {start.checkpoint, true};
    if (start.checkpoint.v && event_key_compare(start.passed, at_start) >= 0)
        forwarded->phase = FORWARDED_SYNCPOINT;
}

void forwarded_reset(forwarded_t *forwarded)
{
    forwarded->parts_to_skip = forwarded->parts;
}

static void note(forwarded_t *forwarded, commit_ts_t commit_ts, forwarded_phase_t phase,
                 uint32_t parts)
{
    forwarded->commit_ts = commit_ts;
    forwarded->phase = phase;
    forwarded->parts = parts;
    forwarded->parts_to_skip = 0;
}

bool forwarded_admit(forwarded_t *forwarded, commit_ts_t commit_ts, forwarded_phase_t phase)
{
    if (commit_ts.v < forwarded->commit_ts.v ||
        (commit_ts.v == forwarded->commit_ts.v && phase <= forwarded->phase))
        return false;
    note(forwarded, commit_ts, phase, phase == FORWARDED_DDL ? 0 : FORWARDED_ALL_PARTS);
    return true;
}

bool forwarded_admit_rows(forwarded_t *forwarded, commit_ts_t commit_ts, bool is_last)
{
    if (commit_ts.v < forwarded->commit_ts.v)
        return false;
    if (commit_ts.v > forwarded->commit_ts.v || forwarded->phase < FORWARDED_ROWS) {
        note(forwarded, commit_ts, FORWARDED_ROWS, is_last ? FORWARDED_ALL_PARTS : 1);
        return true;
    }
    if (forwarded->phase == FORWARDED_SYNCPOINT || forwarded->parts == FORWARDED_ALL_PARTS)
        return false;
    bool is_new = forwarded->parts_to_skip == 0;
    if (is_new)
        forwarded->parts++;
    else
        forwarded->parts_to_skip--;
    if (is_last)
        forwarded->parts = FORWARDED_ALL_PARTS;
    return is_new;
}

bool forwarded_is_inside(const forwarded_t *forwarded, commit_ts_t commit_ts)
{
    return forwarded->commit_ts.v == commit_ts.v && forwarded->phase == FORWARDED_ROWS &&
           forwarded->parts && forwarded->parts != FORWARDED_ALL_PARTS;
}

void forwarded_note_resolved(forwarded_t *forwarded, commit_ts_t commit_ts)
{
    if (commit_ts.v > forwarded->commit_ts.v ||
        (commit_ts.v == forwarded->commit_ts.v && forwarded->phase <= FORWARDED_ROWS))
        note(forwarded, commit_ts, FORWARDED_ROWS, FORWARDED_ALL_PARTS);
}
