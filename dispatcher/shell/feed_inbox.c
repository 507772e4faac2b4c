#include "dispatcher/shell/feed_inbox.h"

#include <pthread.h>
#include <stdlib.h>

#include "common/base/memory.h"

typedef struct {
    feed_item_t *items;
    uint32_t count, capacity;
} item_list_t;

struct feed_inbox {
    void (*ring)(void *context);
    void *context;
    pthread_mutex_t lock;
    pthread_cond_t room;
    item_list_t filled; /* by the reader, under the lock */
    item_list_t taken;  /* the service's alone */
    uint64_t bytes;
    bool has_room, is_stopped, is_caught_up;
    error_report_t failure; /* code SLUICE_OK: none */
};

feed_inbox_t *feed_inbox_new(void (*ring)(void *context), void *context)
{
    feed_inbox_t *inbox = memory_zalloc(sizeof *inbox);
    inbox->ring = ring;
    inbox->context = context;
    inbox->has_room = true;
    pthread_mutex_init(&inbox->lock, NULL);
    pthread_cond_init(&inbox->room, NULL);
    return inbox;
}

void feed_inbox_destroy(feed_inbox_t **inbox)
{
    feed_inbox_t *self = *inbox;
    *inbox = NULL;
    if (!self)
        return;
    for (uint32_t i = 0; i < self->filled.count; i++)
        feed_item_clear(&self->filled.items[i]);
    free(self->filled.items);
    free(self->taken.items);
    pthread_cond_destroy(&self->room);
    pthread_mutex_destroy(&self->lock);
    free(self);
}

static bool is_full(const feed_inbox_t *inbox)
{
    return !inbox->has_room || inbox->bytes >= FEED_INBOX_BYTES_MAX ||
           inbox->filled.count >= FEED_INBOX_ITEMS_MAX;
}

static void add(item_list_t *list, const feed_item_t *item)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity ? list->capacity * 2 : 64;
        list->items = memory_realloc(list->items, list->capacity * sizeof *list->items);
    }
    list->items[list->count++] = *item;
}

bool feed_inbox_put(feed_inbox_t *inbox, feed_item_t *item)
{
    size_t bytes = feed_item_bytes(item);
    pthread_mutex_lock(&inbox->lock);
    while (is_full(inbox) && !inbox->is_stopped)
        pthread_cond_wait(&inbox->room, &inbox->lock);
    bool is_taken = !inbox->is_stopped;
    bool is_first = inbox->filled.count == 0;
    if (is_taken) {
        add(&inbox->filled, item);
        inbox->bytes += bytes;
        inbox->is_caught_up = false;
    }
    pthread_mutex_unlock(&inbox->lock);
    if (!is_taken)
        feed_item_clear(item);
    else if (is_first)
        inbox->ring(inbox->context);
    *item = (feed_item_t){0};
    return is_taken;
}

void feed_inbox_set_caught_up(feed_inbox_t *inbox, bool is_caught_up)
{
    pthread_mutex_lock(&inbox->lock);
    bool was_caught_up = inbox->is_caught_up;
    inbox->is_caught_up = is_caught_up;
    pthread_mutex_unlock(&inbox->lock);
    if (was_caught_up != is_caught_up)
        inbox->ring(inbox->context);
}

uint32_t feed_inbox_take(feed_inbox_t *inbox, feed_item_t **items, bool *is_caught_up)
{
    pthread_mutex_lock(&inbox->lock);
    item_list_t emptied = inbox->taken;
    emptied.count = 0;
    inbox->taken = inbox->filled;
    inbox->filled = emptied;
    bool was_full = is_full(inbox) || inbox->bytes >= FEED_INBOX_BYTES_MAX ||
                    inbox->taken.count >= FEED_INBOX_ITEMS_MAX;
    inbox->bytes = 0;
    *is_caught_up = inbox->is_caught_up;
    if (was_full)
        pthread_cond_signal(&inbox->room);
    pthread_mutex_unlock(&inbox->lock);
    *items = inbox->taken.items;
    return inbox->taken.count;
}

void feed_inbox_fail(feed_inbox_t *inbox, const error_report_t *report)
{
    pthread_mutex_lock(&inbox->lock);
    inbox->failure = *report;
    pthread_mutex_unlock(&inbox->lock);
    inbox->ring(inbox->context);
}

bool feed_inbox_has_failed(feed_inbox_t *inbox, error_report_t *report)
{
    pthread_mutex_lock(&inbox->lock);
    bool has_failed = inbox->failure.code != SLUICE_OK && inbox->filled.count == 0;
    if (has_failed)
        *report = inbox->failure;
    pthread_mutex_unlock(&inbox->lock);
    return has_failed;
}

void feed_inbox_set_room(feed_inbox_t *inbox, bool has_room)
{
    pthread_mutex_lock(&inbox->lock);
    inbox->has_room = has_room;
    if (has_room)
        pthread_cond_signal(&inbox->room);
    pthread_mutex_unlock(&inbox->lock);
}

void feed_inbox_stop(feed_inbox_t *inbox)
{
    pthread_mutex_lock(&inbox->lock);
    inbox->is_stopped = true;
    pthread_cond_broadcast(&inbox->room);
    pthread_mutex_unlock(&inbox->lock);
}
