/*
 * Carries a whole log into a sink in one thread, without nodes and maintainer: what the log says,
 * through the real reader and schema tracker, into the real sink.
 *
 * usage: carry SOURCE_URI SINK_URI GROUP_BYTES_MAX BATCH [RULE...]
 * The log must begin with an empty server. Ends where the log ends; prints "rows N ddl M" or the
 * error.
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/base/memory.h"
#include "dispatcher/core/log_reader.h"
#include "dispatcher/sink/sink.h"
#include "dispatcher/upstream/upstream.h"

#define TABLES_MAX 4096

typedef struct {
    table_id_t table_id;
    sink_claim_t claim;
    const table_rows_t **parts;
    commit_ts_t *part_ts;
    wall_ms_t *part_time;
    uint32_t part_count;
    bool ends_inside;     /* of a transaction */
    commit_ts_t progress; /* found by the claim: what lies at or below is there */
} lane_t;

typedef struct {
    uint8_t *data;
    size_t size;
} spill_t;

typedef struct {
    const sink_api_t *api;
    sink_t *sink;
    sink_connection_t *connection;
    lane_t lanes[TABLES_MAX];
    uint32_t lane_count;
    uint32_t batch;
    transaction_t **held;
    uint32_t held_count;
    uint64_t rows, ddl;
    sink_claim_t trigger;
    error_report_t report;
} carry_t;

static void stop(const char *what, const error_report_t *report)
{
    printf("%s: %s: %s\n", what, sluice_error_name(report->code), report->text);
    exit(1);
}

/* ---- the spill, in memory ---- */

static sluice_error_t spill_write(void *context, uint64_t offset, bytes_t bytes,
                                  error_report_t *report)
{
    (void)report;
    spill_t *spill = context;
    spill->data = memory_realloc(spill->data, offset + bytes.len + 1);
    memcpy(spill->data + offset, bytes.data, bytes.len);
    spill->size = offset + bytes.len;
    return SLUICE_OK;
}

static sluice_error_t spill_read(void *context, uint64_t offset, void *to, size_t len,
                                 error_report_t *report)
{
    const spill_t *spill = context;
    if (offset + len > spill->size)
        return error_report_set(report, SLUICE_ERROR_IO, "read behind the spill's end");
    memcpy(to, spill->data + offset, len);
    return SLUICE_OK;
}

static void spill_clear(void *context)
{
    ((spill_t *)context)->size = 0;
}

/* ---- rows ---- */

static lane_t *find_lane(carry_t *carry, table_id_t table_id)
{
    for (uint32_t i = 0; i < carry->lane_count; i++) {
        if (carry->lanes[i].table_id.v == table_id.v)
            return &carry->lanes[i];
    }
    if (carry->lane_count == TABLES_MAX) {
        printf("more than %d tables\n", TABLES_MAX);
        exit(1);
    }
    lane_t *lane = &carry->lanes[carry->lane_count++];
    lane->table_id = table_id;
    lane->claim = (sink_claim_t){.span = {.table_id = table_id}, .epoch = {1, 1}};
    lane->parts = memory_zalloc(carry->batch * sizeof *lane->parts);
    lane->part_ts = memory_zalloc(carry->batch * sizeof *lane->part_ts);
    lane->part_time = memory_zalloc(carry->batch * sizeof *lane->part_time);
    sink_claim_result_t result;
    if (carry->api->claim(carry->connection, &lane->claim, 1, &result, &carry->report))
        stop("claim", &carry->report);
    lane->progress = result.progress;
    return lane;
}

static void write_lane(carry_t *carry, lane_t *lane)
{
    sink_write_t write = {.claim = &lane->claim,
                          .parts = lane->parts,
                          .part_ts = lane->part_ts,
                          .part_time = lane->part_time,
                          .part_count = lane->part_count,
                          .moves_progress = !lane->ends_inside,
                          .progress = lane->part_ts[lane->part_count - 1]};
    sink_write_result_t result;
    if (carry->api->write(carry->connection, &write, 1, &result, &carry->report))
        stop("write", &carry->report);
    if (result.error) {
        printf("write: table %s.%s is not owned\n", lane->parts[0]->definition->schema,
               lane->parts[0]->definition->name);
        exit(1);
    }
    carry->rows += result.rows;
    lane->part_count = 0;
}

static void flush(carry_t *carry)
{
    for (uint32_t i = 0; i < carry->lane_count; i++) {
        if (carry->lanes[i].part_count)
            write_lane(carry, &carry->lanes[i]);
    }
    for (uint32_t i = 0; i < carry->held_count; i++)
        transaction_unref(&carry->held[i]);
    carry->held_count = 0;
}

static void take_transaction(carry_t *carry, transaction_t *transaction)
{
    for (uint32_t i = 0; i < transaction->table_count; i++) {
        const table_rows_t *rows = &transaction->tables[i];
        lane_t *lane = find_lane(carry, rows->definition->table_id);
        if (transaction->commit_ts.v <= lane->progress.v)
            continue;
        lane->parts[lane->part_count] = rows;
        lane->part_ts[lane->part_count] = transaction->commit_ts;
        lane->part_time[lane->part_count++] = transaction->commit_time;
        lane->ends_inside = !transaction->is_last_part;
    }
    carry->held[carry->held_count++] = transaction_ref(transaction);
    if (carry->held_count == carry->batch)
        flush(carry);
}

static void take_item(carry_t *carry, const feed_item_t *item)
{
    if (item->kind == FEED_TRANSACTION) {
        take_transaction(carry, item->transaction);
    } else if (item->kind == FEED_DDL) {
        flush(carry);
        if (carry->api->run_ddl(carry->connection, &carry->trigger, item->ddl, &carry->report))
            stop("ddl", &carry->report);
        carry->ddl++;
    }
    if (item->completes && carry->held_count == 0 &&
        carry->api->write_watermark(carry->connection, item->commit_ts, &carry->report))
        stop("watermark", &carry->report);
}

/* ---- the log ---- */

static void read_log(carry_t *carry, const upstream_options_t *options, log_reader_t *reader)
{
    const upstream_api_t *api = upstream_find(options->uri);
    upstream_t *upstream;
    if (api->open(options, &upstream, &carry->report))
        stop("source", &carry->report);
    for (;;) {
        raw_event_t event;
        upstream_result_t result = api->next(upstream, &event, &carry->report);
        if (result == UPSTREAM_FAILED)
            stop("source", &carry->report);
        if (result != UPSTREAM_EVENT)
            break;
        if (log_reader_push(reader, event.bytes, event.location, &carry->report))
            stop("log", &carry->report);
        feed_item_t item;
        log_note_t note;
        bool has_item = true;
        while (has_item) {
            if (log_reader_take(reader, &item, &has_item, &note, &carry->report))
                stop("log", &carry->report);
            if (has_item) {
                take_item(carry, &item);
                feed_item_clear(&item);
            }
        }
    }
    flush(carry);
    api->close(&upstream);
}

static void open_sink(carry_t *carry, const char *uri)
{
    sink_options_t options = {
        .uri = uri, .changefeed = {.uuid = {{7}}, .generation = 1}, .changefeed_name = "carry"};
    carry->api = sink_find(uri);
    sink_claim_result_t result;
    carry->trigger = (sink_claim_t){.epoch = {1, 1}};
    if (carry->api->open(&options, &carry->sink, &carry->report) ||
        carry->api->check(carry->sink, NULL, 0, &carry->report) ||
        carry->api->connect(carry->sink, &carry->connection, &carry->report) ||
        carry->api->claim(carry->connection, &carry->trigger, 1, &result, &carry->report))
        stop("sink", &carry->report);
}

static void close_sink(carry_t *carry)
{
    carry->api->disconnect(&carry->connection);
    carry->api->close(&carry->sink);
    for (uint32_t i = 0; i < carry->lane_count; i++) {
        free(carry->lanes[i].parts);
        free(carry->lanes[i].part_ts);
        free(carry->lanes[i].part_time);
    }
    free(carry->held);
}

int main(int argc, char **argv)
{
    if (argc < 5)
        return 2;
    carry_t *carry = memory_zalloc(sizeof *carry);
    spill_t spill = {0};
    carry->batch = (uint32_t)strtoul(argv[4], NULL, 10);
    carry->held = memory_zalloc(carry->batch * sizeof(transaction_t *));
    bytes_t rules[64];
    uint32_t rule_count = 0;
    for (int i = 5; i < argc && rule_count < 64; i++)
        rules[rule_count++] = bytes_of_text(argv[i]);
    table_filter_t *filter;
    if (table_filter_new(rules, rule_count, false, &filter, &carry->report))
        stop("filter", &carry->report);
    schema_tracker_options_t tracker_options = {.filter = filter, .default_charset = "utf8mb4"};
    schema_tracker_t *tracker = schema_tracker_new(&tracker_options);
    schema_tracker_set_position(tracker, COMMIT_TS_NONE);
    log_reader_options_t reader_options = {.group_bytes_max = strtoull(argv[3], NULL, 10),
                                           .spill = {spill_write, spill_read, spill_clear, &spill},
                                           .filter = filter,
                                           .tracker = tracker};
    log_reader_t *reader;
    if (log_reader_new(&reader_options, &reader))
        return 2;
    upstream_options_t source = {.uri = argv[1], .server_id = 4711};
    open_sink(carry, argv[2]);
    read_log(carry, &source, reader);
    close_sink(carry);
    printf("rows %llu ddl %llu\n", (unsigned long long)carry->rows, (unsigned long long)carry->ddl);
    log_reader_destroy(&reader);
    schema_tracker_destroy(&tracker);
    table_filter_destroy(&filter);
    free(spill.data);
    free(carry);
    return 0;
}
