/* The sides of a node's core that the fixture stands in for. Not for tests. */
#ifndef SLUICE_TESTS_UNIT_NODE_NODE_FIXTURE_PORTS_H
#define SLUICE_TESTS_UNIT_NODE_NODE_FIXTURE_PORTS_H

#include "tests/unit/node/node_fixture.h"

link_port_t world_link_port(world_link_t *link);
host_port_t world_host_port(world_t *world);
feed_port_t world_feed_port(world_t *world);
sink_port_t world_sink_port(world_t *world);
/* Without others it has no endpoint. */
events_port_t world_events_port(world_t *world, bool has_others);

#endif
