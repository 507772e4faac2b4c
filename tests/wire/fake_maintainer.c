#include "tests/wire/fake_maintainer.h"

#include <stdlib.h>
#include <unistd.h>

#include "common/runtime/clock.h"

#define DEADLINE_NS (60 * NS_PER_S)

void fake_maintainer_open(fake_maintainer_t *maintainer)
{
    *maintainer = (fake_maintainer_t){
        .directory = "/tmp/sluice-wire-XXXXXX", .answers_heartbeats = true, .epoch = 1};
    assert_non_null(mkdtemp(maintainer->directory));
    char endpoint[TRANSPORT_ENDPOINT_SIZE];
    error_report_t report = {0};
    maintainer->control = transport_socket_new(TRANSPORT_CONTROL_ROUTER, NULL);
    maintainer->status = transport_socket_new(TRANSPORT_STATUS_PULL, NULL);
    snprintf(endpoint, sizeof endpoint, "ipc://%s/control", maintainer->directory);
    assert_int_equal(
        transport_bind(maintainer->control, endpoint, false, maintainer->control_endpoint, &report),
        SLUICE_OK);
    snprintf(endpoint, sizeof endpoint, "ipc://%s/status", maintainer->directory);
    assert_int_equal(
        transport_bind(maintainer->status, endpoint, false, maintainer->status_endpoint, &report),
        SLUICE_OK);
}

void fake_maintainer_close(fake_maintainer_t *maintainer)
{
    zsock_destroy(&maintainer->control);
    zsock_destroy(&maintainer->status);
    arena_clear(&maintainer->arena);
    char path[128];
    const char *const names[] = {"control", "status"};
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", maintainer->directory, names[i]);
        unlink(path);
    }
    rmdir(maintainer->directory);
}

void fake_maintainer_send(fake_maintainer_t *maintainer, message_t *message)
{
    message->header.version = SLUICE_PROTOCOL_VERSION;
    message->header.maintainer_epoch = maintainer->epoch;
    assert_true(node_id_parse(bytes_of_text("maintainer"), &message->header.sender));
    message->header.incarnation = (incarnation_t){1};
    arena_t arena = {0};
    frames_t frames;
    assert_int_equal(message_encode(message, &arena, &frames), SLUICE_OK);
    /* A node that is gone does not get it. */
    (void)!transport_send(maintainer->control, TRANSPORT_CONTROL_ROUTER, &maintainer->node,
                          &frames);
    arena_clear(&arena);
}

static void answer_heartbeat(fake_maintainer_t *maintainer, const message_t *message)
{
    if (!maintainer->answers_heartbeats || maintainer->node.len == 0)
        return;
    message_t answer = {0};
    answer.header.type = MESSAGE_HEARTBEAT_RESPONSE;
    answer.heartbeat_response.newest_heartbeat = message->heartbeat_request.heartbeat_sequence;
    fake_maintainer_send(maintainer, &answer);
}

/* Takes one message from a socket; NULL: none there. */
static const message_t *receive(fake_maintainer_t *maintainer, zsock_t *socket,
                                transport_role_t role)
{
    transport_received_t received;
    sluice_error_t error = transport_receive(socket, role, &maintainer->arena, &received);
    if (error == SLUICE_ERROR_AGAIN)
        return NULL;
    assert_int_equal(error, SLUICE_OK);
    if (role == TRANSPORT_CONTROL_ROUTER)
        maintainer->node = received.from;
    message_t *message = arena_zalloc(&maintainer->arena, sizeof *message);
    uint32_t refused = 0;
    assert_int_equal(message_decode(&received.frames, &maintainer->arena, message, &refused),
                     SLUICE_OK);
    assert_int_equal(refused, 0);
    maintainer->incarnation = message->header.incarnation;
    if (message->header.type == MESSAGE_HEARTBEAT_REQUEST)
        answer_heartbeat(maintainer, message);
    return message;
}

static const message_t *next_message(fake_maintainer_t *maintainer, mono_ns_t deadline)
{
    for (;;) {
        const message_t *message =
            receive(maintainer, maintainer->control, TRANSPORT_CONTROL_ROUTER);
        if (!message)
            message = receive(maintainer, maintainer->status, TRANSPORT_STATUS_PULL);
        if (message)
            return message;
        mono_ns_t now = clock_mono();
        assert_false(mono_reached(deadline, now));
        zmq_pollitem_t items[] = {
            {.socket = zsock_resolve(maintainer->control), .events = ZMQ_POLLIN},
            {.socket = zsock_resolve(maintainer->status), .events = ZMQ_POLLIN},
        };
        zmq_poll(items, 2, clock_poll_timeout(deadline, now));
    }
}

const message_t *fake_maintainer_expect(fake_maintainer_t *maintainer, message_type_t type,
                                        fake_maintainer_take_t *also, void *context)
{
    mono_ns_t deadline = mono_add(clock_mono(), DEADLINE_NS);
    for (;;) {
        const message_t *message = next_message(maintainer, deadline);
        if (message->header.type == type)
            return message;
        if (also)
            also(context, message);
    }
}

void fake_maintainer_run(fake_maintainer_t *maintainer, fake_maintainer_take_t *take,
                         bool (*is_done)(void *context), void *context)
{
    mono_ns_t deadline = mono_add(clock_mono(), DEADLINE_NS);
    while (!is_done(context))
        take(context, next_message(maintainer, deadline));
}
