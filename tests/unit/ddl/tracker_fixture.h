/*
 * What the tests of the schema tracker share: a tracker over a small source, statements applied to
 * it, and what became of them as text.
 *
 * Threads: one.
 */
#ifndef SLUICE_TESTS_UNIT_DDL_TRACKER_FIXTURE_H
#define SLUICE_TESTS_UNIT_DDL_TRACKER_FIXTURE_H

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

static inline void note_name(const tracked_table_t *table, void *context)
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

static inline void note_names(source_t *source)
{
    schema_tracker_visit(source->tracker, COMMIT_TS_MAX, note_name, source);
}

static inline table_filter_t *filter_of(const char *const *texts, uint32_t count)
{
    bytes_t list[16];
    table_filter_t *filter;
    for (uint32_t i = 0; i < count; i++)
        list[i] = bytes_of_text(texts[i]);
    assert_int_equal(table_filter_new(list, count, false, &filter, NULL), SLUICE_OK);
    return filter;
}

static inline schema_tracker_options_t options_of(const source_t *source)
{
    return (schema_tracker_options_t){.filter = source->filter,
                                      .allowed_cascades = source->allowed,
                                      .server_version = 101119,
                                      .default_charset = "latin1"};
}

static inline source_t *source_open(void)
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

static inline void source_close(source_t *source)
{
    ddl_event_unref(&source->outcome.event);
    schema_tracker_destroy(&source->tracker);
    table_filter_destroy(&source->filter);
    table_filter_destroy(&source->allowed);
    arena_clear(&source->arena);
    free(source);
}

static inline sluice_error_t apply(source_t *source, const char *sql)
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

static inline const char *name_of(const source_t *source, table_id_t id)
{
    if (id.v == TABLE_ID_TRIGGER.v)
        return "trigger";
    for (uint32_t i = 0; i < source->name_count; i++)
        if (source->names[i].id.v == id.v)
            return source->names[i].name;
    return "?";
}

static inline void add_ids(const source_t *source, text_builder_t *text,
                           const influence_t *influence)
{
    for (uint32_t i = 0; i < influence->table_count; i++)
        text_add_format(text, "%s%s", i ? "," : "", name_of(source, influence->table_ids[i]));
}

/* "verb NORMAL{…} drop{…} add{…} move{…} | changes | rewritten text" */
static inline const char *describe_event(source_t *source, const ddl_event_t *event)
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

static inline const char *describe(source_t *source, sluice_error_t error)
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

static inline void check_cases(const case_t *cases, size_t count)
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

#endif
