/*
 * What the trigger's node tells the maintainer of the schema (DESIGN §5, Checkpoint): every DDL up
 * to the trigger's checkpoint, in order, until it is persisted; a whole snapshot when something is
 * missing there, and every so many DDLs.
 *
 * Threads: a value, one thread.
 */
#ifndef SLUICE_DISPATCHER_CORE_NODE_SCHEMA_REPORT_H
#define SLUICE_DISPATCHER_CORE_NODE_SCHEMA_REPORT_H

#include "common/base/ids.h"
#include "common/base/time.h"

#define SCHEMA_REPORT_INTERVAL_NS (500 * NS_PER_MS)
#define SCHEMA_SNAPSHOT_RESEND_NS (5 * NS_PER_S)
/* After one that could not be made or sent as a whole. */
#define SCHEMA_SNAPSHOT_RETRY_NS (1 * NS_PER_S)
#define SCHEMA_DDLS_PER_SNAPSHOT 1000

typedef enum { SCHEMA_REPORT_NOTHING, SCHEMA_REPORT_DDLS, SCHEMA_REPORT_SNAPSHOT } schema_news_t;

/* All zero: no trigger here, nothing to tell. */
typedef struct {
    bool is_active;
    bool wants_snapshot;
    bool is_heard; /* the maintainer of now has acknowledged something: it knows what we know */
    commit_ts_t acknowledged; /* persisted up to here */
    commit_ts_t sent_up_to;
    /* The first snapshot sent since one is wanted, NONE: none yet. Repeats are of later positions,
     * since the checkpoint moves on; whichever of them is persisted will do. */
    commit_ts_t first_snapshot;
    uint32_t ddls;     /* acknowledged or sent since the newest snapshot */
    mono_ns_t sent_at; /* newest */
    mono_ns_t due_at;  /* not before */
} schema_report_t;

/* The trigger is here, and starts at `start`. */
void schema_report_start(schema_report_t *report, commit_ts_t start);
void schema_report_stop(schema_report_t *report);

/* Another maintainer listens, which may know less than the one before. */
void schema_report_listens_anew(schema_report_t *report);

/* What to send now, of everything up to `checkpoint`, the trigger's. DDLs: those behind
 * `acknowledged`. */
schema_news_t schema_report_next(const schema_report_t *report, commit_ts_t checkpoint,
                                 mono_ns_t now);
/* `ddls` DDLs, or with `is_snapshot` everything, up to `up_to` was sent. */
void schema_report_sent(schema_report_t *report, bool is_snapshot, commit_ts_t up_to, uint32_t ddls,
                        mono_ns_t now);
/* It could not be sent, or not as a whole: tried again soon. */
void schema_report_failed(schema_report_t *report, mono_ns_t now);
/* What was wanted is no longer known here: only a snapshot helps. */
void schema_report_lost(schema_report_t *report);
/* The maintainer has persisted everything up to `at`. */
void schema_report_acknowledged(schema_report_t *report, commit_ts_t at);

mono_ns_t schema_report_next_deadline(const schema_report_t *report, commit_ts_t checkpoint);

#endif
