/* Matches, actions and instructions, read to the last field (OpenFlow 1.5, 7.2; ovs-actions(7)). */
#ifndef PARSE_H
#define PARSE_H

#include "bytes.h"

/* What was met on the way: all actions, those that name a group, and whether `address` stood in a match. */
struct reading {
    const uint8_t *address; /* six bytes, or none */
    bool found;
    uint64_t actions;
    bool (*knows_group)(void *context, uint32_t group);
    void *context;
};

/* Each returns an OpenFlow error, type << 16 | code, or 0. */
uint32_t read_match(struct reading *r, const uint8_t *p, size_t length, size_t *used);
uint32_t read_instructions(struct reading *r, const uint8_t *p, size_t length);
uint32_t read_actions(struct reading *r, const uint8_t *p, size_t length);
uint32_t read_buckets(struct reading *r, const uint8_t *p, size_t length);

#define BAD_MATCH_LENGTH (4u << 16 | 1)
#define BAD_MATCH_FIELD (4u << 16 | 6)
#define BAD_MATCH_MASK (4u << 16 | 8)
#define BAD_INSTRUCTION (3u << 16 | 0)
#define BAD_ACTION_TYPE (2u << 16 | 0)
#define BAD_ACTION_LENGTH (2u << 16 | 1)
#define BAD_OUT_GROUP (2u << 16 | 9)

#endif
