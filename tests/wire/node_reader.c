#include "tests/wire/node_reader.h"

#define READER_INCARNATION 5

void connect_reader(fixture_t *fixture)
{
    node_id_t name = {"n2"};
    routing_id_t id;
    error_report_t report;
    routing_id_make(&name, (incarnation_t){READER_INCARNATION}, &id);
    fixture->reader = transport_socket_new(TRANSPORT_EVENTS_DEALER, &id);
    assert_int_equal(transport_connect(fixture->reader, fixture->events, &report), SLUICE_OK);
}

void send_frames(fixture_t *fixture, const frames_t *frames)
{
    zmq_pollitem_t item = {.socket = zsock_resolve(fixture->reader), .events = ZMQ_POLLOUT};
    sluice_error_t error = SLUICE_ERROR_AGAIN;
    for (int i = 0; error == SLUICE_ERROR_AGAIN && i < 100; i++) {
        zmq_poll(&item, 1, 100);
        error = transport_send(fixture->reader, TRANSPORT_EVENTS_DEALER, NULL, frames);
    }
    assert_int_equal(error, SLUICE_OK);
}

void encode_requests(changefeed_ref_t ref, const stream_request_t *requests, uint32_t count,
                     const char *sender, arena_t *arena, frames_t *frames)
{
    message_t message = message_of(MESSAGE_STREAM_REQUESTS);
    message.header.version = SLUICE_PROTOCOL_VERSION;
    message.header.incarnation = (incarnation_t){READER_INCARNATION};
    assert_true(node_id_parse(bytes_of_text(sender), &message.header.sender));
    message.stream_requests = (stream_requests_t){ref, requests, count};
    assert_int_equal(message_encode(&message, arena, frames), SLUICE_OK);
}

void ask(fixture_t *fixture, changefeed_ref_t ref, const stream_request_t *request)
{
    arena_t arena = {0};
    frames_t frames;
    encode_requests(ref, request, 1, "n2", &arena, &frames);
    send_frames(fixture, &frames);
    arena_clear(&arena);
}

static void take_told(fixture_t *fixture)
{
    zmq_pollitem_t item = {.socket = zsock_resolve(fixture->reader), .events = ZMQ_POLLIN};
    transport_received_t received;
    message_t message;
    uint32_t refused;
    arena_t *arena = &fixture->maintainer.arena;
    if (transport_receive(fixture->reader, TRANSPORT_EVENTS_DEALER, arena, &received) ==
        SLUICE_ERROR_AGAIN) {
        zmq_poll(&item, 1, 100);
        return;
    }
    assert_int_equal(message_decode(&received.frames, arena, &message, &refused), SLUICE_OK);
    assert_int_equal(message.header.type, MESSAGE_STREAM_EVENTS);
    assert_string_equal(message.header.sender.text, "n1");
    fixture->told = message.stream_events;
    fixture->told_next = 0;
}

/* The next event of that kind, NULL: none within about `turns` tenths of a second; others are
 * passed over. */
static const stream_message_event_t *find_event(fixture_t *fixture, stream_kind_t kind, int turns)
{
    for (int i = 0; i < turns; i++) {
        while (fixture->told_next < fixture->told.event_count) {
            const stream_message_event_t *event = &fixture->told.events[fixture->told_next++];
            if (event->kind == kind)
                return event;
        }
        take_told(fixture);
    }
    return NULL;
}

stream_message_event_t expect_event(fixture_t *fixture, stream_kind_t kind)
{
    const stream_message_event_t *event = find_event(fixture, kind, 200);
    if (!event)
        fail_msg("no event of kind %d came", (int)kind);
    return *event;
}

void ask_until_answered(fixture_t *fixture, changefeed_ref_t ref, const stream_request_t *request,
                        stream_kind_t kind)
{
    const stream_message_event_t *event;
    bool is_answered = false;
    for (int i = 0; !is_answered && i < 20; i++) {
        ask(fixture, ref, request);
        while (!is_answered && (event = find_event(fixture, kind, 10)))
            is_answered = dispatcher_id_equal(event->dispatcher_id, request->dispatcher_id);
    }
    assert_true(is_answered);
}

stream_request_t trigger_request(stream_request_kind_t kind)
{
    return (stream_request_t){.kind = kind,
                              .dispatcher_id = {66, 1},
                              .only_reuse = true,
                              .epoch = kind == STREAM_REGISTER ? 0 : 1,
                              .credit_bytes = 1 << 20};
}
