/*
 * A DDL event as bytes, for another node's dispatchers: everything that ddl_event_t says, so that
 * whoever has it needs no tracker.
 *
 * Threads: functions of their arguments only.
 */
#ifndef SLUICE_DISPATCHER_CORE_DDL_DDL_EVENT_CODEC_H
#define SLUICE_DISPATCHER_CORE_DDL_DDL_EVENT_CODEC_H

#include "dispatcher/core/ddl/ddl_event.h"
#include "dispatcher/core/ddl/packing.h"

void ddl_event_pack(const ddl_event_t *event, text_builder_t *to);

/* With one reference; NULL for bytes that are no DDL event, or one that contradicts itself. Nothing
 * is borrowed from `bytes`. */
ddl_event_t *ddl_event_unpack(bytes_t bytes);

#endif
