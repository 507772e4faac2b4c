/*
 * Column-wise arrays in the form that Connector/C binds for a bulk execute. How each type travels
 * (MARIADB.md §9): numbers, BIT, YEAR, ENUM index and SET mask as 64-bit integers, DECIMAL as its
 * digits, everything temporal as text, everything else as bytes.
 */
#ifndef SLUICE_DISPATCHER_SINK_MARIADB_BINDING_H
#define SLUICE_DISPATCHER_SINK_MARIADB_BINDING_H

#include <mysql.h>

#include "common/base/arena.h"
#include "common/model/table_definition.h"
#include "common/model/value.h"

/* Fills `bind` with column `column` of `count` images; arrays come from `arena`, bytes are borrowed
 * from the images. */
void mariadb_binding_fill(MYSQL_BIND *bind, const column_definition_t *column,
                          const value_t *const *images, uint32_t column_index, uint32_t count,
                          arena_t *arena);

/* Bytes that a value takes in the packet, at most. */
size_t mariadb_binding_size(const value_t *value);

#endif
