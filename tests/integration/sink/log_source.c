#include "tests/testing.h"

#include "tests/integration/sink/log_source.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "dispatcher/core/binlog/frame.h"
#include "dispatcher/core/binlog/group_assembler.h"

#define TABLES_MAX 64
#define TRANSACTIONS_MAX 4096

struct log_source {
    mariadb_fixture_t *server;
    group_assembler_t *assembler;
    binlog_frame_t frame;
    size_t offset; /* into the log file */
    const table_definition_t *tables[TABLES_MAX];
    uint32_t table_count;
    transaction_t *transactions[TRANSACTIONS_MAX];
    uint32_t transaction_count;
};

static const char *const type_names[] = {[COLUMN_TINYINT] = "tinyint",
                                         [COLUMN_SMALLINT] = "smallint",
                                         [COLUMN_MEDIUMINT] = "mediumint",
                                         [COLUMN_INT] = "int",
                                         [COLUMN_BIGINT] = "bigint",
                                         [COLUMN_DECIMAL] = "decimal",
                                         [COLUMN_FLOAT] = "float",
                                         [COLUMN_DOUBLE] = "double",
                                         [COLUMN_BIT] = "bit",
                                         [COLUMN_YEAR] = "year",
                                         [COLUMN_DATE] = "date",
                                         [COLUMN_TIME] = "time",
                                         [COLUMN_DATETIME] = "datetime",
                                         [COLUMN_TIMESTAMP] = "timestamp",
                                         [COLUMN_CHAR] = "char",
                                         [COLUMN_VARCHAR] = "varchar",
                                         [COLUMN_TINYTEXT] = "tinytext",
                                         [COLUMN_TEXT] = "text",
                                         [COLUMN_MEDIUMTEXT] = "mediumtext",
                                         [COLUMN_LONGTEXT] = "longtext",
                                         [COLUMN_BINARY] = "binary",
                                         [COLUMN_VARBINARY] = "varbinary",
                                         [COLUMN_TINYBLOB] = "tinyblob",
                                         [COLUMN_BLOB] = "blob",
                                         [COLUMN_MEDIUMBLOB] = "mediumblob",
                                         [COLUMN_LONGBLOB] = "longblob",
                                         [COLUMN_ENUM] = "enum",
                                         [COLUMN_SET] = "set",
                                         [COLUMN_GEOMETRY] = "geometry",
                                         [COLUMN_INET4] = "inet4",
                                         [COLUMN_INET6] = "inet6",
                                         [COLUMN_UUID] = "uuid"};

static column_type_t type_of(const char *name)
{
    for (size_t i = 0; i < sizeof type_names / sizeof type_names[0]; i++) {
        if (strcasecmp(type_names[i], name) == 0)
            return (column_type_t)i;
    }
    return COLUMN_GEOMETRY; /* point, polygon, … */
}

static uint32_t number_of(const char *text)
{
    return text ? (uint32_t)strtoul(text, NULL, 10) : 0;
}

static uint32_t flags_of(const char *column_type, const char *extra, const char *is_nullable)
{
    uint32_t flags = 0;
    if (strstr(column_type, "unsigned"))
        flags |= COLUMN_UNSIGNED;
    if (strcmp(is_nullable, "NO") == 0)
        flags |= COLUMN_NOT_NULL;
    if (strstr(extra, "INVISIBLE"))
        flags |= COLUMN_INVISIBLE;
    if (strstr(column_type, "COMPRESSED"))
        flags |= COLUMN_COMPRESSED;
    return flags;
}

/* 'a','b''c' of enum('a','b''c') */
static void members_read(arena_t *arena, const char *column_type, column_definition_t *column)
{
    const char **members = arena_calloc(arena, strlen(column_type), sizeof *members);
    for (const char *at = strchr(column_type, '('); at && *at != ')'; at++) {
        if (*at != '\'')
            continue;
        char *label = arena_zalloc(arena, strlen(at));
        members[column->member_count++] = label;
        for (at++; *at != '\'' || at[1] == '\''; at++) {
            *label++ = *at;
            at += *at == '\'';
        }
    }
    column->members = members;
}

static column_definition_t column_of(arena_t *arena, MYSQL_ROW row)
{
    column_definition_t column = {.name = arena_strdup(arena, row[0]),
                                  .type = type_of(row[1]),
                                  .flags = flags_of(row[2], row[8], row[9]),
                                  .charset = row[3] ? arena_strdup(arena, row[3]) : NULL,
                                  .collation = row[10] ? arena_strdup(arena, row[10]) : NULL,
                                  .precision = (uint8_t)number_of(row[5]),
                                  .scale = (uint8_t)number_of(row[6]),
                                  .fsp = (uint8_t)number_of(row[7])};
    column.length = column.type == COLUMN_BIT ? number_of(row[5]) : number_of(row[4]);
    if (column.type == COLUMN_ENUM || column.type == COLUMN_SET)
        members_read(arena, row[2], &column);
    if (column.type == COLUMN_GEOMETRY)
        column.geometry_name = arena_strdup(arena, row[1]);
    if (strstr(row[8], "VIRTUAL"))
        column.generated = GENERATED_VIRTUAL;
    else if (strstr(row[8], "STORED"))
        column.generated = GENERATED_STORED;
    return column;
}

static MYSQL_RES *query(MYSQL *connection, const char *select, const char *table, const char *order)
{
    char sql[1024];
    snprintf(sql, sizeof sql, "%sTABLE_SCHEMA='s' AND TABLE_NAME='%s'%s", select, table, order);
    if (mysql_query(connection, sql) != 0)
        fail_msg("%s", mysql_error(connection));
    return mysql_store_result(connection);
}

static void columns_read(MYSQL *connection, table_definition_t *definition)
{
    MYSQL_RES *result =
        query(connection,
              "SELECT COLUMN_NAME,DATA_TYPE,COLUMN_TYPE,CHARACTER_SET_NAME,"
              "CHARACTER_MAXIMUM_LENGTH,NUMERIC_PRECISION,NUMERIC_SCALE,DATETIME_PRECISION,EXTRA,"
              "IS_NULLABLE,COLLATION_NAME FROM information_schema.COLUMNS WHERE ",
              definition->name, " ORDER BY ORDINAL_POSITION");
    column_definition_t *columns =
        arena_calloc(&definition->arena, mysql_num_rows(result), sizeof *columns);
    for (MYSQL_ROW row; (row = mysql_fetch_row(result));)
        columns[definition->column_count++] = column_of(&definition->arena, row);
    definition->columns = columns;
    mysql_free_result(result);
}

static void keys_read(MYSQL *connection, table_definition_t *definition)
{
    MYSQL_RES *result =
        query(connection,
              "SELECT INDEX_NAME,NON_UNIQUE,COLUMN_NAME,SUB_PART FROM "
              "information_schema.STATISTICS WHERE ",
              definition->name, " ORDER BY INDEX_NAME='PRIMARY' DESC,INDEX_NAME,SEQ_IN_INDEX");
    size_t rows = mysql_num_rows(result);
    key_definition_t *keys = arena_calloc(&definition->arena, rows + 1, sizeof *keys);
    key_part_t *parts = arena_calloc(&definition->arena, rows + 1, sizeof *parts);
    uint32_t part = 0;
    for (MYSQL_ROW row; (row = mysql_fetch_row(result)); part++) {
        key_definition_t *key = definition->key_count ? &keys[definition->key_count - 1] : NULL;
        if (!key || strcmp(key->name, row[0]) != 0) {
            key = &keys[definition->key_count++];
            key->name = arena_strdup(&definition->arena, row[0]);
            key->kind = strcmp(row[0], "PRIMARY") == 0 ? KEY_PRIMARY
                        : strcmp(row[1], "0") == 0     ? KEY_UNIQUE
                                                       : KEY_INDEX;
            key->parts = &parts[part];
        }
        int column = table_definition_find_column(definition, bytes_of_text(row[2]));
        assert_true(column >= 0);
        parts[part] = (key_part_t){.column = (uint32_t)column, .prefix = number_of(row[3])};
        key->part_count++;
    }
    definition->keys = keys;
    mysql_free_result(result);
}

static const table_definition_t **table_slot(log_source_t *source, bytes_t name)
{
    for (uint32_t i = 0; i < source->table_count; i++) {
        if (bytes_equal(bytes_of_text(source->tables[i]->name), name))
            return &source->tables[i];
    }
    return NULL;
}

const table_definition_t *log_source_define(log_source_t *source, const char *table)
{
    table_definition_t *definition = table_definition_new();
    definition->schema = "k";
    definition->name = arena_strdup(&definition->arena, table);
    definition->table_id =
        table_id_derive(bytes_of_text("k"), bytes_of_text(table), (commit_ts_t){0});
    MYSQL *connection = mariadb_fixture_connect(source->server);
    columns_read(connection, definition);
    keys_read(connection, definition);
    mysql_close(connection);
    const table_definition_t **slot = table_slot(source, bytes_of_text(table));
    if (!slot) {
        assert_true(source->table_count < TABLES_MAX);
        slot = &source->tables[source->table_count++];
    }
    table_definition_unref(slot);
    *slot = definition;
    return definition;
}

static const table_definition_t *resolve(void *context, bytes_t schema, bytes_t table)
{
    if (!bytes_equal(schema, bytes_of_text("s")))
        return NULL;
    const table_definition_t **slot = table_slot(context, table);
    return slot ? *slot : NULL;
}

static bool touches_nothing(void *context, const binlog_query_t *statement)
{
    (void)context, (void)statement;
    return false;
}

log_source_t *log_source_new(mariadb_fixture_t *server)
{
    log_source_t *source = calloc(1, sizeof *source);
    source->server = server;
    source->offset = 4;
    binlog_frame_init(&source->frame, BINLOG_CHECKSUM_NONE);
    group_assembler_options_t options = {
        .group_bytes_max = GROUP_BYTES_MAX_DEFAULT,
        .resolver = {.resolve = resolve, .may_touch = touches_nothing, .context = source}};
    assert_int_equal(group_assembler_new(&options, &source->assembler), SLUICE_OK);
    mariadb_fixture_run(server, "CREATE DATABASE s; CREATE DATABASE k");
    return source;
}

static void transactions_forget(log_source_t *source)
{
    while (source->transaction_count > 0)
        transaction_unref(&source->transactions[--source->transaction_count]);
}

void log_source_destroy(log_source_t **source)
{
    if (!*source)
        return;
    transactions_forget(*source);
    group_assembler_destroy(&(*source)->assembler);
    for (uint32_t i = 0; i < (*source)->table_count; i++)
        table_definition_unref(&(*source)->tables[i]);
    free(*source);
    *source = NULL;
}

static void event_push(log_source_t *source, bytes_t event)
{
    error_report_t report = {0};
    bytes_t stripped;
    if (binlog_frame_check(&source->frame, event, &stripped, &report) != SLUICE_OK ||
        group_assembler_push(source->assembler, stripped, "test", &report) != SLUICE_OK)
        fail_msg("log: %s", report.text);
    group_t group;
    do {
        if (group_assembler_take(source->assembler, &group, &report) != SLUICE_OK)
            fail_msg("log: %s", report.text);
        if (group.kind == GROUP_ROWS) {
            assert_true(source->transaction_count < TRANSACTIONS_MAX);
            source->transactions[source->transaction_count++] = group.transaction;
        }
    } while (group.kind != GROUP_NONE);
}

uint32_t log_source_read(log_source_t *source, transaction_t *const **transactions)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/data/binlog.000001", mariadb_fixture_directory(source->server));
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    transactions_forget(source);
    uint8_t header[BINLOG_HEADER_SIZE];
    while (fseek(file, (long)source->offset, SEEK_SET) == 0 &&
           fread(header, 1, sizeof header, file) == sizeof header) {
        uint32_t len;
        memcpy(&len, header + 9, sizeof len);
        uint8_t *event = malloc(len);
        memcpy(event, header, sizeof header);
        assert_int_equal(fread(event + sizeof header, 1, len - sizeof header, file),
                         len - sizeof header);
        event_push(source, bytes_of(event, len));
        free(event);
        source->offset += len;
    }
    fclose(file);
    *transactions = source->transactions;
    return source->transaction_count;
}

/* One text for a row, in which different values never look the same. */
static void row_expression(const table_definition_t *definition, char *sql, size_t size)
{
    size_t used = (size_t)snprintf(sql, size, "MD5(CONCAT_WS(','");
    for (uint32_t i = 0; i < definition->column_count; i++) {
        const column_definition_t *column = &definition->columns[i];
        const char *begin = "HEX(CONCAT(`", *end = "`))";
        if (column->type == COLUMN_ENUM || column->type == COLUMN_SET)
            end = "`+0))";
        else if (column->type == COLUMN_FLOAT)
            begin = "CAST(`", end = "` AS DOUBLE)";
        else if (column->charset || column->type == COLUMN_GEOMETRY)
            begin = "HEX(`", end = "`)";
        used += (size_t)snprintf(sql + used, size - used, ",IFNULL(%s%s%s,'-')", begin,
                                 column->name, end);
    }
    snprintf(sql + used, size - used, "))");
}

static void rows_text(log_source_t *source, const char *schema,
                      const table_definition_t *definition, char *text, size_t size)
{
    char row[8192], sql[10000];
    row_expression(definition, row, sizeof row);
    snprintf(sql, sizeof sql,
             "SELECT CONCAT(COUNT(*),' rows ',MD5(IFNULL(GROUP_CONCAT(h ORDER BY h),''))) FROM "
             "(SELECT %s AS h FROM %s.`%s`) r",
             row, schema, definition->name);
    mariadb_fixture_run(source->server, "SET time_zone='+00:00', group_concat_max_len=1<<30");
    snprintf(text, size, "%s", mariadb_fixture_value(source->server, sql));
}

void log_source_assert_equal(log_source_t *source, const char *table)
{
    const table_definition_t *definition = *table_slot(source, bytes_of_text(table));
    char in_source[128], in_sink[128];
    rows_text(source, "s", definition, in_source, sizeof in_source);
    rows_text(source, "k", definition, in_sink, sizeof in_sink);
    if (strcmp(in_source, in_sink) != 0)
        fail_msg("table %s: source has %s, sink has %s", table, in_source, in_sink);
}
