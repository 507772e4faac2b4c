/*
 * Named cases: a told log, faults at exact moments, and what must come of it (ORACLE §6). All
 * checks of the random runs look on; each case ends with everything at rest.
 *
 * Threads: one.
 */
#ifndef SLUICE_TESTS_SIM_CASES_H
#define SLUICE_TESTS_SIM_CASES_H

#include "tests/sim/world_internal.h"

typedef struct sim_case sim_case_t;

typedef struct {
    const char *name;
    const char *story; /* one line */
    uint32_t nodes, maintainers, tables;
    uint64_t syncpoint_ms;
    const char *log; /* upstream.h; tables at the start are a.t0, a.t1, … */
    void (*run)(sim_case_t *self);
    uint64_t sink_ms; /* a call of the sink takes so long; 0: it is quick */
} sim_case_class_t;

extern const sim_case_class_t sim_cases_gates[], sim_cases_lives[], sim_cases_links[];
extern const uint32_t sim_cases_gates_count, sim_cases_lives_count, sim_cases_links_count;

/* Whether it holds; `is_printed`: all that happens. */
bool sim_case_run(const sim_case_class_t *class, bool is_printed);

/* ---- for the cases ---- */

sim_world_t *sim_case_world(sim_case_t *self);
/* commit_ts of the log's n-th group, from 1. */
commit_ts_t sim_case_ts(const sim_case_t *self, uint64_t n);
/* Lets so much time pass. */
void sim_case_wait(sim_case_t *self, uint64_t ms);
/* Until the trap was sprung; at most a minute. */
void sim_case_await(sim_case_t *self, uint32_t trap);
/* Who carries the table ("a.t0", "" is the trigger); NULL: nobody. */
sim_process_t *sim_case_node(const sim_case_t *self, const char *table);
void sim_case_expect(sim_case_t *self, bool holds, const char *what);

typedef enum {
    CASE_WATCH, /* only notes that it happened */
    CASE_LOSE,  /* the message */
    CASE_KILL_SENDER,
    CASE_KILL_RECEIVER,
    CASE_STOP_SENDER,
    CASE_STOP_RECEIVER,
    CASE_KILL_NODES /* all of them */
} sim_case_act_t;

typedef struct {
    sim_moment_kind_t moment;
    /* Messages: 0 any. */
    message_type_t type;
    bool has_stage;
    block_stage_t stage;
    bool has_action;
    action_kind_t action;
    uint64_t group;   /* ordinal of the event in the log; 0: any */
    table_id_t table; /* sink moments: 0 any */
    sim_case_act_t act;
    uint64_t ms;           /* dead, stopped for so long */
    bool is_for_ever;      /* springs again and again, until disarmed */
    bool takes_maintainer; /* with the act, the sender of the message dies too */
} sim_case_trap_t;

/* Returns its number. */
uint32_t sim_case_trap(sim_case_t *self, const sim_case_trap_t *trap);
void sim_case_disarm(sim_case_t *self, uint32_t trap);
uint32_t sim_case_sprung(const sim_case_t *self, uint32_t trap);

void sim_case_kill(sim_case_t *self, sim_process_t *process, uint64_t ms);

#endif
