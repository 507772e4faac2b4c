#include "tests/unit/ddl/ddl_testing.h"

#include <strings.h>

const definition_context_t testing_context = {.schema_charset = {"latin1", "latin1_swedish_ci"},
                                              .explicit_timestamp_defaults = true};
const definition_context_t testing_show_create = {.schema_charset = {"latin1", "latin1_swedish_ci"},
                                                  .explicit_timestamp_defaults = true,
                                                  .is_show_create = true};

static table_definition_t *apply(const table_definition_t *before, const char *sql,
                                 const definition_context_t *context, arena_t *arena,
                                 const char **why)
{
    statement_options_t options = {.default_schema = "db", .server_version = 101119};
    statement_t statement;
    error_report_t report = {0};
    table_definition_t *after = NULL;
    const uint32_t *sources;
    statement_parse(bytes_of_text(sql), &options, arena, &statement);
    *why = NULL;
    if (!statement.is_whole || statement.name_count != 1 || statement.is_like) {
        *why = "not understood";
        return NULL;
    }
    if (definition_apply(before, statement.names[0].schema, statement.names[0].name,
                         statement.actions, statement.action_count, context, arena, &after,
                         &sources, &report) != SLUICE_OK)
        *why = arena_strdup(arena, report.text);
    return after;
}

table_definition_t *testing_create(const char *sql, const definition_context_t *context,
                                   arena_t *arena, const char **why)
{
    return apply(NULL, sql, context, arena, why);
}

table_definition_t *testing_alter(const table_definition_t *before, const char *sql,
                                  const definition_context_t *context, arena_t *arena,
                                  const char **why)
{
    return apply(before, sql, context, arena, why);
}

/* ---- comparison ---- */

static bool texts_equal(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static char *squeeze(const char *text, arena_t *arena)
{
    char *copy = arena_strdup(arena, text), *to = copy;
    for (const char *from = copy; *from; from++)
        if (!strchr(" \n\t`", *from))
            *to++ = (char)(*from >= 'A' && *from <= 'Z' ? *from + 0x20 : *from);
    *to = '\0';
    return copy;
}

static bool expressions_equal(const char *a, const char *b, arena_t *arena)
{
    if (!a || !b)
        return a == b;
    return strcmp(squeeze(a, arena), squeeze(b, arena)) == 0;
}

#define DIFFERS(condition, ...)                                                                    \
    do {                                                                                           \
        if (condition)                                                                             \
            return arena_printf(arena, __VA_ARGS__);                                               \
    } while (0)

#define SHOWN(text) ((text) ? (text) : "(none)")

static const char *column_difference(const column_definition_t *a, const column_definition_t *b,
                                     arena_t *arena)
{
    DIFFERS(strcmp(a->name, b->name) != 0, "column `%s` is `%s`", a->name, b->name);
    DIFFERS(a->type != b->type, "`%s`: type %d, %d", a->name, (int)a->type, (int)b->type);
    DIFFERS(a->flags != b->flags, "`%s`: flags %x, %x", a->name, a->flags, b->flags);
    DIFFERS(a->length != b->length, "`%s`: length %u, %u", a->name, a->length, b->length);
    DIFFERS(a->precision != b->precision || a->scale != b->scale, "`%s`: precision", a->name);
    DIFFERS(a->fsp != b->fsp, "`%s`: fraction", a->name);
    DIFFERS(!texts_equal(a->charset, b->charset), "`%s`: charset %s, %s", a->name,
            SHOWN(a->charset), SHOWN(b->charset));
    DIFFERS(!texts_equal(a->collation, b->collation), "`%s`: collation %s, %s", a->name,
            SHOWN(a->collation), SHOWN(b->collation));
    DIFFERS(!texts_equal(a->geometry_name, b->geometry_name), "`%s`: geometry", a->name);
    DIFFERS(a->member_count != b->member_count, "`%s`: number of members", a->name);
    for (uint32_t i = 0; i < a->member_count; i++)
        DIFFERS(strcmp(a->members[i], b->members[i]) != 0, "`%s`: member '%s', '%s'", a->name,
                a->members[i], b->members[i]);
    DIFFERS(a->generated != b->generated, "`%s`: generated", a->name);
    DIFFERS(!expressions_equal(a->generated_expression, b->generated_expression, arena),
            "`%s`: generated as %s, %s", a->name, a->generated_expression, b->generated_expression);
    DIFFERS(a->default_kind != b->default_kind, "`%s`: kind of default %d, %d", a->name,
            (int)a->default_kind, (int)b->default_kind);
    DIFFERS(a->default_kind == DEFAULT_EXPRESSION
                ? !expressions_equal(a->default_value, b->default_value, arena)
                : !texts_equal(a->default_value, b->default_value),
            "`%s`: default %s, %s", a->name, SHOWN(a->default_value), SHOWN(b->default_value));
    DIFFERS(!texts_equal(a->comment, b->comment), "`%s`: comment", a->name);
    DIFFERS(!expressions_equal(a->check, b->check, arena), "`%s`: check %s, %s", a->name,
            SHOWN(a->check), SHOWN(b->check));
    return NULL;
}

static const char *key_difference(const key_definition_t *a, const key_definition_t *b,
                                  arena_t *arena)
{
    DIFFERS(strcasecmp(a->name, b->name) != 0, "key `%s` is `%s`", a->name, b->name);
    DIFFERS(a->kind != b->kind, "key `%s`: kind", a->name);
    DIFFERS(a->part_count != b->part_count, "key `%s`: number of parts", a->name);
    for (uint32_t i = 0; i < a->part_count; i++)
        DIFFERS(a->parts[i].column != b->parts[i].column ||
                    a->parts[i].prefix != b->parts[i].prefix ||
                    a->parts[i].is_descending != b->parts[i].is_descending,
                "key `%s`: part %u is %u(%u), %u(%u)", a->name, i, a->parts[i].column,
                a->parts[i].prefix, b->parts[i].column, b->parts[i].prefix);
    DIFFERS(!expressions_equal(a->options, b->options, arena), "key `%s`: options %s, %s", a->name,
            SHOWN(a->options), SHOWN(b->options));
    return NULL;
}

static const foreign_key_t *find_foreign_key(const table_definition_t *table, const char *name)
{
    for (uint32_t i = 0; i < table->foreign_key_count; i++)
        if (strcasecmp(table->foreign_keys[i].name, name) == 0)
            return &table->foreign_keys[i];
    return NULL;
}

static const char *foreign_key_difference(const foreign_key_t *a, const foreign_key_t *b,
                                          arena_t *arena)
{
    DIFFERS(a->column_count != b->column_count, "foreign key `%s`: number of columns", a->name);
    for (uint32_t i = 0; i < a->column_count; i++)
        DIFFERS(a->columns[i] != b->columns[i] ||
                    strcasecmp(a->referenced_columns[i], b->referenced_columns[i]) != 0,
                "foreign key `%s`: column %u", a->name, i);
    DIFFERS(strcmp(a->referenced_schema, b->referenced_schema) != 0 ||
                strcmp(a->referenced_table, b->referenced_table) != 0,
            "foreign key `%s` references %s.%s, %s.%s", a->name, a->referenced_schema,
            a->referenced_table, b->referenced_schema, b->referenced_table);
    DIFFERS(a->on_delete != b->on_delete || a->on_update != b->on_update,
            "foreign key `%s`: actions", a->name);
    return NULL;
}

static const char *constraint_difference(const table_definition_t *a, const table_definition_t *b,
                                         arena_t *arena)
{
    DIFFERS(a->foreign_key_count != b->foreign_key_count, "number of foreign keys %u, %u",
            a->foreign_key_count, b->foreign_key_count);
    for (uint32_t i = 0; i < a->foreign_key_count; i++) {
        const foreign_key_t *other = find_foreign_key(b, a->foreign_keys[i].name);
        DIFFERS(!other, "no foreign key `%s`", a->foreign_keys[i].name);
        const char *difference = foreign_key_difference(&a->foreign_keys[i], other, arena);
        if (difference)
            return difference;
    }
    DIFFERS(a->check_count != b->check_count, "number of checks %u, %u", a->check_count,
            b->check_count);
    for (uint32_t i = 0; i < a->check_count; i++)
        DIFFERS(strcmp(a->checks[i], b->checks[i]) != 0 ||
                    !expressions_equal(a->check_expressions[i], b->check_expressions[i], arena),
                "check `%s` (%s), `%s` (%s)", a->checks[i], a->check_expressions[i], b->checks[i],
                b->check_expressions[i]);
    return NULL;
}

static char *squeeze_quotes(const char *text, arena_t *arena)
{
    char *copy = arena_strdup(arena, text), *to = copy;
    for (const char *from = copy; *from; from++)
        if (*from != '`' && *from != '\'')
            *to++ = *from;
    *to = '\0';
    return copy;
}

/* Each option of a is one of b's; their order says nothing. */
static bool options_equal(const char *a, const char *b, arena_t *arena)
{
    if (!a || !b)
        return a == b;
    a = squeeze_quotes(a, arena);
    b = squeeze_quotes(b, arena);
    if (strlen(a) != strlen(b))
        return false;
    char *rest = arena_strdup(arena, a), *word;
    while ((word = strsep(&rest, " ")))
        if (!strcasestr(b, word))
            return false;
    return true;
}

static const char *head_difference(const table_definition_t *a, const table_definition_t *b,
                                   arena_t *arena)
{
    DIFFERS(strcmp(a->schema, b->schema) != 0 || strcmp(a->name, b->name) != 0, "name %s.%s, %s.%s",
            a->schema, a->name, b->schema, b->name);
    DIFFERS(!texts_equal(a->charset, b->charset), "charset %s, %s", SHOWN(a->charset),
            SHOWN(b->charset));
    DIFFERS(!texts_equal(a->collation, b->collation), "collation %s, %s", SHOWN(a->collation),
            SHOWN(b->collation));
    DIFFERS(a->engine && b->engine && strcasecmp(a->engine, b->engine) != 0, "engine %s, %s",
            a->engine, b->engine);
    DIFFERS(!texts_equal(a->comment, b->comment), "comment");
    DIFFERS(!options_equal(a->options, b->options, arena), "options %s, %s", SHOWN(a->options),
            SHOWN(b->options));
    DIFFERS(!expressions_equal(a->period_text, b->period_text, arena), "periods %s, %s",
            SHOWN(a->period_text), SHOWN(b->period_text));
    DIFFERS(!expressions_equal(a->partition_text, b->partition_text, arena), "partitions %s, %s",
            SHOWN(a->partition_text), SHOWN(b->partition_text));
    DIFFERS(a->is_system_versioned != b->is_system_versioned, "system versioning");
    return NULL;
}

const char *testing_difference(const table_definition_t *a, const table_definition_t *b,
                               arena_t *arena)
{
    const char *difference = head_difference(a, b, arena);
    if (difference)
        return difference;
    DIFFERS(a->column_count != b->column_count, "number of columns %u, %u", a->column_count,
            b->column_count);
    for (uint32_t i = 0; i < a->column_count; i++)
        if ((difference = column_difference(&a->columns[i], &b->columns[i], arena)))
            return difference;
    DIFFERS(a->key_count != b->key_count, "number of keys %u, %u", a->key_count, b->key_count);
    for (uint32_t i = 0; i < a->key_count; i++)
        if ((difference = key_difference(&a->keys[i], &b->keys[i], arena)))
            return difference;
    return constraint_difference(a, b, arena);
}
