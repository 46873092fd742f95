/* simulated-switches: many OpenFlow switches in one process, each from a loopback address of its own.
 *
 * Commands are lines on standard input, answers lines on standard output, one for one but for `reached`:
 *   connect FIRST COUNT PORT   switches connect to 127.0.0.1, and again half a second after they are dropped
 *   disconnect FIRST COUNT     they stay away
 *   forget FIRST COUNT         they drop their connections and come back empty, as restarted switches do
 *   watch MAC COUNT            from now on look for this address; `reached` is said when so many switches hold it
 *   seen                       how many hold it, and when the last of them said so: nanoseconds of CLOCK_MONOTONIC
 *   heard                      the bytes, in hexadecimal, of the shortest bundle with the address, opening to barrier
 *   tamper NUMBER HOW          `remove` a flow, `change` one, or `add` a stranger's
 *   totals                     what all have done
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "switch.h"

enum { MOST = 4096, RETRY_MS = 500, READ_SIZE = 1 << 18 };
enum { MARKER = 11 }; /* the class of cookie under which a controller writes who it is: that is not tampered with */

struct link {
    struct simulated simulated;
    int socket; /* -1: none */
    bool wanted, connected, waits_to_write;
    uint64_t retry_ns;
};

static struct link *links;
static int epoll;
static uint16_t controller_port;
static bool told;

static void drop(struct link *l) {
    if (l->socket >= 0)
        close(l->socket);
    l->socket = -1;
    l->connected = false;
    drop_bundle(&l->simulated);
    release(&l->simulated.in);
    release(&l->simulated.out);
    l->retry_ns = nanoseconds() + RETRY_MS * 1000000ull;
}

static void interest(struct link *l, bool write) {
    struct epoll_event event = {.events = EPOLLIN | (write ? EPOLLOUT : 0), .data.ptr = l};
    epoll_ctl(epoll, l->waits_to_write || l->connected ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, l->socket, &event);
    l->waits_to_write = write;
}

static void dial(struct link *l) {
    uint32_t number = (uint32_t)(l - links);
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7F010000 + number)};
    struct sockaddr_in controller = {.sin_family = AF_INET, .sin_port = htons(controller_port)};
    controller.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int one = 1;
    l->socket = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (l->socket < 0) {
        perror("socket");
        exit(1);
    }
    setsockopt(l->socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(l->socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    if (bind(l->socket, (struct sockaddr *)&own, sizeof own) ||
        (connect(l->socket, (struct sockaddr *)&controller, sizeof controller) && errno != EINPROGRESS)) {
        drop(l);
        return;
    }
    l->waits_to_write = false;
    interest(l, true);
}

static void send_waiting(struct link *l) {
    struct buffer *out = &l->simulated.out;
    ssize_t sent = out->length ? send(l->socket, out->data, out->length, MSG_NOSIGNAL) : 0;
    if (sent < 0 && errno != EAGAIN) {
        drop(l);
        return;
    }
    consume(out, sent > 0 ? (size_t)sent : 0);
    if ((out->length > 0) != l->waits_to_write)
        interest(l, out->length > 0);
}

static void read_some(struct link *l) {
    static uint8_t chunk[READ_SIZE];
    ssize_t got = recv(l->socket, chunk, READ_SIZE, 0);
    append(&l->simulated.in, chunk, got > 0 ? (size_t)got : 0);
    if (got == 0 || (got < 0 && errno != EAGAIN) || !receive(&l->simulated))
        drop(l);
    else
        send_waiting(l);
}

static void ready(struct link *l, uint32_t events) {
    if (l->socket >= 0 && !l->connected && events & EPOLLOUT) {
        begin_session(&l->simulated);
        l->connected = true;
    }
    if (l->socket >= 0 && events & (EPOLLERR | EPOLLHUP))
        drop(l);
    else if (l->socket >= 0 && events & EPOLLIN)
        read_some(l);
    else if (l->socket >= 0)
        send_waiting(l);
}

static void tamper(struct link *l, const char *how) {
    static const uint8_t stranger[56] = {[16] = 200, [22] = 0x12, [23] = 0x34, [41] = 1, [43] = 4};
    struct tables *t = &l->simulated.tables;
    size_t at = 0;
    struct flow *flow = next_flow(t, &at);
    while (flow && (flow->cookie >> 56 == MARKER || !flow->instructions_length))
        flow = next_flow(t, &at);
    if (!strcmp(how, "add")) {
        put_flow(t, make_flow(stranger, 48, 8));
    } else if (!strcmp(how, "change")) {
        if (flow)
            flow->instructions_length = 0;
    } else if (flow) {
        remove_flow(t, flow);
    }
}

static void say_totals(void) {
    uint64_t flows = 0, connected = 0;
    for (size_t i = 0; i < MOST; i++) {
        flows += links[i].simulated.tables.count;
        connected += links[i].connected;
    }
    printf("totals {\"connected\": %" PRIu64 ", \"flows\": %" PRIu64 ", \"messages\": %" PRIu64
           ", \"flow_mods\": %" PRIu64 ", \"actions\": %" PRIu64 ", \"bundles\": %" PRIu64 ", \"barriers\": %" PRIu64
           ", \"errors\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"longest_us\": %" PRIu64 "}\n",
           connected, flows, totals.messages, totals.flow_mods, totals.actions, totals.bundles, totals.barriers,
           totals.errors, totals.bytes, totals.longest_ns / 1000);
}

static void each(unsigned first, unsigned count, const char *what) {
    for (unsigned i = first; i < first + count && i < MOST; i++) {
        struct link *l = &links[i];
        l->wanted = *what != 'd';
        if (*what != 'c')
            drop(l);
        if (*what == 'f')
            clear_tables(&l->simulated.tables);
    }
    puts("done");
}

static void command(char *line) {
    char word[16];
    unsigned first, count, port;
    uint8_t *mac = watch.address;
    if (sscanf(line, "watch %hhx:%hhx:%hhx:%hhx:%hhx:%hhx %u", mac, mac + 1, mac + 2, mac + 3, mac + 4, mac + 5,
               &count) == 7) {
        watch.active = true;
        watch.expected = count;
        watch.reached = 0;
        watch.last_ns = 0;
        watch.heard.length = 0;
        told = false;
        for (size_t i = 0; i < MOST; i++)
            links[i].simulated.found = links[i].simulated.holds = false;
        puts("done");
    } else if (!strcmp(line, "seen")) {
        printf("seen %zu %" PRIu64 "\n", watch.reached, watch.last_ns);
    } else if (!strcmp(line, "heard")) {
        printf("heard ");
        for (size_t i = 0; i < watch.heard.length; i++)
            printf("%02x", watch.heard.data[i]);
        putchar('\n');
    } else if (!strcmp(line, "totals")) {
        say_totals();
        totals.longest_ns = 0;
    } else if (sscanf(line, "tamper %u %15s", &first, word) == 2 && first < MOST) {
        tamper(&links[first], word);
        puts("done");
    } else if (sscanf(line, "connect %u %u %u", &first, &count, &port) == 3) {
        controller_port = (uint16_t)port;
        each(first, count, "connect");
    } else if (sscanf(line, "%15s %u %u", word, &first, &count) == 3 && (*word == 'd' || *word == 'f')) {
        each(first, count, word);
    } else {
        printf("unknown command: %s\n", line);
    }
}

static void read_commands(void) {
    static struct buffer lines;
    size_t before = lines.length;
    ssize_t got = read(STDIN_FILENO, extend(&lines, 4096), 4096);
    lines.length = before + (got > 0 ? (size_t)got : 0);
    if (got <= 0)
        exit(0);
    for (char *end; (end = memchr(lines.data, '\n', lines.length));) {
        *end = 0;
        command((char *)lines.data);
        consume(&lines, (size_t)((uint8_t *)end - lines.data) + 1);
    }
}

static void dial_those_away(void) {
    static uint64_t next_ns;
    uint64_t now = nanoseconds();
    if (now < next_ns)
        return;
    next_ns = now + RETRY_MS * 1000000ull / 5;
    for (size_t i = 0; i < MOST; i++)
        if (links[i].wanted && links[i].socket < 0 && links[i].retry_ns < now)
            dial(&links[i]);
}

int main(void) {
    struct epoll_event commands = {.events = EPOLLIN}, events[256];
    links = must(calloc(MOST, sizeof *links));
    for (size_t i = 0; i < MOST; i++) {
        links[i].socket = -1;
        links[i].simulated.datapath_id = 0xBE0000000000ull | (i + 1);
    }
    epoll = epoll_create1(0);
    epoll_ctl(epoll, EPOLL_CTL_ADD, STDIN_FILENO, &commands);
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (;;) {
        int count = epoll_wait(epoll, events, 256, RETRY_MS / 5);
        for (int i = 0; i < count; i++)
            if (events[i].data.ptr)
                ready(events[i].data.ptr, events[i].events);
            else
                read_commands();
        if (watch.active && !told && watch.reached >= watch.expected) {
            told = true;
            printf("reached %zu %" PRIu64 "\n", watch.reached, watch.last_ns);
        }
        dial_those_away();
    }
}
