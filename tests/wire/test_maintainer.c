/* The maintainer alone: nodes and operators are the test. */
#include "tests/wire/maintainer_process.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/runtime/clock.h"
#include "tests/unit/wire/samples.h"

static int set_up(void **state)
{
    *state = maintainer_process_new();
    return 0;
}

static int tear_down(void **state)
{
    maintainer_process_t *maintainer = *state;
    maintainer_process_destroy(&maintainer);
    return 0;
}

static void hello_is_answered_with_slot_and_lease(void **state)
{
    maintainer_process_t *maintainer = *state;
    maintainer_process_start(maintainer);
    fake_node_t *first = fake_node_new(maintainer, "node-1", 1000);
    fake_node_t *second = fake_node_new(maintainer, "node-2", 1000);
    fake_node_hello(first);
    hello_response_t one = fake_node_expect(first, MESSAGE_HELLO_RESPONSE)->hello_response;
    fake_node_hello(second);
    hello_response_t two = fake_node_expect(second, MESSAGE_HELLO_RESPONSE)->hello_response;
    assert_int_equal(one.lease_ms, 2000);
    assert_int_not_equal(one.slot, two.slot);
    fake_node_hello(first);
    assert_int_equal(fake_node_expect(first, MESSAGE_HELLO_RESPONSE)->hello_response.slot,
                     one.slot);
    assert_true(maintainer_process_metric(maintainer, "sluice_node_count") == 2);
    fake_node_destroy(&first);
    fake_node_destroy(&second);
    assert_int_equal(maintainer_process_stop(maintainer, SIGTERM), 0);
}

static uint32_t slot_of(maintainer_process_t *maintainer, const char *name, uint64_t incarnation)
{
    fake_node_t *node = fake_node_new(maintainer, name, incarnation);
    fake_node_hello(node);
    uint32_t slot = fake_node_expect(node, MESSAGE_HELLO_RESPONSE)->hello_response.slot;
    fake_node_destroy(&node);
    return slot;
}

static void slots_outlive_the_process(void **state)
{
    maintainer_process_t *maintainer = *state;
    maintainer_process_start(maintainer);
    uint32_t first = slot_of(maintainer, "node-1", 1000);
    uint32_t second = slot_of(maintainer, "node-2", 1000);
    assert_int_not_equal(first, second);
    assert_int_equal(maintainer_process_stop(maintainer, SIGKILL), 128 + SIGKILL);
    maintainer_process_start(maintainer);
    assert_int_equal(slot_of(maintainer, "node-2", 1001), second);
    assert_int_equal(slot_of(maintainer, "node-1", 1001), first);
}

static void heartbeats_are_answered_with_the_newest_received(void **state)
{
    maintainer_process_t *maintainer = *state;
    maintainer_process_start(maintainer);
    fake_node_t *node = fake_node_new(maintainer, "node-1", 1000);
    fake_node_hello(node);
    fake_node_expect(node, MESSAGE_HELLO_RESPONSE);
    node->heartbeat_sequence = 500;
    fake_node_heartbeat(node);
    heartbeat_response_t response;
    do
        response = fake_node_expect(node, MESSAGE_HEARTBEAT_RESPONSE)->heartbeat_response;
    while (response.newest_heartbeat < 501);
    assert_true(response.newest_heartbeat <= node->heartbeat_sequence);
    fake_node_destroy(&node);
}

/* What a node says once it was called absent counts for nothing until it starts again. */
static void a_silent_node_is_absent_and_told_to_start_again(void **state)
{
    maintainer_process_t *maintainer = *state;
    maintainer_process_start(maintainer);
    fake_node_t *node = fake_node_new(maintainer, "node-1", 1000);
    fake_node_hello(node);
    fake_node_expect(node, MESSAGE_HELLO_RESPONSE);
    maintainer_process_wait_metric(maintainer, "sluice_node_count", 0);
    fake_node_heartbeat(node);
    fake_node_expect(node, MESSAGE_START_AGAIN);
    fake_node_t *again = fake_node_new(maintainer, "node-1", 1001);
    fake_node_hello(again);
    fake_node_expect(again, MESSAGE_HELLO_RESPONSE);
    fake_node_destroy(&node);
    fake_node_destroy(&again);
}

static void another_version_is_answered_and_dropped(void **state)
{
    maintainer_process_t *maintainer = *state;
    maintainer_process_start(maintainer);
    fake_node_t *node = fake_node_new(maintainer, "node-1", 1000);
    message_t message = fake_node_message(node, MESSAGE_HELLO);
    message.header.version = SLUICE_PROTOCOL_VERSION + 1;
    message.hello.host = bytes_of_text("host");
    fake_node_send(node, &message);
    fake_node_expect(node, MESSAGE_VERSION_MISMATCH);
    assert_true(maintainer_process_metric(
                    maintainer, "sluice_messages_dropped_total{reason=\"version\"}") == 1);
    fake_node_destroy(&node);
}

static void nobody_speaks_for_somebody_else(void **state)
{
    maintainer_process_t *maintainer = *state;
    maintainer_process_start(maintainer);
    fake_node_t *node = fake_node_new(maintainer, "node-1", 1000);
    message_t message = fake_node_message(node, MESSAGE_HELLO);
    assert_true(node_id_parse(bytes_of_text("node-2"), &message.header.sender));
    message.hello.host = bytes_of_text("host");
    fake_node_send(node, &message);
    fake_node_hello(node);
    fake_node_expect(node, MESSAGE_HELLO_RESPONSE);
    assert_true(maintainer_process_metric(maintainer,
                                          "sluice_messages_dropped_total{reason=\"sender\"}") == 1);
    assert_true(maintainer_process_metric(maintainer, "sluice_node_count") == 1);
    fake_node_destroy(&node);
}

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void send_damaged(fake_node_t *node, const frames_t *whole, uint64_t *seed)
{
    uint8_t header[256], body[4096];
    size_t header_len = whole->header.len, body_len = whole->body.len;
    memcpy(header, whole->header.data, header_len);
    memcpy(body, whole->body.data, body_len);
    uint64_t kind = next_random(seed) % 4;
    if (kind == 0 && body_len)
        body_len = next_random(seed) % body_len;
    if (kind == 1 && body_len)
        body[next_random(seed) % body_len] ^= (uint8_t)(1U << (next_random(seed) % 8));
    if (kind == 2)
        header_len = next_random(seed) % header_len;
    if (kind == 3)
        header[next_random(seed) % header_len] ^= (uint8_t)(1U << (next_random(seed) % 8));
    frames_t damaged = {bytes_of(header, header_len), bytes_of(body, body_len)};
    fake_node_send_frames(node, &damaged);
}

/* Every message type, damaged in a thousand ways, and the ones that only the maintainer sends. */
static void damaged_messages_do_no_harm(void **state)
{
    maintainer_process_t *maintainer = *state;
    maintainer_process_start(maintainer);
    fake_node_t *node = fake_node_new(maintainer, "node-1", 1000);
    fake_node_hello(node);
    fake_node_expect(node, MESSAGE_HELLO_RESPONSE);
    uint64_t seed = 7;
    for (unsigned round = 0; round < 4000; round++) {
        arena_t arena = {0};
        message_t *message = sample_message(sample_types[round % sample_type_count], &arena);
        frames_t frames;
        message->header.sender = node->id;
        message->header.incarnation = node->incarnation;
        assert_int_equal(message_encode(message, &arena, &frames), SLUICE_OK);
        if (round < sample_type_count)
            fake_node_send_frames(node, &frames);
        else
            send_damaged(node, &frames, &seed);
        arena_clear(&arena);
    }
    fake_node_t *healthy = fake_node_new(maintainer, "node-2", 1000);
    fake_node_hello(healthy);
    fake_node_expect(healthy, MESSAGE_HELLO_RESPONSE);
    assert_int_equal(maintainer_process_http(maintainer, "GET", "/health", NULL, NULL), 200);
    fake_node_destroy(&healthy);
    fake_node_destroy(&node);
    assert_int_equal(maintainer_process_stop(maintainer, SIGTERM), 0);
}

static void wrong_numbers_of_frames_do_no_harm(void **state)
{
    maintainer_process_t *maintainer = *state;
    maintainer_process_start(maintainer);
    fake_node_t *node = fake_node_new(maintainer, "node-1", 1000);
    fake_node_hello(node);
    fake_node_expect(node, MESSAGE_HELLO_RESPONSE);
    static const unsigned counts[] = {1, 3, 65};
    zsock_t *sockets[] = {node->control, node->status};
    fake_node_heartbeat(node); /* the status socket is connected once this is gone */
    for (size_t s = 0; s < 2; s++)
        for (size_t i = 0; i < 3; i++)
            for (unsigned frame = 0; frame < counts[i]; frame++)
                zmq_send(zsock_resolve(sockets[s]), "x", 1,
                         frame + 1 < counts[i] ? ZMQ_SNDMORE : 0);
    maintainer_process_wait_metric(maintainer,
                                   "sluice_messages_dropped_total{reason=\"bad_frame\"}", 6);
    fake_node_destroy(&node);
}

static void a_second_process_ends_with_a_clear_line(void **state)
{
    maintainer_process_t *maintainer = *state;
    maintainer_process_start(maintainer);
    maintainer_process_t second = *maintainer;
    assert_int_equal(maintainer_process_run(&second, NULL), 3);
    assert_true(maintainer_process_logged(maintainer, "in use by another maintainer"));
    assert_int_equal(maintainer_process_http(maintainer, "GET", "/health", NULL, NULL), 200);
}

static void ends_when_its_store_is_taken_away(void **state)
{
    maintainer_process_t *maintainer = *state;
    maintainer_process_start(maintainer);
    char path[128];
    snprintf(path, sizeof path, "%s/meta.db", maintainer->directory);
    assert_int_equal(unlink(path), 0);
    int status;
    assert_int_equal(waitpid(maintainer->pid, &status, 0), maintainer->pid);
    maintainer->pid = 0;
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 3);
    assert_true(maintainer_process_logged(maintainer, "is not the file that was opened"));
}

static void exit_codes_tell_what_is_wrong(void **state)
{
    maintainer_process_t *maintainer = *state;
    assert_int_equal(maintainer_process_run(maintainer, "--nothing=1"), 1);
    assert_int_equal(maintainer_process_run(maintainer, "--maintainer-lease=5"), 2);
    assert_int_equal(maintainer_process_run(maintainer, "--maintainer-pass-quiet=400ms"), 2);
    assert_int_equal(maintainer_process_run(maintainer, "--maintainer-control=tcp://0.0.0.0:0"), 2);
    assert_int_equal(maintainer_process_run(maintainer, "--maintainer-data=/nonexistent"), 3);
    assert_int_equal(maintainer_process_run(maintainer, "--version"), 0);
    assert_int_equal(maintainer_process_run(maintainer, "--check"), 0);
}

static void signals_are_obeyed(void **state)
{
    maintainer_process_t *maintainer = *state;
    maintainer_process_start(maintainer);
    char moved[128];
    snprintf(moved, sizeof moved, "%s/log.1", maintainer->directory);
    assert_int_equal(rename(maintainer->log, moved), 0);
    kill(maintainer->pid, SIGPIPE);
    kill(maintainer->pid, SIGUSR1);
    kill(maintainer->pid, SIGHUP);
    mono_ns_t until = mono_add(clock_mono(), DEADLINE_MS * NS_PER_MS);
    while (!maintainer_process_logged(maintainer, "log settings were read again")) {
        assert_false(mono_reached(until, clock_mono()));
        usleep(5000);
    }
    unlink(moved);
    assert_int_equal(maintainer_process_stop(maintainer, SIGINT), 0);
}

static void answers_operators(void **state)
{
    maintainer_process_t *maintainer = *state;
    maintainer_process_start(maintainer);
    static const struct {
        const char *method, *path, *body;
        unsigned status;
    } cases[] = {
        {"GET", "/health", NULL, 200},
        {"GET", "/ready", NULL, 503},
        {"GET", "/ready?lag=x", NULL, 400},
        {"GET", "/status", NULL, 200},
        {"GET", "/api/v2/changefeeds", NULL, 200},
        {"GET", "/api/v2/captures", NULL, 200},
        {"GET", "/api/v2/changefeeds/none", NULL, 404},
        {"GET", "/api/v2/changefeeds/none/tables", NULL, 404},
        {"GET", "/api/v2/changefeeds/none/tables?offset=5&limit=1", NULL, 404},
        {"GET", "/api/v2/changefeeds/none/tables?offset=-1", NULL, 400},
        {"GET", "/api/v2/changefeeds/none/tables?limit=5x", NULL, 400},
        {"GET", "/api/v2/changefeeds/none/barriers", NULL, 404},
        {"POST", "/api/v2/changefeeds/none/pause", NULL, 404},
        {"POST", "/api/v2/changefeeds/none/resume", NULL, 404},
        {"DELETE", "/api/v2/changefeeds/none", NULL, 404},
        {"PUT", "/api/v2/captures/none/drain", NULL, 404},
        {"GET", "/", NULL, 404},
        {"GET", "/nothing", NULL, 404},
        {"GET", "/api/v2/changefeeds//tables", NULL, 404},
        {"GET", "/api/v2/changefeeds/a%00b", NULL, 400},
        {"GET", "/api/v2/changefeeds/..", NULL, 404},
        {"DELETE", "/health", NULL, 405},
        {"PUT", "/api/v2/changefeeds", "{}", 405},
        {"POST", "/api/v2/changefeeds", "{}", 400},
        {"POST", "/api/v2/changefeeds", "[]", 400},
        {"POST", "/api/v2/changefeeds", "{", 400},
        {"POST", "/api/v2/changefeeds", "{\"name\":\"a\",\"name\":\"b\"}", 400},
        {"POST", "/api/v2/changefeeds", "{\"name\":\"a/b\",\"source\":\"a://\",\"sink\":\"a://\"}",
         400},
        {"POST", "/api/v2/changefeeds",
         "{\"name\":\"a\",\"source\":\"a://\",\"sink\":\"a://\",\"domain\":1e309}", 400},
        {"POST", "/api/v2/changefeeds",
         "{\"name\":\"a\",\"source\":\"a://\",\"sink\":\"a://\",\"typo\":1}", 400},
        {"POST", "/api/v2/changefeeds", "{\"name\":\"a\",\"source\":\"a://\",\"sink\":\"a://\"} x",
         400},
        {"POST", "/api/v2/changefeeds", "{\"name\":\"a\",\"source\":\"a://\",\"sink\":\"a://\"}",
         409}, /* no node is there */
        {"POST", "/api/v2/changefeeds/none/resume", "{\"overwrite_gtid\":5}", 400},
        {"POST", "/api/v2/log", "{\"log_level\":\"loud\"}", 400},
        {"POST", "/api/v2/log", "{\"log_level\":\"info\"}", 200},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        unsigned status = maintainer_process_http(maintainer, cases[i].method, cases[i].path,
                                                  cases[i].body, NULL);
        if (status != cases[i].status)
            fail_msg("%s %s %s: %u, not %u", cases[i].method, cases[i].path,
                     cases[i].body ? cases[i].body : "", status, cases[i].status);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(hello_is_answered_with_slot_and_lease),
        TEST(slots_outlive_the_process),
        TEST(heartbeats_are_answered_with_the_newest_received),
        TEST(a_silent_node_is_absent_and_told_to_start_again),
        TEST(another_version_is_answered_and_dropped),
        TEST(nobody_speaks_for_somebody_else),
        TEST(damaged_messages_do_no_harm),
        TEST(wrong_numbers_of_frames_do_no_harm),
        TEST(a_second_process_ends_with_a_clear_line),
        TEST(ends_when_its_store_is_taken_away),
        TEST(exit_codes_tell_what_is_wrong),
        TEST(signals_are_obeyed),
        TEST(answers_operators),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
