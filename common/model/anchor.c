#include "common/model/anchor.h"

#include <stdio.h>

typedef struct {
    uint64_t domain, server_id, sequence;
} gtid_t;

static bool parse_number(const char **at, uint64_t max, uint64_t *number)
{
    if (**at < '0' || **at > '9')
        return false;
    *number = 0;
    for (; **at >= '0' && **at <= '9'; (*at)++) {
        uint64_t digit = (uint64_t)(**at - '0');
        if (*number > (max - digit) / 10)
            return false;
        *number = *number * 10 + digit;
    }
    return true;
}

static bool skip(const char **at, char c)
{
    if (**at != c)
        return false;
    (*at)++;
    return true;
}

/* Reads one "domain-server-sequence" and the comma behind it, if there is one. */
static bool parse_gtid(const char **at, gtid_t *gtid)
{
    return parse_number(at, UINT32_MAX, &gtid->domain) && skip(at, '-') &&
           parse_number(at, UINT32_MAX, &gtid->server_id) && skip(at, '-') &&
           parse_number(at, UINT64_MAX, &gtid->sequence) &&
           (**at == '\0' || (skip(at, ',') && **at != '\0'));
}

static sluice_error_t find_domain(const char *gtid_list, uint32_t domain, gtid_t *found)
{
    *found = (gtid_t){0};
    const char *at = gtid_list;
    while (*at) {
        gtid_t gtid;
        if (!parse_gtid(&at, &gtid))
            return SLUICE_ERROR_MALFORMED;
        if (gtid.domain == domain)
            *found = gtid;
    }
    return SLUICE_OK;
}

sluice_error_t gtid_list_sequence(const char *gtid_list, uint32_t domain, uint64_t *sequence)
{
    gtid_t found;
    sluice_error_t error = find_domain(gtid_list, domain, &found);
    *sequence = error == SLUICE_OK ? found.sequence : 0;
    return error;
}

sluice_error_t gtid_list_server(const char *gtid_list, uint32_t domain, uint32_t *server_id)
{
    gtid_t found;
    sluice_error_t error = find_domain(gtid_list, domain, &found);
    *server_id = error == SLUICE_OK ? (uint32_t)found.server_id : 0;
    return error;
}

static bool append_gtid(char *list, size_t *len, const gtid_t *gtid)
{
    int added = snprintf(list + *len, ANCHOR_GTID_LIST_MAX - *len, "%s%llu-%llu-%llu",
                         *len ? "," : "", (unsigned long long)gtid->domain,
                         (unsigned long long)gtid->server_id, (unsigned long long)gtid->sequence);
    if (added < 0 || (size_t)added >= ANCHOR_GTID_LIST_MAX - *len)
        return false;
    *len += (size_t)added;
    return true;
}

sluice_error_t gtid_list_set(char gtid_list[ANCHOR_GTID_LIST_MAX], uint32_t domain,
                             uint32_t server_id, uint64_t sequence)
{
    char list[ANCHOR_GTID_LIST_MAX] = "";
    size_t len = 0;
    gtid_t wanted = {domain, server_id, sequence};
    bool is_set = false;
    const char *at = gtid_list;
    while (*at) {
        gtid_t gtid;
        if (!parse_gtid(&at, &gtid))
            return SLUICE_ERROR_MALFORMED;
        if (gtid.domain == domain) {
            gtid = wanted;
            is_set = true;
        }
        if (!append_gtid(list, &len, &gtid))
            return SLUICE_ERROR_TOO_LARGE;
    }
    if (!is_set && !append_gtid(list, &len, &wanted))
        return SLUICE_ERROR_TOO_LARGE;
    memcpy(gtid_list, list, len + 1);
    return SLUICE_OK;
}
