#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "dispatcher/sink/sqlite/convert_internal.h"

typedef __int128 wide_t;

/* ---- decimal text ---- */

typedef struct {
    bool is_negative;
    const uint8_t *whole, *fraction;
    size_t whole_len, fraction_len;
} decimal_parts_t;

static size_t count_digits(const uint8_t *p, const uint8_t *end)
{
    size_t count = 0;
    while (p + count < end && p[count] >= '0' && p[count] <= '9')
        count++;
    return count;
}

static bool split_decimal(bytes_t text, decimal_parts_t *parts)
{
    const uint8_t *p = text.data, *end = text.data + text.len;
    *parts = (decimal_parts_t){0};
    if (p < end && (*p == '-' || *p == '+'))
        parts->is_negative = *p++ == '-';
    parts->whole = p;
    parts->whole_len = count_digits(p, end);
    p += parts->whole_len;
    if (p < end && *p == '.') {
        parts->fraction = ++p;
        parts->fraction_len = count_digits(p, end);
        p += parts->fraction_len;
    }
    while (parts->whole_len && *parts->whole == '0') {
        parts->whole++;
        parts->whole_len--;
    }
    return p == end && text.len > 0 && p[-1] >= '0' && p[-1] <= '9';
}

/* digits += 1; true when it overflows into a new digit. */
static bool increment(char *digits, size_t len)
{
    while (len > 0) {
        if (digits[--len] != '9') {
            digits[len]++;
            return false;
        }
        digits[len] = '0';
    }
    return true;
}

static bool is_all_zero(const char *digits, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (digits[i] != '0')
            return false;
    }
    return true;
}

size_t decimal_rescale(bytes_t text, unsigned precision, unsigned scale, bool is_unsigned,
                       char out[DECIMAL_TEXT_SIZE])
{
    decimal_parts_t parts;
    if (!split_decimal(text, &parts) || precision > 65 || scale > precision)
        return 0;
    unsigned whole_max = precision - scale;
    char digits[DECIMAL_TEXT_SIZE]; /* whole_max digits, then scale digits */
    memset(digits, '0', sizeof digits);
    bool is_too_large = parts.whole_len > whole_max;
    if (!is_too_large) {
        memcpy(digits + whole_max - parts.whole_len, parts.whole, parts.whole_len);
        size_t kept = parts.fraction_len < scale ? parts.fraction_len : scale;
        if (kept)
            memcpy(digits + whole_max, parts.fraction, kept);
        if (parts.fraction_len > scale && parts.fraction[scale] >= '5')
            is_too_large = increment(digits, precision);
    }
    if (is_too_large)
        memset(digits, '9', precision);
    bool is_negative = parts.is_negative && !is_all_zero(digits, precision);
    if (is_negative && is_unsigned) {
        memset(digits, '0', precision);
        is_negative = false;
    }
    unsigned first = 0;
    while (first + 1 < whole_max && digits[first] == '0')
        first++;
    int len = snprintf(out, DECIMAL_TEXT_SIZE, "%s%.*s%s%.*s", is_negative ? "-" : "",
                       whole_max ? (int)(whole_max - first) : 1, whole_max ? digits + first : "0",
                       scale ? "." : "", (int)scale, digits + whole_max);
    return (size_t)len;
}

size_t real_text(double real, bool is_float, char out[DECIMAL_TEXT_SIZE])
{
    if (!(fabs(real) < 1e15))
        return 0;
    if (is_float) {
        snprintf(out, DECIMAL_TEXT_SIZE, "%.6g", real);
        /* Six digits and zeros behind them. */
        if (fabs(real) >= 1e5 && strchr(out, 'e'))
            snprintf(out, DECIMAL_TEXT_SIZE, "%.0f", strtod(out, NULL));
    } else {
        for (int digits = 15; digits <= 17; digits++) {
            snprintf(out, DECIMAL_TEXT_SIZE, "%.*g", digits, real);
            if (strtod(out, NULL) == real)
                break;
        }
    }
    return strchr(out, 'e') ? 0 : strlen(out);
}

/* ---- sources ---- */

/* A number as decimal text in `buffer` or borrowed; false for what is none. */
static bool number_text(const conversion_t *conversion, const stored_value_t *from,
                        char buffer[DECIMAL_TEXT_SIZE], bytes_t *text)
{
    *text = from->bytes;
    switch (from->type) {
    case SQLITE_INTEGER:
        *text = bytes_of(
            buffer, (size_t)snprintf(buffer, DECIMAL_TEXT_SIZE, "%lld", (long long)from->integer));
        return true;
    case SQLITE_FLOAT:
        *text = bytes_of(buffer, real_text(from->real, false, buffer));
        return text->len > 0;
    case SQLITE_TEXT:
        return conversion->from_family == FAMILY_INTEGER ||
               conversion->from_family == FAMILY_DECIMAL || conversion->from_family == FAMILY_TEXT;
    default:
        return false;
    }
}

/* The 1-based index of a stored ENUM label; 0 for ''. */
static int64_t label_index(const column_definition_t *column, bytes_t label)
{
    for (uint32_t i = 0; i < column->member_count; i++) {
        if (bytes_equal(bytes_of_text(column->members[i]), label))
            return (int64_t)i + 1;
    }
    return 0;
}

static bool read_wide(const conversion_t *conversion, const stored_value_t *from, wide_t *number)
{
    if (conversion->from_family == FAMILY_ENUM) {
        *number = label_index(conversion->before, from->bytes);
        return true;
    }
    if (from->type == SQLITE_INTEGER) {
        *number = from->integer;
        return true;
    }
    if (from->type == SQLITE_FLOAT) {
        double rounded = rint(from->real);
        *number = rounded > 1e37 ? (wide_t)1e37 : rounded < -1e37 ? (wide_t)-1e37 : (wide_t)rounded;
        return true;
    }
    char buffer[DECIMAL_TEXT_SIZE], rounded[DECIMAL_TEXT_SIZE];
    bytes_t text;
    /* A text with a fraction is cut, a DECIMAL rounded; only whole numbers are sure. */
    if (!number_text(conversion, from, buffer, &text) ||
        (conversion->from_family == FAMILY_TEXT && memchr(text.data, '.', text.len)))
        return false;
    size_t len = decimal_rescale(text, 37, 0, false, rounded);
    *number = 0;
    for (size_t i = rounded[0] == '-'; i < len; i++)
        *number = *number * 10 + (rounded[i] - '0');
    if (rounded[0] == '-')
        *number = -*number;
    return len > 0;
}

/* ---- targets ---- */

static unsigned integer_bits(column_type_t type)
{
    switch ((int)type) {
    case COLUMN_TINYINT:
        return 8;
    case COLUMN_SMALLINT:
        return 16;
    case COLUMN_MEDIUMINT:
        return 24;
    case COLUMN_INT:
        return 32;
    }
    return 64;
}

static wide_t clamp(wide_t number, wide_t least, wide_t most)
{
    return number < least ? least : number > most ? most : number;
}

sluice_error_t convert_to_integer(const conversion_t *conversion, const stored_value_t *from,
                                  stored_value_t *to)
{
    wide_t number;
    bool is_known =
        conversion->from_family != FAMILY_TIME && conversion->from_family != FAMILY_DATE &&
        conversion->from_family != FAMILY_DATETIME && conversion->from_family != FAMILY_TIMESTAMP &&
        conversion->from_family != FAMILY_SET;
    if (!is_known || !read_wide(conversion, from, &number))
        return conversion_refuse(conversion, from, "it is no plain number");
    unsigned bits = integer_bits(conversion->after->type);
    if (!column_is_unsigned(conversion->after)) {
        wide_t most = ((wide_t)1 << (bits - 1)) - 1;
        *to = stored_integer((int64_t)clamp(number, -most - 1, most));
        return SLUICE_OK;
    }
    number = clamp(number, 0, ((wide_t)1 << bits) - 1);
    if (sqlite_column_storage(conversion->after) == SQLITE_STORAGE_INTEGER) {
        *to = stored_integer((int64_t)number);
    } else {
        const char *text =
            arena_printf(conversion->context->arena, "%llu", (unsigned long long)number);
        *to = stored_text(bytes_of_text(text));
    }
    return SLUICE_OK;
}

sluice_error_t convert_to_decimal(const conversion_t *conversion, const stored_value_t *from,
                                  stored_value_t *to)
{
    char buffer[DECIMAL_TEXT_SIZE], out[DECIMAL_TEXT_SIZE];
    bytes_t text;
    const column_definition_t *after = conversion->after;
    size_t len = 0;
    if (number_text(conversion, from, buffer, &text))
        len = decimal_rescale(text, after->precision, after->scale, column_is_unsigned(after), out);
    if (len == 0)
        return conversion_refuse(conversion, from, "it is no plain number");
    *to = stored_text(arena_bytes(conversion->context->arena, bytes_of(out, len)));
    return SLUICE_OK;
}

static bool parse_real(const conversion_t *conversion, const stored_value_t *from, double *real)
{
    char buffer[DECIMAL_TEXT_SIZE], number[DECIMAL_TEXT_SIZE];
    bytes_t text;
    if (!number_text(conversion, from, buffer, &text) || text.len == 0 || text.len >= sizeof number)
        return false;
    memcpy(number, text.data, text.len);
    number[text.len] = '\0';
    char *end;
    *real = strtod(number, &end);
    return *end == '\0' && strspn(number, "+-.0123456789eE") == text.len && isfinite(*real);
}

sluice_error_t convert_to_real(const conversion_t *conversion, const stored_value_t *from,
                               stored_value_t *to)
{
    const column_definition_t *after = conversion->after;
    if (after->scale)
        return conversion_refuse(conversion, from,
                                 "rounding to the digits of FLOAT(p,s) is not known here");
    double real = from->real;
    if (from->type != SQLITE_FLOAT && !parse_real(conversion, from, &real))
        return conversion_refuse(conversion, from, "it is no plain number");
    if (after->type == COLUMN_FLOAT)
        real = real > 3.4028234663852886e38    ? 3.4028234663852886e38
               : real < -3.4028234663852886e38 ? -3.4028234663852886e38
                                               : (double)(float)real;
    *to = stored_real(column_is_unsigned(after) && real < 0 ? 0 : real);
    return SLUICE_OK;
}

sluice_error_t convert_to_bit(const conversion_t *conversion, const stored_value_t *from,
                              stored_value_t *to)
{
    wide_t number;
    const column_definition_t *after = conversion->after;
    if (conversion->from_family == FAMILY_BIT && from->type == SQLITE_BLOB) {
        number = 0;
        for (size_t i = 0; i < from->bytes.len; i++)
            number = number << 8 | from->bytes.data[i];
    } else if ((conversion->from_family != FAMILY_INTEGER &&
                conversion->from_family != FAMILY_BIT) ||
               !read_wide(conversion, from, &number) || number < 0) {
        return conversion_refuse(conversion, from, "it is no plain number of bits");
    }
    number = clamp(number, 0, ((wide_t)1 << after->length) - 1);
    if (sqlite_column_storage(after) == SQLITE_STORAGE_INTEGER) {
        *to = stored_integer((int64_t)number);
        return SLUICE_OK;
    }
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(number >> (56 - 8 * i));
    *to = stored_blob(arena_bytes(conversion->context->arena, bytes_of(bytes, sizeof bytes)));
    return SLUICE_OK;
}

sluice_error_t convert_to_year(const conversion_t *conversion, const stored_value_t *from,
                               stored_value_t *to)
{
    wide_t number;
    bool is_number =
        conversion->from_family == FAMILY_INTEGER || conversion->from_family == FAMILY_TEXT;
    if (!is_number || !read_wide(conversion, from, &number) ||
        (number != 0 && (number < 1901 || number > 2155)))
        return conversion_refuse(conversion, from, "it is no year of 1901 to 2155");
    *to = stored_integer((int64_t)number);
    return SLUICE_OK;
}
