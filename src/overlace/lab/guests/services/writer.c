/* writer DEVICE PORT MILLISECONDS: writes blocks of 4 KiB to places of the disk by chance, one every so many milliseconds
 * (0: none before it is asked), and remembers what each must hold. Every block tells its place and its number and is
 * filled from them, so that no other block can pass for it. Past the page cache (O_DIRECT): what is read comes from
 * the disk.
 *
 * A TCP connection to PORT asks for a verification: all blocks ever written are read again and compared. The answer is
 * "blocks=N writes=N wrong=N first_wrong=PLACE\n". A line "write N\n" first writes so many blocks at once. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/fs.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 4096, WORDS = BLOCK / 8 };

static int disk;
static uint64_t blocks, writes, chance = 0x9E3779B97F4A7C15u;
static uint64_t *expected; /* by place: the number of the last write, 0 for none */
static uint64_t (*block)[WORDS];

static uint64_t mixed(uint64_t value) { /* SplitMix64 */
    value += 0x9E3779B97F4A7C15u;
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9u;
    value = (value ^ (value >> 27)) * 0x94D049BB133111EBu;
    return value ^ (value >> 31);
}

static uint64_t word(uint64_t place, uint64_t number, int index) {
    if (index == 0) return place;
    if (index == 1) return number;
    return mixed(mixed(place) + mixed(number) * 3 + (uint64_t)index);
}

static void write_one(void) {
    uint64_t place = (chance = mixed(chance)) % blocks, number = writes + 1;
    for (int index = 0; index < WORDS; index++) (*block)[index] = word(place, number, index);
    if (pwrite(disk, block, BLOCK, (off_t)(place * BLOCK)) != BLOCK) return; /* not counted as written */
    writes = number;
    expected[place] = number;
}

static void verify(int peer) {
    char line[160];
    uint64_t held = 0, wrong = 0, first = 0;
    for (uint64_t place = 0; place < blocks; place++) {
        if (!expected[place]) continue;
        held++;
        int good = pread(disk, block, BLOCK, (off_t)(place * BLOCK)) == BLOCK;
        for (int index = 0; good && index < WORDS; index++) good = (*block)[index] == word(place, expected[place], index);
        if (!good && wrong++ == 0) first = place;
    }
    int length = snprintf(line, sizeof line, "blocks=%llu writes=%llu wrong=%llu first_wrong=%llu\n",
                          (unsigned long long)held, (unsigned long long)writes, (unsigned long long)wrong,
                          (unsigned long long)first);
    if (write(peer, line, (size_t)length) < 0) return;
}

static void answer(int peer) {
    char request[64] = "";
    struct pollfd watched = {.fd = peer, .events = POLLIN};
    if (poll(&watched, 1, 200) > 0 && read(peer, request, sizeof request - 1) > 0 && !strncmp(request, "write ", 6))
        for (long left = atol(request + 6); left > 0; left--) write_one();
    verify(peer);
    close(peer);
}

static long now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000L + now.tv_nsec / 1000000;
}

int main(int count, char **arguments) {
    uint64_t size = 0;
    int on = 1, off = 0, listener = socket(AF_INET6, SOCK_STREAM, 0);
    struct sockaddr_in6 here = {.sin6_family = AF_INET6};
    if (count < 4) return 2;
    long interval = atol(arguments[3]), due = now_ms();
    disk = open(arguments[1], O_RDWR | O_DIRECT | O_DSYNC);
    if (disk < 0 || ioctl(disk, BLKGETSIZE64, &size) || !(blocks = size / BLOCK)) return 1;
    expected = calloc(blocks, sizeof *expected);
    if (!expected || posix_memalign((void **)&block, BLOCK, BLOCK)) return 1;
    here.sin6_port = htons(atoi(arguments[2]));
    signal(SIGPIPE, SIG_IGN);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(listener, (struct sockaddr *)&here, sizeof here) || listen(listener, 4)) return 1;
    for (;;) {
        struct pollfd watched = {.fd = listener, .events = POLLIN};
        long wait = interval ? due - now_ms() : 60000;
        if (poll(&watched, 1, wait > 0 ? (int)wait : 0) > 0) {
            int peer = accept(listener, NULL, NULL);
            if (peer >= 0) answer(peer);
            due = now_ms() + interval;
        } else if (interval) {
            write_one();
            due += interval;
            if (due < now_ms()) due = now_ms(); /* never faster than asked after a stop */
        }
    }
}
