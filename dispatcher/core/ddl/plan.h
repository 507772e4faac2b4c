/*
 * One DDL on its way through the tracker. The statement is followed against the tracker's state
 * without touching it: what changes is collected here, and put into the store only when nothing
 * failed, so that an error leaves the tracker as it was.
 *
 * Only schema_tracker.c and the files plan*.c know it. Threads: one.
 */
#ifndef SLUICE_DISPATCHER_CORE_DDL_PLAN_H
#define SLUICE_DISPATCHER_CORE_DDL_PLAN_H

#include "common/model/charset.h"
#include "dispatcher/core/ddl/definition.h"
#include "dispatcher/core/ddl/parser.h"
#include "dispatcher/core/ddl/schema_store.h"
#include "dispatcher/core/ddl/schema_tracker.h"

struct schema_tracker {
    schema_tracker_options_t options;
    charset_choice_t default_charset;
    schema_store_t *store;
    commit_ts_t position;
    commit_ts_t forgotten; /* questions below it cannot be answered */
    charset_converter_t *converter;
    arena_t texts;   /* of options */
    arena_t scratch; /* of the DDL being applied */
};

typedef struct {
    const char *schema, *name;
    const table_definition_t *definition; /* one reference; NULL: gone */
    bool is_delivered;
} plan_table_t;

typedef struct {
    const char *name;
    bool exists;
    charset_choice_t charset;
} plan_schema_t;

typedef struct {
    table_change_kind_t kind;
    const table_definition_t *before, *after; /* borrowed from store and plan */
    const uint32_t *column_sources;
} plan_change_t;

/* Foreign keys to `before` now mean `after`. */
typedef struct {
    const table_definition_t *before, *after;
    const uint32_t *column_sources;
} plan_followed_t;

typedef struct {
    schema_tracker_t *tracker;
    const logged_ddl_t *ddl;
    bytes_t utf8;
    statement_t statement;
    arena_t *arena;
    error_report_t *report;
    schema_outcome_t *outcome;

    list_t tables;   /* plan_table_t, the later counts */
    list_t schemas;  /* plan_schema_t */
    list_t followed; /* plan_followed_t */

    /* The event, if there is to be one. */
    bool has_event;
    ddl_verb_t verb;
    influence_t influence;
    list_t influence_ids;  /* table_id_t, for NORMAL */
    bool drops_schema;     /* dropped is DB */
    list_t dropped;        /* table_id_t */
    list_t added;          /* const table_definition_t * */
    list_t moves;          /* schema_move_t */
    list_t changes;        /* plan_change_t */
    const char *rewritten; /* NULL: run as logged */
    bool replays_rewritten;
    bool drops_whole_schema;
} plan_t;

typedef struct {
    const table_definition_t *definition; /* NULL: not known */
    bool is_delivered;
} plan_find_t;

/* ---- state as the plan has it so far ---- */
plan_find_t plan_find(const plan_t *plan, const object_name_t *name);
/* Consumes the reference. */
void plan_put(plan_t *plan, const object_name_t *name, const table_definition_t *definition,
              bool is_delivered);
void plan_put_schema(plan_t *plan, const char *schema, bool exists, charset_choice_t charset);
/* The default of a table made in it now. */
charset_choice_t plan_schema_charset(const plan_t *plan, const char *schema);
definition_context_t plan_definition_context(const plan_t *plan, const char *schema);

bool plan_takes(const plan_t *plan, const object_name_t *name);
object_name_t plan_name_of(const table_definition_t *definition);
/* A table that dispatchers carry. */
bool plan_is_carried(plan_find_t found);

/* ---- the event ---- */
void plan_influence(plan_t *plan, table_id_t table_id);
void plan_influence_all(plan_t *plan);
void plan_drop(plan_t *plan, const table_definition_t *definition);
void plan_change(plan_t *plan, table_change_kind_t kind, const table_definition_t *before,
                 const table_definition_t *after, const uint32_t *column_sources);
/* The carried tables that `definition` references and those that reference it. */
void plan_neighbours(plan_t *plan, const table_definition_t *definition);
bool plan_has_neighbours_outside(const plan_t *plan, const char *schema);

/* Gives a table just made its identity. */
void plan_identify(plan_t *plan, table_definition_t *definition, bool by_select);

void plan_warn(plan_t *plan, const char *format, ...) SLUICE_PRINTF(2, 3);
/* Not delivered although the filter takes it. */
sluice_error_t plan_pass_over(plan_t *plan, const char *format, ...) SLUICE_PRINTF(2, 3);
/* "rows of %s come into the filter …": SLUICE_ERROR_ENTERS_FILTER. */
sluice_error_t plan_refuse_entry(plan_t *plan, const object_name_t *from, const object_name_t *to);
/* SLUICE_ERROR_DDL_UNSUPPORTED when `after` has a cascading foreign key that `before` (may be NULL)
 * had not and that was not allowed. */
sluice_error_t plan_check_cascades(plan_t *plan, const table_definition_t *before,
                                   const table_definition_t *after);
/* What is not understood stops everybody and runs as it is. */
sluice_error_t plan_unknown(plan_t *plan);

/* Foreign keys of other tables follow: the table `before` is now `after`, by name and columns. */
void plan_follow_references(plan_t *plan, const table_definition_t *before,
                            const table_definition_t *after, const uint32_t *column_sources);
void plan_finish_references(plan_t *plan);
const uint32_t *plan_identity_sources(plan_t *plan, uint32_t count);

/* ---- statements ---- */
sluice_error_t plan_create_table(plan_t *plan);
sluice_error_t plan_drop_table(plan_t *plan);
sluice_error_t plan_truncate(plan_t *plan);
sluice_error_t plan_rename(plan_t *plan);
sluice_error_t plan_alter(plan_t *plan);
sluice_error_t plan_exchange(plan_t *plan, const table_action_t *action);
sluice_error_t plan_partition_to_table(plan_t *plan, const table_action_t *action);
sluice_error_t plan_table_to_partition(plan_t *plan, const table_action_t *action);
sluice_error_t plan_create_view(plan_t *plan);
sluice_error_t plan_drop_view(plan_t *plan);
sluice_error_t plan_create_schema(plan_t *plan);
sluice_error_t plan_alter_schema(plan_t *plan);
sluice_error_t plan_drop_schema(plan_t *plan);

/* Follows plan->statement. */
sluice_error_t plan_statement(plan_t *plan);

/* The finished event with one reference (plan_event.c). */
ddl_event_t *plan_make_event(plan_t *plan);

#endif
