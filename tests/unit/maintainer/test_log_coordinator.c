#include "tests/testing.h"

#include <stdlib.h>

#include "maintainer/core/log_coordinator.h"

enum { A, B, C, D, NODES };
#define HOUR_MS (3600 * UINT64_C(1000))
#define TABLE ((table_id_t){11})
#define OTHER ((table_id_t){12})

static const changefeed_ref_t feed = {.uuid = {{1}}, .generation = 3};

typedef struct {
    node_set_t *nodes;
    log_coordinator_t *stores;
    node_index_t index[NODES];
} fixture_t;

static node_index_t join(node_set_t *nodes, const char *id, uint64_t incarnation,
                         const hello_t *hello)
{
    node_id_t node;
    assert_true(node_id_parse(bytes_of_text(id), &node));
    return node_set_hello(nodes, &node, (incarnation_t){incarnation}, hello).node;
}

static const hello_t reachable = {.host = {(const uint8_t *)"h", 1},
                                  .events = {(const uint8_t *)"tcp://h:1", 9}};

static int set_up(void **state)
{
    static const char *const names[] = {"a", "b", "c", "d"};
    static maintainer_settings_t settings;
    maintainer_settings_default(&settings);
    fixture_t *f = calloc(1, sizeof *f);
    f->nodes = node_set_new(&settings, (mono_ns_t){0});
    f->stores = log_coordinator_new(f->nodes);
    for (int i = 0; i < NODES; i++)
        f->index[i] = join(f->nodes, names[i], 1, &reachable);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture_t *f = *state;
    log_coordinator_destroy(&f->stores);
    node_set_destroy(&f->nodes);
    free(f);
    return 0;
}

static event_store_report_t holding(uint64_t floor, uint64_t resolved)
{
    return (event_store_report_t){.changefeed = feed,
                                  .is_served = true,
                                  .floor = {floor},
                                  .resolved = {resolved},
                                  .resolved_time = {HOUR_MS}};
}

static void report(fixture_t *f, int node, uint64_t floor, uint64_t resolved)
{
    event_store_report_t state = holding(floor, resolved);
    log_coordinator_report(f->stores, f->index[node], &state);
}

static uint32_t ask_of(fixture_t *f, int asker, table_id_t table, uint64_t start,
                       node_index_t found[CANDIDATES_MAX])
{
    candidates_question_t question = {.dispatcher_id = {1, 2}, .table_id = table, .start = {start}};
    return log_coordinator_candidates(f->stores, feed, f->index[asker], &question, found);
}

static uint32_t ask(fixture_t *f, int asker, uint64_t start, node_index_t found[CANDIDATES_MAX])
{
    return ask_of(f, asker, TABLE, start, found);
}

/* LC-1 */
static void others_that_hold_it_are_candidates_the_furthest_first(void **state)
{
    fixture_t *f = *state;
    report(f, A, 50, 400);
    report(f, B, 50, 200);
    report(f, C, 100, 300);
    report(f, D, 101, 500);
    node_index_t found[CANDIDATES_MAX];
    assert_int_equal(ask(f, A, 100, found), 2);
    assert_int_equal(found[0].v, f->index[C].v);
    assert_int_equal(found[1].v, f->index[B].v);
    assert_int_equal(ask(f, B, 99, found), 1);
    assert_int_equal(found[0].v, f->index[A].v);
}

static void a_newer_report_replaces_the_older_one(void **state)
{
    fixture_t *f = *state;
    node_index_t found[CANDIDATES_MAX];
    report(f, B, 50, 200);
    report(f, B, 150, 300);
    assert_int_equal(log_coordinator_count(f->stores), 1);
    assert_int_equal(ask(f, A, 100, found), 0);
    assert_int_equal(ask(f, A, 150, found), 1);
}

static void a_table_with_a_hole_has_its_own_floor(void **state)
{
    fixture_t *f = *state;
    node_index_t found[CANDIDATES_MAX];
    store_floor_t floors[] = {{OTHER, {180}}, {{3}, {170}}, {TABLE, {120}}};
    event_store_report_t holed = holding(50, 200);
    holed.floors = floors;
    holed.floor_count = 3;
    log_coordinator_report(f->stores, f->index[B], &holed);
    assert_int_equal(ask_of(f, A, TABLE, 119, found), 0);
    assert_int_equal(ask_of(f, A, TABLE, 120, found), 1);
    assert_int_equal(ask_of(f, A, OTHER, 120, found), 0);
    assert_int_equal(ask_of(f, A, (table_id_t){99}, 50, found), 1);
}

static void who_has_read_nothing_past_its_floor_is_none(void **state)
{
    fixture_t *f = *state;
    node_index_t found[CANDIDATES_MAX];
    report(f, B, 100, 100);
    assert_int_equal(ask(f, A, 100, found), 0);
}

static void who_has_read_less_far_than_the_asker_wants_is_none(void **state)
{
    fixture_t *f = *state;
    node_index_t found[CANDIDATES_MAX];
    report(f, B, 50, 200);
    candidates_question_t question = {.dispatcher_id = {1, 2}, .table_id = TABLE, .start = {300}};
    question.resolved_time_min = (wall_ms_t){HOUR_MS};
    assert_int_equal(log_coordinator_candidates(f->stores, feed, f->index[A], &question, found), 1);
    question.resolved_time_min = (wall_ms_t){HOUR_MS + 1};
    assert_int_equal(log_coordinator_candidates(f->stores, feed, f->index[A], &question, found), 0);
}

static void who_serves_nobody_or_another_generation_is_none(void **state)
{
    fixture_t *f = *state;
    node_index_t found[CANDIDATES_MAX];
    event_store_report_t idle = holding(50, 200), older = holding(50, 200);
    idle.is_served = false;
    older.changefeed.generation--;
    log_coordinator_report(f->stores, f->index[B], &idle);
    log_coordinator_report(f->stores, f->index[C], &older);
    assert_int_equal(ask(f, A, 100, found), 0);
}

static void who_cannot_be_reached_or_is_leaving_is_none(void **state)
{
    fixture_t *f = *state;
    node_index_t found[CANDIDATES_MAX];
    hello_t unreachable = {.host = reachable.host}, leaving = reachable;
    leaving.is_leaving = true;
    f->index[B] = join(f->nodes, "b", 2, &unreachable);
    f->index[C] = join(f->nodes, "c", 2, &leaving);
    report(f, B, 50, 200);
    report(f, C, 50, 200);
    assert_int_equal(ask(f, A, 100, found), 0);
}

/* LC-2 */
static void a_node_that_left_is_none_and_its_reports_are_gone(void **state)
{
    fixture_t *f = *state;
    node_index_t found[CANDIDATES_MAX];
    event_store_report_t other = holding(50, 200);
    other.changefeed.uuid.bytes[0] = 2;
    report(f, B, 50, 200);
    report(f, C, 50, 200);
    log_coordinator_report(f->stores, f->index[B], &other);
    log_coordinator_forget_node(f->stores, f->index[B]);
    assert_int_equal(log_coordinator_count(f->stores), 1);
    assert_int_equal(ask(f, A, 100, found), 1);
    assert_int_equal(found[0].v, f->index[C].v);
    log_coordinator_forget_changefeed(f->stores, feed.uuid);
    assert_int_equal(log_coordinator_count(f->stores), 0);
}

/* LC-2 */
static void changefeeds_of_a_node_are_kept_apart(void **state)
{
    fixture_t *f = *state;
    node_index_t found[CANDIDATES_MAX];
    event_store_report_t other = holding(150, 200);
    other.changefeed.uuid.bytes[0] = 2;
    report(f, B, 50, 200);
    log_coordinator_report(f->stores, f->index[B], &other);
    assert_int_equal(log_coordinator_count(f->stores), 2);
    assert_int_equal(ask(f, A, 100, found), 1);
    log_coordinator_forget_changefeed(f->stores, other.changefeed.uuid);
    assert_int_equal(log_coordinator_count(f->stores), 1);
    assert_int_equal(ask(f, A, 100, found), 1);
}

static void at_most_so_many_candidates_the_best_ones(void **state)
{
    fixture_t *f = *state;
    node_index_t found[CANDIDATES_MAX], more[8];
    for (int i = 0; i < 8; i++) {
        char id[] = {(char)('k' + i), '\0'};
        more[i] = join(f->nodes, id, 1, &reachable);
        event_store_report_t held = holding(50, 200 + (uint64_t)(i * 37 % 8));
        log_coordinator_report(f->stores, more[i], &held);
    }
    assert_int_equal(ask(f, A, 100, found), CANDIDATES_MAX);
    for (uint64_t i = 0; i < CANDIDATES_MAX; i++)
        for (int j = 0; j < 8; j++)
            if (more[j].v == found[i].v)
                assert_int_equal((uint64_t)(j * 37 % 8), 7 - i);
}

static void questions_are_answered_with_each_node_named_once(void **state)
{
    fixture_t *f = *state;
    report(f, B, 50, 200);
    report(f, C, 150, 300);
    candidates_question_t questions[] = {
        {.dispatcher_id = {1, 1}, .table_id = TABLE, .start = {100}},
        {.dispatcher_id = {2, 2}, .table_id = OTHER, .start = {160}},
        {.dispatcher_id = {3, 3}, .table_id = OTHER, .start = {10}},
    };
    candidates_request_t request = {feed, questions, 3};
    log_coordinator_ask(f->stores, f->index[A], 7, &request);
    assert_true(log_coordinator_has_questions(f->stores));
    effects_t effects = {0};
    sender_t sender = {.effects = &effects, .nodes = f->nodes};
    log_coordinator_answer(f->stores, &sender);
    assert_false(log_coordinator_has_questions(f->stores));
    assert_int_equal(effects.count, 1);
    const message_t *message = effects.items[0].message;
    assert_int_equal(message->header.type, MESSAGE_CANDIDATES_RESPONSE);
    assert_int_equal(message->header.maintainer_epoch, 7);
    const candidates_response_t *response = &message->candidates_response;
    assert_int_equal(response->node_count, 2);
    assert_int_equal(response->answer_count, 3);
    assert_int_equal(response->answers[0].count, 1);
    assert_string_equal(response->nodes[response->answers[0].nodes[0]].node.text, "b");
    assert_int_equal(response->answers[1].count, 2);
    assert_string_equal(response->nodes[response->answers[1].nodes[0]].node.text, "c");
    assert_int_equal(response->answers[2].count, 0);
    assert_true(dispatcher_id_equal(response->answers[2].dispatcher_id, (dispatcher_id_t){3, 3}));
    effects_clear(&effects);
}

static void more_questions_than_the_limit_are_dropped(void **state)
{
    fixture_t *f = *state;
    static candidates_question_t questions[CANDIDATES_QUESTIONS_MAX];
    candidates_request_t request = {feed, questions, CANDIDATES_QUESTIONS_MAX};
    for (int i = 0; i < LOG_COORDINATOR_QUESTIONS_MAX / CANDIDATES_QUESTIONS_MAX + 5; i++)
        log_coordinator_ask(f->stores, f->index[A], 7, &request);
    effects_t effects = {0};
    sender_t sender = {.effects = &effects, .nodes = f->nodes};
    log_coordinator_answer(f->stores, &sender);
    assert_int_equal(effects.count, LOG_COORDINATOR_QUESTIONS_MAX / CANDIDATES_QUESTIONS_MAX);
    effects_clear(&effects);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(others_that_hold_it_are_candidates_the_furthest_first),
        TEST(a_newer_report_replaces_the_older_one),
        TEST(a_table_with_a_hole_has_its_own_floor),
        TEST(who_has_read_nothing_past_its_floor_is_none),
        TEST(who_has_read_less_far_than_the_asker_wants_is_none),
        TEST(who_serves_nobody_or_another_generation_is_none),
        TEST(who_cannot_be_reached_or_is_leaving_is_none),
        TEST(a_node_that_left_is_none_and_its_reports_are_gone),
        TEST(changefeeds_of_a_node_are_kept_apart),
        TEST(at_most_so_many_candidates_the_best_ones),
        TEST(questions_are_answered_with_each_node_named_once),
        TEST(more_questions_than_the_limit_are_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
