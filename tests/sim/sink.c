#include "tests/sim/sink.h"

#include <stdlib.h>

#include "common/base/memory.h"
#include "tests/sim/sink_internal.h"

static void trace_log(sim_world_t *world, const sim_log_t *log)
{
    for (commit_ts_t ts = sim_log_first(log); ts.v <= sim_log_last(log).v; ts.v++) {
        char text[256];
        sim_log_describe(log, ts, text, sizeof text);
        sim_trace(world, "source", "%llu: %s", (unsigned long long)ts.v, text);
    }
}

sim_sink_t *sim_sink_new(sim_world_t *world, const sim_log_t *log, sim_sink_flavour_t flavour)
{
    sim_sink_t *sink = memory_zalloc(sizeof *sink);
    sink->world = world;
    sink->log = log;
    sink->flavour = flavour;
    sink->random = sim_random_split(sim_random(world));
    sim_log_replay(log, sim_log_start(log).commit_ts, &sink->database);
    uint64_t groups = sim_log_last(log).v - sim_log_start(log).commit_ts.v;
    sink->executions = memory_zalloc(groups + 1);
    sink->syncpoints = memory_zalloc(groups + 1);
    server_begin(sink);
    if (sim_is_traced(world))
        trace_log(world, log);
    return sink;
}

void sim_sink_destroy(sim_sink_t **sink)
{
    sim_sink_t *self = *sink;
    *sink = NULL;
    if (!self)
        return;
    sim_forget(self->world, self);
    for (sim_connection_t *connection = self->connections; connection;
         connection = connection->next)
        if (connection->real)
            self->real_api->disconnect(&connection->real);
    if (self->real)
        self->real_api->close(&self->real);
    while (self->calls) {
        sim_call_t *call = self->calls;
        self->calls = call->next;
        server_call_free(call);
    }
    while (self->connections) {
        sim_connection_t *connection = self->connections;
        self->connections = connection->next;
        sim_forget(self->world, connection);
        free(connection);
    }
    while (self->locks) {
        sim_lock_t *lock = self->locks;
        self->locks = lock->next;
        free(lock);
    }
    ledger_clear(self);
    sim_database_clear(&self->database);
    free(self->dropped);
    free(self->executions);
    free(self->syncpoints);
    free(self);
}

void sim_sink_forget(sim_sink_t *sink, changefeed_ref_t changefeed)
{
    ledger_forget(sink, &changefeed);
}

uint64_t sim_sink_progress(const sim_sink_t *sink)
{
    return sink->progress;
}

const sim_database_t *sim_sink_database(const sim_sink_t *sink)
{
    return &sink->database;
}

static bool is_in_log(const sim_sink_t *sink, commit_ts_t commit_ts)
{
    return commit_ts.v >= sim_log_start(sink->log).commit_ts.v &&
           commit_ts.v <= sim_log_last(sink->log).v;
}

uint64_t sim_sink_executions(const sim_sink_t *sink, commit_ts_t commit_ts)
{
    return is_in_log(sink, commit_ts) ? sink->executions[check_place(sink, commit_ts)] : 0;
}

bool sim_sink_has_syncpoint(const sim_sink_t *sink, commit_ts_t commit_ts)
{
    return is_in_log(sink, commit_ts) && sink->syncpoints[check_place(sink, commit_ts)];
}
