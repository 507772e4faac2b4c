#include "dispatcher/core/transaction.h"

#include <stdlib.h>

#include "common/base/memory.h"
#include "dispatcher/core/binlog/table_map.h"

transaction_t *transaction_new(void)
{
    transaction_t *transaction = memory_zalloc(sizeof *transaction);
    atomic_init(&transaction->references, 1);
    transaction->is_first_part = true;
    transaction->is_last_part = true;
    return transaction;
}

transaction_t *transaction_ref(transaction_t *transaction)
{
    atomic_fetch_add_explicit(&transaction->references, 1, memory_order_relaxed);
    return transaction;
}

void transaction_unref(transaction_t **transaction)
{
    transaction_t *self = *transaction;
    *transaction = NULL;
    if (!self || atomic_fetch_sub_explicit(&self->references, 1, memory_order_acq_rel) != 1)
        return;
    for (uint32_t i = 0; i < self->table_count; i++) {
        const table_definition_t *definition = self->tables[i].definition;
        table_definition_unref(&definition);
    }
    for (uint32_t i = 0; i < self->map_count; i++) {
        const table_map_t *map = self->maps[i];
        table_map_unref(&map);
    }
    arena_clear(&self->arena);
    free(self);
}
