/* Persisting the checkpoint with an anchor, and what is confirmed. */
#include <inttypes.h>
#include <stdio.h>

#include "maintainer/core/maintainer_internal.h"

/* The newest anchor that may go with the checkpoint: at or below it, and where the persisted schema
 * has no gap. */
static const anchor_t *choose_anchor(maintainer_t *m, commit_ts_t checkpoint)
{
    const anchor_t *anchor =
        checkpoint_pick_anchor(m->checkpoint, schema_log_bound(m->schema_log, checkpoint));
    bool is_better = anchor && anchor->commit_ts.v > m->anchor.commit_ts.v &&
                     schema_log_allows(m->schema_log, anchor->commit_ts);
    return is_better ? anchor : &m->anchor;
}

void maintainer_persist_checkpoint(maintainer_t *m, mono_ns_t now, const sender_t *sender)
{
    commit_ts_t checkpoint =
        checkpoint_advance(m->checkpoint, m->table, barrier_checkpoint_bound(m->barrier));
    if (m->checkpoint_id || !mono_reached(m->persist_at, now))
        return;
    const anchor_t *anchor = choose_anchor(m, checkpoint);
    if (checkpoint.v == m->persisted.v && anchor->commit_ts.v == m->anchor.commit_ts.v)
        return;
    m->checkpoint_id = m->next_persist_id++;
    m->persisting = checkpoint;
    m->anchor_persisting = *anchor;
    m->persist_at = mono_add(now, m->settings.checkpoint_interval_ns);
    effect_t *effect = effects_add(sender->effects, EFFECT_PERSIST_CHECKPOINT);
    effect->persist_id = m->checkpoint_id;
    effect->changefeed = m->start.ref;
    effect->maintainer_epoch = m->start.maintainer_epoch;
    effect->position.checkpoint = checkpoint;
    effect->position.anchor = *anchor;
}

static void checkpoint_confirmed(maintainer_t *m, sluice_error_t error, const sender_t *sender)
{
    bool is_news = m->persist_error != error;
    m->checkpoint_id = 0;
    m->persist_error = error;
    if (error != SLUICE_OK) {
        m->persisting = m->persisted;
        if (is_news)
            maintainer_log(sender, LOG_LEVEL_WARNING, "checkpoint_not_persisted", "error",
                           sluice_error_name(error));
        if (error == SLUICE_ERROR_NOT_OWNER)
            maintainer_fail(m, error, bytes_of_text("another maintainer has taken over"));
        return;
    }
    bool is_anchored = m->anchor_persisting.commit_ts.v > m->anchor.commit_ts.v;
    m->persisted = m->persisting;
    wall_ms_t time = commit_times_reach(&m->commit_times, m->persisted);
    if (time.v)
        m->checkpoint_time = time;
    m->anchor = m->anchor_persisting;
    m->is_announcing = true;
    if (is_anchored)
        schema_log_anchored(m->schema_log, m->anchor.commit_ts, sender);
}

void maintainer_confirm(maintainer_t *m, mono_ns_t now, const sender_t *sender)
{
    (void)now;
    for (uint32_t i = 0; i < m->confirmation_count; i++) {
        confirmation_t *confirmation = &m->confirmations[i];
        if (m->checkpoint_id && confirmation->id == m->checkpoint_id)
            checkpoint_confirmed(m, confirmation->error, sender);
        else
            (void)schema_log_persisted(m->schema_log, confirmation->id, confirmation->error,
                                       sender);
    }
    m->confirmation_count = 0;
}
