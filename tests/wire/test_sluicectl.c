/* sluicectl against a maintainer whose only node is the test. */
#include "tests/wire/ctl_process.h"

#include <signal.h>
#include <unistd.h>

#include "common/runtime/clock.h"

typedef struct {
    maintainer_process_t *maintainer;
    fake_node_t *node;
    ctl_process_t ctl;
} fixture_t;

static int set_up(void **state)
{
    fixture_t *fixture = test_calloc(1, sizeof *fixture);
    fixture->maintainer = maintainer_process_new();
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    fixture_t *fixture = *state;
    fake_node_destroy(&fixture->node);
    maintainer_process_destroy(&fixture->maintainer);
    test_free(fixture);
    return 0;
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define RUN(fixture, ...)                                                                          \
    ctl_process_run(&(fixture)->ctl, (fixture)->maintainer, WORDS(__VA_ARGS__))

static void start_with_node(fixture_t *fixture)
{
    maintainer_process_start(fixture->maintainer);
    fixture->node = fake_node_new(fixture->maintainer, "node-1", 1000);
    fake_node_hello(fixture->node);
    fake_node_expect(fixture->node, MESSAGE_HELLO_RESPONSE);
}

static void exit_codes_tell_who_is_wrong(void **state)
{
    fixture_t *fixture = *state;
    fixture->maintainer->http_port = 1; /* nobody listens */
    assert_int_equal(RUN(fixture, "changefeed", "list"), 3);
    assert_int_equal(RUN(fixture, "version"), 0);
    assert_int_equal(RUN(fixture, "nonsense"), 2);
    assert_int_equal(RUN(fixture, "changefeed", "query"), 2);
    assert_int_equal(RUN(fixture, "changefeed", "query", "a/b"), 2);
    assert_int_equal(RUN(fixture, "changefeed", "remove", "a"), 2);
    assert_non_null(strstr(fixture->ctl.error, "--no-confirm"));
    assert_int_equal(RUN(fixture, "config", "check", "/nonexistent"), 2);
    maintainer_process_start(fixture->maintainer);
    assert_int_equal(RUN(fixture, "changefeed", "query", "none"), 1);
    assert_non_null(strstr(fixture->ctl.error, "404 not_found"));
    assert_int_equal(RUN(fixture, "changefeed", "create", "a", "--source", "simulated://", "--sink",
                         "blackhole://"),
                     1);
    assert_int_equal(RUN(fixture, "changefeed", "create", "a", "--sink", "blackhole://"), 2);
}

static void health_is_told_by_the_exit_code(void **state)
{
    fixture_t *fixture = *state;
    fixture->maintainer->http_port = 1; /* nobody listens */
    assert_int_equal(RUN(fixture, "health"), 3);
    maintainer_process_start(fixture->maintainer);
    assert_int_equal(RUN(fixture, "health"), 0);
    assert_string_equal(fixture->ctl.out, "ok\n");
    assert_int_equal(maintainer_process_stop(fixture->maintainer, SIGTERM), 0);
    assert_int_equal(RUN(fixture, "health"), 3);
}

static void lists_are_tables_or_json(void **state)
{
    fixture_t *fixture = *state;
    start_with_node(fixture);
    assert_int_equal(RUN(fixture, "capture", "list"), 0);
    assert_non_null(strstr(fixture->ctl.out, "ID      STATE"));
    assert_non_null(strstr(fixture->ctl.out, "\nnode-1  present"));
    assert_int_equal(RUN(fixture, "capture", "list", "--output=json"), 0);
    json_t *json = json_loads(fixture->ctl.out, 0, NULL);
    assert_int_equal(json_integer_value(json_object_get(json, "total")), 1);
    json_decref(json);
    assert_int_equal(RUN(fixture, "changefeed", "list"), 0);
    assert_string_equal(fixture->ctl.error, "");
}

/* Answers the pre-flight check with one piece; `error` OK: a snapshot and an anchor at 100. */
static void answer_check(fixture_t *fixture, sluice_error_t error, const char *text)
{
    const check_request_t *request =
        &fake_node_expect(fixture->node, MESSAGE_CHECK_REQUEST)->check_request;
    assert_true(bytes_equal(request->config.name, bytes_of_text("feed")));
    assert_true(bytes_equal(request->config.filter_rules[1], bytes_of_text("!a.b")));
    message_t message = fake_node_message(fixture->node, MESSAGE_CHECK_RESPONSE);
    message.check_response = (check_response_t){.check_id = request->check_id,
                                                .error = error,
                                                .text = bytes_of_text(text),
                                                .is_last_piece = true};
    if (error == SLUICE_OK) {
        message.check_response.anchor =
            (anchor_t){.commit_ts = {100}, .commit_time = {5000}, .gtid_list = "0-1-100"};
        message.check_response.snapshot = bytes_of_text("the schema");
    }
    fake_node_send(fixture->node, &message);
}

static void wait_for_ctl(fixture_t *fixture)
{
    mono_ns_t until = mono_add(clock_mono(), DEADLINE_MS * NS_PER_MS);
    while (!ctl_process_has_ended(&fixture->ctl)) {
        assert_false(mono_reached(until, clock_mono()));
        fake_node_heartbeat(fixture->node);
        usleep(20000);
    }
}

static void start_create(fixture_t *fixture, const char *wait)
{
    ctl_process_start(&fixture->ctl, fixture->maintainer,
                      WORDS("changefeed", "create", "feed", "--source", "mariadb://u:secret@h:1/",
                            "--sink", "blackhole://", "--filter", "a.*", "--filter", "!a.b", wait));
}

static void a_failed_check_is_told_and_nothing_is_created(void **state)
{
    fixture_t *fixture = *state;
    start_with_node(fixture);
    start_create(fixture, NULL);
    answer_check(fixture, SLUICE_ERROR_SOURCE_SETTINGS,
                 "binlog_format is STATEMENT, set it to ROW");
    wait_for_ctl(fixture);
    assert_int_equal(fixture->ctl.code, 1);
    assert_non_null(strstr(fixture->ctl.error, "source_settings"));
    assert_non_null(strstr(fixture->ctl.error, "set it to ROW"));
    assert_int_equal(
        maintainer_process_http(fixture->maintainer, "GET", "/api/v2/changefeeds/feed", NULL, NULL),
        404);
}

static void a_created_changefeed_is_opened_and_outlives_the_maintainer(void **state)
{
    fixture_t *fixture = *state;
    start_with_node(fixture);
    start_create(fixture, NULL);
    answer_check(fixture, SLUICE_OK, "");
    wait_for_ctl(fixture);
    assert_int_equal(fixture->ctl.code, 0);
    assert_null(strstr(fixture->ctl.out, "secret"));
    assert_non_null(strstr(fixture->ctl.out, "mariadb://u:xxxxx@h:1/"));
    changefeed_open_t open =
        fake_node_expect(fixture->node, MESSAGE_CHANGEFEED_OPEN)->changefeed_open;
    assert_true(bytes_equal(open.snapshot, bytes_of_text("the schema")));
    assert_true(bytes_equal(open.config.source, bytes_of_text("mariadb://u:secret@h:1/")));
    assert_int_equal(open.checkpoint.v, 100);
    assert_string_equal(open.anchor.gtid_list, "0-1-100");
    assert_true(open.is_last_piece);
    assert_false(maintainer_process_logged(fixture->maintainer, "secret"));
    fake_node_destroy(&fixture->node);
    assert_int_equal(maintainer_process_stop(fixture->maintainer, SIGKILL), 128 + SIGKILL);
    start_with_node(fixture);
    message_t *again = fake_node_expect(fixture->node, MESSAGE_CHANGEFEED_OPEN);
    assert_memory_equal(&again->changefeed_open.changefeed, &open.changefeed,
                        sizeof open.changefeed);
    assert_true(again->header.maintainer_epoch > 1);
    assert_int_equal(RUN(fixture, "changefeed", "list"), 0);
    assert_non_null(strstr(fixture->ctl.out, "feed"));
}

static void waiting_in_vain_has_its_own_code(void **state)
{
    fixture_t *fixture = *state;
    start_with_node(fixture);
    start_create(fixture, "--wait=1");
    answer_check(fixture, SLUICE_OK, "");
    wait_for_ctl(fixture);
    assert_int_equal(fixture->ctl.code, 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(exit_codes_tell_who_is_wrong),
        TEST(health_is_told_by_the_exit_code),
        TEST(lists_are_tables_or_json),
        TEST(a_failed_check_is_told_and_nothing_is_created),
        TEST(a_created_changefeed_is_opened_and_outlives_the_maintainer),
        TEST(waiting_in_vain_has_its_own_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
