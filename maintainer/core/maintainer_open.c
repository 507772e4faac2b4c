/* Getting nodes into the changefeed and out of it, and the phases before it runs. */
#include "maintainer/core/maintainer_internal.h"

/* How long a new changefeed waits for nodes that are slow to open it; they get their share later.
 */
#define NEW_PATIENCE_NS (2 * NS_PER_S)
#define OPEN_RESEND_MAX_NS (30 * NS_PER_S)

static void send_open(maintainer_t *m, mono_ns_t now, node_index_t node, const sender_t *sender)
{
    feed_node_t *feed = &m->nodes[node.v];
    const node_entry_t *entry = node_set_at(m->node_set, node);
    effect_t *effect = effects_add(sender->effects, EFFECT_SEND_OPEN);
    effect->node = entry->id;
    effect->incarnation = entry->incarnation;
    effect->changefeed = m->start.ref;
    effect->maintainer_epoch = m->start.maintainer_epoch;
    effect->position.checkpoint = m->persisted;
    effect->position.anchor = m->anchor;
    feed->sent_at = now;
    /* It may carry a large schema: give it more time each turn. */
    feed->resend_ns = feed->resend_ns ? feed->resend_ns * 2 : m->settings.open_resend_ns;
    if (feed->resend_ns > OPEN_RESEND_MAX_NS)
        feed->resend_ns = OPEN_RESEND_MAX_NS;
}

static void send_bootstrap_request(maintainer_t *m, node_index_t node, const sender_t *sender)
{
    message_t *message = sender_message(sender, node, MESSAGE_BOOTSTRAP_REQUEST);
    if (message)
        message->bootstrap_request.changefeed = m->start.ref;
}

static bool is_due(const feed_node_t *feed, mono_ns_t now, uint64_t interval_ns)
{
    return feed->sent_at.v == 0 || mono_reached(mono_add(feed->sent_at, interval_ns), now);
}

void maintainer_open_nodes(maintainer_t *m, mono_ns_t now, const sender_t *sender)
{
    for (uint32_t i = 0; i < m->node_count; i++) {
        feed_node_t *feed = &m->nodes[i];
        node_index_t node = {i};
        if (feed->state == FEED_OPENING && is_due(feed, now, feed->resend_ns))
            send_open(m, now, node, sender);
        if (feed->state != FEED_BOOTSTRAPPING ||
            !is_due(feed, now, m->settings.bootstrap_resend_ns))
            continue;
        send_bootstrap_request(m, node, sender);
        feed->sent_at = now;
    }
}

void maintainer_opened(maintainer_t *m, node_index_t node, const changefeed_opened_t *opened)
{
    feed_node_t *feed = maintainer_feed(m, node);
    if (feed->state != FEED_OPENING)
        return;
    if (opened->error != SLUICE_OK) {
        maintainer_note_error(m, feed, opened->error, opened->text);
        return;
    }
    feed->state = FEED_BOOTSTRAPPING;
    feed->sent_at = (mono_ns_t){0};
    feed->resend_ns = 0;
}

/* ---- phases ---- */

static uint64_t lease_patience(const maintainer_t *m)
{
    return m->settings.lease_ns + m->settings.lease_grace_ns;
}

static uint64_t patience(const maintainer_t *m)
{
    return m->start.is_new ? NEW_PATIENCE_NS : lease_patience(m);
}

static bool may_stop_gathering(const maintainer_t *m, mono_ns_t now)
{
    bool is_any_ready = false, is_out_awaited = false, is_in_awaited = false;
    for (uint32_t i = 0; i < m->node_count; i++) {
        const feed_node_t *feed = &m->nodes[i];
        is_any_ready |= feed->state == FEED_READY;
        is_out_awaited |= feed->state == FEED_OUT && feed->is_awaited;
        is_in_awaited |= feed->state == FEED_OPENING || feed->state == FEED_BOOTSTRAPPING;
    }
    if (!is_any_ready)
        return false;
    bool is_over = mono_elapsed(m->began_at, now) >= patience(m);
    /* A node that is there is waited for: it says itself what it has. Only a new changefeed, of
     * which nobody has anything, begins without it. */
    return (!is_out_awaited || is_over) && (!is_in_awaited || (m->start.is_new && is_over));
}

static void ask_for_list(maintainer_t *m, mono_ns_t now, const sender_t *sender)
{
    const span_entry_t *trigger = span_table_trigger(m->table);
    bool is_adopted = trigger->state == SPAN_SCHEDULING && trigger->assignment_counter == 0;
    if (trigger->state != SPAN_REPLICATING && !is_adopted) {
        /* Its create asks for it. */
        m->list_asked_at = now;
        return;
    }
    mono_ns_t due = mono_add(m->list_asked_at, 2 * m->settings.bootstrap_resend_ns);
    if (m->list_asked_at.v && !mono_reached(due, now))
        return;
    m->list_asked_at = now;
    send_bootstrap_request(m, trigger->node, sender);
}

static void await_list(maintainer_t *m, mono_ns_t now, const sender_t *sender)
{
    if (!bootstrap_has_trigger_somewhere(m->bootstrap))
        m->list_awaited_since = now;
    bool is_late = mono_elapsed(m->list_awaited_since, now) >= lease_patience(m);
    if (is_late && bootstrap_restart_trigger(m->bootstrap))
        maintainer_log(sender, LOG_LEVEL_WARNING, "no_table_list", "trigger", "starts again");
    ask_for_list(m, now, sender);
}

void maintainer_advance_phase(maintainer_t *m, mono_ns_t now, const sender_t *sender)
{
    if (m->phase == PHASE_GATHERING && may_stop_gathering(m, now)) {
        bootstrap_place_trigger(m->bootstrap);
        m->phase = PHASE_LISTING;
        m->list_asked_at = (mono_ns_t){0};
        m->list_awaited_since = now;
        maintainer_log(sender, LOG_LEVEL_INFO, "changefeed_phase", "phase", "listing");
    }
    if (m->phase != PHASE_LISTING)
        return;
    if (!bootstrap_has_table_list(m->bootstrap)) {
        await_list(m, now, sender);
        return;
    }
    bootstrap_build(m->bootstrap, now);
    m->phase = PHASE_RUNNING;
    maintainer_log(sender, LOG_LEVEL_INFO, "changefeed_phase", "phase", "running");
}

/* ---- closing ---- */

static void send_close(maintainer_t *m, node_index_t node, const sender_t *sender)
{
    message_t *message = sender_message(sender, node, MESSAGE_CHANGEFEED_CLOSE);
    if (!message)
        return;
    message->changefeed_close =
        (changefeed_close_t){.changefeed = m->start.ref, .is_removed = m->is_removed};
    if (m->is_removed)
        message->changefeed_close.config =
            changefeed_config_copy(&sender->effects->arena, sender->config);
}

/* A removed changefeed may still be carried by a node that has not said hello since this process
 * began; and some node has to make the sink forget it. */
static bool awaits_nodes(const maintainer_t *m, mono_ns_t now)
{
    bool is_awaited = false;
    for (uint32_t i = 0; i < m->node_count; i++)
        is_awaited |= m->nodes[i].state == FEED_OUT && m->nodes[i].is_awaited;
    return m->is_removed && is_awaited && mono_elapsed(m->began_at, now) < patience(m);
}

void maintainer_close_nodes(maintainer_t *m, mono_ns_t now, const sender_t *sender)
{
    bool is_any_open = false;
    for (uint32_t i = 0; i < m->node_count; i++) {
        feed_node_t *feed = &m->nodes[i];
        bool wants_close = feed->state == FEED_CLOSING || feed->wants_close_again;
        is_any_open |= feed->state == FEED_CLOSING;
        if (!wants_close || !is_due(feed, now, m->settings.bootstrap_resend_ns))
            continue;
        send_close(m, (node_index_t){i}, sender);
        feed->sent_at = now;
        feed->wants_close_again = false;
    }
    if (!is_any_open && !awaits_nodes(m, now))
        m->phase = PHASE_CLOSED;
}

mono_ns_t maintainer_open_deadline(const maintainer_t *m)
{
    mono_ns_t deadline = MONO_NEVER;
    for (uint32_t i = 0; i < m->node_count; i++) {
        const feed_node_t *feed = &m->nodes[i];
        if (feed->state == FEED_OPENING)
            deadline = mono_min(deadline, mono_add(feed->sent_at, feed->resend_ns));
        if (feed->state == FEED_BOOTSTRAPPING || feed->state == FEED_CLOSING ||
            feed->wants_close_again)
            deadline =
                mono_min(deadline, mono_add(feed->sent_at,
                                            feed->sent_at.v ? m->settings.bootstrap_resend_ns : 0));
    }
    mono_ns_t patient_until = mono_add(m->began_at, patience(m));
    /* Once that is over only a node can change anything. */
    bool is_patient = m->phase == PHASE_GATHERING || m->phase == PHASE_CLOSING;
    if (is_patient && !mono_reached(patient_until, m->stepped_at))
        deadline = mono_min(deadline, patient_until);
    if (m->phase == PHASE_LISTING)
        deadline =
            mono_min(deadline, mono_add(m->list_asked_at, 2 * m->settings.bootstrap_resend_ns));
    return deadline;
}
