/* Columns of an ALTER TABLE. What drops or changes a column means a column of the table as it was;
 * what adds one, and AFTER, means the table as it becomes. */
#include <strings.h>

#include "dispatcher/core/ddl/draft.h"

uint32_t draft_find_column(const draft_t *draft, const char *name)
{
    for (uint32_t i = 0; i < draft->columns.count; i++) {
        const draft_column_t *column = draft_column(draft, i);
        if (!column->is_dropped && strcasecmp(column->definition.name, name) == 0)
            return i;
    }
    return DRAFT_NOWHERE;
}

/* By its name in the table as it was. */
static uint32_t find_old_column(const draft_t *draft, const char *name)
{
    if (!draft->before)
        return DRAFT_NOWHERE;
    int index = table_definition_find_column(draft->before, bytes_of_text(name));
    return index < 0 ? DRAFT_NOWHERE : (uint32_t)index;
}

static void replace_column(draft_t *draft, draft_column_t *column, const column_syntax_t *syntax)
{
    column->definition = draft_resolve_column(draft, syntax);
    column->is_written = true;
}

static void change_column(draft_t *draft, const table_action_t *action, draft_column_t *column)
{
    switch ((int)action->kind) {
    case ACTION_DROP_COLUMN:
        column->is_dropped = true;
        break;
    case ACTION_MODIFY_COLUMN:
    case ACTION_CHANGE_COLUMN:
        replace_column(draft, column, action->column);
        break;
    case ACTION_RENAME_COLUMN:
        column->definition.name = action->new_name;
        break;
    case ACTION_SET_DEFAULT:
        draft_set_default(draft, &column->definition, &action->default_value);
        break;
    case ACTION_DROP_DEFAULT:
        column->definition.default_kind =
            column->definition.flags & COLUMN_NOT_NULL ? DEFAULT_NONE : DEFAULT_NULL;
        column->definition.default_value = NULL;
        break;
    }
}

static bool concerns_old_column(const table_action_t *action)
{
    return action->kind == ACTION_DROP_COLUMN || action->kind == ACTION_MODIFY_COLUMN ||
           action->kind == ACTION_CHANGE_COLUMN || action->kind == ACTION_RENAME_COLUMN ||
           action->kind == ACTION_SET_DEFAULT || action->kind == ACTION_DROP_DEFAULT;
}

sluice_error_t draft_change_columns(draft_t *draft, const table_action_t *actions, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const table_action_t *action = &actions[i];
        if (!concerns_old_column(action))
            continue;
        uint32_t place = find_old_column(draft, action->name);
        if (place != DRAFT_NOWHERE)
            change_column(draft, action, draft_column(draft, place));
        else if (!action->if_exists)
            return draft_refuse(draft, "the table has no column `%s`", action->name);
    }
    return SLUICE_OK;
}

/* ---- order ---- */

static uint32_t *order_at(const draft_t *draft, uint32_t index)
{
    return (uint32_t *)draft->order.items + index;
}

/* Inserts `place` so that it is number `index` in the order. */
static void insert_order(draft_t *draft, uint32_t index, uint32_t place)
{
    list_add(&draft->order, sizeof(uint32_t), draft->arena);
    memmove(order_at(draft, index + 1), order_at(draft, index),
            (draft->order.count - 1 - index) * sizeof(uint32_t));
    *order_at(draft, index) = place;
}

/* Hidden columns stay behind all others. */
static uint32_t end_of_order(const draft_t *draft)
{
    uint32_t index = draft->order.count;
    while (index > 0 &&
           (draft_column(draft, *order_at(draft, index - 1))->definition.flags & COLUMN_HIDDEN))
        index--;
    return index;
}

/* A column that is moved leaves its place only when its turn comes. */
static void remove_order(draft_t *draft, uint32_t place)
{
    for (uint32_t i = 0; i < draft->order.count; i++) {
        if (*order_at(draft, i) != place)
            continue;
        memmove(order_at(draft, i), order_at(draft, i + 1),
                (draft->order.count - 1 - i) * sizeof(uint32_t));
        draft->order.count--;
        return;
    }
}

static sluice_error_t place_column(draft_t *draft, const column_syntax_t *syntax, uint32_t place)
{
    remove_order(draft, place);
    uint32_t index = end_of_order(draft);
    if (syntax->place == PLACE_FIRST) {
        index = 0;
    } else if (syntax->place == PLACE_AFTER) {
        uint32_t after = draft_find_column(draft, syntax->after);
        for (index = 0; index < draft->order.count; index++)
            if (*order_at(draft, index) == after)
                break;
        if (index == draft->order.count)
            return draft_refuse(draft, "the table has no column `%s` to stand behind",
                                syntax->after);
        index++;
    }
    insert_order(draft, index, place);
    return SLUICE_OK;
}

static sluice_error_t add_column(draft_t *draft, const table_action_t *action)
{
    const column_syntax_t *syntax = action->column;
    if (draft_find_column(draft, syntax->name) != DRAFT_NOWHERE) {
        if (action->if_not_exists)
            return SLUICE_OK;
        return draft_refuse(draft, "the table has a column `%s` already", syntax->name);
    }
    draft_column_t *column = list_add(&draft->columns, sizeof *column, draft->arena);
    column->source = COLUMN_SOURCE_NEW;
    replace_column(draft, column, syntax);
    return place_column(draft, syntax, draft->columns.count - 1);
}

sluice_error_t draft_add_columns(draft_t *draft, const table_action_t *actions, uint32_t count)
{
    for (uint32_t i = 0; i < draft->columns.count; i++) {
        const draft_column_t *column = draft_column(draft, i);
        if (!column->is_dropped)
            insert_order(draft, draft->order.count, i);
    }
    for (uint32_t i = 0; i < count; i++) {
        sluice_error_t error = SLUICE_OK;
        if (actions[i].kind == ACTION_ADD_COLUMN) {
            error = add_column(draft, &actions[i]);
        } else if ((actions[i].kind == ACTION_MODIFY_COLUMN ||
                    actions[i].kind == ACTION_CHANGE_COLUMN) &&
                   actions[i].column->place != PLACE_UNSAID) {
            uint32_t place = find_old_column(draft, actions[i].name);
            if (place != DRAFT_NOWHERE)
                error = place_column(draft, actions[i].column, place);
        }
        if (error != SLUICE_OK)
            return error;
    }
    return SLUICE_OK;
}

void draft_add_hidden_columns(draft_t *draft)
{
    static const char *const names[] = {"row_start", "row_end"};
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t flags = i == 0 ? COLUMN_ROW_START : COLUMN_ROW_END;
        for (uint32_t j = 0; j < draft->columns.count; j++) {
            const draft_column_t *column = draft_column(draft, j);
            if (!column->is_dropped && (column->definition.flags & flags))
                return;
        }
        draft_column_t *column = list_add(&draft->columns, sizeof *column, draft->arena);
        column->source = COLUMN_SOURCE_NEW;
        column->definition = (column_definition_t){.name = names[i],
                                                   .type = COLUMN_TIMESTAMP,
                                                   .fsp = 6,
                                                   .flags = flags | COLUMN_NOT_NULL |
                                                            COLUMN_INVISIBLE | COLUMN_HIDDEN};
        insert_order(draft, draft->order.count, draft->columns.count - 1);
    }
}
