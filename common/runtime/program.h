/*
 * The beginning of every daemon: command line, settings, log, what --help, --version and --check
 * print; then its own part.
 *
 * Threads: the main one.
 */
#ifndef SLUICE_COMMON_RUNTIME_PROGRAM_H
#define SLUICE_COMMON_RUNTIME_PROGRAM_H

#include "common/runtime/process.h"
#include "common/runtime/settings.h"

typedef struct {
    arena_t arena; /* of arguments and settings */
    process_arguments_t arguments;
    settings_t settings;
} program_t;

typedef struct {
    const char *name, *what; /* what it does, for --help */
    void (*print_version)(void);
    /* What the table of keys cannot say. */
    sluice_error_t (*check)(const settings_t *settings, error_report_t *report);
    /* Returns the exit code. The log is open. */
    int (*run)(program_t *program);
} program_spec_t;

/* For main to return. */
int program_main(const program_spec_t *spec, int argc, char **argv);

/* HUP: reads the settings again and opens the log with them. `program` is a program_t. */
void program_reload(void *program);

/* The line for an error that ends the process; returns the exit code. */
int program_fail(sluice_error_t error, const error_report_t *report);

#endif
