/* Other nodes: their sessions that read here, their services that are read. */
#include "dispatcher/core/node/node_core_internal.h"

bool node_has_others(const node_core_t *core)
{
    return core->events.endpoint != NULL;
}

void node_others_start(node_core_t *core)
{
    core->others.own = core->incarnation;
    if (!node_has_others(core))
        return;
    remote_services_reset(core->others.services);
    remote_sessions_reset(core->others.sessions);
}

/* ---- their sessions ---- */

/* There is no such changefeed here (any more). */
static void answer_stranger(node_core_t *core, stream_peer_t peer, changefeed_ref_t ref,
                            const stream_request_t *request)
{
    if (request->kind == STREAM_REMOVE)
        return;
    stream_event_t answer = {.kind = request->kind == STREAM_REGISTER ? STREAM_NOT_REUSABLE
                                                                      : STREAM_REMOVED,
                             .peer = peer,
                             .dispatcher_id = request->dispatcher_id};
    remote_sessions_give(core->others.sessions, ref, &answer);
}

static void take_requests(node_core_t *core, const message_t *message, mono_ns_t now)
{
    const stream_requests_t *requests = &message->stream_requests;
    stream_peer_t peer = remote_sessions_hear(core->others.sessions, &message->header.sender,
                                              message->header.incarnation, now);
    if (peer.v == STREAM_PEER_OWN.v) {
        core->messages_dropped++;
        return;
    }
    open_changefeed_t *open = node_find(core, requests->changefeed);
    for (uint32_t i = 0; i < requests->request_count; i++) {
        stream_request_t request = requests->requests[i];
        request.peer = peer;
        if (open)
            node_changefeed_request(open->changefeed, &request);
        else
            answer_stranger(core, peer, requests->changefeed, &request);
    }
}

void node_core_serve(node_core_t *core, const message_t *message, mono_ns_t now)
{
    if (!node_has_others(core) || core->is_starting_again ||
        message->header.type != MESSAGE_STREAM_REQUESTS) {
        core->messages_dropped++;
        return;
    }
    take_requests(core, message, now);
}

bool node_core_serves(const node_core_t *core)
{
    return node_has_others(core) && remote_sessions_has_room(core->others.sessions);
}

/* ---- their services ---- */

void node_core_hear(node_core_t *core, uint32_t slot, const message_t *message, mono_ns_t now)
{
    if (!node_has_others(core) || core->is_starting_again ||
        message->header.type != MESSAGE_STREAM_EVENTS) {
        core->messages_dropped++;
        return;
    }
    service_id_t service = remote_services_hear(core->others.services, slot, &message->header, now);
    open_changefeed_t *open = node_find(core, message->stream_events.changefeed);
    if (service_equal(service, SERVICE_NONE) || !open)
        core->messages_dropped++;
    else
        node_changefeed_hear(open->changefeed, service, &message->stream_events, now);
}

void node_core_service_link(node_core_t *core, uint32_t slot, bool is_up, mono_ns_t now)
{
    if (!node_has_others(core))
        return;
    service_id_t service = remote_services_link(core->others.services, slot, is_up, now);
    if (service_equal(service, SERVICE_NONE) || !is_up)
        return;
    for (uint32_t i = 0; i < core->changefeed_count; i++)
        if (core->changefeeds[i]->changefeed)
            node_changefeed_service_up(core->changefeeds[i]->changefeed, service, now);
}

static void tell_gone(node_core_t *core, mono_ns_t now)
{
    service_id_t service;
    while (
        !service_equal(service = remote_services_take_gone(core->others.services), SERVICE_NONE)) {
        NODE_LOG(&core->host, LOG_LEVEL_INFO, NULL, "another node's event service is gone",
                 log_number("slot", service_slot(service)));
        for (uint32_t i = 0; i < core->changefeed_count; i++)
            if (core->changefeeds[i]->changefeed)
                node_changefeed_service_gone(core->changefeeds[i]->changefeed, service, now);
    }
}

/* ---- the step ---- */

static void forget_lost_sessions(node_core_t *core)
{
    changefeed_ref_t ref;
    stream_request_t request;
    while (remote_sessions_take_removed(core->others.sessions, &ref, &request)) {
        open_changefeed_t *open = node_find(core, ref);
        if (open)
            node_changefeed_request(open->changefeed, &request);
    }
}

void node_run_others(node_core_t *core, mono_ns_t now)
{
    if (!node_has_others(core))
        return;
    tell_gone(core, now);
    for (uint32_t i = 0; i < core->changefeed_count; i++)
        if (core->changefeeds[i]->changefeed)
            node_changefeed_serve(core->changefeeds[i]->changefeed);
    remote_services_run(core->others.services, now);
    remote_sessions_send(core->others.sessions, core->incarnation, now);
    forget_lost_sessions(core);
}

mono_ns_t node_others_deadline(const node_core_t *core)
{
    return node_has_others(core) ? mono_min(remote_services_next_deadline(core->others.services),
                                            remote_sessions_next_deadline(core->others.sessions))
                                 : MONO_NEVER;
}
