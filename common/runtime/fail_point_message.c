#include "common/runtime/fail_point_message.h"

#include <stdio.h>

typedef struct {
    const char *moment, *peer;
    sluice_error_t error;
} passage_t;

static void pass(passage_t *passage, const char *what, commit_ts_t commit_ts, const char *subject)
{
    char name[64];
    snprintf(name, sizeof name, "%s.%s", what, passage->moment);
    sluice_error_t error =
        fail_point_pass(name, commit_ts.v, passage->peer ? passage->peer : subject);
    if (passage->error == SLUICE_OK)
        passage->error = error;
}

static void pass_statuses(passage_t *passage, const block_status_request_t *request)
{
    static const char *const stages[] = {"node.none", "node.waiting", NULL, "node.done"};
    for (uint32_t i = 0; i < request->group_count; i++) {
        const block_status_group_t *group = &request->groups[i];
        if (stages[group->stage])
            pass(passage, stages[group->stage], group->key.commit_ts,
                 group->key.is_syncpoint ? "syncpoint" : "ddl");
    }
}

static void pass_schedule(passage_t *passage, const schedule_request_t *request)
{
    for (uint32_t i = 0; i < request->create_count; i++)
        pass(passage, "maintainer.create", request->creates[i].start.checkpoint, NULL);
    for (uint32_t i = 0; i < request->close_count; i++)
        pass(passage, "maintainer.take-away", COMMIT_TS_NONE, NULL);
}

static void pass_response(passage_t *passage, const heartbeat_response_t *response)
{
    static const char *const actions[] = {"maintainer.write", "maintainer.pass"};
    static const char *const verdicts[] = {"maintainer.ack", "maintainer.ignored",
                                           "maintainer.unknown", "maintainer.later"};
    for (uint32_t i = 0; i < response->action_count; i++)
        pass(passage, actions[response->actions[i].kind], response->actions[i].key.commit_ts, NULL);
    for (uint32_t i = 0; i < response->verdict_count; i++)
        pass(passage, verdicts[response->verdicts[i].verdict], COMMIT_TS_NONE, NULL);
    if (response->action_count == 0 && response->verdict_count == 0)
        pass(passage, "maintainer.lease-answer", COMMIT_TS_NONE, NULL);
}

static void pass_of_services(passage_t *passage, const message_t *message)
{
    if (message->header.type == MESSAGE_EVENT_STORE_STATE)
        pass(passage, "node.store-state", message->event_store_state.resolved, NULL);
    else if (message->header.type == MESSAGE_CANDIDATES_REQUEST)
        pass(passage, "node.candidates", COMMIT_TS_NONE, NULL);
    else if (message->header.type == MESSAGE_CANDIDATES_RESPONSE)
        pass(passage, "maintainer.candidates", COMMIT_TS_NONE, NULL);
    else if (message->header.type == MESSAGE_STREAM_REQUESTS)
        pass(passage, "node.stream-requests", COMMIT_TS_NONE, NULL);
    else
        pass(passage, "node.stream-events", COMMIT_TS_NONE, NULL);
}

static void pass_of_life(passage_t *passage, const message_t *message)
{
    if (message->header.type == MESSAGE_HELLO_RESPONSE)
        pass(passage, "maintainer.welcome", COMMIT_TS_NONE, NULL);
    else
        pass(passage, "maintainer.start-again", COMMIT_TS_NONE, NULL);
}

static void pass_message(passage_t *passage, const message_t *message)
{
    switch (message->header.type) {
    case MESSAGE_BLOCK_STATUS_REQUEST:
        pass_statuses(passage, &message->block_status_request);
        break;
    case MESSAGE_HEARTBEAT_REQUEST:
        pass(passage, "node.heartbeat", message->heartbeat_request.watermark.checkpoint, NULL);
        break;
    case MESSAGE_EVENT_STORE_STATE:
    case MESSAGE_CANDIDATES_REQUEST:
    case MESSAGE_CANDIDATES_RESPONSE:
    case MESSAGE_STREAM_REQUESTS:
    case MESSAGE_STREAM_EVENTS:
        pass_of_services(passage, message);
        break;
    case MESSAGE_HELLO:
        pass(passage, "node.hello", COMMIT_TS_NONE, NULL);
        break;
    case MESSAGE_CHECK_RESPONSE:
        pass(passage, "node.check", COMMIT_TS_NONE, NULL);
        break;
    case MESSAGE_CHANGEFEED_OPENED:
        pass(passage, "node.opened", COMMIT_TS_NONE, NULL);
        break;
    case MESSAGE_CHANGEFEED_CLOSED:
        pass(passage, "node.closed", COMMIT_TS_NONE, NULL);
        break;
    case MESSAGE_BOOTSTRAP_RESPONSE:
        pass(passage, "node.bootstrap", COMMIT_TS_NONE, NULL);
        break;
    case MESSAGE_TABLE_LIST:
        pass(passage, "node.tables", message->table_list.at, NULL);
        break;
    case MESSAGE_SCHEMA_SNAPSHOT:
        pass(passage, "node.snapshot", message->schema_snapshot.at, NULL);
        break;
    case MESSAGE_SCHEMA_DDL:
        pass(passage, "node.ddls", message->schema_ddls.up_to, NULL);
        break;
    case MESSAGE_HELLO_RESPONSE:
    case MESSAGE_START_AGAIN:
        pass_of_life(passage, message);
        break;
    case MESSAGE_CHECK_REQUEST:
        pass(passage, "maintainer.check", COMMIT_TS_NONE, NULL);
        break;
    case MESSAGE_CHANGEFEED_OPEN:
        pass(passage, "maintainer.open", message->changefeed_open.checkpoint, NULL);
        break;
    case MESSAGE_CHANGEFEED_CLOSE:
        pass(passage, "maintainer.close", COMMIT_TS_NONE, NULL);
        break;
    case MESSAGE_BOOTSTRAP_REQUEST:
        pass(passage, "maintainer.bootstrap", COMMIT_TS_NONE, NULL);
        break;
    case MESSAGE_SCHEDULE_REQUEST:
        pass_schedule(passage, &message->schedule_request);
        break;
    case MESSAGE_HEARTBEAT_RESPONSE:
        pass_response(passage, &message->heartbeat_response);
        break;
    case MESSAGE_SCHEMA_SNAPSHOT_ACK:
        pass(passage, "maintainer.schema-ack", message->schema_snapshot_ack.at, NULL);
        break;
    case MESSAGE_VERSION_MISMATCH:
        pass(passage, "maintainer.mismatch", COMMIT_TS_NONE, NULL);
        break;
    }
}

sluice_error_t fail_point_message(const message_t *message, const char *moment, const char *peer)
{
    passage_t passage = {.moment = moment, .peer = peer};
    pass_message(&passage, message);
    return passage.error;
}
