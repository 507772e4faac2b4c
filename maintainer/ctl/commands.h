/*
 * The commands of sluicectl. Each gets the whole command line, prints data on stdout and the rest
 * on stderr, and returns the exit code. A new one: a function here, a line in main.c's table.
 */
#ifndef SLUICE_MAINTAINER_CTL_COMMANDS_H
#define SLUICE_MAINTAINER_CTL_COMMANDS_H

#include "maintainer/ctl/options.h"

typedef ctl_exit_t ctl_command_t(const ctl_options_t *options);

ctl_command_t ctl_changefeed_create, ctl_changefeed_list, ctl_changefeed_query,
    ctl_changefeed_pause, ctl_changefeed_resume, ctl_changefeed_update, ctl_changefeed_remove;
ctl_command_t ctl_table_list, ctl_table_move, ctl_barrier_list, ctl_capture_list, ctl_capture_drain;
ctl_command_t ctl_config_check, ctl_config_example, ctl_health, ctl_version, ctl_compare;

/* The changefeed's name from --changefeed-id or the word behind the command; NULL: complained. */
const char *ctl_changefeed_name(const ctl_options_t *options);
/* Complains about an option that is missing. */
ctl_exit_t ctl_missing(const char *option);

#endif
