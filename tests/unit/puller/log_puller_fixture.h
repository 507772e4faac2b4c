/*
 * A log puller, what it has said, and answers in its time.
 */
#ifndef SLUICE_TESTS_UNIT_PULLER_LOG_PULLER_FIXTURE_H
#define SLUICE_TESTS_UNIT_PULLER_LOG_PULLER_FIXTURE_H

#include "tests/testing.h"

#include "dispatcher/core/puller/log_puller.h"

static const dispatcher_id_t dispatcher = {1, 1};

typedef struct {
    log_puller_t *puller;
    mono_ns_t now;
    log_puller_effect_t last; /* taken last */
} fixture_t;

static inline fixture_t begin_with(const log_puller_options_t *options)
{
    return (fixture_t){.puller = log_puller_new(options), .now = {1000 * NS_PER_S}};
}

static inline fixture_t begin(uint32_t stores)
{
    log_puller_options_t options = log_puller_options_default(stores);
    return begin_with(&options);
}

static inline void end(fixture_t *f)
{
    log_puller_destroy(&f->puller);
}

static inline void pass(fixture_t *f, uint64_t ns)
{
    f->now = mono_add(f->now, ns);
}

static inline bool take(fixture_t *f)
{
    log_puller_step(f->puller, f->now);
    return log_puller_take(f->puller, &f->last);
}

/* The next effect is of this kind. */
static inline const log_puller_effect_t *expect(fixture_t *f, log_puller_effect_kind_t kind)
{
    assert_true(take(f));
    assert_int_equal(f->last.kind, kind);
    return &f->last;
}

static inline void expect_nothing(fixture_t *f)
{
    assert_false(take(f));
}

static inline key_range_t keys(const char *start, const char *end)
{
    return (key_range_t){bytes_of_text(start), bytes_of_text(end)};
}

static inline void expect_keys(fixture_t *f, const char *start, const char *end)
{
    assert_true(key_range_equal(f->last.range, keys(start, end)));
}

static inline void subscribe(fixture_t *f, dispatcher_id_t id, const char *start, const char *end)
{
    span_t span = {{9}, bytes_of_text(start), bytes_of_text(end)};
    assert_true(log_puller_subscribe(f->puller, id, span, (commit_ts_t){100}, PULL_NORMAL));
}

static inline region_location_t region(uint64_t id, const char *start, const char *end,
                                       uint32_t store)
{
    return (region_location_t){
        .region_id = id, .region_epoch = 1, .range = keys(start, end), .store = store};
}

static inline void located(fixture_t *f, uint64_t number, const region_location_t *regions,
                           uint32_t count)
{
    log_puller_located(f->puller, number, regions, count, f->now);
}

/* The question that comes next is answered with one region for everything, at this store. */
static inline void locate_at(fixture_t *f, uint32_t store)
{
    region_location_t whole = region(1, "", "", store);
    located(f, expect(f, LOG_PULLER_LOCATE)->number, &whole, 1);
}

/* A new stream and one request on it; the request's number. */
static inline uint64_t expect_request(fixture_t *f, uint32_t store)
{
    assert_int_equal(expect(f, LOG_PULLER_OPEN)->store, store);
    uint64_t stream = f->last.stream;
    assert_int_equal(expect(f, LOG_PULLER_REQUEST)->stream, stream);
    assert_int_equal(f->last.store, store);
    return f->last.number;
}

static inline void fail_region(fixture_t *f, uint64_t request, region_failure_t failure)
{
    log_puller_region_failed(f->puller, request, &failure, f->now);
}

static inline void count_ranges(void *context, key_range_t range, range_place_t place)
{
    (void)range;
    ++((uint32_t *)context)[place];
}

/* How many ranges of the subscription are in this place. */
static inline uint32_t ranges_in(fixture_t *f, dispatcher_id_t id, range_place_t place)
{
    uint32_t counts[RANGE_INITIALISED + 1] = {0};
    assert_true(log_puller_visit_ranges(f->puller, id, count_ranges, counts));
    return counts[place];
}

#endif
