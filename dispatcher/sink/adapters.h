/*
 * The adapters there are; sink_find knows them by their scheme.
 */
#ifndef SLUICE_DISPATCHER_SINK_ADAPTERS_H
#define SLUICE_DISPATCHER_SINK_ADAPTERS_H

#include "dispatcher/sink/sink.h"

/* blackhole:// — every row is decoded and counted, nothing is kept. For measuring the way to the
 * sink, and for looking whether a log can be read at all. */
extern const sink_api_t blackhole_sink_api;

/* sqlite:///absolute/path/of/file.db — dispatcher/sink/sqlite/. */
extern const sink_api_t sqlite_sink_api;

/* mariadb://user@host:port — dispatcher/sink/mariadb/. A server of MariaDB 10.6 or later, rows and
 * progress in one transaction. */
extern const sink_api_t mariadb_sink_api;

/* file:///absolute/path/of/directory — canal-json; dispatcher/sink/file/. */
extern const sink_api_t file_sink_api;

#endif
