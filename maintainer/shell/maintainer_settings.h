/* The maintainer's configuration keys as the core's settings. Threads: stateless. */
#ifndef SLUICE_MAINTAINER_SHELL_MAINTAINER_SETTINGS_H
#define SLUICE_MAINTAINER_SHELL_MAINTAINER_SETTINGS_H

#include "common/runtime/settings.h"
#include "maintainer/core/settings.h"

/* SLUICE_ERROR_CONFIGURATION naming the key when two contradict each other. */
sluice_error_t maintainer_settings_from(const settings_t *from, maintainer_settings_t *settings,
                                        error_report_t *report) SLUICE_MUST_USE;

#endif
