#include "tests/wire/node_fixture.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/wire/child_process.h"

const changefeed_ref_t changefeed = {.uuid = {{7, 7, 7}}, .generation = 1};

int set_up(void **state)
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

int tear_down(void **state)
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

message_t message_of(message_type_t type)
{
    message_t message = {0};
    message.header.type = type;
    return message;
}

/* ---- steps ---- */

void welcome(fixture_t *fixture)
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

changefeed_config_t config_of(const char *source)
{
    return (changefeed_config_t){.name = bytes_of_text("orders"),
                                 .source = bytes_of_text(source),
                                 .sink = bytes_of_text("blackhole://")};
}

void check(fixture_t *fixture, const char *source, start_t *start)
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

void open_changefeed(fixture_t *fixture, const char *source, const start_t *start)
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

schedule_create_t create_of(uint64_t number, table_id_t table, commit_ts_t start)
{
    return (schedule_create_t){.dispatcher_id = {42, number},
                               .span = {.table_id = table},
                               .start = {.checkpoint = start},
                               .assignment_epoch = {1, number}};
}

void schedule(fixture_t *fixture, const schedule_create_t *creates, uint32_t count)
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

void note(void *context, const message_t *message)
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

bool is_through(void *context)
{
    const fixture_t *fixture = context;
    return fixture->has_watermark &&
           fixture->watermark.checkpoint.v >= fixture->wanted_checkpoint.v;
}

/* ---- a whole start, and the end ---- */

void start_everything(fixture_t *fixture, const char *source)
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

void stop(fixture_t *fixture)
{
    child_process_signal(fixture->node, SIGTERM);
    assert_int_equal(child_process_wait(fixture->node, 20), 0);
    fixture->node = 0;
}
