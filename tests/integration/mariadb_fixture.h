/*
 * A real MariaDB server for one test program: its own temporary directory, a unix socket, no
 * network. Whatever goes wrong in it fails the test with a message.
 *
 * Threads: that of the test.
 */
#ifndef SLUICE_TESTS_INTEGRATION_MARIADB_FIXTURE_H
#define SLUICE_TESTS_INTEGRATION_MARIADB_FIXTURE_H

#include <mysql.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct mariadb_fixture mariadb_fixture_t;

/* Installs and starts a server; returns when it answers. `options` (NULL at its end, may be NULL)
 * are mariadbd's, behind those that keep it small. User root has no password. */
mariadb_fixture_t *mariadb_fixture_start(const char *const *options);
/* Ends the server by its pid and removes the directory. NULL is allowed. */
void mariadb_fixture_stop(mariadb_fixture_t **fixture);

/* Ends the server as a crash would; start again keeps the data. */
void mariadb_fixture_kill(mariadb_fixture_t *fixture);
void mariadb_fixture_start_again(mariadb_fixture_t *fixture);

pid_t mariadb_fixture_pid(const mariadb_fixture_t *fixture);
const char *mariadb_fixture_directory(const mariadb_fixture_t *fixture); /* with data/ below */
const char *mariadb_fixture_socket(const mariadb_fixture_t *fixture);
const char *mariadb_fixture_uri(const mariadb_fixture_t *fixture); /* mariadb://root@… */

/* A new connection, charset utf8mb4; the caller closes it. */
MYSQL *mariadb_fixture_connect(const mariadb_fixture_t *fixture);

/* A new connection in the place of the fixture's own, which somebody may have killed. */
void mariadb_fixture_reconnect(mariadb_fixture_t *fixture);

/* On the fixture's own connection. Several statements may be given, with ; between them. */
void mariadb_fixture_run(mariadb_fixture_t *fixture, const char *sql);
void mariadb_fixture_printf(mariadb_fixture_t *fixture, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* First column of the first row, "" for none and for NULL. Good until the next call. */
const char *mariadb_fixture_value(mariadb_fixture_t *fixture, const char *sql);
uint64_t mariadb_fixture_number(mariadb_fixture_t *fixture, const char *sql);

/* Asks until the value is `wanted`; fails the test after ten seconds. */
void mariadb_fixture_wait_value(mariadb_fixture_t *fixture, const char *sql, const char *wanted);

#endif
