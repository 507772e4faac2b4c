/*
 * The region map of a log whose stores are the servers of a source's list: a region is a table, and
 * every server that has the log can serve every one of them. A region is at the first server of
 * the list that is not known to be in the way; its epoch grows when that changes.
 *
 * A server that failed is passed over while it cools down, one that is busy or not as far as
 * wanted comes after the others, one that refuses (position purged or diverged, credentials,
 * settings, damage) is not asked again soon; when all refuse the changefeed fails.
 *
 * Threads: a value.
 */
#ifndef SLUICE_DISPATCHER_CORE_PULLER_SERVER_MAP_H
#define SLUICE_DISPATCHER_CORE_PULLER_SERVER_MAP_H

#include "dispatcher/core/puller/log_puller.h"
#include "dispatcher/core/puller/source_failure.h"

typedef struct {
    uint64_t failed; /* number of its last failure since it delivered; 0: none */
    bool has_refused;
    mono_ns_t not_before; /* of a server that refused */
} server_map_server_t;

typedef struct {
    uint32_t count;
    uint64_t refused_ns;
    server_map_server_t servers[LOG_PULLER_STORES_MAX];
    uint64_t failures;
    uint64_t epoch;
    uint32_t last;
    source_conflicts_t conflicts;
} server_map_t;

#define SERVER_MAP_REFUSED_NS (10 * NS_PER_S)

server_map_t server_map_init(uint32_t count);

/* Where the table's region is. */
region_location_t server_map_locate(server_map_t *map, const log_puller_t *puller,
                                    table_id_t table_id, mono_ns_t now);

/* The server's stream delivered. */
void server_map_delivered(server_map_t *map, uint32_t server);
/* The server could not be opened or its stream ended: what that is to the regions it carried. */
region_failure_t server_map_failed(server_map_t *map, uint32_t server, sluice_error_t error,
                                   mono_ns_t now);

#endif
