/*
 * Has a sink forget a removed changefeed (sink_api_t.forget): tried for a while, then a line in the
 * log says what is left.
 *
 * Threads: any; blocks.
 */
#ifndef SLUICE_DISPATCHER_SHELL_SINK_FORGET_H
#define SLUICE_DISPATCHER_SHELL_SINK_FORGET_H

#include "dispatcher/sink/sink.h"

/* Begins no try later than this. */
#define SINK_FORGET_NS (10 * NS_PER_S)

/* `sink` is open and nothing else uses it. */
void sink_forget(sink_t *sink, const char *changefeed_name);
/* The line for a sink that cannot even be opened. */
void sink_forget_failed(const char *changefeed_name, const error_report_t *report);

#endif
