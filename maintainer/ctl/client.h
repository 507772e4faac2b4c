/*
 * Requests to the maintainer's HTTP API. Threads: one at a time; each call blocks until the answer
 * or its time limit.
 */
#ifndef SLUICE_MAINTAINER_CTL_CLIENT_H
#define SLUICE_MAINTAINER_CTL_CLIENT_H

#include <jansson.h>

#include "maintainer/ctl/options.h"

typedef struct {
    unsigned status;
    json_t *json; /* NULL: the answer was no JSON; the caller gives it back */
} client_answer_t;

/* `body` (may be NULL) is borrowed. CTL_NO_CONNECTION: a line is on stderr. CTL_OK says nothing of
 * the answer's status. */
ctl_exit_t client_request(const ctl_options_t *options, const char *method, const char *path,
                          const json_t *body, client_answer_t *answer);

/* client_request, and what the server refuses goes to stderr: CTL_SERVER_ERROR. *json (may be NULL)
 * is the answer, to be given back by the caller; NULL on failure. */
ctl_exit_t client_call(const ctl_options_t *options, const char *method, const char *path,
                       const json_t *body, json_t **json);

#endif
