#include "dispatcher/sink/mariadb/table.h"

#include <stdlib.h>

#include "common/base/memory.h"
#include "dispatcher/sink/mariadb/columns.h"
#include "dispatcher/sink/mariadb/statement.h"

typedef enum {
    STATEMENT_DELETE_KEY,
    STATEMENT_REPLACE,
    STATEMENT_INSERT,
    STATEMENT_UPDATE_ROW,
    STATEMENT_DELETE_ROW,
    STATEMENT_COUNT
} statement_kind_t;

typedef struct {
    const table_definition_t *definition; /* one reference */
    uint64_t session_number;
    uint64_t used;
    arena_t arena;
    const mariadb_column_t *columns;
    mariadb_statement_t *statements[STATEMENT_COUNT]; /* NULL until needed */
} table_t;

struct mariadb_table_cache {
    mariadb_session_t *session;
    const table_definition_t *definitions[MARIADB_TABLES_CACHED_MAX]; /* to search through */
    table_t *tables[MARIADB_TABLES_CACHED_MAX];
    uint32_t count;
    uint64_t uses;
};

/* Text of a statement and the parameters it takes, in step. */
typedef struct {
    sql_text_t sql;
    mariadb_parameter_t *parameters;
    uint32_t parameter_count;
} recipe_t;

const char *mariadb_table_refusal(const table_definition_t *definition)
{
    if (definition->is_system_versioned)
        return "system-versioned tables are not carried, since their history rows look like "
               "changes; leave the table out of the filter";
    if (definition->is_sequence)
        return "it is a sequence, which has no rows to carry";
    if (definition->is_view)
        return "it is a view";
    return NULL;
}

mariadb_table_cache_t *mariadb_table_cache_new(mariadb_session_t *session)
{
    mariadb_table_cache_t *cache = memory_zalloc(sizeof *cache);
    cache->session = session;
    return cache;
}

static void table_destroy(table_t *table)
{
    for (int i = 0; i < STATEMENT_COUNT; i++)
        mariadb_statement_destroy(&table->statements[i]);
    arena_clear(&table->arena);
    table_definition_unref(&table->definition);
    free(table);
}

static void cache_remove(mariadb_table_cache_t *cache, uint32_t index)
{
    table_destroy(cache->tables[index]);
    cache->count--;
    cache->tables[index] = cache->tables[cache->count];
    cache->definitions[index] = cache->definitions[cache->count];
}

void mariadb_table_cache_destroy(mariadb_table_cache_t **cache)
{
    if (!*cache)
        return;
    while ((*cache)->count > 0)
        cache_remove(*cache, 0);
    free(*cache);
    *cache = NULL;
}

static uint32_t least_used(const mariadb_table_cache_t *cache)
{
    uint32_t least = 0;
    for (uint32_t i = 1; i < cache->count; i++) {
        if (cache->tables[i]->used < cache->tables[least]->used)
            least = i;
    }
    return least;
}

static sluice_error_t table_new(mariadb_table_cache_t *cache, const table_definition_t *definition,
                                table_t **table, error_report_t *report)
{
    const char *refusal = mariadb_table_refusal(definition);
    if (refusal)
        return error_report_set(report, SLUICE_ERROR_SINK_REFUSED, "table %s.%s: %s",
                                definition->schema, definition->name, refusal);
    table_t *made = memory_zalloc(sizeof *made);
    made->definition = table_definition_ref(definition);
    made->session_number = mariadb_session_number(cache->session);
    sluice_error_t error =
        mariadb_columns_read(cache->session, definition, &made->arena, &made->columns, report);
    if (error != SLUICE_OK) {
        table_destroy(made);
        return error;
    }
    *table = made;
    return SLUICE_OK;
}

static sluice_error_t cache_find(mariadb_table_cache_t *cache, const table_definition_t *definition,
                                 table_t **table, error_report_t *report)
{
    uint32_t index = 0;
    while (index < cache->count && cache->definitions[index] != definition)
        index++;
    if (index < cache->count &&
        cache->tables[index]->session_number != mariadb_session_number(cache->session)) {
        cache_remove(cache, index);
        index = cache->count;
    }
    if (index == cache->count) {
        table_t *made = NULL;
        sluice_error_t error = table_new(cache, definition, &made, report);
        if (error != SLUICE_OK)
            return error;
        if (cache->count == MARIADB_TABLES_CACHED_MAX)
            cache_remove(cache, least_used(cache));
        index = cache->count++;
        cache->tables[index] = made;
        cache->definitions[index] = definition;
    }
    *table = cache->tables[index];
    (*table)->used = ++cache->uses;
    return SLUICE_OK;
}

static bool is_written(const column_definition_t *column)
{
    return column->generated == GENERATED_NO;
}

static void recipe_parameter(recipe_t *recipe, uint32_t column, bool is_before)
{
    recipe->parameters[recipe->parameter_count++] =
        (mariadb_parameter_t){.column = column, .is_before = is_before};
}

/* "(`a`,`b`) VALUES (?,?)" */
static void recipe_put(recipe_t *recipe, const table_definition_t *definition)
{
    const char *separator = " (";
    for (uint32_t i = 0; i < definition->column_count; i++) {
        if (!is_written(&definition->columns[i]))
            continue;
        sql_text_add(&recipe->sql, separator);
        sql_text_add_name(&recipe->sql, definition->columns[i].name);
        recipe_parameter(recipe, i, false);
        separator = ",";
    }
    sql_text_add(&recipe->sql, ") VALUES (");
    for (uint32_t i = 0; i < recipe->parameter_count; i++)
        sql_text_add(&recipe->sql, i ? ",?" : "?");
    sql_text_add(&recipe->sql, ")");
}

/* The key's columns, each compared as the sink's own index compares it. */
static void recipe_where_key(recipe_t *recipe, const table_t *table, const key_definition_t *key)
{
    for (uint32_t i = 0; i < key->part_count; i++) {
        uint32_t column = key->parts[i].column;
        sql_text_add(&recipe->sql, i ? " AND " : " WHERE ");
        sql_text_add_name(&recipe->sql, table->definition->columns[column].name);
        const mariadb_column_t *sink = &table->columns[column];
        if (sink->charset)
            sql_text_printf(&recipe->sql, "=CONVERT(? USING %s) COLLATE %s", sink->charset,
                            sink->collation);
        else
            sql_text_add(&recipe->sql, "=?");
        recipe_parameter(recipe, column, true);
    }
}

/* Every stored column, text by its bytes whatever its collation; of rows that are equal in all of
 * them any one will do. */
static void recipe_where_row(recipe_t *recipe, const table_t *table)
{
    const table_definition_t *definition = table->definition;
    const char *separator = " WHERE ";
    for (uint32_t i = 0; i < definition->column_count; i++) {
        if (!is_written(&definition->columns[i]))
            continue;
        bool is_text = table->columns[i].charset != NULL;
        sql_text_add(&recipe->sql, separator);
        sql_text_add(&recipe->sql, is_text ? "CAST(" : "");
        sql_text_add_name(&recipe->sql, definition->columns[i].name);
        sql_text_add(&recipe->sql, is_text ? " AS BINARY)<=>?" : "<=>?");
        recipe_parameter(recipe, i, true);
        separator = " AND ";
    }
    sql_text_add(&recipe->sql, " LIMIT 1");
}

static void recipe_set(recipe_t *recipe, const table_definition_t *definition)
{
    const char *separator = " SET ";
    for (uint32_t i = 0; i < definition->column_count; i++) {
        if (!is_written(&definition->columns[i]))
            continue;
        sql_text_add(&recipe->sql, separator);
        sql_text_add_name(&recipe->sql, definition->columns[i].name);
        sql_text_add(&recipe->sql, "=?");
        recipe_parameter(recipe, i, false);
        separator = ",";
    }
}

static void recipe_write(recipe_t *recipe, const table_t *table, statement_kind_t kind)
{
    static const char *const verbs[STATEMENT_COUNT] = {"DELETE FROM ", "REPLACE INTO ",
                                                       "INSERT INTO ", "UPDATE ", "DELETE FROM "};
    const table_definition_t *definition = table->definition;
    sql_text_add(&recipe->sql, verbs[kind]);
    sql_text_add_table(&recipe->sql, definition->schema, definition->name);
    switch (kind) {
    case STATEMENT_DELETE_KEY:
        recipe_where_key(recipe, table, table_definition_row_key(definition));
        return;
    case STATEMENT_REPLACE:
    case STATEMENT_INSERT:
        recipe_put(recipe, definition);
        return;
    case STATEMENT_UPDATE_ROW:
        recipe_set(recipe, definition);
        recipe_where_row(recipe, table);
        return;
    case STATEMENT_DELETE_ROW:
        recipe_where_row(recipe, table);
        return;
    case STATEMENT_COUNT:
        return;
    }
}

static sluice_error_t table_statement(mariadb_table_cache_t *cache, table_t *table,
                                      statement_kind_t kind, mariadb_statement_t **statement,
                                      error_report_t *report)
{
    sluice_error_t error = SLUICE_OK;
    if (!table->statements[kind]) {
        recipe_t recipe = {0};
        recipe.parameters =
            memory_zalloc(2 * table->definition->column_count * sizeof *recipe.parameters + 1);
        recipe_write(&recipe, table, kind);
        error = mariadb_statement_new(cache->session, table->definition, sql_text_get(&recipe.sql),
                                      recipe.parameters, recipe.parameter_count,
                                      &table->statements[kind], report);
        sql_text_clear(&recipe.sql);
        free(recipe.parameters);
    }
    *statement = table->statements[kind];
    return error;
}

static sluice_error_t images_run(mariadb_table_cache_t *cache, table_t *table,
                                 statement_kind_t kind, const mariadb_images_t *images,
                                 arena_t *arena, uint64_t *matched, error_report_t *report)
{
    *matched = 0;
    if (images->count == 0)
        return SLUICE_OK;
    mariadb_statement_t *statement;
    sluice_error_t error = table_statement(cache, table, kind, &statement, report);
    return error == SLUICE_OK ? mariadb_statement_run(statement, images, arena, matched, report)
                              : error;
}

static statement_kind_t change_statement(row_kind_t kind)
{
    switch (kind) {
    case ROW_INSERT:
        return STATEMENT_INSERT;
    case ROW_UPDATE:
        return STATEMENT_UPDATE_ROW;
    case ROW_DELETE:
        return STATEMENT_DELETE_ROW;
    }
    return STATEMENT_INSERT;
}

/* Changes of one kind that follow each other. */
static sluice_error_t changes_run(mariadb_table_cache_t *cache, table_t *table,
                                  const row_change_t *changes, uint32_t count, arena_t *arena,
                                  error_report_t *report)
{
    const value_t **before = arena_alloc(arena, 2 * count * sizeof *before);
    const value_t **after = before + count;
    for (uint32_t i = 0; i < count; i++) {
        before[i] = changes[i].before;
        after[i] = changes[i].after;
    }
    mariadb_images_t images = {.before = before, .after = after, .count = count};
    uint64_t matched;
    sluice_error_t error = images_run(cache, table, change_statement(changes[0].kind), &images,
                                      arena, &matched, report);
    if (error == SLUICE_OK && matched != count)
        return error_report_set(report, SLUICE_ERROR_SINK_REFUSED,
                                "table %s.%s has no key, and %llu of %u rows to be changed were "
                                "not found in the sink: the tables differ",
                                table->definition->schema, table->definition->name,
                                (unsigned long long)(count - matched), count);
    return error;
}

static sluice_error_t keyless_write(mariadb_table_cache_t *cache, table_t *table,
                                    const row_batch_t *batch, arena_t *arena,
                                    error_report_t *report)
{
    sluice_error_t error = SLUICE_OK;
    for (uint32_t start = 0; start < batch->change_count && error == SLUICE_OK;) {
        uint32_t count = 1;
        while (start + count < batch->change_count &&
               batch->changes[start + count].kind == batch->changes[start].kind)
            count++;
        error = changes_run(cache, table, batch->changes + start, count, arena, report);
        start += count;
    }
    return error;
}

sluice_error_t mariadb_table_write(mariadb_table_cache_t *cache, const row_batch_t *batch,
                                   arena_t *arena, error_report_t *report)
{
    table_t *table;
    sluice_error_t error = cache_find(cache, batch->definition, &table, report);
    if (error != SLUICE_OK)
        return error;
    if (!batch->key)
        return keyless_write(cache, table, batch, arena, report);
    uint64_t matched;
    mariadb_images_t deletes = {.before = batch->deletes, .count = batch->delete_count};
    error = images_run(cache, table, STATEMENT_DELETE_KEY, &deletes, arena, &matched, report);
    if (error != SLUICE_OK)
        return error;
    mariadb_images_t upserts = {.after = batch->upserts, .count = batch->upsert_count};
    return images_run(cache, table, STATEMENT_REPLACE, &upserts, arena, &matched, report);
}
