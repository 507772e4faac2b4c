/* PARTITION clauses of ALTER TABLE on the text of the definition. A clause that cannot be followed
 * leaves the text: it is used to find what a partition held, never to decode rows. */
#include "dispatcher/core/ddl/draft_partitions.h"

#include "dispatcher/core/ddl/draft.h"
#include "dispatcher/core/ddl/partitioning.h"

/* Puts `added` in at `at`. */
static void insert_partitions(partitioning_t *all, uint32_t at, const partition_t *added,
                              uint32_t count, arena_t *arena)
{
    partition_t *grown = arena_calloc(arena, all->partition_count + count, sizeof *grown);
    if (at > 0)
        memcpy(grown, all->partitions, at * sizeof *grown);
    if (count > 0)
        memcpy(grown + at, added, count * sizeof *grown);
    if (all->partition_count > at)
        memcpy(grown + at + count, all->partitions + at,
               (all->partition_count - at) * sizeof *grown);
    all->partitions = grown;
    all->partition_count += count;
}

static void remove_partition(partitioning_t *all, uint32_t at)
{
    memmove(all->partitions + at, all->partitions + at + 1,
            (all->partition_count - at - 1) * sizeof *all->partitions);
    all->partition_count--;
}

/* Removes the named ones; gives the place of the first. */
static uint32_t remove_named(partitioning_t *all, const table_action_t *action)
{
    uint32_t first = all->partition_count;
    for (uint32_t i = 0; i < action->name_count; i++) {
        int at = partitioning_find(all, action->names[i]);
        if (at < 0)
            continue;
        if ((uint32_t)at < first)
            first = (uint32_t)at;
        remove_partition(all, (uint32_t)at);
    }
    return first < all->partition_count ? first : all->partition_count;
}

static void add_number(partitioning_t *all, uint32_t number, arena_t *arena)
{
    if (all->partition_count == 0) {
        all->number = (all->number ? all->number : 1) + number;
        return;
    }
    for (; number > 0; number--) {
        partition_t added = {arena_printf(arena, "p%u", all->partition_count), ""};
        insert_partitions(all, all->partition_count, &added, 1, arena);
    }
}

static void coalesce(partitioning_t *all, uint32_t number)
{
    if (all->partition_count == 0)
        all->number = all->number > number ? all->number - number : 1;
    else
        all->partition_count -= number < all->partition_count ? number : all->partition_count - 1;
}

/* The DEFAULT or CURRENT partition stays last. */
static uint32_t add_place(const partitioning_t *all)
{
    uint32_t at = all->partition_count;
    if (at > 0 && strcmp(all->partitions[at - 1].text, "CURRENT") == 0)
        at--;
    return at;
}

static bool apply(partitioning_t *all, const table_action_t *action, arena_t *arena)
{
    partition_t *added;
    uint32_t count = 0;
    switch ((int)action->kind) {
    case ACTION_ADD_PARTITION:
        if (action->number > 0) {
            add_number(all, action->number, arena);
            return true;
        }
        if (!action->text || !partitioning_parse_list(action->text, arena, &added, &count))
            return false;
        insert_partitions(all, add_place(all), added, count, arena);
        return true;
    case ACTION_DROP_PARTITION:
    case ACTION_PARTITION_TO_TABLE:
        remove_named(all, action);
        return true;
    case ACTION_REORGANIZE_PARTITION:
        if (!action->text)
            return true;
        if (!partitioning_parse_list(action->text, arena, &added, &count))
            return false;
        insert_partitions(all, remove_named(all, action), added, count, arena);
        return true;
    case ACTION_COALESCE_PARTITION:
        coalesce(all, action->number);
        return true;
    case ACTION_TABLE_TO_PARTITION:
        if (!partitioning_parse_list(action->text, arena, &added, &count))
            return false;
        insert_partitions(all, all->partition_count, added, count, arena);
        return true;
    default:
        return true;
    }
}

/* One spelling of the clause whatever it was written as. */
static const char *normal_text(const char *text, arena_t *arena)
{
    partitioning_t all;
    return partitioning_parse(text, arena, &all) ? partitioning_text(&all, arena) : text;
}

const char *partition_text_after(const char *before, const table_action_t *actions, uint32_t count,
                                 arena_t *arena)
{
    const char *text = before;
    for (uint32_t i = 0; i < count; i++) {
        if (actions[i].kind == ACTION_PARTITION_BY)
            text = normal_text(actions[i].text, arena);
        else if (actions[i].kind == ACTION_REMOVE_PARTITIONING)
            text = NULL;
        partitioning_t all;
        if (text && partitioning_parse(text, arena, &all) && apply(&all, &actions[i], arena))
            text = partitioning_text(&all, arena);
    }
    return text;
}
