/*
 * A CHANGEFEED_OPEN that comes in pieces, put together (DESIGN §2). Pieces of one open come in
 * order; a first piece begins anew, anything that does not continue is dropped, since the whole is
 * repeated.
 *
 * Threads: a value, one thread.
 */
#ifndef SLUICE_DISPATCHER_CORE_NODE_CHANGEFEED_OPENING_H
#define SLUICE_DISPATCHER_CORE_NODE_CHANGEFEED_OPENING_H

#include "common/base/arena.h"
#include "common/wire/message.h"

#define OPENING_SNAPSHOT_BYTES_MAX (UINT64_C(1) << 30)
#define OPENING_DDLS_MAX 1000000

/* All zero: nothing collected. */
typedef struct {
    arena_t arena;
    bool is_open;
    uint64_t maintainer_epoch;
    uint32_t next_piece;
    changefeed_open_t whole; /* everything owned: by the arena, `ddls` and `snapshot` by themselves
                              */
    uint8_t *snapshot;
    size_t snapshot_len, snapshot_capacity;
    schema_ddl_t *ddls;
    uint32_t ddl_capacity;
} changefeed_opening_t;

/* Takes one piece in (copied). Returns the whole when this was the last missing piece, valid until
 * the next call; else NULL. */
const changefeed_open_t *changefeed_opening_add(changefeed_opening_t *opening,
                                                uint64_t maintainer_epoch,
                                                const changefeed_open_t *piece);
void changefeed_opening_clear(changefeed_opening_t *opening);

#endif
