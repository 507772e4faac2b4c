/*
 * Puts messages of one changefeed (or of the process) among the effects, with their headers filled.
 *
 * Threads: one. Everything is borrowed for one step.
 */
#ifndef SLUICE_MAINTAINER_CORE_SENDER_H
#define SLUICE_MAINTAINER_CORE_SENDER_H

#include "maintainer/core/effects.h"
#include "maintainer/core/node_set.h"

typedef struct {
    effects_t *effects;
    const node_set_t *nodes;
    node_id_t name;            /* the maintainer's own */
    incarnation_t incarnation; /* the maintainer's own */
    uint64_t maintainer_epoch; /* 0: process-wide */
    changefeed_ref_t ref;
    bytes_t changefeed;                /* name, for log lines */
    const changefeed_config_t *config; /* of the changefeed */
} sender_t;

/* A zeroed message with its header; NULL when the node is not present. */
message_t *sender_message(const sender_t *sender, node_index_t node, message_type_t type);

#endif
