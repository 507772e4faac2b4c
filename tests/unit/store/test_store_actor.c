#include "tests/unit/binlog/assembler_fixture.h"

#include <poll.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "dispatcher/shell/store_actor.h"

#define DEADLINE_MS 20000

static int bell = -1;
static char parent[64];

static void ring(void *context)
{
    (void)context;
    uint64_t one = 1;
    assert_int_equal(write(bell, &one, sizeof one), sizeof one);
}

static store_actor_t *start_at(const char *directory)
{
    store_actor_options_t options = {.api = &rocksdb_store_api,
                                     .parent = directory,
                                     .changefeed = "feed",
                                     .bytes_max = 64 << 20,
                                     .patience_ns = (uint64_t)DEADLINE_MS * NS_PER_MS,
                                     .ring = ring};
    store_actor_t *actor;
    assert_int_equal(store_actor_start(&options, &actor, NULL), SLUICE_OK);
    return actor;
}

static store_answer_t ask(store_actor_t *actor, store_request_t request)
{
    store_answer_t answer;
    store_actor_put(actor, &request);
    while (!store_actor_take(actor, &answer)) {
        struct pollfd fd = {.fd = bell, .events = POLLIN};
        uint64_t count;
        assert_int_equal(poll(&fd, 1, DEADLINE_MS), 1);
        assert_int_equal(read(bell, &count, sizeof count), sizeof count);
    }
    return answer;
}

static sluice_error_t ask_for(store_actor_t *actor, store_request_t request)
{
    store_answer_t answer = ask(actor, request);
    store_answer_clear(&answer);
    return answer.error;
}

/* One transaction with a row of d.a and one of d.b, to be written as far as d.a goes. */
static store_request_t write_one(fixture_t *f, uint64_t ts)
{
    send_gtid(f, ts, GTID_TRANSACTIONAL);
    send_map(f, 7, "a");
    send_map(f, 8, "b");
    send_insert(f, 7, (uint8_t)ts);
    send_insert(f, 8, 99);
    send_commit(f);
    transaction_t *transaction = (transaction_t *)(uintptr_t)take_group(f)->transaction;
    store_part_t *parts = calloc(1, sizeof *parts);
    parts[0] = (store_part_t){.key = {{ts}, ts}, .transaction = transaction_ref(transaction)};
    for (uint32_t i = 0; i < transaction->table_count; i++) {
        if (transaction->tables[i].definition == f->a)
            parts[0].rows = &transaction->tables[i];
    }
    return (store_request_t){.kind = STORE_WRITE, .parts = parts, .part_count = 1};
}

static store_request_t read_all(const fixture_t *f, uint64_t through)
{
    return (store_request_t){.kind = STORE_READ,
                             .table_id = f->a->table_id,
                             .ticket = 17,
                             .through = {{through}, UINT64_MAX},
                             .bytes_max = 1 << 20};
}

static void rows_come_back_with_their_definition(void **state)
{
    fixture_t *f = *state;
    store_actor_t *actor = start_at(parent);
    for (uint64_t ts = 1; ts <= 3; ts++)
        assert_int_equal(ask_for(actor, write_one(f, ts)), SLUICE_OK);
    store_answer_t answer = ask(actor, read_all(f, 3));
    assert_int_equal(answer.error, SLUICE_OK);
    assert_int_equal(answer.ticket, 17);
    assert_int_equal(answer.part_count, 3);
    assert_int_equal(answer.reached.commit_ts.v, 3);
    assert_true(answer.bytes > 0);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(answer.parts[i].key.commit_ts.v, i + 1);
        assert_ptr_equal(answer.parts[i].rows->definition, f->a);
        char expected[4];
        snprintf(expected, sizeof expected, "%u", i + 1);
        assert_string_equal(values_of(answer.parts[i].rows), expected);
    }
    /* What one reading brings shares its table map. */
    assert_ptr_equal(answer.parts[0].transaction->maps[0], answer.parts[2].transaction->maps[0]);
    store_answer_clear(&answer);
    store_actor_destroy(&actor);
}

static void what_is_forgotten_takes_no_disk(void **state)
{
    fixture_t *f = *state;
    store_actor_t *actor = start_at(parent);
    assert_int_equal(ask_for(actor, write_one(f, 1)), SLUICE_OK);
    store_forget_t *forgets = calloc(1, sizeof *forgets);
    forgets[0] = (store_forget_t){f->a->table_id, store_key_behind((commit_ts_t){1})};
    store_answer_t answer =
        ask(actor, (store_request_t){.kind = STORE_FORGET, .forgets = forgets, .forget_count = 1});
    assert_int_equal(answer.error, SLUICE_OK);
    assert_int_equal(answer.bytes, 0);
    store_actor_destroy(&actor);
}

static void after_a_failure_everything_fails_until_it_is_wiped(void **state)
{
    fixture_t *f = *state;
    char missing[96];
    snprintf(missing, sizeof missing, "%s/missing", parent);
    store_actor_t *actor = start_at(missing);
    assert_int_equal(ask_for(actor, write_one(f, 1)), SLUICE_ERROR_IO);
    char command[128];
    snprintf(command, sizeof command, "mkdir '%s'", missing);
    assert_int_equal(system(command), 0);
    assert_int_equal(ask_for(actor, write_one(f, 2)), SLUICE_ERROR_CLOSED);
    assert_int_equal(ask_for(actor, read_all(f, 2)), SLUICE_ERROR_CLOSED);
    assert_int_equal(ask_for(actor, (store_request_t){.kind = STORE_WIPE}), SLUICE_OK);
    assert_int_equal(ask_for(actor, write_one(f, 3)), SLUICE_OK);
    store_answer_t answer = ask(actor, read_all(f, 3));
    assert_int_equal(answer.part_count, 1);
    store_answer_clear(&answer);
    store_actor_destroy(&actor);
}

static void what_was_not_carried_out_is_given_back(void **state)
{
    fixture_t *f = *state;
    store_actor_t *actor = start_at(parent);
    for (uint64_t ts = 1; ts <= 50; ts++) {
        store_request_t request = write_one(f, ts);
        store_actor_put(actor, &request);
    }
    store_actor_destroy(&actor);
}

/* ---- a disk that hangs ---- */

static sem_t hangs, may_go_on, is_closed;

static sluice_error_t hanging_open(const event_store_options_t *options, event_store_t **store,
                                   error_report_t *report)
{
    (void)options, (void)report;
    *store = (event_store_t *)&hangs;
    return SLUICE_OK;
}

static sluice_error_t hanging_append(event_store_t *store, store_record_t *records, uint32_t count,
                                     error_report_t *report)
{
    (void)store, (void)records, (void)count, (void)report;
    sem_post(&hangs);
    while (sem_wait(&may_go_on) != 0)
        ;
    return SLUICE_OK;
}

static uint64_t hanging_bytes(const event_store_t *store)
{
    (void)store;
    return 0;
}

static void hanging_close(event_store_t **store)
{
    if (*store)
        sem_post(&is_closed);
    *store = NULL;
}

static void wait_for(sem_t *semaphore)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += DEADLINE_MS / 1000;
    assert_int_equal(sem_timedwait(semaphore, &until), 0);
}

static void ring_nobody(void *context)
{
    (void)context;
    fail_msg("whom to ring is gone");
}

/* Nor does it keep anybody from closing; what it was given it frees when the disk lets it go. */
static void a_disk_that_hangs_is_not_waited_for(void **state)
{
    fixture_t *f = *state;
    static const event_store_api_t api = {.open = hanging_open,
                                          .append = hanging_append,
                                          .bytes = hanging_bytes,
                                          .close = hanging_close};
    sem_init(&hangs, 0, 0);
    sem_init(&may_go_on, 0, 0);
    sem_init(&is_closed, 0, 0);
    store_actor_options_t options = {.api = &api,
                                     .parent = parent,
                                     .changefeed = "feed",
                                     .bytes_max = 64 << 20,
                                     .patience_ns = NS_PER_MS,
                                     .ring = ring_nobody};
    store_actor_t *actor;
    assert_int_equal(store_actor_start(&options, &actor, NULL), SLUICE_OK);
    store_request_t request = write_one(f, 1);
    store_request_clear(&request);
    unsigned references = atomic_load(&f->a->references);
    for (uint64_t ts = 2; ts <= 3; ts++) {
        request = write_one(f, ts);
        store_actor_put(actor, &request);
    }
    assert_true(atomic_load(&f->a->references) > references);
    wait_for(&hangs);
    store_actor_destroy(&actor);
    assert_null(actor);
    sem_post(&may_go_on);
    wait_for(&is_closed);
    /* What was not carried out is freed last. */
    while (atomic_load(&f->a->references) > references)
        sched_yield();
}

static int set_up(void **state)
{
    strcpy(parent, "/tmp/sluice-test-XXXXXX");
    bell = eventfd(0, EFD_CLOEXEC);
    return !mkdtemp(parent) || bell < 0 ? -1 : fixture_set_up(state);
}

/* The store leaves nothing but its lock. */
static int tear_down(void **state)
{
    char command[192];
    close(bell);
    snprintf(command, sizeof command,
             "ls -A '%s' | grep -v -e lock -e missing && exit 1; rm -rf '%s'", parent, parent);
    int left = system(command);
    return fixture_tear_down(state) || left;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rows_come_back_with_their_definition),
        TEST(what_is_forgotten_takes_no_disk),
        TEST(after_a_failure_everything_fails_until_it_is_wiped),
        TEST(what_was_not_carried_out_is_given_back),
        TEST(a_disk_that_hangs_is_not_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
