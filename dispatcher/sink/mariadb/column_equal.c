#include "dispatcher/sink/mariadb/column_equal.h"

#include <stdlib.h>
#include <strings.h>

#include "dispatcher/sink/sql_text.h"

static bool number_equals(const char *text, unsigned long number)
{
    return text && strtoul(text, NULL, 10) == number;
}

static bool type_equals(const column_definition_t *source, const sink_column_t *sink)
{
    bool is_any_geometry = source->type == COLUMN_GEOMETRY && !source->geometry_name;
    return is_any_geometry || strcasecmp(sink->data_type, column_type_name(source)) == 0;
}

static bool charset_equals(const char *source, const char *sink)
{
    if (!source || !sink)
        return true;
    /* utf8 is what older servers call utf8mb3. */
    source = strcasecmp(source, "utf8") == 0 ? "utf8mb3" : source;
    sink = strcasecmp(sink, "utf8") == 0 ? "utf8mb3" : sink;
    return strcasecmp(source, sink) == 0;
}

/* Labels count since values travel as index and mask. Those with characters that the server writes
 * in its own way are not looked at. */
static bool labels_equal(const column_definition_t *source, const char *column_type)
{
    sql_text_t expected = {0};
    sql_text_add(&expected, column_type_name(source));
    bool is_plain = true;
    for (uint32_t i = 0; i < source->member_count; i++) {
        sql_text_add(&expected, i ? "," : "(");
        sql_text_add_string(&expected, source->members[i]);
        for (const char *at = source->members[i]; *at; at++)
            is_plain = is_plain && (unsigned char)*at >= ' ' && (unsigned char)*at < 0x7f &&
                       *at != '\\' && *at != '\'';
    }
    sql_text_add(&expected, ")");
    bool is_equal = !is_plain || strcmp(sql_text_get(&expected), column_type) == 0;
    sql_text_clear(&expected);
    return is_equal;
}

static bool size_equals(const column_definition_t *source, const sink_column_t *sink)
{
    switch (source->type) {
    case COLUMN_TINYINT:
    case COLUMN_SMALLINT:
    case COLUMN_MEDIUMINT:
    case COLUMN_INT:
    case COLUMN_BIGINT:
        return !(source->flags & COLUMN_UNSIGNED) == !strstr(sink->column_type, "unsigned");
    case COLUMN_DECIMAL:
        return number_equals(sink->precision, source->precision) &&
               number_equals(sink->scale, source->scale);
    case COLUMN_BIT:
        return number_equals(sink->precision, source->length);
    case COLUMN_TIME:
    case COLUMN_DATETIME:
    case COLUMN_TIMESTAMP:
        return number_equals(sink->fsp, source->fsp);
    case COLUMN_CHAR:
    case COLUMN_VARCHAR:
    case COLUMN_BINARY:
    case COLUMN_VARBINARY:
        return number_equals(sink->length, source->length);
    case COLUMN_ENUM:
    case COLUMN_SET:
        return labels_equal(source, sink->column_type);
    case COLUMN_FLOAT:
    case COLUMN_DOUBLE:
    case COLUMN_YEAR:
    case COLUMN_DATE:
    case COLUMN_TINYTEXT:
    case COLUMN_TEXT:
    case COLUMN_MEDIUMTEXT:
    case COLUMN_LONGTEXT:
    case COLUMN_TINYBLOB:
    case COLUMN_BLOB:
    case COLUMN_MEDIUMBLOB:
    case COLUMN_LONGBLOB:
    case COLUMN_GEOMETRY:
    case COLUMN_INET4:
    case COLUMN_INET6:
    case COLUMN_UUID:
        return true;
    }
    return true;
}

bool mariadb_column_equal(const column_definition_t *source, const sink_column_t *sink)
{
    bool is_nullable = !(source->flags & COLUMN_NOT_NULL);
    return type_equals(source, sink) && charset_equals(source->charset, sink->charset) &&
           size_equals(source, sink) && (sink->is_nullable || !is_nullable);
}
