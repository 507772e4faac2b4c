#include "dispatcher/shell/preflight.h"

#include <assert.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/memory.h"
#include "common/runtime/uri.h"
#include "common/wire/changefeed_config.h"
#include "dispatcher/core/ddl/cascade_option.h"
#include "dispatcher/core/ddl/schema_tracker.h"
#include "dispatcher/core/node/schema_envelope.h"
#include "dispatcher/core/syncpoint_option.h"
#include "dispatcher/sink/sink.h"
#include "dispatcher/upstream/source.h"

#define WARNINGS_MAX 1000

struct preflight {
    pthread_t thread;
    atomic_bool is_done;
    preflight_options_t options;
    arena_t arena; /* request and response */
    arena_t work;  /* what is needed until the response is there */
    check_request_t request;
    check_response_t response;

    /* The thread's own. */
    source_description_t source;
    table_filter_t *filter, *allowed_cascades; /* the latter NULL: none */
    schema_tracker_t *tracker;
    const table_definition_t **tables; /* carried */
    uint32_t table_count, table_capacity;
    bytes_t warnings[WARNINGS_MAX];
    uint32_t warning_count;
    sluice_error_t error; /* the first */
    const char *text;     /* a line for each failure */
};

/* ---- what was found ---- */

static void add_failure(preflight_t *preflight, sluice_error_t error, const char *text)
{
    if (preflight->error == SLUICE_OK)
        preflight->error = error;
    preflight->text = preflight->text
                          ? arena_printf(&preflight->arena, "%s\n%s", preflight->text, text)
                          : arena_strdup(&preflight->arena, text);
}

static void add_warning(preflight_t *preflight, const char *text)
{
    if (preflight->warning_count < WARNINGS_MAX)
        preflight->warnings[preflight->warning_count++] =
            bytes_of_text(arena_strdup(&preflight->arena, text));
}

/* ---- the source ---- */

static bool describe_source(preflight_t *preflight)
{
    const changefeed_config_t *config = &preflight->request.config;
    source_request_t request = {
        .uri = (const char *)config->source.data,
        .domain = config->domain,
        .server_id = preflight->options.server_id,
        .server_id_min = preflight->options.server_id_min,
        .server_id_max = preflight->options.server_id_max,
        .start = config->start,
        .start_gtid_list = (const char *)config->start_gtid_list.data,
        .filter_rules = config->filter_rules,
        .filter_rule_count = config->filter_rule_count,
    };
    error_report_t report = {0};
    sluice_error_t error = source_describe(&request, &preflight->work, &preflight->source, &report);
    if (error != SLUICE_OK) {
        add_failure(preflight, error, report.text);
        return false;
    }
    for (uint32_t i = 0; i < preflight->source.warning_count; i++)
        add_warning(preflight, preflight->source.warnings[i]);
    return true;
}

static void add_object(preflight_t *preflight, const source_object_t *object)
{
    error_report_t report = {0};
    bytes_t schema = bytes_of_text(object->schema);
    sluice_error_t error =
        object->kind == SOURCE_SCHEMA
            ? schema_tracker_add_schema(preflight->tracker, schema, object->charset,
                                        object->collation, &report)
            : schema_tracker_add_table(preflight->tracker, schema, bytes_of_text(object->create),
                                       &report);
    if (error != SLUICE_OK)
        add_failure(preflight, error, report.text);
}

static void note_table(const tracked_table_t *table, void *context)
{
    preflight_t *preflight = context;
    if (!table->is_carried)
        return;
    if (preflight->table_count == preflight->table_capacity) {
        preflight->table_capacity = preflight->table_capacity ? preflight->table_capacity * 2 : 64;
        preflight->tables = memory_realloc(preflight->tables,
                                           preflight->table_capacity * sizeof *preflight->tables);
    }
    preflight->tables[preflight->table_count++] = table_definition_ref(table->definition);
}

static void check_table(preflight_t *preflight, const table_definition_t *table)
{
    const foreign_key_t *cascade = schema_cascading_foreign_key(table);
    if (cascade && !cascade_option_allows(preflight->allowed_cascades, table->schema, table->name))
        add_failure(preflight, SLUICE_ERROR_DDL_UNSUPPORTED,
                    arena_printf(&preflight->arena,
                                 "foreign key %s of %s.%s changes rows that the log does not "
                                 "carry: take the table out of the filter, make the key RESTRICT, "
                                 "or set the option allow-cascade to %s.%s",
                                 cascade->name, table->schema, table->name, table->schema,
                                 table->name));
    if (table_definition_row_key(table))
        return;
    add_warning(preflight, arena_printf(&preflight->work,
                                        "%s.%s has no primary or unique key: its rows are found by "
                                        "comparing every column",
                                        table->schema, table->name));
    if (preflight->request.changefeed.generation > 1)
        add_warning(preflight,
                    arena_printf(&preflight->work,
                                 "%s.%s: rows behind the position are written again; without a key "
                                 "those that the sink has already come twice, and those that it "
                                 "has no more are missed: set the sink's table back as well",
                                 table->schema, table->name));
}

/* Every definition, and the snapshot that nodes start from. */
static bool read_schema(preflight_t *preflight)
{
    const changefeed_config_t *config = &preflight->request.config;
    const source_description_t *source = &preflight->source;
    error_report_t report = {0};
    sluice_error_t error = table_filter_new(config->filter_rules, config->filter_rule_count,
                                            source->lower_case_names, &preflight->filter, &report);
    if (error == SLUICE_OK)
        error = cascade_option_read(config, source->lower_case_names, &preflight->allowed_cascades,
                                    &report);
    if (error != SLUICE_OK) {
        add_failure(preflight, error, report.text);
        return false;
    }
    schema_tracker_options_t options = {
        .filter = preflight->filter,
        .allowed_cascades = preflight->allowed_cascades,
        .lower_case_names = source->lower_case_names,
        .server_version = source->server_version,
        .default_charset = source->default_charset,
        .default_collation = source->default_collation,
    };
    preflight->tracker = schema_tracker_new(&options);
    for (uint32_t i = 0; i < source->object_count; i++)
        add_object(preflight, &source->objects[i]);
    schema_tracker_set_position(preflight->tracker, source->anchor.commit_ts);
    schema_tracker_visit(preflight->tracker, source->anchor.commit_ts, note_table, preflight);
    for (uint32_t i = 0; i < preflight->table_count; i++)
        check_table(preflight, preflight->tables[i]);
    return true;
}

static void make_snapshot(preflight_t *preflight)
{
    schema_envelope_t envelope = {.lower_case_names = preflight->source.lower_case_names};
    sluice_error_t error =
        schema_tracker_snapshot(preflight->tracker, preflight->source.anchor.commit_ts, true,
                                &preflight->work, &envelope.snapshot);
    if (error != SLUICE_OK)
        add_failure(preflight, error, "the schema snapshot cannot be made");
    else
        preflight->response.snapshot = schema_envelope_encode(&envelope, &preflight->arena);
}

/* ---- the sink ---- */

static void check_sink(preflight_t *preflight)
{
    const check_request_t *request = &preflight->request;
    const sink_api_t *api = sink_find((const char *)request->config.sink.data);
    if (!api) {
        char shown[256];
        uri_redact(request->config.sink, shown, sizeof shown);
        add_failure(preflight, SLUICE_ERROR_CONFIGURATION,
                    arena_printf(&preflight->arena,
                                 "there is no sink for %s; known are mariadb://, sqlite://, "
                                 "file:// and blackhole://",
                                 shown));
        return;
    }
    if (api->needs_one_host && request->node_count > 1 && !request->all_on_one_host)
        add_failure(preflight, SLUICE_ERROR_SINK_SETTINGS,
                    "this sink needs all nodes of the changefeed on one host");
    sink_options_t options = {
        .uri = (const char *)request->config.sink.data,
        .changefeed = request->changefeed,
        .changefeed_name = (const char *)request->config.name.data,
        .options = request->config.options,
        .option_count = request->config.option_count,
        .source_identity = preflight->source.identity,
    };
    error_report_t report = {0};
    sink_t *sink = NULL;
    sluice_error_t error = api->open(&options, &sink, &report);
    if (error == SLUICE_OK) {
        error = api->check(sink, preflight->tables, preflight->table_count, &report);
        api->close(&sink);
    }
    if (error != SLUICE_OK)
        add_failure(preflight, error, report.text);
    else if (report.text[0])
        add_warning(preflight, report.text);
}

/* ---- the thread ---- */

static void answer(preflight_t *preflight)
{
    check_response_t *response = &preflight->response;
    response->check_id = preflight->request.check_id;
    response->error = preflight->error;
    response->text = bytes_of_text(preflight->text ? preflight->text : "");
    response->warnings = preflight->warnings;
    response->warning_count = preflight->warning_count;
    response->anchor = preflight->source.anchor;
    response->source_domain = preflight->source.domain;
    response->lower_case_names = preflight->source.lower_case_names;
    response->is_last_piece = true;
}

/* A schema of many tables is large, and the response may be kept for long. */
static void release_work(preflight_t *preflight)
{
    for (uint32_t i = 0; i < preflight->table_count; i++)
        table_definition_unref(&preflight->tables[i]);
    free(preflight->tables);
    preflight->tables = NULL;
    preflight->table_count = 0;
    schema_tracker_destroy(&preflight->tracker);
    table_filter_destroy(&preflight->filter);
    table_filter_destroy(&preflight->allowed_cascades);
    arena_clear(&preflight->work);
    /* The allocator would keep it for this thread, which ends. */
    malloc_trim(0);
}

static void check_options(preflight_t *preflight)
{
    uint64_t interval_ms;
    error_report_t report = {0};
    sluice_error_t error = syncpoint_option_read(&preflight->request.config, &interval_ms, &report);
    if (error != SLUICE_OK)
        add_failure(preflight, error, report.text);
}

static void *run(void *argument)
{
    preflight_t *preflight = argument;
    check_options(preflight);
    if (describe_source(preflight) && read_schema(preflight)) {
        make_snapshot(preflight);
        check_sink(preflight);
    }
    answer(preflight);
    release_work(preflight);
    atomic_store(&preflight->is_done, true);
    (void)!write(preflight->options.event_fd, &(uint64_t){1}, sizeof(uint64_t));
    return NULL;
}

preflight_t *preflight_start(const check_request_t *request, const preflight_options_t *options)
{
    preflight_t *preflight = memory_zalloc(sizeof *preflight);
    preflight->options = *options;
    preflight->request = *request;
    preflight->request.config = changefeed_config_copy(&preflight->arena, &request->config);
    int failed = pthread_create(&preflight->thread, NULL, run, preflight);
    assert(failed == 0);
    (void)failed;
    return preflight;
}

void preflight_destroy(preflight_t **preflight)
{
    preflight_t *self = *preflight;
    if (!self)
        return;
    pthread_join(self->thread, NULL);
    arena_clear(&self->arena);
    free(self);
    *preflight = NULL;
}

const check_request_t *preflight_request(const preflight_t *preflight)
{
    return &preflight->request;
}

bool preflight_is_done(const preflight_t *preflight)
{
    return atomic_load(&preflight->is_done);
}

const check_response_t *preflight_response(const preflight_t *preflight)
{
    return &preflight->response;
}
