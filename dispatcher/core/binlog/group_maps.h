/*
 * Which table the server's table numbers stand for at the moment: one bound map per number, kept
 * from group to group, since a server repeats the same TABLE_MAP before every statement. Used by
 * group_assembler.c alone. Pure. Threads: one owner.
 */
#ifndef SLUICE_DISPATCHER_CORE_BINLOG_GROUP_MAPS_H
#define SLUICE_DISPATCHER_CORE_BINLOG_GROUP_MAPS_H

#include <uthash.h>

#include "dispatcher/core/binlog/group_assembler.h"

/* More are forgotten at the start of the next group, to be parsed again when they come. */
#define GROUP_MAPS_MAX 16384

typedef struct {
    uint64_t map_id;
    const table_map_t *map; /* one reference; NULL: outside the filter */
    uint64_t group;         /* the group in which it was named last */
    uint64_t slot_group;    /* the group in which `slot` is valid */
    uint32_t slot;
    UT_hash_handle hh;
} group_map_t;

/* A value; all zero is empty. */
typedef struct {
    group_map_t *entries;
    uint64_t group; /* number of the present one, from 1 */
} group_maps_t;

/* Forgets everything: also after a DDL, since the maps hold definitions. */
void group_maps_clear(group_maps_t *maps);
void group_maps_begin_group(group_maps_t *maps);

/* Takes in a TABLE_MAP: asks for the definition and binds, unless the map is the one already known.
 * With `is_deferred` the map is parsed only; who asks for the definition later binds it. */
sluice_error_t group_maps_take(group_maps_t *maps, bytes_t body, const group_resolver_t *resolver,
                               bool is_deferred, error_report_t *report) SLUICE_MUST_USE;

/* The entry named in this group, NULL if there is none. */
group_map_t *group_maps_find(group_maps_t *maps, uint64_t map_id);

/* The definition to decode rows of this table with, NULL when it is not ours to carry. */
const table_definition_t *group_resolve(const group_resolver_t *resolver, bytes_t schema,
                                        bytes_t table);

#endif
