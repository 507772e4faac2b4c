#include "maintainer/shell/maintainer_actor.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/memory.h"
#include "common/runtime/clock.h"
#include "common/runtime/process.h"
#include "common/runtime/version.h"
#include "maintainer/shell/effect_runner.h"
#include "maintainer/shell/maintainer_settings.h"
#include "maintainer/shell/state_dump.h"

/* The inbox is drained before each step, but a flood must not keep deadlines and operators waiting.
 * What is then left is younger than any lease. */
#define DRAIN_NS_MAX (50 * NS_PER_MS)

struct maintainer_actor {
    maintainer_actor_options_t options;
    coordinator_t *coordinator;
    control_router_t router;
    http_server_t *http;
    api_t *api;
    actor_counters_t counters;
    effect_runner_t runner;
    effects_t effects;
    mono_ns_t now;
    uint64_t watchdog_ns;
    mono_ns_t watchdog_at;
    bool stops;
};

/* ---- start ---- */

/* An epoch that was given out may be missing in the store: it was brought back from an older copy,
 * or the disk has lost what it had confirmed. So each start takes one that no earlier start can
 * have had, unless the clock was set back: the milliseconds since 1970. */
static uint64_t epoch_of_clock(void)
{
    wall_ms_t now = clock_wall();
    return now.v < MAINTAINER_EPOCH_JUMP_MAX / 2 ? now.v : 0;
}

static void log_loaded(const stored_changefeed_t *feed)
{
    char name[CHANGEFEED_NAME_MAX + 1];
    snprintf(name, sizeof name, "%.*s", (int)feed->config.name.len,
             (const char *)feed->config.name.data);
    LOG(LOG_LEVEL_INFO, "maintainer", name, "changefeed taken over",
        log_text("state", changefeed_state_name(feed->state)),
        log_number("maintainer_epoch", feed->maintainer_epoch),
        log_number("checkpoint", feed->checkpoint.v), log_text("gtid", feed->anchor.gtid_list));
}

static sluice_error_t load(maintainer_actor_t *actor, error_report_t *report)
{
    meta_store_t *store = actor->options.store;
    arena_t arena = {0};
    meta_slot_t *slots;
    stored_changefeed_t *feeds;
    uint32_t slot_count = 0, feed_count = 0;
    sluice_error_t error = store->class->load_slots(store, &arena, &slots, &slot_count, report);
    if (error == SLUICE_OK)
        error =
            store->class->take_over(store, epoch_of_clock(), &arena, &feeds, &feed_count, report);
    for (uint32_t i = 0; i < slot_count && error == SLUICE_OK; i++)
        coordinator_load_slot(actor->coordinator, &slots[i].node, slots[i].slot);
    for (uint32_t i = 0; i < feed_count && error == SLUICE_OK; i++) {
        error = coordinator_load_changefeed(actor->coordinator, actor->now, &feeds[i], report);
        log_loaded(&feeds[i]);
    }
    arena_clear(&arena);
    return error;
}

static sluice_error_t open_sockets(maintainer_actor_t *actor, const node_id_t *name,
                                   incarnation_t incarnation, error_report_t *report)
{
    const settings_t *settings = actor->options.settings;
    sluice_error_t error = control_router_open(&actor->router, settings->maintainer.status,
                                               settings->maintainer.control, settings->insecure,
                                               name, incarnation, &actor->counters, report);
    if (error != SLUICE_OK)
        return error;
    api_identity_t identity = {.name = settings->maintainer.name,
                               .version = version_number(),
                               .hash = version_hash(),
                               .started = actor->now};
    actor->api = api_new(actor->coordinator, &identity, &actor->counters);
    error = http_server_start(settings->maintainer.http, settings->insecure, api_handle, actor->api,
                              &actor->http, report);
    if (error == SLUICE_OK)
        LOG(LOG_LEVEL_INFO, "maintainer", NULL, "http server listens",
            log_text("address", settings->maintainer.http),
            log_number("port", http_server_port(actor->http)));
    return error;
}

sluice_error_t maintainer_actor_start(const maintainer_actor_options_t *options,
                                      maintainer_actor_t **out, error_report_t *report)
{
    maintainer_settings_t core;
    node_id_t name;
    sluice_error_t error = maintainer_settings_from(options->settings, &core, report);
    if (error == SLUICE_OK &&
        !node_id_parse(bytes_of_text(options->settings->maintainer.name), &name))
        error = error_report_set(report, SLUICE_ERROR_CONFIGURATION,
                                 "maintainer.name: 1 to 63 of letters, digits, '.', '_', '-'");
    if (error != SLUICE_OK)
        return error;
    maintainer_actor_t *actor = memory_zalloc(sizeof *actor);
    incarnation_t incarnation = {clock_wall().v};
    actor->options = *options;
    actor->now = clock_mono();
    actor->coordinator = coordinator_new(&core, &name, incarnation, actor->now);
    error = load(actor, report);
    if (error == SLUICE_OK)
        error = open_sockets(actor, &name, incarnation, report);
    actor->runner = (effect_runner_t){.coordinator = actor->coordinator,
                                      .router = &actor->router,
                                      .store = options->store,
                                      .api = actor->api,
                                      .counters = &actor->counters};
    actor->watchdog_ns = process_watchdog_interval_ns();
    if (error != SLUICE_OK)
        maintainer_actor_destroy(&actor);
    *out = actor;
    return error;
}

void maintainer_actor_destroy(maintainer_actor_t **self)
{
    maintainer_actor_t *actor = *self;
    if (!actor)
        return;
    http_server_destroy(&actor->http);
    api_destroy(&actor->api);
    control_router_close(&actor->router);
    effects_clear(&actor->effects);
    coordinator_destroy(&actor->coordinator);
    free(actor);
    *self = NULL;
}

/* ---- the loop ---- */

static void wait_for_work(const maintainer_actor_t *actor)
{
    zmq_pollitem_t items[] = {
        {.socket = zsock_resolve(actor->router.control), .events = ZMQ_POLLIN},
        {.socket = zsock_resolve(actor->router.status), .events = ZMQ_POLLIN},
        {.fd = http_server_descriptor(actor->http), .events = ZMQ_POLLIN},
        {.fd = actor->options.signals, .events = ZMQ_POLLIN},
    };
    mono_ns_t deadline = coordinator_next_deadline(actor->coordinator);
    if (actor->watchdog_ns)
        deadline = mono_min(deadline, actor->watchdog_at);
    int timeout_ms = clock_poll_timeout(deadline, clock_mono());
    int http_ms = http_server_timeout_ms(actor->http);
    if (http_ms >= 0 && (timeout_ms < 0 || http_ms < timeout_ms))
        timeout_ms = http_ms;
    zmq_poll(items, sizeof items / sizeof items[0], timeout_ms);
}

static void take_message(void *context, const message_t *message)
{
    maintainer_actor_t *actor = context;
    coordinator_receive(actor->coordinator, actor->now, message);
}

static void drain_inbox(maintainer_actor_t *actor)
{
    mono_ns_t until = mono_add(actor->now, DRAIN_NS_MAX);
    while (control_router_receive(&actor->router, actor->now, take_message, actor))
        if (mono_reached(until, clock_mono()))
            break;
}

static void take_signals(maintainer_actor_t *actor)
{
    for (;;) {
        switch (process_signal_next(actor->options.signals)) {
        case PROCESS_SIGNAL_NONE:
            return;
        case PROCESS_SIGNAL_STOP:
            actor->stops = true;
            break;
        case PROCESS_SIGNAL_RELOAD:
            actor->options.reload(actor->options.reload_context);
            break;
        case PROCESS_SIGNAL_DUMP:
            state_dump_log(actor->coordinator, actor->now);
            break;
        }
    }
}

static void count_turn(maintainer_actor_t *actor)
{
    uint64_t took_ns = mono_elapsed(actor->now, clock_mono());
    actor->counters.steps++;
    actor->counters.loop_ns_total += took_ns;
    if (took_ns > actor->counters.loop_ns_max)
        actor->counters.loop_ns_max = took_ns;
}

static void feed_watchdog(maintainer_actor_t *actor)
{
    if (actor->watchdog_ns == 0 || !mono_reached(actor->watchdog_at, actor->now))
        return;
    process_notify("WATCHDOG=1");
    actor->watchdog_at = mono_add(actor->now, actor->watchdog_ns);
}

static void turn(maintainer_actor_t *actor)
{
    actor->now = clock_mono();
    api_set_now(actor->api, actor->now, clock_wall());
    drain_inbox(actor);
    http_server_run(actor->http);
    coordinator_step(actor->coordinator, actor->now, &actor->effects);
    effect_runner_run(&actor->runner, actor->now, &actor->effects);
    effects_reset(&actor->effects);
    take_signals(actor);
    feed_watchdog(actor);
    count_turn(actor);
}

sluice_error_t maintainer_actor_run(maintainer_actor_t *actor, error_report_t *report)
{
    process_notify("READY=1");
    while (!actor->stops && actor->runner.lost.code == SLUICE_OK) {
        turn(actor);
        if (!actor->stops)
            wait_for_work(actor);
    }
    process_notify("STOPPING=1");
    *report = actor->runner.lost;
    return report->code;
}
