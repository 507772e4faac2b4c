/* The log coordinator: what event stores hold, and who could serve a table. */
#include "common/wire/codec_internal.h"

/* ---- what is held ---- */

sluice_error_t codec_encode_event_store_state(codec_t *codec, const message_t *message,
                                              ProtobufCMessage **body)
{
    const event_store_report_t *state = &message->event_store_state;
    if (state->floor_count > STORE_FLOORS_MAX)
        return SLUICE_ERROR_TOO_LARGE;
    Wire__EventStoreState *to = codec_new(codec, &wire__event_store_state__descriptor);
    to->changefeed = codec_put_changefeed(codec, &state->changefeed);
    to->is_served = state->is_served;
    to->floor = state->floor.v;
    to->resolved = state->resolved.v;
    to->resolved_time = state->resolved_time.v;
    to->n_tables = to->n_floors = state->floor_count;
    to->tables = arena_calloc(codec->arena, state->floor_count, sizeof *to->tables);
    to->floors = arena_calloc(codec->arena, state->floor_count, sizeof *to->floors);
    for (uint32_t i = 0; i < state->floor_count; i++) {
        to->tables[i] = state->floors[i].table_id.v;
        to->floors[i] = state->floors[i].floor.v;
    }
    *body = &to->base;
    return SLUICE_OK;
}

sluice_error_t codec_decode_event_store_state(codec_t *codec, const ProtobufCMessage *body,
                                              message_t *message)
{
    const Wire__EventStoreState *from = (const Wire__EventStoreState *)body;
    event_store_report_t *state = &message->event_store_state;
    *state = (event_store_report_t){.is_served = from->is_served,
                                    .floor = {from->floor},
                                    .resolved = {from->resolved},
                                    .resolved_time = {from->resolved_time}};
    if (from->n_tables > STORE_FLOORS_MAX)
        return SLUICE_ERROR_TOO_LARGE;
    if (!codec_get_changefeed(from->changefeed, &state->changefeed) ||
        from->n_floors != from->n_tables || from->resolved == COMMIT_TS_MAX.v)
        return SLUICE_ERROR_MALFORMED;
    store_floor_t *floors = arena_calloc(codec->arena, from->n_tables, sizeof *floors);
    for (size_t i = 0; i < from->n_tables; i++)
        floors[i] = (store_floor_t){{from->tables[i]}, {from->floors[i]}};
    state->floors = floors;
    state->floor_count = (uint32_t)from->n_tables;
    return SLUICE_OK;
}

/* ---- questions ---- */

sluice_error_t codec_encode_candidates_request(codec_t *codec, const message_t *message,
                                               ProtobufCMessage **body)
{
    const candidates_request_t *request = &message->candidates_request;
    uint32_t count = request->question_count;
    if (count > CANDIDATES_QUESTIONS_MAX)
        return SLUICE_ERROR_TOO_LARGE;
    Wire__CandidatesRequest *to = codec_new(codec, &wire__candidates_request__descriptor);
    to->changefeed = codec_put_changefeed(codec, &request->changefeed);
    dispatcher_id_t *ids = arena_calloc(codec->arena, count, sizeof *ids);
    to->tables = arena_calloc(codec->arena, count, sizeof *to->tables);
    to->starts = arena_calloc(codec->arena, count, sizeof *to->starts);
    to->resolved_times_min = arena_calloc(codec->arena, count, sizeof *to->resolved_times_min);
    for (uint32_t i = 0; i < count; i++) {
        const candidates_question_t *question = &request->questions[i];
        ids[i] = question->dispatcher_id;
        to->tables[i] = question->table_id.v;
        to->starts[i] = question->start.v;
        to->resolved_times_min[i] = question->resolved_time_min.v;
    }
    to->dispatchers = codec_put_ids(ids);
    to->n_dispatchers = (size_t)count * 2;
    to->n_tables = to->n_starts = to->n_resolved_times_min = count;
    *body = &to->base;
    return SLUICE_OK;
}

sluice_error_t codec_decode_candidates_request(codec_t *codec, const ProtobufCMessage *body,
                                               message_t *message)
{
    const Wire__CandidatesRequest *from = (const Wire__CandidatesRequest *)body;
    candidates_request_t *request = &message->candidates_request;
    const dispatcher_id_t *ids;
    uint32_t count;
    if (from->n_tables > CANDIDATES_QUESTIONS_MAX)
        return SLUICE_ERROR_TOO_LARGE;
    if (!codec_get_changefeed(from->changefeed, &request->changefeed) ||
        !codec_get_ids(from->dispatchers, from->n_dispatchers, &ids, &count) ||
        from->n_tables != count || from->n_starts != count || from->n_resolved_times_min != count)
        return SLUICE_ERROR_MALFORMED;
    candidates_question_t *questions = arena_calloc(codec->arena, count, sizeof *questions);
    for (uint32_t i = 0; i < count; i++)
        questions[i] = (candidates_question_t){.dispatcher_id = ids[i],
                                               .table_id = {from->tables[i]},
                                               .start = {from->starts[i]},
                                               .resolved_time_min = {from->resolved_times_min[i]}};
    request->questions = questions;
    request->question_count = count;
    return SLUICE_OK;
}

/* ---- answers ---- */

static Wire__Candidate *put_candidate(codec_t *codec, const candidate_t *candidate)
{
    Wire__Candidate *to = codec_new(codec, &wire__candidate__descriptor);
    to->node = codec_put_bytes(bytes_of_text(candidate->node.text));
    to->incarnation = candidate->incarnation.v;
    to->slot = candidate->slot;
    to->events = codec_put_bytes(candidate->events);
    return to;
}

static void put_answers(codec_t *codec, const candidates_response_t *response,
                        Wire__CandidatesResponse *to)
{
    uint32_t count = response->answer_count;
    dispatcher_id_t *ids = arena_calloc(codec->arena, count, sizeof *ids);
    to->counts = arena_calloc(codec->arena, count, sizeof *to->counts);
    to->places = arena_calloc(codec->arena, (size_t)count * CANDIDATES_MAX, sizeof *to->places);
    for (uint32_t i = 0; i < count; i++) {
        const candidates_answer_t *answer = &response->answers[i];
        ids[i] = answer->dispatcher_id;
        to->counts[i] = answer->count;
        for (uint32_t j = 0; j < answer->count; j++)
            to->places[to->n_places++] = answer->nodes[j];
    }
    to->dispatchers = codec_put_ids(ids);
    to->n_dispatchers = (size_t)count * 2;
    to->n_counts = count;
}

sluice_error_t codec_encode_candidates_response(codec_t *codec, const message_t *message,
                                                ProtobufCMessage **body)
{
    const candidates_response_t *response = &message->candidates_response;
    if (response->answer_count > CANDIDATES_QUESTIONS_MAX ||
        response->node_count > ENTRIES_PER_PIECE_MAX)
        return SLUICE_ERROR_TOO_LARGE;
    Wire__CandidatesResponse *to = codec_new(codec, &wire__candidates_response__descriptor);
    to->changefeed = codec_put_changefeed(codec, &response->changefeed);
    to->n_nodes = response->node_count;
    to->nodes = arena_calloc(codec->arena, response->node_count, sizeof *to->nodes);
    for (uint32_t i = 0; i < response->node_count; i++)
        to->nodes[i] = put_candidate(codec, &response->nodes[i]);
    put_answers(codec, response, to);
    *body = &to->base;
    return SLUICE_OK;
}

static bool get_candidate(const Wire__Candidate *from, candidate_t *candidate)
{
    *candidate = (candidate_t){.incarnation = {from->incarnation},
                               .slot = from->slot,
                               .events = codec_get_bytes(from->events)};
    return from->slot < NODE_SLOTS_MAX &&
           node_id_parse(codec_get_bytes(from->node), &candidate->node) &&
           codec_is_endpoint(candidate->events);
}

/* Places beyond the list are wrong as a whole: what else they say cannot be trusted. */
static bool get_answers(codec_t *codec, const Wire__CandidatesResponse *from,
                        candidates_response_t *response)
{
    const dispatcher_id_t *ids;
    uint32_t count;
    if (!codec_get_ids(from->dispatchers, from->n_dispatchers, &ids, &count) ||
        from->n_counts != count)
        return false;
    candidates_answer_t *answers = arena_calloc(codec->arena, count, sizeof *answers);
    size_t at = 0;
    for (uint32_t i = 0; i < count; i++) {
        answers[i].dispatcher_id = ids[i];
        answers[i].count = from->counts[i];
        if (from->counts[i] > CANDIDATES_MAX || from->counts[i] > from->n_places - at)
            return false;
        for (uint32_t j = 0; j < from->counts[i]; j++) {
            answers[i].nodes[j] = from->places[at++];
            if (answers[i].nodes[j] >= response->node_count)
                return false;
        }
    }
    response->answers = answers;
    response->answer_count = count;
    return at == from->n_places;
}

sluice_error_t codec_decode_candidates_response(codec_t *codec, const ProtobufCMessage *body,
                                                message_t *message)
{
    const Wire__CandidatesResponse *from = (const Wire__CandidatesResponse *)body;
    candidates_response_t *response = &message->candidates_response;
    if (from->n_counts > CANDIDATES_QUESTIONS_MAX || from->n_nodes > ENTRIES_PER_PIECE_MAX)
        return SLUICE_ERROR_TOO_LARGE;
    if (!codec_get_changefeed(from->changefeed, &response->changefeed))
        return SLUICE_ERROR_MALFORMED;
    candidate_t *nodes = arena_calloc(codec->arena, from->n_nodes, sizeof *nodes);
    for (size_t i = 0; i < from->n_nodes; i++)
        if (!get_candidate(from->nodes[i], &nodes[i]))
            return SLUICE_ERROR_MALFORMED;
    response->nodes = nodes;
    response->node_count = (uint32_t)from->n_nodes;
    return get_answers(codec, from, response) ? SLUICE_OK : SLUICE_ERROR_MALFORMED;
}
