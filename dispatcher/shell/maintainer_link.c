#include "dispatcher/shell/maintainer_link.h"

#include <stdlib.h>

#include "common/base/memory.h"
#include "common/runtime/fail_point_message.h"

maintainer_link_t *maintainer_link_new(const char *control_endpoint, const char *status_endpoint,
                                       const node_id_t *node)
{
    maintainer_link_t *link = memory_zalloc(sizeof *link);
    link->control_endpoint = control_endpoint;
    link->status_endpoint = status_endpoint;
    link->node = *node;
    return link;
}

static void close_sockets(maintainer_link_t *link)
{
    transport_monitor_destroy(&link->control_monitor);
    transport_monitor_destroy(&link->status_monitor);
    zsock_destroy(&link->control);
    zsock_destroy(&link->status);
}

void maintainer_link_destroy(maintainer_link_t **link)
{
    if (!*link)
        return;
    close_sockets(*link);
    free(*link);
    *link = NULL;
}

static sluice_error_t connect_link(void *self, incarnation_t incarnation, error_report_t *report)
{
    maintainer_link_t *link = self;
    close_sockets(link);
    link->incarnation = incarnation;
    routing_id_t id;
    routing_id_make(&link->node, incarnation, &id);
    link->control = transport_socket_new(TRANSPORT_CONTROL_DEALER, &id);
    link->status = transport_socket_new(TRANSPORT_STATUS_PUSH, NULL);
    link->control_monitor = transport_monitor_new(link->control);
    link->status_monitor = transport_monitor_new(link->status);
    sluice_error_t error = transport_connect(link->control, link->control_endpoint, report);
    if (error == SLUICE_OK)
        error = transport_connect(link->status, link->status_endpoint, report);
    return error;
}

static sluice_error_t send_message(maintainer_link_t *link, zsock_t *socket, transport_role_t role,
                                   message_t *message)
{
    message->header.version = SLUICE_PROTOCOL_VERSION;
    message->header.sender = link->node;
    message->header.incarnation = link->incarnation;
    arena_t arena = {0};
    frames_t frames;
    sluice_error_t error = message_encode(message, &arena, &frames);
    if (error == SLUICE_OK)
        error = FAIL_POINT_SEND(message, NULL);
    if (error == SLUICE_OK)
        error = transport_send(socket, role, NULL, &frames);
    if (error == SLUICE_OK)
        error = FAIL_POINT_SENT(message, NULL);
    arena_clear(&arena);
    return error;
}

static sluice_error_t send_control(void *self, message_t *message)
{
    maintainer_link_t *link = self;
    return send_message(link, link->control, TRANSPORT_CONTROL_DEALER, message);
}

static sluice_error_t send_status(void *self, message_t *message)
{
    maintainer_link_t *link = self;
    return send_message(link, link->status, TRANSPORT_STATUS_PUSH, message);
}

link_port_t maintainer_link_port(maintainer_link_t *link)
{
    return (link_port_t){
        .self = link,
        .name = link->control_endpoint,
        .connect = connect_link,
        .send_control = send_control,
        .send_status = send_status,
    };
}

sluice_error_t maintainer_link_receive(maintainer_link_t *link, arena_t *arena, message_t *message)
{
    transport_received_t received;
    sluice_error_t error =
        transport_receive(link->control, TRANSPORT_CONTROL_DEALER, arena, &received);
    if (error == SLUICE_ERROR_AGAIN)
        return error;
    uint32_t refused_entries = 0;
    if (error == SLUICE_OK)
        error = message_decode(&received.frames, arena, message, &refused_entries);
    return error == SLUICE_OK ? SLUICE_OK : SLUICE_ERROR_MALFORMED;
}

static bool came_up(transport_monitor_t *monitor)
{
    bool is_up = false, has_more = true;
    while (has_more)
        is_up |= transport_monitor_next(monitor, &has_more) == TRANSPORT_LINK_UP;
    return is_up;
}

link_changes_t maintainer_link_changes(maintainer_link_t *link)
{
    return (link_changes_t){
        .control_is_up = came_up(link->control_monitor),
        .status_is_up = came_up(link->status_monitor),
    };
}
