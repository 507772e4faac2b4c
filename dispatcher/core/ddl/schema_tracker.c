#include "dispatcher/core/ddl/schema_tracker.h"

#include <stdlib.h>

#include "common/base/memory.h"
#include "common/filter/name_case.h"
#include "dispatcher/core/ddl/plan.h"

/* ---- life ---- */

schema_tracker_t *schema_tracker_new(const schema_tracker_options_t *options)
{
    schema_tracker_t *self = memory_zalloc(sizeof *self);
    self->options = *options;
    self->store = schema_store_new();
    self->converter = charset_converter_new();
    const char *charset = options->default_charset ? options->default_charset : "utf8mb4";
    charset = charset_normalise(bytes_of_text(charset), &self->texts);
    const char *collation = options->default_collation
                                ? arena_strdup(&self->texts, options->default_collation)
                                : charset_default_collation(charset);
    self->default_charset = (charset_choice_t){charset, collation};
    self->options.default_charset = charset;
    self->options.default_collation = collation;
    return self;
}

void schema_tracker_destroy(schema_tracker_t **tracker)
{
    schema_tracker_t *self = *tracker;
    *tracker = NULL;
    if (!self)
        return;
    schema_store_destroy(&self->store);
    charset_converter_destroy(&self->converter);
    arena_clear(&self->texts);
    arena_clear(&self->scratch);
    free(self);
}

void schema_tracker_set_position(schema_tracker_t *tracker, commit_ts_t at)
{
    tracker->position = at;
    tracker->forgotten = at;
}

commit_ts_t schema_tracker_position(const schema_tracker_t *tracker)
{
    return tracker->position;
}

/* ---- plan to store ---- */

static void plan_commit(plan_t *plan)
{
    schema_tracker_t *tracker = plan->tracker;
    const plan_schema_t *schemas = plan->schemas.items;
    for (uint32_t i = 0; i < plan->schemas.count; i++)
        if (!table_filter_is_system_schema(bytes_of_text(schemas[i].name)))
            schema_store_put_schema(tracker->store, plan->ddl->commit_ts, schemas[i].name,
                                    schemas[i].exists, schemas[i].charset);
    plan_table_t *tables = plan->tables.items;
    for (uint32_t i = 0; i < plan->tables.count; i++) {
        plan_table_t *table = &tables[i];
        if (table_filter_is_system_schema(bytes_of_text(table->schema)))
            table_definition_unref(&table->definition);
        else
            schema_store_put_table(tracker->store, plan->ddl->commit_ts, table->schema, table->name,
                                   table->definition, table->is_delivered);
        table->definition = NULL;
    }
}

static void plan_clear(plan_t *plan)
{
    plan_table_t *tables = plan->tables.items;
    for (uint32_t i = 0; i < plan->tables.count; i++)
        table_definition_unref(&tables[i].definition);
}

/* ---- filling at the start ---- */

static bytes_t fold_name(const schema_tracker_t *tracker, bytes_t name, arena_t *arena)
{
    bytes_t copy = arena_bytes(arena, name);
    if (tracker->options.lower_case_names)
        name_fold(copy, (uint8_t *)copy.data);
    return copy;
}

static const char *schema_text(schema_tracker_t *tracker, bytes_t schema)
{
    bytes_t folded = fold_name(tracker, schema, &tracker->scratch);
    return arena_strndup(&tracker->scratch, folded.data, folded.len);
}

sluice_error_t schema_tracker_add_schema(schema_tracker_t *tracker, bytes_t schema,
                                         const char *charset, const char *collation,
                                         error_report_t *report)
{
    arena_reset(&tracker->scratch);
    const char *name = schema_text(tracker, schema);
    if (*name == '\0' || strlen(name) != schema.len)
        return error_report_set(report, SLUICE_ERROR_MALFORMED, "a schema without a proper name");
    if (charset)
        charset = charset_normalise(bytes_of_text(charset), &tracker->scratch);
    if (collation)
        collation = collation_normalise(bytes_of_text(collation), &tracker->scratch);
    charset_choice_t choice =
        charset_choose(charset, collation, (charset_choice_t){0}, &tracker->scratch);
    if (!table_filter_is_system_schema(schema))
        schema_store_put_schema(tracker->store, COMMIT_TS_NONE, name, true, choice);
    return SLUICE_OK;
}

static sluice_error_t refuse_table(bytes_t schema, const char *name, bytes_t create,
                                   const char *why, error_report_t *report)
{
    return error_report_set(report, SLUICE_ERROR_DDL_UNSUPPORTED,
                            "table %.*s.%s is not understood (%s): %.*s", (int)schema.len,
                            (const char *)schema.data, name, why,
                            (int)(create.len < 300 ? create.len : 300), (const char *)create.data);
}

/* A table, view or sequence by what SHOW CREATE says of it. */
static sluice_error_t make_shown(plan_t *plan, table_definition_t **definition, error_report_t *why)
{
    const statement_t *statement = &plan->statement;
    const object_name_t *name = statement->names;
    const uint32_t *sources;
    *definition = NULL;
    if (statement->verb == DDL_CREATE_VIEW) {
        table_definition_t head = {.schema = name->schema, .name = name->name, .is_view = true};
        *definition = table_definition_clone(&head);
        return SLUICE_OK;
    }
    if (statement->verb != DDL_CREATE_TABLE || !statement->is_whole || statement->is_like)
        return error_report_set(why, SLUICE_ERROR_DDL_UNSUPPORTED, "not a CREATE TABLE as a whole");
    if (statement->is_sequence) {
        table_definition_t head = {.schema = name->schema, .name = name->name, .is_sequence = true};
        *definition = table_definition_clone(&head);
        return SLUICE_OK;
    }
    definition_context_t context = {.schema_charset = plan_schema_charset(plan, name->schema),
                                    .explicit_timestamp_defaults = true,
                                    .is_show_create = true};
    return definition_apply(NULL, name->schema, name->name, statement->actions,
                            statement->action_count, &context, plan->arena, definition, &sources,
                            why);
}

static bool all_tables_taken(const plan_t *plan)
{
    for (uint32_t i = 0; i < plan->statement.view_table_count; i++)
        if (!plan_takes(plan, &plan->statement.view_tables[i]))
            return false;
    return true;
}

sluice_error_t schema_tracker_add_table(schema_tracker_t *tracker, bytes_t schema, bytes_t create,
                                        error_report_t *report)
{
    if (table_filter_is_system_schema(schema))
        return SLUICE_OK;
    arena_reset(&tracker->scratch);
    logged_ddl_t none = {.sql = create};
    plan_t plan = {.tracker = tracker, .ddl = &none, .arena = &tracker->scratch, .utf8 = create};
    statement_options_t options = {.default_schema = schema_text(tracker, schema),
                                   .server_version = tracker->options.server_version,
                                   .lower_case_names = tracker->options.lower_case_names};
    statement_parse(create, &options, plan.arena, &plan.statement);
    if (plan.statement.name_count != 1)
        return refuse_table(schema, "?", create, "no name", report);
    object_name_t name = plan.statement.names[0];
    bool is_taken = plan_takes(&plan, &name);
    if (!schema_store_schema(tracker->store, bytes_of_text(name.schema)))
        schema_store_put_schema(tracker->store, COMMIT_TS_NONE, name.schema, true,
                                (charset_choice_t){0});
    table_definition_t *definition;
    error_report_t why = {.text = ""};
    if (make_shown(&plan, &definition, &why) != SLUICE_OK)
        return is_taken ? refuse_table(schema, name.name, create, why.text, report) : SLUICE_OK;
    plan_identify(&plan, definition, false);
    bool is_delivered =
        is_taken && !definition->is_sequence && (!definition->is_view || all_tables_taken(&plan));
    schema_store_put_table(tracker->store, COMMIT_TS_NONE, name.schema, name.name, definition,
                           is_delivered);
    return SLUICE_OK;
}

/* ---- going forward ---- */

static bytes_t to_utf8(schema_tracker_t *tracker, bytes_t sql, const ddl_context_t *context)
{
    const char *name = charset_of_collation(context->charset_client);
    const charset_t *charset = name ? charset_find(name) : NULL;
    bytes_t utf8 = sql;
    if (!charset || charset_is_binary(charset))
        charset = charset_find("utf8mb4");
    /* A charset that this machine cannot convert: ASCII is the same in all of them. */
    if (charset_to_utf8(tracker->converter, charset, sql, &tracker->scratch, &utf8) != SLUICE_OK)
        utf8 = sql;
    return utf8;
}

/* Makes the plan of a logged statement, with the statement understood as far as it is. */
static plan_t plan_of(schema_tracker_t *tracker, const logged_ddl_t *ddl, schema_outcome_t *outcome,
                      error_report_t *report)
{
    arena_reset(&tracker->scratch);
    const ddl_context_t *context = &ddl->context;
    plan_t plan = {.tracker = tracker,
                   .ddl = ddl,
                   .arena = &tracker->scratch,
                   .report = report,
                   .outcome = outcome};
    statement_options_t options = {.default_schema =
                                       context->default_schema ? context->default_schema : "",
                                   .sql_mode = context->has_sql_mode ? context->sql_mode : 0,
                                   .server_version = tracker->options.server_version,
                                   .lower_case_names = tracker->options.lower_case_names};
    plan.utf8 = to_utf8(tracker, ddl->sql, context);
    statement_parse(plan.utf8, &options, plan.arena, &plan.statement);
    return plan;
}

static sluice_error_t plan_row_change(plan_t *plan)
{
    const statement_t *statement = &plan->statement;
    bool is_outside = statement->name_count > 0;
    for (uint32_t i = 0; i < statement->name_count; i++)
        is_outside = is_outside && !plan_takes(plan, &statement->names[i]);
    if (is_outside)
        return SLUICE_OK;
    return error_report_set(plan->report, SLUICE_ERROR_SOURCE_STATEMENT_FORMAT,
                            "a row change is logged as a statement, which says nothing about the "
                            "rows: %.*s. Set binlog_format=ROW on the source, for all sessions",
                            (int)(plan->utf8.len < 300 ? plan->utf8.len : 300),
                            (const char *)plan->utf8.data);
}

sluice_error_t plan_statement(plan_t *plan)
{
    switch (plan->statement.verb) {
    case DDL_CREATE_DATABASE:
        return plan_create_schema(plan);
    case DDL_ALTER_DATABASE:
        return plan_alter_schema(plan);
    case DDL_DROP_DATABASE:
        return plan_drop_schema(plan);
    case DDL_CREATE_TABLE:
        return plan_create_table(plan);
    case DDL_DROP_TABLE:
        return plan_drop_table(plan);
    case DDL_RENAME_TABLE:
        return plan->statement.targets ? plan_rename(plan) : plan_alter(plan);
    case DDL_TRUNCATE_TABLE:
        return plan_truncate(plan);
    case DDL_ALTER_TABLE:
    case DDL_TRUNCATE_PARTITION:
    case DDL_DROP_PARTITION:
    case DDL_EXCHANGE_PARTITION:
    case DDL_CONVERT_PARTITION:
        return plan_alter(plan);
    case DDL_CREATE_VIEW:
        return plan_create_view(plan);
    case DDL_DROP_VIEW:
        return plan_drop_view(plan);
    case DDL_SKIPPED:
        if (plan->statement.is_row_change)
            return plan_row_change(plan);
        plan->outcome->kind = SCHEMA_SKIPPED;
        plan->outcome->skipped_kind = plan->statement.skipped_kind;
        return SLUICE_OK;
    case DDL_UNKNOWN:
        return plan_unknown(plan);
    }
    return plan_unknown(plan);
}

/* A statement of which only the beginning was understood says nothing certain; where the rest
 * matters is decided by the verb. */
static bool is_understood(const statement_t *statement)
{
    bool is_by_verb = statement->verb == DDL_CREATE_TABLE || statement->verb == DDL_SKIPPED ||
                      statement->verb == DDL_UNKNOWN || statement->verb == DDL_ALTER_TABLE ||
                      statement->verb == DDL_CREATE_VIEW;
    return statement->is_whole || is_by_verb;
}

sluice_error_t schema_tracker_apply(schema_tracker_t *tracker, const logged_ddl_t *ddl,
                                    schema_outcome_t *outcome, error_report_t *report)
{
    *outcome = (schema_outcome_t){.kind = SCHEMA_OUTSIDE};
    if (ddl->commit_ts.v <= tracker->position.v)
        return error_report_set(
            report, SLUICE_ERROR_STATE, "DDL at %llu, but the schema is at %llu already",
            (unsigned long long)ddl->commit_ts.v, (unsigned long long)tracker->position.v);
    plan_t plan = plan_of(tracker, ddl, outcome, report);
    sluice_error_t error =
        is_understood(&plan.statement) ? plan_statement(&plan) : plan_unknown(&plan);
    if (error == SLUICE_OK) {
        plan_finish_references(&plan);
        if (plan.has_event) {
            outcome->kind = SCHEMA_EVENT;
            outcome->event = plan_make_event(&plan);
        }
        outcome->changes_schema = plan.tables.count > 0 || plan.schemas.count > 0;
        plan_commit(&plan);
        tracker->position = ddl->commit_ts;
    }
    plan_clear(&plan);
    return error;
}

void schema_tracker_forget(schema_tracker_t *tracker, commit_ts_t persisted)
{
    commit_ts_t until = persisted.v < tracker->position.v ? persisted : tracker->position;
    if (until.v <= tracker->forgotten.v)
        return;
    tracker->forgotten = until;
    schema_store_forget(tracker->store, until);
}
