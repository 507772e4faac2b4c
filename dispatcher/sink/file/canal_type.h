/*
 * Types as canal-json names them (MARIADB.md §9.1): the JDBC type codes of "sqlType" and the names
 * of "mysqlType". Pure.
 */
#ifndef SLUICE_DISPATCHER_SINK_FILE_CANAL_TYPE_H
#define SLUICE_DISPATCHER_SINK_FILE_CANAL_TYPE_H

#include "common/model/table_definition.h"
#include "common/model/value.h"
#include "dispatcher/sink/sink_text.h"

/* The code for a column that holds `value` (NULL: for the type alone). Only unsigned integers
 * depend on the value: one too large for the signed type has the code of the next larger one. */
int canal_type_code(const column_definition_t *column, const value_t *value);

/* Whether the code depends on the value. */
bool canal_type_varies(const column_definition_t *column);

/* "int unsigned"; with parameters "int(11) unsigned", "decimal(10,4)", "enum('a','b')". */
void canal_type_name(sink_text_t *out, const column_definition_t *column, bool with_parameters);

#endif
