/* A node alone, spoken to over its sockets. */
#include "tests/wire/fake_maintainer.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/wire/child_process.h"

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

static changefeed_ref_t changefeed = {.uuid = {{7, 7, 7}}, .generation = 1};

static int set_up(void **state)
{
    fixture_t *fixture = calloc(1, sizeof *fixture);
    fake_maintainer_open(&fixture->maintainer);
    const char *argv[] = {DISPATCHER_PROGRAM,
                          "--node-id",
                          "n1",
                          "--node-control",
                          fixture->maintainer.control_endpoint,
                          "--node-status",
                          fixture->maintainer.status_endpoint,
                          "--node-events",
                          "tcp://127.0.0.1:0",
                          "--log-level",
                          "warning",
                          NULL};
    fixture->node = child_process_start(argv);
    assert_true(fixture->node > 0);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    fixture_t *fixture = *state;
    if (fixture->node > 0) {
        child_process_signal(fixture->node, SIGKILL);
        child_process_wait(fixture->node, 10);
    }
    zsock_destroy(&fixture->reader);
    fake_maintainer_close(&fixture->maintainer);
    free(fixture);
    return 0;
}

static message_t message_of(message_type_t type)
{
    message_t message = {0};
    message.header.type = type;
    return message;
}

/* ---- steps ---- */

static void welcome(fixture_t *fixture)
{
    const message_t *hello =
        fake_maintainer_expect(&fixture->maintainer, MESSAGE_HELLO, NULL, NULL);
    assert_string_equal(hello->header.sender.text, "n1");
    assert_true(hello->hello.host.len > 0);
    if (hello->hello.events.len)
        memcpy(fixture->events, hello->hello.events.data, hello->hello.events.len);
    message_t response = message_of(MESSAGE_HELLO_RESPONSE);
    response.hello_response = (hello_response_t){.slot = 1,
                                                 .slot_count_max = 64,
                                                 .lease_ms = 10000,
                                                 .heartbeat_ms = 20,
                                                 .complete_heartbeat_ms = 500,
                                                 .resend_ms = 500};
    fake_maintainer_send(&fixture->maintainer, &response);
}

static changefeed_config_t config_of(const char *source)
{
    return (changefeed_config_t){.name = bytes_of_text("orders"),
                                 .source = bytes_of_text(source),
                                 .sink = bytes_of_text("blackhole://")};
}

typedef struct {
    anchor_t anchor;
    uint8_t snapshot[65536];
    size_t len;
} start_t;

static void check(fixture_t *fixture, const char *source, start_t *start)
{
    message_t request = message_of(MESSAGE_CHECK_REQUEST);
    request.check_request = (check_request_t){.check_id = 5,
                                              .changefeed = changefeed,
                                              .config = config_of(source),
                                              .node_count = 1,
                                              .all_on_one_host = true};
    /* From the beginning of the made-up log. */
    request.check_request.config.start = START_POSITION;
    request.check_request.config.start_gtid_list = bytes_of_text("");
    fake_maintainer_send(&fixture->maintainer, &request);
    start->len = 0;
    for (bool is_last = false; !is_last;) {
        const message_t *message =
            fake_maintainer_expect(&fixture->maintainer, MESSAGE_CHECK_RESPONSE, NULL, NULL);
        const check_response_t *response = &message->check_response;
        if (response->error != SLUICE_OK)
            print_message("%.*s\n", (int)response->text.len, (const char *)response->text.data);
        assert_int_equal(response->error, SLUICE_OK);
        assert_int_equal(response->check_id, 5);
        assert_true(start->len + response->snapshot.len <= sizeof start->snapshot);
        memcpy(start->snapshot + start->len, response->snapshot.data, response->snapshot.len);
        start->len += response->snapshot.len;
        start->anchor = response->anchor;
        is_last = response->is_last_piece;
    }
    assert_true(start->len > 0);
}

static void open_changefeed(fixture_t *fixture, const char *source, const start_t *start)
{
    message_t open = message_of(MESSAGE_CHANGEFEED_OPEN);
    size_t half = start->len / 2;
    for (uint32_t piece = 0; piece < 2; piece++) {
        bytes_t part = piece == 0 ? bytes_of(start->snapshot, half)
                                  : bytes_of(start->snapshot + half, start->len - half);
        open.changefeed_open = (changefeed_open_t){
            .changefeed = changefeed,
            .anchor = start->anchor,
            .checkpoint = start->anchor.commit_ts,
            .snapshot_ts = start->anchor.commit_ts,
            .piece = piece,
            .is_last_piece = piece == 1,
            .snapshot = part,
        };
        if (piece == 0)
            open.changefeed_open.config = config_of(source);
        fake_maintainer_send(&fixture->maintainer, &open);
    }
    const message_t *opened =
        fake_maintainer_expect(&fixture->maintainer, MESSAGE_CHANGEFEED_OPENED, NULL, NULL);
    if (opened->changefeed_opened.error != SLUICE_OK)
        print_message("%.*s\n", (int)opened->changefeed_opened.text.len,
                      (const char *)opened->changefeed_opened.text.data);
    assert_int_equal(opened->changefeed_opened.error, SLUICE_OK);
    fixture->opened_epoch = opened->header.maintainer_epoch;
}

static schedule_create_t create_of(uint64_t number, table_id_t table, commit_ts_t start)
{
    return (schedule_create_t){.dispatcher_id = {42, number},
                               .span = {.table_id = table},
                               .start = {.checkpoint = start},
                               .assignment_epoch = {1, number}};
}

static void schedule(fixture_t *fixture, const schedule_create_t *creates, uint32_t count)
{
    message_t request = message_of(MESSAGE_SCHEDULE_REQUEST);
    request.schedule_request =
        (schedule_request_t){.changefeed = changefeed, .creates = creates, .create_count = count};
    fake_maintainer_send(&fixture->maintainer, &request);
}

/* ---- following heartbeats ---- */

static void note_entry(fixture_t *fixture, const dispatcher_heartbeat_t *entry)
{
    for (uint32_t i = 0; i < fixture->entry_count; i++)
        if (dispatcher_id_equal(fixture->entries[i].dispatcher_id, entry->dispatcher_id)) {
            fixture->entries[i] = *entry;
            return;
        }
    assert_true(fixture->entry_count < 64);
    fixture->entries[fixture->entry_count++] = *entry;
}

static void note_statuses(fixture_t *fixture, const block_status_request_t *request)
{
    for (uint32_t i = 0; i < request->group_count; i++) {
        const block_status_group_t *group = &request->groups[i];
        if (fixture->times == 0) {
            fixture->stage = group->stage;
            fixture->key = group->key;
            fixture->dispatcher = group->dispatchers[0];
        }
        for (uint32_t j = 0; j < group->dispatcher_count; j++)
            fixture->times += group->stage == fixture->stage &&
                              event_key_equal(group->key, fixture->key) &&
                              dispatcher_id_equal(group->dispatchers[j], fixture->dispatcher);
    }
}

static void note(void *context, const message_t *message)
{
    fixture_t *fixture = context;
    if (message->header.type == MESSAGE_BLOCK_STATUS_REQUEST)
        note_statuses(fixture, &message->block_status_request);
    if (message->header.type != MESSAGE_HEARTBEAT_REQUEST)
        return;
    const heartbeat_request_t *heartbeat = &message->heartbeat_request;
    if (!heartbeat->has_changefeed)
        return;
    if (heartbeat->error != SLUICE_OK)
        print_message("%.*s\n", (int)heartbeat->error_text.len,
                      (const char *)heartbeat->error_text.data);
    assert_int_equal(heartbeat->error, SLUICE_OK);
    for (uint32_t i = 0; i < heartbeat->entry_count; i++)
        note_entry(fixture, &heartbeat->entries[i]);
    fixture->has_watermark = heartbeat->has_watermark;
    fixture->watermark = heartbeat->watermark;
    fixture->rows = heartbeat->rows_applied;
}

static bool all_work(void *context)
{
    const fixture_t *fixture = context;
    uint32_t working = 0;
    for (uint32_t i = 0; i < fixture->entry_count; i++)
        working += fixture->entries[i].state == DISPATCHER_WORKING;
    return working == TABLES + 1;
}

static bool is_through(void *context)
{
    const fixture_t *fixture = context;
    return fixture->has_watermark &&
           fixture->watermark.checkpoint.v >= fixture->wanted_checkpoint.v;
}

/* From hello to a changefeed whose tables all replicate. */
static void start_everything(fixture_t *fixture, const char *source)
{
    start_t start;
    welcome(fixture);
    check(fixture, source, &start);
    open_changefeed(fixture, source, &start);
    message_t bootstrap = message_of(MESSAGE_BOOTSTRAP_REQUEST);
    bootstrap.bootstrap_request.changefeed = changefeed;
    fake_maintainer_send(&fixture->maintainer, &bootstrap);
    const message_t *answer =
        fake_maintainer_expect(&fixture->maintainer, MESSAGE_BOOTSTRAP_RESPONSE, note, fixture);
    assert_int_equal(answer->bootstrap_response.entry_count, 0);
    assert_true(answer->bootstrap_response.is_last_piece);

    schedule_create_t trigger = create_of(0, TABLE_ID_TRIGGER, start.anchor.commit_ts);
    trigger.wants_table_list = true;
    schedule(fixture, &trigger, 1);
    const message_t *list =
        fake_maintainer_expect(&fixture->maintainer, MESSAGE_TABLE_LIST, note, fixture);
    assert_int_equal(list->table_list.table_count, TABLES);
    assert_int_equal(list->table_list.at.v, start.anchor.commit_ts.v);
    schedule_create_t creates[TABLES];
    for (uint32_t i = 0; i < TABLES; i++)
        creates[i] = create_of(i + 1, list->table_list.tables[i].table_id, start.anchor.commit_ts);
    schedule(fixture, creates, TABLES);
    fake_maintainer_run(&fixture->maintainer, note, all_work, fixture);
}

static void stop(fixture_t *fixture)
{
    child_process_signal(fixture->node, SIGTERM);
    assert_int_equal(child_process_wait(fixture->node, 20), 0);
    fixture->node = 0;
}

/* ---- tests ---- */

static void carries_a_changefeed_from_check_to_close(void **state)
{
    fixture_t *fixture = *state;
    start_everything(fixture, SOURCE);
    fixture->wanted_checkpoint = (commit_ts_t){TRANSACTIONS};
    fake_maintainer_run(&fixture->maintainer, note, is_through, fixture);
    assert_int_equal(fixture->rows, 3 * TRANSACTIONS);
    message_t close = message_of(MESSAGE_CHANGEFEED_CLOSE);
    close.changefeed_close.changefeed = changefeed;
    fake_maintainer_send(&fixture->maintainer, &close);
    fake_maintainer_expect(&fixture->maintainer, MESSAGE_CHANGEFEED_CLOSED, NULL, NULL);
    stop(fixture);
}

static void writes_nothing_without_an_answered_heartbeat(void **state)
{
    fixture_t *fixture = *state;
    fixture->maintainer.answers_heartbeats = false;
    start_t start;
    welcome(fixture);
    check(fixture, SOURCE, &start);
    open_changefeed(fixture, SOURCE, &start);
    schedule_create_t trigger = create_of(0, TABLE_ID_TRIGGER, start.anchor.commit_ts);
    schedule(fixture, &trigger, 1);
    /* Its claim is not even tried: many heartbeats later it still prepares. */
    for (int i = 0; i < 20; i++) {
        const message_t *message =
            fake_maintainer_expect(&fixture->maintainer, MESSAGE_HEARTBEAT_REQUEST, NULL, NULL);
        note(fixture, message);
    }
    assert_int_equal(fixture->entry_count, 1);
    assert_int_equal(fixture->entries[0].state, DISPATCHER_PREPARING);
    fixture->maintainer.answers_heartbeats = true;
    while (fixture->entries[0].state != DISPATCHER_WORKING)
        note(fixture,
             fake_maintainer_expect(&fixture->maintainer, MESSAGE_HEARTBEAT_REQUEST, NULL, NULL));
}

/* Of two maintainers, say on two copies of one meta store, the later one counts. */
static void tells_an_older_maintainer_whom_it_follows(void **state)
{
    fixture_t *fixture = *state;
    start_t start;
    fixture->maintainer.epoch = 7;
    welcome(fixture);
    check(fixture, SOURCE, &start);
    open_changefeed(fixture, SOURCE, &start);
    fixture->maintainer.epoch = 6;
    open_changefeed(fixture, SOURCE, &start);
    assert_int_equal(fixture->opened_epoch, 7);
    stop(fixture);
}

static void starts_again_with_a_new_incarnation_when_told(void **state)
{
    fixture_t *fixture = *state;
    start_everything(fixture, SOURCE);
    incarnation_t before = fixture->maintainer.incarnation;
    message_t again = message_of(MESSAGE_START_AGAIN);
    fake_maintainer_send(&fixture->maintainer, &again);
    const message_t *hello =
        fake_maintainer_expect(&fixture->maintainer, MESSAGE_HELLO, NULL, NULL);
    while (hello->header.incarnation.v == before.v)
        hello = fake_maintainer_expect(&fixture->maintainer, MESSAGE_HELLO, NULL, NULL);
    assert_true(hello->header.incarnation.v > before.v);
    stop(fixture);
}

static bool is_repeated(void *context)
{
    return ((fixture_t *)context)->times >= 3;
}

static void repeats_a_status_that_is_not_acknowledged(void **state)
{
    fixture_t *fixture = *state;
    start_everything(fixture, "simulated://?tables=4&transactions=60&ddl_every=7");
    fake_maintainer_run(&fixture->maintainer, note, is_repeated, fixture);
    assert_true(fixture->stage == STAGE_NONE || fixture->stage == STAGE_WAITING);
}

static void tells_that_it_leaves(void **state)
{
    fixture_t *fixture = *state;
    start_everything(fixture, SOURCE);
    child_process_signal(fixture->node, SIGTERM);
    const message_t *hello =
        fake_maintainer_expect(&fixture->maintainer, MESSAGE_HELLO, NULL, NULL);
    while (!hello->hello.is_leaving)
        hello = fake_maintainer_expect(&fixture->maintainer, MESSAGE_HELLO, NULL, NULL);
    dispatcher_id_t ids[TABLES + 1];
    for (uint64_t i = 0; i <= TABLES; i++)
        ids[i] = (dispatcher_id_t){42, i};
    message_t request = message_of(MESSAGE_SCHEDULE_REQUEST);
    request.schedule_request =
        (schedule_request_t){.changefeed = changefeed, .closes = ids, .close_count = TABLES + 1};
    fake_maintainer_send(&fixture->maintainer, &request);
    assert_int_equal(child_process_wait(fixture->node, 20), 0);
    fixture->node = 0;
}

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

static void tells_why_a_check_failed(void **state)
{
    fixture_t *fixture = *state;
    welcome(fixture);
    message_t request = message_of(MESSAGE_CHECK_REQUEST);
    request.check_request =
        (check_request_t){.check_id = 6, .changefeed = changefeed, .config = config_of(SOURCE)};
    request.check_request.config.sink = bytes_of_text("nowhere://");
    fake_maintainer_send(&fixture->maintainer, &request);
    const message_t *message =
        fake_maintainer_expect(&fixture->maintainer, MESSAGE_CHECK_RESPONSE, NULL, NULL);
    assert_int_equal(message->check_response.error, SLUICE_ERROR_CONFIGURATION);
    assert_true(message->check_response.text.len > 0);
}

/* ---- systemd ---- */

static int manager = -1; /* what systemd listens at */

static int set_up_under_systemd(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char name[64];
    int len = snprintf(name, sizeof name, "@sluice-test-%ld", (long)getpid());
    memcpy(address.sun_path + 1, name + 1, (size_t)len - 1);
    manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct timeval deadline = {.tv_sec = 20};
    setsockopt(manager, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof deadline);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)len);
    if (bind(manager, (struct sockaddr *)&address, size) != 0)
        return -1;
    setenv("NOTIFY_SOCKET", name, 1);
    setenv("WATCHDOG_USEC", "100000", 1);
    int code = set_up(state);
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    return code;
}

static int tear_down_under_systemd(void **state)
{
    close(manager);
    return tear_down(state);
}

static void expect_told(const char *wanted)
{
    char text[64] = "";
    assert_true(recv(manager, text, sizeof text - 1, 0) > 0);
    assert_string_equal(text, wanted);
}

static void tells_systemd_that_it_is_ready_and_lives(void **state)
{
    fixture_t *fixture = *state;
    expect_told("READY=1");
    for (int i = 0; i < 3; i++)
        expect_told("WATCHDOG=1");
    child_process_signal(fixture->node, SIGTERM);
    char text[64] = "WATCHDOG=1";
    while (strcmp(text, "WATCHDOG=1") == 0) {
        memset(text, 0, sizeof text);
        assert_true(recv(manager, text, sizeof text - 1, 0) > 0);
    }
    assert_string_equal(text, "STOPPING=1");
    assert_int_equal(child_process_wait(fixture->node, 20), 0);
    fixture->node = -1;
}

/* ---- another node that reads events ---- */

#define READER_INCARNATION 5

static void connect_reader(fixture_t *fixture)
{
    node_id_t name = {"n2"};
    routing_id_t id;
    error_report_t report;
    routing_id_make(&name, (incarnation_t){READER_INCARNATION}, &id);
    fixture->reader = transport_socket_new(TRANSPORT_EVENTS_DEALER, &id);
    assert_int_equal(transport_connect(fixture->reader, fixture->events, &report), SLUICE_OK);
}

static void send_frames(fixture_t *fixture, const frames_t *frames)
{
    zmq_pollitem_t item = {.socket = zsock_resolve(fixture->reader), .events = ZMQ_POLLOUT};
    sluice_error_t error = SLUICE_ERROR_AGAIN;
    for (int i = 0; error == SLUICE_ERROR_AGAIN && i < 100; i++) {
        zmq_poll(&item, 1, 100);
        error = transport_send(fixture->reader, TRANSPORT_EVENTS_DEALER, NULL, frames);
    }
    assert_int_equal(error, SLUICE_OK);
}

static void encode_requests(changefeed_ref_t ref, const stream_request_t *requests, uint32_t count,
                            const char *sender, arena_t *arena, frames_t *frames)
{
    message_t message = message_of(MESSAGE_STREAM_REQUESTS);
    message.header.version = SLUICE_PROTOCOL_VERSION;
    message.header.incarnation = (incarnation_t){READER_INCARNATION};
    assert_true(node_id_parse(bytes_of_text(sender), &message.header.sender));
    message.stream_requests = (stream_requests_t){ref, requests, count};
    assert_int_equal(message_encode(&message, arena, frames), SLUICE_OK);
}

static void ask(fixture_t *fixture, changefeed_ref_t ref, const stream_request_t *request)
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

static stream_message_event_t expect_event(fixture_t *fixture, stream_kind_t kind)
{
    const stream_message_event_t *event = find_event(fixture, kind, 200);
    if (!event)
        fail_msg("no event of kind %d came", (int)kind);
    return *event;
}

/* As a session does: a service that has too much to tell strangers forgets to answer some. */
static void ask_until_answered(fixture_t *fixture, changefeed_ref_t ref,
                               const stream_request_t *request, stream_kind_t kind)
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

static stream_request_t trigger_request(stream_request_kind_t kind)
{
    return (stream_request_t){.kind = kind,
                              .dispatcher_id = {66, 1},
                              .only_reuse = true,
                              .epoch = kind == STREAM_REGISTER ? 0 : 1,
                              .credit_bytes = 1 << 20};
}

static void serves_another_node_what_it_holds(void **state)
{
    fixture_t *fixture = *state;
    start_everything(fixture, SOURCE "&ddl_every=10");
    connect_reader(fixture);
    stream_request_t request = trigger_request(STREAM_REGISTER);
    ask(fixture, changefeed, &request);
    assert_true(dispatcher_id_equal(expect_event(fixture, STREAM_READY).dispatcher_id,
                                    (dispatcher_id_t){66, 1}));
    request = trigger_request(STREAM_RESET);
    ask(fixture, changefeed, &request);
    assert_int_equal(expect_event(fixture, STREAM_HANDSHAKE).sequence, 1);
    stream_message_event_t ddl = expect_event(fixture, STREAM_DDL);
    assert_int_equal(ddl.sequence, 2);
    assert_true(ddl.payload.len > 0);
    request = trigger_request(STREAM_REMOVE);
    ask(fixture, changefeed, &request);
    request = trigger_request(STREAM_HEARTBEAT);
    ask(fixture, changefeed, &request);
    expect_event(fixture, STREAM_REMOVED);
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
        TEST(carries_a_changefeed_from_check_to_close),
        TEST(writes_nothing_without_an_answered_heartbeat),
        TEST(tells_an_older_maintainer_whom_it_follows),
        TEST(starts_again_with_a_new_incarnation_when_told),
        TEST(repeats_a_status_that_is_not_acknowledged),
        TEST(tells_that_it_leaves),
        TEST(survives_messages_that_make_no_sense),
        TEST(tells_why_a_check_failed),
        TEST(serves_another_node_what_it_holds),
        TEST(survives_what_makes_no_sense_from_another_node),
        cmocka_unit_test_setup_teardown(tells_systemd_that_it_is_ready_and_lives,
                                        set_up_under_systemd, tear_down_under_systemd),
    };
    zsys_handler_set(NULL);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    zsys_shutdown();
    return failed;
}
