/*
 * Looking at a source before it is read: whether its settings allow replication (OPERATORS.md,
 * pre-flight), what its schema is at one exact position, and whether a position can be started
 * from. The same questions for a live server, for binary log files and for the simulated source.
 *
 * Everything here connects, reads and blocks; nothing keeps anything open afterwards. Threads: any,
 * one call per arena.
 */
#ifndef SLUICE_DISPATCHER_UPSTREAM_SOURCE_H
#define SLUICE_DISPATCHER_UPSTREAM_SOURCE_H

#include "common/base/arena.h"
#include "common/model/anchor.h"
#include "common/wire/message.h"

typedef enum { SOURCE_SCHEMA, SOURCE_TABLE, SOURCE_VIEW, SOURCE_SEQUENCE } source_object_kind_t;

/* One thing of the schema. Texts are UTF-8, NUL-terminated. */
typedef struct {
    source_object_kind_t kind;
    const char *schema;
    const char *name;   /* "" for a schema */
    const char *create; /* what SHOW CREATE answered with sql_mode ''; "" for a schema */
    const char *charset, *collation; /* of a schema; NULL: not known */
} source_object_t;

/* Everything outside the system schemas, valid at `anchor`; schemas before what is in them. */
typedef struct {
    anchor_t anchor;
    const char *identity; /* of each server, on lines of their own, to see that source and sink are
                             not one; "" unknown */
    uint32_t server_id;   /* 0: not known */
    uint32_t domain;      /* in which the server writes */
    uint32_t server_version; /* 101119 for 10.11.19, 0: not known */
    bool lower_case_names;
    const char *default_charset, *default_collation; /* NULL: not known */
    const source_object_t *objects;
    uint32_t object_count;
    const char *const *warnings; /* lines for people that do not hinder the start */
    uint32_t warning_count;
} source_description_t;

typedef struct {
    const char *uri;    /* a server's may be a list of several (common/runtime/uri_servers.h) */
    uint32_t domain;    /* the changefeed's */
    uint32_t server_id; /* to look at the log with; used by nobody else */
    uint32_t server_id_min,
        server_id_max; /* what the nodes may use: the source's must be another */
    start_kind_t start;
    const char *start_gtid_list; /* START_POSITION */
    /* The changefeed's: a DDL behind a start position hinders it only if it may concern what they
     * take. None: everything outside the system schemas. */
    const bytes_t *filter_rules;
    uint32_t filter_rule_count;
} source_request_t;

/* Checks the source and describes its schema at the start position: for START_NOW the present end
 * of a server's log, and the place at which the schema beside binary log files was recorded; for
 * START_POSITION the position given, which is refused when a DDL that concerns us lies between it
 * and the place whose schema is known.
 *
 * Everything lives in `arena`. On failure `report` has one line for every setting that is wrong,
 * each with the statement that mends it, and the code of the first one:
 *   SLUICE_ERROR_SOURCE_SETTINGS, _PRIVILEGE, _CREDENTIALS, _SERVER_ID, _PURGED, _DIVERGED, _BUSY,
 *   _CONNECTION; SLUICE_ERROR_CONFIGURATION (also for the filter's rules); SLUICE_ERROR_STATE: DDL
 * behind the start position. */
sluice_error_t source_describe(const source_request_t *request, arena_t *arena,
                               source_description_t *description,
                               error_report_t *report) SLUICE_MUST_USE;

/* At which sequence of the domain a server's log ends. Blocks for up to the timeout at each of
 * connecting and asking. Errors as those of connections. */
sluice_error_t source_position(const char *uri, uint32_t domain, unsigned timeout_s,
                               uint64_t *sequence, error_report_t *report) SLUICE_MUST_USE;

#define SCHEMA_FILE_NAME "schema.sluice"

/* Writes what source_describe found to `path`, for the logs recorded from then on; the file
 * appears as a whole or not at all. Plain text:
 *   sluice-schema 1
 *   key value                       lines: gtid-list, commit-time, domain, server-id, …
 *   (empty line)
 *   schema NAME CHARSET COLLATION   names percent-encoded, "-" for unknown
 *   table SCHEMA NAME BYTES         or view, sequence; on the next lines BYTES bytes of its CREATE
 *   end COUNT
 * SLUICE_ERROR_IO, SLUICE_ERROR_NO_SPACE. */
sluice_error_t source_schema_write(const char *path, const source_description_t *description,
                                   error_report_t *report) SLUICE_MUST_USE;

/* Reads it back. SLUICE_ERROR_CONFIGURATION: there is no such file; SLUICE_ERROR_MALFORMED naming
 * the line; SLUICE_ERROR_UNSUPPORTED: a later version. */
sluice_error_t source_schema_read(const char *path, arena_t *arena,
                                  source_description_t *description,
                                  error_report_t *report) SLUICE_MUST_USE;

#endif
