#include "tests/testing.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "dispatcher/upstream/source.h"

typedef struct {
    char path[64];
    arena_t arena;
    error_report_t report;
    source_description_t description;
} fixture_t;

static int set_up(void **state)
{
    fixture_t *f = test_calloc(1, sizeof *f);
    strcpy(f->path, "/tmp/sluice-schema-XXXXXX");
    int fd = mkstemp(f->path);
    assert_true(fd >= 0);
    close(fd);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture_t *f = *state;
    unlink(f->path);
    arena_clear(&f->arena);
    test_free(f);
    return 0;
}

static const char create[] = "CREATE TABLE `a b` (\n  `x` int -- end 2\n)";

static void write_example(fixture_t *f)
{
    const source_object_t objects[] = {
        {SOURCE_SCHEMA, "d%1", "", "", "utf8mb4", NULL},
        {SOURCE_TABLE, "d%1", "a b", create, NULL, NULL},
        {SOURCE_VIEW, "d%1", "-", "CREATE VIEW", NULL, NULL},
    };
    source_description_t description = {
        .anchor = {.commit_time = {1700000000000}, .gtid_list = "0-1-100,3-3-7"},
        .domain = 3,
        .server_id = 1,
        .server_version = 101119,
        .lower_case_names = true,
        .default_charset = "latin1",
        .objects = objects,
        .object_count = 3,
    };
    assert_int_equal(source_schema_write(f->path, &description, &f->report), SLUICE_OK);
}

static void what_was_written_is_read_back(void **state)
{
    fixture_t *f = *state;
    write_example(f);
    assert_int_equal(source_schema_read(f->path, &f->arena, &f->description, &f->report),
                     SLUICE_OK);
    const source_description_t *d = &f->description;
    assert_string_equal(d->anchor.gtid_list, "0-1-100,3-3-7");
    assert_int_equal(d->anchor.commit_ts.v, 7);
    assert_int_equal(d->anchor.commit_time.v, 1700000000000);
    assert_int_equal(d->server_version, 101119);
    assert_true(d->lower_case_names);
    assert_string_equal(d->default_charset, "latin1");
    assert_null(d->default_collation);
    assert_int_equal(d->object_count, 3);
    assert_int_equal(d->objects[0].kind, SOURCE_SCHEMA);
    assert_string_equal(d->objects[0].schema, "d%1");
    assert_string_equal(d->objects[0].charset, "utf8mb4");
    assert_null(d->objects[0].collation);
    assert_int_equal(d->objects[1].kind, SOURCE_TABLE);
    assert_string_equal(d->objects[1].name, "a b");
    assert_string_equal(d->objects[1].create, create);
    assert_string_equal(d->objects[2].name, "-");
}

static size_t load(const fixture_t *f, char *text, size_t size)
{
    FILE *file = fopen(f->path, "re");
    assert_non_null(file);
    size_t len = fread(text, 1, size, file);
    fclose(file);
    return len;
}

static void store(const fixture_t *f, const char *text, size_t len)
{
    FILE *file = fopen(f->path, "we");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    fclose(file);
}

static void every_cut_is_refused(void **state)
{
    fixture_t *f = *state;
    char text[4096];
    write_example(f);
    size_t len = load(f, text, sizeof text);
    for (size_t cut = 0; cut < len; cut++) {
        store(f, text, cut);
        assert_int_equal(source_schema_read(f->path, &f->arena, &f->description, &f->report),
                         SLUICE_ERROR_MALFORMED);
    }
}

static void damage_is_named_by_its_line(void **state)
{
    fixture_t *f = *state;
    static const struct {
        const char *text;
        const char *expected;
    } damaged[] = {
        {"hello\n", "line 1"},
        {"sluice-schema 1\ngtid-list x\n", "line 2"},
        {"sluice-schema 1\ncolour blue\n", "line 2"},
        {"sluice-schema 1\ncolour 1\n", "line 2"},
        {"sluice-schema 1\n\ntable d t 5\nabc\nend 1\n", "line 3"},
        {"sluice-schema 1\n\ntable d t 3\nabc\nend 2\n", "line 5"},
        {"sluice-schema 1\n\ntable d% t 3\nabc\nend 1\n", "line 3"},
        {"sluice-schema 1\n\nthing d t 3\nabc\nend 1\n", "line 3"},
    };
    for (size_t i = 0; i < sizeof damaged / sizeof damaged[0]; i++) {
        store(f, damaged[i].text, strlen(damaged[i].text));
        assert_int_equal(source_schema_read(f->path, &f->arena, &f->description, &f->report),
                         SLUICE_ERROR_MALFORMED);
        assert_non_null(strstr(f->report.text, damaged[i].expected));
    }
}

static void a_later_format_is_refused(void **state)
{
    fixture_t *f = *state;
    store(f, "sluice-schema 2\n\nend 0\n", 23);
    assert_int_equal(source_schema_read(f->path, &f->arena, &f->description, &f->report),
                     SLUICE_ERROR_UNSUPPORTED);
}

static void a_missing_file_is_named(void **state)
{
    fixture_t *f = *state;
    assert_int_equal(
        source_schema_read("/nowhere/schema.sluice", &f->arena, &f->description, &f->report),
        SLUICE_ERROR_CONFIGURATION);
    assert_non_null(strstr(f->report.text, "/nowhere/schema.sluice"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_written_is_read_back), TEST(every_cut_is_refused),
        TEST(damage_is_named_by_its_line),   TEST(a_later_format_is_refused),
        TEST(a_missing_file_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
