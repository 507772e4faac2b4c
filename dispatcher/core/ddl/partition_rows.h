/*
 * Which rows a partition holds, as a condition on one column, for sinks without partitions: what
 * DROP and TRUNCATE PARTITION take away is not in the log.
 *
 * Understood is what needs no function of the server: RANGE and LIST, also COLUMNS, over one
 * integer column or a DATE or DATETIME; and RANGE over YEAR (column), TO_DAYS (column) and
 * UNIX_TIMESTAMP (column), whose bounds are made dates and times again.
 *
 * Pure. Threads: functions of their arguments only.
 */
#ifndef SLUICE_DISPATCHER_CORE_DDL_PARTITION_ROWS_H
#define SLUICE_DISPATCHER_CORE_DDL_PARTITION_ROWS_H

#include "common/model/table_definition.h"

/* Values are as MariaDB writes the column's type: "-5", "2020-01-01", "2020-01-01 00:00:00"; of a
 * TIMESTAMP in UTC. A date stands for its midnight where the column is a DATETIME. */
typedef struct {
    uint32_t column;
    bool holds_null; /* rows whose column is NULL are in it too */
    bool is_list;
    const char *lower;         /* RANGE: column >= lower; NULL: no bound */
    const char *upper;         /* RANGE: column < upper; NULL: no bound */
    const char *const *values; /* LIST: column is one of them */
    uint32_t value_count;
} partition_rows_t;

/* false: the table has no such partition, or its rows cannot be told this way. Results are in the
 * arena. */
bool partition_rows_find(const table_definition_t *definition, const char *partition,
                         arena_t *arena, partition_rows_t *rows);

#endif
