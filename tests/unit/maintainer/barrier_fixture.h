/* A barrier over a span table with a trigger, and what it sent. For the barrier's tests. */
#ifndef SLUICE_TESTS_UNIT_MAINTAINER_BARRIER_FIXTURE_H
#define SLUICE_TESTS_UNIT_MAINTAINER_BARRIER_FIXTURE_H

#include "tests/testing.h"

#include <stdio.h>

#include "maintainer/core/barrier.h"

enum { ACTIONS_MAX = 64 };

typedef struct {
    node_index_t node;
    barrier_action_t action;
} sent_action_t;

typedef struct {
    maintainer_settings_t settings;
    span_table_t *table;
    barrier_t *barrier;
    outbox_t *outbox;
    effects_t effects;
    arena_t arena;
    mono_ns_t now;
    /* Of the last settle. */
    sent_action_t sent[ACTIONS_MAX];
    uint32_t sent_count;
    dispatcher_id_t trigger;
} fixture_t;

static const node_index_t node_1 = {1}, node_2 = {2};

static inline dispatcher_id_t dispatcher_of(uint64_t table)
{
    return (dispatcher_id_t){7, table + 1000};
}

static inline span_entry_t *fixture_bind(fixture_t *f, uint64_t table, node_index_t node,
                                         dispatcher_id_t id)
{
    span_entry_t *span = span_table_find(f->table, (table_id_t){table})->first_span;
    span_table_assign(f->table, span, node, id, 1);
    span_table_replicating(f->table, span);
    return span;
}

static inline table_info_t fixture_info(uint64_t id, uint64_t schema)
{
    static char names[16][32];
    static uint32_t next;
    char *name = names[next++ % 16];
    snprintf(name, sizeof names[0], "t%u", (unsigned)id);
    return (table_info_t){.table_id = {id},
                          .schema_id = {schema},
                          .schema = bytes_of_text(schema == 1 ? "d1" : "d2"),
                          .name = bytes_of_text(name)};
}

/* A replicating table. */
static inline span_entry_t *fixture_add(fixture_t *f, uint64_t id, uint64_t schema,
                                        node_index_t node)
{
    table_info_t info = fixture_info(id, schema);
    span_table_add(f->table, &info, (position_t){{1}, EVENT_KEY_NONE});
    return fixture_bind(f, id, node, dispatcher_of(id));
}

static inline void fixture_setup(fixture_t *f)
{
    *f = (fixture_t){.now = {1000 * NS_PER_S}};
    maintainer_settings_default(&f->settings);
    f->table = span_table_new();
    f->barrier = barrier_new(&f->settings, f->table, PIPELINE_DEFAULT);
    f->outbox = outbox_new();
    span_table_add_trigger(f->table, (position_t){{1}, EVENT_KEY_NONE});
    f->trigger = dispatcher_of(0);
    fixture_bind(f, 0, node_1, f->trigger);
}

static inline void fixture_teardown(fixture_t *f)
{
    barrier_destroy(&f->barrier);
    span_table_destroy(&f->table);
    outbox_destroy(&f->outbox);
    effects_clear(&f->effects);
    arena_clear(&f->arena);
}

static inline void fixture_advance(fixture_t *f, uint64_t ms)
{
    f->now = mono_add(f->now, ms * NS_PER_MS);
}

static inline void fixture_settle(fixture_t *f)
{
    effects_reset(&f->effects);
    barrier_settle(f->barrier, f->now, f->outbox, &f->effects, bytes_of_text("feed"));
    f->sent_count = 0;
    node_index_t node;
    heartbeat_response_t response = {0};
    while (outbox_take(f->outbox, &node, &response))
        for (uint32_t i = 0; i < response.action_count; i++) {
            assert_true(f->sent_count < ACTIONS_MAX);
            f->sent[f->sent_count++] = (sent_action_t){node, response.actions[i]};
        }
}

/* Gives one group to the barrier without settling; the verdicts live in the fixture's arena. */
static inline verdict_t *fixture_hand_in(fixture_t *f, node_index_t node, block_stage_t stage,
                                         event_key_t key, const block_payload_t *payload,
                                         const dispatcher_id_t *ids, const event_key_t *passed,
                                         uint32_t count)
{
    event_key_t *none = arena_calloc(&f->arena, count, sizeof *none);
    buffered_group_t group = {
        .node = node,
        .content = {.key = key,
                    .stage = stage,
                    .is_blocked = stage != STAGE_NONE,
                    .payload = payload ? payload_copy(&f->arena, payload) : NULL,
                    .dispatchers = ids,
                    .passed = passed ? passed : none,
                    .dispatcher_count = count}};
    verdict_t *verdicts = arena_calloc(&f->arena, count, sizeof *verdicts);
    barrier_handle_group(f->barrier, f->now, &group, verdicts);
    return verdicts;
}

/* One dispatcher's status, and everything that follows. */
static inline verdict_t fixture_report(fixture_t *f, node_index_t node, block_stage_t stage,
                                       event_key_t key, const block_payload_t *payload,
                                       dispatcher_id_t id)
{
    verdict_t verdict = fixture_hand_in(f, node, stage, key, payload, &id, NULL, 1)[0];
    fixture_settle(f);
    return verdict;
}

static inline const log_line_t *fixture_logged(const fixture_t *f, const char *event)
{
    for (size_t i = 0; i < f->effects.count; i++)
        if (f->effects.items[i].kind == EFFECT_LOG &&
            strcmp(f->effects.items[i].log.event, event) == 0)
            return &f->effects.items[i].log;
    return NULL;
}

static inline const char *fixture_log_value(const log_line_t *line, const char *key)
{
    for (uint32_t i = 0; i < line->field_count; i++)
        if (strcmp(line->fields[i].key, key) == 0)
            return line->fields[i].value;
    return "";
}

#define KEY(ts) ((event_key_t){{ts}, false})
#define SYNC(ts) ((event_key_t){{ts}, true})
#define IDS(...) ((const table_id_t[]){__VA_ARGS__})
#define NORMAL(count, ...)                                                                         \
    (influence_t)                                                                                  \
    {                                                                                              \
        .kind = INFLUENCE_NORMAL, .table_ids = IDS(__VA_ARGS__), .table_count = count              \
    }

static const block_payload_t everything = {.influence = {.kind = INFLUENCE_ALL}};

#define WAITS(node, key, payload, table)                                                           \
    fixture_report(&f, node, STAGE_WAITING, key, payload, dispatcher_of(table))
#define DONE(node, key, table)                                                                     \
    (void)fixture_report(&f, node, STAGE_DONE, key, NULL, dispatcher_of(table))

static inline void assert_write(const fixture_t *f, uint32_t i, node_index_t node, event_key_t key,
                                dispatcher_id_t writer)
{
    assert_true(i < f->sent_count);
    assert_int_equal(f->sent[i].node.v, node.v);
    assert_int_equal(f->sent[i].action.kind, ACTION_WRITE);
    assert_true(event_key_equal(f->sent[i].action.key, key));
    assert_int_equal(f->sent[i].action.dispatcher_count, 1);
    assert_true(dispatcher_id_equal(f->sent[i].action.dispatchers[0], writer));
}

static inline void assert_state(const fixture_t *f, event_key_t key, barrier_state_t state)
{
    const barrier_event_t *event = barrier_find(f->barrier, key);
    assert_non_null(event);
    assert_int_equal(event->state, state);
}

#endif
