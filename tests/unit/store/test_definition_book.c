#include "tests/testing.h"

#include "dispatcher/store/definition_book.h"

static store_key_t key(uint64_t ts)
{
    return (store_key_t){{ts}, ts};
}

static const table_definition_t *definition(uint64_t table)
{
    table_definition_t *made = table_definition_new();
    made->table_id.v = table;
    return made;
}

static void rows_find_the_definition_they_were_written_with(void **state)
{
    (void)state;
    definition_book_t book = {0};
    const table_definition_t *old = definition(1), *new = definition(1), *other = definition(2);
    definition_book_add(&book, old, key(10));
    definition_book_add(&book, old, key(11));
    definition_book_add(&book, other, key(12));
    definition_book_add(&book, new, key(20));
    assert_int_equal(book.count, 3);
    assert_null(definition_book_find(&book, (table_id_t){1}, key(9)));
    assert_ptr_equal(definition_book_find(&book, (table_id_t){1}, key(10)), old);
    assert_ptr_equal(definition_book_find(&book, (table_id_t){1}, key(19)), old);
    assert_ptr_equal(definition_book_find(&book, (table_id_t){1}, key(20)), new);
    assert_ptr_equal(definition_book_find(&book, (table_id_t){2}, key(12)), other);
    assert_null(definition_book_find(&book, (table_id_t){3}, key(12)));
    definition_book_clear(&book);
    table_definition_unref(&old);
    table_definition_unref(&new);
    table_definition_unref(&other);
}

static void versions_go_with_the_last_row_of_them(void **state)
{
    (void)state;
    definition_book_t book = {0};
    const table_definition_t *old = definition(1), *new = definition(1);
    definition_book_add(&book, old, key(10));
    definition_book_add(&book, new, key(20));
    definition_book_add(&book, new, key(30));
    definition_book_forget(&book, (table_id_t){1}, store_key_behind((commit_ts_t){19}));
    assert_int_equal(book.count, 2);
    definition_book_forget(&book, (table_id_t){1}, store_key_behind((commit_ts_t){20}));
    assert_int_equal(book.count, 1);
    assert_ptr_equal(definition_book_find(&book, (table_id_t){1}, key(25)), new);
    definition_book_forget(&book, (table_id_t){1}, store_key_behind((commit_ts_t){30}));
    assert_int_equal(book.count, 0);
    assert_null(definition_book_find(&book, (table_id_t){1}, key(25)));
    definition_book_forget(&book, (table_id_t){1}, store_key_behind((commit_ts_t){30}));
    definition_book_clear(&book);
    table_definition_unref(&old);
    table_definition_unref(&new);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_find_the_definition_they_were_written_with),
        cmocka_unit_test(versions_go_with_the_last_row_of_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
