/* A node's maintainers: what it says to them, and what they say. */
#include "tests/unit/node/node_fixture_ports.h"

#include "dispatcher/core/node/schema_envelope.h"

/* ---- links ---- */

static sluice_error_t world_connect(void *self, incarnation_t incarnation, error_report_t *report)
{
    (void)report;
    world_link_t *link = self;
    link->connects++;
    link->incarnation = incarnation;
    return SLUICE_OK;
}

static sluice_error_t world_send(void *self, message_t *message)
{
    world_link_t *link = self;
    world_t *world = link->world;
    if (link->is_full)
        return SLUICE_ERROR_AGAIN;
    if (world->listen) {
        world->listen(world->listener, message);
        return SLUICE_OK;
    }
    assert_true(world->said_count < SAID_MAX);
    said_t *said = &world->said[world->said_count++];
    *said = (said_t){.link = link, .message = *message, .at = world->now};
    if (message->header.type == MESSAGE_HEARTBEAT_REQUEST &&
        message->heartbeat_request.entry_count > 0)
        said->entry = message->heartbeat_request.entries[0];
    return SLUICE_OK;
}

link_port_t world_link_port(world_link_t *link)
{
    return (link_port_t){.self = link,
                         .name = "link",
                         .connect = world_connect,
                         .send_control = world_send,
                         .send_status = world_send};
}

/* ---- what was said ---- */

uint32_t count_said(const world_t *world, message_type_t type)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < world->said_count; i++)
        count += world->said[i].message.header.type == type;
    return count;
}

const said_t *last_of(const world_t *world, message_type_t type)
{
    for (uint32_t i = world->said_count; i-- > 0;)
        if (world->said[i].message.header.type == type)
            return &world->said[i];
    fail_msg("nothing of type %d was said", (int)type);
    return NULL;
}

const message_t *last_said(const world_t *world, message_type_t type)
{
    return &last_of(world, type)->message;
}

void forget_said(world_t *world)
{
    world->said_count = 0;
}

/* ---- what maintainers say ---- */

message_t message_of(message_type_t type, uint64_t maintainer_epoch)
{
    message_t message = {0};
    message.header.type = type;
    message.header.maintainer_epoch = maintainer_epoch;
    return message;
}

void hear(world_t *world, uint32_t link, const message_t *message)
{
    node_core_receive(world->core, link, message, world->now);
    run(world);
}

const hello_response_t world_welcome = {.slot = 3,
                                        .slot_count_max = 100,
                                        .lease_ms = LEASE_MS,
                                        .heartbeat_ms = HEARTBEAT_MS,
                                        .complete_heartbeat_ms = 10000,
                                        .resend_ms = 5000};

void welcome(world_t *world, uint32_t link)
{
    message_t message = message_of(MESSAGE_HELLO_RESPONSE, 0);
    message.hello_response = world_welcome;
    hear(world, link, &message);
}

void answer_lease(world_t *world, uint32_t link)
{
    message_t message = message_of(MESSAGE_HEARTBEAT_RESPONSE, 0);
    message.heartbeat_response.newest_heartbeat =
        last_said(world, MESSAGE_HEARTBEAT_REQUEST)->heartbeat_request.heartbeat_sequence;
    hear(world, link, &message);
}

changefeed_ref_t ref_of(uint64_t generation)
{
    return (changefeed_ref_t){.uuid = {{1}}, .generation = generation};
}

void say_open_of(world_t *world, uint32_t link, uint64_t epoch, changefeed_ref_t ref)
{
    message_t message = message_of(MESSAGE_CHANGEFEED_OPEN, epoch);
    schema_envelope_t envelope = {0};
    message.changefeed_open = (changefeed_open_t){
        .changefeed = ref,
        .config = {.name = bytes_of_text("feed")},
        .anchor = {.commit_ts = {START}},
        .checkpoint = {START},
        .is_last_piece = true,
        .snapshot = schema_envelope_encode(&envelope, &world->arena),
    };
    hear(world, link, &message);
}

void say_open(world_t *world, uint32_t link, uint64_t epoch, uint64_t generation)
{
    say_open_of(world, link, epoch, ref_of(generation));
}

void say_close(world_t *world, uint32_t link, uint64_t epoch, uint64_t generation)
{
    message_t message = message_of(MESSAGE_CHANGEFEED_CLOSE, epoch);
    message.changefeed_close.changefeed = ref_of(generation);
    hear(world, link, &message);
}

dispatcher_id_t id_of(uint64_t table)
{
    return (dispatcher_id_t){9, table + 1};
}

void say_create_of(world_t *world, uint32_t link, uint64_t epoch, changefeed_ref_t ref,
                   uint64_t table)
{
    schedule_create_t create = {.dispatcher_id = id_of(table),
                                .span = {.table_id = {table}},
                                .start = {.checkpoint = {START}},
                                .assignment_epoch = {epoch, table + 1}};
    message_t message = message_of(MESSAGE_SCHEDULE_REQUEST, epoch);
    message.schedule_request =
        (schedule_request_t){.changefeed = ref, .creates = &create, .create_count = 1};
    hear(world, link, &message);
}

void say_create(world_t *world, uint32_t link, uint64_t epoch, uint64_t table)
{
    say_create_of(world, link, epoch, ref_of(1), table);
}

void say_close_dispatcher_of(world_t *world, uint32_t link, uint64_t epoch, changefeed_ref_t ref,
                             uint64_t table)
{
    dispatcher_id_t id = id_of(table);
    message_t message = message_of(MESSAGE_SCHEDULE_REQUEST, epoch);
    message.schedule_request =
        (schedule_request_t){.changefeed = ref, .closes = &id, .close_count = 1};
    hear(world, link, &message);
}

void say_close_dispatcher(world_t *world, uint32_t link, uint64_t epoch, uint64_t table)
{
    say_close_dispatcher_of(world, link, epoch, ref_of(1), table);
}

void open_with_table(world_t *world)
{
    welcome(world, 0);
    say_open(world, 0, EPOCH, 1);
    say_create(world, 0, EPOCH, 7);
    assert_int_equal(node_core_state(world->core).dispatchers, 1);
}
