#include "common/runtime/settings.h"

#include "common/base/time.h"
#include "common/wire/node_message.h"

static const char *const levels[] = {"debug", "info", "warning", "error", NULL};
static const char *const formats[] = {"logfmt", "json", NULL};

#define FIELD(field) offsetof(settings_t, field)
#define TEXT(name, field, otherwise, help)                                                         \
    {                                                                                              \
        name, CONFIG_TEXT, FIELD(field), otherwise, 0, 0, NULL, help                               \
    }
#define CHOICE(name, field, choices, otherwise, help)                                              \
    {                                                                                              \
        name, CONFIG_CHOICE, FIELD(field), otherwise, 0, 0, choices, help                          \
    }
#define LIST(name, field, otherwise, help)                                                         \
    {                                                                                              \
        name, CONFIG_LIST, FIELD(field), otherwise, 0, 0, NULL, help                               \
    }
#define NUMBER(name, field, otherwise, min, max, help)                                             \
    {                                                                                              \
        name, CONFIG_NUMBER, FIELD(field), otherwise, min, max, NULL, help                         \
    }
#define BYTES(name, field, otherwise, min, max, help)                                              \
    {                                                                                              \
        name, CONFIG_BYTES, FIELD(field), otherwise, min, max, NULL, help                          \
    }
#define DURATION(name, field, otherwise, min, max, help)                                           \
    {                                                                                              \
        name, CONFIG_DURATION, FIELD(field), otherwise, min, max, NULL, help                       \
    }

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define MS NS_PER_MS
#define SECOND NS_PER_S
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)

/* clang-format off */
static const config_key_t keys[] = {
    {"insecure", CONFIG_BOOLEAN, FIELD(insecure), "false", 0, 0, NULL,
     "Bind addresses that other machines reach, though nothing on the wire is authenticated."},

    CHOICE("log.level", log.level, levels, "info", "debug, info, warning or error; read again on HUP."),
    CHOICE("log.format", log.format, formats, "logfmt", "logfmt or json."),
    TEXT("log.file", log.file, "", "Empty: stderr. Opened again on HUP."),

    TEXT("maintainer.name", maintainer.name, "maintainer", "Its name in messages: letters, digits, '.', '_', '-'."),
    TEXT("maintainer.control", maintainer.control, "tcp://127.0.0.1:7611", "Where nodes say hello and get orders: tcp://host:port or ipc://path."),
    TEXT("maintainer.status", maintainer.status, "tcp://127.0.0.1:7612", "Where nodes send heartbeats and block statuses."),
    TEXT("maintainer.http", maintainer.http, "127.0.0.1:7610", "API, metrics and health: host:port."),
    TEXT("maintainer.data", maintainer.data, "/var/lib/sluice", "Directory of the meta store."),
    DURATION("maintainer.lease", maintainer.lease_ns, "10s", 100 * MS, HOUR, "A node that got no answer for so long starts no write."),
    DURATION("maintainer.lease_grace", maintainer.lease_grace_ns, "2s", 10 * MS, HOUR, "A node silent for the lease and this is called absent."),
    DURATION("maintainer.lease_answer", maintainer.lease_answer_ns, "500ms", MS, MINUTE, "Heartbeats are answered at least this often."),
    DURATION("maintainer.heartbeat", maintainer.heartbeat_ns, "200ms", MS, MINUTE, "Nodes report what has changed this often."),
    DURATION("maintainer.complete_heartbeat", maintainer.complete_heartbeat_ns, "10s", 10 * MS, HOUR, "Nodes report every dispatcher this often."),
    DURATION("maintainer.status_resend", maintainer.status_resend_ns, "5s", 10 * MS, HOUR, "Nodes repeat an unacknowledged block status after this."),
    NUMBER("maintainer.slot_count_max", maintainer.slot_count_max, "64", 1, NODE_SLOTS_MAX, "At most so many nodes; every node id ever used keeps its slot for a while."),
    DURATION("maintainer.action_resend", maintainer.action_resend_ns, "500ms", 10 * MS, MINUTE, "WRITE and PASS are repeated after this."),
    DURATION("maintainer.pass_quiet", maintainer.pass_quiet_ns, "1s", 10 * MS, MINUTE, "A PASS to everybody is repeated once no status of its event came for so long; longer than action_resend."),
    DURATION("maintainer.pass_quiet_max", maintainer.pass_quiet_max_ns, "5s", 10 * MS, HOUR, "... and is held no longer than this."),
    DURATION("maintainer.unresolved", maintainer.unresolved_ns, "10s", 100 * MS, HOUR, "A barrier open for so long is warned about, with what is missing."),
    DURATION("maintainer.disagreement_max", maintainer.disagreement_max_ns, "60s", SECOND, 24 * HOUR, "Reporters that disagree on an event for so long fail the changefeed."),
    DURATION("maintainer.schedule_resend", maintainer.schedule_resend_ns, "1s", 10 * MS, MINUTE, "Unanswered creates and closes are repeated after this."),
    DURATION("maintainer.balance_interval", maintainer.balance_interval_ns, "500ms", 10 * MS, HOUR, "How often spans are balanced over nodes."),
    NUMBER("maintainer.moves_max", maintainer.moves_max, "64", 1, 100000, "Moves for balance at a time."),
    NUMBER("maintainer.drain_moves_max", maintainer.drain_moves_max, "2048", 1, 1000000, "Moves at a time away from a node that leaves."),
    NUMBER("maintainer.scheduling_max", maintainer.scheduling_max, "8192", 1, 1000000, "Unanswered creates at a time, by node."),
    DURATION("maintainer.checkpoint_interval", maintainer.checkpoint_interval_ns, "200ms", MS, MINUTE, "The checkpoint is persisted this often."),
    DURATION("maintainer.open_resend", maintainer.open_resend_ns, "2s", 10 * MS, MINUTE, "An unanswered open is repeated after this."),
    DURATION("maintainer.bootstrap_resend", maintainer.bootstrap_resend_ns, "1s", 10 * MS, MINUTE, "An unanswered bootstrap request is repeated after this."),
    DURATION("maintainer.check_timeout", maintainer.check_timeout_ns, "2m", SECOND, HOUR, "A pre-flight check that takes longer has failed."),
    DURATION("maintainer.failure_settle", maintainer.failure_settle_ns, "2s", MS, HOUR, "An error of the source fails the changefeed when the checkpoint has not moved for so long."),

    TEXT("node.id", node.id, "", "Name of this node, one of its kind: letters, digits, '.', '_', '-'. Empty: the host's name."),
    LIST("node.control", node.control, "tcp://127.0.0.1:7611", "maintainer.control of each maintainer."),
    LIST("node.status", node.status, "tcp://127.0.0.1:7612", "maintainer.status of each maintainer, in the same order."),
    TEXT("node.events", node.events, "", "Where other nodes read events that this one holds, so that the source is not read again: tcp://host:port (host: an address) or ipc://path. Empty: nowhere, and it does not read from others."),
    TEXT("node.events_advertise", node.events_advertise, "", "What other nodes connect to for that; empty: node.events."),
    TEXT("node.http", node.http, "", "Metrics and health: host:port. Empty: none."),
    NUMBER("node.server_id_base", node.server_id_base, "424200", 1, UINT32_MAX - 65536, "Replication server ids count from here, 64 for each node; none of the source's replicas may use them."),
    NUMBER("node.block_status_buffer_max", node.block_status_buffer_max, "1048576", 1, 1 << 28, "Block statuses that wait to be sent."),
    NUMBER("node.request_queue_max", node.request_queue_max, "10000", 1, 1 << 24, "Requests that wait to be sent."),
    DURATION("node.batch_window", node.batch_window_ns, "10ms", 1, 10 * SECOND, "A batch of block statuses waits no longer."),
    DURATION("node.batch_idle", node.batch_idle_ns, "50us", 1, 10 * SECOND, "... and is sent when nothing was offered or sent for so long."),
    DURATION("node.ignored_retry_first", node.ignored_retry_first_ns, "50ms", MS, MINUTE, "What the maintainer could not take yet is repeated after this, doubling,"),
    DURATION("node.ignored_retry_max", node.ignored_retry_max_ns, "5s", MS, HOUR, "... up to this."),
    DURATION("node.session_repeat_first", node.session_repeat_first_ns, "1s", MS, MINUTE, "An unanswered register or reset is repeated after this, doubling,"),
    DURATION("node.session_repeat_max", node.session_repeat_max_ns, "10s", MS, HOUR, "... up to this."),
    DURATION("node.session_heartbeat", node.session_heartbeat_ns, "10s", 10 * MS, HOUR, "Sessions tell their service how far they are."),
    BYTES("node.session_credit", node.session_credit_bytes, "16MiB", 64 * KIB, 4 * GIB, "Events that a session takes before it has flushed them."),
    BYTES("node.tail_max", node.tail_bytes_max, "512MiB", MIB, 1024 * GIB, "Events held in memory, by changefeed."),
    BYTES("node.event_store_max", node.event_store_bytes_max, "8GiB", 0, 1024 * GIB, "What a lagging table still needs of them and memory has no room for, on disk, by changefeed. 0: nothing, then everybody waits for it."),
    TEXT("node.spill_directory", node.spill_directory, "/var/tmp", "Directory for that and for transactions too large for memory; what a killed process left is removed at the next start."),
    BYTES("node.group_max", node.group_bytes_max, "1GiB", MIB, 1024 * GIB, "The largest transaction."),
    NUMBER("node.catch_up_streams", node.catch_up_streams, "1", 1, 6, "Readers of older log beside the live one, by changefeed and server of its source; as many again for tables that were just created."),
    DURATION("node.source_heartbeat", node.source_heartbeat_ns, "1s", 100 * MS, HOUR, "An idle source says that it is alive this often."),
    DURATION("node.source_read_timeout", node.source_read_timeout_ns, "30s", SECOND, HOUR, "A source silent for so long has lost its connection."),
    DURATION("node.retry_first", node.retry_first_ns, "50ms", 25 * MS, MINUTE, "A source that failed is opened again after this, doubling,"),
    DURATION("node.retry_max", node.retry_max_ns, "2s", 25 * MS, HOUR, "... up to this."),
    DURATION("node.retry_forget", node.retry_forget_ns, "5m", SECOND, 24 * HOUR, "Failures older than this do not count."),
    DURATION("node.cooldown_first", node.cooldown_first_ns, "200ms", MS, MINUTE, "A server of the source that failed is left alone for this, doubling,"),
    DURATION("node.cooldown_max", node.cooldown_max_ns, "5s", MS, HOUR, "... up to this."),
    DURATION("node.reload_debounce", node.reload_debounce_ns, "25ms", MS, MINUTE, "Ranges to be located again are collected for this"),
    NUMBER("node.reload_ranges_max", node.reload_ranges_max, "128", 1, 1 << 20, "... or until there are so many."),
    DURATION("node.candidate_lag_max", node.candidate_lag_max_ns, "1h", SECOND, 7 * 24 * HOUR, "Another node is read from only if it has read the source to at most so long before what is wanted."),
    NUMBER("node.row_workers", node.row_workers, "8", 1, 256, "Sink connections that write rows, by changefeed."),
    NUMBER("node.ddl_workers", node.ddl_workers, "2", 1, 64, "Sink connections that run DDL, by changefeed."),
    DURATION("node.sink_retry_first", node.sink_retry_first_ns, "100ms", 10 * MS, MINUTE, "What the sink could not do for now is tried again after this, doubling,"),
    DURATION("node.sink_retry_max", node.sink_retry_max_ns, "5s", 10 * MS, HOUR, "... up to this."),
};
/* clang-format on */

const config_table_t settings_table = {keys, sizeof keys / sizeof keys[0]};
