#include "maintainer/core/scheduler.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/memory.h"

/* A create that its node has acknowledged is repeated that much more rarely. */
enum { ACKNOWLEDGED_RESEND_FACTOR = 10 };

struct scheduler {
    maintainer_settings_t settings;
    span_table_t *table;
    const barrier_t *barrier;
    pipeline_t mode;
    uint64_t maintainer_epoch;
    uint64_t id_hi;   /* of dispatcher ids: the changefeed and this maintainer_epoch */
    uint64_t counter; /* of assignments; also the low half of dispatcher ids */
    uint64_t version_seen;
    mono_ns_t resend_at, balance_at;
    uint32_t *load; /* by node index: spans it carries or is going to */
    uint32_t load_capacity;
};

scheduler_t *scheduler_new(const maintainer_settings_t *settings, span_table_t *table,
                           const barrier_t *barrier, changefeed_uuid_t uuid,
                           uint64_t maintainer_epoch, pipeline_t mode)
{
    scheduler_t *scheduler = memory_zalloc(sizeof *scheduler);
    scheduler->settings = *settings;
    scheduler->table = table;
    scheduler->barrier = barrier;
    scheduler->mode = mode;
    scheduler->maintainer_epoch = maintainer_epoch;
    memcpy(&scheduler->id_hi, uuid.bytes, sizeof scheduler->id_hi);
    /* An odd factor: different epochs of one changefeed never share a high half. */
    scheduler->id_hi ^= maintainer_epoch * UINT64_C(0x9e3779b97f4a7c15) ^ (uint64_t)mode << 63;
    scheduler->version_seen = UINT64_MAX;
    scheduler->resend_at = MONO_NEVER;
    return scheduler;
}

void scheduler_destroy(scheduler_t **scheduler)
{
    if (!*scheduler)
        return;
    free((*scheduler)->load);
    free(*scheduler);
    *scheduler = NULL;
}

/* ---- load ---- */

static uint32_t *load_of(scheduler_t *scheduler, node_index_t node)
{
    if (node.v >= scheduler->load_capacity) {
        uint32_t capacity = node.v + 16;
        scheduler->load = memory_realloc(scheduler->load, capacity * sizeof *scheduler->load);
        memset(scheduler->load + scheduler->load_capacity, 0,
               (capacity - scheduler->load_capacity) * sizeof *scheduler->load);
        scheduler->load_capacity = capacity;
    }
    return &scheduler->load[node.v];
}

static void count_load(scheduler_t *scheduler, const schedule_situation_t *situation)
{
    for (uint32_t i = 0; i < scheduler->load_capacity; i++)
        scheduler->load[i] = span_table_node_count(scheduler->table, (node_index_t){i});
    for (uint32_t i = 0; i < situation->node_count; i++)
        *load_of(scheduler, situation->nodes[i].node) =
            span_table_node_count(scheduler->table, situation->nodes[i].node);
    const span_entry_t *span = span_table_first(scheduler->table, SPAN_MOVING);
    for (; span; span = span->state_next) {
        if (*load_of(scheduler, span->node))
            --*load_of(scheduler, span->node);
        if (!node_index_is_none(span->target))
            ++*load_of(scheduler, span->target);
    }
}

/* Whether some node that takes spans has two more than another. */
static bool is_uneven(scheduler_t *scheduler, const schedule_situation_t *situation)
{
    uint32_t least = UINT32_MAX, most = 0;
    for (uint32_t i = 0; i < situation->node_count; i++) {
        if (!situation->nodes[i].takes_spans)
            continue;
        uint32_t load = *load_of(scheduler, situation->nodes[i].node);
        least = load < least ? load : least;
        most = load > most ? load : most;
    }
    return least != UINT32_MAX && most > least + 1;
}

static const scheduler_node_t *node_of(const schedule_situation_t *situation, node_index_t node)
{
    for (uint32_t i = 0; i < situation->node_count; i++)
        if (situation->nodes[i].node.v == node.v)
            return &situation->nodes[i];
    return NULL;
}

/* The node with the least spans that has room for another create; NULL. */
static const scheduler_node_t *least_loaded(scheduler_t *scheduler,
                                            const schedule_situation_t *situation)
{
    const scheduler_node_t *least = NULL;
    for (uint32_t i = 0; i < situation->node_count; i++) {
        const scheduler_node_t *node = &situation->nodes[i];
        if (!node->takes_spans || span_table_node_scheduling(scheduler->table, node->node) >=
                                      scheduler->settings.scheduling_max)
            continue;
        if (!least || *load_of(scheduler, node->node) < *load_of(scheduler, least->node))
            least = node;
    }
    return least;
}

/* ---- assignment ---- */

static bool assign(scheduler_t *scheduler, const schedule_situation_t *situation,
                   span_entry_t *span)
{
    const scheduler_node_t *node = NULL;
    if (!node_index_is_none(span->target))
        node = node_of(situation, span->target);
    if (!node || !node->takes_spans)
        node = least_loaded(scheduler, situation);
    if (!node)
        return false;
    /* Everything at or below the changefeed's checkpoint is in the sink. */
    span_entry_raise(span, (position_t){situation->checkpoint, EVENT_KEY_NONE});
    dispatcher_id_t id = {scheduler->id_hi, 0};
    uint64_t counter;
    /* A node may name a dispatcher by an id of ours: of a maintainer that had our epoch before. */
    do
        counter = id.lo = ++scheduler->counter;
    while (span_table_dispatcher(scheduler->table, id));
    ++*load_of(scheduler, node->node);
    span_table_assign(scheduler->table, span, node->node, id, counter);
    return true;
}

static void assign_absent(scheduler_t *scheduler, const schedule_situation_t *situation)
{
    span_entry_t *trigger = span_table_trigger(scheduler->table);
    if (trigger && trigger->state == SPAN_ABSENT)
        assign(scheduler, situation, trigger);
    if (situation->only_trigger || !trigger || trigger->state == SPAN_ABSENT)
        return;
    span_entry_t *next;
    for (span_entry_t *span = span_table_first(scheduler->table, SPAN_ABSENT); span; span = next) {
        next = span->state_next;
        if (!assign(scheduler, situation, span))
            return;
    }
}

/* ---- evening out ---- */

/* Moves in progress that take a slot. Looks at every absent span: only for who wants to move some.
 */
static uint32_t moves_open(const scheduler_t *scheduler)
{
    uint32_t count = span_table_count(scheduler->table, SPAN_MOVING);
    const span_entry_t *span = span_table_first(scheduler->table, SPAN_ABSENT);
    for (; span; span = span->state_next)
        count += !node_index_is_none(span->target);
    return count;
}

static void move_away(scheduler_t *scheduler, span_entry_t *span, node_index_t target)
{
    --*load_of(scheduler, span->node);
    if (!node_index_is_none(target))
        ++*load_of(scheduler, target);
    span_table_move(scheduler->table, span, target);
}

static void empty_node(scheduler_t *scheduler, const schedule_situation_t *situation,
                       const scheduler_node_t *from, uint32_t *open)
{
    static const span_state_t states[] = {SPAN_SCHEDULING, SPAN_REPLICATING};
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        span_entry_t *next;
        for (span_entry_t *span = span_table_first(scheduler->table, states[i]); span;
             span = next) {
            next = span->state_next;
            if (*open >= scheduler->settings.drain_moves_max)
                return;
            if (span->node.v != from->node.v ||
                (!from->is_leaving && barrier_holds(scheduler->barrier, span)))
                continue;
            const scheduler_node_t *target = least_loaded(scheduler, situation);
            if (!target)
                return;
            move_away(scheduler, span, target->node);
            ++*open;
        }
    }
}

static void balance(scheduler_t *scheduler, const schedule_situation_t *situation)
{
    uint32_t scheduling = span_table_count(scheduler->table, SPAN_SCHEDULING);
    if (scheduling > scheduler->settings.moves_max || !is_uneven(scheduler, situation))
        return;
    uint32_t open = moves_open(scheduler);
    span_entry_t *next;
    span_entry_t *span = span_table_first(scheduler->table, SPAN_REPLICATING);
    for (; span && open < scheduler->settings.moves_max; span = next) {
        next = span->state_next;
        const scheduler_node_t *from = node_of(situation, span->node);
        const scheduler_node_t *to = least_loaded(scheduler, situation);
        if (!from || !from->takes_spans || !to ||
            *load_of(scheduler, from->node) <= *load_of(scheduler, to->node) + 1)
            continue;
        if (span == span_table_trigger(scheduler->table) || span->is_placed ||
            barrier_holds(scheduler->barrier, span))
            continue;
        move_away(scheduler, span, to->node);
        open++;
    }
}

static void rearrange(scheduler_t *scheduler, mono_ns_t now, const schedule_situation_t *situation)
{
    bool is_emptying = false;
    uint32_t open = 0;
    for (uint32_t i = 0; i < situation->node_count; i++) {
        const scheduler_node_t *node = &situation->nodes[i];
        if (node->takes_spans || span_table_node_count(scheduler->table, node->node) == 0)
            continue;
        if (!is_emptying)
            open = moves_open(scheduler);
        empty_node(scheduler, situation, node, &open);
        is_emptying = true;
    }
    if (!mono_reached(scheduler->balance_at, now))
        return;
    scheduler->balance_at = mono_add(now, scheduler->settings.balance_interval_ns);
    if (!is_emptying)
        balance(scheduler, situation);
}

/* ---- sending ---- */

typedef struct {
    scheduler_t *scheduler;
    const schedule_situation_t *situation;
    const sender_t *sender;
    mono_ns_t now;
    node_index_t node;
    schedule_create_t *creates;
    dispatcher_id_t *closes;
    uint32_t create_count, close_count;
} parcel_t;

static void parcel_send(parcel_t *parcel)
{
    if (parcel->create_count + parcel->close_count == 0)
        return;
    message_t *message = sender_message(parcel->sender, parcel->node, MESSAGE_SCHEDULE_REQUEST);
    if (message)
        message->schedule_request = (schedule_request_t){.changefeed = parcel->sender->ref,
                                                         .creates = parcel->creates,
                                                         .create_count = parcel->create_count,
                                                         .closes = parcel->closes,
                                                         .close_count = parcel->close_count};
    parcel->creates = NULL;
    parcel->closes = NULL;
    parcel->create_count = parcel->close_count = 0;
}

static void parcel_make_room(parcel_t *parcel)
{
    arena_t *arena = &parcel->sender->effects->arena;
    if (parcel->create_count + parcel->close_count == ENTRIES_PER_PIECE_MAX)
        parcel_send(parcel);
    if (!parcel->creates)
        parcel->creates = arena_calloc(arena, ENTRIES_PER_PIECE_MAX, sizeof *parcel->creates);
    if (!parcel->closes)
        parcel->closes = arena_calloc(arena, ENTRIES_PER_PIECE_MAX, sizeof *parcel->closes);
}

static void parcel_add_create(parcel_t *parcel, const span_entry_t *span)
{
    arena_t *arena = &parcel->sender->effects->arena;
    parcel_make_room(parcel);
    span_t range = span_entry_range(span);
    range.start_key = arena_bytes(arena, range.start_key);
    range.end_key = arena_bytes(arena, range.end_key);
    bool is_trigger = span->table->table_id.v == TABLE_ID_TRIGGER.v;
    parcel->creates[parcel->create_count++] = (schedule_create_t){
        .dispatcher_id = span->dispatcher_id,
        .span = range,
        .mode = parcel->scheduler->mode,
        .start = span_entry_start(span),
        .created = span->table->created,
        .assignment_epoch = {parcel->scheduler->maintainer_epoch, span->assignment_counter},
        .wants_table_list = is_trigger && parcel->situation->wants_table_list,
        .is_split = span->range != NULL,
    };
}

static uint64_t resend_interval(const scheduler_t *scheduler, const span_entry_t *span,
                                bool wants_table_list)
{
    uint64_t interval = scheduler->settings.schedule_resend_ns;
    /* Until the list is here, repeating the trigger's create is how it is asked for. */
    bool is_awaited = wants_table_list && span == span_table_trigger(scheduler->table);
    return span->is_acknowledged && span->state == SPAN_SCHEDULING && !is_awaited
               ? interval * ACKNOWLEDGED_RESEND_FACTOR
               : interval;
}

/* Adds the span's create or close if it is due. */
static void parcel_add(parcel_t *parcel, span_entry_t *span)
{
    scheduler_t *scheduler = parcel->scheduler;
    uint64_t interval = resend_interval(scheduler, span, parcel->situation->wants_table_list);
    bool is_create = span->state == SPAN_SCHEDULING;
    bool is_adopted = is_create && span->assignment_counter == 0;
    if (span->node.v != parcel->node.v || is_adopted)
        return;
    if (span->sent_at.v == 0 || mono_reached(mono_add(span->sent_at, interval), parcel->now)) {
        if (is_create) {
            parcel_add_create(parcel, span);
        } else {
            parcel_make_room(parcel);
            parcel->closes[parcel->close_count++] = span->dispatcher_id;
        }
        span->sent_at = parcel->now;
    }
    scheduler->resend_at = mono_min(scheduler->resend_at, mono_add(span->sent_at, interval));
}

static void parcel_add_state(parcel_t *parcel, span_state_t state)
{
    span_entry_t *span = span_table_first(parcel->scheduler->table, state);
    for (; span; span = span->state_next)
        parcel_add(parcel, span);
}

static void send_due(scheduler_t *scheduler, mono_ns_t now, const schedule_situation_t *situation,
                     const sender_t *sender)
{
    scheduler->resend_at = MONO_NEVER;
    for (uint32_t i = 0; i < situation->node_count; i++) {
        parcel_t parcel = {.scheduler = scheduler,
                           .situation = situation,
                           .sender = sender,
                           .now = now,
                           .node = situation->nodes[i].node};
        span_entry_t *trigger = span_table_trigger(scheduler->table);
        if (trigger && trigger->state == SPAN_SCHEDULING)
            parcel_add(&parcel, trigger);
        parcel_add_state(&parcel, SPAN_CLOSING);
        parcel_add_state(&parcel, SPAN_MOVING);
        parcel_add_state(&parcel, SPAN_SCHEDULING);
        parcel_send(&parcel);
    }
}

/* ---- all of it ---- */

void scheduler_run(scheduler_t *scheduler, mono_ns_t now, const schedule_situation_t *situation,
                   const sender_t *sender)
{
    bool is_due = mono_reached(scheduler->resend_at, now) ||
                  mono_reached(scheduler->balance_at, now) ||
                  scheduler->version_seen != span_table_version(scheduler->table);
    if (!is_due)
        return;
    count_load(scheduler, situation);
    assign_absent(scheduler, situation);
    if (situation->only_trigger)
        scheduler->balance_at = mono_add(now, scheduler->settings.balance_interval_ns);
    else
        rearrange(scheduler, now, situation);
    send_due(scheduler, now, situation, sender);
    scheduler->version_seen = span_table_version(scheduler->table);
}

mono_ns_t scheduler_next_deadline(const scheduler_t *scheduler)
{
    if (scheduler->version_seen != span_table_version(scheduler->table))
        return (mono_ns_t){0};
    return mono_min(scheduler->resend_at, scheduler->balance_at);
}

uint32_t scheduler_left(const scheduler_t *scheduler, node_index_t node)
{
    return span_table_node_count(scheduler->table, node);
}
