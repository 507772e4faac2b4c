/*
 * Named places at which a test can kill, stop or delay the process, or have the place fail: at
 * every durable step and every send. Only in builds with the option fail_points; in all others the
 * macros below come to nothing, their arguments are not evaluated and their names are in no
 * program.
 *
 * Points are armed by the environment (SLUICE_FAIL_POINTS) and, in a running process, by
 * POST /debug/fail-points with ORDERS as a JSON string; GET shows all names, DELETE disarms.
 *
 *   ORDERS  ORDER[;ORDER…]
 *   ORDER   NAME[(FILTER)]=ACTION[@N]
 *   ACTION  kill      SIGKILL to the process
 *           stop      SIGSTOP to the process; goes on with SIGCONT
 *           delay:MS  this thread sleeps
 *           error     the place fails as if it could be tried again
 *           off       disarmed
 *   N       at the N-th passage and no other (1 when left out), * for each
 *   FILTER  digits: the commit_ts; else a piece of the subject (tables, the text of a DDL, a node)
 *
 * Each passage of an armed point is a line of the log before the action: component fail_point,
 * fields point, action ("-": not this time), passage, commit_ts, subject.
 *
 * The names are in fail_point_names.c. Points belong into shells and adapters, never into a core.
 *
 * Threads: any.
 */
#ifndef SLUICE_COMMON_RUNTIME_FAIL_POINT_H
#define SLUICE_COMMON_RUNTIME_FAIL_POINT_H

#ifdef SLUICE_FAIL_POINTS

#include <stdint.h>

#include "common/base/error.h"

/* Passes a place: SLUICE_OK, or SLUICE_ERROR_AGAIN when it is told to fail. `subject` may be NULL.
 * Subject and commit_ts are evaluated only while something is armed. */
#define FAIL_POINT(name, commit_ts, subject)                                                       \
    (fail_point_any_armed() ? fail_point_pass((name), (commit_ts), (subject)) : SLUICE_OK)

bool fail_point_any_armed(void);
sluice_error_t fail_point_pass(const char *name, uint64_t commit_ts, const char *subject);

/* SLUICE_ERROR_CONFIGURATION naming the order that is wrong; nothing is armed then. */
sluice_error_t fail_point_arm(const char *orders, error_report_t *report) SLUICE_MUST_USE;
void fail_point_disarm_all(void);

/* All names with what they are, ended by a name that is NULL. */
typedef struct {
    const char *name;
    const char *place;
} fail_point_name_t;
extern const fail_point_name_t fail_point_names[];

#else

#define FAIL_POINT(name, commit_ts, subject)                                                       \
    ((void)sizeof(name), (void)sizeof(commit_ts), (void)sizeof(subject), SLUICE_OK)

#endif

#endif
