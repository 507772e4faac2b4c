/* A node under systemd, which the test is. */
#include "tests/wire/node_fixture.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/wire/child_process.h"

static int manager = -1; /* what systemd listens at */

static int set_up_under_systemd(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char name[64];
    int len = snprintf(name, sizeof name, "@sluice-test-%ld", (long)getpid());
    memcpy(address.sun_path + 1, name + 1, (size_t)len - 1);
    manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct timeval deadline = {.tv_sec = 20};
    setsockopt(manager, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof deadline);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)len);
    if (bind(manager, (struct sockaddr *)&address, size) != 0)
        return -1;
    setenv("NOTIFY_SOCKET", name, 1);
    setenv("WATCHDOG_USEC", "100000", 1);
    int code = set_up(state);
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    return code;
}

static int tear_down_under_systemd(void **state)
{
    close(manager);
    return tear_down(state);
}

static void expect_told(const char *wanted)
{
    char text[64] = "";
    assert_true(recv(manager, text, sizeof text - 1, 0) > 0);
    assert_string_equal(text, wanted);
}

static void tells_systemd_that_it_is_ready_and_lives(void **state)
{
    fixture_t *fixture = *state;
    expect_told("READY=1");
    for (int i = 0; i < 3; i++)
        expect_told("WATCHDOG=1");
    child_process_signal(fixture->node, SIGTERM);
    char text[64] = "WATCHDOG=1";
    while (strcmp(text, "WATCHDOG=1") == 0) {
        memset(text, 0, sizeof text);
        assert_true(recv(manager, text, sizeof text - 1, 0) > 0);
    }
    assert_string_equal(text, "STOPPING=1");
    assert_int_equal(child_process_wait(fixture->node, 20), 0);
    fixture->node = -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tells_systemd_that_it_is_ready_and_lives,
                                        set_up_under_systemd, tear_down_under_systemd),
    };
    zsys_handler_set(NULL);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    zsys_shutdown();
    return failed;
}
