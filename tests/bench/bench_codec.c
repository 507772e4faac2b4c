/*
 * A full request of 2,048 statuses through the codec, against one nested protobuf-c message per
 * status in the same run: PERFORMANCE.md T6.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/runtime/clock.h"
#include "common/wire/codec.h"
#include "sluice.pb-c.h"
#include "tests/bench/ratio.h"

#define REPEATS 7
#define ROUNDS 200
#define STATUSES STATUSES_PER_REQUEST_MAX

static dispatcher_id_t ids[STATUSES];
static event_key_t passed[STATUSES];

/* ---- one message a status ---- */

typedef struct {
    Wire__BlockStatusGroup status;
    Wire__EventKey key;
    uint64_t id[2];
} naive_status_t;

static naive_status_t naive[STATUSES];
static Wire__BlockStatusGroup *naive_list[STATUSES];

static void naive_fill(void)
{
    for (uint32_t i = 0; i < STATUSES; i++) {
        naive_status_t *status = &naive[i];
        wire__block_status_group__init(&status->status);
        wire__event_key__init(&status->key);
        status->key.commit_ts = 1000;
        status->id[0] = ids[i].hi;
        status->id[1] = ids[i].lo;
        status->status.key = &status->key;
        status->status.stage = STAGE_DONE;
        status->status.is_blocked = true;
        status->status.dispatchers = status->id;
        status->status.n_dispatchers = 2;
        naive_list[i] = &status->status;
    }
}

static void naive_round(void)
{
    Wire__BlockStatusRequest request = WIRE__BLOCK_STATUS_REQUEST__INIT;
    request.groups = naive_list;
    request.n_groups = STATUSES;
    size_t size = wire__block_status_request__get_packed_size(&request);
    uint8_t *bytes = malloc(size);
    wire__block_status_request__pack(&request, bytes);
    Wire__BlockStatusRequest *back = wire__block_status_request__unpack(NULL, size, bytes);
    if (!back || back->n_groups != STATUSES)
        abort();
    wire__block_status_request__free_unpacked(back, NULL);
    free(bytes);
}

/* ---- ours ---- */

static void our_round(arena_t *arena)
{
    block_status_group_t group = {.key = {{1000}, false},
                                  .stage = STAGE_DONE,
                                  .is_blocked = true,
                                  .dispatchers = ids,
                                  .passed = passed,
                                  .dispatcher_count = STATUSES};
    message_t message = {.header = {.type = MESSAGE_BLOCK_STATUS_REQUEST,
                                    .version = SLUICE_PROTOCOL_VERSION,
                                    .incarnation = {1}}};
    if (!node_id_parse(bytes_of_text("n1"), &message.header.sender))
        abort();
    message.block_status_request = (block_status_request_t){
        .changefeed = {.generation = 1}, .groups = &group, .group_count = 1};
    frames_t frames;
    message_t back = {0};
    uint32_t refused = 0;
    if (message_encode(&message, arena, &frames) != SLUICE_OK ||
        message_decode(&frames, arena, &back, &refused) != SLUICE_OK || refused ||
        back.block_status_request.groups[0].dispatcher_count != STATUSES)
        abort();
    arena_reset(arena);
}

int main(void)
{
    double ratios[REPEATS], ours = 0;
    arena_t arena = {0};
    for (uint32_t i = 0; i < STATUSES; i++)
        ids[i] = (dispatcher_id_t){(uint64_t)i << 40 | 7, i};
    naive_fill();
    our_round(&arena);
    for (int repeat = 0; repeat < REPEATS; repeat++) {
        mono_ns_t start = clock_mono();
        for (int i = 0; i < ROUNDS; i++)
            naive_round();
        double plain = (double)mono_elapsed(start, clock_mono());
        start = clock_mono();
        for (int i = 0; i < ROUNDS; i++)
            our_round(&arena);
        ours = (double)mono_elapsed(start, clock_mono());
        ratios[repeat] = plain / ours;
    }
    arena_clear(&arena);
    ratio_report("T6 encode + decode: a message a status / ours", ratios, REPEATS, 20, true);
    printf("    ours: %.2f ns a status\n", ours / (double)ROUNDS / STATUSES);
    return ratio_failures() == 0 ? 0 : 1;
}
