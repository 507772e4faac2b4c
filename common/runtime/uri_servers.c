#include "common/runtime/uri_servers.h"

#include <string.h>

#include "common/runtime/uri.h"

/* Where the hosts are: behind user and password, before path and parameters. */
typedef struct {
    size_t begin, end;
} place_t;

static place_t hosts_of(const char *text)
{
    const char *scheme_end = strstr(text, "://");
    const char *begin = scheme_end ? scheme_end + 3 : text + strlen(text);
    const char *end = begin + strcspn(begin, "/?#");
    const char *at = memrchr(begin, '@', (size_t)(end - begin));
    return (place_t){(size_t)((at ? at + 1 : begin) - text), (size_t)(end - text)};
}

static sluice_error_t refuse(error_report_t *report, const char *what, const char *name)
{
    return error_report_set(report, SLUICE_ERROR_CONFIGURATION, "URI: %s%s", what, name);
}

static sluice_error_t check(const uri_server_t *servers, uint32_t count, arena_t *arena,
                            error_report_t *report)
{
    const uri_server_t *added = &servers[count - 1];
    if (added->name[0] == '\0' && count > 1)
        return refuse(report, "a place in its list of hosts is empty", "");
    for (uint32_t i = 0; i + 1 < count; i++)
        if (strcmp(servers[i].name, added->name) == 0)
            return refuse(report, "its list of hosts has one twice: ", added->name);
    uri_t uri;
    return uri_parse(bytes_of_text(added->uri), arena, &uri, report);
}

static sluice_error_t check_list(const uri_server_t *servers, arena_t *arena,
                                 error_report_t *report)
{
    uri_t uri;
    sluice_error_t error = uri_parse(bytes_of_text(servers[0].uri), arena, &uri, report);
    if (error != SLUICE_OK)
        return error;
    if (servers[0].name[0] == '\0')
        return refuse(report, "a place in its list of hosts is empty", "");
    if (uri_parameter(&uri, "socket"))
        return refuse(report, "it has several hosts, and a socket, which is one server's", "");
    return SLUICE_OK;
}

sluice_error_t uri_servers_parse(bytes_t text, arena_t *arena, const uri_server_t **servers,
                                 uint32_t *count, error_report_t *report)
{
    *servers = NULL;
    *count = 0;
    uri_t uri;
    if (text.len > URI_LEN_MAX || (text.len && memchr(text.data, 0, text.len)))
        return uri_parse(text, arena, &uri, report);
    const char *whole = arena_strndup(arena, text.data, text.len);
    place_t hosts = hosts_of(whole);
    uri_server_t *list = arena_calloc(arena, URI_SERVERS_MAX, sizeof *list);
    size_t at = hosts.begin;
    for (;;) {
        size_t len = strcspn(whole + at, ",");
        if (len > hosts.end - at)
            len = hosts.end - at;
        if (*count == URI_SERVERS_MAX)
            return refuse(report, "its list of hosts is too long", "");
        list[*count].name = arena_strndup(arena, whole + at, len);
        list[*count].uri = arena_printf(arena, "%.*s%s%s", (int)hosts.begin, whole,
                                        list[*count].name, whole + hosts.end);
        ++*count;
        sluice_error_t error = check(list, *count, arena, report);
        if (error != SLUICE_OK)
            return error;
        at += len;
        if (at == hosts.end)
            break;
        at++;
    }
    *servers = list;
    return *count > 1 ? check_list(list, arena, report) : SLUICE_OK;
}
