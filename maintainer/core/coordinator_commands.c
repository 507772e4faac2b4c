/* What operators ask for. */
#include <stdlib.h>

#include "common/base/memory.h"
#include "maintainer/core/coordinator_internal.h"

static sluice_error_t find(const coordinator_t *c, bytes_t name, feed_t **feed,
                           error_report_t *report)
{
    *feed = coordinator_feed(c, name);
    if (!*feed)
        return error_report_set(report, SLUICE_ERROR_NOT_FOUND, "no changefeed %.*s", (int)name.len,
                                (const char *)name.data);
    return SLUICE_OK;
}

static const char *operation_name(operation_t operation)
{
    switch (operation) {
    case OPERATION_NONE:
        return "idle";
    case OPERATION_CREATE:
        return "created";
    case OPERATION_OVERWRITE:
        return "resumed at another position";
    case OPERATION_PAUSE:
        return "paused";
    case OPERATION_RESUME:
        return "resumed";
    case OPERATION_REMOVE:
        return "removed";
    case OPERATION_UPDATE:
        return "updated";
    }
    return "changed";
}

/* Finds a changefeed that nothing is being done to. */
static sluice_error_t find_idle(const coordinator_t *c, bytes_t name, feed_t **feed,
                                error_report_t *report)
{
    sluice_error_t error = find(c, name, feed, report);
    if (error == SLUICE_OK && (*feed)->operation != OPERATION_NONE)
        return error_report_set(report, SLUICE_ERROR_STATE, "the changefeed is being %s",
                                operation_name((*feed)->operation));
    return error;
}

static bool is_at_rest(const feed_t *feed)
{
    return feed->stored.state == CHANGEFEED_STOPPED || feed->stored.state == CHANGEFEED_FAILED;
}

/* Stopped or failed, and closed on every node. */
static sluice_error_t find_at_rest(const coordinator_t *c, bytes_t name, feed_t **feed,
                                   error_report_t *report)
{
    sluice_error_t error = find_idle(c, name, feed, report);
    if (error != SLUICE_OK)
        return error;
    if (!is_at_rest(*feed))
        return error_report_set(report, SLUICE_ERROR_STATE,
                                "the changefeed is running; pause it first");
    if ((*feed)->maintainer)
        return error_report_set(report, SLUICE_ERROR_STATE,
                                "nodes are still closing the changefeed; try again");
    return SLUICE_OK;
}

static sluice_error_t need_node(const coordinator_t *c, error_report_t *report)
{
    if (node_set_present_count(c->nodes) == 0)
        return error_report_set(report, SLUICE_ERROR_STATE,
                                "no sluice-dispatcher is connected; start one first");
    return SLUICE_OK;
}

sluice_error_t coordinator_create(coordinator_t *c, mono_ns_t now, uint64_t request_id,
                                  changefeed_uuid_t uuid, const changefeed_config_t *config,
                                  error_report_t *report)
{
    if (!changefeed_name_is_valid(config->name))
        return error_report_set(report, SLUICE_ERROR_CONFIGURATION,
                                "name: 1 to 128 of letters, digits, '.', '_' and '-'");
    if (coordinator_feed(c, config->name) || coordinator_feed_of(c, uuid))
        return error_report_set(report, SLUICE_ERROR_EXISTS, "changefeed %.*s exists already",
                                (int)config->name.len, (const char *)config->name.data);
    sluice_error_t error = need_node(c, report);
    if (error != SLUICE_OK)
        return error;
    feed_t *feed = coordinator_add_feed(c);
    stored_changefeed_t stored = {.ref = {.uuid = uuid, .generation = 1},
                                  .maintainer_epoch = 1,
                                  .config = *config,
                                  .state = CHANGEFEED_NORMAL};
    feed_set_stored(feed, &stored);
    feed_prepare_next(feed);
    feed_begin(feed, OPERATION_CREATE, STEP_CHECKING, request_id);
    check_begin(c, now, feed);
    return SLUICE_OK;
}

sluice_error_t coordinator_pause(coordinator_t *c, mono_ns_t now, uint64_t request_id, bytes_t name,
                                 error_report_t *report)
{
    feed_t *feed;
    sluice_error_t error = find_idle(c, name, &feed, report);
    if (error != SLUICE_OK)
        return error;
    if (is_at_rest(feed) || !feed->maintainer)
        return error_report_set(report, SLUICE_ERROR_STATE, "the changefeed is %s already",
                                changefeed_state_name(feed->stored.state));
    maintainer_close(feed->maintainer, now, false);
    feed_prepare_next(feed)->state = CHANGEFEED_STOPPED;
    feed_begin(feed, OPERATION_PAUSE, STEP_PERSIST, request_id);
    c->has_work = true;
    return SLUICE_OK;
}

static stored_changefeed_t *prepare_resume(feed_t *feed)
{
    stored_changefeed_t *next = feed_prepare_next(feed);
    next->state = CHANGEFEED_NORMAL;
    next->error = SLUICE_OK;
    next->error_text = (bytes_t){0};
    next->maintainer_epoch++;
    return next;
}

sluice_error_t coordinator_resume(coordinator_t *c, mono_ns_t now, uint64_t request_id,
                                  bytes_t name, bytes_t gtid_list, error_report_t *report)
{
    feed_t *feed;
    sluice_error_t error = find_at_rest(c, name, &feed, report);
    if (error != SLUICE_OK)
        return error;
    c->has_work = true;
    if (gtid_list.len == 0) {
        prepare_resume(feed);
        feed_begin(feed, OPERATION_RESUME, STEP_PERSIST, request_id);
        return SLUICE_OK;
    }
    error = need_node(c, report);
    if (error != SLUICE_OK)
        return error;
    stored_changefeed_t *next = prepare_resume(feed);
    next->ref.generation++;
    next->config.start = START_POSITION;
    next->config.start_gtid_list = arena_bytes(&feed->next_arena, gtid_list);
    feed_begin(feed, OPERATION_OVERWRITE, STEP_CHECKING, request_id);
    check_begin(c, now, feed);
    return SLUICE_OK;
}

sluice_error_t coordinator_remove(coordinator_t *c, mono_ns_t now, uint64_t request_id,
                                  bytes_t name, error_report_t *report)
{
    feed_t *feed;
    sluice_error_t error = find_idle(c, name, &feed, report);
    if (error != SLUICE_OK)
        return error;
    (void)now;
    feed_prepare_next(feed)->state = CHANGEFEED_REMOVED;
    feed_begin(feed, OPERATION_REMOVE, STEP_PERSIST, request_id);
    c->has_work = true;
    return SLUICE_OK;
}

static bool carries_the_same(const changefeed_config_t *a, const changefeed_config_t *b)
{
    if (!bytes_equal(a->source, b->source) || a->domain != b->domain ||
        a->filter_rule_count != b->filter_rule_count)
        return false;
    for (uint32_t i = 0; i < a->filter_rule_count; i++)
        if (!bytes_equal(a->filter_rules[i], b->filter_rules[i]))
            return false;
    return true;
}

sluice_error_t coordinator_update(coordinator_t *c, mono_ns_t now, uint64_t request_id,
                                  bytes_t name, const changefeed_config_t *config,
                                  error_report_t *report)
{
    (void)now;
    feed_t *feed;
    sluice_error_t error = find_at_rest(c, name, &feed, report);
    if (error != SLUICE_OK)
        return error;
    if (!carries_the_same(&feed->stored.config, config))
        return error_report_set(report, SLUICE_ERROR_CONFIGURATION,
                                "source, domain and filter cannot be changed; create another "
                                "changefeed");
    stored_changefeed_t *next = feed_prepare_next(feed);
    changefeed_config_t changed = changefeed_config_copy(&feed->next_arena, config);
    next->config.sink = changed.sink;
    next->config.options = changed.options;
    next->config.option_count = changed.option_count;
    feed_begin(feed, OPERATION_UPDATE, STEP_PERSIST, request_id);
    c->has_work = true;
    return SLUICE_OK;
}

static sluice_error_t find_node(const coordinator_t *c, const node_id_t *id, node_index_t *node,
                                error_report_t *report)
{
    *node = node_set_find(c->nodes, id);
    if (node_index_is_none(*node) || !node_set_at(c->nodes, *node)->is_present)
        return error_report_set(report, SLUICE_ERROR_NOT_FOUND, "no node %s is connected",
                                id->text);
    return SLUICE_OK;
}

sluice_error_t coordinator_move_table(coordinator_t *c, mono_ns_t now, uint64_t request_id,
                                      bytes_t name, table_id_t table_id, const node_id_t *id,
                                      error_report_t *report)
{
    (void)now;
    feed_t *feed;
    node_index_t node;
    sluice_error_t error = find_idle(c, name, &feed, report);
    if (error == SLUICE_OK)
        error = find_node(c, id, &node, report);
    if (error != SLUICE_OK)
        return error;
    if (!feed->maintainer)
        return error_report_set(report, SLUICE_ERROR_STATE, "the changefeed is %s",
                                changefeed_state_name(feed->stored.state));
    c->has_work = true;
    return maintainer_move_table(feed->maintainer, request_id, table_id, node, report);
}

sluice_error_t coordinator_drain(coordinator_t *c, mono_ns_t now, uint64_t request_id,
                                 const node_id_t *id, error_report_t *report)
{
    (void)now;
    node_index_t node;
    sluice_error_t error = find_node(c, id, &node, report);
    if (error != SLUICE_OK)
        return error;
    bool is_other = false;
    for (uint32_t i = 0; i < node_set_capacity(c->nodes); i++) {
        const node_entry_t *entry = node_set_at(c->nodes, (node_index_t){i});
        is_other |= i != node.v && entry->is_used && entry->is_present && !entry->is_leaving &&
                    !entry->is_draining;
    }
    if (!is_other)
        return error_report_set(report, SLUICE_ERROR_STATE, "there is no other node to take over");
    node_set_drain(c->nodes, node);
    c->has_work = true;
    if (request_id == 0)
        return SLUICE_OK;
    if (c->answer_count == c->answer_capacity) {
        c->answer_capacity = c->answer_capacity ? c->answer_capacity * 2 : 8;
        c->answers = memory_realloc(c->answers, c->answer_capacity * sizeof *c->answers);
    }
    c->answers[c->answer_count++] = request_id;
    return SLUICE_OK;
}
