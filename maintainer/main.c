/* sluice-maintainer: the coordinator of changefeeds. */
#include <czmq.h>
#include <jansson.h>
#include <microhttpd.h>
#include <sqlite3.h>

#include "common/runtime/log.h"
#include "common/runtime/program.h"
#include "common/runtime/version.h"
#include "maintainer/shell/maintainer_actor.h"
#include "maintainer/shell/maintainer_settings.h"

#define PROGRAM "sluice-maintainer"

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
                                          .reload = program_reload,
                                          .reload_context = program};
    if (error == SLUICE_OK)
        error = maintainer_actor_start(&options, &actor, &report);
    if (error == SLUICE_OK)
        error = maintainer_actor_run(actor, &report);
    int code = error == SLUICE_OK ? PROCESS_OK : program_fail(error, &report);
    maintainer_actor_destroy(&actor);
    meta_store_close(&store);
    zsys_shutdown();
    close(signals);
    LOG(LOG_LEVEL_INFO, "main", NULL, PROGRAM " has stopped", log_number("code", (uint64_t)code));
    return code;
}

static sluice_error_t check(const settings_t *settings, error_report_t *report)
{
    maintainer_settings_t core;
    return maintainer_settings_from(settings, &core, report);
}

int main(int argc, char **argv)
{
    const program_spec_t spec = {.name = PROGRAM,
                                 .what = "coordinates the changefeeds of Sluice",
                                 .print_version = print_version,
                                 .check = check,
                                 .run = run};
    return program_main(&spec, argc, argv);
}
