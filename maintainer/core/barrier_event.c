#include "maintainer/core/barrier_event.h"

#include <inttypes.h>
#include <stdlib.h>

#include "common/base/memory.h"
#include "maintainer/core/coverage.h"

enum { MISSING_NAMES_MAX = 8 };

const char *barrier_state_name(barrier_state_t state)
{
    switch (state) {
    case BARRIER_COLLECTING:
        return "collecting";
    case BARRIER_SELECTED:
        return "selected";
    case BARRIER_ADVANCED:
        return "writer_advanced";
    }
    return "unknown";
}

barrier_event_t *barrier_event_new(event_key_t key, const block_payload_t *payload, mono_ns_t now)
{
    barrier_event_t *event = memory_zalloc(sizeof *event);
    event->key = key;
    event->payload = payload_copy(&event->arena, payload);
    event->has_changes = payload_has_changes(payload);
    event->is_scheduled = !event->has_changes;
    event->created_at = event->warned_at = now;
    return event;
}

void barrier_event_destroy(barrier_event_t **event)
{
    if (!*event)
        return;
    arena_clear(&(*event)->arena);
    free(*event);
    *event = NULL;
}

bool barrier_event_wants_trigger(const barrier_event_t *event)
{
    const influence_t *influence = &event->payload->influence;
    return influence->kind != INFLUENCE_NORMAL || influence_lists(influence, TABLE_ID_TRIGGER);
}

/* A table that this event or a later one creates has nothing to do with it. */
static bool is_older(const barrier_event_t *event, const table_entry_t *entry)
{
    return event_key_compare((event_key_t){entry->created, false}, event->key) < 0;
}

bool barrier_event_blocks(const barrier_event_t *event, const table_entry_t *entry)
{
    const influence_t *influence = &event->payload->influence;
    switch (influence->kind) {
    case INFLUENCE_NORMAL:
        return influence_lists(influence, entry->table_id) && is_older(event, entry);
    case INFLUENCE_DB:
        return !entry->schema ||
               (entry->schema->schema_id.v == influence->schema.v && is_older(event, entry));
    case INFLUENCE_ALL:
        return is_older(event, entry);
    }
    return false;
}

void scope_init(scope_t *scope, const barrier_event_t *event, const span_table_t *table)
{
    *scope = (scope_t){.event = event, .table = table};
    if (event->payload->influence.kind == INFLUENCE_DB) {
        schema_entry_t *schema = span_table_schema(table, event->payload->influence.schema);
        scope->in_schema = schema ? schema->first_table : NULL;
    }
}

static table_entry_t *next_listed(scope_t *scope)
{
    const influence_t *influence = &scope->event->payload->influence;
    while (scope->cursor < influence->table_count) {
        table_entry_t *entry = span_table_find(scope->table, influence->table_ids[scope->cursor++]);
        if (entry && is_older(scope->event, entry))
            return entry;
        if (!entry)
            scope->missing++;
    }
    return NULL;
}

static table_entry_t *next_of_schema(scope_t *scope)
{
    while (scope->in_schema) {
        table_entry_t *entry = scope->in_schema;
        scope->in_schema = entry->schema_next;
        if (is_older(scope->event, entry))
            return entry;
    }
    span_entry_t *trigger = span_table_trigger(scope->table);
    if (scope->is_trigger_given || !trigger)
        return NULL;
    scope->is_trigger_given = true;
    return trigger->table;
}

static table_entry_t *next_of_all(scope_t *scope)
{
    table_entry_t *entry;
    while ((entry = span_table_next_table(scope->table, &scope->cursor)))
        if (is_older(scope->event, entry))
            return entry;
    return NULL;
}

table_entry_t *scope_next(scope_t *scope)
{
    switch (scope->event->payload->influence.kind) {
    case INFLUENCE_NORMAL:
        return next_listed(scope);
    case INFLUENCE_DB:
        return next_of_schema(scope);
    case INFLUENCE_ALL:
        return next_of_all(scope);
    }
    return NULL;
}

bool span_proves(const span_entry_t *span, event_key_t key)
{
    return event_key_compare(span_entry_passed(span), key) >= 0 ||
           span->checkpoint.v > key.commit_ts.v ||
           event_key_compare(span_entry_block_key(span), key) > 0;
}

bool barrier_event_blocks_surely(const barrier_event_t *event, const span_table_t *table,
                                 const span_entry_t *span)
{
    if (!span->table || !barrier_event_blocks(event, span->table))
        return false;
    const span_entry_t *trigger = span_table_trigger(table);
    return event->payload->influence.kind != INFLUENCE_DB || span == trigger ||
           (trigger && span_entry_is_at(trigger, event->key));
}

bool barrier_event_is_proven(const barrier_event_t *event, const span_table_t *table)
{
    scope_t scope;
    scope_init(&scope, event, table);
    for (table_entry_t *entry; (entry = scope_next(&scope));)
        for (span_entry_t *span = entry->first_span; span; span = span->next_in_table)
            if (span_proves(span, event->key) && barrier_event_blocks_surely(event, table, span))
                return true;
    return false;
}

static bool is_waiting(const barrier_event_t *event, const span_entry_t *span)
{
    return span->state == SPAN_REPLICATING && span_entry_is_at(span, event->key);
}

static bool is_done(const barrier_event_t *event, const span_entry_t *span)
{
    return (span->block_stage == STAGE_DONE &&
            event_key_equal(span_entry_block_key(span), event->key)) ||
           span_proves(span, event->key);
}

/* Adds a table's spans to the coverage; whether all of it waits. */
static bool cover_table(const barrier_event_t *event, const table_entry_t *entry,
                        event_coverage_t *coverage)
{
    const span_entry_t *first = entry->first_span;
    if (!first->range) {
        bool waits = is_waiting(event, first);
        coverage->required++;
        coverage->done += is_done(event, first);
        coverage->waiting += waits;
        return waits;
    }
    uint32_t missing = 0;
    range_checker_t ranges;
    range_checker_init(&ranges);
    for (const span_entry_t *span = first; span; span = span->next_in_table) {
        coverage->required++;
        coverage->done += is_done(event, span);
        if (!is_waiting(event, span)) {
            missing++;
            continue;
        }
        coverage->waiting++;
        range_checker_add(&ranges, span_entry_range(span));
    }
    bool is_covered = missing == 0 && range_checker_is_covered(&ranges, (bytes_t){0}, (bytes_t){0});
    range_checker_clear(&ranges);
    return is_covered;
}

/* Whether a listed table that is not in the span table can only be gone. Tables are added in the
 * order of keys and by the trigger's reports, which it holds a blocking event for; so once it
 * stands at or behind the event, and every change known before it is made, whatever the event lists
 * was added, and is missing because a later change dropped it. */
static bool missing_is_gone(const barrier_event_t *event, const span_table_t *table,
                            const list_progress_t *progress)
{
    if (event_key_compare(progress->floor, event->key) >= 0)
        return true;
    if (progress->has_unscheduled && event_key_compare(progress->unscheduled, event->key) < 0)
        return false;
    /* Not by what it passed: that may be a change whose report is still on its way. */
    const span_entry_t *trigger = span_table_trigger(table);
    return trigger && (event_key_compare(span_entry_block_key(trigger), event->key) >= 0 ||
                       trigger->checkpoint.v >= event->key.commit_ts.v);
}

static event_coverage_t cover_listed(const barrier_event_t *event, const span_table_t *table,
                                     const list_progress_t *progress)
{
    const influence_t *influence = &event->payload->influence;
    event_coverage_t coverage = {0};
    bool is_gone = missing_is_gone(event, table, progress);
    count_checker_t checker;
    count_checker_init(&checker, influence->table_ids, influence->table_count);
    for (uint32_t i = 0; i < influence->table_count; i++) {
        table_entry_t *entry = span_table_find(table, influence->table_ids[i]);
        if (!entry && !is_gone) {
            coverage.required++;
            coverage.missing++;
        } else if (!entry || !is_older(event, entry) || cover_table(event, entry, &coverage)) {
            count_checker_add(&checker, influence->table_ids[i]);
        }
    }
    coverage.is_full = coverage.required > 0 && count_checker_is_covered(&checker);
    count_checker_clear(&checker);
    return coverage;
}

event_coverage_t barrier_event_coverage(const barrier_event_t *event, const span_table_t *table,
                                        const list_progress_t *progress)
{
    if (event->payload->influence.kind == INFLUENCE_NORMAL)
        return cover_listed(event, table, progress);
    event_coverage_t coverage = {.is_full = true};
    scope_t scope;
    scope_init(&scope, event, table);
    for (table_entry_t *entry; (entry = scope_next(&scope));)
        coverage.is_full &= cover_table(event, entry, &coverage);
    /* The set of tables is the one at the trigger's own report. */
    const span_entry_t *trigger = span_table_trigger(table);
    coverage.is_full &= trigger && is_waiting(event, trigger);
    return coverage;
}

static bool is_missing(const barrier_event_t *event, const span_entry_t *span)
{
    if (event->state == BARRIER_ADVANCED)
        return event->is_proven ? is_waiting(event, span) : !is_done(event, span);
    return !is_waiting(event, span);
}

static char *append_name(arena_t *arena, char *text, const span_entry_t *span)
{
    const table_entry_t *entry = span->table;
    const char *state = span->state == SPAN_REPLICATING ? "" : span_state_name(span->state);
    const char *gap = span->state == SPAN_REPLICATING ? "" : " ";
    const char *comma = *text ? ", " : "";
    if (!entry->schema)
        return arena_printf(arena, "%s%strigger%s%s", text, comma, gap, state);
    return arena_printf(arena, "%s%s%s.%s%s%s", text, comma, entry->schema->name, entry->name, gap,
                        state);
}

const char *barrier_event_missing(const barrier_event_t *event, const span_table_t *table,
                                  const list_progress_t *progress, arena_t *arena)
{
    char *text = arena_strdup(arena, "");
    uint32_t count = 0;
    scope_t scope;
    scope_init(&scope, event, table);
    for (table_entry_t *entry; (entry = scope_next(&scope));)
        for (span_entry_t *span = entry->first_span; span; span = span->next_in_table)
            if (is_missing(event, span) && count++ < MISSING_NAMES_MAX)
                text = append_name(arena, text, span);
    if (count > MISSING_NAMES_MAX)
        text = arena_printf(arena, "%s and %" PRIu32 " more", text, count - MISSING_NAMES_MAX);
    if (scope.missing && event->state == BARRIER_COLLECTING &&
        !missing_is_gone(event, table, progress))
        text = arena_printf(arena, "%s%s%" PRIu32 " listed tables not known yet", text,
                            *text ? ", " : "", scope.missing);
    if (event->state == BARRIER_SELECTED)
        text = arena_printf(arena, "%s%sDONE of the writer", text, *text ? ", " : "");
    return text;
}
