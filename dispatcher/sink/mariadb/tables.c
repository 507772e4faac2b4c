#include "dispatcher/sink/mariadb/tables.h"

#include "dispatcher/sink/mariadb/error.h"

#define TABLE_OPTIONS " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"

static const char *const statements[] = {
    "CREATE DATABASE IF NOT EXISTS sluice CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
    "CREATE TABLE IF NOT EXISTS sluice.changefeed ("
    "feed BINARY(16) NOT NULL, name VARCHAR(128) NOT NULL, generation BIGINT UNSIGNED NOT NULL, "
    "checkpoint BIGINT UNSIGNED NOT NULL, is_removed BOOL NOT NULL, "
    "changed TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, "
    "PRIMARY KEY (feed))" TABLE_OPTIONS,
    "CREATE TABLE IF NOT EXISTS sluice.claim ("
    "feed BINARY(16) NOT NULL, mode TINYINT UNSIGNED NOT NULL, table_id BIGINT UNSIGNED NOT NULL, "
    "claims BIGINT UNSIGNED NOT NULL, PRIMARY KEY (feed, mode, table_id))" TABLE_OPTIONS,
    "CREATE TABLE IF NOT EXISTS sluice.progress ("
    "feed BINARY(16) NOT NULL, mode TINYINT UNSIGNED NOT NULL, table_id BIGINT UNSIGNED NOT NULL, "
    "generation BIGINT UNSIGNED NOT NULL, start_key VARBINARY(1024) NOT NULL, "
    "end_key VARBINARY(1024) NOT NULL, maintainer_epoch BIGINT UNSIGNED NOT NULL, "
    "counter BIGINT UNSIGNED NOT NULL, progress BIGINT UNSIGNED NOT NULL, "
    "PRIMARY KEY (feed, mode, table_id, generation, start_key))" TABLE_OPTIONS,
    "CREATE TABLE IF NOT EXISTS sluice.ddl_record ("
    "feed BINARY(16) NOT NULL, generation BIGINT UNSIGNED NOT NULL, "
    "commit_ts BIGINT UNSIGNED NOT NULL, concerns_all BOOL NOT NULL, statement LONGBLOB NOT NULL, "
    "objects_before LONGBLOB NOT NULL, is_done BOOL NOT NULL, started TIMESTAMP NOT NULL DEFAULT "
    "CURRENT_TIMESTAMP, finished TIMESTAMP NULL, "
    "PRIMARY KEY (feed, generation, commit_ts))" TABLE_OPTIONS,
    "CREATE TABLE IF NOT EXISTS sluice.ddl_table ("
    "feed BINARY(16) NOT NULL, generation BIGINT UNSIGNED NOT NULL, "
    "table_id BIGINT UNSIGNED NOT NULL, commit_ts BIGINT UNSIGNED NOT NULL, "
    "is_dropped BOOL NOT NULL, "
    "PRIMARY KEY (feed, generation, table_id, commit_ts))" TABLE_OPTIONS,
    "CREATE TABLE IF NOT EXISTS sluice.syncpoint ("
    "feed BINARY(16) NOT NULL, generation BIGINT UNSIGNED NOT NULL, "
    "commit_ts BIGINT UNSIGNED NOT NULL, sink_position TEXT NOT NULL, "
    "written TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, "
    "PRIMARY KEY (feed, generation, commit_ts))" TABLE_OPTIONS,
};

sluice_error_t mariadb_tables_create(mariadb_session_t *session, error_report_t *report)
{
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++) {
        sluice_error_t error = mariadb_session_run(session, statements[i], NULL, report);
        if (error != SLUICE_OK)
            return error;
    }
    return mariadb_session_commit(session, report);
}

bool mariadb_tables_are_missing(const mariadb_session_t *session)
{
    unsigned number = mariadb_session_last_error(session);
    return number == MARIADB_BAD_DATABASE || number == MARIADB_NO_SUCH_TABLE;
}

void mariadb_tables_feed_values(sql_text_t *sql, const changefeed_ref_t *changefeed)
{
    sql_text_add_hex(sql, bytes_of(changefeed->uuid.bytes, sizeof changefeed->uuid.bytes));
    sql_text_printf(sql, ",%llu", (unsigned long long)changefeed->generation);
}

void mariadb_tables_where_feed(sql_text_t *sql, const changefeed_ref_t *changefeed)
{
    sql_text_add(sql, "feed=");
    sql_text_add_hex(sql, bytes_of(changefeed->uuid.bytes, sizeof changefeed->uuid.bytes));
    sql_text_printf(sql, " AND generation=%llu", (unsigned long long)changefeed->generation);
}
