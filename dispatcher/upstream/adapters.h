/* The adapters that upstream_find knows; each is defined in the file of its name. */
#ifndef SLUICE_DISPATCHER_UPSTREAM_ADAPTERS_H
#define SLUICE_DISPATCHER_UPSTREAM_ADAPTERS_H

#include "dispatcher/upstream/upstream.h"

/* binlog:///directory or binlog:///directory/file; ?follow=1 waits for more at the end, ?base=NAME
 * says which logs where a directory holds several sets. */
extern const upstream_api_t upstream_binlog_file;

/* mariadb://user@host:port or mariadb+unix://user@/path/of/socket: a live server; parameters in
 * source_connection.h. */
extern const upstream_api_t upstream_mariadb;

#endif
