/* A node's sink: keeps what it is asked; claims are answered at once. */
#include "tests/unit/node/node_fixture_ports.h"

static call_t *add_call(world_t *world, call_kind_t kind, uint64_t run)
{
    assert_true(world->call_count < CALLS_MAX);
    call_t *call = &world->calls[world->call_count++];
    *call = (call_t){.kind = kind, .run = run};
    return call;
}

uint32_t count_calls(const world_t *world, call_kind_t kind)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < world->call_count; i++)
        count += world->calls[i].kind == kind;
    return count;
}

void put_completion(world_t *world, sink_completion_t completion)
{
    assert_true(world->completion_count < ASKED_MAX);
    world->completions[world->completion_count++] = completion;
}

/* ---- the port ---- */

static void world_claim(void *self, dispatcher_id_t dispatcher_id, uint64_t run,
                        const sink_claim_t *claim)
{
    (void)claim;
    add_call(self, CALL_CLAIM, run)->dispatcher_id = dispatcher_id;
    put_completion(self, (sink_completion_t){
                             .kind = SINK_CLAIMED, .dispatcher_id = dispatcher_id, .run = run});
}

static void world_write(void *self, uint64_t run, transaction_t *transaction,
                        const table_rows_t *rows)
{
    (void)rows;
    add_call(self, CALL_WRITE, run);
    transaction_unref(&transaction);
}

static void world_run_ddl(void *self, uint64_t run, ddl_event_t *ddl)
{
    add_call(self, CALL_DDL, run);
    ddl_event_unref(&ddl);
}

static void world_write_syncpoint(void *self, uint64_t run, commit_ts_t commit_ts)
{
    (void)commit_ts;
    add_call(self, CALL_SYNCPOINT, run);
}

static void world_cancel(void *self, uint64_t run)
{
    add_call(self, CALL_CANCEL, run);
}

static void world_close_lane(void *self, uint64_t run)
{
    add_call(self, CALL_CLOSE_LANE, run);
}

static void world_ignore_ts(void *self, commit_ts_t ts)
{
    (void)self, (void)ts;
}

static void world_clean_up(void *self, commit_ts_t persisted)
{
    ((world_t *)self)->cleaned_up = persisted;
}

static void world_set_lease(void *self, mono_ns_t until)
{
    ((world_t *)self)->lease = until;
}

static uint32_t world_take_completions(void *self, sink_completion_t *completions, uint32_t max)
{
    world_t *world = self;
    assert_true(world->completion_count <= max);
    uint32_t count = world->completion_count;
    memcpy(completions, world->completions, count * sizeof *completions);
    world->completion_count = 0;
    return count;
}

static void world_sink_state(void *self, sink_pool_state_t *state)
{
    (void)self;
    *state = (sink_pool_state_t){0};
}

sink_port_t world_sink_port(world_t *world)
{
    return (sink_port_t){.self = world,
                         .claim = world_claim,
                         .write = world_write,
                         .run_ddl = world_run_ddl,
                         .write_syncpoint = world_write_syncpoint,
                         .cancel = world_cancel,
                         .close_lane = world_close_lane,
                         .watermark = world_ignore_ts,
                         .clean_up = world_clean_up,
                         .set_lease = world_set_lease,
                         .take = world_take_completions,
                         .state = world_sink_state};
}
