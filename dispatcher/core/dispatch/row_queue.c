#include "dispatcher/core/dispatch/row_queue.h"

#include <stdlib.h>

#include "common/base/memory.h"

static row_item_t *slot(const row_queue_t *queue, uint32_t index)
{
    return &queue->items[(queue->first + index) & (queue->capacity - 1)];
}

const row_item_t *row_queue_at(const row_queue_t *queue, uint32_t index)
{
    return slot(queue, index);
}

void row_queue_push(row_queue_t *queue, transaction_t *transaction, const table_rows_t *rows)
{
    if (queue->count == queue->capacity) {
        uint32_t capacity = queue->capacity ? queue->capacity * 2 : 8;
        row_item_t *items = memory_alloc(capacity * sizeof *items);
        for (uint32_t i = 0; i < queue->count; i++)
            items[i] = *slot(queue, i);
        free(queue->items);
        queue->items = items;
        queue->first = 0;
        queue->capacity = capacity;
    }
    *slot(queue, queue->count++) = (row_item_t){transaction, rows};
}

void row_queue_pop(row_queue_t *queue, uint32_t count)
{
    queue->first = (queue->first + count) & (queue->capacity - 1);
    queue->count -= count;
    if (queue->count > 0)
        return;
    free(queue->items);
    *queue = (row_queue_t){0};
}

uint32_t row_queue_clear(row_queue_t *queue)
{
    uint32_t count = queue->count;
    for (uint32_t i = 0; i < count; i++)
        transaction_unref(&slot(queue, i)->transaction);
    free(queue->items);
    *queue = (row_queue_t){0};
    return count;
}

static bool may_cut(const row_queue_t *queue)
{
    return table_definition_row_key(slot(queue, 0)->rows->definition) != NULL;
}

bool row_queue_is_ready(const row_queue_t *queue, const row_limits_t *limits)
{
    if (queue->count == 0)
        return false;
    if (may_cut(queue) || queue->count >= limits->parts_max)
        return true;
    for (uint32_t i = 0; i < queue->count; i++)
        if (!slot(queue, i)->rows->continues)
            return true;
    return false;
}

/* One version of a table is one definition, whoever read it: parts of a transaction may come from
 * another node first and from this one then. The columns are compared too, since the sink decodes
 * all rows it is given at once by the first definition. */
static bool is_same_version(const table_definition_t *a, const table_definition_t *b)
{
    if (a == b)
        return true;
    bool is_same = a->table_id.v == b->table_id.v && a->version.v == b->version.v &&
                   a->column_count == b->column_count;
    for (uint32_t i = 0; is_same && i < a->column_count; i++)
        is_same = a->columns[i].type == b->columns[i].type;
    return is_same;
}

uint32_t row_queue_together(const row_queue_t *queue, const row_limits_t *limits, uint32_t parts,
                            uint64_t bytes)
{
    const table_definition_t *definition = slot(queue, 0)->rows->definition;
    bool is_whole_only = !may_cut(queue);
    uint32_t room = limits->parts_max - parts;
    uint32_t count = 0, complete = 0;
    while (count < queue->count && count < room &&
           (count == 0 || bytes < limits->bytes_max || (is_whole_only && complete == 0))) {
        const table_rows_t *rows = slot(queue, count)->rows;
        if (!is_same_version(rows->definition, definition))
            break;
        bytes += rows->bytes;
        count++;
        if (!rows->continues)
            complete = count;
    }
    if (complete > 0)
        return complete;
    return is_whole_only && parts > 0 ? 0 : count;
}
