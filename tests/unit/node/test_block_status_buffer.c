#include "tests/unit/node/status_fixture.h"

#include <pthread.h>
#include <stdlib.h>

#include "dispatcher/core/status/block_status_buffer.h"

typedef struct {
    block_status_buffer_t *buffer;
    status_slot_t *slot;
} fixture_t;

static int set_up(void **state)
{
    static fixture_t fixture;
    fixture.buffer = block_status_buffer_new(4);
    fixture.slot = new_slot(1, PIPELINE_DEFAULT);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    fixture_t *fixture = *state;
    block_status_buffer_destroy(&fixture->buffer);
    status_slot_unref(&fixture->slot);
    return 0;
}

static void offer(fixture_t *fixture, block_stage_t stage, event_key_t key)
{
    block_status_t status = status_of(fixture->slot, stage, key);
    assert_int_equal(block_status_buffer_offer(fixture->buffer, &status), SLUICE_OK);
}

static void expect_taken(fixture_t *fixture, block_stage_t stage, event_key_t key)
{
    block_status_t taken;
    assert_int_equal(block_status_buffer_take(fixture->buffer, &taken, 1), 1);
    assert_int_equal(taken.stage, stage);
    assert_true(event_key_equal(taken.key, key));
    block_status_clear(&taken);
}

static void expect_empty(fixture_t *fixture)
{
    block_status_t taken;
    assert_int_equal(block_status_buffer_take(fixture->buffer, &taken, 1), 0);
    assert_int_equal(block_status_buffer_length(fixture->buffer), 0);
}

static void coalesces_done_while_pending(void **state)
{
    fixture_t *fixture = *state;
    offer(fixture, STAGE_DONE, ddl_key(100));
    offer(fixture, STAGE_DONE, ddl_key(100));
    assert_int_equal(block_status_buffer_length(fixture->buffer), 1);
    block_status_t taken;
    assert_int_equal(block_status_buffer_take(fixture->buffer, &taken, 1), 1);
    assert_int_equal(taken.stage, STAGE_DONE);
    assert_true(event_key_equal(taken.key, ddl_key(100)));
    assert_int_equal(taken.slot->mode, PIPELINE_DEFAULT);
    assert_null(taken.ddl);
    assert_true(block_status_is_blocked(&taken));
    block_status_clear(&taken);
    expect_empty(fixture);
    assert_int_equal(block_status_buffer_counters(fixture->buffer).coalesced[STAGE_DONE], 1);
}

static void coalesces_waiting_while_pending(void **state)
{
    fixture_t *fixture = *state;
    offer(fixture, STAGE_WAITING, ddl_key(150));
    offer(fixture, STAGE_WAITING, ddl_key(150));
    assert_int_equal(block_status_buffer_length(fixture->buffer), 1);
    expect_taken(fixture, STAGE_WAITING, ddl_key(150));
    expect_empty(fixture);
}

static void frees_a_key_when_its_entry_is_taken(void **state)
{
    fixture_t *fixture = *state;
    block_stage_t stages[] = {STAGE_WAITING, STAGE_DONE};
    for (size_t i = 0; i < 2; i++) {
        offer(fixture, stages[i], ddl_key(150));
        expect_taken(fixture, stages[i], ddl_key(150));
        offer(fixture, stages[i], ddl_key(150));
        expect_taken(fixture, stages[i], ddl_key(150));
        expect_empty(fixture);
    }
}

static void keeps_waiting_before_done_of_one_event(void **state)
{
    fixture_t *fixture = *state;
    offer(fixture, STAGE_WAITING, ddl_key(200));
    offer(fixture, STAGE_DONE, ddl_key(200));
    offer(fixture, STAGE_DONE, ddl_key(200));
    expect_taken(fixture, STAGE_WAITING, ddl_key(200));
    expect_taken(fixture, STAGE_DONE, ddl_key(200));
    expect_empty(fixture);
}

static void tells_syncpoints_and_modes_apart(void **state)
{
    fixture_t *fixture = *state;
    status_slot_t *redo = new_slot(1, PIPELINE_REDO);
    offer(fixture, STAGE_DONE, ddl_key(300));
    offer(fixture, STAGE_DONE, sync_key(300));
    block_status_t status = status_of(redo, STAGE_DONE, ddl_key(300));
    assert_int_equal(block_status_buffer_offer(fixture->buffer, &status), SLUICE_OK);
    expect_taken(fixture, STAGE_DONE, ddl_key(300));
    expect_taken(fixture, STAGE_DONE, sync_key(300));
    block_status_t taken;
    assert_int_equal(block_status_buffer_take(fixture->buffer, &taken, 1), 1);
    assert_int_equal(taken.slot->mode, PIPELINE_REDO);
    block_status_clear(&taken);
    expect_empty(fixture);
    status_slot_unref(&redo);
}

static void remembers_more_keys_of_a_stage_than_the_slot_can_mark(void **state)
{
    fixture_t *fixture = *state;
    offer(fixture, STAGE_DONE, ddl_key(1));
    offer(fixture, STAGE_DONE, ddl_key(2));
    offer(fixture, STAGE_DONE, ddl_key(UINT64_MAX));
    for (uint64_t repeat = 0; repeat < 2; repeat++) {
        offer(fixture, STAGE_DONE, ddl_key(1));
        offer(fixture, STAGE_DONE, ddl_key(2));
        offer(fixture, STAGE_DONE, ddl_key(UINT64_MAX));
    }
    assert_int_equal(block_status_buffer_length(fixture->buffer), 3);
    expect_taken(fixture, STAGE_DONE, ddl_key(1));
    /* 2 is pending still although the slot's mark is free now. */
    offer(fixture, STAGE_DONE, ddl_key(2));
    expect_taken(fixture, STAGE_DONE, ddl_key(2));
    expect_taken(fixture, STAGE_DONE, ddl_key(UINT64_MAX));
    expect_empty(fixture);
    offer(fixture, STAGE_DONE, ddl_key(2));
    expect_taken(fixture, STAGE_DONE, ddl_key(2));
}

static void never_coalesces_none(void **state)
{
    fixture_t *fixture = *state;
    ddl_event_t *ddl = ddl_event_new();
    block_status_t status = status_of(fixture->slot, STAGE_NONE, ddl_key(50));
    status.ddl = ddl;
    for (int i = 0; i < 3; i++)
        assert_int_equal(block_status_buffer_offer(fixture->buffer, &status), SLUICE_OK);
    block_status_t taken[4];
    assert_int_equal(block_status_buffer_take(fixture->buffer, taken, 4), 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(taken[i].stage, STAGE_NONE);
        assert_ptr_equal(taken[i].ddl, ddl);
        assert_false(block_status_is_blocked(&taken[i]));
        block_status_clear(&taken[i]);
    }
    ddl_event_unref(&ddl);
}

static void drops_the_resend_of_a_none_whose_copy_is_queued(void **state)
{
    fixture_t *fixture = *state;
    block_status_t status = status_of(fixture->slot, STAGE_NONE, ddl_key(50));
    status.is_resend = true;
    assert_int_equal(block_status_buffer_offer(fixture->buffer, &status), SLUICE_OK);
    assert_int_equal(block_status_buffer_offer(fixture->buffer, &status), SLUICE_OK);
    assert_int_equal(block_status_buffer_length(fixture->buffer), 1);
    expect_taken(fixture, STAGE_NONE, ddl_key(50));
    assert_int_equal(block_status_buffer_offer(fixture->buffer, &status), SLUICE_OK);
    expect_taken(fixture, STAGE_NONE, ddl_key(50));
}

static void takes_a_capacity_below_one_as_one(void **state)
{
    (void)state;
    int64_t capacities[] = {0, -7};
    status_slot_t *slot = new_slot(1, PIPELINE_DEFAULT);
    for (size_t i = 0; i < 2; i++) {
        block_status_buffer_t *buffer = block_status_buffer_new(capacities[i]);
        block_status_t status = status_of(slot, STAGE_WAITING, ddl_key(1));
        assert_int_equal(block_status_buffer_try_offer(buffer, &status), SLUICE_OK);
        status.key = ddl_key(2);
        assert_int_equal(block_status_buffer_try_offer(buffer, &status), SLUICE_ERROR_FULL);
        block_status_buffer_destroy(&buffer);
    }
    status_slot_unref(&slot);
}

static void leaves_no_key_pending_when_full(void **state)
{
    fixture_t *fixture = *state;
    for (uint64_t ts = 1; ts <= 4; ts++)
        offer(fixture, STAGE_WAITING, ddl_key(ts));
    block_status_t refused = status_of(fixture->slot, STAGE_DONE, ddl_key(9));
    assert_int_equal(block_status_buffer_try_offer(fixture->buffer, &refused), SLUICE_ERROR_FULL);
    /* A repetition needs no room. */
    offer(fixture, STAGE_WAITING, ddl_key(4));
    for (uint64_t ts = 1; ts <= 4; ts++)
        expect_taken(fixture, STAGE_WAITING, ddl_key(ts));
    assert_int_equal(block_status_buffer_try_offer(fixture->buffer, &refused), SLUICE_OK);
    expect_taken(fixture, STAGE_DONE, ddl_key(9));
    expect_empty(fixture);
}

static void ignores_nothing_offered_and_nothing_to_take(void **state)
{
    fixture_t *fixture = *state;
    block_status_t without_slot = {.stage = STAGE_DONE, .key = ddl_key(1)};
    assert_int_equal(block_status_buffer_offer(fixture->buffer, NULL), SLUICE_OK);
    assert_int_equal(block_status_buffer_offer(fixture->buffer, &without_slot), SLUICE_OK);
    expect_empty(fixture);
    offer(fixture, STAGE_DONE, ddl_key(1));
    block_status_t taken;
    assert_int_equal(block_status_buffer_take(fixture->buffer, &taken, 0), 0);
    offer(fixture, STAGE_DONE, ddl_key(1));
    assert_int_equal(block_status_buffer_length(fixture->buffer), 1);
}

static void keeps_the_payload_alive_after_the_offerer_gave_it_back(void **state)
{
    fixture_t *fixture = *state;
    ddl_event_t *ddl = ddl_event_new();
    table_id_t *tables = arena_calloc(&ddl->arena, 2, sizeof *tables);
    tables[1] = (table_id_t){77};
    ddl->payload.influence =
        (influence_t){.kind = INFLUENCE_NORMAL, .table_ids = tables, .table_count = 2};
    block_status_t status = status_of(fixture->slot, STAGE_WAITING, ddl_key(5));
    status.ddl = ddl;
    status.passed = sync_key(4);
    assert_int_equal(block_status_buffer_offer(fixture->buffer, &status), SLUICE_OK);
    ddl_event_unref(&ddl);

    block_status_t taken;
    assert_int_equal(block_status_buffer_take(fixture->buffer, &taken, 1), 1);
    assert_int_equal(taken.ddl->payload.influence.table_ids[1].v, 77);
    assert_true(event_key_equal(taken.passed, sync_key(4)));
    block_status_clear(&taken);
}

static void lets_the_taker_drain_after_close(void **state)
{
    fixture_t *fixture = *state;
    offer(fixture, STAGE_WAITING, ddl_key(1));
    block_status_buffer_close(fixture->buffer);
    assert_false(block_status_buffer_is_drained(fixture->buffer));
    block_status_t late = status_of(fixture->slot, STAGE_DONE, ddl_key(1));
    assert_int_equal(block_status_buffer_offer(fixture->buffer, &late), SLUICE_ERROR_CLOSED);
    expect_taken(fixture, STAGE_WAITING, ddl_key(1));
    assert_true(block_status_buffer_is_drained(fixture->buffer));
}

static void *offer_when_full(void *argument)
{
    fixture_t *fixture = argument;
    block_status_t status = status_of(fixture->slot, STAGE_DONE, ddl_key(1000));
    return (void *)(intptr_t)block_status_buffer_offer(fixture->buffer, &status);
}

static void makes_the_offerer_wait_until_closed(void **state)
{
    fixture_t *fixture = *state;
    for (uint64_t ts = 1; ts <= 4; ts++)
        offer(fixture, STAGE_WAITING, ddl_key(ts));
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, offer_when_full, fixture), 0);
    block_status_buffer_close(fixture->buffer);
    void *result = NULL;
    pthread_join(thread, &result);
    assert_int_equal((intptr_t)result, SLUICE_ERROR_CLOSED);
    assert_int_equal(block_status_buffer_length(fixture->buffer), 4);
}

static void makes_the_offerer_wait_until_there_is_room(void **state)
{
    fixture_t *fixture = *state;
    for (uint64_t ts = 1; ts <= 4; ts++)
        offer(fixture, STAGE_WAITING, ddl_key(ts));
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, offer_when_full, fixture), 0);
    uint32_t taken = 0;
    block_status_t status;
    while (taken < 5)
        if (block_status_buffer_take(fixture->buffer, &status, 1) == 1) {
            block_status_clear(&status);
            taken++;
        }
    assert_true(event_key_equal(status.key, ddl_key(1000)));
    pthread_join(thread, NULL);
}

#define STRESS_THREADS 4
#define STRESS_SLOTS 64
#define STRESS_ROUNDS 300

typedef struct {
    block_status_buffer_t *buffer;
    status_slot_t **slots;
} stress_t;

static void *offer_everything(void *argument)
{
    stress_t *stress = argument;
    for (uint64_t round = 1; round <= STRESS_ROUNDS; round++)
        for (size_t i = 0; i < STRESS_SLOTS; i++) {
            block_status_t status =
                status_of(stress->slots[i], round % 2 ? STAGE_WAITING : STAGE_DONE, ddl_key(7));
            if (block_status_buffer_offer(stress->buffer, &status) != SLUICE_OK)
                abort();
        }
    return NULL;
}

static void queues_one_entry_a_key_under_many_offerers(void **state)
{
    (void)state;
    status_slot_t *slots[STRESS_SLOTS];
    for (size_t i = 0; i < STRESS_SLOTS; i++)
        slots[i] = new_slot(i, PIPELINE_DEFAULT);
    stress_t stress = {block_status_buffer_new(1000), slots};
    pthread_t threads[STRESS_THREADS];
    for (size_t i = 0; i < STRESS_THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, offer_everything, &stress), 0);
    for (size_t i = 0; i < STRESS_THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(block_status_buffer_length(stress.buffer), 2 * STRESS_SLOTS);

    for (size_t i = 0; i < STRESS_THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, offer_everything, &stress), 0);
    block_status_t taken[16];
    uint64_t count = 0;
    for (int i = 0; i < 2000; i++) {
        uint32_t some = block_status_buffer_take(stress.buffer, taken, 16);
        for (uint32_t j = 0; j < some; j++)
            block_status_clear(&taken[j]);
        count += some;
    }
    for (size_t i = 0; i < STRESS_THREADS; i++)
        pthread_join(threads[i], NULL);
    block_status_counters_t counters = block_status_buffer_counters(stress.buffer);
    assert_int_equal(count + block_status_buffer_length(stress.buffer),
                     counters.offered[STAGE_WAITING] + counters.offered[STAGE_DONE]);
    assert_true(block_status_buffer_length(stress.buffer) <= 2 * STRESS_SLOTS);
    block_status_buffer_destroy(&stress.buffer);
    for (size_t i = 0; i < STRESS_SLOTS; i++) {
        assert_int_equal(atomic_load(&slots[i]->references), 1);
        status_slot_unref(&slots[i]);
    }
}

static void keeps_order_over_many_entries(void **state)
{
    (void)state;
    status_slot_t *slot = new_slot(1, PIPELINE_DEFAULT);
    block_status_buffer_t *buffer = block_status_buffer_new(5000);
    uint64_t next_in = 1, next_out = 1;
    for (int round = 0; round < 6; round++) {
        for (int i = 0; i < 1700; i++) {
            block_status_t status = status_of(slot, STAGE_NONE, ddl_key(next_in++));
            assert_int_equal(block_status_buffer_try_offer(buffer, &status), SLUICE_OK);
        }
        for (int i = 0; i < 1600; i++) {
            block_status_t taken;
            assert_int_equal(block_status_buffer_take(buffer, &taken, 1), 1);
            assert_int_equal(taken.key.commit_ts.v, next_out++);
            block_status_clear(&taken);
        }
    }
    assert_int_equal(block_status_buffer_length(buffer), 600);
    block_status_buffer_destroy(&buffer);
    status_slot_unref(&slot);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(coalesces_done_while_pending),
        TEST(coalesces_waiting_while_pending),
        TEST(frees_a_key_when_its_entry_is_taken),
        TEST(keeps_waiting_before_done_of_one_event),
        TEST(tells_syncpoints_and_modes_apart),
        TEST(remembers_more_keys_of_a_stage_than_the_slot_can_mark),
        TEST(never_coalesces_none),
        TEST(drops_the_resend_of_a_none_whose_copy_is_queued),
        TEST(leaves_no_key_pending_when_full),
        TEST(ignores_nothing_offered_and_nothing_to_take),
        TEST(keeps_the_payload_alive_after_the_offerer_gave_it_back),
        TEST(lets_the_taker_drain_after_close),
        TEST(makes_the_offerer_wait_until_closed),
        TEST(makes_the_offerer_wait_until_there_is_room),
        cmocka_unit_test(takes_a_capacity_below_one_as_one),
        cmocka_unit_test(queues_one_entry_a_key_under_many_offerers),
        cmocka_unit_test(keeps_order_over_many_entries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
