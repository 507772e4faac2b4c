/*
 * Follows the statements of tables and compares with what a server says the tables are.
 *
 * usage: ddl_check FILE [RENDERED]      ("-": standard input)
 * The file holds texts, each under a line that says what it is:
 *   @create   a new table        @alter   its next version
 *   @shown    a table as SHOW CREATE TABLE says
 *   @explicit_defaults_for_timestamp   what it is from here on, 0 or 1
 *   @show     SHOW CREATE TABLE's answer: what differs from it is printed
 * RENDERED is written: each @show, and the CREATE TABLE made of it under @render.
 * Ends with 1 when something differs.
 */
#include <stdio.h>
#include <stdlib.h>

#include "dispatcher/core/ddl/definition_render.h"
#include "dispatcher/core/ddl/text_builder.h"
#include "tests/unit/ddl/ddl_testing.h"

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

typedef struct {
    arena_t arena;
    const table_definition_t *table;
    const char *statement, *why;
    unsigned compared, different;
    FILE *rendered; /* NULL: not wanted */
    definition_context_t session;
} run_t;

static void write_rendered(run_t *run, const char *show)
{
    const char *why;
    const table_definition_t *shown = testing_create(show, &testing_show_create, &run->arena, &why);
    if (shown)
        fprintf(run->rendered, "@shown\n%s@render\n%s\n", show,
                definition_render_create(shown, NULL, NULL, 0, &run->arena));
    table_definition_unref(&shown);
}

static void take(run_t *run, const char *verb, const char *text)
{
    if (strcmp(verb, "@show") != 0)
        run->statement = text;
    if (strcmp(verb, "@explicit_defaults_for_timestamp") == 0)
        run->session.explicit_timestamp_defaults = text[0] == '1';
    bool is_shown = strcmp(verb, "@shown") == 0;
    if (is_shown || strcmp(verb, "@create") == 0) {
        table_definition_unref(&run->table);
        run->table = testing_create(text, is_shown ? &testing_show_create : &run->session,
                                    &run->arena, &run->why);
    } else if (strcmp(verb, "@alter") == 0 && run->table) {
        const table_definition_t *before = run->table;
        run->table = testing_alter(before, text, &run->session, &run->arena, &run->why);
        table_definition_unref(&before);
    } else if (strcmp(verb, "@show") == 0) {
        const char *difference = run->table ? check(run->table, text, &run->arena) : run->why;
        run->compared++;
        run->different += difference != NULL;
        if (difference)
            printf("%s\n    %s\n\n", run->statement, difference);
        if (run->rendered)
            write_rendered(run, text);
    }
}

static bool is_verb(const char *line)
{
    return strcmp(line, "@create") == 0 || strcmp(line, "@alter") == 0 ||
           strcmp(line, "@explicit_defaults_for_timestamp") == 0 || strcmp(line, "@show") == 0 ||
           strcmp(line, "@shown") == 0;
}

static void read_all(run_t *run, FILE *file)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t len;
    const char *verb = NULL;
    text_builder_t text;
    text_builder_init(&text, &run->arena);
    while ((len = getline(&line, &size, file)) >= 0) {
        if (len > 0 && line[len - 1] == '\n')
            line[len - 1] = '\0';
        if (!is_verb(line)) {
            text_add(&text, line);
            text_add_char(&text, '\n');
            continue;
        }
        if (verb)
            take(run, verb, text_finish(&text));
        verb = arena_strdup(&run->arena, line);
        text_builder_init(&text, &run->arena);
    }
    if (verb)
        take(run, verb, text_finish(&text));
    free(line);
}

int main(int count, char **arguments)
{
    if (count != 2 && count != 3) {
        fprintf(stderr, "usage: ddl_check FILE [RENDERED]\n");
        return 2;
    }
    bool is_input = strcmp(arguments[1], "-") == 0;
    FILE *file = is_input ? stdin : fopen(arguments[1], "r");
    if (!file) {
        perror(arguments[1]);
        return 2;
    }
    run_t run = {.session = testing_context,
                 .rendered = count == 3 ? fopen(arguments[2], "w") : NULL};
    read_all(&run, file);
    printf("%u definitions compared, %u differ\n", run.compared, run.different);
    table_definition_unref(&run.table);
    arena_clear(&run.arena);
    if (run.rendered)
        fclose(run.rendered);
    if (!is_input)
        fclose(file);
    return run.different > 0 || run.compared == 0;
}
