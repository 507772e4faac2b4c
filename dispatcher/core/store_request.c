#include "dispatcher/core/store_request.h"

#include <stdlib.h>

static void clear_parts(store_part_t **parts, uint32_t *count)
{
    for (uint32_t i = 0; i < *count; i++)
        transaction_unref(&(*parts)[i].transaction);
    free(*parts);
    *parts = NULL;
    *count = 0;
}

void store_request_clear(store_request_t *request)
{
    clear_parts(&request->parts, &request->part_count);
    free(request->forgets);
    request->forgets = NULL;
    request->forget_count = 0;
}

void store_answer_clear(store_answer_t *answer)
{
    clear_parts(&answer->parts, &answer->part_count);
}
