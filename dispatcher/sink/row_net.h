/*
 * The netting behind row_batch.h: takes decoded row changes one by one and keeps, per key, only
 * what has become of the row. A key is the bytes of its columns as logged, which is finer than what
 * the columns' collations (or a key's prefix) tell apart. That is enough: whoever applies all
 * deletes before all upserts, and upserts by replacing whatever stands in the way, ends with the
 * source's rows, since the source never holds two keys at once that are equal to a collation.
 *
 * Pure. Threads: one at a time. Lives in the arena given, as the images it was given must, too.
 */
#ifndef SLUICE_DISPATCHER_SINK_ROW_NET_H
#define SLUICE_DISPATCHER_SINK_ROW_NET_H

#include "dispatcher/sink/row_batch.h"

typedef struct row_net row_net_t;

/* Borrows `definition`. */
row_net_t *row_net_new(arena_t *arena, const table_definition_t *definition);

/* Takes one change in statement order. Borrows the images until the batch is done with. */
void row_net_add(row_net_t *net, const row_change_t *change);

/* The net effect of all that was added, each list in the order in which its keys were first
 * touched. source_bytes is left 0. */
void row_net_finish(row_net_t *net, row_batch_t *batch);

#endif
