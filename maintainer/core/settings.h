/*
 * Every number of the maintainer's protocol, each a configuration key of the same name. Defaults
 * are DESIGN's.
 */
#ifndef SLUICE_MAINTAINER_CORE_SETTINGS_H
#define SLUICE_MAINTAINER_CORE_SETTINGS_H

#include "common/base/error.h"
#include "common/base/ids.h"
#include "common/base/time.h"

typedef struct {
    /* nodes */
    uint64_t lease_ns;              /* 10 s */
    uint64_t lease_grace_ns;        /* 2 s: absent this long after the lease's end */
    uint64_t lease_answer_ns;       /* 500 ms: heartbeats are answered at least this often */
    uint64_t heartbeat_ns;          /* 200 ms, told to nodes */
    uint64_t complete_heartbeat_ns; /* 10 s, told to nodes */
    uint64_t status_resend_ns;      /* 5 s, told to nodes */
    uint32_t slot_count_max;        /* 64 */
    /* barrier */
    uint64_t action_resend_ns;    /* 0.5 s: WRITE and PASS */
    uint64_t pass_quiet_ns;       /* 1 s; must exceed action_resend_ns */
    uint64_t pass_quiet_max_ns;   /* 5 s */
    uint64_t unresolved_ns;       /* 10 s: a warning names what is missing */
    uint64_t disagreement_max_ns; /* 60 s: then the changefeed fails */
    /* scheduling */
    uint64_t schedule_resend_ns;  /* 1 s: creates and closes nobody has answered */
    uint64_t balance_interval_ns; /* 500 ms */
    uint32_t moves_max;           /* 64 at a time for balance */
    uint32_t drain_moves_max;     /* 2,048 at a time away from a leaving node */
    uint32_t scheduling_max;      /* 8,192 creates open per node */
    /* changefeeds */
    uint64_t checkpoint_interval_ns; /* 200 ms between persisted checkpoints */
    uint64_t open_resend_ns;         /* 2 s */
    uint64_t bootstrap_resend_ns;    /* 1 s */
    uint64_t check_timeout_ns;       /* 120 s: pre-flight of a new changefeed */
    uint64_t failure_settle_ns; /* 2 s without a move of the checkpoint after a source's error */
} maintainer_settings_t;

void maintainer_settings_default(maintainer_settings_t *settings);

/* SLUICE_ERROR_CONFIGURATION naming the key when a value is 0 or two contradict each other. */
sluice_error_t maintainer_settings_check(const maintainer_settings_t *settings,
                                         error_report_t *report) SLUICE_MUST_USE;

#endif
