/*
 * The block status buffer against a naive queue (mutex, a heap message with nested parts for every
 * status, no coalescing), in one run: PERFORMANCE.md T3, T4, T5. Prints a line a target: name,
 * median ratio, minimum and maximum, what is wanted, pass or fail.
 */
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <xxhash.h>

#include "common/base/memory.h"
#include "dispatcher/core/status/block_status_buffer.h"
#include "tests/bench/ratio.h"

#define REPEATS 7

static double now_ns(clockid_t clock)
{
    struct timespec at;
    clock_gettime(clock, &at);
    return (double)at.tv_sec * 1e9 + (double)at.tv_nsec;
}

/* ---- the naive way ---- */

typedef struct {
    void *descriptor;
    uint32_t unknown_count;
    void *unknown;
} message_base_t;

typedef struct {
    message_base_t base;
    uint64_t hi, lo;
} naive_id_t;

typedef struct {
    message_base_t base;
    int stage, is_blocked, is_syncpoint;
    uint64_t commit_ts;
    size_t table_count;
    uint64_t *tables;
} naive_state_t;

typedef struct naive_status {
    message_base_t base;
    naive_id_t *id;
    naive_state_t *state;
    int mode;
    struct naive_status *next;
} naive_status_t;

typedef struct {
    pthread_mutex_t lock;
    naive_status_t *first, *last;
} naive_queue_t;

static void naive_offer(naive_queue_t *queue, uint64_t number, uint64_t commit_ts)
{
    naive_status_t *status = calloc(1, sizeof *status);
    status->id = calloc(1, sizeof *status->id);
    status->id->lo = number;
    status->state = calloc(1, sizeof *status->state);
    status->state->commit_ts = commit_ts;
    status->state->stage = STAGE_WAITING;
    status->state->tables = calloc(2, sizeof *status->state->tables);
    pthread_mutex_lock(&queue->lock);
    if (queue->last)
        queue->last->next = status;
    else
        queue->first = status;
    queue->last = status;
    pthread_mutex_unlock(&queue->lock);
}

static void naive_drain(naive_queue_t *queue)
{
    while (queue->first) {
        naive_status_t *status = queue->first;
        queue->first = status->next;
        free(status->state->tables);
        free(status->state);
        free(status->id);
        free(status);
    }
    queue->last = NULL;
}

/* ---- ours ---- */

typedef struct {
    status_slot_t **slots;
    uint32_t count;
} slots_t;

static slots_t slots_new(uint32_t count)
{
    slots_t slots = {memory_alloc(count * sizeof *slots.slots), count};
    for (uint32_t i = 0; i < count; i++)
        slots.slots[i] = status_slot_new((dispatcher_id_t){1, i}, PIPELINE_DEFAULT, NULL);
    return slots;
}

static void slots_free(slots_t *slots)
{
    for (uint32_t i = 0; i < slots->count; i++)
        status_slot_unref(&slots->slots[i]);
    free(slots->slots);
}

static void offer_range(block_status_buffer_t *buffer, const slots_t *slots, uint32_t first,
                        uint32_t end, uint64_t commit_ts)
{
    for (uint32_t i = first; i < end; i++) {
        block_status_t status = {
            .slot = slots->slots[i], .key = {{commit_ts}, false}, .stage = STAGE_WAITING};
        if (block_status_buffer_try_offer(buffer, &status) != SLUICE_OK)
            abort();
    }
}

static void drain(block_status_buffer_t *buffer)
{
    block_status_t taken[256];
    uint32_t count = 0;
    while ((count = block_status_buffer_take(buffer, taken, 256)) > 0)
        for (uint32_t i = 0; i < count; i++)
            block_status_clear(&taken[i]);
}

/* ---- T4 ---- */

/* Hash of the key and a copy of 32 bytes, over a table of that many keys. */
static double floor_ns(uint32_t count, uint32_t rounds)
{
    typedef struct {
        uint64_t words[4];
    } record_t;
    record_t *records = memory_zalloc(count * sizeof *records);
    uint64_t sum = 0;
    double start = now_ns(CLOCK_THREAD_CPUTIME_ID);
    for (uint32_t round = 0; round < rounds; round++)
        for (uint32_t i = 0; i < count; i++) {
            record_t record = {{1, i, round, 7}};
            sum += XXH3_64bits(&record, sizeof record);
            records[i] = record;
        }
    double took = now_ns(CLOCK_THREAD_CPUTIME_ID) - start;
    volatile uint64_t keep = sum + records[count / 2].words[1];
    (void)keep;
    free(records);
    return took / ((double)count * rounds);
}

static void bench_duplicates(const char *name, uint32_t count, double wanted)
{
    double ratios[REPEATS];
    slots_t slots = slots_new(count);
    block_status_buffer_t *buffer = block_status_buffer_new(BLOCK_STATUS_BUFFER_CAPACITY);
    offer_range(buffer, &slots, 0, count, 5);
    uint32_t rounds = 4000000 / count + 1;
    for (int repeat = 0; repeat < REPEATS; repeat++) {
        double start = now_ns(CLOCK_THREAD_CPUTIME_ID);
        for (uint32_t round = 0; round < rounds; round++)
            offer_range(buffer, &slots, 0, count, 5);
        double ours = (now_ns(CLOCK_THREAD_CPUTIME_ID) - start) / ((double)count * rounds);
        ratios[repeat] = ours / floor_ns(count, rounds);
    }
    drain(buffer);
    block_status_buffer_destroy(&buffer);
    slots_free(&slots);
    ratio_report(name, ratios, REPEATS, wanted, false);
}

/* ---- T5 ---- */

#define THREADS 4
#define OFFERS_EACH 50000

typedef struct {
    pthread_barrier_t *start;
    naive_queue_t *naive;
    block_status_buffer_t *buffer;
    const slots_t *slots;
    uint32_t index;
} offerer_t;

static void *offer_many(void *argument)
{
    offerer_t *offerer = argument;
    uint32_t first = offerer->index * OFFERS_EACH;
    pthread_barrier_wait(offerer->start);
    if (offerer->naive)
        for (uint32_t i = 0; i < OFFERS_EACH; i++)
            naive_offer(offerer->naive, first + i, 5);
    else
        offer_range(offerer->buffer, offerer->slots, first, first + OFFERS_EACH, 5);
    return NULL;
}

static double time_offers(naive_queue_t *naive, block_status_buffer_t *buffer, const slots_t *slots)
{
    pthread_t threads[THREADS];
    offerer_t offerers[THREADS];
    pthread_barrier_t barrier;
    pthread_barrier_init(&barrier, NULL, THREADS + 1);
    for (uint32_t i = 0; i < THREADS; i++) {
        offerers[i] = (offerer_t){&barrier, naive, buffer, slots, i};
        pthread_create(&threads[i], NULL, offer_many, &offerers[i]);
    }
    double start = now_ns(CLOCK_MONOTONIC);
    pthread_barrier_wait(&barrier);
    for (uint32_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&barrier);
    return now_ns(CLOCK_MONOTONIC) - start;
}

static void bench_offers(void)
{
    double ratios[REPEATS];
    slots_t slots = slots_new(THREADS * OFFERS_EACH);
    for (int repeat = 0; repeat < REPEATS; repeat++) {
        naive_queue_t naive = {.lock = PTHREAD_MUTEX_INITIALIZER};
        double plain = time_offers(&naive, NULL, NULL);
        naive_drain(&naive);
        block_status_buffer_t *buffer = block_status_buffer_new(BLOCK_STATUS_BUFFER_CAPACITY);
        double ours = time_offers(NULL, buffer, &slots);
        drain(buffer);
        block_status_buffer_destroy(&buffer);
        ratios[repeat] = plain / ours;
    }
    slots_free(&slots);
    ratio_report("T5 offer, 4 threads: naive / ours", ratios, REPEATS, 6, true);
}

/* ---- T3 ---- */

static double heap_bytes(void)
{
    struct mallinfo2 info = mallinfo2();
    return (double)info.uordblks + (double)info.hblkhd;
}

static double buffer_heap(const slots_t *slots, uint32_t times)
{
    double before = heap_bytes();
    block_status_buffer_t *buffer = block_status_buffer_new(BLOCK_STATUS_BUFFER_CAPACITY);
    for (uint32_t i = 0; i < times; i++)
        offer_range(buffer, slots, 0, slots->count, 5);
    double used = heap_bytes() - before;
    drain(buffer);
    block_status_buffer_destroy(&buffer);
    return used;
}

static void bench_heap(void)
{
    double against_naive[REPEATS], against_one[REPEATS];
    slots_t slots = slots_new(100000);
    for (int repeat = 0; repeat < REPEATS; repeat++) {
        naive_queue_t naive = {.lock = PTHREAD_MUTEX_INITIALIZER};
        double before = heap_bytes();
        for (uint32_t times = 0; times < 10; times++)
            for (uint32_t i = 0; i < slots.count; i++)
                naive_offer(&naive, i, 5);
        double plain = heap_bytes() - before;
        naive_drain(&naive);
        double ten = buffer_heap(&slots, 10), one = buffer_heap(&slots, 1);
        against_naive[repeat] = plain / ten;
        against_one[repeat] = ten / one;
    }
    slots_free(&slots);
    ratio_report("T3 peak heap, 10 x 100,000: naive / ours", against_naive, REPEATS, 30, true);
    ratio_report("T3 peak heap: ours x 10 / ours x 1", against_one, REPEATS, 1.05, false);
}

int main(void)
{
    bench_heap();
    bench_duplicates("T4 duplicate offer / floor, 100,000", 100000, 5);
    bench_duplicates("T4 duplicate offer / floor, 1,000,000", 1000000, 10);
    bench_offers();
    return ratio_failures() == 0 ? 0 : 1;
}
