/* What a running maintainer makes of the heartbeats and statuses of its nodes. */
#include "tests/testing.h"

#include "maintainer/core/maintainer.h"

enum { NODES = 2, START = 10 };

static const changefeed_ref_t feed = {.uuid = {{1}}, .generation = 1};

typedef struct {
    maintainer_settings_t settings;
    node_set_t *nodes;
    node_index_t node[NODES];
    maintainer_t *maintainer;
    effects_t effects; /* of the last step */
    arena_t arena;
    mono_ns_t now;
    /* The trigger's newest create. */
    node_index_t trigger_node;
    schedule_create_t trigger;
    uint32_t writes_ordered;
} fixture_t;

/* ---- what it sends ---- */

static void look_at_message(fixture_t *f, const effect_t *effect)
{
    const message_t *message = effect->message;
    if (message->header.type == MESSAGE_SCHEDULE_REQUEST)
        for (uint32_t i = 0; i < message->schedule_request.create_count; i++) {
            f->trigger = message->schedule_request.creates[i];
            f->trigger_node = node_set_find(f->nodes, &effect->node);
            assert_int_equal(f->trigger.span.table_id.v, TABLE_ID_TRIGGER.v);
        }
    if (message->header.type == MESSAGE_HEARTBEAT_RESPONSE)
        for (uint32_t i = 0; i < message->heartbeat_response.action_count; i++)
            f->writes_ordered += message->heartbeat_response.actions[i].kind == ACTION_WRITE;
}

static void step(fixture_t *f)
{
    f->now = mono_add(f->now, 100 * NS_PER_MS);
    sender_t sender = {.effects = &f->effects,
                       .nodes = f->nodes,
                       .maintainer_epoch = 1,
                       .ref = feed,
                       .changefeed = bytes_of_text("feed")};
    effects_reset(&f->effects);
    maintainer_step(f->maintainer, f->now, &sender);
    for (size_t i = 0; i < f->effects.count; i++) {
        const effect_t *effect = &f->effects.items[i];
        if (effect->kind == EFFECT_SEND)
            look_at_message(f, effect);
        if (effect->persist_id)
            maintainer_persisted(f->maintainer, f->now, effect->persist_id, SLUICE_OK);
    }
}

/* ---- what nodes say ---- */

static void say(fixture_t *f, node_index_t node, message_t *message, message_type_t type)
{
    message->header.type = type;
    message->header.incarnation.v = 1;
    maintainer_receive(f->maintainer, f->now, node, message);
    step(f);
}

/* It has opened the changefeed, and carries nothing of it. */
static void say_opened(fixture_t *f, node_index_t node)
{
    message_t opened = {.changefeed_opened = {.changefeed = feed}};
    say(f, node, &opened, MESSAGE_CHANGEFEED_OPENED);
    message_t response = {.bootstrap_response = {.changefeed = feed, .is_last_piece = true}};
    say(f, node, &response, MESSAGE_BOOTSTRAP_RESPONSE);
}

static void say_watermark(fixture_t *f, uint64_t checkpoint, const dispatcher_heartbeat_t *entry)
{
    message_t message = {
        .heartbeat_request = {.has_changefeed = true,
                              .changefeed = feed,
                              .has_watermark = true,
                              .watermark = {1, {checkpoint}, {checkpoint}, COMMIT_TS_NONE},
                              .is_last_piece = true,
                              .entries = entry,
                              .entry_count = entry != NULL}};
    say(f, f->trigger_node, &message, MESSAGE_HEARTBEAT_REQUEST);
}

/* The trigger works where its create had it begin. */
static void say_trigger_works(fixture_t *f)
{
    dispatcher_heartbeat_t entry = {f->trigger.dispatcher_id, DISPATCHER_WORKING, f->trigger.start};
    say_watermark(f, f->trigger.start.checkpoint.v, &entry);
}

static void say_trigger_waits(fixture_t *f, event_key_t key, const block_payload_t *payload)
{
    block_status_group_t group = {.key = key,
                                  .stage = STAGE_WAITING,
                                  .is_blocked = true,
                                  .payload = payload,
                                  .dispatchers = &f->trigger.dispatcher_id,
                                  .passed = &EVENT_KEY_NONE,
                                  .dispatcher_count = 1};
    message_t message = {
        .header.sequence = 1,
        .block_status_request = {.changefeed = feed, .groups = &group, .group_count = 1}};
    say(f, f->trigger_node, &message, MESSAGE_BLOCK_STATUS_REQUEST);
}

static size_t gates_open(fixture_t *f)
{
    barrier_view_t *views;
    return maintainer_barriers(f->maintainer, f->now, &f->arena, &views);
}

/* ---- life ---- */

static node_index_t join(fixture_t *f, const char *name)
{
    node_id_t id;
    assert_true(node_id_parse(bytes_of_text(name), &id));
    hello_t hello = {.host = bytes_of_text("h"), .version = bytes_of_text("v")};
    return node_set_hello(f->nodes, &id, (incarnation_t){1}, &hello).node;
}

/* Two nodes, no table yet, and the trigger at one of them. */
static void begin(fixture_t *f)
{
    *f = (fixture_t){.now = {1000 * NS_PER_S}};
    maintainer_settings_default(&f->settings);
    effects_init(&f->effects);
    f->nodes = node_set_new(&f->settings, f->now);
    f->node[0] = join(f, "n1");
    f->node[1] = join(f, "n2");
    maintainer_start_t start = {.ref = feed,
                                .maintainer_epoch = 1,
                                .checkpoint = {START},
                                .anchor = {.commit_ts = {START}},
                                .is_new = true};
    f->maintainer = maintainer_new(&f->settings, f->nodes, &start, f->node, NODES, f->now);
    step(f);
    say_opened(f, f->node[0]);
    say_opened(f, f->node[1]);
    assert_int_equal(f->trigger.start.checkpoint.v, START);
    message_t list = {.table_list = {.changefeed = feed, .at = {START}, .is_last_piece = true}};
    say(f, f->trigger_node, &list, MESSAGE_TABLE_LIST);
    say_trigger_works(f);
}

static void end(fixture_t *f)
{
    maintainer_destroy(&f->maintainer);
    node_set_destroy(&f->nodes);
    effects_clear(&f->effects);
    arena_clear(&f->arena);
}

static void trigger_comes_to_20(fixture_t *f)
{
    table_id_t trigger_only[] = {TABLE_ID_TRIGGER};
    block_payload_t payload = {
        .influence = {.kind = INFLUENCE_NORMAL, .table_ids = trigger_only, .table_count = 1}};
    say_trigger_waits(f, (event_key_t){{20}, false}, &payload);
}

/* ---- tests ---- */

/* The trigger writes an event, and with its node goes what it would have said of that; only the
 * watermark came. The next one begins behind the event, and its first report is what its create
 * says. */
static void a_trigger_that_begins_behind_an_event_proves_that_it_was_passed(void **state)
{
    (void)state;
    fixture_t f;
    begin(&f);
    trigger_comes_to_20(&f);
    assert_int_equal(f.writes_ordered, 1);
    say_watermark(&f, 25, NULL);
    assert_int_equal(gates_open(&f), 1);
    node_index_t left = f.trigger_node;
    maintainer_node_left(f.maintainer, f.now, left);
    step(&f);
    assert_int_not_equal(f.trigger_node.v, left.v);
    assert_int_equal(f.trigger.start.checkpoint.v, 25);
    assert_int_equal(gates_open(&f), 1); /* it does not work yet */
    say_trigger_works(&f);
    assert_int_equal(gates_open(&f), 0);
    end(&f);
}

/* The same, where the next trigger begins before the event: it meets it again, and the gate stays
 * until it has. */
static void a_trigger_that_begins_before_an_event_proves_nothing(void **state)
{
    (void)state;
    fixture_t f;
    begin(&f);
    trigger_comes_to_20(&f);
    say_watermark(&f, 19, NULL);
    maintainer_node_left(f.maintainer, f.now, f.trigger_node);
    step(&f);
    assert_int_equal(f.trigger.start.checkpoint.v, 19);
    say_trigger_works(&f);
    assert_int_equal(gates_open(&f), 1);
    uint32_t ordered = f.writes_ordered;
    f.now = mono_add(f.now, f.settings.action_resend_ns);
    trigger_comes_to_20(&f);
    assert_int_equal(f.writes_ordered, ordered + 1);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trigger_that_begins_behind_an_event_proves_that_it_was_passed),
        cmocka_unit_test(a_trigger_that_begins_before_an_event_proves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
