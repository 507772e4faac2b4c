/* sluicectl table …, barrier …, capture … */
#include <stdio.h>
#include <string.h>

#include "maintainer/ctl/commands.h"
#include "maintainer/ctl/output.h"
#include "maintainer/ctl/wait.h"

#define PATH_MAX_LEN 256

static const output_column_t table_columns[] = {{"SCHEMA", "schema"},
                                                {"TABLE", "table"},
                                                {"TABLE ID", "table_id"},
                                                {"NODE", "node"},
                                                {"STATE", "state"},
                                                {"CHECKPOINT", "checkpoint_ts"},
                                                {"WAITS AT", "waiting_for.commit_ts"},
                                                {NULL, NULL}};

static const output_column_t barrier_columns[] = {{"COMMIT_TS", "commit_ts"},
                                                  {"SYNC POINT", "is_syncpoint"},
                                                  {"STATE", "state"},
                                                  {"SCOPE", "scope"},
                                                  {"WRITER", "writer_node"},
                                                  {"REPORTED", "reported"},
                                                  {"REQUIRED", "required"},
                                                  {"DONE", "done"},
                                                  {"AGE (s)", "age_seconds"},
                                                  {"MISSING", "missing"},
                                                  {NULL, NULL}};

static const output_column_t capture_columns[] = {{"ID", "id"},
                                                  {"STATE", "state"},
                                                  {"SLOT", "slot"},
                                                  {"HOST", "host"},
                                                  {"VERSION", "version"},
                                                  {"SPANS", "span_count"},
                                                  {"SILENT (s)", "silence_seconds"},
                                                  {NULL, NULL}};

/* Lists may come in pages: asks for the next one until all that the server has are there. */
static ctl_exit_t fetch_list(const ctl_options_t *options, const char *path, json_t **list)
{
    char page_path[PATH_MAX_LEN + 32];
    json_t *page;
    ctl_exit_t code = client_call(options, "GET", path, NULL, list);
    json_t *items = json_object_get(*list, "items");
    size_t total = (size_t)json_integer_value(json_object_get(*list, "total"));
    while (code == CTL_OK && json_array_size(items) < total) {
        snprintf(page_path, sizeof page_path, "%s?offset=%zu", path, json_array_size(items));
        code = client_call(options, "GET", page_path, NULL, &page);
        size_t before = json_array_size(items);
        json_array_extend(items, json_object_get(page, "items"));
        json_decref(page);
        if (json_array_size(items) == before)
            break; /* it became shorter meanwhile */
    }
    if (code != CTL_OK)
        json_decref(*list);
    return code;
}

static ctl_exit_t print_list(const ctl_options_t *options, const char *path,
                             const output_column_t *columns)
{
    json_t *json;
    ctl_exit_t code = fetch_list(options, path, &json);
    if (code != CTL_OK)
        return code;
    if (options->is_json)
        output_json(json, stdout);
    else
        output_table(json_object_get(json, "items"), columns, stdout);
    json_decref(json);
    return CTL_OK;
}

static ctl_exit_t print_feed_list(const ctl_options_t *options, const char *what,
                                  const output_column_t *columns)
{
    char path[PATH_MAX_LEN];
    const char *name = ctl_changefeed_name(options);
    if (!name)
        return CTL_USAGE;
    snprintf(path, sizeof path, "/api/v2/changefeeds/%s/%s", name, what);
    return print_list(options, path, columns);
}

ctl_exit_t ctl_table_list(const ctl_options_t *options)
{
    return print_feed_list(options, "tables", table_columns);
}

ctl_exit_t ctl_barrier_list(const ctl_options_t *options)
{
    return print_feed_list(options, "barriers", barrier_columns);
}

ctl_exit_t ctl_capture_list(const ctl_options_t *options)
{
    return print_list(options, "/api/v2/captures", capture_columns);
}

ctl_exit_t ctl_table_move(const ctl_options_t *options)
{
    char path[PATH_MAX_LEN];
    const char *name = ctl_changefeed_name(options);
    if (!name)
        return CTL_USAGE;
    if (!options->table)
        return ctl_missing("--table-id");
    if (!options->capture)
        return ctl_missing("--capture-id");
    json_t *body = json_object();
    json_object_set_new(body, "table_id", json_string(options->table));
    json_object_set_new(body, "node", json_string(options->capture));
    snprintf(path, sizeof path, "/api/v2/changefeeds/%s/move_table", name);
    ctl_exit_t code = client_call(options, "POST", path, body, NULL);
    json_decref(body);
    return code;
}

ctl_exit_t ctl_capture_drain(const ctl_options_t *options)
{
    char path[PATH_MAX_LEN];
    json_t *json;
    const char *name = options->capture ? options->capture : options->words[2];
    if (!name)
        return ctl_missing("--capture-id");
    if (!*name || strlen(name) > 63 || strpbrk(name, "/?#%\\ ")) {
        fprintf(stderr, "sluicectl: '%s' is no node's name\n", name);
        return CTL_USAGE;
    }
    snprintf(path, sizeof path, "/api/v2/captures/%s/drain", name);
    ctl_exit_t code = client_call(options, "PUT", path, NULL, &json);
    if (code != CTL_OK)
        return code;
    if (options->is_json)
        output_json(json, stdout);
    else
        printf("%lld left\n",
               (long long)json_integer_value(json_object_get(json, "current_span_count")));
    json_decref(json);
    return wait_until(options, "PUT", path, wait_judge_drained, NULL);
}
