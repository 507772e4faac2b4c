/*
 * What a status says of its event, in one canonical form: lists sorted by id, so that two reports
 * of one event can be compared as sets (DESIGN §5 rule 9) and membership is a binary search.
 *
 * Threads: values.
 */
#ifndef SLUICE_MAINTAINER_CORE_PAYLOAD_H
#define SLUICE_MAINTAINER_CORE_PAYLOAD_H

#include "common/base/arena.h"
#include "common/wire/message.h"

/* NULL when the payload can be acted on, else a static text that says what is wrong with it:
 * NORMAL with an empty list, an id twice, DB without a schema, a drop of everything, an addition
 * without an id (ORACLE §5.26). `payload` must be canonical. */
const char *payload_fault(const block_payload_t *payload);

/* A deep canonical copy in `arena`. */
const block_payload_t *payload_copy(arena_t *arena, const block_payload_t *from);

/* Both canonical. */
bool payload_equal(const block_payload_t *a, const block_payload_t *b);

/* Whether it changes the table list. */
bool payload_has_changes(const block_payload_t *payload);

/* NORMAL, canonical: whether the list names the table. */
bool influence_lists(const influence_t *influence, table_id_t table_id);

/* A deep copy of one table's description. */
table_info_t table_info_copy(arena_t *arena, const table_info_t *from);

#endif
