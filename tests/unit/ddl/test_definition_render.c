#include "tests/testing.h"

#include "dispatcher/core/ddl/definition_render.h"
#include "tests/unit/ddl/ddl_testing.h"

static const table_definition_t *make(const char *create, arena_t *arena)
{
    const char *why;
    const table_definition_t *table = testing_create(create, &testing_context, arena, &why);
    if (!table)
        fail_msg("%s: %s", create, why);
    return table;
}

static void writes_a_create_table_with_everything(void **state)
{
    (void)state;
    arena_t arena;
    arena_init(&arena);
    const table_definition_t *table = make(
        "CREATE TABLE `a``b` (id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, v VARCHAR(5) DEFAULT "
        "'it''s' COMMENT 'c', e ENUM('x','y'), b BIT(3) DEFAULT 5, t TIMESTAMP NULL, g INT AS "
        "(id + 1) STORED, f INT, CHECK (id > 0), KEY k (v(3) DESC), FOREIGN KEY (f) REFERENCES "
        "p (id) ON DELETE SET NULL) ENGINE=Aria COMMENT='x' ROW_FORMAT=DYNAMIC",
        &arena);
    assert_string_equal(
        definition_render_create(table, NULL, NULL, 0, &arena),
        "CREATE TABLE `db`.`a``b` (\n"
        "  `id` int(10) unsigned NOT NULL AUTO_INCREMENT,\n"
        "  `v` varchar(5) CHARACTER SET latin1 COLLATE latin1_swedish_ci DEFAULT 'it''s' COMMENT "
        "'c',\n"
        "  `e` enum('x','y') CHARACTER SET latin1 COLLATE latin1_swedish_ci DEFAULT NULL,\n"
        "  `b` bit(3) DEFAULT 5,\n"
        "  `t` timestamp NULL DEFAULT NULL,\n"
        "  `g` int(11) GENERATED ALWAYS AS (id + 1) STORED,\n"
        "  `f` int(11) DEFAULT NULL,\n"
        "  PRIMARY KEY (`id`),\n"
        "  KEY `k` (`v`(3) DESC),\n"
        "  KEY `f` (`f`),\n"
        "  CONSTRAINT `a``b_ibfk_1` FOREIGN KEY (`f`) REFERENCES `db`.`p` (`id`) ON DELETE SET "
        "NULL,\n"
        "  CONSTRAINT `CONSTRAINT_1` CHECK (id > 0)\n"
        ") ENGINE=Aria DEFAULT CHARSET=latin1 COLLATE=latin1_swedish_ci ROW_FORMAT=DYNAMIC "
        "COMMENT='x'");
    table_definition_unref(&table);
    arena_clear(&arena);
}

static void writes_another_name_and_what_the_flags_say(void **state)
{
    (void)state;
    arena_t arena;
    arena_init(&arena);
    const table_definition_t *table = make("CREATE TABLE t (a INT, KEY (a))", &arena);
    assert_string_equal(definition_render_create(table, "x", "y", RENDER_OR_REPLACE, &arena),
                        "CREATE OR REPLACE TABLE `x`.`y` (\n  `a` int(11) DEFAULT NULL,\n  KEY `a` "
                        "(`a`)\n) DEFAULT "
                        "CHARSET=latin1 COLLATE=latin1_swedish_ci");
    assert_non_null(
        strstr(definition_render_create(table, NULL, NULL, RENDER_IF_NOT_EXISTS, &arena),
               "CREATE TABLE IF NOT EXISTS `db`.`t`"));
    table_definition_unref(&table);
    arena_clear(&arena);
}

static void leaves_hidden_columns_out(void **state)
{
    (void)state;
    arena_t arena;
    arena_init(&arena);
    const table_definition_t *table = make("CREATE TABLE t (a INT) WITH SYSTEM VERSIONING", &arena);
    assert_int_equal(table->column_count, 3);
    assert_string_equal(definition_render_create(table, NULL, NULL, 0, &arena),
                        "CREATE TABLE `db`.`t` (\n  `a` int(11) DEFAULT NULL\n) DEFAULT "
                        "CHARSET=latin1 COLLATE=latin1_swedish_ci WITH SYSTEM VERSIONING");
    table_definition_unref(&table);
    arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_a_create_table_with_everything),
        cmocka_unit_test(writes_another_name_and_what_the_flags_say),
        cmocka_unit_test(leaves_hidden_columns_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
