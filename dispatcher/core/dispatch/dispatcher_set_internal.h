/*
 * The set's state, shared by dispatcher_set.c (members, the maintainer, streams, the sink) and
 * dispatcher_set_telling.c (watermarks, heartbeat and bootstrap entries). Nobody else includes
 * this.
 */
#ifndef SLUICE_DISPATCHER_CORE_DISPATCH_DISPATCHER_SET_INTERNAL_H
#define SLUICE_DISPATCHER_CORE_DISPATCH_DISPATCHER_SET_INTERNAL_H

#include "common/base/key_map.h"
#include "dispatcher/core/dispatch/deadline_heap.h"
#include "dispatcher/core/dispatch/dispatcher_set.h"

typedef struct member {
    dispatcher_id_t id;
    dispatcher_t *dispatcher;
    uint32_t index;           /* in the set's arrays */
    deadline_node_t deadline; /* resends */
    dispatcher_state_t told;  /* state of the newest entry that was queued for telling */
    bool is_changed;          /* in the list of its mode */
    struct member *changed_before, *changed_after;
    uint64_t closed_by; /* maintainer_epoch that asked for its close; 0: none did */
} member_t;

typedef struct {
    dispatcher_heartbeat_t *entries; /* a ring of a power of two */
    uint32_t first, count, capacity;
} entry_list_t;

struct dispatcher_set {
    dispatcher_set_options_t options;
    uint64_t maintainer_epoch;
    uint64_t runs;
    status_path_t *path;
    node_effects_t effects;
    key_map_t by_id;
    /* Dense, so that a watermark is one scan. */
    member_t **members;
    uint64_t *checkpoints, *resolved;
    uint32_t count, capacity;
    deadline_heap_t deadlines;
    uint64_t watermark_seq[PIPELINE_COUNT];
    uint32_t mode_count[PIPELINE_COUNT];
    /* To be told of, oldest news first: a heartbeat costs what is new, not what there is. */
    member_t *changed_first[PIPELINE_COUNT], *changed_last[PIPELINE_COUNT];
    entry_list_t stopped[PIPELINE_COUNT];
    entry_list_t unasked[PIPELINE_COUNT]; /* stopped without being asked by the maintainer of now */
    const dispatcher_t *trigger[PIPELINE_COUNT];
    sluice_error_t error;
};

member_t *dispatcher_set_member(const dispatcher_set_t *set, dispatcher_id_t id);
/* Whether the next heartbeat must tell of it. */
void member_set_changed(dispatcher_set_t *set, member_t *member, bool is_changed);
/* A stopped dispatcher, or one that never was here, to be told of. */
void dispatcher_set_add_stopped(dispatcher_set_t *set, pipeline_t mode, dispatcher_id_t id,
                                position_t position);

/* One that stopped although the maintainer of now did not ask for it: the watermark goes on without
 * it, so no heartbeat may tell the watermark and not that, whichever of them are lost. */
void dispatcher_set_add_unasked(dispatcher_set_t *set, pipeline_t mode, dispatcher_id_t id,
                                position_t position);
void dispatcher_set_forget_unasked(dispatcher_set_t *set, dispatcher_id_t id);

#endif
