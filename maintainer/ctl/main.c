/* sluicectl: the operator's command line. */
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "maintainer/ctl/commands.h"

typedef struct {
    const char *group, *name; /* name NULL: the group is the command */
    ctl_command_t *run;
    const char *help;
} command_t;

static const command_t commands[] = {
    {"changefeed", "create", ctl_changefeed_create,
     "NAME --source URI --sink URI [--filter RULE]... [--start now|GTIDS] [--domain N]"
     " [--option K=V]... [--wait]"},
    {"changefeed", "list", ctl_changefeed_list, ""},
    {"changefeed", "query", ctl_changefeed_query, "NAME [-s]"},
    {"changefeed", "pause", ctl_changefeed_pause, "NAME [--wait]"},
    {"changefeed", "resume", ctl_changefeed_resume, "NAME [--overwrite-gtid GTIDS] [--wait]"},
    {"changefeed", "update", ctl_changefeed_update, "NAME --source URI --sink URI ..."},
    {"changefeed", "remove", ctl_changefeed_remove, "NAME [--no-confirm] [--wait]"},
    {"table", "list", ctl_table_list, "NAME"},
    {"table", "move", ctl_table_move, "NAME --table-id ID --capture-id NODE"},
    {"barrier", "list", ctl_barrier_list, "NAME"},
    {"capture", "list", ctl_capture_list, ""},
    {"capture", "drain", ctl_capture_drain, "NODE [--wait]"},
    {"config", "check", ctl_config_check, "FILE"},
    {"config", "example", ctl_config_example, ""},
    {"compare", NULL, ctl_compare,
     "-c NAME | --source URI --sink URI [--filter RULE]... [--lines N]"},
    {"health", NULL, ctl_health, ""},
    {"version", NULL, ctl_version, ""},
};
#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

static void print_help(FILE *out)
{
    fprintf(out, "usage: sluicectl [options] GROUP [COMMAND] [options]\n\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(out, "  %s%s%s %s\n", commands[i].group, commands[i].name ? " " : "",
                commands[i].name ? commands[i].name : "", commands[i].help);
    fprintf(out, "\n  -c, --changefeed-id NAME   instead of the word behind the command\n"
                 "      --server URL           the maintainer's (" CTL_SERVER_DEFAULT
                 "; or SLUICE_SERVER)\n"
                 "      --output table|json    how lists and records are printed (table)\n"
                 "      --wait[=SECONDS]       until it has come true (60)\n"
                 "      --no-confirm           do not ask before what destroys\n\n"
                 "exit codes: 0 ok, 1 the server said error (compare: something differs), 2 usage,"
                 " 3 cannot connect, 4 wait timed out\n");
}

static const command_t *find_command(const ctl_options_t *options)
{
    for (size_t i = 0; i < COMMAND_COUNT && options->word_count; i++) {
        const command_t *command = &commands[i];
        if (strcmp(command->group, options->words[0]) != 0)
            continue;
        if (!command->name || (options->words[1] && strcmp(command->name, options->words[1]) == 0))
            return command;
    }
    return NULL;
}

int main(int argc, char **argv)
{
    ctl_options_t options;
    if (!ctl_options_parse(argc, argv, &options))
        return CTL_USAGE;
    if (options.wants_help) {
        print_help(stdout);
        return CTL_OK;
    }
    const command_t *command = find_command(&options);
    if (!command) {
        fprintf(stderr, "sluicectl: %s\n\n", options.word_count ? "no such command" : "no command");
        print_help(stderr);
        return CTL_USAGE;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    ctl_exit_t code = command->run(&options);
    curl_global_cleanup();
    return (int)code;
}
