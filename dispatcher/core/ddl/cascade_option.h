/*
 * The changefeed's configuration key that allows cascading foreign keys by name: `allow-cascade` is
 * a list of filter rules, separated by commas, of the tables whose foreign keys may cascade. What
 * such a key changes is missing in the sink.
 *
 * Threads: functions of their arguments only.
 */
#ifndef SLUICE_DISPATCHER_CORE_DDL_CASCADE_OPTION_H
#define SLUICE_DISPATCHER_CORE_DDL_CASCADE_OPTION_H

#include "common/filter/table_filter.h"
#include "common/wire/message.h"

/* *allowed is NULL when the configuration does not have the key. SLUICE_ERROR_CONFIGURATION: a rule
 * is wrong, the report names it. */
sluice_error_t cascade_option_read(const changefeed_config_t *config, bool lower_case_names,
                                   table_filter_t **allowed,
                                   error_report_t *report) SLUICE_MUST_USE;

/* Whether the table's foreign keys may cascade; false for NULL. */
bool cascade_option_allows(const table_filter_t *allowed, const char *schema, const char *table);

#endif
