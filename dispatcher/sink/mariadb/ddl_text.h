/*
 * The text that the sink runs for a DDL: as logged, or with an engine other than InnoDB replaced,
 * since no other can hold rows and progress in one transaction; or with IF EXISTS where a DROP is
 * repeated. Pure.
 */
#ifndef SLUICE_DISPATCHER_SINK_MARIADB_DDL_TEXT_H
#define SLUICE_DISPATCHER_SINK_MARIADB_DDL_TEXT_H

#include "dispatcher/core/ddl/ddl_event.h"

typedef struct {
    bytes_t sql;
    bool is_utf8;         /* changed, hence in UTF-8; else in the event's client charset */
    const char *replaced; /* the engine that was replaced by InnoDB, NULL: none */
} mariadb_ddl_text_t;

/* Borrows from the event and `arena`. Text that cannot be split into tokens stays as it is. */
void mariadb_ddl_text_make(const ddl_event_t *event, bool if_exists, arena_t *arena,
                           mariadb_ddl_text_t *text);

#endif
