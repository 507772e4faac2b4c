#include "maintainer/ctl/compare/compare.h"

#include <stdlib.h>
#include <strings.h>

#include "common/base/memory.h"
#include "common/filter/table_filter.h"
#include "common/runtime/uri_servers.h"
#include "maintainer/ctl/compare/compare_rows.h"
#include "maintainer/ctl/compare/database.h"

typedef struct {
    const compare_options_t *options;
    compare_result_t *result;
    database_t *source, *sink;
    table_filter_t *filter;
    bool as_utf8; /* the sink holds text as UTF-8, and not the column's bytes */
} compare_t;

static sluice_error_t open_sink(const char *uri, database_t **sink, error_report_t *report)
{
    static const char sqlite_scheme[] = "sqlite://";
    if (strncmp(uri, sqlite_scheme, strlen(sqlite_scheme)) == 0)
        return database_open_sqlite(uri + strlen(sqlite_scheme), sink, report);
    if (strncmp(uri, "mariadb", strlen("mariadb")) == 0)
        return database_open_mariadb(uri, "SLUICE_SINK_PASSWORD", sink, report);
    return error_report_set(report, SLUICE_ERROR_UNSUPPORTED,
                            "a sink of this kind cannot be compared: only mariadb:// and "
                            "sqlite:// hold tables");
}

static bool is_carried(const compare_t *self, const compare_table_t *table)
{
    return table_filter_takes(self->filter, bytes_of_text(table->schema),
                              bytes_of_text(table->name));
}

/* Keeps the tables inside the filter; views only where both sides can hold them alike. */
static uint32_t keep_carried(const compare_t *self, compare_table_t *tables, uint32_t count)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++)
        if (is_carried(self, &tables[i]) && (!tables[i].is_view || !self->as_utf8))
            tables[kept++] = tables[i];
    return kept;
}

static int order_of(const compare_table_t *a, const compare_table_t *b)
{
    int order = strcmp(a->schema, b->schema);
    return order ? order : strcmp(a->name, b->name);
}

static void differs(compare_t *self, const compare_table_t *table, const char *text)
{
    fprintf(self->options->out, "%s.%s: %s\n", table->schema, table->name, text);
}

static int find_column(const compare_table_t *table, const char *name)
{
    for (uint32_t i = 0; i < table->column_count; i++)
        if (strcasecmp(table->columns[i].name, name) == 0)
            return (int)i;
    return -1;
}

/* Equal column names and key columns; definitions too where both sides have them. */
static bool schemas_equal(compare_t *self, const compare_table_t *source,
                          const compare_table_t *sink)
{
    bool equal = true;
    arena_t arena = {0};
    for (uint32_t i = 0; i < source->column_count; i++)
        if (find_column(sink, source->columns[i].name) < 0) {
            differs(
                self, source,
                arena_printf(&arena, "column %s is missing in the sink", source->columns[i].name));
            equal = false;
        }
    for (uint32_t i = 0; i < sink->column_count; i++)
        if (find_column(source, sink->columns[i].name) < 0) {
            differs(self, source,
                    arena_printf(&arena, "column %s is only in the sink", sink->columns[i].name));
            equal = false;
        }
    if (equal && source->definition && sink->definition &&
        strcmp(source->definition, sink->definition) != 0) {
        differs(self, source,
                arena_printf(&arena, "definitions differ:\nsource: %s\nsink: %s",
                             source->definition, sink->definition));
        equal = false;
    }
    arena_clear(&arena);
    return equal;
}

static sluice_error_t compare_table(compare_t *self, arena_t *arena, compare_table_t *source,
                                    compare_table_t *sink, error_report_t *report)
{
    sluice_error_t error = self->source->api->describe(self->source, arena, source, report);
    if (!error)
        error = self->sink->api->describe(self->sink, arena, sink, report);
    if (error)
        return error;
    self->result->tables++;
    if (!schemas_equal(self, source, sink)) {
        self->result->tables_differing++;
        return SLUICE_OK;
    }
    if (source->is_view)
        return SLUICE_OK;
    compare_rows_result_t rows = {0};
    error = compare_rows(self->source, self->sink, source, self->as_utf8, self->options->lines_max,
                         self->options->out, &rows, report);
    self->result->rows += rows.source_rows;
    self->result->rows_differing += rows.differing;
    self->result->tables_differing += rows.differing > 0;
    return error;
}

/* Both lists are in the same order: one merge finds what is missing on either side. */
static sluice_error_t merge_tables(compare_t *self, compare_table_t *source, uint32_t source_count,
                                   compare_table_t *sink, uint32_t sink_count,
                                   error_report_t *report)
{
    sluice_error_t error = SLUICE_OK;
    uint32_t i = 0, j = 0;
    while (!error && (i < source_count || j < sink_count)) {
        int order = i == source_count ? 1 : j == sink_count ? -1 : order_of(&source[i], &sink[j]);
        arena_t arena = {0};
        if (order < 0) {
            differs(self, &source[i++], "missing in the sink");
            self->result->tables_differing++;
        } else if (order > 0) {
            differs(self, &sink[j++], "only in the sink");
            self->result->tables_differing++;
        } else {
            error = compare_table(self, &arena, &source[i++], &sink[j++], report);
        }
        arena_clear(&arena);
    }
    return error;
}

static int by_name(const void *a, const void *b)
{
    return order_of(a, b);
}

static sluice_error_t compare_databases(compare_t *self, error_report_t *report)
{
    arena_t arena = {0};
    compare_table_t *source = NULL, *sink = NULL;
    uint32_t source_count = 0, sink_count = 0;
    sluice_error_t error =
        self->source->api->tables(self->source, &arena, &source, &source_count, report);
    if (!error)
        error = self->sink->api->tables(self->sink, &arena, &sink, &sink_count, report);
    if (!error) {
        source_count = keep_carried(self, source, source_count);
        sink_count = keep_carried(self, sink, sink_count);
        qsort(source, source_count, sizeof *source, by_name);
        qsort(sink, sink_count, sizeof *sink, by_name);
        error = merge_tables(self, source, source_count, sink, sink_count, report);
    }
    arena_clear(&arena);
    return error;
}

/* Of several servers the first that answers. */
static sluice_error_t open_source(const char *uri, database_t **source, error_report_t *report)
{
    arena_t arena = {0};
    const uri_server_t *servers;
    uint32_t count;
    sluice_error_t error = uri_servers_parse(bytes_of_text(uri), &arena, &servers, &count, report);
    for (uint32_t i = 0; i < count && !*source; i++)
        error = database_open_mariadb(servers[i].uri, "SLUICE_SOURCE_PASSWORD", source, report);
    arena_clear(&arena);
    return error;
}

static void summarise(const compare_t *self)
{
    const compare_result_t *result = self->result;
    FILE *out = self->options->out;
    fprintf(out, "%llu tables and %llu rows compared\n", (unsigned long long)result->tables,
            (unsigned long long)result->rows);
    if (result->tables_differing == 0)
        fprintf(out, "identical\n");
    else
        fprintf(out, "%llu tables differ, %llu rows among them\n",
                (unsigned long long)result->tables_differing,
                (unsigned long long)result->rows_differing);
}

sluice_error_t compare_run(const compare_options_t *options, compare_result_t *result,
                           error_report_t *report)
{
    *result = (compare_result_t){0};
    compare_t self = {.options = options, .result = result};
    sluice_error_t error = table_filter_new(options->filter_rules, options->filter_rule_count,
                                            false, &self.filter, report);
    if (!error)
        error = open_source(options->source_uri, &self.source, report);
    if (!error)
        error = open_sink(options->sink_uri, &self.sink, report);
    if (!error) {
        self.as_utf8 = !self.sink->has_definitions;
        error = compare_databases(&self, report);
    }
    if (!error)
        summarise(&self);
    if (self.sink)
        self.sink->api->close(&self.sink);
    if (self.source)
        self.source->api->close(&self.source);
    table_filter_destroy(&self.filter);
    return error;
}
