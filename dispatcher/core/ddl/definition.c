#include "dispatcher/core/ddl/definition.h"

#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include "dispatcher/core/ddl/draft.h"
#include "dispatcher/core/ddl/draft_partitions.h"

sluice_error_t draft_refuse(draft_t *draft, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return error_report_set(draft->report, SLUICE_ERROR_DDL_UNSUPPORTED, "%s.%s: %s",
                            draft->after->schema, draft->after->name, text);
}

/* ---- the table's head ---- */

static void set_charset(draft_t *draft, const table_action_t *action)
{
    bool is_unsaid = !action->charset && !action->collation;
    draft->charset =
        is_unsaid ? draft->context->schema_charset
                  : charset_choose(action->charset, action->collation,
                                   draft->before ? draft->charset : draft->context->schema_charset,
                                   draft->arena);
}

static void change_head(draft_t *draft, const table_action_t *action)
{
    table_definition_t *after = draft->after;
    switch ((int)action->kind) {
    case ACTION_SET_CHARSET:
    case ACTION_CONVERT_CHARSET:
        set_charset(draft, action);
        break;
    case ACTION_SET_ENGINE:
        after->engine = action->text;
        break;
    case ACTION_SET_COMMENT:
        after->comment = *action->text ? action->text : NULL;
        break;
    case ACTION_SET_OPTION:
        draft_set_option(draft, action->name, action->text);
        if (strcasecmp(action->name, "SEQUENCE") == 0)
            after->is_sequence = strcmp(action->text, "0") != 0;
        break;
    case ACTION_RENAME_TABLE:
        after->schema = action->table.schema;
        after->name = action->table.name;
        break;
    case ACTION_ADD_VERSIONING:
        after->is_system_versioned = true;
        break;
    case ACTION_DROP_VERSIONING:
        after->is_system_versioned = false;
        break;
    case ACTION_ADD_PERIOD:
    case ACTION_DROP_PERIOD:
        draft_change_periods(draft, action);
        break;
    }
}

/* ---- from and to a definition ---- */

static void draft_open(draft_t *draft)
{
    const table_definition_t *before = draft->before;
    *draft->after = (table_definition_t){.schema = "", .name = ""};
    draft->charset = draft->context->schema_charset;
    if (!before)
        return;
    table_definition_copy_fields(draft->after, before);
    draft->charset = (charset_choice_t){before->charset, before->collation};
    for (uint32_t i = 0; i < before->column_count; i++) {
        draft_column_t *column = list_add(&draft->columns, sizeof *column, draft->arena);
        column->definition = before->columns[i];
        column->source = i;
    }
    for (uint32_t i = 0; i < before->key_count; i++) {
        draft_key_t *key = list_add(&draft->keys, sizeof *key, draft->arena);
        key->definition = before->keys[i];
    }
    for (uint32_t i = 0; i < before->foreign_key_count; i++) {
        draft_foreign_key_t *key = list_add(&draft->foreign_keys, sizeof *key, draft->arena);
        key->definition = before->foreign_keys[i];
    }
    for (uint32_t i = 0; i < before->check_count; i++) {
        draft_check_t *check = list_add(&draft->checks, sizeof *check, draft->arena);
        check->name = before->checks[i];
        check->expression = before->check_expressions ? before->check_expressions[i] : NULL;
    }
    draft_read_periods(draft, before->period_text);
    draft_read_options(draft, before->options);
}

/* Automatic names of foreign keys follow the table's. */
static void follow_rename(draft_t *draft)
{
    if (!draft->before || strcmp(draft->before->name, draft->after->name) == 0)
        return;
    const char *old_prefix = arena_printf(draft->arena, "%s_ibfk_", draft->before->name);
    draft_foreign_key_t *keys = draft->foreign_keys.items;
    for (uint32_t i = 0; i < draft->foreign_keys.count; i++) {
        const char *name = keys[i].definition.name;
        if (name && strncmp(name, old_prefix, strlen(old_prefix)) == 0)
            keys[i].definition.name = arena_printf(draft->arena, "%s_ibfk_%s", draft->after->name,
                                                   name + strlen(old_prefix));
    }
}

/* Versioned rows of a table that names its period columns are told apart by their end. */
static void extend_versioned_keys(draft_t *draft)
{
    uint32_t end = DRAFT_NOWHERE;
    for (uint32_t i = 0; i < draft->columns.count; i++) {
        const draft_column_t *column = draft_column(draft, i);
        if (!column->is_dropped && (column->definition.flags & COLUMN_ROW_END) &&
            !(column->definition.flags & COLUMN_HIDDEN))
            end = i;
    }
    if (!draft->after->is_system_versioned || end == DRAFT_NOWHERE)
        return;
    for (uint32_t i = 0; i < draft->keys.count; i++) {
        key_definition_t *key = &draft_key(draft, i)->definition;
        bool has_end = key->kind != KEY_PRIMARY && key->kind != KEY_UNIQUE;
        for (uint32_t j = 0; j < key->part_count; j++)
            has_end = has_end || key->parts[j].column == end;
        if (has_end)
            continue;
        key_part_t *parts = arena_calloc(draft->arena, key->part_count + 1, sizeof *parts);
        memcpy(parts, key->parts, key->part_count * sizeof *parts);
        parts[key->part_count++].column = end;
        key->parts = parts;
    }
}

static void close_columns(draft_t *draft, uint32_t *new_places, uint32_t *sources)
{
    const uint32_t *order = draft->order.items;
    column_definition_t *columns = arena_calloc(draft->arena, draft->order.count, sizeof *columns);
    for (uint32_t i = 0; i < draft->order.count; i++) {
        columns[i] = draft_column(draft, order[i])->definition;
        sources[i] = draft_column(draft, order[i])->source;
        new_places[order[i]] = i;
    }
    draft->after->columns = columns;
    draft->after->column_count = draft->order.count;
}

static void close_keys(draft_t *draft, const uint32_t *new_places)
{
    key_definition_t *keys = arena_calloc(draft->arena, draft->keys.count, sizeof *keys);
    uint32_t count = 0;
    for (uint32_t i = 0; i < draft->keys.count; i++) {
        const key_definition_t *key = &draft_key(draft, i)->definition;
        key_part_t *parts = arena_calloc(draft->arena, key->part_count, sizeof *parts);
        for (uint32_t j = 0; j < key->part_count; j++) {
            parts[j] = key->parts[j];
            parts[j].column = new_places[key->parts[j].column];
        }
        keys[count] = *key;
        keys[count++].parts = parts;
    }
    draft->after->keys = keys;
    draft->after->key_count = count;
}

static void close_constraints(draft_t *draft, const uint32_t *new_places)
{
    const draft_foreign_key_t *from = draft->foreign_keys.items;
    foreign_key_t *keys = arena_calloc(draft->arena, draft->foreign_keys.count, sizeof *keys);
    uint32_t count = 0;
    for (uint32_t i = 0; i < draft->foreign_keys.count; i++) {
        if (from[i].is_dropped)
            continue;
        const foreign_key_t *key = &from[i].definition;
        uint32_t *columns = arena_calloc(draft->arena, key->column_count, sizeof *columns);
        for (uint32_t j = 0; j < key->column_count; j++)
            columns[j] = new_places[key->columns[j]];
        keys[count] = *key;
        keys[count++].columns = columns;
    }
    draft->after->foreign_keys = keys;
    draft->after->foreign_key_count = count;

    const draft_check_t *checks = draft->checks.items;
    const char **names = arena_calloc(draft->arena, draft->checks.count, sizeof *names);
    const char **texts = arena_calloc(draft->arena, draft->checks.count, sizeof *texts);
    count = 0;
    for (uint32_t i = 0; i < draft->checks.count; i++) {
        if (checks[i].is_dropped)
            continue;
        names[count] = checks[i].name;
        texts[count++] = checks[i].expression;
    }
    draft->after->checks = names;
    draft->after->check_expressions = texts;
    draft->after->check_count = count;
}

/* CREATE TABLE with a column WITH SYSTEM VERSIONING: the table is versioned, for those columns. */
static void version_by_columns(draft_t *draft, const table_action_t *actions, uint32_t count)
{
    bool found = false;
    for (uint32_t i = 0; i < count; i++)
        found = found || (actions[i].column && actions[i].column->is_versioned);
    if (!found || draft->before || draft->after->is_system_versioned)
        return;
    draft->after->is_system_versioned = true;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t place = actions[i].column && !actions[i].column->is_versioned
                             ? draft_find_column(draft, actions[i].column->name)
                             : DRAFT_NOWHERE;
        if (place != DRAFT_NOWHERE)
            draft_column(draft, place)->definition.flags |= COLUMN_WITHOUT_VERSIONING;
    }
}

static void close_versioning(draft_t *draft)
{
    if (draft->after->is_system_versioned) {
        draft_add_hidden_columns(draft);
        return;
    }
    list_t order = {0};
    const uint32_t *places = draft->order.items;
    for (uint32_t i = 0; i < draft->order.count; i++)
        if (!(draft_column(draft, places[i])->definition.flags & COLUMN_HIDDEN))
            *(uint32_t *)list_add(&order, sizeof(uint32_t), draft->arena) = places[i];
    draft->order = order;
}

static const uint32_t *draft_close(draft_t *draft, const table_action_t *actions, uint32_t count)
{
    draft_finish_periods(draft);
    follow_rename(draft);
    version_by_columns(draft, actions, count);
    close_versioning(draft);
    extend_versioned_keys(draft);
    draft_finish_keys(draft);
    uint32_t *new_places = arena_calloc(draft->arena, draft->columns.count, sizeof *new_places);
    uint32_t *sources = arena_calloc(draft->arena, draft->order.count, sizeof *sources);
    close_columns(draft, new_places, sources);
    close_keys(draft, new_places);
    close_constraints(draft, new_places);
    draft->after->charset = draft->charset.charset;
    draft->after->collation = draft->charset.collation;
    draft->after->options = draft_options_text(draft);
    draft->after->period_text = draft_periods_text(draft);
    draft->after->partition_text = partition_text_after(
        draft->before ? draft->before->partition_text : NULL, actions, count, draft->arena);
    return sources;
}

static void convert_columns(draft_t *draft, const table_action_t *actions, uint32_t count)
{
    bool converts = false;
    for (uint32_t i = 0; i < count; i++)
        converts = converts || actions[i].kind == ACTION_CONVERT_CHARSET;
    for (uint32_t i = 0; converts && i < draft->columns.count; i++) {
        draft_column_t *column = draft_column(draft, i);
        draft_convert_column(&column->definition, draft->charset, !column->is_written);
    }
}

sluice_error_t definition_apply(const table_definition_t *before, const char *schema,
                                const char *name, const table_action_t *actions,
                                uint32_t action_count, const definition_context_t *context,
                                arena_t *arena, table_definition_t **after,
                                const uint32_t **column_sources, error_report_t *report)
{
    table_definition_t head;
    draft_t draft = {
        .arena = arena, .context = context, .report = report, .before = before, .after = &head};
    *after = NULL;
    draft_open(&draft);
    if (!before) {
        head.schema = schema;
        head.name = name;
    }
    if (action_count > DEFINITION_ACTIONS_MAX)
        return draft_refuse(&draft, "%u parts in one statement", action_count);
    for (uint32_t i = 0; i < action_count; i++) {
        const column_syntax_t *column = actions[i].column;
        if (column && column->written.type == COLUMN_TIMESTAMP && !draft.first_timestamp)
            draft.first_timestamp = column;
        change_head(&draft, &actions[i]);
    }
    sluice_error_t error = draft_change_columns(&draft, actions, action_count);
    if (error == SLUICE_OK) {
        draft_rename_in_expressions(&draft);
        error = draft_add_columns(&draft, actions, action_count);
        convert_columns(&draft, actions, action_count);
    }
    if (error == SLUICE_OK)
        error = draft_drop_keys(&draft, actions, action_count);
    if (error == SLUICE_OK)
        error = draft_add_keys(&draft, actions, action_count);
    if (error != SLUICE_OK)
        return error;
    *column_sources = draft_close(&draft, actions, action_count);
    *after = table_definition_clone(&head);
    return SLUICE_OK;
}

table_definition_t *definition_like(const table_definition_t *source, const char *schema,
                                    const char *name)
{
    table_definition_t head;
    table_definition_copy_fields(&head, source);
    head.schema = schema;
    head.name = name;
    head.foreign_keys = NULL;
    head.foreign_key_count = 0;
    head.table_id = (table_id_t){0};
    head.created = head.version = COMMIT_TS_NONE;
    head.created_by_select = false;
    head.last_change = EVENT_KEY_NONE;
    return table_definition_clone(&head);
}

table_definition_t *definition_renamed(const table_definition_t *from, const char *schema,
                                       const char *name)
{
    arena_t arena;
    arena_init(&arena);
    table_definition_t head;
    table_definition_copy_fields(&head, from);
    head.schema = schema;
    head.name = name;
    foreign_key_t *keys = arena_calloc(&arena, from->foreign_key_count, sizeof *keys);
    const char *old_prefix = arena_printf(&arena, "%s_ibfk_", from->name);
    for (uint32_t i = 0; i < from->foreign_key_count; i++) {
        keys[i] = from->foreign_keys[i];
        if (strncmp(keys[i].name, old_prefix, strlen(old_prefix)) == 0)
            keys[i].name =
                arena_printf(&arena, "%s_ibfk_%s", name, keys[i].name + strlen(old_prefix));
    }
    head.foreign_keys = keys;
    table_definition_t *after = table_definition_clone(&head);
    arena_clear(&arena);
    return after;
}
