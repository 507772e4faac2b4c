/*
 * What an assembler knows, shared by the file that takes events in (group_intake.c) and the one
 * that hands groups out (group_assembler.c). Private to them.
 */
#ifndef SLUICE_DISPATCHER_CORE_BINLOG_GROUP_STATE_H
#define SLUICE_DISPATCHER_CORE_BINLOG_GROUP_STATE_H

#include "dispatcher/core/binlog/group_assembler.h"
#include "dispatcher/core/binlog/group_maps.h"
#include "dispatcher/core/binlog/group_rows.h"
#include "dispatcher/core/binlog/gtid_positions.h"

typedef enum {
    PHASE_BETWEEN, /* no group is open */
    PHASE_PASSING, /* in a group at or below the anchor; ends with the next GTID */
    PHASE_INSIDE,
    PHASE_COMPLETE /* something is to be taken */
} phase_t;

struct group_assembler {
    group_assembler_options_t options;
    gtid_positions_t positions; /* behind the last group taken */
    wall_ms_t commit_time;      /* of the newest group of our domain */
    bool is_seeking;            /* no group behind the anchor was seen since the start */
    phase_t phase;
    binlog_gtid_t gtid; /* of the open group */
    wall_ms_t gtid_time;
    arena_t query_arena;
    binlog_query_t query; /* the group's DDL */
    bool has_query;
    bool has_rows; /* the group may have rows to be taken; else it is given out as empty */
    group_maps_t maps;
    group_rows_t *rows;
};

/* Whether the open group is of the changefeed's own domain. */
static inline bool group_is_ours(const group_assembler_t *self)
{
    return self->gtid.domain == self->options.domain;
}

/* Drops the open group. */
void group_forget(group_assembler_t *self);

/* Adds to a report that was set by what we called where in the log it happened; `location` may be
 * NULL. Returns `error`. */
sluice_error_t group_at_place(const group_assembler_t *self, const char *location,
                              sluice_error_t error, error_report_t *report);

#endif
