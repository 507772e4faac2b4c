#include "common/runtime/process.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/runtime/version.h"

process_exit_t process_exit_of(sluice_error_t error)
{
    const char *name = sluice_error_name(error);
    if (error == SLUICE_OK)
        return PROCESS_OK;
    if (error == SLUICE_ERROR_CONFIGURATION || error == SLUICE_ERROR_UNSUPPORTED)
        return PROCESS_CONFIGURATION;
    if (strncmp(name, "source_", strlen("source_")) == 0)
        return PROCESS_SOURCE;
    if (strncmp(name, "sink_", strlen("sink_")) == 0)
        return PROCESS_SINK;
    if (error == SLUICE_ERROR_BUG)
        return PROCESS_INTERNAL;
    if (error == SLUICE_ERROR_MEMORY || error == SLUICE_ERROR_TIMEOUT ||
        error == SLUICE_ERROR_AGAIN)
        return PROCESS_TEMPORARY;
    return PROCESS_STATE;
}

/* ---- command line ---- */

typedef struct {
    int argc, at;
    char **argv;
    const config_table_t *table;
    arena_t *arena;
    config_flag_t *flags;
    process_arguments_t *arguments;
    error_report_t *report;
} parse_t;

static sluice_error_t refuse(parse_t *parse, const char *what, const char *argument)
{
    return error_report_set(parse->report, SLUICE_ERROR_CONFIGURATION, "%s '%s'; see --help", what,
                            argument);
}

/* The text behind '=' or the next argument. */
static const char *value_of(parse_t *parse, const char *equals)
{
    if (equals)
        return equals + 1;
    return parse->at + 1 < parse->argc ? parse->argv[++parse->at] : NULL;
}

static sluice_error_t parse_key(parse_t *parse, const char *argument)
{
    const char *equals = strchr(argument, '=');
    size_t len = equals ? (size_t)(equals - argument) : strlen(argument);
    const config_key_t *key =
        config_find_flag(parse->table, arena_strndup(parse->arena, argument, len));
    if (strncmp(argument, "--", 2) != 0 || !key)
        return refuse(parse, "unknown argument", argument);
    bool is_switch = key->kind == CONFIG_BOOLEAN && !equals;
    const char *value = is_switch ? "true" : value_of(parse, equals);
    if (!value)
        return refuse(parse, "a value is missing behind", argument);
    parse->flags[parse->arguments->sources.flag_count++] = (config_flag_t){key->name, value};
    return SLUICE_OK;
}

static sluice_error_t parse_argument(parse_t *parse)
{
    const char *argument = parse->argv[parse->at];
    process_arguments_t *arguments = parse->arguments;
    bool is_long = strncmp(argument, "--config=", strlen("--config=")) == 0;
    if (is_long || strcmp(argument, "-c") == 0 || strcmp(argument, "--config") == 0) {
        arguments->sources.path = value_of(parse, is_long ? strchr(argument, '=') : NULL);
        return arguments->sources.path ? SLUICE_OK
                                       : refuse(parse, "a file is missing behind", argument);
    }
    if (strcmp(argument, "-h") == 0 || strcmp(argument, "--help") == 0)
        arguments->wants_help = true;
    else if (strcmp(argument, "--version") == 0)
        arguments->wants_version = true;
    else if (strcmp(argument, "--check") == 0)
        arguments->wants_check = true;
    else
        return parse_key(parse, argument);
    return SLUICE_OK;
}

sluice_error_t process_arguments_parse(int argc, char **argv, const config_table_t *table,
                                       arena_t *arena, process_arguments_t *arguments,
                                       error_report_t *report)
{
    parse_t parse = {.argc = argc,
                     .argv = argv,
                     .table = table,
                     .arena = arena,
                     .flags = arena_calloc(arena, (size_t)argc, sizeof(config_flag_t)),
                     .arguments = arguments,
                     .report = report};
    *arguments = (process_arguments_t){.sources.use_environment = true};
    arguments->sources.flags = parse.flags;
    for (parse.at = 1; parse.at < argc; parse.at++) {
        sluice_error_t error = parse_argument(&parse);
        if (error != SLUICE_OK)
            return error;
    }
    return SLUICE_OK;
}

void process_print_help(const char *program, const char *what)
{
    printf("%s: %s\n\n"
           "usage: %s [--config FILE] [--KEY VALUE ...]\n"
           "  -c, --config FILE  configuration (YAML)\n"
           "      --KEY VALUE    overrides a key: log.level is --log-level\n"
           "      --check        read the configuration, print what would be used, and end\n"
           "      --version      version, git hash, compiler, libraries\n"
           "Keys, defaults and ranges: sluicectl config example\n"
           "Order: defaults, file, environment (SLUICE_LOG_LEVEL), command line.\n",
           program, what, program);
}

void process_print_version(const char *program, const char *const *libraries)
{
    printf("%s %s (%s)\ncompiler %s\n", program, version_number(), version_hash(),
           version_compiler());
    for (; *libraries; libraries++)
        printf("%s\n", *libraries);
}

/* ---- signals ---- */

int process_signals_open(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGUSR1);
    signal(SIGPIPE, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
        return -1;
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

process_signal_t process_signal_next(int descriptor)
{
    struct signalfd_siginfo info;
    if (read(descriptor, &info, sizeof info) != (ssize_t)sizeof info)
        return PROCESS_SIGNAL_NONE;
    if (info.ssi_signo == SIGHUP)
        return PROCESS_SIGNAL_RELOAD;
    return info.ssi_signo == SIGUSR1 ? PROCESS_SIGNAL_DUMP : PROCESS_SIGNAL_STOP;
}

/* ---- systemd ---- */

/* One datagram to a socket, as sd_notify(3) describes it: not worth a library that containers then
 * have to carry. */
void process_notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (!path || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof address.sun_path)
        return;
    size_t len = strlen(path);
    memcpy(address.sun_path, path, len);
    if (path[0] == '@')
        address.sun_path[0] = '\0';
    int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0)
        return;
    socklen_t address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    (void)!sendto(descriptor, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address,
                  address_len);
    close(descriptor);
}

uint64_t process_watchdog_interval_ns(void)
{
    const char *text = getenv("WATCHDOG_USEC");
    const char *process = getenv("WATCHDOG_PID");
    if (!text || (process && strtoll(process, NULL, 10) != getpid()))
        return 0;
    unsigned long long us = strtoull(text, NULL, 10);
    return us < UINT64_MAX / NS_PER_US ? us * NS_PER_US / 2 : 0;
}
