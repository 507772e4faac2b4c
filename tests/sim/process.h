/*
 * What maintainers and nodes have in common as processes: lives, a clock of their own, turns, an
 * inbox. A process is killed and stopped at any moment; in the middle of its turn it dies at the
 * turn's end, and what it does from that moment on has no effect.
 *
 * Threads: one.
 */
#ifndef SLUICE_TESTS_SIM_PROCESS_H
#define SLUICE_TESTS_SIM_PROCESS_H

#include "tests/sim/event_queue.h"
#include "tests/sim/world.h"

typedef struct sim_packet sim_packet_t;

typedef enum { SIM_DOWN, SIM_UP, SIM_STOPPED } sim_process_state_t;

typedef struct {
    void (*start)(sim_process_t *process);
    /* Takes what there is, does what is due; gives when it wants the next turn, by its own clock.
     */
    mono_ns_t (*turn)(sim_process_t *process);
    /* Dies at once: nothing of it is left but what it told others. */
    void (*end)(sim_process_t *process);
} sim_process_class_t;

struct sim_process {
    const sim_process_class_t *class;
    sim_world_t *world;
    bool is_maintainer;
    int index;
    char name[16];
    node_id_t id;
    sim_process_state_t state;
    uint64_t life;
    bool is_in_turn, is_doomed, is_stopping; /* dies, stops at the end of this turn */
    mono_ns_t continued_at;                  /* or started */
    uint64_t stops;                          /* counted: a continue belongs to its stop */
    int64_t drift_ppm;
    mono_ns_t turn_at; /* the next one that is planned, true time */
    uint64_t turns_ms, turns_in_ms;
    /* What came while it was stopped. */
    sim_event_t *held;
    size_t held_count, held_capacity;
    /* Arrived, not yet taken. */
    sim_packet_t *inbox_first, *inbox_last;
    /* Sent in the turn at whose end it stops: leaves when it is continued. */
    sim_packet_t *outbox_first, *outbox_last;
};

void sim_process_init(sim_process_t *process, const sim_process_class_t *class, sim_world_t *world,
                      bool is_maintainer, int index);
void sim_process_clear(sim_process_t *process);

/* Each does nothing when it is not possible (a dead one is not stopped). */
void sim_process_start(sim_process_t *process);
void sim_process_kill(sim_process_t *process);
/* Stopped for so long, unless somebody continues or kills it before. */
void sim_process_stop(sim_process_t *process, uint64_t for_ns);
void sim_process_continue(sim_process_t *process);

/* True time at which its clock shows `local`. */
mono_ns_t sim_process_true_time(const sim_process_t *process, mono_ns_t local);

/* A due event of a stopped process: kept until it is continued. */
void sim_process_hold(sim_process_t *process, const sim_event_t *event);
/* Of what was kept so, nothing with this context happens. */
void sim_process_forget(sim_process_t *process, const void *context);

#endif
