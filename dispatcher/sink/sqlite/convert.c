#include "dispatcher/sink/sqlite/convert.h"

#include <stdio.h>
#include <strings.h>

#include "dispatcher/sink/sqlite/convert_internal.h"

/* How much of a value an error message shows. */
#define SHOWN_BYTES 60

column_family_t column_family(const column_definition_t *column)
{
    switch (column->type) {
    case COLUMN_TINYINT:
    case COLUMN_SMALLINT:
    case COLUMN_MEDIUMINT:
    case COLUMN_INT:
    case COLUMN_BIGINT:
        return FAMILY_INTEGER;
    case COLUMN_DECIMAL:
        return FAMILY_DECIMAL;
    case COLUMN_FLOAT:
    case COLUMN_DOUBLE:
        return FAMILY_REAL;
    case COLUMN_BIT:
        return FAMILY_BIT;
    case COLUMN_YEAR:
        return FAMILY_YEAR;
    case COLUMN_DATE:
        return FAMILY_DATE;
    case COLUMN_TIME:
        return FAMILY_TIME;
    case COLUMN_DATETIME:
        return FAMILY_DATETIME;
    case COLUMN_TIMESTAMP:
        return FAMILY_TIMESTAMP;
    case COLUMN_CHAR:
    case COLUMN_VARCHAR:
    case COLUMN_TINYTEXT:
    case COLUMN_TEXT:
    case COLUMN_MEDIUMTEXT:
    case COLUMN_LONGTEXT:
        return FAMILY_TEXT;
    case COLUMN_BINARY:
    case COLUMN_VARBINARY:
    case COLUMN_TINYBLOB:
    case COLUMN_BLOB:
    case COLUMN_MEDIUMBLOB:
    case COLUMN_LONGBLOB:
        return FAMILY_BINARY;
    case COLUMN_ENUM:
        return FAMILY_ENUM;
    case COLUMN_SET:
        return FAMILY_SET;
    case COLUMN_GEOMETRY:
        return FAMILY_GEOMETRY;
    case COLUMN_INET4:
    case COLUMN_INET6:
    case COLUMN_UUID:
        return FAMILY_ADDRESS;
    }
    return FAMILY_BINARY;
}

bool column_is_unsigned(const column_definition_t *column)
{
    return (column->flags & (COLUMN_UNSIGNED | COLUMN_ZEROFILL)) != 0;
}

stored_value_t stored_text(bytes_t text)
{
    return (stored_value_t){.type = SQLITE_TEXT, .bytes = text};
}

stored_value_t stored_integer(int64_t integer)
{
    return (stored_value_t){.type = SQLITE_INTEGER, .integer = integer};
}

stored_value_t stored_blob(bytes_t bytes)
{
    return (stored_value_t){.type = SQLITE_BLOB, .bytes = bytes};
}

stored_value_t stored_real(double real)
{
    return (stored_value_t){.type = SQLITE_FLOAT, .real = real};
}

sluice_error_t conversion_refuse(const conversion_t *conversion, const stored_value_t *from,
                                 const char *reason)
{
    char shown[SHOWN_BYTES + 1];
    if (from->type == SQLITE_INTEGER)
        snprintf(shown, sizeof shown, "%lld", (long long)from->integer);
    else if (from->type == SQLITE_FLOAT)
        snprintf(shown, sizeof shown, "%.17g", from->real);
    else if (from->type == SQLITE_TEXT)
        snprintf(shown, sizeof shown, "%.*s",
                 (int)(from->bytes.len > SHOWN_BYTES ? SHOWN_BYTES : from->bytes.len),
                 (const char *)from->bytes.data);
    else
        snprintf(shown, sizeof shown, "%zu bytes", from->bytes.len);
    return error_report_set(conversion->report, SLUICE_ERROR_DDL_UNSUPPORTED,
                            "column %s: the stored value '%s' cannot be carried over to the new "
                            "type in SQLite: %s",
                            conversion->after->name, shown, reason);
}

/* ---- identity ---- */

static unsigned integer_rank(column_type_t type)
{
    return (unsigned)type; /* TINYINT to BIGINT are in order of their size */
}

static bool integers_are_identical(const column_definition_t *before,
                                   const column_definition_t *after)
{
    bool same_sign = column_is_unsigned(before) == column_is_unsigned(after);
    bool widens_sign = column_is_unsigned(before) && !column_is_unsigned(after);
    return sqlite_column_storage(before) == sqlite_column_storage(after) &&
           ((same_sign && integer_rank(after->type) >= integer_rank(before->type)) ||
            (widens_sign && integer_rank(after->type) > integer_rank(before->type)));
}

static bool same_charset(const column_definition_t *before, const column_definition_t *after)
{
    return sqlite_column_charset(before) == sqlite_column_charset(after);
}

/* Bytes that a type can hold, 0 for CHAR and VARCHAR whose length counts characters. */
static uint64_t text_bytes_max(const column_definition_t *column)
{
    switch ((int)column->type) {
    case COLUMN_BINARY:
    case COLUMN_VARBINARY:
        return column->length;
    case COLUMN_TINYTEXT:
    case COLUMN_TINYBLOB:
        return 255;
    case COLUMN_TEXT:
    case COLUMN_BLOB:
        return 65535;
    case COLUMN_MEDIUMTEXT:
    case COLUMN_MEDIUMBLOB:
        return 16777215;
    case COLUMN_LONGTEXT:
    case COLUMN_LONGBLOB:
        return UINT32_MAX;
    }
    return 0;
}

static bool texts_are_identical(const column_definition_t *before, const column_definition_t *after)
{
    if (!same_charset(before, after))
        return false;
    if (before->type == COLUMN_CHAR || before->type == COLUMN_VARCHAR) {
        bool strips = after->type == COLUMN_CHAR && before->type != COLUMN_CHAR;
        bool fits = after->type == COLUMN_CHAR || after->type == COLUMN_VARCHAR
                        ? after->length >= before->length
                        : text_bytes_max(after) >= 4 * (uint64_t)before->length;
        return fits && !strips;
    }
    return text_bytes_max(after) >= text_bytes_max(before);
}

static bool binaries_are_identical(const column_definition_t *before,
                                   const column_definition_t *after)
{
    if (after->type == COLUMN_BINARY)
        return before->type == COLUMN_BINARY && before->length == after->length;
    return text_bytes_max(after) >= text_bytes_max(before);
}

/* The old labels are the first of the new ones. */
static bool labels_are_identical(const column_definition_t *before,
                                 const column_definition_t *after)
{
    if (after->member_count < before->member_count)
        return false;
    for (uint32_t i = 0; i < before->member_count; i++) {
        if (strcmp(before->members[i], after->members[i]) != 0)
            return false;
    }
    return true;
}

static bool types_are_identical(const column_definition_t *before, const column_definition_t *after)
{
    column_family_t family = column_family(before);
    if (family != column_family(after))
        return false;
    switch (family) {
    case FAMILY_INTEGER:
        return integers_are_identical(before, after);
    case FAMILY_DECIMAL:
        return before->scale == after->scale && before->precision <= after->precision &&
               (column_is_unsigned(before) || !column_is_unsigned(after));
    case FAMILY_REAL:
        return (after->type == COLUMN_DOUBLE || before->type == COLUMN_FLOAT) &&
               (column_is_unsigned(before) || !column_is_unsigned(after)) &&
               (after->scale == 0 ||
                (after->type == before->type && after->scale == before->scale &&
                 after->precision == before->precision));
    case FAMILY_BIT:
        return before->length <= after->length &&
               sqlite_column_storage(before) == sqlite_column_storage(after);
    case FAMILY_YEAR:
    case FAMILY_DATE:
    case FAMILY_GEOMETRY:
        return true;
    case FAMILY_TIME:
    case FAMILY_DATETIME:
    case FAMILY_TIMESTAMP:
        return before->fsp == after->fsp;
    case FAMILY_TEXT:
        return texts_are_identical(before, after);
    case FAMILY_BINARY:
        return binaries_are_identical(before, after);
    case FAMILY_ENUM:
    case FAMILY_SET:
        return labels_are_identical(before, after);
    case FAMILY_ADDRESS:
        return before->type == after->type;
    }
    return false;
}

bool sqlite_convert_is_identity(const column_definition_t *before, const column_definition_t *after)
{
    bool forbids_null =
        (after->flags & COLUMN_NOT_NULL) != 0 && (before->flags & COLUMN_NOT_NULL) == 0;
    return !forbids_null && types_are_identical(before, after);
}

/* ---- conversion ---- */

static sluice_error_t convert_value(const conversion_t *conversion, const stored_value_t *from,
                                    stored_value_t *to)
{
    switch (column_family(conversion->after)) {
    case FAMILY_INTEGER:
        return convert_to_integer(conversion, from, to);
    case FAMILY_DECIMAL:
        return convert_to_decimal(conversion, from, to);
    case FAMILY_REAL:
        return convert_to_real(conversion, from, to);
    case FAMILY_BIT:
        return convert_to_bit(conversion, from, to);
    case FAMILY_YEAR:
        return convert_to_year(conversion, from, to);
    case FAMILY_DATE:
    case FAMILY_TIME:
    case FAMILY_DATETIME:
    case FAMILY_TIMESTAMP:
        return convert_to_temporal(conversion, from, to);
    case FAMILY_TEXT:
        return convert_to_text(conversion, from, to);
    case FAMILY_BINARY:
        return convert_to_binary(conversion, from, to);
    case FAMILY_ENUM:
        return convert_to_enum(conversion, from, to);
    case FAMILY_SET:
        return convert_to_set(conversion, from, to);
    case FAMILY_ADDRESS:
        return convert_to_address(conversion, from, to);
    case FAMILY_GEOMETRY:
        break;
    }
    return conversion_refuse(conversion, from, "MariaDB's conversion to it is not known here");
}

sluice_error_t sqlite_convert(const convert_context_t *context, const column_definition_t *before,
                              const column_definition_t *after, const stored_value_t *from,
                              stored_value_t *to, error_report_t *report)
{
    conversion_t conversion = {context, before, after, column_family(before), report};
    if (from->type == SQLITE_NULL) {
        *to = after->flags & COLUMN_NOT_NULL ? sqlite_implicit_value(after, context->arena)
                                             : (stored_value_t){.type = SQLITE_NULL};
        return SLUICE_OK;
    }
    if (types_are_identical(before, after)) {
        *to = *from;
        return SLUICE_OK;
    }
    return convert_value(&conversion, from, to);
}
