/*
 * Writes binlog events as a MariaDB 10.11 does with binlog_format=ROW and binlog_row_metadata=FULL,
 * one behind the other into one buffer, without checksums: for the simulated source and for tests.
 *
 * An event's `length` field is what lies in the buffer, so a reader can walk from event to event.
 * Threads: one owner.
 */
#ifndef SLUICE_DISPATCHER_UPSTREAM_BINLOG_WRITER_H
#define SLUICE_DISPATCHER_UPSTREAM_BINLOG_WRITER_H

#include "dispatcher/core/binlog/event.h"
#include "dispatcher/core/binlog/table_map.h"

/* A value; all zero is an empty writer, server and time are to be set. */
typedef struct {
    uint8_t *data;
    size_t len, capacity;
    size_t event; /* where the event begun last starts */
    uint32_t timestamp, server_id;
} binlog_writer_t;

void binlog_writer_clear(binlog_writer_t *writer); /* frees */
void binlog_writer_reset(binlog_writer_t *writer); /* forgets the events, keeps the buffer */

/* The event that starts at *offset, which then moves behind it; none (len 0) at the end. */
bytes_t binlog_writer_event(const binlog_writer_t *writer, size_t *offset);

/* ---- whole events ---- */

void binlog_write_format_description(binlog_writer_t *writer);
void binlog_write_gtid(binlog_writer_t *writer, uint32_t domain, uint64_t sequence, uint8_t flags);
/* In a session with sql_mode 0, utf8mb4 and `schema` as default. */
void binlog_write_query(binlog_writer_t *writer, const char *schema, const char *sql);
void binlog_write_xid(binlog_writer_t *writer, uint64_t xid);

typedef struct {
    const char *name;
    uint8_t type; /* a binlog_column_type_t */
    uint8_t meta[2];
    uint8_t meta_len;
    bool is_nullable;
    bool is_numeric, is_unsigned;
    bool is_text;
} binlog_column_t;

/* The first column is the primary key; text is utf8mb4. */
void binlog_write_table_map(binlog_writer_t *writer, uint64_t map_id, const char *schema,
                            const char *table, const binlog_column_t *columns, uint32_t count);

/* ---- rows: begin, rows byte by byte, end ---- */

/* WRITE, UPDATE or DELETE of version 1 with full images, the last event of its statement if said.
 */
void binlog_begin_rows(binlog_writer_t *writer, row_kind_t kind, uint64_t map_id, uint32_t columns,
                       bool is_last);
void binlog_end_event(binlog_writer_t *writer);

/* Puts `len` bytes, little or big endian, of a number; any bytes; room to be filled in. */
void binlog_put(binlog_writer_t *writer, uint64_t number, size_t len);
void binlog_put_big_endian(binlog_writer_t *writer, uint64_t number, size_t len);
void binlog_put_bytes(binlog_writer_t *writer, const void *data, size_t len);

/* Column values as the log has them. */
void binlog_put_varchar(binlog_writer_t *writer, const char *text, size_t len, size_t prefix_len);
void binlog_put_decimal_12_2(binlog_writer_t *writer, int64_t hundredths);
void binlog_put_datetime_3(binlog_writer_t *writer, uint16_t year, uint8_t month, uint8_t day,
                           uint32_t ms_of_day);

#endif
