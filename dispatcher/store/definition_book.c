#include "dispatcher/store/definition_book.h"

#include <stdlib.h>

#include "common/base/memory.h"

typedef struct {
    store_key_t from;
    const table_definition_t *definition; /* one reference */
} version_t;

typedef struct {
    version_t *versions;
    uint32_t count, capacity;
    store_key_t last; /* of the rows noted */
} page_t;

static map_key_t key_of(table_id_t table_id)
{
    return (map_key_t){0, table_id.v};
}

static void drop_first(definition_book_t *book, page_t *page, uint32_t count)
{
    if (count == 0)
        return;
    for (uint32_t i = 0; i < count; i++)
        table_definition_unref(&page->versions[i].definition);
    page->count -= count;
    book->count -= count;
    memmove(page->versions, page->versions + count, page->count * sizeof *page->versions);
}

static void free_page(definition_book_t *book, page_t *page)
{
    drop_first(book, page, page->count);
    free(page->versions);
    free(page);
}

void definition_book_clear(definition_book_t *book)
{
    size_t at = 0;
    page_t *page;
    while ((page = key_map_next(&book->tables, &at)))
        free_page(book, page);
    key_map_clear(&book->tables);
}

static page_t *page_of(definition_book_t *book, table_id_t table_id)
{
    page_t *page = key_map_get(&book->tables, key_of(table_id));
    if (!page) {
        page = memory_zalloc(sizeof *page);
        key_map_put(&book->tables, key_of(table_id), page);
    }
    return page;
}

void definition_book_add(definition_book_t *book, const table_definition_t *definition,
                         store_key_t key)
{
    page_t *page = page_of(book, definition->table_id);
    page->last = key;
    if (page->count && page->versions[page->count - 1].definition == definition)
        return;
    if (page->count == page->capacity) {
        page->capacity = page->capacity ? page->capacity * 2 : 1;
        page->versions = memory_realloc(page->versions, page->capacity * sizeof *page->versions);
    }
    page->versions[page->count++] = (version_t){key, table_definition_ref(definition)};
    book->count++;
}

const table_definition_t *definition_book_find(const definition_book_t *book, table_id_t table_id,
                                               store_key_t key)
{
    const page_t *page = key_map_get(&book->tables, key_of(table_id));
    uint32_t low = 0, high = page ? page->count : 0;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (store_key_compare(page->versions[middle].from, key) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? page->versions[low - 1].definition : NULL;
}

void definition_book_forget(definition_book_t *book, table_id_t table_id, store_key_t up_to)
{
    page_t *page = key_map_get(&book->tables, key_of(table_id));
    if (!page)
        return;
    if (store_key_compare(page->last, up_to) <= 0) {
        key_map_take(&book->tables, key_of(table_id));
        free_page(book, page);
        return;
    }
    uint32_t gone = 0;
    while (gone + 1 < page->count && store_key_compare(page->versions[gone + 1].from, up_to) <= 0)
        gone++;
    drop_first(book, page, gone);
}
