/* dirtier MIB MIB_PER_SECOND: keeps so much memory busy, changing pages in turn at about that rate, with content that
 * does not compress. */
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, WORDS = PAGE / 8, SOME = 256 };

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int count, char **arguments) {
    if (count < 3) return 2;
    size_t pages = (size_t)atoi(arguments[1]) << 8;
    double rate = atof(arguments[2]) * 1048576.0, done = 0, began = seconds();
    uint64_t (*memory)[WORDS] = malloc(pages * PAGE), state = 88172645463325252u;
    if (!pages || !memory || rate <= 0) return 1;
    for (size_t page = 0;; page = (page + 1) % pages) {
        for (int index = 0; index < WORDS; index++) { /* Marsaglia's xorshift */
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            memory[page][index] = state;
        }
        done += PAGE;
        if (page % SOME == 0) {
            double ahead = done / rate - (seconds() - began);
            if (ahead > 0) usleep((useconds_t)(ahead * 1e6));
        }
    }
}
