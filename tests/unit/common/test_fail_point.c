#include "tests/testing.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/runtime/fail_point.h"

static sluice_error_t pass(const char *name, uint64_t commit_ts, const char *subject)
{
    return FAIL_POINT(name, commit_ts, subject);
}

static void arm(const char *orders)
{
    error_report_t report = {0};
    assert_int_equal(fail_point_arm(orders, &report), SLUICE_OK);
}

static int disarm(void **state)
{
    (void)state;
    fail_point_disarm_all();
    return 0;
}

static void does_nothing_unless_armed(void **state)
{
    (void)state;
    assert_false(fail_point_any_armed());
    assert_int_equal(pass("sink.ddl.execute", 7, "DROP TABLE a.b"), SLUICE_OK);
    arm("sink.ddl.executed=error");
    assert_int_equal(pass("sink.ddl.execute", 7, "DROP TABLE a.b"), SLUICE_OK);
}

static void fails_at_the_passage_that_was_ordered(void **state)
{
    (void)state;
    arm("sink.rows.commit=error;sink.rows.committed=error@2;sink.rows.open=error@*");
    assert_int_equal(pass("sink.rows.commit", 1, NULL), SLUICE_ERROR_AGAIN);
    assert_int_equal(pass("sink.rows.commit", 1, NULL), SLUICE_OK);
    assert_int_equal(pass("sink.rows.committed", 1, NULL), SLUICE_OK);
    assert_int_equal(pass("sink.rows.committed", 1, NULL), SLUICE_ERROR_AGAIN);
    assert_int_equal(pass("sink.rows.committed", 1, NULL), SLUICE_OK);
    assert_int_equal(pass("sink.rows.open", 1, NULL), SLUICE_ERROR_AGAIN);
    assert_int_equal(pass("sink.rows.open", 1, NULL), SLUICE_ERROR_AGAIN);
}

static void filters_by_commit_ts_and_by_subject(void **state)
{
    (void)state;
    arm("sink.ddl.execute(17)=error;sink.ddl.execute(TRUNCATE TABLE)=error");
    assert_int_equal(pass("sink.ddl.execute", 16, "DROP TABLE x17"), SLUICE_OK);
    assert_int_equal(pass("sink.ddl.execute", 16, NULL), SLUICE_OK);
    assert_int_equal(pass("sink.ddl.execute", 17, "DROP TABLE x"), SLUICE_ERROR_AGAIN);
    assert_int_equal(pass("sink.ddl.execute", 18, "TRUNCATE TABLE x"), SLUICE_ERROR_AGAIN);
}

static void ordering_a_place_again_replaces_and_off_takes_it_away(void **state)
{
    (void)state;
    arm("sink.rows.commit=error@3");
    arm("sink.rows.commit=error@1");
    assert_int_equal(pass("sink.rows.commit", 1, NULL), SLUICE_ERROR_AGAIN);
    assert_int_equal(pass("sink.rows.commit", 1, NULL), SLUICE_OK);
    assert_int_equal(pass("sink.rows.commit", 1, NULL), SLUICE_OK);
    arm("sink.rows.commit=error");
    arm("sink.rows.commit=off");
    assert_int_equal(pass("sink.rows.commit", 1, NULL), SLUICE_OK);
    assert_false(fail_point_any_armed());
}

static void refuses_orders_that_it_does_not_understand(void **state)
{
    (void)state;
    static const char *const bad[] = {"sink.rows.commit",
                                      "no.such.place=stop",
                                      "sink.rows.commit=explode",
                                      "sink.rows.commit=stop@0",
                                      "sink.rows.commit=stop@x",
                                      "sink.rows.commit=delay:",
                                      "sink.rows.commit=delay:1s",
                                      "sink.rows.commit(x=stop",
                                      "sink.rows.open=error;sink.rows.commit=stop@"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        error_report_t report = {0};
        assert_int_equal(fail_point_arm(bad[i], &report), SLUICE_ERROR_CONFIGURATION);
        assert_non_null(strstr(report.text, "fail point order"));
        assert_false(fail_point_any_armed());
    }
}

/* What becomes of a process that passes a place: its wait status. */
static int child_status(const char *order, pid_t *child)
{
    *child = fork();
    if (*child == 0) {
        arm(order);
        (void)pass("sink.rows.commit", 1, NULL);
        _exit(7);
    }
    int status = 0;
    assert_int_equal(waitpid(*child, &status, WUNTRACED), *child);
    return status;
}

static void kills_the_process(void **state)
{
    (void)state;
    pid_t child;
    int status = child_status("sink.rows.commit=kill", &child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
}

static void stops_the_process_until_it_is_continued(void **state)
{
    (void)state;
    pid_t child;
    int status = child_status("sink.rows.commit=stop", &child);
    assert_true(WIFSTOPPED(status));
    kill(child, SIGCONT);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 7);
}

static void delays(void **state)
{
    (void)state;
    struct timespec before, after;
    arm("sink.rows.commit=delay:30");
    clock_gettime(CLOCK_MONOTONIC, &before);
    assert_int_equal(pass("sink.rows.commit", 1, NULL), SLUICE_OK);
    clock_gettime(CLOCK_MONOTONIC, &after);
    assert_true(
        (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000 >= 29);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(does_nothing_unless_armed, disarm, disarm),
        cmocka_unit_test_setup_teardown(fails_at_the_passage_that_was_ordered, disarm, disarm),
        cmocka_unit_test_setup_teardown(filters_by_commit_ts_and_by_subject, disarm, disarm),
        cmocka_unit_test_setup_teardown(ordering_a_place_again_replaces_and_off_takes_it_away,
                                        disarm, disarm),
        cmocka_unit_test_setup_teardown(refuses_orders_that_it_does_not_understand, disarm, disarm),
        cmocka_unit_test_setup_teardown(kills_the_process, disarm, disarm),
        cmocka_unit_test_setup_teardown(stops_the_process_until_it_is_continued, disarm, disarm),
        cmocka_unit_test_setup_teardown(delays, disarm, disarm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
