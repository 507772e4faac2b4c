#include "dispatcher/sink/sqlite/column.h"

#include <stdio.h>

#include "dispatcher/sink/value_text.h"

sqlite_storage_t sqlite_column_storage(const column_definition_t *column)
{
    switch (column->type) {
    case COLUMN_BIGINT:
        return column->flags & (COLUMN_UNSIGNED | COLUMN_ZEROFILL) ? SQLITE_STORAGE_TEXT
                                                                   : SQLITE_STORAGE_INTEGER;
    case COLUMN_BIT:
        return column->length > 63 ? SQLITE_STORAGE_BLOB : SQLITE_STORAGE_INTEGER;
    case COLUMN_TINYINT:
    case COLUMN_SMALLINT:
    case COLUMN_MEDIUMINT:
    case COLUMN_INT:
    case COLUMN_YEAR:
        return SQLITE_STORAGE_INTEGER;
    case COLUMN_FLOAT:
    case COLUMN_DOUBLE:
        return SQLITE_STORAGE_REAL;
    case COLUMN_BINARY:
    case COLUMN_VARBINARY:
    case COLUMN_TINYBLOB:
    case COLUMN_BLOB:
    case COLUMN_MEDIUMBLOB:
    case COLUMN_LONGBLOB:
    case COLUMN_GEOMETRY:
        return SQLITE_STORAGE_BLOB;
    case COLUMN_DECIMAL:
    case COLUMN_DATE:
    case COLUMN_TIME:
    case COLUMN_DATETIME:
    case COLUMN_TIMESTAMP:
    case COLUMN_CHAR:
    case COLUMN_VARCHAR:
    case COLUMN_TINYTEXT:
    case COLUMN_TEXT:
    case COLUMN_MEDIUMTEXT:
    case COLUMN_LONGTEXT:
    case COLUMN_ENUM:
    case COLUMN_SET:
    case COLUMN_INET4:
    case COLUMN_INET6:
    case COLUMN_UUID:
        return SQLITE_STORAGE_TEXT;
    }
    return SQLITE_STORAGE_BLOB;
}

const char *sqlite_storage_name(sqlite_storage_t storage)
{
    switch (storage) {
    case SQLITE_STORAGE_INTEGER:
        return "INTEGER";
    case SQLITE_STORAGE_TEXT:
        return "TEXT";
    case SQLITE_STORAGE_REAL:
        return "REAL";
    case SQLITE_STORAGE_BLOB:
        return "BLOB";
    }
    return "BLOB";
}

const charset_t *sqlite_column_charset(const column_definition_t *column)
{
    const charset_t *charset = column->charset ? charset_find(column->charset) : NULL;
    return charset ? charset : charset_find("utf8mb4");
}

static sluice_error_t misfit(const column_definition_t *column, error_report_t *report)
{
    return error_report_set(report, SLUICE_ERROR_SOURCE_CORRUPT,
                            "a value of column %s does not fit its definition", column->name);
}

static void bind_text(sqlite3_stmt *statement, int index, bytes_t text)
{
    /* A null pointer would bind NULL. */
    sqlite3_bind_text64(statement, index, text.len ? (const char *)text.data : "", text.len,
                        SQLITE_STATIC, SQLITE_UTF8);
}

static void bind_blob(sqlite3_stmt *statement, int index, bytes_t bytes)
{
    sqlite3_bind_blob64(statement, index, bytes.len ? (const void *)bytes.data : "", bytes.len,
                        SQLITE_STATIC);
}

static void bind_copied_text(sqlite3_stmt *statement, int index, const char *text, size_t len)
{
    sqlite3_bind_text64(statement, index, text, len, SQLITE_TRANSIENT, SQLITE_UTF8);
}

static void bind_unsigned(sqlite3_stmt *statement, int index, const column_definition_t *column,
                          uint64_t number)
{
    if (sqlite_column_storage(column) == SQLITE_STORAGE_INTEGER) {
        sqlite3_bind_int64(statement, index, (int64_t)number);
        return;
    }
    char text[24];
    int len = snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    bind_copied_text(statement, index, text, (size_t)len);
}

static void bind_bit(sqlite3_stmt *statement, int index, const column_definition_t *column,
                     uint64_t bits)
{
    if (sqlite_column_storage(column) == SQLITE_STORAGE_INTEGER) {
        sqlite3_bind_int64(statement, index, (int64_t)bits);
        return;
    }
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(bits >> (56 - 8 * i));
    sqlite3_bind_blob(statement, index, bytes, sizeof bytes, SQLITE_TRANSIENT);
}

static sluice_error_t bind_binary(sqlite3_stmt *statement, int index,
                                  const column_definition_t *column, bytes_t bytes,
                                  error_report_t *report)
{
    if (sqlite_column_storage(column) == SQLITE_STORAGE_BLOB) {
        bind_blob(statement, index, bytes);
        return SLUICE_OK;
    }
    char buffer[VALUE_TEXT_SIZE];
    bytes_t text = value_text_address(column, bytes, buffer);
    if (text.len == 0)
        return misfit(column, report);
    bind_copied_text(statement, index, buffer, text.len);
    return SLUICE_OK;
}

sluice_error_t sqlite_value_bind(sqlite3_stmt *statement, int index,
                                 const column_definition_t *column, const charset_t *charset,
                                 const value_t *value, sqlite_binder_t *binder,
                                 error_report_t *report)
{
    bytes_t text;
    char buffer[TEMPORAL_TEXT_SIZE];
    switch (value->kind) {
    case VALUE_NULL:
        sqlite3_bind_null(statement, index);
        return SLUICE_OK;
    case VALUE_INT:
        sqlite3_bind_int64(statement, index, value->i64);
        return SLUICE_OK;
    case VALUE_UINT:
        bind_unsigned(statement, index, column, value->u64);
        return SLUICE_OK;
    case VALUE_FLOAT:
        sqlite3_bind_double(statement, index, (double)value->f32);
        return SLUICE_OK;
    case VALUE_DOUBLE:
        sqlite3_bind_double(statement, index, value->f64);
        return SLUICE_OK;
    case VALUE_DECIMAL:
        bind_text(statement, index, value->bytes);
        return SLUICE_OK;
    case VALUE_TEXT: {
        sluice_error_t error =
            charset_to_utf8(binder->converter, charset, value->bytes, &binder->arena, &text);
        if (error)
            return charset_check(binder->converter, charset, report);
        bind_text(statement, index, text);
        return SLUICE_OK;
    }
    case VALUE_BINARY:
        return bind_binary(statement, index, column, value->bytes, report);
    case VALUE_BIT:
        bind_bit(statement, index, column, value->u64);
        return SLUICE_OK;
    case VALUE_ENUM:
        if (!value_text_enum(column, value->u64, &text))
            return misfit(column, report);
        bind_text(statement, index, text);
        return SLUICE_OK;
    case VALUE_SET:
        if (!value_text_set(column, value->u64, &binder->arena, &text))
            return misfit(column, report);
        bind_text(statement, index, text);
        return SLUICE_OK;
    case VALUE_DATE:
    case VALUE_TIME:
    case VALUE_DATETIME:
    case VALUE_TIMESTAMP:
        bind_copied_text(statement, index, buffer,
                         temporal_format(value->kind, &value->temporal, buffer));
        return SLUICE_OK;
    case VALUE_GEOMETRY:
        bind_blob(statement, index, value->bytes);
        return SLUICE_OK;
    }
    return misfit(column, report);
}
