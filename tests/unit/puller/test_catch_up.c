#include "tests/unit/event/event_service_fixture.h"

#include "dispatcher/core/puller/catch_up.h"

/* An event service whose tail begins behind all rows of table 1, and what brings its dispatchers
 * there. */
typedef struct {
    fixture_t service;
    catch_up_t *core;
    catch_up_effect_t last;
} world_t;

#define ROWS_END 121

static world_t begin_world(uint32_t servers)
{
    world_t w = {.service = begin_with(30000, 1 << 20)};
    fixture_t *f = &w.service;
    log_puller_options_t options = log_puller_options_default(servers);
    w.core = catch_up_new(&options, f->service);
    open_stream(f, 2, BASE);
    f->now = mono_add(f->now, 3 * NS_PER_S);
    for (uint64_t ts = 101; ts < ROWS_END; ts++)
        append(f, ROWS(ts, 1));
    flushed(f, 2, ROWS_END - 1);
    for (uint64_t ts = ROWS_END; ts < 160; ts++)
        append(f, ROWS(ts, 2));
    assert_false(event_service_has_room(f->service, f->now));
    run(f);
    return w;
}

static void end_world(world_t *w)
{
    catch_up_destroy(&w->core);
    end(&w->service);
}

static bool take(world_t *w)
{
    return catch_up_take(w->core, &w->last, w->service.now);
}

static uint64_t expect_open(world_t *w, uint32_t server, uint64_t from)
{
    assert_true(take(w));
    assert_int_equal(w->last.kind, CATCH_UP_OPEN);
    assert_int_equal(w->last.server, server);
    assert_int_equal(w->last.from.v, from);
    uint64_t stream = w->last.stream;
    assert_false(take(w));
    catch_up_opened(w->core, stream, (commit_ts_t){from});
    return stream;
}

static void read_rows(world_t *w, uint64_t stream, uint64_t from, uint64_t to)
{
    for (uint64_t ts = from; ts <= to; ts++) {
        feed_item_t item = ROWS(ts, 1);
        catch_up_append(w->core, stream, &item);
    }
}

static void fail_stream(world_t *w, uint64_t stream, sluice_error_t error)
{
    catch_up_failed(w->core, stream, error, w->service.now);
}

static void pass(world_t *w, uint64_t ns)
{
    w->service.now = mono_add(w->service.now, ns);
}

static void a_dispatcher_below_the_tail_is_brought_there(void **state)
{
    (void)state;
    world_t w = begin_world(1);
    assert_false(take(&w));
    open_stream(&w.service, 1, 105);
    uint64_t stream = expect_open(&w, 0, 105);
    assert_int_equal(catch_up_next_deadline(w.core).v, MONO_NEVER.v);
    read_rows(&w, stream, 104, ROWS_END);
    assert_true(take(&w));
    assert_int_equal(w.last.kind, CATCH_UP_CLOSE);
    assert_int_equal(w.last.stream, stream);
    assert_false(take(&w));
    assert_int_equal(event_service_state(w.service.service).catching_up, 0);
    end_world(&w);
}

static void another_server_goes_on_where_a_stream_broke(void **state)
{
    (void)state;
    world_t w = begin_world(2);
    open_stream(&w.service, 1, 105);
    uint64_t stream = expect_open(&w, 0, 105);
    read_rows(&w, stream, 106, 110);
    fail_stream(&w, stream, SLUICE_ERROR_SOURCE_CONNECTION);
    assert_true(catch_up_is_failing(w.core));
    assert_false(take(&w));
    pass(&w, BACKOFF_FIRST_NS);
    assert_false(take(&w));
    w.service.now = catch_up_next_deadline(w.core);
    stream = expect_open(&w, 1, 110);
    read_rows(&w, stream, 111, 111);
    assert_false(catch_up_is_failing(w.core));
    run(&w.service);
    assert_sent(&w.service, 1, 0, "r H105 R106 R107 R108 R109 R110 R111 =111");
    end_world(&w);
}

static void the_only_server_is_left_alone_while_it_cools_down(void **state)
{
    (void)state;
    world_t w = begin_world(1);
    open_stream(&w.service, 1, 105);
    uint64_t stream = expect_open(&w, 0, 105);
    mono_ns_t failed_at = w.service.now;
    fail_stream(&w, stream, SLUICE_ERROR_SOURCE_CONNECTION);
    mono_ns_t until = mono_add(failed_at, 200 * NS_PER_MS);
    while (!take(&w)) {
        w.service.now = catch_up_next_deadline(w.core);
        assert_true(w.service.now.v <= until.v);
    }
    assert_int_equal(w.service.now.v, until.v);
    assert_int_equal(w.last.kind, CATCH_UP_OPEN);
    end_world(&w);
}

static void dispatchers_share_a_stream(void **state)
{
    (void)state;
    world_t w = begin_world(1);
    open_stream(&w.service, 1, 105);
    uint64_t stream = expect_open(&w, 0, 105);
    register_table(&w.service, 3, 1, 0);
    reset_at(&w.service, 3, 1, (position_t){{112}, EVENT_KEY_NONE}, CREDIT_PLENTY);
    assert_false(take(&w));
    read_rows(&w, stream, 106, 113);
    run(&w.service);
    assert_sent(&w.service, 3, 0, "r H112 R113 =113");
    end_world(&w);
}

static void a_new_table_does_not_wait_behind_what_is_far_back(void **state)
{
    (void)state;
    world_t w = begin_world(1);
    open_stream(&w.service, 1, 105);
    uint64_t stream = expect_open(&w, 0, 105);
    read_rows(&w, stream, 106, 115);
    register_table(&w.service, 3, 1, 110);
    reset_at(&w.service, 3, 1, (position_t){{110}, EVENT_KEY_NONE}, CREDIT_PLENTY);
    uint64_t second = expect_open(&w, 0, 110);
    assert_int_not_equal(second, stream);
    register_table(&w.service, 4, 1, 0);
    reset_at(&w.service, 4, 1, (position_t){{107}, EVENT_KEY_NONE}, CREDIT_PLENTY);
    assert_false(take(&w));
    end_world(&w);
}

static void a_reason_that_is_not_the_servers_does_not_count_against_it(void **state)
{
    (void)state;
    world_t w = begin_world(2);
    open_stream(&w.service, 1, 105);
    uint64_t stream = expect_open(&w, 0, 105);
    fail_stream(&w, stream, SLUICE_ERROR_AGAIN);
    pass(&w, BACKOFF_FIRST_NS);
    expect_open(&w, 0, 105);
    end_world(&w);
}

static void what_every_server_refuses_fails_the_changefeed(void **state)
{
    (void)state;
    world_t w = begin_world(2);
    open_stream(&w.service, 1, 105);
    fail_stream(&w, expect_open(&w, 0, 105), SLUICE_ERROR_SOURCE_PURGED);
    pass(&w, BACKOFF_FIRST_NS);
    assert_false(take(&w));
    w.service.now = catch_up_next_deadline(w.core);
    fail_stream(&w, expect_open(&w, 1, 105), SLUICE_ERROR_SOURCE_PURGED);
    assert_true(take(&w));
    assert_int_equal(w.last.kind, CATCH_UP_FAILED);
    assert_int_equal(w.last.error, SLUICE_ERROR_SOURCE_PURGED);
    end_world(&w);
}

static void a_dispatcher_that_leaves_closes_its_stream(void **state)
{
    (void)state;
    world_t w = begin_world(1);
    open_stream(&w.service, 1, 105);
    uint64_t stream = expect_open(&w, 0, 105);
    request(&w.service, (stream_request_t){.kind = STREAM_REMOVE, .dispatcher_id = id_of(1)});
    assert_true(take(&w));
    assert_int_equal(w.last.kind, CATCH_UP_CLOSE);
    assert_int_equal(w.last.stream, stream);
    read_rows(&w, stream, 106, 107);
    fail_stream(&w, stream, SLUICE_ERROR_SOURCE_CONNECTION);
    assert_false(take(&w));
    assert_false(catch_up_is_failing(w.core));
    end_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dispatcher_below_the_tail_is_brought_there),
        cmocka_unit_test(another_server_goes_on_where_a_stream_broke),
        cmocka_unit_test(the_only_server_is_left_alone_while_it_cools_down),
        cmocka_unit_test(dispatchers_share_a_stream),
        cmocka_unit_test(a_new_table_does_not_wait_behind_what_is_far_back),
        cmocka_unit_test(a_reason_that_is_not_the_servers_does_not_count_against_it),
        cmocka_unit_test(what_every_server_refuses_fails_the_changefeed),
        cmocka_unit_test(a_dispatcher_that_leaves_closes_its_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
