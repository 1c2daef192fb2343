/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Run a command on a terminal of its own, and type.
 *
 *   ptyrun [PATTERN TEXT]... -- COMMAND [ARGUMENT]...
 *
 * Each TEXT is typed once PATTERN (a plain string) has been seen, after the place where the one before was
 * found. What the command prints goes to stdout. At the end stderr says whether the terminal is as
 * it was: "terminal: same" or "terminal: changed". Exit status: the command's, 128 + n after a
 * signal, 125 after a minute.
 */
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <utmp.h>

#define LIMIT 60
#define MAX_OUTPUT (4 << 20)

static char output[MAX_OUTPUT + 1];
static size_t used, seen;

/* Type all texts whose patterns are there. */
static char **answer(int fd, char **script)
{
    while (strcmp(script[0], "--")) {
        char *p = memmem(output + seen, used - seen, script[0], strlen(script[0]));

        if (!p)
            break;
        seen = p + strlen(script[0]) - output;
        if (write(fd, script[1], strlen(script[1])) < 0)
            break;
        script += 2;
    }
    return script;
}

/* Copy what comes until the command ends. @return 0, or -1 when it takes too long */
static int converse(int fd, pid_t pid, char **script, int *status)
{
    time_t end = time(NULL) + LIMIT;

    for (;;) {
        struct pollfd p = { fd, POLLIN, 0 };
        int ready = poll(&p, 1, 20);
        ssize_t n = ready > 0 && used < MAX_OUTPUT ? read(fd, output + used, MAX_OUTPUT - used) : 0;

        if (n > 0) {
            fwrite(output + used, 1, n, stdout);
            used += n;
            script = answer(fd, script);
            continue;
        }
        if (waitpid(pid, status, WNOHANG) == pid)
            return 0;
        if (time(NULL) > end)
            return -1;
    }
}

int main(int argc, char **argv)
{
    struct termios before, after;
    int master, slave, status = 0, sep = 1;
    pid_t pid;

    while (sep < argc && strcmp(argv[sep], "--"))
        sep += 2;
    if (sep + 1 >= argc || openpty(&master, &slave, NULL, NULL, NULL) < 0)
        return 126;
    tcgetattr(slave, &before);
    pid = fork();
    if (!pid) {
        close(master);
        login_tty(slave);
        execvp(argv[sep + 1], argv + sep + 1);
        _exit(127);
    }
    if (pid < 0 || converse(master, pid, argv + 1, &status) < 0) {
        kill(pid, SIGKILL);
        return 125;
    }
    tcgetattr(slave, &after);
    fprintf(stderr, "terminal: %s\n", memcmp(&before, &after, sizeof(before)) ? "changed" : "same");
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
