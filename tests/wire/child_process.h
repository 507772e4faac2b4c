/* A program that a test starts and ends by its pid. */
#ifndef SLUICE_TESTS_WIRE_CHILD_PROCESS_H
#define SLUICE_TESTS_WIRE_CHILD_PROCESS_H

#include <sys/types.h>

/* argv ends with NULL. The environment is the test's. */
pid_t child_process_start(const char *const argv[]);
void child_process_signal(pid_t pid, int signal_number);
/* The exit code, once it has ended; -1: it was killed, or did not end within `seconds` and was
 * killed by this call. */
int child_process_wait(pid_t pid, int seconds);

#endif
