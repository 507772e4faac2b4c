/*
 * What outlives the maintainer: slots of nodes; changefeeds with configuration, state, checkpoint
 * and anchor; schema snapshots and the DDLs behind them. One interface; adapters: SQLite.
 *
 * A write is durable when its call has returned SLUICE_OK, or, between begin and commit, when
 * commit has. A store that is full, damaged, or of a newer format is an error, never begun anew.
 * One maintainer per store: opening locks it.
 *
 * Threads: one at a time. Every call may block on the disk.
 */
#ifndef SLUICE_MAINTAINER_META_META_STORE_H
#define SLUICE_MAINTAINER_META_META_STORE_H

#include "maintainer/core/effects.h"

typedef struct meta_store meta_store_t;

typedef struct {
    node_id_t node;
    uint32_t slot;
} meta_slot_t;

/* What a node needs to decode a log from an anchor on. */
typedef struct {
    commit_ts_t snapshot_ts;
    bytes_t snapshot;
    const schema_ddl_t *ddls; /* in (snapshot_ts, the position asked for], ascending */
    uint32_t ddl_count;
} meta_schema_t;

/* Errors of all of them: NO_SPACE, IO, META_STORE (damaged or used wrongly); the report has the
 * store's own words. */
typedef struct {
    void (*close)(meta_store_t *store);

    sluice_error_t (*load_slots)(meta_store_t *store, arena_t *arena, meta_slot_t **slots,
                                 uint32_t *count, error_report_t *report);
    /* Raises every changefeed's maintainer_epoch by one, or to `epoch_min` if that is more, and
     * returns them with the new one: from now on they are ours. */
    sluice_error_t (*take_over)(meta_store_t *store, uint64_t epoch_min, arena_t *arena,
                                stored_changefeed_t **list, uint32_t *count,
                                error_report_t *report);

    /* Puts the writes up to commit together. If one of them fails, the others are still made; if
     * commit fails, none is. */
    sluice_error_t (*begin)(meta_store_t *store, error_report_t *report);
    sluice_error_t (*commit)(meta_store_t *store, error_report_t *report);

    /* A node that had the slot loses it. */
    sluice_error_t (*put_slot)(meta_store_t *store, const node_id_t *node, uint32_t slot,
                               error_report_t *report);
    /* New, or replaced as a whole; schema of older generations goes. EXISTS: another one has the
     * name; NOT_OWNER: the stored epoch is higher. */
    sluice_error_t (*put_changefeed)(meta_store_t *store, const stored_changefeed_t *changefeed,
                                     error_report_t *report);
    /* State, epoch, error. The following are NOT_OWNER when the stored epoch is higher (checkpoint:
     * is not the one given) or the generation is another, NOT_FOUND when it is not stored. */
    sluice_error_t (*put_state)(meta_store_t *store, const changefeed_ref_t *changefeed,
                                const stored_changefeed_t *state, error_report_t *report);
    sluice_error_t (*put_checkpoint)(meta_store_t *store, const changefeed_ref_t *changefeed,
                                     uint64_t maintainer_epoch, commit_ts_t checkpoint,
                                     const anchor_t *anchor, error_report_t *report);
    /* Piece 0 replaces an unfinished one of the same position; one that is complete stays. A piece
     * out of order is STATE. Needs no changefeed yet. */
    sluice_error_t (*put_snapshot)(meta_store_t *store, const changefeed_ref_t *changefeed,
                                   commit_ts_t at, uint32_t piece, bool is_last, bytes_t content,
                                   error_report_t *report);
    sluice_error_t (*put_ddls)(meta_store_t *store, const changefeed_ref_t *changefeed,
                               uint64_t maintainer_epoch, const schema_ddl_t *ddls, uint32_t count,
                               commit_ts_t schema_to, error_report_t *report);
    /* Snapshots before `at`, DDLs at or before it. */
    sluice_error_t (*forget_schema)(meta_store_t *store, const changefeed_ref_t *changefeed,
                                    commit_ts_t at, error_report_t *report);
    sluice_error_t (*forget_changefeed)(meta_store_t *store, const changefeed_ref_t *changefeed,
                                        error_report_t *report);

    /* The newest complete snapshot at or below `at` and the DDLs behind it up to `at`. NOT_FOUND:
     * there is none. */
    sluice_error_t (*load_schema)(meta_store_t *store, const changefeed_ref_t *changefeed,
                                  commit_ts_t at, arena_t *arena, meta_schema_t *schema,
                                  error_report_t *report);

    /* Everything stored of one changefeed. NOT_FOUND, also for another generation. */
    sluice_error_t (*load_changefeed)(meta_store_t *store, const changefeed_ref_t *changefeed,
                                      arena_t *arena, stored_changefeed_t *stored,
                                      error_report_t *report);

    /* Whether the store is still the one that was locked. NOT_OWNER: it was replaced or removed. */
    sluice_error_t (*confirm)(meta_store_t *store, error_report_t *report);
} meta_store_class_t;

struct meta_store {
    const meta_store_class_t *class;
};

/* Opens `directory`/meta.db, made if it is not there. LOCKED: another process has it; META_VERSION:
 * a newer format; META_STORE: damaged, empty, or no such file of ours. */
sluice_error_t meta_sqlite_open(const char *directory, meta_store_t **store,
                                error_report_t *report) SLUICE_MUST_USE;

/* NULL is allowed; *store becomes NULL. */
void meta_store_close(meta_store_t **store);

#endif
