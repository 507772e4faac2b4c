/* The finished event: everything in its own arena, so that it outlives the tracker. */
#include "dispatcher/core/ddl/plan.h"

/* utf8mb4_general_ci: what a rewritten statement is written in. */
#define COLLATION_OF_REWRITTEN 45

static const char *copy_text(arena_t *arena, const char *text)
{
    return text ? arena_strdup(arena, text) : NULL;
}

static const table_id_t *copy_ids(arena_t *arena, const list_t *ids)
{
    table_id_t *copy = arena_calloc(arena, ids->count, sizeof *copy);
    if (ids->count > 0)
        memcpy(copy, ids->items, ids->count * sizeof *copy);
    return copy;
}

static schema_id_t schema_id_of(const char *schema)
{
    return schema_id_derive(bytes_of_text(schema));
}

static const char *first_schema(const plan_t *plan)
{
    return plan->statement.name_count ? plan->statement.names[0].schema : "";
}

static const char *first_object(const plan_t *plan)
{
    return plan->statement.name_count ? plan->statement.names[0].name : "";
}

static void fill_payload(const plan_t *plan, ddl_event_t *event)
{
    arena_t *arena = &event->arena;
    block_payload_t *payload = &event->payload;
    payload->influence = plan->influence;
    if (plan->influence.kind == INFLUENCE_NORMAL) {
        payload->influence.table_ids = copy_ids(arena, &plan->influence_ids);
        payload->influence.table_count = plan->influence_ids.count;
    }
    payload->dropped.kind = plan->drops_schema ? INFLUENCE_DB : INFLUENCE_NORMAL;
    if (plan->drops_schema) {
        payload->dropped.schema = schema_id_of(first_schema(plan));
    } else {
        payload->dropped.table_ids = copy_ids(arena, &plan->dropped);
        payload->dropped.table_count = plan->dropped.count;
    }
    const table_definition_t *const *added = plan->added.items;
    table_info_t *infos = arena_calloc(arena, plan->added.count, sizeof *infos);
    for (uint32_t i = 0; i < plan->added.count; i++) {
        infos[i] = schema_tracker_table_info(added[i]);
        infos[i].schema = arena_bytes(arena, infos[i].schema);
        infos[i].name = arena_bytes(arena, infos[i].name);
    }
    payload->added = infos;
    payload->added_count = plan->added.count;
    const schema_move_t *moves = plan->moves.items;
    schema_move_t *copies = arena_calloc(arena, plan->moves.count, sizeof *copies);
    for (uint32_t i = 0; i < plan->moves.count; i++) {
        copies[i] = moves[i];
        copies[i].schema = arena_bytes(arena, moves[i].schema);
        copies[i].name = arena_bytes(arena, moves[i].name);
    }
    payload->moves = copies;
    payload->move_count = plan->moves.count;
}

static void fill_changes(const plan_t *plan, ddl_event_t *event)
{
    const plan_change_t *from = plan->changes.items;
    table_change_t *changes = arena_calloc(&event->arena, plan->changes.count, sizeof *changes);
    for (uint32_t i = 0; i < plan->changes.count; i++) {
        changes[i].kind = from[i].kind;
        changes[i].before = from[i].before ? table_definition_ref(from[i].before) : NULL;
        changes[i].after = from[i].after ? table_definition_ref(from[i].after) : NULL;
        if (!from[i].column_sources)
            continue;
        uint32_t count = from[i].after->column_count;
        uint32_t *sources = arena_calloc(&event->arena, count, sizeof *sources);
        if (count > 0)
            memcpy(sources, from[i].column_sources, count * sizeof *sources);
        changes[i].column_sources = sources;
    }
    event->changes = changes;
    event->change_count = plan->changes.count;
}

static void fill_partitions(const plan_t *plan, ddl_event_t *event)
{
    /* The last action of a statement that breaks off is only half there. */
    uint32_t count = plan->statement.is_whole ? plan->statement.action_count : 0;
    for (uint32_t i = 0; i < count; i++) {
        const table_action_t *action = &plan->statement.actions[i];
        bool names_some =
            action->kind == ACTION_DROP_PARTITION || action->kind == ACTION_TRUNCATE_PARTITION ||
            action->kind == ACTION_EXCHANGE_PARTITION ||
            action->kind == ACTION_PARTITION_TO_TABLE || action->kind == ACTION_TABLE_TO_PARTITION;
        if (!names_some)
            continue;
        const char **names = arena_calloc(&event->arena, action->name_count, sizeof *names);
        for (uint32_t j = 0; j < action->name_count; j++)
            names[j] = arena_strdup(&event->arena, action->names[j]);
        event->partitions = names;
        event->partition_count = action->name_count;
        event->names_all_partitions = action->name_count == 0;
    }
}

static void fill_text(const plan_t *plan, ddl_event_t *event)
{
    arena_t *arena = &event->arena;
    const ddl_context_t *context = &plan->ddl->context;
    event->context = *context;
    event->context.default_schema =
        arena_strdup(arena, context->default_schema ? context->default_schema : "");
    event->context.time_zone = copy_text(arena, context->time_zone);
    if (!plan->rewritten) {
        event->sql = arena_bytes(arena, plan->ddl->sql);
        event->sql_utf8 = arena_strndup(arena, plan->utf8.data, plan->utf8.len);
        return;
    }
    event->is_rewritten = true;
    event->sql_utf8 = arena_strdup(arena, plan->rewritten);
    event->sql = bytes_of_text(event->sql_utf8);
    event->context.charset_client = COLLATION_OF_REWRITTEN;
    event->context.sql_mode &= ~SQL_MODE_NO_BACKSLASH_ESCAPES;
}

static void fill_replay(const plan_t *plan, ddl_event_t *event)
{
    logged_ddl_t logged = *plan->ddl;
    if (plan->replays_rewritten) {
        logged.sql = event->sql;
        logged.context = event->context;
    }
    event->replay = schema_ddl_encode(&logged, &event->arena).content;
}

ddl_event_t *plan_make_event(plan_t *plan)
{
    ddl_event_t *event = ddl_event_new();
    event->commit_ts = plan->ddl->commit_ts;
    event->commit_time = plan->ddl->commit_time;
    event->verb = plan->verb;
    event->schema = arena_strdup(&event->arena, first_schema(plan));
    event->object = arena_strdup(&event->arena, first_object(plan));
    event->if_exists = plan->statement.if_exists;
    event->if_not_exists = plan->statement.if_not_exists;
    event->or_replace = plan->statement.or_replace;
    event->is_select = plan->ddl->has_rows && plan->verb == DDL_CREATE_TABLE;
    event->drops_whole_schema = plan->drops_whole_schema;
    fill_text(plan, event);
    fill_payload(plan, event);
    fill_changes(plan, event);
    fill_partitions(plan, event);
    fill_replay(plan, event);
    return event;
}
