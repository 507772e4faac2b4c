/*
 * The dispatcher process's one protocol thread: links to the maintainers, the changefeeds that run
 * here, pre-flight checks, lease, and leaving in order.
 *
 * Threads: everything by the thread that calls node_run.
 */
#ifndef SLUICE_DISPATCHER_SHELL_NODE_H
#define SLUICE_DISPATCHER_SHELL_NODE_H

#include "common/runtime/process.h"
#include "common/runtime/settings.h"
#include "common/wire/message.h"

typedef struct node node_t;

typedef struct {
    const settings_t *settings; /* borrowed */
    node_id_t id;
    int signals;                   /* of process_signals_open; borrowed */
    void (*reload)(void *context); /* HUP: reads the log's settings again */
    void *reload_context;
} node_options_t;

node_t *node_new(const node_options_t *options);
void node_destroy(node_t **node);

/* Connects and works until told to stop. */
process_exit_t node_run(node_t *node, error_report_t *report);

#endif
