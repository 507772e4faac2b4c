/*
 * The schema snapshot as the maintainer keeps it: the tracker's bytes behind what else a node must
 * know of the source to read its log. Opaque to everybody but nodes.
 *
 *   0  'S' 'E'   2  version (1)   3  flags: 1 = names are compared in lower case   4  snapshot
 */
#ifndef SLUICE_DISPATCHER_CORE_NODE_SCHEMA_ENVELOPE_H
#define SLUICE_DISPATCHER_CORE_NODE_SCHEMA_ENVELOPE_H

#include "common/base/arena.h"
#include "common/base/error.h"

typedef struct {
    bool lower_case_names;
    bytes_t snapshot;
} schema_envelope_t;

/* In the arena. */
bytes_t schema_envelope_encode(const schema_envelope_t *envelope, arena_t *arena);
/* Borrows from `bytes`. SLUICE_ERROR_MALFORMED, SLUICE_ERROR_UNSUPPORTED (a later version). */
sluice_error_t schema_envelope_decode(bytes_t bytes, schema_envelope_t *envelope) SLUICE_MUST_USE;

#endif
