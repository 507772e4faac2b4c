#include "tests/unit/maintainer/model/log.h"

#include <stdio.h>

uint64_t random_next(random_t *random)
{
    uint64_t x = random->state += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

uint64_t random_below(random_t *random, uint64_t below)
{
    return random_next(random) % below;
}

bool random_chance(random_t *random, uint32_t percent)
{
    return random_below(random, 100) < percent;
}

static bool is_there(const log_table_t *table, uint64_t ts)
{
    return table->created <= ts && (table->dropped == 0 || table->dropped > ts);
}

static int add_table(log_t *log, uint64_t created, schema_id_t schema)
{
    int number = log->table_count++;
    log_table_t *table = &log->tables[number];
    *table =
        (log_table_t){.id = {1000 + (uint64_t)number}, .created = created, .first_schema = schema};
    snprintf(table->name, sizeof table->name, "t%d", number);
    log->schema_now[number] = schema;
    return number;
}

static table_info_t info_of(const log_t *log, int number, schema_id_t schema)
{
    const log_table_t *table = &log->tables[number];
    return (table_info_t){.table_id = table->id,
                          .schema_id = schema,
                          .schema = bytes_of_text(schema.v == 1 ? "one" : "two"),
                          .name = bytes_of_text(table->name),
                          .created = {table->created},
                          .created_by_select = table->by_select};
}

static int any_table(log_t *log, uint64_t ts)
{
    for (int tries = 0; tries < 50; tries++) {
        int number = (int)random_below(&log->random, (uint64_t)log->table_count);
        if (is_there(&log->tables[number], ts - 1))
            return number;
    }
    return -2;
}

static influence_t listed(log_t *log, int a, int b, int c)
{
    table_id_t *ids = arena_calloc(&log->arena, 3, sizeof *ids);
    int tables[] = {a, b, c};
    uint32_t count = 0;
    for (int i = 0; i < 3; i++)
        if (tables[i] != -2)
            ids[count++] = tables[i] == TRIGGER ? TABLE_ID_TRIGGER : log->tables[tables[i]].id;
    return (influence_t){.kind = INFLUENCE_NORMAL, .table_ids = ids, .table_count = count};
}

static void draw_create(log_t *log, uint64_t ts, block_payload_t *payload, int like)
{
    if (log->table_count == TABLES_MAX)
        return;
    int number = add_table(log, ts, (schema_id_t){1 + random_below(&log->random, 2)});
    log->tables[number].by_select = like == -2 && random_chance(&log->random, 30);
    table_info_t *added = arena_zalloc(&log->arena, sizeof *added);
    *added = info_of(log, number, log->schema_now[number]);
    payload->added = added;
    payload->added_count = 1;
    payload->influence = listed(log, TRIGGER, like, -2);
}

static void draw_drop(log_t *log, uint64_t ts, block_payload_t *payload, int a, int b)
{
    payload->influence = listed(log, TRIGGER, a, b == a ? -2 : b);
    payload->dropped = listed(log, a, b == a ? -2 : b, -2);
    log->tables[a].dropped = ts;
    if (b != -2)
        log->tables[b].dropped = ts;
}

static void draw_rename(log_t *log, block_payload_t *payload, int a)
{
    schema_move_t *move = arena_zalloc(&log->arena, sizeof *move);
    schema_id_t to = {3 - log->schema_now[a].v};
    *move = (schema_move_t){.table_id = log->tables[a].id,
                            .from = log->schema_now[a],
                            .to = to,
                            .schema = bytes_of_text(to.v == 1 ? "one" : "two"),
                            .name = bytes_of_text(log->tables[a].name)};
    log->schema_now[a] = to;
    payload->moves = move;
    payload->move_count = 1;
    payload->influence = listed(log, TRIGGER, a, -2);
}

static void draw_drop_schema(log_t *log, uint64_t ts, block_payload_t *payload)
{
    schema_id_t schema = {1 + random_below(&log->random, 2)};
    payload->influence = (influence_t){.kind = INFLUENCE_DB, .schema = schema};
    payload->dropped = payload->influence;
    for (int i = 0; i < log->table_count; i++)
        if (is_there(&log->tables[i], ts - 1) && log->schema_now[i].v == schema.v)
            log->tables[i].dropped = ts;
}

static void draw_event(log_t *log, uint64_t ts)
{
    log_event_t *event = &log->events[ts];
    uint64_t what = random_below(&log->random, 100);
    int a = any_table(log, ts), b = any_table(log, ts);
    *event = (log_event_t){.kind = LOG_DDL, .has_syncpoint = random_chance(&log->random, 8)};
    block_payload_t *payload = &event->payload;
    if (what < 10 || a == -2)
        draw_create(log, ts, payload, -2);
    else if (what < 14)
        draw_create(log, ts, payload, a);
    else if (what < 20)
        draw_drop(log, ts, payload, a, random_chance(&log->random, 30) ? b : -2);
    else if (what < 26)
        draw_rename(log, payload, a);
    else if (what < 30)
        payload->influence = listed(log, a, -2, -2); /* ALTER */
    else if (what < 34 && a != b)
        payload->influence = listed(log, a, b, -2); /* with a foreign key */
    else if (what < 37)
        payload->influence.kind = INFLUENCE_ALL;
    else if (what < 38)
        draw_drop_schema(log, ts, payload);
    else
        *event =
            (log_event_t){.kind = LOG_ROWS, .row_table = a, .has_syncpoint = event->has_syncpoint};
    if (event->kind == LOG_DDL && payload->influence.kind == INFLUENCE_NORMAL &&
        payload->influence.table_count == 0)
        event->kind = LOG_ROWS, event->row_table = -2;
}

void log_draw(log_t *log, uint64_t seed, uint64_t length, int tables)
{
    *log = (log_t){.random = {seed}, .length = length};
    for (int i = 0; i < tables; i++)
        add_table(log, 0, (schema_id_t){1 + (uint64_t)i % 2});
    for (uint64_t ts = 1; ts <= length; ts++)
        draw_event(log, ts);
}

void log_clear(log_t *log)
{
    arena_clear(&log->arena);
}

int log_table(const log_t *log, table_id_t id)
{
    if (id.v == 0)
        return TRIGGER;
    int number = (int)id.v - 1000;
    return number >= 0 && number < log->table_count ? number : -2;
}

static schema_id_t schema_at(const log_t *log, int table, uint64_t at, event_key_t *last_change)
{
    schema_id_t schema = log->tables[table].first_schema;
    *last_change = EVENT_KEY_NONE;
    for (uint64_t ts = 1; ts <= at && ts <= log->length; ts++)
        for (uint32_t i = 0; i < log->events[ts].payload.move_count; i++)
            if (log->events[ts].payload.moves[i].table_id.v == log->tables[table].id.v) {
                schema = log->events[ts].payload.moves[i].to;
                *last_change = (event_key_t){{ts}, false};
            }
    return schema;
}

static const block_payload_t everything = {.influence = {.kind = INFLUENCE_ALL}};

const block_payload_t *log_payload(const log_t *log, event_key_t key)
{
    uint64_t ts = key.commit_ts.v;
    if (ts == 0 || ts > log->length)
        return NULL;
    if (key.is_syncpoint)
        return log->events[ts].has_syncpoint ? &everything : NULL;
    return log->events[ts].kind == LOG_DDL ? &log->events[ts].payload : NULL;
}

bool log_is_blocking(const log_t *log, event_key_t key)
{
    const block_payload_t *payload = log_payload(log, key);
    return payload &&
           (payload->influence.kind != INFLUENCE_NORMAL || payload->influence.table_count > 1);
}

bool log_blocks(const log_t *log, event_key_t key, int table)
{
    const block_payload_t *payload = log_payload(log, key);
    if (!payload)
        return false;
    if (table != TRIGGER) {
        const log_table_t *t = &log->tables[table];
        bool is_older =
            key.is_syncpoint ? t->created <= key.commit_ts.v : t->created < key.commit_ts.v;
        bool is_gone = t->dropped && (key.is_syncpoint ? t->dropped <= key.commit_ts.v
                                                       : t->dropped < key.commit_ts.v);
        if (!is_older || is_gone)
            return false;
    }
    event_key_t last_change;
    switch (payload->influence.kind) {
    case INFLUENCE_ALL:
        return true;
    case INFLUENCE_DB:
        return table == TRIGGER || schema_at(log, table, key.commit_ts.v - 1, &last_change).v ==
                                       payload->influence.schema.v;
    case INFLUENCE_NORMAL:
        break;
    }
    for (uint32_t i = 0; i < payload->influence.table_count; i++)
        if (log_table(log, payload->influence.table_ids[i]) == table)
            return true;
    return false;
}

uint32_t log_table_list(const log_t *log, uint64_t at, arena_t *arena, table_info_t **list)
{
    uint32_t count = 0;
    *list = arena_calloc(arena, TABLES_MAX, sizeof **list);
    for (int i = 0; i < log->table_count; i++) {
        if (!is_there(&log->tables[i], at))
            continue;
        event_key_t last_change;
        schema_id_t schema = schema_at(log, i, at, &last_change);
        (*list)[count] = info_of(log, i, schema);
        (*list)[count++].last_change = last_change;
    }
    return count;
}
