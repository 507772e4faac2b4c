#include "tests/testing.h"

#include "maintainer/core/schema_log.h"

typedef struct {
    node_set_t *nodes;
    node_index_t node;
    effects_t effects;
    sender_t sender;
    schema_log_t *log;
    uint64_t next_id;
} fixture_t;

static void setup(fixture_t *f, uint64_t complete_to)
{
    maintainer_settings_t settings;
    maintainer_settings_default(&settings);
    *f = (fixture_t){.next_id = 1};
    f->nodes = node_set_new(&settings, (mono_ns_t){0});
    node_id_t id;
    assert_true(node_id_parse(bytes_of_text("n"), &id));
    hello_t hello = {0};
    f->node = node_set_hello(f->nodes, &id, (incarnation_t){1}, &hello).node;
    f->sender = (sender_t){.effects = &f->effects, .nodes = f->nodes};
    f->log = schema_log_new((commit_ts_t){complete_to});
}

static void teardown(fixture_t *f)
{
    schema_log_destroy(&f->log);
    node_set_destroy(&f->nodes);
    effects_clear(&f->effects);
}

static void ddls(fixture_t *f, uint64_t after, uint64_t up_to, uint32_t count)
{
    schema_ddl_t list[8] = {{.commit_ts = {up_to}}};
    schema_ddls_t message = {.after = {after}, .up_to = {up_to}, .ddls = list, .ddl_count = count};
    schema_log_ddls(f->log, f->node, &message, &f->sender, &f->next_id);
}

static void snapshot(fixture_t *f, uint64_t at, uint32_t piece, bool is_last)
{
    schema_snapshot_t message = {.at = {at}, .piece = piece, .is_last_piece = is_last};
    schema_log_snapshot(f->log, f->node, &message, &f->sender, &f->next_id);
}

/* Confirms everything emitted and gives the newest acknowledged position, 0: none. */
static uint64_t carry_out(fixture_t *f, sluice_error_t error)
{
    uint64_t acknowledged = 0;
    for (size_t i = 0; i < f->effects.count; i++) {
        effect_t effect = f->effects.items[i];
        if (effect.persist_id)
            assert_true(schema_log_persisted(f->log, effect.persist_id, error, &f->sender));
        if (effect.kind == EFFECT_SEND)
            acknowledged = effect.message->schema_snapshot_ack.at.v;
    }
    effects_reset(&f->effects);
    return acknowledged;
}

static void ddls_are_acknowledged_once_persisted(void **state)
{
    (void)state;
    fixture_t f;
    setup(&f, 80);
    ddls(&f, 80, 85, 1);
    assert_int_equal(f.effects.count, 1);
    assert_int_equal(f.effects.items[0].kind, EFFECT_PERSIST_DDLS);
    assert_int_equal(schema_log_bound(f.log, (commit_ts_t){90}).v, 80);
    assert_int_equal(carry_out(&f, SLUICE_OK), 85);
    assert_int_equal(schema_log_bound(f.log, (commit_ts_t){90}).v, 85);
    assert_int_equal(schema_log_bound(f.log, (commit_ts_t){84}).v, 84);
    /* A stretch without DDLs needs no store. */
    ddls(&f, 85, 95, 0);
    assert_int_equal(f.effects.items[0].kind, EFFECT_SEND);
    assert_int_equal(carry_out(&f, SLUICE_OK), 95);
    teardown(&f);
}

static void a_failed_persist_is_not_acknowledged(void **state)
{
    (void)state;
    fixture_t f;
    setup(&f, 80);
    ddls(&f, 80, 85, 1);
    assert_int_equal(carry_out(&f, SLUICE_ERROR_IO), 0);
    assert_int_equal(schema_log_complete_to(f.log).v, 80);
    ddls(&f, 80, 85, 1);
    assert_int_equal(carry_out(&f, SLUICE_OK), 85);
    teardown(&f);
}

static void a_gap_is_answered_with_what_is_known(void **state)
{
    (void)state;
    fixture_t f;
    setup(&f, 80);
    ddls(&f, 90, 95, 1);
    assert_int_equal(f.effects.count, 1);
    assert_int_equal(carry_out(&f, SLUICE_OK), 80);
    assert_int_equal(schema_log_complete_to(f.log).v, 80);
    teardown(&f);
}

/* ORACLE §6.23: an anchor is never where the stored schema has a gap. */
static void a_snapshot_behind_a_gap_begins_a_chain_of_its_own(void **state)
{
    (void)state;
    fixture_t f;
    setup(&f, 80);
    snapshot(&f, 100, 0, false);
    snapshot(&f, 100, 1, false);
    assert_int_equal(carry_out(&f, SLUICE_OK), 0);
    assert_int_equal(schema_log_bound(f.log, (commit_ts_t){150}).v, 80);
    snapshot(&f, 100, 2, true);
    assert_int_equal(carry_out(&f, SLUICE_OK), 100);
    ddls(&f, 100, 120, 2);
    assert_int_equal(carry_out(&f, SLUICE_OK), 120);
    assert_int_equal(schema_log_bound(f.log, (commit_ts_t){95}).v, 80);
    assert_false(schema_log_allows(f.log, (commit_ts_t){90}));
    assert_true(schema_log_allows(f.log, (commit_ts_t){80}));
    assert_true(schema_log_allows(f.log, (commit_ts_t){110}));
    assert_int_equal(schema_log_bound(f.log, (commit_ts_t){150}).v, 120);
    /* Once the anchor is behind it, what is older goes. */
    schema_log_anchored(f.log, (commit_ts_t){80}, &f.sender);
    assert_int_equal(f.effects.count, 0);
    schema_log_anchored(f.log, (commit_ts_t){110}, &f.sender);
    assert_int_equal(f.effects.count, 1);
    assert_int_equal(f.effects.items[0].kind, EFFECT_FORGET_SCHEMA);
    assert_int_equal(f.effects.items[0].at.v, 100);
    assert_int_equal(schema_log_bound(f.log, (commit_ts_t){95}).v, 95);
    teardown(&f);
}

static void a_lost_piece_makes_the_rest_wait_for_the_repeat(void **state)
{
    (void)state;
    fixture_t f;
    setup(&f, 80);
    snapshot(&f, 100, 0, false);
    snapshot(&f, 100, 2, true);
    assert_int_equal(f.effects.count, 1);
    assert_int_equal(carry_out(&f, SLUICE_OK), 0);
    for (uint32_t piece = 0; piece < 3; piece++)
        snapshot(&f, 100, piece, piece == 2);
    assert_int_equal(f.effects.count, 3);
    assert_int_equal(carry_out(&f, SLUICE_OK), 100);
    snapshot(&f, 100, 0, false);
    assert_int_equal(f.effects.items[0].kind, EFFECT_SEND);
    assert_int_equal(carry_out(&f, SLUICE_OK), 100);
    teardown(&f);
}

static void a_snapshot_inside_the_chain_only_shortens_it(void **state)
{
    (void)state;
    fixture_t f;
    setup(&f, 80);
    ddls(&f, 80, 120, 3);
    carry_out(&f, SLUICE_OK);
    snapshot(&f, 110, 0, true);
    assert_int_equal(carry_out(&f, SLUICE_OK), 120);
    assert_int_equal(schema_log_bound(f.log, (commit_ts_t){100}).v, 100);
    schema_log_anchored(f.log, (commit_ts_t){115}, &f.sender);
    assert_int_equal(f.effects.items[0].at.v, 110);
    teardown(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ddls_are_acknowledged_once_persisted),
        cmocka_unit_test(a_failed_persist_is_not_acknowledged),
        cmocka_unit_test(a_gap_is_answered_with_what_is_known),
        cmocka_unit_test(a_snapshot_behind_a_gap_begins_a_chain_of_its_own),
        cmocka_unit_test(a_lost_piece_makes_the_rest_wait_for_the_repeat),
        cmocka_unit_test(a_snapshot_inside_the_chain_only_shortens_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
