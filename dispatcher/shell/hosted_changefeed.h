/*
 * Feed and sink of one changefeed with their threads, as the node's core reaches them
 * (node_ports.h).
 *
 * Threads: the protocol thread.
 */
#ifndef SLUICE_DISPATCHER_SHELL_HOSTED_CHANGEFEED_H
#define SLUICE_DISPATCHER_SHELL_HOSTED_CHANGEFEED_H

#include "common/runtime/settings.h"
#include "dispatcher/core/node/node_ports.h"

typedef struct hosted_changefeed hosted_changefeed_t;

/* Starts the threads. Else the report says why not. */
sluice_error_t hosted_changefeed_open(const settings_t *settings,
                                      const changefeed_request_t *request,
                                      hosted_changefeed_t **changefeed,
                                      error_report_t *report) SLUICE_MUST_USE;
/* Ends all threads: blocks until what they are at has ended. NULL is allowed. */
void hosted_changefeed_destroy(hosted_changefeed_t **changefeed);

/* Its name at the host is the pointer. */
changefeed_ports_t hosted_changefeed_ports(hosted_changefeed_t *changefeed);

/* One that was removed and is not open here: nothing but its sink, to be closed at once. */
hosted_changefeed_t *hosted_changefeed_of_removed(const changefeed_close_t *close);

/* Ends its threads in a thread of its own; then has the sink forget it if asked for. */
void hosted_changefeed_begin_close(hosted_changefeed_t *changefeed, bool forgets);
/* That has ended: hosted_changefeed_destroy does not wait. */
bool hosted_changefeed_is_closed(const hosted_changefeed_t *changefeed);

/* Descriptors to poll for input; returns how many: none once its end has begun. `serves`: also for
 * events of other nodes' sessions. */
#define HOSTED_CHANGEFEED_FDS 3
uint32_t hosted_changefeed_fds(const hosted_changefeed_t *changefeed, bool serves,
                               int fds[HOSTED_CHANGEFEED_FDS]);

#endif
