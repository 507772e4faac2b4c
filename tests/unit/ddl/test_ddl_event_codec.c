#include "tests/unit/ddl/tracker_fixture.h"

#include "dispatcher/core/ddl/ddl_event_codec.h"

/* One of every shape: tables created, altered, renamed, moved, truncated, dropped; whole schemas;
 * partitions; rewritten statements; foreign keys; what is not understood. */
static const char *const statements[] = {
    "ALTER TABLE a ADD COLUMN z INT FIRST, DROP v",
    "CREATE TABLE n (id INT PRIMARY KEY, x ENUM('a','it''s') CHARACTER SET utf8mb4)",
    "/*rows*/ CREATE TABLE `n` (`id` int(11) NOT NULL)",
    "CREATE OR REPLACE TABLE a (x INT)",
    "CREATE TABLE fk.n (p INT, FOREIGN KEY (p) REFERENCES fk.p (id))",
    "DROP TABLE IF EXISTS a, b, skip1",
    "TRUNCATE a",
    "ALTER TABLE r DROP PARTITION p0",
    "ALTER TABLE r TRUNCATE PARTITION ALL",
    "ALTER TABLE r EXCHANGE PARTITION p0 WITH TABLE c",
    "RENAME TABLE a TO whole.moved, b TO a",
    "ALTER TABLE a RENAME TO skip3, ADD z INT",
    "CREATE DATABASE whole",
    "ALTER DATABASE whole CHARACTER SET utf8mb4",
    "DROP DATABASE whole",
    "DROP DATABASE db",
    "CREATE VIEW v AS SELECT 1",
    "DROP VIEW v",
};
enum { STATEMENTS = sizeof statements / sizeof statements[0] };

static bytes_t packed(const ddl_event_t *event, arena_t *arena)
{
    text_builder_t builder;
    text_builder_init(&builder, arena);
    ddl_event_pack(event, &builder);
    return bytes_of(builder.data, builder.len);
}

static ddl_event_t *event_of(source_t *source, const char *statement)
{
    sluice_error_t error = apply(source, statement);
    if (error != SLUICE_OK || source->outcome.kind != SCHEMA_EVENT)
        fail_msg("%s: %s", statement, describe(source, error));
    return source->outcome.event;
}

static void every_shape_comes_back_whole(void **state)
{
    (void)state;
    for (int i = 0; i < STATEMENTS; i++) {
        source_t *source = source_open();
        ddl_event_t *event = event_of(source, statements[i]);
        event->context.time_zone = i % 2 ? "Europe/Berlin" : NULL;
        event->context.timestamp_us = 1767225599123456;
        bytes_t bytes = packed(event, &source->arena);
        ddl_event_t *back = ddl_event_unpack(bytes);
        if (!back)
            fail_msg("%s: is refused", statements[i]);
        bytes_t again = packed(back, &source->arena);
        if (!bytes_equal(bytes, again) ||
            strcmp(describe_event(source, event), describe_event(source, back)) != 0)
            fail_msg("%s: comes back as something else", statements[i]);
        assert_int_equal(back->commit_ts.v, event->commit_ts.v);
        assert_string_equal(back->sql_utf8, event->sql_utf8);
        assert_true(bytes_equal(back->replay, event->replay));
        assert_int_equal(back->context.timestamp_us, 1767225599123456);
        assert_int_equal(back->partition_count, event->partition_count);
        for (uint32_t j = 0; j < event->change_count; j++) {
            const table_change_t *a = &event->changes[j], *b = &back->changes[j];
            assert_int_equal(a->before == a->after, b->before == b->after);
            const char *why = a->after ? testing_difference(a->after, b->after, &source->arena)
                                       : testing_difference(a->before, b->before, &source->arena);
            if (why)
                fail_msg("%s: %s", statements[i], why);
        }
        ddl_event_unref(&back);
        source_close(source);
    }
}

static void what_is_cut_off_is_refused(void **state)
{
    (void)state;
    for (int i = 0; i < STATEMENTS; i++) {
        source_t *source = source_open();
        bytes_t bytes = packed(event_of(source, statements[i]), &source->arena);
        for (size_t len = 0; len < bytes.len; len++) {
            uint8_t *cut = memory_alloc(len + 1);
            memcpy(cut, bytes.data, len);
            assert_null(ddl_event_unpack(bytes_of(cut, len)));
            free(cut);
        }
        source_close(source);
    }
}

static void flipped_bits_are_survived(void **state)
{
    (void)state;
    for (int i = 0; i < STATEMENTS; i++) {
        source_t *source = source_open();
        bytes_t bytes = packed(event_of(source, statements[i]), &source->arena);
        uint8_t *changed = memory_alloc(bytes.len);
        memcpy(changed, bytes.data, bytes.len);
        for (size_t bit = 0; bit < bytes.len * 8; bit++) {
            changed[bit / 8] ^= (uint8_t)(1U << bit % 8);
            ddl_event_t *back = ddl_event_unpack(bytes_of(changed, bytes.len));
            ddl_event_unref(&back);
            changed[bit / 8] ^= (uint8_t)(1U << bit % 8);
        }
        free(changed);
        source_close(source);
    }
}

/* Else a few bytes would have room made for thousands of columns. */
static void more_elements_than_the_bytes_can_hold_are_refused(void **state)
{
    (void)state;
    arena_t arena = {0};
    for (uint32_t spare = 0; spare < 2; spare++) {
        text_builder_t to;
        text_builder_init(&to, &arena);
        pack_number(&to, 10);
        for (uint32_t i = 0; i < 10 * 17 - spare; i++)
            pack_number(&to, 0);
        unpacker_t from = unpacker_of(bytes_of(to.data, to.len), &arena);
        assert_int_equal(unpack_count_of(&from, 17), spare ? 0 : 10);
        assert_int_equal(from.failed, spare);
    }
    arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shape_comes_back_whole),
        cmocka_unit_test(what_is_cut_off_is_refused),
        cmocka_unit_test(flipped_bits_are_survived),
        cmocka_unit_test(more_elements_than_the_bytes_can_hold_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
