/* The status path: block statuses out, verdicts and actions back. */
#include "common/wire/codec_internal.h"

static uint64_t status_count(const block_status_request_t *request)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < request->group_count; i++)
        count += request->groups[i].dispatcher_count;
    return count;
}

static Wire__BlockStatusGroup *put_group(codec_t *codec, const block_status_group_t *group)
{
    Wire__BlockStatusGroup *to = codec_new(codec, &wire__block_status_group__descriptor);
    to->key = codec_put_key(codec, group->key);
    to->stage = group->stage;
    to->is_blocked = group->is_blocked;
    if (group->payload && group->stage != STAGE_DONE)
        to->payload = codec_put_payload(codec, group->payload);
    to->dispatchers = codec_put_ids(group->dispatchers);
    to->n_dispatchers = (size_t)group->dispatcher_count * 2;
    to->passed = codec_put_keys(codec, group->passed, group->dispatcher_count);
    return to;
}

sluice_error_t codec_encode_block_status_request(codec_t *codec, const message_t *message,
                                                 ProtobufCMessage **body)
{
    const block_status_request_t *request = &message->block_status_request;
    if (status_count(request) > STATUSES_PER_REQUEST_MAX)
        return SLUICE_ERROR_TOO_LARGE;
    Wire__BlockStatusRequest *to = codec_new(codec, &wire__block_status_request__descriptor);
    to->changefeed = codec_put_changefeed(codec, &request->changefeed);
    to->mode = request->mode;
    to->n_groups = request->group_count;
    to->groups = arena_calloc(codec->arena, request->group_count, sizeof *to->groups);
    for (uint32_t i = 0; i < request->group_count; i++)
        to->groups[i] = put_group(codec, &request->groups[i]);
    *body = &to->base;
    return SLUICE_OK;
}

/* The table trigger dispatcher alone blocks nobody, so that nobody waits for it. */
static bool is_trigger_alone(const influence_t *influence)
{
    return influence->kind == INFLUENCE_NORMAL && influence->table_count == 1 &&
           influence->table_ids[0].v == TABLE_ID_TRIGGER.v;
}

/* Stage, blocking and payload belong together: NONE reports without blocking, WAITING blocks, DONE
 * needs no payload. WRITING is never reported. */
static bool get_report(codec_t *codec, const Wire__BlockStatusGroup *from,
                       block_status_group_t *group)
{
    if (from->stage > STAGE_DONE || from->stage == STAGE_WRITING)
        return false;
    group->stage = (block_stage_t)from->stage;
    group->is_blocked = from->is_blocked;
    if (group->is_blocked != (group->stage != STAGE_NONE))
        return false;
    if (group->stage == STAGE_DONE)
        return from->payload == NULL;
    group->payload = codec_get_payload(codec, from->payload, group->key.is_syncpoint);
    if (!group->payload)
        return false;
    return group->stage != STAGE_WAITING || !is_trigger_alone(&group->payload->influence);
}

static bool get_group(codec_t *codec, const Wire__BlockStatusGroup *from,
                      block_status_group_t *group)
{
    if (!codec_get_key(from->key, &group->key) || !codec_is_event(group->key))
        return false;
    if (!codec_get_ids(from->dispatchers, from->n_dispatchers, &group->dispatchers,
                       &group->dispatcher_count))
        return false;
    group->passed = codec_get_keys(codec, from->passed, group->dispatcher_count);
    return group->passed && get_report(codec, from, group);
}

static uint64_t wire_status_count(const Wire__BlockStatusRequest *from)
{
    uint64_t count = 0;
    for (size_t i = 0; i < from->n_groups; i++)
        count += (from->groups[i]->n_dispatchers + 1) / 2;
    return count;
}

sluice_error_t codec_decode_block_status_request(codec_t *codec, const ProtobufCMessage *body,
                                                 message_t *message)
{
    const Wire__BlockStatusRequest *from = (const Wire__BlockStatusRequest *)body;
    block_status_request_t *request = &message->block_status_request;
    if (wire_status_count(from) > STATUSES_PER_REQUEST_MAX ||
        from->n_groups > STATUSES_PER_REQUEST_MAX)
        return SLUICE_ERROR_TOO_LARGE;
    if (!codec_get_changefeed(from->changefeed, &request->changefeed) || !codec_is_mode(from->mode))
        return SLUICE_ERROR_MALFORMED;
    request->mode = (pipeline_t)from->mode;
    block_status_group_t *groups = arena_calloc(codec->arena, from->n_groups, sizeof *groups);
    for (size_t i = 0; i < from->n_groups; i++) {
        block_status_group_t *group = &groups[request->group_count];
        *group = (block_status_group_t){.index = (uint32_t)i};
        if (get_group(codec, from->groups[i], group))
            request->group_count++;
        else
            codec->refused++;
    }
    request->groups = groups;
    return SLUICE_OK;
}

static Wire__GroupVerdict *put_verdict(codec_t *codec, const group_verdict_t *verdict)
{
    Wire__GroupVerdict *to = codec_new(codec, &wire__group_verdict__descriptor);
    uint32_t count = verdict->exception_count;
    to->request_sequence = verdict->request_sequence;
    to->group = verdict->group;
    to->verdict = verdict->verdict;
    to->n_exception_indexes = to->n_exception_verdicts = count;
    to->exception_indexes = arena_calloc(codec->arena, count, sizeof(uint32_t));
    to->exception_verdicts = arena_calloc(codec->arena, count, sizeof(uint32_t));
    for (uint32_t i = 0; i < count; i++) {
        to->exception_indexes[i] = verdict->exceptions[i].index;
        to->exception_verdicts[i] = verdict->exceptions[i].verdict;
    }
    return to;
}

static Wire__BarrierAction *put_action(codec_t *codec, const barrier_action_t *action)
{
    Wire__BarrierAction *to = codec_new(codec, &wire__barrier_action__descriptor);
    to->kind = action->kind;
    to->key = codec_put_key(codec, action->key);
    to->scope = action->scope;
    to->schema = action->schema.v;
    to->dispatchers = codec_put_ids(action->dispatchers);
    to->n_dispatchers = (size_t)action->dispatcher_count * 2;
    return to;
}

sluice_error_t codec_encode_heartbeat_response(codec_t *codec, const message_t *message,
                                               ProtobufCMessage **body)
{
    const heartbeat_response_t *response = &message->heartbeat_response;
    Wire__HeartbeatResponse *to = codec_new(codec, &wire__heartbeat_response__descriptor);
    to->newest_heartbeat = response->newest_heartbeat;
    if (response->has_changefeed) {
        to->changefeed = codec_put_changefeed(codec, &response->changefeed);
        to->mode = response->mode;
        to->persisted_checkpoint = response->persisted_checkpoint.v;
    }
    to->n_verdicts = response->verdict_count;
    to->verdicts = arena_calloc(codec->arena, response->verdict_count, sizeof *to->verdicts);
    for (uint32_t i = 0; i < response->verdict_count; i++)
        to->verdicts[i] = put_verdict(codec, &response->verdicts[i]);
    to->n_actions = response->action_count;
    to->actions = arena_calloc(codec->arena, response->action_count, sizeof *to->actions);
    for (uint32_t i = 0; i < response->action_count; i++)
        to->actions[i] = put_action(codec, &response->actions[i]);
    *body = &to->base;
    return SLUICE_OK;
}

static bool get_verdict(codec_t *codec, const Wire__GroupVerdict *from, group_verdict_t *verdict)
{
    size_t count = from->n_exception_indexes;
    if (from->verdict > VERDICT_LATER || count != from->n_exception_verdicts ||
        count > STATUSES_PER_REQUEST_MAX || from->group >= STATUSES_PER_REQUEST_MAX)
        return false;
    verdict_exception_t *exceptions = arena_calloc(codec->arena, count, sizeof *exceptions);
    for (size_t i = 0; i < count; i++) {
        if (from->exception_verdicts[i] > VERDICT_LATER ||
            from->exception_indexes[i] >= STATUSES_PER_REQUEST_MAX)
            return false;
        exceptions[i] = (verdict_exception_t){.index = from->exception_indexes[i],
                                              .verdict = (verdict_t)from->exception_verdicts[i]};
    }
    *verdict = (group_verdict_t){.request_sequence = from->request_sequence,
                                 .group = from->group,
                                 .verdict = (verdict_t)from->verdict,
                                 .exceptions = exceptions,
                                 .exception_count = (uint32_t)count};
    return true;
}

/* WRITE has exactly one target whatever the scope; PASS has targets only when it is NORMAL. */
static bool has_fitting_targets(const barrier_action_t *action)
{
    if (action->kind == ACTION_WRITE)
        return action->dispatcher_count == 1;
    if ((action->scope == INFLUENCE_DB) != (action->schema.v != 0))
        return false;
    return (action->scope == INFLUENCE_NORMAL) == (action->dispatcher_count > 0);
}

static bool get_action(const Wire__BarrierAction *from, barrier_action_t *action)
{
    if (from->kind > ACTION_PASS || from->scope > INFLUENCE_ALL)
        return false;
    *action = (barrier_action_t){.kind = (action_kind_t)from->kind,
                                 .scope = (influence_kind_t)from->scope,
                                 .schema = {from->schema}};
    return codec_get_key(from->key, &action->key) && codec_is_event(action->key) &&
           codec_get_ids(from->dispatchers, from->n_dispatchers, &action->dispatchers,
                         &action->dispatcher_count) &&
           has_fitting_targets(action);
}

static void get_verdicts(codec_t *codec, const Wire__HeartbeatResponse *from,
                         heartbeat_response_t *response)
{
    group_verdict_t *verdicts = arena_calloc(codec->arena, from->n_verdicts, sizeof *verdicts);
    for (size_t i = 0; i < from->n_verdicts; i++) {
        if (get_verdict(codec, from->verdicts[i], &verdicts[response->verdict_count]))
            response->verdict_count++;
        else
            codec->refused++;
    }
    response->verdicts = verdicts;
}

static void get_actions(codec_t *codec, const Wire__HeartbeatResponse *from,
                        heartbeat_response_t *response)
{
    barrier_action_t *actions = arena_calloc(codec->arena, from->n_actions, sizeof *actions);
    for (size_t i = 0; i < from->n_actions; i++) {
        if (get_action(from->actions[i], &actions[response->action_count]))
            response->action_count++;
        else
            codec->refused++;
    }
    response->actions = actions;
}

sluice_error_t codec_decode_heartbeat_response(codec_t *codec, const ProtobufCMessage *body,
                                               message_t *message)
{
    const Wire__HeartbeatResponse *from = (const Wire__HeartbeatResponse *)body;
    heartbeat_response_t *response = &message->heartbeat_response;
    response->newest_heartbeat = from->newest_heartbeat;
    response->has_changefeed = from->changefeed != NULL;
    if (!response->has_changefeed)
        return from->n_verdicts || from->n_actions ? SLUICE_ERROR_MALFORMED : SLUICE_OK;
    if (!codec_get_changefeed(from->changefeed, &response->changefeed) ||
        !codec_is_mode(from->mode) || from->persisted_checkpoint == COMMIT_TS_MAX.v)
        return SLUICE_ERROR_MALFORMED;
    response->mode = (pipeline_t)from->mode;
    response->persisted_checkpoint = (commit_ts_t){from->persisted_checkpoint};
    get_verdicts(codec, from, response);
    get_actions(codec, from, response);
    return SLUICE_OK;
}
