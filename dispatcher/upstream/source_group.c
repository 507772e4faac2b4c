#include "common/runtime/clock.h"
#include "dispatcher/core/binlog/event.h"
#include "dispatcher/upstream/adapters.h"
#include "dispatcher/upstream/source_internal.h"

/* The log is opened one sequence number before, whether there is such a group or not: the first of
 * our domain that comes is then the one asked for, unless it is not there. */
static sluice_error_t step_back(const upstream_options_t *options, upstream_options_t *before)
{
    *before = *options;
    before->may_miss = true;
    before->anchor.commit_time = (wall_ms_t){0};
    uint32_t server_id;
    sluice_error_t error = gtid_list_server(options->anchor.gtid_list, options->domain, &server_id);
    return error == SLUICE_OK ? gtid_list_set(before->anchor.gtid_list, options->domain, server_id,
                                              options->anchor.commit_ts.v - 1)
                              : error;
}

/* False: go on. */
static bool is_first_of_domain(const raw_event_t *event, const upstream_options_t *options,
                               wall_ms_t *time)
{
    binlog_header_t header;
    binlog_gtid_t gtid;
    bytes_t body;
    if (binlog_header_parse(event->bytes, &header, &body) != SLUICE_OK ||
        header.type != BINLOG_GTID || binlog_gtid_parse(&header, body, &gtid) != SLUICE_OK ||
        gtid.domain != options->domain)
        return false;
    if (gtid.sequence == options->anchor.commit_ts.v)
        *time = (wall_ms_t){(uint64_t)header.timestamp * 1000};
    return true;
}

static sluice_error_t read_time(upstream_t *upstream, const upstream_options_t *options,
                                wall_ms_t *time, error_report_t *report)
{
    for (;;) {
        raw_event_t event;
        switch (upstream->api->next(upstream, &event, report)) {
        case UPSTREAM_EVENT:
            if (is_first_of_domain(&event, options, time))
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

sluice_error_t source_group_time(const upstream_options_t *options, wall_ms_t *time,
                                 error_report_t *report)
{
    *time = (wall_ms_t){0};
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
    error = read_time(upstream, options, time, report);
    upstream->api->close(&upstream);
    if (error != SLUICE_ERROR_SOURCE_PURGED && error != SLUICE_ERROR_SOURCE_DIVERGED)
        return error;
    *report = (error_report_t){0};
    return SLUICE_OK;
}

sluice_error_t source_check_group(const upstream_options_t *options, error_report_t *report)
{
    if (options->anchor.commit_time.v == 0)
        return SLUICE_OK;
    wall_ms_t time;
    sluice_error_t error = source_group_time(options, &time, report);
    if (error != SLUICE_OK || time.v <= options->anchor.commit_time.v)
        return error;
    char found[CLOCK_TEXT_SIZE], known[CLOCK_TEXT_SIZE];
    clock_format(time, found);
    clock_format(options->anchor.commit_time, known);
    return error_report_set(
        report, SLUICE_ERROR_SOURCE_DIVERGED,
        "the source's log is another one than before: what it has at sequence %llu was committed "
        "at %s, and what was read there at %s or before; the log was reset (RESET MASTER) or the "
        "server restored: start the changefeed anew from a fresh copy",
        (unsigned long long)options->anchor.commit_ts.v, found, known);
}
