#include "dispatcher/sink/file/canal_type.h"

/* java.sql.Types, as far as canal uses them. */
enum {
    JDBC_BIT = -7,
    JDBC_TINYINT = -6,
    JDBC_BIGINT = -5,
    JDBC_CHAR = 1,
    JDBC_DECIMAL = 3,
    JDBC_INTEGER = 4,
    JDBC_SMALLINT = 5,
    JDBC_REAL = 7,
    JDBC_DOUBLE = 8,
    JDBC_VARCHAR = 12,
    JDBC_DATE = 91,
    JDBC_TIME = 92,
    JDBC_TIMESTAMP = 93,
    JDBC_BLOB = 2004,
    JDBC_CLOB = 2005
};

bool canal_type_varies(const column_definition_t *column)
{
    return column->type <= COLUMN_BIGINT &&
           (column->flags & (COLUMN_UNSIGNED | COLUMN_ZEROFILL)) != 0;
}

static int integer_code(column_type_t type, uint64_t number)
{
    switch ((int)type) {
    case COLUMN_TINYINT:
        return number > INT8_MAX ? JDBC_SMALLINT : JDBC_TINYINT;
    case COLUMN_SMALLINT:
        return number > INT16_MAX ? JDBC_INTEGER : JDBC_SMALLINT;
    case COLUMN_MEDIUMINT:
    case COLUMN_INT:
        return number > INT32_MAX ? JDBC_BIGINT : JDBC_INTEGER;
    }
    return number > INT64_MAX ? JDBC_DECIMAL : JDBC_BIGINT;
}

int canal_type_code(const column_definition_t *column, const value_t *value)
{
    switch (column->type) {
    case COLUMN_TINYINT:
    case COLUMN_SMALLINT:
    case COLUMN_MEDIUMINT:
    case COLUMN_INT:
    case COLUMN_BIGINT:
        return integer_code(column->type, value && value->kind == VALUE_UINT ? value->u64 : 0);
    case COLUMN_DECIMAL:
        return JDBC_DECIMAL;
    case COLUMN_FLOAT:
        return JDBC_REAL;
    case COLUMN_DOUBLE:
        return JDBC_DOUBLE;
    case COLUMN_BIT:
    case COLUMN_SET:
        return JDBC_BIT;
    case COLUMN_YEAR:
    case COLUMN_VARCHAR:
    case COLUMN_INET4:
    case COLUMN_INET6:
    case COLUMN_UUID:
        return JDBC_VARCHAR;
    case COLUMN_DATE:
        return JDBC_DATE;
    case COLUMN_TIME:
        return JDBC_TIME;
    case COLUMN_DATETIME:
    case COLUMN_TIMESTAMP:
        return JDBC_TIMESTAMP;
    case COLUMN_CHAR:
        return JDBC_CHAR;
    case COLUMN_TINYTEXT:
    case COLUMN_TEXT:
    case COLUMN_MEDIUMTEXT:
    case COLUMN_LONGTEXT:
        return column->flags & COLUMN_IS_JSON ? JDBC_VARCHAR : JDBC_CLOB;
    case COLUMN_BINARY:
    case COLUMN_VARBINARY:
    case COLUMN_TINYBLOB:
    case COLUMN_BLOB:
    case COLUMN_MEDIUMBLOB:
    case COLUMN_LONGBLOB:
    case COLUMN_GEOMETRY:
        return JDBC_BLOB;
    case COLUMN_ENUM:
        return JDBC_INTEGER;
    }
    return JDBC_BLOB;
}

static const char *base_name(const column_definition_t *column)
{
    return column->flags & COLUMN_IS_JSON ? "json" : column_type_name(column);
}

static void put_members(sink_text_t *out, const column_definition_t *column)
{
    for (uint32_t i = 0; i < column->member_count; i++) {
        sink_text_char(out, i ? ',' : '(');
        sink_text_literal(out, bytes_of_text(column->members[i]));
    }
    sink_text_char(out, ')');
}

static void put_parameters(sink_text_t *out, const column_definition_t *column)
{
    bool has_length = column->type <= COLUMN_BIGINT || column->type == COLUMN_BIT ||
                      column->type == COLUMN_CHAR || column->type == COLUMN_VARCHAR ||
                      column->type == COLUMN_BINARY || column->type == COLUMN_VARBINARY;
    bool has_fraction = column->type == COLUMN_TIME || column->type == COLUMN_DATETIME ||
                        column->type == COLUMN_TIMESTAMP;
    if (column->type == COLUMN_ENUM || column->type == COLUMN_SET)
        put_members(out, column);
    else if (column->type == COLUMN_DECIMAL || (column->type <= COLUMN_DOUBLE && column->scale))
        sink_text_printf(out, "(%u,%u)", column->precision, column->scale);
    else if (has_length && column->length)
        sink_text_printf(out, "(%u)", column->length);
    else if (has_fraction && column->fsp)
        sink_text_printf(out, "(%u)", column->fsp);
}

void canal_type_name(sink_text_t *out, const column_definition_t *column, bool with_parameters)
{
    sink_text_text(out, base_name(column));
    if (with_parameters)
        put_parameters(out, column);
    if (column->type > COLUMN_DOUBLE)
        return;
    if (column->flags & (COLUMN_UNSIGNED | COLUMN_ZEROFILL))
        sink_text_text(out, " unsigned");
    if (column->flags & COLUMN_ZEROFILL)
        sink_text_text(out, " zerofill");
}
