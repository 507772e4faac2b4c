#include "tests/testing.h"

#include "tests/unit/sink/sqlite_ddl_fixture.h"

ddl_fixture_t fixture;
static const sink_claim_t trigger = {.epoch = {1, 1}};

int ddl_setup(void **state)
{
    (void)state;
    fixture = (ddl_fixture_t){.file = sqlite_fixture_new("system-time-zone=%2B01:30")};
    fixture_claim_in(fixture.file->connection, &trigger);
    return 0;
}

int ddl_teardown(void **state)
{
    (void)state;
    for (int i = 0; i < fixture.table_count; i++) {
        const table_definition_t *table = fixture.tables[i];
        table_definition_unref(&table);
    }
    sqlite_fixture_destroy(&fixture.file);
    return 0;
}

/* Kept until the test's end. */
static table_definition_t *keep(table_definition_t *table)
{
    assert_true(fixture.table_count < TABLES_MAX);
    fixture.tables[fixture.table_count++] = table;
    return table;
}

table_definition_t *table_of(const char *name, uint64_t id, const column_definition_t *columns,
                             uint32_t count, uint32_t keys)
{
    return keep(fixture_table(name, id, columns, count, keys));
}

table_definition_t *plain(const char *name, uint64_t id)
{
    return keep(fixture_plain_table(name, id, true));
}

sluice_error_t run(ddl_verb_t verb, const table_change_t *changes, uint32_t count)
{
    fixture.report = (error_report_t){0};
    return sqlite_fixture_ddl(fixture.file, &trigger, ++fixture.ts, verb, changes, count,
                              &fixture.report);
}

void must_run(ddl_verb_t verb, const table_change_t *changes, uint32_t count)
{
    sluice_error_t error = run(verb, changes, count);
    if (error)
        print_message("%s\n", fixture.report.text);
    assert_int_equal(error, SLUICE_OK);
}

void create(const table_definition_t *table)
{
    table_change_t change = {.kind = TABLE_CREATED, .after = table};
    must_run(DDL_CREATE_TABLE, &change, 1);
}

sluice_error_t alter(const table_definition_t *before, const table_definition_t *after,
                     const uint32_t *sources)
{
    table_change_t change = {TABLE_ALTERED, before, after, sources};
    return run(DDL_ALTER_TABLE, &change, 1);
}

void must_alter(const table_definition_t *before, const table_definition_t *after,
                const uint32_t *sources)
{
    table_change_t change = {TABLE_ALTERED, before, after, sources};
    must_run(DDL_ALTER_TABLE, &change, 1);
}

const char *query(const char *sql)
{
    return sqlite_fixture_query(fixture.file, sql);
}

void execute(const char *sql)
{
    sqlite_fixture_execute(fixture.file, sql);
}

const char *carried_tables(void)
{
    return query("SELECT group_concat(name, ' ') FROM (SELECT name FROM sqlite_master WHERE type "
                 "= 'table' AND name NOT LIKE '\\_\\_sluice%' ESCAPE '\\' ORDER BY name)");
}

const char *index_columns(void)
{
    return query("SELECT i.name, (SELECT group_concat(name) FROM pragma_index_info(i.name)) FROM "
                 "sqlite_master i WHERE type = 'index' AND sql IS NOT NULL ORDER BY 1");
}
