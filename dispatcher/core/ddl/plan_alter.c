/* ALTER TABLE, CREATE INDEX, DROP INDEX. */
#include "dispatcher/core/ddl/plan.h"

static const table_action_t *find_action(const statement_t *statement, table_action_kind_t kind)
{
    for (uint32_t i = 0; i < statement->action_count; i++)
        if (statement->actions[i].kind == kind)
            return &statement->actions[i];
    return NULL;
}

static bool is_same_name(const table_definition_t *a, const table_definition_t *b)
{
    return strcmp(a->name, b->name) == 0 && strcmp(a->schema, b->schema) == 0;
}

/* A table the tracker does not know, or a statement it cannot follow. */
static sluice_error_t alter_unknown(plan_t *plan, const object_name_t *name)
{
    const table_action_t *rename = find_action(&plan->statement, ACTION_RENAME_TABLE);
    if (!plan_takes(plan, name)) {
        if (rename && rename->table.name && plan_takes(plan, &rename->table))
            return plan_refuse_entry(plan, name, &rename->table);
        return SLUICE_OK;
    }
    return plan->statement.if_exists && plan->statement.is_whole ? SLUICE_OK : plan_unknown(plan);
}

static void add_move(plan_t *plan, const table_definition_t *before,
                     const table_definition_t *after)
{
    schema_move_t *move = list_add(&plan->moves, sizeof *move, plan->arena);
    move->table_id = before->table_id;
    move->from = schema_id_derive(bytes_of_text(before->schema));
    move->to = schema_id_derive(bytes_of_text(after->schema));
    move->schema = bytes_of_text(after->schema);
    move->name = bytes_of_text(after->name);
}

static bool brings_foreign_key(const statement_t *statement)
{
    for (uint32_t i = 0; i < statement->action_count; i++) {
        const table_action_t *action = &statement->actions[i];
        if (action->kind == ACTION_ADD_FOREIGN_KEY || (action->column && action->column->reference))
            return true;
    }
    return false;
}

static sluice_error_t alter_carried(plan_t *plan, const table_definition_t *before,
                                    const table_definition_t *after, const uint32_t *column_sources,
                                    bool is_inside)
{
    bool is_moved = !is_same_name(before, after);
    plan->verb = plan->statement.verb;
    if (!is_moved && plan->verb == DDL_RENAME_TABLE)
        plan->verb = DDL_ALTER_TABLE;
    plan_influence(plan, before->table_id);
    if (is_moved)
        plan_influence(plan, TABLE_ID_TRIGGER);
    plan_neighbours(plan, before);
    plan_neighbours(plan, after);
    if (!is_inside) {
        plan_drop(plan, before);
        plan_change(plan, TABLE_LEFT_FILTER, before, after, column_sources);
        return SLUICE_OK;
    }
    if (!is_moved) {
        plan_change(plan, TABLE_ALTERED, before, after, column_sources);
    } else {
        add_move(plan, before, after);
        plan_change(plan, TABLE_RENAMED, before, after, column_sources);
    }
    return brings_foreign_key(&plan->statement) ? plan_check_cascades(plan, before, after)
                                                : SLUICE_OK;
}

static sluice_error_t alter_definition(plan_t *plan, const object_name_t *name, plan_find_t found)
{
    const statement_t *statement = &plan->statement;
    const table_definition_t *before = found.definition;
    definition_context_t context = plan_definition_context(plan, name->schema);
    table_definition_t *after;
    const uint32_t *sources;
    error_report_t report;
    if (definition_apply(before, NULL, NULL, statement->actions, statement->action_count, &context,
                         plan->arena, &after, &sources, &report) != SLUICE_OK)
        return alter_unknown(plan, name);
    object_name_t now = plan_name_of(after);
    bool is_carried = plan_is_carried(found), is_inside = plan_takes(plan, &now);
    bool is_moved = !is_same_name(before, after);
    after->version = plan->ddl->commit_ts;
    if (is_moved && is_carried && is_inside)
        after->last_change = (event_key_t){plan->ddl->commit_ts, false};
    if (is_moved)
        plan_put(plan, name, NULL, false);
    plan_put(plan, &now, after, is_inside && (is_carried || !is_moved) && !before->is_sequence);
    plan_follow_references(plan, before, after, sources);
    if (is_carried)
        return alter_carried(plan, before, after, sources, is_inside);
    if (is_moved && is_inside && !before->is_view && !before->is_sequence)
        return plan_refuse_entry(plan, name, &now);
    return SLUICE_OK;
}

static sluice_error_t alter_other_kind(plan_t *plan, const object_name_t *name, plan_find_t found)
{
    const table_action_t *rename = find_action(&plan->statement, ACTION_RENAME_TABLE);
    if (rename && rename->table.name) {
        plan_put(plan, name, NULL, false);
        plan_put(plan, &rename->table,
                 definition_renamed(found.definition, rename->table.schema, rename->table.name),
                 false);
    }
    plan->outcome->kind = SCHEMA_SKIPPED;
    plan->outcome->skipped_kind = found.definition->is_view ? "view" : "sequence";
    return SLUICE_OK;
}

sluice_error_t plan_alter(plan_t *plan)
{
    const statement_t *statement = &plan->statement;
    const object_name_t *name = &statement->names[0];
    plan_find_t found = plan_find(plan, name);
    if (!found.definition)
        return alter_unknown(plan, name);
    if (found.definition->is_sequence || found.definition->is_view)
        return alter_other_kind(plan, name, found);
    if (!statement->is_whole)
        return alter_unknown(plan, name);
    const table_action_t *action;
    if (plan_is_carried(found) && find_action(statement, ACTION_TABLESPACE))
        return error_report_set(plan->report, SLUICE_ERROR_DDL_UNSUPPORTED,
                                "DISCARD or IMPORT TABLESPACE of %s.%s changes rows that are not "
                                "in the log. Leave the table out of the filter, or create the "
                                "changefeed anew from a fresh dump",
                                name->schema, name->name);
    if ((action = find_action(statement, ACTION_EXCHANGE_PARTITION)))
        return plan_exchange(plan, action);
    if ((action = find_action(statement, ACTION_PARTITION_TO_TABLE)))
        return plan_partition_to_table(plan, action);
    if ((action = find_action(statement, ACTION_TABLE_TO_PARTITION)))
        return plan_table_to_partition(plan, action);
    return alter_definition(plan, name, found);
}
