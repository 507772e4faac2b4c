/*
 * Decides which tables a changefeed takes. A rule is
 *     schema.table     names with the wildcards * (any text), ? (one character), [a-z] [!a-z] (one
 *                      of a set); \ before a character takes away its meaning; a name in "…" or `…`
 *                      is taken as it stands, its quote doubled inside
 *     /expression/     a POSIX extended regular expression, searched for in "schema.table"; it
 *                      matches anywhere unless anchored with ^ and $
 *     !rule            the same, but takes away what it matches
 * Blanks around a rule, empty rules and those that begin with # are ignored. The last rule that
 * matches decides, as in TiCDC's table filter; a table that no rule matches is not taken. Without
 * any rule everything is taken. The schemas mysql, information_schema, performance_schema, sys and
 * sluice are never taken, whatever the rules say.
 *
 * Threads: immutable once made; read by any.
 */
#ifndef SLUICE_COMMON_FILTER_TABLE_FILTER_H
#define SLUICE_COMMON_FILTER_TABLE_FILTER_H

#include "common/base/bytes.h"
#include "common/base/error.h"

#define TABLE_FILTER_RULES_MAX 100000
#define TABLE_FILTER_RULE_BYTES_MAX 4096
/* Longest name a question is answered for; MariaDB's limit is 64 characters. */
#define TABLE_FILTER_NAME_BYTES_MAX 512

typedef struct table_filter table_filter_t;

/* `rules` are copied. With `lower_case_names` (the source's lower_case_table_names is not 0) rules
 * and names are compared without regard to case. A rule that cannot be understood:
 * SLUICE_ERROR_CONFIGURATION, the report names the rule, its number from 1 and what is wrong;
 * *filter is NULL then. */
sluice_error_t table_filter_new(const bytes_t *rules, uint32_t rule_count, bool lower_case_names,
                                table_filter_t **filter, error_report_t *report) SLUICE_MUST_USE;
void table_filter_destroy(table_filter_t **filter);

bool table_filter_takes(const table_filter_t *filter, bytes_t schema, bytes_t table);

/* Every table the schema could ever have is taken: only then may a DROP DATABASE be run as such.
 * A regular expression after the rule that takes `schema.*` makes it false when it takes away,
 * since what it would match cannot be foreseen. */
bool table_filter_takes_whole_schema(const table_filter_t *filter, bytes_t schema);

/* Some table of the schema may be taken: CREATE DATABASE concerns the changefeed. Never false when
 * a table is taken; may be true when none is (regular expressions). */
bool table_filter_may_take_schema(const table_filter_t *filter, bytes_t schema);

/* The text of the rule that decides about the table, for messages; NULL when none matches. For a
 * system schema, and without rules, a text that says so. Borrowed from the filter or static. */
const char *table_filter_deciding_rule(const table_filter_t *filter, bytes_t schema, bytes_t table);

/* mysql, information_schema, performance_schema, sys, sluice; without regard to ASCII case. */
bool table_filter_is_system_schema(bytes_t schema);

bool table_filter_lower_case_names(const table_filter_t *filter);

#endif
