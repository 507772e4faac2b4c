/* From one node's events to another's: stream_batch and stream_decoder. */
#include "tests/unit/binlog/assembler_fixture.h"

#include <stdlib.h>

#include "common/wire/codec.h"
#include "dispatcher/core/ddl/ddl_event_codec.h"
#include "dispatcher/core/node/stream_batch.h"
#include "dispatcher/core/node/stream_decoder.h"

#define ID ((dispatcher_id_t){7, 9})

static const changefeed_ref_t feed = {.uuid = {{1}}, .generation = 2};

static stream_event_t made_rows(fixture_t *f, uint64_t commit_ts)
{
    send_gtid(f, commit_ts, GTID_TRANSACTIONAL);
    send_map(f, 7, "a");
    send_insert(f, 7, 1);
    send_insert(f, 7, 2);
    send_commit(f);
    const transaction_t *transaction = take_group(f)->transaction;
    return (stream_event_t){.kind = STREAM_ROWS,
                            .dispatcher_id = ID,
                            .epoch = 3,
                            .sequence = 2,
                            .commit_ts = {commit_ts},
                            .transaction = transaction_ref((transaction_t *)(uintptr_t)transaction),
                            .rows = &transaction->tables[0]};
}

static stream_event_t made_ddl(uint64_t commit_ts)
{
    ddl_event_t *ddl = ddl_event_new();
    ddl->commit_ts.v = commit_ts;
    ddl->verb = DDL_CREATE_DATABASE;
    ddl->schema = "d";
    ddl->object = "";
    ddl->sql = bytes_of_text("create database d");
    ddl->sql_utf8 = "create database d";
    ddl->context.default_schema = "";
    return (stream_event_t){.kind = STREAM_DDL,
                            .dispatcher_id = ID,
                            .epoch = 3,
                            .sequence = 3,
                            .commit_ts = {commit_ts},
                            .ddl = ddl};
}

static bytes_t encoded(const stream_event_t *event, arena_t *arena)
{
    bytes_t payload;
    assert_true(stream_payload_encode(event, arena, &payload));
    return payload;
}

static void add(stream_batch_t *batch, const stream_event_t *event)
{
    stream_batch_add(batch, event, encoded(event, &batch->arena), 0, false);
}

/* As it comes out of the other node's socket. */
static stream_events_t over_the_wire(const stream_batch_t *batch, arena_t *arena)
{
    message_t message = {.header = {.version = SLUICE_PROTOCOL_VERSION,
                                    .type = MESSAGE_STREAM_EVENTS,
                                    .sender = {"n1"}}};
    message.stream_events = stream_batch_message(batch);
    frames_t frames;
    assert_int_equal(message_encode(&message, arena, &frames), SLUICE_OK);
    message_t back;
    uint32_t refused;
    assert_int_equal(message_decode(&frames, arena, &back, &refused), SLUICE_OK);
    assert_int_equal(refused, 0);
    return back.stream_events;
}

static void rows_and_ddl_come_back_as_they_were(void **state)
{
    fixture_t *f = *state;
    arena_t arena = {0};
    stream_batch_t *batch = stream_batch_new(feed);
    stream_event_t sent[] = {made_rows(f, 5),
                             made_ddl(6),
                             {.kind = STREAM_RESOLVED, .dispatcher_id = ID, .commit_ts = {6}}};
    for (size_t i = 0; i < 3; i++)
        add(batch, &sent[i]);
    stream_events_t message = over_the_wire(batch, &arena);
    assert_int_equal(message.event_count, 3);
    assert_int_equal(message.definition_count, 1);
    stream_decoder_t *decoder = stream_decoder_new();
    for (uint32_t i = 0; i < 3; i++) {
        stream_event_t got;
        assert_true(stream_decoder_take(decoder, &message, i, &got));
        assert_int_equal(got.kind, sent[i].kind);
        assert_int_equal(got.epoch, sent[i].epoch);
        assert_int_equal(got.sequence, sent[i].sequence);
        assert_int_equal(got.commit_ts.v, sent[i].commit_ts.v);
        /* Service and session count the same credit. */
        assert_int_equal(stream_event_cost(&got), stream_event_cost(&sent[i]));
        if (i == 0)
            assert_string_equal(values_of(got.rows), "1 2");
        if (i == 1)
            assert_string_equal(got.ddl->sql_utf8, "create database d");
        stream_event_clear(&got);
        stream_event_clear(&sent[i]);
    }
    assert_int_equal(stream_decoder_refused(decoder), 0);
    stream_decoder_destroy(&decoder);
    stream_batch_destroy(&batch);
    arena_clear(&arena);
}

static void equal_definitions_are_one_from_message_to_message(void **state)
{
    fixture_t *f = *state;
    arena_t arena = {0};
    const table_definition_t *definition = NULL;
    const table_map_t *map = NULL;
    stream_decoder_t *decoder = stream_decoder_new();
    for (uint64_t ts = 5; ts < 8; ts++) {
        stream_batch_t *batch = stream_batch_new(feed);
        stream_event_t sent = made_rows(f, ts), got;
        add(batch, &sent);
        add(batch, &sent);
        stream_events_t message = over_the_wire(batch, &arena);
        assert_int_equal(message.definition_count, 1);
        for (uint32_t i = 0; i < 2; i++) {
            assert_true(stream_decoder_take(decoder, &message, i, &got));
            assert_true(!definition || got.rows->definition == definition);
            assert_true(!map || got.rows->events[0].map == map);
            definition = got.rows->definition;
            map = got.rows->events[0].map;
            stream_event_clear(&got);
        }
        stream_event_clear(&sent);
        stream_batch_destroy(&batch);
    }
    stream_decoder_destroy(&decoder);
    arena_clear(&arena);
}

/* `missing`: that piece is lost on the way. Returns how many events came of it. */
static uint32_t take_in_pieces(fixture_t *f, stream_decoder_t *decoder, uint32_t missing,
                               stream_event_t *got)
{
    static uint64_t commit_ts = 10;
    arena_t arena = {0};
    stream_event_t sent = made_rows(f, ++commit_ts);
    bytes_t payload = encoded(&sent, &arena);
    uint32_t taken = 0, pieces = 3;
    size_t step = payload.len / pieces;
    for (uint32_t i = 0; i < pieces; i++) {
        stream_batch_t *batch = stream_batch_new(feed);
        size_t from = i * step, len = i == pieces - 1 ? payload.len - from : step;
        stream_batch_add(batch, &sent, bytes_of(payload.data + from, len), i, i < pieces - 1);
        stream_events_t message = over_the_wire(batch, &arena);
        if (i != missing)
            taken += stream_decoder_take(decoder, &message, 0, got);
        stream_batch_destroy(&batch);
    }
    stream_event_clear(&sent);
    arena_clear(&arena);
    return taken;
}

static void pieces_are_put_together(void **state)
{
    fixture_t *f = *state;
    stream_decoder_t *decoder = stream_decoder_new();
    stream_event_t got;
    for (int round = 0; round < 2; round++) {
        assert_int_equal(take_in_pieces(f, decoder, UINT32_MAX, &got), 1);
        assert_int_equal(got.kind, STREAM_ROWS);
        assert_string_equal(values_of(got.rows), "1 2");
        stream_event_clear(&got);
    }
    stream_decoder_destroy(&decoder);
}

static void an_event_without_one_of_its_pieces_never_comes(void **state)
{
    fixture_t *f = *state;
    stream_decoder_t *decoder = stream_decoder_new();
    stream_event_t got;
    for (uint32_t missing = 0; missing < 3; missing++)
        assert_int_equal(take_in_pieces(f, decoder, missing, &got), 0);
    assert_int_equal(take_in_pieces(f, decoder, UINT32_MAX, &got), 1);
    assert_int_equal(got.kind, STREAM_ROWS);
    stream_event_clear(&got);
    stream_decoder_destroy(&decoder);
}

static stream_event_t decoded(stream_decoder_t *decoder, stream_message_event_t event,
                              bytes_t definition)
{
    event.dispatcher_id = ID;
    stream_events_t message = {.changefeed = feed,
                               .definitions = &definition,
                               .definition_count = 1,
                               .events = &event,
                               .event_count = 1};
    stream_event_t got;
    assert_true(stream_decoder_take(decoder, &message, 0, &got));
    return got;
}

static void a_ddl_that_is_too_large_is_neither_sent_nor_taken(void **state)
{
    (void)state;
    const size_t step = STREAM_PIECE_BYTES_MAX;
    uint8_t *bytes = calloc(1, step);
    stream_decoder_t *decoder = stream_decoder_new();
    stream_message_event_t piece = {.kind = STREAM_DDL,
                                    .dispatcher_id = ID,
                                    .definition = STREAM_NO_DEFINITION,
                                    .payload = bytes_of(bytes, step),
                                    .continues = true};
    stream_events_t message = {.events = &piece, .event_count = 1};
    stream_event_t got;
    for (; piece.piece < STREAM_DDL_BYTES_MAX / step; piece.piece++)
        assert_false(stream_decoder_take(decoder, &message, 0, &got));
    piece.payload.len = 1;
    assert_true(stream_decoder_take(decoder, &message, 0, &got));
    assert_int_equal(got.kind, STREAM_NOT_REUSABLE);
    stream_decoder_destroy(&decoder);
    free(bytes);

    bytes = calloc(1, STREAM_DDL_BYTES_MAX);
    arena_t arena = {0};
    bytes_t payload;
    stream_event_t ddl = made_ddl(6);
    ddl.ddl->sql = bytes_of(bytes, STREAM_DDL_BYTES_MAX);
    assert_false(stream_payload_encode(&ddl, &arena, &payload));
    stream_event_clear(&ddl);
    arena_clear(&arena);
    free(bytes);
}

static void what_cannot_be_decoded_sends_its_session_elsewhere(void **state)
{
    fixture_t *f = *state;
    arena_t arena = {0};
    stream_batch_t *batch = stream_batch_new(feed);
    stream_event_t rows = made_rows(f, 5), ddl = made_ddl(6);
    add(batch, &rows);
    add(batch, &ddl);
    bytes_t definition = batch->definitions[0];
    stream_decoder_t *decoder = stream_decoder_new();
    stream_message_event_t wrong[] = {batch->events[0], batch->events[0], batch->events[1],
                                      batch->events[1]};
    wrong[0].payload.len--;
    wrong[1].commit_ts.v++;
    wrong[2].payload.len--;
    wrong[3].commit_ts.v++;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(decoded(decoder, wrong[i], definition).kind, STREAM_NOT_REUSABLE);
    bytes_t cut = bytes_of(definition.data, definition.len - 1);
    assert_int_equal(decoded(decoder, batch->events[0], cut).kind, STREAM_NOT_REUSABLE);
    assert_int_equal(stream_decoder_refused(decoder), 5);
    stream_event_t good = decoded(decoder, batch->events[0], definition);
    assert_int_equal(good.kind, STREAM_ROWS);
    stream_event_clear(&good);
    stream_event_clear(&rows);
    stream_event_clear(&ddl);
    stream_decoder_destroy(&decoder);
    stream_batch_destroy(&batch);
    arena_clear(&arena);
}

static void only_the_last_resolved_in_a_row_is_sent(void **state)
{
    (void)state;
    stream_batch_t *batch = stream_batch_new(feed);
    stream_event_t resolved = {.kind = STREAM_RESOLVED, .dispatcher_id = ID, .epoch = 3};
    for (uint64_t ts = 1; ts <= 1000; ts++) {
        resolved.commit_ts.v = ts;
        assert_true(stream_batch_has_room(batch, &resolved, 0));
        add(batch, &resolved);
    }
    assert_int_equal(batch->event_count, 1);
    assert_int_equal(batch->events[0].commit_ts.v, 1000);
    resolved.dispatcher_id.lo++;
    add(batch, &resolved);
    resolved.epoch++;
    add(batch, &resolved);
    assert_int_equal(batch->event_count, 3);
    stream_batch_destroy(&batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ASSEMBLER_TEST(rows_and_ddl_come_back_as_they_were),
        ASSEMBLER_TEST(equal_definitions_are_one_from_message_to_message),
        ASSEMBLER_TEST(pieces_are_put_together),
        ASSEMBLER_TEST(an_event_without_one_of_its_pieces_never_comes),
        ASSEMBLER_TEST(a_ddl_that_is_too_large_is_neither_sent_nor_taken),
        ASSEMBLER_TEST(what_cannot_be_decoded_sends_its_session_elsewhere),
        ASSEMBLER_TEST(only_the_last_resolved_in_a_row_is_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
