#pragma once

/* Requests on their way to an event service. They own what they point to. */

#include "dispatcher/core/stream.h"

typedef struct {
    stream_request_t *items;
    uint32_t count, capacity;
} request_list_t;

void request_list_add(request_list_t *list, const stream_request_t *request);
void request_list_clear(request_list_t *list);
void request_list_free(request_list_t *list);
