#include "tests/unit/maintainer/model/node.h"

#include <string.h>

#define MS(n) ((n)*NS_PER_MS)

void model_node_start(model_node_t *node, mono_ns_t now, incarnation_t incarnation)
{
    node->incarnation = incarnation;
    node->is_up = true;
    node->is_welcome = node->is_open = false;
    node->watermark_seq = node->heartbeat_sequence = node->answered_heartbeat = 0;
    node->stopped_count = 0;
    node->epoch = 0;
    node->hello_at = node->lease_until = now;
    memset(node->dispatchers, 0, sizeof node->dispatchers);
    memset(node->requests, 0, sizeof node->requests);
}

void model_node_stop(model_node_t *node)
{
    node->is_up = false;
}

static message_t *new_message(const model_node_t *node, arena_t *arena, message_type_t type)
{
    message_t *message = arena_zalloc(arena, sizeof *message);
    message->header = (message_header_t){.version = SLUICE_PROTOCOL_VERSION,
                                         .type = type,
                                         .sender = node->id,
                                         .incarnation = node->incarnation,
                                         .maintainer_epoch = node->epoch};
    return message;
}

/* ---- dispatchers ---- */

static model_dispatcher_t *find(model_node_t *node, dispatcher_id_t id)
{
    for (int i = 0; i < DISPATCHERS_MAX; i++)
        if (node->dispatchers[i].is_used && dispatcher_id_equal(node->dispatchers[i].id, id))
            return &node->dispatchers[i];
    return NULL;
}

/* A DDL that was passed counts for the checkpoint only when the log says that nothing else is at
 * its position. */
static uint64_t checkpoint_of(const model_node_t *node, const model_dispatcher_t *d)
{
    bool is_resolved = mono_reached(d->resolved_at, *node->now);
    uint64_t checkpoint = is_resolved ? d->done : d->done - 1;
    for (int i = 0; i < d->report_count; i++)
        if (d->reports[i].ts - 1 < checkpoint)
            checkpoint = d->reports[i].ts - 1;
    return checkpoint;
}

static position_t position_of(const model_node_t *node, const model_dispatcher_t *d)
{
    return (position_t){{checkpoint_of(node, d)}, d->passed};
}

static void stop_dispatcher(model_node_t *node, model_dispatcher_t *d)
{
    if (node->stopped_count < DISPATCHERS_MAX)
        node->stopped[node->stopped_count++] =
            (dispatcher_heartbeat_t){d->id, DISPATCHER_STOPPED, position_of(node, d)};
    d->is_used = false;
    node->watermark_seq++;
    node->beat_at = (mono_ns_t){0};
}

static void wait_at(model_dispatcher_t *d, event_key_t key, mono_ns_t now)
{
    d->stage = STAGE_WAITING;
    d->key = key;
    d->is_acked = false;
    d->offer_at = now;
}

static void pass(model_node_t *node, model_dispatcher_t *d, event_key_t key)
{
    if (!key.is_syncpoint)
        d->resolved_at = mono_add(*node->now, MS(random_below(node->random, 1500)));
    if (event_key_compare(d->passed, key) < 0)
        d->passed = key;
    if (d->done < key.commit_ts.v)
        d->done = key.commit_ts.v;
    d->stage = STAGE_NONE;
}

/* A DDL that blocks nobody; the trigger reports what it adds. Whether it went on. */
static bool run_alone(model_node_t *node, model_dispatcher_t *d, event_key_t key, mono_ns_t now)
{
    const block_payload_t *payload = log_payload(node->log, key);
    if (d->table == TRIGGER && payload->added_count) {
        if (d->report_count == REPORTS_MAX)
            return false;
        d->reports[d->report_count++] = (model_report_t){.ts = key.commit_ts.v, .offer_at = now};
    }
    sink_execute(node->sink, key);
    return true;
}

/* Takes the dispatcher past the next position of the log, or stops it at an event. */
static bool advance(model_node_t *node, model_dispatcher_t *d, mono_ns_t now)
{
    event_key_t sync = {{d->done}, true}, ddl = {{d->done + 1}, false};
    if (log_blocks(node->log, sync, d->table) && event_key_compare(d->passed, sync) < 0) {
        if (d->report_count)
            return false;
        wait_at(d, sync, now);
        return false;
    }
    if (d->done >= node->log->head)
        return false;
    const log_event_t *event = &node->log->events[d->done + 1];
    /* Every DDL above the checkpoint is met, whatever was passed. */
    if (log_blocks(node->log, ddl, d->table)) {
        if (log_is_blocking(node->log, ddl)) {
            /* The trigger holds it while an earlier report is not acknowledged. */
            if (d->report_count)
                return false;
            wait_at(d, ddl, now);
            return false;
        }
        if (!run_alone(node, d, ddl, now))
            return false;
        d->passed = ddl;
        d->resolved_at = mono_add(now, MS(random_below(node->random, 1500)));
    } else if (d->done >= 1) {
        d->resolved_at = now;
    }
    d->done++;
    bool is_row = d->table != TRIGGER && event->kind == LOG_ROWS && event->row_table == d->table;
    if (d->table != TRIGGER) {
        const log_table_t *table = &node->log->tables[d->table];
        is_row |= table->by_select && table->created == d->done;
    }
    sink_reach(node->sink, d->table, d->done, is_row);
    d->is_dirty = true;
    return true;
}

static void finish_write(model_node_t *node, model_dispatcher_t *d)
{
    sink_execute(node->sink, d->key);
    pass(node, d, d->key);
    sink_reach(node->sink, d->table, d->done, false);
}

/* ---- statuses ---- */

static model_request_t *open_request(model_node_t *node)
{
    uint64_t sequence = ++node->request_sequence;
    model_request_t *request = &node->requests[sequence % REQUESTS_MAX];
    *request = (model_request_t){.sequence = sequence};
    return request;
}

static void add_status(model_request_t *request, event_key_t key, block_stage_t stage,
                       dispatcher_id_t id)
{
    uint32_t i = request->group_count;
    if (stage == STAGE_WAITING)
        for (i = 0; i < request->group_count; i++)
            if (request->groups[i].stage == stage && event_key_equal(request->groups[i].key, key))
                break;
    if (i == GROUPS_MAX)
        return;
    if (i == request->group_count) {
        request->groups[i].key = key;
        request->groups[i].stage = stage;
        request->groups[i].count = 0;
        request->group_count++;
    }
    request->groups[i].ids[request->groups[i].count++] = id;
}

static void send_request(model_node_t *node, const model_request_t *request)
{
    if (request->group_count == 0)
        return;
    arena_t arena = {0};
    message_t *message = new_message(node, &arena, MESSAGE_BLOCK_STATUS_REQUEST);
    message->header.sequence = request->sequence;
    block_status_group_t *groups = arena_calloc(&arena, request->group_count, sizeof *groups);
    for (uint32_t i = 0; i < request->group_count; i++) {
        uint32_t count = request->groups[i].count;
        dispatcher_id_t *ids = arena_calloc(&arena, count, sizeof *ids);
        event_key_t *passed = arena_calloc(&arena, count, sizeof *passed);
        for (uint32_t j = 0; j < count; j++) {
            ids[j] = request->groups[i].ids[j];
            passed[j] = find(node, ids[j])->passed;
        }
        block_stage_t stage = request->groups[i].stage;
        groups[i] = (block_status_group_t){
            .index = i,
            .key = request->groups[i].key,
            .stage = stage,
            .is_blocked = stage != STAGE_NONE,
            .payload = stage == STAGE_DONE ? NULL : log_payload(node->log, request->groups[i].key),
            .dispatchers = ids,
            .passed = passed,
            .dispatcher_count = count};
    }
    message->block_status_request = (block_status_request_t){
        .changefeed = node->ref, .groups = groups, .group_count = request->group_count};
    node->send(node->world, node, message, arena);
}

static void send_done(model_node_t *node, const model_dispatcher_t *d, event_key_t key)
{
    model_request_t *request = open_request(node);
    add_status(request, key, STAGE_DONE, d->id);
    send_request(node, request);
}

static void offer(model_node_t *node, mono_ns_t now)
{
    model_request_t *request = open_request(node);
    for (int i = 0; i < DISPATCHERS_MAX; i++) {
        model_dispatcher_t *d = &node->dispatchers[i];
        if (!d->is_used)
            continue;
        if (d->stage == STAGE_WAITING && !d->is_acked && mono_reached(d->offer_at, now)) {
            add_status(request, d->key, STAGE_WAITING, d->id);
            d->offer_at = mono_add(now, MS(5000));
        }
        for (int j = 0; j < d->report_count; j++)
            if (mono_reached(d->reports[j].offer_at, now)) {
                add_status(request, (event_key_t){{d->reports[j].ts}, false}, STAGE_NONE, d->id);
                d->reports[j].offer_at = mono_add(now, MS(5000));
            }
    }
    send_request(node, request);
}

/* ---- heartbeats, bootstrap, table list ---- */

static void send_heartbeat(model_node_t *node, mono_ns_t now, bool is_complete)
{
    arena_t arena = {0};
    message_t *message = new_message(node, &arena, MESSAGE_HEARTBEAT_REQUEST);
    heartbeat_request_t *beat = &message->heartbeat_request;
    beat->heartbeat_sequence = ++node->heartbeat_sequence;
    beat->answered_heartbeat = node->answered_heartbeat;
    node->beats[beat->heartbeat_sequence % BEATS_MAX] = now;
    beat->has_changefeed = node->is_open;
    beat->changefeed = node->ref;
    beat->is_complete = is_complete;
    beat->error = node->error;
    beat->is_caught_up = node->is_caught_up;
    beat->error_text = bytes_of_text("what the sink said");
    beat->is_last_piece = true;
    uint64_t least = UINT64_MAX;
    dispatcher_heartbeat_t *entries = arena_calloc(&arena, DISPATCHERS_MAX * 2, sizeof *entries);
    for (int i = 0; i < DISPATCHERS_MAX; i++) {
        model_dispatcher_t *d = &node->dispatchers[i];
        if (!d->is_used)
            continue;
        if (checkpoint_of(node, d) < least)
            least = checkpoint_of(node, d);
        if (!is_complete && !d->is_dirty)
            continue;
        d->is_dirty = false;
        entries[beat->entry_count++] = (dispatcher_heartbeat_t){
            d->id, d->is_working ? DISPATCHER_WORKING : DISPATCHER_PREPARING, position_of(node, d)};
    }
    for (uint32_t i = 0; i < node->stopped_count; i++)
        entries[beat->entry_count++] = node->stopped[i];
    node->stopped_count = 0;
    beat->entries = entries;
    beat->has_watermark = node->is_open;
    beat->watermark = (watermark_t){
        .seq = node->watermark_seq, .checkpoint = {least}, .resolved = {node->log->head}};
    beat->has_anchor = least != UINT64_MAX && least > 0;
    beat->anchor.commit_ts.v = least;
    node->send(node->world, node, message, arena);
}

static const model_dispatcher_t *trigger_of(const model_node_t *node)
{
    for (int i = 0; i < DISPATCHERS_MAX; i++)
        if (node->dispatchers[i].is_used && node->dispatchers[i].table == TRIGGER)
            return &node->dispatchers[i];
    return NULL;
}

static void send_table_list(model_node_t *node, uint64_t at)
{
    enum { PIECE = 3 };
    arena_t all = {0};
    table_info_t *list;
    if (node->keeps_list_back)
        return;
    uint32_t count = log_table_list(node->log, at, &all, &list);
    for (uint32_t from = 0, piece = 0; piece == 0 || from < count; from += PIECE, piece++) {
        arena_t arena = {0};
        message_t *message = new_message(node, &arena, MESSAGE_TABLE_LIST);
        uint32_t n = count - from < PIECE ? count - from : PIECE;
        table_info_t *tables = arena_calloc(&arena, n, sizeof *tables);
        memcpy(tables, list + from, n * sizeof *tables);
        message->table_list = (table_list_t){.changefeed = node->ref,
                                             .at = {at},
                                             .piece = piece,
                                             .is_last_piece = from + PIECE >= count,
                                             .tables = tables,
                                             .table_count = n};
        node->send(node->world, node, message, arena);
    }
    arena_clear(&all);
}

static void send_bootstrap(model_node_t *node)
{
    arena_t arena = {0};
    message_t *message = new_message(node, &arena, MESSAGE_BOOTSTRAP_RESPONSE);
    bootstrap_entry_t *entries = arena_calloc(&arena, DISPATCHERS_MAX, sizeof *entries);
    uint32_t count = 0;
    for (int i = 0; i < DISPATCHERS_MAX; i++) {
        model_dispatcher_t *d = &node->dispatchers[i];
        if (!d->is_used)
            continue;
        /* A new maintainer has none of the old one's acknowledgements. */
        d->is_acked = false;
        for (int j = 0; j < d->report_count; j++)
            d->reports[j] = (model_report_t){.ts = d->reports[j].ts};
        bool is_at = d->stage != STAGE_NONE;
        entries[count++] = (bootstrap_entry_t){
            .dispatcher_id = d->id,
            .span = {.table_id =
                         d->table == TRIGGER ? TABLE_ID_TRIGGER : node->log->tables[d->table].id},
            .state = d->is_working ? DISPATCHER_WORKING : DISPATCHER_PREPARING,
            .position = position_of(node, d),
            .assignment_epoch = d->epoch,
            .stage = d->stage,
            .key = is_at ? d->key : EVENT_KEY_NONE,
            .is_blocked = is_at,
            .payload = is_at ? log_payload(node->log, d->key) : NULL};
    }
    message->bootstrap_response = (bootstrap_response_t){.changefeed = node->ref,
                                                         .is_last_piece = true,
                                                         .watermark_seq = node->watermark_seq,
                                                         .entries = entries,
                                                         .entry_count = count};
    node->send(node->world, node, message, arena);
    if (trigger_of(node))
        send_table_list(node, checkpoint_of(node, trigger_of(node)));
}

static void send_schema(model_node_t *node)
{
    const model_dispatcher_t *trigger = trigger_of(node);
    if (!trigger)
        return;
    arena_t arena = {0};
    message_t *message = new_message(node, &arena, MESSAGE_SCHEMA_DDL);
    message->schema_ddls = (schema_ddls_t){
        .changefeed = node->ref, .after = {node->schema_acked}, .up_to = {trigger->done}};
    node->send(node->world, node, message, arena);
}

/* ---- what the maintainer says ---- */

static void create(model_node_t *node, mono_ns_t now, const schedule_create_t *order)
{
    model_dispatcher_t *d = find(node, order->dispatcher_id);
    if (!d) {
        int i = 0;
        while (i < DISPATCHERS_MAX && node->dispatchers[i].is_used)
            i++;
        assert_true(i < DISPATCHERS_MAX);
        int table = log_table(node->log, order->span.table_id);
        assert_int_not_equal(table, -2);
        uint64_t start = order->start.checkpoint.v;
        if (!sink_claim(node->sink, table, order->assignment_epoch, &start))
            return;
        d = &node->dispatchers[i];
        *d = (model_dispatcher_t){.is_used = true,
                                  .is_dirty = true,
                                  .id = order->dispatcher_id,
                                  .table = table,
                                  .epoch = order->assignment_epoch,
                                  .done = start,
                                  .passed = order->start.passed,
                                  .works_at = mono_add(now, MS(random_below(node->random, 300)))};
        node->watermark_seq++;
    }
    if (order->wants_table_list)
        send_table_list(node, order->start.checkpoint.v);
}

static void schedule(model_node_t *node, mono_ns_t now, const schedule_request_t *request)
{
    for (uint32_t i = 0; i < request->create_count; i++)
        create(node, now, &request->creates[i]);
    for (uint32_t i = 0; i < request->close_count; i++) {
        model_dispatcher_t *d = find(node, request->closes[i]);
        /* One that is executing a DDL answers when that has ended. */
        if (d && d->stage != STAGE_WRITING)
            stop_dispatcher(node, d);
        else if (!d && node->stopped_count < DISPATCHERS_MAX)
            node->stopped[node->stopped_count++] = (dispatcher_heartbeat_t){
                .dispatcher_id = request->closes[i], .state = DISPATCHER_STOPPED};
    }
}

static void take_verdict(model_node_t *node, mono_ns_t now, event_key_t key, block_stage_t stage,
                         dispatcher_id_t id, verdict_t verdict)
{
    model_dispatcher_t *d = find(node, id);
    if (!d)
        return;
    mono_ns_t soon = mono_add(now, MS(100));
    for (int i = 0; stage == STAGE_NONE && i < d->report_count; i++) {
        if (d->reports[i].ts != key.commit_ts.v)
            continue;
        if (verdict == VERDICT_ACK)
            d->reports[i] = d->reports[--d->report_count];
        else
            d->reports[i].offer_at = soon;
        d->is_dirty = true;
    }
    if (verdict == VERDICT_UNKNOWN)
        stop_dispatcher(node, d);
    if (stage != STAGE_WAITING || d->stage != STAGE_WAITING || !event_key_equal(d->key, key))
        return;
    d->is_acked |= verdict == VERDICT_ACK;
    if (verdict == VERDICT_IGNORED || verdict == VERDICT_LATER)
        d->offer_at = soon;
}

static void take_verdicts(model_node_t *node, mono_ns_t now, const group_verdict_t *answer)
{
    model_request_t *request = &node->requests[answer->request_sequence % REQUESTS_MAX];
    if (request->sequence != answer->request_sequence || answer->group >= request->group_count)
        return;
    for (uint32_t i = 0; i < request->groups[answer->group].count; i++) {
        verdict_t verdict = answer->verdict;
        for (uint32_t j = 0; j < answer->exception_count; j++)
            if (answer->exceptions[j].index == i)
                verdict = answer->exceptions[j].verdict;
        take_verdict(node, now, request->groups[answer->group].key,
                     request->groups[answer->group].stage, request->groups[answer->group].ids[i],
                     verdict);
    }
}

static bool is_meant(const model_node_t *node, const barrier_action_t *action,
                     const model_dispatcher_t *d)
{
    if (action->scope != INFLUENCE_NORMAL || action->kind == ACTION_WRITE) {
        if (action->dispatcher_count == 0)
            return log_blocks(node->log, action->key, d->table);
    }
    for (uint32_t i = 0; i < action->dispatcher_count; i++)
        if (dispatcher_id_equal(action->dispatchers[i], d->id))
            return true;
    return false;
}

static void act(model_node_t *node, mono_ns_t now, const barrier_action_t *action)
{
    for (int i = 0; i < DISPATCHERS_MAX; i++) {
        model_dispatcher_t *d = &node->dispatchers[i];
        if (!d->is_used || !is_meant(node, action, d))
            continue;
        if (d->stage == STAGE_WAITING && event_key_equal(d->key, action->key)) {
            if (action->kind == ACTION_WRITE) {
                d->stage = STAGE_WRITING;
                d->written_at = mono_add(now, MS(random_below(node->random, 400)));
            } else {
                pass(node, d, d->key);
                sink_reach(node->sink, d->table, d->done, false);
                d->is_dirty = true;
                send_done(node, d, action->key);
            }
        } else if (d->stage != STAGE_WRITING && event_key_compare(d->passed, action->key) >= 0) {
            send_done(node, d, action->key);
        }
    }
}

static void take_response(model_node_t *node, mono_ns_t now, const heartbeat_response_t *response)
{
    if (response->newest_heartbeat) {
        mono_ns_t until =
            mono_add(node->beats[response->newest_heartbeat % BEATS_MAX], 10 * NS_PER_S);
        if (until.v > node->lease_until.v)
            node->lease_until = until;
        if (response->newest_heartbeat > node->answered_heartbeat)
            node->answered_heartbeat = response->newest_heartbeat;
    }
    for (uint32_t i = 0; i < response->verdict_count; i++)
        take_verdicts(node, now, &response->verdicts[i]);
    for (uint32_t i = 0; i < response->action_count; i++)
        act(node, now, &response->actions[i]);
}

/* What is not open is closed, and said so. */
static void close_feed(model_node_t *node, const message_t *request)
{
    if (node->is_open && request->header.maintainer_epoch < node->epoch)
        return;
    node->epoch = request->header.maintainer_epoch;
    node->removals += request->changefeed_close.is_removed;
    arena_t arena = {0};
    message_t *message = new_message(node, &arena, MESSAGE_CHANGEFEED_CLOSED);
    message->changefeed_closed.changefeed = request->changefeed_close.changefeed;
    memset(node->dispatchers, 0, sizeof node->dispatchers);
    node->stopped_count = 0;
    node->is_open = false;
    node->send(node->world, node, message, arena);
}

void model_node_open(model_node_t *node, mono_ns_t now, changefeed_ref_t ref, uint64_t epoch)
{
    if (!node->is_welcome || (node->is_open && epoch < node->epoch))
        return;
    (void)now;
    node->is_open = true;
    node->ref = ref;
    node->epoch = epoch;
    arena_t arena = {0};
    message_t *message = new_message(node, &arena, MESSAGE_CHANGEFEED_OPENED);
    message->changefeed_opened.changefeed = ref;
    node->send(node->world, node, message, arena);
}

static void answer_check(model_node_t *node, const check_request_t *request)
{
    arena_t arena = {0};
    static const bytes_t warning = {(const uint8_t *)"d.t has no key", 14};
    message_t *message = new_message(node, &arena, MESSAGE_CHECK_RESPONSE);
    message->check_response =
        (check_response_t){.check_id = request->check_id,
                           .error = node->check_error,
                           .text = bytes_of_text("binlog_format: set it to ROW"),
                           .warnings = &warning,
                           .warning_count = 1,
                           .is_last_piece = true};
    node->send(node->world, node, message, arena);
}

void model_node_receive(model_node_t *node, mono_ns_t now, const message_t *message)
{
    bool is_current = message->header.maintainer_epoch == node->epoch && node->is_open;
    switch ((int)message->header.type) {
    case MESSAGE_HELLO_RESPONSE:
        node->is_welcome = true;
        node->lease_until = mono_add(now, 10 * NS_PER_S);
        break;
    case MESSAGE_START_AGAIN:
        model_node_start(node, now, (incarnation_t){node->incarnation.v + 1});
        break;
    case MESSAGE_CHECK_REQUEST:
        answer_check(node, &message->check_request);
        break;
    case MESSAGE_CHANGEFEED_CLOSE:
        close_feed(node, message);
        break;
    case MESSAGE_BOOTSTRAP_REQUEST:
        if (is_current)
            send_bootstrap(node);
        break;
    case MESSAGE_SCHEDULE_REQUEST:
        if (is_current)
            schedule(node, now, &message->schedule_request);
        break;
    case MESSAGE_HEARTBEAT_RESPONSE:
        if (!message->heartbeat_response.has_changefeed || is_current)
            take_response(node, now, &message->heartbeat_response);
        if (message->heartbeat_response.has_changefeed && is_current)
            node->persisted = message->heartbeat_response.persisted_checkpoint;
        break;
    case MESSAGE_SCHEMA_SNAPSHOT_ACK:
        node->schema_acked = message->schema_snapshot_ack.at.v;
        break;
    default:
        fail_msg("a node is sent message type %d", (int)message->header.type);
    }
}

/* ---- time ---- */

static void work(model_node_t *node, mono_ns_t now)
{
    for (int i = 0; i < DISPATCHERS_MAX; i++) {
        model_dispatcher_t *d = &node->dispatchers[i];
        if (!d->is_used)
            continue;
        if (!d->is_working && mono_reached(d->works_at, now)) {
            d->is_working = d->is_dirty = true;
            node->beat_at = (mono_ns_t){0};
        }
        if (!d->is_working)
            continue;
        if (!sink_owns(node->sink, d->table, d->epoch)) {
            stop_dispatcher(node, d);
            continue;
        }
        if (d->stage == STAGE_WRITING && mono_reached(d->written_at, now)) {
            event_key_t key = d->key;
            finish_write(node, d);
            d->is_dirty = true;
            send_done(node, d, key);
        }
        for (int steps = 0; d->stage == STAGE_NONE && steps < 4; steps++)
            if (!advance(node, d, now))
                break;
    }
}

void model_node_tick(model_node_t *node, mono_ns_t now)
{
    if (!node->is_up)
        return;
    if (!node->is_welcome || node->is_leaving) {
        if (mono_reached(node->hello_at, now)) {
            arena_t arena = {0};
            message_t *message = new_message(node, &arena, MESSAGE_HELLO);
            message->header.maintainer_epoch = 0;
            message->hello.is_leaving = node->is_leaving;
            node->send(node->world, node, message, arena);
            node->hello_at = mono_add(now, MS(500));
        }
        if (!node->is_welcome)
            return;
    }
    /* Without a lease nothing is written. */
    if (!mono_reached(node->lease_until, now))
        work(node, now);
    if (node->is_open)
        offer(node, now);
    if (node->is_open && mono_reached(node->schema_at, now)) {
        node->schema_at = mono_add(now, NS_PER_S);
        send_schema(node);
    }
    if (!mono_reached(node->beat_at, now))
        return;
    bool is_complete = node->is_open && mono_reached(node->complete_at, now);
    if (is_complete)
        node->complete_at = mono_add(now, 10 * NS_PER_S);
    send_heartbeat(node, now, is_complete);
    node->beat_at = mono_add(now, MS(200));
}
