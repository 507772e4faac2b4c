/*
 * The two ways in which MariaDB compresses with zlib: parts of events (log_bin_compress) and single
 * values of COMPRESSED columns. Pure. Threads: functions only.
 */
#ifndef SLUICE_DISPATCHER_CORE_BINLOG_COMPRESSION_H
#define SLUICE_DISPATCHER_CORE_BINLOG_COMPRESSION_H

#include "common/base/arena.h"
#include "common/base/error.h"

/* The compressed tail of a QUERY_COMPRESSED or ROWS_COMPRESSED event: a byte 0x80 + n, n bytes big
 * endian with the length, a zlib stream. The result lies behind `prefix`, both in `arena`. Bytes
 * that are none of this, or that claim more than zlib can pack into them:
 * SLUICE_ERROR_SOURCE_CORRUPT. */
sluice_error_t event_inflate(bytes_t compressed, bytes_t prefix, arena_t *arena,
                             bytes_t *inflated) SLUICE_MUST_USE;

/* The stored form of a COMPRESSED column's value: empty, 0x00 and the value itself, or a byte 0x80
 * + 8 for a stream without zlib header + n, then as above. `value` may borrow from `stored`. */
sluice_error_t column_inflate(bytes_t stored, arena_t *arena, bytes_t *value) SLUICE_MUST_USE;

#endif
