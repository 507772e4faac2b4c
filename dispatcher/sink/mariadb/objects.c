#include "dispatcher/sink/mariadb/objects.h"

#include "dispatcher/sink/mariadb/error.h"

static void object_add(mariadb_object_t *objects, uint32_t *count, const char *schema,
                       const char *name)
{
    for (uint32_t i = 0; i < *count; i++) {
        if (strcmp(objects[i].schema, schema) == 0 && strcmp(objects[i].name, name) == 0)
            return;
    }
    objects[(*count)++] = (mariadb_object_t){.schema = schema, .name = name};
}

uint32_t mariadb_objects_of(const ddl_event_t *event, arena_t *arena,
                            const mariadb_object_t **objects)
{
    mariadb_object_t *list = arena_calloc(arena, 2 * event->change_count + 1, sizeof *list);
    uint32_t count = 0;
    if (event->schema && *event->schema)
        object_add(list, &count, event->schema, event->object ? event->object : "");
    /* A schema with all its tables goes as one: its DROP is repeated in any case. */
    bool is_whole_schema = count == 1 && *list[0].name == '\0';
    for (uint32_t i = 0; i < event->change_count && !is_whole_schema; i++) {
        const table_change_t *change = &event->changes[i];
        if (change->before)
            object_add(list, &count, change->before->schema, change->before->name);
        if (change->after)
            object_add(list, &count, change->after->schema, change->after->name);
    }
    *objects = list;
    return count;
}

/* The counter moves with every insert, also a rolled-back one, and says nothing about a DDL. */
static void add_without_counter(sql_text_t *text, const char *create)
{
    static const char option[] = " AUTO_INCREMENT=";
    const char *options = create;
    for (const char *next = create; (next = strstr(next, "\n) "));)
        options = next++;
    const char *counter = options != create ? strstr(options, option) : NULL;
    if (!counter) {
        sql_text_add(text, create);
        return;
    }
    sql_text_add_bytes(text, bytes_of(create, (size_t)(counter - create)));
    counter += sizeof option - 1;
    sql_text_add(text, counter + strspn(counter, "0123456789"));
}

static bool error_says_absent(unsigned number)
{
    return number == MARIADB_NO_SUCH_TABLE || number == MARIADB_BAD_DATABASE ||
           number == MARIADB_BAD_TABLE;
}

static sluice_error_t object_describe(mariadb_session_t *session, const mariadb_object_t *object,
                                      sql_text_t *text, bool *is_absent, error_report_t *report)
{
    sql_text_t sql = {0};
    sql_text_add(&sql, *object->name ? "SHOW CREATE TABLE " : "SHOW CREATE DATABASE ");
    if (*object->name)
        sql_text_add_table(&sql, object->schema, object->name);
    else
        sql_text_add_name(&sql, object->schema);
    MYSQL_RES *result;
    sluice_error_t error = mariadb_session_select(session, sql_text_get(&sql), &result, report);
    sql_text_printf(text, "%s:\n", sql_text_get(&sql) + strlen("SHOW CREATE "));
    sql_text_clear(&sql);
    *is_absent = false;
    if (error == SLUICE_OK) {
        MYSQL_ROW row = mysql_fetch_row(result);
        add_without_counter(text, row && row[1] ? row[1] : "");
        mysql_free_result(result);
    } else if (error_says_absent(mariadb_session_last_error(session))) {
        *is_absent = true;
        sql_text_add(text, "absent");
    } else if (error == SLUICE_ERROR_SINK_REFUSED) {
        /* A view whose tables are gone, for one: still something that can be compared. */
        sql_text_printf(text, "error %u", mariadb_session_last_error(session));
    } else {
        return error;
    }
    sql_text_add(text, "\n");
    return SLUICE_OK;
}

/* As a file name: "p-t" is p@002dt, and lower case where table names are. Bytes, since the server
 * would turn such a name back when it meets another charset. */
static void add_file_name(sql_text_t *sql, const char *name)
{
    sql_text_add(sql, "CAST(CONVERT(IF(@@lower_case_table_names=1,LOWER(");
    sql_text_add_string(sql, name);
    sql_text_add(sql, "),");
    sql_text_add_string(sql, name);
    sql_text_add(sql, ") USING filename) AS BINARY)");
}

static void add_innodb_name(sql_text_t *sql, const mariadb_object_t *object)
{
    sql_text_add(sql, "SELECT CONCAT(");
    add_file_name(sql, object->schema);
    sql_text_add(sql, ",CAST('/' AS BINARY),");
    add_file_name(sql, object->name);
    sql_text_add(sql, ") AS wanted");
}

static sluice_error_t ids_describe(mariadb_session_t *session, const mariadb_object_t *objects,
                                   uint32_t count, sql_text_t *text, error_report_t *report)
{
    sql_text_t sql = {0};
    sql_text_add(&sql, "SELECT NAME,TABLE_ID FROM information_schema.INNODB_SYS_TABLES JOIN (");
    bool is_any = false;
    for (uint32_t i = 0; i < count; i++) {
        if (!*objects[i].name)
            continue;
        sql_text_add(&sql, is_any ? " UNION ALL " : "");
        add_innodb_name(&sql, &objects[i]);
        is_any = true;
    }
    /* '#' stands in an encoded name only before a partition's. */
    sql_text_add(&sql, ") names ON CAST(NAME AS BINARY)=wanted OR "
                       "LOCATE(CONCAT(wanted,'#'),CAST(NAME AS BINARY))=1 ORDER BY NAME,TABLE_ID");
    MYSQL_RES *result;
    sluice_error_t error = SLUICE_OK;
    if (is_any)
        error = mariadb_session_select(session, sql_text_get(&sql), &result, report);
    sql_text_clear(&sql);
    if (!is_any || error != SLUICE_OK)
        return error;
    for (MYSQL_ROW row; (row = mysql_fetch_row(result));)
        sql_text_printf(text, "%s has InnoDB id %s\n", row[0], row[1]);
    mysql_free_result(result);
    return SLUICE_OK;
}

sluice_error_t mariadb_objects_describe(mariadb_session_t *session, const mariadb_object_t *objects,
                                        uint32_t count, sql_text_t *text, bool *target_is_absent,
                                        error_report_t *report)
{
    sql_text_reset(text);
    *target_is_absent = false;
    bool any_is_there = false;
    for (uint32_t i = 0; i < count; i++) {
        bool is_absent;
        sluice_error_t error = object_describe(session, &objects[i], text, &is_absent, report);
        if (error != SLUICE_OK)
            return error;
        if (i == 0)
            *target_is_absent = is_absent;
        any_is_there = any_is_there || !is_absent;
    }
    /* Reading InnoDB's dictionary takes time with many tables; most CREATEs do without. */
    return any_is_there ? ids_describe(session, objects, count, text, report) : SLUICE_OK;
}
