#include "tests/sim/network.h"

#include <stdlib.h>

#include "common/base/memory.h"
#include "common/wire/codec.h"
#include "tests/sim/describe.h"

/* From connect to the end of the handshake. */
#define CONNECT_NS (2 * NS_PER_MS)
#define RECONNECT_NS (100 * NS_PER_MS)
/* Heartbeats of the transport tell that a peer has stopped, or is gone without a word. */
#define SILENCE_NS (3 * NS_PER_S)

typedef struct {
    uint32_t references;
    frames_t frames;
    uint8_t bytes[];
} envelope_t;

struct sim_packet {
    sim_packet_t *next; /* in an inbox, or held back */
    envelope_t *envelope;
    sim_process_t *from, *to;
    sim_wire_t wire;
    message_type_t type;
    uint64_t connection; /* number of the connection that carries it */
};

typedef struct {
    bool is_cut, holds;
    mono_ns_t last_due; /* what keeps its order comes no earlier */
    uint32_t queued;    /* sent on this connection, not yet taken */
    bool came_up;
    sim_packet_t *held_first, *held_last;
} wire_t;

/* A node and a maintainer, or a node that reads events from another. */
typedef struct {
    sim_process_t *client, *server;
    bool wants_connection; /* the client has sockets */
    incarnation_t incarnation;
    bool is_up, has_changed; /* since the client looked */
    uint64_t connection;
    wire_t wires[SIM_WIRE_COUNT];
} pair_t;

struct sim_network {
    sim_world_t *world;
    sim_random_t random;
    sim_network_rates_t rates;
    arena_t scratch;
    pair_t pairs[SIM_NODES_MAX][SIM_MAINTAINERS_MAX];
    pair_t readers[SIM_NODES_MAX][SIM_NODES_MAX]; /* who reads, from whom */
};

static pair_t *pair_of(const sim_process_t *a, const sim_process_t *b)
{
    const sim_process_t *node = a->is_maintainer ? b : a;
    const sim_process_t *maintainer = a->is_maintainer ? a : b;
    return &node->world->network->pairs[node->index][maintainer->index];
}

static pair_t *reader_of(const sim_process_t *client, const sim_process_t *server)
{
    return &client->world->network->readers[client->index][server->index];
}

static pair_t *pair_of_packet(const sim_packet_t *packet)
{
    if (packet->wire == SIM_EVENTS_UP)
        return reader_of(packet->from, packet->to);
    if (packet->wire == SIM_EVENTS_DOWN)
        return reader_of(packet->to, packet->from);
    return pair_of(packet->from, packet->to);
}

sim_network_rates_t *sim_network_rates(sim_world_t *world)
{
    return &world->network->rates;
}

/* ---- packets ---- */

static envelope_t *envelope_new(arena_t *scratch, const message_t *message)
{
    frames_t frames;
    if (message_encode(message, scratch, &frames) != SLUICE_OK)
        return NULL;
    envelope_t *envelope = memory_alloc(sizeof *envelope + frames.header.len + frames.body.len);
    envelope->references = 1;
    memcpy(envelope->bytes, frames.header.data, frames.header.len);
    if (frames.body.len)
        memcpy(envelope->bytes + frames.header.len, frames.body.data, frames.body.len);
    envelope->frames.header = bytes_of(envelope->bytes, frames.header.len);
    envelope->frames.body = bytes_of(envelope->bytes + frames.header.len, frames.body.len);
    arena_reset(scratch);
    return envelope;
}

static void packet_free(sim_packet_t *packet)
{
    if (--packet->envelope->references == 0)
        free(packet->envelope);
    free(packet);
}

static sim_packet_t *packet_copy(const sim_packet_t *packet)
{
    sim_packet_t *copy = memory_alloc(sizeof *copy);
    *copy = *packet;
    copy->envelope->references++;
    return copy;
}

static void append(sim_packet_t **first, sim_packet_t **last, sim_packet_t *packet)
{
    packet->next = NULL;
    *(*first ? &(*last)->next : first) = packet;
    *last = packet;
}

static void free_list(sim_packet_t **first, sim_packet_t **last)
{
    while (*first) {
        sim_packet_t *packet = *first;
        *first = packet->next;
        packet_free(packet);
    }
    *last = NULL;
}

/* ---- on its way ---- */

static bool may_overtake(const sim_network_t *network, message_type_t type)
{
    return network->rates.overtakes &&
           (type == MESSAGE_BLOCK_STATUS_REQUEST || type == MESSAGE_HEARTBEAT_REQUEST ||
            type == MESSAGE_HEARTBEAT_RESPONSE);
}

static void arrive(void *context, uint64_t unused);

static void travel(sim_network_t *network, sim_packet_t *packet)
{
    wire_t *wire = &pair_of_packet(packet)->wires[packet->wire];
    uint64_t most = network->world->has_faults ? network->rates.delay_max_ns : NS_PER_MS;
    if (network->world->has_faults && sim_random_rarely(&network->random, network->rates.slow))
        most *= 100;
    mono_ns_t due =
        mono_add(network->world->now, 100 * NS_PER_US + sim_random_below(&network->random, most));
    if (!may_overtake(network, packet->type)) {
        due = wire->last_due.v > due.v ? wire->last_due : due;
        wire->last_due = due;
    }
    wire->queued++;
    sim_after(network->world, NULL, due.v - network->world->now.v, arrive, packet, 0);
}

static void enter_inbox(sim_packet_t *packet)
{
    append(&packet->to->inbox_first, &packet->to->inbox_last, packet);
    sim_process_wake(packet->to);
}

static void arrive(void *context, uint64_t unused)
{
    (void)unused;
    sim_packet_t *packet = context;
    pair_t *pair = pair_of_packet(packet);
    wire_t *wire = &pair->wires[packet->wire];
    bool is_dead = packet->connection != pair->connection;
    bool is_lost = packet->to->state == SIM_DOWN || (wire->is_cut && !wire->holds);
    if (is_dead || is_lost) {
        if (!is_dead && wire->queued)
            wire->queued--;
        packet_free(packet);
    } else if (wire->is_cut || !pair->is_up) {
        append(&wire->held_first, &wire->held_last, packet);
    } else {
        enter_inbox(packet);
    }
}

static void release(wire_t *wire)
{
    while (wire->held_first) {
        sim_packet_t *packet = wire->held_first;
        wire->held_first = packet->next;
        enter_inbox(packet);
    }
}

static void count(sim_tally_t *tally, const message_t *message)
{
    if (message->header.type == MESSAGE_CANDIDATES_REQUEST)
        tally->questions += message->candidates_request.question_count;
    if (message->header.type != MESSAGE_STREAM_EVENTS)
        return;
    for (uint32_t i = 0; i < message->stream_events.event_count; i++) {
        const stream_message_event_t *event = &message->stream_events.events[i];
        tally->registrations += event->kind == STREAM_READY;
        tally->payloads += event->payload.len > 0;
    }
}

bool sim_network_take(sim_process_t *process, arena_t *arena, message_t *message,
                      sim_process_t **from)
{
    while (process->inbox_first) {
        sim_packet_t *packet = process->inbox_first;
        process->inbox_first = packet->next;
        pair_t *pair = pair_of_packet(packet);
        if (pair->connection == packet->connection && pair->wires[packet->wire].queued)
            pair->wires[packet->wire].queued--;
        uint32_t refused = 0;
        sluice_error_t error = message_decode(&packet->envelope->frames, arena, message, &refused);
        *from = packet->from;
        if (error != SLUICE_OK || refused)
            sim_violated(process->world, "codec", "what %s sent is refused by the codec",
                         packet->from->name);
        packet_free(packet);
        if (error != SLUICE_OK)
            continue;
        sim_describe_message(process->world, process->name, "<-", (*from)->name, message);
        count(&process->world->tally, message);
        sim_moment(process->world,
                   &(sim_moment_t){
                       .kind = SIM_DELIVERED, .from = *from, .to = process, .message = message});
        return true;
    }
    return false;
}

/* ---- sending ---- */

static void depart(sim_packet_t *packet)
{
    pair_t *pair = pair_of_packet(packet);
    sim_network_t *network = packet->from->world->network;
    const sim_network_rates_t *rates = &network->rates;
    bool has_faults = network->world->has_faults;
    if (packet->connection != pair->connection ||
        (has_faults && sim_random_rarely(&network->random, rates->loss))) {
        packet_free(packet);
        return;
    }
    if (has_faults && sim_random_rarely(&network->random, rates->duplication))
        travel(network, packet_copy(packet));
    travel(network, packet);
}

static sluice_error_t send_packet(pair_t *pair, sim_process_t *from, sim_process_t *to,
                                  sim_wire_t wire, const message_t *message)
{
    sim_network_t *network = from->world->network;
    envelope_t *envelope = envelope_new(&network->scratch, message);
    if (!envelope)
        return SLUICE_ERROR_TOO_LARGE;
    sim_describe_message(from->world, from->name, "->", to->name, message);
    sim_packet_t *packet = memory_zalloc(sizeof *packet);
    *packet = (sim_packet_t){.envelope = envelope,
                             .from = from,
                             .to = to,
                             .wire = wire,
                             .type = message->header.type,
                             .connection = pair->connection};
    from->world->loses_message = false;
    sim_moment(from->world,
               &(sim_moment_t){.kind = SIM_SENT, .from = from, .to = to, .message = message});
    if (from->world->loses_message) {
        sim_trace(from->world, from->name, "   it is lost");
        packet_free(packet);
    } else if (from->is_stopping) {
        append(&from->outbox_first, &from->outbox_last, packet);
    } else {
        depart(packet);
    }
    return SLUICE_OK;
}

sluice_error_t sim_network_send_up(sim_process_t *node, sim_process_t *maintainer, sim_wire_t wire,
                                   const message_t *message)
{
    pair_t *pair = pair_of(node, maintainer);
    if (node->is_doomed)
        return SLUICE_OK;
    if (!pair->is_up || pair->wires[wire].queued >= node->world->network->rates.queue_max)
        return SLUICE_ERROR_AGAIN;
    return send_packet(pair, node, maintainer, wire, message);
}

void sim_network_send_down(sim_process_t *maintainer, const node_id_t *node,
                           incarnation_t incarnation, const message_t *message)
{
    sim_world_t *world = maintainer->world;
    if (maintainer->is_doomed)
        return;
    for (uint32_t i = 0; i < world->rates.nodes; i++) {
        pair_t *pair = pair_of(world->nodes[i], maintainer);
        if (!node_id_equal(&world->nodes[i]->id, node) || !pair->is_up ||
            pair->incarnation.v != incarnation.v)
            continue;
        if (pair->wires[SIM_CONTROL_DOWN].queued < 4 * world->network->rates.queue_max)
            (void)!send_packet(pair, maintainer, world->nodes[i], SIM_CONTROL_DOWN, message);
    }
}

sluice_error_t sim_network_send_requests(sim_process_t *client, sim_process_t *server,
                                         const message_t *message)
{
    pair_t *pair = reader_of(client, server);
    if (client->is_doomed)
        return SLUICE_OK;
    if (!pair->is_up ||
        pair->wires[SIM_EVENTS_UP].queued >= client->world->network->rates.queue_max)
        return SLUICE_ERROR_AGAIN;
    return send_packet(pair, client, server, SIM_EVENTS_UP, message);
}

sluice_error_t sim_network_send_events(sim_process_t *server, const node_id_t *node,
                                       incarnation_t incarnation, const message_t *message)
{
    sim_world_t *world = server->world;
    if (server->is_doomed)
        return SLUICE_OK;
    for (uint32_t i = 0; i < world->rates.nodes; i++) {
        pair_t *pair = reader_of(world->nodes[i], server);
        if (!node_id_equal(&world->nodes[i]->id, node) || !pair->is_up ||
            pair->incarnation.v != incarnation.v)
            continue;
        if (pair->wires[SIM_EVENTS_DOWN].queued >= world->network->rates.queue_max)
            return SLUICE_ERROR_AGAIN;
        return send_packet(pair, server, world->nodes[i], SIM_EVENTS_DOWN, message);
    }
    return SLUICE_ERROR_NOT_FOUND;
}

/* ---- connections ---- */

static void disconnect(pair_t *pair)
{
    pair->has_changed |= pair->is_up;
    pair->is_up = false;
    pair->connection++;
    for (int i = 0; i < SIM_WIRE_COUNT; i++) {
        wire_t *wire = &pair->wires[i];
        wire->queued = 0;
        wire->last_due = (mono_ns_t){0};
        free_list(&wire->held_first, &wire->held_last);
    }
}

static void try_connect(void *context, uint64_t connection)
{
    pair_t *pair = context;
    if (pair->connection != connection || !pair->wants_connection || pair->is_up)
        return;
    bool is_cut = false;
    for (int i = 0; i < SIM_WIRE_COUNT; i++)
        is_cut |= pair->wires[i].is_cut;
    if (is_cut || pair->server->state != SIM_UP || pair->client->state != SIM_UP) {
        sim_after(pair->client->world, NULL, RECONNECT_NS, try_connect, pair, connection);
        return;
    }
    pair->is_up = pair->has_changed = true;
    for (int i = 0; i < SIM_WIRE_COUNT; i++)
        release(&pair->wires[i]);
    pair->wires[SIM_STATUS_UP].came_up = pair->wires[SIM_CONTROL_UP].came_up = true;
    sim_trace(pair->client->world, pair->client->name, "is connected to %s", pair->server->name);
    sim_process_wake(pair->client);
}

static void connect_after(pair_t *pair, uint64_t ns)
{
    sim_after(pair->client->world, NULL, ns, try_connect, pair, pair->connection);
}

void sim_network_read_from(sim_process_t *client, sim_process_t *server, incarnation_t incarnation)
{
    pair_t *pair = reader_of(client, server);
    disconnect(pair);
    pair->incarnation = incarnation;
    pair->wants_connection = true;
    pair->has_changed = false;
    connect_after(pair, CONNECT_NS);
}

void sim_network_leave(sim_process_t *client, sim_process_t *server)
{
    pair_t *pair = reader_of(client, server);
    disconnect(pair);
    pair->wants_connection = pair->has_changed = false;
}

bool sim_network_link_changed(sim_process_t *client, sim_process_t *server, bool *is_up)
{
    pair_t *pair = reader_of(client, server);
    bool has_changed = pair->has_changed;
    pair->has_changed = false;
    *is_up = pair->is_up;
    return has_changed;
}

void sim_network_connect(sim_process_t *node, sim_process_t *maintainer, incarnation_t incarnation)
{
    pair_t *pair = pair_of(node, maintainer);
    disconnect(pair);
    pair->incarnation = incarnation;
    pair->wants_connection = true;
    pair->wires[SIM_STATUS_UP].came_up = pair->wires[SIM_CONTROL_UP].came_up = false;
    connect_after(pair, CONNECT_NS);
}

bool sim_network_came_up(sim_process_t *node, sim_process_t *maintainer, sim_wire_t wire)
{
    bool *came_up = &pair_of(node, maintainer)->wires[wire].came_up;
    bool result = *came_up;
    *came_up = false;
    return result;
}

/* What is on its way belongs to the next connection. */
static void keep_backlog(pair_t *pair, uint64_t connection)
{
    sim_event_queue_t *queue = &pair->client->world->queue;
    for (size_t i = 0; i < queue->count; i++) {
        sim_packet_t *packet = queue->heap[i].context;
        if (queue->heap[i].action == arrive && packet->from == pair->client &&
            packet->to == pair->server && packet->connection == connection)
            packet->connection = pair->connection;
    }
}

/* ---- lives ---- */

static void for_each_pair(sim_process_t *process, void (*act)(pair_t *pair))
{
    sim_world_t *world = process->world;
    uint32_t count = process->is_maintainer ? world->rates.nodes : world->rates.maintainers;
    for (uint32_t i = 0; i < count; i++)
        act(pair_of(process, process->is_maintainer ? world->nodes[i] : world->maintainers[i]));
    for (uint32_t i = 0; !process->is_maintainer && i < world->rates.nodes; i++) {
        if (world->nodes[i] == process)
            continue;
        act(reader_of(process, world->nodes[i]));
        act(reader_of(world->nodes[i], process));
    }
}

static void lose(pair_t *pair)
{
    if (!pair->is_up)
        return;
    disconnect(pair);
    if (pair->client->state == SIM_UP)
        sim_process_wake(pair->client);
    if (pair->wants_connection)
        connect_after(pair, RECONNECT_NS);
}

static void lose_but_backlog(pair_t *pair)
{
    uint64_t connection = pair->connection;
    lose(pair);
    keep_backlog(pair, connection);
}

/* The transport's heartbeats are missed. */
static void lose_silent(void *context, uint64_t connection)
{
    pair_t *pair = context;
    if (pair->connection == connection &&
        (pair->client->state != SIM_UP || pair->server->state != SIM_UP))
        lose(pair);
}

/* Likewise when the wires between them have been dead for so long. */
static void lose_cut(void *context, uint64_t connection)
{
    pair_t *pair = context;
    if (pair->connection == connection && pair->wires[SIM_EVENTS_UP].is_cut)
        lose(pair);
}

static void lose_later(pair_t *pair)
{
    sim_after(pair->client->world, NULL, SILENCE_NS, lose_silent, pair, pair->connection);
}

void sim_network_process_started(sim_process_t *process)
{
    /* Who still believes in a connection to the life before is told now. */
    if (process->is_maintainer)
        for_each_pair(process, lose);
    for (uint32_t i = 0; !process->is_maintainer && i < process->world->rates.nodes; i++)
        lose(reader_of(process->world->nodes[i], process));
}

void sim_network_process_ended(sim_process_t *process)
{
    sim_world_t *world = process->world;
    sim_random_t *random = &world->network->random;
    free_list(&process->inbox_first, &process->inbox_last);
    free_list(&process->outbox_first, &process->outbox_last);
    for (uint32_t i = 0; !process->is_maintainer && i < world->rates.maintainers; i++)
        pair_of(process, world->maintainers[i])->wants_connection = false;
    for (uint32_t i = 0; !process->is_maintainer && i < world->rates.nodes; i++)
        reader_of(process, world->nodes[i])->wants_connection = false;
    void (*how)(pair_t * pair) = lose;
    /* Its machine is gone, and no packet says so; or its peers keep what they have queued. */
    if (process->is_maintainer && world->has_faults && sim_random_chance(random, 30))
        how = lose_later;
    else if (process->is_maintainer && world->has_faults && sim_random_chance(random, 20))
        how = lose_but_backlog;
    for_each_pair(process, how);
}

void sim_network_process_stopped(sim_process_t *process)
{
    for_each_pair(process, lose_later);
}

void sim_network_process_continued(sim_process_t *process)
{
    while (process->outbox_first) {
        sim_packet_t *packet = process->outbox_first;
        process->outbox_first = packet->next;
        depart(packet);
    }
    if (process->inbox_first)
        sim_process_wake(process);
}

/* ---- faults ---- */

void sim_network_cut(sim_world_t *world, int node, int maintainer, unsigned wires, bool holds)
{
    pair_t *pair = &world->network->pairs[node][maintainer];
    for (int i = 0; i < SIM_WIRE_COUNT; i++)
        if (wires & (1U << i)) {
            pair->wires[i].is_cut = true;
            pair->wires[i].holds = holds;
        }
    sim_trace(world, pair->client->name, "is cut from %s, wires %u, %s", pair->server->name, wires,
              holds ? "held back" : "lost");
}

void sim_network_join(sim_world_t *world, int node, int maintainer)
{
    pair_t *pair = &world->network->pairs[node][maintainer];
    for (int i = 0; i < SIM_WIRE_COUNT; i++) {
        if (!pair->wires[i].is_cut)
            continue;
        pair->wires[i].is_cut = false;
        if (pair->is_up)
            release(&pair->wires[i]);
    }
    sim_trace(world, pair->client->name, "is joined with %s", pair->server->name);
}

void sim_network_reset(sim_world_t *world, int node, int maintainer, bool keeps_backlog)
{
    pair_t *pair = &world->network->pairs[node][maintainer];
    sim_trace(world, pair->client->name, "loses its connections to %s", pair->server->name);
    (keeps_backlog ? lose_but_backlog : lose)(pair);
}

void sim_network_cut_readers(sim_world_t *world, int client, int server, bool holds)
{
    pair_t *pair = &world->network->readers[client][server];
    for (int i = SIM_EVENTS_UP; i <= SIM_EVENTS_DOWN; i++) {
        pair->wires[i].is_cut = true;
        pair->wires[i].holds = holds;
    }
    sim_trace(world, pair->client->name, "cannot read from %s, %s", pair->server->name,
              holds ? "held back" : "lost");
    /* The transport's heartbeats do not come back either. */
    sim_after(world, NULL, SILENCE_NS, lose_cut, pair, pair->connection);
}

void sim_network_join_readers(sim_world_t *world, int client, int server)
{
    pair_t *pair = &world->network->readers[client][server];
    for (int i = SIM_EVENTS_UP; i <= SIM_EVENTS_DOWN; i++) {
        pair->wires[i].is_cut = false;
        if (pair->is_up)
            release(&pair->wires[i]);
    }
    sim_trace(world, pair->client->name, "can read from %s", pair->server->name);
}

void sim_network_reset_readers(sim_world_t *world, int client, int server)
{
    pair_t *pair = &world->network->readers[client][server];
    sim_trace(world, pair->client->name, "loses its connection to %s", pair->server->name);
    lose(pair);
}

/* ---- the whole ---- */

sim_network_t *sim_network_new(sim_world_t *world)
{
    sim_network_t *network = memory_zalloc(sizeof *network);
    network->world = world;
    network->random = sim_random_split(&world->random);
    network->rates.queue_max = 64;
    for (uint32_t i = 0; i < world->rates.nodes; i++)
        for (uint32_t j = 0; j < world->rates.maintainers; j++)
            network->pairs[i][j] =
                (pair_t){.client = world->nodes[i], .server = world->maintainers[j]};
    for (uint32_t i = 0; i < world->rates.nodes; i++)
        for (uint32_t j = 0; j < world->rates.nodes; j++)
            network->readers[i][j] = (pair_t){.client = world->nodes[i], .server = world->nodes[j]};
    return network;
}

/* The processes are gone, the queue is not. */
void sim_network_destroy(sim_network_t **network)
{
    sim_world_t *world = (*network)->world;
    for (size_t i = 0; i < world->queue.count; i++)
        if (world->queue.heap[i].action == arrive)
            packet_free(world->queue.heap[i].context);
    for (uint32_t i = 0; i < world->rates.nodes; i++)
        for (uint32_t j = 0; j < world->rates.maintainers; j++)
            disconnect(&(*network)->pairs[i][j]);
    for (uint32_t i = 0; i < world->rates.nodes; i++)
        for (uint32_t j = 0; j < world->rates.nodes; j++)
            disconnect(&(*network)->readers[i][j]);
    arena_clear(&(*network)->scratch);
    free(*network);
    *network = NULL;
}
