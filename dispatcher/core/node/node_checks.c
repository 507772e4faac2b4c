#include "dispatcher/core/node/node_core_internal.h"

#define CHECK_PIECE_BYTES (1024 * 1024)

static void send_response(const node_link_t *link, const check_response_t *whole)
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
        if (node_link_send_control(link, &message) != SLUICE_OK)
            return;
        response->piece++;
        response->warnings = NULL;
        response->warning_count = 0;
    } while (!response->is_last_piece);
}

static const check_response_t *response_of(const node_core_t *core, uint32_t place)
{
    return core->host.check_response(core->host.self, place);
}

void node_answer_checks(node_core_t *core)
{
    for (uint32_t i = 0; i < NODE_CHECKS_MAX; i++) {
        node_check_t *check = &core->checks[i];
        const check_response_t *response = check->link ? response_of(core, i) : NULL;
        if (!response)
            continue;
        send_response(check->link, response);
        check->link = NULL;
    }
}

/* The one with that id, else a place for it; -1: all are at work. */
static int place_of(const node_core_t *core, uint64_t check_id)
{
    int place = -1;
    for (int i = 0; i < NODE_CHECKS_MAX; i++) {
        const node_check_t *check = &core->checks[i];
        if (check->is_used && check->check_id == check_id)
            return i;
        if (!check->is_used || (place < 0 && response_of(core, (uint32_t)i)))
            place = i;
    }
    return place;
}

void node_begin_check(node_core_t *core, node_link_t *link, const check_request_t *request)
{
    /* Server ids are counted from the slot, which hello's answer tells. */
    if (!link->is_welcome)
        return;
    int place = place_of(core, request->check_id);
    if (place < 0)
        return;
    node_check_t *check = &core->checks[place];
    if (!check->is_used || check->check_id != request->check_id)
        core->host.begin_check(core->host.self, (uint32_t)place, request, link->settings.slot,
                               link->settings.slot_count_max);
    *check = (node_check_t){.is_used = true, .check_id = request->check_id, .link = link};
    node_answer_checks(core);
}
