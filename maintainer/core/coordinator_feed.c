/* The life of one changefeed in the process: what is stored, whether it runs, what is done to it.
 */
#include <assert.h>
#include <inttypes.h>

#include "maintainer/core/coordinator_internal.h"

static stored_changefeed_t stored_copy(arena_t *arena, const stored_changefeed_t *from)
{
    stored_changefeed_t copy = *from;
    copy.config = changefeed_config_copy(arena, &from->config);
    copy.error_text = arena_bytes(arena, from->error_text);
    return copy;
}

void feed_set_stored(feed_t *feed, const stored_changefeed_t *stored)
{
    /* `stored` may live in the arena that is given up. */
    arena_t arena = {0};
    stored_changefeed_t copy = stored_copy(&arena, stored);
    arena_clear(&feed->arena);
    feed->arena = arena;
    feed->stored = copy;
}

stored_changefeed_t *feed_prepare_next(feed_t *feed)
{
    arena_reset(&feed->next_arena);
    feed->next = stored_copy(&feed->next_arena, &feed->stored);
    return &feed->next;
}

void feed_start(coordinator_t *c, mono_ns_t now, feed_t *feed)
{
    assert(!feed->maintainer);
    node_index_t known[NODE_INDEX_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < node_set_capacity(c->nodes); i++)
        if (node_set_at(c->nodes, (node_index_t){i})->is_used)
            known[count++] = (node_index_t){i};
    feed->tag = c->next_tag++;
    maintainer_start_t start = {.ref = feed->stored.ref,
                                .maintainer_epoch = feed->stored.maintainer_epoch,
                                .checkpoint = feed->stored.checkpoint,
                                .anchor = feed->stored.anchor,
                                .is_new = feed->is_vacant,
                                .persist_base = feed->tag << PERSIST_TAG_SHIFT};
    feed->maintainer = maintainer_new(&c->settings, c->nodes, &start, known, count, now);
    feed->is_vacant = false;
    c->has_work = true;
}

void feed_start_removing(coordinator_t *c, mono_ns_t now, feed_t *feed)
{
    if (!feed->maintainer)
        feed_start(c, now, feed);
    maintainer_close(feed->maintainer, now, true);
}

void feed_begin(feed_t *feed, operation_t operation, operation_step_t step, uint64_t request_id)
{
    assert(feed->operation == OPERATION_NONE);
    feed->operation = operation;
    feed->step = step;
    feed->request_id = request_id;
}

void feed_end(effects_t *effects, feed_t *feed, sluice_error_t error, bytes_t text)
{
    /* The text may be the check's. */
    bytes_t copy = arena_bytes(&effects->arena, text);
    feed->operation = OPERATION_NONE;
    check_clear(feed);
    if (feed->request_id == 0)
        return;
    effect_t *effect = effects_add(effects, EFFECT_ANSWER);
    effect->changefeed = feed->stored.ref;
    effect->answer.request_id = feed->request_id;
    effect->answer.error = error;
    effect->answer.text = copy;
    feed->request_id = 0;
}

/* ---- persisting ---- */

static void persist(effects_t *effects, effect_kind_t kind, const stored_changefeed_t *stored,
                    uint64_t persist_id)
{
    stored_changefeed_t copy = stored_copy(&effects->arena, stored);
    effect_t *effect = effects_add(effects, kind);
    effect->persist_id = persist_id;
    effect->changefeed = stored->ref;
    effect->maintainer_epoch = stored->maintainer_epoch;
    effect->stored = copy;
}

static effect_kind_t persist_kind(operation_t operation)
{
    switch (operation) {
    case OPERATION_CREATE:
    case OPERATION_OVERWRITE:
    case OPERATION_UPDATE:
        return EFFECT_PERSIST_CHANGEFEED;
    case OPERATION_NONE:
    case OPERATION_PAUSE:
    case OPERATION_RESUME:
    case OPERATION_REMOVE:
        break;
    }
    return EFFECT_PERSIST_STATE;
}

/* What must not be given up once begun is tried again until the meta store takes it. */
static bool insists(operation_t operation)
{
    return operation == OPERATION_PAUSE || operation == OPERATION_REMOVE;
}

static void log_state(const coordinator_t *c, effects_t *effects, const feed_t *feed)
{
    sender_t sender = coordinator_sender(c, effects, feed);
    bool is_bad = feed->stored.state == CHANGEFEED_FAILED;
    const char *text =
        arena_strndup(&effects->arena, feed->stored.error_text.data, feed->stored.error_text.len);
    log_field_t fields[] = {{"state", changefeed_state_name(feed->stored.state)},
                            {"error", sluice_error_name(feed->stored.error)},
                            {"text", text}};
    effects_log(effects, is_bad ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO, "changefeed_state",
                sender.changefeed, fields, is_bad ? 3 : 1);
}

/* Returns whether the feed was dropped. */
static bool confirmed(coordinator_t *c, mono_ns_t now, feed_t *feed, effects_t *effects)
{
    bytes_t text =
        bytes_of_text(feed->persist_error == SLUICE_OK ? "" : "the meta store did not take it");
    bytes_t warnings = feed->check ? bytes_of_text(feed->check->warnings) : text;
    if (feed->persist_error != SLUICE_OK && insists(feed->operation)) {
        feed->step = STEP_PERSIST;
        feed->persist_at = mono_add(now, NS_PER_S);
        return false;
    }
    if (feed->persist_error != SLUICE_OK)
        return feed_give_up(c, feed, effects, feed->persist_error, text);
    feed_set_stored(feed, &feed->next);
    feed->is_stored = true;
    log_state(c, effects, feed);
    switch (feed->operation) {
    case OPERATION_NONE:
        break;
    case OPERATION_CREATE:
    case OPERATION_OVERWRITE:
        feed->is_vacant = true;
        feed_start(c, now, feed);
        feed_end(effects, feed, SLUICE_OK, warnings);
        break;
    case OPERATION_RESUME:
        feed_start(c, now, feed);
        feed_end(effects, feed, SLUICE_OK, text);
        break;
    case OPERATION_UPDATE:
        feed_end(effects, feed, SLUICE_OK, text);
        break;
    case OPERATION_REMOVE:
        feed_start_removing(c, now, feed);
        feed->step = STEP_ENDING;
        break;
    case OPERATION_PAUSE:
        feed->step = STEP_ENDING;
        break;
    }
    return false;
}

/* Nodes have closed it, or there are none. Returns whether the feed was dropped. */
static bool ended(coordinator_t *c, feed_t *feed, effects_t *effects)
{
    if (feed->maintainer)
        return false;
    bool is_removed = feed->operation == OPERATION_REMOVE;
    if (is_removed) {
        if (node_set_present_count(c->nodes) == 0)
            effects_log(effects, LOG_LEVEL_WARNING, "sink_not_told_of_removal",
                        feed->stored.config.name, NULL, 0);
        effect_t *effect = effects_add(effects, EFFECT_FORGET_CHANGEFEED);
        effect->changefeed = feed->stored.ref;
        effect->maintainer_epoch = feed->stored.maintainer_epoch;
    }
    feed_end(effects, feed, SLUICE_OK, (bytes_t){0});
    if (is_removed)
        coordinator_drop_feed(c, feed);
    return is_removed;
}

/* ---- running ---- */

static void keep_progress(feed_t *feed)
{
    feed->stored.checkpoint = maintainer_checkpoint(feed->maintainer);
    if (feed->stored.anchor.commit_ts.v != maintainer_anchor(feed->maintainer)->commit_ts.v)
        feed->stored.anchor = *maintainer_anchor(feed->maintainer);
}

static void fail(coordinator_t *c, mono_ns_t now, feed_t *feed, effects_t *effects)
{
    bytes_t text;
    sluice_error_t error = maintainer_failure(feed->maintainer, &text);
    if (error == SLUICE_OK || feed->stored.state == CHANGEFEED_FAILED ||
        feed->operation != OPERATION_NONE)
        return;
    stored_changefeed_t failed = feed->stored;
    failed.state = CHANGEFEED_FAILED;
    failed.error = error;
    failed.error_text = text;
    feed_set_stored(feed, &failed);
    feed->is_failure_dirty = true;
    log_state(c, effects, feed);
    maintainer_close(feed->maintainer, now, false);
}

static void run(coordinator_t *c, mono_ns_t now, feed_t *feed, effects_t *effects)
{
    sender_t sender = coordinator_sender(c, effects, feed);
    maintainer_step(feed->maintainer, now, &sender);
    keep_progress(feed);
    fail(c, now, feed, effects);
    if (!maintainer_is_closed(feed->maintainer))
        return;
    maintainer_destroy(&feed->maintainer);
    feed->is_vacant = true;
    c->has_work = true;
}

static void log_later_epoch(const coordinator_t *c, effects_t *effects, feed_t *feed)
{
    if (feed->later_epoch <= feed->stored.maintainer_epoch || feed->has_logged_later_epoch)
        return;
    feed->has_logged_later_epoch = true;
    sender_t sender = coordinator_sender(c, effects, feed);
    arena_t *arena = &effects->arena;
    log_field_t fields[] = {
        {"epoch", arena_printf(arena, "%" PRIu64, feed->later_epoch)},
        {"ours", arena_printf(arena, "%" PRIu64, feed->stored.maintainer_epoch)}};
    effects_log(effects, LOG_LEVEL_ERROR, "later_maintainer", sender.changefeed, fields, 2);
}

void feed_step(coordinator_t *c, mono_ns_t now, feed_t *feed, effects_t *effects)
{
    if (feed->maintainer)
        run(c, now, feed, effects);
    log_later_epoch(c, effects, feed);
    if (feed->is_failure_dirty && !feed->failure_persist_id &&
        mono_reached(feed->persist_at, now)) {
        feed->is_failure_dirty = false;
        feed->failure_persist_id = c->next_persist_id++;
        persist(effects, EFFECT_PERSIST_STATE, &feed->stored, feed->failure_persist_id);
    }
    if (feed->operation == OPERATION_NONE)
        return;
    if (feed->step == STEP_CONFIRMED && confirmed(c, now, feed, effects))
        return;
    if (feed->operation == OPERATION_NONE)
        return;
    if (feed->step == STEP_PERSIST && mono_reached(feed->persist_at, now)) {
        feed->step = STEP_PERSISTING;
        feed->persist_id = c->next_persist_id++;
        persist(effects, persist_kind(feed->operation), &feed->next, feed->persist_id);
    }
    if (feed->step == STEP_ENDING && ended(c, feed, effects))
        return;
    if (feed->operation != OPERATION_NONE && feed->step == STEP_CHECKING)
        check_step(c, now, feed, effects);
}

mono_ns_t feed_deadline(const coordinator_t *c, const feed_t *feed)
{
    mono_ns_t deadline = MONO_NEVER;
    if (feed->is_failure_dirty && !feed->failure_persist_id)
        deadline = feed->persist_at;
    if (feed->operation == OPERATION_NONE)
        return deadline;
    if (feed->step == STEP_PERSIST)
        deadline = mono_min(deadline, feed->persist_at);
    if (feed->step == STEP_CHECKING)
        deadline = mono_min(deadline, check_deadline(c, feed));
    return deadline;
}
