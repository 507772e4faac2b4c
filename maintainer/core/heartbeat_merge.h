/*
 * Heartbeats of one changefeed, merged per (node, incarnation, mode) until they are handled: per
 * dispatcher the furthest, the watermark with the highest seq, an error kept (DESIGN §5). States
 * and positions of a dispatcher only go forward, so the order in which pieces arrive does not
 * matter.
 *
 * Threads: one. Everything given is copied.
 */
#ifndef SLUICE_MAINTAINER_CORE_HEARTBEAT_MERGE_H
#define SLUICE_MAINTAINER_CORE_HEARTBEAT_MERGE_H

#include "maintainer/core/request_buffer.h"

typedef struct heartbeat_merge heartbeat_merge_t;

heartbeat_merge_t *heartbeat_merge_new(void);
void heartbeat_merge_destroy(heartbeat_merge_t **merge);
void heartbeat_merge_add(heartbeat_merge_t *merge, node_index_t node, incarnation_t incarnation,
                         const heartbeat_request_t *heartbeat);
void heartbeat_merge_forget(heartbeat_merge_t *merge, node_index_t node);
/* Valid until reset, forget or the next add. */
size_t heartbeat_merge_list(heartbeat_merge_t *merge, const merged_heartbeat_t **heartbeats);
void heartbeat_merge_reset(heartbeat_merge_t *merge);
size_t heartbeat_merge_bytes(const heartbeat_merge_t *merge);
/* Messages taken in since the start. */
uint64_t heartbeat_merge_count(const heartbeat_merge_t *merge);

/* Rule of the watermark: a higher seq wins even if the checkpoint goes back, an equal one only if
 * it is higher; last_synced is the maximum. */
void watermark_merge(watermark_t *held, bool has_held, const watermark_t *given);

#endif
