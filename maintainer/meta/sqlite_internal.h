/* What the files of the SQLite meta store share. */
#ifndef SLUICE_MAINTAINER_META_SQLITE_INTERNAL_H
#define SLUICE_MAINTAINER_META_SQLITE_INTERNAL_H

#include <sqlite3.h>
#include <sys/types.h>

#include "maintainer/meta/meta_store.h"

typedef struct {
    meta_store_t base;
    sqlite3 *db;
    char *path;
    dev_t device;
    ino_t inode;
} sqlite_store_t;

static inline sqlite_store_t *sqlite_store(meta_store_t *store)
{
    return (sqlite_store_t *)store;
}

/* The error that SQLite's newest failure is, with its words. */
sluice_error_t sqlite_failure(sqlite3 *db, error_report_t *report);

/* Runs text without parameters. */
sluice_error_t sqlite_run(sqlite3 *db, const char *sql, error_report_t *report) SLUICE_MUST_USE;

/* One statement: prepared, bound in order, stepped, finished. An error is kept and makes the rest
 * do nothing; statement_finish returns it. */
typedef struct {
    sqlite3 *db;
    sqlite3_stmt *statement;
    int bound;
    int column;
    sluice_error_t error;
    error_report_t *report;
} statement_t;

statement_t statement_begin(meta_store_t *store, const char *sql, error_report_t *report);
void statement_bind_number(statement_t *self, uint64_t number);
void statement_bind_text(statement_t *self, bytes_t text);
void statement_bind_blob(statement_t *self, bytes_t blob);
void statement_bind_uuid(statement_t *self, const changefeed_ref_t *changefeed);
/* true when there is a row; its columns are then read in order. */
bool statement_next(statement_t *self);
uint64_t statement_number(statement_t *self);
/* Copied into the arena. */
bytes_t statement_bytes(statement_t *self, arena_t *arena);
sluice_error_t statement_finish(statement_t *self) SLUICE_MUST_USE;
/* Steps to the end without rows; *changes (may be NULL) is the number of rows written. */
sluice_error_t statement_execute(statement_t *self, int *changes) SLUICE_MUST_USE;

/* ---- changefeeds (sqlite_changefeed.c) ---- */
sluice_error_t sqlite_take_over(meta_store_t *store, uint64_t epoch_min, arena_t *arena,
                                stored_changefeed_t **list, uint32_t *count,
                                error_report_t *report);
sluice_error_t sqlite_load_changefeed(meta_store_t *store, const changefeed_ref_t *changefeed,
                                      arena_t *arena, stored_changefeed_t *stored,
                                      error_report_t *report);
sluice_error_t sqlite_put_changefeed(meta_store_t *store, const stored_changefeed_t *changefeed,
                                     error_report_t *report);
sluice_error_t sqlite_put_state(meta_store_t *store, const changefeed_ref_t *changefeed,
                                const stored_changefeed_t *state, error_report_t *report);
sluice_error_t sqlite_put_checkpoint(meta_store_t *store, const changefeed_ref_t *changefeed,
                                     uint64_t maintainer_epoch, commit_ts_t checkpoint,
                                     const anchor_t *anchor, error_report_t *report);
sluice_error_t sqlite_forget_changefeed(meta_store_t *store, const changefeed_ref_t *changefeed,
                                        error_report_t *report);
/* OK when the changefeed is stored with this generation and an epoch not above `maintainer_epoch`.
 */
sluice_error_t sqlite_check_owner(meta_store_t *store, const changefeed_ref_t *changefeed,
                                  uint64_t maintainer_epoch, error_report_t *report);

/* ---- schema (sqlite_schema.c) ---- */
sluice_error_t sqlite_put_snapshot(meta_store_t *store, const changefeed_ref_t *changefeed,
                                   commit_ts_t at, uint32_t piece, bool is_last, bytes_t content,
                                   error_report_t *report);
sluice_error_t sqlite_put_ddls(meta_store_t *store, const changefeed_ref_t *changefeed,
                               uint64_t maintainer_epoch, const schema_ddl_t *ddls, uint32_t count,
                               commit_ts_t schema_to, error_report_t *report);
sluice_error_t sqlite_forget_schema(meta_store_t *store, const changefeed_ref_t *changefeed,
                                    commit_ts_t at, error_report_t *report);
sluice_error_t sqlite_load_schema(meta_store_t *store, const changefeed_ref_t *changefeed,
                                  commit_ts_t at, arena_t *arena, meta_schema_t *schema,
                                  error_report_t *report);

#endif
