/*
 * sink_api_t.write for MariaDB: rows and progress of several spans in one transaction, each span
 * proven to be ours, a COMMIT whose answer was lost decided by the progress found.
 *
 * Threads: that of its session.
 */
#ifndef SLUICE_DISPATCHER_SINK_MARIADB_WRITE_H
#define SLUICE_DISPATCHER_SINK_MARIADB_WRITE_H

#include "dispatcher/sink/mariadb/claim.h"

typedef struct mariadb_writer mariadb_writer_t;

/* Borrows `owner` until the end. */
mariadb_writer_t *mariadb_writer_new(const mariadb_owner_t *owner);
void mariadb_writer_destroy(mariadb_writer_t **writer);

sluice_error_t mariadb_writer_write(mariadb_writer_t *writer, const sink_write_t *writes,
                                    uint32_t count, sink_write_result_t *results,
                                    error_report_t *report) SLUICE_MUST_USE;

#endif
