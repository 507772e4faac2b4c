#include "common/filter/table_filter.h"

#include <regex.h>
#include <stdlib.h>

#include "common/base/arena.h"
#include "common/base/memory.h"
#include "common/filter/glob.h"
#include "common/filter/name_case.h"

typedef struct {
    const char *text; /* as given, for messages */
    bool is_negative;
    bool is_regex;
    bytes_t schema, table; /* patterns; unless is_regex */
    regex_t regex;
} rule_t;

struct table_filter {
    arena_t arena;
    bool lower_case_names;
    bool takes_everything; /* no rule was given */
    rule_t *rules;
    uint32_t rule_count;
};

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static bytes_t trim(bytes_t text)
{
    while (text.len > 0 && is_blank(text.data[0])) {
        text.data++;
        text.len--;
    }
    while (text.len > 0 && is_blank(text.data[text.len - 1]))
        text.len--;
    return text;
}

/* Appends a quoted name as a pattern that matches just that name. Returns the bytes read with both
 * quotes, 0 if the closing one is missing. */
static size_t read_quoted(bytes_t text, uint8_t *pattern, size_t *len)
{
    uint8_t quote = text.data[0];
    for (size_t i = 1; i < text.len; i++) {
        if (text.data[i] == quote) {
            if (i + 1 == text.len || text.data[i + 1] != quote)
                return i + 1;
            i++;
        }
        pattern[(*len)++] = '\\';
        pattern[(*len)++] = text.data[i];
    }
    return 0;
}

/* Copies an element of an unquoted pattern: an escaped character, a set, or one byte. */
static size_t read_plain(bytes_t text, uint8_t *pattern, size_t *len)
{
    size_t used = 1;
    if (text.data[0] == '\\' && text.len > 1) {
        used = 2;
    } else if (text.data[0] == '[') {
        size_t i = text.len > 1 && (text.data[1] == '!' || text.data[1] == '^') ? 3 : 2;
        while (i < text.len && text.data[i] != ']')
            i += text.data[i] == '\\' ? 2 : 1;
        used = i < text.len ? i + 1 : text.len;
    }
    memcpy(pattern + *len, text.data, used);
    *len += used;
    return used;
}

/* Reads one name pattern up to an unquoted '.', or the end. NULL, or what is wrong with it. */
static const char *read_pattern(arena_t *arena, bytes_t *text, bytes_t *pattern)
{
    uint8_t *data = arena_alloc(arena, 2 * text->len + 1);
    size_t len = 0;
    while (text->len > 0 && text->data[0] != '.') {
        bool is_quoted = text->data[0] == '"' || text->data[0] == '`';
        size_t used = is_quoted ? read_quoted(*text, data, &len) : read_plain(*text, data, &len);
        if (used == 0)
            return "the closing quote is missing";
        text->data += used;
        text->len -= used;
    }
    if (len == 0)
        return "a name is empty, a rule is schema.table";
    *pattern = bytes_of(data, len);
    return glob_is_valid(*pattern) ? NULL : "a [ is not closed or the name ends in a backslash";
}

static void fold_pattern(const table_filter_t *filter, bytes_t pattern)
{
    if (filter->lower_case_names)
        name_fold(pattern, (uint8_t *)pattern.data);
}

static const char *parse_names(table_filter_t *filter, bytes_t text, rule_t *rule)
{
    const char *wrong = read_pattern(&filter->arena, &text, &rule->schema);
    if (wrong)
        return wrong;
    if (text.len == 0)
        return "the table is missing, a rule is schema.table";
    text.data++;
    text.len--;
    wrong = read_pattern(&filter->arena, &text, &rule->table);
    if (wrong)
        return wrong;
    if (text.len > 0)
        return "it has more than two names, a rule is schema.table; quote a name with a dot in it";
    fold_pattern(filter, rule->schema);
    fold_pattern(filter, rule->table);
    return NULL;
}

static const char *parse_regex(table_filter_t *filter, bytes_t text, rule_t *rule)
{
    if (text.len < 3 || text.data[text.len - 1] != '/')
        return "a regular expression is /expression/";
    char *expression = arena_strndup(&filter->arena, text.data + 1, text.len - 2);
    if (strlen(expression) != text.len - 2)
        return "it has a NUL byte";
    int flags = REG_EXTENDED | REG_NOSUB | (filter->lower_case_names ? REG_ICASE : 0);
    int status = regcomp(&rule->regex, expression, flags);
    if (status != 0) {
        char reason[128];
        regerror(status, NULL, reason, sizeof reason);
        return arena_strdup(&filter->arena, reason);
    }
    rule->is_regex = true;
    return NULL;
}

static const char *parse_rule(table_filter_t *filter, bytes_t text, rule_t *rule)
{
    rule->text = arena_strndup(&filter->arena, text.data, text.len);
    if (text.data[0] == '!') {
        rule->is_negative = true;
        text = trim((bytes_t){text.data + 1, text.len - 1});
        if (text.len == 0)
            return "nothing follows the !";
    }
    return text.data[0] == '/' ? parse_regex(filter, text, rule) : parse_names(filter, text, rule);
}

sluice_error_t table_filter_new(const bytes_t *rules, uint32_t rule_count, bool lower_case_names,
                                table_filter_t **filter, error_report_t *report)
{
    *filter = NULL;
    if (rule_count > TABLE_FILTER_RULES_MAX)
        return error_report_set(report, SLUICE_ERROR_CONFIGURATION,
                                "filter: %u rules, at most %d are allowed", rule_count,
                                TABLE_FILTER_RULES_MAX);
    table_filter_t *self = memory_zalloc(sizeof *self);
    self->lower_case_names = lower_case_names;
    self->rules = memory_zalloc((rule_count ? rule_count : 1) * sizeof *self->rules);
    for (uint32_t i = 0; i < rule_count; i++) {
        bytes_t text = trim(rules[i]);
        if (text.len == 0 || text.data[0] == '#')
            continue;
        const char *wrong = text.len > TABLE_FILTER_RULE_BYTES_MAX
                                ? "it is too long"
                                : parse_rule(self, text, &self->rules[self->rule_count]);
        if (wrong) {
            error_report_set(report, SLUICE_ERROR_CONFIGURATION, "filter rule %u '%.*s': %s", i + 1,
                             (int)(text.len < 200 ? text.len : 200), (const char *)text.data,
                             wrong);
            table_filter_destroy(&self);
            return SLUICE_ERROR_CONFIGURATION;
        }
        self->rule_count++;
    }
    self->takes_everything = self->rule_count == 0;
    *filter = self;
    return SLUICE_OK;
}

void table_filter_destroy(table_filter_t **filter)
{
    table_filter_t *self = *filter;
    *filter = NULL;
    if (!self)
        return;
    for (uint32_t i = 0; i < self->rule_count; i++)
        if (self->rules[i].is_regex)
            regfree(&self->rules[i].regex);
    free(self->rules);
    arena_clear(&self->arena);
    free(self);
}

bool table_filter_is_system_schema(bytes_t schema)
{
    static const char *const names[] = {"mysql", "information_schema", "performance_schema", "sys",
                                        "sluice"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (name_equal_ascii(schema, names[i]))
            return true;
    return false;
}

/* "schema.table", NUL-terminated, folded when the source's names are; and its two halves. */
typedef struct {
    char text[2 * TABLE_FILTER_NAME_BYTES_MAX + 2];
    bytes_t schema, table;
} question_t;

static bool question_init(question_t *question, const table_filter_t *filter, bytes_t schema,
                          bytes_t table)
{
    if (schema.len > TABLE_FILTER_NAME_BYTES_MAX || table.len > TABLE_FILTER_NAME_BYTES_MAX)
        return false;
    size_t len = 0;
    if (schema.len > 0)
        memcpy(question->text, schema.data, schema.len);
    len = schema.len;
    question->text[len++] = '.';
    if (table.len > 0)
        memcpy(question->text + len, table.data, table.len);
    len += table.len;
    question->text[len] = '\0';
    if (filter->lower_case_names)
        name_fold(bytes_of(question->text, len), (uint8_t *)question->text);
    question->schema = bytes_of(question->text, schema.len);
    question->table = bytes_of(question->text + schema.len + 1, table.len);
    return true;
}

static bool rule_matches(const rule_t *rule, const question_t *question)
{
    if (rule->is_regex)
        return regexec(&rule->regex, question->text, 0, NULL, 0) == 0;
    return glob_matches(rule->schema, question->schema) &&
           glob_matches(rule->table, question->table);
}

/* The last rule that matches; NULL if none does. */
static const rule_t *find_rule(const table_filter_t *filter, bytes_t schema, bytes_t table)
{
    question_t question;
    if (!question_init(&question, filter, schema, table))
        return NULL;
    for (uint32_t i = filter->rule_count; i > 0; i--)
        if (rule_matches(&filter->rules[i - 1], &question))
            return &filter->rules[i - 1];
    return NULL;
}

bool table_filter_takes(const table_filter_t *filter, bytes_t schema, bytes_t table)
{
    if (table_filter_is_system_schema(schema))
        return false;
    if (filter->takes_everything)
        return true;
    const rule_t *rule = find_rule(filter, schema, table);
    return rule && !rule->is_negative;
}

bool table_filter_takes_whole_schema(const table_filter_t *filter, bytes_t schema)
{
    question_t question;
    if (table_filter_is_system_schema(schema) ||
        !question_init(&question, filter, schema, bytes_of(NULL, 0)))
        return false;
    for (uint32_t i = filter->rule_count; i > 0; i--) {
        const rule_t *rule = &filter->rules[i - 1];
        bool may_match = rule->is_regex || glob_matches(rule->schema, question.schema);
        if (may_match && rule->is_negative)
            return false;
        if (may_match && !rule->is_regex && glob_matches_all(rule->table))
            return true;
    }
    return filter->takes_everything;
}

bool table_filter_may_take_schema(const table_filter_t *filter, bytes_t schema)
{
    question_t question;
    if (table_filter_is_system_schema(schema) ||
        !question_init(&question, filter, schema, bytes_of(NULL, 0)))
        return false;
    for (uint32_t i = filter->rule_count; i > 0; i--) {
        const rule_t *rule = &filter->rules[i - 1];
        if (rule->is_regex && !rule->is_negative)
            return true;
        if (rule->is_regex || !glob_matches(rule->schema, question.schema))
            continue;
        if (!rule->is_negative)
            return true;
        if (glob_matches_all(rule->table))
            return false;
    }
    return filter->takes_everything;
}

const char *table_filter_deciding_rule(const table_filter_t *filter, bytes_t schema, bytes_t table)
{
    if (table_filter_is_system_schema(schema))
        return "(system schema)";
    if (filter->takes_everything)
        return "(no rules)";
    const rule_t *rule = find_rule(filter, schema, table);
    return rule ? rule->text : NULL;
}

bool table_filter_lower_case_names(const table_filter_t *filter)
{
    return filter->lower_case_names;
}
