#include "dispatcher/sink/mariadb/write.h"

#include <stdlib.h>

#include "common/base/memory.h"
#include "dispatcher/sink/mariadb/progress.h"
#include "dispatcher/sink/mariadb/table.h"
#include "dispatcher/sink/sink_subject.h"

/* A write can turn out committed or lost once, and be found out once more after a wait. */
#define ROUNDS_MAX 4

struct mariadb_writer {
    const mariadb_owner_t *owner;
    mariadb_progress_t *progress;
    mariadb_table_cache_t *tables;
    arena_t arena;
};

typedef struct {
    mariadb_writer_t *writer;
    const sink_write_t *writes;
    sink_write_result_t *results;
    const row_batch_t *batches;
    uint32_t *open; /* indices of the writes that are still to be done */
    uint32_t open_count;
} write_work_t;

mariadb_writer_t *mariadb_writer_new(const mariadb_owner_t *owner)
{
    mariadb_writer_t *writer = memory_zalloc(sizeof *writer);
    writer->owner = owner;
    writer->progress = mariadb_progress_new(owner);
    writer->tables = mariadb_table_cache_new(owner->session);
    return writer;
}

void mariadb_writer_destroy(mariadb_writer_t **writer)
{
    if (!*writer)
        return;
    mariadb_table_cache_destroy(&(*writer)->tables);
    mariadb_progress_destroy(&(*writer)->progress);
    arena_clear(&(*writer)->arena);
    free(*writer);
    *writer = NULL;
}

static sluice_error_t open_writes_advance(write_work_t *work, bool *all_ours,
                                          error_report_t *report)
{
    arena_t *arena = &work->writer->arena;
    const sink_write_t **writes = arena_alloc(arena, work->open_count * sizeof *writes);
    for (uint32_t i = 0; i < work->open_count; i++)
        writes[i] = &work->writes[work->open[i]];
    return mariadb_progress_advance(work->writer->progress, writes, work->open_count, arena,
                                    all_ours, report);
}

/* Takes out of the open writes those that are in already or that are not ours. */
static sluice_error_t open_writes_decide(write_work_t *work, error_report_t *report)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < work->open_count; i++) {
        uint32_t index = work->open[i];
        write_state_t state;
        sluice_error_t error =
            mariadb_progress_decide(work->writer->progress, &work->writes[index], &state, report);
        if (error != SLUICE_OK)
            return error;
        if (state == WRITE_OPEN)
            work->open[kept++] = index;
        else if (state == WRITE_NOT_OURS)
            work->results[index] = (sink_write_result_t){.error = SLUICE_ERROR_NOT_OWNER};
    }
    work->open_count = kept;
    return SLUICE_OK;
}

static sluice_error_t open_rows_write(write_work_t *work, error_report_t *report)
{
    sluice_error_t error = SLUICE_OK;
    for (uint32_t i = 0; i < work->open_count && error == SLUICE_OK; i++) {
        const row_batch_t *batch = &work->batches[work->open[i]];
        /* Without parts only the progress moves. */
        if (batch->definition)
            error = mariadb_table_write(work->writer->tables, batch, &work->writer->arena, report);
    }
    return error;
}

/* What a fail point is told. */
static const char *open_writes_subject(const write_work_t *work)
{
    sink_write_t writes[SINK_SUBJECT_MAX];
    uint32_t count = 0;
    for (; count < work->open_count && count < SINK_SUBJECT_MAX; count++)
        writes[count] = work->writes[work->open[count]];
    return sink_subject_of_writes(writes, count);
}

/* One transaction; `is_done` stays false when it was rolled back to look again. */
static sluice_error_t round_run(write_work_t *work, bool *is_done, error_report_t *report)
{
    bool all_ours;
    sluice_error_t error = open_writes_advance(work, &all_ours, report);
    if (error != SLUICE_OK)
        return error;
    if (!all_ours) {
        mariadb_session_rollback(work->writer->owner->session);
        error = mariadb_session_open(work->writer->owner->session, report);
        return error == SLUICE_OK ? open_writes_decide(work, report) : error;
    }
    error = FAIL_POINT("sink.rows.open", work->writes->progress.v, open_writes_subject(work));
    if (error == SLUICE_OK)
        error = open_rows_write(work, report);
    if (error == SLUICE_OK)
        error = FAIL_POINT("sink.rows.commit", work->writes->progress.v, open_writes_subject(work));
    if (error == SLUICE_OK)
        error = mariadb_session_commit(work->writer->owner->session, report);
    if (error == SLUICE_OK)
        error =
            FAIL_POINT("sink.rows.committed", work->writes->progress.v, open_writes_subject(work));
    *is_done = error == SLUICE_OK;
    return error;
}

static sluice_error_t batches_build(mariadb_writer_t *writer, const sink_write_t *writes,
                                    uint32_t count, row_batch_t *batches,
                                    sink_write_result_t *results, error_report_t *report)
{
    for (uint32_t i = 0; i < count; i++) {
        if (writes[i].part_count == 0)
            continue;
        sluice_error_t error = row_batch_build(&writer->arena, writes[i].parts,
                                               writes[i].part_count, &batches[i], report);
        if (error != SLUICE_OK)
            return error;
        results[i] = (sink_write_result_t){
            .error = SLUICE_OK, .rows = batches[i].source_rows, .bytes = batches[i].source_bytes};
    }
    return SLUICE_OK;
}

static sluice_error_t rounds_run(write_work_t *work, error_report_t *report)
{
    mariadb_session_t *session = work->writer->owner->session;
    bool is_done = false;
    sluice_error_t error = mariadb_session_open(session, report);
    for (int round = 0; error == SLUICE_OK && !is_done && work->open_count > 0; round++) {
        if (round == ROUNDS_MAX)
            return error_report_set(report, SLUICE_ERROR_SINK_BUSY,
                                    "progress rows of the sink keep changing");
        error = round_run(work, &is_done, report);
    }
    if (error != SLUICE_OK)
        mariadb_session_rollback(session);
    return error;
}

sluice_error_t mariadb_writer_write(mariadb_writer_t *writer, const sink_write_t *writes,
                                    uint32_t count, sink_write_result_t *results,
                                    error_report_t *report)
{
    arena_reset(&writer->arena);
    row_batch_t *batches = arena_calloc(&writer->arena, count, sizeof *batches);
    memset(results, 0, count * sizeof *results);
    sluice_error_t error = batches_build(writer, writes, count, batches, results, report);
    if (error != SLUICE_OK)
        return error;
    write_work_t work = {.writer = writer,
                         .writes = writes,
                         .results = results,
                         .batches = batches,
                         .open = arena_alloc(&writer->arena, count * sizeof(uint32_t)),
                         .open_count = count};
    for (uint32_t i = 0; i < count; i++)
        work.open[i] = i;
    return rounds_run(&work, report);
}
