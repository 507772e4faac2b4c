#include <strings.h>

#include "dispatcher/core/binlog/column_decoder.h"

#define COLLATION_BINARY 63
#define INET6_SIZE 16
#define INET4_SIZE 4

typedef struct {
    const table_map_column_t *logged;
    const column_definition_t *defined;
    column_decoder_t *decoder;
} pair_t;

static void decode_with(pair_t *pair, decode_t decode, value_kind_t kind, uint32_t size)
{
    pair->decoder->decode = decode;
    pair->decoder->kind = kind;
    pair->decoder->size = size;
}

static bool bind_integer(pair_t *pair, uint8_t type, uint32_t size, bool has_signedness)
{
    bool is_unsigned = (pair->defined->flags & (COLUMN_UNSIGNED | COLUMN_ZEROFILL)) != 0;
    if (pair->logged->type != type || (has_signedness && pair->logged->is_unsigned != is_unsigned))
        return false;
    decode_with(pair, is_unsigned ? decode_unsigned : decode_signed,
                is_unsigned ? VALUE_UINT : VALUE_INT, size);
    return true;
}

static bool bind_simple(pair_t *pair, uint8_t type, decode_t decode, value_kind_t kind,
                        uint32_t size)
{
    decode_with(pair, decode, kind, size);
    return pair->logged->type == type;
}

static bool bind_decimal(pair_t *pair)
{
    const table_map_column_t *logged = pair->logged;
    if (logged->type != BINLOG_TYPE_DECIMAL || logged->precision != pair->defined->precision ||
        logged->scale != pair->defined->scale)
        return false;
    decode_with(pair, decode_decimal, VALUE_DECIMAL,
                decimal_size(logged->precision, logged->scale));
    pair->decoder->precision = logged->precision;
    pair->decoder->scale = logged->scale;
    return true;
}

static bool bind_bit(pair_t *pair)
{
    decode_with(pair, decode_bit, VALUE_BIT, (pair->logged->size + 7) / 8);
    return pair->logged->type == BINLOG_TYPE_BIT && pair->logged->size == pair->defined->length;
}

/* The old formats do not say their fraction in the log. */
static bool bind_temporal(pair_t *pair, uint8_t type, decode_t decode, uint8_t old_type,
                          decode_t decode_old, value_kind_t kind)
{
    uint8_t digits = pair->defined->fsp;
    pair->decoder->scale = digits;
    if (pair->logged->type == old_type) {
        decode_with(pair, decode_old, kind, 0);
        return digits <= 6;
    }
    decode_with(pair, decode, kind, 0);
    return pair->logged->type == type && pair->logged->scale == digits;
}

static bool bind_labels(pair_t *pair, uint8_t type, decode_t decode, value_kind_t kind)
{
    const table_map_column_t *logged = pair->logged;
    decode_with(pair, decode, kind, logged->size);
    pair->decoder->label_max = pair->defined->member_count;
    return logged->type == type &&
           (!logged->labels || logged->label_count == pair->defined->member_count);
}

/* Fixed-length binary values, whose trailing zero bytes the log leaves out. */
static bool bind_fixed_binary(pair_t *pair, uint32_t size)
{
    decode_with(pair, decode_string, VALUE_BINARY, pair->logged->size > 255 ? 2 : 1);
    pair->decoder->pad_to = size;
    return pair->logged->type == BINLOG_TYPE_STRING && pair->logged->size == size;
}

/* VARCHAR, TEXT and their binary twins. The server turns a VARCHAR or CHAR that is too long into a
 * TEXT with no more than a warning, so a definition may say one and the log the other; the bytes
 * mean the same. */
static bool bind_string(pair_t *pair, value_kind_t kind)
{
    const table_map_column_t *logged = pair->logged;
    if (logged->collation != 0 && (logged->collation == COLLATION_BINARY) != (kind == VALUE_BINARY))
        return false;
    switch (logged->type) {
    case BINLOG_TYPE_STRING:
        decode_with(pair, decode_string, kind, logged->size > 255 ? 2 : 1);
        return pair->defined->type == COLUMN_CHAR;
    case BINLOG_TYPE_VARCHAR:
    case BINLOG_TYPE_VARCHAR_COMPRESSED:
        decode_with(pair, decode_string, kind, logged->size > 255 ? 2 : 1);
        break;
    case BINLOG_TYPE_BLOB:
    case BINLOG_TYPE_BLOB_COMPRESSED:
        decode_with(pair, decode_string, kind, logged->size);
        break;
    default:
        return false;
    }
    pair->decoder->is_compressed = logged->type == BINLOG_TYPE_VARCHAR_COMPRESSED ||
                                   logged->type == BINLOG_TYPE_BLOB_COMPRESSED;
    return true;
}

static bool bind_binary(pair_t *pair)
{
    if (pair->logged->type == BINLOG_TYPE_STRING)
        return bind_fixed_binary(pair, pair->defined->length);
    return bind_string(pair, VALUE_BINARY);
}

static bool bind_column(pair_t *pair, bool has_signedness)
{
    switch (pair->defined->type) {
    case COLUMN_TINYINT:
        return bind_integer(pair, BINLOG_TYPE_TINY, 1, has_signedness);
    case COLUMN_SMALLINT:
        return bind_integer(pair, BINLOG_TYPE_SHORT, 2, has_signedness);
    case COLUMN_MEDIUMINT:
        return bind_integer(pair, BINLOG_TYPE_INT24, 3, has_signedness);
    case COLUMN_INT:
        return bind_integer(pair, BINLOG_TYPE_LONG, 4, has_signedness);
    case COLUMN_BIGINT:
        return bind_integer(pair, BINLOG_TYPE_LONGLONG, 8, has_signedness);
    case COLUMN_DECIMAL:
        return bind_decimal(pair);
    case COLUMN_FLOAT:
        return bind_simple(pair, BINLOG_TYPE_FLOAT, decode_float, VALUE_FLOAT, 4);
    case COLUMN_DOUBLE:
        return bind_simple(pair, BINLOG_TYPE_DOUBLE, decode_double, VALUE_DOUBLE, 8);
    case COLUMN_BIT:
        return bind_bit(pair);
    case COLUMN_YEAR:
        return bind_simple(pair, BINLOG_TYPE_YEAR, decode_year, VALUE_UINT, 1);
    case COLUMN_DATE:
        return bind_simple(pair, BINLOG_TYPE_DATE, decode_date, VALUE_DATE, 3);
    case COLUMN_TIME:
        return bind_temporal(pair, BINLOG_TYPE_TIME2, decode_time2, BINLOG_TYPE_TIME,
                             decode_time_old, VALUE_TIME);
    case COLUMN_DATETIME:
        return bind_temporal(pair, BINLOG_TYPE_DATETIME2, decode_datetime2, BINLOG_TYPE_DATETIME,
                             decode_datetime_old, VALUE_DATETIME);
    case COLUMN_TIMESTAMP:
        return bind_temporal(pair, BINLOG_TYPE_TIMESTAMP2, decode_timestamp2, BINLOG_TYPE_TIMESTAMP,
                             decode_timestamp_old, VALUE_TIMESTAMP);
    case COLUMN_CHAR:
    case COLUMN_VARCHAR:
    case COLUMN_TINYTEXT:
    case COLUMN_TEXT:
    case COLUMN_MEDIUMTEXT:
    case COLUMN_LONGTEXT:
        return bind_string(pair, VALUE_TEXT);
    case COLUMN_BINARY:
        return bind_binary(pair);
    case COLUMN_VARBINARY:
    case COLUMN_TINYBLOB:
    case COLUMN_BLOB:
    case COLUMN_MEDIUMBLOB:
    case COLUMN_LONGBLOB:
        return bind_string(pair, VALUE_BINARY);
    case COLUMN_ENUM:
        return bind_labels(pair, BINLOG_TYPE_ENUM, decode_enum, VALUE_ENUM);
    case COLUMN_SET:
        return bind_labels(pair, BINLOG_TYPE_SET, decode_set, VALUE_SET);
    case COLUMN_GEOMETRY:
        return bind_simple(pair, BINLOG_TYPE_GEOMETRY, decode_string, VALUE_GEOMETRY,
                           pair->logged->size);
    case COLUMN_INET4:
        return bind_fixed_binary(pair, INET4_SIZE);
    case COLUMN_INET6:
    case COLUMN_UUID:
        return bind_fixed_binary(pair, INET6_SIZE);
    }
    return false;
}

static const char *logged_type_name(uint8_t type)
{
    switch ((binlog_column_type_t)type) {
    case BINLOG_TYPE_TINY:
        return "tinyint";
    case BINLOG_TYPE_SHORT:
        return "smallint";
    case BINLOG_TYPE_INT24:
        return "mediumint";
    case BINLOG_TYPE_LONG:
        return "int";
    case BINLOG_TYPE_LONGLONG:
        return "bigint";
    case BINLOG_TYPE_FLOAT:
        return "float";
    case BINLOG_TYPE_DOUBLE:
        return "double";
    case BINLOG_TYPE_DECIMAL:
        return "decimal";
    case BINLOG_TYPE_YEAR:
        return "year";
    case BINLOG_TYPE_BIT:
        return "bit";
    case BINLOG_TYPE_DATE:
        return "date";
    case BINLOG_TYPE_TIME:
    case BINLOG_TYPE_TIME2:
        return "time";
    case BINLOG_TYPE_DATETIME:
    case BINLOG_TYPE_DATETIME2:
        return "datetime";
    case BINLOG_TYPE_TIMESTAMP:
    case BINLOG_TYPE_TIMESTAMP2:
        return "timestamp";
    case BINLOG_TYPE_VARCHAR:
    case BINLOG_TYPE_VARCHAR_COMPRESSED:
        return "varchar or varbinary";
    case BINLOG_TYPE_BLOB:
    case BINLOG_TYPE_BLOB_COMPRESSED:
        return "text or blob";
    case BINLOG_TYPE_STRING:
        return "char, binary, inet or uuid";
    case BINLOG_TYPE_ENUM:
        return "enum";
    case BINLOG_TYPE_SET:
        return "set";
    case BINLOG_TYPE_GEOMETRY:
        return "geometry";
    }
    return "unknown";
}

static sluice_error_t refuse_column(const table_map_t *map, const table_definition_t *definition,
                                    uint32_t index, error_report_t *report)
{
    const table_map_column_t *logged = &map->columns[index];
    return error_report_set(
        report, SLUICE_ERROR_SCHEMA_MISMATCH,
        "table %s.%s, column %u: the log has `%.*s` of type %s (size %u, precision %u, scale %u, "
        "%s), the known definition `%s` differs; was the table changed with sql_log_bin=0?",
        definition->schema, definition->name, index + 1, (int)logged->name.len, logged->name.data,
        logged_type_name(logged->type), logged->size, logged->precision, logged->scale,
        logged->is_unsigned ? "unsigned" : "signed", definition->columns[index].name);
}

static bool has_same_name(const table_map_column_t *logged, const column_definition_t *defined)
{
    return logged->name.len == strlen(defined->name) &&
           strncasecmp((const char *)logged->name.data, defined->name, logged->name.len) == 0;
}

sluice_error_t table_map_bind(table_map_t *map, const table_definition_t *definition,
                              error_report_t *report)
{
    if (map->column_count != definition->column_count)
        return error_report_set(report, SLUICE_ERROR_SCHEMA_MISMATCH,
                                "table %s.%s has %u columns in the log and %u in its known "
                                "definition; was it changed with sql_log_bin=0?",
                                definition->schema, definition->name, map->column_count,
                                definition->column_count);
    column_decoder_t *decoders = arena_calloc(&map->arena, map->column_count, sizeof *decoders);
    for (uint32_t i = 0; i < map->column_count; i++) {
        pair_t pair = {&map->columns[i], &definition->columns[i], &decoders[i]};
        if ((map->has_names && !has_same_name(pair.logged, pair.defined)) ||
            !bind_column(&pair, map->has_signedness))
            return refuse_column(map, definition, i, report);
    }
    map->decoders = decoders;
    map->definition = table_definition_ref(definition);
    return SLUICE_OK;
}
