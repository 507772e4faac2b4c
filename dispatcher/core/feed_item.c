#include "dispatcher/core/feed_item.h"

#include <stdlib.h>

void feed_item_clear(feed_item_t *item)
{
    transaction_unref(&item->transaction);
    ddl_event_unref(&item->ddl);
    free(item->tables);
    item->tables = NULL;
    item->table_count = 0;
}

size_t feed_item_bytes(const feed_item_t *item)
{
    size_t bytes = sizeof *item + item->table_count * sizeof *item->tables;
    if (item->transaction)
        bytes += item->transaction->bytes;
    if (item->ddl)
        bytes += sizeof *item->ddl + item->ddl->arena.bytes;
    return bytes;
}
