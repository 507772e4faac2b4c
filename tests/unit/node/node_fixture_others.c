/* Other nodes: which ones a node reads from, what it asks them, what it tells them. */
#include "tests/unit/node/node_fixture_ports.h"

#include <stdio.h>
#include <string.h>

static void note_reading(world_t *world, char what, uint32_t slot)
{
    size_t len = strlen(world->reading);
    snprintf(world->reading + len, sizeof world->reading - len, "%s%c%u", len ? " " : "", what,
             (unsigned)slot);
}

static sluice_error_t world_read_from(void *self, uint32_t slot, const char *endpoint,
                                      incarnation_t own)
{
    (void)own;
    assert_string_equal(endpoint, "ipc://other");
    note_reading(self, '+', slot);
    return SLUICE_OK;
}

static void world_leave(void *self, uint32_t slot)
{
    note_reading(self, '-', slot);
}

static sluice_error_t world_ask(void *self, uint32_t slot, message_t *message)
{
    (void)slot;
    world_t *world = self;
    const stream_requests_t *requests = &message->stream_requests;
    for (uint32_t i = 0; i < requests->request_count; i++) {
        assert_true(world->asked_count < ASKED_MAX);
        world->asked_of[world->asked_count] = requests->changefeed;
        world->asked[world->asked_count++] = requests->requests[i];
    }
    return SLUICE_OK;
}

static sluice_error_t world_tell(void *self, const node_id_t *node, incarnation_t incarnation,
                                 message_t *message)
{
    (void)node, (void)incarnation;
    world_t *world = self;
    const stream_events_t *events = &message->stream_events;
    for (uint32_t i = 0; i < events->event_count; i++) {
        assert_true(world->told_others_count < ASKED_MAX);
        world->told_others_of[world->told_others_count] = events->changefeed;
        world->told_others[world->told_others_count++] = events->events[i];
    }
    return SLUICE_OK;
}

events_port_t world_events_port(world_t *world, bool has_others)
{
    return (events_port_t){.self = world,
                           .endpoint = has_others ? "ipc://own" : NULL,
                           .connect = world_read_from,
                           .disconnect = world_leave,
                           .send_requests = world_ask,
                           .send_events = world_tell};
}
