#include "maintainer/core/dispatcher_news.h"

#include <stdlib.h>

#include "common/base/memory.h"
#include "maintainer/core/id_index.h"

struct dispatcher_news {
    dispatcher_heartbeat_t *entries;
    uint32_t count, capacity;
    id_index_t by_id;
};

static index_key_t key_of(const void *owner, uint32_t number)
{
    const dispatcher_news_t *news = owner;
    dispatcher_id_t id = news->entries[number].dispatcher_id;
    return (index_key_t){id.hi, id.lo};
}

dispatcher_news_t *dispatcher_news_new(void)
{
    dispatcher_news_t *news = memory_zalloc(sizeof *news);
    id_index_init(&news->by_id, news, key_of);
    return news;
}

void dispatcher_news_destroy(dispatcher_news_t **news)
{
    dispatcher_news_t *gone = *news;
    if (!gone)
        return;
    *news = NULL;
    id_index_clear(&gone->by_id);
    free(gone->entries);
    free(gone);
}

void dispatcher_news_add(dispatcher_news_t *news, const dispatcher_heartbeat_t *entry)
{
    index_key_t key = {entry->dispatcher_id.hi, entry->dispatcher_id.lo};
    uint32_t known = id_index_find(&news->by_id, key);
    if (known != ID_INDEX_NONE) {
        news->entries[known] = *entry;
        return;
    }
    if (news->count == news->capacity) {
        news->capacity = news->capacity ? news->capacity * 2 : 16;
        news->entries = memory_realloc(news->entries, news->capacity * sizeof *news->entries);
    }
    news->entries[news->count] = *entry;
    id_index_insert(&news->by_id, news->count++);
}

const dispatcher_heartbeat_t *dispatcher_news_find(const dispatcher_news_t *news,
                                                   dispatcher_id_t id)
{
    uint32_t number = id_index_find(&news->by_id, (index_key_t){id.hi, id.lo});
    return number == ID_INDEX_NONE ? NULL : &news->entries[number];
}
