/* datagram PORT: a UDP server that sends back what it gets, and nothing by itself. IPv4 and IPv6. */
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

int main(int count, char **arguments) {
    char buffer[65536];
    int off = 0, sock = socket(AF_INET6, SOCK_DGRAM, 0);
    struct sockaddr_in6 here = {.sin6_family = AF_INET6, .sin6_port = htons(count > 1 ? atoi(arguments[1]) : 5001)};
    setsockopt(sock, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(sock, (struct sockaddr *)&here, sizeof here)) return 1;
    for (;;) {
        struct sockaddr_in6 from;
        socklen_t size = sizeof from;
        ssize_t got = recvfrom(sock, buffer, sizeof buffer, 0, (struct sockaddr *)&from, &size);
        if (got >= 0) sendto(sock, buffer, (size_t)got, 0, (struct sockaddr *)&from, size);
    }
}
