/* sluicectl compare: what to compare comes from the command line, or from a changefeed's
 * configuration. */
#include <stdio.h>
#include <stdlib.h>

#include "common/base/arena.h"
#include "maintainer/ctl/client.h"
#include "maintainer/ctl/commands.h"
#include "maintainer/ctl/compare/compare.h"

typedef struct {
    compare_options_t compare;
    bytes_t rules[CTL_LIST_MAX];
    json_t *changefeed; /* NULL: all from the command line */
} compare_command_t;

static void take_rules(compare_command_t *self, const json_t *rules)
{
    for (size_t i = 0; i < json_array_size(rules) && i < CTL_LIST_MAX; i++) {
        const char *rule = json_string_value(json_array_get(rules, i));
        if (rule)
            self->rules[self->compare.filter_rule_count++] = bytes_of_text(rule);
    }
}

/* Options that were given win over the changefeed's. */
static ctl_exit_t take_changefeed(compare_command_t *self, const ctl_options_t *options)
{
    arena_t arena = {0};
    const char *path = arena_printf(&arena, "/api/v2/changefeeds/%s", options->changefeed);
    ctl_exit_t code = client_call(options, "GET", path, NULL, &self->changefeed);
    arena_clear(&arena);
    if (code != CTL_OK)
        return code;
    const json_t *config = json_object_get(self->changefeed, "config");
    if (!self->compare.source_uri)
        self->compare.source_uri = json_string_value(json_object_get(config, "source"));
    if (!self->compare.sink_uri)
        self->compare.sink_uri = json_string_value(json_object_get(config, "sink"));
    if (self->compare.filter_rule_count == 0)
        take_rules(self, json_object_get(config, "filter"));
    return CTL_OK;
}

static ctl_exit_t run(const compare_command_t *self)
{
    compare_result_t result = {0};
    error_report_t report = {0};
    sluice_error_t error = compare_run(&self->compare, &result, &report);
    if (error != SLUICE_OK) {
        fprintf(stderr, "sluicectl: %s: %s\n", sluice_error_name(error), report.text);
        return error == SLUICE_ERROR_CONFIGURATION ? CTL_USAGE : CTL_NO_CONNECTION;
    }
    return result.tables_differing ? CTL_SERVER_ERROR : CTL_OK;
}

ctl_exit_t ctl_compare(const ctl_options_t *options)
{
    compare_command_t self = {.compare = {.source_uri = options->source,
                                          .sink_uri = options->sink,
                                          .lines_max = options->lines,
                                          .out = stdout}};
    for (uint32_t i = 0; i < options->filter_count; i++)
        self.rules[self.compare.filter_rule_count++] = bytes_of_text(options->filters[i]);
    ctl_exit_t code = CTL_OK;
    if (options->changefeed)
        code = take_changefeed(&self, options);
    self.compare.filter_rules = self.rules;
    if (code == CTL_OK && !self.compare.source_uri)
        code = ctl_missing("--source");
    if (code == CTL_OK && !self.compare.sink_uri)
        code = ctl_missing("--sink");
    if (code == CTL_OK)
        code = run(&self);
    if (self.changefeed)
        json_decref(self.changefeed);
    return code;
}
