#include "tests/sim/database.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"
#include "tests/sim/database_internal.h"

/* ---- hashes ---- */

static uint64_t mix(uint64_t x)
{
    x ^= x >> 33;
    x *= UINT64_C(0xff51afd7ed558ccd);
    x ^= x >> 33;
    x *= UINT64_C(0xc4ceb9fe1a85ec53);
    return x ^ x >> 33;
}

static uint64_t hash_text(const char *text)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *text; text++)
        hash = (hash ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
    return mix(hash);
}

static uint64_t row_hash(const sim_table_t *table, const sim_row_t *row)
{
    uint64_t hash = 0;
    for (uint32_t i = 0; i < table->column_count; i++) {
        uint8_t slot = table->columns[i].slot;
        bool is_null = row->nulls >> slot & 1;
        hash = mix(hash ^ (is_null ? UINT64_C(0x6e756c6c) << 32 : (uint64_t)row->values[slot]));
        hash += i;
    }
    return hash;
}

void table_hash_again(sim_table_t *table)
{
    char text[STATEMENT_SQL_SIZE];
    sim_table_show(table, text, sizeof text);
    table->form_hash = hash_text(text) ^ mix(hash_text(table->name.schema));
    table->rows_hash = 0;
    for (uint32_t i = 0; i < table->row_count; i++)
        table->rows_hash += row_hash(table, &table->rows[i]);
}

/* ---- finding ---- */

sim_table_t *sim_database_find(const sim_database_t *database, const sim_name_t *name)
{
    sim_table_t *table = database->tables;
    while (table && !sim_name_equal(&table->name, name))
        table = table->next;
    return table;
}

sim_table_t *sim_database_find_identity(const sim_database_t *database, uint64_t identity)
{
    sim_table_t *table = database->tables;
    while (table && table->identity != identity)
        table = table->next;
    return table;
}

sim_schema_t *sim_database_find_schema(const sim_database_t *database, const char *schema)
{
    sim_schema_t *found = database->schemas;
    while (found && strcmp(found->name, schema) != 0)
        found = found->next;
    return found;
}

/* ---- life ---- */

void table_free(sim_table_t *table)
{
    free(table->rows);
    free(table);
}

void sim_database_clear(sim_database_t *database)
{
    for (sim_table_t *table = database->tables, *next; table; table = next) {
        next = table->next;
        table_free(table);
    }
    for (sim_schema_t *schema = database->schemas, *next; schema; schema = next) {
        next = schema->next;
        free(schema);
    }
    *database = (sim_database_t){0};
}

sim_table_t *table_copy(const sim_table_t *from)
{
    sim_table_t *to = memory_alloc(sizeof *to);
    *to = *from;
    to->next = NULL;
    to->rows = NULL;
    to->row_capacity = from->row_count;
    if (from->row_count > 0) {
        to->rows = memory_alloc(from->row_count * sizeof *to->rows);
        memcpy(to->rows, from->rows, from->row_count * sizeof *to->rows);
    }
    return to;
}

void sim_database_copy(sim_database_t *to, const sim_database_t *from)
{
    *to = (sim_database_t){.physicals = from->physicals};
    sim_table_t **table_at = &to->tables;
    for (const sim_table_t *table = from->tables; table; table = table->next) {
        *table_at = table_copy(table);
        table_at = &(*table_at)->next;
    }
    sim_schema_t **schema_at = &to->schemas;
    for (const sim_schema_t *schema = from->schemas; schema; schema = schema->next) {
        *schema_at = memory_alloc(sizeof **schema_at);
        **schema_at = *schema;
        (*schema_at)->next = NULL;
        schema_at = &(*schema_at)->next;
    }
}

/* ---- rows ---- */

bool sim_row_equal(const sim_table_t *table, const sim_row_t *a, const sim_row_t *b)
{
    for (uint32_t i = 0; i < table->column_count; i++) {
        uint8_t slot = table->columns[i].slot;
        bool a_null = a->nulls >> slot & 1, b_null = b->nulls >> slot & 1;
        if (a_null != b_null || (!a_null && a->values[slot] != b->values[slot]))
            return false;
    }
    return true;
}

sim_row_t *sim_table_find_row(const sim_table_t *table, int64_t id)
{
    for (uint32_t i = 0; i < table->row_count; i++)
        if (table->rows[i].values[COLUMN_SLOT_ID] == id)
            return &table->rows[i];
    return NULL;
}

sim_row_t *sim_table_find_equal(const sim_table_t *table, const sim_row_t *row)
{
    for (uint32_t i = 0; i < table->row_count; i++)
        if (sim_row_equal(table, &table->rows[i], row))
            return &table->rows[i];
    return NULL;
}

void sim_table_add_row(sim_table_t *table, const sim_row_t *row)
{
    if (table->row_count == table->row_capacity) {
        table->row_capacity = table->row_capacity ? table->row_capacity * 2 : 8;
        table->rows = memory_realloc(table->rows, table->row_capacity * sizeof *table->rows);
    }
    table->rows[table->row_count++] = *row;
    table->rows_hash += row_hash(table, row);
}

void sim_table_remove_row(sim_table_t *table, sim_row_t *row)
{
    table->rows_hash -= row_hash(table, row);
    *row = table->rows[--table->row_count];
}

/* ---- texts ---- */

typedef struct {
    char *text;
    size_t size, len;
} writer_t;

static void put(writer_t *writer, const char *format, ...) SLUICE_PRINTF(2, 3);

static void put(writer_t *writer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    writer->len += (size_t)vsnprintf(writer->text + writer->len, writer->size - writer->len, format,
                                     arguments);
    va_end(arguments);
    assert(writer->len < writer->size);
}

static void put_columns(writer_t *writer, const sim_table_t *table)
{
    for (uint32_t i = 0; i < table->column_count; i++) {
        const sim_column_t *column = &table->columns[i];
        put(writer, "%s\n  `%s` bigint(20) ", i ? "," : "", column->name);
        if (column->slot >= COLUMN_SLOT_EXTRA)
            put(writer, "DEFAULT %d", (int)COLUMN_DEFAULT);
        else
            put(writer, column->slot == COLUMN_SLOT_U ? "DEFAULT NULL" : "NOT NULL");
    }
    if (table->shape != TABLE_SHAPE_KEYLESS)
        put(writer, ",\n  PRIMARY KEY (`id`)");
    if (table->shape == TABLE_SHAPE_UNIQUE)
        put(writer, ",\n  UNIQUE KEY `u` (`u`)");
    for (uint32_t i = 0; i < table->index_count; i++)
        put(writer, ",\n  KEY `%s` (`seq`)", table->indexes[i]);
}

static void put_partition(writer_t *writer, const sim_partition_t *partition)
{
    if (partition->end == INT64_MAX)
        put(writer, "PARTITION `%s` VALUES LESS THAN MAXVALUE ENGINE = InnoDB", partition->name);
    else
        put(writer, "PARTITION `%s` VALUES LESS THAN (%lld) ENGINE = InnoDB", partition->name,
            (long long)partition->end);
}

static void put_table(writer_t *writer, const sim_table_t *table, const char *verb)
{
    put(writer, "%s `%s` (", verb, table->name.table);
    put_columns(writer, table);
    put(writer, "\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci");
    if (table->partition_count == 0)
        return;
    put(writer, "\n PARTITION BY RANGE (`id`)\n(");
    for (uint32_t i = 0; i < table->partition_count; i++) {
        put(writer, "%s", i ? ",\n " : "");
        put_partition(writer, &table->partitions[i]);
    }
    put(writer, ")");
}

void sim_table_show(const sim_table_t *table, char *text, size_t size)
{
    writer_t writer = {text, size, 0};
    if (table->is_view)
        put(&writer, "CREATE VIEW `%s` AS select 1 AS `x`", table->name.table);
    else
        put_table(&writer, table, "CREATE TABLE");
}

/* With its schema where that is not the session's own, which is that of the first name. */
static void put_name(writer_t *writer, const sim_statement_t *statement, uint32_t index)
{
    const sim_name_t *name = &statement->names[index];
    if (strcmp(name->schema, statement->names[0].schema) == 0)
        put(writer, "`%s`", name->table);
    else
        put(writer, "`%s`.`%s`", name->schema, name->table);
}

static void put_names(writer_t *writer, const sim_statement_t *statement, const char *before,
                      const char *after)
{
    put(writer, "%s", before);
    for (uint32_t i = 0; i < statement->name_count; i++) {
        put(writer, "%s", i ? "," : "");
        put_name(writer, statement, i);
    }
    put(writer, "%s", after);
}

static void put_alter(writer_t *writer, const sim_statement_t *statement)
{
    put(writer, "ALTER TABLE ");
    put_name(writer, statement, 0);
    put(writer, " ");
}

static void put_new_partition(writer_t *writer, const sim_database_t *database,
                              const sim_statement_t *statement)
{
    const sim_table_t *table = sim_database_find(database, &statement->names[0]);
    sim_partition_t partition = {.end = PARTITION_ROWS};
    if (table && table->partition_count > 0)
        partition.end += table->partitions[table->partition_count - 1].end;
    memcpy(partition.name, statement->words[0], sizeof partition.name);
    put_alter(writer, statement);
    put(writer, "ADD PARTITION (");
    put_partition(writer, &partition);
    put(writer, ")");
}

static void put_create(writer_t *writer, const sim_statement_t *statement, const char *verb)
{
    sim_table_t table;
    table_init(&table, statement);
    put_table(writer, &table, verb);
}

static void put_rename(writer_t *writer, const sim_statement_t *statement)
{
    put(writer, "RENAME TABLE ");
    for (uint32_t i = 0; i + 1 < statement->name_count; i += 2) {
        put(writer, "%s", i ? ", " : "");
        put_name(writer, statement, i);
        put(writer, " TO ");
        put_name(writer, statement, i + 1);
    }
}

static void put_change(writer_t *writer, const char *from, const char *to)
{
    put(writer, "CHANGE `%s` `%s` bigint(20) DEFAULT %d", from, to, (int)COLUMN_DEFAULT);
}

static void put_column_sql(writer_t *writer, const sim_statement_t *statement)
{
    const char *x = statement->words[0], *y = statement->words[1];
    put_alter(writer, statement);
    if (statement->kind == STATEMENT_ADD_COLUMN) {
        put(writer, "ADD COLUMN `%s` BIGINT DEFAULT %d%s", x, (int)COLUMN_DEFAULT,
            y[0] ? " AFTER `id`" : "");
    } else if (statement->kind == STATEMENT_DROP_COLUMN) {
        put(writer, "DROP COLUMN `%s`", x);
    } else {
        put_change(writer, x, y);
        if (statement->kind == STATEMENT_SWAP_COLUMNS) {
            put(writer, ", ");
            put_change(writer, y, x);
        }
    }
}

static void put_partition_sql(writer_t *writer, const sim_statement_t *statement)
{
    put_alter(writer, statement);
    const char *partition = statement->words[0];
    if (statement->kind == STATEMENT_EXCHANGE_PARTITION) {
        put(writer, "EXCHANGE PARTITION `%s` WITH TABLE ", partition);
        put_name(writer, statement, 1);
    } else {
        put(writer, "%s PARTITION `%s`",
            statement->kind == STATEMENT_DROP_PARTITION ? "DROP" : "TRUNCATE", partition);
    }
}

static void put_sql(writer_t *writer, const sim_database_t *database,
                    const sim_statement_t *statement)
{
    const char *schema = statement->names[0].schema;
    switch (statement->kind) {
    case STATEMENT_CREATE:
    case STATEMENT_CREATE_SELECT:
        put_create(writer, statement, "CREATE TABLE");
        break;
    case STATEMENT_CREATE_OR_REPLACE:
        put_create(writer, statement, "CREATE OR REPLACE TABLE");
        break;
    case STATEMENT_CREATE_LIKE:
        put(writer, "CREATE TABLE ");
        put_name(writer, statement, 0);
        put(writer, " LIKE ");
        put_name(writer, statement, 1);
        break;
    case STATEMENT_DROP:
        put_names(writer, statement, "DROP TABLE ", " /* generated by server */");
        break;
    case STATEMENT_TRUNCATE:
        put_names(writer, statement, "TRUNCATE TABLE ", "");
        break;
    case STATEMENT_RENAME:
        put_rename(writer, statement);
        break;
    case STATEMENT_ALTER_RENAME:
        put_alter(writer, statement);
        if (statement->words[0][0])
            put(writer, "ADD COLUMN `%s` BIGINT DEFAULT %d, ", statement->words[0],
                (int)COLUMN_DEFAULT);
        put(writer, "RENAME TO ");
        put_name(writer, statement, 1);
        break;
    case STATEMENT_ADD_COLUMN:
    case STATEMENT_DROP_COLUMN:
    case STATEMENT_RENAME_COLUMN:
    case STATEMENT_SWAP_COLUMNS:
        put_column_sql(writer, statement);
        break;
    case STATEMENT_ADD_INDEX:
        put(writer, "CREATE INDEX `%s` ON ", statement->words[0]);
        put_name(writer, statement, 0);
        put(writer, " (`seq`)");
        break;
    case STATEMENT_DROP_INDEX:
        put(writer, "DROP INDEX `%s` ON ", statement->words[0]);
        put_name(writer, statement, 0);
        break;
    case STATEMENT_ANALYZE:
        put_names(writer, statement, "ANALYZE TABLE ", "");
        break;
    case STATEMENT_ADD_PARTITION:
        put_new_partition(writer, database, statement);
        break;
    case STATEMENT_DROP_PARTITION:
    case STATEMENT_TRUNCATE_PARTITION:
    case STATEMENT_EXCHANGE_PARTITION:
        put_partition_sql(writer, statement);
        break;
    case STATEMENT_CREATE_DATABASE:
        put(writer, "CREATE DATABASE `%s`", schema);
        break;
    case STATEMENT_ALTER_DATABASE:
        put(writer, "ALTER DATABASE `%s` CHARACTER SET utf8mb4", schema);
        break;
    case STATEMENT_DROP_DATABASE:
        put(writer, "DROP DATABASE `%s`", schema);
        break;
    case STATEMENT_CREATE_VIEW:
        put_names(writer, statement, "CREATE VIEW ", " AS select 1 AS `x`");
        break;
    case STATEMENT_DROP_VIEW:
        put_names(writer, statement, "DROP VIEW ", "");
        break;
    }
}

void sim_database_sql(const sim_database_t *database, const sim_statement_t *statement, char *text,
                      size_t size)
{
    writer_t writer = {text, size, 0};
    put_sql(&writer, database, statement);
}

/* ---- comparing ---- */

uint64_t sim_database_describe(const sim_database_t *database, const sim_statement_t *statement)
{
    uint64_t hash = 0;
    for (uint32_t i = 0; i < statement->name_count; i++) {
        const sim_name_t *name = &statement->names[i];
        const sim_schema_t *schema = sim_database_find_schema(database, name->schema);
        const sim_table_t *table = sim_database_find(database, name);
        if (!name->table[0])
            hash = mix(hash ^ (schema ? schema->version + 1 : 0));
        else
            hash = mix(hash ^ (table ? table->form_hash ^ mix(table->physical) : 0));
    }
    return hash;
}

static void put_row(writer_t *writer, const sim_table_t *table, const sim_row_t *row)
{
    for (uint32_t i = 0; i < table->column_count; i++) {
        uint8_t slot = table->columns[i].slot;
        put(writer, "%s%s ", i ? ", " : "(", table->columns[i].name);
        if (row->nulls >> slot & 1)
            put(writer, "NULL");
        else
            put(writer, "%lld", (long long)row->values[slot]);
    }
    put(writer, ")");
}

static uint32_t count_equal(const sim_table_t *table, const sim_row_t *row)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < table->row_count; i++)
        count += sim_row_equal(table, &table->rows[i], row);
    return count;
}

bool sim_table_differs(const sim_table_t *expected, const sim_table_t *found, char *text,
                       size_t size)
{
    char shown[2][STATEMENT_SQL_SIZE];
    writer_t writer = {text, size, 0};
    sim_table_show(expected, shown[0], sizeof shown[0]);
    sim_table_show(found, shown[1], sizeof shown[1]);
    if (expected->form_hash != found->form_hash) {
        snprintf(text, size, "expected in %s: %s\nfound in %s: %s", expected->name.schema, shown[0],
                 found->name.schema, shown[1]);
        return true;
    }
    for (int pass = 0; pass < 2; pass++) {
        const sim_table_t *have = pass ? found : expected, *other = pass ? expected : found;
        for (uint32_t i = 0; i < have->row_count; i++) {
            const sim_row_t *row = &have->rows[i];
            uint32_t count = count_equal(have, row), there = count_equal(other, row);
            if (count == there)
                continue;
            put(&writer, "%s.%s: ", have->name.schema, have->name.table);
            put_row(&writer, have, row);
            put(&writer, " is there %u times, expected %u", pass ? count : there,
                pass ? there : count);
            return true;
        }
    }
    return false;
}
