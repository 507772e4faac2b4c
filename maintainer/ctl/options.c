#include "maintainer/ctl/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAIT_DEFAULT_SECONDS 60
#define LINES_DEFAULT 20

enum {
    OPTION_SERVER = 256,
    OPTION_OUTPUT,
    OPTION_WAIT,
    OPTION_NO_CONFIRM,
    OPTION_CAPTURE,
    OPTION_TABLE,
    OPTION_SOURCE,
    OPTION_SINK,
    OPTION_FILTER,
    OPTION_OPTION,
    OPTION_START,
    OPTION_DOMAIN,
    OPTION_OVERWRITE,
    OPTION_LINES
};

static const struct option names[] = {
    {"server", required_argument, NULL, OPTION_SERVER},
    {"output", required_argument, NULL, OPTION_OUTPUT},
    {"wait", optional_argument, NULL, OPTION_WAIT},
    {"no-confirm", no_argument, NULL, OPTION_NO_CONFIRM},
    {"changefeed-id", required_argument, NULL, 'c'},
    {"capture-id", required_argument, NULL, OPTION_CAPTURE},
    {"table-id", required_argument, NULL, OPTION_TABLE},
    {"source", required_argument, NULL, OPTION_SOURCE},
    {"sink", required_argument, NULL, OPTION_SINK},
    {"filter", required_argument, NULL, OPTION_FILTER},
    {"option", required_argument, NULL, OPTION_OPTION},
    {"start", required_argument, NULL, OPTION_START},
    {"domain", required_argument, NULL, OPTION_DOMAIN},
    {"overwrite-gtid", required_argument, NULL, OPTION_OVERWRITE},
    {"lines", required_argument, NULL, OPTION_LINES},
    {"short", no_argument, NULL, 's'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static bool complain(const char *what, const char *value)
{
    fprintf(stderr, "sluicectl: %s '%s'; see sluicectl --help\n", what, value);
    return false;
}

static bool parse_number(const char *text, uint32_t max, uint32_t *number)
{
    char *end = NULL;
    unsigned long value = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || value == 0 || value > max)
        return complain("no number that can be used:", text);
    *number = (uint32_t)value;
    return true;
}

static bool add(const char **list, uint32_t *count, const char *value)
{
    if (*count == CTL_LIST_MAX)
        return complain("too many of them:", value);
    list[(*count)++] = value;
    return true;
}

static bool take_output(ctl_options_t *options, const char *value)
{
    options->is_json = strcmp(value, "json") == 0;
    return options->is_json || strcmp(value, "table") == 0 ||
           complain("output is table or json, not", value);
}

static bool take_wait(ctl_options_t *options, const char *value)
{
    options->wait_seconds = WAIT_DEFAULT_SECONDS;
    return !value || parse_number(value, 86400, &options->wait_seconds);
}

/* Where a text option goes; NULL for the others. */
static const char **text_field(ctl_options_t *options, int option)
{
    switch (option) {
    case OPTION_SERVER:
        return &options->server;
    case 'c':
        return &options->changefeed;
    case OPTION_CAPTURE:
        return &options->capture;
    case OPTION_TABLE:
        return &options->table;
    case OPTION_SOURCE:
        return &options->source;
    case OPTION_SINK:
        return &options->sink;
    case OPTION_START:
        return &options->start;
    case OPTION_DOMAIN:
        return &options->domain;
    case OPTION_OVERWRITE:
        return &options->overwrite_gtid;
    default:
        return NULL;
    }
}

static bool take(ctl_options_t *options, int option, const char *value)
{
    const char **text = text_field(options, option);
    if (text) {
        *text = value;
        return true;
    }
    switch (option) {
    case OPTION_OUTPUT:
        return take_output(options, value);
    case OPTION_WAIT:
        return take_wait(options, value);
    case OPTION_FILTER:
        return add(options->filters, &options->filter_count, value);
    case OPTION_OPTION:
        return add(options->settings, &options->setting_count, value);
    case OPTION_LINES:
        return parse_number(value, 1000000, &options->lines);
    case OPTION_NO_CONFIRM:
        options->no_confirm = true;
        return true;
    case 's':
        options->is_short = true;
        return true;
    case 'h':
        options->wants_help = true;
        return true;
    default:
        return false; /* getopt has said what is wrong */
    }
}

bool ctl_options_parse(int argc, char **argv, ctl_options_t *options)
{
    const char *server = getenv("SLUICE_SERVER");
    *options =
        (ctl_options_t){.server = server ? server : CTL_SERVER_DEFAULT, .lines = LINES_DEFAULT};
    int option;
    while ((option = getopt_long(argc, argv, "c:hs", names, NULL)) != -1)
        if (!take(options, option, optarg))
            return false;
    for (; optind < argc; optind++) {
        if (options->word_count == 3)
            return complain("one word too many:", argv[optind]);
        options->words[options->word_count++] = argv[optind];
    }
    return true;
}
