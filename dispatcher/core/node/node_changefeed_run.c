#include "dispatcher/core/node/node_changefeed_internal.h"

#define TAKEN_MAX 512
/* What finds a dispatcher is fetched from memory so many events before its turn. */
#define PREFETCHED 8
#define REQUESTS_MAX 64
/* A full or missing socket is tried again after this. */
#define SEND_RETRY_NS (5 * NS_PER_MS)
#define CLEAN_UP_INTERVAL_NS (60 * NS_PER_S)

/* ---- effects ---- */

static void claim(node_changefeed_t *changefeed, const node_effect_t *effect)
{
    sink_claim_t claim = {
        .span = effect->span,
        .mode = effect->mode,
        .epoch = effect->assignment_epoch,
        .checkpoint = effect->position.checkpoint,
    };
    changefeed->sink.claim(changefeed->sink.self, effect->dispatcher_id, effect->run, &claim);
}

static void open_session(node_changefeed_t *changefeed, const node_effect_t *effect, mono_ns_t now)
{
    session_start_t start = {
        .dispatcher_id = effect->dispatcher_id,
        .span = effect->span,
        .mode = effect->mode,
        .created = effect->created,
        .start = effect->position,
    };
    if (session_set_add(changefeed->sessions, &start, now) != SLUICE_OK)
        NODE_LOG(changefeed->host, LOG_LEVEL_ERROR, node_changefeed_name(changefeed),
                 "a dispatcher has two sessions", log_number("table_id", effect->span.table_id.v));
}

static void log_failure(node_changefeed_t *changefeed, const node_effect_t *effect)
{
    if (changefeed->has_logged_error)
        return;
    changefeed->has_logged_error = true;
    sink_pool_state_t state;
    changefeed->sink.state(changefeed->sink.self, &state);
    NODE_LOG(changefeed->host, LOG_LEVEL_ERROR, node_changefeed_name(changefeed),
             "a dispatcher has failed", log_text("error", sluice_error_name(effect->error)),
             log_text("text", effect->text ? effect->text : state.text));
}

static void carry_out(node_changefeed_t *changefeed, node_effect_t *effect, mono_ns_t now)
{
    const sink_port_t *sink = &changefeed->sink;
    switch (effect->kind) {
    case NODE_EFFECT_CLAIM:
        claim(changefeed, effect);
        break;
    case NODE_EFFECT_OPEN_SESSION:
        open_session(changefeed, effect, now);
        break;
    case NODE_EFFECT_CLOSE_SESSION:
        session_set_remove(changefeed->sessions, effect->dispatcher_id, now);
        break;
    case NODE_EFFECT_RETURN_CREDIT:
        session_set_flushed(changefeed->sessions, effect->dispatcher_id, effect->bytes, now);
        break;
    case NODE_EFFECT_WRITE_ROWS:
        sink->write(sink->self, effect->run, effect->transaction, effect->rows);
        effect->transaction = NULL;
        break;
    case NODE_EFFECT_RUN_DDL:
        sink->run_ddl(sink->self, effect->run, effect->ddl);
        effect->ddl = NULL;
        break;
    case NODE_EFFECT_WRITE_SYNCPOINT:
        sink->write_syncpoint(sink->self, effect->run, effect->commit_ts);
        break;
    case NODE_EFFECT_CANCEL:
        sink->cancel(sink->self, effect->run);
        break;
    case NODE_EFFECT_CLOSE_LANE:
        sink->close_lane(sink->self, effect->run);
        break;
    case NODE_EFFECT_SEND_TABLE_LIST:
        node_changefeed_want_table_list(changefeed, effect->mode, effect->commit_ts);
        break;
    case NODE_EFFECT_FAIL:
        log_failure(changefeed, effect);
        break;
    }
}

static void pass_session_request(node_changefeed_t *changefeed, const session_request_t *request,
                                 mono_ns_t now)
{
    if (service_equal(request->service, SERVICE_LOCAL))
        changefeed->feed.request(changefeed->feed.self, &request->request);
    else if (service_equal(request->service, SERVICE_COORDINATOR))
        node_changefeed_ask(changefeed, &request->request);
    else
        node_changefeed_ask_service(changefeed, request->service, &request->request, now);
}

static void pass_session_requests(node_changefeed_t *changefeed, mono_ns_t now)
{
    session_request_t requests[REQUESTS_MAX];
    uint32_t count = 0;
    while ((count = session_set_take_requests(changefeed->sessions, requests, REQUESTS_MAX)) > 0)
        for (uint32_t i = 0; i < count; i++)
            pass_session_request(changefeed, &requests[i], now);
}

void node_changefeed_carry_out(node_changefeed_t *changefeed, mono_ns_t now)
{
    node_effects_t *effects = dispatcher_set_effects(changefeed->dispatchers);
    for (uint32_t i = 0; i < effects->count; i++)
        carry_out(changefeed, &effects->items[i], now);
    node_effects_reset(effects);
    pass_session_requests(changefeed, now);
}

/* ---- what comes in ---- */

void node_changefeed_take_event(node_changefeed_t *changefeed, service_id_t from,
                                stream_event_t *event, mono_ns_t now)
{
    session_result_t result = session_set_handle(changefeed->sessions, from, event, now);
    if (result == SESSION_RESULT_OPENED)
        dispatcher_set_opened(changefeed->dispatchers, event->dispatcher_id, now);
    if (result == SESSION_RESULT_DELIVER)
        dispatcher_set_event(changefeed->dispatchers, event, now);
    else
        stream_event_clear(event);
    if (dispatcher_set_effects(changefeed->dispatchers)->count >= TAKEN_MAX)
        node_changefeed_carry_out(changefeed, now);
}

static bool take_events(node_changefeed_t *changefeed, mono_ns_t now)
{
    stream_event_t events[TAKEN_MAX];
    uint32_t count = changefeed->feed.take(changefeed->feed.self, events, TAKEN_MAX);
    for (uint32_t i = 0; i < count; i++) {
        if (i + PREFETCHED < count) {
            dispatcher_id_t later = events[i + PREFETCHED].dispatcher_id;
            session_set_prefetch(changefeed->sessions, later);
            dispatcher_set_prefetch(changefeed->dispatchers, later);
        }
        node_changefeed_take_event(changefeed, SERVICE_LOCAL, &events[i], now);
    }
    return count == TAKEN_MAX;
}

static bool take_completions(node_changefeed_t *changefeed, mono_ns_t now)
{
    dispatcher_set_t *set = changefeed->dispatchers;
    sink_completion_t completions[TAKEN_MAX];
    uint32_t count = changefeed->sink.take(changefeed->sink.self, completions, TAKEN_MAX);
    for (uint32_t i = 0; i < count; i++) {
        const sink_completion_t *done = &completions[i];
        switch (done->kind) {
        case SINK_CLAIMED:
            dispatcher_set_claimed(set, done->dispatcher_id, done->run, done->error, done->progress,
                                   now);
            break;
        case SINK_WRITTEN:
            dispatcher_set_written(set, done->dispatcher_id, done->run, done->count, done->error,
                                   now);
            break;
        case SINK_EXECUTED:
            dispatcher_set_executed(set, done->dispatcher_id, done->run, done->error, now);
            break;
        }
    }
    return count == TAKEN_MAX;
}

/* ---- statuses ---- */

static sluice_error_t send_request(node_changefeed_t *changefeed, const status_request_t *request)
{
    block_status_group_t groups[STATUSES_PER_REQUEST_MAX];
    status_request_view(request, groups);
    message_t message = node_changefeed_message(changefeed, MESSAGE_BLOCK_STATUS_REQUEST);
    message.header.sequence = request->sequence;
    message.block_status_request = (block_status_request_t){
        .changefeed = changefeed->ref,
        .mode = request->mode,
        .groups = groups,
        .group_count = request->group_count,
    };
    return node_link_send_status(changefeed->link, &message);
}

static request_outcome_t outcome_of(sluice_error_t error)
{
    if (error == SLUICE_OK)
        return REQUEST_SENT;
    return error == SLUICE_ERROR_AGAIN ? REQUEST_FAILED : REQUEST_DROPPED;
}

static void send_statuses(node_changefeed_t *changefeed, mono_ns_t now)
{
    status_path_t *path = dispatcher_set_path(changefeed->dispatchers);
    if (!mono_reached(changefeed->send_at, now) && changefeed->send_at.v != UINT64_MAX)
        return;
    changefeed->send_at = MONO_NEVER;
    const status_request_t *request = NULL;
    while ((request = status_path_next(path))) {
        sluice_error_t error = send_request(changefeed, request);
        if (outcome_of(error) == REQUEST_DROPPED)
            NODE_LOG(changefeed->host, LOG_LEVEL_ERROR, node_changefeed_name(changefeed),
                     "a block status request cannot be sent",
                     log_text("error", sluice_error_name(error)),
                     log_number("statuses", request->status_count));
        status_path_complete(path, request, outcome_of(error), now);
        if (error == SLUICE_ERROR_AGAIN) {
            changefeed->send_at = mono_add(now, SEND_RETRY_NS);
            return;
        }
        status_path_step(path, now);
    }
}

/* ---- the loop's step ---- */

static void clean_up(node_changefeed_t *changefeed, mono_ns_t now)
{
    if (changefeed->clean_up_at.v == UINT64_MAX || !mono_reached(changefeed->clean_up_at, now))
        return;
    changefeed->sink.clean_up(changefeed->sink.self, changefeed->persisted);
    changefeed->clean_up_at = mono_add(now, CLEAN_UP_INTERVAL_NS);
}

bool node_changefeed_run(node_changefeed_t *changefeed, mono_ns_t now)
{
    mono_ns_t lease_until = node_lease_until(&changefeed->link->lease);
    changefeed->sink.set_lease(changefeed->sink.self, lease_until);
    if (changefeed->feed.set_lease)
        changefeed->feed.set_lease(changefeed->feed.self, lease_until);
    bool has_more = take_completions(changefeed, now);
    has_more |= take_events(changefeed, now);
    session_set_tick(changefeed->sessions, now);
    dispatcher_set_tick(changefeed->dispatchers, now);
    node_changefeed_carry_out(changefeed, now);
    node_changefeed_send_table_lists(changefeed, now);
    node_changefeed_report_schema(changefeed, now);
    send_statuses(changefeed, now);
    node_changefeed_run_others(changefeed, now);
    clean_up(changefeed, now);
    return has_more;
}

mono_ns_t node_changefeed_next_deadline(const node_changefeed_t *changefeed)
{
    mono_ns_t deadline = mono_min(dispatcher_set_next_deadline(changefeed->dispatchers),
                                  session_set_next_deadline(changefeed->sessions));
    deadline = mono_min(deadline, mono_min(changefeed->send_at, changefeed->clean_up_at));
    if (changefeed->others)
        deadline = mono_min(deadline, changefeed->store.at);
    for (size_t mode = 0; mode < PIPELINE_COUNT; mode++)
        if (changefeed->table_list[mode].is_wanted)
            deadline = mono_min(deadline, changefeed->table_list[mode].try_at);
    const dispatcher_t *trigger = dispatcher_set_trigger(changefeed->dispatchers, PIPELINE_DEFAULT);
    if (trigger)
        deadline =
            mono_min(deadline, schema_report_next_deadline(
                                   &changefeed->schema, dispatcher_position(trigger).checkpoint));
    return deadline;
}
