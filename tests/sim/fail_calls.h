/*
 * Lets the calls of a real sink fail at one of their steps, now and then, in builds with fail
 * points. What the sink did before that step has taken effect.
 */
#ifndef SLUICE_TESTS_SIM_FAIL_CALLS_H
#define SLUICE_TESTS_SIM_FAIL_CALLS_H

#include "tests/sim/sink.h"

typedef struct {
    sim_random_t random;
    uint64_t count; /* calls that were to fail */
} fail_calls_t;

/* `calls` is borrowed for the sink's life; its state of chance is kept. */
void fail_calls_begin(fail_calls_t *calls, sim_sink_t *sink);
void fail_calls_end(void);

#endif
