#include "common/runtime/clock.h"
#include "dispatcher/core/binlog/event.h"
#include "dispatcher/upstream/adapters.h"
#include "dispatcher/upstream/source_internal.h"

/* The log is opened one sequence number before, whether there is such a group or not: the first of
 * our domain that comes is then the one asked for, unless it is not there. Without a server_id,
 * since a stream under ours may be open. */
static sluice_error_t step_back(const upstream_options_t *options, upstream_options_t *before)
{
    *before = *options;
    before->may_miss = true;
    before->server_id = 0;
    before->anchor.commit_time = (wall_ms_t){0};
    uint32_t server_id;
    sluice_error_t error = gtid_list_server(options->anchor.gtid_list, options->domain, &server_id);
    return error == SLUICE_OK ? gtid_list_set(before->anchor.gtid_list, options->domain, server_id,
                                              options->anchor.commit_ts.v - 1)
                              : error;
}

/* What the log says of it. */
typedef struct {
    wall_ms_t committed; /* 0: it is not there */
    wall_ms_t file_made; /* the file that it is in */
} found_t;

/* False: go on. */
static bool is_first_of_domain(const raw_event_t *event, const upstream_options_t *options,
                               found_t *found)
{
    binlog_header_t header;
    binlog_gtid_t gtid;
    bytes_t body;
    if (binlog_header_parse(event->bytes, &header, &body) != SLUICE_OK)
        return false;
    wall_ms_t time = {(uint64_t)header.timestamp * 1000};
    if (header.type == BINLOG_FORMAT_DESCRIPTION)
        found->file_made = time;
    if (header.type != BINLOG_GTID || binlog_gtid_parse(&header, body, &gtid) != SLUICE_OK ||
        gtid.domain != options->domain)
        return false;
    if (gtid.sequence == options->anchor.commit_ts.v)
        found->committed = time;
    return true;
}

static sluice_error_t read_group(upstream_t *upstream, const upstream_options_t *options,
                                 found_t *found, error_report_t *report)
{
    for (;;) {
        raw_event_t event;
        switch (upstream->api->next(upstream, &event, report)) {
        case UPSTREAM_EVENT:
            if (is_first_of_domain(&event, options, found))
                return SLUICE_OK;
            break;
        case UPSTREAM_CAUGHT_UP:
        case UPSTREAM_END:
            return SLUICE_OK;
        case UPSTREAM_INTERRUPTED:
            return SLUICE_ERROR_CLOSED;
        case UPSTREAM_FAILED:
            return report->code;
        }
    }
}

static sluice_error_t find_group(const upstream_options_t *options, found_t *found,
                                 error_report_t *report)
{
    *found = (found_t){0};
    if (options->anchor.commit_ts.v == 0)
        return SLUICE_OK;
    upstream_options_t before;
    sluice_error_t error = step_back(options, &before);
    if (error != SLUICE_OK)
        return error_report_set(report, error, "'%s' is no GTID list", options->anchor.gtid_list);
    upstream_t *upstream;
    error = upstream_mariadb.open(&before, &upstream, report);
    if (error != SLUICE_OK)
        return error;
    error = read_group(upstream, options, found, report);
    upstream->api->close(&upstream);
    if (error != SLUICE_ERROR_SOURCE_PURGED && error != SLUICE_ERROR_SOURCE_DIVERGED)
        return error;
    *report = (error_report_t){0};
    return SLUICE_OK;
}

sluice_error_t source_group_time(const upstream_options_t *options, wall_ms_t *time,
                                 error_report_t *report)
{
    found_t found;
    sluice_error_t error = find_group(options, &found, report);
    *time = found.committed;
    return error;
}

sluice_error_t source_check_group(const upstream_options_t *options, error_report_t *report)
{
    wall_ms_t known = options->anchor.commit_time;
    if (known.v == 0)
        return SLUICE_OK;
    found_t group;
    sluice_error_t error = find_group(options, &group, report);
    if (error != SLUICE_OK || group.committed.v <= known.v || group.file_made.v <= known.v)
        return error;
    char found_text[CLOCK_TEXT_SIZE], known_text[CLOCK_TEXT_SIZE];
    clock_format(group.committed, found_text);
    clock_format(known, known_text);
    return error_report_set(
        report, SLUICE_ERROR_SOURCE_DIVERGED,
        "the source's log is another one than before: what it has at sequence %llu was committed "
        "at %s, and what was read there at %s or before; the log was reset (RESET MASTER) or the "
        "server restored: start the changefeed anew from a fresh copy",
        (unsigned long long)options->anchor.commit_ts.v, found_text, known_text);
}
