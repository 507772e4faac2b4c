/*
 * Identities and positions, in the words of DESIGN.md §1, as small values that cannot be swapped by
 * mistake.
 */
#ifndef SLUICE_COMMON_BASE_IDS_H
#define SLUICE_COMMON_BASE_IDS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/base/bytes.h"

/* Position of one transaction or DDL: the GTID sequence number in the changefeed's domain. 0: none.
 */
typedef struct {
    uint64_t v;
} commit_ts_t;

#define COMMIT_TS_NONE ((commit_ts_t){0})
#define COMMIT_TS_MAX ((commit_ts_t){UINT64_MAX})

/* The position just before; 0 stays 0. */
static inline commit_ts_t commit_ts_before(commit_ts_t ts)
{
    return (commit_ts_t){ts.v ? ts.v - 1 : 0};
}

/* Stable identity of a table. 0 is the table trigger dispatcher's "table". */
typedef struct {
    uint64_t v;
} table_id_t;

#define TABLE_ID_TRIGGER ((table_id_t){0})

/* Derived from (schema, table, commit_ts of creation; COMMIT_TS_NONE for tables there at the
 * start), so that every process derives the same. Never 0. */
table_id_t table_id_derive(bytes_t schema, bytes_t table, commit_ts_t created);

/* Identity of a schema (database): derived from its name. Never 0. */
typedef struct {
    uint64_t v;
} schema_id_t;

schema_id_t schema_id_derive(bytes_t schema);

typedef struct {
    uint64_t hi, lo;
} dispatcher_id_t;

static inline bool dispatcher_id_equal(dispatcher_id_t a, dispatcher_id_t b)
{
    return a.hi == b.hi && a.lo == b.lo;
}

static inline bool dispatcher_id_is_none(dispatcher_id_t id)
{
    return id.hi == 0 && id.lo == 0;
}

#define DISPATCHER_ID_TEXT_SIZE 33
/* 32 hexadecimal digits and NUL. */
void dispatcher_id_format(dispatcher_id_t id, char text[DISPATCHER_ID_TEXT_SIZE]);

/* One sluice-dispatcher process by name: 1..63 bytes of [A-Za-z0-9._-], NUL-terminated, rest zero.
 */
#define NODE_ID_SIZE 64
typedef struct {
    char text[NODE_ID_SIZE];
} node_id_t;

/* false (and *id all zero) when the text is not a valid node id. */
bool node_id_parse(bytes_t text, node_id_t *id);

static inline bool node_id_equal(const node_id_t *a, const node_id_t *b)
{
    return strncmp(a->text, b->text, NODE_ID_SIZE) == 0;
}

static inline bool node_id_is_none(const node_id_t *id)
{
    return id->text[0] == '\0';
}

/* New at each start of a node and larger than before (wall clock milliseconds at start). */
typedef struct {
    uint64_t v;
} incarnation_t;

/* One changefeed, from its creation to its removal; 16 random bytes. */
typedef struct {
    uint8_t bytes[16];
} changefeed_uuid_t;

#define CHANGEFEED_UUID_TEXT_SIZE 33
void changefeed_uuid_format(changefeed_uuid_t uuid, char text[CHANGEFEED_UUID_TEXT_SIZE]);
bool changefeed_uuid_parse(bytes_t text, changefeed_uuid_t *uuid);

static inline bool changefeed_uuid_equal(changefeed_uuid_t a, changefeed_uuid_t b)
{
    return memcmp(a.bytes, b.bytes, sizeof a.bytes) == 0;
}

/* The name people use: 1..128 bytes of [A-Za-z0-9._-]. */
#define CHANGEFEED_NAME_MAX 128
bool changefeed_name_is_valid(bytes_t name);

/* New each time a span is given to a node; ordered by maintainer_epoch, then counter. */
/* A maintainer_epoch is at least the milliseconds since 1970 of its maintainer's start. One that is
 * further ahead of what is known than this is damaged or made up. */
#define MAINTAINER_EPOCH_JUMP_MAX (UINT64_C(1) << 44)

typedef struct {
    uint64_t maintainer_epoch, counter;
} assignment_epoch_t;

static inline int assignment_epoch_compare(assignment_epoch_t a, assignment_epoch_t b)
{
    if (a.maintainer_epoch != b.maintainer_epoch)
        return a.maintainer_epoch < b.maintainer_epoch ? -1 : 1;
    return (a.counter > b.counter) - (a.counter < b.counter);
}

/* Default or redo pipeline; all protocol state is kept apart by it. */
typedef enum { PIPELINE_DEFAULT = 0, PIPELINE_REDO = 1 } pipeline_t;
#define PIPELINE_COUNT 2

/* Key of a barrier event: DDL before sync point at one commit_ts. {0, false} means "nothing yet".
 */
typedef struct {
    commit_ts_t commit_ts;
    bool is_syncpoint;
} event_key_t;

#define EVENT_KEY_NONE ((event_key_t){{0}, false})

static inline int event_key_compare(event_key_t a, event_key_t b)
{
    if (a.commit_ts.v != b.commit_ts.v)
        return a.commit_ts.v < b.commit_ts.v ? -1 : 1;
    return (int)a.is_syncpoint - (int)b.is_syncpoint;
}

static inline bool event_key_equal(event_key_t a, event_key_t b)
{
    return event_key_compare(a, b) == 0;
}

/* Where a dispatcher stands: everything up to the checkpoint is durable in the sink, `passed` is
 * the key of the last barrier event it wrote or passed. */
typedef struct {
    commit_ts_t checkpoint;
    event_key_t passed;
} position_t;

/* A whole table (both keys empty), or the range [start_key, end_key) of its memcomparable primary
 * key; an empty end is unbounded. Keys are borrowed. */
typedef struct {
    table_id_t table_id;
    bytes_t start_key, end_key;
} span_t;

static inline bool span_is_whole(span_t span)
{
    return span.start_key.len == 0 && span.end_key.len == 0;
}

#endif
