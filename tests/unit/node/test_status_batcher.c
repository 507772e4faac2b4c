#include "tests/unit/node/status_fixture.h"

#include "dispatcher/core/status/status_batcher.h"

#define MANY 2050

typedef struct {
    block_status_buffer_t *buffer;
    request_queue_t *queue;
    status_batcher_t *batcher;
    status_slot_t *slots[PIPELINE_COUNT];
    status_slot_t *other;
    mono_ns_t now;
} fixture_t;

static int set_up(void **state)
{
    static fixture_t fixture;
    status_batcher_options_t options = {10 * NS_PER_MS, 50 * NS_PER_US};
    fixture.buffer = block_status_buffer_new(100000);
    fixture.queue = request_queue_new(4);
    fixture.batcher = status_batcher_new(&options);
    fixture.slots[0] = new_slot(1, PIPELINE_DEFAULT);
    fixture.slots[1] = new_slot(1, PIPELINE_REDO);
    fixture.other = new_slot(2, PIPELINE_DEFAULT);
    fixture.now = (mono_ns_t){NS_PER_S};
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    fixture_t *fixture = *state;
    request_queue_destroy(&fixture->queue);
    status_batcher_destroy(&fixture->batcher);
    block_status_buffer_destroy(&fixture->buffer);
    status_slot_t *slots[] = {fixture->slots[0], fixture->slots[1], fixture->other};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(atomic_load(&slots[i]->references), 1);
        status_slot_unref(&slots[i]);
    }
    return 0;
}

static void offer_as(fixture_t *fixture, status_slot_t *slot, block_stage_t stage, uint64_t ts)
{
    block_status_t status = status_of(slot, stage, ddl_key(ts));
    assert_int_equal(block_status_buffer_try_offer(fixture->buffer, &status), SLUICE_OK);
}

static void offer(fixture_t *fixture, pipeline_t mode, uint64_t ts)
{
    offer_as(fixture, fixture->slots[mode], STAGE_WAITING, ts);
}

static void step_after(fixture_t *fixture, uint64_t ns)
{
    fixture->now = mono_add(fixture->now, ns);
    status_batcher_step(fixture->batcher, fixture->buffer, fixture->queue, fixture->now);
}

static void expect_request(fixture_t *fixture, pipeline_t mode, uint64_t first_ts, uint32_t count)
{
    status_request_t *request = request_queue_dequeue(fixture->queue);
    assert_non_null(request);
    assert_int_equal(request->mode, mode);
    assert_int_equal(request->status_count, count);
    assert_int_equal(request->group_count, count);
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(request->groups[i].key.commit_ts.v, first_ts + i);
    request = request_queue_complete(fixture->queue, request, REQUEST_SENT);
    status_request_destroy(&request);
}

static void expect_no_request(fixture_t *fixture)
{
    assert_int_equal(request_queue_length(fixture->queue), 0);
}

static void cuts_into_full_requests_by_mode(void **state)
{
    fixture_t *fixture = *state;
    for (uint64_t i = 0; i < MANY; i++)
        offer(fixture, PIPELINE_DEFAULT, 1 + i);
    for (uint64_t i = 0; i < MANY - 1; i++)
        offer(fixture, PIPELINE_REDO, 10000 + i);
    step_after(fixture, 1);
    step_after(fixture, 10 * NS_PER_MS);
    expect_request(fixture, PIPELINE_DEFAULT, 1, 2048);
    expect_request(fixture, PIPELINE_DEFAULT, 2049, 2);
    expect_request(fixture, PIPELINE_REDO, 10000, 2048);
    expect_request(fixture, PIPELINE_REDO, 12048, 1);
    step_after(fixture, 20 * NS_PER_MS);
    expect_no_request(fixture);
    assert_true(status_batcher_next_deadline(fixture->batcher, fixture->queue).v == UINT64_MAX);
}

static void collects_what_comes_inside_the_window_under_load(void **state)
{
    fixture_t *fixture = *state;
    offer(fixture, PIPELINE_DEFAULT, 1);
    step_after(fixture, 0);
    for (int i = 0; i < 20; i++) {
        offer(fixture, PIPELINE_REDO, 100 + (uint64_t)i);
        step_after(fixture, 40 * NS_PER_US);
    }
    offer(fixture, PIPELINE_DEFAULT, 2);
    step_after(fixture, 40 * NS_PER_US);
    expect_no_request(fixture);
    step_after(fixture, 50 * NS_PER_US);
    expect_request(fixture, PIPELINE_DEFAULT, 1, 2);
    expect_request(fixture, PIPELINE_REDO, 100, 20);
}

static void sends_a_lone_status_after_one_idle_window(void **state)
{
    fixture_t *fixture = *state;
    offer(fixture, PIPELINE_DEFAULT, 1);
    step_after(fixture, 0);
    expect_no_request(fixture);
    mono_ns_t due = status_batcher_next_deadline(fixture->batcher, fixture->queue);
    assert_int_equal(due.v, fixture->now.v + 50 * NS_PER_US);
    step_after(fixture, 50 * NS_PER_US - 1);
    expect_no_request(fixture);
    step_after(fixture, 1);
    expect_request(fixture, PIPELINE_DEFAULT, 1, 1);
}

static void counts_the_idle_window_from_the_last_hand_over(void **state)
{
    fixture_t *fixture = *state;
    offer(fixture, PIPELINE_DEFAULT, 1);
    step_after(fixture, 0);
    step_after(fixture, 40 * NS_PER_US);
    status_batcher_note_sent(fixture->batcher, fixture->now);
    step_after(fixture, 40 * NS_PER_US);
    expect_no_request(fixture);
    step_after(fixture, 10 * NS_PER_US);
    expect_request(fixture, PIPELINE_DEFAULT, 1, 1);
}

static void closes_at_the_window_under_continuous_arrivals(void **state)
{
    fixture_t *fixture = *state;
    uint64_t ts = 0;
    uint64_t first_in_batch = 1;
    mono_ns_t opened = fixture->now;
    uint32_t requests = 0;
    for (uint64_t us = 0; us < 100000; us += 10) {
        offer_as(fixture, fixture->slots[0], STAGE_NONE, ++ts);
        step_after(fixture, 10 * NS_PER_US);
        status_request_t *request = request_queue_dequeue(fixture->queue);
        if (!request) {
            assert_true(mono_elapsed(opened, fixture->now) < 10 * NS_PER_MS + 20 * NS_PER_US);
            continue;
        }
        assert_int_equal(request->groups[0].key.commit_ts.v, first_in_batch);
        first_in_batch += request->status_count;
        opened = fixture->now;
        requests++;
        request = request_queue_complete(fixture->queue, request, REQUEST_SENT);
        status_request_destroy(&request);
    }
    assert_true(requests >= 9);
}

static void waits_for_the_window_while_requests_are_queued(void **state)
{
    fixture_t *fixture = *state;
    status_request_t *ahead = request_of_one(fixture->other, STAGE_DONE, ddl_key(1));
    assert_int_equal(request_queue_enqueue(fixture->queue, &ahead), SLUICE_OK);
    offer(fixture, PIPELINE_DEFAULT, 1);
    step_after(fixture, 0);
    step_after(fixture, NS_PER_MS);
    assert_int_equal(request_queue_length(fixture->queue), 1);
    step_after(fixture, 9 * NS_PER_MS);
    assert_int_equal(request_queue_length(fixture->queue), 2);
}

static void takes_nothing_while_the_queue_is_full(void **state)
{
    fixture_t *fixture = *state;
    for (uint64_t ts = 1; ts <= 4; ts++) {
        status_request_t *request = request_of_one(fixture->other, STAGE_NONE, ddl_key(ts));
        assert_int_equal(request_queue_enqueue(fixture->queue, &request), SLUICE_OK);
    }
    offer(fixture, PIPELINE_DEFAULT, 1);
    step_after(fixture, NS_PER_S);
    assert_int_equal(block_status_buffer_length(fixture->buffer), 1);
    assert_true(status_batcher_next_deadline(fixture->batcher, fixture->queue).v == UINT64_MAX);
    status_request_t *request = request_queue_dequeue(fixture->queue);
    step_after(fixture, 0);
    assert_int_equal(block_status_buffer_length(fixture->buffer), 0);
    request = request_queue_complete(fixture->queue, request, REQUEST_SENT);
    status_request_destroy(&request);
}

static void flushes_what_was_taken_at_shutdown(void **state)
{
    fixture_t *fixture = *state;
    offer(fixture, PIPELINE_DEFAULT, 1);
    offer(fixture, PIPELINE_REDO, 5);
    step_after(fixture, 0);
    assert_int_equal(status_batcher_flush(fixture->batcher, fixture->queue), SLUICE_OK);
    expect_request(fixture, PIPELINE_DEFAULT, 1, 1);
    expect_request(fixture, PIPELINE_REDO, 5, 1);
}

static void groups_what_many_say_of_one_event(void **state)
{
    fixture_t *fixture = *state;
    offer_as(fixture, fixture->slots[0], STAGE_WAITING, 20);
    offer_as(fixture, fixture->other, STAGE_WAITING, 20);
    step_after(fixture, 0);
    step_after(fixture, NS_PER_MS);
    status_request_t *request = request_queue_dequeue(fixture->queue);
    assert_int_equal(request->group_count, 1);
    assert_int_equal(request->groups[0].count, 2);
}

static void opens_a_new_group_where_joining_would_reorder_a_dispatcher(void **state)
{
    fixture_t *fixture = *state;
    offer_as(fixture, fixture->other, STAGE_WAITING, 20);
    offer_as(fixture, fixture->slots[0], STAGE_DONE, 10);
    offer_as(fixture, fixture->slots[0], STAGE_WAITING, 20);
    offer_as(fixture, fixture->other, STAGE_DONE, 20);
    step_after(fixture, 0);
    step_after(fixture, NS_PER_MS);
    status_request_t *request = request_queue_dequeue(fixture->queue);
    assert_int_equal(request->group_count, 4);
    assert_int_equal(request->groups[0].stage, STAGE_WAITING);
    assert_int_equal(request->groups[0].count, 1);
    assert_int_equal(request->groups[1].stage, STAGE_DONE);
    assert_int_equal(request->groups[1].key.commit_ts.v, 10);
    assert_int_equal(request->groups[2].key.commit_ts.v, 20);
    assert_int_equal(request->groups[2].stage, STAGE_WAITING);
    assert_ptr_equal(request->slots[request->groups[2].first], fixture->slots[0]);
}

static void keeps_different_payloads_in_different_groups(void **state)
{
    fixture_t *fixture = *state;
    ddl_event_t *one = ddl_event_new(), *two = ddl_event_new();
    block_status_t statuses[] = {
        taken_status(fixture->slots[0], STAGE_WAITING, ddl_key(5)),
        taken_status(fixture->other, STAGE_WAITING, ddl_key(5)),
    };
    statuses[0].ddl = one;
    statuses[1].ddl = two;
    status_request_t *request = status_request_new(statuses, 2, 1);
    assert_int_equal(request->group_count, 2);
    block_status_group_t view[2];
    status_request_view(request, view);
    assert_ptr_equal(view[0].payload, &one->payload);
    assert_ptr_equal(view[1].payload, &two->payload);
    status_request_destroy(&request);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(cuts_into_full_requests_by_mode),
        TEST(collects_what_comes_inside_the_window_under_load),
        TEST(sends_a_lone_status_after_one_idle_window),
        TEST(counts_the_idle_window_from_the_last_hand_over),
        TEST(closes_at_the_window_under_continuous_arrivals),
        TEST(waits_for_the_window_while_requests_are_queued),
        TEST(takes_nothing_while_the_queue_is_full),
        TEST(flushes_what_was_taken_at_shutdown),
        TEST(groups_what_many_say_of_one_event),
        TEST(opens_a_new_group_where_joining_would_reorder_a_dispatcher),
        TEST(keeps_different_payloads_in_different_groups),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
