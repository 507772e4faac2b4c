#include "tests/sim/operators.h"

#include <stdlib.h>

#include "common/base/memory.h"
#include "tests/sim/maintainer_process.h"

#define LOOK_NS (500 * NS_PER_MS)
#define FEED "feed"

struct sim_operators {
    sim_world_t *world;
    mono_ns_t paused_until; /* true time */
    uint64_t created;       /* attempts, for fresh uuids */
    uint64_t requests;
};

bytes_t sim_operators_feed(void)
{
    return bytes_of_text(FEED);
}

/* ---- asking ---- */

typedef struct {
    sim_process_t *process;
    coordinator_t *coordinator;
    mono_ns_t now;
} desk_t;

static bool find_desk(const sim_operators_t *self, desk_t *desk)
{
    desk->process = sim_world_active_maintainer(self->world);
    if (!desk->process)
        return false;
    desk->coordinator = sim_maintainer_coordinator(desk->process);
    desk->now = sim_process_now(desk->process);
    return true;
}

static void asked(const sim_operators_t *self, const desk_t *desk, const char *what,
                  sluice_error_t error, const error_report_t *report)
{
    sim_trace(self->world, "people", "%s: %s %s", what, sluice_error_name(error),
              error == SLUICE_OK ? "" : report->text);
    sim_process_wake(desk->process);
}

static void create(sim_operators_t *self, const desk_t *desk)
{
    changefeed_config_t config = *sim_log_config(self->world->log);
    config.name = sim_operators_feed();
    changefeed_uuid_t uuid = {{0xfe, 0xed, (uint8_t)++self->created}};
    error_report_t report = {0};
    sluice_error_t error =
        coordinator_create(desk->coordinator, desk->now, ++self->requests, uuid, &config, &report);
    asked(self, desk, "create", error, &report);
}

static void pause_or_resume(sim_operators_t *self, const desk_t *desk, changefeed_state_t state)
{
    bool is_paused = self->paused_until.v > self->world->now.v;
    error_report_t report = {0};
    sluice_error_t error;
    if (is_paused && (state == CHANGEFEED_NORMAL || state == CHANGEFEED_WARNING)) {
        error = coordinator_pause(desk->coordinator, desk->now, ++self->requests,
                                  sim_operators_feed(), &report);
        asked(self, desk, "pause", error, &report);
    } else if (!is_paused && state == CHANGEFEED_STOPPED) {
        error = coordinator_resume(desk->coordinator, desk->now, ++self->requests,
                                   sim_operators_feed(), (bytes_t){0}, &report);
        asked(self, desk, "resume", error, &report);
    }
}

static void look(void *context, uint64_t unused)
{
    (void)unused;
    sim_operators_t *self = context;
    desk_t desk;
    sim_after(self->world, NULL, LOOK_NS, look, self, 0);
    if (!find_desk(self, &desk))
        return;
    arena_t arena = {0};
    changefeed_view_t view;
    if (coordinator_changefeed(desk.coordinator, desk.now, sim_operators_feed(), &arena, &view) !=
        SLUICE_OK)
        create(self, &desk);
    else if (view.state == CHANGEFEED_FAILED)
        sim_violated(self->world, "failed", "the changefeed has failed: %s %s",
                     sluice_error_name(view.error), view.error_text);
    else
        pause_or_resume(self, &desk, view.state);
    arena_clear(&arena);
}

/* ---- what they do ---- */

void sim_operators_begin(sim_operators_t *self)
{
    sim_after(self->world, NULL, LOOK_NS, look, self, 0);
}

void sim_operators_pause(sim_operators_t *self, uint64_t for_ns)
{
    self->paused_until = mono_add(self->world->now, for_ns);
    sim_trace(self->world, "people", "want it paused for %llu ms",
              (unsigned long long)(for_ns / NS_PER_MS));
}

void sim_operators_move(sim_operators_t *self, uint32_t table, uint32_t node)
{
    desk_t desk;
    if (!find_desk(self, &desk))
        return;
    arena_t arena = {0};
    table_view_t *views;
    size_t count = 0;
    error_report_t report = {0};
    if (coordinator_tables(desk.coordinator, sim_operators_feed(), &arena, &views, &count) ==
            SLUICE_OK &&
        count) {
        sluice_error_t error = coordinator_move_table(
            desk.coordinator, desk.now, ++self->requests, sim_operators_feed(),
            views[table % count].table_id, &self->world->nodes[node]->id, &report);
        asked(self, &desk, "move", error, &report);
    }
    arena_clear(&arena);
}

void sim_operators_drain(sim_operators_t *self, uint32_t node)
{
    desk_t desk;
    if (!find_desk(self, &desk))
        return;
    error_report_t report = {0};
    sluice_error_t error = coordinator_drain(desk.coordinator, desk.now, ++self->requests,
                                             &self->world->nodes[node]->id, &report);
    asked(self, &desk, "drain", error, &report);
}

/* ---- life ---- */

static void hear(void *context, uint64_t request_id, sluice_error_t error, bytes_t text)
{
    const sim_operators_t *self = context;
    sim_trace(self->world, "people", "are told of request %llu: %s %.*s",
              (unsigned long long)request_id, sluice_error_name(error), (int)text.len,
              text.len ? (const char *)text.data : "");
}

sim_operators_t *sim_operators_new(sim_world_t *world)
{
    sim_operators_t *self = memory_zalloc(sizeof *self);
    self->world = world;
    for (uint32_t i = 0; i < world->rates.maintainers; i++)
        sim_maintainer_listen(world->maintainers[i], hear, self);
    return self;
}

void sim_operators_destroy(sim_operators_t **operators)
{
    free(*operators);
    *operators = NULL;
}
