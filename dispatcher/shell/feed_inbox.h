/*
 * What a reader of the log hands to the service thread: items in order, as many at once as have
 * come together. The reader waits when the inbox is full or the service has no room for more.
 *
 * Threads: one reader puts, one service takes, anybody stops.
 */
#ifndef SLUICE_DISPATCHER_SHELL_FEED_INBOX_H
#define SLUICE_DISPATCHER_SHELL_FEED_INBOX_H

#include "common/base/error.h"
#include "dispatcher/core/feed_item.h"

typedef struct feed_inbox feed_inbox_t;

#define FEED_INBOX_BYTES_MAX (UINT64_C(8) << 20)
#define FEED_INBOX_ITEMS_MAX 65536

/* `ring` is called (by the reader's thread) when there is something to take again. */
feed_inbox_t *feed_inbox_new(void (*ring)(void *context), void *context);
/* Clears what was not taken; NULL is allowed. */
void feed_inbox_destroy(feed_inbox_t **inbox);

/* Hands an item over (consumed). Waits while there is no room; false: stopped, the item is gone. */
bool feed_inbox_put(feed_inbox_t *inbox, feed_item_t *item);
/* Says whether the end of the log is reached for now; the next put takes it back. */
void feed_inbox_set_caught_up(feed_inbox_t *inbox, bool is_caught_up);

/* Everything there is: *items, an array that stays the inbox's until the next call; the items are
 * the caller's. */
uint32_t feed_inbox_take(feed_inbox_t *inbox, feed_item_t **items, bool *is_caught_up);
/* The reading has ended with this report; the last call of the reader. */
void feed_inbox_fail(feed_inbox_t *inbox, const error_report_t *report);
/* Whether it has, and everything before that was taken. */
bool feed_inbox_has_failed(feed_inbox_t *inbox, error_report_t *report);
/* Whether the service takes more; true at first. */
void feed_inbox_set_room(feed_inbox_t *inbox, bool has_room);

/* From now on nothing is taken in: a waiting put returns. */
void feed_inbox_stop(feed_inbox_t *inbox);

#endif
