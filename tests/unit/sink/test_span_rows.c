#include "tests/testing.h"

#include "dispatcher/sink/mariadb/span_rows.h"

/* Spans are written as "from-to"; "" is open. */

#define GENERATION 3

typedef struct {
    arena_t arena;
    span_rows_t rows;
} fixture_t;

static int set_up(void **state)
{
    fixture_t *f = test_calloc(1, sizeof *f);
    f->rows.arena = &f->arena;
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture_t *f = *state;
    arena_clear(&f->arena);
    test_free(f);
    return 0;
}

static void store_of(fixture_t *f, uint64_t generation, const char *start, const char *end,
                     uint64_t epoch, uint64_t progress)
{
    span_rows_add(&f->rows, &(span_row_t){.generation = generation,
                                          .start_key = bytes_of_text(start),
                                          .end_key = bytes_of_text(end),
                                          .epoch = {1, epoch},
                                          .progress = {progress},
                                          .is_stored = true});
}

static void store(fixture_t *f, const char *start, const char *end, uint64_t epoch,
                  uint64_t progress)
{
    store_of(f, GENERATION, start, end, epoch, progress);
}

static sluice_error_t claim(fixture_t *f, const char *start, const char *end, uint64_t epoch,
                            uint64_t *found)
{
    commit_ts_t progress;
    sluice_error_t error =
        span_rows_claim(&f->rows, GENERATION, bytes_of_text(start), bytes_of_text(end),
                        (assignment_epoch_t){1, epoch}, &progress);
    *found = progress.v;
    return error;
}

/* The row from `start` to `end` that is there after the claim. */
static const span_row_t *row_of(const fixture_t *f, const char *start, const char *end)
{
    for (uint32_t i = 0; i < f->rows.count; i++) {
        const span_row_t *row = &f->rows.rows[i];
        if (!row->is_removed && bytes_equal(row->start_key, bytes_of_text(start)) &&
            bytes_equal(row->end_key, bytes_of_text(end)))
            return row;
    }
    return NULL;
}

static uint32_t rows_left(const fixture_t *f)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < f->rows.count; i++)
        count += !f->rows.rows[i].is_removed;
    return count;
}

static void a_claim_of_nothing_finds_nothing(void **state)
{
    uint64_t found;
    assert_int_equal(claim(*state, "", "", 1, &found), SLUICE_OK);
    assert_int_equal(found, 0);
    assert_int_equal(row_of(*state, "", "")->progress.v, 0);
}

static void a_higher_epoch_in_the_way_refuses_and_changes_nothing(void **state)
{
    fixture_t *f = *state;
    store(f, "", "m", 1, 10);
    store(f, "m", "", 5, 20);
    uint64_t found;
    assert_int_equal(claim(f, "", "", 4, &found), SLUICE_ERROR_NOT_OWNER);
    assert_int_equal(rows_left(f), 2);
    assert_int_equal(found, 0);
}

static void a_higher_epoch_elsewhere_does_not_matter(void **state)
{
    fixture_t *f = *state;
    store(f, "", "m", 1, 10);
    store(f, "m", "", 5, 20);
    uint64_t found;
    assert_int_equal(claim(f, "", "m", 4, &found), SLUICE_OK);
    assert_int_equal(found, 10);
    assert_int_equal(row_of(f, "m", "")->epoch.counter, 5);
}

static void a_later_maintainer_beats_every_counter(void **state)
{
    fixture_t *f = *state;
    store(f, "", "", 1000, 10);
    commit_ts_t found;
    assert_int_equal(span_rows_claim(&f->rows, GENERATION, bytes_of_text(""), bytes_of_text(""),
                                     (assignment_epoch_t){2, 1}, &found),
                     SLUICE_OK);
    assert_int_equal(found.v, 10);
}

static void joining_takes_the_least_progress(void **state)
{
    fixture_t *f = *state;
    store(f, "", "c", 1, 100);
    store(f, "c", "m", 2, 50);
    store(f, "m", "", 3, 70);
    uint64_t found;
    assert_int_equal(claim(f, "", "", 4, &found), SLUICE_OK);
    assert_int_equal(found, 50);
    assert_int_equal(rows_left(f), 1);
}

static void a_gap_means_that_nothing_is_known(void **state)
{
    fixture_t *f = *state;
    store(f, "", "c", 1, 100);
    store(f, "m", "", 3, 70);
    uint64_t found;
    assert_int_equal(claim(f, "", "", 4, &found), SLUICE_OK);
    assert_int_equal(found, 0);
    assert_int_equal(row_of(f, "", "")->progress.v, 0);
}

static void a_gap_at_either_end_counts_too(void **state)
{
    fixture_t *f = *state;
    store(f, "c", "m", 1, 100);
    uint64_t found;
    assert_int_equal(claim(f, "d", "n", 4, &found), SLUICE_OK);
    assert_int_equal(found, 0);
    assert_int_equal(claim(f, "a", "d", 5, &found), SLUICE_OK);
    assert_int_equal(found, 0);
}

static void splitting_leaves_the_rest_with_its_progress_but_no_owner(void **state)
{
    fixture_t *f = *state;
    store(f, "", "", 1, 30);
    uint64_t found;
    assert_int_equal(claim(f, "g", "m", 2, &found), SLUICE_OK);
    assert_int_equal(found, 30);
    assert_null(row_of(f, "", ""));
    assert_int_equal(row_of(f, "", "g")->progress.v, 30);
    assert_int_equal(row_of(f, "m", "")->progress.v, 30);
    assert_int_equal(claim(f, "m", "", 3, &found), SLUICE_OK);
    assert_int_equal(found, 30);
}

static void an_earlier_generation_goes_without_its_progress(void **state)
{
    fixture_t *f = *state;
    store_of(f, GENERATION - 1, "", "", 1000, 500);
    uint64_t found;
    assert_int_equal(claim(f, "", "", 1, &found), SLUICE_OK);
    assert_int_equal(found, 0);
    assert_int_equal(rows_left(f), 1);
}

static void a_later_generation_refuses(void **state)
{
    fixture_t *f = *state;
    store_of(f, GENERATION + 1, "x", "z", 1, 500);
    uint64_t found;
    assert_int_equal(claim(f, "", "c", 1000, &found), SLUICE_ERROR_NOT_OWNER);
}

static void claiming_again_keeps_the_progress(void **state)
{
    fixture_t *f = *state;
    store(f, "a", "b", 7, 12);
    uint64_t found;
    assert_int_equal(claim(f, "a", "b", 7, &found), SLUICE_OK);
    assert_int_equal(found, 12);
    assert_int_equal(row_of(f, "a", "b")->progress.v, 12);
}

static void raising_never_lowers(void **state)
{
    fixture_t *f = *state;
    store(f, "", "", 1, 12);
    uint64_t found;
    assert_int_equal(claim(f, "", "", 2, &found), SLUICE_OK);
    span_rows_raise(&f->rows, GENERATION, bytes_of_text(""), (commit_ts_t){5});
    assert_int_equal(row_of(f, "", "")->progress.v, 12);
    span_rows_raise(&f->rows, GENERATION, bytes_of_text(""), (commit_ts_t){50});
    assert_int_equal(row_of(f, "", "")->progress.v, 50);
}

/* Random claims: the rows left never overlap, and every one has been given out or is a remainder.
 */
static void rows_never_overlap_whatever_is_claimed(void **state)
{
    fixture_t *f = *state;
    static const char *const keys[] = {"", "b", "d", "f", "h", "k", "m", "p"};
    uint32_t random = 99;
    for (uint64_t epoch = 1; epoch < 300; epoch++) {
        random = random * 1664525u + 1013904223u;
        uint32_t from = (random >> 8) % 8, to = from + 1 + (random >> 16) % 8;
        const char *end = to < 8 ? keys[to] : "";
        uint64_t found;
        assert_int_equal(claim(f, keys[from], end, epoch, &found), SLUICE_OK);
        assert_non_null(row_of(f, keys[from], end));
        for (uint32_t i = 0; i < f->rows.count; i++) {
            for (uint32_t j = 0; j < i; j++) {
                const span_row_t *a = &f->rows.rows[i], *b = &f->rows.rows[j];
                if (!a->is_removed && !b->is_removed)
                    assert_false(
                        span_keys_overlap(a->start_key, a->end_key, b->start_key, b->end_key));
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(a_claim_of_nothing_finds_nothing),
        TEST(a_higher_epoch_in_the_way_refuses_and_changes_nothing),
        TEST(a_higher_epoch_elsewhere_does_not_matter),
        TEST(a_later_maintainer_beats_every_counter),
        TEST(joining_takes_the_least_progress),
        TEST(a_gap_means_that_nothing_is_known),
        TEST(a_gap_at_either_end_counts_too),
        TEST(splitting_leaves_the_rest_with_its_progress_but_no_owner),
        TEST(an_earlier_generation_goes_without_its_progress),
        TEST(a_later_generation_refuses),
        TEST(claiming_again_keeps_the_progress),
        TEST(raising_never_lowers),
        TEST(rows_never_overlap_whatever_is_claimed),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
