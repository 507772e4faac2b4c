#include "dispatcher/core/puller/server_map.h"

server_map_t server_map_init(uint32_t count)
{
    return (server_map_t){.count = count, .refused_ns = SERVER_MAP_REFUSED_NS};
}

static mono_ns_t allowed_at(const server_map_t *map, const log_puller_t *puller, uint32_t server,
                            mono_ns_t now)
{
    mono_ns_t at = log_puller_store_allowed_at(puller, server);
    if (map->servers[server].not_before.v > at.v)
        at = map->servers[server].not_before;
    return at.v > now.v ? at : now;
}

region_location_t server_map_locate(server_map_t *map, const log_puller_t *puller,
                                    table_id_t table_id, mono_ns_t now)
{
    uint32_t best = 0;
    mono_ns_t best_at = MONO_NEVER;
    for (uint32_t i = 0; i < map->count; i++) {
        mono_ns_t at = allowed_at(map, puller, i, now);
        if (at.v < best_at.v ||
            (at.v == best_at.v && map->servers[i].failed < map->servers[best].failed)) {
            best = i;
            best_at = at;
        }
    }
    if (best != map->last)
        map->epoch++;
    map->last = best;
    return (region_location_t){.region_id = table_id.v, .region_epoch = map->epoch, .store = best};
}

void server_map_delivered(server_map_t *map, uint32_t server)
{
    map->servers[server] = (server_map_server_t){0};
}

static bool all_have_refused(const server_map_t *map)
{
    for (uint32_t i = 0; i < map->count; i++)
        if (!map->servers[i].has_refused)
            return false;
    return true;
}

region_failure_t server_map_failed(server_map_t *map, uint32_t number, sluice_error_t error,
                                   mono_ns_t now)
{
    server_map_server_t *server = &map->servers[number];
    region_failure_t elsewhere = {.kind = REGION_NOT_LEADER, .leader = REGION_LEADER_UNKNOWN};
    region_failure_t fatal = {.kind = REGION_FATAL, .error = error};
    server->failed = ++map->failures;
    server->has_refused = false;
    switch (source_failure_of(&map->conflicts, SOURCE_CONFLICT_NS, error, now)) {
    case SOURCE_FAILURE_CONNECTION:
        return (region_failure_t){.kind = REGION_STREAM_FAILED};
    case SOURCE_FAILURE_LOAD:
        return map->count > 1 ? elsewhere : (region_failure_t){.kind = REGION_BUSY};
    case SOURCE_FAILURE_SERVER:
        server->has_refused = true;
        server->not_before = mono_add(now, map->refused_ns);
        return all_have_refused(map) ? fatal : elsewhere;
    case SOURCE_FAILURE_LOG:
        return fatal;
    }
    return fatal;
}
