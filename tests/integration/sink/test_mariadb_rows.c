#include "tests/testing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/sink/adapters.h"
#include "tests/integration/sink/log_source.h"

/* What the source did to its tables arrives in the sink byte by byte, type by type. */

typedef struct {
    mariadb_fixture_t *server;
    log_source_t *source;
    sink_t *sink;
    sink_connection_t *connection;
    uint64_t epochs;
} fixture_t;

static fixture_t shared;

static int group_set_up(void **state)
{
    static const char *const options[] = {LOG_SOURCE_OPTIONS, "--max-allowed-packet=1M", NULL};
    error_report_t report = {0};
    shared.server = mariadb_fixture_start(options);
    shared.source = log_source_new(shared.server);
    sink_options_t sink_options = {.uri = mariadb_fixture_uri(shared.server),
                                   .changefeed = {.uuid = {{1}}, .generation = 1},
                                   .changefeed_name = "test"};
    if (mariadb_sink_api.open(&sink_options, &shared.sink, &report) != SLUICE_OK ||
        mariadb_sink_api.connect(shared.sink, &shared.connection, &report) != SLUICE_OK)
        fail_msg("%s", report.text);
    *state = &shared;
    return 0;
}

static int group_tear_down(void **state)
{
    (void)state;
    mariadb_sink_api.disconnect(&shared.connection);
    mariadb_sink_api.close(&shared.sink);
    log_source_destroy(&shared.source);
    mariadb_fixture_stop(&shared.server);
    return 0;
}

static sink_claim_t claim_table(fixture_t *f, const table_definition_t *definition)
{
    error_report_t report = {0};
    sink_claim_t claim = {.span = {.table_id = definition->table_id}, .epoch = {1, ++f->epochs}};
    sink_claim_result_t result;
    if (mariadb_sink_api.claim(f->connection, &claim, 1, &result, &report) != SLUICE_OK)
        fail_msg("%s", report.text);
    assert_int_equal(result.error, SLUICE_OK);
    return claim;
}

/* Makes the table on both sides. */
static const table_definition_t *table_make(fixture_t *f, const char *name, const char *columns)
{
    mariadb_fixture_printf(f->server, "CREATE TABLE s.`%s` %s; CREATE TABLE k.`%s` LIKE s.`%s`",
                           name, columns, name, name);
    return log_source_define(f->source, name);
}

/* Writes all that was logged for one table since the last time, `per_write` transactions at once.
 */
static sluice_error_t table_write(fixture_t *f, const table_definition_t *definition,
                                  uint32_t per_write, error_report_t *report)
{
    transaction_t *const *transactions;
    uint32_t count = log_source_read(f->source, &transactions);
    assert_true(count > 0);
    sink_claim_t claim = claim_table(f, definition);
    for (uint32_t start = 0; start < count; start += per_write) {
        const table_rows_t *parts[4096];
        uint32_t end = start + per_write < count ? start + per_write : count;
        sink_write_t write = {.claim = &claim, .parts = parts, .moves_progress = true};
        for (uint32_t i = start; i < end; i++) {
            for (uint32_t j = 0; j < transactions[i]->table_count; j++) {
                if (transactions[i]->tables[j].definition == definition)
                    parts[write.part_count++] = &transactions[i]->tables[j];
            }
            write.progress = transactions[i]->commit_ts;
        }
        sink_write_result_t result;
        sluice_error_t error = mariadb_sink_api.write(f->connection, &write, 1, &result, report);
        if (error != SLUICE_OK)
            return error;
        assert_int_equal(result.error, SLUICE_OK);
    }
    return SLUICE_OK;
}

static void table_carry(fixture_t *f, const table_definition_t *definition, uint32_t per_write)
{
    error_report_t report = {0};
    if (table_write(f, definition, per_write, &report) != SLUICE_OK)
        fail_msg("%s", report.text);
    log_source_assert_equal(f->source, definition->name);
}

static void integers_of_every_size_and_sign(void **state)
{
    fixture_t *f = *state;
    const table_definition_t *t = table_make(
        f, "ints",
        "(id INT UNSIGNED PRIMARY KEY, a TINYINT, b SMALLINT UNSIGNED, c MEDIUMINT, d BIGINT, "
        "e BIGINT UNSIGNED, f BIT(1), g BIT(13), h BIT(64), y YEAR, z INT ZEROFILL)");
    mariadb_fixture_run(
        f->server,
        "SET sql_mode='NO_AUTO_VALUE_ON_ZERO'; INSERT INTO s.ints VALUES "
        "(0,-128,0,-8388608,-9223372036854775808,18446744073709551615,b'1',b'1010101010101',"
        "18446744073709551615,0,7),"
        "(4294967295,127,65535,8388607,9223372036854775807,0,0,0,0,1901,0),"
        "(7,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL),(8,1,1,1,1,1,1,1,1,2155,1);"
        "UPDATE s.ints SET id=9,y=2024 WHERE id=8; DELETE FROM s.ints WHERE id=7");
    table_carry(f, t, 1);
}

static void numbers_with_fractions(void **state)
{
    fixture_t *f = *state;
    const table_definition_t *t =
        table_make(f, "fractions",
                   "(k DECIMAL(40,10), a DECIMAL(65,30), b DECIMAL(5,0), c FLOAT, d DOUBLE, "
                   "e FLOAT(7,3), g DOUBLE(20,4), PRIMARY KEY (k))");
    mariadb_fixture_run(
        f->server,
        "INSERT INTO s.fractions VALUES (123456789012345678901234567890.0000000001,"
        "-99999999999999999999999999999999999.999999999999999999999999999999,-99999,0.1,0.1,1.234,"
        "1.2345),(123456789012345678901234567890.0000000002,0,0,3.4028234e38,-1."
        "7976931348623157e308"
        ",-9999.999,0),(-0.5,NULL,NULL,-0.0,4.9e-324,NULL,NULL),(0,1.5,7,1.17549e-38,1e300,0.001,1)"
        ";DELETE FROM s.fractions WHERE k=123456789012345678901234567890.0000000001;"
        "UPDATE s.fractions SET c=16777217 WHERE k=0");
    table_carry(f, t, 1);
}

static void moments_zero_invalid_and_with_fractions(void **state)
{
    fixture_t *f = *state;
    const table_definition_t *t =
        table_make(f, "moments",
                   "(k DATETIME(6) NOT NULL, a DATE, b TIME, c TIME(6), d DATETIME, e DATETIME(3), "
                   "g TIMESTAMP NULL, h TIMESTAMP(6) NULL, PRIMARY KEY (k))");
    mariadb_fixture_run(
        f->server,
        "SET sql_mode='ALLOW_INVALID_DATES', time_zone='+05:30'; INSERT INTO s.moments VALUES "
        "('2024-02-29 23:59:59.999999','0000-00-00','-838:59:59','-12:34:56.980001',"
        "'0000-00-00 00:00:00','9999-12-31 23:59:59.999','0000-00-00 00:00:00',"
        "'1970-01-01 05:30:01.000001'),"
        "('0000-00-00 00:00:00','2024-02-31','838:59:59','-00:00:00.000001','2024-00-00',"
        "'0001-01-01 00:00:00.001','2038-01-19 08:44:07','2038-01-19 08:44:07.999999'),"
        "('2001-01-01',NULL,NULL,NULL,NULL,NULL,NULL,NULL);"
        "SET sql_mode=DEFAULT, time_zone='SYSTEM';"
        "DELETE FROM s.moments WHERE k='2001-01-01'; "
        "UPDATE s.moments SET c='838:59:59.999999' WHERE k='2024-02-29 23:59:59.999999'");
    table_carry(f, t, 1);
}

static void text_in_every_charset(void **state)
{
    fixture_t *f = *state;
    const table_definition_t *t = table_make(
        f, "texts",
        "(k VARCHAR(40) CHARACTER SET latin1 COLLATE latin1_german1_ci, "
        "a CHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_uca1400_ai_ci, "
        "b VARCHAR(300) CHARACTER SET ucs2, c TEXT CHARACTER SET gbk, "
        "d LONGTEXT CHARACTER SET utf32, e TINYTEXT CHARACTER SET sjis, "
        "g MEDIUMTEXT CHARACTER SET utf16le, j JSON, v TEXT COMPRESSED, PRIMARY KEY (k))");
    mariadb_fixture_run(
        f->server,
        "INSERT INTO s.texts VALUES "
        "('é','aé😀  ','日本','中文\\\\','😀','表','ü','{\"a\": \"é\"}',REPEAT('x',500)),"
        "('E\\'x','','','','','','','[]',''),('blank ',' ',' ',' ',' ',' ',' ','1',' '),"
        "('n',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL),('zero',CONCAT('a',CHAR(0),'b'),CHAR(0),"
        "CHAR(0),CHAR(0),CHAR(0),CHAR(0),'null',CHAR(0));"
        "UPDATE s.texts SET k='É' WHERE k='é'; DELETE FROM s.texts WHERE k='n'; "
        "UPDATE s.texts SET a='changed' WHERE k='blank'");
    table_carry(f, t, 1);
}

static void bytes_of_every_kind(void **state)
{
    fixture_t *f = *state;
    const table_definition_t *t =
        table_make(f, "bytes",
                   "(k BINARY(4), a VARBINARY(300), b BLOB, c TINYBLOB, d LONGBLOB, "
                   "e VARBINARY(1000) COMPRESSED, u UUID, i INET6, j INET4, PRIMARY KEY (k))");
    mariadb_fixture_run(
        f->server,
        "INSERT INTO s.bytes VALUES (X'00010000',X'00FF5C27',X'',X'00',REPEAT(X'FF',300000),"
        "REPEAT('z',900),'550e8400-e29b-41d4-a716-446655440000','::1','1.2.3.4'),"
        "(X'FFFFFFFF',X'',REPEAT(X'5C',100),NULL,NULL,NULL,"
        "'f81d4fae-7dec-11d0-a765-00a0c91e6bf6','::ffff:1.2.3.0','0.0.0.0'),"
        "(X'20202020',NULL,NULL,NULL,NULL,NULL,'018f6e5a-1234-7abc-8def-0123456789ab',NULL,NULL);"
        "DELETE FROM s.bytes WHERE k=X'20202020'; "
        "UPDATE s.bytes SET k=X'00010001' WHERE k=X'00010000'");
    table_carry(f, t, 1);
}

static void keys_of_uuid_and_address(void **state)
{
    fixture_t *f = *state;
    const table_definition_t *t = table_make(f, "addresses",
                                             "(u UUID NOT NULL, i INET6 NOT NULL, v INT, "
                                             "PRIMARY KEY (u,i))");
    mariadb_fixture_run(f->server, "INSERT INTO s.addresses VALUES "
                                   "('550e8400-e29b-41d4-a716-446655440000','::1',1),"
                                   "('550e8400-e29b-41d4-a716-446655440000','::2',2),"
                                   "('f81d4fae-7dec-11d0-a765-00a0c91e6bf6','::2',3);"
                                   "DELETE FROM s.addresses WHERE v=2; "
                                   "UPDATE s.addresses SET i='::3' WHERE v=3");
    table_carry(f, t, 1);
}

static void labels_by_index_and_mask(void **state)
{
    fixture_t *f = *state;
    const table_definition_t *t =
        table_make(f, "labels",
                   "(k ENUM('a','é','','c') NOT NULL, s SET('x','y','w') NOT NULL, "
                   "e ENUM('1','2') CHARACTER SET ucs2, PRIMARY KEY (k,s))");
    mariadb_fixture_run(f->server,
                        "SET sql_mode=''; INSERT IGNORE INTO s.labels VALUES ('a','',NULL),"
                        "('é','x,y','2'),('','x','1'),('nosuch','y','nosuch'),('c','x','1');"
                        "SET sql_mode=DEFAULT; DELETE FROM s.labels WHERE k='c'; "
                        "UPDATE s.labels SET s='x,y' WHERE k='a'");
    assert_int_equal(mariadb_fixture_number(f->server, "SELECT COUNT(*) FROM s.labels WHERE e+0=0"),
                     1);
    table_carry(f, t, 1);
}

/* The mask of the last member does not fit a signed number. */
static void sets_of_64_members(void **state)
{
    fixture_t *f = *state;
    char set[512] = "SET('m0'";
    for (int i = 1; i < 64; i++)
        snprintf(set + strlen(set), sizeof set - strlen(set), ",'m%d'", i);
    char columns[2048];
    snprintf(columns, sizeof columns, "(k %s) NOT NULL, v INT, PRIMARY KEY (k))", set);
    const table_definition_t *keyed = table_make(f, "sets", columns);
    mariadb_fixture_run(f->server,
                        "INSERT INTO s.sets VALUES ('m63',1),(18446744073709551615,2),('m0,m63',3),"
                        "('',4); DELETE FROM s.sets WHERE v=3; "
                        "UPDATE s.sets SET k='m1' WHERE v=1; UPDATE s.sets SET v=5 WHERE v=2");
    table_carry(f, keyed, 1);
    snprintf(columns, sizeof columns, "(a %s))", set);
    const table_definition_t *keyless = table_make(f, "sets_bag", columns);
    mariadb_fixture_run(f->server,
                        "INSERT INTO s.sets_bag VALUES ('m63'),('m63'),(18446744073709551615),"
                        "('m0'),(NULL); DELETE FROM s.sets_bag WHERE a='m63' LIMIT 1; "
                        "UPDATE s.sets_bag SET a='m63' WHERE a=18446744073709551615");
    table_carry(f, keyless, 1);
}

static void shapes_with_their_reference_system(void **state)
{
    fixture_t *f = *state;
    const table_definition_t *t = table_make(
        f, "shapes", "(id INT PRIMARY KEY, p POINT, g GEOMETRY, l LINESTRING, y POLYGON NOT NULL)");
    mariadb_fixture_run(f->server,
                        "INSERT INTO s.shapes VALUES (1,ST_GeomFromText('POINT(1 2)',4326),"
                        "ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1),LINESTRING(0 0,1 1))'),"
                        "ST_GeomFromText('LINESTRING(0 0,1 1)'),"
                        "ST_GeomFromText('POLYGON((0 0,1 0,1 1,0 0))',3857)),"
                        "(2,NULL,NULL,NULL,ST_GeomFromText('POLYGON((0 0,2 0,2 2,0 0))'));"
                        "UPDATE s.shapes SET p=POINT(-1,1e300) WHERE id=2");
    table_carry(f, t, 1);
}

static void generated_and_invisible_columns(void **state)
{
    fixture_t *f = *state;
    const table_definition_t *t =
        table_make(f, "made",
                   "(a INT, id INT PRIMARY KEY, v INT AS (a+1) VIRTUAL, s INT AS (a*2) STORED, "
                   "h INT INVISIBLE DEFAULT 5, z INT, UNIQUE KEY (s))");
    mariadb_fixture_run(f->server,
                        "INSERT INTO s.made (a,id,z,h) VALUES (1,1,1,7),(2,2,2,8);"
                        "INSERT INTO s.made (a,id,z) VALUES (3,3,3); "
                        "UPDATE s.made SET a=9 WHERE id=1; DELETE FROM s.made WHERE id=2");
    table_carry(f, t, 1);
}

static void a_table_without_key_keeps_duplicates(void **state)
{
    fixture_t *f = *state;
    const table_definition_t *t = table_make(
        f, "bag",
        "(a VARCHAR(10), b FLOAT, c DOUBLE, d DECIMAL(20,5), e DATETIME(3), g ENUM('x','y'), "
        "h POINT, i JSON, j TEXT COMPRESSED, l BIT(5), m TIME(2), n CHAR(5), o BLOB, "
        "p SET('r','q'), q UUID)");
    mariadb_fixture_run(
        f->server,
        "INSERT INTO s.bag VALUES ('a',0.1,0.1,1.5,'2024-01-01 00:00:00.123','x',POINT(1,2),'{}',"
        "'t',3,'-01:02:03.04','c ','o','r,q','550e8400-e29b-41d4-a716-446655440000');"
        "INSERT INTO s.bag SELECT * FROM s.bag; INSERT INTO s.bag SELECT * FROM s.bag;"
        "UPDATE s.bag SET a='A' LIMIT 1; INSERT INTO s.bag (a) VALUES ('n'),('n'),(NULL);"
        "DELETE FROM s.bag WHERE BINARY a='a' LIMIT 1; DELETE FROM s.bag WHERE a='n' LIMIT 1;"
        "UPDATE s.bag SET b=b+1,h=POINT(3,4),g=NULL WHERE BINARY a='a' LIMIT 1;"
        "INSERT INTO s.bag (a,b) VALUES ('zz',1e10); DELETE FROM s.bag WHERE a IS NULL");
    table_carry(f, t, 3);
}

static void unique_values_change_hands(void **state)
{
    fixture_t *f = *state;
    const table_definition_t *t = table_make(
        f, "swaps", "(id INT PRIMARY KEY, u VARCHAR(20), n INT, UNIQUE KEY (u), UNIQUE KEY (n))");
    mariadb_fixture_run(f->server,
                        "INSERT INTO s.swaps VALUES (1,'x',1),(2,'y',2),(3,'z',3);"
                        "DELETE FROM s.swaps WHERE id=1; INSERT INTO s.swaps VALUES (4,'x',1);"
                        "UPDATE s.swaps SET u='t' WHERE id=2; UPDATE s.swaps SET u='y' WHERE id=3;"
                        "UPDATE s.swaps SET u='z' WHERE id=2; "
                        "UPDATE s.swaps SET id=id+10 ORDER BY id DESC");
    table_carry(f, t, 100);
}

static void a_key_that_only_changes_case(void **state)
{
    fixture_t *f = *state;
    const table_definition_t *t =
        table_make(f, "cases", "(k VARCHAR(20) COLLATE utf8mb4_general_ci PRIMARY KEY, v INT)");
    mariadb_fixture_run(f->server,
                        "INSERT INTO s.cases VALUES ('one',1),('two',2),('three ',3);"
                        "UPDATE s.cases SET k='ONE' WHERE k='one'; "
                        "UPDATE s.cases SET k='three' WHERE k='three'; DELETE FROM s.cases WHERE "
                        "k='TWO'; INSERT INTO s.cases VALUES ('Two',4)");
    table_carry(f, t, 100);
    mariadb_fixture_run(f->server, "UPDATE s.cases SET k=UPPER(k)");
    table_carry(f, t, 1);
}

static void names_that_need_quotes(void **state)
{
    fixture_t *f = *state;
    mariadb_fixture_run(f->server,
                        "CREATE TABLE s.`ta``ble ü` (`a``b` INT PRIMARY KEY,`select` INT,`?` INT);"
                        "CREATE TABLE k.`ta``ble ü` LIKE s.`ta``ble ü`");
    const table_definition_t *t = log_source_define(f->source, "ta`ble ü");
    mariadb_fixture_run(f->server, "INSERT INTO s.`ta``ble ü` VALUES (1,2,3),(2,3,4);"
                                   "DELETE FROM s.`ta``ble ü` WHERE `?`=4");
    error_report_t report = {0};
    if (table_write(f, t, 1, &report) != SLUICE_OK)
        fail_msg("%s", report.text);
    assert_string_equal(mariadb_fixture_value(f->server,
                                              "SELECT GROUP_CONCAT(`a``b`,`select`,`?`) FROM "
                                              "k.`ta``ble ü`"),
                        "123");
}

static void many_rows_go_in_pieces_that_fit_the_packet(void **state)
{
    fixture_t *f = *state;
    const table_definition_t *t =
        table_make(f, "large", "(id INT PRIMARY KEY, b LONGBLOB, c VARCHAR(20))");
    mariadb_fixture_run(
        f->server, "USE s; INSERT INTO s.large SELECT seq,REPEAT(CHAR(seq%256),20000),seq FROM "
                   "seq_1_to_300; DELETE FROM s.large WHERE id%7=0; "
                   "USE s; INSERT INTO s.large SELECT seq,NULL,seq FROM seq_1000_to_30000");
    table_carry(f, t, 100);
}

static void a_row_larger_than_the_packet_is_refused_with_the_mend(void **state)
{
    fixture_t *f = *state;
    const table_definition_t *t =
        table_make(f, "huge", "(id INT PRIMARY KEY, a LONGBLOB, b LONGBLOB)");
    mariadb_fixture_run(f->server, "INSERT INTO s.huge VALUES (1,REPEAT('a',700000),"
                                   "REPEAT('b',700000))");
    error_report_t report = {0};
    assert_int_equal(table_write(f, t, 1, &report), SLUICE_ERROR_SINK_REFUSED);
    assert_non_null(strstr(report.text, "k.huge"));
    assert_non_null(strstr(report.text, "max_allowed_packet"));
}

static void a_table_that_differs_is_named(void **state)
{
    fixture_t *f = *state;
    const table_definition_t *t = table_make(f, "drifted", "(id INT PRIMARY KEY, a INT)");
    mariadb_fixture_run(f->server, "ALTER TABLE k.drifted DROP a; INSERT INTO s.drifted VALUES "
                                   "(1,1)");
    error_report_t report = {0};
    assert_int_equal(table_write(f, t, 1, &report), SLUICE_ERROR_SCHEMA_MISMATCH);
    assert_non_null(strstr(report.text, "k.drifted"));
    assert_non_null(strstr(report.text, "lacks the column a"));
}

static void a_value_that_the_sink_would_alter_is_refused(void **state)
{
    fixture_t *f = *state;
    const table_definition_t *t = table_make(f, "narrow", "(id INT PRIMARY KEY, a INT)");
    mariadb_fixture_run(f->server, "ALTER TABLE k.narrow MODIFY a TINYINT; INSERT INTO s.narrow "
                                   "VALUES (1,1000)");
    error_report_t report = {0};
    assert_int_equal(table_write(f, t, 1, &report), SLUICE_ERROR_SINK_REFUSED);
    assert_non_null(strstr(report.text, "k.narrow"));
    assert_int_equal(mariadb_fixture_number(f->server, "SELECT COUNT(*) FROM k.narrow"), 0);
}

static void a_row_missing_in_a_table_without_key_is_refused(void **state)
{
    fixture_t *f = *state;
    const table_definition_t *t = table_make(f, "sack", "(a INT)");
    mariadb_fixture_run(f->server, "INSERT INTO s.sack VALUES (1),(2)");
    table_carry(f, t, 1);
    mariadb_fixture_run(f->server, "DELETE FROM k.sack WHERE a=2; DELETE FROM s.sack");
    error_report_t report = {0};
    assert_int_equal(table_write(f, t, 1, &report), SLUICE_ERROR_SINK_REFUSED);
    assert_non_null(strstr(report.text, "not found in the sink"));
    assert_int_equal(mariadb_fixture_number(f->server, "SELECT COUNT(*) FROM k.sack"), 1);
}

static void foreign_keys_and_their_actions_do_not_interfere(void **state)
{
    fixture_t *f = *state;
    const table_definition_t *parent = table_make(f, "parent", "(id INT PRIMARY KEY, v INT)");
    mariadb_fixture_run(f->server, "CREATE TABLE k.child (id INT PRIMARY KEY, p INT, FOREIGN KEY "
                                   "(p) REFERENCES k.parent (id) ON DELETE CASCADE);"
                                   "INSERT INTO s.parent VALUES (1,1)");
    table_carry(f, parent, 1);
    mariadb_fixture_run(f->server,
                        "INSERT INTO k.child VALUES (1,1); UPDATE s.parent SET v=2 WHERE id=1");
    table_carry(f, parent, 1);
    assert_int_equal(mariadb_fixture_number(f->server, "SELECT COUNT(*) FROM k.child"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_of_every_size_and_sign),
        cmocka_unit_test(numbers_with_fractions),
        cmocka_unit_test(moments_zero_invalid_and_with_fractions),
        cmocka_unit_test(text_in_every_charset),
        cmocka_unit_test(bytes_of_every_kind),
        cmocka_unit_test(keys_of_uuid_and_address),
        cmocka_unit_test(labels_by_index_and_mask),
        cmocka_unit_test(sets_of_64_members),
        cmocka_unit_test(shapes_with_their_reference_system),
        cmocka_unit_test(generated_and_invisible_columns),
        cmocka_unit_test(a_table_without_key_keeps_duplicates),
        cmocka_unit_test(unique_values_change_hands),
        cmocka_unit_test(a_key_that_only_changes_case),
        cmocka_unit_test(names_that_need_quotes),
        cmocka_unit_test(many_rows_go_in_pieces_that_fit_the_packet),
        cmocka_unit_test(a_row_larger_than_the_packet_is_refused_with_the_mend),
        cmocka_unit_test(a_table_that_differs_is_named),
        cmocka_unit_test(a_value_that_the_sink_would_alter_is_refused),
        cmocka_unit_test(a_row_missing_in_a_table_without_key_is_refused),
        cmocka_unit_test(foreign_keys_and_their_actions_do_not_interfere),
    };
    return cmocka_run_group_tests(tests, group_set_up, group_tear_down);
}
