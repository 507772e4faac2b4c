#include "tests/testing.h"

#include "tests/integration/mariadb_fixture.h"

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define START_DEADLINE_S 60
#define STOP_DEADLINE_S 30
#define WAIT_DEADLINE_S 10
#define ARGUMENTS_MAX 64
#define PATH_SIZE 256

struct mariadb_fixture {
    char directory[PATH_SIZE], data[PATH_SIZE + 8], socket[PATH_SIZE + 8], log[PATH_SIZE + 8];
    char uri[2 * PATH_SIZE];
    const char *arguments[ARGUMENTS_MAX];
    char texts[3][2 * PATH_SIZE], tmpdir_option[2 * PATH_SIZE];
    pid_t pid; /* 0: not running */
    MYSQL *connection;
    char *value;
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void pause_shortly(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
}

static pid_t process_start(const char *const *arguments, const char *log)
{
    pid_t pid = fork();
    if (pid < 0)
        fail_msg("cannot fork");
    if (pid == 0) {
        /* A test that ends before its time must not leave a server behind. */
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        int out = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
        dup2(out, STDOUT_FILENO);
        dup2(out, STDERR_FILENO);
        execvp(arguments[0], (char *const *)arguments);
        _exit(127);
    }
    return pid;
}

/* Whether the process ended before the deadline. */
static bool process_wait(pid_t pid, int deadline_s, int *status)
{
    for (int64_t end = now_ms() + deadline_s * 1000; now_ms() < end; pause_shortly()) {
        if (waitpid(pid, status, WNOHANG) == pid)
            return true;
    }
    return false;
}

static void log_show(const mariadb_fixture_t *fixture)
{
    FILE *file = fopen(fixture->log, "r");
    char line[1024];
    while (file && fgets(line, sizeof line, file))
        fprintf(stderr, "  server: %s", line);
    if (file)
        fclose(file);
}

/* A server that starts removes temporary tables, also those of others that use the same directory.
 */
static void install(mariadb_fixture_t *fixture)
{
    const char *arguments[] = {"mariadb-install-db",
                               "--no-defaults",
                               "--user=root",
                               fixture->texts[0],
                               fixture->tmpdir_option,
                               "--auth-root-authentication-method=normal",
                               "--skip-test-db",
                               "--innodb-log-file-size=16M",
                               NULL};
    int status = 0;
    pid_t pid = process_start(arguments, fixture->log);
    if (!process_wait(pid, START_DEADLINE_S, &status) || status != 0) {
        log_show(fixture);
        fail_msg("mariadb-install-db failed");
    }
}

static void arguments_fill(mariadb_fixture_t *fixture, const char *const *options)
{
    static const char *const small[] = {"--no-defaults",
                                        "--user=root",
                                        "--skip-networking",
                                        "--innodb-buffer-pool-size=64M",
                                        "--innodb-log-file-size=16M",
                                        "--innodb-flush-log-at-trx-commit=0",
                                        "--sync-binlog=0",
                                        "--performance-schema=OFF"};
    size_t count = 0;
    fixture->arguments[count++] = "mariadbd";
    for (size_t i = 0; i < sizeof small / sizeof small[0]; i++)
        fixture->arguments[count++] = small[i];
    for (size_t i = 0; i < 3; i++)
        fixture->arguments[count++] = fixture->texts[i];
    fixture->arguments[count++] = fixture->tmpdir_option;
    for (; options && *options; options++) {
        assert_true(count < ARGUMENTS_MAX - 1);
        fixture->arguments[count++] = *options;
    }
    fixture->arguments[count] = NULL;
}

static MYSQL *connection_try(const mariadb_fixture_t *fixture)
{
    MYSQL *connection = mysql_init(NULL);
    mysql_options(connection, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    if (mysql_real_connect(connection, NULL, "root", NULL, NULL, 0, fixture->socket,
                           CLIENT_MULTI_STATEMENTS))
        return connection;
    mysql_close(connection);
    return NULL;
}

void mariadb_fixture_start_again(mariadb_fixture_t *fixture)
{
    fixture->pid = process_start(fixture->arguments, fixture->log);
    for (int64_t end = now_ms() + START_DEADLINE_S * 1000; now_ms() < end; pause_shortly()) {
        fixture->connection = connection_try(fixture);
        if (fixture->connection)
            return;
        int status;
        if (waitpid(fixture->pid, &status, WNOHANG) == fixture->pid)
            break;
    }
    log_show(fixture);
    fail_msg("mariadbd does not answer");
}

/* In memory where there is room for it: thousands of tables take a while on a disk. */
static const char *base_directory(void)
{
    static const char memory[] = "/dev/shm";
    static const uint64_t wanted_bytes = UINT64_C(6) << 30;
    const char *asked = getenv("TMPDIR");
    struct statvfs room;
    if (asked)
        return asked;
    if (statvfs(memory, &room) == 0 && (uint64_t)room.f_bavail * room.f_frsize > wanted_bytes)
        return memory;
    return "/tmp";
}

mariadb_fixture_t *mariadb_fixture_start(const char *const *options)
{
    mariadb_fixture_t *fixture = calloc(1, sizeof *fixture);
    snprintf(fixture->directory, sizeof fixture->directory, "%s/sluice-mariadb-XXXXXX",
             base_directory());
    if (!mkdtemp(fixture->directory))
        fail_msg("cannot make a temporary directory");
    snprintf(fixture->data, sizeof fixture->data, "%s/data", fixture->directory);
    snprintf(fixture->socket, sizeof fixture->socket, "%s/s", fixture->directory);
    snprintf(fixture->log, sizeof fixture->log, "%s/log", fixture->directory);
    snprintf(fixture->uri, sizeof fixture->uri, "mariadb://root@localhost/?socket=%s",
             fixture->socket);
    snprintf(fixture->texts[0], sizeof fixture->texts[0], "--datadir=%s", fixture->data);
    snprintf(fixture->texts[1], sizeof fixture->texts[1], "--socket=%s", fixture->socket);
    snprintf(fixture->texts[2], sizeof fixture->texts[2], "--pid-file=%s/pid", fixture->directory);
    snprintf(fixture->tmpdir_option, sizeof fixture->tmpdir_option, "--tmpdir=%s",
             fixture->directory);
    arguments_fill(fixture, options);
    install(fixture);
    mariadb_fixture_start_again(fixture);
    return fixture;
}

static void connection_close(mariadb_fixture_t *fixture)
{
    if (fixture->connection)
        mysql_close(fixture->connection);
    fixture->connection = NULL;
}

void mariadb_fixture_kill(mariadb_fixture_t *fixture)
{
    connection_close(fixture);
    if (fixture->pid == 0)
        return;
    int status;
    kill(fixture->pid, SIGKILL);
    waitpid(fixture->pid, &status, 0);
    fixture->pid = 0;
}

static int entry_remove(const char *path, const struct stat *stat, int type, struct FTW *where)
{
    (void)stat, (void)type, (void)where;
    return remove(path);
}

void mariadb_fixture_stop(mariadb_fixture_t **fixture)
{
    if (!*fixture)
        return;
    connection_close(*fixture);
    if ((*fixture)->pid != 0) {
        int status;
        kill((*fixture)->pid, SIGTERM);
        if (process_wait((*fixture)->pid, STOP_DEADLINE_S, &status))
            (*fixture)->pid = 0;
        mariadb_fixture_kill(*fixture);
    }
    nftw((*fixture)->directory, entry_remove, 16, FTW_DEPTH | FTW_PHYS);
    free((*fixture)->value);
    free(*fixture);
    *fixture = NULL;
}

pid_t mariadb_fixture_pid(const mariadb_fixture_t *fixture)
{
    return fixture->pid;
}

const char *mariadb_fixture_directory(const mariadb_fixture_t *fixture)
{
    return fixture->directory;
}

const char *mariadb_fixture_socket(const mariadb_fixture_t *fixture)
{
    return fixture->socket;
}

const char *mariadb_fixture_uri(const mariadb_fixture_t *fixture)
{
    return fixture->uri;
}

MYSQL *mariadb_fixture_connect(const mariadb_fixture_t *fixture)
{
    MYSQL *connection = connection_try(fixture);
    if (!connection)
        fail_msg("cannot connect to the server");
    return connection;
}

void mariadb_fixture_reconnect(mariadb_fixture_t *fixture)
{
    connection_close(fixture);
    fixture->connection = mariadb_fixture_connect(fixture);
}

void mariadb_fixture_run(mariadb_fixture_t *fixture, const char *sql)
{
    MYSQL *connection = fixture->connection;
    int more = mysql_real_query(connection, sql, strlen(sql)) == 0 ? 0 : 1;
    while (more == 0) {
        MYSQL_RES *result = mysql_store_result(connection);
        if (result)
            mysql_free_result(result);
        more = mysql_next_result(connection);
    }
    if (more > 0)
        fail_msg("%u: %s in: %.300s", mysql_errno(connection), mysql_error(connection), sql);
}

void mariadb_fixture_printf(mariadb_fixture_t *fixture, const char *format, ...)
{
    va_list arguments;
    char *sql;
    va_start(arguments, format);
    assert_true(vasprintf(&sql, format, arguments) >= 0);
    va_end(arguments);
    mariadb_fixture_run(fixture, sql);
    free(sql);
}

const char *mariadb_fixture_value(mariadb_fixture_t *fixture, const char *sql)
{
    MYSQL *connection = fixture->connection;
    MYSQL_RES *result = NULL;
    if (mysql_real_query(connection, sql, strlen(sql)) == 0)
        result = mysql_store_result(connection);
    if (!result)
        fail_msg("%u: %s in: %.300s", mysql_errno(connection), mysql_error(connection), sql);
    MYSQL_ROW row = mysql_fetch_row(result);
    free(fixture->value);
    fixture->value = strdup(row && row[0] ? row[0] : "");
    mysql_free_result(result);
    return fixture->value;
}

uint64_t mariadb_fixture_number(mariadb_fixture_t *fixture, const char *sql)
{
    return strtoull(mariadb_fixture_value(fixture, sql), NULL, 10);
}

void mariadb_fixture_wait_value(mariadb_fixture_t *fixture, const char *sql, const char *wanted)
{
    const char *value = "";
    for (int64_t end = now_ms() + WAIT_DEADLINE_S * 1000; now_ms() < end; pause_shortly()) {
        value = mariadb_fixture_value(fixture, sql);
        if (strcmp(value, wanted) == 0)
            return;
    }
    fail_msg("still '%s' and not '%s': %.300s", value, wanted, sql);
}
