#include "dispatcher/core/node/changefeed_config_copy.h"

static bytes_t copy_text(bytes_t text, arena_t *arena)
{
    return bytes_of(arena_strndup(arena, text.data ? (const void *)text.data : "", text.len),
                    text.len);
}

changefeed_config_t changefeed_config_copy(const changefeed_config_t *config, arena_t *arena)
{
    changefeed_config_t copy = *config;
    copy.name = copy_text(config->name, arena);
    copy.source = copy_text(config->source, arena);
    copy.sink = copy_text(config->sink, arena);
    copy.start_gtid_list = copy_text(config->start_gtid_list, arena);
    bytes_t *rules = arena_calloc(arena, config->filter_rule_count + 1, sizeof *rules);
    for (uint32_t i = 0; i < config->filter_rule_count; i++)
        rules[i] = copy_text(config->filter_rules[i], arena);
    copy.filter_rules = rules;
    option_t *options = arena_calloc(arena, config->option_count + 1, sizeof *options);
    for (uint32_t i = 0; i < config->option_count; i++)
        options[i] = (option_t){copy_text(config->options[i].key, arena),
                                copy_text(config->options[i].value, arena)};
    copy.options = options;
    return copy;
}
