/*
 * Lines of canal-json (MARIADB.md §9.1): one JSON object a line, for rows, DDL, sync points and
 * watermarks. All values are strings or null; text is UTF-8, binary values are ISO-8859-1
 * characters, ENUM is its index and SET its bits (or their labels, by option), TIMESTAMP is in UTC.
 *
 * Beside canal's fields each line has "_cdc":
 *   rows       {"commitTs":N,"seq":S,"tableId":"16 hex digits"}
 *   DDL        {"commitTs":N,"changes":[{"kind","tableId","from","to","pkNames","columns"}]}: each
 *              table's identity, names before and after, and of each column of its new form the
 *              name it had, or that it is new and its default
 *   SYNCPOINT  {"commitTs":N}
 *   WATERMARK  {}
 * and in every one "watermarkTs":N: all lines up to N of the tables that this writer carried when
 * it said so for the first time are out.
 * A line may come again, in the same or another file. (tableId, commitTs, seq) names a row change,
 * commitTs a DDL: a reader applies each once, the DDL of a commitTs before its rows, and a table's
 * rows in the order of (commitTs, seq). seq counts the row changes of one table in one transaction,
 * from 1.
 *
 * Threads: a canal_table_t is used by one thread at a time; all else are functions of their
 * arguments.
 */
#ifndef SLUICE_DISPATCHER_SINK_FILE_CANAL_JSON_H
#define SLUICE_DISPATCHER_SINK_FILE_CANAL_JSON_H

#include "common/model/charset.h"
#include "common/model/value.h"
#include "dispatcher/core/ddl/ddl_event.h"
#include "dispatcher/sink/sink_text.h"

typedef struct {
    bool is_content_compatible; /* as Alibaba's Canal: mysqlType with parameters, "old" with the
                                   changed columns only */
    bool has_labels;            /* ENUM and SET as labels */
} canal_options_t;

/* What does not change between the rows of a table. */
typedef struct canal_table canal_table_t;

/* Takes a reference to `definition`. */
canal_table_t *canal_table_new(const table_definition_t *definition, canal_options_t options);
void canal_table_destroy(canal_table_t **table);
const table_definition_t *canal_table_definition(const canal_table_t *table);

typedef struct {
    commit_ts_t commit_ts;
    wall_ms_t commit_time; /* "es" */
    wall_ms_t now;         /* "ts" */
    uint64_t seq;
    commit_ts_t watermark; /* the newest one of this writer */
} canal_position_t;

/* One line. SLUICE_ERROR_SOURCE_CORRUPT: a value that its column cannot have;
 * SLUICE_ERROR_UNSUPPORTED: its charset cannot be converted here. Nothing of the line is left in
 * `out` then. `arena` is for what conversion needs. */
sluice_error_t canal_json_row(sink_text_t *out, const canal_table_t *table,
                              const row_change_t *change, const canal_position_t *position,
                              charset_converter_t *converter, arena_t *arena,
                              error_report_t *report) SLUICE_MUST_USE;

void canal_json_ddl(sink_text_t *out, const ddl_event_t *ddl, commit_ts_t watermark, wall_ms_t now);
void canal_json_syncpoint(sink_text_t *out, commit_ts_t ts, commit_ts_t watermark, wall_ms_t now);
void canal_json_watermark(sink_text_t *out, commit_ts_t resolved, wall_ms_t now);

#endif
