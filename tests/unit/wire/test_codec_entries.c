/* Which entries are left out of a message, each for its own reason, while the rest is kept. */
#include "tests/testing.h"

#include "common/wire/codec.h"
#include "tests/unit/wire/samples.h"

typedef struct {
    arena_t arena;
    message_t *message;
    block_status_group_t group;
    block_payload_t payload;
} fixture_t;

static int set_up(void **state)
{
    fixture_t *fixture = test_calloc(1, sizeof *fixture);
    fixture->message = sample_message(MESSAGE_BLOCK_STATUS_REQUEST, &fixture->arena);
    fixture->group = fixture->message->block_status_request.groups[0];
    fixture->payload = *fixture->group.payload;
    fixture->group.payload = &fixture->payload;
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    fixture_t *fixture = *state;
    arena_clear(&fixture->arena);
    test_free(fixture);
    return 0;
}

/* Sends the group between two good ones; returns whether it was taken. */
static bool is_taken(fixture_t *fixture)
{
    block_status_request_t *request = &fixture->message->block_status_request;
    block_status_group_t three[] = {request->groups[1], fixture->group, request->groups[2]};
    message_t message = *fixture->message;
    message.block_status_request.groups = three;
    message.block_status_request.group_count = 3;
    frames_t frames;
    message_t back;
    uint32_t refused;
    assert_int_equal(message_encode(&message, &fixture->arena, &frames), SLUICE_OK);
    assert_int_equal(message_decode(&frames, &fixture->arena, &back, &refused), SLUICE_OK);
    const block_status_request_t *got = &back.block_status_request;
    assert_int_equal(got->group_count + refused, 3);
    assert_int_equal(got->groups[0].index, 0);
    assert_int_equal(got->groups[got->group_count - 1].index, 2);
    return refused == 0;
}

static void takes_the_good_group(void **state)
{
    assert_true(is_taken(*state));
}

static void refuses_unknown_stages_and_those_that_are_not_reported(void **state)
{
    fixture_t *fixture = *state;
    fixture->group.stage = (block_stage_t)9;
    assert_false(is_taken(fixture));
    fixture->group.stage = STAGE_WRITING;
    assert_false(is_taken(fixture));
}

static void refuses_stage_and_blocking_that_disagree(void **state)
{
    fixture_t *fixture = *state;
    fixture->group.is_blocked = false;
    assert_false(is_taken(fixture));
    fixture->group.stage = STAGE_NONE;
    assert_true(is_taken(fixture));
    fixture->group.is_blocked = true;
    assert_false(is_taken(fixture));
}

static void refuses_a_key_that_is_none_or_the_largest(void **state)
{
    fixture_t *fixture = *state;
    fixture->group.key.commit_ts.v = 0;
    assert_false(is_taken(fixture));
    fixture->group.key.commit_ts.v = UINT64_MAX;
    assert_false(is_taken(fixture));
    fixture->group.key.commit_ts.v = UINT64_MAX - 1;
    assert_true(is_taken(fixture));
}

static void refuses_a_missing_dispatcher_id(void **state)
{
    fixture_t *fixture = *state;
    const dispatcher_id_t ids[] = {{1, 2}, {0, 0}, {3, 4}};
    fixture->group.dispatchers = ids;
    assert_false(is_taken(fixture));
}

static void refuses_a_missing_payload(void **state)
{
    fixture_t *fixture = *state;
    fixture->group.payload = NULL;
    assert_false(is_taken(fixture));
}

static void refuses_lists_that_are_empty_or_have_duplicates(void **state)
{
    fixture_t *fixture = *state;
    influence_t *influence = &fixture->payload.influence;
    influence->table_count = 0;
    assert_false(is_taken(fixture));
    const table_id_t twice[] = {{11}, {12}, {11}};
    influence->table_ids = twice;
    influence->table_count = 3;
    assert_false(is_taken(fixture));
    influence->table_count = 2;
    assert_true(is_taken(fixture));
}

static void nobody_waits_for_the_trigger_alone(void **state)
{
    fixture_t *fixture = *state;
    const table_id_t trigger[] = {{0}};
    fixture->payload.influence.table_ids = trigger;
    fixture->payload.influence.table_count = 1;
    assert_false(is_taken(fixture));
    fixture->group.stage = STAGE_NONE;
    fixture->group.is_blocked = false;
    assert_true(is_taken(fixture));
}

static void refuses_scopes_with_parts_of_another(void **state)
{
    fixture_t *fixture = *state;
    influence_t *influence = &fixture->payload.influence;
    influence->kind = INFLUENCE_ALL;
    assert_false(is_taken(fixture));
    influence->kind = INFLUENCE_DB;
    influence->table_count = 0;
    assert_false(is_taken(fixture));
    influence->schema.v = 5;
    assert_true(is_taken(fixture));
    influence->kind = INFLUENCE_NORMAL;
    influence->table_count = 2;
    assert_false(is_taken(fixture));
    influence->kind = (influence_kind_t)5;
    assert_false(is_taken(fixture));
}

static void refuses_to_drop_everything_or_the_trigger(void **state)
{
    fixture_t *fixture = *state;
    const table_id_t trigger[] = {{0}};
    fixture->payload.dropped = (influence_t){.kind = INFLUENCE_ALL};
    assert_false(is_taken(fixture));
    fixture->payload.dropped =
        (influence_t){.kind = INFLUENCE_NORMAL, .table_ids = trigger, .table_count = 1};
    assert_false(is_taken(fixture));
}

static void refuses_syncpoints_that_change_tables(void **state)
{
    fixture_t *fixture = *state;
    fixture->group.key.is_syncpoint = true;
    assert_false(is_taken(fixture));
    fixture->payload = (block_payload_t){.influence = {.kind = INFLUENCE_ALL}};
    assert_true(is_taken(fixture));
    const table_id_t ids[] = {{4}};
    fixture->payload.dropped = (influence_t){.table_ids = ids, .table_count = 1};
    assert_false(is_taken(fixture));
}

static bool is_added_name_taken(fixture_t *fixture, bytes_t name)
{
    table_info_t added = fixture->payload.added[0];
    added.name = name;
    block_payload_t kept = fixture->payload;
    fixture->payload.added = &added;
    fixture->payload.added_count = 1;
    bool taken = is_taken(fixture);
    fixture->payload = kept;
    return taken;
}

static void refuses_names_that_are_none(void **state)
{
    fixture_t *fixture = *state;
    char large[258];
    memset(large, 'x', sizeof large);
    assert_true(is_added_name_taken(fixture, bytes_of_text("../odd\nbut allowed")));
    assert_true(is_added_name_taken(fixture, bytes_of(large, 256)));
    assert_false(is_added_name_taken(fixture, bytes_of(large, 257)));
    assert_false(is_added_name_taken(fixture, bytes_of("", 0)));
    assert_false(is_added_name_taken(fixture, bytes_of("a\0b", 3)));
    assert_false(is_added_name_taken(fixture, bytes_of("\xff", 1)));
    assert_false(is_added_name_taken(fixture, bytes_of("\xc0\xaf", 2)));
}

static void refuses_tables_added_twice(void **state)
{
    fixture_t *fixture = *state;
    const table_info_t twice[] = {fixture->payload.added[0], fixture->payload.added[0]};
    fixture->payload.added = twice;
    assert_false(is_taken(fixture));
}

static message_t round_trip(fixture_t *fixture, const message_t *message, uint32_t *refused)
{
    frames_t frames;
    message_t back;
    assert_int_equal(message_encode(message, &fixture->arena, &frames), SLUICE_OK);
    assert_int_equal(message_decode(&frames, &fixture->arena, &back, refused), SLUICE_OK);
    return back;
}

static void leaves_out_a_watermark_that_cannot_be(void **state)
{
    fixture_t *fixture = *state;
    message_t *message = sample_message(MESSAGE_HEARTBEAT_REQUEST, &fixture->arena);
    uint32_t refused;
    message->heartbeat_request.watermark.checkpoint.v = 26;
    assert_false(round_trip(fixture, message, &refused).heartbeat_request.has_watermark);
    assert_int_equal(refused, 1);
    message->heartbeat_request.watermark.checkpoint.v = UINT64_MAX;
    message->heartbeat_request.watermark.resolved.v = UINT64_MAX;
    message_t back = round_trip(fixture, message, &refused);
    assert_false(back.heartbeat_request.has_watermark);
    assert_int_equal(back.heartbeat_request.entry_count, 3);
    assert_int_equal(refused, 1);
}

static void leaves_out_heartbeat_entries_that_are_wrong_by_themselves(void **state)
{
    fixture_t *fixture = *state;
    message_t *message = sample_message(MESSAGE_HEARTBEAT_REQUEST, &fixture->arena);
    dispatcher_heartbeat_t entries[4];
    for (size_t i = 0; i < 4; i++)
        entries[i] = message->heartbeat_request.entries[1];
    entries[0].dispatcher_id = (dispatcher_id_t){0, 0};
    entries[1].state = (dispatcher_state_t)7;
    entries[2].position.checkpoint = COMMIT_TS_MAX;
    message->heartbeat_request.entries = entries;
    message->heartbeat_request.entry_count = 4;
    uint32_t refused;
    message_t back = round_trip(fixture, message, &refused);
    assert_int_equal(refused, 3);
    assert_int_equal(back.heartbeat_request.entry_count, 1);
    assert_int_equal(back.heartbeat_request.entries[0].dispatcher_id.lo, 4);
}

static void leaves_out_verdicts_and_actions_that_are_unknown(void **state)
{
    fixture_t *fixture = *state;
    message_t *message = sample_message(MESSAGE_HEARTBEAT_RESPONSE, &fixture->arena);
    heartbeat_response_t *response = &message->heartbeat_response;
    group_verdict_t verdicts[] = {response->verdicts[0], response->verdicts[1]};
    verdicts[0].verdict = (verdict_t)4;
    barrier_action_t actions[] = {response->actions[0], response->actions[1], response->actions[2],
                                  response->actions[3]};
    actions[0].kind = (action_kind_t)7;
    actions[1].dispatcher_count = 0;
    actions[2].schema.v = 0;
    response->verdicts = verdicts;
    response->actions = actions;
    uint32_t refused;
    message_t back = round_trip(fixture, message, &refused);
    assert_int_equal(refused, 4);
    assert_int_equal(back.heartbeat_response.verdict_count, 1);
    assert_int_equal(back.heartbeat_response.verdicts[0].exceptions[1].index, 2047);
    assert_int_equal(back.heartbeat_response.action_count, 1);
    assert_int_equal(back.heartbeat_response.actions[0].scope, INFLUENCE_ALL);
}

static void leaves_out_spans_that_are_inverted(void **state)
{
    fixture_t *fixture = *state;
    message_t *message = sample_message(MESSAGE_SCHEDULE_REQUEST, &fixture->arena);
    schedule_create_t create = message->schedule_request.creates[0];
    message->schedule_request.creates = &create;
    create.span.end_key = create.span.start_key;
    uint32_t refused;
    assert_int_equal(round_trip(fixture, message, &refused).schedule_request.create_count, 0);
    assert_int_equal(refused, 1);
    create.span.end_key = bytes_of(NULL, 0);
    assert_int_equal(round_trip(fixture, message, &refused).schedule_request.create_count, 1);
    create.span.table_id = TABLE_ID_TRIGGER;
    assert_int_equal(round_trip(fixture, message, &refused).schedule_request.create_count, 0);
}

/* A message whose parts only make sense together is refused whole. */
static void refuses_whole(fixture_t *fixture, const message_t *message)
{
    frames_t frames;
    message_t back;
    uint32_t refused;
    assert_int_equal(message_encode(message, &fixture->arena, &frames), SLUICE_OK);
    assert_int_equal(message_decode(&frames, &fixture->arena, &back, &refused),
                     SLUICE_ERROR_MALFORMED);
}

static void refuses_lists_with_a_hole_and_settings_that_cannot_be(void **state)
{
    fixture_t *fixture = *state;
    message_t *list = sample_message(MESSAGE_TABLE_LIST, &fixture->arena);
    table_info_t tables[] = {list->table_list.tables[0], list->table_list.tables[1]};
    tables[1].table_id = TABLE_ID_TRIGGER;
    list->table_list.tables = tables;
    refuses_whole(fixture, list);
    message_t *ddl = sample_message(MESSAGE_SCHEMA_DDL, &fixture->arena);
    schema_ddl_t ddls[] = {ddl->schema_ddls.ddls[1], ddl->schema_ddls.ddls[0]};
    ddl->schema_ddls.ddls = ddls;
    refuses_whole(fixture, ddl);
    ddl = sample_message(MESSAGE_SCHEMA_DDL, &fixture->arena);
    ddl->schema_ddls.after.v = 101;
    refuses_whole(fixture, ddl);
    ddl->schema_ddls.after.v = 100;
    ddl->schema_ddls.up_to.v = 101;
    refuses_whole(fixture, ddl);
    message_t *check = sample_message(MESSAGE_CHECK_REQUEST, &fixture->arena);
    check->check_request.config.name = bytes_of_text("../feed");
    refuses_whole(fixture, check);
    message_t *hello = sample_message(MESSAGE_HELLO_RESPONSE, &fixture->arena);
    hello->hello_response.lease_ms = 0;
    refuses_whole(fixture, hello);
    message_t *found = sample_message(MESSAGE_CANDIDATES_RESPONSE, &fixture->arena);
    candidate_t nodes[] = {found->candidates_response.nodes[0],
                           found->candidates_response.nodes[1]};
    nodes[1].slot = NODE_SLOTS_MAX;
    found->candidates_response.nodes = nodes;
    refuses_whole(fixture, found);
    message_t *open = sample_message(MESSAGE_CHANGEFEED_OPEN, &fixture->arena);
    strcpy(open->changefeed_open.anchor.gtid_list, "nonsense");
    refuses_whole(fixture, open);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(takes_the_good_group),
        TEST(refuses_unknown_stages_and_those_that_are_not_reported),
        TEST(refuses_stage_and_blocking_that_disagree),
        TEST(refuses_a_key_that_is_none_or_the_largest),
        TEST(refuses_a_missing_dispatcher_id),
        TEST(refuses_a_missing_payload),
        TEST(refuses_lists_that_are_empty_or_have_duplicates),
        TEST(nobody_waits_for_the_trigger_alone),
        TEST(refuses_scopes_with_parts_of_another),
        TEST(refuses_to_drop_everything_or_the_trigger),
        TEST(refuses_syncpoints_that_change_tables),
        TEST(refuses_names_that_are_none),
        TEST(refuses_tables_added_twice),
        TEST(leaves_out_a_watermark_that_cannot_be),
        TEST(leaves_out_heartbeat_entries_that_are_wrong_by_themselves),
        TEST(leaves_out_verdicts_and_actions_that_are_unknown),
        TEST(leaves_out_spans_that_are_inverted),
        TEST(refuses_lists_with_a_hole_and_settings_that_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
