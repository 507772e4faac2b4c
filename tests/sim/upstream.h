/*
 * The made-up source of a simulation: a log drawn from the seed (or told by a named case), as
 * binlog events that a MariaDB would write. It is made once, is the same for every node and every
 * restart, and becomes visible group by group as virtual time goes on.
 *
 * What the log does is known from making it: content and form of each table after each commit_ts,
 * as hashes (all of it) and as a whole database (replayed on demand).
 *
 * commit_ts begin behind sim_log_start and are adjacent.
 *
 * Threads: one owner; read only once made.
 */
#ifndef SLUICE_TESTS_SIM_UPSTREAM_H
#define SLUICE_TESTS_SIM_UPSTREAM_H

#include "common/base/arena.h"
#include "common/filter/table_filter.h"
#include "common/wire/message.h"
#include "tests/sim/database.h"
#include "tests/sim/random.h"

typedef struct sim_log sim_log_t;

/* Wall clock at the beginning of time. */
#define SIM_LOG_BEGINNING_S UINT64_C(1750000000)

typedef struct {
    uint32_t tables;      /* at the start */
    uint64_t groups;      /* to draw */
    uint64_t interval_ns; /* between two groups, on average */
    uint64_t syncpoint_ms;
    uint32_t ddl_percent; /* of the groups */
    bool has_idle_phases; /* now and then a minute without groups */
    bool has_outside;     /* a schema outside the filter, with its own changes */
    bool has_partitions;
} sim_log_options_t;

/* Draws the options of a seed. */
sim_log_options_t sim_log_options_draw(sim_random_t *random, uint32_t tables, uint64_t groups,
                                       uint64_t interval_ns, uint64_t syncpoint_ms);

/* An empty log whose source has options->tables tables, "a.t0", "a.t1", …, without a group yet. */
sim_log_t *sim_log_new(const sim_log_options_t *options, sim_random_t *random);
void sim_log_destroy(sim_log_t **log);

/* Draws options->groups groups more. */
void sim_log_draw(sim_log_t *log);

/* Tells the log, statements of statement.h and a few more, separated by ';':
 *   rows S.T [count]     one transaction of so many changes (1)
 *   rows S.T S.U …       one transaction over several tables
 *   idle SECONDS         nothing becomes visible for so long
 * E.g. "rows a.t0 3; rename a.t0 a.u; idle 30; rows a.u". A text that cannot be understood or run
 * ends the test. Returns the last commit_ts. */
commit_ts_t sim_log_tell(sim_log_t *log, const char *text);

/* ---- what a changefeed of it looks like ---- */

anchor_t sim_log_start(const sim_log_t *log);
/* The tracker's snapshot at the start, without envelope; the log's. */
bytes_t sim_log_snapshot(const sim_log_t *log);
const table_filter_t *sim_log_filter(const sim_log_t *log);
/* Configuration with name, source, sink and filter rules; the log's. */
const changefeed_config_t *sim_log_config(const sim_log_t *log);
uint64_t sim_log_syncpoint_ms(const sim_log_t *log);

/* ---- groups ---- */

typedef struct {
    commit_ts_t commit_ts;
    wall_ms_t commit_time; /* whole seconds */
    uint64_t visible_ns;   /* since the beginning of time */
    bool is_ddl;
    sim_statement_t statement; /* of a DDL */
} sim_group_t;

commit_ts_t sim_log_first(const sim_log_t *log);
commit_ts_t sim_log_last(const sim_log_t *log);
/* NULL: no such group. */
const sim_group_t *sim_log_group(const sim_log_t *log, commit_ts_t commit_ts);
/* Its events, one behind the other; good until the log grows. */
bytes_t sim_log_events(const sim_log_t *log, commit_ts_t commit_ts);
/* A DDL in the words of statement.h; of rows, the identities of their tables. */
void sim_log_describe(const sim_log_t *log, commit_ts_t commit_ts, char *text, size_t size);
/* The newest group that is visible at `now`, the start if there is none. */
commit_ts_t sim_log_visible(const sim_log_t *log, mono_ns_t now);
/* Behind the group. */
anchor_t sim_log_anchor(const sim_log_t *log, commit_ts_t commit_ts);
/* The format description that every connection begins with. */
bytes_t sim_log_beginning(const sim_log_t *log);

/* ---- what is true ---- */

typedef struct {
    bool exists, is_carried; /* carried: inside the filter */
    commit_ts_t since;       /* the change that made it so */
    uint64_t form_hash, rows_hash;
} sim_truth_t;

/* What a table looks like after everything up to `at`. A table that has left the filter stays as it
 * was then. */
sim_truth_t sim_log_truth(const sim_log_t *log, uint64_t identity, commit_ts_t at);
/* Calls back for every identity that was ever inside the filter. */
void sim_log_visit(const sim_log_t *log, void (*visit)(void *context, uint64_t identity),
                   void *context);
/* Whether the DDL at this commit_ts must reach the sink. */
bool sim_log_is_carried_ddl(const sim_log_t *log, commit_ts_t commit_ts);
/* Whether a sync point lies behind this group. */
bool sim_log_has_syncpoint(const sim_log_t *log, commit_ts_t commit_ts);

/* What a sink is to run of a statement: its names that are outside the filter taken away. False:
 * nothing. */
bool sim_log_restrict(const sim_log_t *log, const sim_statement_t *statement,
                      sim_statement_t *restricted);
/* Plays everything up to `at` that is inside the filter into an empty database. */
void sim_log_replay(const sim_log_t *log, commit_ts_t at, sim_database_t *database);

#endif
