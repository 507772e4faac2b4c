/*
 * Versions of schemas and tables by name: what each was from which commit_ts on. Whoever looks at
 * the newest pays one hash look-up; older versions are kept until they are forgotten.
 *
 * Only the schema tracker uses it. Threads: one owner.
 */
#ifndef SLUICE_DISPATCHER_CORE_DDL_SCHEMA_STORE_H
#define SLUICE_DISPATCHER_CORE_DDL_SCHEMA_STORE_H

#include "common/model/table_definition.h"
#include "dispatcher/core/ddl/collation.h"

typedef struct schema_store schema_store_t;

typedef struct {
    commit_ts_t from;
    const table_definition_t *definition; /* one reference; NULL: not there */
    bool is_delivered; /* a table the filter takes, or a view that was delivered */
} table_version_t;

typedef struct {
    commit_ts_t from;
    bool exists;
    charset_choice_t charset; /* texts live as long as the store */
} schema_version_t;

schema_store_t *schema_store_new(void);
void schema_store_destroy(schema_store_t **store);

/* A new newest version; one at the same commit_ts is replaced. The definition's reference is
 * consumed, and what is kept may be an equal one in the memory of another table's. NULL definition:
 * the table is gone. `schema` and `name` may be the definition's. */
void schema_store_put_table(schema_store_t *store, commit_ts_t from, const char *schema,
                            const char *name, const table_definition_t *definition,
                            bool is_delivered);
void schema_store_put_schema(schema_store_t *store, commit_ts_t from, const char *schema,
                             bool exists, charset_choice_t charset);

/* The newest version, or that valid at `at`; NULL when the table is not there. */
const table_version_t *schema_store_table(const schema_store_t *store, bytes_t schema,
                                          bytes_t name);
const table_version_t *schema_store_table_at(const schema_store_t *store, bytes_t schema,
                                             bytes_t name, commit_ts_t at);
/* NULL when the schema is not known. */
const schema_version_t *schema_store_schema(const schema_store_t *store, bytes_t schema);

/* All that is there at `at`; *position begins at 0; NULL at the end. */
const table_version_t *schema_store_next_table(const schema_store_t *store, commit_ts_t at,
                                               size_t *position);
const schema_version_t *schema_store_next_schema(const schema_store_t *store, commit_ts_t at,
                                                 size_t *position, const char **name);

/* Versions that were replaced at or before `persisted`. */
void schema_store_forget(schema_store_t *store, commit_ts_t persisted);

#endif
