#include "maintainer/shell/maintainer_settings.h"

sluice_error_t maintainer_settings_from(const settings_t *from, maintainer_settings_t *settings,
                                        error_report_t *report)
{
    *settings = (maintainer_settings_t){
        .lease_ns = from->maintainer.lease_ns,
        .lease_grace_ns = from->maintainer.lease_grace_ns,
        .lease_answer_ns = from->maintainer.lease_answer_ns,
        .heartbeat_ns = from->maintainer.heartbeat_ns,
        .complete_heartbeat_ns = from->maintainer.complete_heartbeat_ns,
        .status_resend_ns = from->maintainer.status_resend_ns,
        .slot_count_max = (uint32_t)from->maintainer.slot_count_max,
        .action_resend_ns = from->maintainer.action_resend_ns,
        .pass_quiet_ns = from->maintainer.pass_quiet_ns,
        .pass_quiet_max_ns = from->maintainer.pass_quiet_max_ns,
        .unresolved_ns = from->maintainer.unresolved_ns,
        .disagreement_max_ns = from->maintainer.disagreement_max_ns,
        .schedule_resend_ns = from->maintainer.schedule_resend_ns,
        .balance_interval_ns = from->maintainer.balance_interval_ns,
        .moves_max = (uint32_t)from->maintainer.moves_max,
        .drain_moves_max = (uint32_t)from->maintainer.drain_moves_max,
        .scheduling_max = (uint32_t)from->maintainer.scheduling_max,
        .checkpoint_interval_ns = from->maintainer.checkpoint_interval_ns,
        .open_resend_ns = from->maintainer.open_resend_ns,
        .bootstrap_resend_ns = from->maintainer.bootstrap_resend_ns,
        .check_timeout_ns = from->maintainer.check_timeout_ns,
        .failure_settle_ns = from->maintainer.failure_settle_ns,
    };
    return maintainer_settings_check(settings, report);
}
