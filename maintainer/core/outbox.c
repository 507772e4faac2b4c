#include "maintainer/core/outbox.h"

#include <stdlib.h>

#include "common/base/memory.h"

typedef struct {
    group_verdict_t *verdicts;
    uint32_t verdict_count, verdict_capacity, verdicts_taken;
    barrier_action_t *actions;
    uint32_t action_count, action_capacity, actions_taken;
} mailbox_t;

struct outbox {
    arena_t arena;
    mailbox_t *mailboxes; /* by node index */
    uint32_t mailbox_count;
    uint32_t next;     /* mailbox to take from */
    bool is_taken_out; /* the next add begins a new round */
};

outbox_t *outbox_new(void)
{
    return memory_zalloc(sizeof(outbox_t));
}

void outbox_destroy(outbox_t **outbox)
{
    outbox_t *gone = *outbox;
    if (!gone)
        return;
    *outbox = NULL;
    for (uint32_t i = 0; i < gone->mailbox_count; i++) {
        free(gone->mailboxes[i].verdicts);
        free(gone->mailboxes[i].actions);
    }
    free(gone->mailboxes);
    arena_clear(&gone->arena);
    free(gone);
}

static mailbox_t *mailbox_of(outbox_t *outbox, node_index_t node)
{
    if (outbox->is_taken_out) {
        outbox->is_taken_out = false;
        outbox->next = 0;
        arena_reset(&outbox->arena);
    }
    if (node.v >= outbox->mailbox_count) {
        uint32_t count = node.v + 8;
        outbox->mailboxes = memory_realloc(outbox->mailboxes, count * sizeof *outbox->mailboxes);
        memset(outbox->mailboxes + outbox->mailbox_count, 0,
               (count - outbox->mailbox_count) * sizeof *outbox->mailboxes);
        outbox->mailbox_count = count;
    }
    return &outbox->mailboxes[node.v];
}

static verdict_t commonest(const verdict_t *verdicts, uint32_t count)
{
    uint32_t counts[VERDICT_LATER + 1] = {0};
    for (uint32_t i = 0; i < count; i++)
        counts[verdicts[i]]++;
    verdict_t most = VERDICT_ACK;
    for (verdict_t verdict = VERDICT_ACK; verdict <= VERDICT_LATER; verdict++)
        if (counts[verdict] > counts[most])
            most = verdict;
    return most;
}

void outbox_add_verdicts(outbox_t *outbox, node_index_t node, uint64_t request_sequence,
                         uint32_t group, const verdict_t *verdicts, uint32_t count)
{
    mailbox_t *mailbox = mailbox_of(outbox, node);
    group_verdict_t answer = {.request_sequence = request_sequence,
                              .group = group,
                              .verdict = commonest(verdicts, count)};
    for (uint32_t i = 0; i < count; i++)
        answer.exception_count += verdicts[i] != answer.verdict;
    if (answer.exception_count) {
        verdict_exception_t *exceptions =
            arena_calloc(&outbox->arena, answer.exception_count, sizeof *exceptions);
        uint32_t filled = 0;
        for (uint32_t i = 0; i < count; i++)
            if (verdicts[i] != answer.verdict)
                exceptions[filled++] = (verdict_exception_t){i, verdicts[i]};
        answer.exceptions = exceptions;
    }
    if (mailbox->verdict_count == mailbox->verdict_capacity) {
        mailbox->verdict_capacity = mailbox->verdict_capacity ? mailbox->verdict_capacity * 2 : 16;
        mailbox->verdicts = memory_realloc(mailbox->verdicts,
                                           mailbox->verdict_capacity * sizeof *mailbox->verdicts);
    }
    mailbox->verdicts[mailbox->verdict_count++] = answer;
}

static void add_action(mailbox_t *mailbox, const barrier_action_t *action)
{
    if (mailbox->action_count == mailbox->action_capacity) {
        mailbox->action_capacity = mailbox->action_capacity ? mailbox->action_capacity * 2 : 16;
        mailbox->actions =
            memory_realloc(mailbox->actions, mailbox->action_capacity * sizeof *mailbox->actions);
    }
    mailbox->actions[mailbox->action_count++] = *action;
}

void outbox_add_action(outbox_t *outbox, node_index_t node, const barrier_action_t *action)
{
    mailbox_t *mailbox = mailbox_of(outbox, node);
    if (action->dispatcher_count == 0) {
        add_action(mailbox, action);
        return;
    }
    dispatcher_id_t *ids = arena_calloc(&outbox->arena, action->dispatcher_count, sizeof *ids);
    memcpy(ids, action->dispatchers, action->dispatcher_count * sizeof *ids);
    for (uint32_t from = 0; from < action->dispatcher_count; from += ENTRIES_PER_PIECE_MAX) {
        barrier_action_t piece = *action;
        piece.dispatchers = ids + from;
        piece.dispatcher_count = action->dispatcher_count - from;
        if (piece.dispatcher_count > ENTRIES_PER_PIECE_MAX)
            piece.dispatcher_count = ENTRIES_PER_PIECE_MAX;
        add_action(mailbox, &piece);
    }
}

static bool mailbox_take(mailbox_t *mailbox, heartbeat_response_t *response)
{
    if (mailbox->verdicts_taken == mailbox->verdict_count &&
        mailbox->actions_taken == mailbox->action_count)
        return false;
    uint32_t ids = 0;
    response->verdicts = mailbox->verdicts + mailbox->verdicts_taken;
    response->verdict_count = 0;
    while (mailbox->verdicts_taken < mailbox->verdict_count && ids < OUTBOX_IDS_PER_RESPONSE_MAX) {
        ids += 1 + mailbox->verdicts[mailbox->verdicts_taken++].exception_count;
        response->verdict_count++;
    }
    response->actions = mailbox->actions + mailbox->actions_taken;
    response->action_count = 0;
    while (mailbox->actions_taken < mailbox->action_count && ids < OUTBOX_IDS_PER_RESPONSE_MAX) {
        ids += 1 + mailbox->actions[mailbox->actions_taken++].dispatcher_count;
        response->action_count++;
    }
    return true;
}

bool outbox_take(outbox_t *outbox, node_index_t *node, heartbeat_response_t *response)
{
    for (; outbox->next < outbox->mailbox_count; outbox->next++) {
        *node = (node_index_t){outbox->next};
        if (mailbox_take(&outbox->mailboxes[outbox->next], response))
            return true;
    }
    for (uint32_t i = 0; i < outbox->mailbox_count; i++) {
        mailbox_t *mailbox = &outbox->mailboxes[i];
        mailbox->verdict_count = mailbox->verdicts_taken = 0;
        mailbox->action_count = mailbox->actions_taken = 0;
    }
    outbox->is_taken_out = true;
    return false;
}
