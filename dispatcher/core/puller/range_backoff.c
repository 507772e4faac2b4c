#include "dispatcher/core/puller/range_backoff.h"

#include <stdlib.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "common/base/memory.h"

struct range_failures {
    map_key_t key;
    backoff_t backoff;
    mono_ns_t failed_at;
    range_failures_t *older, *newer; /* of all */
    range_backoff_owner_t *owner;
    range_failures_t *before, *after; /* of the owner */
};

void range_backoff_init(range_backoff_t *backoff, const range_backoff_settings_t *settings)
{
    *backoff = (range_backoff_t){.settings = *settings};
}

void range_backoff_clear(range_backoff_t *backoff)
{
    for (range_failures_t *at = backoff->oldest, *next; at; at = next) {
        next = at->newer;
        free(at);
    }
    key_map_clear(&backoff->by_range);
    backoff->oldest = backoff->newest = NULL;
}

static map_key_t key_of(const range_backoff_owner_t *owner, key_range_t range)
{
    XXH3_state_t state;
    uint64_t head[] = {owner->number, range.start.len, range.end.len};
    XXH3_128bits_reset(&state);
    XXH3_128bits_update(&state, head, sizeof head);
    XXH3_128bits_update(&state, range.start.data, range.start.len);
    XXH3_128bits_update(&state, range.end.data, range.end.len);
    XXH128_hash_t hash = XXH3_128bits_digest(&state);
    return (map_key_t){hash.high64, hash.low64};
}

static void unlink_age(range_backoff_t *backoff, range_failures_t *failures)
{
    *(failures->older ? &failures->older->newer : &backoff->oldest) = failures->newer;
    *(failures->newer ? &failures->newer->older : &backoff->newest) = failures->older;
}

static void link_newest(range_backoff_t *backoff, range_failures_t *failures)
{
    failures->older = backoff->newest;
    failures->newer = NULL;
    *(backoff->newest ? &backoff->newest->newer : &backoff->oldest) = failures;
    backoff->newest = failures;
}

static void forget(range_backoff_t *backoff, range_failures_t *failures)
{
    key_map_take(&backoff->by_range, failures->key);
    unlink_age(backoff, failures);
    *(failures->before ? &failures->before->after : &failures->owner->first) = failures->after;
    if (failures->after)
        failures->after->before = failures->before;
    free(failures);
}

static void forget_old(range_backoff_t *backoff, mono_ns_t now)
{
    while (backoff->oldest &&
           (mono_elapsed(backoff->oldest->failed_at, now) > backoff->settings.forget_ns ||
            backoff->by_range.count >= backoff->settings.ranges_max))
        forget(backoff, backoff->oldest);
}

static range_failures_t *add(range_backoff_t *backoff, range_backoff_owner_t *owner, map_key_t key)
{
    range_failures_t *failures = memory_zalloc(sizeof *failures);
    failures->key = key;
    failures->owner = owner;
    failures->backoff =
        (backoff_t){.first_ns = backoff->settings.first_ns, .max_ns = backoff->settings.max_ns};
    failures->after = owner->first;
    if (owner->first)
        owner->first->before = failures;
    owner->first = failures;
    key_map_put(&backoff->by_range, key, failures);
    link_newest(backoff, failures);
    return failures;
}

static uint64_t bounded_hint(const range_backoff_t *backoff, uint64_t hint_ms)
{
    uint64_t max = backoff->settings.busy_hint_max_ns;
    return hint_ms > max / NS_PER_MS ? max : hint_ms * NS_PER_MS;
}

uint64_t range_backoff_fail(range_backoff_t *backoff, range_backoff_owner_t *owner,
                            key_range_t range, uint64_t hint_ms, mono_ns_t now, uint64_t random)
{
    map_key_t key = key_of(owner, range);
    range_failures_t *failures = key_map_get(&backoff->by_range, key);
    if (failures && mono_elapsed(failures->failed_at, now) <= backoff->settings.forget_ns) {
        unlink_age(backoff, failures);
        link_newest(backoff, failures);
    } else {
        forget_old(backoff, now);
        failures = add(backoff, owner, key);
    }
    failures->failed_at = now;
    uint64_t delay = backoff_fail(&failures->backoff, random);
    uint64_t hint = bounded_hint(backoff, hint_ms);
    return delay > hint ? delay : hint;
}

void range_backoff_succeed(range_backoff_t *backoff, range_backoff_owner_t *owner,
                           key_range_t range)
{
    range_failures_t *failures =
        owner->first ? key_map_get(&backoff->by_range, key_of(owner, range)) : NULL;
    if (failures)
        forget(backoff, failures);
}

void range_backoff_forget_owner(range_backoff_t *backoff, range_backoff_owner_t *owner)
{
    while (owner->first)
        forget(backoff, owner->first);
}

uint64_t range_backoff_failures(const range_backoff_t *backoff, const range_backoff_owner_t *owner,
                                key_range_t range)
{
    const range_failures_t *failures = key_map_get(&backoff->by_range, key_of(owner, range));
    return failures ? failures->backoff.failures : 0;
}
