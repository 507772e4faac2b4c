/*
 * The DDLs that changed the schema, as they are persisted behind a schema snapshot, from some
 * position on. Beyond its limit the oldest go, and who asks for them has to take a whole snapshot.
 *
 * Threads: one at a time.
 */
#ifndef SLUICE_DISPATCHER_CORE_SCHEMA_HISTORY_H
#define SLUICE_DISPATCHER_CORE_SCHEMA_HISTORY_H

#include "common/base/arena.h"
#include "common/wire/message.h"

#define SCHEMA_HISTORY_BYTES_MAX (UINT64_C(64) << 20)

/* A value. */
typedef struct {
    schema_ddl_t *ddls; /* contents are the history's */
    uint32_t first, count, capacity;
    uint64_t bytes;
    commit_ts_t base; /* everything above it is here */
} schema_history_t;

void schema_history_init(schema_history_t *history, commit_ts_t base);
void schema_history_clear(schema_history_t *history);

/* Behind the newest; copied. */
void schema_history_add(schema_history_t *history, const schema_ddl_t *ddl);
/* Nobody asks for anything at or below `through` any more. */
void schema_history_forget(schema_history_t *history, commit_ts_t through);

/* What lies in (after, *up_to], oldest first, copied into the arena. At most `max`: if there are
 * more, *up_to becomes the commit_ts of the last one returned. SLUICE_ERROR_NOT_FOUND: `after` is
 * below the base. */
sluice_error_t schema_history_read(const schema_history_t *history, commit_ts_t after,
                                   commit_ts_t *up_to, uint32_t max, arena_t *arena,
                                   const schema_ddl_t **ddls, uint32_t *count) SLUICE_MUST_USE;

#endif
