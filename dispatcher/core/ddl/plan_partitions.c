/* EXCHANGE and CONVERT PARTITION: rows change their table without being in the log. */
#include "dispatcher/core/ddl/plan.h"
#include "dispatcher/core/ddl/text_builder.h"

/* The partitioned table after the statement, put in the plan; NULL: not followed. */
static table_definition_t *apply_to_table(plan_t *plan, const object_name_t *name,
                                          plan_find_t found)
{
    definition_context_t context = plan_definition_context(plan, name->schema);
    table_definition_t *after;
    const uint32_t *sources;
    error_report_t report;
    if (definition_apply(found.definition, NULL, NULL, plan->statement.actions,
                         plan->statement.action_count, &context, plan->arena, &after, &sources,
                         &report) != SLUICE_OK)
        return NULL;
    after->version = plan->ddl->commit_ts;
    plan_put(plan, name, after, found.is_delivered);
    return after;
}

static void change_table(plan_t *plan, const table_definition_t *before,
                         const table_definition_t *after)
{
    plan_influence(plan, before->table_id);
    plan_neighbours(plan, before);
    plan_change(plan, TABLE_ALTERED, before, after,
                plan_identity_sources(plan, after->column_count));
}

sluice_error_t plan_exchange(plan_t *plan, const table_action_t *action)
{
    const object_name_t *name = &plan->statement.names[0];
    plan_find_t table = plan_find(plan, name), other = plan_find(plan, &action->table);
    bool is_table_inside = plan_is_carried(table);
    bool is_other_inside = plan_is_carried(other);
    if (!is_table_inside && !is_other_inside)
        return SLUICE_OK;
    if (!is_other_inside)
        return plan_takes(plan, &action->table) ? plan_unknown(plan)
                                                : plan_refuse_entry(plan, &action->table, name);
    if (!is_table_inside)
        return plan_refuse_entry(plan, name, &action->table);
    plan->verb = DDL_EXCHANGE_PARTITION;
    change_table(plan, table.definition, table.definition);
    change_table(plan, other.definition, other.definition);
    plan_influence(plan, TABLE_ID_TRIGGER);
    return SLUICE_OK;
}

/* The same loss of rows for a sink that has only the partitioned table. */
static const char *render_drop_partition(plan_t *plan, const object_name_t *name,
                                         const char *partition)
{
    text_builder_t text;
    text_builder_init(&text, plan->arena);
    text_add(&text, "ALTER TABLE ");
    text_add_qualified(&text, name->schema, name->name);
    text_add(&text, " DROP PARTITION ");
    text_add_identifier(&text, partition);
    return text_finish(&text);
}

sluice_error_t plan_partition_to_table(plan_t *plan, const table_action_t *action)
{
    const object_name_t *name = &plan->statement.names[0];
    plan_find_t table = plan_find(plan, name);
    bool is_table_inside = plan_is_carried(table), is_new_inside = plan_takes(plan, &action->table);
    if (is_new_inside && !is_table_inside)
        return plan_refuse_entry(plan, name, &action->table);
    table_definition_t *after = apply_to_table(plan, name, table);
    if (!after)
        return is_table_inside ? plan_unknown(plan) : SLUICE_OK;
    table_definition_t *made =
        definition_like(table.definition, action->table.schema, action->table.name);
    made->partition_text = NULL;
    plan_identify(plan, made, false);
    plan_put(plan, &action->table, made, is_new_inside);
    if (!is_table_inside)
        return SLUICE_OK;
    change_table(plan, table.definition, after);
    if (!is_new_inside) {
        plan->verb = DDL_DROP_PARTITION;
        plan->rewritten = render_drop_partition(plan, name, action->names[0]);
        return SLUICE_OK;
    }
    plan->verb = DDL_CONVERT_PARTITION;
    plan_influence(plan, TABLE_ID_TRIGGER);
    *(const table_definition_t **)list_add(&plan->added, sizeof made, plan->arena) = made;
    plan_change(plan, TABLE_CREATED, NULL, made, NULL);
    return SLUICE_OK;
}

sluice_error_t plan_table_to_partition(plan_t *plan, const table_action_t *action)
{
    const object_name_t *name = &plan->statement.names[0];
    plan_find_t table = plan_find(plan, name), other = plan_find(plan, &action->table);
    bool is_table_inside = plan_is_carried(table), is_other_inside = plan_is_carried(other);
    if (is_table_inside && !is_other_inside)
        return plan_takes(plan, &action->table) ? plan_unknown(plan)
                                                : plan_refuse_entry(plan, &action->table, name);
    table_definition_t *after = apply_to_table(plan, name, table);
    if (other.definition)
        plan_put(plan, &action->table, NULL, false);
    if (!is_other_inside)
        return SLUICE_OK;
    plan_influence(plan, TABLE_ID_TRIGGER);
    if (is_table_inside && !after)
        return plan_unknown(plan);
    if (is_table_inside) {
        plan->verb = DDL_CONVERT_PARTITION;
        change_table(plan, table.definition, after);
    } else {
        /* For the sink the table is gone. */
        text_builder_t text;
        text_builder_init(&text, plan->arena);
        text_add(&text, "DROP TABLE ");
        text_add_qualified(&text, action->table.schema, action->table.name);
        plan->rewritten = text_finish(&text);
        plan->verb = DDL_DROP_TABLE;
    }
    plan_influence(plan, other.definition->table_id);
    plan_neighbours(plan, other.definition);
    plan_drop(plan, other.definition);
    plan_change(plan, TABLE_DROPPED, other.definition, NULL, NULL);
    return SLUICE_OK;
}
