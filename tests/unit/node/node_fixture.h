/* A node's core whose world is in the test's hands: what it says is kept, what its feed and sink
 * say is put in by the test. */
#ifndef SLUICE_TESTS_UNIT_NODE_NODE_FIXTURE_H
#define SLUICE_TESTS_UNIT_NODE_NODE_FIXTURE_H

#include "tests/testing.h"

#include "dispatcher/core/node/node_core.h"

enum { SAID_MAX = 1024, ASKED_MAX = 64, CALLS_MAX = 64, WORLD_LINKS = 2, LAG_MS = 3600000 };

#define EPOCH 5
#define LEASE_MS 10000
#define HEARTBEAT_MS 200
#define START 100 /* anchor and checkpoint of what is opened */

typedef struct world world_t;

typedef struct {
    world_t *world;
    uint32_t connects;
    incarnation_t incarnation;
    bool is_full; /* sends are refused */
} world_link_t;

/* What was sent; what its pointers point to is gone but for a heartbeat's one entry. */
typedef struct {
    world_link_t *link;
    message_t message;
    dispatcher_heartbeat_t entry;
    mono_ns_t at;
} said_t;

typedef enum {
    CALL_CLAIM,
    CALL_WRITE,
    CALL_DDL,
    CALL_SYNCPOINT,
    CALL_CANCEL,
    CALL_CLOSE_LANE
} call_kind_t;

typedef struct {
    call_kind_t kind;
    dispatcher_id_t dispatcher_id;
    uint64_t run;
} call_t;

struct world {
    node_core_t *core;
    mono_ns_t now;
    arena_t arena;
    world_link_t links[WORLD_LINKS];
    /* Not NULL: gets what is said, which is not kept then. */
    void (*listen)(void *listener, const message_t *message);
    void *listener;
    said_t said[SAID_MAX];
    uint32_t said_count;
    /* the host */
    uint32_t opened, closing, forgotten; /* changefeeds */
    bool may_close;                      /* what is being closed is gone */
    sluice_error_t open_error;
    incarnation_t next_incarnation;
    world_t *opens_for; /* has feed and sink of what is opened next; NULL: this one */
    check_response_t check_response;
    uint32_t checks_begun;
    bool is_check_done;
    uint32_t lines;
    /* the feed */
    stream_event_t events[ASKED_MAX];
    uint32_t event_count;
    stream_request_t requests[ASKED_MAX];
    uint32_t request_count;
    uint32_t heartbeats; /* of its own sessions, which are not kept */
    sluice_error_t list_error, ddls_error, snapshot_error;
    size_t snapshot_len;
    bool has_ddls;      /* one in each stretch that is asked for */
    bool holds_nothing; /* of what others may be asked for first */
    stream_event_t remote_events[ASKED_MAX];
    uint32_t remote_event_count;
    commit_ts_t held_floor; /* NONE: that is not known yet */
    commit_ts_t persisted, told;
    commit_ts_t cleaned_up;
    /* the sink */
    call_t calls[CALLS_MAX];
    uint32_t call_count;
    sink_completion_t completions[ASKED_MAX];
    uint32_t completion_count;
    mono_ns_t lease, feed_lease;
    /* other nodes */
    char reading[64];                  /* slots that it is connected to, as "+3 -3" */
    stream_request_t asked[ASKED_MAX]; /* of other nodes' services */
    changefeed_ref_t asked_of[ASKED_MAX];
    uint32_t asked_count;
    stream_message_event_t told_others[ASKED_MAX];
    changefeed_ref_t told_others_of[ASKED_MAX];
    uint32_t told_others_count;
};

/* ---- life ---- */

int world_set_up(void **state);
/* The same, and it serves other nodes and reads from them. */
int world_set_up_with_others(void **state);
int world_tear_down(void **state);

/* Until there is no more to do at this moment. */
void run(world_t *world);

/* Runs at every deadline until `ns` have gone by. */
void pass_time(world_t *world, uint64_t ns);

/* ---- what it said to maintainers ---- */

uint32_t count_said(const world_t *world, message_type_t type);

/* The newest of that type, which must have been said. */
const said_t *last_of(const world_t *world, message_type_t type);
const message_t *last_said(const world_t *world, message_type_t type);

void forget_said(world_t *world);

/* ---- what maintainers say ---- */

/* Only its type and the epoch are set. */
message_t message_of(message_type_t type, uint64_t maintainer_epoch);
void hear(world_t *world, uint32_t link, const message_t *message);

extern const hello_response_t world_welcome;

void welcome(world_t *world, uint32_t link);

/* The newest heartbeat said so far has been received. */
void answer_lease(world_t *world, uint32_t link);

changefeed_ref_t ref_of(uint64_t generation);
void say_open(world_t *world, uint32_t link, uint64_t epoch, uint64_t generation);
void say_open_of(world_t *world, uint32_t link, uint64_t epoch, changefeed_ref_t ref);
void say_close(world_t *world, uint32_t link, uint64_t epoch, uint64_t generation);

/* The dispatcher of a table. */
dispatcher_id_t id_of(uint64_t table);
/* Of a changefeed, or of the first. */
void say_create_of(world_t *world, uint32_t link, uint64_t epoch, changefeed_ref_t ref,
                   uint64_t table);
void say_create(world_t *world, uint32_t link, uint64_t epoch, uint64_t table);
void say_close_dispatcher_of(world_t *world, uint32_t link, uint64_t epoch, changefeed_ref_t ref,
                             uint64_t table);
void say_close_dispatcher(world_t *world, uint32_t link, uint64_t epoch, uint64_t table);

/* A changefeed that runs with one dispatcher, of table 7, heard of over link 0. */
void open_with_table(world_t *world);

/* ---- what the feed says ---- */

void put_event(world_t *world, stream_event_t event);

/* Of the dispatcher's newest RESET. */
uint64_t stream_epoch(const world_t *world, dispatcher_id_t id);

/* `sequence` from 2: the handshake was 1. */
void deliver_rows(world_t *world, uint64_t table, uint64_t sequence, uint64_t ts);
void deliver_resolved(world_t *world, uint64_t table, uint64_t sequence, uint64_t ts);

/* ---- what the sink was asked, and says ---- */

uint32_t count_calls(const world_t *world, call_kind_t kind);
void put_completion(world_t *world, sink_completion_t completion);

#endif
