/* session PORT: a TCP server for sessions that last. Each connection gets a line "NUMBER MILLISECONDS\n" every 10 ms
 * (from 0, on the guest's monotonic clock), and back whatever it sends. IPv4 and IPv6. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BEAT_MS = 10 };

static long now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000L + now.tv_nsec / 1000000;
}

static void serve(int peer) {
    char buffer[4096];
    long due = now_ms();
    for (unsigned number = 0;;) {
        long wait = due - now_ms();
        struct pollfd watched = {.fd = peer, .events = POLLIN};
        if (wait > 0 && poll(&watched, 1, (int)wait) > 0) {
            ssize_t got = read(peer, buffer, sizeof buffer);
            if (got <= 0 || write(peer, buffer, (size_t)got) != got) return;
            continue;
        }
        if (now_ms() < due) continue;
        int length = snprintf(buffer, sizeof buffer, "%u %ld\n", number++, now_ms());
        if (write(peer, buffer, (size_t)length) != length) return;
        due += BEAT_MS;
    }
}

int main(int count, char **arguments) {
    int on = 1, off = 0;
    int listener = socket(AF_INET6, SOCK_STREAM, 0);
    struct sockaddr_in6 here = {.sin6_family = AF_INET6, .sin6_port = htons(count > 1 ? atoi(arguments[1]) : 5000)};
    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_IGN);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(listener, (struct sockaddr *)&here, sizeof here) || listen(listener, 64)) return 1;
    for (;;) {
        int peer = accept(listener, NULL, NULL);
        if (peer < 0) continue;
        if (fork() == 0) {
            close(listener);
            setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            serve(peer);
            _exit(0);
        }
        close(peer);
    }
}
