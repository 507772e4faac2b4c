/* RENAME TABLE: pairs from left to right; what counts is where each table stands at the end. */
#include "dispatcher/core/ddl/plan.h"
#include "dispatcher/core/ddl/text_builder.h"

typedef struct {
    object_name_t origin, current;
    plan_find_t before; /* definition NULL: the tracker does not know it */
    const table_definition_t *after;
} chain_t;

static chain_t *chain_of(plan_t *plan, list_t *chains, const object_name_t *from)
{
    chain_t *items = chains->items;
    for (uint32_t i = chains->count; i > 0; i--)
        if (strcmp(items[i - 1].current.name, from->name) == 0 &&
            strcmp(items[i - 1].current.schema, from->schema) == 0)
            return &items[i - 1];
    chain_t *chain = list_add(chains, sizeof *chain, plan->arena);
    *chain = (chain_t){.origin = *from, .current = *from, .before = plan_find(plan, from)};
    chain->after = chain->before.definition;
    return chain;
}

static bool is_table(const chain_t *chain)
{
    const table_definition_t *definition = chain->before.definition;
    return !definition || (!definition->is_view && !definition->is_sequence);
}

/* Carried, or a view that the sink has. */
static bool is_in_sink(const plan_t *plan, const chain_t *chain)
{
    return chain->before.definition ? chain->before.is_delivered : plan_takes(plan, &chain->origin);
}

static bool is_same_name(const object_name_t *a, const object_name_t *b)
{
    return strcmp(a->name, b->name) == 0 && strcmp(a->schema, b->schema) == 0;
}

static void add_move(plan_t *plan, const chain_t *chain)
{
    schema_move_t *move = list_add(&plan->moves, sizeof *move, plan->arena);
    move->table_id = chain->before.definition->table_id;
    move->from = schema_id_derive(bytes_of_text(chain->origin.schema));
    move->to = schema_id_derive(bytes_of_text(chain->current.schema));
    move->schema = bytes_of_text(chain->current.schema);
    move->name = bytes_of_text(chain->current.name);
}

/* The table at its new place. */
static void put_renamed(plan_t *plan, chain_t *chain, bool stays)
{
    table_definition_t *after =
        definition_renamed(chain->before.definition, chain->current.schema, chain->current.name);
    after->version = plan->ddl->commit_ts;
    if (stays && is_table(chain))
        after->last_change = (event_key_t){plan->ddl->commit_ts, false};
    chain->after = after;
    plan_put(plan, &chain->current, after, stays);
}

static sluice_error_t finish_chain(plan_t *plan, chain_t *chain)
{
    bool was_inside = is_in_sink(plan, chain);
    bool is_inside = plan_takes(plan, &chain->current);
    if (is_same_name(&chain->origin, &chain->current)) {
        if (chain->before.definition)
            plan_put(plan, &chain->origin, table_definition_ref(chain->before.definition),
                     chain->before.is_delivered);
        return SLUICE_OK;
    }
    if (!was_inside && is_inside && is_table(chain))
        return plan_refuse_entry(plan, &chain->origin, &chain->current);
    if (!chain->before.definition)
        return SLUICE_OK;
    put_renamed(plan, chain, was_inside && is_inside);
    plan_follow_references(plan, chain->before.definition, chain->after,
                           plan_identity_sources(plan, chain->after->column_count));
    if (!plan_is_carried(chain->before))
        return SLUICE_OK;
    plan_influence(plan, chain->before.definition->table_id);
    plan_neighbours(plan, chain->before.definition);
    if (is_inside) {
        add_move(plan, chain);
        plan_change(plan, TABLE_RENAMED, chain->before.definition, chain->after,
                    plan_identity_sources(plan, chain->after->column_count));
    } else {
        plan_drop(plan, chain->before.definition);
        plan_change(plan, TABLE_LEFT_FILTER, chain->before.definition, chain->after, NULL);
    }
    return SLUICE_OK;
}

sluice_error_t plan_rename(plan_t *plan)
{
    const statement_t *statement = &plan->statement;
    list_t chains = {0};
    text_builder_t text;
    uint32_t kept = 0;
    text_builder_init(&text, plan->arena);
    for (uint32_t i = 0; i < statement->name_count; i++) {
        chain_t *chain = chain_of(plan, &chains, &statement->names[i]);
        if (!chain->before.definition && statement->if_exists)
            continue; /* It did not exist, so nothing was renamed. */
        chain->current = statement->targets[i];
        if (!is_in_sink(plan, chain))
            continue;
        text_add(&text, kept++                 ? ", "
                        : statement->if_exists ? "RENAME TABLE IF EXISTS "
                                               : "RENAME TABLE ");
        text_add_qualified(&text, statement->names[i].schema, statement->names[i].name);
        text_add(&text, " TO ");
        text_add_qualified(&text, statement->targets[i].schema, statement->targets[i].name);
    }
    chain_t *items = chains.items;
    for (uint32_t i = 0; i < chains.count; i++)
        if (items[i].before.definition)
            plan_put(plan, &items[i].origin, NULL, false);
    for (uint32_t i = 0; i < chains.count; i++) {
        sluice_error_t error = finish_chain(plan, &items[i]);
        if (error != SLUICE_OK)
            return error;
    }
    if (kept == 0)
        return SLUICE_OK;
    plan->verb = DDL_RENAME_TABLE;
    plan_influence(plan, TABLE_ID_TRIGGER);
    if (kept < statement->name_count)
        plan->rewritten = text_finish(&text);
    return SLUICE_OK;
}
