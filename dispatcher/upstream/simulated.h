/*
 * The adapter for simulated://?parameters, a made-up source (simulation.h) for demonstrations,
 * measurements and tests. Parameters, all optional:
 *   tables=8  transactions=0 (without end)  rows_per_transaction=10  tables_per_transaction=1
 *   ddl_every=0 (none)  seed=1  rate=0 (groups a second; 0: as fast as they are taken)  domain=0
 *
 * The log has one GTID domain, sequence numbers from 1 on without a gap.
 */
#ifndef SLUICE_DISPATCHER_UPSTREAM_SIMULATED_H
#define SLUICE_DISPATCHER_UPSTREAM_SIMULATED_H

#include "dispatcher/upstream/simulation.h"
#include "dispatcher/upstream/upstream.h"

extern const upstream_api_t upstream_simulated;

/* The source's state behind group `at`: its time goes to *commit_time, every table and view to
 * `visit` (schema, what SHOW CREATE would say). SLUICE_ERROR_CONFIGURATION: the URI is wrong;
 * SLUICE_ERROR_NOT_FOUND: the log ends before. */
sluice_error_t simulated_schema(const char *uri, commit_ts_t at, simulation_visit_fn *visit,
                                void *context, wall_ms_t *commit_time,
                                error_report_t *report) SLUICE_MUST_USE;

#endif
