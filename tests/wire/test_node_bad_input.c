/* What makes no sense does a node no harm, whoever sends it. */
#include "tests/wire/node_reader.h"

static void survives_messages_that_make_no_sense(void **state)
{
    fixture_t *fixture = *state;
    welcome(fixture);
    fake_maintainer_t *maintainer = &fixture->maintainer;
    fake_maintainer_expect(maintainer, MESSAGE_HEARTBEAT_REQUEST, NULL, NULL);
    const frames_t nonsense[] = {
        {bytes_of("", 0), bytes_of("", 0)},
        {bytes_of("SLCE", 4), bytes_of("x", 1)},
        {bytes_of("no header at all, and quite long for one", 40), bytes_of("\xff\xff\xff", 3)},
    };
    for (size_t i = 0; i < 3; i++)
        (void)!transport_send(maintainer->control, TRANSPORT_CONTROL_ROUTER, &maintainer->node,
                              &nonsense[i]);
    changefeed_ref_t unknown = {.generation = 9};
    message_t close = message_of(MESSAGE_CHANGEFEED_CLOSE);
    close.changefeed_close.changefeed = unknown;
    fake_maintainer_send(maintainer, &close);
    fake_maintainer_expect(maintainer, MESSAGE_CHANGEFEED_CLOSED, NULL, NULL);
    stop(fixture);
}

/* ORACLE §5, 1 to 10, 14, 18, 32, 33 */
static void survives_what_makes_no_sense_from_another_node(void **state)
{
    fixture_t *fixture = *state;
    start_everything(fixture, SOURCE);
    connect_reader(fixture);
    arena_t arena = {0};
    frames_t whole, wrong;
    static stream_request_t many[STREAM_REQUESTS_MAX];
    for (uint32_t i = 0; i < STREAM_REQUESTS_MAX; i++) {
        many[i] = trigger_request(STREAM_HEARTBEAT);
        many[i].dispatcher_id.lo = i + 1;
        many[i].epoch = UINT64_MAX;
    }
    encode_requests(changefeed, many, 3, "n2", &arena, &whole);
    for (size_t len = 0; len < whole.body.len; len++) {
        wrong = (frames_t){whole.header, bytes_of(whole.body.data, len)};
        send_frames(fixture, &wrong);
    }
    for (size_t len = 0; len < whole.header.len; len++) {
        wrong = (frames_t){bytes_of(whole.header.data, len), whole.body};
        send_frames(fixture, &wrong);
    }
    uint8_t *header = arena_alloc(&arena, whole.header.len);
    for (int type = 0; type < 70; type++) {
        memcpy(header, whole.header.data, whole.header.len);
        header[8] = (uint8_t)type;
        wrong = (frames_t){bytes_of(header, whole.header.len), whole.body};
        send_frames(fixture, &wrong);
    }
    memcpy(header, whole.header.data, whole.header.len);
    header[4]++; /* version */
    wrong = (frames_t){bytes_of(header, whole.header.len), whole.body};
    send_frames(fixture, &wrong);
    encode_requests(changefeed, many, 1, "n1", &arena, &wrong); /* somebody else's name */
    send_frames(fixture, &wrong);
    encode_requests(changefeed, many, STREAM_REQUESTS_MAX, "n2", &arena, &wrong);
    uint8_t *twice = arena_alloc(&arena, 2 * wrong.body.len);
    memcpy(twice, wrong.body.data, wrong.body.len);
    memcpy(twice + wrong.body.len, wrong.body.data, wrong.body.len);
    wrong.body = bytes_of(twice, 2 * wrong.body.len); /* above the cap, and repeated */
    send_frames(fixture, &wrong);
    for (int i = 0; i < 3; i++)
        zmq_send(zsock_resolve(fixture->reader), "x", 1, ZMQ_DONTWAIT);
    /* What it says of dispatchers that are not there, and to a changefeed that is not. */
    encode_requests(changefeed, many, STREAM_REQUESTS_MAX, "n2", &arena, &wrong);
    send_frames(fixture, &wrong);
    expect_event(fixture, STREAM_REMOVED);
    changefeed_ref_t other = changefeed;
    other.generation++;
    stream_request_t request = trigger_request(STREAM_REGISTER);
    ask_until_answered(fixture, other, &request, STREAM_NOT_REUSABLE);
    request.dispatcher_id = (dispatcher_id_t){42, 1}; /* one of its own */
    request.span.table_id.v = 77;
    ask_until_answered(fixture, changefeed, &request, STREAM_NOT_REUSABLE);
    arena_clear(&arena);
    /* Its own go on. */
    fixture->wanted_checkpoint = (commit_ts_t){TRANSACTIONS};
    fake_maintainer_run(&fixture->maintainer, note, is_through, fixture);
    stop(fixture);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(survives_messages_that_make_no_sense),
        TEST(survives_what_makes_no_sense_from_another_node),
    };
    zsys_handler_set(NULL);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    zsys_shutdown();
    return failed;
}
