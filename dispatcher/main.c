/* sluice-dispatcher: a node, which carries spans from the source to the sink. */
#include <czmq.h>
#include <mysql.h>
#include <sqlite3.h>
#include <stdlib.h>

#include "common/runtime/log.h"
#include "common/runtime/version.h"
#include "dispatcher/shell/node.h"

#define PROGRAM "sluice-dispatcher"

typedef struct {
    arena_t arena;
    process_arguments_t arguments;
    settings_t settings;
    node_id_t id;
} program_t;

static void print_version(void)
{
    char sqlite[64], mariadb[64], zmq[64];
    int major, minor, patch;
    zmq_version(&major, &minor, &patch);
    snprintf(zmq, sizeof zmq, "libzmq %d.%d.%d", major, minor, patch);
    snprintf(sqlite, sizeof sqlite, "sqlite %s", sqlite3_libversion());
    snprintf(mariadb, sizeof mariadb, "libmariadb %s", mysql_get_client_info());
    const char *const libraries[] = {zmq, sqlite, mariadb, NULL};
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

/* What the table of keys cannot say. */
static sluice_error_t check_settings(program_t *program, error_report_t *report)
{
    const settings_t *settings = &program->settings;
    if (settings->node.control.count == 0 ||
        settings->node.control.count != settings->node.status.count)
        return error_report_set(report, SLUICE_ERROR_CONFIGURATION,
                                "node.control and node.status must name the same maintainers, in "
                                "the same order");
    char host[NODE_ID_SIZE] = {0};
    const char *id = settings->node.id;
    if (!id || *id == '\0') {
        if (gethostname(host, sizeof host - 1) != 0)
            host[0] = '\0';
        id = host;
    }
    if (!node_id_parse(bytes_of_text(id), &program->id))
        return error_report_set(report, SLUICE_ERROR_CONFIGURATION,
                                "node.id: \"%s\" is no name of a node: 1 to 63 letters, digits, "
                                "'.', '_', '-'",
                                id);
    return SLUICE_OK;
}

static int run(program_t *program)
{
    error_report_t report = {0};
    int signals = process_signals_open();
    if (signals < 0)
        return PROCESS_TEMPORARY;
    LOG(LOG_LEVEL_INFO, "main", NULL, PROGRAM " starts", log_text("version", version_number()),
        log_text("git_hash", version_hash()), log_text("id", program->id.text));
    zsys_handler_set(NULL);
    node_options_t options = {.settings = &program->settings,
                              .id = program->id,
                              .signals = signals,
                              .reload = reload,
                              .reload_context = program};
    node_t *node = node_new(&options);
    int code = node_run(node, &report);
    if (code != PROCESS_OK)
        LOG(LOG_LEVEL_ERROR, "main", NULL, "cannot go on", log_text("text", report.text));
    node_destroy(&node);
    zsys_shutdown();
    close(signals);
    LOG(LOG_LEVEL_INFO, "main", NULL, PROGRAM " has stopped", log_number("code", (uint64_t)code));
    return code;
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
        process_print_help(PROGRAM, "carries tables from the source to the sink");
        return PROCESS_OK;
    }
    if (program->arguments.wants_version) {
        print_version();
        return PROCESS_OK;
    }
    if (load_settings(program, &program->settings, &report) != SLUICE_OK ||
        check_settings(program, &report) != SLUICE_OK) {
        fprintf(stderr, "%s: %s\n", PROGRAM, report.text);
        return PROCESS_CONFIGURATION;
    }
    if (program->arguments.wants_check) {
        config_write(&settings_table, &program->settings, stdout);
        return PROCESS_OK;
    }
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
