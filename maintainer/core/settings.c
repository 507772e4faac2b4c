#include "maintainer/core/settings.h"

void maintainer_settings_default(maintainer_settings_t *settings)
{
    *settings = (maintainer_settings_t){
        .lease_ns = 10 * NS_PER_S,
        .lease_grace_ns = 2 * NS_PER_S,
        .lease_answer_ns = 500 * NS_PER_MS,
        .heartbeat_ns = 200 * NS_PER_MS,
        .complete_heartbeat_ns = 10 * NS_PER_S,
        .status_resend_ns = 5 * NS_PER_S,
        .slot_count_max = 64,
        .action_resend_ns = 500 * NS_PER_MS,
        .pass_quiet_ns = NS_PER_S,
        .pass_quiet_max_ns = 5 * NS_PER_S,
        .unresolved_ns = 10 * NS_PER_S,
        .disagreement_max_ns = 60 * NS_PER_S,
        .schedule_resend_ns = NS_PER_S,
        .balance_interval_ns = 500 * NS_PER_MS,
        .moves_max = 64,
        .drain_moves_max = 2048,
        .scheduling_max = 8192,
        .checkpoint_interval_ns = 200 * NS_PER_MS,
        .open_resend_ns = 2 * NS_PER_S,
        .bootstrap_resend_ns = NS_PER_S,
        .check_timeout_ns = 120 * NS_PER_S,
        .failure_settle_ns = 2 * NS_PER_S,
    };
}

static const char *first_zero(const maintainer_settings_t *settings)
{
    const struct {
        const char *name;
        uint64_t value;
    } keys[] = {
        {"lease", settings->lease_ns},
        {"lease_answer", settings->lease_answer_ns},
        {"heartbeat", settings->heartbeat_ns},
        {"complete_heartbeat", settings->complete_heartbeat_ns},
        {"status_resend", settings->status_resend_ns},
        {"slot_count_max", settings->slot_count_max},
        {"action_resend", settings->action_resend_ns},
        {"pass_quiet", settings->pass_quiet_ns},
        {"pass_quiet_max", settings->pass_quiet_max_ns},
        {"unresolved", settings->unresolved_ns},
        {"disagreement_max", settings->disagreement_max_ns},
        {"schedule_resend", settings->schedule_resend_ns},
        {"balance_interval", settings->balance_interval_ns},
        {"moves_max", settings->moves_max},
        {"drain_moves_max", settings->drain_moves_max},
        {"scheduling_max", settings->scheduling_max},
        {"checkpoint_interval", settings->checkpoint_interval_ns},
        {"open_resend", settings->open_resend_ns},
        {"bootstrap_resend", settings->bootstrap_resend_ns},
        {"check_timeout", settings->check_timeout_ns},
        {"failure_settle", settings->failure_settle_ns},
    };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (keys[i].value == 0)
            return keys[i].name;
    return NULL;
}

sluice_error_t maintainer_settings_check(const maintainer_settings_t *settings,
                                         error_report_t *report)
{
    const char *zero = first_zero(settings);
    if (zero)
        return error_report_set(report, SLUICE_ERROR_CONFIGURATION, "%s must not be 0", zero);
    if (settings->pass_quiet_ns <= settings->action_resend_ns)
        return error_report_set(report, SLUICE_ERROR_CONFIGURATION,
                                "pass_quiet must be longer than action_resend: with a shorter one "
                                "a PASS is repeated into the answers to the last");
    if (settings->pass_quiet_max_ns < settings->pass_quiet_ns)
        return error_report_set(report, SLUICE_ERROR_CONFIGURATION,
                                "pass_quiet_max must not be shorter than pass_quiet");
    if (settings->heartbeat_ns >= settings->lease_ns)
        return error_report_set(report, SLUICE_ERROR_CONFIGURATION,
                                "heartbeat must be shorter than lease");
    if (settings->lease_answer_ns > NS_PER_S || settings->lease_answer_ns * 2 > settings->lease_ns)
        return error_report_set(report, SLUICE_ERROR_CONFIGURATION,
                                "lease_answer must be at most 1 s and at most half of lease");
    return SLUICE_OK;
}
