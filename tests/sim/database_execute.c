#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"
#include "tests/sim/database_internal.h"

typedef struct {
    sim_database_t *database;
    const sim_statement_t *statement;
    bool if_exists;
    sim_touched_fn *touched;
    void *context;
    error_report_t *report;
} execution_t;

static bool refuse(const execution_t *execution, const sim_name_t *name, const char *why)
{
    error_report_set(execution->report, SLUICE_ERROR_SINK_REFUSED, "%s: `%s`.`%s` %s",
                     sim_statement_kind_name(execution->statement->kind), name->schema, name->table,
                     why);
    return false;
}

static void touch(const execution_t *execution, sim_table_t *table, bool is_dropped)
{
    if (!is_dropped)
        table_hash_again(table);
    if (execution->touched)
        execution->touched(execution->context, table, is_dropped);
}

static void remake(const execution_t *execution, sim_table_t *table)
{
    table->physical = ++execution->database->physicals;
}

/* The table of a name; NULL and refused: there is none. */
static sim_table_t *need(const execution_t *execution, uint32_t index)
{
    const sim_name_t *name = &execution->statement->names[index];
    sim_table_t *table = sim_database_find(execution->database, name);
    if (!table)
        refuse(execution, name, "does not exist");
    return table;
}

/* ---- create ---- */

static void add_column(sim_table_t *table, const char *name, uint8_t slot)
{
    sim_column_t *column = &table->columns[table->column_count++];
    *column = (sim_column_t){.slot = slot};
    snprintf(column->name, sizeof column->name, "%s", name);
}

static void add_partition(sim_table_t *table, const char *name)
{
    int64_t last = table->partition_count ? table->partitions[table->partition_count - 1].end : 0;
    sim_partition_t *partition = &table->partitions[table->partition_count++];
    *partition = (sim_partition_t){.end = last + PARTITION_ROWS};
    snprintf(partition->name, sizeof partition->name, "%s", name);
}

void table_init(sim_table_t *table, const sim_statement_t *statement)
{
    *table = (sim_table_t){.name = statement->names[0],
                           .identity = statement->identity,
                           .shape = statement->shape,
                           .is_view = statement->kind == STATEMENT_CREATE_VIEW,
                           .next_id = 1};
    if (table->is_view)
        return;
    add_column(table, "id", COLUMN_SLOT_ID);
    add_column(table, "u", COLUMN_SLOT_U);
    add_column(table, "origin", COLUMN_SLOT_ORIGIN);
    add_column(table, "seq", COLUMN_SLOT_SEQ);
    add_column(table, "ts", COLUMN_SLOT_TS);
    if (table->shape != TABLE_SHAPE_PARTITIONED)
        return;
    add_partition(table, "p0");
    add_partition(table, "p1");
}

static bool may_create(const execution_t *execution, const sim_name_t *name)
{
    if (!sim_database_find_schema(execution->database, name->schema))
        return refuse(execution, name, "is in no database");
    if (sim_database_find(execution->database, name))
        return refuse(execution, name, "already exists");
    return true;
}

static void insert_table(const execution_t *execution, sim_table_t *table)
{
    table->next = execution->database->tables;
    execution->database->tables = table;
    remake(execution, table);
    touch(execution, table, false);
}

static bool create(const execution_t *execution)
{
    if (!may_create(execution, &execution->statement->names[0]))
        return false;
    sim_table_t *table = memory_alloc(sizeof *table);
    table_init(table, execution->statement);
    insert_table(execution, table);
    return true;
}

static bool create_like(const execution_t *execution)
{
    sim_table_t *source = need(execution, 1);
    if (!source || !may_create(execution, &execution->statement->names[0]))
        return false;
    sim_table_t *table = memory_alloc(sizeof *table);
    *table = *source;
    table->name = execution->statement->names[0];
    table->identity = execution->statement->identity;
    table->rows = NULL;
    table->row_count = table->row_capacity = 0;
    table->last_ddl = table->last_row = 0;
    table->next_id = 1;
    insert_table(execution, table);
    return true;
}

/* ---- drop ---- */

static void remove_table(const execution_t *execution, sim_table_t *table)
{
    sim_table_t **at = &execution->database->tables;
    while (*at != table)
        at = &(*at)->next;
    *at = table->next;
    touch(execution, table, true);
    table_free(table);
}

static bool create_or_replace(const execution_t *execution)
{
    const sim_name_t *name = &execution->statement->names[0];
    if (!sim_database_find_schema(execution->database, name->schema))
        return refuse(execution, name, "is in no database");
    sim_table_t *old = sim_database_find(execution->database, name);
    if (old)
        remove_table(execution, old);
    return create(execution);
}

/* Of several, those that are there go, as a server does. */
static bool drop(const execution_t *execution)
{
    const sim_statement_t *statement = execution->statement;
    for (uint32_t i = 0; i < statement->name_count && !execution->if_exists; i++)
        if (!need(execution, i))
            return false;
    for (uint32_t i = 0; i < statement->name_count; i++) {
        sim_table_t *table = sim_database_find(execution->database, &statement->names[i]);
        if (table)
            remove_table(execution, table);
    }
    return true;
}

/* ---- rename ---- */

static bool rename_one(const execution_t *execution, uint32_t from, uint32_t to)
{
    const sim_statement_t *statement = execution->statement;
    sim_table_t *table = need(execution, from);
    if (!table || !may_create(execution, &statement->names[to]))
        return false;
    table->name = statement->names[to];
    return true;
}

static bool rename_tables(const execution_t *execution)
{
    const sim_statement_t *statement = execution->statement;
    uint32_t done = 0;
    while (done + 1 < statement->name_count && rename_one(execution, done, done + 1))
        done += 2;
    if (done + 1 < statement->name_count) {
        while (done > 0) {
            done -= 2;
            sim_table_t *table =
                sim_database_find(execution->database, &statement->names[done + 1]);
            table->name = statement->names[done];
        }
        return false;
    }
    for (sim_table_t *table = execution->database->tables; table; table = table->next) {
        for (uint32_t i = 1; i < statement->name_count; i += 2) {
            if (sim_name_equal(&table->name, &statement->names[i])) {
                touch(execution, table, false);
                break;
            }
        }
    }
    return true;
}

/* ---- columns and indexes ---- */

static int find_column(const sim_table_t *table, const char *name)
{
    for (uint32_t i = 0; i < table->column_count; i++)
        if (strcmp(table->columns[i].name, name) == 0)
            return (int)i;
    return -1;
}

static bool add_extra(const execution_t *execution, sim_table_t *table)
{
    uint8_t slot = COLUMN_SLOT_EXTRA;
    for (uint32_t i = 0; i < table->column_count; i++) {
        if (table->columns[i].slot == slot) {
            slot++;
            i = UINT32_MAX; /* from the first again */
        }
    }
    if (slot == COLUMN_SLOTS || find_column(table, execution->statement->words[0]) >= 0)
        return refuse(execution, &table->name, "cannot take this column");
    add_column(table, execution->statement->words[0], slot);
    if (execution->statement->words[1][0]) { /* behind the key */
        sim_column_t added = table->columns[table->column_count - 1];
        memmove(&table->columns[2], &table->columns[1],
                (table->column_count - 2) * sizeof *table->columns);
        table->columns[1] = added;
    }
    for (uint32_t i = 0; i < table->row_count; i++) {
        table->rows[i].values[slot] = COLUMN_DEFAULT;
        table->rows[i].nulls &= ~(1u << slot);
    }
    return true;
}

static bool change_columns(const execution_t *execution, sim_table_t *table)
{
    const sim_statement_t *statement = execution->statement;
    int x = find_column(table, statement->words[0]), y = find_column(table, statement->words[1]);
    if (x < 0)
        return refuse(execution, &table->name, "has no such column");
    if (statement->kind == STATEMENT_DROP_COLUMN) {
        table->column_count--;
        memmove(&table->columns[x], &table->columns[x + 1],
                (table->column_count - (uint32_t)x) * sizeof *table->columns);
        return true;
    }
    if ((statement->kind == STATEMENT_SWAP_COLUMNS) != (y >= 0))
        return refuse(execution, &table->name, "has such a column already, or not");
    memcpy(table->columns[x].name, statement->words[1], SIM_NAME_SIZE);
    if (y >= 0)
        memcpy(table->columns[y].name, statement->words[0], SIM_NAME_SIZE);
    return true;
}

static bool change_indexes(const execution_t *execution, sim_table_t *table)
{
    const char *name = execution->statement->words[0];
    uint32_t at = 0;
    while (at < table->index_count && strcmp(table->indexes[at], name) != 0)
        at++;
    bool is_there = at < table->index_count;
    if (execution->statement->kind == STATEMENT_ADD_INDEX) {
        if (is_there || table->index_count == TABLE_INDEXES_MAX)
            return refuse(execution, &table->name, "cannot take this index");
        memcpy(table->indexes[table->index_count++], name, SIM_NAME_SIZE);
        return true;
    }
    if (!is_there)
        return refuse(execution, &table->name, "has no such index");
    table->index_count--;
    memmove(table->indexes[at], table->indexes[at + 1],
            (table->index_count - at) * sizeof *table->indexes);
    return true;
}

/* ---- partitions ---- */

static int find_partition(const sim_table_t *table, const char *name)
{
    for (uint32_t i = 0; i < table->partition_count; i++)
        if (strcmp(table->partitions[i].name, name) == 0)
            return (int)i;
    return -1;
}

static bool is_in(const sim_table_t *table, int partition, const sim_row_t *row)
{
    int64_t id = row->values[COLUMN_SLOT_ID];
    return id < table->partitions[partition].end &&
           (partition == 0 || id >= table->partitions[partition - 1].end);
}

/* Moves the rows of a partition to the end of the table; returns where they begin. */
static uint32_t part(sim_table_t *table, int partition)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < table->row_count; i++) {
        if (is_in(table, partition, &table->rows[i]))
            continue;
        sim_row_t row = table->rows[kept];
        table->rows[kept++] = table->rows[i];
        table->rows[i] = row;
    }
    return kept;
}

static bool has_same_columns(const sim_table_t *a, const sim_table_t *b)
{
    if (a->column_count != b->column_count || a->index_count != b->index_count)
        return false;
    for (uint32_t i = 0; i < a->column_count; i++)
        if (strcmp(a->columns[i].name, b->columns[i].name) != 0 ||
            a->columns[i].slot != b->columns[i].slot)
            return false;
    for (uint32_t i = 0; i < a->index_count; i++)
        if (strcmp(a->indexes[i], b->indexes[i]) != 0)
            return false;
    return b->shape == TABLE_SHAPE_KEY;
}

static bool exchange(const execution_t *execution, sim_table_t *table, int partition)
{
    sim_table_t *other = need(execution, 1);
    if (!other)
        return false;
    if (!has_same_columns(table, other))
        return refuse(execution, &other->name, "has another form");
    for (uint32_t i = 0; i < other->row_count; i++)
        if (!is_in(table, partition, &other->rows[i]))
            return refuse(execution, &other->name, "has a row outside the partition");
    uint32_t first = part(table, partition), count = table->row_count - first;
    sim_table_t *taken = table_copy(other);
    other->row_count = 0;
    for (uint32_t i = 0; i < count; i++)
        sim_table_add_row(other, &table->rows[first + i]);
    table->row_count = first;
    for (uint32_t i = 0; i < taken->row_count; i++)
        sim_table_add_row(table, &taken->rows[i]);
    table_free(taken);
    remake(execution, other);
    remake(execution, table);
    touch(execution, other, false);
    return true;
}

static bool change_partitions(const execution_t *execution, sim_table_t *table)
{
    const sim_statement_t *statement = execution->statement;
    int partition = find_partition(table, statement->words[0]);
    if (statement->kind == STATEMENT_ADD_PARTITION) {
        if (partition >= 0 || table->partition_count == 0 ||
            table->partition_count == TABLE_PARTITIONS_MAX)
            return refuse(execution, &table->name, "cannot take this partition");
        add_partition(table, statement->words[0]);
        return true;
    }
    if (partition < 0)
        return refuse(execution, &table->name, "has no such partition");
    if (statement->kind == STATEMENT_EXCHANGE_PARTITION)
        return exchange(execution, table, partition);
    bool is_truncate = statement->kind == STATEMENT_TRUNCATE_PARTITION;
    if (!is_truncate && table->partition_count == 1)
        return refuse(execution, &table->name, "would have no partition left");
    table->row_count = part(table, partition);
    remake(execution, table);
    if (is_truncate)
        return true;
    table->partition_count--;
    memmove(&table->partitions[partition], &table->partitions[partition + 1],
            (table->partition_count - (uint32_t)partition) * sizeof *table->partitions);
    return true;
}

/* ---- databases ---- */

static bool change_database(const execution_t *execution)
{
    const sim_statement_t *statement = execution->statement;
    sim_database_t *database = execution->database;
    const sim_name_t *name = &statement->names[0];
    sim_schema_t *schema = sim_database_find_schema(database, name->schema);
    if (statement->kind == STATEMENT_CREATE_DATABASE) {
        if (schema)
            return refuse(execution, name, "already exists");
        schema = memory_zalloc(sizeof *schema);
        memcpy(schema->name, name->schema, sizeof schema->name);
        schema->next = database->schemas;
        database->schemas = schema;
        return true;
    }
    if (!schema)
        return execution->if_exists ? true : refuse(execution, name, "does not exist");
    if (statement->kind == STATEMENT_ALTER_DATABASE) {
        schema->version++;
        return true;
    }
    for (sim_table_t *table = database->tables, *next; table; table = next) {
        next = table->next;
        if (strcmp(table->name.schema, name->schema) == 0)
            remove_table(execution, table);
    }
    sim_schema_t **at = &database->schemas;
    while (*at != schema)
        at = &(*at)->next;
    *at = schema->next;
    free(schema);
    return true;
}

/* ---- any ---- */

static bool alter(const execution_t *execution,
                  bool (*change)(const execution_t *execution, sim_table_t *table))
{
    sim_table_t *table = need(execution, 0);
    if (!table || !change(execution, table))
        return false;
    touch(execution, table, false);
    return true;
}

static bool truncate_table(const execution_t *execution, sim_table_t *table)
{
    table->row_count = 0;
    remake(execution, table);
    return true;
}

static bool alter_rename(const execution_t *execution)
{
    sim_table_t *table = need(execution, 0);
    if (!table || !may_create(execution, &execution->statement->names[1]))
        return false;
    if (execution->statement->words[0][0] && !add_extra(execution, table))
        return false;
    return rename_tables(execution);
}

bool sim_database_execute(sim_database_t *database, const sim_statement_t *statement,
                          bool if_exists, sim_touched_fn *touched, void *context,
                          error_report_t *report)
{
    execution_t execution = {database, statement, if_exists, touched, context, report};
    switch (statement->kind) {
    case STATEMENT_CREATE:
    case STATEMENT_CREATE_SELECT:
    case STATEMENT_CREATE_VIEW:
        return create(&execution);
    case STATEMENT_CREATE_LIKE:
        return create_like(&execution);
    case STATEMENT_CREATE_OR_REPLACE:
        return create_or_replace(&execution);
    case STATEMENT_DROP:
    case STATEMENT_DROP_VIEW:
        return drop(&execution);
    case STATEMENT_RENAME:
        return rename_tables(&execution);
    case STATEMENT_ALTER_RENAME:
        return alter_rename(&execution);
    case STATEMENT_CREATE_DATABASE:
    case STATEMENT_ALTER_DATABASE:
    case STATEMENT_DROP_DATABASE:
        return change_database(&execution);
    case STATEMENT_ANALYZE:
        return true;
    case STATEMENT_TRUNCATE:
        return alter(&execution, truncate_table);
    case STATEMENT_ADD_COLUMN:
        return alter(&execution, add_extra);
    case STATEMENT_DROP_COLUMN:
    case STATEMENT_RENAME_COLUMN:
    case STATEMENT_SWAP_COLUMNS:
        return alter(&execution, change_columns);
    case STATEMENT_ADD_INDEX:
    case STATEMENT_DROP_INDEX:
        return alter(&execution, change_indexes);
    case STATEMENT_ADD_PARTITION:
    case STATEMENT_DROP_PARTITION:
    case STATEMENT_TRUNCATE_PARTITION:
    case STATEMENT_EXCHANGE_PARTITION:
        return alter(&execution, change_partitions);
    }
    return false;
}
