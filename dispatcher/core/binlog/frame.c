#include "dispatcher/core/binlog/frame.h"

#include <zlib.h>

#include "dispatcher/core/binlog/cursor.h"

#define FLAGS_OFFSET 17

void binlog_frame_init(binlog_frame_t *frame, binlog_checksum_t checksum)
{
    frame->checksum = checksum;
}

/* The server computes the checksum of a FORMAT_DESCRIPTION before it sets IN_USE in the file. */
static uint32_t event_crc(bytes_t covered, bool is_format_description)
{
    if (!is_format_description)
        return (uint32_t)crc32_z(0, covered.data, covered.len);
    uint8_t head[BINLOG_HEADER_SIZE];
    memcpy(head, covered.data, sizeof head);
    head[FLAGS_OFFSET] = (uint8_t)(head[FLAGS_OFFSET] & ~BINLOG_FLAG_IN_USE);
    uLong crc = crc32_z(0, head, sizeof head);
    return (uint32_t)crc32_z(crc, covered.data + sizeof head, covered.len - sizeof head);
}

static sluice_error_t take_description(binlog_frame_t *frame, bytes_t event, error_report_t *report)
{
    binlog_format_description_t fde;
    bytes_t body = bytes_of(event.data + BINLOG_HEADER_SIZE,
                            event.len < BINLOG_HEADER_SIZE + BINLOG_CHECKSUM_SIZE
                                ? 0
                                : event.len - BINLOG_HEADER_SIZE - BINLOG_CHECKSUM_SIZE);
    if (binlog_format_description_parse(body, &fde) != SLUICE_OK)
        return error_report_set(report, SLUICE_ERROR_SOURCE_CORRUPT,
                                "the format description event is not one of binlog version 4");
    frame->checksum = fde.checksum;
    return SLUICE_OK;
}

sluice_error_t binlog_frame_check(binlog_frame_t *frame, bytes_t event, bytes_t *stripped,
                                  error_report_t *report)
{
    if (event.len < BINLOG_HEADER_SIZE)
        return error_report_set(report, SLUICE_ERROR_SOURCE_CORRUPT,
                                "an event of %zu bytes is shorter than its header", event.len);
    bool is_description = event.data[4] == BINLOG_FORMAT_DESCRIPTION;
    if (is_description) {
        sluice_error_t error = take_description(frame, event, report);
        if (error != SLUICE_OK)
            return error;
    }
    size_t checksum_size =
        is_description || frame->checksum == BINLOG_CHECKSUM_CRC32 ? BINLOG_CHECKSUM_SIZE : 0;
    if (event.len < BINLOG_HEADER_SIZE + checksum_size)
        return error_report_set(report, SLUICE_ERROR_SOURCE_CORRUPT,
                                "an event of %zu bytes has no room for its checksum", event.len);
    *stripped = bytes_of(event.data, event.len - checksum_size);
    if (frame->checksum == BINLOG_CHECKSUM_CRC32 &&
        event_crc(*stripped, is_description) !=
            little_endian(event.data + stripped->len, BINLOG_CHECKSUM_SIZE))
        return error_report_set(report, SLUICE_ERROR_SOURCE_CORRUPT,
                                "the checksum of a %s event does not match",
                                binlog_event_type_name(event.data[4]));
    return SLUICE_OK;
}
