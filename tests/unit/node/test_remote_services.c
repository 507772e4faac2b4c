#include "tests/testing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/core/node/remote_services.h"

#define OWN ((incarnation_t){77})

static const changefeed_ref_t feed = {.uuid = {{1}}, .generation = 2};
static const changefeed_ref_t other_feed = {.uuid = {{1}}, .generation = 3};

/* Sockets in the test's hands; what is done with them is told in `text`. */
typedef struct {
    remote_services_t *services;
    sluice_error_t error;
    uint32_t taken; /* messages before `error` */
    char text[8192];
    mono_ns_t now;
} fixture_t;

static void tell(fixture_t *f, const char *word, unsigned slot, unsigned count)
{
    size_t len = strlen(f->text);
    snprintf(f->text + len, sizeof f->text - len, "%s%s%u", len ? " " : "", word, slot);
    len = strlen(f->text);
    if (count)
        snprintf(f->text + len, sizeof f->text - len, "x%u", count);
}

static sluice_error_t connect_to(void *self, uint32_t slot, const char *endpoint, incarnation_t own)
{
    assert_int_equal(own.v, OWN.v);
    if (strcmp(endpoint, "nowhere") == 0)
        return SLUICE_ERROR_CONFIGURATION;
    tell(self, "+", slot, 0);
    return SLUICE_OK;
}

static void disconnect_from(void *self, uint32_t slot)
{
    tell(self, "-", slot, 0);
}

static sluice_error_t send_requests(void *self, uint32_t slot, message_t *message)
{
    fixture_t *f = self;
    assert_int_equal(message->header.type, MESSAGE_STREAM_REQUESTS);
    assert_int_equal(message->header.incarnation.v, OWN.v);
    const stream_requests_t *requests = &message->stream_requests;
    if (requests->requests[0].kind == STREAM_REGISTER)
        assert_string_equal((const char *)requests->requests[0].span.start_key.data, "key");
    if (f->error != SLUICE_OK && f->taken == 0)
        return f->error;
    f->taken -= f->taken > 0;
    tell(f, "", slot, requests->request_count);
    return SLUICE_OK;
}

static int set_up(void **state)
{
    fixture_t *f = calloc(1, sizeof *f);
    events_port_t port = {.self = f,
                          .endpoint = "ipc://x",
                          .connect = connect_to,
                          .disconnect = disconnect_from,
                          .send_requests = send_requests};
    f->services = remote_services_new(&port);
    f->now = (mono_ns_t){100 * NS_PER_S};
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture_t *f = *state;
    remote_services_destroy(&f->services);
    free(f);
    return 0;
}

static candidate_t candidate(uint32_t slot, uint64_t incarnation)
{
    candidate_t made = {
        .incarnation = {incarnation}, .slot = slot, .events = bytes_of_text("ipc://a")};
    snprintf(made.node.text, sizeof made.node.text, "n%u", (unsigned)slot);
    return made;
}

static service_id_t meet(fixture_t *f, uint32_t slot, uint64_t incarnation)
{
    candidate_t who = candidate(slot, incarnation);
    return remote_services_meet(f->services, &who, OWN, f->now);
}

/* Met and connected. */
static service_id_t reach(fixture_t *f, uint32_t slot)
{
    service_id_t service = meet(f, slot, 1);
    assert_int_equal(remote_services_link(f->services, slot, true, f->now).v, service.v);
    f->text[0] = '\0';
    return service;
}

static void ask_of(fixture_t *f, service_id_t service, changefeed_ref_t ref,
                   stream_request_kind_t kind)
{
    char key[] = "key";
    stream_request_t request = {.kind = kind,
                                .dispatcher_id = {1, 2},
                                .span = {.table_id = {5}, .start_key = bytes_of(key, 4)}};
    remote_services_request(f->services, service, ref, &request, f->now);
    memset(key, 'x', sizeof key);
}

static void run(fixture_t *f, uint64_t ns)
{
    f->now = mono_add(f->now, ns);
    remote_services_run(f->services, f->now);
}

static service_id_t take_gone(fixture_t *f)
{
    return remote_services_take_gone(f->services);
}

static service_id_t hear(fixture_t *f, uint32_t slot, const char *node, uint64_t incarnation)
{
    message_header_t header = {.incarnation = {incarnation}};
    snprintf(header.sender.text, sizeof header.sender.text, "%s", node);
    return remote_services_hear(f->services, slot, &header, f->now);
}

static void who_is_met_is_connected_to_once(void **state)
{
    fixture_t *f = *state;
    service_id_t service = meet(f, 3, 1);
    assert_int_equal(service_slot(service), 3);
    assert_int_equal(meet(f, 3, 1).v, service.v);
    assert_string_equal(f->text, "+3");
    assert_int_equal(hear(f, 3, "n3", 1).v, service.v);
    assert_non_null(remote_services_decoder(f->services, service));
    candidate_t nowhere = candidate(4, 1);
    nowhere.events = bytes_of_text("nowhere");
    assert_int_equal(remote_services_meet(f->services, &nowhere, OWN, f->now).v, SERVICE_NONE.v);
}

static void requests_go_out_in_order_by_changefeed(void **state)
{
    fixture_t *f = *state;
    service_id_t service = reach(f, 3);
    ask_of(f, service, feed, STREAM_REGISTER);
    ask_of(f, service, feed, STREAM_RESET);
    ask_of(f, service, other_feed, STREAM_RESET);
    ask_of(f, service, feed, STREAM_REMOVE);
    assert_true(remote_services_next_deadline(f->services).v <= f->now.v);
    run(f, 0);
    assert_string_equal(f->text, "3x2 3x1 3x1");
    run(f, 0);
    assert_string_equal(f->text, "3x2 3x1 3x1");
}

static void what_cannot_be_sent_is_tried_again_for_a_while(void **state)
{
    fixture_t *f = *state;
    service_id_t service = reach(f, 3);
    f->error = SLUICE_ERROR_AGAIN;
    ask_of(f, service, feed, STREAM_REGISTER);
    run(f, 0);
    f->error = SLUICE_OK;
    run(f, 10 * NS_PER_MS - 1);
    assert_string_equal(f->text, "");
    run(f, 1);
    assert_string_equal(f->text, "3x1");
    f->error = SLUICE_ERROR_AGAIN;
    ask_of(f, service, feed, STREAM_REGISTER);
    for (int i = 0; i <= REMOTE_SERVICE_TRIES_MAX; i++)
        run(f, 10 * NS_PER_MS);
    assert_int_equal(remote_services_state(f->services).dropped, 1);
    f->error = SLUICE_OK;
    run(f, 10 * NS_PER_MS);
    assert_string_equal(f->text, "3x1");
}

static void requests_that_wait_are_bounded(void **state)
{
    fixture_t *f = *state;
    service_id_t service = reach(f, 3);
    f->error = SLUICE_ERROR_AGAIN;
    for (int i = 0; i < REMOTE_REQUESTS_MAX + 10; i++)
        ask_of(f, service, feed, STREAM_CREDIT);
    assert_int_equal(remote_services_state(f->services).dropped, 10);
    f->error = SLUICE_OK;
    run(f, 10 * NS_PER_MS);
    assert_string_equal(f->text, "3x2048 3x2048 3x2048 3x2048");
    ask_of(f, service_of_slot(9), feed, STREAM_CREDIT);
    assert_int_equal(remote_services_state(f->services).dropped, 11);
}

static void more_requests_than_can_wait_are_sent_in_one_turn(void **state)
{
    fixture_t *f = *state;
    service_id_t service = reach(f, 3);
    for (int i = 0; i < REMOTE_REQUESTS_MAX + 10; i++)
        ask_of(f, service, feed, STREAM_CREDIT);
    assert_string_equal(f->text, "3x2048 3x2048 3x2048 3x2048");
    run(f, 0);
    assert_string_equal(f->text, "3x2048 3x2048 3x2048 3x2048 3x10");
    assert_int_equal(remote_services_state(f->services).dropped, 0);
}

static void a_socket_that_takes_some_is_tried_on(void **state)
{
    fixture_t *f = *state;
    service_id_t service = reach(f, 3);
    f->error = SLUICE_ERROR_AGAIN;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < STREAM_REQUESTS_MAX + 1; i++)
            ask_of(f, service, feed, STREAM_CREDIT);
        for (int i = 0; i < REMOTE_SERVICE_TRIES_MAX - 1; i++)
            run(f, 10 * NS_PER_MS);
        f->taken = 1;
        run(f, 10 * NS_PER_MS);
        assert_int_equal(f->taken, 0);
    }
    assert_int_equal(remote_services_state(f->services).dropped, 0);
    f->error = SLUICE_OK;
    run(f, 10 * NS_PER_MS);
    assert_string_equal(f->text, "3x2048 3x2048 3x2");
}

static void who_cannot_be_reached_is_gone(void **state)
{
    fixture_t *f = *state;
    service_id_t service = meet(f, 3, 1);
    ask_of(f, service, feed, STREAM_REGISTER); /* there is no connection */
    run(f, REMOTE_SERVICE_LOST_NS - 1);
    assert_int_equal(take_gone(f).v, SERVICE_NONE.v);
    run(f, 1);
    assert_int_equal(remote_services_next_deadline(f->services).v, 0);
    assert_int_equal(take_gone(f).v, service.v);
    assert_int_equal(take_gone(f).v, SERVICE_NONE.v);
    assert_string_equal(f->text, "+3 -3");
    assert_null(remote_services_decoder(f->services, service));
}

static void a_short_break_is_none(void **state)
{
    fixture_t *f = *state;
    service_id_t service = reach(f, 3);
    remote_services_link(f->services, 3, false, f->now);
    ask_of(f, service, feed, STREAM_CREDIT);
    run(f, REMOTE_SERVICE_LOST_NS - 1);
    assert_int_equal(remote_services_link(f->services, 3, true, f->now).v, service.v);
    run(f, REMOTE_SERVICE_LOST_NS);
    assert_int_equal(take_gone(f).v, SERVICE_NONE.v);
    assert_string_equal(f->text, "");
    remote_services_link(f->services, 3, false, f->now);
    run(f, REMOTE_SERVICE_LOST_NS);
    assert_int_equal(take_gone(f).v, service.v);
    assert_int_equal(remote_services_link(f->services, 3, true, f->now).v, SERVICE_NONE.v);
}

static void another_life_or_another_node_in_its_place_is_not_it(void **state)
{
    fixture_t *f = *state;
    service_id_t service = reach(f, 3);
    assert_int_equal(hear(f, 3, "n3", 2).v, SERVICE_NONE.v);
    assert_int_equal(take_gone(f).v, service.v);
    reach(f, 3);
    assert_int_equal(hear(f, 3, "n4", 1).v, SERVICE_NONE.v);
    assert_int_equal(take_gone(f).v, service.v);
    reach(f, 3);
    /* Told of the new life first: not used before those that read from the old one know. */
    assert_int_equal(meet(f, 3, 2).v, SERVICE_NONE.v);
    assert_int_equal(meet(f, 3, 2).v, SERVICE_NONE.v);
    assert_int_equal(take_gone(f).v, service.v);
    assert_int_equal(meet(f, 3, 2).v, service.v);
}

static void who_is_not_asked_anything_is_let_go(void **state)
{
    fixture_t *f = *state;
    service_id_t service = reach(f, 3);
    run(f, REMOTE_SERVICE_IDLE_NS - 1);
    ask_of(f, service, feed, STREAM_HEARTBEAT);
    run(f, REMOTE_SERVICE_IDLE_NS - 1);
    assert_string_equal(f->text, "3x1");
    run(f, 1);
    assert_string_equal(f->text, "3x1 -3");
    assert_int_equal(take_gone(f).v, SERVICE_NONE.v);
}

static void connections_are_bounded(void **state)
{
    fixture_t *f = *state;
    for (uint32_t slot = 0; slot < REMOTE_SERVICES_MAX; slot++)
        assert_int_not_equal(meet(f, slot, 1).v, SERVICE_NONE.v);
    assert_int_equal(meet(f, 100, 1).v, SERVICE_NONE.v);
    run(f, REMOTE_SERVICE_LOST_NS);
    assert_int_equal(meet(f, 100, 1).v, SERVICE_NONE.v);
    while (!service_equal(take_gone(f), SERVICE_NONE)) {
    }
    assert_int_not_equal(meet(f, 100, 1).v, SERVICE_NONE.v);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(who_is_met_is_connected_to_once),
        TEST(requests_go_out_in_order_by_changefeed),
        TEST(what_cannot_be_sent_is_tried_again_for_a_while),
        TEST(requests_that_wait_are_bounded),
        TEST(more_requests_than_can_wait_are_sent_in_one_turn),
        TEST(a_socket_that_takes_some_is_tried_on),
        TEST(who_cannot_be_reached_is_gone),
        TEST(a_short_break_is_none),
        TEST(another_life_or_another_node_in_its_place_is_not_it),
        TEST(who_is_not_asked_anything_is_let_go),
        TEST(connections_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
