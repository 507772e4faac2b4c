/* Another node, "n2", that reads events from the fixture's. */
#ifndef SLUICE_TESTS_WIRE_NODE_READER_H
#define SLUICE_TESTS_WIRE_NODE_READER_H

#include "tests/wire/node_fixture.h"

void connect_reader(fixture_t *fixture);

/* Waits until there is room. */
void send_frames(fixture_t *fixture, const frames_t *frames);

/* The frames are the arena's. */
void encode_requests(changefeed_ref_t ref, const stream_request_t *requests, uint32_t count,
                     const char *sender, arena_t *arena, frames_t *frames);

void ask(fixture_t *fixture, changefeed_ref_t ref, const stream_request_t *request);

/* The next event of that kind, which must come; others are passed over. */
stream_message_event_t expect_event(fixture_t *fixture, stream_kind_t kind);

/* As a session does: a service that has too much to tell strangers forgets to answer some. */
void ask_until_answered(fixture_t *fixture, changefeed_ref_t ref, const stream_request_t *request,
                        stream_kind_t kind);

/* Of a dispatcher that wants the trigger's events only where they are held. */
stream_request_t trigger_request(stream_request_kind_t kind);

#endif
