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

sluice_error_t mariadb_claim_prove(const mariadb_owner_t *owner, const sink_claim_t *claim,
                                   error_report_t *report)
{
    sql_text_t sql = {0};
    sql_text_add(&sql, "SELECT 1 FROM sluice.progress WHERE ");
    mariadb_claim_where(&sql, &owner->changefeed, claim);
    sql_text_add(&sql, " FOR UPDATE");
    MYSQL_RES *result;
    sluice_error_t error =
        mariadb_wait_rows(owner->session, owner->endpoint, sql_text_get(&sql), &result, report);
    sql_text_clear(&sql);
    if (error != SLUICE_OK)
        return error;
    bool is_owner = mysql_num_rows(result) == 1;
    mysql_free_result(result);
    if (!is_owner)
        return error_report_set(report, SLUICE_ERROR_NOT_OWNER,
                                "another assignment owns the span of table %llu",
                                (unsigned long long)claim->span.table_id.v);
    return SLUICE_OK;
}
