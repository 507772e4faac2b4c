/*
 * What one node's heartbeats said of its dispatchers before the span table knew them: the newest of
 * each. A bootstrap response is older than what is found here.
 *
 * Threads: one.
 */
#ifndef SLUICE_MAINTAINER_CORE_DISPATCHER_NEWS_H
#define SLUICE_MAINTAINER_CORE_DISPATCHER_NEWS_H

#include "common/wire/message.h"

typedef struct dispatcher_news dispatcher_news_t;

/* Never NULL. */
dispatcher_news_t *dispatcher_news_new(void);
/* NULL is allowed. */
void dispatcher_news_destroy(dispatcher_news_t **news);

/* Copied. */
void dispatcher_news_add(dispatcher_news_t *news, const dispatcher_heartbeat_t *entry);
/* NULL: nothing was said of it. Until the next call that adds. */
const dispatcher_heartbeat_t *dispatcher_news_find(const dispatcher_news_t *news,
                                                   dispatcher_id_t id);

#endif
