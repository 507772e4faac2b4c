/* Data types: every name MariaDB knows for one, also those of other systems. */
#include "common/filter/name_case.h"
#include "dispatcher/core/ddl/parser.h"

typedef enum {
    SHAPE_PLAIN,
    SHAPE_INTEGER,  /* (width) */
    SHAPE_DECIMAL,  /* (precision, scale) */
    SHAPE_FLOATING, /* (precision, scale) or (bits) */
    SHAPE_LENGTH,   /* (length), 1 if not said */
    SHAPE_BLOB,     /* (length) or nothing */
    SHAPE_FRACTION, /* (digits) */
    SHAPE_MEMBERS,
    SHAPE_GEOMETRY
} shape_t;

typedef struct {
    const char *name;
    column_type_t type;
    shape_t shape;
} type_name_t;

static const type_name_t type_names[] = {
    {"TINYINT", COLUMN_TINYINT, SHAPE_INTEGER},
    {"INT1", COLUMN_TINYINT, SHAPE_INTEGER},
    {"SMALLINT", COLUMN_SMALLINT, SHAPE_INTEGER},
    {"INT2", COLUMN_SMALLINT, SHAPE_INTEGER},
    {"MEDIUMINT", COLUMN_MEDIUMINT, SHAPE_INTEGER},
    {"MIDDLEINT", COLUMN_MEDIUMINT, SHAPE_INTEGER},
    {"INT3", COLUMN_MEDIUMINT, SHAPE_INTEGER},
    {"INT", COLUMN_INT, SHAPE_INTEGER},
    {"INTEGER", COLUMN_INT, SHAPE_INTEGER},
    {"INT4", COLUMN_INT, SHAPE_INTEGER},
    {"BIGINT", COLUMN_BIGINT, SHAPE_INTEGER},
    {"INT8", COLUMN_BIGINT, SHAPE_INTEGER},
    {"DECIMAL", COLUMN_DECIMAL, SHAPE_DECIMAL},
    {"DEC", COLUMN_DECIMAL, SHAPE_DECIMAL},
    {"NUMERIC", COLUMN_DECIMAL, SHAPE_DECIMAL},
    {"FIXED", COLUMN_DECIMAL, SHAPE_DECIMAL},
    {"NUMBER", COLUMN_DECIMAL, SHAPE_DECIMAL},
    {"FLOAT", COLUMN_FLOAT, SHAPE_FLOATING},
    {"FLOAT4", COLUMN_FLOAT, SHAPE_FLOATING},
    {"FLOAT8", COLUMN_DOUBLE, SHAPE_FLOATING},
    {"DOUBLE", COLUMN_DOUBLE, SHAPE_FLOATING},
    {"REAL", COLUMN_DOUBLE, SHAPE_FLOATING},
    {"BIT", COLUMN_BIT, SHAPE_LENGTH},
    {"YEAR", COLUMN_YEAR, SHAPE_INTEGER},
    {"DATE", COLUMN_DATE, SHAPE_PLAIN},
    {"TIME", COLUMN_TIME, SHAPE_FRACTION},
    {"DATETIME", COLUMN_DATETIME, SHAPE_FRACTION},
    {"TIMESTAMP", COLUMN_TIMESTAMP, SHAPE_FRACTION},
    {"CHAR", COLUMN_CHAR, SHAPE_LENGTH},
    {"CHARACTER", COLUMN_CHAR, SHAPE_LENGTH},
    {"NCHAR", COLUMN_CHAR, SHAPE_LENGTH},
    {"VARCHAR", COLUMN_VARCHAR, SHAPE_LENGTH},
    {"VARCHARACTER", COLUMN_VARCHAR, SHAPE_LENGTH},
    {"VARCHAR2", COLUMN_VARCHAR, SHAPE_LENGTH},
    {"NVARCHAR", COLUMN_VARCHAR, SHAPE_LENGTH},
    {"TINYTEXT", COLUMN_TINYTEXT, SHAPE_PLAIN},
    {"TEXT", COLUMN_TEXT, SHAPE_BLOB},
    {"MEDIUMTEXT", COLUMN_MEDIUMTEXT, SHAPE_PLAIN},
    {"LONGTEXT", COLUMN_LONGTEXT, SHAPE_PLAIN},
    {"CLOB", COLUMN_LONGTEXT, SHAPE_PLAIN},
    {"JSON", COLUMN_LONGTEXT, SHAPE_PLAIN},
    {"BINARY", COLUMN_BINARY, SHAPE_LENGTH},
    {"VARBINARY", COLUMN_VARBINARY, SHAPE_LENGTH},
    {"RAW", COLUMN_VARBINARY, SHAPE_LENGTH},
    {"TINYBLOB", COLUMN_TINYBLOB, SHAPE_PLAIN},
    {"BLOB", COLUMN_BLOB, SHAPE_BLOB},
    {"MEDIUMBLOB", COLUMN_MEDIUMBLOB, SHAPE_PLAIN},
    {"LONGBLOB", COLUMN_LONGBLOB, SHAPE_PLAIN},
    {"ENUM", COLUMN_ENUM, SHAPE_MEMBERS},
    {"SET", COLUMN_SET, SHAPE_MEMBERS},
    {"INET4", COLUMN_INET4, SHAPE_PLAIN},
    {"INET6", COLUMN_INET6, SHAPE_PLAIN},
    {"UUID", COLUMN_UUID, SHAPE_PLAIN},
    {"GEOMETRY", COLUMN_GEOMETRY, SHAPE_GEOMETRY},
    {"POINT", COLUMN_GEOMETRY, SHAPE_GEOMETRY},
    {"LINESTRING", COLUMN_GEOMETRY, SHAPE_GEOMETRY},
    {"POLYGON", COLUMN_GEOMETRY, SHAPE_GEOMETRY},
    {"MULTIPOINT", COLUMN_GEOMETRY, SHAPE_GEOMETRY},
    {"MULTILINESTRING", COLUMN_GEOMETRY, SHAPE_GEOMETRY},
    {"MULTIPOLYGON", COLUMN_GEOMETRY, SHAPE_GEOMETRY},
    {"GEOMETRYCOLLECTION", COLUMN_GEOMETRY, SHAPE_GEOMETRY},
    {"GEOMCOLLECTION", COLUMN_GEOMETRY, SHAPE_GEOMETRY},
};

static const type_name_t *find_type(const char *name)
{
    for (size_t i = 0; i < sizeof type_names / sizeof type_names[0]; i++)
        if (name_equal_ascii(bytes_of_text(name), type_names[i].name))
            return &type_names[i];
    return NULL;
}

static bool parse_precision(parser_t *parser, column_definition_t *column)
{
    uint32_t precision = 0, scale = 0;
    if (!parser_accept_symbol(parser, '('))
        return true;
    if (!parser_number(parser, &precision))
        return false;
    bool has_scale = parser_accept_symbol(parser, ',');
    if (has_scale && !parser_number(parser, &scale))
        return false;
    if (precision > 255 || scale > 255)
        return false;
    column->precision = (uint8_t)precision;
    column->scale = (uint8_t)scale;
    /* FLOAT(25) is a DOUBLE, FLOAT(24) a FLOAT; neither keeps the number. */
    if (!has_scale && (column->type == COLUMN_FLOAT || column->type == COLUMN_DOUBLE)) {
        if (precision > 24)
            column->type = COLUMN_DOUBLE;
        column->precision = 0;
    }
    return parser_accept_symbol(parser, ')');
}

static bool parse_members(parser_t *parser, column_definition_t *column)
{
    list_t members = {0};
    if (!parser_accept_symbol(parser, '('))
        return false;
    do {
        bytes_t text;
        if (!parser_string(parser, &text))
            return false;
        /* The server takes trailing blanks away. */
        while (text.len > 0 && text.data[text.len - 1] == ' ')
            text.len--;
        const char **member = list_add(&members, sizeof *member, parser->arena);
        *member = arena_strndup(parser->arena, text.data, text.len);
    } while (parser_accept_symbol(parser, ','));
    column->members = members.items;
    column->member_count = members.count;
    return parser_accept_symbol(parser, ')');
}

static bool parse_fraction(parser_t *parser, column_definition_t *column)
{
    uint32_t digits = 0;
    if (!parser_optional_length(parser, &digits) || digits > 6)
        return false;
    column->fsp = (uint8_t)digits;
    return true;
}

static bool parse_shape(parser_t *parser, const type_name_t *type, column_syntax_t *column)
{
    column_definition_t *written = &column->written;
    switch (type->shape) {
    case SHAPE_PLAIN:
        return true;
    case SHAPE_INTEGER:
        return parser_optional_length(parser, &written->length);
    case SHAPE_DECIMAL:
        if (!parse_precision(parser, written))
            return false;
        if (written->precision == 0)
            written->precision = 10;
        return true;
    case SHAPE_FLOATING:
        return parse_precision(parser, written);
    case SHAPE_LENGTH:
        written->length = 1;
        return parser_optional_length(parser, &written->length);
    case SHAPE_BLOB:
        column->is_text_by_length = parser_is_symbol(parser, 0, '(');
        return parser_optional_length(parser, &written->length);
    case SHAPE_FRACTION:
        return parse_fraction(parser, written);
    case SHAPE_MEMBERS:
        return parse_members(parser, written);
    case SHAPE_GEOMETRY: {
        uint32_t ignored = 0;
        char *name = arena_strdup(parser->arena, type->name);
        for (char *c = name; *c; c++)
            *c = (char)(*c | 0x20);
        written->geometry_name = strcmp(name, "geomcollection") == 0 ? "geometrycollection" : name;
        return parser_optional_length(parser, &ignored);
    }
    }
    return false;
}

/* Names that stand for more than a type. true: it was one. */
static bool parse_alias(parser_t *parser, const char *name, column_syntax_t *column)
{
    bytes_t text = bytes_of_text(name);
    column_definition_t *written = &column->written;
    if (name_equal_ascii(text, "BOOL") || name_equal_ascii(text, "BOOLEAN")) {
        written->type = COLUMN_TINYINT;
        written->length = 1;
    } else if (name_equal_ascii(text, "SERIAL")) {
        written->type = COLUMN_BIGINT;
        written->flags |= COLUMN_UNSIGNED | COLUMN_AUTO_INCREMENT;
        column->nullness = NULLNESS_NOT_NULL;
        column->is_unique = true;
    } else if (name_equal_ascii(text, "LONG")) {
        written->type = COLUMN_MEDIUMTEXT;
        if (parser_accept(parser, "VARBINARY"))
            written->type = COLUMN_MEDIUMBLOB;
        else if (!parser_accept2(parser, "CHAR", "VARYING") &&
                 !parser_accept2(parser, "CHARACTER", "VARYING") &&
                 !parser_accept(parser, "VARCHARACTER") && !parser_accept(parser, "VARCHAR"))
            return true;
    } else {
        return false;
    }
    return true;
}

/* What one name means more than its row in the table says. */
static void refine_type(parser_t *parser, const type_name_t *type, column_syntax_t *column)
{
    column_definition_t *written = &column->written;
    uint64_t mode = parser->options->sql_mode;
    if (strcmp(type->name, "JSON") == 0)
        written->flags |= COLUMN_IS_JSON;
    if (strcmp(type->name, "REAL") == 0 && (mode & SQL_MODE_REAL_AS_FLOAT))
        written->type = COLUMN_FLOAT;
    if (strcmp(type->name, "NVARCHAR") == 0 || strcmp(type->name, "NCHAR") == 0)
        written->charset = "utf8mb3";
    if (mode & SQL_MODE_ORACLE) {
        if (strcmp(type->name, "DATE") == 0)
            written->type = COLUMN_DATETIME;
        else if (strcmp(type->name, "BLOB") == 0)
            written->type = COLUMN_LONGBLOB;
        else if (strcmp(type->name, "NUMBER") == 0 && !parser_is_symbol(parser, 0, '('))
            written->type = COLUMN_DOUBLE;
    }
    if (written->type == COLUMN_DOUBLE)
        parser_accept(parser, "PRECISION");
    if (written->type == COLUMN_CHAR &&
        (parser_accept(parser, "VARYING") || parser_accept(parser, "VARCHAR")))
        written->type = COLUMN_VARCHAR;
}

bool parse_type(parser_t *parser, column_syntax_t *column)
{
    /* Written by SHOW CREATE where the session's mode would read the name differently. */
    static const char *const owners[] = {"mariadb_schema", "oracle_schema", "maxdb_schema", NULL};
    statement_options_t plain = *parser->options;
    const statement_options_t *options = parser->options;
    if (parser_is_symbol(parser, 1, '.')) {
        int owner = parser_accept_any(parser, owners);
        if (owner < 0)
            return false;
        parser_next(parser);
        plain.sql_mode =
            owner == 1 ? plain.sql_mode | SQL_MODE_ORACLE : plain.sql_mode & ~SQL_MODE_ORACLE;
        parser->options = &plain;
    }
    bool is_national = parser_accept(parser, "NATIONAL");
    if (is_national)
        column->written.charset = "utf8mb3";
    const char *name;
    bool ok = parser_peek(parser, 0)->kind == TOKEN_WORD && parser_name(parser, &name);
    if (ok && !parse_alias(parser, name, column)) {
        const type_name_t *type = find_type(name);
        if (type) {
            column->written.type = type->type;
            refine_type(parser, type, column);
        }
        ok = type && parse_shape(parser, type, column);
        if (ok && column->written.type == COLUMN_DOUBLE && type->shape == SHAPE_DECIMAL)
            column->written.precision = 0;
        if (ok && column->written.type == COLUMN_DATETIME && type->shape == SHAPE_PLAIN)
            ok = parse_fraction(parser, &column->written);
    }
    parser->options = options;
    return ok;
}

bool parse_charset_name(parser_t *parser, const char **charset)
{
    bytes_t text;
    const char *name;
    if (parser_is_string(parser)) {
        if (!parser_string(parser, &text))
            return false;
    } else {
        if (!parser_name(parser, &name))
            return false;
        text = bytes_of_text(name);
    }
    *charset = charset_normalise(text, parser->arena);
    return true;
}

bool parse_column_charset(parser_t *parser, column_syntax_t *column, bool *was_one)
{
    column_definition_t *written = &column->written;
    *was_one = true;
    if (parser_accept(parser, "CHARSET") || parser_accept2(parser, "CHARACTER", "SET") ||
        parser_accept2(parser, "CHAR", "SET"))
        return parse_charset_name(parser, &written->charset);
    if (parser_accept(parser, "COLLATE")) {
        if (!parse_charset_name(parser, &written->collation))
            return false;
        written->collation = collation_normalise(bytes_of_text(written->collation), parser->arena);
        return true;
    }
    if (parser_accept(parser, "ASCII"))
        written->charset = "latin1";
    else if (parser_accept(parser, "UNICODE"))
        written->charset = "ucs2";
    else if (parser_accept(parser, "BYTE"))
        written->charset = "binary";
    else if (parser_accept(parser, "BINARY"))
        column->is_binary_collation = true;
    else
        *was_one = false;
    return true;
}
