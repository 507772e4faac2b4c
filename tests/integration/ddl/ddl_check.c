/*
 * Follows the statements of one table and compares with what a server says the table is. Reads
 * records from standard input, each two texts ended by a zero byte:
 *   create SQL   a new table            alter SQL   its next version
 *   show SQL     SHOW CREATE TABLE's answer: prints "ok", or what differs, on a line
 */
#include <stdio.h>
#include <stdlib.h>

#include "dispatcher/core/ddl/definition_render.h"
#include "tests/unit/ddl/ddl_testing.h"

static char *read_text(void)
{
    char *text = NULL;
    size_t size = 0;
    if (getdelim(&text, &size, '\0', stdin) < 0) {
        free(text);
        return NULL;
    }
    return text;
}

/* What SHOW CREATE TABLE says against what the statements made, and against a CREATE TABLE written
 * from it. */
static const char *check(const table_definition_t *table, const char *show, arena_t *arena)
{
    const char *why = NULL;
    const table_definition_t *shown = testing_create(show, &testing_show_create, arena, &why);
    if (!shown)
        return arena_printf(arena, "SHOW CREATE TABLE: %s\n%s", why, show);
    const char *difference = testing_difference(table, shown, arena);
    if (!difference) {
        const char *text = definition_render_create(shown, NULL, NULL, 0, arena);
        const table_definition_t *again = testing_create(text, &testing_show_create, arena, &why);
        difference = again ? testing_difference(shown, again, arena) : why;
        table_definition_unref(&again);
        if (difference)
            difference = arena_printf(arena, "rendered: %s\n%s", difference, text);
    } else {
        difference = arena_printf(arena, "%s\n%s", difference, show);
    }
    table_definition_unref(&shown);
    return difference;
}

int main(void)
{
    arena_t arena;
    arena_init(&arena);
    const table_definition_t *table = NULL;
    const char *why = NULL;
    char *verb;
    while ((verb = read_text())) {
        char *text = read_text();
        if (!text) {
            free(verb);
            break;
        }
        if (strcmp(verb, "create") == 0) {
            table_definition_unref(&table);
            table = testing_create(text, &testing_context, &arena, &why);
        } else if (strcmp(verb, "alter") == 0 && table) {
            const table_definition_t *before = table;
            table = testing_alter(before, text, &testing_context, &arena, &why);
            table_definition_unref(&before);
        } else if (strcmp(verb, "show") == 0) {
            const char *difference = table ? check(table, text, &arena) : why;
            printf("%s", difference ? difference : "ok");
            putchar('\0');
        }
        free(verb);
        free(text);
    }
    table_definition_unref(&table);
    arena_clear(&arena);
    return 0;
}
