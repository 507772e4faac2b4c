/*
 * What the sink knows of the changefeed as a whole: its generation, up to where it was persisted,
 * and whether it was removed. One row of sluice.changefeed, which stays when everything else of the
 * changefeed goes, so that whoever comes late finds out.
 *
 * The checkpoint in it counts whatever a meta store says that was brought back from an older copy:
 * DDL records up to there may be gone, so that nothing up to there may be done again.
 *
 * Threads: that of the session.
 */
#ifndef SLUICE_DISPATCHER_SINK_MARIADB_CHANGEFEED_ROW_H
#define SLUICE_DISPATCHER_SINK_MARIADB_CHANGEFEED_ROW_H

#include "dispatcher/sink/mariadb/claim.h"

/* Within a claim's transaction: keeps the row from changing until its end. *is_known false: the row
 * is missing or of an older generation; mariadb_changefeed_row_begin, then anew.
 * SLUICE_ERROR_SINK_REFUSED: removed, or a later generation has written. */
sluice_error_t mariadb_changefeed_row_enter(const mariadb_owner_t *owner, bool *is_known,
                                            commit_ts_t *checkpoint,
                                            error_report_t *report) SLUICE_MUST_USE;

/* Ends whatever earlier generations are at, forgets what they left, and makes the row. Commits. */
sluice_error_t mariadb_changefeed_row_begin(const mariadb_owner_t *owner,
                                            error_report_t *report) SLUICE_MUST_USE;

/* Within the open transaction: everything up to `persisted` is in. *is_ours false: removed, or of
 * another generation. */
sluice_error_t mariadb_changefeed_row_advance(const mariadb_owner_t *owner, commit_ts_t persisted,
                                              bool *is_ours,
                                              error_report_t *report) SLUICE_MUST_USE;

/* Marks the changefeed as removed, ends whatever anybody is at, and forgets everything else of it.
 * Commits. OK when there is nothing. */
sluice_error_t mariadb_changefeed_row_remove(const mariadb_owner_t *owner,
                                             error_report_t *report) SLUICE_MUST_USE;

#endif
