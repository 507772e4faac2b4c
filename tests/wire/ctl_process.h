/* sluicectl as a process, while the test goes on being a node. Threads: one. */
#ifndef SLUICE_TESTS_WIRE_CTL_PROCESS_H
#define SLUICE_TESTS_WIRE_CTL_PROCESS_H

#include "tests/wire/maintainer_process.h"

typedef struct {
    pid_t pid;
    int code; /* once it has ended */
    char out[16384], error[4096];
    int out_file, error_file;
} ctl_process_t;

/* `arguments` ends with NULL. The server is the maintainer's. */
void ctl_process_start(ctl_process_t *self, const maintainer_process_t *maintainer,
                       const char *const *arguments);
/* Whether it has ended; then code and texts are there. */
bool ctl_process_has_ended(ctl_process_t *self);
/* Starts it, waits for its end, returns the code. */
int ctl_process_run(ctl_process_t *self, const maintainer_process_t *maintainer,
                    const char *const *arguments);

#endif
