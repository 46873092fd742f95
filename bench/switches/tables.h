/* What one simulated switch holds: flows, groups, meters, each with the bytes that it was told. */
#ifndef TABLES_H
#define TABLES_H

#include "bytes.h"

struct flow {
    uint64_t cookie;
    uint32_t hash;
    uint16_t priority, idle, hard, flags, match_length, instructions_length;
    uint8_t table;
    uint8_t data[]; /* the match with its padding, then the instructions */
};

/* A group or a meter: `data` is its modification message without header and command. */
struct entry {
    uint32_t id;
    size_t length;
    uint8_t *data;
};

struct entries { struct entry *items; size_t count; };

struct tables {
    struct flow **slots;
    size_t room, used, count; /* `used` counts the places of removed flows too */
    struct entries groups, meters;
};

struct flow *make_flow(const uint8_t *flow_mod, size_t length, size_t match_length);
void put_flow(struct tables *t, struct flow *flow); /* takes it */
bool remove_flow(struct tables *t, const struct flow *like);
struct flow *next_flow(const struct tables *t, size_t *at); /* begin with *at == 0; NULL at the end */

struct entry *find_entry(const struct entries *e, uint32_t id);
void put_entry(struct entries *e, uint32_t id, const uint8_t *data, size_t length);
void remove_entry(struct entries *e, uint32_t id);

void clear_tables(struct tables *t);

#endif
