/*
 * Statements with bytes changed, cut, doubled and swapped, from a fixed seed: whatever comes out,
 * the tracker answers and its state can be written down and read back.
 */
#include "tests/testing.h"

#include <stdlib.h>

#include "common/base/memory.h"
#include "dispatcher/core/ddl/schema_tracker.h"
#include "dispatcher/core/ddl/text_builder.h"

#define ROUNDS 12000
#define TEXT_MAX 2048

static const char *const seeds[] = {
    "CREATE TABLE t (a INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, b VARCHAR(10) CHARACTER "
    "SET "
    "utf8mb4 COLLATE utf8mb4_bin DEFAULT 'it''s', KEY k (b(5) DESC) USING BTREE COMMENT 'x') "
    "ENGINE=InnoDB DEFAULT CHARSET=gbk COMMENT='c'",
    "CREATE OR REPLACE TABLE u (a DECIMAL(10,2) DEFAULT 1.5, b ENUM('x','y') DEFAULT 2, c BIT(3) "
    "DEFAULT b'101', d JSON, e TIMESTAMP(3) DEFAULT NOW(3) ON UPDATE NOW(3), f INT AS (a + 1) "
    "STORED, CHECK (a > 0), CONSTRAINT z CHECK (b <> 'x'))",
    "CREATE TABLE v (a INT, FOREIGN KEY fk (a) REFERENCES p (id) ON DELETE NO ACTION) PARTITION BY "
    "RANGE (a) SUBPARTITION BY HASH (a) (PARTITION p0 VALUES LESS THAN (10) ENGINE = InnoDB, "
    "PARTITION p1 VALUES LESS THAN MAXVALUE)",
    "CREATE TABLE w (s TIMESTAMP(6) GENERATED ALWAYS AS ROW START, e TIMESTAMP(6) GENERATED ALWAYS "
    "AS ROW END, x DATE, y DATE, PERIOD FOR SYSTEM_TIME (s, e), PERIOD FOR app (x, y), UNIQUE (x, "
    "app WITHOUT OVERLAPS)) WITH SYSTEM VERSIONING",
    "CREATE TABLE l LIKE p",
    "CREATE TABLE s AS SELECT * FROM p",
    "ALTER TABLE p ADD COLUMN IF NOT EXISTS z INT AFTER id, DROP x, MODIFY y BIGINT FIRST, CHANGE "
    "id "
    "idd INT, ALTER y SET DEFAULT (1 + 2), ADD KEY (y), DROP KEY IF EXISTS q, RENAME COLUMN y TO "
    "yy, "
    "RENAME INDEX a TO b, CONVERT TO CHARACTER SET utf8mb4, COMMENT='x', ORDER BY id, "
    "ALGORITHM=COPY",
    "ALTER TABLE r ADD PARTITION (PARTITION p9 VALUES LESS THAN (90))",
    "ALTER TABLE r REORGANIZE PARTITION p0 INTO (PARTITION n0 VALUES LESS THAN (5), PARTITION n1 "
    "VALUES LESS THAN (10))",
    "ALTER TABLE r DROP PARTITION p0",
    "ALTER TABLE r EXCHANGE PARTITION p0 WITH TABLE p",
    "ALTER TABLE r CONVERT PARTITION p0 TO TABLE q",
    "ALTER TABLE p RENAME TO other.p, DROP PRIMARY KEY, ADD CONSTRAINT c CHECK (id > 5)",
    "RENAME TABLE p TO q, r TO p, q TO r",
    "DROP TABLE IF EXISTS p, r, `we``ird` /* generated */",
    "TRUNCATE TABLE p",
    "CREATE UNIQUE INDEX i USING HASH ON p (id, x(3)) COMMENT 'c' LOCK=NONE",
    "DROP INDEX `PRIMARY` ON p",
    "CREATE DATABASE d CHARACTER SET = utf8 COLLATE utf8_bin",
    "DROP DATABASE db",
    "ALTER DATABASE CHARACTER SET latin1",
    "CREATE ALGORITHM=UNDEFINED DEFINER=`root`@`localhost` SQL SECURITY DEFINER VIEW `vw` (`a`) AS "
    "with x as (select id from p) select extract(year from a) from (x join r on 1), (select 1 from "
    "other.o) d where exists (select 1 from p)",
    "SET STATEMENT max_statement_time=(1) FOR /*!50000 ALTER */ TABLE p /*M!100000 ADD z INT */",
    "CREATE SEQUENCE sq START WITH 1",
    "CREATE DEFINER=`a`@`b` TRIGGER t BEFORE INSERT ON p BEGIN END",
};

static const char *const words[] = {"(",
                                    ")",
                                    ",",
                                    "'",
                                    "`",
                                    "\"",
                                    "/*",
                                    "*/",
                                    "/*!",
                                    "\\",
                                    ";",
                                    ".",
                                    "=",
                                    "--",
                                    "#",
                                    "@",
                                    "0x",
                                    "b'",
                                    " NULL ",
                                    " NOT ",
                                    " IF ",
                                    " KEY ",
                                    " INT ",
                                    " DEFAULT ",
                                    " p ",
                                    " AFTER ",
                                    " FIRST ",
                                    " LIKE ",
                                    " FROM ",
                                    " AS ",
                                    " ON ",
                                    " TO ",
                                    " SELECT ",
                                    "\xff",
                                    "\xc3",
                                    "99999999999",
                                    " PARTITION ",
                                    " REFERENCES p (id) ",
                                    " CHECK (",
                                    " COLLATE ",
                                    " FOREIGN KEY (",
                                    "UNIQUE (id)",
                                    " CONSTRAINT ",
                                    " ADD ",
                                    " DROP ",
                                    " WITH SYSTEM VERSIONING",
                                    "(PARTITION p0 "};

static uint32_t seed = 20231101;

static uint32_t random_below(uint32_t limit)
{
    seed = seed * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)(seed >> 4) * limit >> 28);
}

static void insert(char *text, const char *word)
{
    size_t len = strlen(text), more = strlen(word), at = random_below((uint32_t)len + 1);
    if (len + more + 1 > TEXT_MAX)
        return;
    memmove(text + at + more, text + at, len - at + 1);
    memcpy(text + at, word, more);
}

static void mutate(char *text)
{
    uint32_t len = (uint32_t)strlen(text);
    if (len < 2)
        return;
    uint32_t at = random_below(len), count = 1 + random_below(8);
    switch (random_below(6)) {
    case 0:
        text[at] = (char)(1 + random_below(255));
        break;
    case 1:
        if (at + count < len)
            memmove(text + at, text + at + count, len - at - count + 1);
        break;
    case 2:
        text[at] = '\0';
        break;
    case 3: {
        char copy[TEXT_MAX];
        uint32_t piece = random_below(len - at) + 1;
        memcpy(copy, text + at, piece);
        copy[piece] = '\0';
        insert(text, copy);
        break;
    }
    default:
        insert(text, words[random_below(sizeof words / sizeof words[0])]);
        break;
    }
}

static void add_table(schema_tracker_t *tracker, const char *schema, const char *create)
{
    assert_int_equal(
        schema_tracker_add_table(tracker, bytes_of_text(schema), bytes_of_text(create), NULL),
        SLUICE_OK);
}

static schema_tracker_t *tracker_open(const table_filter_t *filter)
{
    schema_tracker_options_t options = {.filter = filter, .server_version = 101119};
    schema_tracker_t *tracker = schema_tracker_new(&options);
    add_table(
        tracker, "db",
        "CREATE TABLE `p` (`id` int(11) NOT NULL, `x` varchar(9), `y` int(11), PRIMARY KEY "
        "(`id`), KEY `a` (`x`), CONSTRAINT `p_ibfk_1` FOREIGN KEY (`y`) REFERENCES `p` (`id`))");
    add_table(tracker, "db",
              "CREATE TABLE `r` (`id` int(11) NOT NULL) PARTITION BY RANGE (`id`) (PARTITION `p0` "
              "VALUES LESS THAN (10), PARTITION `p1` VALUES LESS THAN (20))");
    add_table(tracker, "other", "CREATE TABLE `o` (`id` int(11) NOT NULL)");
    schema_tracker_set_position(tracker, (commit_ts_t){1});
    return tracker;
}

static void check_state(schema_tracker_t *tracker, const table_filter_t *filter, commit_ts_t at)
{
    arena_t arena;
    bytes_t snapshot, again;
    schema_tracker_options_t options = {.filter = filter, .server_version = 101119};
    schema_tracker_t *restored;
    error_report_t report;
    arena_init(&arena);
    assert_int_equal(schema_tracker_snapshot(tracker, at, false, &arena, &snapshot), SLUICE_OK);
    if (schema_tracker_from_snapshot(&options, snapshot, &restored, &report) != SLUICE_OK)
        fail_msg("%s", report.text);
    assert_int_equal(schema_tracker_snapshot(restored, at, false, &arena, &again), SLUICE_OK);
    assert_true(bytes_equal(snapshot, again));
    schema_tracker_destroy(&restored);
    arena_clear(&arena);
}

static void survives_any_text(void **state)
{
    (void)state;
    static const uint64_t modes[] = {0, 0, 0x4, 0x100000, 0x200};
    static const uint16_t charsets[] = {45, 45, 28, 8, 63};
    bytes_t rule = bytes_of_text("db.*");
    table_filter_t *filter;
    assert_int_equal(table_filter_new(&rule, 1, false, &filter, NULL), SLUICE_OK);
    char *text = memory_alloc(TEXT_MAX + 16);
    uint32_t events = 0;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        schema_tracker_t *tracker = tracker_open(filter);
        strcpy(text, seeds[random_below(sizeof seeds / sizeof seeds[0])]);
        for (uint32_t i = random_below(5); i > 0; i--)
            mutate(text);
        logged_ddl_t ddl = {.commit_ts = {2},
                            .sql = bytes_of_text(text),
                            .context = {.default_schema = "db",
                                        .charset_client = charsets[round % 5],
                                        .has_sql_mode = true,
                                        .sql_mode = modes[round % 5]}};
        schema_outcome_t outcome;
        error_report_t report;
        if (schema_tracker_apply(tracker, &ddl, &outcome, &report) == SLUICE_OK) {
            events += outcome.kind == SCHEMA_EVENT;
            check_state(tracker, filter, (commit_ts_t){2});
            ddl_event_unref(&outcome.event);
        } else {
            assert_true(report.text[0] != '\0');
        }
        schema_tracker_destroy(&tracker);
    }
    /* Most of them still are statements. */
    assert_true(events > ROUNDS / 4);
    free(text);
    table_filter_destroy(&filter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(survives_any_text)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
