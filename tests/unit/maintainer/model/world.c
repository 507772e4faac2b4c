#include "tests/unit/maintainer/model/world.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/memory.h"

#define MS(n) ((n)*NS_PER_MS)

static const changefeed_uuid_t uuid = {{1, 2, 3, 4, 5, 6, 7, 8, 9}};

/* Effects of one step, alive as long as a packet points into them. */
typedef struct {
    effects_t effects;
    uint32_t references;
} batch_t;

struct packet {
    packet_t *next;
    mono_ns_t due;
    model_node_t *to; /* NULL: the coordinator */
    int link;         /* of which node */
    incarnation_t incarnation;
    const message_t *message; /* NULL: CHANGEFEED_OPEN */
    changefeed_ref_t ref;
    uint64_t epoch;
    batch_t *batch; /* owner of the message, or */
    arena_t *arena; /* this, shared by copies */
    uint32_t *arena_references;
};

/* ---- network ---- */

static void packet_free(packet_t *packet)
{
    if (packet->batch && --packet->batch->references == 0) {
        effects_clear(&packet->batch->effects);
        free(packet->batch);
    }
    if (packet->arena && --*packet->arena_references == 0) {
        arena_clear(packet->arena);
        free(packet->arena);
        free(packet->arena_references);
    }
    free(packet);
}

static bool is_lost(world_t *world, const model_node_t *node)
{
    bool lost = world->is_cut[node - world->nodes] || random_chance(&world->random, world->loss);
    world->packets_lost += lost;
    return lost;
}

/* A control socket keeps the order of what it does not lose. Statuses and what answers them may
 * overtake each other here, which is more than a socket does. */
static bool keeps_order(const packet_t *packet)
{
    if (!packet->message)
        return true;
    message_type_t type = packet->message->header.type;
    return type != MESSAGE_BLOCK_STATUS_REQUEST && type != MESSAGE_HEARTBEAT_REQUEST &&
           type != MESSAGE_HEARTBEAT_RESPONSE;
}

static void put(world_t *world, const packet_t *content)
{
    packet_t *packet = memory_alloc(sizeof *packet);
    *packet = *content;
    packet->due = mono_add(world->now, MS(1 + random_below(&world->random, world->delay_ms_max)));
    if (keeps_order(packet)) {
        mono_ns_t *last = &world->last_due[packet->link][packet->to == NULL];
        packet->due = last->v > packet->due.v ? *last : packet->due;
        *last = packet->due;
    }
    packet->next = world->packets;
    world->packets = packet;
    if (packet->batch)
        packet->batch->references++;
    if (packet->arena)
        ++*packet->arena_references;
}

static void node_sends(void *context, model_node_t *node, message_t *message, arena_t arena)
{
    world_t *world = context;
    if (is_lost(world, node) || !world->coordinator) {
        arena_clear(&arena);
        return;
    }
    packet_t packet = {.message = message,
                       .link = (int)(node - world->nodes),
                       .arena = memory_alloc(sizeof arena),
                       .arena_references = memory_zalloc(sizeof(uint32_t))};
    *packet.arena = arena;
    put(world, &packet);
    if (random_chance(&world->random, world->duplication))
        put(world, &packet);
}

static model_node_t *node_of(world_t *world, const node_id_t *id)
{
    for (int i = 0; i < world->node_count; i++)
        if (node_id_equal(&world->nodes[i].id, id))
            return &world->nodes[i];
    fail_msg("message for an unknown node");
    return NULL;
}

static void deliver(world_t *world)
{
    packet_t *due = NULL;
    for (packet_t **link = &world->packets; *link;) {
        packet_t *packet = *link;
        bool is_unread = world->is_asleep && !packet->to;
        if (is_unread || !mono_reached(packet->due, world->now)) {
            link = &packet->next;
            continue;
        }
        *link = packet->next;
        packet->next = due;
        due = packet;
    }
    while (due) {
        packet_t *packet = due;
        due = packet->next;
        model_node_t *node = packet->to;
        if (!node && world->coordinator)
            coordinator_receive(world->coordinator, world->now, packet->message);
        if (node && node->is_up && node->incarnation.v == packet->incarnation.v) {
            if (packet->message)
                model_node_receive(node, world->now, packet->message);
            else
                model_node_open(node, world->now, packet->ref, packet->epoch);
        }
        packet_free(packet);
    }
}

static void drop_packets(world_t *world, bool to_coordinator)
{
    for (packet_t **link = &world->packets; *link;) {
        packet_t *packet = *link;
        if ((packet->to == NULL) != to_coordinator) {
            link = &packet->next;
            continue;
        }
        *link = packet->next;
        packet_free(packet);
    }
}

/* ---- what is checked of what the coordinator sends ---- */

static int table_of_dispatcher(const world_t *world, dispatcher_id_t id)
{
    for (int i = 0; i < world->node_count; i++)
        for (int j = 0; j < DISPATCHERS_MAX; j++) {
            const model_dispatcher_t *d = &world->nodes[i].dispatchers[j];
            if (d->is_used && dispatcher_id_equal(d->id, id))
                return d->table;
        }
    return -2;
}

static void check_action(world_t *world, const barrier_action_t *action)
{
    const block_payload_t *payload = log_payload(&world->log, action->key);
    assert_non_null(payload);
    if (action->kind == ACTION_PASS) {
        world->passes_seen++;
        assert_true(sink_has(&world->sink, action->key)); /* B5 */
        return;
    }
    world->writes_seen++;
    assert_int_equal(action->dispatcher_count, 1);
    if (!sink_has(&world->sink, action->key))
        sink_check_write(&world->sink, action->key); /* B2 */
    int writer = table_of_dispatcher(world, action->dispatchers[0]);
    if (writer == -2)
        return; /* gone meanwhile */
    /* B4. */
    if (payload->influence.kind != INFLUENCE_NORMAL ||
        log_blocks(&world->log, action->key, TRIGGER))
        assert_int_equal(writer, TRIGGER);
    assert_true(log_blocks(&world->log, action->key, writer));
    /* B3: nobody else is writing it. */
    for (int i = 0; i < world->node_count; i++)
        for (int j = 0; world->nodes[i].is_up && j < DISPATCHERS_MAX; j++) {
            const model_dispatcher_t *d = &world->nodes[i].dispatchers[j];
            if (d->is_used && d->stage == STAGE_WRITING && event_key_equal(d->key, action->key) &&
                sink_owns(&world->sink, d->table, d->epoch))
                assert_true(dispatcher_id_equal(d->id, action->dispatchers[0]));
        }
}

/* F3: nobody who may still write carries it. A table that begins is left out: after a take-over its
 * dispatcher may be closed as unlisted when the trigger reports its creation again, and the sink's
 * assignment epoch decides between the two. */
static void check_only_owner(const world_t *world, const schedule_create_t *create)
{
    if (create->created.v && create->start.passed.commit_ts.v == create->created.v)
        return;
    int table = log_table(&world->log, create->span.table_id);
    for (int i = 0; i < world->node_count; i++)
        for (int j = 0; world->nodes[i].is_up && j < DISPATCHERS_MAX; j++) {
            const model_dispatcher_t *d = &world->nodes[i].dispatchers[j];
            if (d->is_used && d->table == table &&
                !mono_reached(world->nodes[i].lease_until, world->now))
                assert_true(dispatcher_id_equal(d->id, create->dispatcher_id));
        }
}

/* B11: what a DDL adds is scheduled when it was written. */
static void check_create(const world_t *world, const schedule_create_t *create)
{
    check_only_owner(world, create);
    if (create->created.v)
        assert_true(sink_has(&world->sink, (event_key_t){create->created, false}));
    assert_true(create->start.checkpoint.v >= world->stored.checkpoint.v ||
                create->span.table_id.v != 0);
}

static void check_sent(world_t *world, const message_t *message)
{
    if (message->header.type == MESSAGE_HEARTBEAT_RESPONSE)
        for (uint32_t i = 0; i < message->heartbeat_response.action_count; i++)
            check_action(world, &message->heartbeat_response.actions[i]);
    if (message->header.type == MESSAGE_SCHEDULE_REQUEST)
        for (uint32_t i = 0; i < message->schedule_request.create_count; i++)
            check_create(world, &message->schedule_request.creates[i]);
}

/* ---- effects ---- */

static void store(world_t *world, const stored_changefeed_t *stored)
{
    arena_t arena = {0};
    stored_changefeed_t copy = *stored;
    copy.config = changefeed_config_copy(&arena, &stored->config);
    copy.error_text = arena_bytes(&arena, stored->error_text);
    arena_clear(&world->stored_arena);
    world->stored_arena = arena;
    world->stored = copy;
    world->has_changefeed = true;
}

static void persist_checkpoint(world_t *world, const effect_t *effect)
{
    if (effect->maintainer_epoch != world->stored.maintainer_epoch)
        return;
    /* K1, and that the anchor is usable. */
    assert_true(effect->position.checkpoint.v >= world->stored.checkpoint.v);
    assert_true(effect->position.anchor.commit_ts.v >= world->stored.anchor.commit_ts.v);
    assert_true(effect->position.anchor.commit_ts.v <= effect->position.checkpoint.v);
    sink_check_checkpoint(&world->sink, effect->position.checkpoint.v);
    world->stored.checkpoint = effect->position.checkpoint;
    world->stored.anchor = effect->position.anchor;
}

static void carry_out_send(world_t *world, batch_t *batch, const effect_t *effect)
{
    model_node_t *node = node_of(world, &effect->node);
    packet_t packet = {.to = node,
                       .link = (int)(node - world->nodes),
                       .incarnation = effect->incarnation,
                       .ref = effect->changefeed,
                       .epoch = effect->maintainer_epoch,
                       .batch = batch};
    world->packets_sent++;
    if (effect->kind == EFFECT_SEND) {
        check_sent(world, effect->message);
        packet.message = effect->message;
    }
    if (is_lost(world, node))
        return;
    put(world, &packet);
    if (random_chance(&world->random, world->duplication))
        put(world, &packet);
}

static void take_answer(world_t *world, const effect_t *effect)
{
    world->answers_seen++;
    world->answered_request = effect->answer.request_id;
    world->last_answer = effect->answer.error;
    snprintf(world->answer_text, sizeof world->answer_text, "%.*s", (int)effect->answer.text.len,
             (const char *)effect->answer.text.data);
}

static bool is_persisting(const effect_t *effect)
{
    return effect->persist_id || effect->kind == EFFECT_CONFIRM_EPOCH ||
           effect->kind == EFFECT_PERSIST_SLOT || effect->kind == EFFECT_FORGET_CHANGEFEED;
}

static void carry_out(world_t *world, batch_t *batch, const effect_t *effect)
{
    if (world->is_store_gone && is_persisting(effect)) {
        coordinator_persisted(world->coordinator, world->now, effect->persist_id,
                              SLUICE_ERROR_META_STORE);
        return;
    }
    switch (effect->kind) {
    case EFFECT_SEND:
    case EFFECT_SEND_OPEN:
        carry_out_send(world, batch, effect);
        break;
    case EFFECT_PERSIST_SLOT:
        world->slots[node_of(world, &effect->node) - world->nodes] = effect->slot;
        world->has_slot[node_of(world, &effect->node) - world->nodes] = true;
        break;
    case EFFECT_PERSIST_CHANGEFEED:
        store(world, &effect->stored);
        break;
    case EFFECT_PERSIST_STATE:
        world->stored.state = effect->stored.state;
        world->stored.maintainer_epoch = effect->stored.maintainer_epoch;
        world->failures_seen += effect->stored.state == CHANGEFEED_FAILED;
        break;
    case EFFECT_PERSIST_CHECKPOINT:
        persist_checkpoint(world, effect);
        break;
    case EFFECT_FORGET_CHANGEFEED:
        world->has_changefeed = false;
        break;
    case EFFECT_CONFIRM_EPOCH:
        coordinator_epoch_confirmed(world->coordinator, world->now);
        break;
    case EFFECT_ANSWER:
        take_answer(world, effect);
        break;
    case EFFECT_PERSIST_SNAPSHOT:
    case EFFECT_PERSIST_DDLS:
    case EFFECT_FORGET_SCHEMA:
    case EFFECT_LOG:
        break;
    }
    if (effect->persist_id)
        coordinator_persisted(world->coordinator, world->now, effect->persist_id, SLUICE_OK);
}

static void step_coordinator(world_t *world)
{
    /* A step may make another due at once; one that never rests is a defect. */
    for (int turns = 0; world->coordinator &&
                        mono_reached(coordinator_next_deadline(world->coordinator), world->now);
         turns++) {
        assert_true(turns < 100);
        batch_t *batch = memory_zalloc(sizeof *batch);
        batch->references = 1;
        coordinator_step(world->coordinator, world->now, &batch->effects);
        for (size_t i = 0; i < batch->effects.count; i++)
            carry_out(world, batch, &batch->effects.items[i]);
        packet_t *end = memory_zalloc(sizeof *end);
        end->batch = batch;
        packet_free(end);
    }
}

/* ---- life ---- */

void world_start(world_t *world, uint64_t seed, int nodes, uint64_t log_length, int tables)
{
    *world = (world_t){.random = {seed ^ 0x5eed}, .now = {NS_PER_S}, .node_count = nodes};
    world->delay_ms_max = 20;
    log_draw(&world->log, seed, log_length, tables);
    world->sink.log = &world->log;
    maintainer_settings_default(&world->settings);
    world->nodes = memory_zalloc(NODES_MAX * sizeof *world->nodes);
    for (int i = 0; i < nodes; i++) {
        model_node_t *node = &world->nodes[i];
        char name[16];
        snprintf(name, sizeof name, "n%d", i + 1);
        assert_true(node_id_parse(bytes_of_text(name), &node->id));
        node->log = &world->log;
        node->sink = &world->sink;
        node->random = &world->random;
        node->world = world;
        node->now = &world->now;
        node->send = node_sends;
        model_node_start(node, world->now, (incarnation_t){1});
    }
    world_start_coordinator(world);
}

void world_end(world_t *world)
{
    world_stop_coordinator(world);
    drop_packets(world, false);
    drop_packets(world, true);
    free(world->nodes);
    arena_clear(&world->stored_arena);
    log_clear(&world->log);
}

void world_start_coordinator(world_t *world)
{
    node_id_t name;
    assert_true(node_id_parse(bytes_of_text("maintainer"), &name));
    world->coordinator =
        coordinator_new(&world->settings, &name, (incarnation_t){world->now.v}, world->now);
    for (int i = 0; i < world->node_count; i++)
        if (world->has_slot[i])
            coordinator_load_slot(world->coordinator, &world->nodes[i].id, world->slots[i]);
    /* Nodes see the connection come up and say hello. */
    for (int i = 0; i < world->node_count; i++) {
        world->nodes[i].is_welcome = false;
        world->nodes[i].hello_at = world->now;
    }
    if (!world->has_changefeed)
        return;
    world->stored.maintainer_epoch++;
    error_report_t report;
    assert_int_equal(
        coordinator_load_changefeed(world->coordinator, world->now, &world->stored, &report),
        SLUICE_OK);
}

void world_stop_coordinator(world_t *world)
{
    coordinator_destroy(&world->coordinator);
    drop_packets(world, true);
}

void world_create_changefeed(world_t *world)
{
    changefeed_config_t config = {.name = bytes_of_text("feed"),
                                  .source = bytes_of_text("simulated://"),
                                  .sink = bytes_of_text("blackhole://")};
    error_report_t report;
    assert_int_equal(coordinator_create(world->coordinator, world->now, 1, uuid, &config, &report),
                     SLUICE_OK);
}

void world_run(world_t *world, uint64_t ms)
{
    mono_ns_t end = mono_add(world->now, MS(ms));
    while (world->now.v < end.v) {
        world->now = mono_add(world->now, MS(10));
        if (world->log.head < world->log.length && random_chance(&world->random, 8))
            world->log.head++;
        deliver(world);
        if (!world->is_asleep)
            step_coordinator(world);
        for (int i = 0; i < world->node_count; i++)
            model_node_tick(&world->nodes[i], world->now);
    }
}

/* ---- rest ---- */

static int carriers(const world_t *world, int table)
{
    int count = 0;
    for (int i = 0; i < world->node_count; i++)
        for (int j = 0; world->nodes[i].is_up && j < DISPATCHERS_MAX; j++) {
            const model_dispatcher_t *d = &world->nodes[i].dispatchers[j];
            count += d->is_used && d->is_working && d->table == table &&
                     d->done == world->log.length && d->stage == STAGE_NONE;
        }
    return count;
}

static int all_dispatchers(const world_t *world)
{
    int count = 0;
    for (int i = 0; i < world->node_count; i++)
        for (int j = 0; world->nodes[i].is_up && j < DISPATCHERS_MAX; j++)
            count += world->nodes[i].dispatchers[j].is_used;
    return count;
}

bool world_is_at_rest(const world_t *world)
{
    if (world->log.head < world->log.length || !world->coordinator ||
        world->stored.checkpoint.v != world->log.length)
        return false;
    int wanted = 1;
    for (int table = 0; table < world->log.table_count; table++) {
        if (world->log.tables[table].dropped)
            continue;
        wanted++;
        if (carriers(world, table) != 1)
            return false;
    }
    if (carriers(world, TRIGGER) != 1 || all_dispatchers(world) != wanted)
        return false;
    for (uint64_t ts = 1; ts <= world->log.length; ts++)
        for (int sync = 0; sync < 2; sync++) {
            event_key_t key = {{ts}, sync};
            if (log_payload(&world->log, key) && !sink_has(&world->sink, key))
                return false;
        }
    arena_t arena = {0};
    barrier_view_t *views;
    size_t open = 0;
    assert_int_equal(coordinator_barriers(world->coordinator, world->now, bytes_of_text("feed"),
                                          &arena, &views, &open),
                     SLUICE_OK);
    arena_clear(&arena);
    return open == 0;
}

bool world_settle(world_t *world, uint64_t ms)
{
    world->log.head = world->log.length;
    for (uint64_t passed = 0; passed < ms; passed += 100) {
        if (world_is_at_rest(world))
            return true;
        world_run(world, 100);
    }
    return world_is_at_rest(world);
}
