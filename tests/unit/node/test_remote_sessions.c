#include "tests/testing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/core/node/remote_sessions.h"

#define OWN ((incarnation_t){77})

static const changefeed_ref_t feed = {.uuid = {{1}}, .generation = 2};

/* Sockets in the test's hands; what is sent is told in `text`. */
typedef struct {
    remote_sessions_t *sessions;
    sluice_error_t error;
    uint32_t taken; /* messages before `error` */
    char text[8192];
    uint32_t sent;
    uint32_t event_count, largest; /* of all messages; of one */
    uint64_t last_dispatcher;
    mono_ns_t now;
} fixture_t;

static sluice_error_t send_events(void *self, const node_id_t *node, incarnation_t incarnation,
                                  message_t *message)
{
    static const char letters[] = "rnhxdHRDS=";
    fixture_t *f = self;
    assert_int_equal(message->header.type, MESSAGE_STREAM_EVENTS);
    assert_int_equal(message->header.incarnation.v, OWN.v);
    if (f->error != SLUICE_OK && f->taken == 0)
        return f->error;
    f->taken -= f->taken > 0;
    f->sent++;
    f->event_count += message->stream_events.event_count;
    f->last_dispatcher =
        message->stream_events.events[message->stream_events.event_count - 1].dispatcher_id.lo;
    if (message->stream_events.event_count > f->largest)
        f->largest = message->stream_events.event_count;
    size_t len = strlen(f->text);
    if (message->stream_events.event_count > 100 || len > sizeof f->text / 2)
        return SLUICE_OK;
    len += (size_t)snprintf(f->text + len, sizeof f->text - len, "%s%s@%u:", len ? " " : "",
                            node->text, (unsigned)incarnation.v);
    for (uint32_t i = 0; i < message->stream_events.event_count; i++) {
        const stream_message_event_t *event = &message->stream_events.events[i];
        len += (size_t)snprintf(f->text + len, sizeof f->text - len, "%c%u", letters[event->kind],
                                (unsigned)event->dispatcher_id.lo);
    }
    return SLUICE_OK;
}

static int set_up(void **state)
{
    fixture_t *f = calloc(1, sizeof *f);
    events_port_t port = {.self = f, .endpoint = "ipc://x", .send_events = send_events};
    f->sessions = remote_sessions_new(&port);
    f->now = (mono_ns_t){100 * NS_PER_S};
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture_t *f = *state;
    remote_sessions_destroy(&f->sessions);
    free(f);
    return 0;
}

static stream_peer_t hear(fixture_t *f, const char *id, uint64_t incarnation)
{
    node_id_t node;
    assert_true(node_id_parse(bytes_of_text(id), &node));
    return remote_sessions_hear(f->sessions, &node, (incarnation_t){incarnation}, f->now);
}

static void give(fixture_t *f, stream_peer_t peer, stream_kind_t kind, uint64_t dispatcher)
{
    stream_event_t event = {.kind = kind, .peer = peer, .dispatcher_id = {1, dispatcher}};
    remote_sessions_give(f->sessions, feed, &event);
}

static void send_all(fixture_t *f)
{
    remote_sessions_send(f->sessions, OWN, f->now);
}

static void peers_are_told_apart_by_node_and_life(void **state)
{
    fixture_t *f = *state;
    stream_peer_t a = hear(f, "a", 1), b = hear(f, "b", 1), again = hear(f, "a", 2);
    assert_int_equal(hear(f, "a", 1).v, a.v);
    give(f, b, STREAM_READY, 5);
    give(f, a, STREAM_READY, 6);
    give(f, again, STREAM_HANDSHAKE, 7);
    give(f, a, STREAM_RESOLVED, 6);
    assert_int_equal(remote_sessions_next_deadline(f->sessions).v, 0);
    send_all(f);
    assert_string_equal(f->text, "a@1:r6=6 b@1:r5 a@2:H7");
    assert_int_equal(remote_sessions_next_deadline(f->sessions).v, MONO_NEVER.v);
    give(f, (stream_peer_t){99}, STREAM_READY, 8);
    send_all(f);
    assert_int_equal(f->sent, 3);
}

static void a_message_is_of_one_changefeed(void **state)
{
    fixture_t *f = *state;
    stream_peer_t a = hear(f, "a", 1);
    changefeed_ref_t other = {.uuid = {{2}}, .generation = 2};
    give(f, a, STREAM_READY, 1);
    stream_event_t event = {.kind = STREAM_READY, .peer = a, .dispatcher_id = {1, 2}};
    remote_sessions_give(f->sessions, other, &event);
    give(f, a, STREAM_READY, 3);
    send_all(f);
    assert_string_equal(f->text, "a@1:r1 a@1:r2 a@1:r3");
}

static void what_the_socket_does_not_take_is_sent_later_in_order(void **state)
{
    fixture_t *f = *state;
    stream_peer_t a = hear(f, "a", 1);
    give(f, a, STREAM_READY, 1);
    f->error = SLUICE_ERROR_AGAIN;
    send_all(f);
    assert_int_equal(remote_sessions_next_deadline(f->sessions).v, f->now.v + 10 * NS_PER_MS);
    give(f, a, STREAM_HANDSHAKE, 1);
    f->error = SLUICE_OK;
    send_all(f);
    assert_int_equal(f->sent, 0);
    f->now = mono_add(f->now, 10 * NS_PER_MS);
    send_all(f);
    assert_string_equal(f->text, "a@1:r1H1");
}

static void what_is_more_than_a_message_holds_goes_in_several(void **state) /* PUL-10 */
{
    fixture_t *f = *state;
    stream_peer_t a = hear(f, "a", 1);
    const uint32_t count = 2 * STREAM_EVENTS_MAX + 2;
    for (uint32_t i = 1; i <= count; i++)
        give(f, a, STREAM_RESOLVED, i);
    send_all(f);
    assert_int_equal(f->event_count, count);
    assert_int_equal(f->last_dispatcher, count);
    assert_in_range(f->largest, 1, STREAM_EVENTS_MAX);
    assert_int_equal(f->sent, (count + f->largest - 1) / f->largest);
}

static void fill(fixture_t *f, stream_peer_t peer)
{
    for (uint64_t i = 1; remote_sessions_has_room(f->sessions); i++)
        give(f, peer, STREAM_HANDSHAKE, 1 + i % 3);
}

static void what_waits_is_counted_as_the_memory_it_takes(void **state)
{
    fixture_t *f = *state;
    stream_peer_t a = hear(f, "a", 1);
    changefeed_ref_t refs[2] = {{.uuid = {{1}}}, {.uuid = {{2}}}};
    uint64_t given = 0;
    for (; remote_sessions_has_room(f->sessions); given++) {
        stream_event_t event = {.kind = STREAM_READY, .peer = a, .dispatcher_id = {1, 2}};
        remote_sessions_give(f->sessions, refs[given % 2], &event);
    }
    /* Each is a message of its own, with lists for hundreds of events. */
    assert_in_range(given, 100, 250);
    send_all(f);
    assert_int_equal(f->sent, given);
    assert_true(remote_sessions_has_room(f->sessions));
}

static void what_replaces_what_was_said_before_takes_no_more(void **state)
{
    fixture_t *f = *state;
    stream_peer_t a = hear(f, "a", 1);
    for (uint64_t i = 0; i < REMOTE_SESSIONS_BYTES_MAX / 64; i++)
        give(f, a, STREAM_RESOLVED, 1);
    assert_true(remote_sessions_has_room(f->sessions));
    send_all(f);
    assert_string_equal(f->text, "a@1:=1");
}

static uint32_t count_removed(fixture_t *f, stream_peer_t peer)
{
    changefeed_ref_t ref;
    stream_request_t request;
    uint32_t seen = 0;
    while (remote_sessions_take_removed(f->sessions, &ref, &request)) {
        assert_int_equal(ref.generation, feed.generation);
        assert_int_equal(request.kind, STREAM_REMOVE);
        assert_int_equal(request.peer.v, peer.v);
        seen |= 1U << request.dispatcher_id.lo;
    }
    return seen;
}

static void a_peer_that_takes_nothing_for_long_is_given_up(void **state)
{
    fixture_t *f = *state;
    stream_peer_t a = hear(f, "a", 1), b = hear(f, "b", 1);
    f->error = SLUICE_ERROR_AGAIN;
    fill(f, a);
    send_all(f);
    f->now = mono_add(f->now, REMOTE_SESSIONS_STALLED_NS - 1);
    send_all(f);
    assert_false(remote_sessions_has_room(f->sessions));
    f->now = mono_add(f->now, 1);
    send_all(f);
    assert_true(remote_sessions_has_room(f->sessions));
    assert_int_equal(remote_sessions_next_deadline(f->sessions).v, 0);
    assert_int_equal(count_removed(f, a), 0xe);
    assert_true(remote_sessions_counters(f->sessions).given_up > 1000);
    f->error = SLUICE_OK;
    give(f, a, STREAM_REMOVED, 1);
    give(f, b, STREAM_READY, 2);
    send_all(f);
    assert_string_equal(f->text, "a@1:x1 b@1:r2");
}

static void taking_a_little_does_not_save_a_peer_that_is_full(void **state)
{
    fixture_t *f = *state;
    stream_peer_t a = hear(f, "a", 1);
    f->error = SLUICE_ERROR_AGAIN;
    fill(f, a);
    const mono_ns_t end = mono_add(f->now, REMOTE_SESSIONS_STALLED_NS);
    for (; f->now.v < end.v; f->now = mono_add(f->now, REMOTE_SESSIONS_STALLED_NS / 10)) {
        f->taken = 1;
        send_all(f);
        assert_int_equal(f->taken, 0);
        assert_false(remote_sessions_has_room(f->sessions));
    }
    assert_int_equal(f->sent, 10);
    send_all(f);
    assert_true(remote_sessions_has_room(f->sessions));
    assert_int_equal(count_removed(f, a), 0xe);
}

static void a_peer_that_gets_to_half_in_time_is_full_no_more(void **state)
{
    fixture_t *f = *state;
    stream_peer_t a = hear(f, "a", 1);
    for (int round = 0; round < 3; round++) {
        f->error = SLUICE_ERROR_AGAIN;
        fill(f, a);
        send_all(f);
        f->now = mono_add(f->now, REMOTE_SESSIONS_STALLED_NS - 1);
        f->taken = 60;
        send_all(f);
        assert_int_equal(f->taken, 0);
        assert_true(remote_sessions_has_room(f->sessions));
    }
    assert_int_equal(count_removed(f, a), 0);
}

static void a_peer_that_is_not_there_is_given_up_at_once(void **state)
{
    fixture_t *f = *state;
    stream_peer_t a = hear(f, "a", 1);
    give(f, a, STREAM_READY, 2);
    f->error = SLUICE_ERROR_NOT_FOUND;
    send_all(f);
    assert_int_equal(count_removed(f, a), 4);
    assert_int_equal(remote_sessions_next_deadline(f->sessions).v, MONO_NEVER.v);
}

static sluice_error_t refuse_the_first(void *self, const node_id_t *node, incarnation_t incarnation,
                                       message_t *message)
{
    fixture_t *f = self;
    if (f->sent == 0 && message->stream_events.events[0].kind == STREAM_HANDSHAKE)
        return SLUICE_ERROR_TOO_LARGE;
    return send_events(self, node, incarnation, message);
}

static void what_no_message_can_hold_is_refused(void **state)
{
    fixture_t *f = *state;
    events_port_t port = {.self = f, .endpoint = "ipc://x", .send_events = refuse_the_first};
    remote_sessions_t *sessions = remote_sessions_new(&port);
    remote_sessions_t *kept = f->sessions;
    f->sessions = sessions;
    stream_peer_t a = hear(f, "a", 1);
    give(f, a, STREAM_HANDSHAKE, 1);
    give(f, a, STREAM_HANDSHAKE, 2);
    send_all(f);
    assert_string_equal(f->text, "a@1:n1n2");
    assert_int_equal(count_removed(f, a), 6);
    remote_sessions_destroy(&f->sessions);
    f->sessions = kept;
}

static void one_peer_more_replaces_only_who_is_silent(void **state)
{
    fixture_t *f = *state;
    stream_peer_t first = hear(f, "first", 1);
    f->now = mono_add(f->now, NS_PER_S);
    for (int i = 1; i < REMOTE_PEERS_MAX; i++) {
        char id[16];
        snprintf(id, sizeof id, "p%d", i);
        assert_int_not_equal(hear(f, id, 1).v, STREAM_PEER_OWN.v);
    }
    assert_int_equal(hear(f, "more", 1).v, STREAM_PEER_OWN.v);
    f->now = mono_add(f->now, REMOTE_PEER_SILENCE_NS - NS_PER_S);
    stream_peer_t more = hear(f, "more", 1);
    assert_int_not_equal(more.v, STREAM_PEER_OWN.v);
    assert_int_not_equal(more.v, first.v);
    give(f, first, STREAM_READY, 1);
    give(f, more, STREAM_READY, 2);
    send_all(f);
    assert_string_equal(f->text, "more@1:r2");
}

static void a_new_life_sends_nothing_of_the_old(void **state)
{
    fixture_t *f = *state;
    stream_peer_t a = hear(f, "a", 1);
    give(f, a, STREAM_READY, 1);
    remote_sessions_reset(f->sessions);
    send_all(f);
    assert_int_equal(f->sent, 0);
    assert_int_not_equal(hear(f, "a", 1).v, a.v);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(peers_are_told_apart_by_node_and_life),
        TEST(a_message_is_of_one_changefeed),
        TEST(what_the_socket_does_not_take_is_sent_later_in_order),
        TEST(what_is_more_than_a_message_holds_goes_in_several),
        TEST(what_waits_is_counted_as_the_memory_it_takes),
        TEST(what_replaces_what_was_said_before_takes_no_more),
        TEST(a_peer_that_takes_nothing_for_long_is_given_up),
        TEST(taking_a_little_does_not_save_a_peer_that_is_full),
        TEST(a_peer_that_gets_to_half_in_time_is_full_no_more),
        TEST(a_peer_that_is_not_there_is_given_up_at_once),
        TEST(what_no_message_can_hold_is_refused),
        TEST(one_peer_more_replaces_only_who_is_silent),
        TEST(a_new_life_sends_nothing_of_the_old),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
