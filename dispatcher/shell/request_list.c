#include "dispatcher/shell/request_list.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"

static bytes_t copy(bytes_t from)
{
    if (from.len == 0)
        return (bytes_t){0};
    uint8_t *data = memory_alloc(from.len);
    memcpy(data, from.data, from.len);
    return bytes_of(data, from.len);
}

void request_list_add(request_list_t *list, const stream_request_t *request)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity ? list->capacity * 2 : 64;
        list->items = memory_realloc(list->items, list->capacity * sizeof *list->items);
    }
    stream_request_t *own = &list->items[list->count++];
    *own = *request;
    bool has_span = request->kind == STREAM_REGISTER;
    own->span.start_key = has_span ? copy(request->span.start_key) : (bytes_t){0};
    own->span.end_key = has_span ? copy(request->span.end_key) : (bytes_t){0};
}

void request_list_clear(request_list_t *list)
{
    for (uint32_t i = 0; i < list->count; i++) {
        free((uint8_t *)list->items[i].span.start_key.data);
        free((uint8_t *)list->items[i].span.end_key.data);
    }
    list->count = 0;
}

void request_list_free(request_list_t *list)
{
    request_list_clear(list);
    free(list->items);
    *list = (request_list_t){0};
}
