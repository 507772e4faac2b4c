/* What fail points of sinks are told of; see common/runtime/fail_point.h. Threads: any; the text is
 * the thread's, until its next call. */
#ifndef SLUICE_DISPATCHER_SINK_SINK_SUBJECT_H
#define SLUICE_DISPATCHER_SINK_SINK_SUBJECT_H

#include "common/runtime/fail_point.h"
#include "dispatcher/sink/sink.h"

/* At most so many are named. */
#define SINK_SUBJECT_MAX 16

/* "0 8127 …": table ids. */
const char *sink_subject_of_claims(const sink_claim_t *claims, uint32_t count);
/* "shop.orders shop.items …": tables with rows in it. */
const char *sink_subject_of_writes(const sink_write_t *writes, uint32_t count);

#endif
