/*
 * How many row changes of a transaction are out already, for tables that stand inside one that came
 * in parts (DESIGN §6): the next part's rows are counted on from there. A table that is not in it
 * starts with 1.
 *
 * Threads: any.
 */
#ifndef SLUICE_DISPATCHER_SINK_FILE_SEQUENCE_MAP_H
#define SLUICE_DISPATCHER_SINK_FILE_SEQUENCE_MAP_H

#include "common/base/ids.h"

typedef struct sequence_map sequence_map_t;

sequence_map_t *sequence_map_new(void);
void sequence_map_destroy(sequence_map_t **map);

/* Row changes of (table, commit_ts) that are out; 0 for another commit_ts than the stored one. */
uint64_t sequence_map_get(sequence_map_t *map, table_id_t table_id, commit_ts_t ts);
void sequence_map_put(sequence_map_t *map, table_id_t table_id, commit_ts_t ts, uint64_t count);
/* The transaction is complete, or the table starts again. */
void sequence_map_forget(sequence_map_t *map, table_id_t table_id);

#endif
