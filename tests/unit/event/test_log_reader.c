#include "tests/testing.h"

#include <stdio.h>

#include "dispatcher/core/log_reader.h"
#include "dispatcher/upstream/binlog_writer.h"

#define FLAGS_DDL (GTID_STANDALONE | 0x08 | GTID_DDL)
#define FLAGS_CREATE_SELECT (0x08 | GTID_DDL)
#define FLAGS_ROWS (GTID_TRANSACTIONAL | 0x08)
#define START_S 1000

typedef struct {
    table_filter_t *filter;
    schema_tracker_t *tracker;
    log_reader_t *reader;
    binlog_writer_t writer;
    error_report_t report;
    char text[4096]; /* what came out */
} fixture_t;

static const char create_t[] = "CREATE TABLE `t` (\n  `id` bigint(20) NOT NULL,\n"
                               "  PRIMARY KEY (`id`)\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4";
static const char create_u[] = "CREATE TABLE `u` (\n  `id` bigint(20) NOT NULL,\n"
                               "  PRIMARY KEY (`id`)\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4";
static const binlog_column_t id_column = {
    .name = "id", .type = BINLOG_TYPE_LONGLONG, .is_numeric = true};

/* Schema `in` is carried, schema `out` is not; both have tables t and u. The log begins behind 10.
 */
static fixture_t begin(uint64_t syncpoint_interval_ms)
{
    fixture_t f = {.writer = {.server_id = 1, .timestamp = START_S}};
    bytes_t rule = bytes_of_text("in.*");
    assert_int_equal(table_filter_new(&rule, 1, false, &f.filter, &f.report), SLUICE_OK);
    schema_tracker_options_t how = {.filter = f.filter};
    f.tracker = schema_tracker_new(&how);
    const char *schemas[] = {"in", "out"};
    for (int i = 0; i < 2; i++) {
        bytes_t schema = bytes_of_text(schemas[i]);
        assert_int_equal(schema_tracker_add_schema(f.tracker, schema, "utf8mb4", NULL, &f.report),
                         SLUICE_OK);
        assert_int_equal(
            schema_tracker_add_table(f.tracker, schema, bytes_of_text(create_t), &f.report),
            SLUICE_OK);
        assert_int_equal(
            schema_tracker_add_table(f.tracker, schema, bytes_of_text(create_u), &f.report),
            SLUICE_OK);
    }
    schema_tracker_set_position(f.tracker, (commit_ts_t){10});
    log_reader_options_t options = {
        .anchor = {.commit_ts = {10}, .commit_time = {START_S * 1000}, .gtid_list = "0-1-10"},
        .group_bytes_max = GROUP_BYTES_MAX_DEFAULT,
        .syncpoint_interval_ms = syncpoint_interval_ms,
        .filter = f.filter,
        .tracker = f.tracker};
    assert_int_equal(log_reader_new(&options, &f.reader), SLUICE_OK);
    return f;
}

static void end(fixture_t *f)
{
    log_reader_destroy(&f->reader);
    schema_tracker_destroy(&f->tracker);
    table_filter_destroy(&f->filter);
    binlog_writer_clear(&f->writer);
}

static void write_ddl(fixture_t *f, uint64_t sequence, const char *schema, const char *sql)
{
    binlog_write_gtid(&f->writer, 0, sequence, FLAGS_DDL);
    binlog_write_query(&f->writer, schema, sql);
}

static void write_insert(fixture_t *f, const char *schema, const char *table)
{
    binlog_write_table_map(&f->writer, 1, schema, table, &id_column, 1);
    binlog_begin_rows(&f->writer, ROW_INSERT, 1, 1, true);
    binlog_put(&f->writer, 0xfe, 1);
    binlog_put(&f->writer, 7, 8);
    binlog_end_event(&f->writer);
}

static void write_rows(fixture_t *f, uint32_t domain, uint64_t sequence, const char *schema,
                       const char *table)
{
    binlog_write_gtid(&f->writer, domain, sequence, FLAGS_ROWS);
    write_insert(f, schema, table);
    binlog_write_xid(&f->writer, sequence);
}

static void describe(fixture_t *f, const feed_item_t *item, const log_note_t *note)
{
    static const char letters[] = {
        [FEED_DDL] = 'D', [FEED_TRANSACTION] = 'R', [FEED_RESOLVED] = '=', [FEED_SYNCPOINT] = 'S'};
    size_t len = strlen(f->text);
    snprintf(f->text + len, sizeof f->text - len, "%s%c%d%s%s%s", len ? " " : "",
             letters[item->kind], (int)item->commit_ts.v, item->completes ? "" : "…",
             note->skipped_kind ? "/" : "", note->skipped_kind ? note->skipped_kind : "");
}

/* Reads everything that was written; `seen` is told of each item. */
static sluice_error_t read_with(fixture_t *f, void (*seen)(void *context, const feed_item_t *item),
                                void *context)
{
    size_t offset = 0;
    sluice_error_t error = SLUICE_OK;
    f->text[0] = '\0';
    for (bytes_t event; (event = binlog_writer_event(&f->writer, &offset)).len;) {
        error = log_reader_push(f->reader, event, "binlog.000001:4", &f->report);
        bool has_item = error == SLUICE_OK;
        while (has_item) {
            feed_item_t item;
            log_note_t note;
            error = log_reader_take(f->reader, &item, &has_item, &note, &f->report);
            if (error != SLUICE_OK || !has_item)
                break;
            describe(f, &item, &note);
            if (seen)
                seen(context, &item);
            feed_item_clear(&item);
        }
        if (error != SLUICE_OK)
            break;
    }
    binlog_writer_reset(&f->writer);
    return error;
}

static void assert_reads(fixture_t *f, const char *expected)
{
    if (read_with(f, NULL, NULL) != SLUICE_OK)
        fail_msg("%s", f->report.text);
    assert_string_equal(f->text, expected);
}

static void rows_of_carried_tables_come_out_others_only_resolve(void **state)
{
    (void)state;
    fixture_t f = begin(0);
    binlog_write_format_description(&f.writer);
    write_rows(&f, 0, 10, "in", "t");
    write_rows(&f, 0, 11, "in", "t");
    write_rows(&f, 0, 12, "out", "t");
    write_rows(&f, 0, 15, "in", "u");
    assert_reads(&f, "R11 =12 R15");
    assert_int_equal(log_reader_position(f.reader).v, 15);
    anchor_t anchor;
    log_reader_anchor(f.reader, &anchor);
    assert_int_equal(anchor.commit_ts.v, 15);
    assert_string_equal(anchor.gtid_list, "0-1-15");
    assert_int_equal(anchor.commit_time.v, START_S * 1000);
    end(&f);
}

typedef struct {
    uint32_t table_count;
    table_id_t first;
    influence_kind_t influence;
} ddl_seen_t;

static void see_ddl(void *context, const feed_item_t *item)
{
    ddl_seen_t *seen = context;
    if (item->kind != FEED_DDL)
        return;
    seen->table_count = item->table_count;
    seen->first = item->table_count ? item->tables[0] : (table_id_t){0};
    seen->influence = item->ddl->payload.influence.kind;
}

static ddl_seen_t read_ddl(fixture_t *f, uint64_t sequence, const char *sql)
{
    ddl_seen_t seen = {.table_count = 99};
    write_ddl(f, sequence, "in", sql);
    if (read_with(f, see_ddl, &seen) != SLUICE_OK)
        fail_msg("%s", f->report.text);
    return seen;
}

static void a_ddl_names_the_tables_whose_dispatchers_meet_it(void **state)
{
    (void)state;
    fixture_t f = begin(0);
    binlog_write_format_description(&f.writer);
    table_id_t t = table_id_derive(bytes_of_text("in"), bytes_of_text("t"), COMMIT_TS_NONE);
    ddl_seen_t seen = read_ddl(&f, 11, "ALTER TABLE t ADD COLUMN a INT");
    assert_int_equal(seen.table_count, 1);
    assert_int_equal(seen.first.v, t.v);
    seen = read_ddl(&f, 12, "CREATE TABLE n (id INT PRIMARY KEY)");
    assert_int_equal(seen.table_count, 0);
    assert_int_equal(seen.influence, INFLUENCE_NORMAL);
    seen = read_ddl(&f, 13, "RENAME TABLE t TO tmp, u TO t, tmp TO u");
    assert_int_equal(seen.table_count, 2);
    seen = read_ddl(&f, 14, "CREATE VIEW v AS SELECT 1");
    assert_int_equal(seen.influence, INFLUENCE_ALL);
    assert_int_equal(seen.table_count, 0);
    seen = read_ddl(&f, 15, "ALTER DATABASE `in` CHARACTER SET latin1");
    assert_int_equal(seen.influence, INFLUENCE_DB);
    assert_int_equal(seen.table_count, 3);
    seen = read_ddl(&f, 16, "DROP DATABASE `in`");
    assert_int_equal(seen.influence, INFLUENCE_DB);
    assert_int_equal(seen.table_count, 3);
    end(&f);
}

static void ddl_that_does_not_concern_us_only_resolves(void **state)
{
    (void)state;
    fixture_t f = begin(0);
    binlog_write_format_description(&f.writer);
    write_ddl(&f, 11, "out", "ALTER TABLE t ADD COLUMN a INT");
    write_ddl(&f, 12, "in", "ANALYZE TABLE t");
    write_rows(&f, 7, 3, "out", "u");
    binlog_write_gtid(&f.writer, 7, 4, FLAGS_DDL);
    binlog_write_query(&f.writer, "out", "DROP TABLE u");
    assert_int_equal(read_with(&f, NULL, NULL), SLUICE_OK);
    assert_non_null(strstr(f.text, "=11 =12/"));
    assert_int_equal(log_reader_position(f.reader).v, 12);
    end(&f);
}

static void create_select_is_ddl_and_then_rows(void **state)
{
    (void)state;
    fixture_t f = begin(0);
    binlog_write_format_description(&f.writer);
    binlog_write_gtid(&f.writer, 0, 11, FLAGS_CREATE_SELECT);
    binlog_write_query(&f.writer, "in", "CREATE TABLE n (id BIGINT NOT NULL, PRIMARY KEY (id))");
    write_insert(&f, "in", "n");
    binlog_write_xid(&f.writer, 11);
    assert_reads(&f, "D11… R11");
    end(&f);
}

static void rows_follow_the_definition_of_their_moment(void **state)
{
    (void)state;
    fixture_t f = begin(0);
    binlog_write_format_description(&f.writer);
    write_ddl(&f, 11, "in", "RENAME TABLE t TO moved");
    write_rows(&f, 0, 12, "in", "moved");
    write_ddl(&f, 13, "in", "ALTER TABLE moved ADD COLUMN a INT");
    write_rows(&f, 0, 14, "in", "moved");
    assert_int_equal(read_with(&f, NULL, NULL), SLUICE_ERROR_SCHEMA_MISMATCH);
    assert_string_equal(f.text, "D11 R12 D13");
    assert_non_null(strstr(f.report.text, "binlog.000001:4"));
    end(&f);
}

static void a_ddl_that_cannot_be_followed_ends_the_reading_and_says_where(void **state)
{
    (void)state;
    fixture_t f = begin(0);
    binlog_write_format_description(&f.writer);
    write_ddl(&f, 11, "in", "RENAME TABLE `out`.t TO `in`.entered");
    assert_int_equal(read_with(&f, NULL, NULL), SLUICE_ERROR_ENTERS_FILTER);
    assert_non_null(strstr(f.report.text, "sequence 11 of domain 0, binlog.000001:4"));
    end(&f);
}

static void sync_points_lie_where_the_clock_enters_a_later_interval(void **state)
{
    (void)state;
    fixture_t f = begin(5000);
    binlog_write_format_description(&f.writer);
    const struct {
        uint64_t sequence;
        uint32_t time;
    } groups[] = {{11, 1004}, {12, 1005}, {13, 1009}, {14, 1003}, {15, 1021}, {16, 1021}};
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        f.writer.timestamp = groups[i].time;
        write_rows(&f, 0, groups[i].sequence, "in", "t");
    }
    assert_reads(&f, "R11 S11… R12 R13 R14 S14… R15 R16");
    /* Of another domain: no group of ours, whatever its clock says. */
    f.writer.timestamp = 1500;
    write_rows(&f, 7, 1, "out", "t");
    f.writer.timestamp = 1022;
    write_ddl(&f, 17, "in", "CREATE TABLE n (id INT PRIMARY KEY)");
    assert_reads(&f, "=16 D17");
    end(&f);
}

static void a_sync_point_may_lie_at_the_start_itself(void **state)
{
    (void)state;
    fixture_t f = begin(1);
    binlog_write_format_description(&f.writer);
    f.writer.timestamp = START_S + 1;
    write_rows(&f, 0, 11, "out", "t");
    assert_reads(&f, "S10… =11");
    end(&f);
}

static void an_incomplete_group_is_read_again_after_a_reset(void **state)
{
    (void)state;
    fixture_t f = begin(0);
    binlog_write_format_description(&f.writer);
    write_rows(&f, 0, 11, "in", "t");
    binlog_write_gtid(&f.writer, 0, 12, FLAGS_ROWS);
    write_insert(&f, "in", "t");
    assert_reads(&f, "R11");
    assert_false(log_reader_is_between_groups(f.reader));
    log_reader_reset(f.reader);
    assert_true(log_reader_is_between_groups(f.reader));
    binlog_write_format_description(&f.writer);
    write_rows(&f, 0, 11, "in", "t");
    write_rows(&f, 0, 12, "in", "t");
    assert_reads(&f, "R12");
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_carried_tables_come_out_others_only_resolve),
        cmocka_unit_test(a_ddl_names_the_tables_whose_dispatchers_meet_it),
        cmocka_unit_test(ddl_that_does_not_concern_us_only_resolves),
        cmocka_unit_test(create_select_is_ddl_and_then_rows),
        cmocka_unit_test(rows_follow_the_definition_of_their_moment),
        cmocka_unit_test(a_ddl_that_cannot_be_followed_ends_the_reading_and_says_where),
        cmocka_unit_test(sync_points_lie_where_the_clock_enters_a_later_interval),
        cmocka_unit_test(a_sync_point_may_lie_at_the_start_itself),
        cmocka_unit_test(an_incomplete_group_is_read_again_after_a_reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
