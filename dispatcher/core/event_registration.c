#include <stdlib.h>

#include "common/base/memory.h"
#include "dispatcher/core/event_service_internal.h"

void registration_free(event_service_t *service, registration_t *registration)
{
    registration_clear_caught_up(service, registration);
    registration_clear_read_back(service, registration);
    free(registration);
}

static void unlink_from_table(event_service_t *service, registration_t *registration)
{
    tail_table_t *table = registration->table;
    registration_t *before = NULL;
    for (registration_t *r = table->readers; r; before = r, r = r->next_of_table) {
        if (r != registration)
            continue;
        if (before)
            before->next_of_table = r->next_of_table;
        else
            table->readers = r->next_of_table;
        break;
    }
    tail_release_table(&service->tail, table);
}

void event_service_tell_stranger(event_service_t *service, const stream_request_t *request,
                                 stream_kind_t answer)
{
    if (!service->strangers)
        service->strangers = memory_alloc(STRANGERS_MAX * sizeof *service->strangers);
    for (uint32_t i = 0; i < service->stranger_count; i++) {
        if (dispatcher_id_equal(service->strangers[i].dispatcher_id, request->dispatcher_id) &&
            service->strangers[i].peer.v == request->peer.v)
            return;
    }
    /* Beyond the limit nothing is lost: who is not told asks again. */
    if (service->stranger_count < STRANGERS_MAX)
        service->strangers[service->stranger_count++] = (stranger_t){
            .dispatcher_id = request->dispatcher_id, .peer = request->peer, .answer = answer};
}

registration_t *event_service_add(event_service_t *service, const stream_request_t *request)
{
    registration_t *registration = memory_zalloc(sizeof *registration);
    registration->dispatcher_id = request->dispatcher_id;
    registration->peer = request->peer;
    registration->group_bytes_max = request->group_bytes_max;
    registration->mode = request->mode;
    registration->created = request->created;
    registration->table = tail_table(&service->tail, request->span.table_id);
    registration->next_of_table = registration->table->readers;
    registration->table->readers = registration;
    if (service->count == service->capacity) {
        service->capacity = service->capacity ? service->capacity * 2 : 16;
        service->all = memory_realloc(service->all, service->capacity * sizeof(registration_t *));
    }
    registration->index = service->count;
    service->all[service->count++] = registration;
    service->remote_count += registration_is_remote(registration);
    key_map_put(&service->by_id, registration_key(request->dispatcher_id), registration);
    return registration;
}

void event_service_remove(event_service_t *service, registration_t *registration)
{
    service->remote_count -= registration_is_remote(registration);
    registration_set_state(service, registration, REGISTRATION_IDLE);
    service->held_count -= registration->is_held;
    registration_delist(service, registration, LIST_READY);
    key_map_take(&service->by_id, registration_key(registration->dispatcher_id));
    registration_t *last = service->all[--service->count];
    service->all[registration->index] = last;
    last->index = registration->index;
    unlink_from_table(service, registration);
    registration_free(service, registration);
    service->may_forget = true;
}
