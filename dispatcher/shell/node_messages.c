#include "common/runtime/clock.h"
#include "common/runtime/version.h"
#include "dispatcher/shell/node_internal.h"
#include "dispatcher/shell/server_ids.h"

#define HELLO_REPEAT_NS NS_PER_S
#define RECEIVED_MAX 256
#define CHECK_PIECE_BYTES (1024 * 1024)

void node_say_hello(node_t *node, maintainer_link_t *link, mono_ns_t now)
{
    message_t message = {0};
    message.header.type = MESSAGE_HELLO;
    message.hello = (hello_t){.host = bytes_of_text(node->host),
                              .version = bytes_of_text(version_number()),
                              .is_leaving = node->is_leaving};
    link->hello_at = mono_add(now, HELLO_REPEAT_NS);
    /* Repeated until answered. */
    (void)!maintainer_link_send_control(link, &message);
}

void node_send_closed(maintainer_link_t *link, changefeed_ref_t ref, uint64_t maintainer_epoch)
{
    message_t message = {0};
    message.header.type = MESSAGE_CHANGEFEED_CLOSED;
    message.header.maintainer_epoch = maintainer_epoch;
    message.changefeed_closed.changefeed = ref;
    (void)!maintainer_link_send_control(link, &message);
}

/* ---- pre-flight ---- */

static void send_check_response(maintainer_link_t *link, const check_response_t *whole)
{
    message_t message = {0};
    message.header.type = MESSAGE_CHECK_RESPONSE;
    check_response_t *response = &message.check_response;
    *response = *whole;
    size_t sent = 0;
    do {
        size_t len = whole->snapshot.len - sent;
        len = len < CHECK_PIECE_BYTES ? len : CHECK_PIECE_BYTES;
        response->snapshot = bytes_of(whole->snapshot.data + sent, len);
        sent += len;
        response->is_last_piece = sent == whole->snapshot.len;
        if (maintainer_link_send_control(link, &message) != SLUICE_OK)
            return;
        response->piece++;
        response->warnings = NULL;
        response->warning_count = 0;
    } while (!response->is_last_piece);
}

void node_answer_preflights(node_t *node)
{
    for (uint32_t i = 0; i < NODE_PREFLIGHTS_MAX; i++)
        if (node->preflight_links[i] && preflight_is_done(node->preflights[i])) {
            send_check_response(node->preflight_links[i], preflight_response(node->preflights[i]));
            node->preflight_links[i] = NULL;
        }
}

/* The one with that id, else a place for it; -1: all are at work. */
static int preflight_place(const node_t *node, uint64_t check_id)
{
    int place = -1;
    for (int i = 0; i < NODE_PREFLIGHTS_MAX; i++) {
        const preflight_t *preflight = node->preflights[i];
        if (preflight && preflight_request(preflight)->check_id == check_id)
            return i;
        if (!preflight || (place < 0 && preflight_is_done(preflight)))
            place = i;
    }
    return place;
}

static void handle_check(node_t *node, maintainer_link_t *link, const check_request_t *request)
{
    /* Server ids are counted from the slot, which hello's answer tells. */
    if (!link->is_welcome)
        return;
    int place = preflight_place(node, request->check_id);
    if (place < 0)
        return;
    preflight_t **preflight = &node->preflights[place];
    if (!*preflight || preflight_request(*preflight)->check_id != request->check_id) {
        preflight_destroy(preflight);
        uint32_t base = (uint32_t)node->settings->node.server_id_base;
        preflight_options_t options = {
            .server_id = base + SERVER_IDS_PER_NODE * link->settings.slot + SERVER_ID_NUMBER_CHECK,
            .server_id_min = base,
            .server_id_max = base + SERVER_IDS_PER_NODE * (link->settings.slot_count_max + 1) - 1,
            .event_fd = node->preflight_fd,
        };
        *preflight = preflight_start(request, &options);
    }
    node->preflight_links[place] = link;
    node_answer_preflights(node);
}

/* ---- the process ---- */

static void handle_welcome(maintainer_link_t *link, const hello_response_t *response)
{
    if (!link->is_welcome)
        LOG(LOG_LEVEL_INFO, "node", NULL, "registered at maintainer",
            log_text("endpoint", link->control_endpoint), log_number("slot", response->slot));
    link->is_welcome = true;
    link->settings = *response;
    node_lease_set_length(&link->lease, response->lease_ms * NS_PER_MS);
}

/* Called absent: nothing of this life counts any more. */
static void handle_start_again(node_t *node, mono_ns_t now)
{
    if (node->is_starting_again)
        return;
    LOG(LOG_LEVEL_WARNING, "node", NULL, "called absent: starts again",
        log_number("dispatchers", node_dispatchers(node)));
    node->is_starting_again = true;
    for (uint32_t i = 0; i < node->changefeed_count; i++)
        node_close(node->changefeeds[i], false, now);
}

/* ---- changefeeds ---- */

static void handle_open(node_t *node, maintainer_link_t *link, const message_t *message,
                        mono_ns_t now)
{
    if (!link->is_welcome || node->is_leaving)
        return;
    const changefeed_open_t *open = changefeed_opening_add(
        &node->opening, message->header.maintainer_epoch, &message->changefeed_open);
    if (!open)
        return;
    node_open(node, link, message->header.maintainer_epoch, open, now);
    changefeed_opening_clear(&node->opening);
}

static void handle_close(node_t *node, maintainer_link_t *link, const message_t *message,
                         mono_ns_t now)
{
    changefeed_ref_t ref = message->changefeed_close.changefeed;
    open_changefeed_t *open = node_find_uuid(node, ref.uuid);
    if (!open || open->ref.generation < ref.generation) {
        if (!open)
            node_send_closed(link, ref, message->header.maintainer_epoch);
        else
            node_close(open, false, now);
        return;
    }
    if (open->ref.generation > ref.generation ||
        message->header.maintainer_epoch < open->maintainer_epoch)
        return;
    open->answers_closed = true;
    open->link = link;
    open->maintainer_epoch = message->header.maintainer_epoch;
    node_close(open, false, now);
}

static void handle_of_changefeed(node_t *node, maintainer_link_t *link, const message_t *message,
                                 changefeed_ref_t ref, mono_ns_t now)
{
    open_changefeed_t *open = node_find(node, ref);
    if (!open || !node_changefeed_handle(open->changefeed, link, message, now)) {
        node->messages_dropped++;
        return;
    }
    open->link = node_changefeed_link(open->changefeed);
    open->maintainer_epoch = node_changefeed_epoch(open->changefeed);
}

static void handle_response(node_t *node, maintainer_link_t *link, const message_t *message,
                            mono_ns_t now)
{
    const heartbeat_response_t *response = &message->heartbeat_response;
    node_lease_answered(&link->lease, response->newest_heartbeat);
    if (response->has_changefeed)
        handle_of_changefeed(node, link, message, response->changefeed, now);
}

static void handle(node_t *node, maintainer_link_t *link, const message_t *message, mono_ns_t now)
{
    switch (message->header.type) {
    case MESSAGE_HELLO_RESPONSE:
        handle_welcome(link, &message->hello_response);
        break;
    case MESSAGE_START_AGAIN:
        handle_start_again(node, now);
        break;
    case MESSAGE_CHECK_REQUEST:
        handle_check(node, link, &message->check_request);
        break;
    case MESSAGE_CHANGEFEED_OPEN:
        handle_open(node, link, message, now);
        break;
    case MESSAGE_CHANGEFEED_CLOSE:
        handle_close(node, link, message, now);
        break;
    case MESSAGE_BOOTSTRAP_REQUEST:
        handle_of_changefeed(node, link, message, message->bootstrap_request.changefeed, now);
        break;
    case MESSAGE_SCHEDULE_REQUEST:
        handle_of_changefeed(node, link, message, message->schedule_request.changefeed, now);
        break;
    case MESSAGE_SCHEMA_SNAPSHOT_ACK:
        handle_of_changefeed(node, link, message, message->schema_snapshot_ack.changefeed, now);
        break;
    case MESSAGE_HEARTBEAT_RESPONSE:
        handle_response(node, link, message, now);
        break;
    case MESSAGE_VERSION_MISMATCH:
        LOG(LOG_LEVEL_ERROR, "node", NULL, "the maintainer speaks another protocol version",
            log_text("endpoint", link->control_endpoint));
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
        node->messages_dropped++;
        break;
    }
}

static void note_refused(node_t *node, const maintainer_link_t *link, mono_ns_t now)
{
    uint64_t suppressed = 0;
    node->messages_dropped++;
    if (log_limiter_allow(&node->refused_limiter, now, &suppressed))
        LOG(LOG_LEVEL_WARNING, "node", NULL, "a message could not be understood",
            log_text("endpoint", link->control_endpoint), log_number("not_logged", suppressed));
}

void node_handle_messages(node_t *node, maintainer_link_t *link, mono_ns_t now)
{
    arena_t arena = {0};
    for (uint32_t i = 0; i < RECEIVED_MAX; i++) {
        message_t message = {0};
        sluice_error_t error = maintainer_link_receive(link, &arena, &message);
        if (error == SLUICE_ERROR_AGAIN)
            break;
        if (error != SLUICE_OK)
            note_refused(node, link, now);
        else if (!node->is_starting_again)
            handle(node, link, &message, now);
        arena_reset(&arena);
    }
    arena_clear(&arena);
}
