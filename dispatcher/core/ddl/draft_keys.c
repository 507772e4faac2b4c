/* Keys, foreign keys and checks of a table under change: names that are left out, indexes that a
 * foreign key brings along, the order in which MariaDB keeps keys. */
#include <strings.h>

#include "dispatcher/core/ddl/draft.h"

draft_key_t *draft_find_key(const draft_t *draft, const char *name)
{
    for (uint32_t i = 0; i < draft->keys.count; i++) {
        draft_key_t *key = draft_key(draft, i);
        if (!key->is_dropped && key->definition.name && strcasecmp(key->definition.name, name) == 0)
            return key;
    }
    return NULL;
}

static draft_foreign_key_t *find_foreign_key(const draft_t *draft, const char *name)
{
    for (uint32_t i = 0; i < draft->foreign_keys.count; i++) {
        draft_foreign_key_t *key = draft_foreign_key(draft, i);
        if (!key->is_dropped && key->definition.name && strcasecmp(key->definition.name, name) == 0)
            return key;
    }
    return NULL;
}

draft_check_t *draft_find_check(const draft_t *draft, const char *name)
{
    for (uint32_t i = 0; i < draft->checks.count; i++) {
        draft_check_t *check = draft_check(draft, i);
        if (!check->is_dropped && check->name && strcasecmp(check->name, name) == 0)
            return check;
    }
    return NULL;
}

/* ---- dropping ---- */

static bool drop_named_key(draft_t *draft, const char *name)
{
    draft_key_t *key = draft_find_key(draft, name);
    if (key)
        key->is_dropped = true;
    return key != NULL;
}

static bool drop_foreign_key(draft_t *draft, const char *name)
{
    draft_foreign_key_t *key = find_foreign_key(draft, name);
    if (key)
        key->is_dropped = true;
    return key != NULL;
}

static bool drop_check(draft_t *draft, const char *name)
{
    draft_check_t *check = draft_find_check(draft, name);
    if (check)
        check->is_dropped = true;
    return check != NULL;
}

static void rename_key(draft_t *draft, const char *name, const char *new_name)
{
    draft_key_t *key = draft_find_key(draft, name);
    if (key)
        key->definition.name = new_name;
}

/* ALTER INDEX … [NOT] IGNORED; the word is the last one of the options. */
static void ignore_key(draft_t *draft, const char *name, bool is_ignored)
{
    draft_key_t *key = draft_find_key(draft, name);
    if (!key)
        return;
    const char *options = key->definition.options ? key->definition.options : "";
    size_t len = strlen(options);
    if (len >= 7 && strcasecmp(options + len - 7, "IGNORED") == 0)
        len -= len > 7 ? 8 : 7;
    options = arena_printf(draft->arena, "%.*s%s%s", (int)len, options,
                           is_ignored && len > 0 ? " " : "", is_ignored ? "IGNORED" : "");
    key->definition.options = *options ? options : NULL;
}

/* Parts of dropped columns leave their keys; a key without parts is gone. */
static void drop_parts(draft_t *draft)
{
    for (uint32_t i = 0; i < draft->keys.count; i++) {
        key_definition_t *key = &draft_key(draft, i)->definition;
        key_part_t *kept = arena_calloc(draft->arena, key->part_count, sizeof *kept);
        uint32_t count = 0;
        for (uint32_t j = 0; j < key->part_count; j++)
            if (!draft_column(draft, key->parts[j].column)->is_dropped)
                kept[count++] = key->parts[j];
        key->parts = kept;
        key->part_count = count;
        if (count == 0)
            draft_key(draft, i)->is_dropped = true;
    }
    for (uint32_t i = 0; i < draft->foreign_keys.count; i++) {
        draft_foreign_key_t *key = draft_foreign_key(draft, i);
        for (uint32_t j = 0; j < key->definition.column_count; j++)
            if (draft_column(draft, key->definition.columns[j])->is_dropped)
                key->is_dropped = true;
    }
}

sluice_error_t draft_drop_keys(draft_t *draft, const table_action_t *actions, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const table_action_t *action = &actions[i];
        bool found = true;
        if (action->kind == ACTION_DROP_PRIMARY_KEY)
            drop_named_key(draft, "PRIMARY");
        else if (action->kind == ACTION_DROP_KEY)
            found = drop_named_key(draft, action->name);
        else if (action->kind == ACTION_DROP_FOREIGN_KEY)
            found = drop_foreign_key(draft, action->name);
        else if (action->kind == ACTION_DROP_CONSTRAINT)
            found = drop_check(draft, action->name) || drop_foreign_key(draft, action->name) ||
                    drop_named_key(draft, action->name);
        else if (action->kind == ACTION_RENAME_KEY)
            rename_key(draft, action->name, action->new_name);
        else if (action->kind == ACTION_IGNORE_KEY || action->kind == ACTION_USE_KEY)
            ignore_key(draft, action->name, action->kind == ACTION_IGNORE_KEY);
        if (!found && !action->if_exists)
            return draft_refuse(draft, "the table has no key or constraint `%s`", action->name);
    }
    drop_parts(draft);
    return SLUICE_OK;
}

/* ---- adding ---- */

static const draft_period_t *find_period(const draft_t *draft, const char *name)
{
    const draft_period_t *periods = draft->periods.items;
    for (uint32_t i = 0; i < draft->periods.count; i++)
        if (strcasecmp(periods[i].name, name) == 0)
            return &periods[i];
    return NULL;
}

static sluice_error_t add_part(draft_t *draft, list_t *parts, const key_part_syntax_t *syntax)
{
    uint32_t place = draft_find_column(draft, syntax->column);
    if (place == DRAFT_NOWHERE)
        return draft_refuse(draft, "a key names column `%s`, which the table does not have",
                            syntax->column);
    key_part_t *part = list_add(parts, sizeof *part, draft->arena);
    part->column = place;
    part->is_descending = syntax->is_descending;
    part->prefix = syntax->prefix;
    return SLUICE_OK;
}

/* A period that must not overlap stands for its two columns. */
static sluice_error_t add_period_parts(draft_t *draft, list_t *parts, const char *name)
{
    const draft_period_t *period = find_period(draft, name);
    if (!period)
        return draft_refuse(draft, "a key names period `%s`, which the table does not have", name);
    key_part_syntax_t end = {.column = period->end}, start = {.column = period->start};
    sluice_error_t error = add_part(draft, parts, &end);
    return error == SLUICE_OK ? add_part(draft, parts, &start) : error;
}

static sluice_error_t add_key(draft_t *draft, const key_syntax_t *syntax, bool if_not_exists)
{
    if (if_not_exists && syntax->name && draft_find_key(draft, syntax->name))
        return SLUICE_OK;
    list_t parts = {0};
    for (uint32_t i = 0; i < syntax->part_count; i++) {
        sluice_error_t error = syntax->parts[i].is_period
                                   ? add_period_parts(draft, &parts, syntax->parts[i].column)
                                   : add_part(draft, &parts, &syntax->parts[i]);
        if (error != SLUICE_OK)
            return error;
    }
    if (syntax->name && draft_find_key(draft, syntax->name))
        return draft_refuse(draft, "the table has a key `%s` already", syntax->name);
    draft_key_t *key = list_add(&draft->keys, sizeof *key, draft->arena);
    key->definition = (key_definition_t){.kind = syntax->kind,
                                         .name = syntax->name,
                                         .parts = parts.items,
                                         .part_count = parts.count,
                                         .options = syntax->options};
    return SLUICE_OK;
}

static sluice_error_t add_column_keys(draft_t *draft, const column_syntax_t *column)
{
    key_part_syntax_t *part = arena_zalloc(draft->arena, sizeof *part);
    part->column = column->name;
    key_syntax_t key = {.parts = part, .part_count = 1};
    sluice_error_t error = SLUICE_OK;
    if (column->is_primary) {
        key.kind = KEY_PRIMARY;
        key.name = "PRIMARY";
        error = add_key(draft, &key, false);
    }
    if (error == SLUICE_OK && column->is_unique) {
        key.kind = KEY_UNIQUE;
        key.name = NULL;
        error = add_key(draft, &key, false);
    }
    return error;
}

/* A foreign key needs an index that begins with its columns. It gets one at once; if another key
 * serves as well it goes at the end. */
static void add_foreign_index(draft_t *draft, const foreign_key_syntax_t *syntax,
                              const uint32_t *columns)
{
    key_part_t *parts = arena_calloc(draft->arena, syntax->column_count, sizeof *parts);
    for (uint32_t i = 0; i < syntax->column_count; i++)
        parts[i].column = columns[i];
    draft_key_t *key = list_add(&draft->keys, sizeof *key, draft->arena);
    key->is_generated = true;
    key->definition = (key_definition_t){.kind = KEY_INDEX,
                                         .name = syntax->name,
                                         .parts = parts,
                                         .part_count = syntax->column_count};
}

static sluice_error_t add_foreign_key(draft_t *draft, const foreign_key_syntax_t *syntax,
                                      bool if_not_exists)
{
    if (if_not_exists && syntax->name && find_foreign_key(draft, syntax->name))
        return SLUICE_OK;
    uint32_t *columns = arena_calloc(draft->arena, syntax->column_count, sizeof *columns);
    for (uint32_t i = 0; i < syntax->column_count; i++) {
        columns[i] = draft_find_column(draft, syntax->columns[i]);
        if (columns[i] == DRAFT_NOWHERE)
            return draft_refuse(draft, "a foreign key names column `%s`, which is not there",
                                syntax->columns[i]);
    }
    const char *const *referenced = syntax->referenced_columns;
    if (syntax->referenced_count == 0)
        referenced = syntax->columns;
    else if (syntax->referenced_count != syntax->column_count)
        return draft_refuse(draft, "a foreign key has more columns on one side");
    const char *schema = syntax->referenced.schema;
    if (!schema)
        schema = draft->before ? draft->before->schema : draft->after->schema;
    add_foreign_index(draft, syntax, columns);
    draft_foreign_key_t *key = list_add(&draft->foreign_keys, sizeof *key, draft->arena);
    key->definition = (foreign_key_t){.name = syntax->name,
                                      .columns = columns,
                                      .column_count = syntax->column_count,
                                      .referenced_schema = schema,
                                      .referenced_table = syntax->referenced.name,
                                      .referenced_columns = referenced,
                                      .on_delete = syntax->on_delete,
                                      .on_update = syntax->on_update};
    return SLUICE_OK;
}

static void add_check(draft_t *draft, const table_action_t *action)
{
    if (action->if_not_exists && action->name && draft_find_check(draft, action->name))
        return;
    draft_check_t *check = list_add(&draft->checks, sizeof *check, draft->arena);
    check->name = action->name;
    check->expression = action->text;
}

sluice_error_t draft_add_keys(draft_t *draft, const table_action_t *actions, uint32_t count)
{
    sluice_error_t error = SLUICE_OK;
    for (uint32_t i = 0; i < count && error == SLUICE_OK; i++) {
        const table_action_t *action = &actions[i];
        if (action->kind == ACTION_ADD_KEY)
            error = add_key(draft, action->key, action->if_not_exists);
        else if (action->kind == ACTION_ADD_FOREIGN_KEY)
            error = add_foreign_key(draft, action->foreign_key, action->if_not_exists);
        else if (action->kind == ACTION_ADD_CHECK)
            add_check(draft, action);
        /* A column that was there already, or is not there (IF EXISTS), brings nothing. */
        if (error != SLUICE_OK || !action->column ||
            draft_find_column(draft, action->column->name) == DRAFT_NOWHERE)
            continue;
        error = add_column_keys(draft, action->column);
        if (error == SLUICE_OK && action->column->reference)
            error = add_foreign_key(draft, action->column->reference, false);
    }
    return error;
}
