#include "tests/testing.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "maintainer/meta/meta_store.h"

typedef struct {
    char directory[64], path[80];
    meta_store_t *store;
    arena_t arena;
    error_report_t report;
} fixture_t;

static sluice_error_t reopen(fixture_t *fixture)
{
    meta_store_close(&fixture->store);
    return meta_sqlite_open(fixture->directory, &fixture->store, &fixture->report);
}

static int set_up(void **state)
{
    fixture_t *fixture = test_calloc(1, sizeof *fixture);
    strcpy(fixture->directory, "/tmp/sluice-meta-XXXXXX");
    if (!mkdtemp(fixture->directory))
        return -1;
    snprintf(fixture->path, sizeof fixture->path, "%s/meta.db", fixture->directory);
    *state = fixture;
    return reopen(fixture) != SLUICE_OK;
}

static int tear_down(void **state)
{
    fixture_t *fixture = *state;
    static const char *const endings[] = {"", "-wal", "-shm", "-journal", ".new"};
    meta_store_close(&fixture->store);
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s%s", fixture->path, endings[i]);
        unlink(path);
    }
    rmdir(fixture->directory);
    arena_clear(&fixture->arena);
    test_free(fixture);
    return 0;
}

static const bytes_t rules[] = {{(const uint8_t *)"shop.*", 6}, {(const uint8_t *)"!a.b", 4}};
static const option_t options[] = {
    {{(const uint8_t *)"k", 1}, {(const uint8_t *)"v", 1}},
};

static stored_changefeed_t sample(uint8_t uuid, const char *name)
{
    stored_changefeed_t stored = {
        .ref = {.uuid = {{uuid}}, .generation = 1},
        .maintainer_epoch = 5,
        .config = {.name = bytes_of_text(name),
                   .source = bytes_of_text("mariadb://u:secret@h:1/"),
                   .sink = bytes_of_text("sqlite:///x.db"),
                   .filter_rules = rules,
                   .filter_rule_count = 2,
                   .options = options,
                   .option_count = 1,
                   .start = START_POSITION,
                   .start_gtid_list = bytes_of_text("0-1-100"),
                   .domain = 3},
        .state = CHANGEFEED_WARNING,
        .error = SLUICE_ERROR_SINK_BUSY,
        .error_text = bytes_of_text("busy"),
        .checkpoint = {100},
        .anchor = {.commit_ts = {99}, .commit_time = {1234567}, .gtid_list = "0-1-99,3-3-7"},
        .schema_to = {120}};
    return stored;
}

static void put(fixture_t *fixture, const stored_changefeed_t *stored)
{
    assert_int_equal(
        fixture->store->class->put_changefeed(fixture->store, stored, &fixture->report), SLUICE_OK);
}

static stored_changefeed_t *take_over_from(fixture_t *fixture, uint64_t epoch_min,
                                           uint32_t expected)
{
    stored_changefeed_t *list;
    uint32_t count;
    sluice_error_t error = fixture->store->class->take_over(
        fixture->store, epoch_min, &fixture->arena, &list, &count, &fixture->report);
    if (error != SLUICE_OK)
        fail_msg("%s", fixture->report.text);
    assert_int_equal(count, expected);
    return list;
}

static stored_changefeed_t *take_over(fixture_t *fixture, uint32_t expected)
{
    return take_over_from(fixture, 0, expected);
}

static void changefeeds_come_back_whole_and_with_a_higher_epoch(void **state)
{
    fixture_t *fixture = *state;
    stored_changefeed_t first = sample(1, "b"), second = sample(2, "a");
    put(fixture, &first);
    put(fixture, &second);
    assert_int_equal(reopen(fixture), SLUICE_OK);
    const stored_changefeed_t *list = take_over(fixture, 2);
    assert_true(bytes_equal(list[0].config.name, bytes_of_text("a")));
    const stored_changefeed_t *got = &list[1];
    assert_memory_equal(&got->ref, &first.ref, sizeof first.ref);
    assert_int_equal(got->maintainer_epoch, 6);
    assert_true(bytes_equal(got->config.source, first.config.source));
    assert_true(bytes_equal(got->config.sink, first.config.sink));
    assert_int_equal(got->config.filter_rule_count, 2);
    assert_true(bytes_equal(got->config.filter_rules[1], rules[1]));
    assert_true(bytes_equal(got->config.options[0].value, options[0].value));
    assert_int_equal(got->config.start, START_POSITION);
    assert_true(bytes_equal(got->config.start_gtid_list, bytes_of_text("0-1-100")));
    assert_int_equal(got->config.domain, 3);
    assert_int_equal(got->state, CHANGEFEED_WARNING);
    assert_int_equal(got->error, SLUICE_ERROR_SINK_BUSY);
    assert_true(bytes_equal(got->error_text, bytes_of_text("busy")));
    assert_int_equal(got->checkpoint.v, 100);
    assert_int_equal(got->anchor.commit_ts.v, 99);
    assert_int_equal(got->anchor.commit_time.v, 1234567);
    assert_string_equal(got->anchor.gtid_list, "0-1-99,3-3-7");
    assert_int_equal(got->schema_to.v, 120);
    assert_int_equal(reopen(fixture), SLUICE_OK);
    assert_int_equal(take_over(fixture, 2)[0].maintainer_epoch, 7);
}

static void a_name_belongs_to_one_changefeed(void **state)
{
    fixture_t *fixture = *state;
    stored_changefeed_t first = sample(1, "a"), second = sample(2, "a");
    put(fixture, &first);
    assert_int_equal(
        fixture->store->class->put_changefeed(fixture->store, &second, &fixture->report),
        SLUICE_ERROR_EXISTS);
    put(fixture, &first);
    take_over(fixture, 1);
}

static void a_later_maintainer_owns_what_it_took_over(void **state)
{
    fixture_t *fixture = *state;
    meta_store_t *store = fixture->store;
    stored_changefeed_t first = sample(1, "a");
    anchor_t anchor = {.commit_ts = {150}, .gtid_list = "0-1-150"};
    put(fixture, &first);
    assert_int_equal(store->class->put_checkpoint(store, &first.ref, 5, (commit_ts_t){160}, &anchor,
                                                  &fixture->report),
                     SLUICE_OK);
    take_over(fixture, 1);
    assert_int_equal(store->class->put_checkpoint(store, &first.ref, 5, (commit_ts_t){170}, &anchor,
                                                  &fixture->report),
                     SLUICE_ERROR_NOT_OWNER);
    assert_int_equal(store->class->put_state(store, &first.ref, &first, &fixture->report),
                     SLUICE_ERROR_NOT_OWNER);
    assert_int_equal(store->class->put_changefeed(store, &first, &fixture->report),
                     SLUICE_ERROR_NOT_OWNER);
    first.maintainer_epoch = 6;
    first.state = CHANGEFEED_STOPPED;
    assert_int_equal(store->class->put_state(store, &first.ref, &first, &fixture->report),
                     SLUICE_OK);
    changefeed_ref_t other = {.uuid = {{1}}, .generation = 2}, none = {.uuid = {{9}}};
    assert_int_equal(store->class->put_checkpoint(store, &other, 6, (commit_ts_t){170}, &anchor,
                                                  &fixture->report),
                     SLUICE_ERROR_NOT_OWNER);
    assert_int_equal(store->class->put_checkpoint(store, &none, 6, (commit_ts_t){170}, &anchor,
                                                  &fixture->report),
                     SLUICE_ERROR_NOT_FOUND);
    const stored_changefeed_t *got = take_over(fixture, 1);
    assert_int_equal(got->checkpoint.v, 160);
    assert_string_equal(got->anchor.gtid_list, "0-1-150");
    assert_int_equal(got->state, CHANGEFEED_STOPPED);
}

/* A store that was brought back from an older copy does not know of the epochs since. */
static void an_epoch_is_never_less_than_asked_for(void **state)
{
    fixture_t *fixture = *state;
    stored_changefeed_t first = sample(1, "a");
    put(fixture, &first);
    assert_int_equal(take_over_from(fixture, 1000, 1)->maintainer_epoch, 1000);
    assert_int_equal(take_over_from(fixture, 1000, 1)->maintainer_epoch, 1001);
    assert_int_equal(take_over_from(fixture, 900, 1)->maintainer_epoch, 1002);
}

static void one_changefeed_is_found_by_uuid_and_generation(void **state)
{
    fixture_t *fixture = *state;
    meta_store_t *store = fixture->store;
    stored_changefeed_t first = sample(1, "a"), second = sample(2, "b"), got;
    put(fixture, &first);
    put(fixture, &second);
    assert_int_equal(
        store->class->load_changefeed(store, &second.ref, &fixture->arena, &got, &fixture->report),
        SLUICE_OK);
    assert_true(bytes_equal(got.config.name, bytes_of_text("b")));
    assert_int_equal(got.maintainer_epoch, 5);
    second.ref.generation = 2;
    assert_int_equal(
        store->class->load_changefeed(store, &second.ref, &fixture->arena, &got, &fixture->report),
        SLUICE_ERROR_NOT_FOUND);
}

static void a_slot_has_one_node_and_a_node_one_slot(void **state)
{
    fixture_t *fixture = *state;
    meta_store_t *store = fixture->store;
    static const struct {
        const char *node;
        uint32_t slot;
    } puts[] = {{"a", 0}, {"b", 1}, {"c", 0}, {"b", 2}};
    for (size_t i = 0; i < 4; i++) {
        node_id_t node;
        assert_true(node_id_parse(bytes_of_text(puts[i].node), &node));
        assert_int_equal(store->class->put_slot(store, &node, puts[i].slot, &fixture->report),
                         SLUICE_OK);
    }
    assert_int_equal(reopen(fixture), SLUICE_OK);
    meta_slot_t *slots;
    uint32_t count;
    assert_int_equal(fixture->store->class->load_slots(fixture->store, &fixture->arena, &slots,
                                                       &count, &fixture->report),
                     SLUICE_OK);
    assert_int_equal(count, 2);
    assert_string_equal(slots[0].node.text, "b");
    assert_int_equal(slots[0].slot, 2);
    assert_string_equal(slots[1].node.text, "c");
    assert_int_equal(slots[1].slot, 0);
}

static sluice_error_t put_piece(fixture_t *fixture, const changefeed_ref_t *ref, uint64_t at,
                                uint32_t piece, bool is_last, const char *content)
{
    return fixture->store->class->put_snapshot(fixture->store, ref, (commit_ts_t){at}, piece,
                                               is_last, bytes_of_text(content), &fixture->report);
}

static sluice_error_t load_schema(fixture_t *fixture, const changefeed_ref_t *ref, uint64_t at,
                                  meta_schema_t *schema)
{
    return fixture->store->class->load_schema(fixture->store, ref, (commit_ts_t){at},
                                              &fixture->arena, schema, &fixture->report);
}

static void the_newest_complete_snapshot_and_the_ddls_behind_it_are_found(void **state)
{
    fixture_t *fixture = *state;
    stored_changefeed_t first = sample(1, "a");
    meta_schema_t schema;
    put(fixture, &first);
    assert_int_equal(load_schema(fixture, &first.ref, 100, &schema), SLUICE_ERROR_NOT_FOUND);
    assert_int_equal(put_piece(fixture, &first.ref, 50, 0, false, "one "), SLUICE_OK);
    assert_int_equal(put_piece(fixture, &first.ref, 50, 2, true, "three"), SLUICE_ERROR_STATE);
    assert_int_equal(put_piece(fixture, &first.ref, 50, 1, true, "two"), SLUICE_OK);
    assert_int_equal(put_piece(fixture, &first.ref, 80, 0, false, "half"), SLUICE_OK);
    const schema_ddl_t ddls[] = {{.commit_ts = {60}, .content = bytes_of_text("x")},
                                 {.commit_ts = {90}, .content = bytes_of_text("y")},
                                 {.commit_ts = {110}, .content = bytes_of_text("z")}};
    assert_int_equal(fixture->store->class->put_ddls(fixture->store, &first.ref, 5, ddls, 3,
                                                     (commit_ts_t){130}, &fixture->report),
                     SLUICE_OK);
    assert_int_equal(reopen(fixture), SLUICE_OK);
    assert_int_equal(load_schema(fixture, &first.ref, 100, &schema), SLUICE_OK);
    assert_int_equal(schema.snapshot_ts.v, 50);
    assert_true(bytes_equal(schema.snapshot, bytes_of_text("one two")));
    assert_int_equal(schema.ddl_count, 2);
    assert_int_equal(schema.ddls[1].commit_ts.v, 90);
    assert_true(bytes_equal(schema.ddls[1].content, bytes_of_text("y")));
    assert_int_equal(put_piece(fixture, &first.ref, 80, 0, true, "whole"), SLUICE_OK);
    assert_int_equal(put_piece(fixture, &first.ref, 80, 0, true, "again"), SLUICE_OK);
    assert_int_equal(load_schema(fixture, &first.ref, 100, &schema), SLUICE_OK);
    assert_true(bytes_equal(schema.snapshot, bytes_of_text("whole")));
    assert_int_equal(schema.ddl_count, 1);
    assert_int_equal(load_schema(fixture, &first.ref, 49, &schema), SLUICE_ERROR_NOT_FOUND);
    assert_int_equal(take_over(fixture, 1)->schema_to.v, 130);
}

static void forgotten_schema_is_gone_and_the_rest_stays(void **state)
{
    fixture_t *fixture = *state;
    meta_store_t *store = fixture->store;
    stored_changefeed_t first = sample(1, "a"), second = sample(2, "b");
    meta_schema_t schema;
    put(fixture, &first);
    put(fixture, &second);
    const schema_ddl_t ddls[] = {{.commit_ts = {60}}, {.commit_ts = {70}}};
    const changefeed_ref_t refs[] = {first.ref, second.ref};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(put_piece(fixture, &refs[i], 50, 0, true, "old"), SLUICE_OK);
        assert_int_equal(put_piece(fixture, &refs[i], 60, 0, true, "new"), SLUICE_OK);
        assert_int_equal(store->class->put_ddls(store, &refs[i], 5, ddls, 2, (commit_ts_t){70},
                                                &fixture->report),
                         SLUICE_OK);
    }
    assert_int_equal(
        store->class->forget_schema(store, &first.ref, (commit_ts_t){60}, &fixture->report),
        SLUICE_OK);
    assert_int_equal(load_schema(fixture, &first.ref, 59, &schema), SLUICE_ERROR_NOT_FOUND);
    assert_int_equal(load_schema(fixture, &first.ref, 100, &schema), SLUICE_OK);
    assert_int_equal(schema.ddl_count, 1);
    assert_int_equal(load_schema(fixture, &second.ref, 59, &schema), SLUICE_OK);
    assert_int_equal(store->class->forget_changefeed(store, &first.ref, &fixture->report),
                     SLUICE_OK);
    assert_int_equal(load_schema(fixture, &first.ref, 100, &schema), SLUICE_ERROR_NOT_FOUND);
    take_over(fixture, 1);
}

static void a_new_generation_takes_the_schema_of_the_old_one_with_it(void **state)
{
    fixture_t *fixture = *state;
    stored_changefeed_t first = sample(1, "a");
    meta_schema_t schema;
    put(fixture, &first);
    changefeed_ref_t old = first.ref;
    assert_int_equal(put_piece(fixture, &old, 50, 0, true, "old"), SLUICE_OK);
    first.ref.generation = 2;
    assert_int_equal(put_piece(fixture, &first.ref, 10, 0, true, "new"), SLUICE_OK);
    put(fixture, &first);
    assert_int_equal(load_schema(fixture, &old, 100, &schema), SLUICE_ERROR_NOT_FOUND);
    assert_int_equal(load_schema(fixture, &first.ref, 100, &schema), SLUICE_OK);
    assert_true(bytes_equal(schema.snapshot, bytes_of_text("new")));
}

static void a_transaction_keeps_what_succeeded_in_it(void **state)
{
    fixture_t *fixture = *state;
    meta_store_t *store = fixture->store;
    stored_changefeed_t first = sample(1, "a"), second = sample(2, "a"), third = sample(3, "c");
    assert_int_equal(store->class->begin(store, &fixture->report), SLUICE_OK);
    put(fixture, &first);
    assert_int_equal(store->class->put_changefeed(store, &second, &fixture->report),
                     SLUICE_ERROR_EXISTS);
    put(fixture, &third);
    assert_int_equal(store->class->commit(store, &fixture->report), SLUICE_OK);
    assert_int_equal(reopen(fixture), SLUICE_OK);
    take_over(fixture, 2);
}

/* Locks belong to processes, so that the second one has to be one. */
static void a_second_process_is_told_that_the_store_is_in_use(void **state)
{
    fixture_t *fixture = *state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        meta_store_t *second = NULL;
        error_report_t report = {0};
        sluice_error_t error = meta_sqlite_open(fixture->directory, &second, &report);
        bool told = error == SLUICE_ERROR_LOCKED && strstr(report.text, "in use") && !second;
        _exit(told ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    put(fixture, &(stored_changefeed_t){.config.name = bytes_of_text("still-ours"),
                                        .config.source = bytes_of_text("a://b"),
                                        .config.sink = bytes_of_text("a://b")});
}

static void run_sql(const fixture_t *fixture, const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(fixture->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void a_newer_format_is_refused_and_left_alone(void **state)
{
    fixture_t *fixture = *state;
    stored_changefeed_t first = sample(1, "a");
    put(fixture, &first);
    meta_store_close(&fixture->store);
    run_sql(fixture, "PRAGMA user_version = 2");
    assert_int_equal(reopen(fixture), SLUICE_ERROR_META_VERSION);
    assert_null(fixture->store);
    run_sql(fixture, "PRAGMA user_version = 1");
    assert_int_equal(reopen(fixture), SLUICE_OK);
    take_over(fixture, 1);
}

static void damage_is_an_error_and_never_a_new_store(void **state)
{
    fixture_t *fixture = *state;
    stored_changefeed_t first = sample(1, "a");
    put(fixture, &first);
    meta_store_close(&fixture->store);
    struct stat before, after;
    assert_int_equal(truncate(fixture->path, 4096), 0);
    assert_int_equal(stat(fixture->path, &before), 0);
    assert_int_equal(reopen(fixture), SLUICE_ERROR_META_STORE);
    assert_int_equal(truncate(fixture->path, 0), 0);
    assert_int_equal(reopen(fixture), SLUICE_ERROR_META_STORE);
    assert_int_equal(stat(fixture->path, &after), 0);
    assert_int_equal(after.st_size, 0);
    int file = open(fixture->path, O_WRONLY);
    assert_int_equal(write(file, "this is no database at all, is it?", 34), 34);
    close(file);
    assert_int_equal(reopen(fixture), SLUICE_ERROR_META_STORE);
}

static void a_full_disk_is_an_error_and_loses_nothing(void **state)
{
    fixture_t *fixture = *state;
    meta_store_t *store = fixture->store;
    stored_changefeed_t first = sample(1, "a");
    put(fixture, &first);
    struct rlimit unlimited, small = {.rlim_cur = 64 * 1024};
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &unlimited), 0);
    small.rlim_max = unlimited.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    char *large = test_calloc(1, 256 * 1024);
    sluice_error_t error =
        store->class->put_snapshot(store, &first.ref, (commit_ts_t){1}, 0, true,
                                   bytes_of(large, 256 * 1024), &fixture->report);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &unlimited), 0);
    test_free(large);
    assert_true(error == SLUICE_ERROR_NO_SPACE || error == SLUICE_ERROR_IO);
    assert_int_equal(put_piece(fixture, &first.ref, 1, 0, true, "small"), SLUICE_OK);
    assert_int_equal(reopen(fixture), SLUICE_OK);
    take_over(fixture, 1);
}

static void a_store_that_was_replaced_is_not_confirmed(void **state)
{
    fixture_t *fixture = *state;
    meta_store_t *store = fixture->store;
    assert_int_equal(store->class->confirm(store, &fixture->report), SLUICE_OK);
    unlink(fixture->path);
    assert_int_equal(store->class->confirm(store, &fixture->report), SLUICE_ERROR_NOT_OWNER);
}

/* Killed, so that its log is left, and then removed. */
static void a_store_that_was_removed_is_not_made_anew(void **state)
{
    fixture_t *fixture = *state;
    stored_changefeed_t first = sample(1, "a");
    put(fixture, &first);
    char log[128], kept[128];
    snprintf(log, sizeof log, "%s-wal", fixture->path);
    snprintf(kept, sizeof kept, "%s-kept", fixture->path);
    assert_int_equal(link(log, kept), 0);
    meta_store_close(&fixture->store);
    assert_int_equal(rename(kept, log), 0);
    assert_int_equal(unlink(fixture->path), 0);
    assert_int_equal(reopen(fixture), SLUICE_ERROR_META_STORE);
    assert_non_null(strstr(fixture->report.text, "is gone"));
    assert_int_not_equal(access(fixture->path, F_OK), 0);
}

static void what_was_never_created_is_forgotten_with_the_next_start(void **state)
{
    fixture_t *fixture = *state;
    stored_changefeed_t first = sample(1, "a"), never = sample(2, "b");
    meta_schema_t schema;
    put(fixture, &first);
    assert_int_equal(put_piece(fixture, &first.ref, 50, 0, true, "kept"), SLUICE_OK);
    assert_int_equal(put_piece(fixture, &never.ref, 50, 0, true, "orphan"), SLUICE_OK);
    take_over(fixture, 1);
    assert_int_equal(load_schema(fixture, &first.ref, 50, &schema), SLUICE_OK);
    assert_int_equal(load_schema(fixture, &never.ref, 50, &schema), SLUICE_ERROR_NOT_FOUND);
}

static void a_directory_that_is_not_there_is_an_error(void **state)
{
    fixture_t *fixture = *state;
    meta_store_t *store;
    assert_int_equal(meta_sqlite_open("/nonexistent/dir", &store, &fixture->report),
                     SLUICE_ERROR_IO);
    assert_null(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(changefeeds_come_back_whole_and_with_a_higher_epoch),
        TEST(a_name_belongs_to_one_changefeed),
        TEST(a_later_maintainer_owns_what_it_took_over),
        TEST(an_epoch_is_never_less_than_asked_for),
        TEST(one_changefeed_is_found_by_uuid_and_generation),
        TEST(a_slot_has_one_node_and_a_node_one_slot),
        TEST(the_newest_complete_snapshot_and_the_ddls_behind_it_are_found),
        TEST(forgotten_schema_is_gone_and_the_rest_stays),
        TEST(a_new_generation_takes_the_schema_of_the_old_one_with_it),
        TEST(a_transaction_keeps_what_succeeded_in_it),
        TEST(a_second_process_is_told_that_the_store_is_in_use),
        TEST(a_newer_format_is_refused_and_left_alone),
        TEST(damage_is_an_error_and_never_a_new_store),
        TEST(a_full_disk_is_an_error_and_loses_nothing),
        TEST(a_store_that_was_replaced_is_not_confirmed),
        TEST(a_store_that_was_removed_is_not_made_anew),
        TEST(what_was_never_created_is_forgotten_with_the_next_start),
        TEST(a_directory_that_is_not_there_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
