/* What the trigger's node tells of the schema, with the maintainer's log of it at the other end: it
 * is persisted and acknowledged, whatever is lost, refused or slow on the way. */
#include "tests/unit/node/node_fixture.h"

#include "maintainer/core/schema_log.h"

enum { PERSISTS_MAX = 1024, ACKS_MAX = 64 };

#define STEP_NS (10 * NS_PER_MS)

typedef struct {
    uint64_t id;
    mono_ns_t done_at;
} persist_t;

typedef struct {
    world_t *world;
    node_set_t *nodes;
    node_index_t node;
    effects_t effects;
    sender_t sender;
    schema_log_t *log;
    uint64_t next_id;
    persist_t persists[PERSISTS_MAX]; /* under way */
    uint32_t persist_count;
    message_t acks[ACKS_MAX];
    uint32_t ack_count;
    uint64_t checkpoint, epoch;
    uint64_t persist_ns;
    uint32_t snapshots, ddls; /* messages, of snapshots the first pieces */
    /* Chance, in percent. */
    uint64_t seed;
    uint32_t loses, refuses, fails;
    bool cuts_snapshot; /* the next one's first piece is the only one that is taken */
} telling_t;

static uint64_t draw(telling_t *telling, uint64_t below)
{
    telling->seed = telling->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (telling->seed >> 33) % below;
}

static bool has_luck(telling_t *telling, uint32_t percent)
{
    return percent > 0 && draw(telling, 100) < percent;
}

/* ---- the maintainer ---- */

static void carry_out(telling_t *telling)
{
    for (size_t i = 0; i < telling->effects.count; i++) {
        const effect_t *effect = &telling->effects.items[i];
        if (effect->persist_id) {
            assert_true(telling->persist_count < PERSISTS_MAX);
            telling->persists[telling->persist_count++] =
                (persist_t){effect->persist_id, mono_add(telling->world->now, telling->persist_ns)};
        } else if (effect->kind == EFFECT_SEND && !has_luck(telling, telling->loses)) {
            assert_true(telling->ack_count < ACKS_MAX);
            message_t ack = message_of(MESSAGE_SCHEMA_SNAPSHOT_ACK, telling->epoch);
            ack.schema_snapshot_ack = effect->message->schema_snapshot_ack;
            telling->acks[telling->ack_count++] = ack;
        }
    }
    effects_reset(&telling->effects);
}

static void listen(void *listener, const message_t *message)
{
    telling_t *telling = listener;
    telling->world->links[0].is_full = has_luck(telling, telling->refuses);
    if (has_luck(telling, telling->loses))
        return;
    if (message->header.type == MESSAGE_SCHEMA_DDL) {
        telling->ddls++;
        schema_log_ddls(telling->log, telling->node, &message->schema_ddls, &telling->sender,
                        &telling->next_id);
    } else if (message->header.type == MESSAGE_SCHEMA_SNAPSHOT) {
        telling->snapshots += message->schema_snapshot.piece == 0;
        telling->world->links[0].is_full |= telling->cuts_snapshot;
        telling->cuts_snapshot = false;
        schema_log_snapshot(telling->log, telling->node, &message->schema_snapshot,
                            &telling->sender, &telling->next_id);
    }
    carry_out(telling);
}

static void confirm_persists(telling_t *telling)
{
    while (telling->persist_count > 0 &&
           mono_reached(telling->persists[0].done_at, telling->world->now)) {
        uint64_t id = telling->persists[0].id;
        memmove(telling->persists, telling->persists + 1,
                --telling->persist_count * sizeof(persist_t));
        (void)schema_log_persisted(telling->log, id,
                                   has_luck(telling, telling->fails) ? SLUICE_ERROR_IO : SLUICE_OK,
                                   &telling->sender);
        carry_out(telling);
    }
}

/* Another maintainer knows the schema as complete up to the persisted anchor. */
static void start_maintainer(telling_t *telling, uint64_t anchor)
{
    schema_log_destroy(&telling->log);
    telling->log = schema_log_new((commit_ts_t){anchor});
    telling->persist_count = telling->ack_count = 0;
    telling->epoch++;
    say_open(telling->world, 0, telling->epoch, 1);
}

/* ---- time ---- */

static void set_up(telling_t *telling, world_t *world)
{
    *telling = (telling_t){.world = world, .next_id = 1, .checkpoint = START, .epoch = EPOCH - 1};
    maintainer_settings_t settings;
    maintainer_settings_default(&settings);
    telling->nodes = node_set_new(&settings, world->now);
    node_id_t id;
    assert_true(node_id_parse(bytes_of_text("n"), &id));
    hello_t hello = {0};
    telling->node = node_set_hello(telling->nodes, &id, (incarnation_t){1}, &hello).node;
    telling->sender =
        (sender_t){.effects = &telling->effects, .nodes = telling->nodes, .ref = ref_of(1)};
    world->listen = listen;
    world->listener = telling;
    world->snapshot_len = 3 << 20;
    world->has_ddls = true;
    welcome(world, 0);
    start_maintainer(telling, START);
    say_create(world, 0, EPOCH, 0);
}

static void tear_down(telling_t *telling)
{
    schema_log_destroy(&telling->log);
    node_set_destroy(&telling->nodes);
    effects_clear(&telling->effects);
}

/* The trigger's checkpoint moves on by `speed` a step. */
static void go_on(telling_t *telling, uint64_t ns, uint64_t speed)
{
    world_t *world = telling->world;
    for (uint64_t gone = 0; gone < ns; gone += STEP_NS) {
        world->now = mono_add(world->now, STEP_NS);
        world->links[0].is_full = has_luck(telling, telling->refuses);
        telling->checkpoint += speed;
        deliver_resolved(world, 0, 1, telling->checkpoint);
        confirm_persists(telling);
        uint32_t count = telling->ack_count;
        telling->ack_count = 0;
        for (uint32_t i = 0; i < count; i++)
            hear(world, 0, &telling->acks[i]);
    }
}

static uint64_t complete_to(const telling_t *telling)
{
    return schema_log_complete_to(telling->log).v;
}

/* ---- cases ---- */

static void ddls_follow_the_checkpoint(void **state)
{
    telling_t telling;
    set_up(&telling, *state);
    go_on(&telling, 10 * NS_PER_S, 1);
    assert_in_range(complete_to(&telling), telling.checkpoint - 60, telling.checkpoint);
    go_on(&telling, NS_PER_S, 0);
    assert_int_equal(complete_to(&telling), telling.checkpoint);
    assert_int_equal(telling.snapshots, 0);
    tear_down(&telling);
}

static void a_snapshot_takes_the_place_of_ddls_that_are_not_known_any_more(void **state)
{
    telling_t telling;
    set_up(&telling, *state);
    go_on(&telling, NS_PER_S, 1);
    telling.world->ddls_error = SLUICE_ERROR_NOT_FOUND;
    for (int step = 0; step < 60 && telling.snapshots == 0; step++)
        go_on(&telling, STEP_NS, 1);
    assert_int_equal(telling.snapshots, 1);
    telling.world->ddls_error = SLUICE_OK;
    go_on(&telling, NS_PER_S, 1);
    assert_int_equal(telling.snapshots, 1);
    assert_in_range(complete_to(&telling), telling.checkpoint - 60, telling.checkpoint);
    tear_down(&telling);
}

static void a_maintainer_that_knows_less_gets_a_snapshot(void **state)
{
    telling_t telling;
    set_up(&telling, *state);
    go_on(&telling, 2 * NS_PER_S, 1);
    start_maintainer(&telling, START + 10);
    go_on(&telling, 1200 * NS_PER_MS, 1);
    assert_int_equal(telling.snapshots, 1);
    assert_in_range(complete_to(&telling), telling.checkpoint - 60, telling.checkpoint);
    tear_down(&telling);
}

/* The log stands still, and still the new one must come to know what the old one knew. */
static void a_new_maintainer_is_told_without_any_news(void **state)
{
    telling_t telling;
    set_up(&telling, *state);
    go_on(&telling, 2 * NS_PER_S, 1);
    go_on(&telling, NS_PER_S, 0);
    assert_int_equal(complete_to(&telling), telling.checkpoint);
    start_maintainer(&telling, START + 10);
    go_on(&telling, NS_PER_S, 0);
    assert_int_equal(complete_to(&telling), telling.checkpoint);
    uint32_t said = telling.ddls + telling.snapshots;
    go_on(&telling, 10 * NS_PER_S, 0);
    assert_int_equal(telling.ddls + telling.snapshots, said);
    tear_down(&telling);
}

/* Each repeat is of a later position, and what is acknowledged is the first one's. */
static void a_snapshot_is_acknowledged_however_long_it_takes_to_persist(void **state)
{
    telling_t telling;
    set_up(&telling, *state);
    telling.persist_ns = 7 * NS_PER_S;
    telling.world->ddls_error = SLUICE_ERROR_NOT_FOUND;
    go_on(&telling, 1 * NS_PER_S, 1);
    telling.world->ddls_error = SLUICE_OK;
    go_on(&telling, 9 * NS_PER_S, 1);
    assert_in_range(telling.snapshots, 1, 2);
    assert_true(complete_to(&telling) > START);
    go_on(&telling, 20 * NS_PER_S, 1);
    assert_in_range(telling.snapshots, 1, 2);
    assert_true(telling.ddls > 0);
    tear_down(&telling);
}

static void a_refused_piece_does_not_hold_the_snapshot_up_for_long(void **state)
{
    telling_t telling;
    set_up(&telling, *state);
    telling.persist_ns = 2 * NS_PER_S;
    telling.cuts_snapshot = true;
    telling.world->ddls_error = SLUICE_ERROR_NOT_FOUND;
    go_on(&telling, NS_PER_S, 1);
    assert_int_equal(telling.snapshots, 1);
    telling.world->ddls_error = SLUICE_OK;
    /* The next one is whole, and comes while the piece of the first is being persisted. */
    go_on(&telling, 3 * NS_PER_S, 1);
    assert_int_equal(telling.snapshots, 2);
    assert_true(complete_to(&telling) > START);
    tear_down(&telling);
}

static void draw_trouble(telling_t *telling)
{
    telling->loses = draw(telling, 2) ? 0 : (uint32_t)draw(telling, 60);
    telling->refuses = draw(telling, 2) ? 0 : (uint32_t)draw(telling, 60);
    telling->fails = draw(telling, 2) ? 0 : (uint32_t)draw(telling, 60);
    telling->persist_ns = draw(telling, 2) ? 0 : draw(telling, 9 * NS_PER_S);
    telling->world->ddls_error = draw(telling, 4) ? SLUICE_OK : SLUICE_ERROR_NOT_FOUND;
    telling->world->snapshot_error = draw(telling, 4) ? SLUICE_OK : SLUICE_ERROR_AGAIN;
    telling->world->snapshot_len = draw(telling, 5 << 20);
    if (!draw(telling, 4))
        start_maintainer(telling, START + draw(telling, complete_to(telling) - START + 1));
}

static void heal(telling_t *telling)
{
    telling->loses = telling->refuses = telling->fails = 0;
    telling->persist_ns = 100 * NS_PER_MS;
    telling->world->ddls_error = telling->world->snapshot_error = SLUICE_OK;
    telling->world->links[0].is_full = false;
}

static void everything_is_told_whatever_happens_on_the_way(void **state)
{
    for (uint64_t seed = 1; seed <= 40; seed++) {
        telling_t telling;
        set_up(&telling, *state);
        telling.seed = seed;
        for (int phase = 0; phase < 6; phase++) {
            draw_trouble(&telling);
            go_on(&telling, NS_PER_S + draw(&telling, 10 * NS_PER_S), draw(&telling, 2));
        }
        heal(&telling);
        /* A repeat of what was lost before is due within this. */
        go_on(&telling, 7 * NS_PER_S, 0);
        uint32_t said = telling.ddls + telling.snapshots;
        go_on(&telling, 7 * NS_PER_S, 0);
        if (complete_to(&telling) != telling.checkpoint || telling.ddls + telling.snapshots != said)
            fail_msg("seed %d: told up to %d of %d, %d messages more", (int)seed,
                     (int)complete_to(&telling), (int)telling.checkpoint,
                     (int)(telling.ddls + telling.snapshots - said));
        tear_down(&telling);
        world_tear_down(state);
        world_set_up(state);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
        TEST(ddls_follow_the_checkpoint),
        TEST(a_snapshot_takes_the_place_of_ddls_that_are_not_known_any_more),
        TEST(a_maintainer_that_knows_less_gets_a_snapshot),
        TEST(a_new_maintainer_is_told_without_any_news),
        TEST(a_snapshot_is_acknowledged_however_long_it_takes_to_persist),
        TEST(a_refused_piece_does_not_hold_the_snapshot_up_for_long),
        TEST(everything_is_told_whatever_happens_on_the_way),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
