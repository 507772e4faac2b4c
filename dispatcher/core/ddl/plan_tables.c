/* CREATE, DROP, TRUNCATE and RENAME TABLE. */
#include "dispatcher/core/ddl/definition_render.h"
#include "dispatcher/core/ddl/plan.h"
#include "dispatcher/core/ddl/text_builder.h"

/* ---- CREATE TABLE ---- */

static sluice_error_t refuse_create(plan_t *plan, const object_name_t *name, const char *why)
{
    return error_report_set(plan->report, SLUICE_ERROR_DDL_UNSUPPORTED,
                            "CREATE TABLE %s.%s is not understood (%s); its rows could not be "
                            "read. Leave the table out with the rule !%s.%s, or report the "
                            "statement",
                            name->schema, name->name, why, name->schema, name->name);
}

/* The source of LIKE as it is; what the sink does not have is written out. */
static sluice_error_t make_like(plan_t *plan, const object_name_t *name, bool is_inside,
                                table_definition_t **after)
{
    plan_find_t source = plan_find(plan, &plan->statement.like);
    if (!source.definition || source.definition->is_view)
        return is_inside ? refuse_create(plan, name, "the table it is LIKE is not known")
                         : SLUICE_OK;
    *after = definition_like(source.definition, name->schema, name->name);
    if (!is_inside)
        return SLUICE_OK;
    if (plan_is_carried(source)) {
        plan_influence(plan, source.definition->table_id);
        return SLUICE_OK;
    }
    unsigned flags = (plan->statement.or_replace ? RENDER_OR_REPLACE : 0u) |
                     (plan->statement.if_not_exists ? RENDER_IF_NOT_EXISTS : 0u);
    plan->rewritten = definition_render_create(*after, NULL, NULL, flags, plan->arena);
    plan->replays_rewritten = true;
    return SLUICE_OK;
}

static sluice_error_t make_table(plan_t *plan, const object_name_t *name, bool is_inside,
                                 table_definition_t **after)
{
    const statement_t *statement = &plan->statement;
    *after = NULL;
    if (statement->is_like && statement->is_whole)
        return make_like(plan, name, is_inside, after);
    const char *why = NULL;
    if (!statement->is_whole)
        why = "its end";
    else if (statement->is_select)
        why = "columns come from a SELECT";
    error_report_t report = {.text = ""};
    definition_context_t context = plan_definition_context(plan, name->schema);
    const uint32_t *sources;
    if (!why && definition_apply(NULL, name->schema, name->name, statement->actions,
                                 statement->action_count, &context, plan->arena, after, &sources,
                                 &report) != SLUICE_OK)
        why = arena_strdup(plan->arena, report.text);
    return why && is_inside ? refuse_create(plan, name, why) : SLUICE_OK;
}

static sluice_error_t create_sequence(plan_t *plan, const object_name_t *name)
{
    table_definition_t head = {.schema = name->schema, .name = name->name, .is_sequence = true};
    table_definition_t *sequence = table_definition_clone(&head);
    plan_identify(plan, sequence, false);
    plan_put(plan, name, sequence, false);
    plan->outcome->kind = SCHEMA_SKIPPED;
    plan->outcome->skipped_kind = "sequence";
    return SLUICE_OK;
}

/* What stood under the name before goes with everything that concerns it. */
static void replace_old(plan_t *plan, plan_find_t old)
{
    if (!plan_is_carried(old))
        return;
    plan_influence(plan, old.definition->table_id);
    plan_neighbours(plan, old.definition);
    plan_drop(plan, old.definition);
    plan_change(plan, TABLE_DROPPED, old.definition, NULL, NULL);
}

sluice_error_t plan_create_table(plan_t *plan)
{
    const object_name_t *name = &plan->statement.names[0];
    bool is_inside = plan_takes(plan, name);
    plan_find_t old = plan_find(plan, name);
    if (plan->statement.is_sequence)
        return create_sequence(plan, name);
    if (plan->statement.if_not_exists && plan_is_carried(old))
        return plan_pass_over(plan, "%s.%s exists already, CREATE TABLE IF NOT EXISTS says nothing",
                              name->schema, name->name);
    table_definition_t *after = NULL;
    sluice_error_t error = make_table(plan, name, is_inside, &after);
    if (error != SLUICE_OK)
        return error;
    if (!after) {
        if (old.definition)
            plan_put(plan, name, NULL, false);
        return SLUICE_OK;
    }
    plan_identify(plan, after, plan->ddl->has_rows);
    plan_put(plan, name, after, is_inside);
    if (!is_inside)
        return SLUICE_OK;
    error = plan_check_cascades(plan, NULL, after);
    if (error != SLUICE_OK)
        return error;
    plan->verb = DDL_CREATE_TABLE;
    *(const table_definition_t **)list_add(&plan->added, sizeof after, plan->arena) = after;
    plan_influence(plan, TABLE_ID_TRIGGER);
    replace_old(plan, old);
    plan_neighbours(plan, after);
    plan_change(plan, TABLE_CREATED, NULL, after, NULL);
    return SLUICE_OK;
}

/* ---- DROP TABLE ---- */

static const char *render_drop(plan_t *plan, const char *verb, const list_t *kept)
{
    text_builder_t text;
    const object_name_t *names = kept->items;
    text_builder_init(&text, plan->arena);
    text_add(&text, verb);
    for (uint32_t i = 0; i < kept->count; i++) {
        text_add(&text, i == 0 ? " " : ", ");
        text_add_qualified(&text, names[i].schema, names[i].name);
    }
    return text_finish(&text);
}

sluice_error_t plan_drop_table(plan_t *plan)
{
    const statement_t *statement = &plan->statement;
    list_t kept = {0};
    bool all_known = true, any_sequence = statement->is_sequence;
    for (uint32_t i = 0; i < statement->name_count; i++) {
        const object_name_t *name = &statement->names[i];
        plan_find_t found = plan_find(plan, name);
        bool is_other =
            statement->is_sequence ||
            (found.definition && (found.definition->is_sequence || found.definition->is_view));
        any_sequence = any_sequence || is_other;
        if (found.definition)
            plan_put(plan, name, NULL, false);
        if (is_other || !plan_takes(plan, name))
            continue;
        *(object_name_t *)list_add(&kept, sizeof *name, plan->arena) = *name;
        all_known = all_known && found.definition;
        if (!plan_is_carried(found))
            continue;
        plan_influence(plan, found.definition->table_id);
        plan_neighbours(plan, found.definition);
        plan_drop(plan, found.definition);
        plan_change(plan, TABLE_DROPPED, found.definition, NULL, NULL);
    }
    if (kept.count == 0) {
        if (any_sequence) {
            plan->outcome->kind = SCHEMA_SKIPPED;
            plan->outcome->skipped_kind = "sequence";
        }
        return SLUICE_OK;
    }
    plan->verb = DDL_DROP_TABLE;
    plan_influence(plan, TABLE_ID_TRIGGER);
    bool wants_if_exists = statement->if_exists || !all_known;
    if (kept.count < statement->name_count || wants_if_exists != statement->if_exists)
        plan->rewritten =
            render_drop(plan, wants_if_exists ? "DROP TABLE IF EXISTS" : "DROP TABLE", &kept);
    return SLUICE_OK;
}

/* ---- DROP VIEW ---- */

sluice_error_t plan_drop_view(plan_t *plan)
{
    const statement_t *statement = &plan->statement;
    list_t kept = {0};
    for (uint32_t i = 0; i < statement->name_count; i++) {
        const object_name_t *name = &statement->names[i];
        plan_find_t found = plan_find(plan, name);
        if (found.definition)
            plan_put(plan, name, NULL, false);
        if (plan_takes(plan, name) && (!found.definition || found.is_delivered))
            *(object_name_t *)list_add(&kept, sizeof *name, plan->arena) = *name;
    }
    if (kept.count == 0)
        return SLUICE_OK;
    plan->verb = DDL_DROP_VIEW;
    plan_influence(plan, TABLE_ID_TRIGGER);
    if (kept.count < statement->name_count)
        plan->rewritten =
            render_drop(plan, statement->if_exists ? "DROP VIEW IF EXISTS" : "DROP VIEW", &kept);
    return SLUICE_OK;
}

/* ---- TRUNCATE ---- */

sluice_error_t plan_truncate(plan_t *plan)
{
    const object_name_t *name = &plan->statement.names[0];
    plan_find_t found = plan_find(plan, name);
    if (found.definition && found.definition->is_sequence) {
        plan->outcome->kind = SCHEMA_SKIPPED;
        plan->outcome->skipped_kind = "sequence";
        return SLUICE_OK;
    }
    if (!plan_takes(plan, name))
        return SLUICE_OK;
    if (!plan_is_carried(found))
        return plan_unknown(plan);
    plan->verb = DDL_TRUNCATE_TABLE;
    plan_influence(plan, found.definition->table_id);
    plan_neighbours(plan, found.definition);
    plan_change(plan, TABLE_TRUNCATED, found.definition, found.definition, NULL);
    return SLUICE_OK;
}
