/* Numbers in network byte order, and buffers that grow. */
#ifndef BYTES_H
#define BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline uint16_t get16(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }
static inline uint32_t get32(const uint8_t *p) { return (uint32_t)get16(p) << 16 | get16(p + 2); }
static inline uint64_t get64(const uint8_t *p) { return (uint64_t)get32(p) << 32 | get32(p + 4); }
static inline void put16(uint8_t *p, uint16_t v) { p[0] = (uint8_t)(v >> 8); p[1] = (uint8_t)v; }
static inline void put32(uint8_t *p, uint32_t v) { put16(p, (uint16_t)(v >> 16)); put16(p + 2, (uint16_t)v); }
static inline void put64(uint8_t *p, uint64_t v) { put32(p, (uint32_t)(v >> 32)); put32(p + 4, (uint32_t)v); }
static inline size_t padded(size_t length) { return (length + 7) & ~(size_t)7; }

struct buffer { uint8_t *data; size_t length, room; };

/* Memory, or the end of the program: there is nothing to measure without. */
static inline void *must(void *memory) {
    if (!memory) {
        fputs("out of memory\n", stderr);
        exit(1);
    }
    return memory;
}

/* Room for `more` bytes at the end, which count as used; they are zero. */
static inline uint8_t *extend(struct buffer *b, size_t more) {
    if (b->length + more > b->room) {
        b->room = (b->length + more) * 2;
        b->data = must(realloc(b->data, b->room));
    }
    uint8_t *at = b->data + b->length;
    memset(at, 0, more);
    b->length += more;
    return at;
}

static inline void append(struct buffer *b, const void *data, size_t length) {
    if (length)
        memcpy(extend(b, length), data, length);
}

/* Take bytes off the front. */
static inline void consume(struct buffer *b, size_t length) {
    memmove(b->data, b->data + length, b->length - length);
    b->length -= length;
}

static inline void release(struct buffer *b) {
    free(b->data);
    *b = (struct buffer){0};
}

#endif
