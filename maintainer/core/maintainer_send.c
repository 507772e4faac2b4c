/* Answers: to people who asked for moves, and to nodes. */
#include "maintainer/core/maintainer_internal.h"

void maintainer_finish_moves(maintainer_t *m, const sender_t *sender)
{
    for (uint32_t i = 0; i < m->move_count;) {
        asked_move_t *move = &m->moves[i];
        const table_entry_t *entry = span_table_find(m->table, move->table_id);
        bool is_there = entry != NULL;
        bool is_moving = false;
        const span_entry_t *span = entry ? entry->first_span : NULL;
        for (; span; span = span->next_in_table) {
            bool is_here = span->node.v == move->node.v;
            is_there &= is_here && span->state == SPAN_REPLICATING;
            is_moving |= is_here || span->target.v == move->node.v;
        }
        if (!is_there && is_moving) {
            i++;
            continue;
        }
        if (move->request_id) {
            effect_t *effect = effects_add(sender->effects, EFFECT_ANSWER);
            effect->changefeed = m->start.ref;
            effect->answer.request_id = move->request_id;
            effect->answer.error = is_there ? SLUICE_OK : SLUICE_ERROR_STATE;
            effect->answer.text = bytes_of_text(
                is_there ? "" : "the table was dropped, or the node left before it arrived");
        }
        *move = m->moves[--m->move_count];
    }
}

static void send_response(maintainer_t *m, const sender_t *sender, node_index_t node,
                          const heartbeat_response_t *content)
{
    arena_t *arena = &sender->effects->arena;
    message_t *message = sender_message(sender, node, MESSAGE_HEARTBEAT_RESPONSE);
    if (!message)
        return;
    heartbeat_response_t *response = &message->heartbeat_response;
    *response = *content;
    response->newest_heartbeat = node_set_at(m->node_set, node)->newest_heartbeat;
    response->has_changefeed = true;
    response->changefeed = m->start.ref;
    response->mode = PIPELINE_DEFAULT;
    response->persisted_checkpoint = m->persisted;
    /* The outbox forgets at the next step; effects may live longer. */
    group_verdict_t *verdicts = arena_calloc(arena, content->verdict_count, sizeof *verdicts);
    for (uint32_t i = 0; i < content->verdict_count; i++) {
        verdicts[i] = content->verdicts[i];
        verdict_exception_t *exceptions =
            arena_calloc(arena, verdicts[i].exception_count, sizeof *exceptions);
        for (uint32_t j = 0; j < verdicts[i].exception_count; j++)
            exceptions[j] = verdicts[i].exceptions[j];
        verdicts[i].exceptions = exceptions;
    }
    barrier_action_t *actions = arena_calloc(arena, content->action_count, sizeof *actions);
    for (uint32_t i = 0; i < content->action_count; i++) {
        actions[i] = content->actions[i];
        dispatcher_id_t *ids = arena_calloc(arena, actions[i].dispatcher_count, sizeof *ids);
        for (uint32_t j = 0; j < actions[i].dispatcher_count; j++)
            ids[j] = actions[i].dispatchers[j];
        actions[i].dispatchers = ids;
    }
    response->verdicts = verdicts;
    response->actions = actions;
}

/* A node that starts anew has to hear what is persisted, and what is said once may get lost: while
 * the checkpoint stands still nothing else would say it. */
void maintainer_flush(maintainer_t *m, const sender_t *sender)
{
    bool is_told[NODE_INDEX_MAX] = {false};
    node_index_t node;
    heartbeat_response_t content = {0};
    while (outbox_take(m->outbox, &node, &content)) {
        send_response(m, sender, node, &content);
        is_told[node.v] = true;
    }
    content = (heartbeat_response_t){0};
    for (uint32_t i = 0; i < m->node_count; i++) {
        feed_node_t *feed = &m->nodes[i];
        bool is_owed = (m->is_announcing || feed->owes_persisted) && m->persisted.v;
        if (is_owed && !is_told[i] && feed->state == FEED_READY)
            send_response(m, sender, (node_index_t){i}, &content);
        feed->owes_persisted = false;
    }
    m->is_announcing = false;
}
