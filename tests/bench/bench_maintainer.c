#include "tests/bench/bench_maintainer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/memory.h"
#include "common/runtime/clock.h"
#include "common/runtime/transport.h"
#include "maintainer/core/barrier.h"

struct bench_maintainer {
    pthread_t thread;
    atomic_bool is_stopping;
    atomic_uint_fast64_t finished, finished_at;
    zsock_t *control, *status;
    char control_endpoint[TRANSPORT_ENDPOINT_SIZE], status_endpoint[TRANSPORT_ENDPOINT_SIZE];
    routing_id_t node;
    int answers_each;
    maintainer_settings_t settings;
    span_table_t *table;
    barrier_t *barrier;
    outbox_t *outbox;
    request_buffer_t *buffer;
    effects_t effects;
    arena_t arena;
    verdict_t verdicts[STATUSES_PER_REQUEST_MAX];
};

static const node_index_t the_node = {1};

static void bind_span(bench_maintainer_t *m, uint64_t table)
{
    span_entry_t *span = span_table_find(m->table, (table_id_t){table})->first_span;
    span_table_assign(m->table, span, the_node, bench_dispatcher(table), 1);
    span_table_replicating(m->table, span);
}

static void fill_table(bench_maintainer_t *m, uint32_t tables)
{
    position_t start = {{1}, EVENT_KEY_NONE};
    span_table_add_trigger(m->table, start);
    bind_span(m, 0);
    for (uint64_t table = 1; table <= tables; table++) {
        char name[32];
        snprintf(name, sizeof name, "t%llu", (unsigned long long)table);
        table_info_t info = {.table_id = {table},
                             .schema_id = {1},
                             .schema = bytes_of_text("d"),
                             .name = bytes_of_text(name)};
        span_table_add(m->table, &info, start);
        bind_span(m, table);
    }
}

static void send_message(bench_maintainer_t *m, message_t *message)
{
    message->header.version = SLUICE_PROTOCOL_VERSION;
    message->header.maintainer_epoch = BENCH_EPOCH;
    message->header.incarnation = (incarnation_t){1};
    (void)!node_id_parse(bytes_of_text("maintainer"), &message->header.sender);
    frames_t frames;
    if (message_encode(message, &m->arena, &frames) != SLUICE_OK)
        abort();
    while (transport_send(m->control, TRANSPORT_CONTROL_ROUTER, &m->node, &frames) ==
           SLUICE_ERROR_AGAIN)
        zmq_poll(NULL, 0, 1);
}

static void handle_groups(bench_maintainer_t *m, mono_ns_t now)
{
    const buffered_group_t *groups = NULL;
    size_t count = request_buffer_groups(m->buffer, &groups);
    for (size_t i = 0; i < count; i++) {
        const buffered_group_t *group = &groups[i];
        barrier_handle_group(m->barrier, now, group, m->verdicts);
        if (group->content.stage != STAGE_DONE)
            outbox_add_verdicts(m->outbox, group->node, group->request_sequence, group->group,
                                m->verdicts, group->content.dispatcher_count);
    }
    request_buffer_release_groups(m->buffer);
    request_buffer_release_suppressed(m->buffer);
}

static void settle(bench_maintainer_t *m, mono_ns_t now)
{
    barrier_settle(m->barrier, now, m->outbox, &m->effects, bytes_of_text("bench"));
    effects_reset(&m->effects);
    message_t message = {0};
    message.header.type = MESSAGE_HEARTBEAT_RESPONSE;
    node_index_t node;
    while (outbox_take(m->outbox, &node, &message.heartbeat_response)) {
        message.heartbeat_response.has_changefeed = true;
        message.heartbeat_response.changefeed.generation = 1;
        send_message(m, &message);
    }
    uint64_t finished = barrier_counters(m->barrier).finished;
    if (finished == atomic_load(&m->finished))
        return;
    atomic_store(&m->finished_at, clock_mono().v);
    atomic_store(&m->finished, finished);
}

/* Takes what one socket has; 0: nothing. */
static int receive(bench_maintainer_t *m, zsock_t *socket, transport_role_t role)
{
    transport_received_t received;
    message_t message = {0};
    uint32_t refused = 0;
    if (transport_receive(socket, role, &m->arena, &received) != SLUICE_OK)
        return 0;
    if (role == TRANSPORT_CONTROL_ROUTER)
        m->node = received.from;
    if (message_decode(&received.frames, &m->arena, &message, &refused) != SLUICE_OK)
        abort();
    if (message.header.type == MESSAGE_BLOCK_STATUS_REQUEST)
        request_buffer_add_statuses(m->buffer, the_node, message.header.incarnation,
                                    message.header.sequence, &message.block_status_request);
    else if (message.header.type == MESSAGE_HELLO)
        send_message(m, &(message_t){.header = {.type = MESSAGE_START_AGAIN}}); /* the echo */
    return 1;
}

static void *run(void *argument)
{
    bench_maintainer_t *m = argument;
    pthread_setname_np(pthread_self(), "maintainer"); /* for profilers */
    while (!atomic_load(&m->is_stopping)) {
        zmq_pollitem_t items[] = {
            {.socket = zsock_resolve(m->control), .events = ZMQ_POLLIN},
            {.socket = zsock_resolve(m->status), .events = ZMQ_POLLIN},
        };
        zmq_poll(items, 2, 20);
        while (receive(m, m->control, TRANSPORT_CONTROL_ROUTER))
            ;
        mono_ns_t now = clock_mono();
        while (receive(m, m->status, TRANSPORT_STATUS_PULL)) {
            if (!m->answers_each)
                continue;
            handle_groups(m, now);
            settle(m, now);
            arena_reset(&m->arena);
        }
        handle_groups(m, now);
        settle(m, now);
        arena_reset(&m->arena);
    }
    return NULL;
}

bench_maintainer_t *bench_maintainer_start(const char *directory, uint32_t tables, int answers_each)
{
    bench_maintainer_t *m = memory_zalloc(sizeof *m);
    char endpoint[TRANSPORT_ENDPOINT_SIZE];
    m->answers_each = answers_each;
    maintainer_settings_default(&m->settings);
    /* Nothing is lost here: a resend would only blur the measurement. */
    m->settings.action_resend_ns = m->settings.pass_quiet_ns / 2;
    m->table = span_table_new();
    m->barrier = barrier_new(&m->settings, m->table, PIPELINE_DEFAULT);
    m->outbox = outbox_new();
    m->buffer = request_buffer_new();
    effects_init(&m->effects);
    fill_table(m, tables);
    m->control = transport_socket_new(TRANSPORT_CONTROL_ROUTER, NULL);
    m->status = transport_socket_new(TRANSPORT_STATUS_PULL, NULL);
    snprintf(endpoint, sizeof endpoint, "ipc://%s/control", directory);
    sluice_error_t error = transport_bind(m->control, endpoint, false, m->control_endpoint, NULL);
    snprintf(endpoint, sizeof endpoint, "ipc://%s/status", directory);
    if (error == SLUICE_OK)
        error = transport_bind(m->status, endpoint, false, m->status_endpoint, NULL);
    if (error != SLUICE_OK || pthread_create(&m->thread, NULL, run, m) != 0)
        abort();
    return m;
}

void bench_maintainer_stop(bench_maintainer_t **maintainer)
{
    bench_maintainer_t *m = *maintainer;
    atomic_store(&m->is_stopping, true);
    pthread_join(m->thread, NULL);
    zsock_destroy(&m->control);
    zsock_destroy(&m->status);
    request_buffer_destroy(&m->buffer);
    outbox_destroy(&m->outbox);
    barrier_destroy(&m->barrier);
    span_table_destroy(&m->table);
    effects_clear(&m->effects);
    arena_clear(&m->arena);
    free(m);
    *maintainer = NULL;
}

uint64_t bench_maintainer_finished(const bench_maintainer_t *maintainer)
{
    return atomic_load(&maintainer->finished);
}

mono_ns_t bench_maintainer_finished_at(const bench_maintainer_t *maintainer)
{
    return (mono_ns_t){atomic_load(&maintainer->finished_at)};
}

const char *bench_maintainer_control(const bench_maintainer_t *maintainer)
{
    return maintainer->control_endpoint;
}

const char *bench_maintainer_status(const bench_maintainer_t *maintainer)
{
    return maintainer->status_endpoint;
}
