#include <stdlib.h>

#include "common/base/memory.h"
#include "dispatcher/core/node/node_core_internal.h"

/* Dispatchers that execute something are waited for so long before their feed and sink are ended.
 */
#define STOP_WAIT_NS (5 * NS_PER_S)
#define REAP_INTERVAL_NS (5 * NS_PER_MS)

/* Any generation. */
static open_changefeed_t *find_uuid(const node_core_t *core, changefeed_uuid_t uuid)
{
    for (uint32_t i = 0; i < core->changefeed_count; i++)
        if (changefeed_uuid_equal(core->changefeeds[i]->ref.uuid, uuid))
            return core->changefeeds[i];
    return NULL;
}

open_changefeed_t *node_find(const node_core_t *core, changefeed_ref_t ref)
{
    open_changefeed_t *open = find_uuid(core, ref.uuid);
    return open && open->changefeed && open->ref.generation == ref.generation ? open : NULL;
}

static followed_epoch_t *followed_find(node_core_t *core, changefeed_uuid_t uuid)
{
    for (uint32_t i = 0; i < NODE_CHANGEFEEDS_MAX; i++)
        if (core->followed[i].maintainer_epoch &&
            changefeed_uuid_equal(core->followed[i].uuid, uuid))
            return &core->followed[i];
    return NULL;
}

void node_follow(node_core_t *core, changefeed_uuid_t uuid, uint64_t maintainer_epoch)
{
    followed_epoch_t *followed = followed_find(core, uuid);
    if (!followed)
        followed = &core->followed[core->followed_next++ % NODE_CHANGEFEEDS_MAX];
    followed->uuid = uuid;
    followed->maintainer_epoch = maintainer_epoch;
}

/* The later maintainer that the node has followed; 0: none. */
static uint64_t later_maintainer(node_core_t *core, changefeed_uuid_t uuid,
                                 uint64_t maintainer_epoch)
{
    const followed_epoch_t *followed = followed_find(core, uuid);
    return followed && followed->maintainer_epoch > maintainer_epoch ? followed->maintainer_epoch
                                                                     : 0;
}

static void send_opened(const node_link_t *link, uint64_t maintainer_epoch, changefeed_ref_t ref,
                        sluice_error_t error, const char *text)
{
    message_t message = {0};
    message.header.type = MESSAGE_CHANGEFEED_OPENED;
    message.header.maintainer_epoch = maintainer_epoch;
    message.changefeed_opened =
        (changefeed_opened_t){.changefeed = ref, .error = error, .text = bytes_of_text(text)};
    /* The open is repeated until this arrives. */
    (void)!node_link_send_control(link, &message);
}

static void add(node_core_t *core, node_link_t *link, uint64_t maintainer_epoch,
                const changefeed_open_t *open)
{
    error_report_t report = {0};
    node_changefeed_t *changefeed = NULL;
    node_changefeed_options_t options = {.settings = &core->settings,
                                         .host = &core->host,
                                         .others = node_has_others(core) ? &core->others : NULL,
                                         .link = link,
                                         .maintainer_epoch = maintainer_epoch};
    sluice_error_t error = core->changefeed_count == NODE_CHANGEFEEDS_MAX
                               ? error_report_set(&report, SLUICE_ERROR_FULL,
                                                  "the node carries as many changefeeds as it can")
                               : node_changefeed_open(&options, open, &changefeed, &report);
    if (error == SLUICE_OK) {
        node_follow(core, open->changefeed.uuid, maintainer_epoch);
        open_changefeed_t *added = memory_zalloc(sizeof *added);
        added->changefeed = changefeed;
        added->hosted = node_changefeed_hosted(changefeed);
        added->ref = open->changefeed;
        added->maintainer_epoch = maintainer_epoch;
        added->link = link;
        core->changefeeds[core->changefeed_count++] = added;
        NODE_LOG(&core->host, LOG_LEVEL_INFO, node_changefeed_name(changefeed), "changefeed opened",
                 log_number("generation", open->changefeed.generation),
                 log_number("maintainer_epoch", maintainer_epoch),
                 log_number("anchor", open->anchor.commit_ts.v));
    } else {
        NODE_LOG(&core->host, LOG_LEVEL_ERROR, NULL, "changefeed cannot be opened",
                 log_text("error", sluice_error_name(error)), log_text("text", report.text));
    }
    send_opened(link, maintainer_epoch, open->changefeed, error, report.text);
}

void node_open(node_core_t *core, node_link_t *link, uint64_t maintainer_epoch,
               const changefeed_open_t *open, mono_ns_t now)
{
    uint64_t later = later_maintainer(core, open->changefeed.uuid, maintainer_epoch);
    if (later) {
        /* From the epoch it learns that there is another. */
        send_opened(link, later, open->changefeed, SLUICE_OK, "");
        return;
    }
    open_changefeed_t *known = find_uuid(core, open->changefeed.uuid);
    if (!known) {
        add(core, link, maintainer_epoch, open);
        return;
    }
    /* On its way out: the open comes again. */
    if (known->is_stopping || !known->changefeed)
        return;
    if (known->ref.generation < open->changefeed.generation) {
        node_close(known, false, now);
        return;
    }
    if (known->ref.generation > open->changefeed.generation)
        return;
    if (!node_changefeed_reopen(known->changefeed, link, maintainer_epoch, now)) {
        send_opened(link, known->maintainer_epoch, known->ref, SLUICE_OK, "");
        return;
    }
    node_follow(core, known->ref.uuid, maintainer_epoch);
    known->link = link;
    known->maintainer_epoch = maintainer_epoch;
    send_opened(link, maintainer_epoch, open->changefeed, SLUICE_OK, "");
}

static void send_closed(const node_link_t *link, changefeed_ref_t ref, uint64_t maintainer_epoch)
{
    message_t message = {0};
    message.header.type = MESSAGE_CHANGEFEED_CLOSED;
    message.header.maintainer_epoch = maintainer_epoch;
    message.changefeed_closed.changefeed = ref;
    (void)!node_link_send_control(link, &message);
}

/* It is not open here, but the sink knows of it. */
static void begin_forget(node_core_t *core, node_link_t *link, uint64_t maintainer_epoch,
                         const changefeed_close_t *close)
{
    open_changefeed_t *added = memory_zalloc(sizeof *added);
    added->hosted = core->host.begin_forget(core->host.self, close);
    added->ref = close->changefeed;
    added->maintainer_epoch = maintainer_epoch;
    added->link = link;
    added->is_stopping = added->answers_closed = true;
    core->changefeeds[core->changefeed_count++] = added;
}

void node_close_as_told(node_core_t *core, node_link_t *link, uint64_t maintainer_epoch,
                        const changefeed_close_t *close, mono_ns_t now)
{
    changefeed_ref_t ref = close->changefeed;
    open_changefeed_t *open = find_uuid(core, ref.uuid);
    if (!open && close->is_removed && core->changefeed_count < NODE_CHANGEFEEDS_MAX) {
        begin_forget(core, link, maintainer_epoch, close);
        return;
    }
    if (!open || open->ref.generation < ref.generation) {
        if (!open)
            send_closed(link, ref, maintainer_epoch);
        else
            node_close(open, false, now);
        return;
    }
    if (open->ref.generation > ref.generation || maintainer_epoch < open->maintainer_epoch)
        return;
    node_follow(core, ref.uuid, maintainer_epoch);
    open->is_removed |= close->is_removed;
    open->answers_closed = true;
    open->link = link;
    open->maintainer_epoch = maintainer_epoch;
    node_close(open, false, now);
}

void node_close(open_changefeed_t *open, bool gracefully, mono_ns_t now)
{
    if (open->is_stopping || !open->changefeed)
        return;
    open->is_stopping = true;
    open->give_up_at = mono_add(now, STOP_WAIT_NS);
    node_changefeed_stop(open->changefeed, gracefully, now);
}

/* Nothing runs, and the maintainer was told so; one that has called the node absent is told nothing
 * any more. */
static bool may_end(const node_core_t *core, const open_changefeed_t *open, mono_ns_t now)
{
    bool has_told = core->is_starting_again || !node_changefeed_has_news(open->changefeed);
    return (node_changefeed_is_idle(open->changefeed) && has_told) ||
           mono_reached(open->give_up_at, now);
}

/* The rest of its life is the host's. */
static void begin_end(node_core_t *core, open_changefeed_t *open)
{
    NODE_LOG(&core->host, LOG_LEVEL_INFO, node_changefeed_name(open->changefeed),
             "changefeed closed", log_number("generation", open->ref.generation));
    node_changefeed_destroy(&open->changefeed);
    core->host.begin_close(core->host.self, open->hosted, open->is_removed);
}

void node_reap(node_core_t *core, mono_ns_t now)
{
    for (uint32_t i = core->changefeed_count; i-- > 0;) {
        open_changefeed_t *open = core->changefeeds[i];
        if (open->is_stopping && open->changefeed && may_end(core, open, now))
            begin_end(core, open);
        if (open->changefeed || !core->host.is_closed(core->host.self, open->hosted))
            continue;
        if (open->answers_closed)
            send_closed(open->link, open->ref, open->maintainer_epoch);
        core->changefeeds[i] = core->changefeeds[--core->changefeed_count];
        free(open);
    }
}

mono_ns_t node_reap_deadline(const node_core_t *core, mono_ns_t now)
{
    for (uint32_t i = 0; i < core->changefeed_count; i++)
        if (core->changefeeds[i]->is_stopping)
            return mono_add(now, REAP_INTERVAL_NS);
    return MONO_NEVER;
}
