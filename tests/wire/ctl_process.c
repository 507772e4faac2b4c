#include "tests/wire/ctl_process.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/runtime/clock.h"

#define ARGUMENTS_MAX 32

static int temporary_file(void)
{
    char path[] = "/tmp/sluice-ctl-XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    unlink(path);
    return file;
}

void ctl_process_start(ctl_process_t *self, const maintainer_process_t *maintainer,
                       const char *const *arguments)
{
    char server[64];
    char *argv[ARGUMENTS_MAX] = {(char *)CTL_PROGRAM};
    for (size_t i = 0; arguments[i]; i++) {
        assert_true(i + 2 < ARGUMENTS_MAX);
        argv[i + 1] = (char *)arguments[i];
    }
    snprintf(server, sizeof server, "http://127.0.0.1:%u", maintainer->http_port);
    *self = (ctl_process_t){.out_file = temporary_file(), .error_file = temporary_file()};
    self->pid = fork();
    assert_true(self->pid >= 0);
    if (self->pid == 0) {
        setenv("SLUICE_SERVER", server, 1);
        dup2(self->out_file, STDOUT_FILENO);
        dup2(self->error_file, STDERR_FILENO);
        execv(CTL_PROGRAM, argv);
        _exit(127);
    }
}

static void read_back(int file, char *text, size_t size)
{
    ssize_t len = pread(file, text, size - 1, 0);
    text[len > 0 ? len : 0] = '\0';
    close(file);
}

bool ctl_process_has_ended(ctl_process_t *self)
{
    int status;
    if (waitpid(self->pid, &status, WNOHANG) == 0)
        return false;
    self->code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    read_back(self->out_file, self->out, sizeof self->out);
    read_back(self->error_file, self->error, sizeof self->error);
    return true;
}

int ctl_process_run(ctl_process_t *self, const maintainer_process_t *maintainer,
                    const char *const *arguments)
{
    mono_ns_t until = mono_add(clock_mono(), DEADLINE_MS * NS_PER_MS);
    ctl_process_start(self, maintainer, arguments);
    while (!ctl_process_has_ended(self)) {
        if (mono_reached(until, clock_mono())) {
            kill(self->pid, SIGKILL);
            fail_msg("sluicectl does not end");
        }
        usleep(2000);
    }
    return self->code;
}
