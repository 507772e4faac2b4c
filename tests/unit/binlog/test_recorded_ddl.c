/* A server's log of every kind of schema change, followed by the tracker: each row event fits the
 * definition known at its place, and at the end the definitions are those of the server. */
#include "tests/testing.h"

#include <stdio.h>

#include "dispatcher/core/binlog/group_assembler.h"
#include "dispatcher/core/binlog/rows.h"
#include "dispatcher/core/ddl/schema_tracker.h"
#include "dispatcher/upstream/source.h"
#include "dispatcher/upstream/upstream.h"
#include "tests/unit/ddl/ddl_testing.h"

#define DIRECTORY SLUICE_TEST_DATA "/ddl"

typedef struct {
    arena_t arena;
    table_filter_t *filter;
    schema_tracker_t *tracker, *expected;
    source_description_t start, end;
    error_report_t report;
    uint64_t rows, ddls;
} fixture_t;

static void expect_ok(const fixture_t *f, sluice_error_t error)
{
    if (error != SLUICE_OK)
        fail_msg("%s: %s", sluice_error_name(error), f->report.text);
}

static schema_tracker_t *tracker_of(fixture_t *f, const char *path, source_description_t *found)
{
    expect_ok(f, source_schema_read(path, &f->arena, found, &f->report));
    schema_tracker_options_t options = {.filter = f->filter,
                                        .lower_case_names = found->lower_case_names,
                                        .server_version = found->server_version,
                                        .default_charset = found->default_charset,
                                        .default_collation = found->default_collation};
    schema_tracker_t *tracker = schema_tracker_new(&options);
    for (uint32_t i = 0; i < found->object_count; i++) {
        const source_object_t *object = &found->objects[i];
        bytes_t schema = bytes_of_text(object->schema);
        expect_ok(f, object->kind == SOURCE_SCHEMA
                         ? schema_tracker_add_schema(tracker, schema, object->charset,
                                                     object->collation, &f->report)
                         : schema_tracker_add_table(tracker, schema, bytes_of_text(object->create),
                                                    &f->report));
    }
    schema_tracker_set_position(tracker, found->anchor.commit_ts);
    return tracker;
}

static int set_up(void **state)
{
    fixture_t *f = test_calloc(1, sizeof *f);
    expect_ok(f, table_filter_new(NULL, 0, false, &f->filter, &f->report));
    f->tracker = tracker_of(f, DIRECTORY "/schema.sluice", &f->start);
    f->expected = tracker_of(f, DIRECTORY "/end.sluice", &f->end);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture_t *f = *state;
    schema_tracker_destroy(&f->tracker);
    schema_tracker_destroy(&f->expected);
    table_filter_destroy(&f->filter);
    arena_clear(&f->arena);
    test_free(f);
    return 0;
}

static const table_definition_t *resolve(void *context, bytes_t schema, bytes_t table)
{
    tracked_table_t found = schema_tracker_find(((fixture_t *)context)->tracker, schema, table);
    return found.is_carried ? found.definition : NULL;
}

static void take_ddl(fixture_t *f, const group_t *group)
{
    logged_ddl_t ddl = {.commit_ts = group->commit_ts,
                        .commit_time = group->commit_time,
                        .sql = group->query->sql,
                        .context = group->query->context,
                        .has_rows = !group->is_last};
    schema_outcome_t outcome;
    expect_ok(f, schema_tracker_apply(f->tracker, &ddl, &outcome, &f->report));
    ddl_event_unref(&outcome.event);
    f->ddls++;
}

static void take_transaction(fixture_t *f, const transaction_t *transaction)
{
    arena_t arena = {0};
    for (uint32_t i = 0; i < transaction->table_count; i++)
        for (uint32_t j = 0; j < transaction->tables[i].event_count; j++) {
            rows_reader_t reader;
            row_change_t change;
            expect_ok(f, rows_reader_init(&reader, &transaction->tables[i].events[j], &f->report));
            while (rows_reader_next(&reader, &arena, &change, &f->report) == SLUICE_OK)
                f->rows++;
        }
    arena_clear(&arena);
}

static void take_all(fixture_t *f, group_assembler_t *assembler)
{
    for (;;) {
        group_t group;
        expect_ok(f, group_assembler_take(assembler, &group, &f->report));
        if (group.kind == GROUP_NONE)
            return;
        if (group.kind == GROUP_DDL)
            take_ddl(f, &group);
        if (group.kind == GROUP_ROWS)
            take_transaction(f, group.transaction);
        transaction_unref(&group.transaction);
    }
}

static void read_log(fixture_t *f)
{
    upstream_options_t options = {.uri = "binlog://" DIRECTORY, .anchor = f->start.anchor};
    group_assembler_options_t assembling = {.domain = f->start.domain,
                                            .anchor = f->start.anchor,
                                            .group_bytes_max = GROUP_BYTES_MAX_DEFAULT,
                                            .resolver = {.resolve = resolve, .context = f}};
    upstream_t *upstream;
    group_assembler_t *assembler;
    expect_ok(f, upstream_find(options.uri)->open(&options, &upstream, &f->report));
    expect_ok(f, group_assembler_new(&assembling, &assembler));
    raw_event_t event;
    while (upstream->api->next(upstream, &event, &f->report) == UPSTREAM_EVENT) {
        expect_ok(f, group_assembler_push(assembler, event.bytes, event.location, &f->report));
        take_all(f, assembler);
    }
    expect_ok(f, f->report.code);
    group_assembler_destroy(&assembler);
    upstream->api->close(&upstream);
}

typedef struct {
    fixture_t *f;
    const schema_tracker_t *other;
    bool compares;
    unsigned count;
} comparison_t;

static void compare_table(const tracked_table_t *table, void *context)
{
    comparison_t *comparison = context;
    const table_definition_t *expected = table->definition;
    if (expected->is_view || expected->is_sequence)
        return;
    comparison->count++;
    tracked_table_t found = schema_tracker_find(comparison->other, bytes_of_text(expected->schema),
                                                bytes_of_text(expected->name));
    if (!found.definition)
        fail_msg("%s.%s is on one side only", expected->schema, expected->name);
    const char *difference =
        comparison->compares ? testing_difference(found.definition, expected, &comparison->f->arena)
                             : NULL;
    if (difference)
        fail_msg("%s.%s: %s", expected->schema, expected->name, difference);
}

static void definitions_follow_the_log_to_the_servers_own(void **state)
{
    fixture_t *f = *state;
    read_log(f);
    assert_true(f->ddls > 40 && f->rows > 10);
    comparison_t forth = {.f = f, .other = f->tracker, .compares = true};
    schema_tracker_visit(f->expected, schema_tracker_position(f->expected), compare_table, &forth);
    comparison_t back = {.f = f, .other = f->expected};
    schema_tracker_visit(f->tracker, schema_tracker_position(f->tracker), compare_table, &back);
    assert_int_equal(forth.count, back.count);
    assert_true(forth.count > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(definitions_follow_the_log_to_the_servers_own, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
