#include "tests/testing.h"

#include <stdlib.h>

#include "common/wire/codec.h"
#include "tests/unit/wire/samples.h"

static frames_t encoded(const message_t *message, arena_t *arena)
{
    frames_t frames;
    assert_int_equal(message_encode(message, arena, &frames), SLUICE_OK);
    return frames;
}

static message_t *decoded(const frames_t *frames, arena_t *arena, uint32_t expected_refused)
{
    message_t *message = arena_alloc(arena, sizeof *message);
    uint32_t refused;
    assert_int_equal(message_decode(frames, arena, message, &refused), SLUICE_OK);
    assert_int_equal(refused, expected_refused);
    return message;
}

static sluice_error_t decode_error(const frames_t *frames)
{
    arena_t arena = {0};
    message_t message;
    uint32_t refused;
    sluice_error_t error = message_decode(frames, &arena, &message, &refused);
    arena_clear(&arena);
    return error;
}

static void assert_frames_equal(frames_t a, frames_t b)
{
    assert_true(bytes_equal(a.header, b.header));
    assert_true(bytes_equal(a.body, b.body));
}

static void every_type_comes_back_as_it_was_sent(void **state)
{
    (void)state;
    for (size_t i = 0; i < sample_type_count; i++) {
        arena_t arena = {0}, other = {0};
        frames_t frames = encoded(sample_message(sample_types[i], &arena), &arena);
        message_t *message = decoded(&frames, &other, 0);
        assert_int_equal(message->header.type, sample_types[i]);
        frames_t again = encoded(message, &other);
        assert_frames_equal(frames, again);
        arena_clear(&arena);
        arena_clear(&other);
    }
}

static void header_fields_are_kept(void **state)
{
    (void)state;
    arena_t arena = {0};
    frames_t frames = encoded(sample_message(MESSAGE_HELLO, &arena), &arena);
    message_header_t header = decoded(&frames, &arena, 0)->header;
    assert_int_equal(header.version, SLUICE_PROTOCOL_VERSION);
    assert_string_equal(header.sender.text, "node-1");
    assert_int_equal(header.incarnation.v, 1767225599123);
    assert_int_equal(header.maintainer_epoch, 2);
    assert_int_equal(header.sequence, 5);
    arena_clear(&arena);
}

static void groups_keep_dispatchers_passed_and_payload(void **state)
{
    (void)state;
    arena_t arena = {0};
    frames_t frames = encoded(sample_message(MESSAGE_BLOCK_STATUS_REQUEST, &arena), &arena);
    const block_status_request_t *request = &decoded(&frames, &arena, 0)->block_status_request;
    assert_int_equal(request->group_count, 4);
    assert_int_equal(request->changefeed.uuid.bytes[15], 16);
    assert_int_equal(request->changefeed.generation, 3);
    const block_status_group_t *group = &request->groups[0];
    assert_int_equal(group->dispatcher_count, 3);
    assert_true(dispatcher_id_equal(group->dispatchers[2], (dispatcher_id_t){UINT64_MAX, 0}));
    assert_true(event_key_equal(group->passed[0], EVENT_KEY_NONE));
    assert_true(event_key_equal(group->passed[2], (event_key_t){{7}, true}));
    assert_int_equal(group->payload->influence.table_ids[2].v, UINT64_MAX);
    assert_int_equal(group->payload->dropped.table_count, 2);
    const table_info_t *added = &group->payload->added[0];
    assert_int_equal(added->schema_id.v, 5);
    assert_int_equal(added->created.v, 9);
    assert_true(added->created_by_select && added->splittable);
    assert_int_equal(added->last_change.commit_ts.v, 8);
    assert_int_equal(group->payload->moves[0].to.v, 6);
    assert_true(bytes_equal(group->payload->moves[0].schema, bytes_of_text("new")));
    assert_int_equal(request->groups[1].key.is_syncpoint, true);
    assert_null(request->groups[2].payload);
    assert_int_equal(request->groups[2].stage, STAGE_DONE);
    assert_false(request->groups[3].is_blocked);
    assert_int_equal(request->groups[3].payload->dropped.kind, INFLUENCE_DB);
    arena_clear(&arena);
}

static void heartbeat_keeps_entries_watermark_anchor_and_error(void **state)
{
    (void)state;
    arena_t arena = {0};
    frames_t frames = encoded(sample_message(MESSAGE_HEARTBEAT_REQUEST, &arena), &arena);
    const heartbeat_request_t *request = &decoded(&frames, &arena, 0)->heartbeat_request;
    assert_int_equal(request->heartbeat_sequence, 1000);
    assert_int_equal(request->answered_heartbeat, 998);
    assert_int_equal(request->entry_count, 3);
    assert_int_equal(request->entries[1].state, DISPATCHER_WORKING);
    assert_int_equal(request->entries[2].dispatcher_id.lo, 5);
    assert_int_equal(request->entries[2].position.checkpoint.v, 20);
    assert_true(request->entries[2].position.passed.is_syncpoint);
    assert_int_equal(request->watermark.resolved.v, 25);
    assert_int_equal(request->watermark.last_synced.v, 19);
    assert_string_equal(request->anchor.gtid_list, "0-1-100,3-3-7");
    assert_int_equal(request->error, SLUICE_ERROR_SINK_REFUSED);
    assert_true(bytes_equal(request->error_text, bytes_of_text("table is gone")));
    assert_true(request->is_complete && request->is_last_piece && request->is_caught_up);
    arena_clear(&arena);
}

static void lease_heartbeat_names_no_changefeed(void **state)
{
    (void)state;
    arena_t arena = {0};
    message_t *message = sample_message(MESSAGE_HEARTBEAT_REQUEST, &arena);
    message->heartbeat_request =
        (heartbeat_request_t){.heartbeat_sequence = 7, .answered_heartbeat = 5};
    frames_t frames = encoded(message, &arena);
    message_t *back = decoded(&frames, &arena, 0);
    assert_int_equal(back->heartbeat_request.heartbeat_sequence, 7);
    assert_int_equal(back->heartbeat_request.answered_heartbeat, 5);
    assert_false(back->heartbeat_request.has_changefeed);
    arena_clear(&arena);
}

static void equal_passed_keys_cost_nothing(void **state)
{
    (void)state;
    arena_t arena = {0};
    frames_t one = encoded(sample_block_status(&arena, 1), &arena);
    frames_t many = encoded(sample_block_status(&arena, STATUSES_PER_REQUEST_MAX), &arena);
    size_t per_status = (many.body.len - one.body.len) / (STATUSES_PER_REQUEST_MAX - 1);
    assert_int_equal(per_status, 16);
    arena_clear(&arena);
}

static void caps_of_requests_and_pieces_hold_on_both_sides(void **state)
{
    (void)state;
    arena_t arena = {0};
    frames_t frames;
    message_t *message = sample_block_status(&arena, STATUSES_PER_REQUEST_MAX);
    frames = encoded(message, &arena);
    decoded(&frames, &arena, 0);
    message = sample_block_status(&arena, STATUSES_PER_REQUEST_MAX + 1);
    assert_int_equal(message_encode(message, &arena, &frames), SLUICE_ERROR_TOO_LARGE);
    message = sample_message(MESSAGE_HEARTBEAT_REQUEST, &arena);
    message->heartbeat_request.entries =
        arena_calloc(&arena, ENTRIES_PER_PIECE_MAX + 1, sizeof(dispatcher_heartbeat_t));
    message->heartbeat_request.entry_count = ENTRIES_PER_PIECE_MAX + 1;
    assert_int_equal(message_encode(message, &arena, &frames), SLUICE_ERROR_TOO_LARGE);
    message = sample_message(MESSAGE_SCHEMA_SNAPSHOT, &arena);
    message->schema_snapshot.snapshot =
        bytes_of(arena_zalloc(&arena, MESSAGE_BYTES_MAX), MESSAGE_BYTES_MAX);
    assert_int_equal(message_encode(message, &arena, &frames), SLUICE_ERROR_TOO_LARGE);
    frames.body = bytes_of(arena_zalloc(&arena, MESSAGE_BYTES_MAX + 1), MESSAGE_BYTES_MAX + 1);
    assert_int_equal(decode_error(&frames), SLUICE_ERROR_TOO_LARGE);
    arena_clear(&arena);
}

/* Two requests of 1,025 statuses glued into one body: each half is within the cap, the whole not.
 */
static void refuses_a_request_above_the_cap_made_by_others(void **state)
{
    (void)state;
    arena_t arena = {0};
    frames_t half = encoded(sample_block_status(&arena, 1025), &arena);
    uint8_t *glued = arena_alloc(&arena, half.body.len * 2);
    memcpy(glued, half.body.data, half.body.len);
    memcpy(glued + half.body.len, half.body.data, half.body.len);
    frames_t frames = {half.header, bytes_of(glued, half.body.len * 2)};
    assert_int_not_equal(decode_error(&frames), SLUICE_OK);
    arena_clear(&arena);
}

static void another_version_is_unsupported_and_its_header_readable(void **state)
{
    (void)state;
    arena_t arena = {0};
    message_t *message = sample_message(MESSAGE_HELLO, &arena);
    message->header.version = SLUICE_PROTOCOL_VERSION + 1;
    frames_t frames = encoded(message, &arena);
    frames.body = bytes_of("whatever it is", 14);
    message_t back;
    uint32_t refused;
    assert_int_equal(message_decode(&frames, &arena, &back, &refused), SLUICE_ERROR_UNSUPPORTED);
    assert_int_equal(back.header.version, SLUICE_PROTOCOL_VERSION + 1);
    assert_string_equal(back.header.sender.text, "node-1");
    assert_int_equal(back.header.type, MESSAGE_HELLO);
    arena_clear(&arena);
}

static void refuses_foreign_magic_unknown_type_and_bad_sender(void **state)
{
    (void)state;
    arena_t arena = {0};
    frames_t frames = encoded(sample_message(MESSAGE_HELLO, &arena), &arena);
    size_t len = frames.header.len;
    uint8_t *header = arena_alloc(&arena, len);
    frames.header = bytes_of(header, len);
    static const size_t places[] = {0, 8, 37};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        frames_t fresh = encoded(sample_message(MESSAGE_HELLO, &arena), &arena);
        memcpy(header, fresh.header.data, len);
        header[places[i]] = 0xFF;
        assert_int_equal(decode_error(&frames), SLUICE_ERROR_MALFORMED);
    }
    assert_int_equal(decode_error(&(frames_t){{NULL, 0}, {NULL, 0}}), SLUICE_ERROR_MALFORMED);
    arena_clear(&arena);
}

static void refuses_bytes_behind_the_body_and_repeated_fields(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
    } tails[] = {
        {"\x08\x05", 2},                 /* check_id again */
        {"\xf8\x01\x01", 3},             /* field 31, which we do not know */
        {"\x20\x80\x00", 3},             /* node_count 0 in two bytes */
        {"\xff", 1},                     /* half a tag */
        {"\x12\xff\xff\xff\xff\x0f", 6}, /* a length far behind the end */
    };
    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
        arena_t arena = {0};
        frames_t frames = encoded(sample_message(MESSAGE_CHECK_REQUEST, &arena), &arena);
        uint8_t *body = arena_alloc(&arena, frames.body.len + tails[i].len);
        memcpy(body, frames.body.data, frames.body.len);
        memcpy(body + frames.body.len, tails[i].bytes, tails[i].len);
        frames.body = bytes_of(body, frames.body.len + tails[i].len);
        assert_int_equal(decode_error(&frames), SLUICE_ERROR_MALFORMED);
        arena_clear(&arena);
    }
}

/* Decodes an altered message. Whatever it makes of it must be a message that can be sent and comes
 * back the same. */
static void survives(const frames_t *frames)
{
    arena_t arena = {0};
    message_t message;
    uint32_t refused;
    if (message_decode(frames, &arena, &message, &refused) == SLUICE_OK) {
        frames_t once = encoded(&message, &arena);
        frames_t twice = encoded(decoded(&once, &arena, 0), &arena);
        assert_frames_equal(once, twice);
    }
    arena_clear(&arena);
}

static void survives_truncation_at_every_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < sample_type_count; i++) {
        arena_t arena = {0};
        frames_t whole = encoded(sample_message(sample_types[i], &arena), &arena);
        for (size_t len = 0; len < whole.header.len; len++) {
            frames_t cut = {bytes_of(whole.header.data, len), whole.body};
            assert_int_equal(decode_error(&cut), SLUICE_ERROR_MALFORMED);
        }
        for (size_t len = 0; len < whole.body.len; len++) {
            /* A copy of the exact size, so that the sanitizer sees a read behind it. */
            uint8_t *exact = malloc(len ? len : 1);
            memcpy(exact, whole.body.data, len);
            frames_t cut = {whole.header, bytes_of(exact, len)};
            survives(&cut);
            free(exact);
        }
        arena_clear(&arena);
    }
}

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void survives_flipped_bits(void **state)
{
    (void)state;
    uint64_t seed = UINT64_C(0x9E3779B97F4A7C15);
    for (size_t i = 0; i < sample_type_count; i++) {
        arena_t arena = {0};
        frames_t whole = encoded(sample_message(sample_types[i], &arena), &arena);
        uint8_t *body = malloc(whole.body.len + 1);
        for (unsigned round = 0; whole.body.len && round < 3000; round++) {
            memcpy(body, whole.body.data, whole.body.len);
            for (uint64_t flips = 1 + next_random(&seed) % 4; flips; flips--)
                body[next_random(&seed) % whole.body.len] ^=
                    (uint8_t)(1U << (next_random(&seed) % 8));
            frames_t flipped = {whole.header, bytes_of(body, whole.body.len)};
            survives(&flipped);
        }
        free(body);
        arena_clear(&arena);
    }
}

static void survives_random_bodies(void **state)
{
    (void)state;
    uint64_t seed = 42;
    for (unsigned round = 0; round < 20000; round++) {
        arena_t arena = {0};
        message_type_t type = sample_types[round % sample_type_count];
        frames_t frames = encoded(sample_message(type, &arena), &arena);
        uint8_t body[64];
        size_t len = next_random(&seed) % sizeof body;
        for (size_t i = 0; i < len; i++)
            body[i] = (uint8_t)next_random(&seed);
        frames.body = bytes_of(body, len);
        survives(&frames);
        arena_clear(&arena);
    }
}

/* 2,000,000 empty groups in 4 MiB: refused before a struct is made for each. */
static void memory_for_decoding_is_bounded(void **state)
{
    (void)state;
    arena_t arena = {0};
    frames_t frames = encoded(sample_message(MESSAGE_BLOCK_STATUS_REQUEST, &arena), &arena);
    uint8_t *body = malloc(MESSAGE_BYTES_MAX);
    for (size_t i = 0; i < MESSAGE_BYTES_MAX; i += 2) {
        body[i] = 0x1a; /* field 3, a nested message of no bytes */
        body[i + 1] = 0;
    }
    frames.body = bytes_of(body, MESSAGE_BYTES_MAX);
    arena_t decoding = {0};
    message_t message;
    uint32_t refused;
    assert_int_not_equal(message_decode(&frames, &decoding, &message, &refused), SLUICE_OK);
    assert_true(decoding.bytes < 80 * 1024 * 1024);
    arena_clear(&decoding);
    free(body);
    arena_clear(&arena);
}

static void types_have_names(void **state)
{
    (void)state;
    assert_string_equal(message_type_name(MESSAGE_BLOCK_STATUS_REQUEST), "block_status_request");
    assert_string_equal(message_type_name((message_type_t)9999), "unknown");
    for (size_t i = 0; i < sample_type_count; i++)
        assert_string_not_equal(message_type_name(sample_types[i]), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_comes_back_as_it_was_sent),
        cmocka_unit_test(header_fields_are_kept),
        cmocka_unit_test(groups_keep_dispatchers_passed_and_payload),
        cmocka_unit_test(heartbeat_keeps_entries_watermark_anchor_and_error),
        cmocka_unit_test(lease_heartbeat_names_no_changefeed),
        cmocka_unit_test(equal_passed_keys_cost_nothing),
        cmocka_unit_test(caps_of_requests_and_pieces_hold_on_both_sides),
        cmocka_unit_test(refuses_a_request_above_the_cap_made_by_others),
        cmocka_unit_test(another_version_is_unsupported_and_its_header_readable),
        cmocka_unit_test(refuses_foreign_magic_unknown_type_and_bad_sender),
        cmocka_unit_test(refuses_bytes_behind_the_body_and_repeated_fields),
        cmocka_unit_test(survives_truncation_at_every_byte),
        cmocka_unit_test(survives_flipped_bits),
        cmocka_unit_test(survives_random_bodies),
        cmocka_unit_test(memory_for_decoding_is_bounded),
        cmocka_unit_test(types_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
