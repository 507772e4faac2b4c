#include "dispatcher/core/dispatch/node_effects.h"

#include <stdlib.h>

#include "common/base/memory.h"

node_effect_t *node_effects_add(node_effects_t *effects, node_effect_kind_t kind)
{
    if (effects->count == effects->capacity) {
        effects->capacity = effects->capacity ? effects->capacity * 2 : 16;
        effects->items = memory_realloc(effects->items, effects->capacity * sizeof *effects->items);
    }
    node_effect_t *effect = &effects->items[effects->count++];
    *effect = (node_effect_t){.kind = kind};
    return effect;
}

void node_effects_reset(node_effects_t *effects)
{
    for (uint32_t i = 0; i < effects->count; i++) {
        transaction_unref(&effects->items[i].transaction);
        ddl_event_unref(&effects->items[i].ddl);
    }
    effects->count = 0;
}

void node_effects_clear(node_effects_t *effects)
{
    node_effects_reset(effects);
    free(effects->items);
    *effects = (node_effects_t){0};
}
