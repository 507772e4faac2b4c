#include "maintainer/shell/control_router.h"

#include "common/runtime/fail_point_message.h"

#define COMPONENT "control_router"

sluice_error_t control_router_open(control_router_t *router, const char *status_endpoint,
                                   const char *control_endpoint, bool insecure,
                                   const node_id_t *name, incarnation_t incarnation,
                                   actor_counters_t *counters, error_report_t *report)
{
    *router = (control_router_t){.name = *name, .incarnation = incarnation, .counters = counters};
    router->status = transport_socket_new(TRANSPORT_STATUS_PULL, NULL);
    router->control = transport_socket_new(TRANSPORT_CONTROL_ROUTER, NULL);
    char bound[TRANSPORT_ENDPOINT_SIZE];
    sluice_error_t error = transport_bind(router->status, status_endpoint, insecure, bound, report);
    if (error != SLUICE_OK)
        return error;
    LOG(LOG_LEVEL_INFO, COMPONENT, NULL, "status socket bound", log_text("endpoint", bound));
    error = transport_bind(router->control, control_endpoint, insecure, bound, report);
    if (error == SLUICE_OK)
        LOG(LOG_LEVEL_INFO, COMPONENT, NULL, "control socket bound", log_text("endpoint", bound));
    return error;
}

void control_router_close(control_router_t *router)
{
    zsock_destroy(&router->status);
    zsock_destroy(&router->control);
    arena_clear(&router->arena);
}

/* ---- what cannot be taken ---- */

static void log_dropped_message(control_router_t *router, mono_ns_t now, const char *reason,
                                const message_header_t *header)
{
    uint64_t suppressed;
    if (log_limiter_allow(&router->limiter, now, &suppressed))
        LOG(LOG_LEVEL_WARNING, COMPONENT, NULL, "message dropped", log_text("reason", reason),
            log_text("sender", header->sender.text),
            log_text("type", message_type_name(header->type)),
            log_number("version", header->version), log_number("not_logged", suppressed));
}

static void answer_mismatch(control_router_t *router, mono_ns_t now, const routing_id_t *to)
{
    node_id_t node;
    incarnation_t incarnation;
    if (to->len == 0 || !mono_reached(router->mismatch_answer_at, now) ||
        !routing_id_parse(to, &node, &incarnation))
        return;
    router->mismatch_answer_at = mono_add(now, NS_PER_S);
    message_t message = {.header = {.version = SLUICE_PROTOCOL_VERSION,
                                    .type = MESSAGE_VERSION_MISMATCH,
                                    .sender = router->name,
                                    .incarnation = router->incarnation}};
    control_router_send(router, now, &node, incarnation, &message);
}

static void refuse(control_router_t *router, mono_ns_t now, sluice_error_t error,
                   const message_header_t *header, const routing_id_t *from)
{
    if (error == SLUICE_ERROR_UNSUPPORTED) {
        router->counters->dropped_version++;
        log_dropped_message(router, now, "version", header);
        answer_mismatch(router, now, from);
        return;
    }
    router->counters->dropped_malformed++;
    log_dropped_message(router, now, sluice_error_name(error), header);
}

/* On the control socket a message says twice who sent it: the routing id decides where answers go,
 * so that another name in the header could be used to speak for somebody else. */
static bool is_sender(const message_header_t *header, const routing_id_t *from)
{
    routing_id_t claimed;
    routing_id_make(&header->sender, header->incarnation, &claimed);
    return from->len == 0 ||
           (from->len == claimed.len && memcmp(from->bytes, claimed.bytes, from->len) == 0);
}

static void count(traffic_t *traffic, const message_t *message, const frames_t *frames)
{
    traffic[message->header.type].messages++;
    traffic[message->header.type].bytes += frames->header.len + frames->body.len;
}

/* ---- receiving ---- */

static void take(control_router_t *router, mono_ns_t now, const transport_received_t *received,
                 control_router_handler_t *handler, void *context)
{
    message_t message;
    uint32_t refused;
    sluice_error_t error = message_decode(&received->frames, &router->arena, &message, &refused);
    if (error != SLUICE_OK) {
        refuse(router, now, error, &message.header, &received->from);
        return;
    }
    if (!is_sender(&message.header, &received->from)) {
        router->counters->dropped_sender++;
        log_dropped_message(router, now, "sender", &message.header);
        return;
    }
    if (refused) {
        router->counters->refused_entries += refused;
        log_dropped_message(router, now, "entries of it", &message.header);
    }
    count(router->counters->received, &message, &received->frames);
    handler(context, &message);
}

static bool receive_turn(control_router_t *router, zsock_t *socket, transport_role_t role,
                         mono_ns_t now, control_router_handler_t *handler, void *context)
{
    for (unsigned i = 0; i < CONTROL_ROUTER_TURN; i++) {
        transport_received_t received;
        arena_reset(&router->arena);
        sluice_error_t error = transport_receive(socket, role, &router->arena, &received);
        if (error == SLUICE_ERROR_AGAIN)
            return false;
        if (error == SLUICE_OK)
            take(router, now, &received, handler, context);
        else
            router->counters->dropped_frames++;
    }
    return true;
}

bool control_router_receive(control_router_t *router, mono_ns_t now,
                            control_router_handler_t *handler, void *context)
{
    bool has_more =
        receive_turn(router, router->control, TRANSPORT_CONTROL_ROUTER, now, handler, context);
    return receive_turn(router, router->status, TRANSPORT_STATUS_PULL, now, handler, context) ||
           has_more;
}

/* ---- sending ---- */

void control_router_send(control_router_t *router, mono_ns_t now, const node_id_t *node,
                         incarnation_t incarnation, const message_t *message)
{
    arena_t arena = {0};
    frames_t frames;
    routing_id_t to;
    routing_id_make(node, incarnation, &to);
    sluice_error_t error = message_encode(message, &arena, &frames);
    if (error == SLUICE_OK)
        error = FAIL_POINT_SEND(message, node->text);
    if (error == SLUICE_OK)
        error = transport_send(router->control, TRANSPORT_CONTROL_ROUTER, &to, &frames);
    if (error == SLUICE_OK)
        error = FAIL_POINT_SENT(message, node->text);
    arena_clear(&arena);
    uint64_t suppressed;
    if (error == SLUICE_OK)
        count(router->counters->sent, message, &frames);
    else if (error == SLUICE_ERROR_NOT_FOUND)
        router->counters->send_unreachable++;
    else
        router->counters->send_full++;
    bool is_ours = error == SLUICE_ERROR_TOO_LARGE || error == SLUICE_ERROR_BUG;
    if (is_ours && log_limiter_allow(&router->limiter, now, &suppressed))
        LOG(LOG_LEVEL_ERROR, COMPONENT, NULL, "message cannot be sent",
            log_text("reason", sluice_error_name(error)), log_text("receiver", node->text),
            log_text("type", message_type_name(message->header.type)));
}
