#include <errmsg.h>
#include <mysqld_error.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "dispatcher/upstream/source_internal.h"

/* SHOW CREATE statements sent at once: round trips cost more than the answers. */
#define BATCH_MAX 100
#define ATTEMPTS_MAX 20
#define OBJECTS_MAX 10000000

#define NOT_SYSTEM " NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys', 'sluice')"

typedef struct {
    MYSQL *mysql;
    arena_t *arena;
    source_object_t *objects;
    uint32_t count, max;
    bool has_changed; /* an object went away while we were reading */
} reading_t;

static source_object_t *add_object(reading_t *reading)
{
    if (reading->count == reading->max) {
        uint32_t max = reading->max ? reading->max * 2 : 256;
        source_object_t *objects = arena_calloc(reading->arena, max, sizeof *objects);
        if (reading->count)
            memcpy(objects, reading->objects, reading->count * sizeof *objects);
        reading->objects = objects;
        reading->max = max;
    }
    source_object_t *object = &reading->objects[reading->count++];
    *object = (source_object_t){.name = "", .create = ""};
    return object;
}

static sluice_error_t read_schemas(reading_t *reading, error_report_t *report)
{
    MYSQL_RES *result;
    sluice_error_t error =
        source_query(reading->mysql,
                     "SELECT SCHEMA_NAME, DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME FROM "
                     "information_schema.SCHEMATA WHERE SCHEMA_NAME" NOT_SYSTEM " ORDER BY 1",
                     &result, report);
    if (error != SLUICE_OK)
        return error;
    MYSQL_ROW row;
    while ((row = mysql_fetch_row(result))) {
        source_object_t *object = add_object(reading);
        object->kind = SOURCE_SCHEMA;
        object->schema = arena_strdup(reading->arena, row[0]);
        object->charset = row[1] ? arena_strdup(reading->arena, row[1]) : NULL;
        object->collation = row[2] ? arena_strdup(reading->arena, row[2]) : NULL;
    }
    mysql_free_result(result);
    return SLUICE_OK;
}

/* false: not kept by the server beyond a session, or not of the kinds we know. */
static bool kind_of(const char *table_type, source_object_kind_t *kind)
{
    if (strcasecmp(table_type, "VIEW") == 0)
        *kind = SOURCE_VIEW;
    else if (strcasecmp(table_type, "SEQUENCE") == 0)
        *kind = SOURCE_SEQUENCE;
    else if (strcasecmp(table_type, "BASE TABLE") == 0 ||
             strcasecmp(table_type, "SYSTEM VERSIONED") == 0)
        *kind = SOURCE_TABLE;
    else
        return false;
    return true;
}

static sluice_error_t list_tables(reading_t *reading, error_report_t *report)
{
    MYSQL_RES *result;
    sluice_error_t error = source_query(
        reading->mysql,
        "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES WHERE "
        "TABLE_SCHEMA" NOT_SYSTEM " ORDER BY 1, 2",
        &result, report);
    if (error != SLUICE_OK)
        return error;
    MYSQL_ROW row;
    while (error == SLUICE_OK && (row = mysql_fetch_row(result))) {
        source_object_kind_t kind;
        if (!row[2] || !kind_of(row[2], &kind))
            continue;
        if (reading->count == OBJECTS_MAX) {
            error = error_report_set(report, SLUICE_ERROR_TOO_LARGE,
                                     "the source has more than %d tables", OBJECTS_MAX);
            break;
        }
        source_object_t *object = add_object(reading);
        object->kind = kind;
        object->schema = arena_strdup(reading->arena, row[0]);
        object->name = arena_strdup(reading->arena, row[1]);
    }
    mysql_free_result(result);
    return error;
}

static const char *quote(arena_t *arena, const char *name)
{
    char *quoted = arena_alloc(arena, strlen(name) * 2 + 3);
    char *to = quoted;
    *to++ = '`';
    for (; *name; name++) {
        if (*name == '`')
            *to++ = '`';
        *to++ = *name;
    }
    *to++ = '`';
    *to = '\0';
    return quoted;
}

/* The statements of objects [first, first + count), one text. */
static const char *batch_text(const reading_t *reading, uint32_t first, uint32_t count,
                              arena_t *arena)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    if (!stream)
        return NULL;
    for (uint32_t i = first; i < first + count; i++) {
        const source_object_t *object = &reading->objects[i];
        fprintf(stream, "%sSHOW CREATE %s %s.%s", i > first ? ";" : "",
                object->kind == SOURCE_VIEW ? "VIEW" : "TABLE", quote(arena, object->schema),
                quote(arena, object->name));
    }
    fclose(stream);
    const char *copy = arena_strndup(arena, text, size);
    free(text);
    return copy;
}

static bool is_gone(unsigned code)
{
    return code == ER_NO_SUCH_TABLE || code == ER_BAD_DB_ERROR || code == ER_BAD_TABLE_ERROR ||
           code == ER_WRONG_OBJECT || code == ER_TABLE_DEF_CHANGED;
}

static sluice_error_t take_answer(reading_t *reading, source_object_t *object,
                                  error_report_t *report)
{
    MYSQL_RES *result = mysql_store_result(reading->mysql);
    if (!result)
        return source_error_report(reading->mysql, "reading a definition", report);
    MYSQL_ROW row = mysql_fetch_row(result);
    bool is_good = row && mysql_num_fields(result) >= 2 && row[1];
    if (is_good)
        object->create = arena_strndup(reading->arena, row[1], mysql_fetch_lengths(result)[1]);
    mysql_free_result(result);
    return is_good ? SLUICE_OK
                   : error_report_set(report, SLUICE_ERROR_SOURCE_CONNECTION,
                                      "the source did not show the definition of %s.%s",
                                      object->schema, object->name);
}

/* Gives back what the server still has to say to a batch, so that the connection can be used. */
static void drain(MYSQL *mysql)
{
    while (mysql_more_results(mysql) && mysql_next_result(mysql) == 0) {
        MYSQL_RES *result = mysql_store_result(mysql);
        if (result)
            mysql_free_result(result);
    }
}

static sluice_error_t read_batch(reading_t *reading, uint32_t first, uint32_t count,
                                 error_report_t *report)
{
    arena_t scratch = {0};
    const char *sql = batch_text(reading, first, count, &scratch);
    int failed = mysql_real_query(reading->mysql, sql, strlen(sql));
    arena_clear(&scratch);
    sluice_error_t error = SLUICE_OK;
    uint32_t i = first;
    for (; !failed && error == SLUICE_OK && i < first + count; i++) {
        error = take_answer(reading, &reading->objects[i], report);
        if (error == SLUICE_OK && i + 1 < first + count)
            failed = mysql_next_result(reading->mysql) != 0;
    }
    if (failed && is_gone(mysql_errno(reading->mysql)))
        reading->has_changed = true;
    else if (failed)
        error = source_error_report(reading->mysql, "reading the definitions of tables", report);
    drain(reading->mysql);
    return error;
}

static sluice_error_t read_all(reading_t *reading, error_report_t *report)
{
    sluice_error_t error = read_schemas(reading, report);
    uint32_t first = reading->count;
    if (error == SLUICE_OK)
        error = list_tables(reading, report);
    while (error == SLUICE_OK && !reading->has_changed && first < reading->count) {
        uint32_t count = reading->count - first < BATCH_MAX ? reading->count - first : BATCH_MAX;
        error = read_batch(reading, first, count, report);
        first += count;
    }
    return error;
}

static sluice_error_t read_position(MYSQL *mysql, arena_t *arena, anchor_t *anchor,
                                    error_report_t *report)
{
    const char *list, *now;
    sluice_error_t error =
        source_query_text(mysql, "SELECT @@global.gtid_binlog_pos", arena, &list, report);
    if (error == SLUICE_OK)
        error = source_query_text(mysql, "SELECT UNIX_TIMESTAMP()", arena, &now, report);
    if (error != SLUICE_OK)
        return error;
    if (!list || strlen(list) >= sizeof anchor->gtid_list)
        return error_report_set(report, SLUICE_ERROR_TOO_LARGE,
                                "the source's position has too many GTID domains");
    *anchor = (anchor_t){.commit_time = {strtoull(now ? now : "0", NULL, 10) * 1000}};
    strcpy(anchor->gtid_list, list);
    return SLUICE_OK;
}

/* Statements that are logged as DDL and change no definition. */
static bool changes_definitions(void *context, const binlog_query_t *query)
{
    static const char *const neutral[] = {"ANALYZE", "OPTIMIZE", "REPAIR", "FLUSH",
                                          "GRANT",   "REVOKE",   "SET",    "CHECK"};
    (void)context;
    const char *sql = (const char *)query->sql.data;
    size_t len = query->sql.len;
    for (; len > 0 && (*sql == ' ' || *sql == '\n' || *sql == '\t'); sql++)
        len--;
    for (size_t i = 0; i < sizeof neutral / sizeof neutral[0]; i++)
        if (len > strlen(neutral[i]) && strncasecmp(sql, neutral[i], strlen(neutral[i])) == 0)
            return false;
    return true;
}

static sluice_error_t prepare_session(MYSQL *mysql, error_report_t *report)
{
    if (mysql_set_server_option(mysql, MYSQL_OPTION_MULTI_STATEMENTS_ON) != 0)
        return source_error_report(mysql, "preparing to read the schema", report);
    return source_query(mysql,
                        "SET SESSION sql_mode='', sql_quote_show_create=1, time_zone='+00:00'",
                        NULL, report);
}

/* A definition is shown only when no DDL of its table is under way (metadata lock), and the lock of
 * a DDL is held until it is in the log. So definitions read between two positions are those of the
 * first one if no DDL lies between them. */
sluice_error_t source_read_schema(MYSQL *mysql, const source_request_t *request, arena_t *arena,
                                  source_description_t *description, error_report_t *report)
{
    sluice_error_t error = prepare_session(mysql, report);
    for (int attempt = 0; error == SLUICE_OK && attempt < ATTEMPTS_MAX; attempt++) {
        reading_t reading = {.mysql = mysql, .arena = arena};
        anchor_t after;
        error = read_position(mysql, arena, &description->anchor, report);
        if (error == SLUICE_OK)
            error = read_all(&reading, report);
        if (error == SLUICE_OK)
            error = read_position(mysql, arena, &after, report);
        if (error != SLUICE_OK)
            return error;
        source_scan_result_t found = {.has_ddl = reading.has_changed};
        source_scan_t scan = {.uri = request->uri,
                              .domain = request->domain,
                              .server_id = request->server_id,
                              .from = description->anchor.gtid_list,
                              .to = after.gtid_list,
                              .matches = changes_definitions};
        if (!found.has_ddl)
            error = source_scan(&scan, &found, report);
        if (error != SLUICE_OK || found.has_ddl)
            continue;
        description->objects = reading.objects;
        description->object_count = reading.count;
        uint64_t sequence;
        error = gtid_list_sequence(description->anchor.gtid_list, request->domain, &sequence);
        description->anchor.commit_ts = (commit_ts_t){sequence};
        return error;
    }
    if (error != SLUICE_OK)
        return error;
    return error_report_set(report, SLUICE_ERROR_SOURCE_BUSY,
                            "the source's schema changed each of the %d times it was read; try "
                            "again when fewer schema changes are made",
                            ATTEMPTS_MAX);
}
