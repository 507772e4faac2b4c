#include "dispatcher/shell/sink_forget.h"

#include <time.h>

#include "common/runtime/clock.h"
#include "common/runtime/fail_point.h"
#include "common/runtime/log.h"

#define PAUSE_NS (200 * NS_PER_MS)

static sluice_error_t try_once(sink_t *sink, error_report_t *report)
{
    const sink_api_t *api = sink->api;
    sink_connection_t *connection = NULL;
    sluice_error_t error = api->connect(sink, &connection, report);
    if (error != SLUICE_OK)
        return error;
    error = FAIL_POINT("sink.forget.begin", 0, NULL);
    if (error == SLUICE_OK)
        error = api->forget(connection, report);
    if (error == SLUICE_OK)
        error = FAIL_POINT("sink.forget.committed", 0, NULL);
    api->disconnect(&connection);
    return error;
}

void sink_forget_failed(const char *changefeed_name, const error_report_t *report)
{
    LOG(LOG_LEVEL_WARNING, "sink", changefeed_name,
        "the changefeed is removed, but the sink keeps its progress and records; they may be "
        "deleted by hand",
        log_text("error", sluice_error_name(report->code)), log_text("text", report->text));
}

void sink_forget(sink_t *sink, const char *changefeed_name)
{
    if (!sink->api->forget)
        return;
    mono_ns_t until = mono_add(clock_mono(), SINK_FORGET_NS);
    error_report_t report;
    sluice_error_t error;
    for (;;) {
        report = (error_report_t){0};
        error = try_once(sink, &report);
        if (!sluice_error_is_retriable(error) || mono_reached(until, clock_mono()))
            break;
        nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
    }
    if (error == SLUICE_OK)
        LOG(LOG_LEVEL_INFO, "sink", changefeed_name, "the sink has forgotten the changefeed");
    else
        sink_forget_failed(changefeed_name, &report);
}
