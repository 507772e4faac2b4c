/*
 * Puts raw binlog events together to complete groups: a transaction with the row events of carried
 * tables, a DDL, or nothing (a group that does not concern us, or that was rolled back). Decides
 * what of a group counts: ROLLBACK, SAVEPOINT, two-phase ALTER, XA, other domains, order of
 * sequence numbers. Does not decide what a DDL means nor which tables are carried. Pure.
 *
 * Use: push one event, then take until GROUP_NONE, then push the next. A CREATE TABLE … SELECT
 * yields a DDL and then rows under one GTID, so the DDL must be applied to whatever answers
 * `resolve` before the next take.
 *
 * A group whose rows are more than `group_bytes_max` goes to the spill while it is incomplete, and
 * comes out in parts of about that size once its end is known.
 *
 * Threads: one owner.
 */
#ifndef SLUICE_DISPATCHER_CORE_BINLOG_GROUP_ASSEMBLER_H
#define SLUICE_DISPATCHER_CORE_BINLOG_GROUP_ASSEMBLER_H

#include "common/model/anchor.h"
#include "dispatcher/core/binlog/query.h"
#include "dispatcher/core/binlog/table_map.h"
#include "dispatcher/core/transaction.h"

typedef struct group_assembler group_assembler_t;

/* What the assembler asks of whoever knows the schema. Called from push and take only. */
typedef struct {
    /* The definition valid now, NULL when the table is outside the filter. Borrowed for the call;
     * the assembler takes its own reference. Tables without rows of their own (sequences, views)
     * may be answered; the assembler leaves them out. */
    const table_definition_t *(*resolve)(void *context, bytes_t schema, bytes_t table);
    /* Whether a statement might touch a carried table: row changes logged as text in our domain,
     * any DDL in another domain. NULL: every one might. */
    bool (*may_touch)(void *context, const binlog_query_t *query);
    void *context;
} group_resolver_t;

/* Temporary storage for groups that are larger than the limit. Errors are handed on as they are. */
typedef struct {
    /* At the end of what is there, or before it: then what follows is forgotten. */
    sluice_error_t (*write)(void *context, uint64_t offset, bytes_t bytes, error_report_t *report);
    sluice_error_t (*read)(void *context, uint64_t offset, void *to, size_t len,
                           error_report_t *report);
    void (*clear)(void *context); /* nothing of it is needed any more */
    void *context;
} group_spill_t;

#define GROUP_BYTES_MAX_DEFAULT (UINT64_C(64) * 1024 * 1024)
#define GROUP_SAVEPOINTS_MAX 4096

typedef struct {
    uint32_t domain; /* the changefeed's one */
    anchor_t anchor; /* groups at or below it are dropped without a word */
    uint64_t group_bytes_max;
    group_resolver_t resolver;
    group_spill_t spill; /* write NULL: none, a larger group is SLUICE_ERROR_TOO_LARGE */
} group_assembler_options_t;

typedef enum {
    GROUP_NONE,  /* push more */
    GROUP_EMPTY, /* nothing for us, but the position moved */
    GROUP_DDL,
    GROUP_ROWS
} group_kind_t;

typedef struct {
    group_kind_t kind;
    bool is_last;          /* completes its GTID: group_assembler_anchor has moved behind it */
    bool in_domain;        /* false: a group of another domain, always EMPTY */
    commit_ts_t commit_ts; /* of the newest group of our domain, this one if in_domain */
    wall_ms_t commit_time;
    transaction_t *transaction;  /* ROWS: one reference for the taker; several parts have it in
                                    is_first_part, is_last_part */
    const binlog_query_t *query; /* DDL: borrowed until the next call */
} group_t;

/* Options are copied. SLUICE_ERROR_MALFORMED when the anchor's GTID list is none. */
sluice_error_t group_assembler_new(const group_assembler_options_t *options,
                                   group_assembler_t **assembler) SLUICE_MUST_USE;
void group_assembler_destroy(group_assembler_t **assembler);

/* Takes in one event: 19-byte header and body, checksum cut off, as raw_event_t has it; copied as
 * far as it is needed. `location` is for `report`. Errors fail the changefeed and leave the
 * assembler unusable until reset:
 *   SLUICE_ERROR_SOURCE_CORRUPT           bytes that are no event, or events in no possible order
 *   SLUICE_ERROR_SOURCE_SEQUENCE          a sequence number that does not ascend
 *   SLUICE_ERROR_SOURCE_DOMAIN            another domain's rows or DDL touch the filter
 *   SLUICE_ERROR_SOURCE_XA                XA PREPARE with rows of a carried table
 *   SLUICE_ERROR_SOURCE_STATEMENT_FORMAT  row changes logged as a statement
 *   SLUICE_ERROR_SOURCE_ROW_IMAGE         a carried table's row image lacks columns
 *   SLUICE_ERROR_SCHEMA_MISMATCH          a TABLE_MAP that is not of the definition
 *   SLUICE_ERROR_TOO_LARGE                group larger than the limit and no spill, too many
 *                                         savepoints, or more domains than an anchor can hold
 *   or what the spill returned. */
sluice_error_t group_assembler_push(group_assembler_t *assembler, bytes_t event,
                                    const char *location, error_report_t *report) SLUICE_MUST_USE;

/* The next of what the last push completed; kind GROUP_NONE when there is nothing more. Errors as
 * push. */
sluice_error_t group_assembler_take(group_assembler_t *assembler, group_t *group,
                                    error_report_t *report) SLUICE_MUST_USE;

/* Forgets the incomplete group; the log is then read again from the anchor or any place before
 * it. */
void group_assembler_reset(group_assembler_t *assembler);

/* Behind the last group whose is_last was taken (at first the options' anchor). */
void group_assembler_anchor(const group_assembler_t *assembler, anchor_t *anchor);

/* Whether the last pushed event left a group open: the stream is not between two groups. A finite
 * log that ends so was cut (SLUICE_ERROR_SOURCE_CORRUPT, unless its server may still write). */
bool group_assembler_is_inside_group(const group_assembler_t *assembler);

#endif
