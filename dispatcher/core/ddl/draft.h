/*
 * A table definition while a CREATE or ALTER TABLE works on it. Columns keep their place in
 * `columns` to the end, so that keys can name them by it while they are renamed and moved; `order`
 * says in which order the table has them.
 *
 * Only the files draft*.c, column_resolve.c and definition.c know it. Threads: one.
 */
#ifndef SLUICE_DISPATCHER_CORE_DDL_DRAFT_H
#define SLUICE_DISPATCHER_CORE_DDL_DRAFT_H

#include "dispatcher/core/ddl/definition.h"
#include "dispatcher/core/ddl/parser.h"

typedef struct {
    column_definition_t definition;
    uint32_t source; /* in `before`, or COLUMN_SOURCE_NEW */
    bool is_dropped;
    bool is_written; /* stands in this statement */
} draft_column_t;

typedef struct {
    key_definition_t definition; /* parts name places in draft->columns; name NULL until the end
                                    when the statement gives none */
    bool is_dropped;
    bool is_generated; /* made for a foreign key of this statement */
} draft_key_t;

typedef struct {
    foreign_key_t definition; /* columns are places in draft->columns */
    bool is_dropped;
} draft_foreign_key_t;

typedef struct {
    const char *name, *expression;
    bool is_dropped;
} draft_check_t;

typedef struct {
    const char *name, *start, *end;
} draft_period_t;

typedef struct {
    arena_t *arena;
    const definition_context_t *context;
    error_report_t *report;
    const table_definition_t *before;       /* NULL: CREATE */
    table_definition_t *after;              /* head: everything but the lists below */
    charset_choice_t charset;               /* the table's default */
    list_t columns;                         /* draft_column_t */
    list_t order;                           /* uint32_t */
    list_t keys;                            /* draft_key_t */
    list_t foreign_keys;                    /* draft_foreign_key_t */
    list_t checks;                          /* draft_check_t */
    list_t periods;                         /* draft_period_t */
    list_t options;                         /* option_syntax_t */
    const column_syntax_t *first_timestamp; /* of this statement: it alone gets automatic values */
} draft_t;

static inline draft_column_t *draft_column(const draft_t *draft, uint32_t place)
{
    return (draft_column_t *)draft->columns.items + place;
}

static inline draft_key_t *draft_key(const draft_t *draft, uint32_t place)
{
    return (draft_key_t *)draft->keys.items + place;
}

static inline draft_foreign_key_t *draft_foreign_key(const draft_t *draft, uint32_t place)
{
    return (draft_foreign_key_t *)draft->foreign_keys.items + place;
}

static inline draft_check_t *draft_check(const draft_t *draft, uint32_t place)
{
    return (draft_check_t *)draft->checks.items + place;
}

#define DRAFT_NOWHERE UINT32_MAX

/* Fills report, returns SLUICE_ERROR_DDL_UNSUPPORTED. */
sluice_error_t draft_refuse(draft_t *draft, const char *format, ...) SLUICE_PRINTF(2, 3);

/* A column that is not dropped, by the name it has now; DRAFT_NOWHERE. */
uint32_t draft_find_column(const draft_t *draft, const char *name);

/* What `syntax` means in this table (column_resolve.c). */
column_definition_t draft_resolve_column(draft_t *draft, const column_syntax_t *syntax);
/* Gives the column the DEFAULT that `literal` says. */
void draft_set_default(draft_t *draft, column_definition_t *column, const literal_t *literal);
/* Expressions of the table follow columns that get a new name. */
void draft_rename_in_expressions(draft_t *draft);
/* CONVERT TO CHARACTER SET of one column; is_old: it does not stand in the statement. */
void draft_convert_column(column_definition_t *column, charset_choice_t to, bool is_old);

/* Columns (draft_columns.c): first what concerns the old ones, then what is new. */
sluice_error_t draft_change_columns(draft_t *draft, const table_action_t *actions, uint32_t count);
sluice_error_t draft_add_columns(draft_t *draft, const table_action_t *actions, uint32_t count);
void draft_add_hidden_columns(draft_t *draft);

/* Longest part of an InnoDB index that is not unique; a longer one is cut to it. */
#define KEY_PART_BYTES_MAX 3072

static inline uint32_t column_bytes(const column_definition_t *column, uint32_t characters)
{
    return characters * charset_bytes_max(column->charset);
}

/* By name, what is not dropped; NULL (draft_keys.c). */
draft_key_t *draft_find_key(const draft_t *draft, const char *name);
draft_check_t *draft_find_check(const draft_t *draft, const char *name);

/* Keys, foreign keys, checks (draft_keys.c, draft_key_order.c). */
sluice_error_t draft_drop_keys(draft_t *draft, const table_action_t *actions, uint32_t count);
sluice_error_t draft_add_keys(draft_t *draft, const table_action_t *actions, uint32_t count);
void draft_finish_keys(draft_t *draft);

/* Periods and options (draft_options.c). */
void draft_read_periods(draft_t *draft, const char *text);
const char *draft_periods_text(draft_t *draft);
void draft_change_periods(draft_t *draft, const table_action_t *action);
void draft_finish_periods(draft_t *draft);
void draft_read_options(draft_t *draft, const char *text);
const char *draft_options_text(draft_t *draft);
void draft_set_option(draft_t *draft, const char *name, const char *value);

#endif
