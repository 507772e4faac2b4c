#include "tests/testing.h"

#include "maintainer/core/request_buffer.h"

static const node_index_t node_1 = {1}, node_2 = {2};
static const incarnation_t first = {1000};

static dispatcher_id_t dispatcher(uint64_t number)
{
    return (dispatcher_id_t){7, number};
}

static const table_id_t listed[] = {{1}, {2}};
static const block_payload_t payload = {
    .influence = {.kind = INFLUENCE_NORMAL, .table_ids = listed, .table_count = 2}};

static block_status_group_t group_of(const dispatcher_id_t *ids, uint32_t count, uint64_t ts,
                                     block_stage_t stage)
{
    return (block_status_group_t){.key = {{ts}, false},
                                  .stage = stage,
                                  .is_blocked = stage != STAGE_NONE,
                                  .payload = stage == STAGE_DONE ? NULL : &payload,
                                  .dispatchers = ids,
                                  .dispatcher_count = count};
}

static void add(request_buffer_t *buffer, node_index_t node, uint64_t sequence,
                const block_status_group_t *groups, uint32_t count)
{
    block_status_group_t numbered[8];
    assert_true(count <= 8);
    for (uint32_t i = 0; i < count; i++) {
        numbered[i] = groups[i];
        numbered[i].index = i; /* as decoding does */
    }
    block_status_request_t request = {.groups = numbered, .group_count = count};
    request_buffer_add_statuses(buffer, node, first, sequence, &request);
}

static void answers_name_a_group_by_its_place_in_the_request_as_sent(void **state)
{
    (void)state;
    request_buffer_t *buffer = request_buffer_new();
    dispatcher_id_t d = dispatcher(1);
    block_status_group_t groups[] = {group_of(&d, 1, 100, STAGE_WAITING)};
    groups[0].index = 3; /* the groups before it were refused while decoding */
    block_status_request_t request = {.groups = groups, .group_count = 1};
    request_buffer_add_statuses(buffer, node_1, first, 9, &request);
    const buffered_group_t *held;
    assert_int_equal(request_buffer_groups(buffer, &held), 1);
    assert_int_equal(held[0].group, 3);
    request_buffer_destroy(&buffer);
}

static void keeps_the_first_of_each_key_in_one_request(void **state)
{
    (void)state;
    request_buffer_t *buffer = request_buffer_new();
    dispatcher_id_t d = dispatcher(1);
    block_status_group_t groups[] = {
        group_of(&d, 1, 100, STAGE_WAITING), group_of(&d, 1, 100, STAGE_WAITING),
        group_of(&d, 1, 100, STAGE_DONE),    group_of(&d, 1, 100, STAGE_DONE),
        group_of(&d, 1, 100, STAGE_NONE),    group_of(&d, 1, 100, STAGE_NONE),
    };
    add(buffer, node_1, 9, groups, 6);
    const buffered_group_t *held;
    assert_int_equal(request_buffer_groups(buffer, &held), 3);
    assert_int_equal(held[0].content.stage, STAGE_WAITING);
    assert_int_equal(held[1].content.stage, STAGE_DONE);
    assert_int_equal(held[2].content.stage, STAGE_NONE);
    assert_int_equal(held[1].group, 2);
    assert_int_equal(request_buffer_reserved(buffer), 3);
    /* The repeated WAITING and NONE are answered, a DONE never is. */
    const suppressed_group_t *suppressed;
    assert_int_equal(request_buffer_suppressed(buffer, &suppressed), 2);
    assert_int_equal(suppressed[0].group, 1);
    assert_int_equal(suppressed[1].group, 5);
    request_buffer_destroy(&buffer);
}

static void a_key_is_free_again_once_released(void **state)
{
    (void)state;
    request_buffer_t *buffer = request_buffer_new();
    dispatcher_id_t d = dispatcher(1);
    block_status_group_t group = group_of(&d, 1, 200, STAGE_WAITING);
    const buffered_group_t *held;
    add(buffer, node_1, 1, &group, 1);
    add(buffer, node_1, 2, &group, 1);
    assert_int_equal(request_buffer_groups(buffer, &held), 1);
    assert_int_equal(held[0].request_sequence, 1);
    request_buffer_release_groups(buffer);
    assert_int_equal(request_buffer_reserved(buffer), 0);
    add(buffer, node_1, 3, &group, 1);
    assert_int_equal(request_buffer_groups(buffer, &held), 1);
    assert_int_equal(held[0].request_sequence, 3);
    request_buffer_destroy(&buffer);
}

static void keys_of_other_nodes_modes_and_sync_bits_are_other_keys(void **state)
{
    (void)state;
    request_buffer_t *buffer = request_buffer_new();
    dispatcher_id_t d = dispatcher(1);
    block_status_group_t group = group_of(&d, 1, 200, STAGE_WAITING);
    block_status_group_t syncpoint = group;
    syncpoint.key.is_syncpoint = true;
    add(buffer, node_1, 1, &group, 1);
    add(buffer, node_1, 2, &syncpoint, 1);
    add(buffer, node_2, 3, &group, 1);
    block_status_request_t redo = {.mode = PIPELINE_REDO, .groups = &group, .group_count = 1};
    request_buffer_add_statuses(buffer, node_1, first, 4, &redo);
    const buffered_group_t *held;
    assert_int_equal(request_buffer_groups(buffer, &held), 4);
    request_buffer_destroy(&buffer);
}

static void marks_the_duplicates_inside_a_group(void **state)
{
    (void)state;
    request_buffer_t *buffer = request_buffer_new();
    dispatcher_id_t ids[] = {dispatcher(1), dispatcher(2), dispatcher(3)};
    block_status_group_t one = group_of(&ids[1], 1, 50, STAGE_WAITING);
    block_status_group_t all = group_of(ids, 3, 50, STAGE_WAITING);
    add(buffer, node_1, 1, &one, 1);
    add(buffer, node_1, 2, &all, 1);
    const buffered_group_t *held;
    assert_int_equal(request_buffer_groups(buffer, &held), 2);
    assert_int_equal(held[1].duplicate_count, 1);
    assert_false(held[1].is_duplicate[0]);
    assert_true(held[1].is_duplicate[1]);
    assert_false(held[1].is_duplicate[2]);
    request_buffer_destroy(&buffer);
}

static void holds_its_own_copy(void **state)
{
    (void)state;
    request_buffer_t *buffer = request_buffer_new();
    dispatcher_id_t d = dispatcher(1);
    table_id_t ids[] = {{2}, {1}};
    block_payload_t mine = {
        .influence = {.kind = INFLUENCE_NORMAL, .table_ids = ids, .table_count = 2}};
    block_status_group_t group = group_of(&d, 1, 200, STAGE_WAITING);
    group.payload = &mine;
    add(buffer, node_1, 1, &group, 1);
    d.lo = 99;
    ids[0].v = ids[1].v = 77;
    const buffered_group_t *held;
    request_buffer_groups(buffer, &held);
    assert_int_equal(held[0].content.dispatchers[0].lo, 1);
    /* Canonical: ascending. */
    assert_int_equal(held[0].content.payload->influence.table_ids[0].v, 1);
    assert_int_equal(held[0].content.payload->influence.table_ids[1].v, 2);
    request_buffer_destroy(&buffer);
}

static void a_storm_of_duplicates_costs_no_memory(void **state)
{
    (void)state;
    request_buffer_t *buffer = request_buffer_new();
    dispatcher_id_t ids[64];
    for (uint64_t i = 0; i < 64; i++)
        ids[i] = dispatcher(i + 1);
    block_status_group_t group = group_of(ids, 64, 50, STAGE_WAITING);
    add(buffer, node_1, 1, &group, 1);
    for (uint64_t i = 0; i < 100; i++)
        add(buffer, node_1, i, &group, 1);
    size_t bytes = request_buffer_bytes(buffer);
    const suppressed_group_t *suppressed;
    for (uint64_t i = 0; i < 15000; i++) {
        if (request_buffer_suppressed(buffer, &suppressed) == 100)
            request_buffer_release_suppressed(buffer);
        add(buffer, node_1, i, &group, 1);
    }
    assert_int_equal(request_buffer_bytes(buffer), bytes);
    assert_int_equal(request_buffer_reserved(buffer), 64);
    request_buffer_destroy(&buffer);
}

static void closed_it_drops(void **state)
{
    (void)state;
    request_buffer_t *buffer = request_buffer_new();
    dispatcher_id_t d = dispatcher(1);
    block_status_group_t group = group_of(&d, 1, 200, STAGE_WAITING);
    add(buffer, node_1, 1, &group, 1);
    request_buffer_close(buffer);
    add(buffer, node_1, 2, &group, 1);
    const buffered_group_t *held;
    assert_int_equal(request_buffer_groups(buffer, &held), 0);
    assert_int_equal(request_buffer_reserved(buffer), 0);
    request_buffer_destroy(&buffer);
}

static heartbeat_request_t heartbeat(uint64_t sequence, uint64_t seq, uint64_t checkpoint)
{
    return (heartbeat_request_t){
        .heartbeat_sequence = sequence,
        .has_changefeed = true,
        .has_watermark = true,
        .watermark = {.seq = seq, .checkpoint = {checkpoint}, .resolved = {checkpoint}}};
}

static merged_heartbeat_t only_heartbeat(request_buffer_t *buffer)
{
    const merged_heartbeat_t *held;
    assert_int_equal(request_buffer_heartbeats(buffer, &held), 1);
    return held[0];
}

static void the_higher_seq_wins_even_backwards(void **state)
{
    (void)state;
    request_buffer_t *buffer = request_buffer_new();
    heartbeat_request_t older = heartbeat(1, 10, 500), newer = heartbeat(2, 11, 300),
                        equal_lower = heartbeat(3, 11, 200), equal_higher = heartbeat(4, 11, 350);
    older.watermark.last_synced.v = 40;
    request_buffer_add_heartbeat(buffer, node_1, first, &newer);
    request_buffer_add_heartbeat(buffer, node_1, first, &older);
    assert_int_equal(only_heartbeat(buffer).watermark.checkpoint.v, 300);
    assert_int_equal(only_heartbeat(buffer).watermark.last_synced.v, 40);
    request_buffer_add_heartbeat(buffer, node_1, first, &equal_lower);
    assert_int_equal(only_heartbeat(buffer).watermark.checkpoint.v, 300);
    request_buffer_add_heartbeat(buffer, node_1, first, &equal_higher);
    assert_int_equal(only_heartbeat(buffer).watermark.checkpoint.v, 350);
    request_buffer_destroy(&buffer);
}

static void an_older_incarnation_is_dropped_a_newer_one_starts_anew(void **state)
{
    (void)state;
    request_buffer_t *buffer = request_buffer_new();
    heartbeat_request_t old = heartbeat(9, 1000, 500), new = heartbeat(1, 1, 300);
    request_buffer_add_heartbeat(buffer, node_1, (incarnation_t){1}, &old);
    request_buffer_add_heartbeat(buffer, node_1, (incarnation_t){2}, &new);
    request_buffer_add_heartbeat(buffer, node_1, (incarnation_t){1}, &old);
    assert_int_equal(only_heartbeat(buffer).watermark.checkpoint.v, 300);
    assert_int_equal(only_heartbeat(buffer).watermark.seq, 1);
    request_buffer_destroy(&buffer);
}

static void entries_only_go_forward_in_any_order(void **state)
{
    (void)state;
    request_buffer_t *buffer = request_buffer_new();
    dispatcher_heartbeat_t entries[] = {
        {.dispatcher_id = dispatcher(1),
         .state = DISPATCHER_STOPPED,
         .position = {{70}, {{60}, 0}}},
        {.dispatcher_id = dispatcher(1),
         .state = DISPATCHER_WORKING,
         .position = {{65}, {{62}, 1}}},
        {.dispatcher_id = dispatcher(2), .state = DISPATCHER_WORKING, .position = {{5}, {{0}, 0}}},
    };
    heartbeat_request_t message = heartbeat(1, 1, 1);
    message.entries = entries;
    message.entry_count = 3;
    request_buffer_add_heartbeat(buffer, node_1, first, &message);
    merged_heartbeat_t merged = only_heartbeat(buffer);
    assert_int_equal(merged.entry_count, 2);
    assert_int_equal(merged.entries[0].state, DISPATCHER_STOPPED);
    assert_int_equal(merged.entries[0].position.checkpoint.v, 70);
    assert_int_equal(merged.entries[0].position.passed.commit_ts.v, 62);
    request_buffer_destroy(&buffer);
}

static void an_error_is_kept(void **state)
{
    (void)state;
    request_buffer_t *buffer = request_buffer_new();
    heartbeat_request_t bad = heartbeat(1, 1, 1), good = heartbeat(2, 1, 2);
    bad.error = SLUICE_ERROR_SINK_REFUSED;
    bad.error_text = bytes_of_text("duplicate entry");
    request_buffer_add_heartbeat(buffer, node_1, first, &bad);
    request_buffer_add_heartbeat(buffer, node_1, first, &good);
    merged_heartbeat_t merged = only_heartbeat(buffer);
    assert_int_equal(merged.error, SLUICE_ERROR_SINK_REFUSED);
    assert_true(bytes_equal(merged.error_text, bytes_of_text("duplicate entry")));
    request_buffer_destroy(&buffer);
}

static void completeness_is_delivered_with_the_pieces_that_are_in(void **state)
{
    (void)state;
    request_buffer_t *buffer = request_buffer_new();
    heartbeat_request_t piece = {.has_changefeed = true, .is_complete = true};
    for (uint32_t i = 0; i < 3; i++) {
        piece.piece = i;
        piece.is_last_piece = i == 2;
        request_buffer_add_heartbeat(buffer, node_1, first, &piece);
    }
    merged_heartbeat_t merged = only_heartbeat(buffer);
    assert_int_equal(merged.complete_first, 0);
    assert_int_equal(merged.complete_next, 3);
    assert_true(merged.complete_last);
    request_buffer_release_heartbeats(buffer);
    /* A lost piece: what follows does not begin at 0. */
    piece.piece = 0;
    piece.is_last_piece = false;
    request_buffer_add_heartbeat(buffer, node_1, first, &piece);
    piece.piece = 2;
    piece.is_last_piece = true;
    request_buffer_add_heartbeat(buffer, node_1, first, &piece);
    merged = only_heartbeat(buffer);
    assert_int_equal(merged.complete_first, 2);
    request_buffer_destroy(&buffer);
}

static void a_forgotten_node_is_not_heard(void **state)
{
    (void)state;
    request_buffer_t *buffer = request_buffer_new();
    dispatcher_id_t d = dispatcher(1), e = dispatcher(2);
    block_status_group_t one = group_of(&d, 1, 200, STAGE_WAITING),
                         two = group_of(&e, 1, 200, STAGE_WAITING);
    heartbeat_request_t beat = heartbeat(1, 1, 1);
    add(buffer, node_1, 1, &one, 1);
    add(buffer, node_2, 1, &two, 1);
    request_buffer_add_heartbeat(buffer, node_1, first, &beat);
    request_buffer_forget_node(buffer, node_1);
    const buffered_group_t *held;
    assert_int_equal(request_buffer_groups(buffer, &held), 1);
    assert_int_equal(held[0].node.v, 2);
    const merged_heartbeat_t *beats;
    assert_int_equal(request_buffer_heartbeats(buffer, &beats), 0);
    request_buffer_destroy(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_name_a_group_by_its_place_in_the_request_as_sent),
        cmocka_unit_test(keeps_the_first_of_each_key_in_one_request),
        cmocka_unit_test(a_key_is_free_again_once_released),
        cmocka_unit_test(keys_of_other_nodes_modes_and_sync_bits_are_other_keys),
        cmocka_unit_test(marks_the_duplicates_inside_a_group),
        cmocka_unit_test(holds_its_own_copy),
        cmocka_unit_test(a_storm_of_duplicates_costs_no_memory),
        cmocka_unit_test(closed_it_drops),
        cmocka_unit_test(the_higher_seq_wins_even_backwards),
        cmocka_unit_test(an_older_incarnation_is_dropped_a_newer_one_starts_anew),
        cmocka_unit_test(entries_only_go_forward_in_any_order),
        cmocka_unit_test(an_error_is_kept),
        cmocka_unit_test(completeness_is_delivered_with_the_pieces_that_are_in),
        cmocka_unit_test(a_forgotten_node_is_not_heard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
