#include "dispatcher/shell/stream_ring.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/base/memory.h"

struct stream_ring {
    void (*on_room)(void *context);
    void *context;
    pthread_mutex_t lock;
    int fd;
    uint32_t first, count;
    bool wants_room;
    stream_event_t events[STREAM_RING_EVENTS_MAX];
};

sluice_error_t stream_ring_new(void (*on_room)(void *context), void *context, stream_ring_t **ring)
{
    *ring = NULL;
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0)
        return SLUICE_ERROR_IO;
    stream_ring_t *self = memory_zalloc(sizeof *self);
    self->on_room = on_room;
    self->context = context;
    self->fd = fd;
    pthread_mutex_init(&self->lock, NULL);
    *ring = self;
    return SLUICE_OK;
}

void stream_ring_destroy(stream_ring_t **ring)
{
    stream_ring_t *self = *ring;
    *ring = NULL;
    if (!self)
        return;
    for (uint32_t i = 0; i < self->count; i++)
        stream_event_clear(&self->events[(self->first + i) % STREAM_RING_EVENTS_MAX]);
    pthread_mutex_destroy(&self->lock);
    close(self->fd);
    free(self);
}

uint32_t stream_ring_room(stream_ring_t *ring, uint32_t wanted)
{
    pthread_mutex_lock(&ring->lock);
    uint32_t room = STREAM_RING_EVENTS_MAX - ring->count;
    ring->wants_room = room < wanted;
    pthread_mutex_unlock(&ring->lock);
    return room;
}

void stream_ring_put(stream_ring_t *ring, const stream_event_t *events, uint32_t count)
{
    if (count == 0)
        return;
    pthread_mutex_lock(&ring->lock);
    assert(count <= STREAM_RING_EVENTS_MAX - ring->count);
    bool was_empty = ring->count == 0;
    for (uint32_t i = 0; i < count; i++)
        ring->events[(ring->first + ring->count + i) % STREAM_RING_EVENTS_MAX] = events[i];
    ring->count += count;
    uint64_t one = 1;
    if (was_empty && write(ring->fd, &one, sizeof one) != (ssize_t)sizeof one)
        assert(!"an eventfd that is not full takes one more");
    pthread_mutex_unlock(&ring->lock);
}

int stream_ring_fd(const stream_ring_t *ring)
{
    return ring->fd;
}

uint32_t stream_ring_take(stream_ring_t *ring, stream_event_t *events, uint32_t max)
{
    pthread_mutex_lock(&ring->lock);
    uint32_t count = ring->count < max ? ring->count : max;
    for (uint32_t i = 0; i < count; i++)
        events[i] = ring->events[(ring->first + i) % STREAM_RING_EVENTS_MAX];
    ring->first = (ring->first + count) % STREAM_RING_EVENTS_MAX;
    ring->count -= count;
    uint64_t wakes;
    if (count && ring->count == 0 && read(ring->fd, &wakes, sizeof wakes) < 0)
        assert(!"was written when the first event came");
    bool must_tell = ring->wants_room && count > 0;
    if (must_tell)
        ring->wants_room = false;
    pthread_mutex_unlock(&ring->lock);
    if (must_tell)
        ring->on_room(ring->context);
    return count;
}
