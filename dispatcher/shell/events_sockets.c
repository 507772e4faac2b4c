#include "dispatcher/shell/events_sockets.h"

#include <stdlib.h>

#include "common/base/memory.h"
#include "common/runtime/fail_point_message.h"
#include "common/runtime/log.h"

typedef struct {
    uint32_t slot;
    zsock_t *dealer; /* NULL: the place is free */
    transport_monitor_t *monitor;
} connection_t;

struct events_sockets {
    events_sockets_options_t options;
    zsock_t *router;
    char endpoint[TRANSPORT_ENDPOINT_SIZE];
    connection_t connections[REMOTE_SERVICES_MAX];
    uint32_t turn; /* whose input is looked at first */
};

events_sockets_t *events_sockets_new(const events_sockets_options_t *options)
{
    events_sockets_t *sockets = memory_zalloc(sizeof *sockets);
    sockets->options = *options;
    return sockets;
}

static void close_connection(connection_t *connection)
{
    transport_monitor_destroy(&connection->monitor);
    zsock_destroy(&connection->dealer);
}

void events_sockets_destroy(events_sockets_t **sockets)
{
    events_sockets_t *self = *sockets;
    *sockets = NULL;
    if (!self)
        return;
    for (uint32_t i = 0; i < REMOTE_SERVICES_MAX; i++)
        close_connection(&self->connections[i]);
    zsock_destroy(&self->router);
    free(self);
}

/* ---- binding ---- */

static bool is_configured(const events_sockets_t *sockets)
{
    return sockets->options.bind && sockets->options.bind[0];
}

static bool is_everywhere(const char *endpoint)
{
    static const char *const wildcards[] = {"tcp://0.0.0.0:", "tcp://[::]:", "tcp://*:"};
    for (size_t i = 0; i < sizeof wildcards / sizeof *wildcards; i++)
        if (strncmp(endpoint, wildcards[i], strlen(wildcards[i])) == 0)
            return true;
    return false;
}

sluice_error_t events_sockets_open(events_sockets_t *sockets, error_report_t *report)
{
    const events_sockets_options_t *options = &sockets->options;
    bool has_name = options->advertise && options->advertise[0];
    if (!is_configured(sockets))
        return SLUICE_OK;
    if (!has_name && is_everywhere(options->bind))
        return error_report_set(report, SLUICE_ERROR_CONFIGURATION,
                                "node.events is bound to all addresses: say in "
                                "node.events_advertise which one other nodes connect to");
    sockets->router = transport_socket_new(TRANSPORT_EVENTS_ROUTER, NULL);
    char bound[TRANSPORT_ENDPOINT_SIZE];
    sluice_error_t error =
        transport_bind(sockets->router, options->bind, options->insecure, bound, report);
    if (error != SLUICE_OK)
        return error;
    snprintf(sockets->endpoint, sizeof sockets->endpoint, "%s",
             has_name ? options->advertise : bound);
    LOG(LOG_LEVEL_INFO, "node", NULL, "events socket bound", log_text("endpoint", bound),
        log_text("advertised", sockets->endpoint));
    return SLUICE_OK;
}

/* ---- the port ---- */

static connection_t *find_connection(events_sockets_t *sockets, uint32_t slot)
{
    for (uint32_t i = 0; i < REMOTE_SERVICES_MAX; i++)
        if (sockets->connections[i].dealer && sockets->connections[i].slot == slot)
            return &sockets->connections[i];
    return NULL;
}

static connection_t *free_connection(events_sockets_t *sockets)
{
    for (uint32_t i = 0; i < REMOTE_SERVICES_MAX; i++)
        if (!sockets->connections[i].dealer)
            return &sockets->connections[i];
    return NULL;
}

static void disconnect_from(void *self, uint32_t slot)
{
    connection_t *connection = find_connection(self, slot);
    if (connection)
        close_connection(connection);
}

static sluice_error_t connect_to(void *self, uint32_t slot, const char *endpoint, incarnation_t own)
{
    events_sockets_t *sockets = self;
    disconnect_from(self, slot);
    connection_t *connection = free_connection(sockets);
    if (!connection)
        return SLUICE_ERROR_FULL;
    routing_id_t id;
    routing_id_make(sockets->options.node, own, &id);
    connection->slot = slot;
    connection->dealer = transport_socket_new(TRANSPORT_EVENTS_DEALER, &id);
    connection->monitor = transport_monitor_new(connection->dealer);
    error_report_t report;
    sluice_error_t error = transport_connect(connection->dealer, endpoint, &report);
    if (error != SLUICE_OK)
        close_connection(connection);
    return error;
}

static sluice_error_t send_message(events_sockets_t *sockets, zsock_t *socket,
                                   transport_role_t role, const routing_id_t *to,
                                   message_t *message, const char *peer)
{
    message->header.version = SLUICE_PROTOCOL_VERSION;
    message->header.sender = *sockets->options.node;
    arena_t arena = {0};
    frames_t frames;
    sluice_error_t error = message_encode(message, &arena, &frames);
    if (error == SLUICE_OK)
        error = FAIL_POINT_SEND(message, peer);
    if (error == SLUICE_OK)
        error = transport_send(socket, role, to, &frames);
    if (error == SLUICE_OK)
        error = FAIL_POINT_SENT(message, peer);
    arena_clear(&arena);
    return error;
}

static sluice_error_t send_requests(void *self, uint32_t slot, message_t *message)
{
    const connection_t *connection = find_connection(self, slot);
    if (!connection)
        return SLUICE_ERROR_AGAIN;
    return send_message(self, connection->dealer, TRANSPORT_EVENTS_DEALER, NULL, message, NULL);
}

static sluice_error_t send_events(void *self, const node_id_t *node, incarnation_t incarnation,
                                  message_t *message)
{
    events_sockets_t *sockets = self;
    routing_id_t to;
    routing_id_make(node, incarnation, &to);
    return send_message(sockets, sockets->router, TRANSPORT_EVENTS_ROUTER, &to, message,
                        node->text);
}

events_port_t events_sockets_port(events_sockets_t *sockets)
{
    return (events_port_t){
        .self = sockets,
        .endpoint = is_configured(sockets) ? sockets->endpoint : NULL,
        .connect = connect_to,
        .disconnect = disconnect_from,
        .send_requests = send_requests,
        .send_events = send_events,
    };
}

/* ---- input ---- */

int events_sockets_poll(const events_sockets_t *sockets,
                        zmq_pollitem_t items[EVENTS_SOCKETS_POLL_MAX])
{
    int count = 0;
    if (sockets->router)
        items[count++] =
            (zmq_pollitem_t){.socket = zsock_resolve(sockets->router), .events = ZMQ_POLLIN};
    for (uint32_t i = 0; i < REMOTE_SERVICES_MAX; i++) {
        const connection_t *connection = &sockets->connections[i];
        if (!connection->dealer)
            continue;
        zsock_t *both[] = {connection->dealer, transport_monitor_socket(connection->monitor)};
        for (size_t j = 0; j < 2; j++)
            items[count++] =
                (zmq_pollitem_t){.socket = zsock_resolve(both[j]), .events = ZMQ_POLLIN};
    }
    return count;
}

/* A message says twice who sent it, and answers go to the routing id. */
static bool is_sender(const message_header_t *header, const routing_id_t *from)
{
    routing_id_t claimed;
    routing_id_make(&header->sender, header->incarnation, &claimed);
    return from->len == claimed.len && memcmp(from->bytes, claimed.bytes, from->len) == 0;
}

static events_input_t take_message(zsock_t *socket, transport_role_t role, arena_t *arena,
                                   message_t *message)
{
    bool is_router = role == TRANSPORT_EVENTS_ROUTER;
    transport_received_t received;
    uint32_t refused_entries;
    sluice_error_t error = transport_receive(socket, role, arena, &received);
    if (error == SLUICE_ERROR_AGAIN)
        return EVENTS_NOTHING;
    if (error == SLUICE_OK)
        error = message_decode(&received.frames, arena, message, &refused_entries);
    if (error != SLUICE_OK || (is_router && !is_sender(&message->header, &received.from)))
        return EVENTS_REFUSED;
    return is_router ? EVENTS_REQUEST : EVENTS_ANSWER;
}

static events_input_t take_link(connection_t *connection)
{
    bool has_more = true;
    while (has_more) {
        transport_link_t link = transport_monitor_next(connection->monitor, &has_more);
        if (link == TRANSPORT_LINK_UP)
            return EVENTS_UP;
        if (link == TRANSPORT_LINK_DOWN || link == TRANSPORT_LINK_REFUSED)
            return EVENTS_DOWN;
    }
    return EVENTS_NOTHING;
}

static events_input_t take_request(events_sockets_t *sockets, arena_t *arena, message_t *message)
{
    return sockets->router ? take_message(sockets->router, TRANSPORT_EVENTS_ROUTER, arena, message)
                           : EVENTS_NOTHING;
}

static events_input_t take_answer(connection_t *connection, arena_t *arena, message_t *message,
                                  uint32_t *slot)
{
    if (!connection->dealer)
        return EVENTS_NOTHING;
    *slot = connection->slot;
    events_input_t input = take_link(connection);
    return input == EVENTS_NOTHING
               ? take_message(connection->dealer, TRANSPORT_EVENTS_DEALER, arena, message)
               : input;
}

events_input_t events_sockets_take(events_sockets_t *sockets, arena_t *arena, message_t *message,
                                   uint32_t *slot)
{
    events_input_t input = EVENTS_NOTHING;
    /* Each in its turn, so that none keeps the others away. */
    for (uint32_t i = 0; input == EVENTS_NOTHING && i <= REMOTE_SERVICES_MAX; i++) {
        uint32_t place = sockets->turn++ % (REMOTE_SERVICES_MAX + 1);
        if (place == REMOTE_SERVICES_MAX)
            input = take_request(sockets, arena, message);
        else
            input = take_answer(&sockets->connections[place], arena, message, slot);
    }
    return input;
}
