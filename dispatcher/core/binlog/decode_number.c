#include "dispatcher/core/binlog/column_decoder.h"

#define DIGITS_PER_WORD 9
#define WORDS_MAX 10 /* 65 digits in two halves */

bool decode_signed(const column_decoder_t *decoder, cursor_t *cursor, arena_t *arena,
                   value_t *value)
{
    (void)arena;
    unsigned shift = 64 - 8 * decoder->size;
    value->kind = VALUE_INT;
    value->i64 = (int64_t)(cursor_uint(cursor, decoder->size) << shift) >> shift;
    return true;
}

bool decode_unsigned(const column_decoder_t *decoder, cursor_t *cursor, arena_t *arena,
                     value_t *value)
{
    (void)arena;
    value->kind = VALUE_UINT;
    value->u64 = cursor_uint(cursor, decoder->size);
    return true;
}

bool decode_float(const column_decoder_t *decoder, cursor_t *cursor, arena_t *arena, value_t *value)
{
    (void)decoder;
    (void)arena;
    uint32_t bits = cursor_u32(cursor);
    value->kind = VALUE_FLOAT;
    memcpy(&value->f32, &bits, sizeof bits);
    return true;
}

bool decode_double(const column_decoder_t *decoder, cursor_t *cursor, arena_t *arena,
                   value_t *value)
{
    (void)decoder;
    (void)arena;
    uint64_t bits = cursor_u64(cursor);
    value->kind = VALUE_DOUBLE;
    memcpy(&value->f64, &bits, sizeof bits);
    return true;
}

bool decode_year(const column_decoder_t *decoder, cursor_t *cursor, arena_t *arena, value_t *value)
{
    (void)decoder;
    (void)arena;
    uint8_t year = cursor_u8(cursor);
    value->kind = VALUE_UINT;
    value->u64 = year ? 1900u + year : 0;
    return true;
}

bool decode_bit(const column_decoder_t *decoder, cursor_t *cursor, arena_t *arena, value_t *value)
{
    (void)arena;
    bytes_t bytes = cursor_bytes(cursor, decoder->size);
    value->kind = VALUE_BIT;
    value->u64 = big_endian(bytes.data, bytes.len);
    return true;
}

bool decode_enum(const column_decoder_t *decoder, cursor_t *cursor, arena_t *arena, value_t *value)
{
    (void)arena;
    value->kind = VALUE_ENUM;
    value->u64 = cursor_uint(cursor, decoder->size);
    return decoder->label_max == 0 || value->u64 <= decoder->label_max;
}

bool decode_set(const column_decoder_t *decoder, cursor_t *cursor, arena_t *arena, value_t *value)
{
    (void)arena;
    value->kind = VALUE_SET;
    value->u64 = cursor_uint(cursor, decoder->size);
    return decoder->label_max == 0 || decoder->label_max >= 64 ||
           value->u64 >> decoder->label_max == 0;
}

/* Bytes that hold so many leading (or trailing) digits of an incomplete word. */
static const uint8_t part_size[DIGITS_PER_WORD + 1] = {0, 1, 1, 2, 2, 3, 3, 4, 4, 4};

static const uint32_t powers[DIGITS_PER_WORD + 1] = {
    1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000};

uint32_t decimal_size(uint8_t precision, uint8_t scale)
{
    unsigned whole = (unsigned)precision - scale;
    return whole / DIGITS_PER_WORD * 4 + part_size[whole % DIGITS_PER_WORD] +
           scale / DIGITS_PER_WORD * 4u + part_size[scale % DIGITS_PER_WORD];
}

/* Exactly `digits` decimal digits. */
static char *put_digits(char *at, uint32_t number, unsigned digits)
{
    for (unsigned i = digits; i > 0; i--) {
        at[i - 1] = (char)('0' + number % 10);
        number /= 10;
    }
    return at + digits;
}

/* One word of `digits` digits, `size` bytes big endian, into text; false when it has more digits
 * than it may. */
static bool unpack_word(const uint8_t **packed, uint8_t mask, unsigned size, unsigned digits,
                        char **text)
{
    uint32_t word = 0;
    for (unsigned i = 0; i < size; i++)
        word = word << 8 | (uint8_t)((*packed)[i] ^ mask);
    *packed += size;
    if (word >= powers[digits])
        return false;
    *text = put_digits(*text, word, digits);
    return true;
}

/* All digits of the packed form, whole part first, without sign and point. */
static bool unpack_digits(const column_decoder_t *decoder, const uint8_t *packed, uint8_t mask,
                          char *text)
{
    unsigned whole = (unsigned)decoder->precision - decoder->scale;
    unsigned lead = whole % DIGITS_PER_WORD;
    bool is_good = lead == 0 || unpack_word(&packed, mask, part_size[lead], lead, &text);
    unsigned words = whole / DIGITS_PER_WORD + decoder->scale / DIGITS_PER_WORD;
    for (unsigned i = 0; is_good && i < words; i++)
        is_good = unpack_word(&packed, mask, 4, DIGITS_PER_WORD, &text);
    unsigned tail = decoder->scale % DIGITS_PER_WORD;
    return is_good && (tail == 0 || unpack_word(&packed, mask, part_size[tail], tail, &text));
}

/* The first bit is inverted so that positive numbers sort behind negative ones, whose bytes are all
 * inverted. */
bool decode_decimal(const column_decoder_t *decoder, cursor_t *cursor, arena_t *arena,
                    value_t *value)
{
    bytes_t stored = cursor_bytes(cursor, decoder->size);
    if (cursor->failed)
        return false;
    uint8_t packed[4 * WORDS_MAX];
    memcpy(packed, stored.data, stored.len);
    bool is_negative = !(packed[0] & 0x80);
    packed[0] ^= 0x80;
    char digits[DIGITS_PER_WORD * WORDS_MAX];
    if (!unpack_digits(decoder, packed, is_negative ? 0xff : 0, digits))
        return false;
    unsigned whole = (unsigned)decoder->precision - decoder->scale;
    unsigned skip = 0;
    while (skip < whole && digits[skip] == '0')
        skip++;
    char *text = arena_alloc(arena, (size_t)decoder->precision + 4);
    char *at = text;
    if (is_negative)
        *at++ = '-';
    if (skip == whole)
        *at++ = '0';
    memcpy(at, digits + skip, whole - skip);
    at += whole - skip;
    if (decoder->scale) {
        *at++ = '.';
        memcpy(at, digits + whole, decoder->scale);
        at += decoder->scale;
    }
    value->kind = VALUE_DECIMAL;
    value->bytes = bytes_of(text, (size_t)(at - text));
    return true;
}
