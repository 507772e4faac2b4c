/* sluice-dispatcher: a node, which carries spans from the source to the sink. */
#include <czmq.h>
#include <mysql.h>
#include <sqlite3.h>

#include "common/runtime/log.h"
#include "common/runtime/program.h"
#include "common/runtime/version.h"
#include "dispatcher/shell/node.h"

#define PROGRAM "sluice-dispatcher"

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

/* The configured one, else the machine's name. */
static sluice_error_t id_of_node(const settings_t *settings, node_id_t *node,
                                 error_report_t *report)
{
    char host[NODE_ID_SIZE] = {0};
    const char *id = settings->node.id;
    if (!id || *id == '\0') {
        if (gethostname(host, sizeof host - 1) != 0)
            host[0] = '\0';
        id = host;
    }
    if (!node_id_parse(bytes_of_text(id), node))
        return error_report_set(report, SLUICE_ERROR_CONFIGURATION,
                                "node.id: \"%s\" is no name of a node: 1 to 63 letters, digits, "
                                "'.', '_', '-'",
                                id);
    return SLUICE_OK;
}

static sluice_error_t check(const settings_t *settings, error_report_t *report)
{
    node_id_t node;
    if (settings->node.control.count == 0 ||
        settings->node.control.count != settings->node.status.count)
        return error_report_set(report, SLUICE_ERROR_CONFIGURATION,
                                "node.control and node.status must name the same maintainers, in "
                                "the same order");
    return id_of_node(settings, &node, report);
}

static int run(program_t *program)
{
    error_report_t report = {0};
    node_options_t options = {.settings = &program->settings,
                              .signals = process_signals_open(),
                              .reload = program_reload,
                              .reload_context = program};
    if (options.signals < 0)
        return PROCESS_TEMPORARY;
    sluice_error_t error = id_of_node(&program->settings, &options.id, &report);
    if (error != SLUICE_OK)
        return program_fail(error, &report);
    LOG(LOG_LEVEL_INFO, "main", NULL, PROGRAM " starts", log_text("version", version_number()),
        log_text("git_hash", version_hash()), log_text("id", options.id.text));
    zsys_handler_set(NULL);
    node_t *node = node_new(&options);
    int code = node_run(node, &report);
    if (code != PROCESS_OK)
        LOG(LOG_LEVEL_ERROR, "main", NULL, "cannot go on", log_text("text", report.text));
    node_destroy(&node);
    zsys_shutdown();
    close(options.signals);
    LOG(LOG_LEVEL_INFO, "main", NULL, PROGRAM " has stopped", log_number("code", (uint64_t)code));
    return code;
}

int main(int argc, char **argv)
{
    const program_spec_t spec = {.name = PROGRAM,
                                 .what = "carries tables from the source to the sink",
                                 .print_version = print_version,
                                 .check = check,
                                 .run = run};
    return program_main(&spec, argc, argv);
}
