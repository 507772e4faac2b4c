#include <assert.h>

#include "dispatcher/core/node/node_core_internal.h"

/* ---- the process ---- */

/* Nothing of this life counts any more. */
static void start_again(node_core_t *core, const char *why, mono_ns_t now)
{
    if (core->is_starting_again)
        return;
    NODE_LOG(&core->host, LOG_LEVEL_WARNING, NULL, why,
             log_number("dispatchers", node_dispatchers(core)));
    core->is_starting_again = true;
    for (uint32_t i = 0; i < core->changefeed_count; i++)
        node_close(core->changefeeds[i], false, now);
}

/* Another node has the slot, and reads the source under the same server ids as we still do. */
static bool has_lost_slot(const node_core_t *core, const node_link_t *link, uint32_t slot)
{
    for (uint32_t i = 0; i < core->changefeed_count; i++)
        if (core->changefeeds[i]->link == link && slot != link->settings.slot)
            return true;
    return false;
}

static void handle_welcome(node_core_t *core, node_link_t *link, const hello_response_t *response,
                           mono_ns_t now)
{
    if (has_lost_slot(core, link, response->slot)) {
        start_again(core, "lost its slot: starts again", now);
        return;
    }
    if (!link->is_welcome)
        NODE_LOG(&core->host, LOG_LEVEL_INFO, NULL, "registered at maintainer",
                 log_text("endpoint", link->port.name), log_number("slot", response->slot));
    link->is_welcome = link->is_greeted = true;
    link->heard_at = now;
    link->settings = *response;
    node_lease_set_length(&link->lease, response->lease_ms * NS_PER_MS);
}

/* ---- changefeeds ---- */

static void handle_open(node_core_t *core, node_link_t *link, const message_t *message,
                        mono_ns_t now)
{
    if (!link->is_welcome || core->is_leaving)
        return;
    const changefeed_open_t *open = changefeed_opening_add(
        &core->opening, message->header.maintainer_epoch, &message->changefeed_open);
    if (!open)
        return;
    node_open(core, link, message->header.maintainer_epoch, open, now);
    changefeed_opening_clear(&core->opening);
}

static void handle_of_changefeed(node_core_t *core, node_link_t *link, const message_t *message,
                                 changefeed_ref_t ref, mono_ns_t now)
{
    open_changefeed_t *open = node_find(core, ref);
    if (!open || !node_changefeed_handle(open->changefeed, link, message, now)) {
        core->messages_dropped++;
        return;
    }
    open->link = node_changefeed_link(open->changefeed);
    open->maintainer_epoch = node_changefeed_epoch(open->changefeed);
    node_follow(core, ref.uuid, open->maintainer_epoch);
}

static void handle_response(node_core_t *core, node_link_t *link, const message_t *message,
                            mono_ns_t now)
{
    const heartbeat_response_t *response = &message->heartbeat_response;
    link->heard_at = now;
    node_lease_answered(&link->lease, response->newest_heartbeat);
    if (response->has_changefeed)
        handle_of_changefeed(core, link, message, response->changefeed, now);
}

static void handle(node_core_t *core, node_link_t *link, const message_t *message, mono_ns_t now)
{
    switch (message->header.type) {
    case MESSAGE_HELLO_RESPONSE:
        handle_welcome(core, link, &message->hello_response, now);
        break;
    case MESSAGE_START_AGAIN:
        start_again(core, "called absent: starts again", now);
        break;
    case MESSAGE_CHECK_REQUEST:
        node_begin_check(core, link, &message->check_request);
        break;
    case MESSAGE_CHANGEFEED_OPEN:
        handle_open(core, link, message, now);
        break;
    case MESSAGE_CHANGEFEED_CLOSE:
        node_close_as_told(core, link, message->header.maintainer_epoch, &message->changefeed_close,
                           now);
        break;
    case MESSAGE_BOOTSTRAP_REQUEST:
        handle_of_changefeed(core, link, message, message->bootstrap_request.changefeed, now);
        break;
    case MESSAGE_SCHEDULE_REQUEST:
        handle_of_changefeed(core, link, message, message->schedule_request.changefeed, now);
        break;
    case MESSAGE_SCHEMA_SNAPSHOT_ACK:
        handle_of_changefeed(core, link, message, message->schema_snapshot_ack.changefeed, now);
        break;
    case MESSAGE_CANDIDATES_RESPONSE:
        handle_of_changefeed(core, link, message, message->candidates_response.changefeed, now);
        break;
    case MESSAGE_HEARTBEAT_RESPONSE:
        handle_response(core, link, message, now);
        break;
    case MESSAGE_VERSION_MISMATCH:
        NODE_LOG(&core->host, LOG_LEVEL_ERROR, NULL,
                 "the maintainer speaks another protocol version",
                 log_text("endpoint", link->port.name));
        break;
    case MESSAGE_BLOCK_STATUS_REQUEST:
    case MESSAGE_HEARTBEAT_REQUEST:
    case MESSAGE_HELLO:
    case MESSAGE_CHECK_RESPONSE:
    case MESSAGE_CHANGEFEED_OPENED:
    case MESSAGE_CHANGEFEED_CLOSED:
    case MESSAGE_BOOTSTRAP_RESPONSE:
    case MESSAGE_TABLE_LIST:
    case MESSAGE_SCHEMA_SNAPSHOT:
    case MESSAGE_SCHEMA_DDL:
    case MESSAGE_EVENT_STORE_STATE:
    case MESSAGE_CANDIDATES_REQUEST:
    case MESSAGE_STREAM_REQUESTS:
    case MESSAGE_STREAM_EVENTS:
        core->messages_dropped++;
        break;
    }
}

void node_core_receive(node_core_t *core, uint32_t link, const message_t *message, mono_ns_t now)
{
    assert(link < core->link_count);
    /* Nothing of this life counts any more. */
    if (!core->is_starting_again)
        handle(core, &core->links[link], message, now);
}
