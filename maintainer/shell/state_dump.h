/* The coordinator's state as lines of the log, on USR1. Threads: the actor's. */
#ifndef SLUICE_MAINTAINER_SHELL_STATE_DUMP_H
#define SLUICE_MAINTAINER_SHELL_STATE_DUMP_H

#include "maintainer/core/coordinator.h"

void state_dump_log(const coordinator_t *coordinator, mono_ns_t now);

#endif
