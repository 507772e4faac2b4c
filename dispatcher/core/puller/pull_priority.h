/*
 * In which order requests are sent to a store: high before normal before low, first come first
 * served inside.
 */
#ifndef SLUICE_DISPATCHER_CORE_PULLER_PULL_PRIORITY_H
#define SLUICE_DISPATCHER_CORE_PULLER_PULL_PRIORITY_H

typedef enum { PULL_HIGH, PULL_NORMAL, PULL_LOW } pull_priority_t;
#define PULL_PRIORITY_COUNT 3

/* One step lower; the lowest stays. */
static inline pull_priority_t pull_priority_lowered(pull_priority_t priority)
{
    return priority == PULL_HIGH ? PULL_NORMAL : PULL_LOW;
}

static inline pull_priority_t pull_priority_stronger(pull_priority_t a, pull_priority_t b)
{
    return a < b ? a : b;
}

#endif
