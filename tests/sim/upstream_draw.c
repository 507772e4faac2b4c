#include <stdio.h>
#include <string.h>

#include "tests/sim/upstream_internal.h"

#define TABLES_MAX 40
#define TRIES 8
#define IDLE_NS (60 * NS_PER_S)

static const char *const schemas[] = {"a", "b", "c", OUTSIDE};
#define INSIDE 3

/* ---- choosing ---- */

static uint32_t count_tables(const sim_log_t *log)
{
    uint32_t count = 0;
    for (const sim_table_t *table = log->source.tables; table; table = table->next)
        count++;
    return count;
}

/* Any table or view; NULL: there is none. */
static sim_table_t *any_table(sim_log_t *log)
{
    uint64_t skip = sim_random_below(&log->random, count_tables(log));
    sim_table_t *table = log->source.tables;
    while (table && skip-- > 0)
        table = table->next;
    return table;
}

static sim_name_t existing(sim_log_t *log)
{
    const sim_table_t *table = any_table(log);
    return table ? table->name : (sim_name_t){.schema = "a", .table = "none"};
}

static void draw_schema(sim_log_t *log, sim_name_t *name)
{
    uint64_t among = log->options.has_outside ? INSIDE + 1 : INSIDE;
    snprintf(name->schema, SIM_NAME_SIZE, "%s", schemas[sim_random_below(&log->random, among)]);
}

/* A few names, so that they are used again. */
static sim_name_t some_name(sim_log_t *log, const char *prefix)
{
    sim_name_t name = {.schema = ""};
    draw_schema(log, &name);
    snprintf(name.table, SIM_NAME_SIZE, "%s%u", prefix,
             (unsigned)sim_random_below(&log->random, TABLES_MAX));
    return name;
}

static void draw_word(sim_log_t *log, char word[SIM_NAME_SIZE], const char *prefix)
{
    snprintf(word, SIM_NAME_SIZE, "%s%u", prefix, (unsigned)sim_random_below(&log->random, 8));
}

/* One that is there, most of the time. */
static void draw_column(sim_log_t *log, const sim_name_t *name, char word[SIM_NAME_SIZE])
{
    const sim_table_t *table = sim_database_find(&log->source, name);
    draw_word(log, word, "x");
    if (!table || table->column_count <= COLUMN_SLOT_EXTRA)
        return;
    uint64_t column = sim_random_below(&log->random, table->column_count);
    while (table->columns[column].slot < COLUMN_SLOT_EXTRA)
        column = (column + 1) % table->column_count;
    memcpy(word, table->columns[column].name, SIM_NAME_SIZE);
}

static void draw_partition(sim_log_t *log, sim_statement_t *statement)
{
    for (sim_table_t *table = log->source.tables; table; table = table->next) {
        if (table->partition_count == 0)
            continue;
        statement->names[0] = table->name;
        uint64_t partition = sim_random_below(&log->random, table->partition_count);
        memcpy(statement->words[0], table->partitions[partition].name, SIM_NAME_SIZE);
        if (sim_random_chance(&log->random, 50))
            return;
    }
}

/* An empty table for an exchange; any will do most of the time, since the source says no. */
static void draw_partner(sim_log_t *log, sim_statement_t *statement)
{
    statement->name_count = 2;
    statement->names[1] = existing(log);
    for (sim_table_t *table = log->source.tables; table; table = table->next)
        if (table->shape == TABLE_SHAPE_KEY && !table->is_view && table->row_count == 0 &&
            sim_random_chance(&log->random, 70))
            statement->names[1] = table->name;
}

static table_shape_t draw_shape(sim_log_t *log)
{
    static const table_shape_t shapes[] = {TABLE_SHAPE_KEY, TABLE_SHAPE_KEY, TABLE_SHAPE_UNIQUE,
                                           TABLE_SHAPE_KEYLESS, TABLE_SHAPE_PARTITIONED};
    return shapes[sim_random_below(&log->random, log->options.has_partitions ? 5 : 4)];
}

/* A swap of two, a ring of several, or just other names. */
static void draw_rename(sim_log_t *log, sim_statement_t *statement)
{
    sim_name_t a = existing(log), b = existing(log), c = some_name(log, "t");
    statement->names[0] = a;
    if (sim_random_chance(&log->random, 30) && !sim_name_equal(&a, &b)) {
        const sim_name_t ring[6] = {a, c, b, a, c, b};
        memcpy(statement->names, ring, sizeof ring);
        statement->name_count = 6;
        return;
    }
    statement->names[1] = c;
    statement->name_count = 2;
    if (sim_random_chance(&log->random, 30)) {
        statement->names[2] = b;
        statement->names[3] = some_name(log, "t");
        statement->name_count = 4;
    }
}

/* ---- DDL ---- */

/* Weights of a hundred and a bit; ORACLE §3 wants these kinds often. */
static const uint8_t weights[STATEMENT_KINDS] = {
    [STATEMENT_CREATE] = 12,
    [STATEMENT_CREATE_LIKE] = 3,
    [STATEMENT_CREATE_SELECT] = 6,
    [STATEMENT_CREATE_OR_REPLACE] = 3,
    [STATEMENT_DROP] = 9,
    [STATEMENT_TRUNCATE] = 9,
    [STATEMENT_RENAME] = 10,
    [STATEMENT_ALTER_RENAME] = 4,
    [STATEMENT_ADD_COLUMN] = 10,
    [STATEMENT_DROP_COLUMN] = 5,
    [STATEMENT_RENAME_COLUMN] = 3,
    [STATEMENT_SWAP_COLUMNS] = 3,
    [STATEMENT_ADD_INDEX] = 4,
    [STATEMENT_DROP_INDEX] = 2,
    [STATEMENT_ANALYZE] = 2,
    [STATEMENT_ADD_PARTITION] = 2,
    [STATEMENT_DROP_PARTITION] = 2,
    [STATEMENT_TRUNCATE_PARTITION] = 3,
    [STATEMENT_EXCHANGE_PARTITION] = 5,
    [STATEMENT_CREATE_DATABASE] = 4,
    [STATEMENT_ALTER_DATABASE] = 2,
    [STATEMENT_DROP_DATABASE] = 1,
    [STATEMENT_CREATE_VIEW] = 3,
    [STATEMENT_DROP_VIEW] = 3,
};

static statement_kind_t draw_kind(sim_log_t *log)
{
    uint32_t all = 0, kind = 0;
    for (uint32_t i = 0; i < STATEMENT_KINDS; i++)
        all += weights[i];
    uint64_t roll = sim_random_below(&log->random, all);
    while (roll >= weights[kind])
        roll -= weights[kind++];
    return (statement_kind_t)kind;
}

static sim_statement_t draw_statement(sim_log_t *log)
{
    sim_statement_t statement = {.kind = draw_kind(log), .name_count = 1};
    switch (statement.kind) {
    case STATEMENT_CREATE:
    case STATEMENT_CREATE_SELECT:
    case STATEMENT_CREATE_OR_REPLACE:
        statement.shape = draw_shape(log);
        statement.names[0] = some_name(log, "t");
        if (statement.kind == STATEMENT_CREATE_OR_REPLACE && sim_random_chance(&log->random, 80))
            statement.names[0] = existing(log);
        break;
    case STATEMENT_CREATE_LIKE:
        statement.names[0] = some_name(log, "t");
        statement.names[1] = existing(log);
        statement.name_count = 2;
        break;
    case STATEMENT_DROP:
        statement.name_count = sim_random_chance(&log->random, 30) ? 3 : 1;
        for (uint32_t i = 0; i < statement.name_count; i++)
            statement.names[i] = existing(log);
        break;
    case STATEMENT_RENAME:
        draw_rename(log, &statement);
        break;
    case STATEMENT_ALTER_RENAME:
        if (sim_random_chance(&log->random, 40))
            draw_word(log, statement.words[0], "x");
        statement.names[0] = existing(log);
        statement.names[1] = some_name(log, "t");
        statement.name_count = 2;
        break;
    case STATEMENT_ADD_COLUMN:
    case STATEMENT_RENAME_COLUMN:
        statement.names[0] = existing(log);
        draw_column(log, &statement.names[0], statement.words[0]);
        draw_word(log, statement.words[statement.kind == STATEMENT_RENAME_COLUMN], "x");
        if (statement.kind == STATEMENT_ADD_COLUMN && sim_random_chance(&log->random, 70))
            statement.words[1][0] = '\0';
        else if (statement.kind == STATEMENT_ADD_COLUMN)
            memcpy(statement.words[1], "after", sizeof "after");
        break;
    case STATEMENT_DROP_COLUMN:
    case STATEMENT_SWAP_COLUMNS:
        statement.names[0] = existing(log);
        draw_column(log, &statement.names[0], statement.words[0]);
        if (statement.kind == STATEMENT_SWAP_COLUMNS)
            draw_column(log, &statement.names[0], statement.words[1]);
        break;
    case STATEMENT_ADD_INDEX:
    case STATEMENT_DROP_INDEX:
        statement.names[0] = existing(log);
        draw_word(log, statement.words[0], "i");
        break;
    case STATEMENT_TRUNCATE:
    case STATEMENT_ANALYZE:
        statement.names[0] = existing(log);
        break;
    case STATEMENT_ADD_PARTITION:
    case STATEMENT_DROP_PARTITION:
    case STATEMENT_TRUNCATE_PARTITION:
    case STATEMENT_EXCHANGE_PARTITION:
        statement.names[0] = existing(log);
        draw_partition(log, &statement);
        if (statement.kind == STATEMENT_ADD_PARTITION)
            draw_word(log, statement.words[0], "q");
        if (statement.kind == STATEMENT_EXCHANGE_PARTITION)
            draw_partner(log, &statement);
        break;
    case STATEMENT_CREATE_DATABASE:
    case STATEMENT_ALTER_DATABASE:
    case STATEMENT_DROP_DATABASE:
        draw_schema(log, &statement.names[0]);
        break;
    case STATEMENT_CREATE_VIEW:
        statement.names[0] = some_name(log, "v");
        break;
    case STATEMENT_DROP_VIEW:
        statement.names[0] = existing(log);
        break;
    }
    return statement;
}

static bool is_view(const sim_log_t *log, const sim_name_t *name)
{
    const sim_table_t *table = sim_database_find(&log->source, name);
    return table && table->is_view;
}

/* What a server would refuse and the model does not, and what ends a changefeed. */
static bool is_possible(const sim_log_t *log, const sim_statement_t *statement)
{
    bool wants_view = statement->kind == STATEMENT_DROP_VIEW;
    for (uint32_t i = 0; i < statement->name_count; i++) {
        const sim_name_t *name = &statement->names[i];
        bool exists = sim_database_find(&log->source, name) != NULL;
        if (exists && is_view(log, name) != wants_view)
            return false;
        for (uint32_t j = 0; j < i && statement->kind != STATEMENT_RENAME; j++)
            if (sim_name_equal(name, &statement->names[j]))
                return false;
    }
    bool is_pair =
        statement->kind == STATEMENT_RENAME || statement->kind == STATEMENT_ALTER_RENAME ||
        statement->kind == STATEMENT_CREATE_LIKE || statement->kind == STATEMENT_EXCHANGE_PARTITION;
    bool is_any_outside = false, is_any_inside = false;
    for (uint32_t i = 0; is_pair && i < statement->name_count; i++) {
        bool is_outside = strcmp(statement->names[i].schema, OUTSIDE) == 0;
        is_any_outside |= is_outside;
        is_any_inside |= !is_outside;
    }
    /* Across the filter's border only: one table out of it. */
    if (is_any_outside && is_any_inside)
        return (statement->kind == STATEMENT_RENAME || statement->kind == STATEMENT_ALTER_RENAME) &&
               statement->name_count == 2 && strcmp(statement->names[1].schema, OUTSIDE) == 0;
    if (statement->kind == STATEMENT_SWAP_COLUMNS)
        return strcmp(statement->words[0], statement->words[1]) != 0;
    if (statement->kind == STATEMENT_DROP_DATABASE)
        return strcmp(statement->names[0].schema, OUTSIDE) != 0 &&
               strcmp(statement->names[0].schema, "a") != 0;
    return true;
}

/* A table that leaves the filter stays in the sink under the name it had then, whatever becomes of
 * it: no other takes that name again. */
static void name_leaver(const sim_log_t *log, sim_statement_t *statement)
{
    bool is_rename =
        statement->kind == STATEMENT_RENAME || statement->kind == STATEMENT_ALTER_RENAME;
    if (is_rename && strcmp(statement->names[0].schema, OUTSIDE) != 0 &&
        strcmp(statement->names[1].schema, OUTSIDE) == 0)
        snprintf(statement->names[1].table, SIM_NAME_SIZE, "left%u", (unsigned)log->names);
}

static bool draw_ddl(sim_log_t *log, uint64_t after_ns)
{
    error_report_t report;
    for (int i = 0; i < TRIES; i++) {
        sim_statement_t statement = draw_statement(log);
        name_leaver(log, &statement);
        bool is_too_much = statement.kind <= STATEMENT_CREATE_OR_REPLACE &&
                           count_tables(log) > log->options.tables + TABLES_MAX;
        if (!is_too_much && is_possible(log, &statement) &&
            log_statement(log, after_ns, &statement, &report))
            return true;
    }
    return false;
}

/* ---- transactions ---- */

static void draw_transaction(sim_log_t *log, uint64_t after_ns)
{
    const sim_table_t *undone = sim_random_rarely(&log->random, 20) ? any_table(log) : NULL;
    if (undone && !undone->is_view) {
        log_rolled_back(log, after_ns, undone);
        return;
    }
    uint64_t parts =
        sim_random_chance(&log->random, 30) ? sim_random_between(&log->random, 2, 4) : 1;
    log_begin(log, after_ns);
    log_begin_transaction(log);
    for (uint64_t i = 0; i < parts; i++) {
        sim_table_t *table = any_table(log);
        if (table && !table->is_view)
            log_rows(log, table, (uint32_t)sim_random_between(&log->random, 1, 4));
    }
    log_end_transaction(log);
}

void sim_log_draw(sim_log_t *log)
{
    for (uint64_t i = 0; i < log->options.groups; i++) {
        uint64_t after_ns = sim_random_chance(&log->random, 20)
                                ? 0
                                : sim_random_below(&log->random, 2 * log->options.interval_ns + 1);
        if (log->options.has_idle_phases && sim_random_rarely(&log->random, 10))
            after_ns = IDLE_NS;
        if (!sim_random_chance(&log->random, log->options.ddl_percent) || !draw_ddl(log, after_ns))
            draw_transaction(log, after_ns);
    }
}
