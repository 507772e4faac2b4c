/*
 * What the tests of a session share: one session, the requests it has made, and events for it.
 *
 * Threads: one.
 */
#ifndef SLUICE_TESTS_UNIT_EVENT_SESSION_FIXTURE_H
#define SLUICE_TESTS_UNIT_EVENT_SESSION_FIXTURE_H

#include "tests/testing.h"

#include <stdlib.h>

#include "dispatcher/core/session.h"

#define REMOTE_1 ((service_id_t){11})
#define REMOTE_2 ((service_id_t){12})
#define ID ((dispatcher_id_t){7, 9})

typedef struct {
    session_t session;
    session_options_t options;
    session_counters_t counters;
    session_requests_t requests;
    uint32_t looked_at;
    position_t position;
    mono_ns_t now;
    table_definition_t *definition;
    transaction_t *transaction; /* of rows that come; NULL: it does not matter */
    bool continues;             /* a later part of the transaction has more rows */
} fixture_t;

static inline position_t position_of(void *context, dispatcher_id_t dispatcher_id)
{
    assert_true(dispatcher_id_equal(dispatcher_id, ID));
    return ((fixture_t *)context)->position;
}

static inline session_step_t step_of(fixture_t *f)
{
    return (session_step_t){.options = &f->options,
                            .counters = &f->counters,
                            .requests = &f->requests,
                            .position_of = position_of,
                            .context = f,
                            .now = f->now};
}

static inline fixture_t *begin(position_t start, bool has_callback)
{
    fixture_t *f = calloc(1, sizeof *f);
    f->options = session_options_default();
    f->position = start;
    f->now = (mono_ns_t){100 * NS_PER_S};
    f->definition = table_definition_new();
    session_start_t about = {.dispatcher_id = ID,
                             .span = {.table_id = {5}},
                             .created = {3},
                             .start = start,
                             .has_callback = has_callback};
    session_init(&f->session, &about);
    session_step_t step = step_of(f);
    session_run(&f->session, &step);
    return f;
}

static inline void end(fixture_t *f)
{
    const table_definition_t *definition = f->definition;
    assert_int_equal(f->looked_at, f->requests.count);
    table_definition_unref(&definition);
    session_requests_clear(&f->requests);
    free(f);
}

static inline stream_request_t expect(fixture_t *f, stream_request_kind_t kind,
                                      service_id_t service)
{
    assert_true(f->looked_at < f->requests.count);
    session_request_t *request = &f->requests.items[f->looked_at++];
    assert_int_equal(request->request.kind, kind);
    assert_int_equal(request->service.v, service.v);
    assert_true(dispatcher_id_equal(request->request.dispatcher_id, ID));
    return request->request;
}

static inline void expect_nothing(fixture_t *f)
{
    assert_int_equal(f->looked_at, f->requests.count);
}

static inline session_result_t handle_event(fixture_t *f, service_id_t from, stream_event_t event)
{
    session_step_t step = step_of(f);
    event.dispatcher_id = ID;
    return session_handle(&f->session, from, &event, &step);
}

static inline session_result_t signal_from(fixture_t *f, service_id_t from, stream_kind_t kind)
{
    return handle_event(f, from, (stream_event_t){.kind = kind});
}

/* One event of the stream of the current epoch from the current service. */
static inline session_result_t stream(fixture_t *f, stream_kind_t kind, uint64_t sequence,
                                      uint64_t ts)
{
    table_rows_t rows = {.definition = f->definition, .bytes = 1000, .continues = f->continues};
    ddl_event_t ddl = {.sql = bytes_of_text("alter table t add b int")};
    stream_event_t event = {.kind = kind,
                            .epoch = f->session.epoch,
                            .sequence = sequence,
                            .commit_ts = {ts},
                            .transaction = kind == STREAM_ROWS ? f->transaction : NULL,
                            .rows = kind == STREAM_ROWS ? &rows : NULL,
                            .ddl = kind == STREAM_DDL ? &ddl : NULL};
    return handle_event(f, f->session.current, event);
}

static inline void probe(fixture_t *f, const service_id_t *services, uint32_t count)
{
    session_step_t step = step_of(f);
    session_probe(&f->session, services, count, &step);
}

static inline void remove_session(fixture_t *f)
{
    session_step_t step = step_of(f);
    session_remove(&f->session, &step);
}

static inline void tick_at_deadline(fixture_t *f)
{
    f->now = session_next_deadline(&f->session);
    session_step_t step = step_of(f);
    session_tick(&f->session, &step);
}

static inline fixture_t *begin_local(uint64_t checkpoint)
{
    fixture_t *f = begin((position_t){{checkpoint}, EVENT_KEY_NONE}, false);
    expect(f, STREAM_REGISTER, SERVICE_LOCAL);
    signal_from(f, SERVICE_LOCAL, STREAM_READY);
    expect(f, STREAM_RESET, SERVICE_LOCAL);
    return f;
}

static inline fixture_t *begin_open(uint64_t checkpoint)
{
    fixture_t *f = begin_local(checkpoint);
    assert_int_equal(stream(f, STREAM_HANDSHAKE, 1, checkpoint), SESSION_RESULT_OPENED);
    return f;
}

#endif
