/*
 * The optional metadata at the end of a TABLE_MAP (binlog_row_metadata MINIMAL or FULL). Used by
 * table_map.c alone.
 */
#ifndef SLUICE_DISPATCHER_CORE_BINLOG_TABLE_MAP_METADATA_H
#define SLUICE_DISPATCHER_CORE_BINLOG_TABLE_MAP_METADATA_H

#include "dispatcher/core/binlog/table_map.h"

/* Fills what `metadata` says into `map` and its `columns`, whose types are known. Fields of a kind
 * we do not know are left out. SLUICE_ERROR_SOURCE_CORRUPT. */
sluice_error_t table_map_metadata_parse(table_map_t *map, table_map_column_t *columns,
                                        bytes_t metadata) SLUICE_MUST_USE;

#endif
