#include "dispatcher/core/puller/store_cooldown.h"

void store_cooldown_fail(store_cooldown_t *cooldown, const store_cooldown_settings_t *settings,
                         mono_ns_t now)
{
    if (cooldown->failures > 0 && mono_elapsed(cooldown->until, now) > cooldown->length_ns)
        *cooldown = (store_cooldown_t){0};
    uint64_t length = cooldown->failures == 0 ? settings->first_ns : cooldown->length_ns * 2;
    if (length > settings->max_ns)
        length = settings->max_ns;
    cooldown->failures++;
    cooldown->length_ns = length;
    cooldown->until = mono_add(now, length);
}
