#include "tests/testing.h"

#include "dispatcher/core/puller/store_cooldown.h"

static const store_cooldown_settings_t settings = STORE_COOLDOWN_DEFAULT;

static void doubles_up_to_its_longest(void **state) /* R7, RTY-13 */
{
    (void)state;
    store_cooldown_t cooldown = {0};
    mono_ns_t now = {1};
    uint64_t wanted = settings.first_ns;
    for (int i = 0; i < 100; i++) {
        store_cooldown_fail(&cooldown, &settings, now);
        assert_int_equal(store_cooldown_remaining(&cooldown, now), wanted);
        now = cooldown.until;
        assert_int_equal(store_cooldown_remaining(&cooldown, now), 0);
        wanted = wanted * 2 < settings.max_ns ? wanted * 2 : settings.max_ns;
    }
    store_cooldown_succeed(&cooldown);
    store_cooldown_fail(&cooldown, &settings, now);
    assert_int_equal(store_cooldown_remaining(&cooldown, now), settings.first_ns);
}

static void a_success_ends_it(void **state)
{
    (void)state;
    store_cooldown_t cooldown = {0};
    store_cooldown_fail(&cooldown, &settings, (mono_ns_t){1});
    store_cooldown_succeed(&cooldown);
    assert_int_equal(store_cooldown_remaining(&cooldown, (mono_ns_t){1}), 0);
}

static void a_healthy_server_costs_no_write(void **state)
{
    (void)state;
    static const store_cooldown_t healthy; /* in read-only memory */
    store_cooldown_succeed((store_cooldown_t *)&healthy);
    assert_int_equal(store_cooldown_remaining(&healthy, (mono_ns_t){0}), 0);
}

static void counts_on_for_the_length_of_the_cooldown(void **state)
{
    (void)state;
    store_cooldown_t cooldown = {0};
    store_cooldown_fail(&cooldown, &settings, (mono_ns_t){0});
    store_cooldown_fail(&cooldown, &settings, cooldown.until);
    mono_ns_t kept = mono_add(cooldown.until, 2 * settings.first_ns);
    store_cooldown_t other = cooldown;
    store_cooldown_fail(&cooldown, &settings, kept);
    assert_int_equal(store_cooldown_remaining(&cooldown, kept), 4 * settings.first_ns);
    store_cooldown_fail(&other, &settings, mono_add(kept, 1));
    assert_int_equal(store_cooldown_remaining(&other, mono_add(kept, 1)), settings.first_ns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(doubles_up_to_its_longest),
        cmocka_unit_test(a_success_ends_it),
        cmocka_unit_test(a_healthy_server_costs_no_write),
        cmocka_unit_test(counts_on_for_the_length_of_the_cooldown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
