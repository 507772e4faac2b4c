#include "tests/unit/node/status_fixture.h"

#include "dispatcher/core/status/status_path.h"

#define SLOTS 3

typedef struct {
    status_path_t *path;
    status_slot_t *slots[SLOTS];
    mono_ns_t now;
    uint32_t applied;
    verdict_t verdicts[16];
    uint64_t dispatchers[16];
} fixture_t;

static int set_up(void **state)
{
    static fixture_t fixture;
    memset(&fixture, 0, sizeof fixture);
    status_path_options_t options = status_path_options_default();
    fixture.path = status_path_new(&options);
    status_path_set_target(fixture.path, 1);
    for (uint64_t i = 0; i < SLOTS; i++)
        fixture.slots[i] = new_slot(i, PIPELINE_DEFAULT);
    fixture.now = (mono_ns_t){NS_PER_S};
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    fixture_t *fixture = *state;
    status_path_destroy(&fixture->path);
    for (size_t i = 0; i < SLOTS; i++) {
        assert_int_equal(atomic_load(&fixture->slots[i]->references), 1);
        status_slot_unref(&fixture->slots[i]);
    }
    return 0;
}

static void offer(fixture_t *fixture, size_t slot, block_stage_t stage, uint64_t ts)
{
    block_status_t status = status_of(fixture->slots[slot], stage, ddl_key(ts));
    status.is_resend = true;
    assert_int_equal(status_path_offer(fixture->path, &status), SLUICE_OK);
}

static const status_request_t *next_request(fixture_t *fixture)
{
    status_path_step(fixture->path, fixture->now);
    fixture->now = mono_add(fixture->now, NS_PER_MS);
    status_path_step(fixture->path, fixture->now);
    return status_path_next(fixture->path);
}

static uint64_t send_next(fixture_t *fixture)
{
    const status_request_t *request = next_request(fixture);
    assert_non_null(request);
    uint64_t sequence = request->sequence;
    status_path_complete(fixture->path, request, REQUEST_SENT, fixture->now);
    return sequence;
}

static void note(void *context, status_slot_t *slot, event_key_t key, block_stage_t stage,
                 verdict_t verdict)
{
    fixture_t *fixture = context;
    (void)key;
    (void)stage;
    fixture->dispatchers[fixture->applied] = slot->dispatcher_id.lo;
    fixture->verdicts[fixture->applied++] = verdict;
}

static void answer(fixture_t *fixture, uint64_t sequence, uint32_t group, verdict_t verdict)
{
    group_verdict_t message = {.request_sequence = sequence, .group = group, .verdict = verdict};
    status_path_answer(fixture->path, &message, note, fixture);
}

static void applies_one_verdict_and_its_exceptions(void **state)
{
    fixture_t *fixture = *state;
    for (size_t i = 0; i < SLOTS; i++)
        offer(fixture, i, STAGE_WAITING, 5);
    uint64_t sequence = send_next(fixture);
    verdict_exception_t exceptions[] = {
        {1, VERDICT_IGNORED}, {2, VERDICT_LATER}, {77, VERDICT_ACK}};
    group_verdict_t message = {.request_sequence = sequence,
                               .verdict = VERDICT_ACK,
                               .exceptions = exceptions,
                               .exception_count = 3};
    status_path_answer(fixture->path, &message, note, fixture);
    assert_int_equal(fixture->applied, 3);
    verdict_t expected[] = {VERDICT_ACK, VERDICT_IGNORED, VERDICT_LATER};
    for (uint64_t i = 0; i < SLOTS; i++) {
        assert_int_equal(fixture->dispatchers[i], i);
        assert_int_equal(fixture->verdicts[i], expected[i]);
    }
    assert_int_equal(status_path_state(fixture->path).unanswered_requests, 0);
}

static void ignores_repeated_and_unknown_answers(void **state)
{
    fixture_t *fixture = *state;
    offer(fixture, 0, STAGE_WAITING, 5);
    offer(fixture, 0, STAGE_DONE, 5);
    offer(fixture, 1, STAGE_NONE, 6);
    uint64_t sequence = send_next(fixture);
    answer(fixture, sequence + 1, 0, VERDICT_ACK);
    answer(fixture, sequence, 3, VERDICT_ACK);
    answer(fixture, sequence, 1, VERDICT_ACK); /* DONE is not answered */
    assert_int_equal(fixture->applied, 0);
    answer(fixture, sequence, 0, VERDICT_ACK);
    answer(fixture, sequence, 0, VERDICT_ACK);
    assert_int_equal(fixture->applied, 1);
    answer(fixture, sequence, 2, VERDICT_ACK);
    assert_int_equal(fixture->applied, 2);
    assert_int_equal(status_path_state(fixture->path).unanswered_requests, 0);
}

static void keeps_nothing_of_a_request_of_done_alone(void **state)
{
    fixture_t *fixture = *state;
    offer(fixture, 0, STAGE_DONE, 5);
    send_next(fixture);
    assert_int_equal(status_path_state(fixture->path).unanswered_requests, 0);
}

static void forgets_a_request_that_is_not_answered(void **state)
{
    fixture_t *fixture = *state;
    offer(fixture, 0, STAGE_WAITING, 5);
    uint64_t sequence = send_next(fixture);
    mono_ns_t deadline = status_path_next_deadline(fixture->path);
    assert_int_equal(deadline.v, fixture->now.v + 10 * NS_PER_S);
    status_path_step(fixture->path, deadline);
    assert_int_equal(status_path_state(fixture->path).unanswered_requests, 0);
    answer(fixture, sequence, 0, VERDICT_ACK);
    assert_int_equal(fixture->applied, 0);
}

static void forgets_what_an_older_maintainer_was_sent(void **state)
{
    fixture_t *fixture = *state;
    offer(fixture, 0, STAGE_WAITING, 5);
    uint64_t sequence = send_next(fixture);
    status_path_set_target(fixture->path, 2);
    answer(fixture, sequence, 0, VERDICT_ACK);
    assert_int_equal(fixture->applied, 0);
}

static void does_not_repeat_a_none_that_is_queued_anywhere(void **state)
{
    fixture_t *fixture = *state;
    offer(fixture, 0, STAGE_NONE, 5);
    const status_request_t *request = next_request(fixture);
    offer(fixture, 0, STAGE_NONE, 5);
    status_path_complete(fixture->path, request, REQUEST_FAILED, fixture->now);
    offer(fixture, 0, STAGE_NONE, 5);
    assert_int_equal(status_path_state(fixture->path).buffered, 0);
    send_next(fixture);
    offer(fixture, 0, STAGE_NONE, 5);
    assert_int_equal(status_path_state(fixture->path).buffered, 1);
}

static void retries_a_request_that_could_not_be_sent_under_its_number(void **state)
{
    fixture_t *fixture = *state;
    offer(fixture, 0, STAGE_WAITING, 5);
    const status_request_t *request = next_request(fixture);
    uint64_t sequence = request->sequence;
    status_path_complete(fixture->path, request, REQUEST_FAILED, fixture->now);
    assert_int_equal(send_next(fixture), sequence);
}

static void drains_at_shutdown(void **state)
{
    fixture_t *fixture = *state;
    offer(fixture, 0, STAGE_DONE, 5);
    assert_true(status_path_drain(fixture->path, fixture->now));
    const status_request_t *request = status_path_next(fixture->path);
    assert_non_null(request);
    status_path_complete(fixture->path, request, REQUEST_SENT, fixture->now);
    block_status_t late = status_of(fixture->slots[1], STAGE_DONE, ddl_key(5));
    assert_int_equal(status_path_offer(fixture->path, &late), SLUICE_ERROR_CLOSED);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(applies_one_verdict_and_its_exceptions),
        TEST(ignores_repeated_and_unknown_answers),
        TEST(keeps_nothing_of_a_request_of_done_alone),
        TEST(forgets_a_request_that_is_not_answered),
        TEST(forgets_what_an_older_maintainer_was_sent),
        TEST(does_not_repeat_a_none_that_is_queued_anywhere),
        TEST(retries_a_request_that_could_not_be_sent_under_its_number),
        TEST(drains_at_shutdown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
