/*
 * A table definition as bytes, inside a schema snapshot.
 *
 * Threads: functions of their arguments only.
 */
#ifndef SLUICE_DISPATCHER_CORE_DDL_DEFINITION_CODEC_H
#define SLUICE_DISPATCHER_CORE_DDL_DEFINITION_CODEC_H

#include "common/model/table_definition.h"
#include "dispatcher/core/ddl/packing.h"

void definition_pack(const table_definition_t *definition, text_builder_t *to);

/* With one reference; NULL and from->failed for bytes that are no definition. */
table_definition_t *definition_unpack(unpacker_t *from);

#endif
