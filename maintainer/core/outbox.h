/*
 * Verdicts and barrier actions on their way to nodes, collected during one step so that a node gets
 * one HeartBeatResponse and not one per event. Cut into responses of bounded size when taken.
 *
 * Threads: one. Everything given is copied.
 */
#ifndef SLUICE_MAINTAINER_CORE_OUTBOX_H
#define SLUICE_MAINTAINER_CORE_OUTBOX_H

#include "maintainer/core/span_table.h"

/* Ids (dispatchers and exceptions) in one response. */
#define OUTBOX_IDS_PER_RESPONSE_MAX 32768

typedef struct outbox outbox_t;

outbox_t *outbox_new(void);
void outbox_destroy(outbox_t **outbox);

/* One group's verdicts: the commonest for all, the others as exceptions. */
void outbox_add_verdicts(outbox_t *outbox, node_index_t node, uint64_t request_sequence,
                         uint32_t group, const verdict_t *verdicts, uint32_t count);
/* An action; its dispatchers are cut into several actions when they are many. */
void outbox_add_action(outbox_t *outbox, node_index_t node, const barrier_action_t *action);

/* Takes out one response's content at a time: node, verdicts, actions are set, the rest is left.
 * false: nothing is left, and everything taken since the last false stays valid until the next
 * add. */
bool outbox_take(outbox_t *outbox, node_index_t *node, heartbeat_response_t *response);

#endif
