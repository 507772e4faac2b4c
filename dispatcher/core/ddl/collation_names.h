/*
 * The collations of MariaDB below id 2048, ascending by id. Only collation.c reads it.
 */
#ifndef SLUICE_DISPATCHER_CORE_DDL_COLLATION_NAMES_H
#define SLUICE_DISPATCHER_CORE_DDL_COLLATION_NAMES_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint16_t id;
    const char *name;
} collation_name_t;

extern const collation_name_t collation_names[];
extern const size_t collation_name_count;

#endif
