#include "dispatcher/core/ddl/plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include "dispatcher/core/ddl/cascade_option.h"

/* OPTION_EXPLICIT_DEF_TIMESTAMP among the flags of a Query event, as a 10.11 server writes it. */
#define OPTION_EXPLICIT_TIMESTAMP (1u << 24)

/* ---- state ---- */

plan_find_t plan_find(const plan_t *plan, const object_name_t *name)
{
    const plan_table_t *tables = plan->tables.items;
    for (uint32_t i = plan->tables.count; i > 0; i--)
        if (strcmp(tables[i - 1].name, name->name) == 0 &&
            strcmp(tables[i - 1].schema, name->schema) == 0)
            return (plan_find_t){tables[i - 1].definition, tables[i - 1].is_delivered};
    const table_version_t *version = schema_store_table(
        plan->tracker->store, bytes_of_text(name->schema), bytes_of_text(name->name));
    return version ? (plan_find_t){version->definition, version->is_delivered}
                   : (plan_find_t){NULL, false};
}

void plan_put(plan_t *plan, const object_name_t *name, const table_definition_t *definition,
              bool is_delivered)
{
    plan_table_t *table = list_add(&plan->tables, sizeof *table, plan->arena);
    *table = (plan_table_t){name->schema, name->name, definition, is_delivered};
}

void plan_put_schema(plan_t *plan, const char *schema, bool exists, charset_choice_t charset)
{
    plan_schema_t *item = list_add(&plan->schemas, sizeof *item, plan->arena);
    *item = (plan_schema_t){schema, exists, charset};
}

charset_choice_t plan_schema_charset(const plan_t *plan, const char *schema)
{
    const schema_version_t *version =
        schema_store_schema(plan->tracker->store, bytes_of_text(schema));
    if (version && version->charset.charset)
        return version->charset;
    const ddl_context_t *context = &plan->ddl->context;
    if (context->collation_database && context->default_schema &&
        strcmp(context->default_schema, schema) == 0) {
        charset_choice_t choice = collation_by_id(context->collation_database, plan->arena);
        if (choice.charset)
            return choice;
    }
    return plan->tracker->default_charset;
}

definition_context_t plan_definition_context(const plan_t *plan, const char *schema)
{
    const ddl_context_t *context = &plan->ddl->context;
    bool is_explicit =
        !context->has_option_flags || (context->option_flags & OPTION_EXPLICIT_TIMESTAMP);
    return (definition_context_t){.schema_charset = plan_schema_charset(plan, schema),
                                  .explicit_timestamp_defaults = is_explicit};
}

bool plan_takes(const plan_t *plan, const object_name_t *name)
{
    return table_filter_takes(plan->tracker->options.filter, bytes_of_text(name->schema),
                              bytes_of_text(name->name));
}

object_name_t plan_name_of(const table_definition_t *definition)
{
    return (object_name_t){definition->schema, definition->name};
}

bool plan_is_carried(plan_find_t found)
{
    return found.definition && found.is_delivered && !found.definition->is_view &&
           !found.definition->is_sequence;
}

/* ---- the event ---- */

static bool has_id(const list_t *ids, table_id_t table_id)
{
    const table_id_t *items = ids->items;
    for (uint32_t i = 0; i < ids->count; i++)
        if (items[i].v == table_id.v)
            return true;
    return false;
}

static void add_id(plan_t *plan, list_t *ids, table_id_t table_id)
{
    if (!has_id(ids, table_id))
        *(table_id_t *)list_add(ids, sizeof table_id, plan->arena) = table_id;
}

void plan_influence(plan_t *plan, table_id_t table_id)
{
    plan->has_event = true;
    add_id(plan, &plan->influence_ids, table_id);
}

void plan_influence_all(plan_t *plan)
{
    plan->has_event = true;
    plan->influence.kind = INFLUENCE_ALL;
}

void plan_drop(plan_t *plan, const table_definition_t *definition)
{
    add_id(plan, &plan->dropped, definition->table_id);
}

void plan_change(plan_t *plan, table_change_kind_t kind, const table_definition_t *before,
                 const table_definition_t *after, const uint32_t *column_sources)
{
    plan_change_t *change = list_add(&plan->changes, sizeof *change, plan->arena);
    *change = (plan_change_t){kind, before, after, column_sources};
}

static bool references(const table_definition_t *child, const table_definition_t *parent)
{
    for (uint32_t i = 0; i < child->foreign_key_count; i++)
        if (strcmp(child->foreign_keys[i].referenced_table, parent->name) == 0 &&
            strcmp(child->foreign_keys[i].referenced_schema, parent->schema) == 0)
            return true;
    return false;
}

static bool is_new(const plan_t *plan, table_id_t table_id)
{
    const table_definition_t *const *added = plan->added.items;
    for (uint32_t i = 0; i < plan->added.count; i++)
        if (added[i]->table_id.v == table_id.v)
            return true;
    return false;
}

static void influence_old(plan_t *plan, plan_find_t found)
{
    if (plan_is_carried(found) && !is_new(plan, found.definition->table_id))
        plan_influence(plan, found.definition->table_id);
}

void plan_neighbours(plan_t *plan, const table_definition_t *definition)
{
    for (uint32_t i = 0; i < definition->foreign_key_count; i++) {
        object_name_t parent = {definition->foreign_keys[i].referenced_schema,
                                definition->foreign_keys[i].referenced_table};
        influence_old(plan, plan_find(plan, &parent));
    }
    size_t position = 0;
    const table_version_t *version;
    while ((version = schema_store_next_table(plan->tracker->store, COMMIT_TS_MAX, &position)))
        if (references(version->definition, definition))
            influence_old(plan, (plan_find_t){version->definition, version->is_delivered});
}

bool plan_has_neighbours_outside(const plan_t *plan, const char *schema)
{
    size_t position = 0;
    const table_version_t *version;
    while ((version = schema_store_next_table(plan->tracker->store, COMMIT_TS_MAX, &position))) {
        const table_definition_t *child = version->definition;
        for (uint32_t i = 0; version->is_delivered && i < child->foreign_key_count; i++) {
            object_name_t parent = {child->foreign_keys[i].referenced_schema,
                                    child->foreign_keys[i].referenced_table};
            bool is_child_inside = strcmp(child->schema, schema) == 0;
            bool is_parent_inside = strcmp(parent.schema, schema) == 0;
            if (is_child_inside != is_parent_inside &&
                (is_parent_inside || plan_is_carried(plan_find(plan, &parent))))
                return true;
        }
    }
    return false;
}

void plan_identify(plan_t *plan, table_definition_t *definition, bool by_select)
{
    commit_ts_t ts = plan->ddl->commit_ts;
    definition->table_id =
        table_id_derive(bytes_of_text(definition->schema), bytes_of_text(definition->name), ts);
    definition->created = definition->version = ts;
    definition->created_by_select = by_select;
    definition->last_change = EVENT_KEY_NONE;
}

/* ---- what a person reads ---- */

static void set_warning(plan_t *plan, const char *format, va_list arguments)
{
    vsnprintf(plan->outcome->warning, sizeof plan->outcome->warning, format, arguments);
}

void plan_warn(plan_t *plan, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    set_warning(plan, format, arguments);
    va_end(arguments);
}

sluice_error_t plan_pass_over(plan_t *plan, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    set_warning(plan, format, arguments);
    va_end(arguments);
    plan->outcome->kind = SCHEMA_WARNED;
    return SLUICE_OK;
}

sluice_error_t plan_refuse_entry(plan_t *plan, const object_name_t *from, const object_name_t *to)
{
    const char *rule = table_filter_deciding_rule(
        plan->tracker->options.filter, bytes_of_text(to->schema), bytes_of_text(to->name));
    return error_report_set(
        plan->report, SLUICE_ERROR_ENTERS_FILTER,
        "rows of %s.%s, which the filter leaves out, come into %s.%s, which rule '%s' takes; they "
        "are not in the log. Add a rule that takes `%s`.`%s` and create the changefeed anew from a "
        "fresh dump",
        from->schema, from->name, to->schema, to->name, rule ? rule : "", from->schema, from->name);
}

static bool had_cascade(const table_definition_t *before, const foreign_key_t *key)
{
    for (uint32_t i = 0; before && i < before->foreign_key_count; i++)
        if (strcasecmp(before->foreign_keys[i].name, key->name) == 0)
            return true;
    return false;
}

static bool is_cascading(const foreign_key_t *key)
{
    return key->on_delete != REFERENCE_RESTRICT || key->on_update != REFERENCE_RESTRICT;
}

const foreign_key_t *schema_cascading_foreign_key(const table_definition_t *definition)
{
    for (uint32_t i = 0; i < definition->foreign_key_count; i++)
        if (is_cascading(&definition->foreign_keys[i]))
            return &definition->foreign_keys[i];
    return NULL;
}

sluice_error_t plan_check_cascades(plan_t *plan, const table_definition_t *before,
                                   const table_definition_t *after)
{
    if (cascade_option_allows(plan->tracker->options.allowed_cascades, after->schema, after->name))
        return SLUICE_OK;
    for (uint32_t i = 0; i < after->foreign_key_count; i++) {
        const foreign_key_t *key = &after->foreign_keys[i];
        if (is_cascading(key) && !had_cascade(before, key))
            return error_report_set(
                plan->report, SLUICE_ERROR_DDL_UNSUPPORTED,
                "foreign key `%s` of %s.%s changes rows of its own accord (ON DELETE or ON UPDATE "
                "other than RESTRICT), which the log does not carry. Drop the action, or set the "
                "changefeed's option allow-cascade to %s.%s and accept that such changes are "
                "missing",
                key->name, after->schema, after->name, after->schema, after->name);
    }
    return SLUICE_OK;
}

sluice_error_t plan_unknown(plan_t *plan)
{
    plan->verb = DDL_UNKNOWN;
    plan_influence_all(plan);
    plan_warn(plan, "statement not understood, everything stops while it runs as it is: %.*s",
              (int)(plan->utf8.len < 300 ? plan->utf8.len : 300), (const char *)plan->utf8.data);
    return SLUICE_OK;
}

/* ---- references ---- */

const uint32_t *plan_identity_sources(plan_t *plan, uint32_t count)
{
    uint32_t *sources = arena_calloc(plan->arena, count, sizeof *sources);
    for (uint32_t i = 0; i < count; i++)
        sources[i] = i;
    return sources;
}

static const char *column_now(const table_definition_t *before, const table_definition_t *after,
                              const uint32_t *column_sources, const char *name)
{
    int index = table_definition_find_column(before, bytes_of_text(name));
    for (uint32_t i = 0; index >= 0 && i < after->column_count; i++)
        if (column_sources[i] == (uint32_t)index)
            return after->columns[i].name;
    return name;
}

void plan_follow_references(plan_t *plan, const table_definition_t *before,
                            const table_definition_t *after, const uint32_t *column_sources)
{
    plan_followed_t *followed = list_add(&plan->followed, sizeof *followed, plan->arena);
    *followed = (plan_followed_t){before, after, column_sources};
}

static const plan_followed_t *followed_of(const plan_t *plan, const foreign_key_t *key)
{
    const plan_followed_t *items = plan->followed.items;
    for (uint32_t i = 0; i < plan->followed.count; i++)
        if (strcmp(key->referenced_table, items[i].before->name) == 0 &&
            strcmp(key->referenced_schema, items[i].before->schema) == 0)
            return &items[i];
    return NULL;
}

/* `child` with its references turned to what they name now; NULL when nothing changes. */
static table_definition_t *follow(plan_t *plan, const table_definition_t *child)
{
    bool changed = false;
    table_definition_t head = *child;
    foreign_key_t *keys = arena_calloc(plan->arena, child->foreign_key_count, sizeof *keys);
    for (uint32_t i = 0; i < child->foreign_key_count; i++) {
        foreign_key_t *key = &keys[i];
        *key = child->foreign_keys[i];
        const plan_followed_t *to = followed_of(plan, key);
        if (!to)
            continue;
        const char **columns = arena_calloc(plan->arena, key->column_count, sizeof *columns);
        for (uint32_t j = 0; j < key->column_count; j++) {
            columns[j] =
                column_now(to->before, to->after, to->column_sources, key->referenced_columns[j]);
            changed = changed || strcmp(columns[j], key->referenced_columns[j]) != 0;
        }
        changed = changed || strcmp(to->before->name, to->after->name) != 0 ||
                  strcmp(to->before->schema, to->after->schema) != 0;
        key->referenced_columns = columns;
        key->referenced_schema = to->after->schema;
        key->referenced_table = to->after->name;
    }
    head.foreign_keys = keys;
    return changed ? table_definition_clone(&head) : NULL;
}

/* The table as the plan has it now; definition NULL when the plan took it away. */
static plan_find_t find_now(const plan_t *plan, const table_version_t *version)
{
    const plan_table_t *tables = plan->tables.items;
    for (uint32_t i = plan->tables.count; i > 0; i--)
        if (tables[i - 1].definition &&
            tables[i - 1].definition->table_id.v == version->definition->table_id.v)
            return (plan_find_t){tables[i - 1].definition, tables[i - 1].is_delivered};
    object_name_t name = plan_name_of(version->definition);
    plan_find_t found = plan_find(plan, &name);
    return found.definition == version->definition ? found : (plan_find_t){NULL, false};
}

void plan_finish_references(plan_t *plan)
{
    size_t position = 0;
    const table_version_t *version;
    if (plan->followed.count == 0)
        return;
    while ((version = schema_store_next_table(plan->tracker->store, COMMIT_TS_MAX, &position))) {
        plan_find_t now = version->definition->foreign_key_count ? find_now(plan, version)
                                                                 : (plan_find_t){NULL, false};
        const table_definition_t *followed = now.definition ? follow(plan, now.definition) : NULL;
        if (!followed)
            continue;
        object_name_t name = plan_name_of(followed);
        plan_put(plan, &name, followed, now.is_delivered);
        plan_change_t *changes = plan->changes.items;
        for (uint32_t i = 0; i < plan->changes.count; i++)
            if (changes[i].after == now.definition && changes[i].kind != TABLE_TRUNCATED)
                changes[i].after = followed;
    }
}
