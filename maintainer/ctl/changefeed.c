/* sluicectl changefeed … */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "maintainer/ctl/commands.h"
#include "maintainer/ctl/output.h"
#include "maintainer/ctl/wait.h"

#define PATH_MAX_LEN 256

static const output_column_t list_columns[] = {{"ID", "id"},
                                               {"STATE", "state"},
                                               {"PHASE", "phase"},
                                               {"TABLES", "table_count"},
                                               {"CHECKPOINT", "checkpoint_ts"},
                                               {"LAG (s)", "lag_seconds"},
                                               {"BARRIERS", "barrier_count"},
                                               {"ERROR", "error.message"},
                                               {NULL, NULL}};

static const output_column_t record_columns[] = {{"id", "id"},
                                                 {"state", "state"},
                                                 {"phase", "phase"},
                                                 {"error", "error.message"},
                                                 {"source", "config.source"},
                                                 {"sink", "config.sink"},
                                                 {"checkpoint", "checkpoint_ts"},
                                                 {"checkpoint time", "checkpoint_time"},
                                                 {"gtid", "gtid"},
                                                 {"resolved", "resolved_ts"},
                                                 {"lag (s)", "lag_seconds"},
                                                 {"caught up", "caught_up"},
                                                 {"held by", "holding"},
                                                 {"tables", "table_count"},
                                                 {"replicating", "spans.replicating"},
                                                 {"barriers open", "barrier_count"},
                                                 {"rows applied", "rows_applied"},
                                                 {"rows/s", "rows_per_second"},
                                                 {"schema changes", "ddl_applied"},
                                                 {"warnings", "warnings"},
                                                 {NULL, NULL}};

const char *ctl_changefeed_name(const ctl_options_t *options)
{
    const char *name = options->changefeed ? options->changefeed : options->words[2];
    if (!name)
        (void)ctl_missing("--changefeed-id");
    else if (strlen(name) > 128 || strpbrk(name, "/?#%\\ ") || !*name) {
        fprintf(stderr, "sluicectl: '%s' is no changefeed's name\n", name);
        name = NULL;
    }
    return name;
}

ctl_exit_t ctl_missing(const char *option)
{
    fprintf(stderr, "sluicectl: %s is missing; see sluicectl --help\n", option);
    return CTL_USAGE;
}

static void make_path(char path[PATH_MAX_LEN], const char *name, const char *action)
{
    snprintf(path, PATH_MAX_LEN, "/api/v2/changefeeds/%s%s", name, action);
}

static void print(const ctl_options_t *options, const json_t *json)
{
    if (options->is_json)
        output_json(json, stdout);
    else
        output_record(json, record_columns, stdout);
}

/* ---- create and update ---- */

static bool put_options(const ctl_options_t *options, json_t *body)
{
    json_t *settings = json_object();
    json_object_set_new(body, "options", settings);
    for (uint32_t i = 0; i < options->setting_count; i++) {
        const char *equals = strchr(options->settings[i], '=');
        if (!equals || equals == options->settings[i]) {
            fprintf(stderr, "sluicectl: --option wants KEY=VALUE, not '%s'\n",
                    options->settings[i]);
            return false;
        }
        json_object_setn_new(settings, options->settings[i],
                             (size_t)(equals - options->settings[i]), json_string(equals + 1));
    }
    return true;
}

/* NULL: complained. */
static json_t *config_of(const ctl_options_t *options, const char *name)
{
    json_t *body = json_object(), *filters = json_array();
    json_object_set_new(body, "name", json_string(name));
    json_object_set_new(body, "source", json_string(options->source));
    json_object_set_new(body, "sink", json_string(options->sink));
    for (uint32_t i = 0; i < options->filter_count; i++)
        json_array_append_new(filters, json_string(options->filters[i]));
    json_object_set_new(body, "filter", filters);
    if (options->start)
        json_object_set_new(body, "start", json_string(options->start));
    char *end = NULL;
    unsigned long domain = options->domain ? strtoul(options->domain, &end, 10) : 0;
    bool is_domain = !options->domain || (*options->domain && !*end);
    if (!is_domain)
        fprintf(stderr, "sluicectl: --domain wants a number, not '%s'\n", options->domain);
    if (options->domain)
        json_object_set_new(body, "domain", json_integer((json_int_t)domain));
    if (is_domain && put_options(options, body))
        return body;
    json_decref(body);
    return NULL;
}

/* Prints the state that was waited for, or the one answered at once. */
static ctl_exit_t finish(const ctl_options_t *options, const char *name, wait_judge_t *judge,
                         json_t *answered)
{
    char path[PATH_MAX_LEN];
    json_t *waited = NULL;
    make_path(path, name, "");
    ctl_exit_t code = wait_until(options, "GET", path, judge, &waited);
    if (code == CTL_OK)
        print(options, waited ? waited : answered);
    json_decref(waited);
    json_decref(answered);
    return code;
}

static ctl_exit_t send_config(const ctl_options_t *options, const char *method, const char *path,
                              const char *name, json_t **answered)
{
    if (!options->source)
        return ctl_missing("--source");
    if (!options->sink)
        return ctl_missing("--sink");
    json_t *body = config_of(options, name);
    if (!body)
        return CTL_USAGE;
    ctl_exit_t code = client_call(options, method, path, body, answered);
    json_decref(body);
    return code;
}

ctl_exit_t ctl_changefeed_create(const ctl_options_t *options)
{
    const char *name = ctl_changefeed_name(options);
    json_t *answered;
    if (!name)
        return CTL_USAGE;
    ctl_exit_t code = send_config(options, "POST", "/api/v2/changefeeds", name, &answered);
    return code == CTL_OK ? finish(options, name, wait_judge_running, answered) : code;
}

ctl_exit_t ctl_changefeed_update(const ctl_options_t *options)
{
    char path[PATH_MAX_LEN];
    json_t *answered;
    const char *name = ctl_changefeed_name(options);
    if (!name)
        return CTL_USAGE;
    make_path(path, name, "");
    ctl_exit_t code = send_config(options, "PUT", path, name, &answered);
    if (code == CTL_OK)
        print(options, answered);
    if (code == CTL_OK)
        json_decref(answered);
    return code;
}

/* ---- the others ---- */

ctl_exit_t ctl_changefeed_list(const ctl_options_t *options)
{
    json_t *json;
    ctl_exit_t code = client_call(options, "GET", "/api/v2/changefeeds", NULL, &json);
    if (code != CTL_OK)
        return code;
    if (options->is_json)
        output_json(json, stdout);
    else
        output_table(json_object_get(json, "items"), list_columns, stdout);
    json_decref(json);
    return CTL_OK;
}

static void print_short(const json_t *json)
{
    static const char *const paths[] = {"state",        "phase",           "spans.replicating",
                                        "span_count",   "rows_per_second", "lag_seconds",
                                        "barrier_count"};
    char *texts[sizeof paths / sizeof paths[0]];
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        texts[i] = output_text(json, paths[i]);
    printf("%s/%s, tables %s/%s, rows/s %s, lag %s s, barriers %s\n", texts[0], texts[1], texts[2],
           texts[3], texts[4], texts[5], texts[6]);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        free(texts[i]);
}

ctl_exit_t ctl_changefeed_query(const ctl_options_t *options)
{
    char path[PATH_MAX_LEN];
    json_t *json;
    const char *name = ctl_changefeed_name(options);
    if (!name)
        return CTL_USAGE;
    make_path(path, name, "");
    ctl_exit_t code = wait_until(options, "GET", path, wait_judge_running, NULL);
    if (code == CTL_OK)
        code = client_call(options, "GET", path, NULL, &json);
    if (code != CTL_OK)
        return code;
    if (options->is_short)
        print_short(json);
    else
        print(options, json);
    json_decref(json);
    return CTL_OK;
}

ctl_exit_t ctl_changefeed_pause(const ctl_options_t *options)
{
    char path[PATH_MAX_LEN];
    json_t *answered;
    const char *name = ctl_changefeed_name(options);
    if (!name)
        return CTL_USAGE;
    make_path(path, name, "/pause");
    ctl_exit_t code = client_call(options, "POST", path, NULL, &answered);
    return code == CTL_OK ? finish(options, name, wait_judge_stopped, answered) : code;
}

/* What destroys is asked about; who is not at a terminal has to say so beforehand. */
static bool is_confirmed(const ctl_options_t *options, const char *what, const char *name)
{
    char line[256] = "";
    if (options->no_confirm)
        return true;
    if (!isatty(STDIN_FILENO)) {
        fprintf(stderr, "sluicectl: this %s; say --no-confirm to do it without asking\n", what);
        return false;
    }
    fprintf(stderr, "This %s. Type its name (%s) to go on: ", what, name);
    if (fgets(line, sizeof line, stdin))
        line[strcspn(line, "\r\n")] = '\0';
    return strcmp(line, name) == 0;
}

ctl_exit_t ctl_changefeed_resume(const ctl_options_t *options)
{
    char path[PATH_MAX_LEN];
    json_t *answered;
    const char *name = ctl_changefeed_name(options);
    if (!name)
        return CTL_USAGE;
    if (options->overwrite_gtid &&
        !is_confirmed(options, "overwrites the changefeed's position", name))
        return CTL_USAGE;
    json_t *body = NULL;
    if (options->overwrite_gtid) {
        body = json_object();
        json_object_set_new(body, "overwrite_gtid", json_string(options->overwrite_gtid));
    }
    make_path(path, name, "/resume");
    ctl_exit_t code = client_call(options, "POST", path, body, &answered);
    json_decref(body);
    return code == CTL_OK ? finish(options, name, wait_judge_running, answered) : code;
}

ctl_exit_t ctl_changefeed_remove(const ctl_options_t *options)
{
    char path[PATH_MAX_LEN];
    const char *name = ctl_changefeed_name(options);
    if (!name)
        return CTL_USAGE;
    if (!is_confirmed(options, "removes the changefeed and its position", name))
        return CTL_USAGE;
    make_path(path, name, "");
    ctl_exit_t code = client_call(options, "DELETE", path, NULL, NULL);
    return code == CTL_OK ? wait_until(options, "GET", path, wait_judge_gone, NULL) : code;
}
