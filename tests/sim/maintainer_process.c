#include "tests/sim/maintainer_process.h"

#include <stdlib.h>

#include "common/base/memory.h"
#include "tests/sim/meta_store.h"
#include "tests/sim/network.h"

enum { WRITES_TOGETHER_MAX = 256, PIECE_BYTES = 3000 };
/* A maintainer that cannot open its store ends, and somebody starts it again. */
#define RETRY_NS (200 * NS_PER_MS)

typedef struct {
    sim_process_t process;
    coordinator_t *coordinator;
    uint64_t owner;
    incarnation_t incarnation;
    effects_t effects;
    arena_t arena;
    sim_answer_t *answer;
    void *answer_context;
} maintainer_process_t;

static maintainer_process_t *of(const sim_process_t *process)
{
    return (maintainer_process_t *)(uintptr_t)process;
}

/* ---- effects ---- */

static void send_open(maintainer_process_t *self, const effect_t *effect)
{
    changefeed_open_t whole = {0};
    if (!sim_store_load_open(self->process.world->store, &effect->changefeed,
                             effect->position.anchor.commit_ts, &self->arena, &whole))
        return;
    whole.anchor = effect->position.anchor;
    whole.checkpoint = effect->position.checkpoint;
    message_t message = {.header = {.version = SLUICE_PROTOCOL_VERSION,
                                    .type = MESSAGE_CHANGEFEED_OPEN,
                                    .sender = self->process.id,
                                    .incarnation = self->incarnation,
                                    .maintainer_epoch = effect->maintainer_epoch}};
    bytes_t left = whole.snapshot;
    for (uint32_t piece = 0; !whole.is_last_piece; piece++) {
        size_t len = left.len < PIECE_BYTES ? left.len : PIECE_BYTES;
        whole.piece = piece;
        whole.snapshot = bytes_of(left.data, len);
        left = bytes_of(left.data + len, left.len - len);
        whole.is_last_piece = left.len == 0;
        message.changefeed_open = whole;
        if (!whole.is_last_piece)
            message.changefeed_open.ddl_count = 0;
        sim_network_send_down(&self->process, &effect->node, effect->incarnation, &message);
    }
}

static void run_other(maintainer_process_t *self, mono_ns_t now, const effect_t *effect)
{
    switch (effect->kind) {
    case EFFECT_SEND:
        sim_network_send_down(&self->process, &effect->node, effect->incarnation, effect->message);
        break;
    case EFFECT_SEND_OPEN:
        send_open(self, effect);
        break;
    case EFFECT_CONFIRM_EPOCH:
        if (sim_store_confirm(self->process.world->store, self->owner))
            coordinator_epoch_confirmed(self->coordinator, now);
        break;
    case EFFECT_LOG:
        sim_moment(self->process.world,
                   &(sim_moment_t){.kind = SIM_LOGGED, .from = &self->process, .effect = effect});
        sim_trace(self->process.world, self->process.name, "logs %s %s", effect->log.event,
                  effect->log.field_count ? effect->log.fields[0].value : "");
        break;
    case EFFECT_ANSWER:
        if (self->answer)
            self->answer(self->answer_context, effect->answer.request_id, effect->answer.error,
                         effect->answer.text);
        break;
    case EFFECT_PERSIST_SLOT:
    case EFFECT_PERSIST_CHANGEFEED:
    case EFFECT_PERSIST_STATE:
    case EFFECT_PERSIST_CHECKPOINT:
    case EFFECT_PERSIST_SNAPSHOT:
    case EFFECT_PERSIST_DDLS:
    case EFFECT_FORGET_SCHEMA:
    case EFFECT_FORGET_CHANGEFEED:
        break;
    }
}

/* Writes in a row are durable together; returns how many. */
static size_t run_writes(maintainer_process_t *self, mono_ns_t now, const effect_t *first,
                         size_t available)
{
    sluice_error_t errors[WRITES_TOGETHER_MAX] = {SLUICE_OK};
    size_t count = 0;
    while (count < available && count < WRITES_TOGETHER_MAX &&
           sim_store_is_write(first[count].kind))
        count++;
    sim_store_write(self->process.world->store, &self->process, self->owner, first, count, errors);
    for (size_t i = 0; i < count && !self->process.is_doomed; i++)
        if (first[i].persist_id)
            coordinator_persisted(self->coordinator, now, first[i].persist_id, errors[i]);
    return count;
}

static void run_effects(maintainer_process_t *self, mono_ns_t now)
{
    const effects_t *effects = &self->effects;
    for (size_t i = 0; i < effects->count && !self->process.is_doomed;) {
        if (sim_store_is_write(effects->items[i].kind))
            i += run_writes(self, now, &effects->items[i], effects->count - i);
        else
            run_other(self, now, &effects->items[i++]);
    }
    arena_reset(&self->arena);
}

/* ---- the loop ---- */

static bool take_store(maintainer_process_t *self)
{
    stored_changefeed_t *feeds;
    sim_slot_t *slots;
    uint32_t feed_count, slot_count;
    sim_world_t *world = self->process.world;
    uint64_t owner = sim_store_take_over(world->store, 0, &self->arena, &feeds, &feed_count, &slots,
                                         &slot_count);
    if (owner == 0)
        return false;
    mono_ns_t now = sim_process_now(&self->process);
    self->owner = owner;
    self->incarnation = (incarnation_t){sim_wall(world).v + self->process.life};
    self->coordinator =
        coordinator_new(&world->settings, &self->process.id, self->incarnation, now);
    for (uint32_t i = 0; i < slot_count; i++)
        coordinator_load_slot(self->coordinator, &slots[i].node, slots[i].slot);
    for (uint32_t i = 0; i < feed_count; i++) {
        error_report_t report;
        if (coordinator_load_changefeed(self->coordinator, now, &feeds[i], &report) != SLUICE_OK)
            sim_violated(world, "load", "what was stored cannot be loaded: %s", report.text);
    }
    arena_reset(&self->arena);
    sim_trace(world, self->process.name, "takes over, owner %llu", (unsigned long long)owner);
    return true;
}

static mono_ns_t turn(sim_process_t *process)
{
    maintainer_process_t *self = of(process);
    if (!self->coordinator && !take_store(self))
        return mono_add(sim_process_now(process), RETRY_NS);
    mono_ns_t now = sim_process_now(process);
    message_t message;
    sim_process_t *from;
    while (!process->is_doomed && sim_network_take(process, &self->arena, &message, &from))
        coordinator_receive(self->coordinator, now, &message);
    arena_reset(&self->arena);
    if (process->is_doomed)
        return now;
    coordinator_step(self->coordinator, now, &self->effects);
    run_effects(self, now);
    effects_reset(&self->effects);
    return coordinator_next_deadline(self->coordinator);
}

static void start(sim_process_t *process)
{
    (void)process; /* its first turn opens the store */
}

static void end(sim_process_t *process)
{
    maintainer_process_t *self = of(process);
    coordinator_destroy(&self->coordinator);
    self->owner = 0;
}

static const sim_process_class_t class = {.start = start, .turn = turn, .end = end};

/* ---- life ---- */

sim_process_t *sim_maintainer_new(sim_world_t *world, int index)
{
    maintainer_process_t *self = memory_zalloc(sizeof *self);
    sim_process_init(&self->process, &class, world, true, index);
    effects_init(&self->effects);
    return &self->process;
}

void sim_maintainer_destroy(sim_process_t **process)
{
    maintainer_process_t *self = of(*process);
    sim_process_clear(&self->process);
    effects_clear(&self->effects);
    arena_clear(&self->arena);
    free(self);
    *process = NULL;
}

coordinator_t *sim_maintainer_coordinator(const sim_process_t *process)
{
    return of(process)->coordinator;
}

uint64_t sim_maintainer_owner(const sim_process_t *process)
{
    return of(process)->owner;
}

void sim_maintainer_listen(sim_process_t *process, sim_answer_t *answer, void *context)
{
    of(process)->answer = answer;
    of(process)->answer_context = context;
}
