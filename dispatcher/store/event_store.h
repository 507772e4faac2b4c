/*
 * Rows on disk that no longer fit a node's memory, by (table, commit_ts, number): bytes to the
 * store, which does not look into them. A cache: all of it can be read from the source again. So it
 * begins empty, is not synced, and goes with the process; after an error nothing that it held
 * counts any more, and it has to be closed; a new one takes its place.
 *
 * Threads: one owner.
 */
#ifndef SLUICE_DISPATCHER_STORE_EVENT_STORE_H
#define SLUICE_DISPATCHER_STORE_EVENT_STORE_H

#include "dispatcher/core/store_request.h"

typedef struct event_store event_store_t;

typedef struct {
    const char *directory; /* empty and the store's alone; copied */
    uint64_t bytes_max;
} event_store_options_t;

typedef struct {
    table_id_t table_id;
    store_key_t key;
    bytes_t bytes;
} store_record_t;

/* One record of a scan; borrowed for the call. Anything but SLUICE_OK ends the scan with it. */
typedef sluice_error_t store_visit_fn(void *context, store_key_t key, bytes_t bytes);

typedef struct {
    /* Errors of all: SLUICE_ERROR_IO, SLUICE_ERROR_NO_SPACE, SLUICE_ERROR_MALFORMED (damage). */
    sluice_error_t (*open)(const event_store_options_t *options, event_store_t **store,
                           error_report_t *report);
    /* Those of one table ascending, and above all that was appended of it; they are put in order by
     * table. SLUICE_ERROR_FULL: beyond bytes_max, nothing was appended. */
    sluice_error_t (*append)(event_store_t *store, store_record_t *records, uint32_t count,
                             error_report_t *report);
    /* The table's records above `after` up to and with `through`, ascending, until about bytes_max
     * were visited; at least one if there is any. *reached: everything up to it was visited. */
    sluice_error_t (*scan)(event_store_t *store, table_id_t table_id, store_key_t after,
                           store_key_t through, uint64_t bytes_max, store_visit_fn *visit,
                           void *context, store_key_t *reached, error_report_t *report);
    /* Everything of the table up to and with `up_to` is not asked for again. The disk is given back
     * in large pieces, as soon as all that is in one is forgotten. */
    sluice_error_t (*forget)(event_store_t *store, table_id_t table_id, store_key_t up_to,
                             error_report_t *report);
    uint64_t (*bytes)(const event_store_t *store);
    /* Leaves the directory empty or with remains; NULL is allowed. */
    void (*close)(event_store_t **store);
} event_store_api_t;

extern const event_store_api_t rocksdb_store_api;

#endif
