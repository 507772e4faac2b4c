#include "tests/sim/moment.h"

const char *sim_moment_name(sim_moment_kind_t kind)
{
    switch (kind) {
    case SIM_SENT:
        return "message sent";
    case SIM_DELIVERED:
        return "message taken";
    case SIM_ASKED:
        return "session asks";
    case SIM_TOLD:
        return "session is told";
    case SIM_PERSISTING:
        return "persisting";
    case SIM_PERSISTED:
        return "persisted";
    case SIM_LOGGED:
        return "logged";
    case SIM_CLAIMED:
        return "claimed";
    case SIM_CLAIM_REFUSED:
        return "claim refused";
    case SIM_ROWS_SENDING:
        return "rows sent";
    case SIM_ROWS_COMMITTED:
        return "rows committed";
    case SIM_DDL_LOCKING:
        return "ddl before lock";
    case SIM_DDL_BEFORE:
        return "ddl record before";
    case SIM_DDL_RAN:
        return "ddl ran";
    case SIM_DDL_AFTER:
        return "ddl record after";
    case SIM_SYNCPOINT:
        return "sync point";
    case SIM_NOT_OWNER:
        return "not the owner";
    }
    return "unknown";
}
