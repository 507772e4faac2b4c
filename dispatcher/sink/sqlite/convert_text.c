#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <strings.h>

#include "dispatcher/sink/sqlite/convert_internal.h"
#include "dispatcher/sink/value_text.h"

#define TIMESTAMP_NEEDS_ZONE                                                                       \
    "the time zone of the statement's session is no fixed offset (say which SYSTEM is by "         \
    "system-time-zone=+HH:MM in the sink's URI)"

/* ---- as text ---- */

static bytes_t padded(const conversion_t *conversion, bytes_t digits)
{
    uint32_t width = conversion->before->length;
    if (!(conversion->before->flags & COLUMN_ZEROFILL) || digits.len >= width)
        return digits;
    char *text = arena_alloc(conversion->context->arena, width);
    memset(text, '0', width);
    memcpy(text + width - digits.len, digits.data, digits.len);
    return bytes_of(text, width);
}

static sluice_error_t number_as_text(const conversion_t *conversion, const stored_value_t *from,
                                     bytes_t *text)
{
    char buffer[DECIMAL_TEXT_SIZE];
    size_t len = 0;
    if (from->type == SQLITE_INTEGER) {
        int width = conversion->from_family == FAMILY_YEAR ? 4 : 1;
        len = (size_t)snprintf(buffer, sizeof buffer, "%0*lld", width, (long long)from->integer);
    } else if (conversion->before->scale == 0) {
        len = real_text(from->real, conversion->before->type == COLUMN_FLOAT, buffer);
    }
    if (len == 0)
        return conversion_refuse(conversion, from, "how MariaDB writes this number is not known");
    *text = padded(conversion, arena_bytes(conversion->context->arena, bytes_of(buffer, len)));
    return SLUICE_OK;
}

static sluice_error_t timestamp_as_text(const conversion_t *conversion, const stored_value_t *from,
                                        bytes_t *text)
{
    temporal_t temporal;
    char buffer[TEMPORAL_TEXT_SIZE];
    if (!conversion->context->has_offset)
        return conversion_refuse(conversion, from, TIMESTAMP_NEEDS_ZONE);
    if (!temporal_parse(FAMILY_TIMESTAMP, from->bytes, &temporal))
        return conversion_refuse(conversion, from, "it is no time");
    if (temporal.year)
        temporal_shift(&temporal, conversion->context->offset_seconds);
    size_t len = temporal_format(VALUE_DATETIME, &temporal, buffer);
    *text = arena_bytes(conversion->context->arena, bytes_of(buffer, len));
    return SLUICE_OK;
}

sluice_error_t conversion_text(const conversion_t *conversion, const stored_value_t *from,
                               bytes_t *text)
{
    switch (conversion->from_family) {
    case FAMILY_INTEGER:
    case FAMILY_YEAR:
    case FAMILY_REAL:
        if (from->type != SQLITE_TEXT)
            return number_as_text(conversion, from, text);
        *text = padded(conversion, from->bytes);
        return SLUICE_OK;
    case FAMILY_DECIMAL:
        if (conversion->before->flags & COLUMN_ZEROFILL)
            return conversion_refuse(conversion, from, "ZEROFILL of DECIMAL is not known here");
        *text = from->bytes;
        return SLUICE_OK;
    case FAMILY_DATE:
    case FAMILY_TIME:
    case FAMILY_DATETIME:
    case FAMILY_TEXT:
    case FAMILY_ENUM:
    case FAMILY_SET:
    case FAMILY_ADDRESS:
        *text = from->bytes;
        return SLUICE_OK;
    case FAMILY_TIMESTAMP:
        return timestamp_as_text(conversion, from, text);
    case FAMILY_BIT:
    case FAMILY_BINARY:
    case FAMILY_GEOMETRY:
        break;
    }
    return conversion_refuse(conversion, from, "MariaDB's conversion to it is not known here");
}

/* ---- to text ---- */

/* Bytes of the first `characters` characters. */
static size_t cut_len(bytes_t text, uint32_t characters)
{
    size_t at = 0;
    for (; at < text.len; at++) {
        if ((text.data[at] & 0xc0) != 0x80 && characters-- == 0)
            break;
    }
    return at;
}

static uint64_t blob_bytes_max(column_type_t type)
{
    switch ((int)type) {
    case COLUMN_TINYTEXT:
    case COLUMN_TINYBLOB:
        return 255;
    case COLUMN_TEXT:
    case COLUMN_BLOB:
        return 65535;
    case COLUMN_MEDIUMTEXT:
    case COLUMN_MEDIUMBLOB:
        return 16777215;
    }
    return UINT32_MAX;
}

static sluice_error_t text_of_bytes(const conversion_t *conversion, const stored_value_t *from,
                                    bytes_t *text)
{
    const convert_context_t *context = conversion->context;
    uint64_t replaced = charset_converter_replaced(context->converter);
    sluice_error_t error =
        charset_to_utf8(context->converter, sqlite_column_charset(conversion->after), from->bytes,
                        context->arena, text);
    if (!error && charset_converter_replaced(context->converter) != replaced)
        return conversion_refuse(conversion, from, "its bytes are no text of the new charset");
    return error;
}

sluice_error_t convert_to_text(const conversion_t *conversion, const stored_value_t *from,
                               stored_value_t *to)
{
    const column_definition_t *after = conversion->after;
    const charset_t *charset = sqlite_column_charset(after);
    bytes_t text;
    sluice_error_t error = conversion->from_family == FAMILY_BINARY
                               ? text_of_bytes(conversion, from, &text)
                               : conversion_text(conversion, from, &text);
    if (error)
        return error;
    bool keeps_charset = conversion->from_family == FAMILY_TEXT &&
                         sqlite_column_charset(conversion->before) == charset;
    bytes_t ignored;
    if (!keeps_charset && conversion->from_family != FAMILY_BINARY &&
        !convert_encode(conversion->context, charset, text, &ignored))
        return conversion_refuse(conversion, from, "the new charset may lack a character of it");
    if (after->type == COLUMN_CHAR || after->type == COLUMN_VARCHAR) {
        text.len = cut_len(text, after->length);
        while (after->type == COLUMN_CHAR && text.len && text.data[text.len - 1] == ' ')
            text.len--;
    } else if (text.len > blob_bytes_max(after->type)) {
        return conversion_refuse(conversion, from, "it is too long");
    }
    *to = stored_text(text);
    return SLUICE_OK;
}

/* ---- to bytes ---- */

sluice_error_t convert_to_binary(const conversion_t *conversion, const stored_value_t *from,
                                 stored_value_t *to)
{
    const column_definition_t *after = conversion->after;
    bytes_t bytes = from->bytes;
    if (conversion->from_family != FAMILY_BINARY) {
        if (conversion->from_family == FAMILY_ADDRESS)
            return conversion_refuse(conversion, from, "it is stored as text");
        sluice_error_t error = conversion_text(conversion, from, &bytes);
        if (error)
            return error;
        bool has_charset = conversion->from_family == FAMILY_TEXT ||
                           conversion->from_family == FAMILY_ENUM ||
                           conversion->from_family == FAMILY_SET;
        if (has_charset &&
            !convert_encode(conversion->context, sqlite_column_charset(conversion->before), bytes,
                            &bytes))
            return conversion_refuse(conversion, from, "its bytes in its charset are not kept");
    }
    bool has_length = after->type == COLUMN_BINARY || after->type == COLUMN_VARBINARY;
    if (has_length && bytes.len > after->length)
        bytes.len = after->length;
    if (!has_length && bytes.len > blob_bytes_max(after->type))
        return conversion_refuse(conversion, from, "it is too long");
    if (after->type == COLUMN_BINARY && bytes.len < after->length) {
        uint8_t *full = arena_zalloc(conversion->context->arena, after->length);
        if (bytes.len)
            memcpy(full, bytes.data, bytes.len);
        bytes = bytes_of(full, after->length);
    }
    *to = stored_blob(bytes);
    return SLUICE_OK;
}

/* ---- to labels ---- */

/* The column's label that equals `text`, else the one that does so without regard to ASCII case. */
static const char *find_label(const column_definition_t *column, bytes_t text)
{
    for (uint32_t i = 0; i < column->member_count; i++) {
        if (bytes_equal(bytes_of_text(column->members[i]), text))
            return column->members[i];
    }
    for (uint32_t i = 0; i < column->member_count; i++) {
        if (strlen(column->members[i]) == text.len &&
            strncasecmp(column->members[i], (const char *)text.data, text.len) == 0)
            return column->members[i];
    }
    return NULL;
}

sluice_error_t convert_to_enum(const conversion_t *conversion, const stored_value_t *from,
                               stored_value_t *to)
{
    if (conversion->from_family != FAMILY_TEXT && conversion->from_family != FAMILY_ENUM)
        return conversion_refuse(conversion, from, "only texts become labels here");
    const char *label = find_label(conversion->after, from->bytes);
    if (!label && !(from->bytes.len == 0 && conversion->from_family == FAMILY_ENUM))
        return conversion_refuse(conversion, from, "it is none of the new labels");
    *to = stored_text(bytes_of_text(label ? label : ""));
    return SLUICE_OK;
}

/* Sets the bits of the comma-separated labels. */
static bool read_labels(const column_definition_t *column, bytes_t text, uint64_t *bits)
{
    *bits = 0;
    for (size_t at = 0; text.len > 0 && at <= text.len;) {
        const uint8_t *comma = memchr(text.data + at, ',', text.len - at);
        size_t end = comma ? (size_t)(comma - text.data) : text.len;
        const char *label = find_label(column, bytes_of(text.data + at, end - at));
        if (!label)
            return false;
        for (uint32_t i = 0; i < column->member_count; i++)
            *bits |= column->members[i] == label ? UINT64_C(1) << i : 0;
        at = end + 1;
    }
    return true;
}

sluice_error_t convert_to_set(const conversion_t *conversion, const stored_value_t *from,
                              stored_value_t *to)
{
    uint64_t bits;
    if (conversion->from_family != FAMILY_TEXT && conversion->from_family != FAMILY_SET &&
        conversion->from_family != FAMILY_ENUM)
        return conversion_refuse(conversion, from, "only texts become labels here");
    if (!read_labels(conversion->after, from->bytes, &bits))
        return conversion_refuse(conversion, from, "it has labels that the new type lacks");
    bytes_t labels;
    if (!value_text_set(conversion->after, bits, conversion->context->arena, &labels))
        return conversion_refuse(conversion, from, "it has labels that the new type lacks");
    *to = stored_text(labels);
    return SLUICE_OK;
}

/* ---- to addresses ---- */

static bool is_uuid(bytes_t text)
{
    if (text.len != 36)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (is_dash ? text.data[i] != '-' : !isxdigit(text.data[i]))
            return false;
    }
    return true;
}

/* As the server would write it; 0 when the text is no address of the column's type. */
static size_t canonical_address(const column_definition_t *column, const char *text,
                                char out[VALUE_TEXT_SIZE])
{
    uint8_t bytes[16];
    size_t len = strlen(text);
    if (column->type == COLUMN_UUID) {
        for (size_t i = 0; i <= len && is_uuid(bytes_of(text, len)); i++)
            out[i] = (char)tolower((unsigned char)text[i]);
        return is_uuid(bytes_of(text, len)) ? len : 0;
    }
    bool is_inet4 = column->type == COLUMN_INET4;
    if (inet_pton(is_inet4 ? AF_INET : AF_INET6, text, bytes) != 1)
        return 0;
    return is_inet4 ? value_text_inet4(bytes, out) : value_text_inet6(bytes, out);
}

sluice_error_t convert_to_address(const conversion_t *conversion, const stored_value_t *from,
                                  stored_value_t *to)
{
    arena_t *arena = conversion->context->arena;
    char out[VALUE_TEXT_SIZE];
    size_t len = 0;
    if (conversion->from_family == FAMILY_TEXT)
        len = canonical_address(conversion->after,
                                arena_strndup(arena, from->bytes.data, from->bytes.len), out);
    if (len == 0)
        return conversion_refuse(conversion, from, "it is no text of such an address");
    *to = stored_text(arena_bytes(arena, bytes_of(out, len)));
    return SLUICE_OK;
}
