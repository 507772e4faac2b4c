#include "common/model/charset.h"

#include <assert.h>
#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <strings.h>

#include "common/base/memory.h"
#include "common/model/charset_tables.h"
#include "common/model/utf8.h"

#define REPLACEMENT 0xfffdu
#define ICONV_CHARSETS_MAX 8
#define ICONV_NONE ((iconv_t)-1)

typedef enum {
    CHARSET_KIND_BINARY,
    CHARSET_KIND_UTF8,
    CHARSET_KIND_SINGLE, /* one byte a character, by table */
    CHARSET_KIND_UCS2,
    CHARSET_KIND_UTF16,
    CHARSET_KIND_UTF16LE,
    CHARSET_KIND_UTF32,
    CHARSET_KIND_ICONV
} charset_kind_t;

struct charset {
    const char *name;
    charset_kind_t kind;
    const uint16_t *upper; /* SINGLE: meaning of 0x80..0xff; NULL: none of them has one */
    const uint16_t *lower; /* SINGLE: meaning of 0x00..0x7f; NULL: ASCII */
    const char *iconv_name;
    uint32_t iconv_slot;
    const charset_exception_t *exceptions;
    uint32_t exception_count;
};

struct charset_converter {
    iconv_t handles[ICONV_CHARSETS_MAX];
    uint64_t replaced;
};

/* Sorted by name. */
static const charset_t charsets[] = {
    {"armscii8", CHARSET_KIND_SINGLE, charset_upper_armscii8},
    {"ascii", CHARSET_KIND_SINGLE},
    {"big5", CHARSET_KIND_ICONV, .iconv_name = "BIG5", .iconv_slot = 0,
     .exceptions = charset_big5_exceptions, .exception_count = CHARSET_BIG5_EXCEPTION_COUNT},
    {"binary", CHARSET_KIND_BINARY},
    {"cp1250", CHARSET_KIND_SINGLE, charset_upper_cp1250},
    {"cp1251", CHARSET_KIND_SINGLE, charset_upper_cp1251},
    {"cp1256", CHARSET_KIND_SINGLE, charset_upper_cp1256},
    {"cp1257", CHARSET_KIND_SINGLE, charset_upper_cp1257},
    {"cp850", CHARSET_KIND_SINGLE, charset_upper_cp850},
    {"cp852", CHARSET_KIND_SINGLE, charset_upper_cp852},
    {"cp866", CHARSET_KIND_SINGLE, charset_upper_cp866},
    {"cp932", CHARSET_KIND_ICONV, .iconv_name = "CP932", .iconv_slot = 1},
    {"dec8", CHARSET_KIND_SINGLE, charset_upper_dec8},
    {"eucjpms", CHARSET_KIND_ICONV, .iconv_name = "EUC-JP-MS", .iconv_slot = 2},
    {"euckr", CHARSET_KIND_ICONV, .iconv_name = "UHC", .iconv_slot = 3},
    {"gb2312", CHARSET_KIND_ICONV, .iconv_name = "GB2312", .iconv_slot = 4},
    {"gbk", CHARSET_KIND_ICONV, .iconv_name = "GBK", .iconv_slot = 5},
    {"geostd8", CHARSET_KIND_SINGLE, charset_upper_geostd8},
    {"greek", CHARSET_KIND_SINGLE, charset_upper_greek},
    {"hebrew", CHARSET_KIND_SINGLE, charset_upper_hebrew},
    {"hp8", CHARSET_KIND_SINGLE, charset_upper_hp8},
    {"keybcs2", CHARSET_KIND_SINGLE, charset_upper_keybcs2},
    {"koi8r", CHARSET_KIND_SINGLE, charset_upper_koi8r},
    {"koi8u", CHARSET_KIND_SINGLE, charset_upper_koi8u},
    {"latin1", CHARSET_KIND_SINGLE, charset_upper_latin1},
    {"latin2", CHARSET_KIND_SINGLE, charset_upper_latin2},
    {"latin5", CHARSET_KIND_SINGLE, charset_upper_latin5},
    {"latin7", CHARSET_KIND_SINGLE, charset_upper_latin7},
    {"macce", CHARSET_KIND_SINGLE, charset_upper_macce},
    {"macroman", CHARSET_KIND_SINGLE, charset_upper_macroman},
    {"sjis", CHARSET_KIND_ICONV, .iconv_name = "SJIS", .iconv_slot = 6,
     .exceptions = charset_sjis_exceptions, .exception_count = CHARSET_SJIS_EXCEPTION_COUNT},
    {"swe7", CHARSET_KIND_SINGLE, .lower = charset_lower_swe7},
    {"tis620", CHARSET_KIND_SINGLE, charset_upper_tis620},
    {"ucs2", CHARSET_KIND_UCS2},
    {"ujis", CHARSET_KIND_ICONV, .iconv_name = "EUC-JP-MS", .iconv_slot = 7,
     .exceptions = charset_ujis_exceptions, .exception_count = CHARSET_UJIS_EXCEPTION_COUNT},
    {"utf16", CHARSET_KIND_UTF16},
    {"utf16le", CHARSET_KIND_UTF16LE},
    {"utf32", CHARSET_KIND_UTF32},
    {"utf8mb3", CHARSET_KIND_UTF8},
    {"utf8mb4", CHARSET_KIND_UTF8},
};

#define CHARSET_COUNT (sizeof charsets / sizeof charsets[0])

/* ---- names ---- */

static int compare_collation(const void *key, const void *element)
{
    uint32_t id = *(const uint32_t *)key;
    const charset_collations_t *range = element;
    return (id > range->last) - (id < range->first);
}

const char *charset_of_collation(uint32_t collation_id)
{
    /* A NO PAD collation is its PAD SPACE twin + 1024. */
    uint32_t id = collation_id > 1024 && collation_id < 2048 ? collation_id - 1024 : collation_id;
    const charset_collations_t *range = bsearch(
        &id, charset_collations, CHARSET_COLLATION_RANGE_COUNT, sizeof *range, compare_collation);
    return range ? range->charset : NULL;
}

static int compare_name(const void *key, const void *element)
{
    return strcasecmp(key, ((const charset_t *)element)->name);
}

const charset_t *charset_find(const char *name)
{
    if (strcasecmp(name, "utf8") == 0)
        name = "utf8mb3";
    return bsearch(name, charsets, CHARSET_COUNT, sizeof charsets[0], compare_name);
}

const char *charset_name(const charset_t *charset)
{
    return charset->name;
}

bool charset_is_binary(const charset_t *charset)
{
    return charset->kind == CHARSET_KIND_BINARY;
}

/* ---- output ---- */

typedef struct {
    charset_converter_t *converter;
    uint8_t *data;
    size_t len;
} output_t;

static void put(output_t *output, uint32_t character)
{
    output->len += utf8_put(character, output->data + output->len);
}

static void put_replacement(output_t *output)
{
    put(output, REPLACEMENT);
    output->converter->replaced++;
}

static void convert_utf8(output_t *output, bytes_t text)
{
    for (size_t at = 0; at < text.len;) {
        size_t valid = utf8_valid_prefix(bytes_of(text.data + at, text.len - at));
        memcpy(output->data + output->len, text.data + at, valid);
        output->len += valid;
        at += valid;
        if (at < text.len) {
            put_replacement(output);
            at++;
        }
    }
}

static void convert_single(output_t *output, const charset_t *charset, bytes_t text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = text.data[i];
        const uint16_t *half = byte < 0x80 ? charset->lower : charset->upper;
        uint32_t character = half ? half[byte & 0x7f] : byte < 0x80 ? byte : REPLACEMENT;
        if (character == REPLACEMENT)
            put_replacement(output);
        else
            put(output, character);
    }
}

static uint32_t unit16(const uint8_t *p, bool little)
{
    return little ? (uint32_t)(p[0] | p[1] << 8) : (uint32_t)(p[0] << 8 | p[1]);
}

static void convert_utf16(output_t *output, charset_kind_t kind, bytes_t text)
{
    bool little = kind == CHARSET_KIND_UTF16LE;
    size_t at = 0;
    for (; at + 2 <= text.len; at += 2) {
        uint32_t unit = unit16(text.data + at, little);
        if (unit < 0xd800 || unit > 0xdfff) {
            put(output, unit);
            continue;
        }
        uint32_t next = at + 4 <= text.len ? unit16(text.data + at + 2, little) : 0;
        if (kind == CHARSET_KIND_UCS2 || unit > 0xdbff || next < 0xdc00 || next > 0xdfff) {
            put_replacement(output);
            continue;
        }
        put(output, 0x10000 + ((unit - 0xd800) << 10) + (next - 0xdc00));
        at += 2;
    }
    if (at < text.len)
        put_replacement(output);
}

static void convert_utf32(output_t *output, bytes_t text)
{
    size_t at = 0;
    for (; at + 4 <= text.len; at += 4) {
        const uint8_t *p = text.data + at;
        uint32_t unit =
            (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | (uint32_t)p[3];
        if (unit > 0x10ffff || (unit >= 0xd800 && unit <= 0xdfff))
            put_replacement(output);
        else
            put(output, unit);
    }
    if (at < text.len)
        put_replacement(output);
}

/* ---- iconv ---- */

static iconv_t iconv_handle(charset_converter_t *converter, const charset_t *charset)
{
    iconv_t *handle = &converter->handles[charset->iconv_slot];
    if (*handle == ICONV_NONE)
        *handle = iconv_open("UTF-8", charset->iconv_name);
    return *handle;
}

/* `size` bytes of room are behind output->len. */
static void convert_run(output_t *output, iconv_t handle, bytes_t text, size_t size)
{
    char *in = (char *)(uintptr_t)text.data;
    size_t in_left = text.len;
    iconv(handle, NULL, NULL, NULL, NULL);
    while (in_left > 0) {
        char *out = (char *)output->data + output->len;
        size_t out_left = size;
        size_t result = iconv(handle, &in, &in_left, &out, &out_left);
        size_t written = size - out_left;
        output->len += written;
        size -= written;
        if (result != (size_t)-1)
            break;
        assert(errno != E2BIG);
        put_replacement(output);
        size -= 3;
        in++;
        in_left--;
    }
}

static int compare_exception(const void *key, const void *element)
{
    uint32_t code = *(const uint32_t *)key;
    uint32_t other = ((const charset_exception_t *)element)->code;
    return (code > other) - (code < other);
}

static const charset_exception_t *find_exception(const charset_t *charset, const uint8_t *p,
                                                 size_t len)
{
    uint32_t code = 0;
    for (size_t i = 0; i < len; i++)
        code = code << 8 | p[i];
    return bsearch(&code, charset->exceptions, charset->exception_count,
                   sizeof charset->exceptions[0], compare_exception);
}

/* Bytes of the character that `lead` begins in the charsets that have exceptions. */
static size_t multibyte_len(const charset_t *charset, uint8_t lead)
{
    bool is_sjis = charset->exceptions == charset_sjis_exceptions;
    if (lead < 0x80 || (is_sjis && lead >= 0xa1 && lead <= 0xdf))
        return 1;
    return charset->exceptions == charset_ujis_exceptions && lead == 0x8f ? 3 : 2;
}

static void convert_iconv(output_t *output, const charset_t *charset, iconv_t handle, bytes_t text)
{
    size_t run = 0, at = 0;
    while (charset->exception_count && at < text.len) {
        size_t len = multibyte_len(charset, text.data[at]);
        if (len > text.len - at)
            break;
        const charset_exception_t *exception = find_exception(charset, text.data + at, len);
        if (exception) {
            convert_run(output, handle, bytes_of(text.data + run, at - run), 3 * (at - run) + 4);
            put(output, exception->character);
            output->converter->replaced += exception->character == REPLACEMENT;
            run = at + len;
        }
        at += len;
    }
    convert_run(output, handle, bytes_of(text.data + run, text.len - run),
                3 * (text.len - run) + 4);
}

/* ---- the converter ---- */

charset_converter_t *charset_converter_new(void)
{
    charset_converter_t *converter = memory_zalloc(sizeof *converter);
    for (size_t i = 0; i < ICONV_CHARSETS_MAX; i++)
        converter->handles[i] = ICONV_NONE;
    return converter;
}

void charset_converter_destroy(charset_converter_t **converter)
{
    if (!*converter)
        return;
    for (size_t i = 0; i < ICONV_CHARSETS_MAX; i++) {
        if ((*converter)->handles[i] != ICONV_NONE)
            iconv_close((*converter)->handles[i]);
    }
    free(*converter);
    *converter = NULL;
}

sluice_error_t charset_check(charset_converter_t *converter, const charset_t *charset,
                             error_report_t *report)
{
    if (charset->kind != CHARSET_KIND_ICONV || iconv_handle(converter, charset) != ICONV_NONE)
        return SLUICE_OK;
    return error_report_set(report, SLUICE_ERROR_UNSUPPORTED,
                            "this machine's C library cannot convert %s (charset %s) to UTF-8: "
                            "install its gconv modules",
                            charset->iconv_name, charset->name);
}

/* Whether the bytes are their own UTF-8 form. */
static bool is_same(const charset_t *charset, bytes_t text)
{
    switch (charset->kind) {
    case CHARSET_KIND_BINARY:
        return true;
    case CHARSET_KIND_UTF8:
        return utf8_valid_prefix(text) == text.len;
    case CHARSET_KIND_SINGLE:
        return !charset->lower && utf8_ascii_prefix(text) == text.len;
    case CHARSET_KIND_ICONV:
        return utf8_ascii_prefix(text) == text.len;
    case CHARSET_KIND_UCS2:
    case CHARSET_KIND_UTF16:
    case CHARSET_KIND_UTF16LE:
    case CHARSET_KIND_UTF32:
        return text.len == 0;
    }
    return false;
}

sluice_error_t charset_to_utf8(charset_converter_t *converter, const charset_t *charset,
                               bytes_t text, arena_t *arena, bytes_t *utf8)
{
    *utf8 = text;
    if (is_same(charset, text))
        return SLUICE_OK;
    sluice_error_t error = charset_check(converter, charset, NULL);
    if (error)
        return error;
    /* No charset needs more than three bytes of UTF-8 for one of its own; four more for the
     * replacement of a cut last character. */
    output_t output = {.converter = converter, .data = arena_alloc(arena, text.len * 3 + 8)};
    switch (charset->kind) {
    case CHARSET_KIND_BINARY:
        break;
    case CHARSET_KIND_UTF8:
        convert_utf8(&output, text);
        break;
    case CHARSET_KIND_SINGLE:
        convert_single(&output, charset, text);
        break;
    case CHARSET_KIND_UCS2:
    case CHARSET_KIND_UTF16:
    case CHARSET_KIND_UTF16LE:
        convert_utf16(&output, charset->kind, text);
        break;
    case CHARSET_KIND_UTF32:
        convert_utf32(&output, text);
        break;
    case CHARSET_KIND_ICONV:
        convert_iconv(&output, charset, iconv_handle(converter, charset), text);
        break;
    }
    *utf8 = bytes_of(output.data, output.len);
    return SLUICE_OK;
}

uint64_t charset_converter_replaced(const charset_converter_t *converter)
{
    return converter->replaced;
}
