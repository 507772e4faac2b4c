/* What a changefeed has to do with other nodes: who could serve it, reading from them, serving
 * them.
 */
#include <stdlib.h>

#include "common/base/memory.h"
#include "dispatcher/core/node/node_changefeed_internal.h"

#define TAKEN_MAX 256
#define STORE_INTERVAL_NS NS_PER_S
/* What was told may have been lost. */
#define STORE_REPEAT_NS (10 * NS_PER_S)
#define LOG_INTERVAL_NS NS_PER_S

/* ---- who could serve ---- */

/* The commit_time of `start`, or a little before. */
static wall_ms_t time_of(const node_changefeed_t *changefeed, commit_ts_t start)
{
    anchor_t anchor;
    bool is_known = changefeed->feed.anchor(changefeed->feed.self, start, &anchor);
    return is_known ? anchor.commit_time : (wall_ms_t){0};
}

void node_changefeed_ask(node_changefeed_t *changefeed, const stream_request_t *request)
{
    node_questions_t *asked = &changefeed->questions;
    if (asked->count == asked->capacity) {
        asked->capacity = asked->capacity ? asked->capacity * 2 : 16;
        asked->items = memory_realloc(asked->items, asked->capacity * sizeof *asked->items);
    }
    uint64_t lag_ms = changefeed->candidate_lag_ms;
    wall_ms_t time = time_of(changefeed, request->position.checkpoint);
    asked->items[asked->count++] = (candidates_question_t){
        .dispatcher_id = request->dispatcher_id,
        .table_id = request->span.table_id,
        .start = request->position.checkpoint,
        .resolved_time_min = {time.v > lag_ms ? time.v - lag_ms : 0},
    };
}

/* What cannot be sent is asked again by its session. */
static void send_questions(node_changefeed_t *changefeed)
{
    node_questions_t *asked = &changefeed->questions;
    for (uint32_t sent = 0; sent < asked->count; sent += CANDIDATES_QUESTIONS_MAX) {
        message_t message = node_changefeed_message(changefeed, MESSAGE_CANDIDATES_REQUEST);
        candidates_request_t *request = &message.candidates_request;
        request->changefeed = changefeed->ref;
        request->questions = asked->items + sent;
        request->question_count = asked->count - sent < CANDIDATES_QUESTIONS_MAX
                                      ? asked->count - sent
                                      : CANDIDATES_QUESTIONS_MAX;
        (void)!node_link_send_control(changefeed->link, &message);
    }
    asked->count = 0;
}

void node_changefeed_handle_candidates(node_changefeed_t *changefeed,
                                       const candidates_response_t *response, mono_ns_t now)
{
    const node_others_t *others = changefeed->others;
    if (!others)
        return;
    for (uint32_t i = 0; i < response->answer_count; i++) {
        const candidates_answer_t *answer = &response->answers[i];
        service_id_t services[CANDIDATES_MAX];
        uint32_t count = 0;
        for (uint32_t j = 0; j < answer->count; j++) {
            service_id_t service = remote_services_meet(
                others->services, &response->nodes[answer->nodes[j]], others->own, now);
            if (!service_equal(service, SERVICE_NONE))
                services[count++] = service;
        }
        session_set_probe(changefeed->sessions, answer->dispatcher_id, services, count, now);
    }
}

/* ---- reading from others ---- */

void node_changefeed_ask_service(node_changefeed_t *changefeed, service_id_t service,
                                 const stream_request_t *request, mono_ns_t now)
{
    stream_request_t own = *request;
    own.group_bytes_max = changefeed->feed.group_bytes_max;
    remote_services_request(changefeed->others->services, service, changefeed->ref, &own, now);
}

void node_changefeed_hear(node_changefeed_t *changefeed, service_id_t service,
                          const stream_events_t *message, mono_ns_t now)
{
    stream_decoder_t *decoder = remote_services_decoder(changefeed->others->services, service);
    for (uint32_t i = 0; decoder && i < message->event_count; i++) {
        stream_event_t event;
        if (stream_decoder_take(decoder, message, i, &event))
            node_changefeed_take_event(changefeed, service, &event, now);
    }
    node_changefeed_carry_out(changefeed, now);
}

void node_changefeed_service_gone(node_changefeed_t *changefeed, service_id_t service,
                                  mono_ns_t now)
{
    session_set_service_gone(changefeed->sessions, service, now);
    node_changefeed_carry_out(changefeed, now);
}

void node_changefeed_service_up(node_changefeed_t *changefeed, service_id_t service, mono_ns_t now)
{
    session_set_service_up(changefeed->sessions, service, now);
    node_changefeed_carry_out(changefeed, now);
}

/* ---- serving others ---- */

void node_changefeed_request(node_changefeed_t *changefeed, const stream_request_t *request)
{
    changefeed->feed.request(changefeed->feed.self, request);
}

void node_changefeed_serve(node_changefeed_t *changefeed)
{
    remote_sessions_t *sessions = changefeed->others->sessions;
    stream_event_t events[TAKEN_MAX];
    uint32_t count = TAKEN_MAX;
    while (count == TAKEN_MAX && remote_sessions_has_room(sessions)) {
        count = changefeed->feed.take_remote(changefeed->feed.self, events, TAKEN_MAX);
        for (uint32_t i = 0; i < count; i++)
            remote_sessions_give(sessions, changefeed->ref, &events[i]);
    }
}

/* ---- what is held here ---- */

static bool is_same_state(const event_store_report_t *a, const event_store_report_t *b)
{
    return a->is_served == b->is_served && a->floor.v == b->floor.v &&
           a->resolved.v == b->resolved.v && a->resolved_time.v == b->resolved_time.v &&
           a->floor_count == b->floor_count &&
           (a->floor_count == 0 ||
            memcmp(a->floors, b->floors, a->floor_count * sizeof *a->floors) == 0);
}

static void note_told(node_changefeed_t *changefeed, const event_store_report_t *state)
{
    node_store_report_t *report = &changefeed->store;
    size_t bytes = state->floor_count * sizeof *state->floors;
    report->told = *state;
    report->floors = memory_realloc(report->floors, bytes ? bytes : 1);
    if (bytes)
        memcpy(report->floors, state->floors, bytes);
    report->told.floors = report->floors;
}

static void report_store(node_changefeed_t *changefeed, mono_ns_t now)
{
    node_store_report_t *report = &changefeed->store;
    if (!mono_reached(report->at, now))
        return;
    report->at = mono_add(now, STORE_INTERVAL_NS);
    store_floor_t *floors = memory_alloc(STORE_FLOORS_MAX * sizeof *floors);
    event_store_report_t state = {.changefeed = changefeed->ref};
    if (changefeed->feed.holds(changefeed->feed.self, &state, floors)) {
        event_feed_state_t feed;
        changefeed->feed.state(changefeed->feed.self, &feed);
        state.is_served = feed.error == SLUICE_OK && changefeed->error == SLUICE_OK;
        message_t message = node_changefeed_message(changefeed, MESSAGE_EVENT_STORE_STATE);
        message.event_store_state = state;
        uint64_t epoch = message.header.maintainer_epoch;
        bool is_due = report->told_epoch != epoch || mono_reached(report->repeat_at, now) ||
                      !is_same_state(&report->told, &state);
        if (is_due && node_link_send_status(changefeed->link, &message) == SLUICE_OK) {
            note_told(changefeed, &state);
            report->told_epoch = epoch;
            report->repeat_at = mono_add(now, STORE_REPEAT_NS);
        }
    }
    free(floors);
}

/* ---- the loop's step ---- */

/* One line when tables begin or cease to be read from other nodes, and when the source has to be
 * read again since nobody else held them. */
static void log_others(node_changefeed_t *changefeed, mono_ns_t now)
{
    session_counters_t counters = session_set_counters(changefeed->sessions);
    node_others_log_t *logged = &changefeed->logged_others;
    bool has_news = counters.others_read != logged->others_read ||
                    counters.reading_others != logged->reading_others ||
                    counters.last_resorts != logged->last_resorts;
    if (!has_news || !mono_reached(logged->at, now))
        return;
    const char *text = counters.reading_others ? "dispatchers read from other nodes"
                       : counters.last_resorts != logged->last_resorts
                           ? "no other node holds what dispatchers need"
                           : "no dispatcher reads from another node any more";
    NODE_LOG(changefeed->host, LOG_LEVEL_INFO, node_changefeed_name(changefeed), text,
             log_number("reading", counters.reading_others),
             log_number("begun", counters.others_read - logged->others_read),
             log_number("from_the_source", counters.last_resorts - logged->last_resorts));
    *logged = (node_others_log_t){.at = mono_add(now, LOG_INTERVAL_NS),
                                  .others_read = counters.others_read,
                                  .reading_others = counters.reading_others,
                                  .last_resorts = counters.last_resorts};
}

void node_changefeed_run_others(node_changefeed_t *changefeed, mono_ns_t now)
{
    if (!changefeed->others)
        return;
    send_questions(changefeed);
    report_store(changefeed, now);
    log_others(changefeed, now);
}

void node_changefeed_clear_others(node_changefeed_t *changefeed)
{
    free(changefeed->questions.items);
    free(changefeed->store.floors);
}
