#include "tests/testing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/core/binlog/frame.h"
#include "dispatcher/core/binlog/group_assembler.h"
#include "dispatcher/core/ddl/schema_tracker.h"
#include "dispatcher/sink/adapters.h"
#include "tests/integration/mariadb_fixture.h"

/* A second server follows the log of the first through group assembler, schema tracker and sink,
 * one group after the other, every DDL twice. At the end both hold the same tables. */

#define CLAIMS_MAX 256

typedef struct {
    mariadb_fixture_t *source, *target;
    table_filter_t *filter;
    schema_tracker_t *tracker;
    group_assembler_t *assembler;
    binlog_frame_t frame;
    size_t offset;
    sink_t *sink;
    sink_connection_t *connection;
    sink_claim_t claims[CLAIMS_MAX];
    uint32_t claim_count;
    uint32_t ddls, skipped;
    error_report_t report;
} fixture_t;

static const table_definition_t *resolve(void *context, bytes_t schema, bytes_t table)
{
    tracked_table_t found = schema_tracker_find(((fixture_t *)context)->tracker, schema, table);
    return found.is_carried ? found.definition : NULL;
}

static bool touches_nothing(void *context, const binlog_query_t *query)
{
    (void)context, (void)query;
    return false;
}

static int set_up(void **state)
{
    static const char *const source_options[] = {
        "--log-bin=binlog", "--binlog-format=ROW",  "--binlog-row-metadata=FULL",
        "--server-id=1",    "--gtid-strict-mode=1", NULL};
    fixture_t *f = calloc(1, sizeof *f);
    f->source = mariadb_fixture_start(source_options);
    f->target = mariadb_fixture_start(NULL);
    assert_int_equal(table_filter_new(NULL, 0, false, &f->filter, &f->report), SLUICE_OK);
    schema_tracker_options_t tracker_options = {.filter = f->filter, .allowed_cascades = f->filter};
    f->tracker = schema_tracker_new(&tracker_options);
    schema_tracker_set_position(f->tracker, COMMIT_TS_NONE);
    group_assembler_options_t options = {
        .group_bytes_max = GROUP_BYTES_MAX_DEFAULT,
        .resolver = {.resolve = resolve, .may_touch = touches_nothing, .context = f}};
    assert_int_equal(group_assembler_new(&options, &f->assembler), SLUICE_OK);
    binlog_frame_init(&f->frame, BINLOG_CHECKSUM_NONE);
    f->offset = 4;
    sink_options_t sink_options = {.uri = mariadb_fixture_uri(f->target),
                                   .changefeed = {.uuid = {{7}}, .generation = 1},
                                   .changefeed_name = "follow"};
    assert_int_equal(mariadb_sink_api.open(&sink_options, &f->sink, &f->report), SLUICE_OK);
    if (mariadb_sink_api.connect(f->sink, &f->connection, &f->report) != SLUICE_OK)
        fail_msg("%s", f->report.text);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture_t *f = *state;
    mariadb_sink_api.disconnect(&f->connection);
    mariadb_sink_api.close(&f->sink);
    group_assembler_destroy(&f->assembler);
    schema_tracker_destroy(&f->tracker);
    table_filter_destroy(&f->filter);
    mariadb_fixture_stop(&f->target);
    mariadb_fixture_stop(&f->source);
    free(f);
    return 0;
}

static const sink_claim_t *claim_of(fixture_t *f, table_id_t table_id)
{
    for (uint32_t i = 0; i < f->claim_count; i++) {
        if (f->claims[i].span.table_id.v == table_id.v)
            return &f->claims[i];
    }
    assert_true(f->claim_count < CLAIMS_MAX);
    sink_claim_t *claim = &f->claims[f->claim_count++];
    *claim = (sink_claim_t){.span = {.table_id = table_id}, .epoch = {1, f->claim_count}};
    sink_claim_result_t result;
    if (mariadb_sink_api.claim(f->connection, claim, 1, &result, &f->report) != SLUICE_OK ||
        result.error != SLUICE_OK)
        fail_msg("%s", f->report.text);
    return claim;
}

static void rows_carry(fixture_t *f, transaction_t *transaction)
{
    for (uint32_t i = 0; i < transaction->table_count; i++) {
        const table_rows_t *part = &transaction->tables[i];
        sink_write_t write = {.claim = claim_of(f, part->definition->table_id),
                              .parts = &part,
                              .part_count = 1,
                              .moves_progress = true,
                              .progress = transaction->commit_ts};
        sink_write_result_t result;
        if (mariadb_sink_api.write(f->connection, &write, 1, &result, &f->report) != SLUICE_OK)
            fail_msg("%s", f->report.text);
        assert_int_equal(result.error, SLUICE_OK);
    }
    transaction_unref(&transaction);
}

static void ddl_run(fixture_t *f, const ddl_event_t *event)
{
    if (mariadb_sink_api.run_ddl(f->connection, claim_of(f, TABLE_ID_TRIGGER), event, &f->report) !=
        SLUICE_OK)
        fail_msg("%s: %s", event->sql_utf8, f->report.text);
}

/* Run, then found half-way, which must not run it again. */
static void ddl_carry(fixture_t *f, const group_t *group)
{
    logged_ddl_t ddl = {.commit_ts = group->commit_ts,
                        .commit_time = group->commit_time,
                        .sql = group->query->sql,
                        .context = group->query->context};
    schema_outcome_t outcome;
    if (schema_tracker_apply(f->tracker, &ddl, &outcome, &f->report) != SLUICE_OK)
        fail_msg("%s", f->report.text);
    if (outcome.kind != SCHEMA_EVENT) {
        f->skipped++;
        return;
    }
    ddl_run(f, outcome.event);
    mariadb_fixture_run(f->target, "UPDATE sluice.ddl_record SET is_done=0 ORDER BY commit_ts DESC "
                                   "LIMIT 1");
    ddl_run(f, outcome.event);
    f->ddls++;
    ddl_event_unref(&outcome.event);
}

static void event_carry(fixture_t *f, bytes_t event)
{
    bytes_t stripped;
    group_t group;
    if (binlog_frame_check(&f->frame, event, &stripped, &f->report) != SLUICE_OK ||
        group_assembler_push(f->assembler, stripped, "test", &f->report) != SLUICE_OK)
        fail_msg("%s", f->report.text);
    do {
        if (group_assembler_take(f->assembler, &group, &f->report) != SLUICE_OK)
            fail_msg("%s", f->report.text);
        if (group.kind == GROUP_DDL)
            ddl_carry(f, &group);
        else if (group.kind == GROUP_ROWS)
            rows_carry(f, group.transaction);
    } while (group.kind != GROUP_NONE);
}

static void log_carry(fixture_t *f)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/data/binlog.000001", mariadb_fixture_directory(f->source));
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    uint8_t header[BINLOG_HEADER_SIZE];
    while (fseek(file, (long)f->offset, SEEK_SET) == 0 &&
           fread(header, 1, sizeof header, file) == sizeof header) {
        uint32_t len;
        memcpy(&len, header + 9, sizeof len);
        uint8_t *event = malloc(len);
        memcpy(event, header, sizeof header);
        assert_int_equal(fread(event + sizeof header, 1, len - sizeof header, file),
                         len - sizeof header);
        event_carry(f, bytes_of(event, len));
        free(event);
        f->offset += len;
    }
    fclose(file);
}

/* One value of a server, copied. */
static char *ask(mariadb_fixture_t *server, const char *sql)
{
    return strdup(mariadb_fixture_value(server, sql));
}

static void assert_same(fixture_t *f, const char *sql)
{
    char *source = ask(f->source, sql), *target = ask(f->target, sql);
    if (strcmp(source, target) != 0)
        fail_msg("%s\nsource: %s\ntarget: %s", sql, source, target);
    free(source);
    free(target);
}

/* Everything about the schemas that the log can carry, then the rows of each table. */
static void assert_servers_equal(fixture_t *f)
{
#define OURS " NOT IN ('mysql','information_schema','performance_schema','sys','sluice')"
    mariadb_fixture_run(f->source, "SET group_concat_max_len=1<<24");
    mariadb_fixture_run(f->target, "SET group_concat_max_len=1<<24");
    assert_same(f, "SELECT GROUP_CONCAT(CONCAT_WS(' ',SCHEMA_NAME,DEFAULT_COLLATION_NAME) ORDER BY "
                   "1) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME" OURS);
    assert_same(f, "SELECT GROUP_CONCAT(CONCAT_WS(' ',TABLE_SCHEMA,TABLE_NAME,TABLE_TYPE,"
                   "TABLE_COLLATION,TABLE_COMMENT) ORDER BY TABLE_SCHEMA,TABLE_NAME) FROM "
                   "information_schema.TABLES WHERE TABLE_SCHEMA" OURS);
    assert_same(f, "SELECT GROUP_CONCAT(CONCAT_WS(' ',TABLE_SCHEMA,TABLE_NAME,ORDINAL_POSITION,"
                   "COLUMN_NAME,IFNULL(COLUMN_DEFAULT,'-'),IS_NULLABLE,COLUMN_TYPE,IFNULL("
                   "COLLATION_NAME,'-'),COLUMN_KEY,EXTRA,IFNULL(GENERATION_EXPRESSION,'-'),"
                   "COLUMN_COMMENT) ORDER BY TABLE_SCHEMA,TABLE_NAME,ORDINAL_POSITION SEPARATOR "
                   "'\n') FROM information_schema.COLUMNS WHERE TABLE_SCHEMA" OURS);
    assert_same(f, "SELECT GROUP_CONCAT(CONCAT_WS(' ',TABLE_SCHEMA,TABLE_NAME,INDEX_NAME,"
                   "SEQ_IN_INDEX,COLUMN_NAME,NON_UNIQUE,IFNULL(SUB_PART,0)) ORDER BY TABLE_SCHEMA,"
                   "TABLE_NAME,INDEX_NAME,SEQ_IN_INDEX) FROM information_schema.STATISTICS WHERE "
                   "TABLE_SCHEMA" OURS);
    assert_same(f, "SELECT GROUP_CONCAT(CONCAT_WS(' ',TABLE_SCHEMA,TABLE_NAME,PARTITION_NAME,"
                   "PARTITION_DESCRIPTION) ORDER BY TABLE_SCHEMA,TABLE_NAME,PARTITION_NAME) FROM "
                   "information_schema.PARTITIONS WHERE TABLE_SCHEMA" OURS);
    char *tables =
        ask(f->source, "SELECT GROUP_CONCAT(CONCAT('`',TABLE_SCHEMA,'`.`',TABLE_NAME,'`')) FROM "
                       "information_schema.TABLES WHERE TABLE_TYPE='BASE TABLE' AND "
                       "TABLE_SCHEMA" OURS);
    char *rest = tables;
    for (char *table; (table = strsep(&rest, ","));) {
        char sql[300];
        snprintf(sql, sizeof sql, "CHECKSUM TABLE %s EXTENDED", table);
        MYSQL_ROW rows[2];
        MYSQL_RES *results[2];
        MYSQL *connections[2] = {mariadb_fixture_connect(f->source),
                                 mariadb_fixture_connect(f->target)};
        for (int i = 0; i < 2; i++) {
            assert_int_equal(mysql_query(connections[i], sql), 0);
            results[i] = mysql_store_result(connections[i]);
            rows[i] = mysql_fetch_row(results[i]);
        }
        if (!rows[0][1] || !rows[1][1] || strcmp(rows[0][1], rows[1][1]) != 0)
            fail_msg("rows of %s differ", table);
        for (int i = 0; i < 2; i++) {
            mysql_free_result(results[i]);
            mysql_close(connections[i]);
        }
    }
    free(tables);
}

static void follow(fixture_t *f, const char *sql)
{
    mariadb_fixture_run(f->source, sql);
    log_carry(f);
    assert_servers_equal(f);
}

static void tables_come_change_and_go(void **state)
{
    fixture_t *f = *state;
    follow(f,
           "CREATE DATABASE a DEFAULT CHARACTER SET latin1; CREATE DATABASE b; USE a; CREATE "
           "TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(20) DEFAULT 'x', ts TIMESTAMP "
           "NOT NULL DEFAULT NOW() ON UPDATE NOW(), g INT AS (LENGTH(v)) STORED, KEY (v)); INSERT "
           "INTO t (v) VALUES ('a'),('b'),(NULL)");
    follow(f, "ALTER TABLE t ADD COLUMN n DATETIME(6) NOT NULL DEFAULT NOW(6) AFTER id, ADD e "
              "ENUM('ä','b') CHARACTER SET utf8mb4; UPDATE t SET e='ä' WHERE id=2");
    follow(f,
           "ALTER TABLE t CHANGE v w TEXT, DROP KEY v; INSERT INTO t (w) VALUES (REPEAT('z',"
           "1000)); ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4; ALTER TABLE t COMMENT='it''s'"
           "; CREATE UNIQUE INDEX u ON t (n,id); DROP INDEX u ON t");
    follow(f,
           "CREATE TABLE b.copy LIKE t; INSERT INTO b.copy (id,w) SELECT id,w FROM t; CREATE "
           "TABLE b.made (PRIMARY KEY (id)) SELECT id,w FROM t; RENAME TABLE t TO b.t, b.copy TO "
           "t, b.t TO b.copy; INSERT INTO t (w) VALUES ('after'); TRUNCATE b.copy; INSERT INTO "
           "b.copy (w) VALUES ('only')");
    follow(f, "CREATE OR REPLACE TABLE b.made (k BINARY(3), PRIMARY KEY (k)); INSERT INTO b.made "
              "VALUES (X'010000'); ALTER TABLE b.made RENAME TO renamed; DROP TABLE IF EXISTS "
              "renamed, b.copy, b.nosuch; DROP DATABASE b; ALTER DATABASE a CHARACTER SET utf8mb4");
    assert_true(f->ddls > 15);
}

static void sessions_of_every_kind(void **state)
{
    fixture_t *f = *state;
    follow(f, "CREATE DATABASE d; USE d; SET sql_mode='ANSI_QUOTES'; CREATE TABLE \"q t\" (\"a b\" "
              "INT DEFAULT 7 COMMENT 'ü'); SET sql_mode='NO_BACKSLASH_ESCAPES'; ALTER TABLE `q t` "
              "COMMENT='\\'; SET sql_mode=DEFAULT, NAMES latin1; CREATE TABLE l (c CHAR(5) DEFAULT "
              "'\xe9') COMMENT='\xe9'; SET NAMES utf8mb4; INSERT INTO l VALUES (DEFAULT)");
    follow(f, "SET explicit_defaults_for_timestamp=0; CREATE TABLE old (a TIMESTAMP, b TIMESTAMP "
              "NULL, c TIMESTAMP DEFAULT 0); SET explicit_defaults_for_timestamp=1; CREATE TABLE "
              "new (a TIMESTAMP); SET time_zone='+03:00', timestamp=1600000000.5; INSERT INTO old "
              "VALUES (NOW(),NOW(),NOW()); ALTER TABLE old ADD d TIMESTAMP(3) NOT NULL DEFAULT "
              "'2020-01-01 00:00:00'; SET time_zone=DEFAULT, timestamp=DEFAULT");
    follow(f,
           "SET NAMES gbk; CREATE TABLE g (a VARCHAR(9) CHARACTER SET utf8mb4 DEFAULT "
           "'\xd6\xd0\x95\x5c'); SET NAMES "
           "utf8mb4; USE mysql; CREATE TABLE d.elsewhere (a INT); INSERT INTO d.elsewhere VALUES "
           "(1)");
}

static void partitions_views_keys_and_engines(void **state)
{
    fixture_t *f = *state;
    follow(f, "CREATE DATABASE d; USE d; CREATE TABLE p (a INT PRIMARY KEY, b INT) PARTITION BY "
              "RANGE (a) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN (20)); "
              "INSERT INTO p VALUES (1,1),(2,2),(11,11); CREATE TABLE x LIKE p; ALTER TABLE x "
              "REMOVE PARTITIONING; INSERT INTO x VALUES (5,5)");
    follow(f,
           "ALTER TABLE p ADD PARTITION (PARTITION p2 VALUES LESS THAN (30)); ALTER TABLE p "
           "EXCHANGE PARTITION p0 WITH TABLE x; ALTER TABLE p TRUNCATE PARTITION p1; INSERT INTO "
           "p VALUES (25,25),(15,15); ALTER TABLE p DROP PARTITION p1; ALTER TABLE p REORGANIZE "
           "PARTITION p2 INTO (PARTITION p2a VALUES LESS THAN (26), PARTITION p3 VALUES LESS "
           "THAN MAXVALUE)");
    follow(f, "CREATE TABLE parent (id INT PRIMARY KEY); CREATE TABLE child (id INT PRIMARY KEY, "
              "p INT, FOREIGN KEY (p) REFERENCES parent (id)); INSERT INTO parent VALUES (1); "
              "INSERT INTO child VALUES (1,1); ALTER TABLE child ADD n INT; RENAME TABLE parent TO "
              "mother; INSERT INTO mother VALUES (2)");
    follow(f, "CREATE VIEW v AS SELECT a FROM p; CREATE OR REPLACE VIEW v AS SELECT a,b FROM p; "
              "ALTER TABLE p ADD c INT; DROP VIEW v");
    follow(f, "CREATE TABLE m (a INT PRIMARY KEY, b INT) ENGINE=MyISAM; INSERT INTO m VALUES (1,1),"
              "(2,2); ALTER TABLE m ENGINE=Aria; DELETE FROM m WHERE a=1; ALTER TABLE m DROP "
              "PRIMARY KEY; INSERT INTO m VALUES (2,2); DELETE FROM m LIMIT 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tables_come_change_and_go, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sessions_of_every_kind, set_up, tear_down),
        cmocka_unit_test_setup_teardown(partitions_views_keys_and_engines, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
