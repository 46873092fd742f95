/* commander PORT: carries out commands that come by a virtio port. A request is "MARK COMMAND" and a zero byte; what the
 * command prints is followed by "\nMARK STATUS\n". The port stays open for good: closing it would throw away what has
 * come meanwhile. */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LONGEST = 1 << 17, PAUSE_US = 20000 };

static char request[LONGEST];

static int read_request(int port) {
    for (size_t length = 0; length < sizeof request;) {
        struct pollfd watched = {.fd = port, .events = POLLIN};
        poll(&watched, 1, -1);
        /* While nobody is at the other end the port is said to be readable, and has nothing to read. */
        if (!(watched.revents & POLLIN) || read(port, request + length, 1) != 1) {
            usleep(PAUSE_US);
            length = 0;
            continue;
        }
        if (request[length++] == 0) return 1;
    }
    return 0; /* too long */
}

static int carry_out(int port, const char *command) {
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        int nothing = open("/dev/null", O_RDONLY);
        dup2(nothing, 0);
        dup2(port, 1);
        dup2(port, 2);
        close(nothing);
        close(port);
        execl("/bin/sh", "sh", "-c", command, NULL);
        _exit(127);
    }
    if (child < 0 || waitpid(child, &status, 0) < 0) return 126;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int count, char **arguments) {
    int port = count > 1 ? open(arguments[1], O_RDWR) : -1;
    if (port < 0) return 1;
    for (;;) {
        char *command = read_request(port) ? strchr(request, ' ') : NULL;
        if (!command) continue;
        *command++ = 0;
        int status = carry_out(port, command);
        dprintf(port, "\n%s %d\n", request, status);
    }
}
