#include "tests/testing.h"

#include "common/base/key_map.h"

#define KEYS 2000

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void empty_map_finds_nothing(void **state)
{
    (void)state;
    key_map_t map = {0};
    size_t at = 0;
    assert_null(key_map_get(&map, (map_key_t){1, 2}));
    key_map_prefetch(&map, (map_key_t){1, 2});
    assert_null(key_map_take(&map, (map_key_t){1, 2}));
    assert_null(key_map_next(&map, &at));
    key_map_clear(&map);
}

static void put_replaces_and_returns_what_was_there(void **state)
{
    (void)state;
    key_map_t map = {0};
    int a, b;
    assert_null(key_map_put(&map, (map_key_t){0, 0}, &a));
    assert_ptr_equal(key_map_put(&map, (map_key_t){0, 0}, &b), &a);
    assert_ptr_equal(key_map_get(&map, (map_key_t){0, 0}), &b);
    assert_int_equal(map.count, 1);
    key_map_clear(&map);
}

/* Random puts and takes against an array indexed by key. */
static void agrees_with_an_array(void **state)
{
    (void)state;
    key_map_t map = {0};
    static char values[KEYS];
    static bool there[KEYS];
    uint64_t seed = 42;
    size_t count = 0;
    for (int step = 0; step < 200000; step++) {
        size_t index = next_random(&seed) % KEYS;
        map_key_t key = {index % 3, index};
        if (next_random(&seed) % 2) {
            void *before = key_map_put(&map, key, &values[index]);
            assert_ptr_equal(before, there[index] ? &values[index] : NULL);
            count += !there[index];
            there[index] = true;
        } else {
            void *taken = key_map_take(&map, key);
            assert_ptr_equal(taken, there[index] ? &values[index] : NULL);
            count -= there[index];
            there[index] = false;
        }
        assert_int_equal(map.count, count);
    }
    for (size_t i = 0; i < KEYS; i++)
        assert_ptr_equal(key_map_get(&map, (map_key_t){i % 3, i}), there[i] ? &values[i] : NULL);
    size_t seen = 0, at = 0;
    while (key_map_next(&map, &at))
        seen++;
    assert_int_equal(seen, count);
    key_map_clear(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_map_finds_nothing),
        cmocka_unit_test(put_replaces_and_returns_what_was_there),
        cmocka_unit_test(agrees_with_an_array),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
