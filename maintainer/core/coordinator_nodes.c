/* Hello, lease and absence. */
#include <stdlib.h>

#include "common/base/memory.h"
#include "maintainer/core/coordinator_internal.h"

static reply_t *add_reply(coordinator_t *c, message_type_t type, const node_id_t *node,
                          incarnation_t incarnation)
{
    for (uint32_t i = 0; i < c->reply_count; i++)
        if (c->replies[i].type == type && type != MESSAGE_CHANGEFEED_CLOSE &&
            node_id_equal(&c->replies[i].node, node))
            return &c->replies[i];
    if (c->reply_count == REPLIES_MAX)
        return NULL;
    if (c->reply_count == c->reply_capacity) {
        c->reply_capacity = c->reply_capacity ? c->reply_capacity * 2 : 16;
        c->replies = memory_realloc(c->replies, c->reply_capacity * sizeof *c->replies);
    }
    reply_t *reply = &c->replies[c->reply_count++];
    *reply = (reply_t){.type = type, .node = *node, .incarnation = incarnation};
    return reply;
}

void nodes_start_again(coordinator_t *c, const node_id_t *node, incarnation_t incarnation)
{
    (void)add_reply(c, MESSAGE_START_AGAIN, node, incarnation);
}

void nodes_close_unknown(coordinator_t *c, const message_t *message, changefeed_ref_t ref)
{
    reply_t *reply = add_reply(c, MESSAGE_CHANGEFEED_CLOSE, &message->header.sender,
                               message->header.incarnation);
    if (!reply)
        return;
    reply->ref = ref;
    /* It listens to the epoch that it was opened with. */
    reply->maintainer_epoch = message->header.maintainer_epoch;
}

static void node_left(coordinator_t *c, mono_ns_t now, node_index_t node)
{
    log_coordinator_forget_node(c->stores, node);
    for (uint32_t i = 0; i < c->feed_count; i++)
        if (c->feeds[i]->maintainer)
            maintainer_node_left(c->feeds[i]->maintainer, now, node);
}

void nodes_hello(coordinator_t *c, mono_ns_t now, const message_t *message)
{
    const message_header_t *header = &message->header;
    hello_result_t result =
        node_set_hello(c->nodes, &header->sender, header->incarnation, &message->hello);
    switch (result.outcome) {
    case HELLO_STALE:
        c->drops.stale_incarnation++;
        return;
    case HELLO_FULL:
        c->drops.unknown_node++;
        return;
    case HELLO_START_AGAIN:
        nodes_start_again(c, &header->sender, header->incarnation);
        return;
    case HELLO_JOINED:
    case HELLO_AGAIN:
        break;
    }
    reply_t *reply = add_reply(c, MESSAGE_HELLO_RESPONSE, &header->sender, header->incarnation);
    if (reply) {
        reply->incarnation = header->incarnation;
        reply->slot = node_set_at(c->nodes, result.node)->slot;
        reply->persists_slot |= result.slot_is_new;
    }
    if (result.outcome != HELLO_JOINED)
        return;
    if (result.replaced)
        node_left(c, now, result.node);
    for (uint32_t i = 0; i < c->feed_count; i++)
        if (c->feeds[i]->maintainer)
            maintainer_node_joined(c->feeds[i]->maintainer, now, result.node);
}

static void log_node(coordinator_t *c, effects_t *effects, log_level_t level, const char *event,
                     node_index_t node)
{
    log_field_t field = {"node", node_set_at(c->nodes, node)->id.text};
    effects_log(effects, level, event, (bytes_t){0}, &field, 1);
}

void nodes_judge(coordinator_t *c, mono_ns_t now, effects_t *effects)
{
    node_index_t node;
    while (!node_index_is_none(node = node_set_judge(c->nodes, now))) {
        log_node(c, effects, LOG_LEVEL_WARNING, "node_absent", node);
        node_left(c, now, node);
    }
}

static void fill_hello(const coordinator_t *c, hello_response_t *response, uint32_t slot)
{
    *response = (hello_response_t){
        .slot = slot,
        .slot_count_max = c->settings.slot_count_max,
        .lease_ms = c->settings.lease_ns / NS_PER_MS,
        .heartbeat_ms = c->settings.heartbeat_ns / NS_PER_MS,
        .complete_heartbeat_ms = c->settings.complete_heartbeat_ns / NS_PER_MS,
        .resend_ms = c->settings.status_resend_ns / NS_PER_MS,
    };
}

static void send_reply(coordinator_t *c, effects_t *effects, const reply_t *reply)
{
    if (reply->persists_slot) {
        effect_t *effect = effects_add(effects, EFFECT_PERSIST_SLOT);
        effect->node = reply->node;
        effect->slot = reply->slot;
        log_field_t field = {"node", reply->node.text};
        effects_log(effects, LOG_LEVEL_INFO, "node_has_slot", (bytes_t){0}, &field, 1);
    }
    message_t *message = effects_add_send(effects, &reply->node, reply->incarnation, reply->type);
    message->header.sender = c->name;
    message->header.incarnation = c->incarnation;
    message->header.maintainer_epoch = reply->maintainer_epoch;
    if (reply->type == MESSAGE_HELLO_RESPONSE)
        fill_hello(c, &message->hello_response, reply->slot);
    /* Not as removed: what this store does not know may be younger than a copy it came from. */
    if (reply->type == MESSAGE_CHANGEFEED_CLOSE)
        message->changefeed_close.changefeed = reply->ref;
}

void nodes_reply(coordinator_t *c, effects_t *effects)
{
    for (uint32_t i = 0; i < c->reply_count; i++)
        send_reply(c, effects, &c->replies[i]);
    c->reply_count = 0;
}

void nodes_answer(coordinator_t *c, mono_ns_t now, effects_t *effects)
{
    sender_t sender = coordinator_sender(c, effects, NULL);
    node_index_t node;
    while (!node_index_is_none(node = node_set_next_answer(c->nodes, now))) {
        message_t *message = sender_message(&sender, node, MESSAGE_HEARTBEAT_RESPONSE);
        if (message)
            message->heartbeat_response.newest_heartbeat =
                node_set_at(c->nodes, node)->newest_heartbeat;
    }
}
