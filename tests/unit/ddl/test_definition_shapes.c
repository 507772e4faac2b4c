#include "tests/testing.h"

#include "dispatcher/core/ddl/definition_shapes.h"
#include "tests/unit/ddl/ddl_testing.h"

typedef struct {
    definition_shapes_t shapes;
    arena_t arena;
} fixture_t;

static int set_up(void **state)
{
    static fixture_t fixture;
    fixture = (fixture_t){0};
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    fixture_t *fixture = *state;
    definition_shapes_clear(&fixture->shapes);
    arena_clear(&fixture->arena);
    return 0;
}

static table_definition_t *make(fixture_t *fixture, const char *create)
{
    const char *why;
    table_definition_t *table = testing_create(create, &testing_context, &fixture->arena, &why);
    if (!table)
        fail_msg("%s: %s", create, why);
    return table;
}

static const table_definition_t *share(fixture_t *fixture, const char *create)
{
    return definition_shapes_share(&fixture->shapes, make(fixture, create));
}

static void forget(const table_definition_t *table)
{
    table_definition_unref(&table);
}

static void tables_that_differ_in_name_only_share_all_else(void **state)
{
    fixture_t *fixture = *state;
    const char *create = "CREATE TABLE other.b (id INT PRIMARY KEY, e ENUM('x','y') COMMENT 'c')";
    const table_definition_t *first =
        share(fixture, "CREATE TABLE db.a (id INT PRIMARY KEY, e ENUM('x','y') COMMENT 'c')");
    table_definition_t *plain = make(fixture, create);
    plain->table_id.v = 7;
    plain->created = plain->version = (commit_ts_t){70};
    plain->created_by_select = true;
    plain->last_change = (event_key_t){{71}, false};
    const table_definition_t *second = definition_shapes_share(&fixture->shapes, plain);
    assert_null(first->shape);
    assert_ptr_equal(second->shape, first);
    assert_ptr_equal(second->columns, first->columns);
    assert_string_equal(second->schema, "other");
    assert_string_equal(second->name, "b");
    assert_int_equal(second->table_id.v, 7);
    assert_int_equal(second->created.v, 70);
    assert_int_equal(second->version.v, 70);
    assert_true(second->created_by_select);
    assert_int_equal(second->last_change.commit_ts.v, 71);
    const table_definition_t *again = make(fixture, create);
    assert_null(testing_difference(second, again, &fixture->arena));
    forget(again);
    forget(first);
    forget(second);
}

static void a_table_outlives_the_one_whose_shape_it_has(void **state)
{
    fixture_t *fixture = *state;
    const table_definition_t *first = share(fixture, "CREATE TABLE a (id INT, v VARCHAR(9))");
    const table_definition_t *second = share(fixture, "CREATE TABLE b (id INT, v VARCHAR(9))");
    forget(first);
    definition_shapes_clear(&fixture->shapes);
    assert_string_equal(second->columns[1].name, "v");
    table_definition_t *clone = table_definition_clone(second);
    forget(second);
    assert_null(clone->shape);
    assert_string_equal(clone->columns[1].name, "v");
    assert_string_equal(clone->name, "b");
    forget(clone);
}

static void whatever_else_differs_is_another_shape(void **state)
{
    fixture_t *fixture = *state;
    static const char *const creates[] = {
        "CREATE TABLE t (id INT)",
        "CREATE TABLE t (id BIGINT)",
        "CREATE TABLE t (id INT NOT NULL)",
        "CREATE TABLE t (id INT DEFAULT 1)",
        "CREATE TABLE t (ID INT)",
        "CREATE TABLE t (id INT COMMENT 'x')",
        "CREATE TABLE t (id INT, KEY (id))",
        "CREATE TABLE t (id INT, UNIQUE (id))",
        "CREATE TABLE t (id INT, CHECK (id > 0))",
        "CREATE TABLE t (id INT) COMMENT='x'",
        "CREATE TABLE t (id INT) ROW_FORMAT=DYNAMIC",
        "CREATE TABLE t (id INT) ENGINE=Aria",
        "CREATE TABLE t (id INT) CHARSET=utf8mb4",
        "CREATE TABLE t (id INT) WITH SYSTEM VERSIONING",
        "CREATE TABLE t (id INT) PARTITION BY HASH (id)",
    };
    enum { COUNT = sizeof creates / sizeof creates[0] };
    const table_definition_t *tables[COUNT];
    for (int i = 0; i < COUNT; i++) {
        tables[i] = share(fixture, creates[i]);
        assert_null(tables[i]->shape);
    }
    for (int i = 0; i < COUNT; i++)
        forget(tables[i]);
}

/* ALTER after ALTER: each leaves a shape behind that nobody has. */
static void shapes_that_no_table_has_any_more_are_forgotten(void **state)
{
    fixture_t *fixture = *state;
    const table_definition_t *kept = share(fixture, "CREATE TABLE t (id INT)");
    size_t most = 0;
    for (int i = 0; i < 4 * SHAPES_UNUSED_MAX; i++) {
        arena_reset(&fixture->arena);
        forget(share(fixture, arena_printf(&fixture->arena, "CREATE TABLE t (c%d INT)", i)));
        most = fixture->shapes.by_hash.count > most ? fixture->shapes.by_hash.count : most;
    }
    assert_true(most <= SHAPES_UNUSED_MAX + 2);
    const table_definition_t *other = share(fixture, "CREATE TABLE u (id INT)");
    assert_ptr_equal(other->shape, kept);
    forget(kept);
    forget(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tables_that_differ_in_name_only_share_all_else, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_table_outlives_the_one_whose_shape_it_has, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(whatever_else_differs_is_another_shape, set_up, tear_down),
        cmocka_unit_test_setup_teardown(shapes_that_no_table_has_any_more_are_forgotten, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
