/*
 * A table definition as bytes: which table it is, and what it looks like, which many tables may
 * have in common.
 *
 * Threads: functions of their arguments only.
 */
#ifndef SLUICE_DISPATCHER_CORE_DDL_DEFINITION_CODEC_H
#define SLUICE_DISPATCHER_CORE_DDL_DEFINITION_CODEC_H

#include "common/model/table_definition.h"
#include "dispatcher/core/ddl/packing.h"

/* Names, ids, versions. */
void definition_pack_identity(const table_definition_t *definition, text_builder_t *to);
/* All the rest: equal bytes are equal tables but for their identity. */
void definition_pack_shape(const table_definition_t *definition, text_builder_t *to);

/* Only what identifies it; the names are in the unpacker's arena. */
void definition_unpack_identity(unpacker_t *from, table_definition_t *identity);
/* The table of that identity, with one reference; NULL and from->failed for bytes that are no
 * definition. `identity` has nothing else set. */
table_definition_t *definition_unpack_shape(unpacker_t *from, const table_definition_t *identity);

/* Both, one behind the other. */
void definition_pack(const table_definition_t *definition, text_builder_t *to);
/* As definition_unpack_shape. */
table_definition_t *definition_unpack(unpacker_t *from);

#endif
