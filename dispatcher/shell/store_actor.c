#include "dispatcher/shell/store_actor.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "common/base/memory.h"
#include "common/runtime/clock.h"
#include "common/runtime/fail_point.h"
#include "common/runtime/log.h"
#include "dispatcher/core/binlog/rows_codec.h"
#include "dispatcher/core/binlog/table_map.h"
#include "dispatcher/store/definition_book.h"
#include "dispatcher/store/store_directory.h"

#define COMPONENT "event_store"

typedef struct queued {
    struct queued *next;
    store_request_t request;
    store_answer_t answer;
} queued_t;

typedef struct {
    queued_t *first, *last;
} queue_t;

struct store_actor {
    store_actor_options_t options;
    pthread_t thread;
    pthread_mutex_t lock; /* of what follows, up to the thread's own */
    pthread_cond_t bell, end;
    bool is_stopping;
    bool has_ended;    /* the thread has nothing more to do */
    bool is_abandoned; /* and nobody else has the actor: the thread frees it */
    queue_t requests, answers;

    /* The thread's own. */
    event_store_t *store; /* NULL: nothing was written yet */
    store_directory_t directory;
    definition_book_t book;
    bool has_failed; /* until it is wiped */
};

static void push(queue_t *queue, queued_t *item)
{
    item->next = NULL;
    if (queue->last)
        queue->last->next = item;
    else
        queue->first = item;
    queue->last = item;
}

static queued_t *pop(queue_t *queue)
{
    queued_t *item = queue->first;
    if (!item)
        return NULL;
    queue->first = item->next;
    if (!queue->first)
        queue->last = NULL;
    return item;
}

/* ---- the thread ---- */

static void close_store(store_actor_t *actor)
{
    actor->options.api->close(&actor->store);
    store_directory_remove(&actor->directory);
    definition_book_clear(&actor->book);
}

static sluice_error_t open_store(store_actor_t *actor, error_report_t *report)
{
    if (actor->store)
        return SLUICE_OK;
    sluice_error_t error = store_directory_make(actor->options.parent, &actor->directory, report);
    if (error != SLUICE_OK)
        return error;
    char *data = store_directory_data(&actor->directory);
    event_store_options_t how = {.directory = data, .bytes_max = actor->options.bytes_max};
    error = actor->options.api->open(&how, &actor->store, report);
    free(data);
    if (error == SLUICE_OK)
        LOG(LOG_LEVEL_INFO, COMPONENT, actor->options.changefeed,
            "rows that a lagging table needs go to the disk",
            log_text("directory", actor->directory.path));
    return error;
}

/* All bytes in one block, which the records borrow from. */
static uint8_t *encode(const store_request_t *request, store_record_t *records)
{
    size_t size = 0;
    for (uint32_t i = 0; i < request->part_count; i++) {
        const store_part_t *part = &request->parts[i];
        records[i] = (store_record_t){.table_id = part->rows->definition->table_id,
                                      .key = part->key,
                                      .bytes.len = rows_codec_size(part->transaction, part->rows)};
        size += records[i].bytes.len;
    }
    uint8_t *block = memory_alloc(size), *to = block;
    for (uint32_t i = 0; i < request->part_count; i++) {
        rows_codec_encode(request->parts[i].transaction, request->parts[i].rows, to);
        records[i].bytes.data = to;
        to += records[i].bytes.len;
    }
    return block;
}

static sluice_error_t write_parts(store_actor_t *actor, const store_request_t *request,
                                  error_report_t *report)
{
    if (actor->book.count + request->part_count > DEFINITION_BOOK_MAX)
        return SLUICE_ERROR_FULL;
    sluice_error_t error = open_store(actor, report);
    if (error == SLUICE_OK)
        error = FAIL_POINT("event-store.write", request->parts[0].key.commit_ts.v, NULL);
    if (error != SLUICE_OK)
        return error;
    store_record_t *records = memory_alloc(request->part_count * sizeof *records);
    uint8_t *block = encode(request, records);
    error = actor->options.api->append(actor->store, records, request->part_count, report);
    for (uint32_t i = 0; i < request->part_count && error == SLUICE_OK; i++)
        definition_book_add(&actor->book, request->parts[i].rows->definition,
                            request->parts[i].key);
    free(records);
    free(block);
    return error == SLUICE_OK
               ? FAIL_POINT("event-store.written", request->parts[0].key.commit_ts.v, NULL)
               : error;
}

typedef struct {
    const definition_book_t *book;
    table_id_t table_id;
    const table_map_t *last_map;
    store_answer_t *answer;
    uint32_t capacity;
    error_report_t *report;
} reading_t;

static sluice_error_t take_record(void *context, store_key_t key, bytes_t bytes)
{
    reading_t *reading = context;
    store_answer_t *answer = reading->answer;
    const table_definition_t *definition =
        definition_book_find(reading->book, reading->table_id, key);
    if (!definition)
        return error_report_set(reading->report, SLUICE_ERROR_MALFORMED,
                                "event store: rows of no known definition");
    transaction_t *transaction;
    sluice_error_t error =
        rows_codec_decode(bytes, definition, &reading->last_map, &transaction, reading->report);
    if (error != SLUICE_OK)
        return error;
    if (answer->part_count == reading->capacity) {
        reading->capacity = reading->capacity ? reading->capacity * 2 : 64;
        answer->parts = memory_realloc(answer->parts, reading->capacity * sizeof *answer->parts);
    }
    answer->parts[answer->part_count++] =
        (store_part_t){.key = key, .transaction = transaction, .rows = &transaction->tables[0]};
    return SLUICE_OK;
}

static sluice_error_t read_parts(store_actor_t *actor, const store_request_t *request,
                                 store_answer_t *answer, error_report_t *report)
{
    answer->reached = request->through;
    sluice_error_t error = FAIL_POINT("event-store.read", request->after.commit_ts.v, NULL);
    if (error != SLUICE_OK || !actor->store)
        return error;
    reading_t reading = {
        .book = &actor->book, .table_id = request->table_id, .answer = answer, .report = report};
    error = actor->options.api->scan(actor->store, request->table_id, request->after,
                                     request->through, request->bytes_max, take_record, &reading,
                                     &answer->reached, report);
    table_map_unref(&reading.last_map);
    return error;
}

static sluice_error_t forget(store_actor_t *actor, const store_request_t *request,
                             error_report_t *report)
{
    sluice_error_t error = SLUICE_OK;
    for (uint32_t i = 0; i < request->forget_count && error == SLUICE_OK && actor->store; i++) {
        const store_forget_t *what = &request->forgets[i];
        error = actor->options.api->forget(actor->store, what->table_id, what->up_to, report);
        definition_book_forget(&actor->book, what->table_id, what->up_to);
    }
    return error;
}

static sluice_error_t execute(store_actor_t *actor, const store_request_t *request,
                              store_answer_t *answer, error_report_t *report)
{
    switch (request->kind) {
    case STORE_WRITE:
        return write_parts(actor, request, report);
    case STORE_READ:
        return read_parts(actor, request, answer, report);
    case STORE_FORGET:
        return forget(actor, request, report);
    case STORE_WIPE:
        close_store(actor);
        return SLUICE_OK;
    }
    return SLUICE_ERROR_BUG;
}

static void note_failure(store_actor_t *actor, const error_report_t *report, sluice_error_t error)
{
    actor->has_failed = true;
    LOG(LOG_LEVEL_WARNING, COMPONENT, actor->options.changefeed,
        "the event store failed; what it held is read from the source again",
        log_text("error", sluice_error_name(error)), log_text("text", report->text));
}

static void carry_out(store_actor_t *actor, queued_t *item)
{
    const store_request_t *request = &item->request;
    store_answer_t *answer = &item->answer;
    error_report_t report = {0};
    *answer = (store_answer_t){
        .kind = request->kind, .table_id = request->table_id, .ticket = request->ticket};
    if (request->kind == STORE_WIPE)
        actor->has_failed = false;
    answer->error =
        actor->has_failed ? SLUICE_ERROR_CLOSED : execute(actor, request, answer, &report);
    bool is_full = request->kind == STORE_WRITE && answer->error == SLUICE_ERROR_FULL;
    if (answer->error != SLUICE_OK && !is_full && !actor->has_failed)
        note_failure(actor, &report, answer->error);
    answer->bytes = actor->store ? actor->options.api->bytes(actor->store) : 0;
    store_request_clear(&item->request);
}

static void free_actor(store_actor_t *actor)
{
    queued_t *item;
    while ((item = pop(&actor->requests))) {
        store_request_clear(&item->request);
        free(item);
    }
    while ((item = pop(&actor->answers))) {
        store_answer_clear(&item->answer);
        free(item);
    }
    pthread_cond_destroy(&actor->bell);
    pthread_cond_destroy(&actor->end);
    pthread_mutex_destroy(&actor->lock);
    free((char *)(uintptr_t)actor->options.parent);
    free((char *)(uintptr_t)actor->options.changefeed);
    free(actor);
}

static queued_t *next_request(store_actor_t *actor)
{
    pthread_mutex_lock(&actor->lock);
    while (!actor->requests.first && !actor->is_stopping)
        pthread_cond_wait(&actor->bell, &actor->lock);
    queued_t *item = actor->is_stopping ? NULL : pop(&actor->requests);
    pthread_mutex_unlock(&actor->lock);
    return item;
}

/* Whom to ring may be gone meanwhile. */
static void answer(store_actor_t *actor, queued_t *item)
{
    pthread_mutex_lock(&actor->lock);
    push(&actor->answers, item);
    if (!actor->is_abandoned)
        actor->options.ring(actor->options.context);
    pthread_mutex_unlock(&actor->lock);
}

static void *run(void *context)
{
    store_actor_t *actor = context;
    store_directory_clean(actor->options.parent);
    queued_t *item;
    while ((item = next_request(actor))) {
        carry_out(actor, item);
        answer(actor, item);
    }
    close_store(actor);
    pthread_mutex_lock(&actor->lock);
    actor->has_ended = true;
    bool is_abandoned = actor->is_abandoned;
    pthread_cond_signal(&actor->end);
    pthread_mutex_unlock(&actor->lock);
    if (is_abandoned)
        free_actor(actor);
    return NULL;
}

/* ---- for the others ---- */

sluice_error_t store_actor_start(const store_actor_options_t *options, store_actor_t **actor,
                                 error_report_t *report)
{
    *actor = NULL;
    store_actor_t *self = memory_zalloc(sizeof *self);
    self->options = *options;
    self->options.parent = memory_strdup(options->parent);
    self->options.changefeed = memory_strdup(options->changefeed);
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->bell, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&self->end, &attributes);
    pthread_condattr_destroy(&attributes);
    if (pthread_create(&self->thread, NULL, run, self) != 0) {
        free_actor(self);
        return error_report_set(report, SLUICE_ERROR_MEMORY, "no thread left for the event store");
    }
    *actor = self;
    return SLUICE_OK;
}

void store_actor_destroy(store_actor_t **actor)
{
    store_actor_t *self = *actor;
    *actor = NULL;
    if (!self)
        return;
    pthread_t thread = self->thread;
    mono_ns_t deadline = mono_add(clock_mono(), self->options.patience_ns);
    struct timespec until = {.tv_sec = (time_t)(deadline.v / NS_PER_S),
                             .tv_nsec = (long)(deadline.v % NS_PER_S)};
    pthread_mutex_lock(&self->lock);
    self->is_stopping = true;
    pthread_cond_signal(&self->bell);
    while (!self->has_ended && pthread_cond_timedwait(&self->end, &self->lock, &until) != ETIMEDOUT)
        ;
    bool has_ended = self->has_ended;
    self->is_abandoned = !has_ended;
    if (!has_ended)
        LOG(LOG_LEVEL_WARNING, COMPONENT, self->options.changefeed,
            "the event store does not answer; its thread is left behind");
    pthread_mutex_unlock(&self->lock);
    if (!has_ended) {
        pthread_detach(thread);
        return;
    }
    pthread_join(thread, NULL);
    free_actor(self);
}

void store_actor_put(store_actor_t *actor, store_request_t *request)
{
    queued_t *item = memory_zalloc(sizeof *item);
    item->request = *request;
    *request = (store_request_t){0};
    pthread_mutex_lock(&actor->lock);
    push(&actor->requests, item);
    pthread_cond_signal(&actor->bell);
    pthread_mutex_unlock(&actor->lock);
}

bool store_actor_take(store_actor_t *actor, store_answer_t *answer)
{
    pthread_mutex_lock(&actor->lock);
    queued_t *item = pop(&actor->answers);
    pthread_mutex_unlock(&actor->lock);
    if (!item)
        return false;
    *answer = item->answer;
    free(item);
    return true;
}
