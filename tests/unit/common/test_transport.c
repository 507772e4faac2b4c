#include "tests/testing.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/runtime/transport.h"

/* Everything here waits for an event with this deadline, never for a duration. */
#define DEADLINE_MS 10000

typedef struct {
    char directory[64], endpoint[128];
    arena_t arena;
} fixture_t;

static int set_up(void **state)
{
    fixture_t *fixture = test_calloc(1, sizeof *fixture);
    zsys_handler_set(NULL);
    strcpy(fixture->directory, "/tmp/sluice-transport-XXXXXX");
    if (!mkdtemp(fixture->directory))
        return -1;
    snprintf(fixture->endpoint, sizeof fixture->endpoint, "ipc://%s/s", fixture->directory);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    fixture_t *fixture = *state;
    char path[128];
    snprintf(path, sizeof path, "%s/s", fixture->directory);
    unlink(path);
    rmdir(fixture->directory);
    arena_clear(&fixture->arena);
    test_free(fixture);
    return 0;
}

static void wait_for(zsock_t *socket, short events)
{
    zmq_pollitem_t item = {.socket = zsock_resolve(socket), .events = events};
    assert_int_equal(zmq_poll(&item, 1, DEADLINE_MS), 1);
}

static zsock_t *bound(fixture_t *fixture, transport_role_t role)
{
    zsock_t *socket = transport_socket_new(role, NULL);
    assert_int_equal(transport_bind(socket, fixture->endpoint, false, NULL, NULL), SLUICE_OK);
    return socket;
}

static routing_id_t id_of(const char *name, uint64_t incarnation)
{
    node_id_t node;
    routing_id_t id;
    assert_true(node_id_parse(bytes_of_text(name), &node));
    routing_id_make(&node, (incarnation_t){incarnation}, &id);
    return id;
}

static const frames_t hello = {{(const uint8_t *)"head", 4}, {(const uint8_t *)"body", 4}};

static void a_routing_id_tells_node_and_incarnation(void **state)
{
    (void)state;
    routing_id_t id = id_of("node-1", 1767225599123);
    node_id_t node;
    incarnation_t incarnation;
    assert_true(routing_id_parse(&id, &node, &incarnation));
    assert_string_equal(node.text, "node-1");
    assert_int_equal(incarnation.v, 1767225599123);
    static const char *const bad[] = {"",        "node",    "node@", "@1",
                                      "node@1x", "node@-1", "a b@1", "node@18446744073709551616"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        routing_id_t other = {.len = strlen(bad[i])};
        memcpy(other.bytes, bad[i], other.len);
        assert_false(routing_id_parse(&other, &node, &incarnation));
    }
}

static void status_goes_from_push_to_pull(void **state)
{
    fixture_t *fixture = *state;
    zsock_t *pull = bound(fixture, TRANSPORT_STATUS_PULL);
    zsock_t *push = transport_socket_new(TRANSPORT_STATUS_PUSH, NULL);
    assert_int_equal(transport_connect(push, fixture->endpoint, NULL), SLUICE_OK);
    wait_for(push, ZMQ_POLLOUT);
    assert_int_equal(transport_send(push, TRANSPORT_STATUS_PUSH, NULL, &hello), SLUICE_OK);
    wait_for(pull, ZMQ_POLLIN);
    transport_received_t received;
    assert_int_equal(transport_receive(pull, TRANSPORT_STATUS_PULL, &fixture->arena, &received),
                     SLUICE_OK);
    assert_true(bytes_equal(received.frames.header, hello.header));
    assert_true(bytes_equal(received.frames.body, hello.body));
    assert_int_equal(transport_receive(pull, TRANSPORT_STATUS_PULL, &fixture->arena, &received),
                     SLUICE_ERROR_AGAIN);
    zsock_destroy(&push);
    zsock_destroy(&pull);
}

static void nothing_is_accepted_for_a_peer_that_is_not_there(void **state)
{
    fixture_t *fixture = *state;
    zsock_t *push = transport_socket_new(TRANSPORT_STATUS_PUSH, NULL);
    assert_int_equal(transport_connect(push, fixture->endpoint, NULL), SLUICE_OK);
    assert_int_equal(transport_send(push, TRANSPORT_STATUS_PUSH, NULL, &hello), SLUICE_ERROR_AGAIN);
    zsock_destroy(&push);
}

static void control_goes_both_ways_and_names_the_peer(void **state)
{
    fixture_t *fixture = *state;
    zsock_t *router = bound(fixture, TRANSPORT_CONTROL_ROUTER);
    routing_id_t id = id_of("node-1", 7);
    assert_int_equal(transport_send(router, TRANSPORT_CONTROL_ROUTER, &id, &hello),
                     SLUICE_ERROR_NOT_FOUND);
    zsock_t *dealer = transport_socket_new(TRANSPORT_CONTROL_DEALER, &id);
    assert_int_equal(transport_connect(dealer, fixture->endpoint, NULL), SLUICE_OK);
    wait_for(dealer, ZMQ_POLLOUT);
    assert_int_equal(transport_send(dealer, TRANSPORT_CONTROL_DEALER, NULL, &hello), SLUICE_OK);
    wait_for(router, ZMQ_POLLIN);
    transport_received_t received;
    assert_int_equal(
        transport_receive(router, TRANSPORT_CONTROL_ROUTER, &fixture->arena, &received), SLUICE_OK);
    assert_int_equal(received.from.len, id.len);
    assert_memory_equal(received.from.bytes, id.bytes, id.len);
    assert_int_equal(transport_send(router, TRANSPORT_CONTROL_ROUTER, &received.from, &hello),
                     SLUICE_OK);
    wait_for(dealer, ZMQ_POLLIN);
    assert_int_equal(
        transport_receive(dealer, TRANSPORT_CONTROL_DEALER, &fixture->arena, &received), SLUICE_OK);
    assert_true(bytes_equal(received.frames.body, hello.body));
    zsock_destroy(&dealer);
    zsock_destroy(&router);
}

static void wrong_numbers_of_frames_are_dropped(void **state)
{
    fixture_t *fixture = *state;
    zsock_t *pull = bound(fixture, TRANSPORT_STATUS_PULL);
    zsock_t *push = transport_socket_new(TRANSPORT_STATUS_PUSH, NULL);
    assert_int_equal(transport_connect(push, fixture->endpoint, NULL), SLUICE_OK);
    wait_for(push, ZMQ_POLLOUT);
    static const unsigned counts[] = {1, 3, 65};
    for (size_t i = 0; i < 3; i++)
        for (unsigned frame = 0; frame < counts[i]; frame++)
            zmq_send(zsock_resolve(push), "x", 1, frame + 1 < counts[i] ? ZMQ_SNDMORE : 0);
    assert_int_equal(transport_send(push, TRANSPORT_STATUS_PUSH, NULL, &hello), SLUICE_OK);
    transport_received_t received;
    for (size_t i = 0; i < 3; i++) {
        wait_for(pull, ZMQ_POLLIN);
        assert_int_equal(transport_receive(pull, TRANSPORT_STATUS_PULL, &fixture->arena, &received),
                         SLUICE_ERROR_MALFORMED);
    }
    wait_for(pull, ZMQ_POLLIN);
    assert_int_equal(transport_receive(pull, TRANSPORT_STATUS_PULL, &fixture->arena, &received),
                     SLUICE_OK);
    zsock_destroy(&push);
    zsock_destroy(&pull);
}

static void a_new_incarnation_is_another_peer_and_the_same_one_takes_over(void **state)
{
    fixture_t *fixture = *state;
    zsock_t *router = bound(fixture, TRANSPORT_CONTROL_ROUTER);
    routing_id_t id = id_of("node-1", 7);
    zsock_t *first = transport_socket_new(TRANSPORT_CONTROL_DEALER, &id);
    zsock_t *second = transport_socket_new(TRANSPORT_CONTROL_DEALER, &id);
    transport_received_t received;
    zsock_t *dealers[] = {first, second};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(transport_connect(dealers[i], fixture->endpoint, NULL), SLUICE_OK);
        wait_for(dealers[i], ZMQ_POLLOUT);
        assert_int_equal(transport_send(dealers[i], TRANSPORT_CONTROL_DEALER, NULL, &hello),
                         SLUICE_OK);
        wait_for(router, ZMQ_POLLIN);
        assert_int_equal(
            transport_receive(router, TRANSPORT_CONTROL_ROUTER, &fixture->arena, &received),
            SLUICE_OK);
    }
    assert_int_equal(transport_send(router, TRANSPORT_CONTROL_ROUTER, &id, &hello), SLUICE_OK);
    wait_for(second, ZMQ_POLLIN);
    zsock_destroy(&first);
    zsock_destroy(&second);
    zsock_destroy(&router);
}

static void large_messages_are_refused_before_they_cost_the_connection(void **state)
{
    fixture_t *fixture = *state;
    zsock_t *push = transport_socket_new(TRANSPORT_STATUS_PUSH, NULL);
    uint8_t *large = arena_zalloc(&fixture->arena, MESSAGE_BYTES_MAX + 1);
    frames_t frames = {hello.header, bytes_of(large, MESSAGE_BYTES_MAX + 1)};
    assert_int_equal(transport_send(push, TRANSPORT_STATUS_PUSH, NULL, &frames),
                     SLUICE_ERROR_TOO_LARGE);
    zsock_destroy(&push);
}

static void only_loopback_is_bound_without_saying_insecure(void **state)
{
    (void)state;
    error_report_t report;
    char endpoint[TRANSPORT_ENDPOINT_SIZE];
    zsock_t *router = transport_socket_new(TRANSPORT_CONTROL_ROUTER, NULL);
    static const char *const open[] = {"tcp://*:0", "tcp://0.0.0.0:0", "tcp://[::]:0"};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(transport_bind(router, open[i], false, NULL, &report),
                         SLUICE_ERROR_CONFIGURATION);
    assert_non_null(strstr(report.text, "insecure"));
    assert_int_equal(transport_bind(router, "127.0.0.1:0", false, NULL, &report),
                     SLUICE_ERROR_CONFIGURATION);
    assert_int_equal(transport_bind(router, "tcp://0.0.0.0:0", true, endpoint, NULL), SLUICE_OK);
    assert_int_equal(transport_bind(router, "tcp://127.0.0.1:0", false, endpoint, NULL), SLUICE_OK);
    assert_null(strstr(endpoint, ":0"));
    zsock_t *second = transport_socket_new(TRANSPORT_CONTROL_ROUTER, NULL);
    assert_int_equal(transport_bind(second, endpoint, false, NULL, &report), SLUICE_ERROR_IO);
    zsock_destroy(&second);
    zsock_destroy(&router);
}

static transport_link_t next_link(transport_monitor_t *monitor)
{
    transport_link_t link = TRANSPORT_LINK_NONE;
    while (link == TRANSPORT_LINK_NONE) {
        bool has_more;
        wait_for(transport_monitor_socket(monitor), ZMQ_POLLIN);
        link = transport_monitor_next(monitor, &has_more);
    }
    return link;
}

static void the_monitor_tells_when_the_link_comes_and_goes(void **state)
{
    fixture_t *fixture = *state;
    zsock_t *push = transport_socket_new(TRANSPORT_STATUS_PUSH, NULL);
    transport_monitor_t *monitor = transport_monitor_new(push);
    zsock_t *pull = bound(fixture, TRANSPORT_STATUS_PULL);
    assert_int_equal(transport_connect(push, fixture->endpoint, NULL), SLUICE_OK);
    assert_int_equal(next_link(monitor), TRANSPORT_LINK_UP);
    zsock_destroy(&pull);
    assert_int_equal(next_link(monitor), TRANSPORT_LINK_DOWN);
    pull = bound(fixture, TRANSPORT_STATUS_PULL);
    assert_int_equal(next_link(monitor), TRANSPORT_LINK_UP);
    bool has_more;
    assert_int_equal(transport_monitor_next(monitor, &has_more), TRANSPORT_LINK_NONE);
    assert_false(has_more);
    transport_monitor_destroy(&monitor);
    zsock_destroy(&push);
    zsock_destroy(&pull);
}

/* With AddressSanitizer, too, memory that was given back is soon used again. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "quarantine_size_mb=0:thread_local_quarantine_size_kb=0";
}

/* As a node does that starts again; libzmq ends the old one's endpoint some time later, and its
 * sockets, of which it has no more than 1,023. */
static void a_monitor_follows_another_at_once(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++) {
        zsock_t *sockets[] = {transport_socket_new(TRANSPORT_STATUS_PUSH, NULL),
                              transport_socket_new(TRANSPORT_CONTROL_DEALER, NULL)};
        transport_monitor_t *monitors[2];
        for (int j = 0; j < 2; j++)
            monitors[j] = transport_monitor_new(sockets[j]);
        for (int j = 0; j < 2; j++)
            transport_monitor_destroy(&monitors[j]);
        for (int j = 0; j < 2; j++)
            zsock_destroy(&sockets[j]);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_routing_id_tells_node_and_incarnation),
        TEST(status_goes_from_push_to_pull),
        TEST(nothing_is_accepted_for_a_peer_that_is_not_there),
        TEST(control_goes_both_ways_and_names_the_peer),
        TEST(wrong_numbers_of_frames_are_dropped),
        TEST(a_new_incarnation_is_another_peer_and_the_same_one_takes_over),
        TEST(large_messages_are_refused_before_they_cost_the_connection),
        TEST(only_loopback_is_bound_without_saying_insecure),
        TEST(the_monitor_tells_when_the_link_comes_and_goes),
        TEST(a_monitor_follows_another_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
