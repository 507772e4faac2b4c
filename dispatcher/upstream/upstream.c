#include "dispatcher/upstream/adapters.h"
#include "dispatcher/upstream/simulated.h"

static const struct {
    const char *scheme;
    const upstream_api_t *api;
} adapters[] = {
    {"binlog", &upstream_binlog_file},
    {"mariadb", &upstream_mariadb},
    {"mariadb+unix", &upstream_mariadb},
    {"simulated", &upstream_simulated},
};

const upstream_api_t *upstream_find(const char *uri)
{
    size_t len = strcspn(uri, ":");
    for (size_t i = 0; i < sizeof adapters / sizeof adapters[0]; i++)
        if (strlen(adapters[i].scheme) == len && strncmp(uri, adapters[i].scheme, len) == 0)
            return adapters[i].api;
    return NULL;
}
