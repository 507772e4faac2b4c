#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"
#include "dispatcher/sink/mariadb/span_rows.h"
#include "tests/sim/sink_internal.h"

bool changefeed_equal(const changefeed_ref_t *a, const changefeed_ref_t *b)
{
    return changefeed_uuid_equal(a->uuid, b->uuid) && a->generation == b->generation;
}

static bool is_of(const progress_row_t *row, const changefeed_ref_t *changefeed,
                  const sink_claim_t *claim)
{
    return changefeed_uuid_equal(row->changefeed.uuid, changefeed->uuid) &&
           row->mode == claim->mode && row->table_id.v == claim->span.table_id.v;
}

progress_row_t *ledger_own_row(sim_sink_t *sink, const changefeed_ref_t *changefeed,
                               const sink_claim_t *claim)
{
    for (uint32_t i = 0; i < sink->row_count; i++) {
        progress_row_t *row = &sink->rows[i];
        if (is_of(row, changefeed, claim) && row->changefeed.generation == changefeed->generation &&
            assignment_epoch_compare(row->epoch, claim->epoch) == 0 &&
            bytes_equal(row->start_key, claim->span.start_key) &&
            bytes_equal(row->end_key, claim->span.end_key))
            return row;
    }
    return NULL;
}

/* One before the last DDL of the table that was run: all its spans had flushed by then. */
static commit_ts_t raised_by_records(const sim_sink_t *sink, const changefeed_ref_t *changefeed,
                                     table_id_t table_id)
{
    commit_ts_t raised = COMMIT_TS_NONE;
    for (uint32_t i = 0; i < sink->record_count; i++) {
        const ddl_record_t *record = &sink->records[i];
        bool concerns = record->concerns_all;
        for (uint32_t j = 0; j < record->table_count && !concerns; j++)
            concerns = record->tables[j].table_id.v == table_id.v;
        commit_ts_t before = commit_ts_before(record->commit_ts);
        if (concerns && record->is_done && before.v > raised.v &&
            changefeed_equal(&record->changefeed, changefeed))
            raised = before;
    }
    return raised;
}

static void read_rows(const sim_sink_t *sink, const changefeed_ref_t *changefeed,
                      const sink_claim_t *claim, span_rows_t *rows)
{
    for (uint32_t i = 0; i < sink->row_count; i++) {
        const progress_row_t *row = &sink->rows[i];
        if (!is_of(row, changefeed, claim))
            continue;
        span_row_t stored = {.generation = row->changefeed.generation,
                             .start_key = arena_bytes(rows->arena, row->start_key),
                             .end_key = arena_bytes(rows->arena, row->end_key),
                             .epoch = row->epoch,
                             .progress = row->progress,
                             .is_stored = true};
        span_rows_add(rows, &stored);
    }
}

static sluice_error_t decide(const sim_sink_t *sink, const changefeed_ref_t *changefeed,
                             const sink_claim_t *claim, span_rows_t *rows, commit_ts_t *progress)
{
    read_rows(sink, changefeed, claim, rows);
    return span_rows_claim(rows, changefeed->generation, claim->span.start_key, claim->span.end_key,
                           claim->epoch, progress);
}

/* Its row, made when there is none. */
static feed_row_t *feed_of(sim_sink_t *sink, const changefeed_ref_t *changefeed)
{
    for (uint32_t i = 0; i < sink->feed_count; i++)
        if (changefeed_uuid_equal(sink->feeds[i].uuid, changefeed->uuid))
            return &sink->feeds[i];
    sink->feeds = memory_realloc(sink->feeds, (sink->feed_count + 1) * sizeof *sink->feeds);
    feed_row_t *row = &sink->feeds[sink->feed_count++];
    *row = (feed_row_t){.uuid = changefeed->uuid, .generation = changefeed->generation};
    return row;
}

static bool is_outdated(const feed_row_t *feed, const changefeed_ref_t *changefeed)
{
    return feed->is_removed || feed->generation > changefeed->generation;
}

sluice_error_t ledger_look(sim_sink_t *sink, const changefeed_ref_t *changefeed,
                           const sink_claim_t *claim, commit_ts_t *progress)
{
    arena_t arena = {0};
    span_rows_t rows = {.arena = &arena};
    feed_row_t *feed = feed_of(sink, changefeed);
    if (is_outdated(feed, changefeed))
        return SLUICE_ERROR_SINK_REFUSED;
    if (feed->generation < changefeed->generation)
        *feed = (feed_row_t){.uuid = feed->uuid, .generation = changefeed->generation};
    sluice_error_t error = decide(sink, changefeed, claim, &rows, progress);
    arena_clear(&arena);
    if (error != SLUICE_OK)
        return error;
    /* The trigger starts behind those DDLs only whose record may be gone. */
    bool is_trigger = claim->span.table_id.v == TABLE_ID_TRIGGER.v;
    commit_ts_t raised = raised_by_records(sink, changefeed, claim->span.table_id);
    if (is_trigger)
        *progress = COMMIT_TS_NONE;
    else if (progress->v < raised.v)
        *progress = raised;
    if (progress->v < feed->checkpoint.v)
        *progress = feed->checkpoint;
    return error;
}

static bytes_t copy_key(bytes_t key)
{
    if (key.len == 0)
        return (bytes_t){0};
    uint8_t *copy = memory_alloc(key.len);
    memcpy(copy, key.data, key.len);
    return bytes_of(copy, key.len);
}

static void free_row(progress_row_t *row)
{
    free((uint8_t *)(uintptr_t)row->start_key.data);
    free((uint8_t *)(uintptr_t)row->end_key.data);
}

static void remove_row(sim_sink_t *sink, uint32_t index)
{
    free_row(&sink->rows[index]);
    sink->rows[index] = sink->rows[--sink->row_count];
}

static void add_row(sim_sink_t *sink, const progress_row_t *row)
{
    if (sink->row_count == sink->row_capacity) {
        sink->row_capacity = sink->row_capacity ? sink->row_capacity * 2 : 64;
        sink->rows = memory_realloc(sink->rows, sink->row_capacity * sizeof *sink->rows);
    }
    progress_row_t *own = &sink->rows[sink->row_count++];
    *own = *row;
    own->start_key = copy_key(row->start_key);
    own->end_key = copy_key(row->end_key);
}

void ledger_claim(sim_sink_t *sink, const changefeed_ref_t *changefeed, const sink_claim_t *claim,
                  commit_ts_t progress)
{
    arena_t arena = {0};
    span_rows_t rows = {.arena = &arena};
    commit_ts_t found;
    if (decide(sink, changefeed, claim, &rows, &found) == SLUICE_OK) {
        if (claim->span.table_id.v != TABLE_ID_TRIGGER.v)
            span_rows_raise(&rows, changefeed->generation, claim->span.start_key, progress);
        for (uint32_t i = sink->row_count; i-- > 0;)
            if (is_of(&sink->rows[i], changefeed, claim))
                remove_row(sink, i);
        for (uint32_t i = 0; i < rows.count; i++) {
            const span_row_t *row = &rows.rows[i];
            progress_row_t stored = {.changefeed = {changefeed->uuid, row->generation},
                                     .mode = claim->mode,
                                     .table_id = claim->span.table_id,
                                     .start_key = row->start_key,
                                     .end_key = row->end_key,
                                     .epoch = row->epoch,
                                     .progress = row->progress};
            if (!row->is_removed)
                add_row(sink, &stored);
        }
    }
    arena_clear(&arena);
}

/* ---- DDL records ---- */

ddl_record_t *ledger_find_record(sim_sink_t *sink, const changefeed_ref_t *changefeed,
                                 commit_ts_t commit_ts)
{
    for (uint32_t i = 0; i < sink->record_count; i++)
        if (sink->records[i].commit_ts.v == commit_ts.v &&
            changefeed_equal(&sink->records[i].changefeed, changefeed))
            return &sink->records[i];
    return NULL;
}

static void add_table(ddl_record_t *record, table_id_t table_id, bool is_dropped)
{
    for (uint32_t i = 0; i < record->table_count; i++) {
        if (record->tables[i].table_id.v == table_id.v) {
            record->tables[i].is_dropped |= is_dropped;
            return;
        }
    }
    record->tables =
        memory_realloc(record->tables, (record->table_count + 1) * sizeof *record->tables);
    record->tables[record->table_count++] = (record_table_t){table_id, is_dropped};
}

static void add_tables(const sim_sink_t *sink, ddl_record_t *record, const ddl_event_t *ddl)
{
    const influence_t *influence = &ddl->payload.influence;
    bool takes_influence = sink->flavour == SIM_SINK_MARIADB && influence->kind == INFLUENCE_NORMAL;
    for (uint32_t i = 0; takes_influence && i < influence->table_count; i++)
        if (influence->table_ids[i].v != TABLE_ID_TRIGGER.v)
            add_table(record, influence->table_ids[i], false);
    for (uint32_t i = 0; i < ddl->change_count; i++) {
        const table_change_t *change = &ddl->changes[i];
        bool is_gone = change->kind == TABLE_DROPPED || change->kind == TABLE_LEFT_FILTER;
        if (change->before)
            add_table(record, change->before->table_id, is_gone);
        if (change->after)
            add_table(record, change->after->table_id, is_gone);
    }
}

ddl_record_t *ledger_add_record(sim_sink_t *sink, const changefeed_ref_t *changefeed,
                                const ddl_event_t *ddl, uint64_t before)
{
    if (sink->record_count == sink->record_capacity) {
        sink->record_capacity = sink->record_capacity ? sink->record_capacity * 2 : 64;
        sink->records =
            memory_realloc(sink->records, sink->record_capacity * sizeof *sink->records);
    }
    ddl_record_t *record = &sink->records[sink->record_count++];
    *record = (ddl_record_t){.changefeed = *changefeed,
                             .commit_ts = ddl->commit_ts,
                             .concerns_all = sink->flavour == SIM_SINK_MARIADB &&
                                             ddl->payload.influence.kind == INFLUENCE_ALL,
                             .before = before};
    add_tables(sink, record, ddl);
    return record;
}

void ledger_remove_record(sim_sink_t *sink, ddl_record_t *record)
{
    free(record->tables);
    *record = sink->records[--sink->record_count];
}

void ledger_clean_up(sim_sink_t *sink, const changefeed_ref_t *changefeed, commit_ts_t persisted)
{
    feed_row_t *feed = feed_of(sink, changefeed);
    if (is_outdated(feed, changefeed))
        return;
    if (feed->checkpoint.v < persisted.v)
        feed->checkpoint = persisted;
    for (uint32_t i = sink->record_count; i-- > 0;) {
        ddl_record_t *record = &sink->records[i];
        if (record->commit_ts.v > persisted.v || !changefeed_equal(&record->changefeed, changefeed))
            continue;
        for (uint32_t j = 0; j < record->table_count; j++)
            for (uint32_t k = sink->row_count; k-- > 0;)
                if (record->tables[j].is_dropped && record->is_done &&
                    sink->rows[k].table_id.v == record->tables[j].table_id.v)
                    remove_row(sink, k);
        ledger_remove_record(sink, record);
    }
}

void ledger_forget(sim_sink_t *sink, const changefeed_ref_t *changefeed)
{
    feed_of(sink, changefeed)->is_removed = true;
    for (uint32_t i = sink->row_count; i-- > 0;)
        if (changefeed_uuid_equal(sink->rows[i].changefeed.uuid, changefeed->uuid))
            remove_row(sink, i);
    for (uint32_t i = sink->record_count; i-- > 0;)
        if (changefeed_uuid_equal(sink->records[i].changefeed.uuid, changefeed->uuid))
            ledger_remove_record(sink, &sink->records[i]);
}

void ledger_clear(sim_sink_t *sink)
{
    while (sink->row_count > 0)
        remove_row(sink, sink->row_count - 1);
    while (sink->record_count > 0)
        ledger_remove_record(sink, &sink->records[sink->record_count - 1]);
    free(sink->rows);
    free(sink->records);
    free(sink->feeds);
}
