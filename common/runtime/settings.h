/*
 * Every configuration key of Sluice's processes, in one table, so that one file may serve them all
 * and `sluicectl config check` knows every key. Each process reads its section.
 *
 * Keys, defaults, ranges and help: settings.c. To add one: a field here, a line there, and a line
 * in deploy/sluice.yaml (a test compares).
 */
#ifndef SLUICE_COMMON_RUNTIME_SETTINGS_H
#define SLUICE_COMMON_RUNTIME_SETTINGS_H

#include "common/runtime/config.h"

typedef struct {
    bool insecure;
    struct {
        const char *level, *format, *file;
    } log;
    struct {
        const char *name, *control, *status, *http, *data;
        uint64_t lease_ns, lease_grace_ns, lease_answer_ns;
        uint64_t heartbeat_ns, complete_heartbeat_ns, status_resend_ns;
        uint64_t slot_count_max;
        uint64_t action_resend_ns, pass_quiet_ns, pass_quiet_max_ns;
        uint64_t unresolved_ns, disagreement_max_ns;
        uint64_t schedule_resend_ns, balance_interval_ns;
        uint64_t moves_max, drain_moves_max, scheduling_max;
        uint64_t checkpoint_interval_ns, open_resend_ns, bootstrap_resend_ns, check_timeout_ns;
        uint64_t failure_settle_ns;
    } maintainer;
    struct {
        const char *id, *http, *events, *events_advertise;
        config_list_t control, status; /* of each maintainer, in the same order */
        uint64_t server_id_base;
        uint64_t block_status_buffer_max, request_queue_max;
        uint64_t batch_window_ns, batch_idle_ns;
        uint64_t ignored_retry_first_ns, ignored_retry_max_ns;
        uint64_t session_repeat_first_ns, session_repeat_max_ns, session_heartbeat_ns;
        uint64_t session_credit_bytes;
        uint64_t tail_bytes_max, event_store_bytes_max, group_bytes_max;
        const char *spill_directory;
        uint64_t catch_up_streams;
        uint64_t source_heartbeat_ns, source_read_timeout_ns;
        uint64_t retry_first_ns, retry_max_ns, retry_forget_ns;
        uint64_t cooldown_first_ns, cooldown_max_ns;
        uint64_t reload_debounce_ns, reload_ranges_max;
        uint64_t candidate_lag_max_ns;
        uint64_t row_workers, ddl_workers;
        uint64_t sink_retry_first_ns, sink_retry_max_ns;
    } node;
} settings_t;

extern const config_table_t settings_table;

#endif
