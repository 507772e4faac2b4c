/*
 * What the objects that a DDL names look like in the sink at one moment: SHOW CREATE without
 * AUTO_INCREMENT=, and InnoDB's table ids, which change with TRUNCATE, EXCHANGE and rebuilds that
 * the text does not show. Two such texts tell whether a DDL was run between them (DESIGN §5,
 * Exactly once).
 */
#ifndef SLUICE_DISPATCHER_SINK_MARIADB_OBJECTS_H
#define SLUICE_DISPATCHER_SINK_MARIADB_OBJECTS_H

#include "dispatcher/core/ddl/ddl_event.h"
#include "dispatcher/sink/mariadb/session.h"

typedef struct {
    const char *schema;
    const char *name; /* "" the schema itself */
} mariadb_object_t;

/* The objects of an event, its target first; borrowed from the event, the list in `arena`. */
uint32_t mariadb_objects_of(const ddl_event_t *event, arena_t *arena,
                            const mariadb_object_t **objects);

/* Describes them all in one text (cleared first). `target_is_absent`: the first one is not there.
 * Opens a transaction. */
sluice_error_t mariadb_objects_describe(mariadb_session_t *session, const mariadb_object_t *objects,
                                        uint32_t count, sql_text_t *text, bool *target_is_absent,
                                        error_report_t *report) SLUICE_MUST_USE;

#endif
