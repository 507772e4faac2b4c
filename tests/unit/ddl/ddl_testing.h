/* What the tests of dispatcher/core/ddl share: definitions from text, and a comparison that says
 * what differs. */
#ifndef SLUICE_TESTS_UNIT_DDL_DDL_TESTING_H
#define SLUICE_TESTS_UNIT_DDL_DDL_TESTING_H

#include "dispatcher/core/ddl/definition.h"

/* The definition a CREATE TABLE makes in schema `db` (latin1 unless `context` says else); NULL and
 * *why when it is not understood. */
table_definition_t *testing_create(const char *sql, const definition_context_t *context,
                                   arena_t *arena, const char **why);

/* What an ALTER TABLE or CREATE, DROP INDEX makes of it. */
table_definition_t *testing_alter(const table_definition_t *before, const char *sql,
                                  const definition_context_t *context, arena_t *arena,
                                  const char **why);

/* NULL when equal in all that a statement can say, else what differs first. Expressions are
 * compared without blanks, backticks and case. */
const char *testing_difference(const table_definition_t *a, const table_definition_t *b,
                               arena_t *arena);

extern const definition_context_t testing_context;     /* explicit timestamps, latin1 */
extern const definition_context_t testing_show_create; /* the same for SHOW CREATE's text */

#endif
