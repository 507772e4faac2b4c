/* Inside of bootstrap, shared by its files only: bootstrap.c (what is gathered) and
 * bootstrap_build.c (what is made of it). */
#ifndef SLUICE_MAINTAINER_CORE_BOOTSTRAP_INTERNAL_H
#define SLUICE_MAINTAINER_CORE_BOOTSTRAP_INTERNAL_H

#include "maintainer/core/bootstrap.h"
#include "maintainer/core/dispatcher_news.h"

/* What one node has said. */
typedef struct {
    node_index_t node;
    arena_t arena;
    bootstrap_entry_t *entries;
    uint32_t count, capacity;
    uint32_t next_piece;
    bool is_complete;
    dispatcher_news_t *news; /* NULL: none */
} told_t;

struct bootstrap {
    span_table_t *table;
    barrier_t *barrier;
    commit_ts_t checkpoint;
    pipeline_t mode;
    told_t *told;
    uint32_t told_count, told_capacity;
    /* The table list. */
    arena_t list_arena;
    table_info_t *list;
    uint32_t list_count, list_capacity;
    uint32_t list_next_piece;
    uint32_t pieces_taken; /* of all lists */
    node_index_t list_node;
    commit_ts_t list_at;
    bool is_list_complete;
};

told_t *bootstrap_told_of(bootstrap_t *bootstrap, node_index_t node);
bool bootstrap_is_alive(dispatcher_state_t state);
/* Who carries a span is never below what was persisted: this one was replaced while it slept. */
bool bootstrap_is_left_behind(const bootstrap_t *bootstrap, const bootstrap_entry_t *entry);

#endif
