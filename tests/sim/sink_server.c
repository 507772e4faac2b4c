#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"
#include "tests/sim/sink_internal.h"

#define PATIENCE_NS (1 * NS_PER_S) /* then who holds a lock and sleeps is killed */
#define WAIT_MAX_NS (15 * NS_PER_S)
#define LOOK_NS (50 * NS_PER_MS)

/* Why the server looks at a call. */
enum { COMES_IN, HAS_WAITED, HAS_RUN };

static void arrive(void *context, uint64_t argument);

/* ---- connections ---- */

sim_connection_t *server_connect(sim_sink_t *sink, sim_process_t *process)
{
    sim_connection_t *connection = memory_zalloc(sizeof *connection);
    connection->sink = sink;
    connection->process = process;
    connection->number = ++sink->connection_numbers;
    connection->has_client = true;
    connection->slept_since = sim_now(sink->world).v;
    connection->next = sink->connections;
    sink->connections = connection;
    return connection;
}

/* Those that are of no use to anybody. */
static void collect(sim_sink_t *sink)
{
    sim_call_t **call_at = &sink->calls;
    while (*call_at) {
        sim_call_t *call = *call_at;
        if (call->worker || call->is_at_server) {
            call_at = &call->next;
            continue;
        }
        *call_at = call->next;
        if (call->connection && call->connection->call == call)
            call->connection->call = NULL;
        server_call_free(call);
    }
    sim_connection_t **at = &sink->connections;
    while (*at) {
        sim_connection_t *connection = *at;
        if (!connection->is_closed || connection->has_client || connection->call) {
            at = &connection->next;
            continue;
        }
        *at = connection->next;
        sim_forget(sink->world, connection);
        free(connection);
    }
}

static void answer(sim_call_t *call)
{
    call->is_at_server = false;
    call->is_executing = false;
    call->connection->slept_since = sim_now(call->sink->world).v;
    if (call->worker)
        worker_answer(call->worker);
    else if (!call->connection->has_client)
        server_close(call->connection);
}

static void answer_lost(sim_call_t *call)
{
    call->error = SLUICE_ERROR_SINK_CONNECTION;
    strcpy(call->text, "the connection to the simulated sink was lost");
    answer(call);
}

void server_unlock(sim_connection_t *connection)
{
    sim_sink_t *sink = connection->sink;
    connection->has_rows = false;
    connection->holds_file = false;
    for (sim_lock_t *lock = sink->locks; lock; lock = lock->next)
        if (lock->holder == connection)
            lock->holder = NULL;
    server_wake_waiters(sink);
}

void server_close(sim_connection_t *connection)
{
    const sim_sink_t *sink = connection->sink;
    if (connection->is_closed)
        return;
    connection->is_closed = true;
    if (connection->real)
        sink->real_api->disconnect(&connection->real);
    connection->named_lock = COMMIT_TS_NONE;
    server_unlock(connection);
    sim_call_t *call = connection->call;
    connection->call = NULL;
    if (call && call->is_at_server) {
        sim_forget(connection->sink->world, call);
        answer_lost(call);
    }
}

static void find_out(void *context, uint64_t argument)
{
    (void)argument;
    sim_connection_t *connection = context;
    sim_sink_t *sink = connection->sink;
    /* A statement that runs is not ended by it. */
    if (!connection->call || !connection->call->is_executing)
        server_close(connection);
    collect(sink);
}

void server_leave(sim_connection_t *connection)
{
    sim_sink_t *sink = connection->sink;
    connection->has_client = false;
    if (connection->call)
        connection->call->worker = NULL;
    uint64_t linger = sim_rates(sink->world)->sink_linger_ns;
    sim_after(sink->world, NULL, sim_random_below(&sink->random, linger + 1), find_out, connection,
              0);
}

/* ---- calls ---- */

sim_call_t *server_call_new(sim_sink_t *sink, call_kind_t kind)
{
    collect(sink);
    sim_call_t *call = memory_zalloc(sizeof *call);
    call->sink = sink;
    call->kind = kind;
    call->next = sink->calls;
    sink->calls = call;
    return call;
}

void server_call_free(sim_call_t *call)
{
    sim_forget(call->sink->world, call);
    for (uint32_t i = 0; i < call->transaction_count; i++)
        transaction_unref(&call->transactions[i]);
    if (call->ddl)
        ddl_event_unref(&call->ddl);
    arena_clear(&call->arena);
    free(call);
}

#define STALLED 4 /* of a thousand ways: what was sent hangs for longer than a lease, and comes */
#define STALL_MIN_NS (3 * NS_PER_S)
#define STALL_MAX_NS (25 * NS_PER_S)

uint64_t server_way(sim_sink_t *sink)
{
    const sim_rates_t *rates = sim_rates(sink->world);
    if (sim_has_faults(sink->world) && sim_random_rarely(&sink->random, STALLED))
        return sim_random_between(&sink->random, STALL_MIN_NS, STALL_MAX_NS);
    return sim_random_between(&sink->random, rates->sink_delay_min_ns, rates->sink_delay_max_ns) /
           2;
}

void server_send(sim_call_t *call)
{
    sim_sink_t *sink = call->sink;
    call->is_at_server = true;
    call->has_arrived = false;
    call->error = SLUICE_OK;
    call->waits_since = MONO_NEVER;
    call->connection->call = call;
    sim_after(sink->world, NULL, server_way(sink), arrive, call, COMES_IN);
}

void server_run(sim_call_t *call, uint64_t delay_ns)
{
    call->is_executing = true;
    sim_forget(call->sink->world, call);
    sim_after(call->sink->world, NULL, delay_ns, arrive, call, HAS_RUN);
}

/* ---- the server falls, and comes back ---- */

#define OUTAGE_EVERY_NS (40 * NS_PER_S)
#define OUTAGE_MAX_NS (6 * NS_PER_S)

static void plan_outage(sim_sink_t *sink);

/* Whatever runs has taken effect or not; a DROP of several perhaps in part. */
static void fall(void *context, uint64_t argument)
{
    (void)argument;
    sim_sink_t *sink = context;
    plan_outage(sink);
    if (!sim_has_faults(sink->world))
        return;
    sim_trace(sink->world, "sink", "falls");
    sink->down_until =
        mono_add(sim_now(sink->world), sim_random_below(&sink->random, OUTAGE_MAX_NS));
    for (sim_connection_t *connection = sink->connections; connection;
         connection = connection->next) {
        sim_call_t *call = connection->call;
        if (call && call->is_at_server && call->is_executing &&
            sim_random_chance(&sink->random, 60))
            rows_drop_some(call);
        server_close(connection);
    }
}

static void plan_outage(sim_sink_t *sink)
{
    sim_after(sink->world, NULL, sim_random_below(&sink->random, 2 * OUTAGE_EVERY_NS), fall, sink,
              0);
}

void server_begin(sim_sink_t *sink)
{
    plan_outage(sink);
}

static void serve(sim_call_t *call)
{
    sim_sink_t *sink = call->sink;
    sim_connection_t *connection = call->connection;
    if (connection->is_closed) {
        answer_lost(call);
        return;
    }
    if (call->waits_since.v == MONO_NEVER.v)
        call->waits_since = sim_now(sink->world);
    served_t served = call->step(call);
    if (served == SERVED_WAITING) {
        if (!call->is_executing &&
            mono_elapsed(call->waits_since, sim_now(sink->world)) > WAIT_MAX_NS) {
            call->error = SLUICE_ERROR_SINK_BUSY;
            strcpy(call->text, "lock wait timeout");
            server_unlock(connection);
            answer(call);
        } else if (!call->is_executing) {
            sim_forget(sink->world, call);
            sim_after(sink->world, NULL, LOOK_NS, arrive, call, HAS_WAITED);
        }
        return;
    }
    if (call->loses_answer)
        server_close(connection);
    else
        answer(call);
}

static void arrive(void *context, uint64_t argument)
{
    sim_call_t *call = context;
    sim_sink_t *sink = call->sink;
    const sim_rates_t *rates = sim_rates(sink->world);
    if (argument == COMES_IN)
        call->has_arrived = true;
    if (!mono_reached(sink->down_until, sim_now(sink->world)))
        server_close(call->connection);
    if (argument == COMES_IN && sim_has_faults(sink->world)) {
        call->loses_answer = sim_random_rarely(&sink->random, rates->sink_lost_answer);
        if (sim_random_rarely(&sink->random, rates->sink_broken_call))
            server_close(call->connection);
    }
    if (call->is_at_server && call->has_arrived && call->is_executing == (argument == HAS_RUN))
        serve(call);
    collect(sink);
}

void server_moment(const sim_call_t *call, sim_moment_kind_t kind, table_id_t table_id,
                   commit_ts_t commit_ts, bool is_syncpoint)
{
    sim_moment_t moment = {.kind = kind,
                           .from = call->connection->process,
                           .changefeed = call->changefeed,
                           .epoch = call->claims[0].epoch,
                           .table_id = table_id,
                           .key = {commit_ts, is_syncpoint},
                           .commit_ts = commit_ts};
    if (sim_is_traced(call->sink->world))
        sim_trace(call->sink->world, "sink", "%s: %s, table %llx, at %llu%s",
                  sim_process_name(moment.from), sim_moment_name(kind),
                  (unsigned long long)(table_id.v & 0xffff), (unsigned long long)commit_ts.v,
                  is_syncpoint ? " (sync point)" : "");
    sim_moment(call->sink->world, &moment);
}

/* ---- locks ---- */

void server_wake_waiters(sim_sink_t *sink)
{
    for (sim_call_t *call = sink->calls; call; call = call->next) {
        bool is_waiting = call->is_at_server && call->has_arrived && !call->is_executing &&
                          call->waits_since.v != MONO_NEVER.v;
        if (is_waiting)
            sim_after(sink->world, NULL, 0, arrive, call, HAS_WAITED);
    }
}

static bool sleeps(const sim_connection_t *connection)
{
    return !connection->call || !connection->call->is_at_server;
}

/* Whoever has waited long enough kills a holder that is not waiting itself. */
static void kill_holder(const sim_call_t *call, sim_connection_t *holder, bool only_sleepers)
{
    sim_sink_t *sink = call->sink;
    mono_ns_t now = sim_now(sink->world);
    if (mono_elapsed(call->waits_since, now) < PATIENCE_NS)
        return;
    bool is_waiting = !sleeps(holder) && !holder->call->is_executing &&
                      holder->call->waits_since.v != MONO_NEVER.v;
    if (only_sleepers ? !sleeps(holder) || now.v - holder->slept_since < PATIENCE_NS : is_waiting)
        return;
    sim_trace(sink->world, "sink", "%s kills connection %llu of %s",
              sim_process_name(call->connection->process), (unsigned long long)holder->number,
              sim_process_name(holder->process));
    server_close(holder);
}

static sim_lock_t *find_lock(sim_sink_t *sink, const changefeed_ref_t *changefeed,
                             const sink_claim_t *claim)
{
    for (sim_lock_t *lock = sink->locks; lock; lock = lock->next)
        if (lock->table_id.v == claim->span.table_id.v && lock->mode == claim->mode &&
            changefeed_uuid_equal(lock->uuid, changefeed->uuid))
            return lock;
    sim_lock_t *lock = memory_zalloc(sizeof *lock);
    *lock = (sim_lock_t){.next = sink->locks,
                         .uuid = changefeed->uuid,
                         .mode = claim->mode,
                         .table_id = claim->span.table_id};
    sink->locks = lock;
    return lock;
}

bool server_lock(sim_call_t *call, const sink_claim_t *claim)
{
    if (call->sink->flavour == SIM_SINK_SQLITE)
        return true; /* has the file */
    sim_lock_t *lock = find_lock(call->sink, &call->changefeed, claim);
    if (lock->holder && lock->holder != call->connection)
        kill_holder(call, lock->holder, false);
    if (lock->holder && lock->holder != call->connection)
        return false;
    lock->holder = call->connection;
    return true;
}

bool server_lock_name(sim_call_t *call, commit_ts_t commit_ts)
{
    for (sim_connection_t *other = call->sink->connections; other; other = other->next) {
        if (other == call->connection || other->is_closed || other->named_lock.v != commit_ts.v)
            continue;
        kill_holder(call, other, true);
        if (!other->is_closed)
            return false;
    }
    call->connection->named_lock = commit_ts;
    return true;
}

bool server_lock_file(sim_call_t *call)
{
    for (sim_connection_t *other = call->sink->connections; other; other = other->next)
        if (other != call->connection && !other->is_closed && other->holds_file)
            return false;
    call->connection->holds_file = true;
    return true;
}
