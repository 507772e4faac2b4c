/* Pre-flight of a changefeed that is created, or resumed at another position: a node looks at
 * source and sink and sends the schema to start from, which goes to the meta store piece by piece.
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/base/memory.h"
#include "maintainer/core/coordinator_internal.h"

/* Without an answer or a further piece for so long, the question is asked again. A node that works
 * on it already goes on; so this may be short. */
#define CHECK_RESEND_NS (10 * NS_PER_S)

void check_begin(coordinator_t *c, mono_ns_t now, feed_t *feed)
{
    check_clear(feed);
    feed->check = memory_zalloc(sizeof *feed->check);
    feed->check->check_id = c->next_check_id++;
    feed->check->node = NODE_INDEX_NONE;
    feed->check->began_at = now;
    c->has_work = true;
}

void check_clear(feed_t *feed)
{
    if (feed->check)
        effects_clear(&feed->check->received);
    free(feed->check);
    feed->check = NULL;
}

/* The node with the fewest spans that is not about to leave. */
static node_index_t choose_node(const coordinator_t *c)
{
    node_index_t best = NODE_INDEX_NONE;
    uint64_t least = UINT64_MAX;
    for (uint32_t i = 0; i < node_set_capacity(c->nodes); i++) {
        const node_entry_t *entry = node_set_at(c->nodes, (node_index_t){i});
        uint64_t spans = 0;
        if (!entry->is_used || !entry->is_present || entry->is_leaving)
            continue;
        for (uint32_t j = 0; j < c->feed_count; j++)
            if (c->feeds[j]->maintainer)
                spans += maintainer_span_count(c->feeds[j]->maintainer, (node_index_t){i});
        if (spans >= least)
            continue;
        least = spans;
        best = (node_index_t){i};
    }
    return best;
}

static bool all_on_one_host(const coordinator_t *c)
{
    const char *host = NULL;
    for (uint32_t i = 0; i < node_set_capacity(c->nodes); i++) {
        const node_entry_t *entry = node_set_at(c->nodes, (node_index_t){i});
        if (!entry->is_used || !entry->is_present)
            continue;
        if (host && strcmp(host, entry->host) != 0)
            return false;
        host = entry->host;
    }
    return true;
}

static void ask(coordinator_t *c, mono_ns_t now, feed_t *feed, effects_t *effects)
{
    check_t *check = feed->check;
    if (node_index_is_none(check->node) || !node_set_at(c->nodes, check->node)->is_present) {
        check->node = choose_node(c);
        /* Another node begins anew, and may send another schema. */
        check->check_id = c->next_check_id++;
        check->next_piece = 0;
        effects_reset(&check->received);
    }
    check->asked_at = now;
    if (node_index_is_none(check->node))
        return;
    sender_t sender = coordinator_sender(c, effects, NULL);
    message_t *message = sender_message(&sender, check->node, MESSAGE_CHECK_REQUEST);
    if (!message)
        return;
    message->check_request = (check_request_t){
        .check_id = check->check_id,
        .changefeed = feed->next.ref,
        .config = changefeed_config_copy(&effects->arena, &feed->next.config),
        .node_count = node_set_present_count(c->nodes),
        .all_on_one_host = all_on_one_host(c),
    };
}

bool feed_give_up(coordinator_t *c, feed_t *feed, effects_t *effects, sluice_error_t error,
                  bytes_t text)
{
    bool is_create = feed->operation == OPERATION_CREATE;
    if (is_create) {
        effect_t *effect = effects_add(effects, EFFECT_FORGET_CHANGEFEED);
        effect->changefeed = feed->next.ref;
    }
    feed_end(effects, feed, error, text);
    if (is_create)
        coordinator_drop_feed(c, feed);
    return is_create;
}

static void keep_text(check_t *check, const check_response_t *response)
{
    size_t used = 0;
    const bytes_t *lines = response->error == SLUICE_OK ? response->warnings : &response->text;
    uint32_t count = response->error == SLUICE_OK ? response->warning_count : 1;
    for (uint32_t i = 0; i < count && used < sizeof check->warnings; i++) {
        int written = snprintf(check->warnings + used, sizeof check->warnings - used, "%s%.*s",
                               i ? "\n" : "", (int)lines[i].len, (const char *)lines[i].data);
        used += written > 0 ? (size_t)written : 0;
    }
}

static void keep_piece(feed_t *feed, const check_response_t *response)
{
    check_t *check = feed->check;
    if (response->piece == 0) {
        effects_reset(&check->received);
        check->next_piece = 0;
        check->anchor = response->anchor;
        /* The source says which of its domains it is, unless that was given. */
        if (response->source_domain)
            feed->next.config.domain = response->source_domain;
        keep_text(check, response);
    }
    if (response->piece != check->next_piece)
        return;
    check->next_piece++;
    bytes_t content = arena_bytes(&check->received.arena, response->snapshot);
    effect_t *effect = effects_add(&check->received, EFFECT_PERSIST_SNAPSHOT);
    effect->snapshot.at = check->anchor.commit_ts;
    effect->snapshot.piece = response->piece;
    effect->snapshot.is_last_piece = response->is_last_piece;
    effect->snapshot.content = content;
    check->is_complete = response->is_last_piece;
}

void check_receive(coordinator_t *c, mono_ns_t now, node_index_t node,
                   const check_response_t *response)
{
    for (uint32_t i = 0; i < c->feed_count; i++) {
        feed_t *feed = c->feeds[i];
        check_t *check = feed->check;
        if (!check || feed->step != STEP_CHECKING || check->check_id != response->check_id ||
            check->node.v != node.v || check->is_complete)
            continue;
        check->asked_at = now;
        if (response->error == SLUICE_OK) {
            keep_piece(feed, response);
            continue;
        }
        check->error = response->error;
        keep_text(check, response);
    }
}

/* The schema goes to the meta store before the changefeed that starts from it. */
static void accept(feed_t *feed, effects_t *effects)
{
    check_t *check = feed->check;
    for (size_t i = 0; i < check->received.count; i++) {
        const effect_t *from = &check->received.items[i];
        bytes_t content = arena_bytes(&effects->arena, from->snapshot.content);
        effect_t *to = effects_add(effects, EFFECT_PERSIST_SNAPSHOT);
        to->changefeed = feed->next.ref;
        to->maintainer_epoch = feed->next.maintainer_epoch;
        to->snapshot = from->snapshot;
        to->snapshot.content = content;
    }
    feed->next.anchor = check->anchor;
    feed->next.checkpoint = check->anchor.commit_ts;
    feed->next.schema_to = check->anchor.commit_ts;
    feed->step = STEP_PERSIST;
    effects_clear(&check->received);
}

void check_step(coordinator_t *c, mono_ns_t now, feed_t *feed, effects_t *effects)
{
    check_t *check = feed->check;
    if (check->error != SLUICE_OK) {
        bytes_t text = arena_bytes(&effects->arena, bytes_of_text(check->warnings));
        (void)feed_give_up(c, feed, effects, check->error, text);
        return;
    }
    if (check->is_complete) {
        accept(feed, effects);
        c->has_work = true;
        return;
    }
    if (mono_elapsed(check->began_at, now) >= c->settings.check_timeout_ns) {
        (void)feed_give_up(c, feed, effects, SLUICE_ERROR_TIMEOUT,
                           bytes_of_text("no node answered whether the changefeed can start"));
        return;
    }
    bool is_lost =
        node_index_is_none(check->node) || !node_set_at(c->nodes, check->node)->is_present;
    if (is_lost || mono_elapsed(check->asked_at, now) >= CHECK_RESEND_NS)
        ask(c, now, feed, effects);
}

mono_ns_t check_deadline(const coordinator_t *c, const feed_t *feed)
{
    const check_t *check = feed->check;
    if (!check)
        return MONO_NEVER;
    return mono_min(mono_add(check->asked_at, CHECK_RESEND_NS),
                    mono_add(check->began_at, c->settings.check_timeout_ns));
}
