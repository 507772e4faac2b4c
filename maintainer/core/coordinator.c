#include "maintainer/core/coordinator.h"

#include <stdlib.h>

#include "common/base/memory.h"
#include "maintainer/core/coordinator_internal.h"

coordinator_t *coordinator_new(const maintainer_settings_t *settings, const node_id_t *name,
                               incarnation_t incarnation, mono_ns_t now)
{
    coordinator_t *c = memory_zalloc(sizeof *c);
    c->settings = *settings;
    c->name = *name;
    c->incarnation = incarnation;
    c->nodes = node_set_new(settings, now);
    c->stores = log_coordinator_new(c->nodes);
    c->next_tag = c->next_persist_id = 1;
    /* A node keeps the answers of checks: those of an earlier process must not be taken for ours.
     */
    c->next_check_id = (incarnation.v << CHECK_ID_BITS) + 1;
    c->confirmed_at = c->confirm_asked_at = now;
    return c;
}

static void feed_free(feed_t *feed)
{
    maintainer_destroy(&feed->maintainer);
    check_clear(feed);
    arena_clear(&feed->arena);
    arena_clear(&feed->next_arena);
    free(feed);
}

void coordinator_destroy(coordinator_t **coordinator)
{
    coordinator_t *c = *coordinator;
    if (!c)
        return;
    *coordinator = NULL;
    for (uint32_t i = 0; i < c->feed_count; i++)
        feed_free(c->feeds[i]);
    free(c->feeds);
    free(c->replies);
    free(c->answers);
    log_coordinator_destroy(&c->stores);
    node_set_destroy(&c->nodes);
    free(c);
}

sender_t coordinator_sender(const coordinator_t *c, effects_t *effects, const feed_t *feed)
{
    sender_t sender = {
        .effects = effects, .nodes = c->nodes, .name = c->name, .incarnation = c->incarnation};
    if (feed) {
        sender.maintainer_epoch = feed->stored.maintainer_epoch;
        sender.ref = feed->stored.ref;
        sender.changefeed = feed->stored.config.name;
        sender.config = &feed->stored.config;
    }
    return sender;
}

feed_t *coordinator_feed(const coordinator_t *c, bytes_t name)
{
    for (uint32_t i = 0; i < c->feed_count; i++)
        if (bytes_equal(c->feeds[i]->stored.config.name, name))
            return c->feeds[i];
    return NULL;
}

feed_t *coordinator_feed_of(const coordinator_t *c, changefeed_uuid_t uuid)
{
    for (uint32_t i = 0; i < c->feed_count; i++)
        if (changefeed_uuid_equal(c->feeds[i]->stored.ref.uuid, uuid))
            return c->feeds[i];
    return NULL;
}

feed_t *coordinator_add_feed(coordinator_t *c)
{
    if (c->feed_count == c->feed_capacity) {
        c->feed_capacity = c->feed_capacity ? c->feed_capacity * 2 : 8;
        c->feeds = memory_realloc(c->feeds, c->feed_capacity * sizeof(feed_t *));
    }
    feed_t *feed = memory_zalloc(sizeof *feed);
    c->feeds[c->feed_count++] = feed;
    return feed;
}

void coordinator_drop_feed(coordinator_t *c, feed_t *feed)
{
    log_coordinator_forget_changefeed(c->stores, feed->stored.ref.uuid);
    for (uint32_t i = 0; i < c->feed_count; i++)
        if (c->feeds[i] == feed)
            c->feeds[i] = c->feeds[--c->feed_count];
    feed_free(feed);
}

/* ---- loading ---- */

void coordinator_load_slot(coordinator_t *c, const node_id_t *node, uint32_t slot)
{
    node_set_load_slot(c->nodes, node, slot);
}

sluice_error_t coordinator_load_changefeed(coordinator_t *c, mono_ns_t now,
                                           const stored_changefeed_t *stored,
                                           error_report_t *report)
{
    const char *name = (const char *)stored->config.name.data;
    int name_len = (int)stored->config.name.len;
    if (coordinator_feed(c, stored->config.name) || coordinator_feed_of(c, stored->ref.uuid))
        return error_report_set(report, SLUICE_ERROR_EXISTS, "changefeed %.*s is stored twice",
                                name_len, name);
    if (stored->anchor.commit_ts.v > stored->checkpoint.v || stored->maintainer_epoch == 0)
        return error_report_set(report, SLUICE_ERROR_MALFORMED,
                                "changefeed %.*s: the stored anchor is past its checkpoint",
                                name_len, name);
    feed_t *feed = coordinator_add_feed(c);
    feed_set_stored(feed, stored);
    feed->is_stored = true;
    c->has_work = true;
    if (stored->state == CHANGEFEED_REMOVED) {
        feed_begin(feed, OPERATION_REMOVE, STEP_ENDING, 0);
        feed_start_removing(c, now, feed);
    } else if (stored->state == CHANGEFEED_NORMAL || stored->state == CHANGEFEED_WARNING)
        feed_start(c, now, feed);
    return SLUICE_OK;
}

/* ---- receiving ---- */

static const changefeed_ref_t *ref_of(const message_t *message)
{
    switch ((int)message->header.type) {
    case MESSAGE_BLOCK_STATUS_REQUEST:
        return &message->block_status_request.changefeed;
    case MESSAGE_HEARTBEAT_REQUEST:
        return message->heartbeat_request.has_changefeed ? &message->heartbeat_request.changefeed
                                                         : NULL;
    case MESSAGE_CHANGEFEED_OPENED:
        return &message->changefeed_opened.changefeed;
    case MESSAGE_CHANGEFEED_CLOSED:
        return &message->changefeed_closed.changefeed;
    case MESSAGE_BOOTSTRAP_RESPONSE:
        return &message->bootstrap_response.changefeed;
    case MESSAGE_TABLE_LIST:
        return &message->table_list.changefeed;
    case MESSAGE_SCHEMA_SNAPSHOT:
        return &message->schema_snapshot.changefeed;
    case MESSAGE_SCHEMA_DDL:
        return &message->schema_ddls.changefeed;
    case MESSAGE_EVENT_STORE_STATE:
        return &message->event_store_state.changefeed;
    case MESSAGE_CANDIDATES_REQUEST:
        return &message->candidates_request.changefeed;
    default:
        return NULL;
    }
}

/* A node that follows a later epoch than ours has been opened by somebody else: on a copy of our
 * meta store, or before our clock was set back. */
static void note_epoch(feed_t *feed, uint64_t epoch)
{
    uint64_t ours = feed->stored.maintainer_epoch;
    if (epoch > ours && epoch - ours < MAINTAINER_EPOCH_JUMP_MAX && epoch > feed->later_epoch)
        feed->later_epoch = epoch;
}

/* A message about a changefeed goes to its maintainer if it is of this generation and epoch. */
static void route(coordinator_t *c, mono_ns_t now, node_index_t node, const message_t *message,
                  const changefeed_ref_t *ref)
{
    feed_t *feed = coordinator_feed_of(c, ref->uuid);
    bool is_current = feed && feed->stored.ref.generation == ref->generation;
    bool is_closed = message->header.type == MESSAGE_CHANGEFEED_CLOSED;
    if (!is_current || !feed->maintainer) {
        c->drops.unknown_changefeed++;
        /* A node that goes on with what is no more, or stands still, has to be told. */
        bool is_starting = feed && feed->operation != OPERATION_NONE;
        if (message->header.type == MESSAGE_HEARTBEAT_REQUEST &&
            message->heartbeat_request.piece == 0 && !is_starting)
            nodes_close_unknown(c, message, *ref);
        return;
    }
    if (message->header.maintainer_epoch != feed->stored.maintainer_epoch && !is_closed) {
        c->drops.stale_epoch++;
        note_epoch(feed, message->header.maintainer_epoch);
        return;
    }
    if (message->header.type == MESSAGE_EVENT_STORE_STATE)
        log_coordinator_report(c->stores, node, &message->event_store_state);
    else if (message->header.type == MESSAGE_CANDIDATES_REQUEST)
        log_coordinator_ask(c->stores, node, message->header.maintainer_epoch,
                            &message->candidates_request);
    else
        maintainer_receive(feed->maintainer, now, node, message);
}

void coordinator_receive(coordinator_t *c, mono_ns_t now, const message_t *message)
{
    const message_header_t *header = &message->header;
    c->has_work = true;
    if (header->type == MESSAGE_HELLO) {
        nodes_hello(c, now, message);
        return;
    }
    node_index_t node;
    switch (node_set_hear(c->nodes, &header->sender, header->incarnation, &node)) {
    case HEARD:
        break;
    case HEARD_START_AGAIN:
        nodes_start_again(c, &header->sender, header->incarnation);
        return;
    case HEARD_STALE:
        c->drops.stale_incarnation++;
        return;
    case HEARD_UNKNOWN:
        c->drops.unknown_node++;
        return;
    }
    if (header->type == MESSAGE_HEARTBEAT_REQUEST)
        node_set_heartbeat(c->nodes, node, message->heartbeat_request.heartbeat_sequence,
                           message->heartbeat_request.answered_heartbeat);
    const changefeed_ref_t *ref = ref_of(message);
    if (ref)
        route(c, now, node, message, ref);
    else if (header->type == MESSAGE_CHECK_RESPONSE)
        check_receive(c, now, node, &message->check_response);
    else if (header->type != MESSAGE_HEARTBEAT_REQUEST)
        c->drops.unexpected_type++;
}

void coordinator_persisted(coordinator_t *c, mono_ns_t now, uint64_t persist_id,
                           sluice_error_t error)
{
    uint64_t tag = persist_id >> PERSIST_TAG_SHIFT;
    c->has_work = true;
    for (uint32_t i = 0; persist_id && i < c->feed_count; i++) {
        feed_t *feed = c->feeds[i];
        if (tag && feed->maintainer && feed->tag == tag) {
            maintainer_persisted(feed->maintainer, now, persist_id, error);
            return;
        }
        if (feed->persist_id == persist_id) {
            feed->persist_id = 0;
            feed->persist_error = error;
            feed->step = STEP_CONFIRMED;
            return;
        }
        if (feed->failure_persist_id == persist_id) {
            feed->failure_persist_id = 0;
            feed->is_failure_dirty |= error != SLUICE_OK;
            feed->persist_at = mono_add(now, NS_PER_S);
            return;
        }
    }
}

void coordinator_epoch_confirmed(coordinator_t *c, mono_ns_t now)
{
    c->confirmed_at = now;
    c->has_work = true;
}

/* ---- a step ---- */

static uint64_t confirm_interval(const coordinator_t *c)
{
    return c->settings.lease_ns / 4;
}

/* A maintainer that cannot show that the meta store is still its own says nothing more: another may
 * be at work. */
static void drop_sends(effects_t *effects, size_t from)
{
    size_t kept = from;
    for (size_t i = from; i < effects->count; i++)
        if (effects->items[i].kind != EFFECT_SEND && effects->items[i].kind != EFFECT_SEND_OPEN)
            effects->items[kept++] = effects->items[i];
    effects->count = kept;
}

static void answer_done(coordinator_t *c, effects_t *effects)
{
    for (uint32_t i = 0; i < c->answer_count; i++)
        effects_add(effects, EFFECT_ANSWER)->answer.request_id = c->answers[i];
    c->answer_count = 0;
}

static void answer_questions(coordinator_t *c, effects_t *effects)
{
    if (!log_coordinator_has_questions(c->stores))
        return;
    sender_t sender = coordinator_sender(c, effects, NULL);
    log_coordinator_answer(c->stores, &sender);
}

void coordinator_step(coordinator_t *c, mono_ns_t now, effects_t *effects)
{
    size_t from = effects->count;
    c->has_work = false;
    if (mono_elapsed(c->confirm_asked_at, now) >= confirm_interval(c)) {
        c->confirm_asked_at = now;
        effects_add(effects, EFFECT_CONFIRM_EPOCH);
    }
    nodes_judge(c, now, effects);
    nodes_reply(c, effects);
    answer_questions(c, effects);
    answer_done(c, effects);
    for (uint32_t i = c->feed_count; i > 0; i--)
        feed_step(c, now, c->feeds[i - 1], effects);
    nodes_answer(c, now, effects);
    if (mono_elapsed(c->confirmed_at, now) >= c->settings.lease_ns)
        drop_sends(effects, from);
}

mono_ns_t coordinator_next_deadline(const coordinator_t *c)
{
    if (c->has_work)
        return (mono_ns_t){0};
    mono_ns_t deadline = node_set_next_deadline(c->nodes);
    deadline = mono_min(deadline, mono_add(c->confirm_asked_at, confirm_interval(c)));
    for (uint32_t i = 0; i < c->feed_count; i++) {
        if (c->feeds[i]->maintainer)
            deadline = mono_min(deadline, maintainer_next_deadline(c->feeds[i]->maintainer));
        deadline = mono_min(deadline, feed_deadline(c, c->feeds[i]));
    }
    return deadline;
}

coordinator_drops_t coordinator_drops(const coordinator_t *c)
{
    return c->drops;
}
