#include "dispatcher/core/statement_scope.h"

#include "dispatcher/core/ddl/statement.h"

static bool takes(const table_filter_t *filter, const object_name_t *object)
{
    return table_filter_takes(filter, bytes_of_text(object->schema), bytes_of_text(object->name));
}

static bool takes_any(const table_filter_t *filter, const object_name_t *objects, uint32_t count)
{
    for (uint32_t i = 0; objects && i < count; i++) {
        if (takes(filter, &objects[i]))
            return true;
    }
    return false;
}

static bool takes_by_action(const table_filter_t *filter, const table_action_t *action)
{
    return action->table.name && takes(filter, &action->table);
}

static bool concerns_tables(const statement_t *statement, const table_filter_t *filter)
{
    if (!statement->is_whole || takes_any(filter, statement->names, statement->name_count) ||
        takes_any(filter, statement->targets, statement->name_count) ||
        takes_any(filter, statement->view_tables, statement->view_table_count))
        return true;
    for (uint32_t i = 0; i < statement->action_count; i++) {
        if (takes_by_action(filter, &statement->actions[i]))
            return true;
    }
    return false;
}

static bool concerns_schemas(const statement_t *statement, const table_filter_t *filter)
{
    for (uint32_t i = 0; i < statement->name_count; i++) {
        if (table_filter_may_take_schema(filter, bytes_of_text(statement->names[i].schema)))
            return true;
    }
    return !statement->is_whole;
}

static bool concerns(const statement_t *statement, const table_filter_t *filter)
{
    switch (statement->verb) {
    case DDL_SKIPPED:
        /* The tables of a row change are not looked for in its text. */
        return statement->is_row_change;
    case DDL_UNKNOWN:
        return true;
    case DDL_CREATE_DATABASE:
    case DDL_ALTER_DATABASE:
    case DDL_DROP_DATABASE:
        return concerns_schemas(statement, filter);
    case DDL_CREATE_TABLE:
    case DDL_ALTER_TABLE:
    case DDL_DROP_TABLE:
    case DDL_RENAME_TABLE:
    case DDL_TRUNCATE_TABLE:
    case DDL_TRUNCATE_PARTITION:
    case DDL_DROP_PARTITION:
    case DDL_EXCHANGE_PARTITION:
    case DDL_CONVERT_PARTITION:
    case DDL_CREATE_VIEW:
    case DDL_DROP_VIEW:
        return concerns_tables(statement, filter);
    }
    return true;
}

/* Names in another charset than ours would have to be converted to be compared. */
static bool is_ascii(bytes_t text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] >= 0x80)
            return false;
    }
    return true;
}

bool statement_may_touch(const binlog_query_t *query, const table_filter_t *filter)
{
    if (!is_ascii(query->sql))
        return true;
    arena_t arena = {0};
    statement_t statement;
    statement_options_t options = {.default_schema = query->context.default_schema,
                                   .sql_mode = query->context.sql_mode,
                                   .lower_case_names = table_filter_lower_case_names(filter)};
    statement_parse(query->sql, &options, &arena, &statement);
    bool may_touch = concerns(&statement, filter);
    arena_clear(&arena);
    return may_touch;
}
