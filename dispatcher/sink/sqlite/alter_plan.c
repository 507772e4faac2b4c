/* What of an ALTER TABLE can be done directly. */
#include <ctype.h>
#include <strings.h>

#include "dispatcher/sink/sqlite/alter_internal.h"

/* The key that identifies rows is made of the same columns in the same order. */
static bool has_same_row_key(const table_change_t *change)
{
    const key_definition_t *before = table_definition_row_key(change->before);
    const key_definition_t *after = table_definition_row_key(change->after);
    if (!before || !after)
        return before == after;
    if (before->part_count != after->part_count)
        return false;
    for (uint32_t i = 0; i < before->part_count; i++) {
        if (change->column_sources[after->parts[i].column] != before->parts[i].column)
            return false;
    }
    return true;
}

bool alter_needs_rebuild(const table_change_t *change)
{
    if (!has_same_row_key(change))
        return true;
    for (uint32_t i = 0; i < change->after->column_count; i++) {
        uint32_t source = change->column_sources[i];
        if (source != COLUMN_SOURCE_NEW &&
            !sqlite_convert_is_identity(&change->before->columns[source],
                                        &change->after->columns[i]))
            return true;
    }
    return false;
}

/* Whether the SQL text has `name` as a word, quoted or not; rather once too often. */
static bool mentions(const char *expression, const char *name)
{
    size_t len = strlen(name);
    for (const char *at = expression; *at; at++) {
        if (strncasecmp(at, name, len) == 0)
            return true;
    }
    return false;
}

static sluice_error_t refuse_generated(const column_definition_t *column, const char *reason,
                                       error_report_t *report)
{
    return error_report_set(report, SLUICE_ERROR_DDL_UNSUPPORTED,
                            "generated column %s: %s, and its values in the rows that are there "
                            "cannot be computed for SQLite",
                            column->name, reason);
}

static bool is_renamed(const table_change_t *change)
{
    for (uint32_t i = 0; i < change->after->column_count; i++) {
        uint32_t source = change->column_sources[i];
        if (source != COLUMN_SOURCE_NEW &&
            strcasecmp(change->before->columns[source].name, change->after->columns[i].name) != 0)
            return true;
    }
    return false;
}

static sluice_error_t check_base_columns(const table_change_t *change,
                                         const column_definition_t *generated,
                                         error_report_t *report)
{
    for (uint32_t i = 0; i < change->after->column_count; i++) {
        uint32_t source = change->column_sources[i];
        if (source == COLUMN_SOURCE_NEW)
            continue;
        const column_definition_t *base = &change->before->columns[source];
        if (base->generated == GENERATED_NO &&
            !sqlite_convert_is_identity(base, &change->after->columns[i]) &&
            mentions(generated->generated_expression, base->name))
            return refuse_generated(generated, "a column it is made of changes its values", report);
    }
    return SLUICE_OK;
}

sluice_error_t alter_check_generated(const table_change_t *change, error_report_t *report)
{
    sluice_error_t error = SLUICE_OK;
    for (uint32_t i = 0; i < change->after->column_count && !error; i++) {
        const column_definition_t *after = &change->after->columns[i];
        uint32_t source = change->column_sources[i];
        /* A new one is refused where its value for the old rows is asked for. */
        if (after->generated == GENERATED_NO || source == COLUMN_SOURCE_NEW)
            continue;
        const column_definition_t *before = &change->before->columns[source];
        if (before->generated == GENERATED_NO)
            return refuse_generated(after, "it was a plain column", report);
        /* A rename of a column changes the text of expressions that name it. */
        if (strcmp(before->generated_expression, after->generated_expression) != 0 &&
            !is_renamed(change))
            return refuse_generated(after, "its expression changes", report);
        if (!sqlite_convert_is_identity(before, after))
            return refuse_generated(after, "its type changes", report);
        error = check_base_columns(change, before, report);
    }
    return error;
}
