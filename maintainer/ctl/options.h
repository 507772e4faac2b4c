/*
 * The command line of sluicectl: sluicectl [options] GROUP [COMMAND] [options].
 * Threads: the main one.
 */
#ifndef SLUICE_MAINTAINER_CTL_OPTIONS_H
#define SLUICE_MAINTAINER_CTL_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#define CTL_LIST_MAX 256
#define CTL_SERVER_DEFAULT "http://127.0.0.1:7610"

typedef enum {
    CTL_OK = 0,
    CTL_SERVER_ERROR = 1, /* the server said error; for compare: something differs */
    CTL_USAGE = 2,
    CTL_NO_CONNECTION = 3,
    CTL_WAIT_TIMED_OUT = 4
} ctl_exit_t;

/* Every option of every command; text borrows argv. NULL or 0: not given. */
typedef struct {
    const char *words[3]; /* group, command, operand */
    uint32_t word_count;
    const char *server;
    bool is_json, no_confirm, is_short, wants_help;
    uint32_t wait_seconds;
    const char *changefeed, *capture, *table;
    const char *source, *sink, *start, *overwrite_gtid, *domain;
    const char *filters[CTL_LIST_MAX];
    uint32_t filter_count;
    const char *settings[CTL_LIST_MAX]; /* --option key=value */
    uint32_t setting_count;
    uint32_t lines;
} ctl_options_t;

/* false: a line about it is on stderr. */
bool ctl_options_parse(int argc, char **argv, ctl_options_t *options);

#endif
