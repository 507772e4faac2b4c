/*
 * Finds tables that are equal but for their names, so that they share one list of columns and keys:
 * of a hundred thousand tables most have the shape of some other one, and each node keeps them all.
 *
 * The first table of a shape stays as it is and is the others' shape. Tables are equal when they
 * pack to the same bytes: a hash of these finds the one to compare with.
 *
 * Memory: a place in a map for each shape. Those that no table has any more are looked for when
 * there are SHAPES_UNUSED_MAX more than twice as many as were found in use the last time.
 *
 * Pure. Threads: one at a time; what is handed out is counted, and any thread may keep it.
 */
#ifndef SLUICE_DISPATCHER_CORE_DDL_DEFINITION_SHAPES_H
#define SLUICE_DISPATCHER_CORE_DDL_DEFINITION_SHAPES_H

#include "common/base/key_map.h"
#include "common/model/table_definition.h"

#define SHAPES_UNUSED_MAX 1024

/* A value; all zero is empty. */
typedef struct {
    key_map_t by_hash; /* const table_definition_t *, each with a reference */
    size_t sweep_at;   /* so many are looked through */
    arena_t scratch;
} definition_shapes_t;

void definition_shapes_clear(definition_shapes_t *shapes);

/* The same table, in the memory of another one if there is one of its shape. The reference is
 * consumed, and one returned. */
const table_definition_t *definition_shapes_share(definition_shapes_t *shapes,
                                                  const table_definition_t *definition);

#endif
