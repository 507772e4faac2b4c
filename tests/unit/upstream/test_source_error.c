/* What a server's errors mean for a changefeed; decides without a server. */
#include "tests/testing.h"

#include "dispatcher/upstream/source_connection.h"

typedef struct {
    unsigned code;
    const char *text;
    sluice_error_t error;
} row_t;

static void expect(const row_t *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (source_error_classify(rows[i].code, rows[i].text) != rows[i].error)
            fail_msg("%u %s: %s", rows[i].code, rows[i].text,
                     sluice_error_name(source_error_classify(rows[i].code, rows[i].text)));
}

/* RTY-9; the texts are those of a server (10.11), shortened. */
static void trying_again_cannot_mend_what_a_server_refuses(void **state)
{
    (void)state;
    static const row_t rows[] = {
        {1236, "Could not find GTID state requested by slave in any binlog files. Probably …",
         SLUICE_ERROR_SOURCE_PURGED},
        {1236, "Could not find first log file name in binary log index file",
         SLUICE_ERROR_SOURCE_PURGED},
        {1236,
         "Error: connecting slave requested to start from GTID 0-1-99, which is not in the "
         "master's binlog",
         SLUICE_ERROR_SOURCE_DIVERGED},
        {1236, "could not find next log; the first event '.' at 4, …",
         SLUICE_ERROR_SOURCE_DIVERGED},
        {1236, "Client requested master to start replication from impossible position",
         SLUICE_ERROR_SOURCE_CORRUPT},
        {1236, "log event entry exceeded max_allowed_packet; …", SLUICE_ERROR_SOURCE_SETTINGS},
        {1236, "Binary log is not open", SLUICE_ERROR_SOURCE_SETTINGS},
        {1236, "A slave with the same server_uuid/server_id is already connected; …",
         SLUICE_ERROR_SOURCE_SERVER_ID},
        {4052, "A slave with the same server_uuid/server_id is already connected; …",
         SLUICE_ERROR_SOURCE_SERVER_ID},
        {1045, "Access denied for user", SLUICE_ERROR_SOURCE_CREDENTIALS},
        {1698, "Access denied for user", SLUICE_ERROR_SOURCE_CREDENTIALS},
        {1227, "Access denied; you need …", SLUICE_ERROR_SOURCE_PRIVILEGE},
        {1044, "Access denied for user … to database", SLUICE_ERROR_SOURCE_PRIVILEGE},
    };
    expect(rows, sizeof rows / sizeof rows[0]);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_false(sluice_error_is_retriable(rows[i].error));
}

/* RTY-9, PUL-6: a server that has no room is busy; a lost connection, and all that is not known,
 * is tried again. */
static void everything_else_is_tried_again(void **state)
{
    (void)state;
    static const row_t rows[] = {
        {1040, "Too many connections", SLUICE_ERROR_SOURCE_BUSY},
        {1203, "User … already has more than 'max_user_connections'", SLUICE_ERROR_SOURCE_BUSY},
        {1226, "User … has exceeded the 'max_user_connections' resource", SLUICE_ERROR_SOURCE_BUSY},
        {2002, "Can't connect to local server", SLUICE_ERROR_SOURCE_CONNECTION},
        {2003, "Can't connect to server", SLUICE_ERROR_SOURCE_CONNECTION},
        {2006, "Server has gone away", SLUICE_ERROR_SOURCE_CONNECTION},
        {2013, "Lost connection to server during query", SLUICE_ERROR_SOURCE_CONNECTION},
        {1053, "Server shutdown in progress", SLUICE_ERROR_SOURCE_CONNECTION},
        {1317, "Query execution was interrupted", SLUICE_ERROR_SOURCE_CONNECTION},
        {1236, "something nobody has seen yet", SLUICE_ERROR_SOURCE_CONNECTION},
        {9999, "something nobody has seen yet", SLUICE_ERROR_SOURCE_CONNECTION},
        {0, "", SLUICE_ERROR_SOURCE_CONNECTION},
    };
    expect(rows, sizeof rows / sizeof rows[0]);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_true(sluice_error_is_retriable(rows[i].error));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trying_again_cannot_mend_what_a_server_refuses),
        cmocka_unit_test(everything_else_is_tried_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
