#include "dispatcher/core/dispatch/dispatcher_set.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/memory.h"
#include "dispatcher/core/dispatch/dispatcher_set_internal.h"

dispatcher_set_options_t dispatcher_set_options_default(void)
{
    return (dispatcher_set_options_t){
        .resend = {.interval_ns = STATUS_RESEND_INTERVAL_NS,
                   .retry_first_ns = STATUS_RETRY_FIRST_NS,
                   .retry_max_ns = STATUS_RETRY_MAX_NS},
        .path = status_path_options_default(),
    };
}

dispatcher_set_t *dispatcher_set_new(const dispatcher_set_options_t *options,
                                     uint64_t maintainer_epoch)
{
    dispatcher_set_t *set = memory_zalloc(sizeof *set);
    set->options = *options;
    set->maintainer_epoch = maintainer_epoch;
    set->path = status_path_new(&options->path);
    status_path_set_target(set->path, maintainer_epoch);
    return set;
}

static map_key_t key_of(dispatcher_id_t id)
{
    return (map_key_t){id.hi, id.lo};
}

static void free_member(dispatcher_set_t *set, member_t *member)
{
    deadline_heap_set(&set->deadlines, &member->deadline, MONO_NEVER);
    key_map_take(&set->by_id, key_of(member->id));
    dispatcher_destroy(&member->dispatcher);
    free(member);
}

void dispatcher_set_destroy(dispatcher_set_t **set)
{
    dispatcher_set_t *self = *set;
    if (!self)
        return;
    for (uint32_t i = 0; i < self->count; i++)
        free_member(self, self->members[i]);
    for (size_t mode = 0; mode < PIPELINE_COUNT; mode++) {
        free(self->stopped[mode].entries);
        free(self->unasked[mode].entries);
    }
    key_map_clear(&self->by_id);
    deadline_heap_clear(&self->deadlines);
    node_effects_clear(&self->effects);
    status_path_destroy(&self->path);
    free(self->members);
    free(self->checkpoints);
    free(self->resolved);
    free(self);
    *set = NULL;
}

static dispatcher_step_t step_at(dispatcher_set_t *set, mono_ns_t now)
{
    return (dispatcher_step_t){
        .resend = &set->options.resend, .path = set->path, .effects = &set->effects, .now = now};
}

member_t *dispatcher_set_member(const dispatcher_set_t *set, dispatcher_id_t id)
{
    return key_map_get(&set->by_id, key_of(id));
}

void dispatcher_set_prefetch(const dispatcher_set_t *set, dispatcher_id_t id)
{
    key_map_prefetch(&set->by_id, key_of(id));
}

static member_t *find_run(const dispatcher_set_t *set, dispatcher_id_t id, uint64_t run)
{
    member_t *member = dispatcher_set_member(set, id);
    return member && dispatcher_run(member->dispatcher) == run ? member : NULL;
}

/* ---- membership ---- */

static void grow(dispatcher_set_t *set)
{
    if (set->count < set->capacity)
        return;
    set->capacity = set->capacity ? set->capacity * 2 : 64;
    set->members = memory_realloc(set->members, set->capacity * sizeof *set->members);
    set->checkpoints = memory_realloc(set->checkpoints, set->capacity * sizeof *set->checkpoints);
    set->resolved = memory_realloc(set->resolved, set->capacity * sizeof *set->resolved);
}

static void remove_member(dispatcher_set_t *set, member_t *member)
{
    pipeline_t mode = dispatcher_mode(member->dispatcher);
    member_set_changed(set, member, false);
    position_t position = dispatcher_position(member->dispatcher);
    dispatcher_set_add_stopped(set, mode, member->id, position);
    if (member->closed_by != set->maintainer_epoch)
        dispatcher_set_add_unasked(set, mode, member->id, position);
    set->watermark_seq[mode]++;
    set->mode_count[mode]--;
    if (set->trigger[mode] == member->dispatcher)
        set->trigger[mode] = NULL;
    uint32_t last = --set->count;
    set->members[member->index] = set->members[last];
    set->members[member->index]->index = member->index;
    set->checkpoints[member->index] = set->checkpoints[last];
    set->resolved[member->index] = set->resolved[last];
    free_member(set, member);
}

/* After every call into a dispatcher: what the set knows of it follows. */
static void settle(dispatcher_set_t *set, member_t *member)
{
    const dispatcher_t *dispatcher = member->dispatcher;
    if (dispatcher_phase(dispatcher) == DISPATCHER_PHASE_STOPPED) {
        remove_member(set, member);
        return;
    }
    set->checkpoints[member->index] = dispatcher_position(dispatcher).checkpoint.v;
    set->resolved[member->index] = dispatcher_resolved(dispatcher).v;
    deadline_heap_set(&set->deadlines, &member->deadline, dispatcher_next_deadline(dispatcher));
    dispatcher_state_t state = dispatcher_state(dispatcher);
    if (state != member->told) {
        member->told = state;
        member_set_changed(set, member, true);
    }
}

static void note_errors(dispatcher_set_t *set, uint32_t first_effect)
{
    for (uint32_t i = first_effect; i < set->effects.count && set->error == SLUICE_OK; i++)
        if (set->effects.items[i].kind == NODE_EFFECT_FAIL)
            set->error = set->effects.items[i].error;
}

static void create(dispatcher_set_t *set, const schedule_create_t *create, mono_ns_t now)
{
    member_t *member = dispatcher_set_member(set, create->dispatcher_id);
    if (member) {
        member_set_changed(set, member, true);
        if (create->wants_table_list && dispatcher_is_trigger(member->dispatcher)) {
            dispatcher_step_t step = step_at(set, now);
            dispatcher_want_table_list(member->dispatcher, &step);
        }
        return;
    }
    if (set->count >= DISPATCHER_SET_MAX)
        return;
    grow(set);
    member = memory_zalloc(sizeof *member);
    member->id = create->dispatcher_id;
    member->dispatcher = dispatcher_new(create, ++set->runs, member);
    member->index = set->count;
    member->told = DISPATCHER_PREPARING;
    set->members[set->count++] = member;
    key_map_put(&set->by_id, key_of(member->id), member);
    set->watermark_seq[create->mode]++;
    set->mode_count[create->mode]++;
    if (dispatcher_is_trigger(member->dispatcher))
        set->trigger[create->mode] = member->dispatcher;
    member_set_changed(set, member, true);
    dispatcher_step_t step = step_at(set, now);
    dispatcher_start(member->dispatcher, &step);
    settle(set, member);
}

static void close_one(dispatcher_set_t *set, dispatcher_id_t id, mono_ns_t now)
{
    member_t *member = dispatcher_set_member(set, id);
    if (!member) {
        dispatcher_set_forget_unasked(set, id);
        dispatcher_set_add_stopped(set, PIPELINE_DEFAULT, id, (position_t){0});
        return;
    }
    member->closed_by = set->maintainer_epoch;
    dispatcher_step_t step = step_at(set, now);
    dispatcher_close(member->dispatcher, &step);
    settle(set, member);
}

bool dispatcher_set_schedule(dispatcher_set_t *set, uint64_t maintainer_epoch,
                             const schedule_request_t *request, mono_ns_t now)
{
    if (maintainer_epoch != set->maintainer_epoch)
        return false;
    for (uint32_t i = 0; i < request->close_count; i++)
        close_one(set, request->closes[i], now);
    for (uint32_t i = 0; i < request->create_count; i++)
        create(set, &request->creates[i], now);
    return true;
}

/* Downwards, since one that stops is replaced by the last. */
void dispatcher_set_close_all(dispatcher_set_t *set, mono_ns_t now)
{
    dispatcher_step_t step = step_at(set, now);
    for (uint32_t i = set->count; i-- > 0;) {
        dispatcher_close(set->members[i]->dispatcher, &step);
        settle(set, set->members[i]);
    }
}

void dispatcher_set_abandon_all(dispatcher_set_t *set, mono_ns_t now)
{
    dispatcher_step_t step = step_at(set, now);
    for (uint32_t i = set->count; i-- > 0;) {
        dispatcher_abandon(set->members[i]->dispatcher, &step);
        settle(set, set->members[i]);
    }
}

/* ---- the maintainer ---- */

bool dispatcher_set_bootstrap(dispatcher_set_t *set, uint64_t maintainer_epoch, mono_ns_t now)
{
    if (maintainer_epoch < set->maintainer_epoch ||
        maintainer_epoch - set->maintainer_epoch > MAINTAINER_EPOCH_JUMP_MAX)
        return false;
    if (maintainer_epoch == set->maintainer_epoch)
        return true;
    set->maintainer_epoch = maintainer_epoch;
    /* It is told what there is, and counts on nothing else. */
    for (int mode = 0; mode < PIPELINE_COUNT; mode++)
        set->unasked[mode].count = 0;
    status_path_set_target(set->path, maintainer_epoch);
    dispatcher_step_t step = step_at(set, now);
    for (uint32_t i = set->count; i-- > 0;) {
        dispatcher_forget_acks(set->members[i]->dispatcher, &step);
        settle(set, set->members[i]);
    }
    return true;
}

void dispatcher_set_offer_again(dispatcher_set_t *set, mono_ns_t now)
{
    dispatcher_step_t step = step_at(set, now);
    for (uint32_t i = set->count; i-- > 0;) {
        dispatcher_offer_again(set->members[i]->dispatcher, &step);
        settle(set, set->members[i]);
    }
}

typedef struct {
    dispatcher_set_t *set;
    dispatcher_step_t step;
} verdict_context_t;

static void apply_verdict(void *context, status_slot_t *slot, event_key_t key, block_stage_t stage,
                          verdict_t verdict)
{
    verdict_context_t *to = context;
    member_t *member = slot->owner;
    if (!member)
        return;
    dispatcher_handle_verdict(member->dispatcher, &to->step, key, stage, verdict);
    settle(to->set, member);
}

static void act(dispatcher_set_t *set, member_t *member, const barrier_action_t *action,
                dispatcher_step_t *step)
{
    dispatcher_handle_action(member->dispatcher, step, action->kind, action->key);
    settle(set, member);
}

/* A DB-wide action reaches whoever stands at the event, and whoever met such an event of that
 * schema before. */
static bool is_in_scope(const dispatcher_t *dispatcher, const barrier_action_t *action)
{
    if (action->scope == INFLUENCE_ALL)
        return true;
    return dispatcher_schema(dispatcher).v == action->schema.v || dispatcher_is_trigger(dispatcher);
}

static void apply_action(dispatcher_set_t *set, pipeline_t mode, const barrier_action_t *action,
                         dispatcher_step_t *step)
{
    if (action->kind == ACTION_WRITE || action->scope == INFLUENCE_NORMAL) {
        for (uint32_t i = 0; i < action->dispatcher_count; i++) {
            member_t *member = dispatcher_set_member(set, action->dispatchers[i]);
            if (member && dispatcher_mode(member->dispatcher) == mode)
                act(set, member, action, step);
        }
        return;
    }
    for (uint32_t i = set->count; i-- > 0;) {
        member_t *member = set->members[i];
        if (dispatcher_mode(member->dispatcher) == mode && is_in_scope(member->dispatcher, action))
            act(set, member, action, step);
    }
}

bool dispatcher_set_respond(dispatcher_set_t *set, uint64_t maintainer_epoch,
                            const heartbeat_response_t *response, mono_ns_t now)
{
    if (maintainer_epoch != set->maintainer_epoch)
        return false;
    verdict_context_t context = {set, step_at(set, now)};
    uint32_t first_effect = set->effects.count;
    for (uint32_t i = 0; i < response->verdict_count; i++)
        status_path_answer(set->path, &response->verdicts[i], apply_verdict, &context);
    for (uint32_t i = 0; i < response->action_count; i++)
        apply_action(set, response->mode, &response->actions[i], &context.step);
    note_errors(set, first_effect);
    return true;
}

/* ---- event streams and the sink ---- */

void dispatcher_set_opened(dispatcher_set_t *set, dispatcher_id_t id, mono_ns_t now)
{
    member_t *member = dispatcher_set_member(set, id);
    if (!member)
        return;
    dispatcher_step_t step = step_at(set, now);
    dispatcher_handle_opened(member->dispatcher, &step);
    settle(set, member);
}

void dispatcher_set_event(dispatcher_set_t *set, stream_event_t *event, mono_ns_t now)
{
    member_t *member = dispatcher_set_member(set, event->dispatcher_id);
    if (!member) {
        stream_event_clear(event);
        return;
    }
    dispatcher_step_t step = step_at(set, now);
    uint32_t first_effect = set->effects.count;
    dispatcher_handle_event(member->dispatcher, &step, event);
    settle(set, member);
    note_errors(set, first_effect);
}

void dispatcher_set_claimed(dispatcher_set_t *set, dispatcher_id_t id, uint64_t run,
                            sluice_error_t error, commit_ts_t progress, mono_ns_t now)
{
    member_t *member = find_run(set, id, run);
    if (!member)
        return;
    dispatcher_step_t step = step_at(set, now);
    uint32_t first_effect = set->effects.count;
    dispatcher_handle_claimed(member->dispatcher, &step, error, progress);
    settle(set, member);
    note_errors(set, first_effect);
}

void dispatcher_set_written(dispatcher_set_t *set, dispatcher_id_t id, uint64_t run, uint32_t count,
                            sluice_error_t error, mono_ns_t now)
{
    member_t *member = find_run(set, id, run);
    if (!member)
        return;
    dispatcher_step_t step = step_at(set, now);
    uint32_t first_effect = set->effects.count;
    dispatcher_handle_written(member->dispatcher, &step, count, error);
    settle(set, member);
    note_errors(set, first_effect);
}

void dispatcher_set_executed(dispatcher_set_t *set, dispatcher_id_t id, uint64_t run,
                             sluice_error_t error, mono_ns_t now)
{
    member_t *member = find_run(set, id, run);
    if (!member)
        return;
    dispatcher_step_t step = step_at(set, now);
    uint32_t first_effect = set->effects.count;
    dispatcher_handle_executed(member->dispatcher, &step, error);
    settle(set, member);
    note_errors(set, first_effect);
}

/* ---- time ---- */

void dispatcher_set_tick(dispatcher_set_t *set, mono_ns_t now)
{
    dispatcher_step_t step = step_at(set, now);
    deadline_node_t *node = NULL;
    while ((node = deadline_heap_take_due(&set->deadlines, now))) {
        member_t *member = (member_t *)((char *)node - offsetof(member_t, deadline));
        dispatcher_tick(member->dispatcher, &step);
        settle(set, member);
    }
    status_path_step(set->path, now);
}

mono_ns_t dispatcher_set_next_deadline(const dispatcher_set_t *set)
{
    return mono_min(deadline_heap_next(&set->deadlines), status_path_next_deadline(set->path));
}
