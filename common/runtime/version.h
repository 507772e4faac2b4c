/* What was built, from what, with what. Threads: any. */
#ifndef SLUICE_COMMON_RUNTIME_VERSION_H
#define SLUICE_COMMON_RUNTIME_VERSION_H

/* "0.1.0" */
const char *version_number(void);
/* Abbreviated git hash, "+dirty" behind it if files had changed; "unknown" outside a checkout. */
const char *version_hash(void);
const char *version_compiler(void);

#endif
