/*
 * Definitions written as MariaDB statements.
 *
 * Threads: functions of their arguments only.
 */
#ifndef SLUICE_DISPATCHER_CORE_DDL_DEFINITION_RENDER_H
#define SLUICE_DISPATCHER_CORE_DDL_DEFINITION_RENDER_H

#include "common/model/table_definition.h"

enum { RENDER_OR_REPLACE = 1 << 0, RENDER_IF_NOT_EXISTS = 1 << 1 };

/* A CREATE TABLE that makes the definition under schema.name (of the definition itself when NULL),
 * for sql_mode '' or any without NO_BACKSLASH_ESCAPES; identifiers in backticks. UTF-8, in the
 * arena. */
const char *definition_render_create(const table_definition_t *definition, const char *schema,
                                     const char *name, unsigned flags, arena_t *arena);

#endif
