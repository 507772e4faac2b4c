#include "dispatcher/upstream/simulated.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/base/memory.h"
#include "common/runtime/clock.h"
#include "common/runtime/uri.h"

typedef struct {
    upstream_t upstream;
    simulation_t *simulation;
    binlog_writer_t writer;
    size_t offset; /* of the next event in the writer */
    uint64_t rate; /* groups a second; 0: no pacing */
    mono_ns_t started;
    uint64_t groups; /* made since then */
    uint64_t heartbeat_ns;
    bool is_caught_up; /* said since the last event */
    bool has_ended;
    atomic_bool is_interrupted;
    int interrupt_fd; /* wakes who waits */
    char location[48];
} simulated_t;

typedef struct {
    simulation_options_t simulation;
    uint64_t rate;
} simulated_options_t;

static sluice_error_t parse_number(const uri_t *uri, const char *name, uint64_t max,
                                   uint64_t otherwise, uint64_t *number, error_report_t *report)
{
    return uri_parameter_number(uri, name, 0, max, otherwise, number, report);
}

static sluice_error_t parse_parameters(const uri_t *uri, simulated_options_t *options,
                                       error_report_t *report)
{
    static const char *const known[] = {"tables",
                                        "transactions",
                                        "rows_per_transaction",
                                        "tables_per_transaction",
                                        "ddl_every",
                                        "seed",
                                        "rate",
                                        "domain",
                                        NULL};
    simulation_options_t *simulation = &options->simulation;
    uint64_t tables, rows, spread, ddl_every, domain;
    sluice_error_t error = uri_check_parameters(uri, known, report);
    if (error == SLUICE_OK)
        error = uri_parameter_number(uri, "tables", 1, SIMULATION_TABLES_MAX, 8, &tables, report);
    if (error == SLUICE_OK)
        error = uri_parameter_number(uri, "rows_per_transaction", 1, SIMULATION_ROWS_MAX, 10, &rows,
                                     report);
    if (error == SLUICE_OK)
        error = uri_parameter_number(uri, "tables_per_transaction", 1, SIMULATION_TABLES_MAX, 1,
                                     &spread, report);
    if (error == SLUICE_OK)
        error = parse_number(uri, "ddl_every", UINT32_MAX, 0, &ddl_every, report);
    if (error == SLUICE_OK)
        error = parse_number(uri, "domain", UINT32_MAX, 0, &domain, report);
    if (error == SLUICE_OK)
        error = parse_number(uri, "transactions", UINT64_MAX, 0, &simulation->transactions, report);
    if (error == SLUICE_OK)
        error = parse_number(uri, "seed", UINT64_MAX, 1, &simulation->seed, report);
    if (error == SLUICE_OK)
        error = parse_number(uri, "rate", NS_PER_S, 0, &options->rate, report);
    if (error != SLUICE_OK)
        return error;
    simulation->tables = (uint32_t)tables;
    simulation->rows_per_transaction = (uint32_t)rows;
    simulation->tables_per_transaction = (uint32_t)spread;
    simulation->ddl_every = (uint32_t)ddl_every;
    simulation->domain = (uint32_t)domain;
    return SLUICE_OK;
}

static sluice_error_t parse(const char *text, simulated_options_t *options, error_report_t *report)
{
    arena_t arena = {0};
    uri_t uri;
    sluice_error_t error = uri_parse(bytes_of_text(text), &arena, &uri, report);
    if (error == SLUICE_OK)
        error = parse_parameters(&uri, options, report);
    arena_clear(&arena);
    return error;
}

static sluice_error_t go_to(simulation_t *simulation, commit_ts_t at, error_report_t *report)
{
    while (simulation_position(simulation).v < at.v) {
        if (!simulation_next(simulation, NULL))
            return error_report_set(report, SLUICE_ERROR_NOT_FOUND,
                                    "the simulated log ends at %llu, before the position %llu",
                                    (unsigned long long)simulation_position(simulation).v,
                                    (unsigned long long)at.v);
    }
    return SLUICE_OK;
}

sluice_error_t simulated_schema(const char *uri, commit_ts_t at, simulation_visit_fn *visit,
                                void *context, wall_ms_t *commit_time, error_report_t *report)
{
    simulated_options_t options;
    sluice_error_t error = parse(uri, &options, report);
    if (error != SLUICE_OK)
        return error;
    simulation_t *simulation = simulation_new(&options.simulation);
    error = go_to(simulation, at, report);
    if (error == SLUICE_OK) {
        *commit_time = simulation_time(simulation);
        simulation_visit(simulation, visit, context);
    }
    simulation_destroy(&simulation);
    return error;
}

static void simulated_close(upstream_t **upstream)
{
    simulated_t *self = (simulated_t *)*upstream;
    *upstream = NULL;
    if (!self)
        return;
    simulation_destroy(&self->simulation);
    binlog_writer_clear(&self->writer);
    if (self->interrupt_fd >= 0)
        close(self->interrupt_fd);
    free(self);
}

static sluice_error_t simulated_open(const upstream_options_t *options, upstream_t **upstream,
                                     error_report_t *report)
{
    *upstream = NULL;
    simulated_options_t parsed;
    sluice_error_t error = parse(options->uri, &parsed, report);
    if (error != SLUICE_OK)
        return error;
    simulated_t *self = memory_zalloc(sizeof *self);
    self->upstream.api = &upstream_simulated;
    self->rate = parsed.rate;
    self->heartbeat_ns = options->heartbeat_ns;
    self->simulation = simulation_new(&parsed.simulation);
    self->interrupt_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    upstream_t *opened = &self->upstream;
    if (self->interrupt_fd < 0)
        error = error_report_set(report, SLUICE_ERROR_IO, "eventfd: no file descriptor left");
    else if (go_to(self->simulation, options->anchor.commit_ts, report) != SLUICE_OK)
        error = error_report_set(report, SLUICE_ERROR_SOURCE_DIVERGED,
                                 "the simulated log ends before the position %llu",
                                 (unsigned long long)options->anchor.commit_ts.v);
    if (error != SLUICE_OK) {
        simulated_close(&opened);
        return error;
    }
    self->writer.server_id = SIMULATION_SERVER_ID;
    binlog_write_format_description(&self->writer);
    self->started = clock_mono();
    *upstream = opened;
    return SLUICE_OK;
}

/* Until `deadline`, or until interrupted: then true. */
static bool wait_until(simulated_t *self, mono_ns_t deadline)
{
    struct pollfd fd = {.fd = self->interrupt_fd, .events = POLLIN};
    int ready = poll(&fd, 1, clock_poll_timeout(deadline, clock_mono()));
    return ready > 0;
}

static bool take_interrupt(simulated_t *self)
{
    if (!atomic_load_explicit(&self->is_interrupted, memory_order_relaxed))
        return false;
    atomic_store(&self->is_interrupted, false);
    uint64_t count;
    ssize_t taken = read(self->interrupt_fd, &count, sizeof count);
    (void)taken;
    return true;
}

/* With a rate, the next group is not there before its time. */
static bool is_due(simulated_t *self, mono_ns_t *due)
{
    if (self->rate == 0)
        return true;
    *due = mono_add(self->started, self->groups * (NS_PER_S / self->rate));
    return mono_reached(*due, clock_mono());
}

static upstream_result_t wait_for_group(simulated_t *self, mono_ns_t due)
{
    if (!self->is_caught_up) {
        self->is_caught_up = true;
        return UPSTREAM_CAUGHT_UP;
    }
    mono_ns_t heartbeat = mono_add(clock_mono(), self->heartbeat_ns);
    if (wait_until(self, mono_min(due, heartbeat))) {
        take_interrupt(self);
        return UPSTREAM_INTERRUPTED;
    }
    return due.v <= heartbeat.v ? UPSTREAM_EVENT : UPSTREAM_CAUGHT_UP;
}

static upstream_result_t make_group(simulated_t *self)
{
    if (take_interrupt(self))
        return UPSTREAM_INTERRUPTED;
    mono_ns_t due;
    while (!is_due(self, &due)) {
        upstream_result_t result = wait_for_group(self, due);
        if (result != UPSTREAM_EVENT)
            return result;
    }
    binlog_writer_reset(&self->writer);
    self->offset = 0;
    if (!simulation_next(self->simulation, &self->writer)) {
        self->has_ended = true;
        return UPSTREAM_END;
    }
    self->groups++;
    self->is_caught_up = false;
    snprintf(self->location, sizeof self->location, "simulated:%llu",
             (unsigned long long)simulation_position(self->simulation).v);
    return UPSTREAM_EVENT;
}

static upstream_result_t simulated_next(upstream_t *upstream, raw_event_t *event,
                                        error_report_t *report)
{
    (void)report;
    simulated_t *self = (simulated_t *)upstream;
    event->bytes = binlog_writer_event(&self->writer, &self->offset);
    if (event->bytes.len == 0) {
        if (self->has_ended)
            return UPSTREAM_END;
        upstream_result_t result = make_group(self);
        if (result != UPSTREAM_EVENT)
            return result;
        event->bytes = binlog_writer_event(&self->writer, &self->offset);
    }
    event->location = self->location;
    return UPSTREAM_EVENT;
}

static void simulated_interrupt(upstream_t *upstream)
{
    simulated_t *self = (simulated_t *)upstream;
    atomic_store(&self->is_interrupted, true);
    uint64_t one = 1;
    ssize_t written = write(self->interrupt_fd, &one, sizeof one);
    (void)written;
}

const upstream_api_t upstream_simulated = {
    .open = simulated_open,
    .next = simulated_next,
    .interrupt = simulated_interrupt,
    .close = simulated_close,
};
