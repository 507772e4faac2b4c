/*
 * QUERY events: a statement as text with the session it ran in (MARIADB.md §4, status variables).
 * Pure.
 *
 * Threads: values.
 */
#ifndef SLUICE_DISPATCHER_CORE_BINLOG_QUERY_H
#define SLUICE_DISPATCHER_CORE_BINLOG_QUERY_H

#include "dispatcher/core/binlog/event.h"
#include "dispatcher/core/ddl/ddl_event.h"

typedef struct {
    bytes_t sql; /* in the charset of context.charset_client */
    ddl_context_t context;
    uint64_t xid; /* of an atomic DDL, 0: none */
} binlog_query_t;

/* Parses QUERY, QUERY_COMPRESSED and EXECUTE_LOAD_QUERY. Everything in `query` lives in `arena`.
 * Bad bytes or bad compression: SLUICE_ERROR_SOURCE_CORRUPT. */
sluice_error_t binlog_query_parse(const binlog_header_t *header, bytes_t body, arena_t *arena,
                                  binlog_query_t *query) SLUICE_MUST_USE;

#endif
