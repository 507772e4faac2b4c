#include "tests/testing.h"

#include "common/wire/codec.h"
#include "maintainer/shell/open_sender.h"

#define PIECES_MAX 32

typedef struct {
    arena_t arena;
    changefeed_open_t pieces[PIECES_MAX];
    uint32_t count;
    size_t snapshot_len;
    uint32_t ddl_count;
} fixture_t;

static int set_up(void **state)
{
    *state = test_calloc(1, sizeof(fixture_t));
    return 0;
}

static int tear_down(void **state)
{
    fixture_t *fixture = *state;
    arena_clear(&fixture->arena);
    test_free(fixture);
    return 0;
}

static changefeed_open_t whole_of(fixture_t *fixture, size_t snapshot_len, size_t ddl_len,
                                  uint32_t ddl_count)
{
    uint8_t *snapshot = arena_alloc(&fixture->arena, snapshot_len);
    for (size_t i = 0; i < snapshot_len; i++)
        snapshot[i] = (uint8_t)(i * 7 + i / 251);
    schema_ddl_t *ddls = arena_calloc(&fixture->arena, ddl_count, sizeof *ddls);
    for (uint32_t i = 0; i < ddl_count; i++)
        ddls[i] =
            (schema_ddl_t){.commit_ts = {i + 1},
                           .content = bytes_of(arena_zalloc(&fixture->arena, ddl_len), ddl_len)};
    return (changefeed_open_t){.config = {.name = bytes_of_text("feed"),
                                          .source = bytes_of_text("a://b"),
                                          .sink = bytes_of_text("a://b")},
                               .snapshot = bytes_of(snapshot, snapshot_len),
                               .ddls = ddls,
                               .ddl_count = ddl_count};
}

static void take(void *context, const changefeed_open_t *piece)
{
    fixture_t *fixture = context;
    assert_true(fixture->count < PIECES_MAX);
    fixture->pieces[fixture->count++] = *piece;
    fixture->snapshot_len += piece->snapshot.len;
    fixture->ddl_count += piece->ddl_count;
}

/* Every piece can be sent, they are numbered, and together they are the whole in its order. */
static void assert_pieces_make(fixture_t *fixture, const changefeed_open_t *whole)
{
    uint64_t last_ddl = 0;
    size_t at = 0;
    for (uint32_t i = 0; i < fixture->count; i++) {
        const changefeed_open_t *piece = &fixture->pieces[i];
        message_t message = {
            .header = {.type = MESSAGE_CHANGEFEED_OPEN, .version = SLUICE_PROTOCOL_VERSION},
            .changefeed_open = *piece};
        frames_t frames;
        assert_int_equal(message_encode(&message, &fixture->arena, &frames), SLUICE_OK);
        assert_int_equal(piece->piece, i);
        assert_int_equal(piece->is_last_piece, i + 1 == fixture->count);
        assert_true(piece->snapshot.len == 0 || last_ddl == 0);
        assert_memory_equal(piece->snapshot.data, whole->snapshot.data + at, piece->snapshot.len);
        at += piece->snapshot.len;
        for (uint32_t ddl = 0; ddl < piece->ddl_count; ddl++) {
            assert_int_equal(piece->ddls[ddl].commit_ts.v, last_ddl + 1);
            last_ddl++;
        }
    }
    assert_int_equal(at, whole->snapshot.len);
    assert_int_equal(last_ddl, whole->ddl_count);
}

static void cuts(fixture_t *fixture, size_t snapshot_len, size_t ddl_len, uint32_t ddl_count,
                 uint32_t expected)
{
    fixture->count = 0;
    changefeed_open_t whole = whole_of(fixture, snapshot_len, ddl_len, ddl_count);
    open_sender_cut(&whole, take, fixture);
    assert_int_equal(fixture->count, expected);
    assert_pieces_make(fixture, &whole);
}

static void small_ones_are_one_piece(void **state)
{
    cuts(*state, 0, 0, 0, 1);
    cuts(*state, 100, 10, 5, 1);
    cuts(*state, OPEN_PIECE_BYTES, 0, 0, 1);
}

static void large_ones_are_cut(void **state)
{
    cuts(*state, OPEN_PIECE_BYTES + 1, 0, 0, 2);
    cuts(*state, 3 * OPEN_PIECE_BYTES, 10, 3, 4);
    cuts(*state, 10, OPEN_PIECE_BYTES / 3, 7, 4);
    cuts(*state, 0, 2 * OPEN_PIECE_BYTES, 2, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(small_ones_are_one_piece), TEST(large_ones_are_cut)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
