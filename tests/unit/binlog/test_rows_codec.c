#include "tests/unit/binlog/assembler_fixture.h"

#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "dispatcher/core/binlog/rows_codec.h"

/* The maps of two numbers of d.a, three rows of it, and one of d.b between them. */
static const transaction_t *some_transaction(fixture_t *f)
{
    send_gtid(f, 5, GTID_TRANSACTIONAL);
    send_map(f, 8, "b");
    send_map(f, 7, "a");
    send_insert(f, 7, 1);
    send_insert(f, 8, 2);
    send_map(f, 9, "a");
    send_insert(f, 9, 3);
    send_insert(f, 7, 4);
    send_commit(f);
    return take_group(f)->transaction;
}

static const table_rows_t *rows_of(const transaction_t *transaction,
                                   const table_definition_t *definition)
{
    for (uint32_t i = 0; i < transaction->table_count; i++) {
        if (transaction->tables[i].definition == definition)
            return &transaction->tables[i];
    }
    fail();
    return NULL;
}

/* To be freed. */
static bytes_t encode(const transaction_t *transaction, const table_rows_t *rows)
{
    size_t size = rows_codec_size(transaction, rows);
    uint8_t *bytes = malloc(size);
    rows_codec_encode(transaction, rows, bytes);
    return bytes_of(bytes, size);
}

/* From a block of just its size, so that reading beyond it is seen. */
static sluice_error_t decode(fixture_t *f, bytes_t bytes, transaction_t **transaction)
{
    uint8_t *copy = malloc(bytes.len ? bytes.len : 1);
    memcpy(copy, bytes.data, bytes.len);
    sluice_error_t error =
        rows_codec_decode(bytes_of(copy, bytes.len), f->a, NULL, transaction, &f->report);
    free(copy);
    return error;
}

static void assert_refused(fixture_t *f, bytes_t bytes)
{
    transaction_t *transaction;
    assert_int_equal(decode(f, bytes, &transaction), SLUICE_ERROR_MALFORMED);
    assert_null(transaction);
}

static void one_table_comes_back_alone(void **state)
{
    fixture_t *f = *state;
    const transaction_t *original = some_transaction(f);
    bytes_t bytes = encode(original, rows_of(original, f->a));
    transaction_t *decoded;
    assert_int_equal(decode(f, bytes, &decoded), SLUICE_OK);
    assert_int_equal(decoded->commit_ts.v, 5);
    assert_int_equal(decoded->commit_time.v, original->commit_time.v);
    assert_true(decoded->is_first_part && decoded->is_last_part);
    assert_int_equal(decoded->table_count, 1);
    assert_int_equal(decoded->map_count, 2);
    assert_ptr_equal(decoded->tables[0].definition, f->a);
    assert_false(decoded->tables[0].continues);
    assert_int_equal(decoded->tables[0].bytes, rows_of(original, f->a)->bytes);
    assert_string_equal(values_of(&decoded->tables[0]), "1 3 4");
    assert_ptr_equal(decoded->tables[0].events[0].map, decoded->tables[0].events[2].map);
    assert_ptr_not_equal(decoded->tables[0].events[0].map, decoded->tables[0].events[1].map);
    assert_true(decoded->bytes >= decoded->tables[0].bytes);
    transaction_unref(&decoded);
    free((void *)(uintptr_t)bytes.data);
}

static void the_place_among_the_parts_comes_back(void **state)
{
    fixture_t *f = *state;
    some_transaction(f);
    transaction_t part = *f->group.transaction;
    part.is_first_part = false;
    part.is_last_part = false;
    table_rows_t rows = *rows_of(&part, f->a);
    rows.continues = true;
    bytes_t bytes = encode(&part, &rows);
    transaction_t *decoded;
    assert_int_equal(decode(f, bytes, &decoded), SLUICE_OK);
    assert_false(decoded->is_first_part || decoded->is_last_part);
    assert_true(decoded->tables[0].continues);
    transaction_unref(&decoded);
    free((void *)(uintptr_t)bytes.data);
}

static void an_equal_map_is_decoded_once(void **state)
{
    fixture_t *f = *state;
    send_gtid(f, 5, GTID_TRANSACTIONAL);
    send_map(f, 7, "a");
    send_insert(f, 7, 1);
    send_commit(f);
    const transaction_t *original = take_group(f)->transaction;
    bytes_t bytes = encode(original, rows_of(original, f->a));
    const table_map_t *last = NULL;
    transaction_t *first, *second, *third;
    assert_int_equal(rows_codec_decode(bytes, f->a, &last, &first, NULL), SLUICE_OK);
    assert_int_equal(rows_codec_decode(bytes, f->a, &last, &second, NULL), SLUICE_OK);
    assert_ptr_equal(first->maps[0], second->maps[0]);
    /* Bound to another definition it is another map. */
    const table_definition_t *newer = table_definition_clone(f->a);
    assert_int_equal(rows_codec_decode(bytes, newer, &last, &third, NULL), SLUICE_OK);
    assert_ptr_not_equal(third->maps[0], first->maps[0]);
    assert_ptr_equal(third->maps[0]->definition, newer);
    table_definition_unref(&newer);
    table_map_unref(&last);
    transaction_unref(&first);
    transaction_unref(&second);
    transaction_unref(&third);
    free((void *)(uintptr_t)bytes.data);
}

static void rows_of_another_definition_are_refused_as_such(void **state)
{
    fixture_t *f = *state;
    const transaction_t *original = some_transaction(f);
    bytes_t bytes = encode(original, rows_of(original, f->a));
    static const column_definition_t columns[] = {{.name = "a", .type = COLUMN_INT},
                                                  {.name = "b", .type = COLUMN_INT}};
    table_definition_t *wider = table_definition_new();
    wider->schema = "d";
    wider->name = "a";
    wider->columns = columns;
    wider->column_count = 2;
    transaction_t *decoded;
    assert_int_equal(rows_codec_decode(bytes, wider, NULL, &decoded, &f->report),
                     SLUICE_ERROR_SCHEMA_MISMATCH);
    assert_null(decoded);
    const table_definition_t *done = wider;
    table_definition_unref(&done);
    free((void *)(uintptr_t)bytes.data);
}

static void every_cut_is_refused(void **state)
{
    fixture_t *f = *state;
    const transaction_t *original = some_transaction(f);
    bytes_t bytes = encode(original, rows_of(original, f->a));
    for (size_t len = 0; len < bytes.len; len++)
        assert_refused(f, bytes_of(bytes.data, len));
    free((void *)(uintptr_t)bytes.data);
}

static void every_changed_bit_is_refused(void **state)
{
    fixture_t *f = *state;
    const transaction_t *original = some_transaction(f);
    bytes_t bytes = encode(original, rows_of(original, f->a));
    uint8_t *data = (uint8_t *)(uintptr_t)bytes.data;
    for (size_t bit = 0; bit < 8 * bytes.len; bit++) {
        data[bit / 8] ^= (uint8_t)(1 << (bit % 8));
        assert_refused(f, bytes);
        data[bit / 8] ^= (uint8_t)(1 << (bit % 8));
    }
    free(data);
}

static void seal(uint8_t *data, size_t len)
{
    uint64_t checksum = XXH3_64bits(data, len - sizeof checksum);
    for (size_t i = 0; i < sizeof checksum; i++)
        data[len - sizeof checksum + i] = (uint8_t)(checksum >> (8 * i));
}

/* Whoever means harm makes the checksum fit: then every field stands for itself. */
static void what_lies_is_refused_or_whole(void **state)
{
    fixture_t *f = *state;
    const transaction_t *original = some_transaction(f);
    bytes_t bytes = encode(original, rows_of(original, f->a));
    uint8_t *data = malloc(bytes.len);
    uint32_t refused = 0, taken = 0;
    for (size_t at = 0; at < bytes.len - 8; at++) {
        static const uint8_t values[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
        for (size_t i = 0; i < sizeof values; i++) {
            memcpy(data, bytes.data, bytes.len);
            data[at] = values[i];
            seal(data, bytes.len);
            transaction_t *decoded;
            if (decode(f, bytes_of(data, bytes.len), &decoded) != SLUICE_OK) {
                refused++;
                continue;
            }
            taken++;
            (void)values_of(&decoded->tables[0]);
            transaction_unref(&decoded);
        }
    }
    assert_true(refused > 100 && taken > 100);
    free(data);
    free((void *)(uintptr_t)bytes.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ASSEMBLER_TEST(one_table_comes_back_alone),
        ASSEMBLER_TEST(the_place_among_the_parts_comes_back),
        ASSEMBLER_TEST(an_equal_map_is_decoded_once),
        ASSEMBLER_TEST(rows_of_another_definition_are_refused_as_such),
        ASSEMBLER_TEST(every_cut_is_refused),
        ASSEMBLER_TEST(every_changed_bit_is_refused),
        ASSEMBLER_TEST(what_lies_is_refused_or_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
