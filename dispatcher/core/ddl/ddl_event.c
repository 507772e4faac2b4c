#include "dispatcher/core/ddl/ddl_event.h"

#include <stdlib.h>

#include "common/base/memory.h"

const char *ddl_verb_name(ddl_verb_t verb)
{
    static const char *const names[] = {
        [DDL_CREATE_DATABASE] = "create_database",
        [DDL_ALTER_DATABASE] = "alter_database",
        [DDL_DROP_DATABASE] = "drop_database",
        [DDL_CREATE_TABLE] = "create_table",
        [DDL_ALTER_TABLE] = "alter_table",
        [DDL_DROP_TABLE] = "drop_table",
        [DDL_RENAME_TABLE] = "rename_table",
        [DDL_TRUNCATE_TABLE] = "truncate_table",
        [DDL_TRUNCATE_PARTITION] = "truncate_partition",
        [DDL_DROP_PARTITION] = "drop_partition",
        [DDL_EXCHANGE_PARTITION] = "exchange_partition",
        [DDL_CONVERT_PARTITION] = "convert_partition",
        [DDL_CREATE_VIEW] = "create_view",
        [DDL_DROP_VIEW] = "drop_view",
        [DDL_SKIPPED] = "skipped",
        [DDL_UNKNOWN] = "unknown",
    };
    if ((unsigned)verb >= sizeof names / sizeof names[0])
        return "unknown";
    return names[verb];
}

ddl_event_t *ddl_event_new(void)
{
    ddl_event_t *event = memory_zalloc(sizeof *event);
    atomic_init(&event->references, 1);
    return event;
}

ddl_event_t *ddl_event_ref(const ddl_event_t *event)
{
    ddl_event_t *self = (ddl_event_t *)event;
    atomic_fetch_add_explicit(&self->references, 1, memory_order_relaxed);
    return self;
}

void ddl_event_unref(ddl_event_t **event)
{
    ddl_event_t *self = *event;
    *event = NULL;
    if (!self || atomic_fetch_sub_explicit(&self->references, 1, memory_order_acq_rel) != 1)
        return;
    for (uint32_t i = 0; i < self->change_count; i++) {
        const table_definition_t *before = self->changes[i].before;
        const table_definition_t *after = self->changes[i].after;
        table_definition_unref(&before);
        table_definition_unref(&after);
    }
    arena_clear(&self->arena);
    free(self);
}

bool ddl_event_blocks_others(const ddl_event_t *event)
{
    const influence_t *influence = &event->payload.influence;
    return influence->kind != INFLUENCE_NORMAL || influence->table_count > 1;
}
