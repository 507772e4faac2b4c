#include "tests/testing.h"

#include "dispatcher/core/puller/server_choice.h"

static const uint64_t refused_ns = 10 * NS_PER_S;

static server_choice_t choice_of(uint32_t count)
{
    server_choice_settings_t settings = server_choice_default();
    return server_choice_init(&settings, count);
}

static mono_ns_t ms(uint64_t number)
{
    return (mono_ns_t){number * NS_PER_MS};
}

/* Without jitter: the longest delay. */
static bool fails(server_choice_t *choice, uint32_t server, sluice_error_t error, mono_ns_t now)
{
    return server_choice_fail(choice, server, error, now, 0);
}

static void expect(const server_choice_t *choice, mono_ns_t now, uint32_t server, mono_ns_t at)
{
    mono_ns_t found;
    assert_int_equal(server_choice_next(choice, now, &found), server);
    assert_int_equal(found.v, at.v);
}

static void takes_the_first_at_once(void **state)
{
    (void)state;
    server_choice_t choice = choice_of(3);
    expect(&choice, ms(7), 0, ms(7));
}

static void waits_as_long_as_the_settings_say(void **state)
{
    (void)state;
    server_choice_settings_t settings = server_choice_default();
    settings.retry_first_ns = 7 * NS_PER_MS;
    settings.retry_max_ns = 14 * NS_PER_MS;
    settings.cooldown = (store_cooldown_settings_t){.first_ns = NS_PER_MS, .max_ns = NS_PER_MS};
    server_choice_t choice = server_choice_init(&settings, 1);
    mono_ns_t now = ms(100);
    const uint64_t delays[] = {7, 14, 14};
    for (size_t i = 0; i < sizeof delays / sizeof delays[0]; i++) {
        assert_true(fails(&choice, 0, SLUICE_ERROR_SOURCE_CONNECTION, now));
        now = mono_add(now, delays[i] * NS_PER_MS);
        expect(&choice, now, 0, now);
        expect(&choice, (mono_ns_t){now.v - 1}, 0, now);
    }
}

static void another_server_takes_over_after_the_backoff(void **state)
{
    (void)state;
    server_choice_t choice = choice_of(3);
    assert_true(fails(&choice, 0, SLUICE_ERROR_SOURCE_CONNECTION, ms(1000)));
    expect(&choice, ms(1000), 1, ms(1050));
    assert_true(fails(&choice, 1, SLUICE_ERROR_SOURCE_CONNECTION, ms(1050)));
    expect(&choice, ms(1050), 2, ms(1150));
    server_choice_succeed(&choice, 2);
    /* The one that serves fails: the list's order counts again, less those that cool. */
    assert_true(fails(&choice, 2, SLUICE_ERROR_SOURCE_CONNECTION, ms(1160)));
    expect(&choice, ms(1160), 0, ms(1210));
    server_choice_succeed(&choice, 0);
    expect(&choice, ms(5000), 0, ms(5000));
}

static void a_server_is_left_alone_while_it_cools(void **state) /* R7 */
{
    (void)state;
    server_choice_t choice = choice_of(1);
    assert_true(fails(&choice, 0, SLUICE_ERROR_SOURCE_CONNECTION, ms(1000)));
    expect(&choice, ms(1000), 0, ms(1200));
    assert_true(fails(&choice, 0, SLUICE_ERROR_SOURCE_CONNECTION, ms(1200)));
    expect(&choice, ms(1200), 0, ms(1600));
    server_choice_succeed(&choice, 0);
    expect(&choice, ms(1250), 0, ms(1250));
}

static void a_server_that_does_not_answer_cools(void **state)
{
    (void)state;
    server_choice_t choice = choice_of(1);
    assert_true(fails(&choice, 0, SLUICE_ERROR_TIMEOUT, ms(1000)));
    expect(&choice, ms(1000), 0, ms(1200));
}

static void the_lists_order_counts_again_once_one_has_delivered(void **state)
{
    (void)state;
    server_choice_t choice = choice_of(3);
    assert_true(fails(&choice, 1, SLUICE_ERROR_SOURCE_BUSY, ms(1000)));
    assert_true(fails(&choice, 0, SLUICE_ERROR_SOURCE_BUSY, ms(2000)));
    server_choice_succeed(&choice, 2);
    assert_true(fails(&choice, 2, SLUICE_ERROR_SOURCE_BUSY, ms(3000)));
    expect(&choice, ms(3000), 0, ms(3050));
}

static void the_backoff_bounds_the_attempts_at_all_servers(void **state) /* R1, ISS-14 */
{
    (void)state;
    server_choice_t choice = choice_of(3);
    uint64_t attempts[3] = {0}, random = 1;
    mono_ns_t now = ms(0), end = ms(60000);
    for (;;) {
        mono_ns_t at;
        uint32_t server = server_choice_next(&choice, now, &at);
        if (at.v > end.v)
            break;
        now = at;
        attempts[server]++;
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
        assert_true(
            server_choice_fail(&choice, server, SLUICE_ERROR_SOURCE_CONNECTION, now, random >> 16));
    }
    /* Of one server: 200 ms doubling to 5 s, 5 of them until then. Of all: 1 s apart at least, from
     * the sixth on. */
    for (int i = 0; i < 3; i++)
        assert_in_range(attempts[i], 10, 5 + 60 / 5 + 1);
    assert_true(attempts[0] + attempts[1] + attempts[2] <= 6 + 60);
}

static void who_is_busy_or_behind_comes_after_the_others(void **state)
{
    (void)state;
    server_choice_t choice = choice_of(2);
    assert_true(fails(&choice, 0, SLUICE_ERROR_SOURCE_BUSY, ms(1000)));
    expect(&choice, ms(1000), 1, ms(1050));
    assert_true(fails(&choice, 1, SLUICE_ERROR_SOURCE_BUSY, ms(1050)));
    expect(&choice, ms(1050), 0, ms(1150)); /* it was longest ago, and does not cool */
}

static void a_refusal_ends_it_only_if_every_server_refuses(void **state)
{
    (void)state;
    server_choice_t one = choice_of(1);
    assert_false(fails(&one, 0, SLUICE_ERROR_SOURCE_PURGED, ms(1)));

    server_choice_t choice = choice_of(3);
    assert_true(fails(&choice, 0, SLUICE_ERROR_SOURCE_PURGED, ms(1000)));
    assert_true(fails(&choice, 1, SLUICE_ERROR_SOURCE_CONNECTION, ms(1050)));
    assert_true(fails(&choice, 2, SLUICE_ERROR_SOURCE_DIVERGED, ms(1150)));
    expect(&choice, ms(1150), 1, ms(1350)); /* not at once, but before those that refused */
    assert_false(fails(&choice, 1, SLUICE_ERROR_SOURCE_CREDENTIALS, ms(1350)));
}

static void who_refused_is_asked_again_while_others_may_serve(void **state)
{
    (void)state;
    server_choice_t choice = choice_of(2);
    assert_true(fails(&choice, 0, SLUICE_ERROR_SOURCE_CREDENTIALS, ms(0)));
    mono_ns_t now = ms(50), at = ms(0);
    uint32_t server;
    while ((server = server_choice_next(&choice, now, &at)) == 1) {
        now = at;
        assert_true(now.v < refused_ns + 5 * NS_PER_S);
        assert_true(fails(&choice, 1, SLUICE_ERROR_SOURCE_CONNECTION, now));
    }
    assert_true(at.v >= refused_ns);
    /* Mended: it serves, and a later refusal of the other is one of two again. */
    server_choice_succeed(&choice, 0);
    assert_true(fails(&choice, 0, SLUICE_ERROR_SOURCE_CONNECTION, mono_add(at, NS_PER_S)));
    assert_true(fails(&choice, 1, SLUICE_ERROR_SOURCE_PURGED, mono_add(at, 10 * NS_PER_S)));
}

static void a_refusal_that_was_forgotten_counts_no_more(void **state)
{
    (void)state;
    server_choice_t choice = choice_of(2);
    assert_true(fails(&choice, 0, SLUICE_ERROR_SOURCE_PURGED, ms(0)));
    server_choice_succeed(&choice, 1);
    assert_true(fails(&choice, 1, SLUICE_ERROR_SOURCE_PURGED, ms(100)));
    assert_false(fails(&choice, 0, SLUICE_ERROR_SOURCE_PURGED, ms(20000)));

    choice = choice_of(2);
    assert_true(fails(&choice, 0, SLUICE_ERROR_SOURCE_PURGED, ms(0)));
    assert_true(fails(&choice, 0, SLUICE_ERROR_SOURCE_CONNECTION, ms(10000)));
    assert_true(fails(&choice, 1, SLUICE_ERROR_SOURCE_PURGED, ms(10050)));
}

static void what_the_log_itself_says_ends_it(void **state)
{
    (void)state;
    static const sluice_error_t errors[] = {SLUICE_ERROR_SOURCE_STATEMENT_FORMAT,
                                            SLUICE_ERROR_SOURCE_ROW_IMAGE,
                                            SLUICE_ERROR_SOURCE_XA,
                                            SLUICE_ERROR_SOURCE_DOMAIN,
                                            SLUICE_ERROR_SOURCE_SEQUENCE,
                                            SLUICE_ERROR_SCHEMA_MISMATCH,
                                            SLUICE_ERROR_DDL_UNSUPPORTED,
                                            SLUICE_ERROR_ENTERS_FILTER,
                                            SLUICE_ERROR_CONFIGURATION};
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        server_choice_t choice = choice_of(3);
        assert_false(fails(&choice, 0, errors[i], ms(1)));
    }
}

static void an_idle_server_lags_when_others_stay_ahead_of_it(void **state)
{
    (void)state;
    server_choice_t choice = choice_of(2);
    assert_false(server_choice_lags(&choice, 100, ms(0)));
    server_choice_note_other(&choice, 100, 90, ms(0));
    server_choice_note_other(&choice, 100, 100, ms(0));
    assert_false(server_choice_lags(&choice, 100, ms(60000)));
    server_choice_note_other(&choice, 100, 120, ms(60000));
    assert_false(server_choice_lags(&choice, 100, ms(69999)));
    server_choice_note_other(&choice, 110, 200, ms(69999)); /* the first counts: 120 */
    assert_true(server_choice_lags(&choice, 119, ms(70000)));
    assert_false(server_choice_lags(&choice, 120, ms(70000)));
    /* It came there: what the other has by now counts from now on. */
    server_choice_note_other(&choice, 120, 210, ms(70000));
    assert_false(server_choice_lags(&choice, 120, ms(79999)));
    assert_true(server_choice_lags(&choice, 120, ms(80000)));
}

static void another_replica_with_our_server_id_is_a_refusal_the_second_time(void **state)
{
    (void)state;
    server_choice_t choice = choice_of(1);
    assert_true(fails(&choice, 0, SLUICE_ERROR_SOURCE_SERVER_ID, ms(0)));
    assert_true(fails(&choice, 0, SLUICE_ERROR_SOURCE_SERVER_ID, ms(60000)));
    server_choice_succeed(&choice, 0);
    assert_false(fails(&choice, 0, SLUICE_ERROR_SOURCE_SERVER_ID, ms(60000 + 59999)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_the_first_at_once),
        cmocka_unit_test(waits_as_long_as_the_settings_say),
        cmocka_unit_test(another_server_takes_over_after_the_backoff),
        cmocka_unit_test(a_server_is_left_alone_while_it_cools),
        cmocka_unit_test(a_server_that_does_not_answer_cools),
        cmocka_unit_test(the_lists_order_counts_again_once_one_has_delivered),
        cmocka_unit_test(the_backoff_bounds_the_attempts_at_all_servers),
        cmocka_unit_test(who_is_busy_or_behind_comes_after_the_others),
        cmocka_unit_test(a_refusal_ends_it_only_if_every_server_refuses),
        cmocka_unit_test(who_refused_is_asked_again_while_others_may_serve),
        cmocka_unit_test(a_refusal_that_was_forgotten_counts_no_more),
        cmocka_unit_test(what_the_log_itself_says_ends_it),
        cmocka_unit_test(an_idle_server_lags_when_others_stay_ahead_of_it),
        cmocka_unit_test(another_replica_with_our_server_id_is_a_refusal_the_second_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
