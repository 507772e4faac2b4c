#include "dispatcher/sink/sink.h"

#include <strings.h>

#include "dispatcher/sink/adapters.h"

static const sink_api_t *const adapters[] = {
    &blackhole_sink_api,
    &mariadb_sink_api,
    &sqlite_sink_api,
    &file_sink_api,
};

const sink_api_t *sink_find(const char *uri)
{
    const char *end = strstr(uri, "://");
    size_t len = end ? (size_t)(end - uri) : 0;
    for (size_t i = 0; i < sizeof adapters / sizeof adapters[0]; i++) {
        const char *scheme = adapters[i]->scheme;
        if (strlen(scheme) == len && strncasecmp(scheme, uri, len) == 0)
            return adapters[i];
    }
    return NULL;
}
