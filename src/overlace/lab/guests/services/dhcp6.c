/* dhcp6 INTERFACE: has the interface's addresses told by DHCPv6 (RFC 8415), with rapid commit. Asks until it is answered, and
 * again at SIGUSR1: a renewal, of the server that has told them. Prints a line for each address of an answer. */
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum { NOTHING = 0, SOLICIT = 1, RENEW = 5, REPLY = 7 };
enum { CLIENT_ID = 1, SERVER_ID = 2, IA_NA = 3, IA_ADDRESS = 5, ELAPSED = 8, RAPID_COMMIT = 14 };
enum { MOST = 16, FIRST_MS = 1000, LONGEST_MS = 60000 };

static unsigned char server[130], addresses[MOST][16];
static int server_size, count;
static volatile sig_atomic_t wanted = SOLICIT;

static void again(int number) {
    (void)number;
    wanted = count ? RENEW : SOLICIT;
}

static unsigned char *option(unsigned char *at, int code, const void *body, int size) {
    unsigned char head[4] = {(unsigned char)(code >> 8), (unsigned char)code, (unsigned char)(size >> 8), (unsigned char)size};
    memcpy(at, head, 4);
    memcpy(at + 4, body, (size_t)size);
    return at + 4 + size;
}

static size_t question(unsigned char *message, int kind, unsigned number, const unsigned char *mac) {
    unsigned char client[10] = {0, 3, 0, 1}, elapsed[2] = {0}, association[12 + MOST * 28] = {0, 0, 0, 1};
    unsigned char *at = message + 4, *inner = association + 12;
    memcpy(client + 4, mac, 6); /* DUID-LL */
    message[0] = (unsigned char)kind;
    for (int index = 1; index < 4; index++) message[index] = (unsigned char)(number >> (24 - 8 * index));
    at = option(at, CLIENT_ID, client, sizeof client);
    at = option(at, ELAPSED, elapsed, sizeof elapsed);
    if (kind == SOLICIT) {
        at = option(at, RAPID_COMMIT, "", 0);
    } else {
        at = option(at, SERVER_ID, server, server_size);
        for (int index = 0; index < count; index++) {
            unsigned char body[24] = {0}; /* and lifetimes of 0: as the server likes */
            memcpy(body, addresses[index], 16);
            inner = option(inner, IA_ADDRESS, body, sizeof body);
        }
    }
    return (size_t)(option(at, IA_NA, association, (int)(inner - association)) - message);
}

static void note(const unsigned char *at, const unsigned char *end) {
    while (end - at >= 4) {
        int code = at[0] << 8 | at[1], size = at[2] << 8 | at[3];
        const unsigned char *body = at + 4;
        if (end - body < size) return;
        if (code == SERVER_ID && size <= (int)sizeof server) memcpy(server, body, (size_t)(server_size = size));
        if (code == IA_NA && size >= 12) note(body + 12, body + size);
        if (code == IA_ADDRESS && size >= 24 && count < MOST) memcpy(addresses[count++], body, 16);
        at = body + size;
    }
}

static void take(const char *interface) {
    char text[INET6_ADDRSTRLEN], command[200];
    for (int index = 0; index < count; index++) {
        inet_ntop(AF_INET6, addresses[index], text, sizeof text);
        snprintf(command, sizeof command, "ip addr replace %s/128 dev %s", text, interface);
        if (system(command) == 0) printf("%s\n", text);
    }
    fflush(stdout);
}

int main(int words, char **arguments) {
    unsigned char message[1500];
    unsigned number = 0;
    int wait = FIRST_MS, sock = socket(AF_INET6, SOCK_DGRAM, 0);
    struct sockaddr_in6 here = {.sin6_family = AF_INET6, .sin6_port = htons(546)};
    struct sockaddr_in6 all = {.sin6_family = AF_INET6, .sin6_port = htons(547)};
    struct sigaction at_signal = {.sa_handler = again}; /* and poll ends */
    struct ifreq known = {0};
    if (words < 2) return 2;
    strncpy(known.ifr_name, arguments[1], IFNAMSIZ - 1);
    inet_pton(AF_INET6, "ff02::1:2", &all.sin6_addr);
    all.sin6_scope_id = if_nametoindex(arguments[1]);
    if (bind(sock, (struct sockaddr *)&here, sizeof here) || ioctl(sock, SIOCGIFHWADDR, &known)) return 1;
    sigaction(SIGUSR1, &at_signal, NULL);
    for (;;) {
        int kind = wanted;
        struct pollfd watched = {.fd = sock, .events = POLLIN};
        if (kind != NOTHING) {
            size_t size = question(message, kind, ++number, (unsigned char *)known.ifr_hwaddr.sa_data);
            sendto(sock, message, size, 0, (struct sockaddr *)&all, sizeof all);
        }
        if (poll(&watched, 1, kind == NOTHING ? LONGEST_MS : wait) <= 0) {
            wait = kind == NOTHING ? FIRST_MS : wait * 2 > LONGEST_MS ? LONGEST_MS : wait * 2;
            continue;
        }
        ssize_t got = recv(sock, message, sizeof message, 0);
        unsigned answers = (unsigned)(message[1] << 16 | message[2] << 8 | message[3]);
        if (got < 4 || message[0] != REPLY || answers != (number & 0xFFFFFF)) continue;
        count = server_size = 0;
        note(message + 4, message + got);
        wanted = NOTHING;
        wait = FIRST_MS;
        take(arguments[1]);
    }
}
