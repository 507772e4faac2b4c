#include "tests/wire/child_process.h"

#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

pid_t child_process_start(const char *const argv[])
{
    pid_t pid = -1;
    return posix_spawn(&pid, argv[0], NULL, NULL, (char *const *)(uintptr_t)argv, environ) == 0
               ? pid
               : -1;
}

void child_process_signal(pid_t pid, int signal_number)
{
    kill(pid, signal_number);
}

int child_process_wait(pid_t pid, int seconds)
{
    int descriptor = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd poll_fd = {.fd = descriptor, .events = POLLIN};
    if (descriptor < 0 || poll(&poll_fd, 1, seconds * 1000) != 1)
        kill(pid, SIGKILL);
    if (descriptor >= 0)
        close(descriptor);
    int status = 0;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
