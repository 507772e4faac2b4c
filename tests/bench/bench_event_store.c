/*
 * The event store under a reader far behind: batches of rows of many tables are appended in
 * commit_ts order while one table after another is read from its beginning half as fast; then what
 * was read is forgotten and the disk given back.
 *
 * usage: bench_event_store [DIRECTORY [MIB]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "common/base/memory.h"
#include "common/base/time.h"
#include "dispatcher/store/event_store.h"

#define TABLES 200
#define ROW_BYTES 1000
#define BATCH_ROWS 4096
#define READ_BYTES (UINT64_C(256) << 10)
#define READS_A_BATCH 8
#define MIB ((double)(1 << 20))

typedef struct {
    event_store_t *store;
    uint8_t rows[BATCH_ROWS * ROW_BYTES];
    store_record_t records[BATCH_ROWS];
    uint64_t last_ts, written, read;
    store_key_t positions[TABLES];
    double append_seconds, slowest_append, read_seconds;
} bench_t;

static double wall(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / NS_PER_S;
}

static double cpu(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void must(sluice_error_t error, const error_report_t *report)
{
    if (error == SLUICE_OK)
        return;
    fprintf(stderr, "%s: %s\n", sluice_error_name(error), report->text);
    exit(1);
}

static void append(bench_t *bench)
{
    for (uint32_t i = 0; i < BATCH_ROWS; i++) {
        uint64_t ts = ++bench->last_ts;
        bench->records[i] = (store_record_t){
            {1 + ts * 7919 % TABLES}, {{ts}, ts}, bytes_of(bench->rows + i * ROW_BYTES, ROW_BYTES)};
    }
    error_report_t report = {0};
    double started = wall();
    must(rocksdb_store_api.append(bench->store, bench->records, BATCH_ROWS, &report), &report);
    double seconds = wall() - started;
    bench->append_seconds += seconds;
    if (seconds > bench->slowest_append)
        bench->slowest_append = seconds;
    bench->written += BATCH_ROWS * ROW_BYTES;
}

static sluice_error_t take(void *context, store_key_t key, bytes_t bytes)
{
    bench_t *bench = context;
    (void)key;
    bench->read += bytes.len;
    return SLUICE_OK;
}

static void read_table(bench_t *bench, uint32_t table)
{
    error_report_t report = {0};
    double started = wall();
    must(rocksdb_store_api.scan(bench->store, (table_id_t){1 + table}, bench->positions[table],
                                (store_key_t){{bench->last_ts}, bench->last_ts}, READ_BYTES, take,
                                bench, &bench->positions[table], &report),
         &report);
    bench->read_seconds += wall() - started;
}

static void forget(bench_t *bench)
{
    error_report_t report = {0};
    for (uint32_t table = 0; table < TABLES; table++)
        must(rocksdb_store_api.forget(bench->store, (table_id_t){1 + table},
                                      bench->positions[table], &report),
             &report);
}

int main(int argc, char **argv)
{
    char directory[4096];
    snprintf(directory, sizeof directory, "%s/sluice-bench-XXXXXX",
             argc > 1 ? argv[1] : "/var/tmp");
    uint64_t total = (argc > 2 ? strtoull(argv[2], NULL, 10) : 1536) << 20;
    if (!mkdtemp(directory)) {
        perror(directory);
        return 1;
    }
    bench_t *bench = memory_zalloc(sizeof *bench);
    for (size_t i = 0; i < sizeof bench->rows; i++)
        bench->rows[i] = (uint8_t)(i * 2654435761u >> 11);
    event_store_options_t options = {.directory = directory, .bytes_max = UINT64_C(4) << 30};
    error_report_t report = {0};
    must(rocksdb_store_api.open(&options, &bench->store, &report), &report);
    double started = wall(), started_cpu = cpu();
    for (uint32_t table = 0; bench->written < total;) {
        append(bench);
        for (int i = 0; i < READS_A_BATCH; i++)
            read_table(bench, table++ % TABLES);
    }
    printf("%.0f MiB appended at %.0f MiB/s (slowest batch %.0f ms), %.0f MiB read behind at %.0f "
           "MiB/s; %.1f s, %.1f s of CPU\n",
           (double)bench->written / MIB, (double)bench->written / MIB / bench->append_seconds,
           bench->slowest_append * 1e3, (double)bench->read / MIB,
           (double)bench->read / MIB / bench->read_seconds, wall() - started, cpu() - started_cpu);
    double before = (double)rocksdb_store_api.bytes(bench->store) / MIB;
    started_cpu = cpu();
    forget(bench);
    printf("forgotten in %.2f s of CPU: from %.0f MiB to %.0f MiB\n", cpu() - started_cpu, before,
           (double)rocksdb_store_api.bytes(bench->store) / MIB);
    rocksdb_store_api.close(&bench->store);
    free(bench);
    (void)rmdir(directory);
    return 0;
}
