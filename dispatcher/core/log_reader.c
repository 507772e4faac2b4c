#include "dispatcher/core/log_reader.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/memory.h"
#include "dispatcher/core/statement_scope.h"

#define MS_PER_S 1000

struct log_reader {
    log_reader_options_t options;
    uint64_t interval_s;
    group_assembler_t *assembler;
    const char *location;
    schema_outcome_t outcome;
    /* The last group of our domain. */
    commit_ts_t group_ts;
    wall_ms_t group_time;
    commit_ts_t position;
    /* Held back while a sync point comes out before it. */
    bool has_group;
    group_t group;
};

static const table_definition_t *resolve(void *context, bytes_t schema, bytes_t table)
{
    const log_reader_t *reader = context;
    tracked_table_t found = schema_tracker_find(reader->options.tracker, schema, table);
    return found.is_carried ? found.definition : NULL;
}

static bool may_touch(void *context, const binlog_query_t *query)
{
    const log_reader_t *reader = context;
    return statement_may_touch(query, reader->options.filter);
}

sluice_error_t log_reader_new(const log_reader_options_t *options, log_reader_t **reader)
{
    *reader = NULL;
    log_reader_t *self = memory_zalloc(sizeof *self);
    self->options = *options;
    if (options->syncpoint_interval_ms > 0) {
        uint64_t interval_s = options->syncpoint_interval_ms / MS_PER_S;
        self->interval_s = interval_s ? interval_s : 1;
    }
    self->group_ts = options->anchor.commit_ts;
    self->group_time = options->anchor.commit_time;
    self->position = options->anchor.commit_ts;
    group_assembler_options_t assembler = {
        .domain = options->domain,
        .anchor = options->anchor,
        .group_bytes_max = options->group_bytes_max,
        .resolver = {.resolve = resolve, .may_touch = may_touch, .context = self},
        .spill = options->spill,
    };
    sluice_error_t error = group_assembler_new(&assembler, &self->assembler);
    if (error != SLUICE_OK) {
        free(self);
        return error;
    }
    *reader = self;
    return SLUICE_OK;
}

static void forget_held(log_reader_t *reader)
{
    if (reader->has_group)
        transaction_unref(&reader->group.transaction);
    reader->has_group = false;
}

void log_reader_destroy(log_reader_t **reader)
{
    log_reader_t *self = *reader;
    *reader = NULL;
    if (!self)
        return;
    forget_held(self);
    group_assembler_destroy(&self->assembler);
    free(self);
}

sluice_error_t log_reader_push(log_reader_t *reader, bytes_t event, const char *location,
                               error_report_t *report)
{
    reader->location = location;
    return group_assembler_push(reader->assembler, event, location, report);
}

/* ---- DDL ---- */

typedef struct {
    schema_id_t schema;
    table_id_t *tables;
    uint32_t count, capacity;
} table_collector_t;

static void collect(table_collector_t *collector, table_id_t table_id)
{
    if (collector->count == collector->capacity) {
        collector->capacity = collector->capacity ? collector->capacity * 2 : 8;
        collector->tables =
            memory_realloc(collector->tables, collector->capacity * sizeof *collector->tables);
    }
    collector->tables[collector->count++] = table_id;
}

static void collect_of_schema(const tracked_table_t *table, void *context)
{
    table_collector_t *collector = context;
    const table_definition_t *definition = table->definition;
    if (table->is_carried &&
        schema_id_derive(bytes_of_text(definition->schema)).v == collector->schema.v)
        collect(collector, definition->table_id);
}

static bool is_created_by(const ddl_event_t *ddl, table_id_t table_id)
{
    for (uint32_t i = 0; i < ddl->payload.added_count; i++) {
        if (ddl->payload.added[i].table_id.v == table_id.v)
            return true;
    }
    return false;
}

/* Whose dispatchers meet it, beside the trigger's. */
static void collect_tables(const log_reader_t *reader, const ddl_event_t *ddl, feed_item_t *item)
{
    const influence_t *influence = &ddl->payload.influence;
    table_collector_t collector = {.schema = influence->schema};
    switch (influence->kind) {
    case INFLUENCE_NORMAL:
        for (uint32_t i = 0; i < influence->table_count; i++) {
            table_id_t table_id = influence->table_ids[i];
            if (table_id.v != TABLE_ID_TRIGGER.v && !is_created_by(ddl, table_id))
                collect(&collector, table_id);
        }
        break;
    case INFLUENCE_DB:
        /* DROP says what it dropped, which is no longer to be found; ALTER changes no table. */
        for (uint32_t i = 0; i < ddl->change_count; i++)
            collect(&collector, ddl->changes[i].before->table_id);
        if (ddl->change_count == 0)
            schema_tracker_visit(reader->options.tracker, ddl->commit_ts, collect_of_schema,
                                 &collector);
        break;
    case INFLUENCE_ALL:
        break;
    }
    item->tables = collector.tables;
    item->table_count = collector.count;
}

/* Like the group assembler's reports: what, then where. */
static sluice_error_t at_place(const log_reader_t *reader, const group_t *group,
                               sluice_error_t error, error_report_t *report)
{
    if (!report)
        return error;
    size_t len = strnlen(report->text, sizeof report->text);
    snprintf(report->text + len, sizeof report->text - len,
             " (GTID sequence %llu of domain %u%s%s)", (unsigned long long)group->commit_ts.v,
             reader->options.domain, reader->location ? ", " : "",
             reader->location ? reader->location : "");
    return error;
}

static sluice_error_t apply(log_reader_t *reader, const logged_ddl_t *logged,
                            error_report_t *report)
{
    const log_reader_options_t *options = &reader->options;
    if (options->apply)
        return options->apply(options->apply_context, logged, &reader->outcome, report);
    return schema_tracker_apply(options->tracker, logged, &reader->outcome, report);
}

static sluice_error_t take_ddl(log_reader_t *reader, const group_t *group, feed_item_t *item,
                               log_note_t *note, error_report_t *report)
{
    logged_ddl_t logged = {.commit_ts = group->commit_ts,
                           .commit_time = group->commit_time,
                           .sql = group->query->sql,
                           .context = group->query->context,
                           .has_rows = !group->is_last};
    schema_outcome_t *outcome = &reader->outcome;
    sluice_error_t error = apply(reader, &logged, report);
    if (error != SLUICE_OK)
        return at_place(reader, group, error, report);
    if (outcome->kind == SCHEMA_EVENT) {
        item->kind = FEED_DDL;
        item->ddl = outcome->event;
        collect_tables(reader, outcome->event, item);
    } else if (outcome->kind == SCHEMA_SKIPPED) {
        note->skipped_kind = outcome->skipped_kind;
    }
    if (outcome->warning[0])
        note->warning = outcome->warning;
    return SLUICE_OK;
}

/* ---- groups ---- */

static bool is_syncpoint_before(const log_reader_t *reader, const group_t *group)
{
    if (reader->interval_s == 0 || !group->in_domain || reader->group_ts.v == 0 ||
        group->commit_ts.v == reader->group_ts.v)
        return false;
    uint64_t interval = reader->interval_s;
    return group->commit_time.v / MS_PER_S / interval > reader->group_time.v / MS_PER_S / interval;
}

static sluice_error_t take_group(log_reader_t *reader, group_t *group, feed_item_t *item,
                                 log_note_t *note, error_report_t *report)
{
    *item = (feed_item_t){.kind = FEED_RESOLVED,
                          .commit_ts = group->commit_ts,
                          .commit_time = group->commit_time,
                          .completes = group->is_last};
    sluice_error_t error = SLUICE_OK;
    if (group->kind == GROUP_ROWS) {
        item->kind = FEED_TRANSACTION;
        item->transaction = group->transaction;
    } else if (group->kind == GROUP_DDL) {
        error = take_ddl(reader, group, item, note, report);
    }
    if (group->in_domain) {
        reader->group_ts = group->commit_ts;
        reader->group_time = group->commit_time;
    }
    if (group->is_last && group->commit_ts.v > reader->position.v)
        reader->position = group->commit_ts;
    return error;
}

sluice_error_t log_reader_take(log_reader_t *reader, feed_item_t *item, bool *has_item,
                               log_note_t *note, error_report_t *report)
{
    *item = (feed_item_t){0};
    *note = (log_note_t){0};
    *has_item = true;
    if (reader->has_group) {
        reader->has_group = false;
        return take_group(reader, &reader->group, item, note, report);
    }
    sluice_error_t error = group_assembler_take(reader->assembler, &reader->group, report);
    *has_item = error == SLUICE_OK && reader->group.kind != GROUP_NONE;
    if (!*has_item)
        return error;
    if (is_syncpoint_before(reader, &reader->group)) {
        reader->has_group = true;
        *item = (feed_item_t){.kind = FEED_SYNCPOINT,
                              .commit_ts = reader->group_ts,
                              .commit_time = reader->group_time};
        return SLUICE_OK;
    }
    return take_group(reader, &reader->group, item, note, report);
}

void log_reader_reset(log_reader_t *reader)
{
    forget_held(reader);
    group_assembler_reset(reader->assembler);
}

void log_reader_anchor(const log_reader_t *reader, anchor_t *anchor)
{
    group_assembler_anchor(reader->assembler, anchor);
}

commit_ts_t log_reader_position(const log_reader_t *reader)
{
    return reader->position;
}

bool log_reader_is_between_groups(const log_reader_t *reader)
{
    return !reader->has_group && !group_assembler_is_inside_group(reader->assembler);
}
