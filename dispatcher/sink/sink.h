/*
 * Where changes go: MariaDB, SQLite, files, nowhere. An adapter knows its one outside system,
 * proves its right to write in every transaction (DESIGN §5, Fencing) and keeps rows and progress
 * in one transaction (Exactly once). It decides nothing about order between spans or gates.
 *
 * Threads: a sink_t is made once per changefeed and node and may be used by all workers; a
 * sink_connection_t belongs to one worker thread. interrupt alone may be called from any thread.
 *
 * Errors: retriable ones (sluice_error_is_retriable) leave the call's work undone or decided on the
 * next try; the worker retries with backoff. SLUICE_ERROR_NOT_OWNER: another assignment owns the
 * span, the dispatcher must stop without writing anything more. Everything else fails the
 * changefeed with report->text.
 */
#ifndef SLUICE_DISPATCHER_SINK_SINK_H
#define SLUICE_DISPATCHER_SINK_SINK_H

#include "dispatcher/core/node/sink_port.h"

typedef struct sink sink_t;
typedef struct sink_connection sink_connection_t;

typedef struct {
    const char *uri;
    changefeed_ref_t changefeed;
    const char *changefeed_name;
    const option_t *options; /* the changefeed's configuration keys, for the sink's own ones */
    uint32_t option_count;
    const char *source_identity; /* source_description_t.identity, so that check can refuse a sink
                                    that is the source; NULL or "": not known */
} sink_options_t;

typedef struct {
    sluice_error_t error; /* OK, NOT_OWNER, … */
    commit_ts_t progress; /* least progress found in overlapping rows, raised by DDL records and by
                             what clean_up was told: up to there everything is in; NONE: nothing
                             found. Of the trigger: what clean_up was told, since its DDLs up to
                             there are in and their records gone */
} sink_claim_result_t;

/* Row changes of one span, several transactions in order, all of one definition. */
typedef struct {
    const sink_claim_t *claim;
    const table_rows_t *const *parts;
    const commit_ts_t *part_ts; /* commit_ts of each part */
    const wall_ms_t *part_time;
    uint32_t part_count;
    bool moves_progress;  /* false for a part of a larger transaction that is not its last */
    commit_ts_t progress; /* new progress of the span */
} sink_write_t;

typedef struct {
    sluice_error_t error;
    uint64_t rows; /* row changes of the source it stood for */
    uint64_t bytes;
} sink_write_result_t;

typedef struct {
    const char *scheme;    /* "mariadb", "sqlite", "file", "blackhole" */
    bool needs_one_host;   /* all nodes of the changefeed on one host */
    bool holds_partitions; /* partition DDL can be run */
    bool is_sql;           /* has tables that can be compared */

    /* Opens what all connections share; does not touch the outside beyond parsing and checking the
     * URI. */
    sluice_error_t (*open)(const sink_options_t *options, sink_t **sink, error_report_t *report);
    void (*close)(sink_t **sink);
    /* Pre-flight at create: reachable, version, privileges, engines, and that each of the tables
     * given exists in the sink with the same columns. Makes Sluice's own tables. Adds a line to
     * `report` for every failure; when all is well its text, if it has any, is a warning. */
    sluice_error_t (*check)(sink_t *sink, const table_definition_t *const *tables,
                            uint32_t table_count, error_report_t *report);

    sluice_error_t (*connect)(sink_t *sink, sink_connection_t **connection, error_report_t *report);
    void (*disconnect)(sink_connection_t **connection);
    void (*interrupt)(sink_connection_t *connection);

    /* A dispatcher's first act: takes over the progress rows that overlap its span. One transaction
     * for all. */
    sluice_error_t (*claim)(sink_connection_t *connection, const sink_claim_t *claims,
                            uint32_t count, sink_claim_result_t *results, error_report_t *report);
    /* One transaction for all writes; when the call returns OK each result says whether its write
     * is in (OK) or was left out (NOT_OWNER). Any other return: nothing is in, or the next call
     * finds out what is; for that it must have the same parts and the same progress for each of
     * these spans. */
    sluice_error_t (*write)(sink_connection_t *connection, const sink_write_t *writes,
                            uint32_t count, sink_write_result_t *results, error_report_t *report);
    /* Runs one DDL exactly once (DDL record); OK also when the record says it was done before. */
    sluice_error_t (*run_ddl)(sink_connection_t *connection, const sink_claim_t *claim,
                              const ddl_event_t *ddl, error_report_t *report);
    /* Inserts the sync point once. */
    sluice_error_t (*write_syncpoint)(sink_connection_t *connection, const sink_claim_t *claim,
                                      commit_ts_t ts, error_report_t *report);
    /* Tells that everything up to `resolved` is written for all spans of this node (file sink:
     * watermark line). */
    sluice_error_t (*write_watermark)(sink_connection_t *connection, commit_ts_t resolved,
                                      error_report_t *report);
    /* Forgets DDL records and progress rows of dropped tables that lie at or below the persisted
     * checkpoint. */
    sluice_error_t (*clean_up)(sink_connection_t *connection, commit_ts_t persisted_checkpoint,
                               error_report_t *report);
    /* The changefeed is removed: whoever of it comes late is refused, and everything that the sink
     * keeps of it beside its rows goes. May be called again. NULL: nothing is kept. */
    sluice_error_t (*forget)(sink_connection_t *connection, error_report_t *report);
} sink_api_t;

struct sink {
    const sink_api_t *api;
};
struct sink_connection {
    const sink_api_t *api;
};

/* The adapter for a URI's scheme, NULL if there is none. */
const sink_api_t *sink_find(const char *uri);

#endif
