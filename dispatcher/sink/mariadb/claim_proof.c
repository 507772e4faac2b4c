/* Proving that a claim still holds. */
#include "dispatcher/sink/mariadb/claim.h"

#include "dispatcher/sink/mariadb/tables.h"
#include "dispatcher/sink/mariadb/wait.h"

void mariadb_claim_where(sql_text_t *sql, const changefeed_ref_t *changefeed,
                         const sink_claim_t *claim)
{
    mariadb_tables_where_feed(sql, changefeed);
    sql_text_printf(sql, " AND mode=%d AND table_id=%llu AND start_key=", (int)claim->mode,
                    (unsigned long long)claim->span.table_id.v);
    sql_text_add_hex(sql, claim->span.start_key);
    sql_text_add(sql, " AND end_key=");
    sql_text_add_hex(sql, claim->span.end_key);
    sql_text_printf(sql, " AND maintainer_epoch=%llu AND counter=%llu",
                    (unsigned long long)claim->epoch.maintainer_epoch,
                    (unsigned long long)claim->epoch.counter);
}

/* Whether the claim's row is there; `is_locked`: and nobody else changes it until the end of the
 * transaction. */
static sluice_error_t row_find(const mariadb_owner_t *owner, const sink_claim_t *claim,
                               bool is_locked, bool *is_there, error_report_t *report)
{
    sql_text_t sql = {0};
    sql_text_add(&sql, "SELECT 1 FROM sluice.progress WHERE ");
    mariadb_claim_where(&sql, &owner->changefeed, claim);
    if (is_locked)
        sql_text_add(&sql, " FOR UPDATE");
    MYSQL_RES *result;
    const char *text = sql_text_get(&sql);
    sluice_error_t error =
        is_locked ? mariadb_wait_rows(owner->session, owner->endpoint, text, &result, report)
                  : mariadb_session_select(owner->session, text, &result, report);
    sql_text_clear(&sql);
    if (error != SLUICE_OK)
        return error;
    *is_there = mysql_num_rows(result) == 1;
    mysql_free_result(result);
    return SLUICE_OK;
}

sluice_error_t mariadb_claim_prove(const mariadb_owner_t *owner, const sink_claim_t *claim,
                                   error_report_t *report)
{
    /* Who waits for a row ends the connection that holds it: an earlier owner must not wait. */
    bool is_owner = false;
    sluice_error_t error = row_find(owner, claim, false, &is_owner, report);
    if (error == SLUICE_OK && is_owner)
        error = row_find(owner, claim, true, &is_owner, report);
    if (error != SLUICE_OK)
        return error;
    if (!is_owner)
        return error_report_set(report, SLUICE_ERROR_NOT_OWNER,
                                "another assignment owns the span of table %llu",
                                (unsigned long long)claim->span.table_id.v);
    return SLUICE_OK;
}
