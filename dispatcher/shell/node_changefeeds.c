#include <assert.h>
#include <stdlib.h>

#include "common/base/memory.h"
#include "dispatcher/shell/node_internal.h"

/* Dispatchers that execute something are waited for so long before their threads are ended. */
#define STOP_WAIT_NS (5 * NS_PER_S)
#define REAP_INTERVAL_NS (5 * NS_PER_MS)

open_changefeed_t *node_find_uuid(const node_t *node, changefeed_uuid_t uuid)
{
    for (uint32_t i = 0; i < node->changefeed_count; i++)
        if (changefeed_uuid_equal(node->changefeeds[i]->ref.uuid, uuid))
            return node->changefeeds[i];
    return NULL;
}

open_changefeed_t *node_find(const node_t *node, changefeed_ref_t ref)
{
    open_changefeed_t *open = node_find_uuid(node, ref.uuid);
    return open && open->changefeed && open->ref.generation == ref.generation ? open : NULL;
}

uint32_t node_dispatchers(const node_t *node)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < node->changefeed_count; i++)
        if (node->changefeeds[i]->changefeed)
            count += node_changefeed_dispatchers(node->changefeeds[i]->changefeed);
    return count;
}

static void send_opened(maintainer_link_t *link, uint64_t maintainer_epoch, changefeed_ref_t ref,
                        sluice_error_t error, const char *text)
{
    message_t message = {0};
    message.header.type = MESSAGE_CHANGEFEED_OPENED;
    message.header.maintainer_epoch = maintainer_epoch;
    message.changefeed_opened =
        (changefeed_opened_t){.changefeed = ref, .error = error, .text = bytes_of_text(text)};
    /* The open is repeated until this arrives. */
    (void)!maintainer_link_send_control(link, &message);
}

static void add(node_t *node, maintainer_link_t *link, uint64_t maintainer_epoch,
                const changefeed_open_t *open)
{
    error_report_t report = {0};
    node_changefeed_t *changefeed = NULL;
    sluice_error_t error = node->changefeed_count == NODE_CHANGEFEEDS_MAX
                               ? error_report_set(&report, SLUICE_ERROR_FULL,
                                                  "the node carries as many changefeeds as it can")
                               : node_changefeed_open(node->settings, link, maintainer_epoch, open,
                                                      &changefeed, &report);
    if (error == SLUICE_OK) {
        open_changefeed_t *added = memory_zalloc(sizeof *added);
        added->changefeed = changefeed;
        added->ref = open->changefeed;
        added->maintainer_epoch = maintainer_epoch;
        added->link = link;
        node->changefeeds[node->changefeed_count++] = added;
        LOG(LOG_LEVEL_INFO, "node", node_changefeed_name(changefeed), "changefeed opened",
            log_number("generation", open->changefeed.generation),
            log_number("maintainer_epoch", maintainer_epoch),
            log_number("anchor", open->anchor.commit_ts.v));
    } else {
        LOG(LOG_LEVEL_ERROR, "node", NULL, "changefeed cannot be opened",
            log_text("error", sluice_error_name(error)), log_text("text", report.text));
    }
    send_opened(link, maintainer_epoch, open->changefeed, error, report.text);
}

void node_open(node_t *node, maintainer_link_t *link, uint64_t maintainer_epoch,
               const changefeed_open_t *open, mono_ns_t now)
{
    open_changefeed_t *known = node_find_uuid(node, open->changefeed.uuid);
    if (!known) {
        add(node, link, maintainer_epoch, open);
        return;
    }
    /* On its way out: the open comes again. */
    if (known->is_stopping || !known->changefeed)
        return;
    if (known->ref.generation < open->changefeed.generation) {
        node_close(known, false, now);
        return;
    }
    if (known->ref.generation > open->changefeed.generation ||
        !node_changefeed_reopen(known->changefeed, link, maintainer_epoch, now))
        return;
    known->link = link;
    known->maintainer_epoch = maintainer_epoch;
    send_opened(link, maintainer_epoch, open->changefeed, SLUICE_OK, "");
}

void node_close(open_changefeed_t *open, bool gracefully, mono_ns_t now)
{
    if (open->is_stopping || !open->changefeed)
        return;
    open->is_stopping = true;
    open->give_up_at = mono_add(now, STOP_WAIT_NS);
    node_changefeed_stop(open->changefeed, gracefully, now);
}

static void *end_changefeed(void *argument)
{
    open_changefeed_t *open = argument;
    node_changefeed_destroy(&open->ending);
    atomic_store(&open->is_gone, true);
    return NULL;
}

/* Nothing runs, and the maintainer was told so. */
static bool may_end(const open_changefeed_t *open, mono_ns_t now)
{
    return (node_changefeed_is_idle(open->changefeed) &&
            !node_changefeed_has_news(open->changefeed)) ||
           mono_reached(open->give_up_at, now);
}

/* The rest of its life may block, and is another thread's. */
static void begin_end(open_changefeed_t *open)
{
    LOG(LOG_LEVEL_INFO, "node", node_changefeed_name(open->changefeed), "changefeed closed",
        log_number("generation", open->ref.generation));
    open->ending = open->changefeed;
    open->changefeed = NULL;
    int failed = pthread_create(&open->thread, NULL, end_changefeed, open);
    assert(failed == 0);
    (void)failed;
    open->has_thread = true;
}

void node_reap(node_t *node, mono_ns_t now)
{
    for (uint32_t i = node->changefeed_count; i-- > 0;) {
        open_changefeed_t *open = node->changefeeds[i];
        if (open->is_stopping && open->changefeed && may_end(open, now))
            begin_end(open);
        if (!open->has_thread || !atomic_load(&open->is_gone))
            continue;
        pthread_join(open->thread, NULL);
        if (open->answers_closed)
            node_send_closed(open->link, open->ref, open->maintainer_epoch);
        node->changefeeds[i] = node->changefeeds[--node->changefeed_count];
        free(open);
    }
}

mono_ns_t node_reap_deadline(const node_t *node, mono_ns_t now)
{
    for (uint32_t i = 0; i < node->changefeed_count; i++)
        if (node->changefeeds[i]->is_stopping)
            return mono_add(now, REAP_INTERVAL_NS);
    return MONO_NEVER;
}
