#include "dispatcher/core/node/schema_report.h"

void schema_report_start(schema_report_t *report, commit_ts_t start)
{
    *report = (schema_report_t){.is_active = true, .acknowledged = start, .sent_up_to = start};
}

void schema_report_stop(schema_report_t *report)
{
    *report = (schema_report_t){0};
}

void schema_report_listens_anew(schema_report_t *report)
{
    report->is_heard = false;
    report->due_at = (mono_ns_t){0};
}

static bool has_news(const schema_report_t *report, commit_ts_t checkpoint)
{
    return report->is_active &&
           (report->wants_snapshot || !report->is_heard || checkpoint.v > report->acknowledged.v);
}

schema_news_t schema_report_next(const schema_report_t *report, commit_ts_t checkpoint,
                                 mono_ns_t now)
{
    if (!has_news(report, checkpoint) || !mono_reached(report->due_at, now))
        return SCHEMA_REPORT_NOTHING;
    return report->wants_snapshot ? SCHEMA_REPORT_SNAPSHOT : SCHEMA_REPORT_DDLS;
}

void schema_report_sent(schema_report_t *report, bool is_snapshot, commit_ts_t up_to, uint32_t ddls,
                        mono_ns_t now)
{
    report->sent_at = now;
    if (is_snapshot) {
        report->ddls = 0;
        if (report->first_snapshot.v == COMMIT_TS_NONE.v)
            report->first_snapshot = up_to;
        report->due_at = mono_add(now, SCHEMA_SNAPSHOT_RESEND_NS);
        return;
    }
    if (up_to.v > report->sent_up_to.v)
        report->ddls += ddls;
    report->sent_up_to = up_to;
    report->due_at = mono_add(now, SCHEMA_REPORT_INTERVAL_NS);
}

void schema_report_failed(schema_report_t *report, mono_ns_t now)
{
    report->due_at = mono_add(now, report->wants_snapshot ? SCHEMA_SNAPSHOT_RETRY_NS
                                                          : SCHEMA_REPORT_INTERVAL_NS);
}

static void want_snapshot(schema_report_t *report)
{
    if (report->wants_snapshot)
        return;
    report->wants_snapshot = true;
    report->first_snapshot = COMMIT_TS_NONE;
    report->due_at = (mono_ns_t){0};
}

void schema_report_lost(schema_report_t *report)
{
    want_snapshot(report);
}

void schema_report_acknowledged(schema_report_t *report, commit_ts_t at)
{
    if (!report->is_active)
        return;
    report->is_heard = true;
    if (at.v < report->acknowledged.v) {
        /* What it has ends before what we would send. */
        want_snapshot(report);
        return;
    }
    report->acknowledged = at;
    bool has_sent = report->first_snapshot.v != COMMIT_TS_NONE.v;
    if (report->wants_snapshot && has_sent && at.v >= report->first_snapshot.v) {
        report->wants_snapshot = false;
        report->due_at = mono_add(report->sent_at, SCHEMA_REPORT_INTERVAL_NS);
    }
    if (report->ddls >= SCHEMA_DDLS_PER_SNAPSHOT)
        want_snapshot(report);
}

mono_ns_t schema_report_next_deadline(const schema_report_t *report, commit_ts_t checkpoint)
{
    return has_news(report, checkpoint) ? report->due_at : MONO_NEVER;
}
