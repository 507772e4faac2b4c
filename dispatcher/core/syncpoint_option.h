/*
 * The changefeed's option sync-point-interval: whole seconds of commit_time between two sync points
 * (DESIGN §1). Pure.
 */
#ifndef SLUICE_DISPATCHER_CORE_SYNCPOINT_OPTION_H
#define SLUICE_DISPATCHER_CORE_SYNCPOINT_OPTION_H

#include "common/wire/message.h"

#define SYNCPOINT_INTERVAL_SECONDS_MAX 86400

/* *interval_ms 0: the option is not set, there are no sync points. SLUICE_ERROR_CONFIGURATION: it
 * is not 1 … SYNCPOINT_INTERVAL_SECONDS_MAX. */
sluice_error_t syncpoint_option_read(const changefeed_config_t *config, uint64_t *interval_ms,
                                     error_report_t *report) SLUICE_MUST_USE;

#endif
