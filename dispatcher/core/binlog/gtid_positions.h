/*
 * The newest group of each GTID domain: what a GTID list says, in a form that is cheap to move
 * forward. Pure. Threads: one owner.
 */
#ifndef SLUICE_DISPATCHER_CORE_BINLOG_GTID_POSITIONS_H
#define SLUICE_DISPATCHER_CORE_BINLOG_GTID_POSITIONS_H

#include "common/model/anchor.h"

/* So many entries of the longest form fit into an anchor's list. */
#define GTID_POSITIONS_MAX 23

typedef struct {
    uint32_t domain;
    uint32_t server_id;
    uint64_t sequence;
} gtid_position_t;

/* A value; all zero is the empty list. */
typedef struct {
    gtid_position_t entries[GTID_POSITIONS_MAX];
    uint32_t count;
} gtid_positions_t;

/* SLUICE_ERROR_MALFORMED: no GTID list; SLUICE_ERROR_TOO_LARGE: more domains than fit. */
sluice_error_t gtid_positions_parse(gtid_positions_t *positions,
                                    const char *gtid_list) SLUICE_MUST_USE;
/* 0 for a domain that is not in it. */
uint64_t gtid_positions_sequence(const gtid_positions_t *positions, uint32_t domain);
/* Whether a group of that domain can be entered. */
bool gtid_positions_has_room(const gtid_positions_t *positions, uint32_t domain);
/* Adds or replaces; SLUICE_ERROR_TOO_LARGE: one domain too many. */
sluice_error_t gtid_positions_set(gtid_positions_t *positions,
                                  gtid_position_t position) SLUICE_MUST_USE;
void gtid_positions_format(const gtid_positions_t *positions, char gtid_list[ANCHOR_GTID_LIST_MAX]);

#endif
