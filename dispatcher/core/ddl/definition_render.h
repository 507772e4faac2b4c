/*
 * Definitions written as MariaDB statements.
 *
 * Threads: functions of their arguments only.
 */
#ifndef SLUICE_DISPATCHER_CORE_DDL_DEFINITION_RENDER_H
#define SLUICE_DISPATCHER_CORE_DDL_DEFINITION_RENDER_H

#include "common/model/table_definition.h"

enum {
    RENDER_OR_REPLACE = 1 << 0,
    RENDER_IF_NOT_EXISTS = 1 << 1,
    RENDER_WITHOUT_FOREIGN_KEYS = 1 << 2 /* as CREATE TABLE … LIKE leaves them out */
};

/* A CREATE TABLE that makes the definition under schema.name (of the definition itself when NULL),
 * for sql_mode '' or any without NO_BACKSLASH_ESCAPES; identifiers in backticks. UTF-8, in the
 * arena. */
const char *definition_render_create(const table_definition_t *definition, const char *schema,
                                     const char *name, unsigned flags, arena_t *arena);

/* Only the column as it stands inside a CREATE TABLE, name included. */
const char *definition_render_column(const table_definition_t *definition, uint32_t column,
                                     arena_t *arena);

/* `name` in backticks, backticks doubled. */
const char *identifier_quote(const char *name, arena_t *arena);

#endif
