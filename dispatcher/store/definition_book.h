/*
 * Which definition the stored rows of a table are of: the versions of each table in the order in
 * which they came, kept as long as rows of them may be in the store.
 *
 * Pure. Threads: one owner.
 */
#ifndef SLUICE_DISPATCHER_STORE_DEFINITION_BOOK_H
#define SLUICE_DISPATCHER_STORE_DEFINITION_BOOK_H

#include "common/base/key_map.h"
#include "dispatcher/core/store_request.h"

/* Versions in a book, at most: its owner's to keep. */
#define DEFINITION_BOOK_MAX 262144

/* A value; all zero is an empty one. */
typedef struct {
    key_map_t tables;
    uint32_t count; /* of versions, all tables together */
} definition_book_t;

void definition_book_clear(definition_book_t *book);

/* Rows from `key` on are of this definition; keys of one table ascend. */
void definition_book_add(definition_book_t *book, const table_definition_t *definition,
                         store_key_t key);
/* NULL: nothing is known of rows there. */
const table_definition_t *definition_book_find(const definition_book_t *book, table_id_t table_id,
                                               store_key_t key);
/* No row up to and with `up_to` is asked for any more. */
void definition_book_forget(definition_book_t *book, table_id_t table_id, store_key_t up_to);

#endif
