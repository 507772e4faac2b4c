#include "tests/sim/describe.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/wire/codec.h"

typedef struct {
    char text[2048];
    size_t len;
} line_t;

static void add(line_t *line, const char *format, ...) SLUICE_PRINTF(2, 3);

static void add(line_t *line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    size_t room = sizeof line->text - line->len;
    int len = vsnprintf(line->text + line->len, room, format, arguments);
    va_end(arguments);
    if (len > 0)
        line->len += (size_t)len < room ? (size_t)len : room - 1;
}

static void add_key(line_t *line, event_key_t key)
{
    add(line, "%llu%s", (unsigned long long)key.commit_ts.v, key.is_syncpoint ? "s" : "");
}

static void add_ids(line_t *line, const dispatcher_id_t *ids, uint32_t count)
{
    for (uint32_t i = 0; i < count && i < 8; i++)
        add(line, " %04llx", (unsigned long long)(ids[i].lo & 0xffff));
}

static const char *const stages[] = {"NONE", "WAITING", "WRITING", "DONE"};
static const char *const verdicts[] = {"ACK", "IGNORED", "UNKNOWN", "LATER"};
static const char *const states[] = {"preparing", "working", "stopped", "failed"};

static void add_statuses(line_t *line, const block_status_request_t *request)
{
    for (uint32_t i = 0; i < request->group_count; i++) {
        const block_status_group_t *group = &request->groups[i];
        add(line, " %s(", stages[group->stage]);
        add_key(line, group->key);
        add(line, ")");
        add_ids(line, group->dispatchers, group->dispatcher_count);
    }
}

static void add_heartbeat(line_t *line, const heartbeat_request_t *heartbeat)
{
    add(line, " #%llu", (unsigned long long)heartbeat->heartbeat_sequence);
    if (heartbeat->has_watermark)
        add(line, " seq %llu checkpoint %llu", (unsigned long long)heartbeat->watermark.seq,
            (unsigned long long)heartbeat->watermark.checkpoint.v);
    for (uint32_t i = 0; i < heartbeat->entry_count && i < 8; i++) {
        const dispatcher_heartbeat_t *entry = &heartbeat->entries[i];
        add(line, " %04llx %s %llu/", (unsigned long long)(entry->dispatcher_id.lo & 0xffff),
            states[entry->state], (unsigned long long)entry->position.checkpoint.v);
        add_key(line, entry->position.passed);
    }
    if (heartbeat->error != SLUICE_OK)
        add(line, " error %s", sluice_error_name(heartbeat->error));
}

static void add_response(line_t *line, const heartbeat_response_t *response)
{
    add(line, " #%llu", (unsigned long long)response->newest_heartbeat);
    for (uint32_t i = 0; i < response->verdict_count; i++) {
        const group_verdict_t *verdict = &response->verdicts[i];
        add(line, " %s(%llu.%u)", verdicts[verdict->verdict],
            (unsigned long long)verdict->request_sequence, verdict->group);
        for (uint32_t j = 0; j < verdict->exception_count; j++)
            add(line, " but %u %s", verdict->exceptions[j].index,
                verdicts[verdict->exceptions[j].verdict]);
    }
    for (uint32_t i = 0; i < response->action_count; i++) {
        const barrier_action_t *action = &response->actions[i];
        add(line, " %s(", action->kind == ACTION_WRITE ? "WRITE" : "PASS");
        add_key(line, action->key);
        add(line, ")");
        add_ids(line, action->dispatchers, action->dispatcher_count);
    }
}

static void add_schedule(line_t *line, const schedule_request_t *schedule)
{
    for (uint32_t i = 0; i < schedule->create_count && i < 8; i++) {
        const schedule_create_t *create = &schedule->creates[i];
        add(line, " create %04llx table %llx at %llu/",
            (unsigned long long)(create->dispatcher_id.lo & 0xffff),
            (unsigned long long)(create->span.table_id.v & 0xffff),
            (unsigned long long)create->start.checkpoint.v);
        add_key(line, create->start.passed);
        add(line, " epoch %llu.%llu", (unsigned long long)create->assignment_epoch.maintainer_epoch,
            (unsigned long long)create->assignment_epoch.counter);
    }
    if (schedule->close_count)
        add(line, " close");
    add_ids(line, schedule->closes, schedule->close_count);
}

static void add_bootstrap(line_t *line, const bootstrap_response_t *response)
{
    for (uint32_t i = 0; i < response->entry_count && i < 8; i++) {
        const bootstrap_entry_t *entry = &response->entries[i];
        add(line, " %04llx table %llx %s %llu/",
            (unsigned long long)(entry->dispatcher_id.lo & 0xffff),
            (unsigned long long)(entry->span.table_id.v & 0xffff), states[entry->state],
            (unsigned long long)entry->position.checkpoint.v);
        add_key(line, entry->position.passed);
        if (entry->stage != STAGE_NONE)
            add(line, " %s(%llu)", stages[entry->stage],
                (unsigned long long)entry->key.commit_ts.v);
    }
}

static void add_table_list(line_t *line, const table_list_t *list)
{
    add(line, " at %llu", (unsigned long long)list->at.v);
    for (uint32_t i = 0; i < list->table_count && i < 16; i++)
        add(line, " %.*s=%llx", (int)list->tables[i].name.len,
            (const char *)list->tables[i].name.data,
            (unsigned long long)(list->tables[i].table_id.v & 0xffff));
}

static void add_body(line_t *line, const message_t *message)
{
    switch (message->header.type) {
    case MESSAGE_BLOCK_STATUS_REQUEST:
        add(line, " %llu", (unsigned long long)message->header.sequence);
        add_statuses(line, &message->block_status_request);
        break;
    case MESSAGE_HEARTBEAT_REQUEST:
        add_heartbeat(line, &message->heartbeat_request);
        break;
    case MESSAGE_HEARTBEAT_RESPONSE:
        add_response(line, &message->heartbeat_response);
        break;
    case MESSAGE_SCHEDULE_REQUEST:
        add_schedule(line, &message->schedule_request);
        break;
    case MESSAGE_BOOTSTRAP_RESPONSE:
        add_bootstrap(line, &message->bootstrap_response);
        break;
    case MESSAGE_TABLE_LIST:
        add_table_list(line, &message->table_list);
        break;
    case MESSAGE_SCHEMA_DDL:
        add(line, " after %llu up to %llu", (unsigned long long)message->schema_ddls.after.v,
            (unsigned long long)message->schema_ddls.up_to.v);
        break;
    case MESSAGE_SCHEMA_SNAPSHOT:
        add(line, " at %llu", (unsigned long long)message->schema_snapshot.at.v);
        break;
    case MESSAGE_SCHEMA_SNAPSHOT_ACK:
        add(line, " at %llu", (unsigned long long)message->schema_snapshot_ack.at.v);
        break;
    case MESSAGE_CHANGEFEED_OPEN:
        add(line, " generation %llu checkpoint %llu anchor %llu",
            (unsigned long long)message->changefeed_open.changefeed.generation,
            (unsigned long long)message->changefeed_open.checkpoint.v,
            (unsigned long long)message->changefeed_open.anchor.commit_ts.v);
        break;
    case MESSAGE_CHANGEFEED_OPENED:
        add(line, " %s", sluice_error_name(message->changefeed_opened.error));
        break;
    case MESSAGE_CHECK_RESPONSE:
        add(line, " %s", sluice_error_name(message->check_response.error));
        break;
    case MESSAGE_EVENT_STORE_STATE:
    case MESSAGE_CANDIDATES_REQUEST:
    case MESSAGE_CANDIDATES_RESPONSE:
    case MESSAGE_STREAM_REQUESTS:
    case MESSAGE_STREAM_EVENTS:
    case MESSAGE_HELLO:
    case MESSAGE_CHANGEFEED_CLOSED:
    case MESSAGE_HELLO_RESPONSE:
    case MESSAGE_START_AGAIN:
    case MESSAGE_CHECK_REQUEST:
    case MESSAGE_CHANGEFEED_CLOSE:
    case MESSAGE_BOOTSTRAP_REQUEST:
    case MESSAGE_VERSION_MISMATCH:
        break;
    }
}

void sim_describe_message(sim_world_t *world, const char *actor, const char *arrow,
                          const char *other, const message_t *message)
{
    if (!sim_is_traced(world))
        return;
    line_t line = {0};
    add(&line, "%s %s %s", arrow, other, message_type_name(message->header.type));
    if (message->header.maintainer_epoch)
        add(&line, " e%llu", (unsigned long long)message->header.maintainer_epoch);
    add_body(&line, message);
    sim_trace(world, actor, "%s", line.text);
}
