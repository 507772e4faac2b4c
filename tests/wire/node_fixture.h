/*
 * A node's process in a test, a maintainer that speaks to it, and what it has told that one. For
 * the tests of the node, which take steps of its life from here.
 */
#ifndef SLUICE_TESTS_WIRE_NODE_FIXTURE_H
#define SLUICE_TESTS_WIRE_NODE_FIXTURE_H

#include "tests/wire/fake_maintainer.h"

#include <sys/types.h>

#define TABLES 4
#define TRANSACTIONS 60
#define SOURCE "simulated://?tables=4&transactions=60&rows_per_transaction=3"

typedef struct {
    fake_maintainer_t maintainer;
    pid_t node;
    /* What heartbeats have told. */
    dispatcher_heartbeat_t entries[64];
    uint32_t entry_count;
    watermark_t watermark;
    bool has_watermark;
    uint64_t rows;
    commit_ts_t wanted_checkpoint;
    /* What block statuses have told. */
    block_stage_t stage;
    event_key_t key;
    dispatcher_id_t dispatcher;
    uint32_t times; /* that the first one came */
    uint64_t opened_epoch;
    /* Where other nodes read from it, and one that does. */
    char events[ENDPOINT_BYTES_MAX + 1];
    zsock_t *reader;
    stream_events_t told; /* the message that came last to it */
    uint32_t told_next;   /* of its events, the next to look at */
} fixture_t;

/* What all messages are about. */
extern const changefeed_ref_t changefeed;

/* The node's process is started by the one and killed by the other. */
int set_up(void **state);
int tear_down(void **state);

/* Only its type is set. */
message_t message_of(message_type_t type);

/* ---- steps ---- */

/* Waits for its hello, and answers it. */
void welcome(fixture_t *fixture);

changefeed_config_t config_of(const char *source);

/* Where a changefeed starts, with the schema there. */
typedef struct {
    anchor_t anchor;
    uint8_t snapshot[65536];
    size_t len;
} start_t;

void check(fixture_t *fixture, const char *source, start_t *start);
void open_changefeed(fixture_t *fixture, const char *source, const start_t *start);

/* The dispatcher {42, number} of a table. */
schedule_create_t create_of(uint64_t number, table_id_t table, commit_ts_t start);
void schedule(fixture_t *fixture, const schedule_create_t *creates, uint32_t count);

/* From hello to a changefeed whose tables all replicate. */
void start_everything(fixture_t *fixture, const char *source);

/* TERM, which it obeys. */
void stop(fixture_t *fixture);

/* ---- following heartbeats ---- */

/* Keeps what a message tells, for fake_maintainer_expect and _run; the context is the fixture. */
void note(void *context, const message_t *message);

/* Whether all is written up to the wanted checkpoint. */
bool is_through(void *context);

#endif
