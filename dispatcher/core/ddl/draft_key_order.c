/* Names that a statement leaves out, indexes that foreign keys need, and the order in which MariaDB
 * keeps keys. */
#include <stdlib.h>
#include <strings.h>

#include "dispatcher/core/ddl/draft.h"

/* The first column's name, with _2, _3, … where that is taken. */
static const char *free_key_name(const draft_t *draft, const char *wanted)
{
    const char *name = wanted;
    for (uint32_t i = 2; draft_find_key(draft, name) || strcasecmp(name, "PRIMARY") == 0; i++)
        name = arena_printf(draft->arena, "%s_%u", wanted, i);
    return name;
}

static bool key_begins_with(const key_definition_t *key, const key_definition_t *wanted)
{
    if (key->kind == KEY_FULLTEXT || key->kind == KEY_SPATIAL ||
        key->part_count < wanted->part_count)
        return false;
    for (uint32_t i = 0; i < wanted->part_count; i++)
        if (key->parts[i].column != wanted->parts[i].column || key->parts[i].prefix)
            return false;
    return true;
}

/* Of two generated keys over the same columns the later one stays. */
static bool is_needless(const draft_t *draft, uint32_t generated)
{
    const key_definition_t *wanted = &draft_key(draft, generated)->definition;
    for (uint32_t i = 0; i < draft->keys.count; i++) {
        const draft_key_t *key = draft_key(draft, i);
        if (i == generated || key->is_dropped || !key_begins_with(&key->definition, wanted))
            continue;
        if (!key->is_generated || i > generated || key->definition.part_count > wanted->part_count)
            return true;
    }
    return false;
}

static void name_keys(draft_t *draft)
{
    for (uint32_t i = 0; i < draft->keys.count; i++) {
        draft_key_t *key = draft_key(draft, i);
        if (key->is_generated && is_needless(draft, i))
            key->is_dropped = true;
        /* The index of a foreign key takes another name when its own is in use. */
        if (key->is_generated && !key->is_dropped && key->definition.name) {
            const char *wanted = key->definition.name;
            key->definition.name = NULL;
            key->definition.name = free_key_name(draft, wanted);
        }
        if (key->is_dropped || key->definition.name)
            continue;
        uint32_t first = key->definition.parts[0].column;
        key->definition.name = free_key_name(draft, draft_column(draft, first)->definition.name);
    }
}

/* InnoDB counts up from the highest number in use. */
static uint32_t highest_number(const draft_t *draft, const char *prefix)
{
    uint32_t highest = 0;
    for (uint32_t i = 0; i < draft->foreign_keys.count; i++) {
        const char *name = draft_foreign_key(draft, i)->definition.name;
        if (!name || strncasecmp(name, prefix, strlen(prefix)) != 0)
            continue;
        unsigned long number = strtoul(name + strlen(prefix), NULL, 10);
        if (number > highest && number < UINT32_MAX)
            highest = (uint32_t)number;
    }
    return highest;
}

static void name_foreign_keys(draft_t *draft)
{
    const char *prefix = arena_printf(draft->arena, "%s_ibfk_", draft->after->name);
    for (uint32_t i = 0; i < draft->foreign_keys.count; i++) {
        draft_foreign_key_t *key = draft_foreign_key(draft, i);
        if (!key->definition.name)
            key->definition.name =
                arena_printf(draft->arena, "%s%u", prefix, highest_number(draft, prefix) + 1);
    }
}

static void name_checks(draft_t *draft)
{
    for (uint32_t i = 0; i < draft->checks.count; i++) {
        draft_check_t *check = draft_check(draft, i);
        for (uint32_t number = 1; !check->name; number++) {
            const char *name = arena_printf(draft->arena, "CONSTRAINT_%u", number);
            if (!draft_find_check(draft, name))
                check->name = name;
        }
    }
}

/* What is left of a written prefix: nothing where it covers the column, and what fits where a long
 * column is indexed whole. */
static uint32_t resolve_prefix(const column_definition_t *column, key_kind_t kind, uint32_t prefix)
{
    bool is_sized = column->type == COLUMN_CHAR || column->type == COLUMN_VARCHAR ||
                    column->type == COLUMN_BINARY || column->type == COLUMN_VARBINARY;
    bool is_blob = (column->type >= COLUMN_TINYTEXT && column->type <= COLUMN_LONGTEXT) ||
                   (column->type >= COLUMN_TINYBLOB && column->type <= COLUMN_LONGBLOB) ||
                   column->type == COLUMN_GEOMETRY;
    if ((!is_sized && !is_blob) || kind == KEY_FULLTEXT)
        return 0;
    if (is_sized && prefix >= column->length)
        prefix = 0;
    uint32_t longest = KEY_PART_BYTES_MAX / charset_bytes_max(column->charset);
    if (kind != KEY_INDEX || column->type == COLUMN_GEOMETRY)
        return prefix;
    if (prefix == 0 && is_sized && column_bytes(column, column->length) > KEY_PART_BYTES_MAX)
        return longest;
    if (prefix == 0 && is_blob)
        return column->type == COLUMN_TINYTEXT || column->type == COLUMN_TINYBLOB ? 255 : longest;
    return prefix > longest ? longest : prefix;
}

static void resolve_prefixes(draft_t *draft)
{
    for (uint32_t i = 0; i < draft->keys.count; i++) {
        key_definition_t *key = &draft_key(draft, i)->definition;
        key_part_t *parts = arena_calloc(draft->arena, key->part_count, sizeof *parts);
        for (uint32_t j = 0; j < key->part_count; j++) {
            parts[j] = key->parts[j];
            parts[j].prefix = resolve_prefix(&draft_column(draft, parts[j].column)->definition,
                                             key->kind, parts[j].prefix);
        }
        key->parts = parts;
    }
}

static bool may_be_null(const draft_t *draft, const key_definition_t *key)
{
    for (uint32_t i = 0; i < key->part_count; i++)
        if (!(draft_column(draft, key->parts[i].column)->definition.flags & COLUMN_NOT_NULL))
            return true;
    return false;
}

/* A UNIQUE over a whole long column is kept by hash and stands behind the others. */
static bool is_hashed(const draft_t *draft, const key_definition_t *key)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < key->part_count; i++) {
        const column_definition_t *column = &draft_column(draft, key->parts[i].column)->definition;
        bool is_blob = (column->type >= COLUMN_TINYTEXT && column->type <= COLUMN_LONGTEXT) ||
                       (column->type >= COLUMN_TINYBLOB && column->type <= COLUMN_LONGBLOB);
        uint32_t length = key->parts[i].prefix ? key->parts[i].prefix : column->length;
        if (is_blob && key->parts[i].prefix == 0)
            return true;
        if (column->type >= COLUMN_CHAR)
            bytes += column_bytes(column, length);
    }
    return bytes > KEY_PART_BYTES_MAX;
}

static int key_class(const draft_t *draft, const key_definition_t *key)
{
    if (key->kind == KEY_PRIMARY)
        return 0;
    if (key->kind == KEY_UNIQUE && is_hashed(draft, key))
        return 3;
    if (key->kind == KEY_UNIQUE)
        return may_be_null(draft, key) ? 2 : 1;
    return key->kind == KEY_FULLTEXT ? 5 : 4;
}

/* Stable, by class. Both lists are short. */
static void sort_keys(draft_t *draft)
{
    list_t sorted = {0};
    for (int class = 0; class <= 5; class ++)
        for (uint32_t i = 0; i < draft->keys.count; i++)
            if (!draft_key(draft, i)->is_dropped &&
                key_class(draft, &draft_key(draft, i)->definition) == class)
                *(draft_key_t *)list_add(&sorted, sizeof(draft_key_t), draft->arena) =
                    *draft_key(draft, i);
    draft->keys = sorted;
}

static void note_hashed_keys(draft_t *draft)
{
    for (uint32_t i = 0; i < draft->keys.count; i++) {
        key_definition_t *key = &draft_key(draft, i)->definition;
        if (key->kind == KEY_UNIQUE && !key->options && is_hashed(draft, key))
            key->options = "USING HASH";
    }
}

void draft_finish_keys(draft_t *draft)
{
    const draft_key_t *primary = draft_find_key(draft, "PRIMARY");
    for (uint32_t i = 0; primary && i < primary->definition.part_count; i++) {
        column_definition_t *column =
            &draft_column(draft, primary->definition.parts[i].column)->definition;
        column->flags |= COLUMN_NOT_NULL;
        if (column->default_kind == DEFAULT_NULL)
            column->default_kind = DEFAULT_NONE;
    }
    resolve_prefixes(draft);
    name_keys(draft);
    name_foreign_keys(draft);
    name_checks(draft);
    note_hashed_keys(draft);
    sort_keys(draft);
}
