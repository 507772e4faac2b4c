#include "dispatcher/sink/file/sequence_map.h"

#include <pthread.h>
#include <stdlib.h>

#include "common/base/memory.h"

typedef struct entry {
    struct entry *next;
    table_id_t table_id;
    commit_ts_t commit_ts;
    uint64_t count;
} entry_t;

/* A list: only tables in the middle of a very large transaction are in it. */
struct sequence_map {
    pthread_mutex_t mutex;
    entry_t *entries;
};

sequence_map_t *sequence_map_new(void)
{
    sequence_map_t *map = memory_zalloc(sizeof *map);
    pthread_mutex_init(&map->mutex, NULL);
    return map;
}

void sequence_map_destroy(sequence_map_t **map)
{
    if (!*map)
        return;
    while ((*map)->entries)
        sequence_map_forget(*map, (*map)->entries->table_id);
    pthread_mutex_destroy(&(*map)->mutex);
    free(*map);
    *map = NULL;
}

static entry_t **find(sequence_map_t *map, table_id_t table_id)
{
    entry_t **at = &map->entries;
    while (*at && (*at)->table_id.v != table_id.v)
        at = &(*at)->next;
    return at;
}

uint64_t sequence_map_get(sequence_map_t *map, table_id_t table_id, commit_ts_t ts)
{
    pthread_mutex_lock(&map->mutex);
    const entry_t *entry = *find(map, table_id);
    uint64_t count = entry && entry->commit_ts.v == ts.v ? entry->count : 0;
    pthread_mutex_unlock(&map->mutex);
    return count;
}

void sequence_map_put(sequence_map_t *map, table_id_t table_id, commit_ts_t ts, uint64_t count)
{
    pthread_mutex_lock(&map->mutex);
    entry_t **at = find(map, table_id);
    if (!*at) {
        *at = memory_zalloc(sizeof **at);
        (*at)->table_id = table_id;
    }
    (*at)->commit_ts = ts;
    (*at)->count = count;
    pthread_mutex_unlock(&map->mutex);
}

void sequence_map_forget(sequence_map_t *map, table_id_t table_id)
{
    pthread_mutex_lock(&map->mutex);
    entry_t **at = find(map, table_id), *entry = *at;
    if (entry) {
        *at = entry->next;
        free(entry);
    }
    pthread_mutex_unlock(&map->mutex);
}
