#include <stdio.h>

#include "tests/testing.h"

#include "maintainer/core/node_set.h"

static maintainer_settings_t settings;

static node_id_t name(const char *text)
{
    node_id_t id;
    assert_true(node_id_parse(bytes_of_text(text), &id));
    return id;
}

static const hello_t hello = {.host = {(const uint8_t *)"h", 1}};

static hello_result_t say(node_set_t *nodes, const char *id, uint64_t incarnation)
{
    node_id_t node = name(id);
    return node_set_hello(nodes, &node, (incarnation_t){incarnation}, &hello);
}

static heard_t hear(node_set_t *nodes, const char *id, uint64_t incarnation)
{
    node_id_t node = name(id);
    node_index_t index;
    return node_set_hear(nodes, &node, (incarnation_t){incarnation}, &index);
}

static mono_ns_t at(uint64_t ms)
{
    return (mono_ns_t){ms * NS_PER_MS};
}

/* The loop runs every 100 ms; how many nodes were called absent. */
static int run(node_set_t *nodes, uint64_t from_ms, uint64_t to_ms)
{
    int absent = 0;
    for (uint64_t ms = from_ms; ms <= to_ms; ms += 100)
        while (!node_index_is_none(node_set_judge(nodes, at(ms))))
            absent++;
    return absent;
}

static void each_node_gets_its_own_slot_and_keeps_it(void **state)
{
    (void)state;
    node_set_t *nodes = node_set_new(&settings, at(0));
    hello_result_t a = say(nodes, "a", 1), b = say(nodes, "b", 1);
    assert_int_equal(a.outcome, HELLO_JOINED);
    assert_true(a.slot_is_new);
    assert_int_not_equal(node_set_at(nodes, a.node)->slot, node_set_at(nodes, b.node)->slot);
    uint32_t slot = node_set_at(nodes, b.node)->slot;
    b = say(nodes, "b", 2);
    assert_int_equal(b.outcome, HELLO_JOINED);
    assert_true(b.replaced);
    assert_false(b.slot_is_new);
    assert_int_equal(node_set_at(nodes, b.node)->slot, slot);
    assert_int_equal(say(nodes, "b", 2).outcome, HELLO_AGAIN);
    assert_int_equal(say(nodes, "b", 1).outcome, HELLO_STALE);
    node_set_destroy(&nodes);
}

static uint32_t slot_of_one_that_holds(node_set_t *nodes, const char *name, uint32_t slot_held)
{
    node_id_t id;
    assert_true(node_id_parse(bytes_of_text(name), &id));
    hello_t said = {.host = bytes_of_text("h"), .slot_held = slot_held};
    hello_result_t result = node_set_hello(nodes, &id, (incarnation_t){1}, &said);
    assert_int_equal(result.outcome, HELLO_JOINED);
    assert_true(result.slot_is_new);
    return node_set_at(nodes, result.node)->slot;
}

/* The store was brought back from a copy in which they had no slots, or others. */
static void who_runs_under_a_slot_keeps_it_unless_it_is_anothers(void **state)
{
    (void)state;
    node_set_t *nodes = node_set_new(&settings, at(0));
    node_id_t id;
    assert_true(node_id_parse(bytes_of_text("d"), &id));
    node_set_load_slot(nodes, &id, 0);
    assert_int_equal(slot_of_one_that_holds(nodes, "c", 3), 2);
    assert_int_equal(slot_of_one_that_holds(nodes, "b", 2), 1);
    assert_int_equal(slot_of_one_that_holds(nodes, "a", 2), 3);
    assert_int_equal(slot_of_one_that_holds(nodes, "d", 6), 5);
    assert_int_equal(slot_of_one_that_holds(nodes, "e", UINT32_MAX), 0);
    node_set_destroy(&nodes);
}

static void silence_of_lease_and_grace_is_absence(void **state)
{
    (void)state;
    node_set_t *nodes = node_set_new(&settings, at(0));
    say(nodes, "a", 1);
    assert_int_equal(run(nodes, 100, 11900), 0);
    assert_int_equal(hear(nodes, "a", 1), HEARD);
    assert_int_equal(run(nodes, 12000, 23800), 0);
    assert_int_equal(run(nodes, 23900, 24000), 1);
    /* From then on it gets one answer, under a new incarnation it is welcome. */
    assert_int_equal(hear(nodes, "a", 1), HEARD_START_AGAIN);
    assert_int_equal(say(nodes, "a", 1).outcome, HELLO_START_AGAIN);
    hello_result_t again = say(nodes, "a", 2);
    assert_int_equal(again.outcome, HELLO_JOINED);
    assert_false(again.replaced);
    assert_int_equal(hear(nodes, "a", 1), HEARD_STALE);
    node_set_destroy(&nodes);
}

/* The loop every 100 ms: a heartbeat comes and is answered. `confirmed` 0: it confirms what was
 * answered half a second ago. How many nodes were called absent. */
static int beat(node_set_t *nodes, node_index_t node, uint64_t from_ms, uint64_t to_ms,
                uint64_t confirmed)
{
    int absent = 0;
    for (uint64_t ms = from_ms; ms <= to_ms; ms += 100) {
        hear(nodes, "a", 1);
        node_set_heartbeat(nodes, node, ms / 100, confirmed ? confirmed : ms / 100 - 5);
        while (!node_index_is_none(node_set_next_answer(nodes, at(ms)))) {
        }
        absent += run(nodes, ms, ms);
    }
    return absent;
}

static void deafness_of_lease_and_grace_is_absence(void **state)
{
    (void)state;
    node_set_t *nodes = node_set_new(&settings, at(0));
    node_index_t a = say(nodes, "a", 1).node;
    assert_int_equal(beat(nodes, a, 1000, 20000, 0), 0);
    /* Its link is dead in one direction: it is heard, and confirms nothing any more. */
    assert_int_equal(beat(nodes, a, 20100, 31800, 195), 0);
    assert_int_equal(beat(nodes, a, 31900, 32000, 195), 1);
    assert_int_equal(hear(nodes, "a", 1), HEARD_START_AGAIN);
    node_set_destroy(&nodes);
}

static void deafness_ends_with_an_answer_that_arrives(void **state)
{
    (void)state;
    node_set_t *nodes = node_set_new(&settings, at(0));
    node_index_t a = say(nodes, "a", 1).node;
    assert_int_equal(beat(nodes, a, 1000, 12000, 3), 0);
    assert_int_equal(beat(nodes, a, 12100, 23500, 4), 0);
    assert_int_equal(beat(nodes, a, 23600, 40000, 0), 0);
    /* Nor is it held against a node that we stood still and answered nothing. */
    assert_int_equal(run(nodes, 90000, 90000), 0);
    assert_int_equal(beat(nodes, a, 90000, 100000, 0), 0);
    node_set_destroy(&nodes);
}

/* ORACLE §6.8: the maintainer stands still for 12 s. */
static void time_that_the_loop_stood_still_does_not_count(void **state)
{
    (void)state;
    node_set_t *nodes = node_set_new(&settings, at(0));
    say(nodes, "a", 1);
    assert_int_equal(run(nodes, 100, 1000), 0);
    assert_int_equal(run(nodes, 60000, 60000), 0);
    assert_int_equal(hear(nodes, "a", 1), HEARD);
    assert_int_equal(run(nodes, 60100, 71900), 0);
    assert_int_equal(run(nodes, 72000, 72000), 1);
    node_set_destroy(&nodes);
}

/* ORACLE §6.30: a slot is not given away while its holder may still be at work. */
static void a_slot_is_given_away_only_after_absence(void **state)
{
    (void)state;
    maintainer_settings_t small = settings;
    small.slot_count_max = 2;
    node_set_t *nodes = node_set_new(&small, at(0));
    node_id_t gone = name("gone");
    node_set_load_slot(nodes, &gone, 0);
    assert_int_equal(node_set_at(nodes, say(nodes, "a", 1).node)->slot, 1);
    assert_int_equal(say(nodes, "b", 1).outcome, HELLO_FULL);
    for (uint64_t ms = 100; ms <= 12000; ms += 100) {
        (void)node_set_judge(nodes, at(ms));
        hear(nodes, "a", 1);
    }
    hello_result_t b = say(nodes, "b", 1);
    assert_int_equal(b.outcome, HELLO_JOINED);
    assert_true(b.slot_is_new);
    assert_int_equal(node_set_at(nodes, b.node)->slot, 0);
    assert_true(node_index_is_none(node_set_find(nodes, &gone)));
    node_set_destroy(&nodes);
}

/* It would go on to read the source under the server ids of the slot. */
static void who_has_lost_its_slot_starts_again_and_waits_for_another(void **state)
{
    (void)state;
    maintainer_settings_t small = settings;
    small.slot_count_max = 1;
    node_set_t *nodes = node_set_new(&small, at(0));
    node_index_t a = say(nodes, "a", 1).node;
    assert_int_equal(run(nodes, 100, 12000), 1);
    node_index_t b = say(nodes, "b", 1).node;
    assert_int_not_equal(a.v, b.v);
    assert_int_equal(node_set_at(nodes, b)->slot, 0);
    assert_int_equal(hear(nodes, "a", 1), HEARD_START_AGAIN);
    assert_int_equal(say(nodes, "a", 1).outcome, HELLO_START_AGAIN);
    assert_int_equal(say(nodes, "a", 2).outcome, HELLO_FULL);
    assert_int_equal(run(nodes, 12100, 24000), 1);
    hello_result_t again = say(nodes, "a", 2);
    assert_int_equal(again.outcome, HELLO_JOINED);
    assert_true(again.slot_is_new);
    /* However many come and go, only so many are remembered. */
    uint64_t ms = 24000;
    for (int i = 0; i < 20; i++) {
        char id[8];
        snprintf(id, sizeof id, "c%d", i);
        assert_int_equal(run(nodes, ms + 100, ms + 12000), 1);
        ms += 12000;
        assert_int_equal(say(nodes, id, 1).outcome, HELLO_JOINED);
    }
    assert_true(node_set_capacity(nodes) <= 4);
    node_set_destroy(&nodes);
}

static void strangers_are_unknown(void **state)
{
    (void)state;
    node_set_t *nodes = node_set_new(&settings, at(0));
    assert_int_equal(hear(nodes, "a", 1), HEARD_UNKNOWN);
    say(nodes, "a", 1);
    assert_int_equal(hear(nodes, "a", 2), HEARD_UNKNOWN);
    node_set_destroy(&nodes);
}

static void heartbeats_are_answered_within_the_interval(void **state)
{
    (void)state;
    node_set_t *nodes = node_set_new(&settings, at(0));
    node_index_t a = say(nodes, "a", 1).node;
    assert_true(node_index_is_none(node_set_next_answer(nodes, at(1000))));
    node_set_heartbeat(nodes, a, 7, 0);
    assert_int_equal(node_set_next_answer(nodes, at(1000)).v, a.v);
    assert_true(node_index_is_none(node_set_next_answer(nodes, at(1000))));
    node_set_heartbeat(nodes, a, 8, 0);
    node_set_heartbeat(nodes, a, 6, 0);
    assert_true(node_index_is_none(node_set_next_answer(nodes, at(1400))));
    assert_true(node_set_next_deadline(nodes).v <= at(1500).v);
    assert_int_equal(node_set_next_answer(nodes, at(1500)).v, a.v);
    assert_int_equal(node_set_at(nodes, a)->newest_heartbeat, 8);
    node_set_destroy(&nodes);
}

static void leaving_is_remembered_draining_ends_with_the_incarnation(void **state)
{
    (void)state;
    node_set_t *nodes = node_set_new(&settings, at(0));
    node_index_t a = say(nodes, "a", 1).node;
    node_set_drain(nodes, a);
    node_id_t id = name("a");
    hello_t leaving = {.is_leaving = true};
    assert_int_equal(node_set_hello(nodes, &id, (incarnation_t){1}, &leaving).outcome, HELLO_AGAIN);
    assert_true(node_set_at(nodes, a)->is_leaving);
    say(nodes, "a", 2);
    assert_false(node_set_at(nodes, a)->is_leaving);
    assert_false(node_set_at(nodes, a)->is_draining);
    node_set_destroy(&nodes);
}

int main(void)
{
    maintainer_settings_default(&settings);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_node_gets_its_own_slot_and_keeps_it),
        cmocka_unit_test(who_runs_under_a_slot_keeps_it_unless_it_is_anothers),
        cmocka_unit_test(silence_of_lease_and_grace_is_absence),
        cmocka_unit_test(deafness_of_lease_and_grace_is_absence),
        cmocka_unit_test(deafness_ends_with_an_answer_that_arrives),
        cmocka_unit_test(time_that_the_loop_stood_still_does_not_count),
        cmocka_unit_test(a_slot_is_given_away_only_after_absence),
        cmocka_unit_test(who_has_lost_its_slot_starts_again_and_waits_for_another),
        cmocka_unit_test(strangers_are_unknown),
        cmocka_unit_test(heartbeats_are_answered_within_the_interval),
        cmocka_unit_test(leaving_is_remembered_draining_ends_with_the_incarnation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
