#include "tests/unit/wire/samples.h"

const message_type_t sample_types[] = {
    MESSAGE_BLOCK_STATUS_REQUEST, MESSAGE_HEARTBEAT_REQUEST,   MESSAGE_HELLO,
    MESSAGE_CHECK_RESPONSE,       MESSAGE_CHANGEFEED_OPENED,   MESSAGE_CHANGEFEED_CLOSED,
    MESSAGE_BOOTSTRAP_RESPONSE,   MESSAGE_TABLE_LIST,          MESSAGE_SCHEMA_SNAPSHOT,
    MESSAGE_SCHEMA_DDL,           MESSAGE_HELLO_RESPONSE,      MESSAGE_START_AGAIN,
    MESSAGE_CHECK_REQUEST,        MESSAGE_CHANGEFEED_OPEN,     MESSAGE_CHANGEFEED_CLOSE,
    MESSAGE_BOOTSTRAP_REQUEST,    MESSAGE_SCHEDULE_REQUEST,    MESSAGE_HEARTBEAT_RESPONSE,
    MESSAGE_SCHEMA_SNAPSHOT_ACK,  MESSAGE_VERSION_MISMATCH,    MESSAGE_EVENT_STORE_STATE,
    MESSAGE_CANDIDATES_REQUEST,   MESSAGE_CANDIDATES_RESPONSE, MESSAGE_STREAM_REQUESTS,
    MESSAGE_STREAM_EVENTS,
};
const size_t sample_type_count = sizeof sample_types / sizeof sample_types[0];

static const changefeed_ref_t feed = {
    .uuid = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}}, .generation = 3};
static const dispatcher_id_t ids[] = {{1, 2}, {3, 4}, {UINT64_MAX, 0}};
static const event_key_t passed[] = {{{0}, false}, {{7}, true}, {{7}, true}};
static const table_id_t table_ids[] = {{0}, {11}, {UINT64_MAX}};
static const table_info_t tables[] = {
    {.table_id = {11},
     .schema_id = {5},
     .schema = {(const uint8_t *)"shop", 4},
     .name = {(const uint8_t *)"B\xc3\xbc"
                               "cher",
              7},
     .created = {9},
     .created_by_select = true,
     .splittable = true,
     .last_change = {{8}, false}},
    {.table_id = {12},
     .schema_id = {5},
     .schema = {(const uint8_t *)"shop", 4},
     .name = {(const uint8_t *)"a\nb", 3}},
};
static const schema_move_t moves[] = {{.table_id = {11},
                                       .from = {5},
                                       .to = {6},
                                       .schema = {(const uint8_t *)"new", 3},
                                       .name = {(const uint8_t *)"t", 1}}};
static const block_payload_t payload_normal = {
    .influence = {.kind = INFLUENCE_NORMAL, .table_ids = table_ids, .table_count = 3},
    .dropped = {.kind = INFLUENCE_NORMAL, .table_ids = table_ids + 1, .table_count = 2},
    .added = tables,
    .added_count = 2,
    .moves = moves,
    .move_count = 1};
static const block_payload_t payload_db = {
    .influence = {.kind = INFLUENCE_DB, .schema = {5}},
    .dropped = {.kind = INFLUENCE_DB, .schema = {5}},
};
static const block_payload_t payload_all = {.influence = {.kind = INFLUENCE_ALL}};

static const block_status_group_t groups[] = {
    {.index = 0,
     .key = {{10}, false},
     .stage = STAGE_WAITING,
     .is_blocked = true,
     .payload = &payload_normal,
     .dispatchers = ids,
     .passed = passed,
     .dispatcher_count = 3},
    {.index = 1,
     .key = {{10}, true},
     .stage = STAGE_WAITING,
     .is_blocked = true,
     .payload = &payload_all,
     .dispatchers = ids,
     .passed = passed,
     .dispatcher_count = 1},
    {.index = 2,
     .key = {{9}, false},
     .stage = STAGE_DONE,
     .is_blocked = true,
     .dispatchers = ids,
     .passed = passed,
     .dispatcher_count = 2},
    {.index = 3,
     .key = {{11}, false},
     .stage = STAGE_NONE,
     .payload = &payload_db,
     .dispatchers = ids + 1,
     .passed = passed + 1,
     .dispatcher_count = 1},
};

static const dispatcher_heartbeat_t heartbeats[] = {
    {.dispatcher_id = {1, 2}, .state = DISPATCHER_PREPARING},
    {.dispatcher_id = {3, 4},
     .state = DISPATCHER_WORKING,
     .position = {.checkpoint = {20}, .passed = {{20}, true}}},
    {.dispatcher_id = {3, 5},
     .state = DISPATCHER_FAILED,
     .position = {.checkpoint = {20}, .passed = {{20}, true}}},
};

static const anchor_t anchor = {
    .commit_ts = {100}, .commit_time = {1767225599000}, .gtid_list = "0-1-100,3-3-7"};

static const bytes_t rules[] = {{(const uint8_t *)"shop.*", 6}, {(const uint8_t *)"!shop.tmp", 9}};
static const option_t options[] = {
    {{(const uint8_t *)"batch", 5}, {(const uint8_t *)"10", 2}},
    {{(const uint8_t *)"empty", 5}, {NULL, 0}},
};
static const schema_ddl_t ddls[] = {
    {.commit_ts = {101}, .commit_time = {5}, .content = {(const uint8_t *)"\0\1", 2}},
    {.commit_ts = {102}, .commit_time = {6}},
};

static changefeed_config_t config(void)
{
    return (changefeed_config_t){.name = bytes_of_text("orders"),
                                 .source = bytes_of_text("mariadb://u@h:1"),
                                 .sink = bytes_of_text("blackhole://"),
                                 .filter_rules = rules,
                                 .filter_rule_count = 2,
                                 .options = options,
                                 .option_count = 2,
                                 .start = START_POSITION,
                                 .start_gtid_list = bytes_of_text("0-1-100"),
                                 .domain = 3};
}

static span_t range(void)
{
    return (span_t){
        .table_id = {11}, .start_key = bytes_of("\x01", 1), .end_key = bytes_of("\x02", 1)};
}

static const verdict_exception_t exceptions[] = {{3, VERDICT_UNKNOWN}, {2047, VERDICT_LATER}};
static const group_verdict_t verdicts[] = {
    {.request_sequence = 5, .group = 1, .verdict = VERDICT_IGNORED},
    {.request_sequence = 5,
     .group = 2,
     .verdict = VERDICT_ACK,
     .exceptions = exceptions,
     .exception_count = 2},
};
static const barrier_action_t actions[] = {
    {.kind = ACTION_WRITE,
     .key = {{10}, false},
     .scope = INFLUENCE_NORMAL,
     .dispatchers = ids,
     .dispatcher_count = 1},
    {.kind = ACTION_PASS,
     .key = {{10}, true},
     .scope = INFLUENCE_NORMAL,
     .dispatchers = ids,
     .dispatcher_count = 3},
    {.kind = ACTION_PASS, .key = {{11}, false}, .scope = INFLUENCE_DB, .schema = {5}},
    {.kind = ACTION_PASS, .key = {{12}, false}, .scope = INFLUENCE_ALL},
};

static bootstrap_entry_t *bootstrap_entries(arena_t *arena)
{
    bootstrap_entry_t *entries = arena_calloc(arena, 2, sizeof *entries);
    entries[0] = (bootstrap_entry_t){.dispatcher_id = {1, 2},
                                     .span = range(),
                                     .mode = PIPELINE_REDO,
                                     .state = DISPATCHER_WORKING,
                                     .position = {{9}, {{8}, false}},
                                     .assignment_epoch = {2, 77},
                                     .stage = STAGE_WRITING,
                                     .key = {{10}, false},
                                     .is_blocked = true,
                                     .payload = &payload_normal};
    entries[1] = (bootstrap_entry_t){.dispatcher_id = {3, 4}, .state = DISPATCHER_STOPPED};
    return entries;
}

static schedule_create_t *creates(arena_t *arena)
{
    schedule_create_t *create = arena_zalloc(arena, sizeof *create);
    *create = (schedule_create_t){.dispatcher_id = {1, 2},
                                  .span = range(),
                                  .mode = PIPELINE_DEFAULT,
                                  .start = {{9}, {{8}, true}},
                                  .created = {4},
                                  .assignment_epoch = {2, 78},
                                  .wants_table_list = true,
                                  .is_split = true};
    return create;
}

static heartbeat_request_t heartbeat_request(void)
{
    return (heartbeat_request_t){.heartbeat_sequence = 1000,
                                 .answered_heartbeat = 998,
                                 .has_changefeed = true,
                                 .changefeed = feed,
                                 .mode = PIPELINE_REDO,
                                 .has_watermark = true,
                                 .watermark = {4, {20}, {25}, {19}},
                                 .is_complete = true,
                                 .piece = 2,
                                 .is_last_piece = true,
                                 .entries = heartbeats,
                                 .entry_count = 3,
                                 .has_anchor = true,
                                 .anchor = anchor,
                                 .rows_applied = 1,
                                 .bytes_applied = 2,
                                 .ddl_applied = 3,
                                 .read_ts = {26},
                                 .read_commit_time = {4},
                                 .is_caught_up = true,
                                 .error = SLUICE_ERROR_SINK_REFUSED,
                                 .error_text = bytes_of_text("table is gone")};
}

static void fill_from_node(message_t *message)
{
    switch ((unsigned)message->header.type) {
    case MESSAGE_BLOCK_STATUS_REQUEST:
        message->block_status_request = (block_status_request_t){feed, PIPELINE_DEFAULT, groups, 4};
        break;
    case MESSAGE_HEARTBEAT_REQUEST:
        message->heartbeat_request = heartbeat_request();
        break;
    case MESSAGE_HELLO:
        message->hello = (hello_t){bytes_of_text("host-1"), bytes_of_text("0.1.0"), true, 7,
                                   bytes_of_text("tcp://node-1:7613")};
        break;
    case MESSAGE_CHECK_RESPONSE:
        message->check_response = (check_response_t){.check_id = 6,
                                                     .warnings = rules,
                                                     .warning_count = 2,
                                                     .anchor = anchor,
                                                     .source_domain = 3,
                                                     .lower_case_names = true,
                                                     .piece = 1,
                                                     .is_last_piece = true,
                                                     .snapshot = bytes_of_text("snapshot")};
        break;
    case MESSAGE_CHANGEFEED_OPENED:
        message->changefeed_opened =
            (changefeed_opened_t){feed, SLUICE_ERROR_SOURCE_PURGED, bytes_of_text("purged")};
        break;
    case MESSAGE_CHANGEFEED_CLOSED:
        message->changefeed_closed.changefeed = feed;
        break;
    case MESSAGE_TABLE_LIST:
        message->table_list = (table_list_t){feed, PIPELINE_REDO, {50}, 1, true, tables, 2};
        break;
    case MESSAGE_SCHEMA_SNAPSHOT:
        message->schema_snapshot =
            (schema_snapshot_t){feed, {50}, 1, true, bytes_of_text("snapshot")};
        break;
    case MESSAGE_SCHEMA_DDL:
        message->schema_ddls = (schema_ddls_t){feed, {100}, {105}, ddls, 2};
        break;
    }
}

static void fill_from_maintainer(message_t *message)
{
    switch ((unsigned)message->header.type) {
    case MESSAGE_HELLO_RESPONSE:
        message->hello_response = (hello_response_t){3, 64, 10000, 200, 10000, 5000};
        break;
    case MESSAGE_CHECK_REQUEST:
        message->check_request = (check_request_t){6, feed, config(), 2, true};
        break;
    case MESSAGE_CHANGEFEED_OPEN:
        message->changefeed_open = (changefeed_open_t){.changefeed = feed,
                                                       .config = config(),
                                                       .anchor = anchor,
                                                       .checkpoint = {100},
                                                       .snapshot_ts = {90},
                                                       .is_last_piece = true,
                                                       .snapshot = bytes_of_text("snapshot"),
                                                       .ddls = ddls,
                                                       .ddl_count = 2};
        break;
    case MESSAGE_CHANGEFEED_CLOSE:
        message->changefeed_close = (changefeed_close_t){feed, true, config()};
        break;
    case MESSAGE_BOOTSTRAP_REQUEST:
        message->bootstrap_request.changefeed = feed;
        break;
    case MESSAGE_HEARTBEAT_RESPONSE:
        message->heartbeat_response =
            (heartbeat_response_t){1000, true, feed, PIPELINE_REDO, verdicts, 2, actions, 4, {50}};
        break;
    case MESSAGE_SCHEMA_SNAPSHOT_ACK:
        message->schema_snapshot_ack = (schema_snapshot_ack_t){feed, {50}};
        break;
    }
}

static const store_floor_t floors[] = {{{11}, {60}}, {{UINT64_MAX}, {70}}};
static const candidates_question_t questions[] = {
    {.dispatcher_id = {1, 2}, .table_id = {11}, .start = {50}, .resolved_time_min = {9}},
    {.dispatcher_id = {3, 4}, .table_id = {0}, .start = {51}},
};
static const candidate_t candidates[] = {
    {.node = {"node-2"},
     .incarnation = {1767225599124},
     .slot = 1,
     .events = {(const uint8_t *)"ipc:///a", 8}},
    {.node = {"node-3"},
     .incarnation = {1},
     .slot = 63,
     .events = {(const uint8_t *)"tcp://h:1", 9}},
};
static const candidates_answer_t answers[] = {
    {.dispatcher_id = {1, 2}, .nodes = {1, 0}, .count = 2},
    {.dispatcher_id = {3, 4}},
};
static const bytes_t definitions[] = {{(const uint8_t *)"d\0f", 3}};
static const stream_message_event_t stream_events[] = {
    {.kind = STREAM_HANDSHAKE,
     .dispatcher_id = {1, 2},
     .epoch = 3,
     .sequence = 1,
     .commit_ts = {50},
     .commit_time = {7},
     .definition = STREAM_NO_DEFINITION},
    {.kind = STREAM_ROWS,
     .dispatcher_id = {1, 2},
     .epoch = 3,
     .sequence = 2,
     .commit_ts = {51},
     .commit_time = {8},
     .definition = 0,
     .payload = {(const uint8_t *)"ro", 2},
     .piece = 3,
     .continues = true},
    {.kind = STREAM_DDL,
     .dispatcher_id = {3, 4},
     .epoch = 1,
     .sequence = 9,
     .commit_ts = {52},
     .commit_time = {8},
     .definition = STREAM_NO_DEFINITION,
     .payload = {(const uint8_t *)"ddl", 3}},
    {.kind = STREAM_NOT_REUSABLE, .dispatcher_id = {3, 5}, .definition = STREAM_NO_DEFINITION},
};

static stream_request_t *stream_requests(arena_t *arena)
{
    stream_request_t *requests = arena_calloc(arena, 3, sizeof *requests);
    requests[0] = (stream_request_t){.kind = STREAM_REGISTER,
                                     .dispatcher_id = {1, 2},
                                     .span = range(),
                                     .mode = PIPELINE_REDO,
                                     .created = {4},
                                     .only_reuse = true,
                                     .group_bytes_max = 1 << 20,
                                     .position = {{9}, {{8}, true}}};
    requests[1] = (stream_request_t){.kind = STREAM_RESET,
                                     .dispatcher_id = {1, 2},
                                     .epoch = 5,
                                     .position = {{9}, {{0}, false}},
                                     .credit_bytes = 4096};
    requests[2] = (stream_request_t){.kind = STREAM_REMOVE, .dispatcher_id = {3, 4}};
    return requests;
}

static void fill_of_services(message_t *message, arena_t *arena)
{
    switch ((unsigned)message->header.type) {
    case MESSAGE_EVENT_STORE_STATE:
        message->event_store_state =
            (event_store_report_t){feed, true, {50}, {80}, {1767225599000}, floors, 2};
        break;
    case MESSAGE_CANDIDATES_REQUEST:
        message->candidates_request = (candidates_request_t){feed, questions, 2};
        break;
    case MESSAGE_CANDIDATES_RESPONSE:
        message->candidates_response = (candidates_response_t){feed, candidates, 2, answers, 2};
        break;
    case MESSAGE_STREAM_REQUESTS:
        message->stream_requests = (stream_requests_t){feed, stream_requests(arena), 3};
        break;
    case MESSAGE_STREAM_EVENTS:
        message->stream_events = (stream_events_t){feed, definitions, 1, stream_events, 4};
        break;
    }
}

message_t *sample_message(message_type_t type, arena_t *arena)
{
    message_t *message = arena_zalloc(arena, sizeof *message);
    message->header = (message_header_t){.version = SLUICE_PROTOCOL_VERSION,
                                         .type = type,
                                         .sender = {"node-1"},
                                         .incarnation = {1767225599123},
                                         .maintainer_epoch = 2,
                                         .sequence = 5};
    if (type == MESSAGE_BOOTSTRAP_RESPONSE)
        message->bootstrap_response =
            (bootstrap_response_t){feed, 1, true, 4, bootstrap_entries(arena), 2};
    if (type == MESSAGE_SCHEDULE_REQUEST)
        message->schedule_request = (schedule_request_t){feed, creates(arena), 1, ids, 3};
    fill_from_node(message);
    fill_from_maintainer(message);
    fill_of_services(message, arena);
    return message;
}

message_t *sample_block_status(arena_t *arena, uint32_t count)
{
    message_t *message = sample_message(MESSAGE_BLOCK_STATUS_REQUEST, arena);
    dispatcher_id_t *many = arena_calloc(arena, count, sizeof *many);
    event_key_t *keys = arena_calloc(arena, count, sizeof *keys);
    for (uint32_t i = 0; i < count; i++)
        many[i] = (dispatcher_id_t){i, 1};
    block_status_group_t *group = arena_zalloc(arena, sizeof *group);
    *group = (block_status_group_t){.key = {{10}, false},
                                    .stage = STAGE_WAITING,
                                    .is_blocked = true,
                                    .payload = &payload_all,
                                    .dispatchers = many,
                                    .passed = keys,
                                    .dispatcher_count = count};
    message->block_status_request.groups = group;
    message->block_status_request.group_count = 1;
    return message;
}
