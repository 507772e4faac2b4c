/* Databases and views. */
#include <stdlib.h>

#include "dispatcher/core/ddl/plan.h"
#include "dispatcher/core/ddl/text_builder.h"

static bool may_take(const plan_t *plan, const char *schema)
{
    return table_filter_may_take_schema(plan->tracker->options.filter, bytes_of_text(schema));
}

static bool takes_whole(const plan_t *plan, const char *schema)
{
    return table_filter_takes_whole_schema(plan->tracker->options.filter, bytes_of_text(schema));
}

/* What CREATE DATABASE without a word about it means in that session. */
static charset_choice_t server_charset(const plan_t *plan)
{
    uint16_t id = plan->ddl->context.collation_server;
    charset_choice_t choice = id ? collation_by_id(id, plan->arena) : (charset_choice_t){0};
    return choice.charset ? choice : plan->tracker->default_charset;
}

/* Every table, view and sequence of the schema goes. Gives the carried ones. */
static void drop_tables(plan_t *plan, const char *schema, list_t *carried)
{
    size_t position = 0;
    const table_version_t *version;
    while ((version = schema_store_next_table(plan->tracker->store, COMMIT_TS_MAX, &position))) {
        const table_definition_t *definition = version->definition;
        if (strcmp(definition->schema, schema) != 0)
            continue;
        object_name_t name = plan_name_of(definition);
        plan_put(plan, &name, NULL, false);
        if (plan_is_carried((plan_find_t){definition, version->is_delivered}))
            *(const table_definition_t **)list_add(carried, sizeof definition, plan->arena) =
                definition;
    }
}

/* Everything that a DROP DATABASE, or the first half of CREATE OR REPLACE, does to the feed. */
static void drop_carried(plan_t *plan, const char *schema, const list_t *carried)
{
    const table_definition_t *const *tables = carried->items;
    /* A schema whose foreign keys cross its border cannot be named as one set. */
    bool crosses = plan_has_neighbours_outside(plan, schema);
    plan->has_event = true;
    plan->influence = (influence_t){.kind = crosses ? INFLUENCE_ALL : INFLUENCE_DB,
                                    .schema = schema_id_derive(bytes_of_text(schema))};
    plan->drops_schema = true;
    for (uint32_t i = 0; i < carried->count; i++)
        plan_change(plan, TABLE_DROPPED, tables[i], NULL, NULL);
}

static int compare_names(const void *a, const void *b)
{
    const table_definition_t *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

static const char *render_drops(plan_t *plan, const list_t *carried)
{
    const table_definition_t *const *tables = carried->items;
    text_builder_t text;
    text_builder_init(&text, plan->arena);
    text_add(&text, "DROP TABLE IF EXISTS");
    for (uint32_t i = 0; i < carried->count; i++) {
        text_add(&text, i == 0 ? " " : ", ");
        text_add_qualified(&text, tables[i]->schema, tables[i]->name);
    }
    return text_finish(&text);
}

sluice_error_t plan_drop_schema(plan_t *plan)
{
    const char *schema = plan->statement.names[0].schema;
    list_t carried = {0};
    plan_put_schema(plan, schema, false, (charset_choice_t){0});
    drop_tables(plan, schema, &carried);
    /* The same order on every node. */
    if (carried.count > 1)
        qsort(carried.items, carried.count, sizeof(const table_definition_t *), compare_names);
    bool is_whole = takes_whole(plan, schema);
    if (!is_whole && carried.count == 0)
        return SLUICE_OK;
    plan->verb = DDL_DROP_DATABASE;
    plan->drops_whole_schema = is_whole;
    drop_carried(plan, schema, &carried);
    if (!is_whole)
        plan->rewritten = render_drops(plan, &carried);
    return SLUICE_OK;
}

sluice_error_t plan_create_schema(plan_t *plan)
{
    const char *schema = plan->statement.names[0].schema;
    bool exists = schema_store_schema(plan->tracker->store, bytes_of_text(schema)) != NULL;
    if (plan->statement.or_replace && exists) {
        sluice_error_t error = plan_drop_schema(plan);
        if (error != SLUICE_OK)
            return error;
    }
    if (!plan->statement.if_not_exists || !exists)
        plan_put_schema(plan, schema, true,
                        charset_choose(plan->statement.charset, plan->statement.collation,
                                       server_charset(plan), plan->arena));
    if (!may_take(plan, schema) || (plan->has_event && !plan->drops_whole_schema))
        return SLUICE_OK;
    plan->verb = DDL_CREATE_DATABASE;
    if (plan->has_event)
        return SLUICE_OK;
    plan_influence(plan, TABLE_ID_TRIGGER);
    return SLUICE_OK;
}

sluice_error_t plan_alter_schema(plan_t *plan)
{
    const char *schema = plan->statement.names[0].schema;
    plan_put_schema(plan, schema, true,
                    charset_choose(plan->statement.charset, plan->statement.collation,
                                   plan_schema_charset(plan, schema), plan->arena));
    if (!may_take(plan, schema))
        return SLUICE_OK;
    plan->verb = DDL_ALTER_DATABASE;
    plan->has_event = true;
    plan->influence =
        (influence_t){.kind = INFLUENCE_DB, .schema = schema_id_derive(bytes_of_text(schema))};
    return SLUICE_OK;
}

/* ---- views ---- */

/* The first table of the view that the sink does not have; NULL: all are there. */
static const object_name_t *missing_table(const plan_t *plan)
{
    for (uint32_t i = 0; i < plan->statement.view_table_count; i++) {
        const object_name_t *name = &plan->statement.view_tables[i];
        plan_find_t found = plan_find(plan, name);
        bool is_there = found.definition && found.definition->is_view ? found.is_delivered
                                                                      : plan_takes(plan, name);
        if (!is_there)
            return name;
    }
    return NULL;
}

sluice_error_t plan_create_view(plan_t *plan)
{
    const object_name_t *name = &plan->statement.names[0];
    bool is_inside = plan_takes(plan, name);
    const object_name_t *missing = missing_table(plan);
    table_definition_t head = {.schema = name->schema, .name = name->name, .is_view = true};
    table_definition_t *view = table_definition_clone(&head);
    plan_identify(plan, view, false);
    plan_put(plan, name, view, is_inside && !missing);
    if (!is_inside)
        return SLUICE_OK;
    if (missing)
        return plan_pass_over(plan,
                              "view %s.%s is not carried: it names %s.%s, which the filter leaves "
                              "out",
                              name->schema, name->name, missing->schema, missing->name);
    plan->verb = DDL_CREATE_VIEW;
    plan_influence_all(plan);
    return SLUICE_OK;
}
