/* A node's host: opens, closes and checks as the test wants it. */
#include "tests/unit/node/node_fixture_ports.h"

static sluice_error_t world_open(void *self, const changefeed_request_t *request,
                                 changefeed_ports_t *ports, error_report_t *report)
{
    (void)request;
    world_t *world = self;
    if (world->open_error != SLUICE_OK)
        return error_report_set(report, world->open_error, "as the test wants it");
    world->opened++;
    world_t *own = world->opens_for ? world->opens_for : world;
    *ports = (changefeed_ports_t){
        .self = own, .feed = world_feed_port(own), .sink = world_sink_port(own)};
    return SLUICE_OK;
}

static void world_begin_close(void *self, void *changefeed, bool forgets)
{
    assert_ptr_equal(self, changefeed);
    ((world_t *)self)->closing++;
    ((world_t *)self)->forgotten += forgets;
}

static void *world_begin_forget(void *self, const changefeed_close_t *close)
{
    assert_true(close->is_removed);
    ((world_t *)self)->forgotten++;
    return self;
}

static bool world_is_closed(void *self, void *changefeed)
{
    (void)changefeed;
    return ((world_t *)self)->may_close;
}

static void world_begin_check(void *self, uint32_t place, const check_request_t *request,
                              uint32_t slot, uint32_t slot_count_max)
{
    (void)place, (void)request, (void)slot, (void)slot_count_max;
    ((world_t *)self)->checks_begun++;
}

static const check_response_t *world_check_response(void *self, uint32_t place)
{
    (void)place;
    world_t *world = self;
    return world->is_check_done ? &world->check_response : NULL;
}

static incarnation_t world_new_incarnation(void *self)
{
    return ((world_t *)self)->next_incarnation;
}

static void world_log(void *self, log_level_t level, const char *changefeed, const char *text,
                      const log_attribute_t *fields, size_t field_count)
{
    (void)level, (void)changefeed, (void)text, (void)fields, (void)field_count;
    ((world_t *)self)->lines++;
}

host_port_t world_host_port(world_t *world)
{
    return (host_port_t){.self = world,
                         .open = world_open,
                         .begin_close = world_begin_close,
                         .begin_forget = world_begin_forget,
                         .is_closed = world_is_closed,
                         .begin_check = world_begin_check,
                         .check_response = world_check_response,
                         .new_incarnation = world_new_incarnation,
                         .log = world_log};
}
