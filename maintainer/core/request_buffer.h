/*
 * What nodes said and nobody has handled yet, for one changefeed: so that a burst costs memory once
 * per key and not per message (DESIGN §5).
 *
 * Heartbeats merge per (node, incarnation, mode). Of block statuses one representative per (node,
 * mode, dispatcher, commit_ts, is_syncpoint, stage) is kept from admission until it is handled.
 *
 * Life: buffering until opened; then the owner takes everything out at each step. Closed, it drops.
 * Memory: bounded by REQUEST_BUFFER_STATUSES_MAX and by one heartbeat entry per (node, dispatcher).
 * Threads: one. Everything given is copied.
 */
#ifndef SLUICE_MAINTAINER_CORE_REQUEST_BUFFER_H
#define SLUICE_MAINTAINER_CORE_REQUEST_BUFFER_H

#include "common/base/arena.h"
#include "common/wire/message.h"
#include "maintainer/core/span_table.h"

#define REQUEST_BUFFER_STATUSES_MAX (4u * 1024 * 1024)
#define REQUEST_BUFFER_ENTRIES_MAX (4u * 1024 * 1024)

typedef struct request_buffer request_buffer_t;

/* One group with something admitted. `payload` is canonical (payload.h). */
typedef struct {
    node_index_t node;
    incarnation_t incarnation;
    uint64_t request_sequence;
    uint32_t group; /* its number in the request */
    pipeline_t mode;
    block_status_group_t content;
    const bool *is_duplicate; /* per dispatcher; those are answered LATER and not handled */
    uint32_t duplicate_count;
} buffered_group_t;

/* A group in which nothing was admitted: answered LATER as a whole, nothing is kept. */
typedef struct {
    node_index_t node;
    incarnation_t incarnation;
    uint64_t request_sequence;
    uint32_t group;
    pipeline_t mode;
    bool wants_answer; /* false for DONE */
} suppressed_group_t;

typedef struct {
    node_index_t node;
    incarnation_t incarnation;
    pipeline_t mode;
    uint64_t newest_sequence;
    bool has_watermark;
    watermark_t watermark;
    const dispatcher_heartbeat_t *entries; /* the furthest of each dispatcher */
    uint32_t entry_count;
    /* Pieces [complete_first, complete_next) of one complete heartbeat are in the entries;
     * complete_last: its last one too. complete_first == complete_next: none. */
    uint32_t complete_first, complete_next;
    bool complete_last;
    bool has_anchor;
    anchor_t anchor;
    uint64_t rows_applied, bytes_applied, ddl_applied;
    commit_ts_t read_ts;
    wall_ms_t read_commit_time;
    bool is_caught_up;
    sluice_error_t error;
    bytes_t error_text;
} merged_heartbeat_t;

request_buffer_t *request_buffer_new(void);
void request_buffer_destroy(request_buffer_t **buffer);

/* Admits what is new. */
void request_buffer_add_statuses(request_buffer_t *buffer, node_index_t node,
                                 incarnation_t incarnation, uint64_t request_sequence,
                                 const block_status_request_t *request);
void request_buffer_add_heartbeat(request_buffer_t *buffer, node_index_t node,
                                  incarnation_t incarnation, const heartbeat_request_t *heartbeat);

/* From here on everything added is dropped, and what is held is freed: the changefeed is being
 * removed. */
void request_buffer_close(request_buffer_t *buffer);

/* Forgets a node: what it said before it was called absent is not merged any more. */
void request_buffer_forget_node(request_buffer_t *buffer, node_index_t node);

/* What is held; valid until request_buffer_release. Groups in order of arrival. */
size_t request_buffer_groups(const request_buffer_t *buffer, const buffered_group_t **groups);
size_t request_buffer_suppressed(const request_buffer_t *buffer, const suppressed_group_t **groups);
size_t request_buffer_heartbeats(const request_buffer_t *buffer,
                                 const merged_heartbeat_t **heartbeats);

/* Everything given out was answered, handled or not: empties, frees every reservation. */
void request_buffer_release_groups(request_buffer_t *buffer);
void request_buffer_release_suppressed(request_buffer_t *buffer);
void request_buffer_release_heartbeats(request_buffer_t *buffer);

size_t request_buffer_reserved(const request_buffer_t *buffer);
size_t request_buffer_bytes(const request_buffer_t *buffer);

typedef struct {
    uint64_t heartbeats_merged, statuses_admitted, statuses_duplicate, statuses_refused;
} request_buffer_counters_t;
request_buffer_counters_t request_buffer_counters(const request_buffer_t *buffer);

#endif
