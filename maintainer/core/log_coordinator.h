/*
 * Which node could serve a table's events from what it holds, so that the source need not be read
 * again for it (DESIGN §6, log coordinator; ORACLE LC-1, LC-2).
 *
 * Nodes report what the event service of each changefeed holds. Another node is a candidate for a
 * table from `start` on when it can be reached, is there and not about to leave, serves the
 * changefeed, holds everything of the table above a floor at or below `start`, has read past that
 * floor, and as far as the asker wants at least. Who has read furthest is first.
 *
 * Limits: one report for each node and changefeed, of at most STORE_FLOORS_MAX tables; at most
 * LOG_COORDINATOR_QUESTIONS_MAX questions wait for a step: more are dropped, and asked again.
 *
 * Threads: one. Everything given is copied. The node set is borrowed for its life.
 */
#ifndef SLUICE_MAINTAINER_CORE_LOG_COORDINATOR_H
#define SLUICE_MAINTAINER_CORE_LOG_COORDINATOR_H

#include "maintainer/core/sender.h"

#define LOG_COORDINATOR_QUESTIONS_MAX 65536

typedef struct log_coordinator log_coordinator_t;

log_coordinator_t *log_coordinator_new(const node_set_t *nodes);
void log_coordinator_destroy(log_coordinator_t **coordinator);

/* What a present node reports replaces what it reported before of this changefeed. */
void log_coordinator_report(log_coordinator_t *coordinator, node_index_t node,
                            const event_store_report_t *state);
/* The node, or its incarnation, is gone; the changefeed is. */
void log_coordinator_forget_node(log_coordinator_t *coordinator, node_index_t node);
void log_coordinator_forget_changefeed(log_coordinator_t *coordinator, changefeed_uuid_t uuid);

/* Questions of a present node, answered by the next log_coordinator_answer. */
void log_coordinator_ask(log_coordinator_t *coordinator, node_index_t node,
                         uint64_t maintainer_epoch, const candidates_request_t *request);
bool log_coordinator_has_questions(const log_coordinator_t *coordinator);
/* One response to each request; `sender`'s epoch is that of the request. */
void log_coordinator_answer(log_coordinator_t *coordinator, const sender_t *sender);

/* The nodes that could serve it, best first, at most CANDIDATES_MAX; returns how many. */
uint32_t log_coordinator_candidates(const log_coordinator_t *coordinator, changefeed_ref_t ref,
                                    node_index_t asker, const candidates_question_t *question,
                                    node_index_t candidates[CANDIDATES_MAX]);

/* Reports held. */
uint32_t log_coordinator_count(const log_coordinator_t *coordinator);

#endif
