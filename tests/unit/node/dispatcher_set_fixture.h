/* A set of dispatchers, with what its maintainer, feed and sink say. For the set's tests. */
#ifndef SLUICE_TESTS_UNIT_NODE_DISPATCHER_SET_FIXTURE_H
#define SLUICE_TESTS_UNIT_NODE_DISPATCHER_SET_FIXTURE_H

#include "tests/testing.h"

#include "dispatcher/core/dispatch/dispatcher_set.h"

#define EPOCH 2

typedef struct {
    dispatcher_set_t *set;
    mono_ns_t now;
} fixture_t;

int set_up(void **state);
int tear_down(void **state);

/* ---- dispatchers ---- */

/* The dispatcher of a table, and its run; 0: it is not there. */
dispatcher_id_t id_of(uint64_t table);
uint64_t run_of(fixture_t *fixture, uint64_t table);

block_stage_t stage_of(fixture_t *fixture, uint64_t table);

/* ---- what the maintainer says ---- */

schedule_create_t create_of(uint64_t table, uint64_t start);

/* Whether it was taken. */
bool schedule_create(fixture_t *fixture, uint64_t epoch, schedule_create_t create);

void schedule_close(fixture_t *fixture, dispatcher_id_t id);

bool act(fixture_t *fixture, uint64_t epoch, barrier_action_t action);

/* Created, claimed, opened; its effects are forgotten. */
void make_work(fixture_t *fixture, uint64_t table, uint64_t start);

/* ---- events ---- */

event_key_t ddl_key(uint64_t ts);

/* The reference is the caller's: deliver_ddl takes one of its own. */
ddl_event_t *new_ddl(uint64_t ts, influence_kind_t kind, uint64_t schema);

void deliver(fixture_t *fixture, uint64_t table, stream_event_t event);
void deliver_resolved(fixture_t *fixture, uint64_t table, uint64_t ts);
void deliver_ddl(fixture_t *fixture, uint64_t table, ddl_event_t *ddl);

/* ---- what it wants and says ---- */

void forget_effects(fixture_t *fixture);
uint32_t count_effects(fixture_t *fixture, node_effect_kind_t kind);

uint64_t offered(fixture_t *fixture, block_stage_t stage);

/* All leave the buffer; returns the sequence of the last request. */
uint64_t send_statuses(fixture_t *fixture);

#endif
