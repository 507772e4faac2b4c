/*
 * file:///directory — canal-json lines (canal_json.h) in rotated files (file_writer.h).
 *
 * All workers of a process share one writer, so that a node's files hold its lines in the order in
 * which they came out: a table's rows in order, DDL and watermarks at their places. Each worker
 * makes its lines by itself and hands them over in pieces.
 *
 * There are no progress rows and no proof of ownership: the lease is the only fence (DESIGN §5), a
 * claim finds nothing, and readers drop what comes again.
 *
 * URI parameters:
 *   rotate-bytes=N               a file is completed at that size, default 67108864
 *   rotate-seconds=N             or that age, default 60
 *   sync=yes|no                  whether a write waits until the disk has it, default yes
 *   content-compatible=no|yes    as Alibaba's Canal, default no
 *   enum-as=index|name           how ENUM and SET are written, default index
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/random.h>

#include "common/base/memory.h"
#include "common/runtime/clock.h"
#include "common/runtime/uri.h"
#include "dispatcher/core/binlog/rows.h"
#include "dispatcher/sink/adapters.h"
#include "dispatcher/sink/file/canal_json.h"
#include "dispatcher/sink/file/file_writer.h"
#include "dispatcher/sink/file/sequence_map.h"
#include "dispatcher/sink/sink_subject.h"

#define ROTATE_BYTES (UINT64_C(64) << 20)
#define ROTATE_BYTES_MIN 1024
#define ROTATE_BYTES_MAX (UINT64_C(1) << 40)
#define ROTATE_SECONDS 60
#define ROTATE_SECONDS_MAX (7 * 86400)
/* A worker's lines are handed over once they are that many bytes. */
#define PIECE_BYTES (4 * 1024 * 1024)
#define CONVERT_ARENA_BYTES (1024 * 1024)
#define TABLES_KEPT 256

typedef struct {
    sink_t base;
    arena_t arena;
    char token[FILE_TOKEN_SIZE];
    file_writer_options_t writer_options;
    canal_options_t canal_options;
    file_writer_t *writer;
    sequence_map_t *sequences;
    _Atomic uint64_t watermark; /* the newest one written */
} file_sink_t;

typedef struct {
    sink_connection_t base;
    file_sink_t *sink;
    sink_text_t lines;
    arena_t arena; /* of the rows of one event */
    charset_converter_t *converter;
    canal_table_t *tables[TABLES_KEPT];
    atomic_bool interrupted;
} file_connection_t;

/* ---- the sink ---- */

static void file_sink_close(sink_t **sink)
{
    if (!*sink)
        return;
    file_sink_t *file = (file_sink_t *)*sink;
    file_writer_destroy(&file->writer);
    sequence_map_destroy(&file->sequences);
    arena_clear(&file->arena);
    free(file);
    *sink = NULL;
}

static sluice_error_t read_choice(const uri_t *uri, const char *name, const char *usual,
                                  const char *other, bool *is_other, error_report_t *report)
{
    const char *value = uri_parameter(uri, name);
    *is_other = value && strcasecmp(value, other) == 0;
    if (!value || *is_other || strcasecmp(value, usual) == 0)
        return SLUICE_OK;
    return error_report_set(report, SLUICE_ERROR_CONFIGURATION, "%s of the sink's URI is %s or %s",
                            name, usual, other);
}

static sluice_error_t read_uri(file_sink_t *file, const char *text, error_report_t *report)
{
    static const char *const known[] = {"rotate-bytes",       "rotate-seconds", "sync",
                                        "content-compatible", "enum-as",        NULL};
    uri_t uri;
    bool is_not_synced = false;
    uint64_t rotate_seconds = 0;
    file_writer_options_t *options = &file->writer_options;
    sluice_error_t error = uri_parse(bytes_of_text(text), &file->arena, &uri, report);
    if (!error)
        error = uri_check_parameters(&uri, known, report);
    if (!error && (uri.host[0] || !uri.path[0] || !uri.path[1]))
        error = error_report_set(report, SLUICE_ERROR_CONFIGURATION,
                                 "a file sink is file:///absolute/path/of/directory");
    if (!error)
        error = uri_parameter_number(&uri, "rotate-bytes", ROTATE_BYTES_MIN, ROTATE_BYTES_MAX,
                                     ROTATE_BYTES, &options->rotate_bytes, report);
    if (!error)
        error = uri_parameter_number(&uri, "rotate-seconds", 1, ROTATE_SECONDS_MAX, ROTATE_SECONDS,
                                     &rotate_seconds, report);
    if (!error)
        error = read_choice(&uri, "sync", "yes", "no", &is_not_synced, report);
    if (!error)
        error = read_choice(&uri, "content-compatible", "no", "yes",
                            &file->canal_options.is_content_compatible, report);
    if (!error)
        error =
            read_choice(&uri, "enum-as", "index", "name", &file->canal_options.has_labels, report);
    if (error)
        return error;
    options->directory = uri.path;
    options->rotate_ns = rotate_seconds * NS_PER_S;
    options->is_synced = !is_not_synced;
    return SLUICE_OK;
}

/* Time and chance: no two lives of a process may share a file. */
static sluice_error_t make_token(file_sink_t *file, error_report_t *report)
{
    uint32_t chance;
    if (getrandom(&chance, sizeof chance, 0) != sizeof chance)
        return error_report_set(report, SLUICE_ERROR_IO, "no random bytes from the system");
    snprintf(file->token, sizeof file->token, "%012llx-%08x", (unsigned long long)clock_wall().v,
             chance);
    file->writer_options.token = file->token;
    return SLUICE_OK;
}

static sluice_error_t file_sink_open(const sink_options_t *options, sink_t **sink,
                                     error_report_t *report)
{
    file_sink_t *file = memory_zalloc(sizeof *file);
    file->base.api = &file_sink_api;
    *sink = &file->base;
    file->writer_options.changefeed_name = arena_strdup(
        &file->arena, options->changefeed_name ? options->changefeed_name : "changefeed");
    file->sequences = sequence_map_new();
    sluice_error_t error = read_uri(file, options->uri, report);
    if (!error)
        error = make_token(file, report);
    if (!error)
        file->writer = file_writer_new(&file->writer_options);
    else
        file_sink_close(sink);
    return error;
}

static sluice_error_t file_sink_check(sink_t *sink, const table_definition_t *const *tables,
                                      uint32_t table_count, error_report_t *report)
{
    file_sink_t *file = (file_sink_t *)sink;
    charset_converter_t *converter = charset_converter_new();
    sluice_error_t error = file_writer_check(&file->writer_options, report);
    for (uint32_t t = 0; t < table_count && !error; t++) {
        for (uint32_t i = 0; i < tables[t]->column_count && !error; i++) {
            const char *name = tables[t]->columns[i].charset;
            const charset_t *charset = name ? charset_find(name) : NULL;
            error = charset ? charset_check(converter, charset, report) : SLUICE_OK;
        }
    }
    charset_converter_destroy(&converter);
    return error;
}

/* ---- connections ---- */

static sluice_error_t file_connect(sink_t *sink, sink_connection_t **connection,
                                   error_report_t *report)
{
    *connection = NULL;
    file_sink_t *sink_of_file = (file_sink_t *)sink;
    sluice_error_t error = file_writer_adopt(sink_of_file->writer, report);
    if (error)
        return error;
    file_connection_t *file = memory_zalloc(sizeof *file);
    file->base.api = &file_sink_api;
    file->sink = sink_of_file;
    file->converter = charset_converter_new();
    *connection = &file->base;
    return SLUICE_OK;
}

static void file_disconnect(sink_connection_t **connection)
{
    if (!*connection)
        return;
    file_connection_t *file = (file_connection_t *)*connection;
    for (size_t i = 0; i < TABLES_KEPT; i++)
        canal_table_destroy(&file->tables[i]);
    charset_converter_destroy(&file->converter);
    sink_text_clear(&file->lines);
    arena_clear(&file->arena);
    free(file);
    *connection = NULL;
}

static void file_interrupt(sink_connection_t *connection)
{
    atomic_store(&((file_connection_t *)connection)->interrupted, true);
}

static sluice_error_t file_claim(sink_connection_t *connection, const sink_claim_t *claims,
                                 uint32_t count, sink_claim_result_t *results,
                                 error_report_t *report)
{
    (void)report;
    file_connection_t *file = (file_connection_t *)connection;
    for (uint32_t i = 0; i < count; i++) {
        sequence_map_forget(file->sink->sequences, claims[i].span.table_id);
        results[i] = (sink_claim_result_t){.error = SLUICE_OK, .progress = COMMIT_TS_NONE};
    }
    return SLUICE_OK;
}

/* ---- rows ---- */

static canal_table_t *find_table(file_connection_t *file, const table_definition_t *definition)
{
    canal_table_t **table = &file->tables[definition->table_id.v % TABLES_KEPT];
    if (*table && canal_table_definition(*table) == definition)
        return *table;
    canal_table_destroy(table);
    *table = canal_table_new(definition, file->sink->canal_options);
    return *table;
}

static sluice_error_t hand_over(file_connection_t *file, error_report_t *report)
{
    if (atomic_load(&file->interrupted))
        return error_report_set(report, SLUICE_ERROR_CLOSED, "interrupted");
    sluice_error_t error = file_writer_append(
        file->sink->writer, bytes_of(file->lines.text, file->lines.len), clock_mono(), report);
    sink_text_reset(&file->lines);
    return error;
}

static sluice_error_t write_event(file_connection_t *file, const canal_table_t *table,
                                  const rows_event_t *event, canal_position_t *position,
                                  error_report_t *report)
{
    rows_reader_t reader;
    sluice_error_t error = rows_reader_init(&reader, event, report);
    while (!error) {
        row_change_t change;
        error = rows_reader_next(&reader, &file->arena, &change, report);
        if (error)
            break;
        position->seq++;
        error = canal_json_row(&file->lines, table, &change, position, file->converter,
                               &file->arena, report);
        if (!error && file->lines.len >= PIECE_BYTES)
            error = hand_over(file, report);
        if (file->arena.bytes > CONVERT_ARENA_BYTES)
            arena_reset(&file->arena);
    }
    arena_reset(&file->arena);
    return error == SLUICE_ERROR_NOT_FOUND ? SLUICE_OK : error;
}

static commit_ts_t watermark_of(const file_connection_t *file)
{
    return (commit_ts_t){atomic_load(&file->sink->watermark)};
}

/* The lines of one write; *last is where its last transaction came to. */
static sluice_error_t write_one(file_connection_t *file, const sink_write_t *write,
                                canal_position_t *last, sink_write_result_t *result,
                                error_report_t *report)
{
    *result = (sink_write_result_t){.error = SLUICE_OK};
    *last = (canal_position_t){0};
    sluice_error_t error = SLUICE_OK;
    for (uint32_t part = 0; part < write->part_count && !error; part++) {
        const table_rows_t *rows = write->parts[part];
        if (part == 0 || write->part_ts[part].v != last->commit_ts.v)
            last->seq = sequence_map_get(file->sink->sequences, rows->definition->table_id,
                                         write->part_ts[part]);
        uint64_t first = last->seq;
        last->commit_ts = write->part_ts[part];
        last->commit_time = write->part_time[part];
        last->now = clock_wall();
        last->watermark = watermark_of(file);
        const canal_table_t *table = find_table(file, rows->definition);
        for (uint32_t i = 0; i < rows->event_count && !error; i++)
            error = write_event(file, table, &rows->events[i], last, report);
        result->rows += last->seq - first;
        result->bytes += rows->bytes;
    }
    return error;
}

static void remember(file_connection_t *file, const sink_write_t *write,
                     const canal_position_t *last)
{
    table_id_t table_id = write->claim->span.table_id;
    if (write->moves_progress)
        sequence_map_forget(file->sink->sequences, table_id);
    else if (write->part_count)
        sequence_map_put(file->sink->sequences, table_id, last->commit_ts, last->seq);
}

static sluice_error_t file_write(sink_connection_t *connection, const sink_write_t *writes,
                                 uint32_t count, sink_write_result_t *results,
                                 error_report_t *report)
{
    file_connection_t *file = (file_connection_t *)connection;
    canal_position_t *last = memory_zalloc((count ? count : 1) * sizeof *last);
    sink_text_reset(&file->lines);
    sluice_error_t error = SLUICE_OK;
    for (uint32_t i = 0; i < count && !error; i++)
        error = write_one(file, &writes[i], &last[i], &results[i], report);
    if (!error)
        error = FAIL_POINT("sink.rows.commit", writes->progress.v,
                           sink_subject_of_writes(writes, count));
    if (!error)
        error = hand_over(file, report);
    if (!error)
        error = FAIL_POINT("sink.rows.committed", writes->progress.v,
                           sink_subject_of_writes(writes, count));
    for (uint32_t i = 0; i < count && !error; i++)
        remember(file, &writes[i], &last[i]);
    free(last);
    return error;
}

/* ---- other lines ---- */

static sluice_error_t file_run_ddl(sink_connection_t *connection, const sink_claim_t *claim,
                                   const ddl_event_t *ddl, error_report_t *report)
{
    (void)claim;
    file_connection_t *file = (file_connection_t *)connection;
    sink_text_reset(&file->lines);
    canal_json_ddl(&file->lines, ddl, watermark_of(file), clock_wall());
    sluice_error_t error = FAIL_POINT("sink.ddl.execute", ddl->commit_ts.v, ddl->sql_utf8);
    if (!error)
        error = hand_over(file, report);
    return error ? error : FAIL_POINT("sink.ddl.finished", ddl->commit_ts.v, ddl->sql_utf8);
}

static sluice_error_t file_write_syncpoint(sink_connection_t *connection, const sink_claim_t *claim,
                                           commit_ts_t ts, error_report_t *report)
{
    (void)claim;
    file_connection_t *file = (file_connection_t *)connection;
    sink_text_reset(&file->lines);
    canal_json_syncpoint(&file->lines, ts, watermark_of(file), clock_wall());
    return hand_over(file, report);
}

static sluice_error_t file_write_watermark(sink_connection_t *connection, commit_ts_t resolved,
                                           error_report_t *report)
{
    file_connection_t *file = (file_connection_t *)connection;
    if (resolved.v <= atomic_load(&file->sink->watermark))
        return file_writer_rotate(file->sink->writer, clock_mono(), report);
    sink_text_reset(&file->lines);
    canal_json_watermark(&file->lines, resolved, clock_wall());
    sluice_error_t error = hand_over(file, report);
    if (!error)
        atomic_store(&file->sink->watermark, resolved.v);
    return error;
}

static sluice_error_t file_clean_up(sink_connection_t *connection, commit_ts_t persisted_checkpoint,
                                    error_report_t *report)
{
    (void)persisted_checkpoint;
    file_connection_t *file = (file_connection_t *)connection;
    sluice_error_t error = file_writer_rotate(file->sink->writer, clock_mono(), report);
    return error ? error : file_writer_adopt(file->sink->writer, report);
}

const sink_api_t file_sink_api = {
    .scheme = "file",
    .needs_one_host = false,
    .holds_partitions = true,
    .is_sql = false,
    .open = file_sink_open,
    .close = file_sink_close,
    .check = file_sink_check,
    .connect = file_connect,
    .disconnect = file_disconnect,
    .interrupt = file_interrupt,
    .claim = file_claim,
    .write = file_write,
    .run_ddl = file_run_ddl,
    .write_syncpoint = file_write_syncpoint,
    .write_watermark = file_write_watermark,
    .clean_up = file_clean_up,
};
