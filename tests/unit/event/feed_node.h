/*
 * As much of a node as a test of the event feed needs: the sessions of its dispatchers, which take
 * everything at once and write nothing, and table scheduling as the maintainer would do it.
 */
#ifndef SLUICE_TESTS_UNIT_EVENT_FEED_NODE_H
#define SLUICE_TESTS_UNIT_EVENT_FEED_NODE_H

#include "dispatcher/core/ddl/schema_tracker.h"
#include "dispatcher/core/session_set.h"
#include "dispatcher/shell/event_feed.h"

#define FEED_NODE_DISPATCHERS_MAX 4096

typedef struct {
    dispatcher_id_t id; /* {1, index + 1} */
    table_id_t table_id;
    position_t position;
    bool is_dropped;
} feed_dispatcher_t;

typedef struct feed_node {
    event_feed_t *feed;
    session_set_t *sessions;
    feed_dispatcher_t dispatchers[FEED_NODE_DISPATCHERS_MAX];
    uint32_t count;
    uint64_t table_ddls; /* met by a table's dispatcher */
    sluice_error_t error;
    /* Both may be NULL. The trigger's DDLs only. */
    void (*on_rows)(struct feed_node *node, const stream_event_t *event);
    void (*on_ddl)(struct feed_node *node, const stream_event_t *event);
    void *context;
} feed_node_t;

/* A feed over `uri` that begins at `anchor` with the schema that `tracker` has there. Zero fields
 * of `limits` are defaults; of its config (NULL: none) the filter counts. */
feed_node_t *feed_node_open(const char *uri, const anchor_t *anchor, schema_tracker_t *tracker,
                            const event_feed_options_t *limits);
void feed_node_close(feed_node_t **node);

void feed_node_add(feed_node_t *node, table_id_t table_id, commit_ts_t start, commit_ts_t created);
/* A dispatcher for each table of the list valid at `at`, which starts there. */
void feed_node_add_listed(feed_node_t *node, commit_ts_t at);

/* Runs until the condition holds; fails the test after a minute, and when the feed ends unless
 * `may_fail`: then node->error says why. */
void feed_node_run(feed_node_t *node, bool (*is_reached)(const feed_node_t *node), bool may_fail);

/* The lowest checkpoint of all dispatchers. */
commit_ts_t feed_node_checkpoint(const feed_node_t *node);

#endif
