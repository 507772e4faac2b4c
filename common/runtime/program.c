#include "common/runtime/program.h"

#include <stdio.h>

#include "common/runtime/log.h"

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

void program_reload(void *context)
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

int program_fail(sluice_error_t error, const error_report_t *report)
{
    LOG(LOG_LEVEL_ERROR, "main", NULL, "cannot go on", log_text("error", sluice_error_name(error)),
        log_text("text", report->text));
    return (int)process_exit_of(error);
}

static int complain(const program_spec_t *spec, const error_report_t *report, int code)
{
    fprintf(stderr, "%s: %s\n", spec->name, report->text);
    return code;
}

static int start(const program_spec_t *spec, program_t *program, int argc, char **argv)
{
    error_report_t report = {0};
    if (process_arguments_parse(argc, argv, &settings_table, &program->arena, &program->arguments,
                                &report) != SLUICE_OK)
        return complain(spec, &report, PROCESS_USAGE);
    if (program->arguments.wants_help) {
        process_print_help(spec->name, spec->what);
        return PROCESS_OK;
    }
    if (program->arguments.wants_version) {
        spec->print_version();
        return PROCESS_OK;
    }
    if (load_settings(program, &program->settings, &report) != SLUICE_OK ||
        spec->check(&program->settings, &report) != SLUICE_OK)
        return complain(spec, &report, PROCESS_CONFIGURATION);
    if (program->arguments.wants_check) {
        config_write(&settings_table, &program->settings, stdout);
        return PROCESS_OK;
    }
    if (open_log(&program->settings) != SLUICE_OK) {
        error_report_set(&report, SLUICE_ERROR_IO, "cannot open %s", program->settings.log.file);
        return complain(spec, &report, PROCESS_STATE);
    }
    return spec->run(program);
}

int program_main(const program_spec_t *spec, int argc, char **argv)
{
    program_t program = {0};
    int code = start(spec, &program, argc, argv);
    arena_clear(&program.arena);
    return code;
}
