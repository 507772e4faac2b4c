#include "tests/testing.h"

#include <stdlib.h>

#include "dispatcher/store/record_block.h"

static store_record_t record(uint64_t table, uint64_t ts, uint64_t number, const char *text)
{
    return (store_record_t){{table}, {{ts}, number}, bytes_of_text(text)};
}

static void records_come_back_in_order(void **state)
{
    (void)state;
    const store_record_t records[] = {record(1, 5, 7, "first"), record(1, 5, 8, ""),
                                      record(1, UINT64_MAX, 9, "third")};
    size_t size;
    assert_int_equal(record_block_fit(records, 3, &size), 3);
    uint8_t *data = malloc(size);
    record_block_write(records, 3, data);
    bytes_t block = bytes_of(data, size), bytes;
    store_key_t key;
    bool is_damaged;
    for (int i = 0; i < 3; i++) {
        assert_true(record_block_next(&block, &key, &bytes, &is_damaged));
        assert_int_equal(store_key_compare(key, records[i].key), 0);
        assert_true(bytes_equal(bytes, records[i].bytes));
    }
    assert_false(record_block_next(&block, &key, &bytes, &is_damaged));
    assert_false(is_damaged);
    free(data);
}

static void a_block_is_of_one_table_and_of_bounded_size(void **state)
{
    (void)state;
    char *text = calloc(1, RECORD_BLOCK_BYTES_MAX + 1);
    memset(text, 'x', RECORD_BLOCK_BYTES_MAX);
    store_record_t large = record(1, 1, 1, text);
    store_record_t half = large;
    half.bytes.len /= 2;
    const store_record_t of_two[] = {record(1, 1, 1, "a"), record(2, 1, 2, "b")};
    const store_record_t halves[] = {half, half, half};
    const store_record_t alone[] = {large, half};
    size_t size;
    assert_int_equal(record_block_fit(of_two, 2, &size), 1);
    assert_int_equal(record_block_fit(halves, 3, &size), 1);
    assert_int_equal(record_block_fit(alone, 2, &size), 1);
    assert_true(size > RECORD_BLOCK_BYTES_MAX);
    free(text);
}

static void every_cut_is_damage_or_ends_between_records(void **state)
{
    (void)state;
    const store_record_t records[] = {record(1, 5, 7, "first"), record(1, 5, 8, "second")};
    size_t size;
    record_block_fit(records, 2, &size);
    uint8_t *data = malloc(size);
    record_block_write(records, 2, data);
    for (size_t len = 0; len < size; len++) {
        uint8_t *copy = malloc(len + 1);
        memcpy(copy, data, len);
        bytes_t block = bytes_of(copy, len), bytes;
        store_key_t key;
        bool is_damaged;
        uint32_t count = 0;
        while (record_block_next(&block, &key, &bytes, &is_damaged))
            count++;
        assert_int_equal(is_damaged, len != 0 && len != 20 + 5);
        assert_int_equal(count, len >= 20 + 5);
        free(copy);
    }
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_come_back_in_order),
        cmocka_unit_test(a_block_is_of_one_table_and_of_bounded_size),
        cmocka_unit_test(every_cut_is_damage_or_ends_between_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
