/*
 * The only readers of clocks. Shells read once per event and hand the value down.
 * Threads: any.
 */
#ifndef SLUICE_COMMON_RUNTIME_CLOCK_H
#define SLUICE_COMMON_RUNTIME_CLOCK_H

#include "common/base/time.h"

mono_ns_t clock_mono(void);
wall_ms_t clock_wall(void);

/* Milliseconds from `now` to `deadline` as a poll timeout: rounded up, so that a wake-up is never
 * early; -1 for MONO_NEVER. */
int clock_poll_timeout(mono_ns_t deadline, mono_ns_t now);

#define CLOCK_TEXT_SIZE 32
/* "2026-01-31T12:34:56.789Z". */
void clock_format(wall_ms_t at, char text[CLOCK_TEXT_SIZE]);

#endif
