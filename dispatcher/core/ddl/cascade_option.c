#include "dispatcher/core/ddl/cascade_option.h"

#include "dispatcher/core/ddl/parser.h"

static bool is_blank(bytes_t text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] != ' ' && text.data[i] != '\t')
            return false;
    return true;
}

static sluice_error_t read_rules(bytes_t text, bool lower_case_names, table_filter_t **allowed,
                                 error_report_t *report)
{
    arena_t arena;
    list_t rules = {0};
    arena_init(&arena);
    size_t from = 0;
    for (size_t at = 0; at <= text.len; at++) {
        if (at < text.len && text.data[at] != ',')
            continue;
        bytes_t rule = bytes_of(text.data + from, at - from);
        from = at + 1;
        if (!is_blank(rule))
            *(bytes_t *)list_add(&rules, sizeof rule, &arena) = rule;
    }
    sluice_error_t error = SLUICE_OK;
    /* A filter without rules would take everything. */
    if (rules.count > 0)
        error = table_filter_new(rules.items, rules.count, lower_case_names, allowed, report);
    arena_clear(&arena);
    return error;
}

sluice_error_t cascade_option_read(const changefeed_config_t *config, bool lower_case_names,
                                   table_filter_t **allowed, error_report_t *report)
{
    *allowed = NULL;
    for (uint32_t i = 0; i < config->option_count; i++) {
        const option_t *option = &config->options[i];
        if (bytes_equal(option->key, bytes_of_text("allow-cascade")))
            return read_rules(option->value, lower_case_names, allowed, report);
    }
    return SLUICE_OK;
}

bool cascade_option_allows(const table_filter_t *allowed, const char *schema, const char *table)
{
    return allowed && table_filter_takes(allowed, bytes_of_text(schema), bytes_of_text(table));
}
