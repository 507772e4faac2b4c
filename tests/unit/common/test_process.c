#include "tests/testing.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/runtime/process.h"
#include "common/runtime/settings.h"
#include "common/runtime/version.h"

static sluice_error_t parse(arena_t *arena, char **argv, process_arguments_t *arguments)
{
    int argc = 0;
    while (argv[argc])
        argc++;
    return process_arguments_parse(argc, argv, &settings_table, arena, arguments, NULL);
}

#define ARGUMENTS(...) ((char *[]){(char *)"program", __VA_ARGS__, NULL})

static void arguments_become_sources(void **state)
{
    (void)state;
    arena_t arena = {0};
    process_arguments_t arguments;
    assert_int_equal(
        parse(&arena,
              ARGUMENTS((char *)"-c", (char *)"f.yaml", (char *)"--log-level=debug",
                        (char *)"--node-id", (char *)"n1", (char *)"--insecure", (char *)"--check"),
              &arguments),
        SLUICE_OK);
    assert_string_equal(arguments.sources.path, "f.yaml");
    assert_true(arguments.wants_check && !arguments.wants_help && !arguments.wants_version);
    assert_int_equal(arguments.sources.flag_count, 3);
    assert_string_equal(arguments.sources.flags[0].name, "log.level");
    assert_string_equal(arguments.sources.flags[0].value, "debug");
    assert_string_equal(arguments.sources.flags[1].value, "n1");
    assert_string_equal(arguments.sources.flags[2].value, "true");
    arena_clear(&arena);
}

static void wrong_arguments_are_refused(void **state)
{
    (void)state;
    arena_t arena = {0};
    process_arguments_t arguments;
    static char *const bad[][2] = {{(char *)"--nothing", NULL},   {(char *)"--node-id", NULL},
                                   {(char *)"-c", NULL},          {(char *)"node-id", NULL},
                                   {(char *)"--node.id=x", NULL}, {(char *)"-x", NULL}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(parse(&arena, ARGUMENTS(bad[i][0]), &arguments),
                         SLUICE_ERROR_CONFIGURATION);
    arena_clear(&arena);
}

static void signals_come_one_by_one(void **state)
{
    (void)state;
    int descriptor = process_signals_open();
    assert_true(descriptor >= 0);
    assert_int_equal(process_signal_next(descriptor), PROCESS_SIGNAL_NONE);
    raise(SIGHUP);
    assert_int_equal(process_signal_next(descriptor), PROCESS_SIGNAL_RELOAD);
    raise(SIGUSR1);
    assert_int_equal(process_signal_next(descriptor), PROCESS_SIGNAL_DUMP);
    raise(SIGTERM);
    assert_int_equal(process_signal_next(descriptor), PROCESS_SIGNAL_STOP);
    raise(SIGPIPE);
    assert_int_equal(process_signal_next(descriptor), PROCESS_SIGNAL_NONE);
    close(descriptor);
}

static void systemd_is_told_if_it_listens(void **state)
{
    (void)state;
    unsetenv("NOTIFY_SOCKET");
    process_notify("READY=1");
    char path[] = "/tmp/sluice-notify-XXXXXX";
    int file = mkstemp(path);
    close(file);
    unlink(path);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, path);
    int listener = socket(AF_UNIX, SOCK_DGRAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    setenv("NOTIFY_SOCKET", path, 1);
    process_notify("READY=1");
    char text[16] = "";
    assert_int_equal(recv(listener, text, sizeof text - 1, MSG_DONTWAIT), 7);
    assert_string_equal(text, "READY=1");
    unsetenv("NOTIFY_SOCKET");
    close(listener);
    unlink(path);
}

static void errors_have_exit_codes(void **state)
{
    (void)state;
    assert_int_equal(process_exit_of(SLUICE_OK), 0);
    assert_int_equal(process_exit_of(SLUICE_ERROR_CONFIGURATION), 2);
    assert_int_equal(process_exit_of(SLUICE_ERROR_LOCKED), 3);
    assert_int_equal(process_exit_of(SLUICE_ERROR_META_VERSION), 3);
    assert_int_equal(process_exit_of(SLUICE_ERROR_SOURCE_PURGED), 6);
    assert_int_equal(process_exit_of(SLUICE_ERROR_SINK_REFUSED), 7);
    assert_int_equal(process_exit_of(SLUICE_ERROR_BUG), 12);
    assert_true(strlen(version_number()) > 0);
    assert_true(strlen(version_hash()) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_become_sources), cmocka_unit_test(wrong_arguments_are_refused),
        cmocka_unit_test(signals_come_one_by_one),  cmocka_unit_test(systemd_is_told_if_it_listens),
        cmocka_unit_test(errors_have_exit_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
