/* Commands of sluicectl that need no server, or any, a node as well: config, health, version. */
#include <stdio.h>
#include <string.h>

#include "common/runtime/settings.h"
#include "common/runtime/version.h"
#include "maintainer/ctl/client.h"
#include "maintainer/ctl/commands.h"

ctl_exit_t ctl_config_check(const ctl_options_t *options)
{
    arena_t arena = {0};
    settings_t settings;
    error_report_t report = {0};
    config_sources_t sources = {.path = options->words[2]};
    if (!sources.path)
        return ctl_missing("a file");
    sluice_error_t error = config_load(&settings_table, &sources, &arena, &settings, &report);
    if (error == SLUICE_OK)
        config_write(&settings_table, &settings, stdout);
    else
        fprintf(stderr, "sluicectl: %s\n", report.text);
    arena_clear(&arena);
    return error == SLUICE_OK ? CTL_OK : CTL_USAGE;
}

ctl_exit_t ctl_config_example(const ctl_options_t *options)
{
    (void)options;
    config_write(&settings_table, NULL, stdout);
    return CTL_OK;
}

/* Our own version always; the server's if it is there. */
ctl_exit_t ctl_version(const ctl_options_t *options)
{
    client_answer_t answer;
    printf("sluicectl %s (%s)\n", version_number(), version_hash());
    if (client_request(options, "GET", "/status", NULL, &answer) != CTL_OK)
        return CTL_OK;
    const char *version = json_string_value(json_object_get(answer.json, "version"));
    const char *hash = json_string_value(json_object_get(answer.json, "git_hash"));
    if (version && hash)
        printf("server %s (%s)\n", version, hash);
    json_decref(answer.json);
    return CTL_OK;
}

/* Of whatever process --server names: a maintainer, or a node with node.http. */
ctl_exit_t ctl_health(const ctl_options_t *options)
{
    client_answer_t answer;
    ctl_exit_t code = client_request(options, "GET", "/health", NULL, &answer);
    if (code != CTL_OK)
        return code;
    json_decref(answer.json);
    if (answer.status != 200) {
        fprintf(stderr, "sluicectl: the server said %u\n", answer.status);
        return CTL_SERVER_ERROR;
    }
    puts("ok");
    return CTL_OK;
}
