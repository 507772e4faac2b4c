/* A changefeed's configuration that outlives the message it came in. */
#ifndef SLUICE_DISPATCHER_CORE_NODE_CHANGEFEED_CONFIG_COPY_H
#define SLUICE_DISPATCHER_CORE_NODE_CHANGEFEED_CONFIG_COPY_H

#include "common/base/arena.h"
#include "common/wire/message.h"

/* Deep; everything in the arena. All texts are NUL-terminated behind their length. */
changefeed_config_t changefeed_config_copy(const changefeed_config_t *config, arena_t *arena);

#endif
