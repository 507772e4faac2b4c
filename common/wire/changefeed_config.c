#include "common/wire/changefeed_config.h"

static bytes_t copy_text(arena_t *arena, bytes_t text)
{
    return bytes_of(arena_strndup(arena, text.data ? (const void *)text.data : "", text.len),
                    text.len);
}

changefeed_config_t changefeed_config_copy(arena_t *arena, const changefeed_config_t *from)
{
    changefeed_config_t copy = *from;
    copy.name = copy_text(arena, from->name);
    copy.source = copy_text(arena, from->source);
    copy.sink = copy_text(arena, from->sink);
    copy.start_gtid_list = copy_text(arena, from->start_gtid_list);
    bytes_t *rules = arena_calloc(arena, from->filter_rule_count + 1, sizeof *rules);
    for (uint32_t i = 0; i < from->filter_rule_count; i++)
        rules[i] = copy_text(arena, from->filter_rules[i]);
    copy.filter_rules = rules;
    option_t *options = arena_calloc(arena, from->option_count + 1, sizeof *options);
    for (uint32_t i = 0; i < from->option_count; i++)
        options[i] = (option_t){copy_text(arena, from->options[i].key),
                                copy_text(arena, from->options[i].value)};
    copy.options = options;
    return copy;
}
