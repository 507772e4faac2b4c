#include "tests/unit/node/status_fixture.h"

#include "dispatcher/core/status/request_queue.h"

typedef struct {
    request_queue_t *queue;
    status_slot_t *slot;
} fixture_t;

static int set_up(void **state)
{
    static fixture_t fixture;
    fixture.queue = request_queue_new(3);
    request_queue_set_target(fixture.queue, 1);
    fixture.slot = new_slot(1, PIPELINE_DEFAULT);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    fixture_t *fixture = *state;
    request_queue_destroy(&fixture->queue);
    assert_int_equal(atomic_load(&fixture->slot->references), 1);
    status_slot_unref(&fixture->slot);
    return 0;
}

static void enqueue(fixture_t *fixture, block_stage_t stage, event_key_t key)
{
    status_request_t *request = request_of_one(fixture->slot, stage, key);
    assert_int_equal(request_queue_enqueue(fixture->queue, &request), SLUICE_OK);
    assert_null(request);
}

static status_request_t *expect_dequeued(fixture_t *fixture, block_stage_t stage, event_key_t key)
{
    status_request_t *request = request_queue_dequeue(fixture->queue);
    assert_non_null(request);
    assert_int_equal(request->groups[0].stage, stage);
    assert_true(event_key_equal(request->groups[0].key, key));
    return request;
}

static void expect_none_queued(fixture_t *fixture)
{
    assert_null(request_queue_dequeue(fixture->queue));
}

static void finish(fixture_t *fixture, status_request_t *request)
{
    status_request_t *sent = request_queue_complete(fixture->queue, request, REQUEST_SENT);
    assert_ptr_equal(sent, request);
    status_request_destroy(&sent);
}

static void drops_a_key_that_is_queued(void **state)
{
    fixture_t *fixture = *state;
    block_stage_t stages[] = {STAGE_DONE, STAGE_WAITING};
    for (size_t i = 0; i < 2; i++) {
        enqueue(fixture, stages[i], ddl_key(100));
        enqueue(fixture, stages[i], ddl_key(100));
        assert_int_equal(request_queue_length(fixture->queue), 1);
        status_request_t *request = expect_dequeued(fixture, stages[i], ddl_key(100));
        expect_none_queued(fixture);
        finish(fixture, request);
    }
}

static void drops_a_key_that_is_in_flight_and_admits_it_after_success(void **state)
{
    fixture_t *fixture = *state;
    block_stage_t stages[] = {STAGE_DONE, STAGE_WAITING};
    for (size_t i = 0; i < 2; i++) {
        enqueue(fixture, stages[i], ddl_key(101));
        status_request_t *request = expect_dequeued(fixture, stages[i], ddl_key(101));
        enqueue(fixture, stages[i], ddl_key(101));
        expect_none_queued(fixture);
        finish(fixture, request);
        enqueue(fixture, stages[i], ddl_key(101));
        finish(fixture, expect_dequeued(fixture, stages[i], ddl_key(101)));
    }
    assert_true(request_queue_is_idle(fixture->queue));
    assert_int_equal(request_queue_key_count(fixture->queue), 0);
}

static void tells_syncpoints_and_modes_apart(void **state)
{
    fixture_t *fixture = *state;
    status_slot_t *redo = new_slot(1, PIPELINE_REDO);
    enqueue(fixture, STAGE_DONE, ddl_key(200));
    enqueue(fixture, STAGE_DONE, sync_key(200));
    status_request_t *request = request_of_one(redo, STAGE_DONE, ddl_key(200));
    assert_int_equal(request_queue_enqueue(fixture->queue, &request), SLUICE_OK);
    finish(fixture, expect_dequeued(fixture, STAGE_DONE, ddl_key(200)));
    finish(fixture, expect_dequeued(fixture, STAGE_DONE, sync_key(200)));
    status_request_t *last = expect_dequeued(fixture, STAGE_DONE, ddl_key(200));
    assert_int_equal(last->mode, PIPELINE_REDO);
    finish(fixture, last);
    status_slot_unref(&redo);
}

static void passes_waiting_and_done_of_one_event(void **state)
{
    fixture_t *fixture = *state;
    enqueue(fixture, STAGE_WAITING, ddl_key(300));
    status_request_t *waiting = expect_dequeued(fixture, STAGE_WAITING, ddl_key(300));
    enqueue(fixture, STAGE_DONE, ddl_key(300));
    status_request_t *done = expect_dequeued(fixture, STAGE_DONE, ddl_key(300));
    finish(fixture, waiting);
    finish(fixture, done);
}

static void passes_every_none(void **state)
{
    fixture_t *fixture = *state;
    for (int i = 0; i < 3; i++)
        enqueue(fixture, STAGE_NONE, ddl_key(400));
    assert_true(request_queue_has_report(fixture->queue, fixture->slot, ddl_key(400)));
    assert_false(request_queue_has_report(fixture->queue, fixture->slot, ddl_key(401)));
    for (int i = 0; i < 3; i++)
        finish(fixture, expect_dequeued(fixture, STAGE_NONE, ddl_key(400)));
    assert_false(request_queue_has_report(fixture->queue, fixture->slot, ddl_key(400)));
    assert_int_equal(request_queue_key_count(fixture->queue), 0);
}

static void ignores_nothing_and_completing_twice(void **state)
{
    fixture_t *fixture = *state;
    status_request_t *nothing = NULL;
    assert_int_equal(request_queue_enqueue(fixture->queue, &nothing), SLUICE_OK);
    assert_null(request_queue_complete(fixture->queue, NULL, REQUEST_SENT));
    enqueue(fixture, STAGE_DONE, ddl_key(1));
    status_request_t *request = expect_dequeued(fixture, STAGE_DONE, ddl_key(1));
    status_request_t *sent = request_queue_complete(fixture->queue, request, REQUEST_SENT);
    assert_ptr_equal(sent, request);
    assert_null(request_queue_complete(fixture->queue, request, REQUEST_SENT));
    assert_null(request_queue_complete(fixture->queue, request, REQUEST_FAILED));
    expect_none_queued(fixture);
    status_request_destroy(&sent);
}

static void puts_a_failed_request_back_at_the_head_with_its_keys(void **state)
{
    fixture_t *fixture = *state;
    enqueue(fixture, STAGE_WAITING, ddl_key(1));
    enqueue(fixture, STAGE_DONE, ddl_key(1));
    status_request_t *first = expect_dequeued(fixture, STAGE_WAITING, ddl_key(1));
    assert_null(request_queue_complete(fixture->queue, first, REQUEST_FAILED));
    enqueue(fixture, STAGE_WAITING, ddl_key(1));
    assert_int_equal(request_queue_length(fixture->queue), 2);
    assert_ptr_equal(expect_dequeued(fixture, STAGE_WAITING, ddl_key(1)), first);
    finish(fixture, first);
    finish(fixture, expect_dequeued(fixture, STAGE_DONE, ddl_key(1)));
}

static void frees_the_keys_of_a_dropped_request(void **state)
{
    fixture_t *fixture = *state;
    enqueue(fixture, STAGE_WAITING, ddl_key(1));
    status_request_t *request = expect_dequeued(fixture, STAGE_WAITING, ddl_key(1));
    assert_null(request_queue_complete(fixture->queue, request, REQUEST_DROPPED));
    assert_int_equal(request_queue_key_count(fixture->queue), 0);
    enqueue(fixture, STAGE_WAITING, ddl_key(1));
    finish(fixture, expect_dequeued(fixture, STAGE_WAITING, ddl_key(1)));
}

static void drops_requests_of_another_maintainer(void **state)
{
    fixture_t *fixture = *state;
    enqueue(fixture, STAGE_WAITING, ddl_key(1));
    enqueue(fixture, STAGE_NONE, ddl_key(2));
    status_request_t *in_flight = expect_dequeued(fixture, STAGE_WAITING, ddl_key(1));
    request_queue_set_target(fixture->queue, 2);
    assert_int_equal(request_queue_length(fixture->queue), 0);
    assert_null(request_queue_complete(fixture->queue, in_flight, REQUEST_FAILED));
    assert_int_equal(request_queue_key_count(fixture->queue), 0);
    assert_true(request_queue_is_idle(fixture->queue));
    enqueue(fixture, STAGE_WAITING, ddl_key(1));
    status_request_t *request = expect_dequeued(fixture, STAGE_WAITING, ddl_key(1));
    assert_int_equal(request->target, 2);
    finish(fixture, request);
}

static void refuses_when_full_without_taking_the_request(void **state)
{
    fixture_t *fixture = *state;
    for (uint64_t ts = 1; ts <= 3; ts++)
        enqueue(fixture, STAGE_WAITING, ddl_key(ts));
    status_request_t *request = request_of_one(fixture->slot, STAGE_WAITING, ddl_key(4));
    assert_int_equal(request_queue_enqueue(fixture->queue, &request), SLUICE_ERROR_FULL);
    assert_non_null(request);
    assert_int_equal(request_queue_key_count(fixture->queue), 3);
    status_request_destroy(&request);
}

static void filters_only_what_is_repeated_of_a_request(void **state)
{
    fixture_t *fixture = *state;
    status_slot_t *other = new_slot(2, PIPELINE_DEFAULT);
    enqueue(fixture, STAGE_WAITING, ddl_key(7));
    block_status_t statuses[] = {
        taken_status(fixture->slot, STAGE_WAITING, ddl_key(7)),
        taken_status(other, STAGE_WAITING, ddl_key(7)),
        taken_status(fixture->slot, STAGE_DONE, ddl_key(7)),
    };
    statuses[1].passed = ddl_key(6);
    status_request_t *request = status_request_new(statuses, 3, 1);
    assert_int_equal(request_queue_enqueue(fixture->queue, &request), SLUICE_OK);

    finish(fixture, expect_dequeued(fixture, STAGE_WAITING, ddl_key(7)));
    request = expect_dequeued(fixture, STAGE_WAITING, ddl_key(7));
    assert_int_equal(request->status_count, 2);
    assert_int_equal(request->group_count, 2);
    assert_int_equal(request->groups[0].count, 1);
    block_status_group_t view[2];
    status_request_view(request, view);
    assert_int_equal(view[0].dispatchers[0].lo, 2);
    assert_int_equal(view[0].passed[0].commit_ts.v, 6);
    assert_int_equal(view[1].stage, STAGE_DONE);
    assert_int_equal(view[1].dispatchers[0].lo, 1);
    finish(fixture, request);
    assert_int_equal(request_queue_key_count(fixture->queue), 0);
    status_slot_unref(&other);
}

static void drops_a_repetition_inside_one_request(void **state)
{
    fixture_t *fixture = *state;
    block_status_t statuses[] = {
        taken_status(fixture->slot, STAGE_DONE, ddl_key(7)),
        taken_status(fixture->slot, STAGE_DONE, ddl_key(8)),
        taken_status(fixture->slot, STAGE_DONE, ddl_key(7)),
    };
    status_request_t *request = status_request_new(statuses, 3, 1);
    assert_int_equal(request->group_count, 3);
    assert_int_equal(request_queue_enqueue(fixture->queue, &request), SLUICE_OK);
    request = request_queue_dequeue(fixture->queue);
    assert_int_equal(request->status_count, 2);
    finish(fixture, request);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(drops_a_key_that_is_queued),
        TEST(drops_a_key_that_is_in_flight_and_admits_it_after_success),
        TEST(tells_syncpoints_and_modes_apart),
        TEST(passes_waiting_and_done_of_one_event),
        TEST(passes_every_none),
        TEST(ignores_nothing_and_completing_twice),
        TEST(puts_a_failed_request_back_at_the_head_with_its_keys),
        TEST(frees_the_keys_of_a_dropped_request),
        TEST(drops_requests_of_another_maintainer),
        TEST(refuses_when_full_without_taking_the_request),
        TEST(filters_only_what_is_repeated_of_a_request),
        TEST(drops_a_repetition_inside_one_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
