/*
 * How the bytes of one column become a value. table_map_bind chooses a decoder per column once;
 * rows.c runs them for every row. Private to this directory.
 */
#ifndef SLUICE_DISPATCHER_CORE_BINLOG_COLUMN_DECODER_H
#define SLUICE_DISPATCHER_CORE_BINLOG_COLUMN_DECODER_H

#include "dispatcher/core/binlog/cursor.h"
#include "dispatcher/core/binlog/table_map.h"

/* Reads one value that is not NULL. false: bytes that are no value of this type (a cursor that
 * fails says the same). The value borrows from the cursor's bytes or lives in `arena`. */
typedef bool (*decode_t)(const column_decoder_t *decoder, cursor_t *cursor, arena_t *arena,
                         value_t *value);

struct column_decoder {
    decode_t decode;
    value_kind_t kind;
    uint32_t size;      /* bytes of a fixed value; bytes of a length otherwise */
    uint32_t pad_to;    /* BINARY, INET4, INET6, UUID: bytes of the whole value, 0: no padding */
    uint32_t label_max; /* ENUM, SET: number of labels, 0: not known */
    uint8_t precision;
    uint8_t scale; /* DECIMAL; digits of the fraction of temporal types */
    bool is_compressed;
};

bool decode_signed(const column_decoder_t *decoder, cursor_t *cursor, arena_t *arena,
                   value_t *value);
bool decode_unsigned(const column_decoder_t *decoder, cursor_t *cursor, arena_t *arena,
                     value_t *value);
bool decode_float(const column_decoder_t *decoder, cursor_t *cursor, arena_t *arena,
                  value_t *value);
bool decode_double(const column_decoder_t *decoder, cursor_t *cursor, arena_t *arena,
                   value_t *value);
bool decode_year(const column_decoder_t *decoder, cursor_t *cursor, arena_t *arena, value_t *value);
bool decode_bit(const column_decoder_t *decoder, cursor_t *cursor, arena_t *arena, value_t *value);
bool decode_enum(const column_decoder_t *decoder, cursor_t *cursor, arena_t *arena, value_t *value);
bool decode_set(const column_decoder_t *decoder, cursor_t *cursor, arena_t *arena, value_t *value);
bool decode_decimal(const column_decoder_t *decoder, cursor_t *cursor, arena_t *arena,
                    value_t *value);
/* Bytes that a packed decimal takes. */
uint32_t decimal_size(uint8_t precision, uint8_t scale);

/* Text, binary and geometry: `size` bytes of length and the content. */
bool decode_string(const column_decoder_t *decoder, cursor_t *cursor, arena_t *arena,
                   value_t *value);

bool decode_date(const column_decoder_t *decoder, cursor_t *cursor, arena_t *arena, value_t *value);
bool decode_time2(const column_decoder_t *decoder, cursor_t *cursor, arena_t *arena,
                  value_t *value);
bool decode_datetime2(const column_decoder_t *decoder, cursor_t *cursor, arena_t *arena,
                      value_t *value);
bool decode_timestamp2(const column_decoder_t *decoder, cursor_t *cursor, arena_t *arena,
                       value_t *value);
/* mysql56_temporal_format=OFF; `scale` comes from the definition, the log does not say it. */
bool decode_time_old(const column_decoder_t *decoder, cursor_t *cursor, arena_t *arena,
                     value_t *value);
bool decode_datetime_old(const column_decoder_t *decoder, cursor_t *cursor, arena_t *arena,
                         value_t *value);
bool decode_timestamp_old(const column_decoder_t *decoder, cursor_t *cursor, arena_t *arena,
                          value_t *value);

#endif
