/*
 * One way through a binary log, in one thread, timed from the first event to the last commit:
 *   raw        every event is read and framed, nothing decoded
 *   sink URI   read, assembled, decoded and written into the sink in batches, as a node's worker
 * does rows       decoded, and every row put by a bare prepared upsert into SQLite (URI: a path) in
 * the same batches: what a program without keys, progress or fencing would do Prints rows and
 * seconds. usage: data_path raw|sink|rows LOG_DIRECTORY [URI]
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/runtime/clock.h"
#include "dispatcher/core/binlog/rows.h"
#include "dispatcher/core/log_reader.h"
#include "dispatcher/sink/sink.h"
#include "dispatcher/upstream/upstream.h"

#define BATCH_ROWS_BYTES (4 * 1024 * 1024)
#define TABLES_MAX 64
#define PARTS_MAX 65536

typedef struct {
    table_id_t table_id;
    const table_rows_t *parts[PARTS_MAX];
    commit_ts_t part_ts[PARTS_MAX];
    wall_ms_t part_time[PARTS_MAX];
    uint32_t part_count;
    sink_claim_t claim;
    sqlite3_stmt *upsert; /* rows */
} table_batch_t;

typedef struct {
    table_batch_t *tables;
    uint32_t table_count;
    feed_item_t held[PARTS_MAX];
    uint32_t held_count;
    size_t bytes;
    uint64_t rows;
    sink_connection_t *connection;
    sqlite3 *bare;
} bench_t;

_Noreturn static void die(const char *doing, const error_report_t *report)
{
    fprintf(stderr, "%s: %s\n", doing, report ? report->text : "");
    exit(1);
}

static table_batch_t *batch_of(bench_t *bench, const table_definition_t *definition)
{
    for (uint32_t i = 0; i < bench->table_count; i++)
        if (bench->tables[i].table_id.v == definition->table_id.v)
            return &bench->tables[i];
    if (bench->table_count == TABLES_MAX)
        die("too many tables", NULL);
    table_batch_t *table = &bench->tables[bench->table_count++];
    table->table_id = definition->table_id;
    table->claim = (sink_claim_t){.span = {.table_id = definition->table_id}, .epoch = {1, 1}};
    error_report_t report;
    sink_claim_result_t result;
    if (bench->connection && bench->connection->api->claim(bench->connection, &table->claim, 1,
                                                           &result, &report) != SLUICE_OK)
        die("claim", &report);
    return table;
}

static void write_sink(bench_t *bench, commit_ts_t progress)
{
    sink_write_t writes[TABLES_MAX];
    sink_write_result_t results[TABLES_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < bench->table_count; i++) {
        table_batch_t *table = &bench->tables[i];
        if (table->part_count == 0)
            continue;
        writes[count++] = (sink_write_t){.claim = &table->claim,
                                         .parts = table->parts,
                                         .part_ts = table->part_ts,
                                         .part_time = table->part_time,
                                         .part_count = table->part_count,
                                         .moves_progress = true,
                                         .progress = progress};
    }
    error_report_t report = {0};
    if (count == 0)
        return;
    if (bench->connection->api->write(bench->connection, writes, count, results, &report))
        die("write", &report);
    for (uint32_t i = 0; i < count; i++)
        bench->rows += results[i].rows;
}

static void bind_row(sqlite3_stmt *statement, const value_t *values, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        int at = (int)i + 1;
        if (values[i].kind == VALUE_INT || values[i].kind == VALUE_UINT)
            sqlite3_bind_int64(statement, at, values[i].i64);
        else if (values[i].kind == VALUE_TEXT)
            sqlite3_bind_text(statement, at, (const char *)values[i].bytes.data,
                              (int)values[i].bytes.len, SQLITE_STATIC);
        else
            sqlite3_bind_null(statement, at);
    }
    sqlite3_step(statement);
    sqlite3_reset(statement);
}

static void write_event(bench_t *bench, table_batch_t *table, const rows_event_t *event,
                        arena_t *arena)
{
    rows_reader_t reader;
    row_change_t row;
    error_report_t report = {0};
    if (rows_reader_init(&reader, event, &report))
        die("decode", &report);
    sluice_error_t error;
    while (!(error = rows_reader_next(&reader, arena, &row, &report))) {
        bind_row(table->upsert, row.after, 4);
        bench->rows++;
    }
    if (error != SLUICE_ERROR_NOT_FOUND)
        die("decode", &report);
}

static void write_rows(bench_t *bench)
{
    arena_t arena = {0};
    sqlite3_exec(bench->bare, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    for (uint32_t i = 0; i < bench->table_count; i++) {
        table_batch_t *table = &bench->tables[i];
        for (uint32_t part = 0; part < table->part_count; part++) {
            for (uint32_t event = 0; event < table->parts[part]->event_count; event++)
                write_event(bench, table, &table->parts[part]->events[event], &arena);
            arena_reset(&arena);
        }
    }
    sqlite3_exec(bench->bare, "COMMIT", NULL, NULL, NULL);
    arena_clear(&arena);
}

static void flush(bench_t *bench, commit_ts_t progress)
{
    if (bench->bare)
        write_rows(bench);
    else
        write_sink(bench, progress);
    for (uint32_t i = 0; i < bench->table_count; i++)
        bench->tables[i].part_count = 0;
    for (uint32_t i = 0; i < bench->held_count; i++)
        feed_item_clear(&bench->held[i]);
    bench->held_count = 0;
    bench->bytes = 0;
}

static void run_ddl_bare(bench_t *bench, const ddl_event_t *ddl)
{
    for (uint32_t i = 0; i < ddl->change_count; i++) {
        const table_definition_t *made = ddl->changes[i].after;
        table_batch_t *table = batch_of(bench, made);
        char *sql =
            sqlite3_mprintf("CREATE TABLE \"%w\" (id INTEGER PRIMARY KEY, k INTEGER, c TEXT, "
                            "pad TEXT); CREATE INDEX \"%w.k\" ON \"%w\" (k)",
                            made->name, made->name, made->name);
        if (sqlite3_exec(bench->bare, sql, NULL, NULL, NULL) != SQLITE_OK)
            die(sqlite3_errmsg(bench->bare), NULL);
        sqlite3_free(sql);
        sql =
            sqlite3_mprintf("INSERT INTO \"%w\" VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
                            "k = excluded.k, c = excluded.c, pad = excluded.pad",
                            made->name);
        if (sqlite3_prepare_v2(bench->bare, sql, -1, &table->upsert, NULL) != SQLITE_OK)
            die(sqlite3_errmsg(bench->bare), NULL);
        sqlite3_free(sql);
    }
}

static void run_ddl(bench_t *bench, feed_item_t *item)
{
    static const sink_claim_t trigger = {.span = {.table_id = {0}}, .epoch = {1, 1}};
    error_report_t report = {0};
    sink_claim_result_t result;
    flush(bench, commit_ts_before(item->commit_ts));
    if (bench->bare) {
        run_ddl_bare(bench, item->ddl);
    } else {
        if (bench->connection->api->claim(bench->connection, &trigger, 1, &result, &report))
            die("claim", &report);
        if (bench->connection->api->run_ddl(bench->connection, &trigger, item->ddl, &report))
            die("ddl", &report);
    }
    feed_item_clear(item);
}

static void take_transaction(bench_t *bench, feed_item_t *item)
{
    transaction_t *transaction = item->transaction;
    for (uint32_t i = 0; i < transaction->table_count; i++) {
        const table_rows_t *rows = &transaction->tables[i];
        table_batch_t *table = batch_of(bench, rows->definition);
        table->parts[table->part_count] = rows;
        table->part_ts[table->part_count] = item->commit_ts;
        table->part_time[table->part_count++] = item->commit_time;
        bench->bytes += rows->bytes;
    }
    bench->held[bench->held_count++] = *item;
    if (bench->bytes >= BATCH_ROWS_BYTES || bench->held_count == PARTS_MAX)
        flush(bench, item->commit_ts);
}

static void take_items(bench_t *bench, log_reader_t *reader)
{
    for (;;) {
        feed_item_t item = {0};
        log_note_t note;
        bool has_item = false;
        error_report_t report = {0};
        if (log_reader_take(reader, &item, &has_item, &note, &report))
            die("take", &report);
        if (!has_item)
            return;
        if (item.kind == FEED_DDL)
            run_ddl(bench, &item);
        else if (item.kind == FEED_TRANSACTION)
            take_transaction(bench, &item);
        else
            feed_item_clear(&item);
    }
}

static upstream_t *open_log(const char *directory)
{
    static char uri[4096];
    snprintf(uri, sizeof uri, "binlog://%s", directory);
    upstream_options_t options = {.uri = uri, .server_id = 1};
    error_report_t report = {0};
    upstream_t *upstream;
    if (upstream_find(uri)->open(&options, &upstream, &report))
        die("open", &report);
    return upstream;
}

static void read_log(bench_t *bench, upstream_t *upstream, log_reader_t *reader)
{
    for (;;) {
        raw_event_t event;
        error_report_t report = {0};
        switch (upstream->api->next(upstream, &event, &report)) {
        case UPSTREAM_EVENT:
            if (!reader)
                bench->rows++;
            else if (log_reader_push(reader, event.bytes, event.location, &report))
                die("push", &report);
            else
                take_items(bench, reader);
            break;
        case UPSTREAM_CAUGHT_UP:
            break;
        case UPSTREAM_END:
            return;
        case UPSTREAM_INTERRUPTED:
        case UPSTREAM_FAILED:
            die("read", &report);
        }
    }
}

static log_reader_t *new_reader(schema_tracker_t **tracker, table_filter_t **filter)
{
    bytes_t rule = bytes_of_text("bench.*");
    error_report_t report = {0};
    if (table_filter_new(&rule, 1, false, filter, &report))
        die("filter", &report);
    schema_tracker_options_t options = {.filter = *filter};
    *tracker = schema_tracker_new(&options);
    log_reader_options_t reader_options = {.group_bytes_max = UINT64_C(1) << 30,
                                           .tracker = *tracker};
    log_reader_t *reader;
    if (log_reader_new(&reader_options, &reader))
        die("reader", NULL);
    return reader;
}

static sink_t *open_sink(bench_t *bench, const char *uri)
{
    sink_options_t options = {.uri = uri, .changefeed_name = "bench"};
    const sink_api_t *api = sink_find(uri);
    error_report_t report = {0};
    sink_t *sink = NULL;
    if (!api || api->open(&options, &sink, &report) || api->check(sink, NULL, 0, &report) ||
        api->connect(sink, &bench->connection, &report))
        die(uri, &report);
    return sink;
}

static void open_bare(bench_t *bench, const char *path)
{
    if (sqlite3_open(path, &bench->bare) != SQLITE_OK ||
        sqlite3_exec(bench->bare, "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL", NULL, NULL,
                     NULL) != SQLITE_OK)
        die(path, NULL);
}

int main(int argc, char **argv)
{
    if (argc < 3)
        die("usage: data_path raw|sink|rows LOG_DIRECTORY [URI]", NULL);
    static bench_t bench;
    bench.tables = calloc(TABLES_MAX, sizeof *bench.tables);
    sink_t *sink = NULL;
    schema_tracker_t *tracker = NULL;
    table_filter_t *filter = NULL;
    log_reader_t *reader = NULL;
    if (strcmp(argv[1], "raw") != 0)
        reader = new_reader(&tracker, &filter);
    if (strcmp(argv[1], "sink") == 0)
        sink = open_sink(&bench, argv[3]);
    else if (strcmp(argv[1], "rows") == 0)
        open_bare(&bench, argv[3]);
    mono_ns_t started = clock_mono();
    upstream_t *upstream = open_log(argv[2]);
    read_log(&bench, upstream, reader);
    if (reader)
        flush(&bench, reader ? log_reader_position(reader) : COMMIT_TS_NONE);
    if (bench.connection)
        bench.connection->api->disconnect(&bench.connection);
    double seconds = (double)mono_elapsed(started, clock_mono()) / (double)NS_PER_S;
    printf("%llu %.6f\n", (unsigned long long)bench.rows, seconds);
    upstream->api->close(&upstream);
    log_reader_destroy(&reader);
    schema_tracker_destroy(&tracker);
    table_filter_destroy(&filter);
    if (sink)
        sink->api->close(&sink);
    for (uint32_t i = 0; i < bench.table_count; i++)
        sqlite3_finalize(bench.tables[i].upsert);
    sqlite3_close(bench.bare);
    free(bench.tables);
    return 0;
}
