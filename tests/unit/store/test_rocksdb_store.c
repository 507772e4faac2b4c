#include "tests/testing.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dispatcher/store/event_store.h"

#define VALUE_BYTES 5000
#define STORE_BYTES (UINT64_C(64) << 20)
#define ALL_BYTES (UINT64_C(1) << 40)

static const event_store_api_t *api = &rocksdb_store_api;
static char directory[64];
static event_store_t *store;
static uint8_t value[VALUE_BYTES];
static uint64_t last_ts;

static int set_up(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/sluice-test-XXXXXX");
    if (!mkdtemp(directory))
        return -1;
    last_ts = 0;
    event_store_options_t options = {.directory = directory, .bytes_max = STORE_BYTES};
    return api->open(&options, &store, NULL) == SLUICE_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    api->close(&store);
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", directory);
    return system(command);
}

static store_key_t key(uint64_t ts)
{
    return (store_key_t){{ts}, ts * 10};
}

/* The next transactions, each of tables 1..tables, whose bytes tell which they are. */
static sluice_error_t append(uint32_t transactions, uint32_t tables)
{
    store_record_t *records = calloc(transactions * tables, sizeof *records);
    uint8_t *bytes = calloc(transactions * tables, VALUE_BYTES);
    for (uint32_t i = 0; i < transactions * tables; i++) {
        uint64_t ts = last_ts + 1 + i / tables;
        uint8_t *at = bytes + (size_t)i * VALUE_BYTES;
        memcpy(at, value, VALUE_BYTES);
        memcpy(at, &ts, sizeof ts);
        records[i] = (store_record_t){{1 + i % tables}, key(ts), bytes_of(at, VALUE_BYTES)};
    }
    sluice_error_t error = api->append(store, records, transactions * tables, NULL);
    if (error == SLUICE_OK)
        last_ts += transactions;
    free(records);
    free(bytes);
    return error;
}

typedef struct {
    uint64_t next, count;
} seen_t;

static sluice_error_t see(void *context, store_key_t at, bytes_t bytes)
{
    seen_t *seen = context;
    uint64_t ts;
    memcpy(&ts, bytes.data, sizeof ts);
    assert_int_equal(bytes.len, VALUE_BYTES);
    assert_int_equal(ts, at.commit_ts.v);
    assert_int_equal(ts, seen->next);
    seen->next++;
    seen->count++;
    return SLUICE_OK;
}

/* How many records of the table lie in (after, through]; they have to be without a gap. */
static uint64_t scan(uint64_t table, uint64_t after, uint64_t through, uint64_t bytes_max,
                     store_key_t *reached)
{
    seen_t seen = {.next = after + 1};
    assert_int_equal(api->scan(store, (table_id_t){table}, key(after), key(through), bytes_max, see,
                               &seen, reached, NULL),
                     SLUICE_OK);
    return seen.count;
}

static void a_table_is_read_alone_and_in_order(void **state)
{
    (void)state;
    store_key_t reached;
    /* Over several segments. */
    for (int i = 0; i < 30; i++)
        assert_int_equal(append(20, 3), SLUICE_OK);
    assert_int_equal(scan(2, 0, 600, ALL_BYTES, &reached), 600);
    assert_int_equal(store_key_compare(reached, key(600)), 0);
    assert_int_equal(scan(2, 37, 555, ALL_BYTES, &reached), 555 - 37);
    assert_int_equal(scan(4, 0, 600, ALL_BYTES, &reached), 0);
    assert_int_equal(scan(1, 600, 700, ALL_BYTES, &reached), 0);
    assert_int_equal(store_key_compare(reached, key(700)), 0);
}

static void a_scan_stops_at_its_limit_and_goes_on_there(void **state)
{
    (void)state;
    for (int i = 0; i < 30; i++)
        assert_int_equal(append(20, 3), SLUICE_OK);
    store_key_t reached = key(0);
    uint64_t at = 0, scans = 0;
    while (at < 600) {
        uint64_t count = scan(3, at, 600, 7 * VALUE_BYTES, &reached);
        assert_in_range(count, 1, 7);
        at += count;
        scans++;
        if (at < 600)
            assert_int_equal(reached.commit_ts.v, at);
    }
    assert_true(scans >= 600 / 7);
    /* One record comes in any case. */
    assert_int_equal(scan(3, 10, 600, 1, &reached), 1);
    assert_int_equal(reached.commit_ts.v, 11);
}

/* A store that has nothing may have no directory either. */
static uint64_t bytes_on_disk(void)
{
    char command[192];
    snprintf(command, sizeof command, "mkdir -p '%s' && du -sB1 '%s'", directory, directory);
    FILE *output = popen(command, "r");
    unsigned long long bytes = 0;
    assert_int_equal(fscanf(output, "%llu", &bytes), 1);
    pclose(output);
    return bytes;
}

/* Files of a store that is not empty go in the background. */
static void wait_for_disk(uint64_t bytes_max)
{
    for (int i = 0; i < 200 && bytes_on_disk() > bytes_max; i++)
        usleep(50000);
    assert_true(bytes_on_disk() <= bytes_max);
}

static void what_is_forgotten_is_given_back(void **state)
{
    (void)state;
    while (last_ts < 5000)
        assert_int_equal(append(100, 2), SLUICE_OK);
    uint64_t full = api->bytes(store);
    assert_true(full > 10000 * VALUE_BYTES);
    for (uint64_t table = 1; table <= 2; table++)
        assert_int_equal(
            api->forget(store, (table_id_t){table}, store_key_behind((commit_ts_t){2500}), NULL),
            SLUICE_OK);
    assert_true(api->bytes(store) < full * 6 / 10);
    store_key_t reached;
    assert_int_equal(scan(1, 2500, 5000, ALL_BYTES, &reached), 2500);
    wait_for_disk(full * 7 / 10);
    /* As long as one table needs its segments they stay. */
    assert_int_equal(
        api->forget(store, (table_id_t){1}, store_key_behind((commit_ts_t){5000}), NULL),
        SLUICE_OK);
    assert_true(api->bytes(store) > full * 3 / 10);
    assert_int_equal(
        api->forget(store, (table_id_t){2}, store_key_behind((commit_ts_t){5000}), NULL),
        SLUICE_OK);
    assert_int_equal(api->bytes(store), 0);
    assert_true(bytes_on_disk() < 1 << 20);
    assert_int_equal(append(100, 2), SLUICE_OK);
    assert_int_equal(scan(1, 5000, 5100, ALL_BYTES, &reached), 100);
}

/* A file that is being written while its segment goes is nobody's: nothing else may happen for
 * long that would remove it. */
static void what_is_forgotten_while_it_is_written_is_given_back(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        assert_int_equal(append(900, 1), SLUICE_OK);
        assert_int_equal(append(1, 1), SLUICE_OK);
        assert_int_equal(api->forget(store, (table_id_t){1}, key(last_ts), NULL), SLUICE_OK);
        assert_true(bytes_on_disk() < 1 << 20);
    }
}

static void beyond_its_size_nothing_is_taken(void **state)
{
    (void)state;
    sluice_error_t error;
    while ((error = append(100, 2)) == SLUICE_OK)
        ;
    assert_int_equal(error, SLUICE_ERROR_FULL);
    assert_true(api->bytes(store) <= STORE_BYTES);
    store_key_t reached;
    assert_int_equal(scan(2, 0, last_ts, ALL_BYTES, &reached), last_ts);
    api->forget(store, (table_id_t){1}, store_key_behind((commit_ts_t){last_ts}), NULL);
    api->forget(store, (table_id_t){2}, store_key_behind((commit_ts_t){last_ts}), NULL);
    assert_int_equal(append(100, 2), SLUICE_OK);
}

/* Turns bits around in the middle of every file of rows. */
static uint32_t damage_files(void)
{
    uint32_t damaged = 0;
    DIR *entries = opendir(directory);
    struct dirent *entry;
    while ((entry = readdir(entries))) {
        char path[4200];
        struct stat status;
        snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
        if (!strstr(entry->d_name, ".sst") || stat(path, &status) != 0)
            continue;
        int fd = open(path, O_WRONLY);
        uint8_t garbage[65536];
        memset(garbage, 0x5a, sizeof garbage);
        for (off_t at = 0; at < status.st_size; at += (off_t)sizeof garbage * 2)
            assert_true(pwrite(fd, garbage, sizeof garbage, at) > 0);
        close(fd);
        damaged++;
    }
    closedir(entries);
    return damaged;
}

static sluice_error_t accept_any(void *context, store_key_t at, bytes_t bytes)
{
    (void)context;
    (void)at;
    (void)bytes;
    return SLUICE_OK;
}

static void damage_is_an_error(void **state)
{
    (void)state;
    while (last_ts < 5000)
        assert_int_equal(append(100, 2), SLUICE_OK);
    assert_true(damage_files() > 0);
    store_key_t reached;
    error_report_t report;
    sluice_error_t error = api->scan(store, (table_id_t){1}, key(0), key(last_ts), ALL_BYTES,
                                     accept_any, NULL, &reached, &report);
    assert_int_equal(error, SLUICE_ERROR_IO);
    assert_non_null(strstr(report.text, "event store"));
}

static void it_begins_empty(void **state)
{
    (void)state;
    assert_int_equal(append(100, 2), SLUICE_OK);
    api->close(&store);
    event_store_options_t options = {.directory = directory, .bytes_max = STORE_BYTES};
    assert_int_equal(api->open(&options, &store, NULL), SLUICE_OK);
    store_key_t reached;
    assert_int_equal(scan(1, 0, 100, ALL_BYTES, &reached), 0);
    assert_int_equal(api->bytes(store), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    for (size_t i = 0; i < sizeof value; i++)
        value[i] = (uint8_t)(i * 2654435761u >> 13);
    const struct CMUnitTest tests[] = {
        TEST(a_table_is_read_alone_and_in_order),
        TEST(a_scan_stops_at_its_limit_and_goes_on_there),
        TEST(what_is_forgotten_is_given_back),
        TEST(what_is_forgotten_while_it_is_written_is_given_back),
        TEST(beyond_its_size_nothing_is_taken),
        TEST(damage_is_an_error),
        TEST(it_begins_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
