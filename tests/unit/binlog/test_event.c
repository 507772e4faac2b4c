#include "tests/testing.h"

#include <zlib.h>

#include "dispatcher/core/binlog/frame.h"
#include "tests/unit/binlog/event_builder.h"

static builder_t builder;

static int reset(void **state)
{
    (void)state;
    builder_reset(&builder);
    return 0;
}

static binlog_gtid_t parse_gtid(bytes_t event)
{
    binlog_header_t header;
    bytes_t body;
    binlog_gtid_t gtid;
    assert_int_equal(binlog_header_parse(event, &header, &body), SLUICE_OK);
    assert_int_equal(header.type, BINLOG_GTID);
    assert_int_equal(binlog_gtid_parse(&header, body, &gtid), SLUICE_OK);
    return gtid;
}

static void reads_a_gtid_with_padding(void **state)
{
    (void)state;
    binlog_gtid_t gtid = parse_gtid(gtid_event(&builder, 3, 77, GTID_STANDALONE | GTID_DDL));
    assert_int_equal(gtid.domain, 3);
    assert_int_equal(gtid.sequence, 77);
    assert_int_equal(gtid.server_id, 1);
    assert_int_equal(gtid.flags, GTID_STANDALONE | GTID_DDL);
    assert_int_equal(gtid.flags_extra, 0);
    assert_int_equal(gtid.commit_id, 0);
}

static void reads_the_phase_of_an_alter_behind_commit_id_and_xa_name(void **state)
{
    (void)state;
    begin_event(&builder, BINLOG_GTID, 0);
    put_uint(&builder, 9, 8);
    put_uint(&builder, 0, 4);
    put_uint(&builder, GTID_GROUP_COMMIT | GTID_PREPARED_XA, 1);
    put_uint(&builder, 788, 8);
    put_uint(&builder, 1, 4);
    put_uint(&builder, 2, 1);
    put_uint(&builder, 1, 1);
    put_text(&builder, "abc");
    put_uint(&builder, GTID_EXTRA_MULTI_ENGINE | GTID_EXTRA_COMMIT_ALTER, 1);
    put_uint(&builder, 2, 1);
    put_uint(&builder, 8, 8);
    binlog_gtid_t gtid = parse_gtid(end_event(&builder));
    assert_int_equal(gtid.commit_id, 788);
    assert_true(gtid.flags_extra & GTID_EXTRA_COMMIT_ALTER);
    assert_int_equal(gtid.start_alter_sequence, 8);
}

static void refuses_every_cut_of_a_gtid(void **state)
{
    (void)state;
    bytes_t event = gtid_event(&builder, 0, 1, GTID_GROUP_COMMIT);
    binlog_header_t header;
    bytes_t body;
    binlog_gtid_t gtid;
    for (size_t len = 0; len < event.len; len++) {
        bytes_t cut = bytes_of(event.data, len);
        sluice_error_t error = binlog_header_parse(cut, &header, &body);
        if (error == SLUICE_OK)
            error = binlog_gtid_parse(&header, body, &gtid);
        assert_int_equal(error, SLUICE_ERROR_SOURCE_CORRUPT);
    }
}

static void reads_a_gtid_list_whose_count_carries_flags(void **state)
{
    (void)state;
    put_uint(&builder, 2 | 0x10000000u, 4);
    for (uint64_t i = 0; i < 2; i++) {
        put_uint(&builder, i, 4);
        put_uint(&builder, 5, 4);
        put_uint(&builder, 100 + i, 8);
    }
    binlog_gtid_list_t list;
    bytes_t body = bytes_of(builder.data, builder.len);
    assert_int_equal(binlog_gtid_list_parse(body, &list), SLUICE_OK);
    assert_int_equal(list.count, 2);
    assert_int_equal(binlog_gtid_list_entry(&list, 1).domain, 1);
    assert_int_equal(binlog_gtid_list_entry(&list, 1).sequence, 101);
    body.len--;
    assert_int_equal(binlog_gtid_list_parse(body, &list), SLUICE_ERROR_SOURCE_CORRUPT);
}

static void reads_a_rotate(void **state)
{
    (void)state;
    put_uint(&builder, 4, 8);
    put_text(&builder, "binlog.000002");
    binlog_rotate_t rotate;
    assert_int_equal(binlog_rotate_parse(bytes_of(builder.data, builder.len), &rotate), SLUICE_OK);
    assert_int_equal(rotate.position, 4);
    assert_true(bytes_equal(rotate.file, bytes_of_text("binlog.000002")));
}

static bytes_t format_description(uint8_t checksum, uint16_t flags)
{
    begin_event(&builder, BINLOG_FORMAT_DESCRIPTION, flags);
    char version[50] = "10.11.19-MariaDB-log";
    put_uint(&builder, 4, 2);
    put_bytes(&builder, version, sizeof version);
    put_uint(&builder, 1000, 4);
    put_uint(&builder, 19, 1);
    put_text(&builder, "\x38\x0d");
    put_uint(&builder, checksum, 1);
    return end_event(&builder);
}

/* Appends the checksum that the server computes while IN_USE is clear. */
static bytes_t with_checksum(uint16_t flags)
{
    bytes_t event = end_event(&builder);
    builder.data[builder.event + 9] = (uint8_t)(event.len + 4);
    builder.data[builder.event + 17] = (uint8_t)(flags & ~BINLOG_FLAG_IN_USE);
    uint32_t crc = (uint32_t)crc32(0, event.data, (uInt)event.len);
    builder.data[builder.event + 17] = (uint8_t)flags;
    put_uint(&builder, crc, 4);
    return bytes_of(event.data, event.len + 4);
}

static void strips_checksums_and_masks_in_use(void **state)
{
    (void)state;
    binlog_frame_t frame;
    bytes_t stripped;
    binlog_frame_init(&frame, BINLOG_CHECKSUM_NONE);
    bytes_t plain = format_description(BINLOG_CHECKSUM_CRC32, BINLOG_FLAG_IN_USE);
    bytes_t event = with_checksum(BINLOG_FLAG_IN_USE);
    assert_int_equal(binlog_frame_check(&frame, event, &stripped, NULL), SLUICE_OK);
    assert_int_equal(stripped.len, plain.len);
    assert_int_equal(frame.checksum, BINLOG_CHECKSUM_CRC32);

    xid_event(&builder);
    event = with_checksum(0);
    assert_int_equal(binlog_frame_check(&frame, event, &stripped, NULL), SLUICE_OK);
    assert_int_equal(stripped.len, event.len - 4);
}

static void finds_every_flipped_bit(void **state)
{
    (void)state;
    binlog_frame_t frame;
    bytes_t stripped;
    xid_event(&builder);
    bytes_t event = with_checksum(0);
    for (size_t bit = 0; bit < event.len * 8; bit++) {
        binlog_frame_init(&frame, BINLOG_CHECKSUM_CRC32);
        builder.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(binlog_frame_check(&frame, event, &stripped, NULL),
                         SLUICE_ERROR_SOURCE_CORRUPT);
        builder.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void leaves_events_whole_when_the_log_has_no_checksums(void **state)
{
    (void)state;
    binlog_frame_t frame;
    bytes_t stripped;
    binlog_frame_init(&frame, BINLOG_CHECKSUM_CRC32);
    format_description(BINLOG_CHECKSUM_NONE, 0);
    put_uint(&builder, 0, 4);
    assert_int_equal(binlog_frame_check(&frame, end_event(&builder), &stripped, NULL), SLUICE_OK);
    bytes_t event = xid_event(&builder);
    assert_int_equal(binlog_frame_check(&frame, event, &stripped, NULL), SLUICE_OK);
    assert_int_equal(stripped.len, event.len);
}

static void refuses_an_unknown_checksum_algorithm(void **state)
{
    (void)state;
    binlog_frame_t frame;
    bytes_t stripped;
    binlog_frame_init(&frame, BINLOG_CHECKSUM_NONE);
    format_description(7, 0);
    bytes_t event = with_checksum(0);
    assert_int_equal(binlog_frame_check(&frame, event, &stripped, NULL),
                     SLUICE_ERROR_SOURCE_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(reads_a_gtid_with_padding, reset),
        cmocka_unit_test_setup(reads_the_phase_of_an_alter_behind_commit_id_and_xa_name, reset),
        cmocka_unit_test_setup(refuses_every_cut_of_a_gtid, reset),
        cmocka_unit_test_setup(reads_a_gtid_list_whose_count_carries_flags, reset),
        cmocka_unit_test_setup(reads_a_rotate, reset),
        cmocka_unit_test_setup(strips_checksums_and_masks_in_use, reset),
        cmocka_unit_test_setup(finds_every_flipped_bit, reset),
        cmocka_unit_test_setup(leaves_events_whole_when_the_log_has_no_checksums, reset),
        cmocka_unit_test_setup(refuses_an_unknown_checksum_algorithm, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
