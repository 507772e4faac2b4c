/* A changefeed's configuration that outlives the message it came in. Threads: values. */
#ifndef SLUICE_COMMON_WIRE_CHANGEFEED_CONFIG_H
#define SLUICE_COMMON_WIRE_CHANGEFEED_CONFIG_H

#include "common/base/arena.h"
#include "common/wire/message.h"

/* Deep; everything in the arena. All texts are NUL-terminated behind their length, also empty ones.
 */
changefeed_config_t changefeed_config_copy(arena_t *arena, const changefeed_config_t *from);

#endif
