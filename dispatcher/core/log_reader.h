/*
 * From raw binlog events to what the event service keeps: transactions of carried tables, DDLs that
 * concern the changefeed, sync points, and how far the log has been read (DESIGN §1, §6, §7).
 *
 * Use: push one event, take until there is nothing more, push the next. An error ends the reading
 * for good; its report names the position.
 *
 * A sync point lies after group g when the next group's commit_time is in a later interval than
 * g's own: it is known, and comes out, only when the next group does.
 *
 * Pure. Threads: one owner, who also owns the schema tracker while push and take run.
 */
#ifndef SLUICE_DISPATCHER_CORE_LOG_READER_H
#define SLUICE_DISPATCHER_CORE_LOG_READER_H

#include "dispatcher/core/binlog/group_assembler.h"
#include "dispatcher/core/ddl/schema_tracker.h"
#include "dispatcher/core/feed_item.h"

typedef struct log_reader log_reader_t;

typedef struct {
    uint32_t domain;
    anchor_t anchor; /* the tracker's state is that of anchor.commit_ts */
    uint64_t group_bytes_max;
    group_spill_t spill;
    uint64_t syncpoint_interval_ms; /* 0: off; less than a second counts as one */
    const table_filter_t *filter;   /* the tracker's; borrowed likewise */
    schema_tracker_t *tracker;      /* borrowed for the reader's life; goes forward in take */
    /* Stands in for schema_tracker_apply where others look into the tracker meanwhile; NULL: that
     * itself. The reader's own looks into it are only ever between two applies. */
    sluice_error_t (*apply)(void *context, const logged_ddl_t *ddl, schema_outcome_t *outcome,
                            error_report_t *report);
    void *apply_context;
} log_reader_options_t;

sluice_error_t log_reader_new(const log_reader_options_t *options,
                              log_reader_t **reader) SLUICE_MUST_USE;
void log_reader_destroy(log_reader_t **reader);

/* One event as raw_event_t has it; copied as far as needed. `location` is borrowed until the next
 * push. Errors: those of the group assembler. */
sluice_error_t log_reader_push(log_reader_t *reader, bytes_t event, const char *location,
                               error_report_t *report) SLUICE_MUST_USE;

/* Beside an item, something a person should know. */
typedef struct {
    const char *skipped_kind; /* a kind of DDL that is never replicated; NULL: none */
    const char *warning;      /* NULL: none; borrowed until the next take */
} log_note_t;

/* The next item, the caller's to clear; *has_item false: push more. Errors: those of the group
 * assembler and of the schema tracker. */
sluice_error_t log_reader_take(log_reader_t *reader, feed_item_t *item, bool *has_item,
                               log_note_t *note, error_report_t *report) SLUICE_MUST_USE;

/* Forgets an incomplete group: the log is opened again at log_reader_anchor. */
void log_reader_reset(log_reader_t *reader);

/* Behind the last complete group that was taken. */
void log_reader_anchor(const log_reader_t *reader, anchor_t *anchor);
/* Its commit_ts. */
commit_ts_t log_reader_position(const log_reader_t *reader);

/* Whether all that was pushed has been taken and ends with a complete group. */
bool log_reader_is_between_groups(const log_reader_t *reader);

#endif
