#include "maintainer/core/effects.h"

#include <stdlib.h>

#include "common/base/memory.h"

const char *changefeed_state_name(changefeed_state_t state)
{
    switch (state) {
    case CHANGEFEED_NORMAL:
        return "normal";
    case CHANGEFEED_WARNING:
        return "warning";
    case CHANGEFEED_FAILED:
        return "failed";
    case CHANGEFEED_STOPPED:
        return "stopped";
    case CHANGEFEED_FINISHED:
        return "finished";
    case CHANGEFEED_REMOVED:
        return "removed";
    }
    return "unknown";
}

void effects_init(effects_t *effects)
{
    *effects = (effects_t){0};
}

void effects_reset(effects_t *effects)
{
    arena_reset(&effects->arena);
    effects->count = 0;
}

void effects_clear(effects_t *effects)
{
    arena_clear(&effects->arena);
    free(effects->items);
    *effects = (effects_t){0};
}

effect_t *effects_add(effects_t *effects, effect_kind_t kind)
{
    if (effects->count == effects->capacity) {
        effects->capacity = effects->capacity ? effects->capacity * 2 : 64;
        effects->items = memory_realloc(effects->items, effects->capacity * sizeof *effects->items);
    }
    effect_t *effect = &effects->items[effects->count++];
    *effect = (effect_t){.kind = kind};
    return effect;
}

message_t *effects_add_send(effects_t *effects, const node_id_t *node, incarnation_t incarnation,
                            message_type_t type)
{
    message_t *message = arena_zalloc(&effects->arena, sizeof *message);
    message->header = (message_header_t){.version = SLUICE_PROTOCOL_VERSION, .type = type};
    effect_t *effect = effects_add(effects, EFFECT_SEND);
    effect->node = *node;
    effect->incarnation = incarnation;
    effect->message = message;
    return message;
}

void effects_log(effects_t *effects, log_level_t level, const char *event, bytes_t changefeed,
                 const log_field_t *fields, uint32_t field_count)
{
    log_field_t *copy = arena_calloc(&effects->arena, field_count, sizeof *copy);
    for (uint32_t i = 0; i < field_count; i++) {
        copy[i].key = fields[i].key;
        copy[i].value = arena_strdup(&effects->arena, fields[i].value);
    }
    effect_t *effect = effects_add(effects, EFFECT_LOG);
    effect->log = (log_line_t){.level = level,
                               .event = event,
                               .changefeed = arena_bytes(&effects->arena, changefeed),
                               .fields = copy,
                               .field_count = field_count};
}
