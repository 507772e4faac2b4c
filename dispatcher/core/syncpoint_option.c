#include "dispatcher/core/syncpoint_option.h"

#define MS_PER_S 1000

/* 0: it is not such a number. */
static uint64_t seconds_of(bytes_t text)
{
    uint64_t seconds = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return 0;
        seconds = seconds * 10 + (uint64_t)(text.data[i] - '0');
        if (seconds > SYNCPOINT_INTERVAL_SECONDS_MAX)
            return 0;
    }
    return seconds;
}

sluice_error_t syncpoint_option_read(const changefeed_config_t *config, uint64_t *interval_ms,
                                     error_report_t *report)
{
    *interval_ms = 0;
    for (uint32_t i = 0; i < config->option_count; i++) {
        const option_t *option = &config->options[i];
        if (!bytes_equal(option->key, bytes_of_text("sync-point-interval")))
            continue;
        uint64_t seconds = seconds_of(option->value);
        if (seconds == 0)
            return error_report_set(report, SLUICE_ERROR_CONFIGURATION,
                                    "option sync-point-interval: 1 to %d seconds are wanted",
                                    SYNCPOINT_INTERVAL_SECONDS_MAX);
        *interval_ms = seconds * MS_PER_S;
    }
    return SLUICE_OK;
}
