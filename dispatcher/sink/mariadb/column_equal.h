/*
 * Whether a column of the sink holds the same values as the source's: type, sign, charset, size,
 * labels. Names and defaults do not matter here. Pure.
 */
#ifndef SLUICE_DISPATCHER_SINK_MARIADB_COLUMN_EQUAL_H
#define SLUICE_DISPATCHER_SINK_MARIADB_COLUMN_EQUAL_H

#include "common/model/table_definition.h"

/* A row of information_schema.COLUMNS; NULL where it has NULL. */
typedef struct {
    const char *data_type, *column_type, *charset;
    const char *length, *precision, *scale, *fsp;
    bool is_nullable;
} sink_column_t;

bool mariadb_column_equal(const column_definition_t *source, const sink_column_t *sink);

#endif
