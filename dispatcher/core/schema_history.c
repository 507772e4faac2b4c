#include "dispatcher/core/schema_history.h"

#include <stdlib.h>

#include "common/base/memory.h"

void schema_history_init(schema_history_t *history, commit_ts_t base)
{
    *history = (schema_history_t){.base = base};
}

static void drop_oldest(schema_history_t *history)
{
    schema_ddl_t *oldest = &history->ddls[history->first];
    history->bytes -= oldest->content.len + sizeof *oldest;
    history->base = oldest->commit_ts;
    free((uint8_t *)oldest->content.data);
    history->first++;
    history->count--;
}

void schema_history_clear(schema_history_t *history)
{
    while (history->count)
        drop_oldest(history);
    free(history->ddls);
    *history = (schema_history_t){0};
}

static void make_room(schema_history_t *history)
{
    if (history->first + history->count < history->capacity)
        return;
    if (history->first > history->capacity / 2) {
        memmove(history->ddls, history->ddls + history->first,
                history->count * sizeof *history->ddls);
        history->first = 0;
        return;
    }
    history->capacity = history->capacity ? history->capacity * 2 : 16;
    history->ddls = memory_realloc(history->ddls, history->capacity * sizeof *history->ddls);
}

void schema_history_add(schema_history_t *history, const schema_ddl_t *ddl)
{
    make_room(history);
    schema_ddl_t *own = &history->ddls[history->first + history->count++];
    uint8_t *content = memory_alloc(ddl->content.len);
    if (ddl->content.len)
        memcpy(content, ddl->content.data, ddl->content.len);
    *own = *ddl;
    own->content = bytes_of(content, ddl->content.len);
    history->bytes += ddl->content.len + sizeof *own;
    while (history->bytes > SCHEMA_HISTORY_BYTES_MAX)
        drop_oldest(history);
}

void schema_history_forget(schema_history_t *history, commit_ts_t through)
{
    while (history->count && history->ddls[history->first].commit_ts.v <= through.v)
        drop_oldest(history);
    if (through.v > history->base.v)
        history->base = through;
}

sluice_error_t schema_history_read(const schema_history_t *history, commit_ts_t after,
                                   commit_ts_t *up_to, uint32_t max, arena_t *arena,
                                   const schema_ddl_t **ddls, uint32_t *count)
{
    *ddls = NULL;
    *count = 0;
    if (after.v < history->base.v)
        return SLUICE_ERROR_NOT_FOUND;
    const schema_ddl_t *from = history->ddls + history->first;
    const schema_ddl_t *end = from + history->count;
    while (from < end && from->commit_ts.v <= after.v)
        from++;
    uint32_t wanted = 0;
    while (from + wanted < end && wanted < max && from[wanted].commit_ts.v <= up_to->v)
        wanted++;
    if (wanted == 0)
        return SLUICE_OK;
    schema_ddl_t *copies = arena_calloc(arena, wanted, sizeof *copies);
    for (uint32_t i = 0; i < wanted; i++) {
        copies[i] = from[i];
        copies[i].content = arena_bytes(arena, from[i].content);
    }
    if (from + wanted < end && from[wanted].commit_ts.v <= up_to->v)
        *up_to = copies[wanted - 1].commit_ts;
    *ddls = copies;
    *count = wanted;
    return SLUICE_OK;
}
