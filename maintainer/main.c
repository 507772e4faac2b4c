/* sluice-maintainer: the coordinator of changefeeds. */
#include <czmq.h>
#include <jansson.h>
#include <microhttpd.h>
#include <sqlite3.h>
#include <stdlib.h>

#include "common/runtime/log.h"
#include "common/runtime/process.h"
#include "common/runtime/version.h"
#include "maintainer/shell/maintainer_actor.h"
#include "maintainer/shell/maintainer_settings.h"

#define PROGRAM "sluice-maintainer"

typedef struct {
    arena_t arena;
    process_arguments_t arguments;
    settings_t settings;
} program_t;

static void print_version(void)
{
    char sqlite[64], http[64], zmq[64], json[64];
    int major, minor, patch;
    zmq_version(&major, &minor, &patch);
    snprintf(zmq, sizeof zmq, "libzmq %d.%d.%d", major, minor, patch);
    snprintf(sqlite, sizeof sqlite, "sqlite %s", sqlite3_libversion());
    snprintf(http, sizeof http, "libmicrohttpd %s", MHD_get_version());
    snprintf(json, sizeof json, "jansson %s", jansson_version_str());
    const char *const libraries[] = {zmq, sqlite, http, json, NULL};
    process_print_version(PROGRAM, libraries);
}

static sluice_error_t load_settings(program_t *program, settings_t *settings,
                                    error_report_t *report)
{
    return config_load(&settings_table, &program->arguments.sources, &program->arena, settings,
                       report);
}

/* Names were checked against their choices when the settings were read. */
static sluice_error_t open_log(const settings_t *settings)
{
    log_level_t level = LOG_LEVEL_INFO;
    log_format_t format = LOG_FORMAT_LOGFMT;
    (void)log_level_parse(settings->log.level, &level);
    (void)log_format_parse(settings->log.format, &format);
    return log_open(*settings->log.file ? settings->log.file : NULL, format, level);
}

static void reload(void *context)
{
    program_t *program = context;
    settings_t settings;
    error_report_t report = {0};
    sluice_error_t error = load_settings(program, &settings, &report);
    if (error == SLUICE_OK && open_log(&settings) != SLUICE_OK)
        error = error_report_set(&report, SLUICE_ERROR_IO, "cannot open %s", settings.log.file);
    if (error != SLUICE_OK)
        LOG(LOG_LEVEL_ERROR, "main", NULL, "reload failed, everything stays as it was",
            log_text("text", report.text));
    else
        LOG(LOG_LEVEL_INFO, "main", NULL, "log settings were read again",
            log_text("level", settings.log.level));
}

static int fail(sluice_error_t error, const error_report_t *report)
{
    LOG(LOG_LEVEL_ERROR, "main", NULL, "cannot go on", log_text("error", sluice_error_name(error)),
        log_text("text", report->text));
    return (int)process_exit_of(error);
}

static int run(program_t *program)
{
    error_report_t report = {0};
    meta_store_t *store = NULL;
    maintainer_actor_t *actor = NULL;
    int signals = process_signals_open();
    if (signals < 0)
        return PROCESS_TEMPORARY;
    LOG(LOG_LEVEL_INFO, "main", NULL, PROGRAM " starts", log_text("version", version_number()),
        log_text("git_hash", version_hash()), log_text("name", program->settings.maintainer.name));
    zsys_handler_set(NULL);
    sluice_error_t error = meta_sqlite_open(program->settings.maintainer.data, &store, &report);
    maintainer_actor_options_t options = {.settings = &program->settings,
                                          .store = store,
                                          .signals = signals,
                                          .reload = reload,
                                          .reload_context = program};
    if (error == SLUICE_OK)
        error = maintainer_actor_start(&options, &actor, &report);
    if (error == SLUICE_OK)
        error = maintainer_actor_run(actor, &report);
    int code = error == SLUICE_OK ? PROCESS_OK : fail(error, &report);
    maintainer_actor_destroy(&actor);
    meta_store_close(&store);
    zsys_shutdown();
    close(signals);
    LOG(LOG_LEVEL_INFO, "main", NULL, PROGRAM " has stopped", log_number("code", (uint64_t)code));
    return code;
}

static int check(const program_t *program)
{
    maintainer_settings_t core;
    error_report_t report = {0};
    if (maintainer_settings_from(&program->settings, &core, &report) != SLUICE_OK) {
        fprintf(stderr, "%s: %s\n", PROGRAM, report.text);
        return PROCESS_CONFIGURATION;
    }
    config_write(&settings_table, &program->settings, stdout);
    return PROCESS_OK;
}

static int start(program_t *program, int argc, char **argv)
{
    error_report_t report = {0};
    if (process_arguments_parse(argc, argv, &settings_table, &program->arena, &program->arguments,
                                &report) != SLUICE_OK) {
        fprintf(stderr, "%s: %s\n", PROGRAM, report.text);
        return PROCESS_USAGE;
    }
    if (program->arguments.wants_help) {
        process_print_help(PROGRAM, "coordinates the changefeeds of Sluice");
        return PROCESS_OK;
    }
    if (program->arguments.wants_version) {
        print_version();
        return PROCESS_OK;
    }
    if (load_settings(program, &program->settings, &report) != SLUICE_OK) {
        fprintf(stderr, "%s: %s\n", PROGRAM, report.text);
        return PROCESS_CONFIGURATION;
    }
    if (program->arguments.wants_check)
        return check(program);
    if (open_log(&program->settings) != SLUICE_OK) {
        fprintf(stderr, "%s: cannot open %s\n", PROGRAM, program->settings.log.file);
        return PROCESS_STATE;
    }
    return run(program);
}

int main(int argc, char **argv)
{
    program_t program = {0};
    int code = start(&program, argc, argv);
    arena_clear(&program.arena);
    return code;
}
