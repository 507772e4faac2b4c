/*
 * A sluice-maintainer of its own in a temporary directory, and the means to speak to it: as a node
 * over its sockets, as an operator over HTTP. Everything waits for an event with one deadline.
 *
 * Threads: one.
 */
#ifndef SLUICE_TESTS_WIRE_MAINTAINER_PROCESS_H
#define SLUICE_TESTS_WIRE_MAINTAINER_PROCESS_H

#include "tests/testing.h"

#include <jansson.h>
#include <sys/types.h>

#include "common/runtime/transport.h"

#define DEADLINE_MS 20000

typedef struct {
    char directory[64], control[96], status[96], log[96];
    pid_t pid;
    uint16_t http_port;
    arena_t arena;
} maintainer_process_t;

/* Makes the directory. */
maintainer_process_t *maintainer_process_new(void);
/* Starts the program with short intervals (lease 2 s) and waits until it listens; fails the test
 * otherwise. */
void maintainer_process_start(maintainer_process_t *self);
/* Starts it, waits for its end, and returns its exit code; `extra` (may be NULL) is one argument
 * more. */
int maintainer_process_run(maintainer_process_t *self, const char *extra);
/* Sends the signal and waits for the end; returns the exit code, 128 + n for a signal. */
int maintainer_process_stop(maintainer_process_t *self, int signal);
/* Ends it if it runs, removes the directory. */
void maintainer_process_destroy(maintainer_process_t **self);

/* Whether the log has the text. */
bool maintainer_process_logged(const maintainer_process_t *self, const char *text);

/* One request; *json (may be NULL) is the answer, to be given back. Returns the status. */
unsigned maintainer_process_http(const maintainer_process_t *self, const char *method,
                                 const char *path, const char *body, json_t **json);
/* The value of one line of /metrics, such as "sluice_node_count"; -1: there is none. */
double maintainer_process_metric(const maintainer_process_t *self, const char *name);
void maintainer_process_wait_metric(const maintainer_process_t *self, const char *name,
                                    double value);

/* A node as the maintainer sees one: DEALER and PUSH. */
typedef struct {
    maintainer_process_t *maintainer;
    node_id_t id;
    incarnation_t incarnation;
    zsock_t *control, *status;
    uint64_t heartbeat_sequence;
} fake_node_t;

fake_node_t *fake_node_new(maintainer_process_t *maintainer, const char *name,
                           uint64_t incarnation);
void fake_node_destroy(fake_node_t **self);

/* A message of this node, zeroed but for its header. */
message_t fake_node_message(const fake_node_t *self, message_type_t type);
/* Sends over the socket that the type belongs to, as soon as there is room. */
void fake_node_send(fake_node_t *self, const message_t *message);
void fake_node_send_frames(fake_node_t *self, const frames_t *frames);
void fake_node_hello(fake_node_t *self);
/* A heartbeat that is only about the lease. */
void fake_node_heartbeat(fake_node_t *self);
/* Waits for a message of that type, dropping others, and sending heartbeats meanwhile. In the
 * maintainer's arena. */
message_t *fake_node_expect(fake_node_t *self, message_type_t type);

#endif
