#include "tests/sim/checks_sessions.h"

#include <stdlib.h>

#include "common/base/key_map.h"
#include "common/base/memory.h"

enum { EPOCHS_KEPT = 64, OWN = -1 };

/* One epoch of a session: which service it was asked of, how far it was told. */
typedef struct {
    uint64_t epoch; /* 0: none */
    int service;    /* a node's place, or OWN */
    commit_ts_t observed;
} epoch_t;

typedef struct {
    uint64_t life; /* of the node */
    bool is_removed;
    uint64_t newest_own; /* epoch asked of the own service */
    epoch_t epochs[EPOCHS_KEPT];
} session_view_t;

struct sim_session_check {
    sim_world_t *world;
    key_map_t sessions[SIM_NODES_MAX];
};

sim_session_check_t *sim_session_check_new(sim_world_t *world)
{
    sim_session_check_t *check = memory_zalloc(sizeof *check);
    check->world = world;
    return check;
}

void sim_session_check_destroy(sim_session_check_t **check)
{
    for (int i = 0; i < SIM_NODES_MAX; i++) {
        size_t at = 0;
        session_view_t *session;
        while ((session = key_map_next(&(*check)->sessions[i], &at)))
            free(session);
        key_map_clear(&(*check)->sessions[i]);
    }
    free(*check);
    *check = NULL;
}

static session_view_t *session_of(sim_session_check_t *check, const sim_process_t *node,
                                  dispatcher_id_t id)
{
    map_key_t key = {id.hi, id.lo};
    key_map_t *sessions = &check->sessions[node->index];
    session_view_t *session = key_map_get(sessions, key);
    if (!session) {
        session = memory_zalloc(sizeof *session);
        key_map_put(sessions, key, session);
    }
    if (session->life != node->life)
        *session = (session_view_t){.life = node->life};
    return session;
}

/* NULL: not asked yet, or too long ago. */
static epoch_t *epoch_of(session_view_t *session, uint64_t epoch)
{
    epoch_t *found = &session->epochs[epoch % EPOCHS_KEPT];
    return found->epoch == epoch ? found : NULL;
}

static void see_reset(sim_session_check_t *check, const sim_process_t *node,
                      session_view_t *session, int service, const stream_request_t *request)
{
    epoch_t *epoch = epoch_of(session, request->epoch);
    if (!epoch) {
        epoch = &session->epochs[request->epoch % EPOCHS_KEPT];
        *epoch = (epoch_t){request->epoch, service, request->position.checkpoint};
    }
    if (epoch->service != service)
        sim_violated(check->world, "S6", "%s asks two services for one epoch, %llu", node->name,
                     (unsigned long long)request->epoch);
    if (service != OWN)
        return;
    if (request->epoch < session->newest_own)
        sim_violated(check->world, "S1", "%s goes back from epoch %llu to %llu", node->name,
                     (unsigned long long)session->newest_own, (unsigned long long)request->epoch);
    session->newest_own = request->epoch;
}

static void see_progress(sim_session_check_t *check, const sim_process_t *node,
                         session_view_t *session, int service, const stream_request_t *request)
{
    const epoch_t *epoch = epoch_of(session, request->epoch);
    if (!epoch || epoch->service != service)
        sim_violated(check->world, "S8", "%s reports of an epoch that it did not ask for, %llu",
                     node->name, (unsigned long long)request->epoch);
    else if (request->position.checkpoint.v > epoch->observed.v)
        sim_violated(check->world, "S8", "%s reports %llu and was told of %llu in that epoch",
                     node->name, (unsigned long long)request->position.checkpoint.v,
                     (unsigned long long)epoch->observed.v);
}

static void see_register(sim_session_check_t *check, const sim_process_t *node, int service,
                         const stream_request_t *request)
{
    if (service == OWN ? request->only_reuse : !request->only_reuse || request->others_first)
        sim_violated(check->world, "SES-2", "%s registers at the wrong kind of service",
                     node->name);
}

static void see_request(sim_session_check_t *check, const sim_process_t *node, int service,
                        const stream_request_t *request)
{
    session_view_t *session = session_of(check, node, request->dispatcher_id);
    /* What goes to others may have waited for its socket. */
    if (session->is_removed && service == OWN)
        sim_violated(check->world, "S7", "%s asks for a dispatcher that was removed", node->name);
    switch (request->kind) {
    case STREAM_REGISTER:
        see_register(check, node, service, request);
        break;
    case STREAM_RESET:
        see_reset(check, node, session, service, request);
        break;
    case STREAM_HEARTBEAT:
    case STREAM_CREDIT:
        see_progress(check, node, session, service, request);
        break;
    case STREAM_REMOVE:
        session->is_removed |= service == OWN;
        break;
    }
}

static void see_event(sim_session_check_t *check, const sim_process_t *node, int service,
                      dispatcher_id_t id, stream_kind_t kind, uint64_t number, commit_ts_t ts)
{
    session_view_t *session = session_of(check, node, id);
    epoch_t *epoch = epoch_of(session, number);
    if (kind >= STREAM_HANDSHAKE && epoch && epoch->service == service && ts.v > epoch->observed.v)
        epoch->observed = ts;
}

static void see_sent(sim_session_check_t *check, const sim_moment_t *moment)
{
    const stream_requests_t *requests = &moment->message->stream_requests;
    for (uint32_t i = 0; i < requests->request_count; i++)
        see_request(check, moment->from, moment->to->index, &requests->requests[i]);
}

static void see_delivered(sim_session_check_t *check, const sim_moment_t *moment)
{
    const stream_events_t *events = &moment->message->stream_events;
    for (uint32_t i = 0; i < events->event_count; i++) {
        const stream_message_event_t *event = &events->events[i];
        see_event(check, moment->to, moment->from->index, event->dispatcher_id, event->kind,
                  event->epoch, event->commit_ts);
    }
}

void sim_session_check_see(sim_session_check_t *check, const sim_moment_t *moment)
{
    if (moment->kind == SIM_ASKED)
        see_request(check, moment->from, OWN, moment->request);
    else if (moment->kind == SIM_TOLD)
        see_event(check, moment->to, OWN, moment->event->dispatcher_id, moment->event->kind,
                  moment->event->epoch, moment->event->commit_ts);
    else if (moment->kind == SIM_SENT && moment->message->header.type == MESSAGE_STREAM_REQUESTS)
        see_sent(check, moment);
    else if (moment->kind == SIM_DELIVERED && moment->message->header.type == MESSAGE_STREAM_EVENTS)
        see_delivered(check, moment);
}
