#include "maintainer/core/maintainer.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/memory.h"
#include "maintainer/core/maintainer_internal.h"

maintainer_t *maintainer_new(const maintainer_settings_t *settings, const node_set_t *nodes,
                             const maintainer_start_t *start, const node_index_t *nodes_known,
                             uint32_t known_count, mono_ns_t now)
{
    maintainer_t *m = memory_zalloc(sizeof *m);
    m->settings = *settings;
    m->node_set = nodes;
    m->start = *start;
    m->began_at = m->stepped_at = now;
    m->next_persist_id = start->persist_base + 1;
    m->persisted = m->persisting = start->checkpoint;
    m->anchor = start->anchor;
    m->buffer = request_buffer_new();
    m->table = span_table_new();
    m->barrier = barrier_new(settings, m->table, PIPELINE_DEFAULT);
    m->bootstrap = bootstrap_new(m->table, m->barrier, start->checkpoint, PIPELINE_DEFAULT);
    m->scheduler = scheduler_new(settings, m->table, m->barrier, start->ref.uuid,
                                 start->maintainer_epoch, PIPELINE_DEFAULT);
    m->checkpoint = checkpoint_new(start->checkpoint);
    m->schema_log = schema_log_new(start->anchor.commit_ts);
    m->outbox = outbox_new();
    m->verdicts = memory_alloc(STATUSES_PER_REQUEST_MAX * sizeof *m->verdicts);
    for (uint32_t i = 0; i < known_count; i++) {
        maintainer_feed(m, nodes_known[i])->is_awaited = !start->is_new;
        if (node_set_at(nodes, nodes_known[i])->is_present)
            maintainer_feed(m, nodes_known[i])->state = FEED_OPENING;
    }
    return m;
}

void maintainer_destroy(maintainer_t **maintainer)
{
    maintainer_t *m = *maintainer;
    if (!m)
        return;
    *maintainer = NULL;
    request_buffer_destroy(&m->buffer);
    scheduler_destroy(&m->scheduler);
    bootstrap_destroy(&m->bootstrap);
    barrier_destroy(&m->barrier);
    checkpoint_destroy(&m->checkpoint);
    schema_log_destroy(&m->schema_log);
    outbox_destroy(&m->outbox);
    span_table_destroy(&m->table);
    arena_clear(&m->inbox_arena);
    free(m->inbox);
    free(m->confirmations);
    free(m->verdicts);
    free(m->nodes);
    free(m);
}

feed_node_t *maintainer_feed(maintainer_t *m, node_index_t node)
{
    if (node.v >= m->node_count) {
        uint32_t count = node.v + 8;
        m->nodes = memory_realloc(m->nodes, count * sizeof *m->nodes);
        memset(m->nodes + m->node_count, 0, (count - m->node_count) * sizeof *m->nodes);
        m->node_count = count;
    }
    return &m->nodes[node.v];
}

static void copy_text(char to[MAINTAINER_TEXT_MAX], bytes_t from)
{
    size_t len = from.len < MAINTAINER_TEXT_MAX ? from.len : MAINTAINER_TEXT_MAX - 1;
    if (len)
        memcpy(to, from.data, len);
    to[len] = '\0';
}

void maintainer_fail(maintainer_t *m, sluice_error_t error, bytes_t text)
{
    if (sluice_error_is_of_log(error)) {
        if (m->held_failure == SLUICE_OK) {
            m->held_failure = error;
            copy_text(m->held_text, text);
        }
        return;
    }
    if (m->failure != SLUICE_OK)
        return;
    m->failure = error;
    copy_text(m->failure_text, text);
}

void maintainer_note_error(maintainer_t *m, feed_node_t *feed, sluice_error_t error, bytes_t text)
{
    feed->warning = sluice_error_is_retriable(error) ? error : SLUICE_OK;
    if (feed->warning != SLUICE_OK)
        copy_text(m->warning_text, text);
    else if (error != SLUICE_OK)
        maintainer_fail(m, error, text);
}

/* All groups before the place of the error are whole: they are carried, gates included, before the
 * changefeed fails. When the checkpoint stands still nothing more is to come. */
static void settle_failure(maintainer_t *m, mono_ns_t now)
{
    if (m->held_failure == SLUICE_OK || m->failure != SLUICE_OK)
        return;
    commit_ts_t checkpoint = checkpoint_now(m->checkpoint);
    if (m->held_since.v == 0 || checkpoint.v != m->held_checkpoint.v) {
        m->held_since = now;
        m->held_checkpoint = checkpoint;
    } else if (mono_elapsed(m->held_since, now) >= m->settings.failure_settle_ns) {
        m->failure = m->held_failure;
        memcpy(m->failure_text, m->held_text, sizeof m->failure_text);
    }
}

void maintainer_log(const sender_t *sender, log_level_t level, const char *event, const char *key,
                    const char *value)
{
    log_field_t field = {key, value};
    effects_log(sender->effects, level, event, sender->changefeed, &field, 1);
}

/* ---- events ---- */

void maintainer_node_joined(maintainer_t *m, mono_ns_t now, node_index_t node)
{
    (void)now;
    feed_node_t *feed = maintainer_feed(m, node);
    bool is_ending = m->phase == PHASE_CLOSING || m->phase == PHASE_CLOSED;
    feed_state_t ending = m->is_removed ? FEED_CLOSING : FEED_CLOSED;
    *feed = (feed_node_t){.state = is_ending ? ending : FEED_OPENING};
    m->has_work = true;
}

void maintainer_node_left(maintainer_t *m, mono_ns_t now, node_index_t node)
{
    (void)now;
    static const span_state_t bound[] = {SPAN_SCHEDULING, SPAN_REPLICATING, SPAN_MOVING,
                                         SPAN_CLOSING};
    *maintainer_feed(m, node) = (feed_node_t){.state = FEED_OUT};
    request_buffer_forget_node(m->buffer, node);
    checkpoint_forget_node(m->checkpoint, node);
    bootstrap_forget_node(m->bootstrap, node);
    for (size_t i = 0; i < sizeof bound / sizeof bound[0]; i++) {
        span_entry_t *next;
        for (span_entry_t *span = span_table_first(m->table, bound[i]); span; span = next) {
            next = span->state_next;
            if (span->node.v == node.v)
                span_table_unbind(m->table, span);
        }
    }
    m->has_work = true;
}

static void queue_schema(maintainer_t *m, node_index_t node, const message_t *message)
{
    if (m->inbox_arena.bytes > SCHEMA_INBOX_BYTES_MAX)
        return;
    if (m->inbox_count == m->inbox_capacity) {
        m->inbox_capacity = m->inbox_capacity ? m->inbox_capacity * 2 : 16;
        m->inbox = memory_realloc(m->inbox, m->inbox_capacity * sizeof *m->inbox);
    }
    inbox_item_t *item = &m->inbox[m->inbox_count++];
    *item = (inbox_item_t){.node = node, .type = message->header.type};
    if (item->type == MESSAGE_SCHEMA_SNAPSHOT) {
        item->snapshot = message->schema_snapshot;
        item->snapshot.snapshot = arena_bytes(&m->inbox_arena, item->snapshot.snapshot);
        return;
    }
    item->ddls = message->schema_ddls;
    schema_ddl_t *list = arena_calloc(&m->inbox_arena, item->ddls.ddl_count, sizeof *list);
    for (uint32_t i = 0; i < item->ddls.ddl_count; i++) {
        list[i] = item->ddls.ddls[i];
        list[i].content = arena_bytes(&m->inbox_arena, list[i].content);
    }
    item->ddls.ddls = list;
}

static void receive_bootstrap(maintainer_t *m, mono_ns_t now, node_index_t node,
                              const bootstrap_response_t *response)
{
    feed_node_t *feed = maintainer_feed(m, node);
    if (feed->state != FEED_BOOTSTRAPPING)
        return;
    feed->sent_at = now;
    if (!bootstrap_add_response(m->bootstrap, node, response))
        return;
    feed->state = FEED_READY;
    feed->is_awaited = false;
    feed->owes_persisted = true;
    checkpoint_require(m->checkpoint, node, response->watermark_seq);
    if (m->phase == PHASE_RUNNING)
        bootstrap_merge_node(m->bootstrap, now, node);
    span_table_touch(m->table);
}

static void receive_table_list(maintainer_t *m, mono_ns_t now, node_index_t node,
                               const table_list_t *list)
{
    uint32_t before = bootstrap_pieces_taken(m->bootstrap);
    (void)bootstrap_add_table_list(m->bootstrap, node, list);
    if (bootstrap_pieces_taken(m->bootstrap) != before)
        m->list_asked_at = m->list_awaited_since = now;
}

static void receive_running(maintainer_t *m, mono_ns_t now, node_index_t node,
                            const message_t *message)
{
    incarnation_t incarnation = message->header.incarnation;
    switch ((int)message->header.type) {
    case MESSAGE_BLOCK_STATUS_REQUEST:
        request_buffer_add_statuses(m->buffer, node, incarnation, message->header.sequence,
                                    &message->block_status_request);
        break;
    case MESSAGE_HEARTBEAT_REQUEST:
        request_buffer_add_heartbeat(m->buffer, node, incarnation, &message->heartbeat_request);
        break;
    case MESSAGE_CHANGEFEED_OPENED:
        maintainer_opened(m, node, &message->changefeed_opened);
        break;
    case MESSAGE_BOOTSTRAP_RESPONSE:
        receive_bootstrap(m, now, node, &message->bootstrap_response);
        break;
    case MESSAGE_TABLE_LIST:
        receive_table_list(m, now, node, &message->table_list);
        break;
    case MESSAGE_SCHEMA_SNAPSHOT:
    case MESSAGE_SCHEMA_DDL:
        queue_schema(m, node, message);
        break;
    default:
        break;
    }
}

void maintainer_receive(maintainer_t *m, mono_ns_t now, node_index_t node, const message_t *message)
{
    m->has_work = true;
    feed_node_t *feed = maintainer_feed(m, node);
    if (m->phase != PHASE_CLOSING && m->phase != PHASE_CLOSED) {
        receive_running(m, now, node, message);
        return;
    }
    if (message->header.type == MESSAGE_CHANGEFEED_CLOSED)
        feed->state = FEED_CLOSED;
    else if (feed->state == FEED_CLOSED)
        feed->wants_close_again = true;
}

void maintainer_persisted(maintainer_t *m, mono_ns_t now, uint64_t persist_id, sluice_error_t error)
{
    (void)now;
    if (m->confirmation_count == m->confirmation_capacity) {
        m->confirmation_capacity = m->confirmation_capacity ? m->confirmation_capacity * 2 : 16;
        m->confirmations =
            memory_realloc(m->confirmations, m->confirmation_capacity * sizeof *m->confirmations);
    }
    m->confirmations[m->confirmation_count++] = (confirmation_t){persist_id, error};
    m->has_work = true;
}

void maintainer_close(maintainer_t *m, mono_ns_t now, bool is_removed)
{
    (void)now;
    m->is_removed |= is_removed;
    if (m->phase == PHASE_CLOSED)
        return;
    m->phase = PHASE_CLOSING;
    request_buffer_close(m->buffer);
    for (uint32_t i = 0; i < m->node_count; i++)
        if (m->nodes[i].state != FEED_OUT && m->nodes[i].state != FEED_CLOSED) {
            m->nodes[i].state = FEED_CLOSING;
            m->nodes[i].sent_at = (mono_ns_t){0};
        }
    m->has_work = true;
}

bool maintainer_is_closed(const maintainer_t *m)
{
    return m->phase == PHASE_CLOSED;
}

/* ---- a step ---- */

static void answer_suppressed(maintainer_t *m)
{
    const suppressed_group_t *groups;
    size_t count = request_buffer_suppressed(m->buffer, &groups);
    for (size_t i = 0; i < count; i++) {
        verdict_t later = VERDICT_LATER;
        outbox_add_verdicts(m->outbox, groups[i].node, groups[i].request_sequence, groups[i].group,
                            &later, 1);
    }
    request_buffer_release_suppressed(m->buffer);
}

static void schedule(maintainer_t *m, mono_ns_t now, const sender_t *sender)
{
    scheduler_node_t *nodes = arena_calloc(&sender->effects->arena, m->node_count, sizeof *nodes);
    schedule_situation_t situation = {.nodes = nodes,
                                      .checkpoint = checkpoint_now(m->checkpoint),
                                      .wants_table_list = m->phase == PHASE_LISTING,
                                      .only_trigger = m->phase == PHASE_LISTING};
    for (uint32_t i = 0; i < m->node_count; i++) {
        if (m->nodes[i].state != FEED_READY)
            continue;
        const node_entry_t *entry = node_set_at(m->node_set, (node_index_t){i});
        nodes[situation.node_count++] =
            (scheduler_node_t){.node = {i},
                               .takes_spans = !entry->is_leaving && !entry->is_draining,
                               .is_leaving = entry->is_leaving};
    }
    scheduler_run(m->scheduler, now, &situation, sender);
}

static void handle_schema(maintainer_t *m, const sender_t *sender)
{
    const span_entry_t *trigger = span_table_trigger(m->table);
    for (uint32_t i = 0; i < m->inbox_count; i++) {
        const inbox_item_t *item = &m->inbox[i];
        if (!trigger || trigger->node.v != item->node.v)
            continue;
        if (item->type == MESSAGE_SCHEMA_SNAPSHOT)
            schema_log_snapshot(m->schema_log, item->node, &item->snapshot, sender,
                                &m->next_persist_id);
        else
            schema_log_ddls(m->schema_log, item->node, &item->ddls, sender, &m->next_persist_id);
    }
    m->inbox_count = 0;
    arena_reset(&m->inbox_arena);
}

void maintainer_step(maintainer_t *m, mono_ns_t now, const sender_t *sender)
{
    m->has_work = false;
    m->stepped_at = now;
    maintainer_confirm(m, now, sender);
    if (m->phase == PHASE_CLOSING || m->phase == PHASE_CLOSED) {
        maintainer_close_nodes(m, now, sender);
        return;
    }
    maintainer_open_nodes(m, now, sender);
    maintainer_advance_phase(m, now, sender);
    if (m->phase != PHASE_GATHERING)
        maintainer_handle_heartbeats(m);
    if (m->phase == PHASE_RUNNING) {
        maintainer_handle_statuses(m, now);
        barrier_settle(m->barrier, now, m->outbox, sender->effects, sender->changefeed);
        bytes_t text;
        sluice_error_t error = barrier_failure(m->barrier, &text);
        if (error != SLUICE_OK)
            maintainer_fail(m, error, text);
    }
    answer_suppressed(m);
    if (m->phase != PHASE_GATHERING)
        schedule(m, now, sender);
    handle_schema(m, sender);
    if (m->phase == PHASE_RUNNING)
        maintainer_persist_checkpoint(m, now, sender);
    maintainer_finish_moves(m, sender);
    settle_failure(m, now);
    maintainer_flush(m, sender);
}

mono_ns_t maintainer_next_deadline(const maintainer_t *m)
{
    if (m->has_work)
        return (mono_ns_t){0};
    mono_ns_t deadline = maintainer_open_deadline(m);
    bool is_running = m->phase != PHASE_CLOSING && m->phase != PHASE_CLOSED;
    if (is_running && m->held_failure != SLUICE_OK && m->failure == SLUICE_OK)
        deadline = mono_min(deadline, mono_add(m->held_since, m->settings.failure_settle_ns));
    if (m->phase == PHASE_LISTING || m->phase == PHASE_RUNNING)
        deadline = mono_min(deadline, scheduler_next_deadline(m->scheduler));
    if (m->phase == PHASE_RUNNING) {
        deadline = mono_min(deadline, barrier_next_deadline(m->barrier));
        if (checkpoint_now(m->checkpoint).v > m->persisting.v && !m->checkpoint_id)
            deadline = mono_min(deadline, m->persist_at);
    }
    return deadline;
}
