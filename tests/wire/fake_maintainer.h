/*
 * The maintainer's two sockets in a test: sends what the test says, hands out what a node says,
 * answers heartbeats. Every wait has a deadline and fails the test when it passes.
 */
#ifndef SLUICE_TESTS_WIRE_FAKE_MAINTAINER_H
#define SLUICE_TESTS_WIRE_FAKE_MAINTAINER_H

#include "tests/testing.h"

#include "common/runtime/transport.h"

typedef struct {
    char directory[64];
    char control_endpoint[TRANSPORT_ENDPOINT_SIZE], status_endpoint[TRANSPORT_ENDPOINT_SIZE];
    zsock_t *control, *status;
    routing_id_t node; /* who spoke last on control */
    incarnation_t incarnation;
    bool answers_heartbeats;
    changefeed_ref_t changefeed; /* for answers */
    uint64_t epoch;
    arena_t arena; /* of messages received; cleared with the fixture */
} fake_maintainer_t;

void fake_maintainer_open(fake_maintainer_t *maintainer);
void fake_maintainer_close(fake_maintainer_t *maintainer);

/* Sends to the node that spoke last. The header needs its type; the epoch is put in. */
void fake_maintainer_send(fake_maintainer_t *maintainer, message_t *message);

/* The next message of a type; others that come before are passed over, unless `also` takes them. */
typedef void fake_maintainer_take_t(void *context, const message_t *message);
const message_t *fake_maintainer_expect(fake_maintainer_t *maintainer, message_type_t type,
                                        fake_maintainer_take_t *also, void *context);

/* Hands out every message until `is_done`. */
void fake_maintainer_run(fake_maintainer_t *maintainer, fake_maintainer_take_t *take,
                         bool (*is_done)(void *context), void *context);

#endif
