/*
 * A changefeed's configuration as JSON: what the meta store keeps and the API takes and gives.
 * {"name", "source", "sink", "filter": [rules], "options": {key: value}, "start": "now" | GTID
 * list, "domain"}
 *
 * Threads: stateless.
 */
#ifndef SLUICE_MAINTAINER_META_CONFIG_JSON_H
#define SLUICE_MAINTAINER_META_CONFIG_JSON_H

#include <jansson.h>

#include "common/base/arena.h"
#include "common/wire/message.h"

/* A new object; the caller gives it back with json_decref. `redacted`: passwords in URIs are
 * hidden. */
json_t *config_json_from(const changefeed_config_t *config, bool redacted);

/* Everything is copied into the arena. SLUICE_ERROR_CONFIGURATION naming the field that is missing,
 * unknown, of another type, or not allowed. */
sluice_error_t config_json_to(const json_t *json, arena_t *arena, changefeed_config_t *config,
                              error_report_t *report) SLUICE_MUST_USE;

#endif
