/*
 * Texts of values that MariaDB shows as text and logs as bytes: addresses, UUIDs, labels. As the
 * server writes them (CAST (… AS CHAR)). Pure.
 */
#ifndef SLUICE_DISPATCHER_SINK_VALUE_TEXT_H
#define SLUICE_DISPATCHER_SINK_VALUE_TEXT_H

#include "common/base/arena.h"
#include "common/model/table_definition.h"
#include "common/model/value.h"

#define VALUE_TEXT_SIZE 48

/* "1.2.3.4"; returns the length. */
size_t value_text_inet4(const uint8_t address[4], char text[VALUE_TEXT_SIZE]);
/* Lower case, the first longest run of zero groups as "::" (of one group, too), the last 32 bits
 * dotted in "::ffff:1.2.3.4" and "::1.2.3.4". */
size_t value_text_inet6(const uint8_t address[16], char text[VALUE_TEXT_SIZE]);
/* "00112233-4455-6677-8899-aabbccddeeff". */
size_t value_text_uuid(const uint8_t uuid[16], char text[VALUE_TEXT_SIZE]);

/* INET4, INET6 or UUID by the column's type. `bytes` is empty when it has not the type's length. */
bytes_t value_text_address(const column_definition_t *column, bytes_t bytes,
                           char text[VALUE_TEXT_SIZE]);

/* The label of a 1-based ENUM index, "" for 0. false: the column has no such label. */
bool value_text_enum(const column_definition_t *column, uint64_t index, bytes_t *label);
/* The labels of a SET's bits joined by commas; borrowed for one label, else in `arena`. false: a
 * bit has no label. */
bool value_text_set(const column_definition_t *column, uint64_t bits, arena_t *arena,
                    bytes_t *labels);

#endif
