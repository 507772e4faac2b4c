#include "maintainer/ctl/compare/mariadb_text.h"

#include <stdlib.h>

char *mariadb_text_identifier(arena_t *arena, const char *name)
{
    char *text = arena_alloc(arena, 2 * strlen(name) + 3);
    char *at = text;
    *at++ = '`';
    for (; *name; name++) {
        if (*name == '`')
            *at++ = '`';
        *at++ = *name;
    }
    *at++ = '`';
    *at = '\0';
    return text;
}

static char *qualified(arena_t *arena, const compare_table_t *table)
{
    return arena_printf(arena, "%s.%s", mariadb_text_identifier(arena, table->schema),
                        mariadb_text_identifier(arena, table->name));
}

/* A string literal; names hold no NUL. */
static char *literal(arena_t *arena, const char *value)
{
    char *text = arena_alloc(arena, 2 * strlen(value) + 3);
    char *at = text;
    *at++ = '\'';
    for (; *value; value++) {
        if (*value == '\'' || *value == '\\')
            *at++ = '\\';
        *at++ = *value;
    }
    *at++ = '\'';
    *at = '\0';
    return text;
}

char *mariadb_text_show_create(arena_t *arena, const compare_table_t *table)
{
    return arena_printf(arena, "SHOW CREATE %s %s", table->is_view ? "VIEW" : "TABLE",
                        qualified(arena, table));
}

/* Cuts "NAME=word" with the space before it out of `text`, in place. */
static void cut_option(char *text, const char *name)
{
    char *found = strstr(text, name);
    if (!found)
        return;
    char *end = found + strlen(name);
    while (*end && *end != ' ' && *end != '\n')
        end++;
    memmove(found, end, strlen(end) + 1);
}

char *mariadb_text_normal_definition(arena_t *arena, const char *definition)
{
    char *text = arena_strdup(arena, definition);
    char *options = strrchr(text, ')');
    char *last = strstr(text, "\n) ");
    if (last)
        options = last;
    if (!options)
        return text;
    cut_option(options, " AUTO_INCREMENT=");
    cut_option(options, " ENGINE=");
    return text;
}

char *mariadb_text_columns_query(arena_t *arena, const compare_table_t *table)
{
    return arena_printf(arena,
                        "SELECT column_name, data_type, column_type, column_key FROM "
                        "information_schema.columns WHERE table_schema = %s AND table_name = %s "
                        "ORDER BY ordinal_position",
                        literal(arena, table->schema), literal(arena, table->name));
}

canon_t mariadb_text_canon(const char *data_type, const char *column_type)
{
    static const struct {
        const char *data_type;
        canon_t canon;
    } canons[] = {
        {"char", CANON_TEXT},   {"varchar", CANON_TEXT},    {"tinytext", CANON_TEXT},
        {"text", CANON_TEXT},   {"mediumtext", CANON_TEXT}, {"longtext", CANON_TEXT},
        {"enum", CANON_TEXT},   {"set", CANON_TEXT},        {"float", CANON_REAL},
        {"double", CANON_REAL}, {"year", CANON_UNSIGNED},   {"inet4", CANON_LABEL},
        {"inet6", CANON_LABEL}, {"uuid", CANON_LABEL},
    };
    if (strcmp(data_type, "bit") == 0)
        return strtoul(column_type + strlen("bit("), NULL, 10) < 64 ? CANON_UNSIGNED : CANON_PLAIN;
    /* ZEROFILL is how a number is shown, not which one it is. */
    if (strstr(column_type, "zerofill") && strstr(data_type, "int"))
        return CANON_UNSIGNED;
    if (strstr(column_type, "zerofill") && strcmp(data_type, "decimal") == 0)
        return CANON_DECIMAL;
    for (size_t i = 0; i < sizeof canons / sizeof canons[0]; i++)
        if (strcmp(data_type, canons[i].data_type) == 0)
            return canons[i].canon;
    return CANON_PLAIN;
}

static char *expression(arena_t *arena, const compare_column_t *column, bool as_utf8)
{
    char *name = mariadb_text_identifier(arena, column->name);
    switch (column->canon) {
    case CANON_PLAIN:
        return name;
    case CANON_TEXT:
        return as_utf8 ? arena_printf(arena, "CONVERT(%s USING utf8mb4)", name) : name;
    case CANON_REAL:
        return arena_printf(arena, "CAST(%s AS DOUBLE)", name);
    case CANON_UNSIGNED:
        return arena_printf(arena, "CAST(%s AS UNSIGNED)", name);
    case CANON_DECIMAL:
        return arena_printf(arena, "%s + 0", name);
    case CANON_LABEL:
        return arena_printf(arena, "CAST(%s AS CHAR)", name);
    }
    return name;
}

char *mariadb_text_select(arena_t *arena, const compare_table_t *table, bool as_utf8)
{
    char *text = arena_strdup(arena, "SELECT ");
    for (uint32_t i = 0; i < table->column_count; i++)
        text = arena_printf(arena, "%s%s%s", text, i ? ", " : "",
                            expression(arena, &table->columns[i], as_utf8));
    return arena_printf(arena, "%s FROM %s", text, qualified(arena, table));
}
