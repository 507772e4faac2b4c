/*
 * What every daemon does alike: command line, signals, exit codes, systemd.
 *
 * Threads: the main one. process_signals_open before any other thread is started.
 */
#ifndef SLUICE_COMMON_RUNTIME_PROCESS_H
#define SLUICE_COMMON_RUNTIME_PROCESS_H

#include "common/base/time.h"
#include "common/runtime/config.h"

typedef enum {
    PROCESS_OK = 0,
    PROCESS_USAGE = 1,
    PROCESS_CONFIGURATION = 2,
    PROCESS_STATE = 3, /* state or lock */
    PROCESS_SOURCE = 6,
    PROCESS_SINK = 7,
    PROCESS_INTERNAL = 12,
    PROCESS_TEMPORARY = 75, /* restart me */
    PROCESS_FATAL = 122     /* do not */
} process_exit_t;

/* The exit code for an error that ends the process. */
process_exit_t process_exit_of(sluice_error_t error);

/* ---- command line ---- */

typedef struct {
    config_sources_t sources;
    bool wants_help, wants_version, wants_check; /* --check: read the configuration and end */
} process_arguments_t;

/* Reads -c/--config FILE, -h/--help, --version, --check, and every key of the table as --key VALUE
 * or --key=VALUE. What it returns borrows argv and the arena. SLUICE_ERROR_CONFIGURATION: usage. */
sluice_error_t process_arguments_parse(int argc, char **argv, const config_table_t *table,
                                       arena_t *arena, process_arguments_t *arguments,
                                       error_report_t *report) SLUICE_MUST_USE;

void process_print_help(const char *program, const char *what);
/* Version, git hash, compiler, and the lines given (libraries with their versions). */
void process_print_version(const char *program, const char *const *libraries);

/* ---- signals ---- */

typedef enum {
    PROCESS_SIGNAL_NONE,
    PROCESS_SIGNAL_STOP,   /* TERM, INT: the second one forces */
    PROCESS_SIGNAL_RELOAD, /* HUP: logs */
    PROCESS_SIGNAL_DUMP    /* USR1: state to the log */
} process_signal_t;

/* Blocks the signals above for all threads, ignores PIPE, and returns a descriptor to poll for
 * input; -1: out of descriptors. */
int process_signals_open(void);
/* Takes one signal without blocking. */
process_signal_t process_signal_next(int descriptor);

/* ---- systemd ---- */

/* Sends "READY=1", "STOPPING=1", … to $NOTIFY_SOCKET; nothing when it is not set. Never blocks. */
void process_notify(const char *state);

/* How often "WATCHDOG=1" is wanted: half of what systemd allows; 0: not at all. */
uint64_t process_watchdog_interval_ns(void);

#endif
