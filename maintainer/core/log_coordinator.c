#include "maintainer/core/log_coordinator.h"

#include <stdlib.h>

#include "common/base/memory.h"

/* What one node holds of one changefeed. */
typedef struct {
    node_index_t node;
    changefeed_ref_t ref;
    bool is_served;
    commit_ts_t floor, resolved;
    wall_ms_t resolved_time;
    store_floor_t *floors; /* ascending table ids */
    uint32_t floor_count;
} report_t;

typedef struct {
    node_index_t node;
    changefeed_ref_t ref;
    uint64_t maintainer_epoch;
    candidates_question_t *questions;
    uint32_t count;
} request_t;

struct log_coordinator {
    const node_set_t *nodes;
    report_t *reports;
    uint32_t report_count, report_capacity;
    request_t *requests;
    uint32_t request_count, request_capacity;
    uint32_t question_count; /* of all requests */
};

log_coordinator_t *log_coordinator_new(const node_set_t *nodes)
{
    log_coordinator_t *coordinator = memory_zalloc(sizeof *coordinator);
    coordinator->nodes = nodes;
    return coordinator;
}

static void forget_questions(log_coordinator_t *coordinator)
{
    for (uint32_t i = 0; i < coordinator->request_count; i++)
        free(coordinator->requests[i].questions);
    coordinator->request_count = coordinator->question_count = 0;
}

void log_coordinator_destroy(log_coordinator_t **coordinator)
{
    log_coordinator_t *self = *coordinator;
    *coordinator = NULL;
    if (!self)
        return;
    forget_questions(self);
    for (uint32_t i = 0; i < self->report_count; i++)
        free(self->reports[i].floors);
    free(self->reports);
    free(self->requests);
    free(self);
}

/* ---- reports ---- */

static report_t *find_report(log_coordinator_t *coordinator, node_index_t node,
                             changefeed_uuid_t uuid)
{
    for (uint32_t i = 0; i < coordinator->report_count; i++) {
        report_t *report = &coordinator->reports[i];
        if (report->node.v == node.v && changefeed_uuid_equal(report->ref.uuid, uuid))
            return report;
    }
    return NULL;
}

static report_t *add_report(log_coordinator_t *coordinator)
{
    if (coordinator->report_count == coordinator->report_capacity) {
        coordinator->report_capacity =
            coordinator->report_capacity ? coordinator->report_capacity * 2 : 16;
        coordinator->reports = memory_realloc(
            coordinator->reports, coordinator->report_capacity * sizeof *coordinator->reports);
    }
    report_t *report = &coordinator->reports[coordinator->report_count++];
    *report = (report_t){0};
    return report;
}

static int compare_tables(const void *a, const void *b)
{
    const store_floor_t *left = a, *right = b;
    return (left->table_id.v > right->table_id.v) - (left->table_id.v < right->table_id.v);
}

void log_coordinator_report(log_coordinator_t *coordinator, node_index_t node,
                            const event_store_report_t *state)
{
    report_t *report = find_report(coordinator, node, state->changefeed.uuid);
    if (!report)
        report = add_report(coordinator);
    free(report->floors);
    *report = (report_t){.node = node,
                         .ref = state->changefeed,
                         .is_served = state->is_served,
                         .floor = state->floor,
                         .resolved = state->resolved,
                         .resolved_time = state->resolved_time,
                         .floor_count = state->floor_count};
    if (state->floor_count == 0)
        return;
    size_t bytes = state->floor_count * sizeof *report->floors;
    report->floors = memory_alloc(bytes);
    memcpy(report->floors, state->floors, bytes);
    qsort(report->floors, report->floor_count, sizeof *report->floors, compare_tables);
}

static void drop_report(log_coordinator_t *coordinator, uint32_t index)
{
    free(coordinator->reports[index].floors);
    coordinator->reports[index] = coordinator->reports[--coordinator->report_count];
}

void log_coordinator_forget_node(log_coordinator_t *coordinator, node_index_t node)
{
    for (uint32_t i = coordinator->report_count; i > 0; i--)
        if (coordinator->reports[i - 1].node.v == node.v)
            drop_report(coordinator, i - 1);
}

void log_coordinator_forget_changefeed(log_coordinator_t *coordinator, changefeed_uuid_t uuid)
{
    for (uint32_t i = coordinator->report_count; i > 0; i--)
        if (changefeed_uuid_equal(coordinator->reports[i - 1].ref.uuid, uuid))
            drop_report(coordinator, i - 1);
}

uint32_t log_coordinator_count(const log_coordinator_t *coordinator)
{
    return coordinator->report_count;
}

/* ---- candidates ---- */

static commit_ts_t floor_of(const report_t *report, table_id_t table_id)
{
    store_floor_t wanted = {.table_id = table_id};
    const store_floor_t *named = report->floor_count
                                     ? bsearch(&wanted, report->floors, report->floor_count,
                                               sizeof *report->floors, compare_tables)
                                     : NULL;
    return named && named->floor.v > report->floor.v ? named->floor : report->floor;
}

static bool can_serve(const log_coordinator_t *coordinator, const report_t *report,
                      changefeed_ref_t ref, const candidates_question_t *question)
{
    const node_entry_t *node = node_set_at(coordinator->nodes, report->node);
    if (!node->is_present || node->is_leaving || node->events[0] == '\0' || !report->is_served ||
        report->ref.generation != ref.generation ||
        !changefeed_uuid_equal(report->ref.uuid, ref.uuid))
        return false;
    commit_ts_t floor = floor_of(report, question->table_id);
    return floor.v <= question->start.v && floor.v < report->resolved.v &&
           report->resolved_time.v >= question->resolved_time_min.v;
}

static bool is_better(const report_t *a, const report_t *b)
{
    return a->resolved.v != b->resolved.v ? a->resolved.v > b->resolved.v : a->node.v < b->node.v;
}

uint32_t log_coordinator_candidates(const log_coordinator_t *coordinator, changefeed_ref_t ref,
                                    node_index_t asker, const candidates_question_t *question,
                                    node_index_t candidates[CANDIDATES_MAX])
{
    const report_t *best[CANDIDATES_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < coordinator->report_count; i++) {
        const report_t *report = &coordinator->reports[i];
        if (report->node.v == asker.v || !can_serve(coordinator, report, ref, question))
            continue;
        uint32_t place = count;
        while (place > 0 && is_better(report, best[place - 1]))
            place--;
        if (place == CANDIDATES_MAX)
            continue;
        if (count < CANDIDATES_MAX)
            count++;
        for (uint32_t j = count - 1; j > place; j--)
            best[j] = best[j - 1];
        best[place] = report;
    }
    for (uint32_t i = 0; i < count; i++)
        candidates[i] = best[i]->node;
    return count;
}

/* ---- questions ---- */

void log_coordinator_ask(log_coordinator_t *coordinator, node_index_t node,
                         uint64_t maintainer_epoch, const candidates_request_t *request)
{
    if (request->question_count == 0 ||
        request->question_count > LOG_COORDINATOR_QUESTIONS_MAX - coordinator->question_count)
        return;
    if (coordinator->request_count == coordinator->request_capacity) {
        coordinator->request_capacity =
            coordinator->request_capacity ? coordinator->request_capacity * 2 : 16;
        coordinator->requests = memory_realloc(
            coordinator->requests, coordinator->request_capacity * sizeof *coordinator->requests);
    }
    request_t *own = &coordinator->requests[coordinator->request_count++];
    *own = (request_t){.node = node,
                       .ref = request->changefeed,
                       .maintainer_epoch = maintainer_epoch,
                       .count = request->question_count};
    size_t bytes = request->question_count * sizeof *own->questions;
    own->questions = memory_alloc(bytes);
    memcpy(own->questions, request->questions, bytes);
    coordinator->question_count += request->question_count;
}

bool log_coordinator_has_questions(const log_coordinator_t *coordinator)
{
    return coordinator->request_count > 0;
}

/* The place of a node in the response's list. */
static uint32_t place_of(const log_coordinator_t *coordinator, node_index_t node,
                         candidate_t *nodes, uint32_t *count)
{
    const node_entry_t *entry = node_set_at(coordinator->nodes, node);
    for (uint32_t i = 0; i < *count; i++)
        if (node_id_equal(&nodes[i].node, &entry->id))
            return i;
    nodes[*count] = (candidate_t){.node = entry->id,
                                  .incarnation = entry->incarnation,
                                  .slot = entry->slot,
                                  .events = bytes_of_text(entry->events)};
    return (*count)++;
}

static void answer(const log_coordinator_t *coordinator, const sender_t *sender,
                   const request_t *request)
{
    message_t *message = sender_message(sender, request->node, MESSAGE_CANDIDATES_RESPONSE);
    if (!message)
        return;
    message->header.maintainer_epoch = request->maintainer_epoch;
    arena_t *arena = &sender->effects->arena;
    candidate_t *nodes = arena_calloc(arena, node_set_capacity(coordinator->nodes), sizeof *nodes);
    candidates_answer_t *answers = arena_calloc(arena, request->count, sizeof *answers);
    uint32_t node_count = 0;
    for (uint32_t i = 0; i < request->count; i++) {
        node_index_t found[CANDIDATES_MAX];
        answers[i].dispatcher_id = request->questions[i].dispatcher_id;
        answers[i].count = log_coordinator_candidates(coordinator, request->ref, request->node,
                                                      &request->questions[i], found);
        for (uint32_t j = 0; j < answers[i].count; j++)
            answers[i].nodes[j] = place_of(coordinator, found[j], nodes, &node_count);
    }
    message->candidates_response = (candidates_response_t){.changefeed = request->ref,
                                                           .nodes = nodes,
                                                           .node_count = node_count,
                                                           .answers = answers,
                                                           .answer_count = request->count};
}

void log_coordinator_answer(log_coordinator_t *coordinator, const sender_t *sender)
{
    for (uint32_t i = 0; i < coordinator->request_count; i++)
        answer(coordinator, sender, &coordinator->requests[i]);
    forget_questions(coordinator);
}
