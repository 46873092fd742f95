#include "parse.h"

enum { BASIC = 0x8000, PACKET_REGISTERS = 0x8001, NXM0 = 0, NXM1 = 1, ERICSSON = 0x1000, ETH_DST = 3 };
enum { NICIRA = 0x2320, CLONE_DEPTH = 16 };

/* One field with its header; `used` gets its length. Bits outside the mask must be zero, as Open vSwitch has it. */
static uint32_t read_field(struct reading *r, const uint8_t *p, size_t length, size_t *used) {
    if (length < 4)
        return BAD_MATCH_LENGTH;
    uint16_t class = get16(p);
    uint8_t number = p[2] >> 1, masked = p[2] & 1, size = p[3];
    if (class != BASIC && class != PACKET_REGISTERS && class != NXM0 && class != NXM1 && class != ERICSSON)
        return BAD_MATCH_FIELD;
    if (length < 4u + size || !size || (masked && size % 2))
        return BAD_MATCH_LENGTH;
    const uint8_t *value = p + 4, *mask = value + size / 2;
    for (size_t i = 0; masked && i < size / 2u; i++)
        if (value[i] & ~mask[i])
            return BAD_MATCH_MASK;
    if (r->address && class == BASIC && number == ETH_DST && size == 6 && !memcmp(value, r->address, 6))
        r->found = true;
    *used = 4u + size;
    return 0;
}

static uint32_t read_fields(struct reading *r, const uint8_t *p, size_t length) {
    for (size_t used; length; p += used, length -= used) {
        uint32_t error = read_field(r, p, length, &used);
        if (error)
            return error;
    }
    return 0;
}

uint32_t read_match(struct reading *r, const uint8_t *p, size_t length, size_t *used) {
    if (length < 4 || get16(p) != 1 || get16(p + 2) < 4 || padded(get16(p + 2)) > length)
        return BAD_MATCH_LENGTH;
    *used = padded(get16(p + 2));
    return read_fields(r, p + 4, get16(p + 2) - 4u);
}

/* The header of a field as actions name it. */
static bool names_field(const uint8_t *p) {
    uint16_t class = get16(p);
    return p[3] && (class == BASIC || class == PACKET_REGISTERS || class <= NXM1 || class == ERICSSON);
}

/* learn(): after the fixed part, specifications until the padding. */
static uint32_t read_learn(const uint8_t *p, size_t length) {
    for (size_t at = 32; at + 2 <= length && get16(p + at);) {
        uint16_t header = get16(p + at), bits = header & 0x7FF, kind = header >> 11 & 3;
        at += 2;
        size_t source = header & 1 << 13 ? (bits + 15u) / 16 * 2 : 6;
        if (at + source > length || (!(header & 1 << 13) && !names_field(p + at)))
            return BAD_ACTION_LENGTH;
        at += source;
        if (kind == 2)
            continue;
        if (at + 6 > length || !names_field(p + at))
            return BAD_ACTION_LENGTH;
        at += 6;
    }
    return 0;
}

static uint32_t read_controller(const uint8_t *p, size_t length) {
    for (size_t at = 16; at + 4 <= length; at += padded(get16(p + at + 2)))
        if (get16(p + at) > 5 || get16(p + at + 2) < 4 || at + get16(p + at + 2) > length)
            return BAD_ACTION_LENGTH;
    return 0;
}

static uint32_t read_extension(struct reading *r, const uint8_t *p, size_t length) {
    if (length < 16 || get32(p + 4) != NICIRA)
        return BAD_ACTION_TYPE;
    switch (get16(p + 8)) {
    case 14: /* resubmit */
    case 8:  /* note */
    case 43: /* ct_clear */
    case 46: /* encap */
    case 47: /* decap */
        return 0;
    case 15: /* output_reg */
        return length == 24 && names_field(p + 12) ? 0 : BAD_ACTION_LENGTH;
    case 16:
        return length >= 32 ? read_learn(p, length) : BAD_ACTION_LENGTH;
    case 35: /* ct */
        if (length < 24 || (get32(p + 12) && !names_field(p + 12)))
            return BAD_ACTION_LENGTH;
        return read_actions(r, p + 24, length - 24);
    case 37:
        return read_controller(p, length);
    case 42: /* clone */
        return read_actions(r, p + 16, length - 16);
    case 49: /* check_pkt_larger */
        return length == 24 && names_field(p + 14) ? 0 : BAD_ACTION_LENGTH;
    default:
        return BAD_ACTION_TYPE;
    }
}

static uint32_t read_action(struct reading *r, const uint8_t *p, size_t length) {
    size_t used;
    switch (get16(p)) {
    case 0: /* output */
        return length == 16 ? 0 : BAD_ACTION_LENGTH;
    case 17: case 18: case 19: case 20: /* push and pop of VLAN tags and MPLS labels */
    case 24: /* dec_ttl */
    case 29: /* meter */
        return length == 8 ? 0 : BAD_ACTION_LENGTH;
    case 22: /* group */
        if (length != 8)
            return BAD_ACTION_LENGTH;
        return r->knows_group(r->context, get32(p + 4)) ? 0 : BAD_OUT_GROUP;
    case 25: { /* set_field */
        uint32_t error = read_field(r, p + 4, length - 4, &used);
        return error ? error : padded(4 + used) == length ? 0 : BAD_ACTION_LENGTH;
    }
    case 28: /* copy_field */
        return length == 24 && names_field(p + 12) && names_field(p + 16) ? 0 : BAD_ACTION_LENGTH;
    case 0xFFFF:
        return read_extension(r, p, length);
    default:
        return BAD_ACTION_TYPE;
    }
}

uint32_t read_actions(struct reading *r, const uint8_t *p, size_t length) {
    while (length) {
        size_t own = length < 8 ? 0 : get16(p + 2);
        if (own < 8 || own % 8 || own > length)
            return BAD_ACTION_LENGTH;
        uint32_t error = read_action(r, p, own);
        if (error)
            return error;
        r->actions++;
        p += own;
        length -= own;
    }
    return 0;
}

uint32_t read_instructions(struct reading *r, const uint8_t *p, size_t length) {
    while (length) {
        size_t own = length < 8 ? 0 : get16(p + 2);
        if (own < 8 || own % 8 || own > length)
            return BAD_INSTRUCTION;
        if (get16(p) == 4) { /* apply_actions */
            uint32_t error = read_actions(r, p + 8, own - 8);
            if (error)
                return error;
        } else if (get16(p) != 1) { /* goto_table */
            return BAD_INSTRUCTION;
        }
        p += own;
        length -= own;
    }
    return 0;
}

uint32_t read_buckets(struct reading *r, const uint8_t *p, size_t length) {
    while (length) {
        size_t own = length < 8 ? 0 : get16(p), actions = length < 8 ? 0 : get16(p + 2);
        if (own < 8 + actions || own > length)
            return BAD_ACTION_LENGTH;
        uint32_t error = read_actions(r, p + 8, actions);
        if (error)
            return error;
        p += own;
        length -= own;
    }
    return 0;
}
