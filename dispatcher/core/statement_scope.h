/*
 * Whether a statement of the log might concern what a changefeed carries, by its text alone. Says
 * yes where it cannot tell. Pure.
 *
 * Threads: any.
 */
#ifndef SLUICE_DISPATCHER_CORE_STATEMENT_SCOPE_H
#define SLUICE_DISPATCHER_CORE_STATEMENT_SCOPE_H

#include "common/filter/table_filter.h"
#include "dispatcher/core/binlog/query.h"

bool statement_may_touch(const binlog_query_t *query, const table_filter_t *filter);

#endif
