#include "dispatcher/core/node/changefeed_opening.h"

#include <stdlib.h>

#include "common/base/memory.h"
#include "common/wire/changefeed_config.h"

void changefeed_opening_clear(changefeed_opening_t *opening)
{
    arena_clear(&opening->arena);
    free(opening->snapshot);
    free(opening->ddls);
    *opening = (changefeed_opening_t){0};
}

static void begin(changefeed_opening_t *opening, uint64_t maintainer_epoch,
                  const changefeed_open_t *piece)
{
    changefeed_opening_clear(opening);
    opening->is_open = true;
    opening->maintainer_epoch = maintainer_epoch;
    opening->whole = *piece;
    opening->whole.config = changefeed_config_copy(&opening->arena, &piece->config);
    opening->whole.snapshot = (bytes_t){0};
    opening->whole.ddls = NULL;
    opening->whole.ddl_count = 0;
}

static bool continues(const changefeed_opening_t *opening, uint64_t maintainer_epoch,
                      const changefeed_open_t *piece)
{
    return opening->is_open && opening->maintainer_epoch == maintainer_epoch &&
           opening->next_piece == piece->piece &&
           opening->whole.changefeed.generation == piece->changefeed.generation &&
           changefeed_uuid_equal(opening->whole.changefeed.uuid, piece->changefeed.uuid);
}

static void append_snapshot(changefeed_opening_t *opening, bytes_t bytes)
{
    if (bytes.len == 0)
        return;
    size_t wanted = opening->snapshot_len + bytes.len;
    if (wanted > opening->snapshot_capacity) {
        opening->snapshot_capacity = wanted * 2;
        opening->snapshot = memory_realloc(opening->snapshot, opening->snapshot_capacity);
    }
    memcpy(opening->snapshot + opening->snapshot_len, bytes.data, bytes.len);
    opening->snapshot_len = wanted;
}

static void append_ddls(changefeed_opening_t *opening, const schema_ddl_t *ddls, uint32_t count)
{
    uint32_t have = opening->whole.ddl_count;
    if (have + count > opening->ddl_capacity) {
        opening->ddl_capacity = (have + count) * 2;
        opening->ddls =
            memory_realloc(opening->ddls, opening->ddl_capacity * sizeof *opening->ddls);
    }
    for (uint32_t i = 0; i < count; i++) {
        opening->ddls[have + i] = ddls[i];
        opening->ddls[have + i].content = arena_bytes(&opening->arena, ddls[i].content);
    }
    opening->whole.ddl_count += count;
}

const changefeed_open_t *changefeed_opening_add(changefeed_opening_t *opening,
                                                uint64_t maintainer_epoch,
                                                const changefeed_open_t *piece)
{
    if (piece->piece == 0)
        begin(opening, maintainer_epoch, piece);
    else if (!continues(opening, maintainer_epoch, piece))
        return NULL;
    if (opening->snapshot_len + piece->snapshot.len > OPENING_SNAPSHOT_BYTES_MAX ||
        opening->whole.ddl_count + piece->ddl_count > OPENING_DDLS_MAX) {
        changefeed_opening_clear(opening);
        return NULL;
    }
    append_snapshot(opening, piece->snapshot);
    append_ddls(opening, piece->ddls, piece->ddl_count);
    opening->next_piece++;
    if (!piece->is_last_piece)
        return NULL;
    opening->is_open = false;
    opening->whole.snapshot = bytes_of(opening->snapshot, opening->snapshot_len);
    opening->whole.ddls = opening->ddls;
    return &opening->whole;
}
