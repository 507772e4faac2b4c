/*
 * What every schema and table of the source looks like, at every commit_ts from the persisted
 * checkpoint to the newest DDL read, and what each DDL means for the changefeed (DESIGN §5, §7).
 *
 * Definitions of all tables outside the system schemas are kept, those the filter takes are marked
 * as carried: a CREATE TABLE … LIKE of a table outside the filter has to be written out in full.
 * Views and sequences are kept too (is_view, is_sequence), so that a DROP or RENAME of one is
 * understood; they are never in the table list.
 *
 * Pure: no clock, no I/O. Threads: one at a time; definitions and events handed out are immutable
 * and counted, so any thread may keep them.
 */
#ifndef SLUICE_DISPATCHER_CORE_DDL_SCHEMA_TRACKER_H
#define SLUICE_DISPATCHER_CORE_DDL_SCHEMA_TRACKER_H

#include "common/filter/table_filter.h"
#include "dispatcher/core/ddl/ddl_event.h"

typedef struct schema_tracker schema_tracker_t;

typedef struct {
    const table_filter_t *filter; /* borrowed for the tracker's life */
    bool lower_case_names;        /* the source's lower_case_table_names is not 0 */
    uint32_t server_version;     /* of the source, 101119 for 10.11.19: which executable comments it
                                    runs; 0: take it as 101100 */
    const char *default_charset; /* of the source's server, for schemas nothing is known of; NULL:
                                    utf8mb4 */
    const char *default_collation;
    const table_filter_t *allowed_cascades; /* tables whose cascading foreign keys were allowed by
                                               name; NULL: none. Borrowed */
} schema_tracker_options_t;

schema_tracker_t *schema_tracker_new(const schema_tracker_options_t *options);
void schema_tracker_destroy(schema_tracker_t **tracker);

/* ---- filling it at the start (created = COMMIT_TS_NONE) ---- */

/* charset and collation may be NULL (not known); texts are copied. */
sluice_error_t schema_tracker_add_schema(schema_tracker_t *tracker, bytes_t schema,
                                         const char *charset, const char *collation,
                                         error_report_t *report) SLUICE_MUST_USE;

/* `create` is what SHOW CREATE TABLE (or VIEW, SEQUENCE) answered, in UTF-8, taken with sql_mode =
 * '' and sql_quote_show_create on; the schema is added if need be. Text that is not understood:
 * SLUICE_ERROR_DDL_UNSUPPORTED when the filter takes the table, otherwise it is passed over. */
sluice_error_t schema_tracker_add_table(schema_tracker_t *tracker, bytes_t schema, bytes_t create,
                                        error_report_t *report) SLUICE_MUST_USE;

/* Ends the filling: the state is that of `at`. */
void schema_tracker_set_position(schema_tracker_t *tracker, commit_ts_t at);

/* The newest commit_ts applied, or the position set. */
commit_ts_t schema_tracker_position(const schema_tracker_t *tracker);

/* ---- going forward ---- */

/* One DDL as it lies in the log. */
typedef struct {
    commit_ts_t commit_ts;
    wall_ms_t commit_time;
    bytes_t sql; /* in the charset of context.charset_client */
    ddl_context_t context;
    bool has_rows; /* its group carries rows behind it: CREATE TABLE … SELECT */
} logged_ddl_t;

typedef enum {
    SCHEMA_EVENT,   /* `event` is to be delivered */
    SCHEMA_SKIPPED, /* a kind that is never replicated; `skipped_kind` names it */
    SCHEMA_OUTSIDE, /* concerns nothing the filter takes */
    SCHEMA_WARNED   /* not delivered although the filter takes it; `warning` says why */
} schema_outcome_kind_t;

#define SCHEMA_WARNING_MAX 512

typedef struct {
    schema_outcome_kind_t kind;
    ddl_event_t *event;       /* SCHEMA_EVENT: one reference, the caller's */
    const char *skipped_kind; /* SCHEMA_SKIPPED: static, "analyze", "trigger", … */
    bool changes_schema;      /* the tracker's state changed, also by a DDL outside the filter: it
                                 belongs among the schema_ddl_t that follow a snapshot */
    char warning[SCHEMA_WARNING_MAX]; /* "" unless WARNED, or EVENT with something to say */
} schema_outcome_t;

/* Applies one DDL. commit_ts must be above the position. Errors, after which the changefeed cannot
 * go on and the tracker is as it was before:
 *   SLUICE_ERROR_ENTERS_FILTER   a table comes into the filter with rows that are not in the log
 *   SLUICE_ERROR_DDL_UNSUPPORTED a CREATE TABLE inside the filter that is not understood, or a
 *                                cascading foreign key that was not allowed
 *   SLUICE_ERROR_SOURCE_STATEMENT_FORMAT  a row change logged as text
 *   SLUICE_ERROR_STATE           commit_ts is not above the position
 * The report names the object, the rule and the mend. */
sluice_error_t schema_tracker_apply(schema_tracker_t *tracker, const logged_ddl_t *ddl,
                                    schema_outcome_t *outcome,
                                    error_report_t *report) SLUICE_MUST_USE;

/* Versions that were already replaced at `persisted` are forgotten. */
void schema_tracker_forget(schema_tracker_t *tracker, commit_ts_t persisted);

/* ---- questions ---- */

typedef struct {
    const table_definition_t *definition; /* borrowed until the next apply; NULL: no such table */
    bool is_carried; /* the filter takes it and it is neither view nor sequence */
} tracked_table_t;

/* The newest version by name; one hash look-up. A name of a system schema finds nothing. */
tracked_table_t schema_tracker_find(const schema_tracker_t *tracker, bytes_t schema, bytes_t table);

/* The version valid after everything up to and with `at`. */
tracked_table_t schema_tracker_find_at(const schema_tracker_t *tracker, bytes_t schema,
                                       bytes_t table, commit_ts_t at);

/* The carried tables valid at `at`, ascending by table_id; all in the arena. SLUICE_ERROR_AGAIN: at
 * is beyond the position and `is_final` is false (with is_final the caller vouches that no DDL lies
 * between); SLUICE_ERROR_NOT_FOUND: older than what is kept. */
sluice_error_t schema_tracker_table_list(const schema_tracker_t *tracker, commit_ts_t at,
                                         bool is_final, arena_t *arena, const table_info_t **tables,
                                         uint32_t *count) SLUICE_MUST_USE;

/* What the maintainer has to know of one table; borrows from the definition. */
table_info_t schema_tracker_table_info(const table_definition_t *definition);

/* Calls back for every table, view and sequence valid at `at`, in no order; what is carried with
 * is_carried. For checks at create (tables without key, cascading foreign keys, engines). */
typedef void schema_tracker_visit_fn(const tracked_table_t *table, void *context);
void schema_tracker_visit(const schema_tracker_t *tracker, commit_ts_t at,
                          schema_tracker_visit_fn *visit, void *context);

/* Whether one of its foreign keys changes rows of `definition` that the log does not carry:
 * CASCADE, SET NULL or SET DEFAULT on DELETE or UPDATE. Returns that foreign key, NULL if there is
 * none. */
const foreign_key_t *schema_cascading_foreign_key(const table_definition_t *definition);

/* ---- snapshot and forward (DESIGN §5, nodes) ---- */

/* The whole state valid at `at`, in the arena; errors as schema_tracker_table_list. An own
 * versioned binary form and not protobuf: only trackers read it, everybody else carries it as
 * opaque bytes, and a core does not link protobuf. */
sluice_error_t schema_tracker_snapshot(const schema_tracker_t *tracker, commit_ts_t at,
                                       bool is_final, arena_t *arena,
                                       bytes_t *snapshot) SLUICE_MUST_USE;

/* Makes a tracker in that state; its position is the snapshot's. What is carried is decided anew by
 * options->filter. What the source is (server_version, default_charset, default_collation,
 * lower_case_names) comes from the snapshot, so that all trackers read alike; those options are not
 * looked at. SLUICE_ERROR_MALFORMED for bytes that are no snapshot, SLUICE_ERROR_UNSUPPORTED
 * for one of a later version. */
sluice_error_t schema_tracker_from_snapshot(const schema_tracker_options_t *options,
                                            bytes_t snapshot, schema_tracker_t **tracker,
                                            error_report_t *report) SLUICE_MUST_USE;

/* One DDL as the maintainer persists it: sql, context, commit_time; content is in the arena. */
schema_ddl_t schema_ddl_encode(const logged_ddl_t *ddl, arena_t *arena);

/* The reverse; texts are in the arena. SLUICE_ERROR_MALFORMED, SLUICE_ERROR_UNSUPPORTED. */
sluice_error_t schema_ddl_decode(const schema_ddl_t *encoded, arena_t *arena,
                                 logged_ddl_t *ddl) SLUICE_MUST_USE;

/* The same for an event that was made by a tracker: what another tracker has to apply to come to
 * the same definitions. Borrows from the event. */
schema_ddl_t schema_ddl_of_event(const ddl_event_t *event);

#endif
