/* --wait: asks again until something has come true. Threads: the main one. */
#ifndef SLUICE_MAINTAINER_CTL_WAIT_H
#define SLUICE_MAINTAINER_CTL_WAIT_H

#include "maintainer/ctl/client.h"

typedef enum { WAIT_MORE, WAIT_DONE, WAIT_FAILED } wait_verdict_t;

/* Judges one answer; a failure has told on stderr. */
typedef wait_verdict_t wait_judge_t(const client_answer_t *answer);

/* Repeats the request until it is done: CTL_OK; failed: CTL_SERVER_ERROR; --wait's time is over:
 * CTL_WAIT_TIMED_OUT. *last (may be NULL) is the newest answer, to be given back. Without --wait:
 * CTL_OK at once. */
ctl_exit_t wait_until(const ctl_options_t *options, const char *method, const char *path,
                      wait_judge_t *judge, json_t **last);

wait_judge_t wait_judge_running, wait_judge_stopped, wait_judge_gone, wait_judge_drained;

#endif
