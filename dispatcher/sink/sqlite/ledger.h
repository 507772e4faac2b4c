/*
 * Sluice's own tables in the SQLite file, and the rules over them (DESIGN §5, Fencing and Exactly
 * once): who owns a span and how far its rows are, which DDL was run, which sync points were
 * written. Every call happens inside a transaction of the session, together with what it speaks of.
 *
 *   __sluice_changefeed one row a changefeed: its generation, up to where it was persisted, whether
 *                       it was removed; the only one that stays then
 *   __sluice_progress   one row a span: owner's epoch, progress, and the DDL that dropped its table
 *   __sluice_ddl        one row a DDL that was run
 *   __sluice_ddl_table  the tables each of them changed
 *   __sluice_syncpoint  one row a sync point
 *
 * Unsigned 64-bit ids are stored as SQLite's signed INTEGER of the same bits; positions stay below
 * 2^63, which is checked.
 *
 * Threads: belongs to its session's thread.
 */
#ifndef SLUICE_DISPATCHER_SINK_SQLITE_LEDGER_H
#define SLUICE_DISPATCHER_SINK_SQLITE_LEDGER_H

#include "dispatcher/sink/sink.h"
#include "dispatcher/sink/sqlite/session.h"

typedef struct sqlite_ledger sqlite_ledger_t;

/* Makes the tables where they are missing. Outside a transaction. */
sluice_error_t sqlite_ledger_create_tables(sqlite_session_t *session,
                                           error_report_t *report) SLUICE_MUST_USE;

/* SLUICE_ERROR_SINK_SETTINGS: this is not a file that a changefeed was created with. */
sluice_error_t sqlite_ledger_find_tables(sqlite_session_t *session,
                                         error_report_t *report) SLUICE_MUST_USE;

/* `session` is borrowed for the ledger's life; the tables must be there. */
sluice_error_t sqlite_ledger_open(sqlite_session_t *session, changefeed_ref_t changefeed,
                                  sqlite_ledger_t **ledger, error_report_t *report) SLUICE_MUST_USE;
void sqlite_ledger_close(sqlite_ledger_t **ledger);

/* Before the claims of a transaction. SLUICE_ERROR_SINK_REFUSED: the changefeed was removed, or a
 * later generation has written. */
sluice_error_t sqlite_ledger_enter(sqlite_ledger_t *ledger, error_report_t *report) SLUICE_MUST_USE;

/* Takes the progress rows that overlap the claim's span over, unless one of them has a higher epoch
 * or a later generation (result NOT_OWNER, nothing changed). What an old row covered beyond the
 * span keeps its progress. Rows of earlier generations go; their progress counts for nothing. */
sluice_error_t sqlite_ledger_claim(sqlite_ledger_t *ledger, const sink_claim_t *claim,
                                   sink_claim_result_t *result,
                                   error_report_t *report) SLUICE_MUST_USE;

typedef enum {
    LEDGER_OWNED,       /* the rows may go in */
    LEDGER_DONE_BEFORE, /* they are in: the commit whose answer was lost had succeeded */
    LEDGER_NOT_OWNER
} ledger_verdict_t;

/* Whether the claim's epoch still owns its row. */
sluice_error_t sqlite_ledger_check(sqlite_ledger_t *ledger, const sink_claim_t *claim,
                                   ledger_verdict_t *verdict,
                                   error_report_t *report) SLUICE_MUST_USE;
/* The same, and moves the row to `progress`. */
sluice_error_t sqlite_ledger_advance(sqlite_ledger_t *ledger, const sink_claim_t *claim,
                                     commit_ts_t progress, ledger_verdict_t *verdict,
                                     error_report_t *report) SLUICE_MUST_USE;

sluice_error_t sqlite_ledger_ddl_is_done(sqlite_ledger_t *ledger, commit_ts_t ts, bool *is_done,
                                         error_report_t *report) SLUICE_MUST_USE;
/* Records the DDL with its tables, and marks the progress rows of those it dropped. */
sluice_error_t sqlite_ledger_record_ddl(sqlite_ledger_t *ledger, const ddl_event_t *ddl,
                                        error_report_t *report) SLUICE_MUST_USE;
/* Once; a second time changes nothing. */
sluice_error_t sqlite_ledger_record_syncpoint(sqlite_ledger_t *ledger, commit_ts_t ts,
                                              error_report_t *report) SLUICE_MUST_USE;
/* Forgets DDL records and dropped tables' rows at or below `ts`, and older generations. */
sluice_error_t sqlite_ledger_clean_up(sqlite_ledger_t *ledger, commit_ts_t ts,
                                      error_report_t *report) SLUICE_MUST_USE;

/* The changefeed is removed: nothing of it stays but that. */
sluice_error_t sqlite_ledger_forget(sqlite_ledger_t *ledger,
                                    error_report_t *report) SLUICE_MUST_USE;

#endif
