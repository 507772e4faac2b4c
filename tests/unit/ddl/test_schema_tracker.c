#include "tests/testing.h"

#include <stdlib.h>

#include "common/base/memory.h"
#include "dispatcher/core/ddl/schema_tracker.h"
#include "dispatcher/core/ddl/text_builder.h"
#include "tests/unit/ddl/ddl_testing.h"

/* A tracker over a small source, and the names that ids had while the test ran. */
typedef struct {
    table_filter_t *filter, *allowed;
    schema_tracker_t *tracker;
    arena_t arena;
    struct {
        table_id_t id;
        const char *name;
    } names[256];
    uint32_t name_count;
    uint64_t ts;
    schema_outcome_t outcome;
    error_report_t report;
} source_t;

static const char *const rules[] = {"db.*",     "!db.skip*", "whole.*", "part.x",
                                    "part.new", "Case.*",    "fk.*"};

static const struct {
    const char *schema, *create;
} start[] = {
    {"db", "CREATE TABLE `a` (`id` int(11) NOT NULL, `v` varchar(10) DEFAULT NULL, PRIMARY KEY "
           "(`id`)) ENGINE=InnoDB DEFAULT CHARSET=latin1"},
    {"db", "CREATE TABLE `b` (`id` int(11) NOT NULL, `v` varchar(10) DEFAULT NULL) ENGINE=InnoDB"},
    {"db", "CREATE TABLE `c` (`id` int(11) NOT NULL)"},
    {"db", "CREATE TABLE `r` (`id` int(11) NOT NULL) PARTITION BY RANGE (`id`) (PARTITION `p0` "
           "VALUES LESS THAN (10) ENGINE = InnoDB, PARTITION `p1` VALUES LESS THAN (20))"},
    {"db", "CREATE TABLE `skip1` (`id` int(11) NOT NULL, `x` enum('a','it''s') DEFAULT 'a')"},
    {"db", "CREATE TABLE `skip2` (`id` int(11) NOT NULL) PARTITION BY RANGE (`id`) (PARTITION "
           "`q0` VALUES LESS THAN (10), PARTITION `q1` VALUES LESS THAN (20))"},
    {"fk", "CREATE TABLE `p` (`id` int(11) NOT NULL, PRIMARY KEY (`id`))"},
    {"fk", "CREATE TABLE `k` (`id` int(11) NOT NULL, `p` int(11), KEY `p` (`p`), CONSTRAINT "
           "`k_ibfk_1` FOREIGN KEY (`p`) REFERENCES `p` (`id`))"},
    {"fk", "CREATE TABLE `tree` (`id` int(11) NOT NULL, `up` int(11), PRIMARY KEY (`id`), KEY "
           "`up` (`up`), CONSTRAINT `tree_ibfk_1` FOREIGN KEY (`up`) REFERENCES `tree` (`id`))"},
    {"other", "CREATE TABLE `o` (`id` int(11) NOT NULL)"},
    {"whole", "CREATE TABLE `w1` (`id` int(11) NOT NULL)"},
    {"whole", "CREATE TABLE `w2` (`id` int(11) NOT NULL)"},
    {"part", "CREATE TABLE `x` (`id` int(11) NOT NULL)"},
    {"part", "CREATE TABLE `y` (`id` int(11) NOT NULL)"},
    {"db", "CREATE TABLE `seq` (`next_not_cached_value` bigint(21) NOT NULL) ENGINE=InnoDB "
           "SEQUENCE=1"},
    {"db", "CREATE ALGORITHM=UNDEFINED DEFINER=`root`@`localhost` SQL SECURITY DEFINER VIEW `v` AS "
           "select `db`.`a`.`id` AS `id` from `db`.`a`"},
    {"db",
     "CREATE ALGORITHM=UNDEFINED DEFINER=`root`@`localhost` SQL SECURITY DEFINER VIEW `vo` AS "
     "select 1 from `other`.`o`"},
};

static void note_name(const tracked_table_t *table, void *context)
{
    source_t *source = context;
    for (uint32_t i = 0; i < source->name_count; i++)
        if (source->names[i].id.v == table->definition->table_id.v)
            return;
    uint32_t at = source->name_count++;
    assert_true(at < sizeof source->names / sizeof source->names[0]);
    source->names[at].id = table->definition->table_id;
    source->names[at].name =
        arena_printf(&source->arena, "%s.%s@%llu", table->definition->schema,
                     table->definition->name, (unsigned long long)table->definition->created.v);
}

static void note_names(source_t *source)
{
    schema_tracker_visit(source->tracker, COMMIT_TS_MAX, note_name, source);
}

static table_filter_t *filter_of(const char *const *texts, uint32_t count)
{
    bytes_t list[16];
    table_filter_t *filter;
    for (uint32_t i = 0; i < count; i++)
        list[i] = bytes_of_text(texts[i]);
    assert_int_equal(table_filter_new(list, count, false, &filter, NULL), SLUICE_OK);
    return filter;
}

static schema_tracker_options_t options_of(const source_t *source)
{
    return (schema_tracker_options_t){.filter = source->filter,
                                      .allowed_cascades = source->allowed,
                                      .server_version = 101119,
                                      .default_charset = "latin1"};
}

static source_t *source_open(void)
{
    source_t *source = memory_zalloc(sizeof *source);
    source->filter = filter_of(rules, sizeof rules / sizeof rules[0]);
    source->allowed = filter_of((const char *const[]){"fk.allowed"}, 1);
    schema_tracker_options_t options = options_of(source);
    source->tracker = schema_tracker_new(&options);
    for (size_t i = 0; i < sizeof start / sizeof start[0]; i++)
        if (schema_tracker_add_table(source->tracker, bytes_of_text(start[i].schema),
                                     bytes_of_text(start[i].create), &source->report) != SLUICE_OK)
            fail_msg("%s", source->report.text);
    source->ts = 100;
    schema_tracker_set_position(source->tracker, (commit_ts_t){100});
    note_names(source);
    return source;
}

static void source_close(source_t *source)
{
    ddl_event_unref(&source->outcome.event);
    schema_tracker_destroy(&source->tracker);
    table_filter_destroy(&source->filter);
    table_filter_destroy(&source->allowed);
    arena_clear(&source->arena);
    free(source);
}

static sluice_error_t apply(source_t *source, const char *sql)
{
    logged_ddl_t ddl = {.commit_ts = {++source->ts},
                        .commit_time = {1000 * source->ts},
                        .sql = bytes_of_text(sql),
                        .context = {.default_schema = "db",
                                    .charset_client = 45,
                                    .collation_server = 8,
                                    .has_sql_mode = true}};
    if (strncmp(sql, "/*rows*/", 8) == 0)
        ddl.has_rows = true;
    ddl_event_unref(&source->outcome.event);
    sluice_error_t error =
        schema_tracker_apply(source->tracker, &ddl, &source->outcome, &source->report);
    if (error != SLUICE_OK)
        source->outcome.event = NULL;
    note_names(source);
    return error;
}

static const char *name_of(const source_t *source, table_id_t id)
{
    if (id.v == TABLE_ID_TRIGGER.v)
        return "trigger";
    for (uint32_t i = 0; i < source->name_count; i++)
        if (source->names[i].id.v == id.v)
            return source->names[i].name;
    return "?";
}

static void add_ids(const source_t *source, text_builder_t *text, const influence_t *influence)
{
    for (uint32_t i = 0; i < influence->table_count; i++)
        text_add_format(text, "%s%s", i ? "," : "", name_of(source, influence->table_ids[i]));
}

/* "verb NORMAL{…} drop{…} add{…} move{…} | changes | rewritten text" */
static const char *describe_event(source_t *source, const ddl_event_t *event)
{
    static const char *const kinds[] = {"created", "altered",   "renamed",
                                        "dropped", "truncated", "left"};
    const block_payload_t *payload = &event->payload;
    text_builder_t text;
    text_builder_init(&text, &source->arena);
    text_add(&text, ddl_verb_name(event->verb));
    if (payload->influence.kind == INFLUENCE_ALL) {
        text_add(&text, " ALL");
    } else if (payload->influence.kind == INFLUENCE_DB) {
        text_add(&text, " DB");
        assert_true(payload->influence.schema.v ==
                    schema_id_derive(bytes_of_text(event->schema)).v);
    } else {
        text_add(&text, " {");
        add_ids(source, &text, &payload->influence);
        text_add(&text, "}");
    }
    if (payload->dropped.kind == INFLUENCE_DB) {
        text_add(&text, " -DB");
    } else if (payload->dropped.table_count > 0) {
        text_add(&text, " -{");
        add_ids(source, &text, &payload->dropped);
        text_add(&text, "}");
    }
    for (uint32_t i = 0; i < payload->added_count; i++)
        text_add_format(&text, " +%.*s.%.*s@%llu%s", (int)payload->added[i].schema.len,
                        (const char *)payload->added[i].schema.data,
                        (int)payload->added[i].name.len, (const char *)payload->added[i].name.data,
                        (unsigned long long)payload->added[i].created.v,
                        payload->added[i].created_by_select ? " by select" : "");
    for (uint32_t i = 0; i < payload->move_count; i++)
        text_add_format(&text, " %s>%.*s.%.*s", name_of(source, payload->moves[i].table_id),
                        (int)payload->moves[i].schema.len,
                        (const char *)payload->moves[i].schema.data,
                        (int)payload->moves[i].name.len, (const char *)payload->moves[i].name.data);
    for (uint32_t i = 0; i < event->change_count; i++) {
        const table_change_t *change = &event->changes[i];
        text_add_format(&text, " | %s %s.%s", kinds[change->kind],
                        (change->before ? change->before : change->after)->schema,
                        (change->before ? change->before : change->after)->name);
    }
    if (event->is_rewritten)
        text_add_format(&text, " | %s", event->sql_utf8);
    return text_finish(&text);
}

static const char *describe(source_t *source, sluice_error_t error)
{
    if (error != SLUICE_OK)
        return arena_printf(&source->arena, "error %s", sluice_error_name(error));
    switch (source->outcome.kind) {
    case SCHEMA_EVENT:
        return describe_event(source, source->outcome.event);
    case SCHEMA_SKIPPED:
        return arena_printf(&source->arena, "skipped %s", source->outcome.skipped_kind);
    case SCHEMA_OUTSIDE:
        return "outside";
    case SCHEMA_WARNED:
        return "warned";
    }
    return "?";
}

typedef struct {
    const char *statement; /* statements before it are separated by ";;" */
    const char *expected;
} case_t;

static void check_cases(const case_t *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        source_t *source = source_open();
        char *rest = arena_strdup(&source->arena, cases[i].statement);
        char *separator;
        while ((separator = strstr(rest, ";;"))) {
            *separator = '\0';
            if (apply(source, rest) != SLUICE_OK)
                fail_msg("%s: %s", rest, source->report.text);
            rest = separator + 2;
        }
        const char *found = describe(source, apply(source, rest));
        if (strcmp(found, cases[i].expected) != 0)
            fail_msg("%s\n  wanted: %s\n  found:  %s\n  %s %s", cases[i].statement,
                     cases[i].expected, found, source->outcome.warning, source->report.text);
        source_close(source);
    }
}

#define CHECK_CASES(...)                                                                           \
    do {                                                                                           \
        static const case_t cases[] = {__VA_ARGS__};                                               \
        check_cases(cases, sizeof cases / sizeof cases[0]);                                        \
    } while (0)

/* ---- one test for each row of DESIGN §7 ---- */

static void alter_index_truncate_and_partition_losses_block_their_table(void **state)
{
    (void)state;
    CHECK_CASES(
        {"ALTER TABLE a ADD COLUMN z INT", "alter_table {db.a@0} | altered db.a"},
        {"ALTER TABLE part.x ADD z INT", "alter_table {part.x@0} | altered part.x"},
        {"CREATE INDEX i ON a (v)", "alter_table {db.a@0} | altered db.a"},
        {"DROP INDEX `PRIMARY` ON db.a", "alter_table {db.a@0} | altered db.a"},
        {"TRUNCATE TABLE a", "truncate_table {db.a@0} | truncated db.a"},
        {"TRUNCATE a", "truncate_table {db.a@0} | truncated db.a"},
        {"ALTER TABLE r DROP PARTITION p0", "drop_partition {db.r@0} | altered db.r"},
        {"ALTER TABLE r TRUNCATE PARTITION p0, p1", "truncate_partition {db.r@0} | altered db.r"},
        {"ALTER TABLE r TRUNCATE PARTITION ALL", "truncate_partition {db.r@0} | altered db.r"},
        {"ALTER TABLE r REORGANIZE PARTITION p1 INTO (PARTITION p1 VALUES LESS THAN (15), "
         "PARTITION p2 VALUES LESS THAN (20))",
         "alter_table {db.r@0} | altered db.r"},
        {"ALTER TABLE a ENGINE=InnoDB", "alter_table {db.a@0} | altered db.a"},
        {"/*!40000 ALTER TABLE `a` DISABLE KEYS */", "alter_table {db.a@0} | altered db.a"},
        {"ALTER TABLE IF EXISTS nothing ADD z INT", "outside"},
        {"SET STATEMENT max_statement_time = 10, lock_wait_timeout = (1 + 1) FOR ALTER "
         "TABLE a ADD z INT",
         "alter_table {db.a@0} | altered db.a"});
}

static void create_table_adds_to_the_table_list(void **state)
{
    (void)state;
    CHECK_CASES(
        {"CREATE TABLE n (id INT)", "create_table {trigger} +db.n@101 | created db.n"},
        {"CREATE TABLE IF NOT EXISTS n (id INT)",
         "create_table {trigger} +db.n@101 | created db.n"},
        {"CREATE TABLE n LIKE a", "create_table {db.a@0,trigger} +db.n@101 | created db.n"},
        {"CREATE TABLE n LIKE skip1", "create_table {trigger} +db.n@101 | created db.n | CREATE "
                                      "TABLE `db`.`n` (\n  `id` int(11) "
                                      "NOT NULL,\n  `x` enum('a','it''s') CHARACTER SET latin1 "
                                      "COLLATE latin1_swedish_ci DEFAULT "
                                      "'a'\n) DEFAULT CHARSET=latin1 COLLATE=latin1_swedish_ci"},
        {"CREATE OR REPLACE TABLE a LIKE other.o",
         "create_table {trigger,db.a@0} -{db.a@0} +db.a@101 | dropped db.a | created db.a | CREATE "
         "OR REPLACE TABLE `db`.`a` (\n  `id` int(11) NOT NULL\n) DEFAULT CHARSET=latin1 "
         "COLLATE=latin1_swedish_ci"},
        {"CREATE TABLE fk.n (p INT, FOREIGN KEY (p) REFERENCES fk.p (id))",
         "create_table {trigger,fk.p@0} +fk.n@101 | created fk.n"},
        {"CREATE TABLE fk.n (p INT, FOREIGN KEY (p) REFERENCES p (id))",
         "create_table {trigger,fk.p@0} +fk.n@101 | created fk.n"},
        {"CREATE TABLE fk.n (p INT REFERENCES tree (id))",
         "create_table {trigger,fk.tree@0} +fk.n@101 | created fk.n"},
        {"CREATE TABLE fk.n (p INT, FOREIGN KEY (p) REFERENCES other.o (id))",
         "create_table {trigger} +fk.n@101 | created fk.n"},
        {"ALTER TABLE fk.p ADD q INT, ADD FOREIGN KEY (q) REFERENCES db.a (id)",
         "alter_table {fk.p@0,fk.k@0,db.a@0} | altered fk.p"},
        {"CREATE TABLE n LIKE mysql.user", "error ddl_unsupported"},
        {"CREATE TABLE n (id INT) SOME UNKNOWN THING", "error ddl_unsupported"},
        {"CREATE TABLE n AS SELECT 1 AS a", "error ddl_unsupported"},
        {"CREATE TABLE IF NOT EXISTS a (id INT)", "warned"});
}

static void create_select_starts_at_its_own_rows(void **state)
{
    (void)state;
    CHECK_CASES({"/*rows*/ CREATE TABLE `n` (`id` int(11) NOT NULL)",
                 "create_table {trigger} +db.n@101 by select | created db.n"},
                {"/*rows*/ CREATE OR REPLACE TABLE `a` (`id` int(11))",
                 "create_table {trigger,db.a@0} -{db.a@0} +db.a@101 by select | dropped db.a | "
                 "created db.a"});
}

static void create_or_replace_drops_and_adds(void **state)
{
    (void)state;
    CHECK_CASES(
        {"CREATE OR REPLACE TABLE a (x INT)",
         "create_table {trigger,db.a@0} -{db.a@0} +db.a@101 | dropped db.a | created db.a"},
        {"CREATE OR REPLACE TABLE n (x INT)", "create_table {trigger} +db.n@101 | created db.n"},
        {"CREATE OR REPLACE TABLE fk.p (id INT)",
         "create_table {trigger,fk.p@0,fk.k@0} -{fk.p@0} +fk.p@101 | dropped fk.p | created "
         "fk.p"});
}

static void drop_table_names_what_is_carried(void **state)
{
    (void)state;
    CHECK_CASES(
        {"DROP TABLE a", "drop_table {db.a@0,trigger} -{db.a@0} | dropped db.a"},
        {"DROP TABLE `a`,`b` /* generated by server */",
         "drop_table {db.a@0,db.b@0,trigger} -{db.a@0,db.b@0} | dropped db.a | dropped db.b"},
        {"DROP TABLE a, skip1, other.o, b",
         "drop_table {db.a@0,db.b@0,trigger} -{db.a@0,db.b@0} | dropped db.a | dropped db.b | DROP "
         "TABLE `db`.`a`, `db`.`b`"},
        {"DROP TABLE IF EXISTS skip1, a",
         "drop_table {db.a@0,trigger} -{db.a@0} | dropped db.a | DROP TABLE IF EXISTS `db`.`a`"},
        {"DROP TABLE IF EXISTS nothing", "drop_table {trigger}"},
        {"DROP TABLE nothing, a",
         "drop_table {db.a@0,trigger} -{db.a@0} | dropped db.a | DROP TABLE IF EXISTS "
         "`db`.`nothing`, `db`.`a`"},
        {"DROP TABLE seq, a",
         "drop_table {db.a@0,trigger} -{db.a@0} | dropped db.a | DROP TABLE `db`.`a`"},
        {"DROP TABLE seq", "skipped sequence"}, {"DROP TABLE skip1, other.o", "outside"},
        {"DROP TABLE fk.k", "drop_table {fk.k@0,fk.p@0,trigger} -{fk.k@0} | dropped fk.k"});
}

static void convert_partition_adds_and_drops(void **state)
{
    (void)state;
    CHECK_CASES(
        {"ALTER TABLE r CONVERT PARTITION p0 TO TABLE n",
         "convert_partition {db.r@0,trigger} +db.n@101 | altered db.r | created db.n"},
        {"ALTER TABLE r CONVERT PARTITION p0 TO TABLE skip9",
         "drop_partition {db.r@0} | altered db.r | ALTER TABLE `db`.`r` DROP PARTITION `p0`"},
        {"ALTER TABLE skip2 CONVERT PARTITION q0 TO TABLE n", "error enters_filter"},
        {"ALTER TABLE skip2 CONVERT PARTITION q0 TO TABLE skip9", "outside"},
        {"ALTER TABLE r CONVERT TABLE c TO PARTITION p2 VALUES LESS THAN (30)",
         "convert_partition {trigger,db.r@0,db.c@0} -{db.c@0} | altered db.r | dropped db.c"},
        {"ALTER TABLE r CONVERT TABLE skip1 TO PARTITION p2 VALUES LESS THAN (30)",
         "error enters_filter"},
        {"ALTER TABLE skip2 CONVERT TABLE c TO PARTITION q2 VALUES LESS THAN (30)",
         "drop_table {trigger,db.c@0} -{db.c@0} | dropped db.c | DROP TABLE `db`.`c`"});
}

static void foreign_keys_bring_their_neighbours(void **state)
{
    (void)state;
    CHECK_CASES({"ALTER TABLE fk.p ADD z INT", "alter_table {fk.p@0,fk.k@0} | altered fk.p"},
                {"ALTER TABLE fk.k ADD z INT", "alter_table {fk.k@0,fk.p@0} | altered fk.k"},
                {"TRUNCATE fk.k", "truncate_table {fk.k@0,fk.p@0} | truncated fk.k"},
                {"ALTER TABLE fk.tree ADD z INT", "alter_table {fk.tree@0} | altered fk.tree"},
                {"ALTER TABLE fk.k DROP FOREIGN KEY k_ibfk_1",
                 "alter_table {fk.k@0,fk.p@0} | altered fk.k"},
                {"ALTER TABLE fk.k DROP FOREIGN KEY k_ibfk_1;;ALTER TABLE fk.k ADD z INT",
                 "alter_table {fk.k@0} | altered fk.k"},
                {"RENAME TABLE fk.p TO fk.q;;ALTER TABLE fk.k ADD z INT",
                 "alter_table {fk.k@0,fk.p@0} | altered fk.k"});
}

static void cascading_foreign_keys_are_refused_unless_allowed(void **state)
{
    (void)state;
    CHECK_CASES(
        {"CREATE TABLE fk.n (p INT, FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE)",
         "error ddl_unsupported"},
        {"CREATE TABLE fk.n (p INT, FOREIGN KEY (p) REFERENCES p (id) ON UPDATE SET NULL)",
         "error ddl_unsupported"},
        {"CREATE TABLE fk.n (p INT, FOREIGN KEY (p) REFERENCES p (id) ON DELETE NO ACTION)",
         "create_table {trigger,fk.p@0} +fk.n@101 | created fk.n"},
        {"ALTER TABLE fk.k ADD FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE",
         "error ddl_unsupported"},
        {"CREATE TABLE fk.allowed (p INT, FOREIGN KEY (p) REFERENCES fk.p (id) ON DELETE CASCADE)",
         "create_table {trigger,fk.p@0} +fk.allowed@101 | created fk.allowed"},
        {"CREATE TABLE other.n (p INT, FOREIGN KEY (p) REFERENCES fk.p (id) ON DELETE CASCADE)",
         "outside"},
        {"CREATE TABLE fk.allowed (p INT, FOREIGN KEY (p) REFERENCES fk.p (id) ON DELETE CASCADE);;"
         "ALTER TABLE fk.allowed RENAME TO fk.later",
         "rename_table {fk.allowed@101,trigger,fk.p@0} fk.allowed@101>fk.later | renamed "
         "fk.allowed"});
}

static void rename_moves_leaves_and_refuses_to_enter(void **state)
{
    (void)state;
    CHECK_CASES(
        {"RENAME TABLE a TO z", "rename_table {db.a@0,trigger} db.a@0>db.z | renamed db.a"},
        {"ALTER TABLE a RENAME TO z", "rename_table {db.a@0,trigger} db.a@0>db.z | renamed db.a"},
        {"ALTER TABLE a RENAME z, ADD q INT",
         "rename_table {db.a@0,trigger} db.a@0>db.z | renamed db.a"},
        {"RENAME TABLE a TO whole.a",
         "rename_table {db.a@0,trigger} db.a@0>whole.a | renamed db.a"},
        {"RENAME TABLE a TO t, b TO a, t TO b",
         "rename_table {db.a@0,db.b@0,trigger} db.a@0>db.b db.b@0>db.a | renamed db.a | renamed "
         "db.b"},
        {"RENAME TABLE a TO other.tmp, b TO a, other.tmp TO b",
         "rename_table {db.a@0,db.b@0,trigger} db.a@0>db.b db.b@0>db.a | renamed db.a | renamed "
         "db.b"},
        {"RENAME TABLE a TO skip9", "rename_table {db.a@0,trigger} -{db.a@0} | left db.a"},
        {"ALTER TABLE a RENAME TO other.a", "rename_table {db.a@0,trigger} -{db.a@0} | left db.a"},
        {"RENAME TABLE skip1 TO z", "error enters_filter"},
        {"RENAME TABLE unknown.t TO db.z", "error enters_filter"},
        {"ALTER TABLE other.o RENAME TO db.z", "error enters_filter"},
        {"RENAME TABLE skip1 TO skip9, a TO z, other.o TO other.q",
         "rename_table {db.a@0,trigger} db.a@0>db.z | renamed db.a | RENAME TABLE `db`.`a` TO "
         "`db`.`z`"},
        {"RENAME TABLE skip1 TO skip9", "outside"},
        {"RENAME TABLE seq TO seq2, a TO z",
         "rename_table {db.a@0,trigger} db.a@0>db.z | renamed db.a | RENAME TABLE `db`.`a` TO "
         "`db`.`z`"},
        {"RENAME TABLE v TO v2", "rename_table {trigger}"},
        {"RENAME TABLE IF EXISTS nothing TO n, unknown.t TO z, a TO y",
         "rename_table {db.a@0,trigger} db.a@0>db.y | renamed db.a | RENAME TABLE IF EXISTS "
         "`db`.`a` TO `db`.`y`"},
        {"RENAME TABLE a TO t, t TO a", "rename_table {trigger}"},
        {"ALTER TABLE a RENAME TO a, ADD q INT", "alter_table {db.a@0} | altered db.a"});
}

static void exchange_partition_blocks_both_tables(void **state)
{
    (void)state;
    CHECK_CASES({"ALTER TABLE r EXCHANGE PARTITION p0 WITH TABLE c",
                 "exchange_partition {db.r@0,db.c@0,trigger} | altered db.r | altered db.c"},
                {"ALTER TABLE r EXCHANGE PARTITION p0 WITH TABLE skip1", "error enters_filter"},
                {"ALTER TABLE skip2 EXCHANGE PARTITION q0 WITH TABLE c", "error enters_filter"},
                {"ALTER TABLE skip2 EXCHANGE PARTITION q0 WITH TABLE other.o", "outside"});
}

static void create_database_and_drop_view_concern_the_trigger(void **state)
{
    (void)state;
    CHECK_CASES({"CREATE DATABASE whole", "create_database {trigger}"},
                {"CREATE DATABASE IF NOT EXISTS part", "create_database {trigger}"},
                {"CREATE SCHEMA elsewhere", "outside"}, {"DROP VIEW v", "drop_view {trigger}"},
                {"DROP VIEW IF EXISTS v, vo", "drop_view {trigger} | DROP VIEW IF EXISTS `db`.`v`"},
                {"DROP VIEW vo", "outside"}, {"DROP VIEW other.v", "outside"});
}

static void create_view_and_the_unknown_stop_everything(void **state)
{
    (void)state;
    CHECK_CASES(
        {"CREATE VIEW w AS SELECT * FROM a", "create_view ALL"},
        {"CREATE ALGORITHM=UNDEFINED DEFINER=`root`@`localhost` SQL SECURITY DEFINER VIEW `w` AS "
         "select a.id from a join whole.w1 using (id) where a.id in (select id from part.x)",
         "create_view ALL"},
        {"ALTER VIEW v AS SELECT 1", "create_view ALL"},
        {"CREATE OR REPLACE VIEW w AS SELECT 1", "create_view ALL"},
        {"CREATE VIEW w AS SELECT * FROM v", "create_view ALL"},
        {"CREATE VIEW w AS SELECT * FROM vo", "warned"},
        {"CREATE VIEW w AS SELECT * FROM a, skip1", "warned"},
        {"CREATE VIEW w AS SELECT * FROM a LEFT JOIN other.o ON 1", "warned"},
        {"CREATE VIEW w AS SELECT 1 FROM a WHERE EXISTS (SELECT 1 FROM other.o)", "warned"},
        {"CREATE VIEW w AS SELECT EXTRACT(YEAR FROM skip1) FROM a", "create_view ALL"},
        {"CREATE VIEW w AS WITH skip1 AS (SELECT 1 FROM a), y AS (SELECT * FROM skip1) SELECT * "
         "FROM skip1, y",
         "create_view ALL"},
        {"CREATE VIEW w AS SELECT 1 UNION SELECT id FROM (a, (SELECT id FROM skip1) d)", "warned"},
        {"CREATE VIEW other.w AS SELECT * FROM a", "outside"},
        {"FROBNICATE TABLE a", "unknown ALL"}, {"CREATE", "unknown ALL"},
        {"ALTER TABLE a FROB z", "unknown ALL"}, {"ALTER TABLE skip1 FROB z", "outside"},
        {"ALTER TABLE a DROP COLUMN nothing", "unknown ALL"}, {"CREATE TABLE 'a", "unknown ALL"},
        {"TRUNCATE TABLE nothing", "unknown ALL"});
}

static void drop_and_alter_database_block_the_schema(void **state)
{
    (void)state;
    CHECK_CASES(
        {"DROP DATABASE whole", "drop_database DB -DB | dropped whole.w1 | dropped whole.w2"},
        {"DROP DATABASE part",
         "drop_database DB -DB | dropped part.x | DROP TABLE IF EXISTS `part`.`x`"},
        {"DROP TABLE part.x;;DROP DATABASE part", "outside"},
        {"DROP SCHEMA IF EXISTS other", "outside"},
        {"CREATE TABLE whole.z (p INT, FOREIGN KEY (p) REFERENCES fk.p (id));;DROP DATABASE fk",
         "drop_database ALL -DB | dropped fk.k | dropped fk.p | dropped fk.tree"},
        {"ALTER DATABASE db CHARACTER SET utf8mb4", "alter_database DB"},
        {"ALTER DATABASE CHARACTER SET utf8mb4", "alter_database DB"},
        {"ALTER DATABASE other CHARACTER SET utf8mb4", "outside"},
        {"CREATE OR REPLACE DATABASE whole",
         "create_database DB -DB | dropped whole.w1 | dropped whole.w2"},
        {"CREATE OR REPLACE DATABASE part",
         "drop_database DB -DB | dropped part.x | DROP TABLE IF EXISTS `part`.`x`"});
}

static void what_is_never_replicated_is_skipped_by_kind(void **state)
{
    (void)state;
    CHECK_CASES(
        {"ANALYZE TABLE a", "skipped analyze"}, {"OPTIMIZE TABLE a", "skipped optimize"},
        {"ALTER TABLE r ANALYZE PARTITION p0", "skipped analyze"},
        {"FLUSH TABLES", "skipped flush"}, {"GRANT ALL ON *.* TO x", "skipped grant"},
        {"REVOKE ALL ON *.* FROM x", "skipped revoke"}, {"CREATE USER x", "skipped user"},
        {"ALTER USER x IDENTIFIED BY 'y'", "skipped user"}, {"DROP USER x", "skipped user"},
        {"RENAME USER x TO y", "skipped user"}, {"CREATE ROLE x", "skipped role"},
        {"SET PASSWORD FOR x = ''", "skipped set"},
        {"CREATE DEFINER=`root`@`localhost` PROCEDURE p() SELECT 1", "skipped routine"},
        {"CREATE DEFINER=`root`@`%` FUNCTION f() RETURNS INT RETURN 1", "skipped routine"},
        {"DROP FUNCTION f", "skipped routine"},
        {"CREATE DEFINER=CURRENT_USER() TRIGGER t BEFORE INSERT ON a FOR EACH ROW SET @x = 1",
         "skipped trigger"},
        {"DROP TRIGGER t", "skipped trigger"},
        {"CREATE DEFINER=root@localhost EVENT e ON SCHEDULE EVERY 1 DAY DO SELECT 1",
         "skipped event"},
        {"ALTER EVENT e DISABLE", "skipped event"},
        {"CREATE SEQUENCE s START WITH 5", "skipped sequence"},
        {"ALTER SEQUENCE seq RESTART 10", "skipped sequence"},
        {"ALTER TABLE seq RENAME TO seq3", "skipped sequence"},
        {"DROP SEQUENCE seq", "skipped sequence"},
        {"CREATE TEMPORARY TABLE t (a INT)", "skipped temporary table"},
        {"DROP TEMPORARY TABLE IF EXISTS a", "skipped temporary table"},
        {"# nothing", "skipped comment"}, {"/*!999999 DROP TABLE a */", "skipped comment"});
}

static void row_changes_as_text_fail_the_changefeed(void **state)
{
    (void)state;
    CHECK_CASES({"INSERT INTO a VALUES (1)", "error source_statement_format"},
                {"UPDATE LOW_PRIORITY a SET v = 1", "error source_statement_format"},
                {"DELETE FROM db.a", "error source_statement_format"},
                {"REPLACE a VALUES (1)", "error source_statement_format"},
                {"LOAD DATA INFILE 'x' INTO TABLE a", "error source_statement_format"},
                {"INSERT INTO other.o VALUES (1)", "outside"},
                {"DELETE FROM mysql.proc WHERE 1", "outside"},
                {"UPDATE other.o, a SET v = 1", "error source_statement_format"});
}

static void tablespace_swaps_are_refused(void **state)
{
    (void)state;
    CHECK_CASES({"ALTER TABLE a DISCARD TABLESPACE", "error ddl_unsupported"},
                {"ALTER TABLE a IMPORT TABLESPACE", "error ddl_unsupported"},
                {"ALTER TABLE other.o IMPORT TABLESPACE", "outside"});
}

static void ddl_outside_the_filter_is_nothing_but_is_followed(void **state)
{
    (void)state;
    CHECK_CASES(
        {"ALTER TABLE other.o ADD z INT", "outside"}, {"CREATE TABLE other.n (a INT)", "outside"},
        {"TRUNCATE other.o", "outside"}, {"CREATE TABLE mysql.n (a INT)", "outside"},
        {"ALTER TABLE other.o ADD z INT;;CREATE TABLE n LIKE other.o",
         "create_table {trigger} +db.n@102 | created db.n | CREATE TABLE `db`.`n` (\n  `id` "
         "int(11) NOT NULL,\n  `z` int(11) DEFAULT NULL\n) DEFAULT CHARSET=latin1 "
         "COLLATE=latin1_swedish_ci"});
}

/* ---- what the error says ---- */

static void entering_names_both_tables_and_the_rule(void **state)
{
    (void)state;
    source_t *source = source_open();
    assert_int_equal(apply(source, "RENAME TABLE other.o TO db.z"), SLUICE_ERROR_ENTERS_FILTER);
    assert_non_null(strstr(source->report.text, "other.o"));
    assert_non_null(strstr(source->report.text, "db.z"));
    assert_non_null(strstr(source->report.text, "'db.*'"));
    source_close(source);
}

static void an_error_leaves_the_tracker_as_it_was(void **state)
{
    (void)state;
    source_t *source = source_open();
    assert_int_equal(apply(source, "RENAME TABLE a TO z, skip1 TO y"), SLUICE_ERROR_ENTERS_FILTER);
    assert_int_equal(schema_tracker_position(source->tracker).v, 100);
    assert_non_null(
        schema_tracker_find(source->tracker, bytes_of_text("db"), bytes_of_text("a")).definition);
    assert_null(
        schema_tracker_find(source->tracker, bytes_of_text("db"), bytes_of_text("z")).definition);
    source_close(source);
}

static void refuses_what_is_not_above_its_position(void **state)
{
    (void)state;
    source_t *source = source_open();
    source->ts = 99;
    assert_int_equal(apply(source, "DROP TABLE a"), SLUICE_ERROR_STATE);
    source_close(source);
}

/* ---- identities, versions, lists ---- */

static tracked_table_t find(const source_t *source, const char *schema, const char *name)
{
    return schema_tracker_find(source->tracker, bytes_of_text(schema), bytes_of_text(name));
}

static void identity_survives_rename_and_truncate_but_not_a_new_table(void **state)
{
    (void)state;
    source_t *source = source_open();
    table_id_t id = find(source, "db", "a").definition->table_id;
    assert_true(id.v == table_id_derive(bytes_of_text("db"), bytes_of_text("a"), COMMIT_TS_NONE).v);
    assert_int_equal(apply(source, "RENAME TABLE a TO z"), SLUICE_OK);
    const table_definition_t *renamed = find(source, "db", "z").definition;
    assert_true(renamed->table_id.v == id.v);
    assert_int_equal(renamed->last_change.commit_ts.v, 101);
    assert_int_equal(renamed->version.v, 101);
    assert_int_equal(apply(source, "TRUNCATE z"), SLUICE_OK);
    assert_int_equal(apply(source, "ALTER TABLE z ADD q INT"), SLUICE_OK);
    assert_true(find(source, "db", "z").definition->table_id.v == id.v);
    assert_int_equal(apply(source, "DROP TABLE z"), SLUICE_OK);
    assert_int_equal(apply(source, "CREATE TABLE z (a INT)"), SLUICE_OK);
    const table_definition_t *again = find(source, "db", "z").definition;
    assert_true(again->table_id.v != id.v);
    assert_int_equal(again->created.v, 105);
    source_close(source);
}

static void answers_for_every_commit_ts_that_is_not_forgotten(void **state)
{
    (void)state;
    source_t *source = source_open();
    bytes_t db = bytes_of_text("db"), a = bytes_of_text("a");
    assert_int_equal(apply(source, "ALTER TABLE a ADD one INT"), SLUICE_OK);
    assert_int_equal(apply(source, "ALTER TABLE a ADD two INT"), SLUICE_OK);
    assert_int_equal(apply(source, "DROP TABLE a"), SLUICE_OK);
    schema_tracker_t *tracker = source->tracker;
    static const uint32_t columns[] = {2, 3, 4};
    for (uint64_t ts = 100; ts < 103; ts++)
        assert_int_equal(
            schema_tracker_find_at(tracker, db, a, (commit_ts_t){ts}).definition->column_count,
            columns[ts - 100]);
    assert_null(schema_tracker_find(tracker, db, a).definition);
    const table_info_t *tables;
    uint32_t before = 0, after = 0;
    assert_int_equal(schema_tracker_table_list(tracker, (commit_ts_t){102}, false, &source->arena,
                                               &tables, &before),
                     SLUICE_OK);
    for (uint32_t i = 1; i < before; i++)
        assert_true(tables[i - 1].table_id.v < tables[i].table_id.v);
    assert_int_equal(schema_tracker_table_list(tracker, (commit_ts_t){103}, false, &source->arena,
                                               &tables, &after),
                     SLUICE_OK);
    assert_int_equal(before, 10);
    assert_int_equal(after, 9);
    assert_int_equal(schema_tracker_table_list(tracker, (commit_ts_t){104}, false, &source->arena,
                                               &tables, &after),
                     SLUICE_ERROR_AGAIN);
    assert_int_equal(schema_tracker_table_list(tracker, (commit_ts_t){104}, true, &source->arena,
                                               &tables, &after),
                     SLUICE_OK);
    schema_tracker_forget(tracker, (commit_ts_t){102});
    assert_int_equal(schema_tracker_table_list(tracker, (commit_ts_t){101}, false, &source->arena,
                                               &tables, &after),
                     SLUICE_ERROR_NOT_FOUND);
    assert_int_equal(
        schema_tracker_find_at(tracker, db, a, (commit_ts_t){102}).definition->column_count, 4);
    schema_tracker_forget(tracker, (commit_ts_t){103});
    assert_null(schema_tracker_find_at(tracker, db, a, (commit_ts_t){103}).definition);
    source_close(source);
}

static void events_outlive_the_tracker(void **state)
{
    (void)state;
    source_t *source = source_open();
    assert_int_equal(apply(source, "ALTER TABLE a DROP v, ADD w INT FIRST"), SLUICE_OK);
    ddl_event_t *event = ddl_event_ref(source->outcome.event);
    source_close(source);
    assert_string_equal(event->changes[0].before->columns[1].name, "v");
    assert_string_equal(event->changes[0].after->columns[0].name, "w");
    assert_int_equal(event->changes[0].column_sources[0], COLUMN_SOURCE_NEW);
    assert_int_equal(event->changes[0].column_sources[1], 0);
    assert_string_equal(event->sql_utf8, "ALTER TABLE a DROP v, ADD w INT FIRST");
    assert_string_equal(event->context.default_schema, "db");
    assert_string_equal(event->schema, "db");
    assert_string_equal(event->object, "a");
    ddl_event_unref(&event);
}

static void partition_ddl_names_its_partitions(void **state)
{
    (void)state;
    source_t *source = source_open();
    assert_int_equal(apply(source, "ALTER TABLE r TRUNCATE PARTITION p0, p1"), SLUICE_OK);
    assert_int_equal(source->outcome.event->partition_count, 2);
    assert_string_equal(source->outcome.event->partitions[1], "p1");
    assert_int_equal(apply(source, "ALTER TABLE r TRUNCATE PARTITION ALL"), SLUICE_OK);
    assert_true(source->outcome.event->names_all_partitions);
    assert_int_equal(apply(source, "ALTER TABLE r DROP PARTITION p0"), SLUICE_OK);
    const table_change_t *change = &source->outcome.event->changes[0];
    assert_string_equal(change->before->partition_text,
                        "PARTITION BY RANGE (`id`) (PARTITION `p0` VALUES LESS THAN (10), "
                        "PARTITION `p1` VALUES LESS THAN (20))");
    assert_string_equal(change->after->partition_text,
                        "PARTITION BY RANGE (`id`) (PARTITION `p1` VALUES LESS THAN (20))");
    source_close(source);
}

static void references_follow_renames(void **state)
{
    (void)state;
    source_t *source = source_open();
    assert_int_equal(apply(source, "RENAME TABLE fk.p TO fk.q, fk.k TO fk.kk"), SLUICE_OK);
    const foreign_key_t *key = &find(source, "fk", "kk").definition->foreign_keys[0];
    assert_string_equal(key->referenced_table, "q");
    assert_string_equal(key->name, "kk_ibfk_1");
    assert_int_equal(apply(source, "RENAME TABLE fk.tree TO fk.forest"), SLUICE_OK);
    assert_string_equal(find(source, "fk", "forest").definition->foreign_keys[0].referenced_table,
                        "forest");
    assert_string_equal(source->outcome.event->changes[0].after->foreign_keys[0].referenced_table,
                        "forest");
    assert_int_equal(apply(source, "ALTER TABLE fk.q CHANGE id pid INT NOT NULL"), SLUICE_OK);
    key = &find(source, "fk", "kk").definition->foreign_keys[0];
    assert_string_equal(key->referenced_columns[0], "pid");
    source_close(source);
}

static void new_tables_take_the_charset_of_their_schema(void **state)
{
    (void)state;
    source_t *source = source_open();
    assert_int_equal(apply(source, "CREATE TABLE n1 (v VARCHAR(3))"), SLUICE_OK);
    assert_string_equal(find(source, "db", "n1").definition->columns[0].charset, "latin1");
    assert_int_equal(apply(source, "ALTER DATABASE db CHARACTER SET utf8mb4"), SLUICE_OK);
    assert_int_equal(apply(source, "CREATE TABLE n2 (v VARCHAR(3))"), SLUICE_OK);
    assert_string_equal(find(source, "db", "n2").definition->columns[0].charset, "utf8mb4");
    assert_int_equal(apply(source, "CREATE DATABASE whole2 COLLATE gbk_bin"), SLUICE_OK);
    assert_int_equal(apply(source, "CREATE DATABASE IF NOT EXISTS whole2"), SLUICE_OK);
    assert_int_equal(apply(source, "CREATE TABLE whole2.n (v VARCHAR(3))"), SLUICE_OK);
    assert_string_equal(find(source, "whole2", "n").definition->collation, "gbk_bin");
    assert_int_equal(apply(source, "CREATE DATABASE whole3"), SLUICE_OK);
    assert_int_equal(apply(source, "CREATE TABLE whole3.n (v VARCHAR(3))"), SLUICE_OK);
    assert_string_equal(find(source, "whole3", "n").definition->collation, "latin1_swedish_ci");
    source_close(source);
}

static void reads_statements_in_the_charset_of_their_session(void **state)
{
    (void)state;
    source_t *source = source_open();
    /* In gbk 0x95 0x5c is one character whose second byte is a backslash. */
    logged_ddl_t ddl = {
        .commit_ts = {101},
        .sql = bytes_of_text("CREATE TABLE g (a VARCHAR(9) COMMENT '\x95\x5c', b INT)"),
        .context = {.default_schema = "db", .charset_client = 28}};
    assert_int_equal(schema_tracker_apply(source->tracker, &ddl, &source->outcome, &source->report),
                     SLUICE_OK);
    const table_definition_t *table = find(source, "db", "g").definition;
    assert_int_equal(table->column_count, 2);
    assert_string_equal(table->columns[0].comment, "\xe6\x98\x9e");
    assert_true(bytes_equal(source->outcome.event->sql, ddl.sql));
    source_close(source);
}

static void the_session_decides_how_text_reads(void **state)
{
    (void)state;
    source_t *source = source_open();
    logged_ddl_t ddl = {.commit_ts = {101},
                        .sql = bytes_of_text("CREATE TABLE \"q\" (\"a\" TIMESTAMP, b TIMESTAMP, c "
                                             "VARCHAR(5) DEFAULT '\\')"),
                        .context = {.default_schema = "db",
                                    .charset_client = 45,
                                    .has_sql_mode = true,
                                    .sql_mode = 0x4 | 0x100000,
                                    .has_option_flags = true,
                                    .option_flags = 0}};
    assert_int_equal(schema_tracker_apply(source->tracker, &ddl, &source->outcome, &source->report),
                     SLUICE_OK);
    const table_definition_t *table = find(source, "db", "q").definition;
    assert_int_equal(table->column_count, 3);
    assert_true(table->columns[0].flags & COLUMN_ON_UPDATE_NOW);
    assert_string_equal(table->columns[1].default_value, "0000-00-00 00:00:00");
    assert_string_equal(table->columns[2].default_value, "\\");
    source_close(source);
}

static void finds_nothing_in_system_schemas(void **state)
{
    (void)state;
    source_t *source = source_open();
    assert_int_equal(apply(source, "CREATE TABLE mysql.n (a INT)"), SLUICE_OK);
    assert_null(find(source, "mysql", "n").definition);
    assert_false(find(source, "db", "skip1").is_carried);
    assert_non_null(find(source, "db", "skip1").definition);
    assert_false(find(source, "db", "seq").is_carried);
    assert_true(find(source, "db", "a").is_carried);
    source_close(source);
}

static void names_fold_when_the_source_folds_them(void **state)
{
    (void)state;
    table_filter_t *filter;
    bytes_t rule = bytes_of_text("DB.*");
    assert_int_equal(table_filter_new(&rule, 1, true, &filter, NULL), SLUICE_OK);
    schema_tracker_options_t options = {.filter = filter, .lower_case_names = true};
    schema_tracker_t *tracker = schema_tracker_new(&options);
    assert_int_equal(schema_tracker_add_table(tracker, bytes_of_text("db"),
                                              bytes_of_text("CREATE TABLE `tab` (`a` int(11))"),
                                              NULL),
                     SLUICE_OK);
    schema_outcome_t outcome;
    logged_ddl_t ddl = {.commit_ts = {5},
                        .sql = bytes_of_text("ALTER TABLE TAB ADD x INT"),
                        .context = {.default_schema = "Db"}};
    assert_int_equal(schema_tracker_apply(tracker, &ddl, &outcome, NULL), SLUICE_OK);
    assert_int_equal(outcome.kind, SCHEMA_EVENT);
    ddl_event_unref(&outcome.event);
    tracked_table_t found = schema_tracker_find(tracker, bytes_of_text("DB"), bytes_of_text("Tab"));
    assert_int_equal(found.definition->column_count, 2);
    schema_tracker_destroy(&tracker);
    table_filter_destroy(&filter);
}

static void tells_which_tables_can_be_split(void **state)
{
    (void)state;
    static const struct {
        const char *create;
        bool splittable;
    } cases[] = {
        {"CREATE TABLE s1 (a INT PRIMARY KEY)", true},
        {"CREATE TABLE s2 (a BIGINT UNSIGNED, b INT, PRIMARY KEY (a, b))", true},
        {"CREATE TABLE s3 (a BINARY(16) PRIMARY KEY)", true},
        {"CREATE TABLE s4 (a VARCHAR(5) PRIMARY KEY)", false},
        {"CREATE TABLE s5 (a INT PRIMARY KEY, b INT UNIQUE)", false},
        {"CREATE TABLE s6 (a INT)", false},
        {"CREATE TABLE s7 (a INT NOT NULL UNIQUE)", true},
        {"CREATE TABLE s8 (a INT PRIMARY KEY) WITH SYSTEM VERSIONING", false},
    };
    source_t *source = source_open();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(apply(source, cases[i].create), SLUICE_OK);
        if (source->outcome.event->payload.added[0].splittable != cases[i].splittable)
            fail_msg("%s", cases[i].create);
    }
    source_close(source);
}

/* ---- snapshot and forward ---- */

static bytes_t snapshot_at(source_t *source, uint64_t at)
{
    bytes_t snapshot;
    assert_int_equal(schema_tracker_snapshot(source->tracker, (commit_ts_t){at}, false,
                                             &source->arena, &snapshot),
                     SLUICE_OK);
    return snapshot;
}

static const char *const history[] = {
    "CREATE TABLE n (id INT PRIMARY KEY, v TEXT, g INT AS (id + 1), KEY k (v(5)) COMMENT 'x')",
    "RENAME TABLE a TO z, b TO a",
    "ALTER TABLE n ADD d DATETIME(3) DEFAULT now(3), PARTITION BY HASH (id) PARTITIONS 4",
    "CREATE TABLE skip7 (e ENUM('a','b') CHARACTER SET gbk DEFAULT 'b', CHECK (e <> 'a'))",
    "CREATE TABLE m LIKE skip7",
    "CREATE DATABASE whole9 CHARACTER SET gbk",
    "CREATE TABLE whole9.t (v VARCHAR(9))",
    "CREATE TABLE fk.allowed (p INT, FOREIGN KEY (p) REFERENCES fk.p (id) ON DELETE SET NULL)",
    "CREATE VIEW w AS SELECT * FROM n",
    "DROP TABLE c",
    "CREATE SEQUENCE s2",
    "ALTER TABLE other.o ADD later INT",
    "DROP DATABASE part",
};

static void a_snapshot_is_the_same_state(void **state)
{
    (void)state;
    source_t *source = source_open();
    for (size_t i = 0; i < sizeof history / sizeof history[0]; i++)
        if (apply(source, history[i]) != SLUICE_OK)
            fail_msg("%s: %s", history[i], source->report.text);
    for (uint64_t at = 100; at <= source->ts; at++) {
        bytes_t snapshot = snapshot_at(source, at);
        schema_tracker_options_t options = options_of(source);
        schema_tracker_t *restored;
        assert_int_equal(
            schema_tracker_from_snapshot(&options, snapshot, &restored, &source->report),
            SLUICE_OK);
        assert_int_equal(schema_tracker_position(restored).v, at);
        bytes_t again;
        assert_int_equal(
            schema_tracker_snapshot(restored, (commit_ts_t){at}, false, &source->arena, &again),
            SLUICE_OK);
        assert_true(bytes_equal(snapshot, again));
        schema_tracker_destroy(&restored);
    }
    source_close(source);
}

static void a_snapshot_and_the_ddls_behind_it_come_to_the_same_state(void **state)
{
    (void)state;
    source_t *source = source_open();
    schema_tracker_options_t options = options_of(source);
    schema_tracker_t *follower;
    assert_int_equal(schema_tracker_from_snapshot(&options, snapshot_at(source, 100), &follower,
                                                  &source->report),
                     SLUICE_OK);
    for (size_t i = 0; i < sizeof history / sizeof history[0]; i++) {
        assert_int_equal(apply(source, history[i]), SLUICE_OK);
        schema_ddl_t encoded;
        if (source->outcome.kind == SCHEMA_EVENT) {
            encoded = schema_ddl_of_event(source->outcome.event);
        } else {
            assert_true(source->outcome.changes_schema);
            logged_ddl_t plain = {.commit_ts = {source->ts},
                                  .sql = bytes_of_text(history[i]),
                                  .context = {.default_schema = "db",
                                              .charset_client = 45,
                                              .collation_server = 8,
                                              .has_sql_mode = true}};
            encoded = schema_ddl_encode(&plain, &source->arena);
        }
        logged_ddl_t decoded;
        schema_outcome_t outcome;
        assert_int_equal(schema_ddl_decode(&encoded, &source->arena, &decoded), SLUICE_OK);
        assert_int_equal(schema_tracker_apply(follower, &decoded, &outcome, &source->report),
                         SLUICE_OK);
        ddl_event_unref(&outcome.event);
        bytes_t mine = snapshot_at(source, source->ts), theirs;
        assert_int_equal(schema_tracker_snapshot(follower, (commit_ts_t){source->ts}, false,
                                                 &source->arena, &theirs),
                         SLUICE_OK);
        if (!bytes_equal(mine, theirs))
            fail_msg("states differ after %s", history[i]);
    }
    schema_tracker_destroy(&follower);
    source_close(source);
}

static void a_snapshot_says_what_the_source_is(void **state)
{
    (void)state;
    source_t *source = source_open();
    schema_tracker_options_t options = {.filter = source->filter, .lower_case_names = true};
    schema_tracker_t *restored;
    assert_int_equal(schema_tracker_from_snapshot(&options, snapshot_at(source, 100), &restored,
                                                  &source->report),
                     SLUICE_OK);
    logged_ddl_t ddl = {.commit_ts = {101},
                        .sql = bytes_of_text("CREATE TABLE `Up` (a VARCHAR(3) /*!101119 , b INT */ "
                                             "/*!101120 , c INT */)"),
                        .context = {.default_schema = "Case"}};
    schema_outcome_t outcome;
    assert_int_equal(schema_tracker_apply(restored, &ddl, &outcome, &source->report), SLUICE_OK);
    const table_definition_t *made = outcome.event->changes[0].after;
    assert_string_equal(made->name, "Up");
    assert_int_equal(made->column_count, 2);
    assert_string_equal(made->columns[0].charset, "latin1");
    ddl_event_unref(&outcome.event);
    schema_tracker_destroy(&restored);
    source_close(source);
}

static void a_broken_snapshot_is_an_error(void **state)
{
    (void)state;
    source_t *source = source_open();
    bytes_t snapshot = snapshot_at(source, 100);
    schema_tracker_options_t options = options_of(source);
    schema_tracker_t *restored;
    for (size_t len = 0; len < snapshot.len; len += 7) {
        assert_int_equal(
            schema_tracker_from_snapshot(&options, bytes_of(snapshot.data, len), &restored, NULL),
            SLUICE_ERROR_MALFORMED);
        assert_null(restored);
    }
    uint8_t *copy = memory_alloc(snapshot.len);
    uint32_t seed = 1;
    for (int i = 0; i < 3000; i++) {
        memcpy(copy, snapshot.data, snapshot.len);
        for (int j = 0; j < 3; j++) {
            seed = seed * 1664525u + 1013904223u;
            copy[(seed >> 8) % snapshot.len] = (uint8_t)(seed >> 24);
        }
        if (schema_tracker_from_snapshot(&options, bytes_of(copy, snapshot.len), &restored, NULL) ==
            SLUICE_OK)
            schema_tracker_destroy(&restored);
    }
    memcpy(copy, snapshot.data, snapshot.len);
    copy[5] = 99; /* the version, behind a magic of five bytes */
    assert_int_equal(
        schema_tracker_from_snapshot(&options, bytes_of(copy, snapshot.len), &restored, NULL),
        SLUICE_ERROR_UNSUPPORTED);
    free(copy);
    source_close(source);
}

static void a_snapshot_keeps_thousands_of_tables(void **state)
{
    (void)state;
    source_t *source = source_open();
    for (int i = 0; i < 10000; i++) {
        const char *create =
            arena_printf(&source->arena,
                         "CREATE TABLE `t%d` (`id` int(11) NOT NULL, `v` varchar(10) DEFAULT "
                         "NULL, PRIMARY KEY (`id`))",
                         i);
        assert_int_equal(schema_tracker_add_table(source->tracker, bytes_of_text("db"),
                                                  bytes_of_text(create), &source->report),
                         SLUICE_OK);
    }
    bytes_t snapshot = snapshot_at(source, 100);
    schema_tracker_options_t options = options_of(source);
    schema_tracker_t *restored;
    const table_info_t *tables;
    uint32_t count;
    assert_int_equal(schema_tracker_from_snapshot(&options, snapshot, &restored, NULL), SLUICE_OK);
    assert_int_equal(schema_tracker_table_list(restored, (commit_ts_t){100}, false, &source->arena,
                                               &tables, &count),
                     SLUICE_OK);
    assert_int_equal(count, 10010);
    schema_tracker_destroy(&restored);
    source_close(source);
}

static void refuses_a_table_it_cannot_read_only_inside_the_filter(void **state)
{
    (void)state;
    source_t *source = source_open();
    bytes_t create = bytes_of_text("CREATE TABLE `bad` (`a` frobtype DEFAULT NULL)");
    assert_int_equal(
        schema_tracker_add_table(source->tracker, bytes_of_text("db"), create, &source->report),
        SLUICE_ERROR_DDL_UNSUPPORTED);
    assert_non_null(strstr(source->report.text, "bad"));
    assert_int_equal(
        schema_tracker_add_table(source->tracker, bytes_of_text("other"), create, &source->report),
        SLUICE_OK);
    source_close(source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alter_index_truncate_and_partition_losses_block_their_table),
        cmocka_unit_test(create_table_adds_to_the_table_list),
        cmocka_unit_test(create_select_starts_at_its_own_rows),
        cmocka_unit_test(create_or_replace_drops_and_adds),
        cmocka_unit_test(drop_table_names_what_is_carried),
        cmocka_unit_test(convert_partition_adds_and_drops),
        cmocka_unit_test(foreign_keys_bring_their_neighbours),
        cmocka_unit_test(cascading_foreign_keys_are_refused_unless_allowed),
        cmocka_unit_test(rename_moves_leaves_and_refuses_to_enter),
        cmocka_unit_test(exchange_partition_blocks_both_tables),
        cmocka_unit_test(create_database_and_drop_view_concern_the_trigger),
        cmocka_unit_test(create_view_and_the_unknown_stop_everything),
        cmocka_unit_test(drop_and_alter_database_block_the_schema),
        cmocka_unit_test(what_is_never_replicated_is_skipped_by_kind),
        cmocka_unit_test(row_changes_as_text_fail_the_changefeed),
        cmocka_unit_test(tablespace_swaps_are_refused),
        cmocka_unit_test(ddl_outside_the_filter_is_nothing_but_is_followed),
        cmocka_unit_test(entering_names_both_tables_and_the_rule),
        cmocka_unit_test(an_error_leaves_the_tracker_as_it_was),
        cmocka_unit_test(refuses_what_is_not_above_its_position),
        cmocka_unit_test(identity_survives_rename_and_truncate_but_not_a_new_table),
        cmocka_unit_test(answers_for_every_commit_ts_that_is_not_forgotten),
        cmocka_unit_test(events_outlive_the_tracker),
        cmocka_unit_test(partition_ddl_names_its_partitions),
        cmocka_unit_test(references_follow_renames),
        cmocka_unit_test(new_tables_take_the_charset_of_their_schema),
        cmocka_unit_test(reads_statements_in_the_charset_of_their_session),
        cmocka_unit_test(the_session_decides_how_text_reads),
        cmocka_unit_test(finds_nothing_in_system_schemas),
        cmocka_unit_test(names_fold_when_the_source_folds_them),
        cmocka_unit_test(tells_which_tables_can_be_split),
        cmocka_unit_test(a_snapshot_is_the_same_state),
        cmocka_unit_test(a_snapshot_and_the_ddls_behind_it_come_to_the_same_state),
        cmocka_unit_test(a_snapshot_says_what_the_source_is),
        cmocka_unit_test(a_broken_snapshot_is_an_error),
        cmocka_unit_test(a_snapshot_keeps_thousands_of_tables),
        cmocka_unit_test(refuses_a_table_it_cannot_read_only_inside_the_filter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
