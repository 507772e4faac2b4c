#include "dispatcher/core/binlog/column_decoder.h"

/* TIME goes to 838:59:59 in either direction. */
#define TIME_SECONDS_MAX (838 * 3600 + 59 * 60 + 59)
#define SECONDS_PER_DAY 86400u
#define DIGITS_MAX 6

static const uint32_t powers[DIGITS_MAX + 1] = {1, 10, 100, 1000, 10000, 100000, 1000000};

static bool is_clock(const temporal_t *t)
{
    return t->hour < 24 && t->minute < 60 && t->second < 60 && t->microsecond < 1000000;
}

static bool is_calendar(const temporal_t *t)
{
    return t->year <= 9999 && t->month <= 12 && t->day <= 31;
}

bool decode_date(const column_decoder_t *decoder, cursor_t *cursor, arena_t *arena, value_t *value)
{
    (void)decoder;
    (void)arena;
    uint32_t packed = (uint32_t)cursor_uint(cursor, 3);
    value->kind = VALUE_DATE;
    value->temporal = (temporal_t){.year = (uint16_t)(packed >> 9),
                                   .month = (uint8_t)(packed >> 5 & 15),
                                   .day = (uint8_t)(packed & 31)};
    return is_calendar(&value->temporal);
}

/* Fractions of 1-2, 3-4, 5-6 digits take 1, 2, 3 bytes and count 1/100, 1/10000, 1/1000000 s. */
static unsigned fraction_size(uint8_t digits)
{
    return (digits + 1u) / 2;
}

static uint32_t fraction_microseconds(uint64_t fraction, unsigned size)
{
    return (uint32_t)fraction * powers[DIGITS_MAX - 2 * size];
}

/* The stored integer, whole and fraction together, is biased by half its range; so a negative time
 * with a fraction borrows from the whole part. */
bool decode_time2(const column_decoder_t *decoder, cursor_t *cursor, arena_t *arena, value_t *value)
{
    (void)arena;
    unsigned size = fraction_size(decoder->scale);
    bytes_t stored = cursor_bytes(cursor, 3 + size);
    if (cursor->failed)
        return false;
    int64_t packed =
        (int64_t)big_endian(stored.data, stored.len) - ((int64_t)0x800000 << (8 * size));
    uint64_t magnitude = (uint64_t)(packed < 0 ? -packed : packed);
    uint64_t whole = magnitude >> (8 * size);
    uint64_t fraction = magnitude & ((UINT64_C(1) << (8 * size)) - 1);
    value->kind = VALUE_TIME;
    value->temporal = (temporal_t){.negative = packed < 0,
                                   .hour = (uint16_t)(whole >> 12 & 1023),
                                   .minute = (uint8_t)(whole >> 6 & 63),
                                   .second = (uint8_t)(whole & 63),
                                   .microsecond = fraction_microseconds(fraction, size),
                                   .fsp = decoder->scale};
    const temporal_t *t = &value->temporal;
    return whole >> 22 == 0 && t->hour <= 838 && t->minute < 60 && t->second < 60 &&
           t->microsecond < 1000000;
}

bool decode_datetime2(const column_decoder_t *decoder, cursor_t *cursor, arena_t *arena,
                      value_t *value)
{
    (void)arena;
    unsigned size = fraction_size(decoder->scale);
    bytes_t stored = cursor_bytes(cursor, 5 + size);
    if (cursor->failed)
        return false;
    uint64_t biased = big_endian(stored.data, 5);
    if (biased < UINT64_C(0x8000000000))
        return false;
    uint64_t packed = biased - UINT64_C(0x8000000000);
    uint64_t months = packed >> 22;
    uint64_t fraction = big_endian(stored.data + 5, size);
    value->kind = VALUE_DATETIME;
    value->temporal = (temporal_t){.year = (uint16_t)(months / 13),
                                   .month = (uint8_t)(months % 13),
                                   .day = (uint8_t)(packed >> 17 & 31),
                                   .hour = (uint16_t)(packed >> 12 & 31),
                                   .minute = (uint8_t)(packed >> 6 & 63),
                                   .second = (uint8_t)(packed & 63),
                                   .microsecond = fraction_microseconds(fraction, size),
                                   .fsp = decoder->scale};
    return is_calendar(&value->temporal) && is_clock(&value->temporal);
}

/* Days since 1970-01-01 to the Gregorian calendar; years start in March so that the leap day is
 * the last (H. Hinnant, "chrono-compatible low-level date algorithms"). */
static void set_civil_date(temporal_t *t, uint32_t days)
{
    uint32_t z = days + 719468;
    uint32_t era = z / 146097;
    uint32_t day_of_era = z % 146097;
    uint32_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    uint32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint32_t month_from_march = (5 * day_of_year + 2) / 153;
    t->day = (uint8_t)(day_of_year - (153 * month_from_march + 2) / 5 + 1);
    t->month = (uint8_t)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
    t->year = (uint16_t)(year_of_era + era * 400 + (t->month <= 2));
}

/* Zero stands for '0000-00-00 00:00:00', not for 1970. */
static bool set_timestamp(value_t *value, uint32_t seconds, uint32_t microsecond, uint8_t digits)
{
    value->kind = VALUE_TIMESTAMP;
    value->temporal = (temporal_t){.fsp = digits};
    if (microsecond >= 1000000)
        return false;
    if (seconds == 0 && microsecond == 0)
        return true;
    temporal_t *t = &value->temporal;
    uint32_t clock = seconds % SECONDS_PER_DAY;
    set_civil_date(t, seconds / SECONDS_PER_DAY);
    t->hour = (uint16_t)(clock / 3600);
    t->minute = (uint8_t)(clock / 60 % 60);
    t->second = (uint8_t)(clock % 60);
    t->microsecond = microsecond;
    return true;
}

bool decode_timestamp2(const column_decoder_t *decoder, cursor_t *cursor, arena_t *arena,
                       value_t *value)
{
    (void)arena;
    unsigned size = fraction_size(decoder->scale);
    bytes_t stored = cursor_bytes(cursor, 4 + size);
    if (cursor->failed)
        return false;
    uint64_t fraction = big_endian(stored.data + 4, size);
    return set_timestamp(value, (uint32_t)big_endian(stored.data, 4),
                         fraction_microseconds(fraction, size), decoder->scale);
}

/* The formats before MariaDB 10.1. Without a fraction they are decimal numbers; with one, packed
 * big-endian counts of the smallest unit (MariaDB's sql/field.cc, the hires fields). */
static const uint8_t old_fraction_size[DIGITS_MAX + 1] = {0, 1, 1, 2, 2, 3, 3};
static const uint8_t old_time_size[DIGITS_MAX + 1] = {3, 4, 4, 5, 5, 5, 6};
static const uint8_t old_datetime_size[DIGITS_MAX + 1] = {8, 6, 6, 7, 7, 7, 8};

bool decode_timestamp_old(const column_decoder_t *decoder, cursor_t *cursor, arena_t *arena,
                          value_t *value)
{
    (void)arena;
    uint8_t digits = decoder->scale;
    if (digits == 0)
        return set_timestamp(value, cursor_u32(cursor), 0, 0);
    bytes_t stored = cursor_bytes(cursor, 4u + old_fraction_size[digits]);
    if (cursor->failed)
        return false;
    uint64_t fraction = big_endian(stored.data + 4, stored.len - 4);
    if (fraction >= powers[digits])
        return false;
    return set_timestamp(value, (uint32_t)big_endian(stored.data, 4),
                         (uint32_t)fraction * powers[DIGITS_MAX - digits], digits);
}

static bool set_time(value_t *value, uint64_t microseconds, bool is_negative, uint8_t digits)
{
    uint64_t seconds = microseconds / 1000000;
    if (seconds > TIME_SECONDS_MAX)
        return false;
    value->kind = VALUE_TIME;
    value->temporal = (temporal_t){.negative = is_negative,
                                   .hour = (uint16_t)(seconds / 3600),
                                   .minute = (uint8_t)(seconds / 60 % 60),
                                   .second = (uint8_t)(seconds % 60),
                                   .microsecond = (uint32_t)(microseconds % 1000000),
                                   .fsp = digits};
    return true;
}

static bool decode_time_decimal(cursor_t *cursor, value_t *value)
{
    int32_t number = (int32_t)((uint32_t)cursor_uint(cursor, 3) << 8) >> 8;
    uint32_t magnitude = (uint32_t)(number < 0 ? -number : number);
    uint32_t minute = magnitude / 100 % 100, second = magnitude % 100;
    if (minute > 59 || second > 59)
        return false;
    uint64_t seconds = (uint64_t)(magnitude / 10000) * 3600 + minute * 60u + second;
    return set_time(value, seconds * 1000000, number < 0, 0);
}

bool decode_time_old(const column_decoder_t *decoder, cursor_t *cursor, arena_t *arena,
                     value_t *value)
{
    (void)arena;
    uint8_t digits = decoder->scale;
    if (digits == 0)
        return decode_time_decimal(cursor, value);
    bytes_t stored = cursor_bytes(cursor, old_time_size[digits]);
    if (cursor->failed)
        return false;
    uint32_t unit = powers[DIGITS_MAX - digits];
    int64_t zero = (int64_t)(TIME_SECONDS_MAX + 1) * powers[digits];
    int64_t units = (int64_t)big_endian(stored.data, stored.len) - zero;
    uint64_t magnitude = (uint64_t)(units < 0 ? -units : units);
    if (magnitude > (uint64_t)zero)
        return false;
    return set_time(value, magnitude * unit, units < 0, digits);
}

static bool decode_datetime_decimal(cursor_t *cursor, value_t *value)
{
    uint64_t number = cursor_u64(cursor);
    uint64_t date = number / 1000000;
    uint32_t clock = (uint32_t)(number % 1000000);
    if (date > 99991231)
        return false;
    value->temporal = (temporal_t){.year = (uint16_t)(date / 10000),
                                   .month = (uint8_t)(date / 100 % 100),
                                   .day = (uint8_t)(date % 100),
                                   .hour = (uint16_t)(clock / 10000),
                                   .minute = (uint8_t)(clock / 100 % 100),
                                   .second = (uint8_t)(clock % 100)};
    return true;
}

static uint32_t take_unit(uint64_t *packed, uint32_t count)
{
    uint32_t part = (uint32_t)(*packed % count);
    *packed /= count;
    return part;
}

bool decode_datetime_old(const column_decoder_t *decoder, cursor_t *cursor, arena_t *arena,
                         value_t *value)
{
    (void)arena;
    uint8_t digits = decoder->scale;
    value->kind = VALUE_DATETIME;
    if (digits == 0)
        return decode_datetime_decimal(cursor, value) && is_calendar(&value->temporal) &&
               is_clock(&value->temporal);
    bytes_t stored = cursor_bytes(cursor, old_datetime_size[digits]);
    if (cursor->failed)
        return false;
    uint64_t packed = big_endian(stored.data, stored.len);
    temporal_t *t = &value->temporal;
    *t = (temporal_t){.fsp = digits};
    t->microsecond = take_unit(&packed, powers[digits]) * powers[DIGITS_MAX - digits];
    t->second = (uint8_t)take_unit(&packed, 60);
    t->minute = (uint8_t)take_unit(&packed, 60);
    t->hour = (uint16_t)take_unit(&packed, 24);
    t->day = (uint8_t)take_unit(&packed, 32);
    t->month = (uint8_t)take_unit(&packed, 13);
    t->year = (uint16_t)(packed > 9999 ? 0 : packed);
    return packed <= 9999 && is_calendar(t);
}
