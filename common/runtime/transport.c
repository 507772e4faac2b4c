#include "common/runtime/transport.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/memory.h"

#define EVENTS_MESSAGE_BYTES_MAX (64 * 1024 * 1024)

typedef struct {
    int type;
    int send_queue, receive_queue;
    int heartbeat_timeout_ms, heartbeat_ttl_ms;
    int64_t message_bytes_max;
    bool is_router, connects;
} role_t;

static const role_t roles[] = {
    [TRANSPORT_STATUS_PUSH] = {ZMQ_PUSH, 64, 128, 3000, 6000, MESSAGE_BYTES_MAX, false, true},
    [TRANSPORT_STATUS_PULL] = {ZMQ_PULL, 64, 128, 3000, 6000, MESSAGE_BYTES_MAX, false, false},
    [TRANSPORT_CONTROL_DEALER] = {ZMQ_DEALER, 256, 256, 3000, 6000, MESSAGE_BYTES_MAX, false, true},
    [TRANSPORT_CONTROL_ROUTER] = {ZMQ_ROUTER, 256, 256, 3000, 6000, MESSAGE_BYTES_MAX, true, false},
    [TRANSPORT_EVENTS_DEALER] = {ZMQ_DEALER, 32, 32, 5000, 10000, EVENTS_MESSAGE_BYTES_MAX, false,
                                 true},
    [TRANSPORT_EVENTS_ROUTER] = {ZMQ_ROUTER, 32, 32, 5000, 10000, EVENTS_MESSAGE_BYTES_MAX, true,
                                 false},
};

/* ---- routing ids ---- */

void routing_id_make(const node_id_t *node, incarnation_t incarnation, routing_id_t *id)
{
    char text[ROUTING_ID_SIZE];
    int len = snprintf(text, sizeof text, "%s@%llu", node->text, (unsigned long long)incarnation.v);
    *id = (routing_id_t){.len = (size_t)len};
    memcpy(id->bytes, text, id->len);
}

bool routing_id_parse(const routing_id_t *id, node_id_t *node, incarnation_t *incarnation)
{
    const uint8_t *mark = memchr(id->bytes, '@', id->len);
    if (!mark || !node_id_parse(bytes_of(id->bytes, (size_t)(mark - id->bytes)), node))
        return false;
    size_t digits = id->len - (size_t)(mark + 1 - id->bytes);
    uint64_t value = 0;
    for (size_t i = 0; i < digits; i++) {
        unsigned digit = (unsigned)mark[1 + i] - '0';
        if (digit > 9 || value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *incarnation = (incarnation_t){value};
    return digits > 0;
}

/* ---- sockets ---- */

static void set_option(void *socket, int option, int value)
{
    int rc = zmq_setsockopt(socket, option, &value, sizeof value);
    assert(rc == 0);
}

static void set_common_options(void *socket, const role_t *role)
{
    set_option(socket, ZMQ_LINGER, 0);
    set_option(socket, ZMQ_SNDHWM, role->send_queue);
    set_option(socket, ZMQ_RCVHWM, role->receive_queue);
    set_option(socket, ZMQ_HEARTBEAT_IVL, 1000);
    set_option(socket, ZMQ_HEARTBEAT_TIMEOUT, role->heartbeat_timeout_ms);
    set_option(socket, ZMQ_HEARTBEAT_TTL, role->heartbeat_ttl_ms);
    set_option(socket, ZMQ_RECONNECT_IVL, 100);
    set_option(socket, ZMQ_RECONNECT_IVL_MAX, 5000);
    set_option(socket, ZMQ_CONNECT_TIMEOUT, 3000);
    set_option(socket, ZMQ_TCP_MAXRT, 10000);
    set_option(socket, ZMQ_HANDSHAKE_IVL, 3000);
    set_option(socket, ZMQ_IPV6, 1);
    int rc = zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &role->message_bytes_max,
                            sizeof role->message_bytes_max);
    assert(rc == 0);
}

static void set_router_options(void *socket)
{
    set_option(socket, ZMQ_ROUTER_MANDATORY, 1);
    set_option(socket, ZMQ_ROUTER_HANDOVER, 1);
}

zsock_t *transport_socket_new(transport_role_t role_id, const routing_id_t *own_id)
{
    const role_t *role = &roles[role_id];
    zsock_t *zsock = zsock_new(role->type);
    if (!zsock)
        memory_exhausted(sizeof(void *));
    void *socket = zsock_resolve(zsock);
    set_common_options(socket, role);
    if (role->is_router)
        set_router_options(socket);
    if (role->connects)
        set_option(socket, ZMQ_IMMEDIATE, 1);
    if (own_id && role->type == ZMQ_DEALER) {
        int rc = zmq_setsockopt(socket, ZMQ_ROUTING_ID, own_id->bytes, own_id->len);
        assert(rc == 0);
    }
    return zsock;
}

static bool starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool is_loopback(const char *endpoint)
{
    if (!starts_with(endpoint, "tcp://"))
        return true;
    const char *host = endpoint + strlen("tcp://");
    return starts_with(host, "127.") || starts_with(host, "[::ffff:127.") ||
           starts_with(host, "[::1]:") || starts_with(host, "localhost:") ||
           starts_with(host, "lo:");
}

static bool is_endpoint(const char *endpoint)
{
    return starts_with(endpoint, "tcp://") || starts_with(endpoint, "ipc://") ||
           starts_with(endpoint, "inproc://");
}

static sluice_error_t refuse_endpoint(const char *endpoint, error_report_t *report)
{
    return error_report_set(report, SLUICE_ERROR_CONFIGURATION,
                            "'%s' is no endpoint: tcp://host:port or ipc://path is wanted",
                            endpoint);
}

sluice_error_t transport_bind(zsock_t *zsock, const char *endpoint, bool insecure,
                              char bound[TRANSPORT_ENDPOINT_SIZE], error_report_t *report)
{
    if (!is_endpoint(endpoint))
        return refuse_endpoint(endpoint, report);
    if (!insecure && !is_loopback(endpoint))
        return error_report_set(report, SLUICE_ERROR_CONFIGURATION,
                                "%s is reachable from other machines and nothing there proves who "
                                "it is: set 'insecure: true' if the network is trusted",
                                endpoint);
    void *socket = zsock_resolve(zsock);
    if (zmq_bind(socket, endpoint) != 0) {
        int reason = zmq_errno();
        bool is_wrong = reason == EINVAL || reason == ENODEV || reason == ENAMETOOLONG;
        return error_report_set(report, is_wrong ? SLUICE_ERROR_CONFIGURATION : SLUICE_ERROR_IO,
                                "cannot bind %s: %s", endpoint, zmq_strerror(reason));
    }
    if (bound) {
        size_t size = TRANSPORT_ENDPOINT_SIZE;
        if (zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, bound, &size) != 0)
            return error_report_set(report, SLUICE_ERROR_IO, "cannot read back the endpoint %s",
                                    endpoint);
    }
    return SLUICE_OK;
}

sluice_error_t transport_connect(zsock_t *zsock, const char *endpoint, error_report_t *report)
{
    if (!is_endpoint(endpoint) || zmq_connect(zsock_resolve(zsock), endpoint) != 0)
        return refuse_endpoint(endpoint, report);
    return SLUICE_OK;
}

/* ---- messages ---- */

static sluice_error_t send_error(void)
{
    return zmq_errno() == EHOSTUNREACH ? SLUICE_ERROR_NOT_FOUND : SLUICE_ERROR_AGAIN;
}

sluice_error_t transport_send(zsock_t *zsock, transport_role_t role, const routing_id_t *to,
                              const frames_t *frames)
{
    size_t bytes_max = (size_t)roles[role].message_bytes_max;
    if (frames->header.len > bytes_max || frames->body.len > bytes_max)
        return SLUICE_ERROR_TOO_LARGE;
    void *socket = zsock_resolve(zsock);
    int flags = ZMQ_DONTWAIT | ZMQ_SNDMORE;
    if (to && zmq_send(socket, to->bytes, to->len, flags) < 0)
        return send_error();
    if (zmq_send(socket, frames->header.data, frames->header.len, flags) < 0)
        return send_error();
    if (zmq_send(socket, frames->body.data, frames->body.len, ZMQ_DONTWAIT) < 0)
        return send_error();
    return SLUICE_OK;
}

#define FRAMES_MAX 3

/* Takes every frame of one message; the first FRAMES_MAX are copied. Returns their number, 0 when
 * no message is there. */
static size_t take_frames(void *socket, arena_t *arena, bytes_t frames[FRAMES_MAX])
{
    size_t count = 0;
    bool has_more = true;
    while (has_more) {
        zmq_msg_t frame;
        zmq_msg_init(&frame);
        if (zmq_msg_recv(&frame, socket, ZMQ_DONTWAIT) < 0)
            has_more = false;
        else {
            bytes_t content = bytes_of(zmq_msg_data(&frame), zmq_msg_size(&frame));
            if (count < FRAMES_MAX)
                frames[count] = arena_bytes(arena, content);
            count++;
            has_more = zmq_msg_more(&frame);
        }
        zmq_msg_close(&frame);
    }
    return count;
}

static bool take_routing_id(bytes_t frame, routing_id_t *id)
{
    if (frame.len == 0 || frame.len > sizeof id->bytes)
        return false;
    id->len = frame.len;
    memcpy(id->bytes, frame.data, frame.len);
    return true;
}

sluice_error_t transport_receive(zsock_t *zsock, transport_role_t role, arena_t *arena,
                                 transport_received_t *received)
{
    bytes_t frames[FRAMES_MAX];
    *received = (transport_received_t){0};
    size_t count = take_frames(zsock_resolve(zsock), arena, frames);
    if (count == 0)
        return SLUICE_ERROR_AGAIN;
    bytes_t *first = frames;
    if (roles[role].is_router) {
        if (!take_routing_id(frames[0], &received->from))
            return SLUICE_ERROR_MALFORMED;
        first++;
        count--;
    }
    if (count != 2)
        return SLUICE_ERROR_MALFORMED;
    received->frames = (frames_t){.header = first[0], .body = first[1]};
    return SLUICE_OK;
}

/* ---- monitor ---- */

struct transport_monitor {
    zsock_t *socket; /* PAIR that libzmq reports to */
    void *watched;
};

#define MONITORED_EVENTS                                                                           \
    (ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)

/* A name that was never used: libzmq gives up that of an earlier monitor when it comes to it. */
static void make_endpoint(char *endpoint, size_t size)
{
    static atomic_ulong count;
    snprintf(endpoint, size, "inproc://transport-monitor-%lu", atomic_fetch_add(&count, 1));
}

transport_monitor_t *transport_monitor_new(zsock_t *zsock)
{
    transport_monitor_t *monitor = memory_zalloc(sizeof *monitor);
    char endpoint[64];
    make_endpoint(endpoint, sizeof endpoint);
    monitor->watched = zsock_resolve(zsock);
    monitor->socket = zsock_new(ZMQ_PAIR);
    if (!monitor->socket)
        memory_exhausted(sizeof(void *));
    int rc = zmq_socket_monitor(monitor->watched, endpoint, MONITORED_EVENTS);
    assert(rc == 0);
    rc = zmq_connect(zsock_resolve(monitor->socket), endpoint);
    assert(rc == 0);
    return monitor;
}

void transport_monitor_destroy(transport_monitor_t **self)
{
    transport_monitor_t *monitor = *self;
    if (!monitor)
        return;
    zmq_socket_monitor(monitor->watched, NULL, 0);
    zsock_destroy(&monitor->socket);
    free(monitor);
    *self = NULL;
}

zsock_t *transport_monitor_socket(transport_monitor_t *monitor)
{
    return monitor->socket;
}

static transport_link_t link_of(uint16_t event)
{
    if (event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED)
        return TRANSPORT_LINK_UP;
    if (event == ZMQ_EVENT_DISCONNECTED)
        return TRANSPORT_LINK_DOWN;
    return event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH ? TRANSPORT_LINK_REFUSED : TRANSPORT_LINK_NONE;
}

transport_link_t transport_monitor_next(transport_monitor_t *monitor, bool *has_more)
{
    arena_t arena = {0};
    bytes_t frames[FRAMES_MAX];
    size_t count = take_frames(zsock_resolve(monitor->socket), &arena, frames);
    uint16_t event = 0;
    *has_more = count > 0;
    if (count > 0 && frames[0].len >= sizeof event)
        memcpy(&event, frames[0].data, sizeof event);
    arena_clear(&arena);
    return link_of(event);
}
