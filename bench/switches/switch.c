#include "switch.h"

#include <time.h>

#include "parse.h"

enum {
    HELLO, ERROR, ECHO_REQUEST, ECHO_REPLY, EXPERIMENTER, FEATURES_REQUEST, FEATURES_REPLY,
    SET_CONFIG = 9, PACKET_OUT = 13, FLOW_MOD = 14, GROUP_MOD = 15, MULTIPART_REQUEST = 18, MULTIPART_REPLY = 19,
    BARRIER_REQUEST = 20, BARRIER_REPLY = 21, ROLE_REQUEST = 24, ROLE_REPLY = 25, METER_MOD = 29,
    BUNDLE_CONTROL = 33, BUNDLE_ADD = 34
};
enum { VERSION = 6, ADD = 0, DELETE_STRICT = 4, DELETE_ENTRY = 2, SLAVE = 3, FLOW_MOD_SIZE = 40, PART = 60000 };
enum { FLOWS = 1, AGGREGATE = 2, GROUPS = 7, METERS = 10, PORTS = 13 };
enum { OPEN = 0, COMMIT = 4, DISCARD = 6 };

#define BAD_TYPE (1u << 16 | 1)
#define BAD_LENGTH (1u << 16 | 6)
#define IS_SLAVE (1u << 16 | 10)
#define BAD_COMMAND (5u << 16 | 6)
#define STALE (11u << 16 | 0)
#define UNSUPPORTED_IN_BUNDLE (17u << 16 | 10)
#define BUNDLE_FAILED (17u << 16 | 13)

struct totals totals;
struct watch watch;

uint64_t nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* A message with room for its body, which may be written until the next one is begun. */
static uint8_t *reply(struct simulated *s, uint8_t type, uint32_t xid, size_t body) {
    uint8_t *p = extend(&s->out, 8 + body);
    p[0] = VERSION;
    p[1] = type;
    put16(p + 2, (uint16_t)(8 + body));
    put32(p + 4, xid);
    return p + 8;
}

static void refuse(struct simulated *s, uint32_t error, const uint8_t *message, size_t length) {
    size_t shown = length < 64 ? length : 64;
    uint8_t *p = reply(s, ERROR, get32(message + 4), 4 + shown);
    put32(p, error);
    memcpy(p + 4, message, shown);
    totals.errors++;
}

static bool has_group(void *context, uint32_t group) {
    const struct simulated *s = context;
    if (find_entry(&s->tables.groups, group))
        return true;
    for (size_t i = 0; i < s->bundled; i++) /* or it comes earlier in the bundle */
        if (s->bundle[i].message[1] == GROUP_MOD && get32(s->bundle[i].message + 12) == group)
            return true;
    return false;
}

/* Whether a change can be made; it is not yet. */
static uint32_t check(struct simulated *s, struct reading *r, const uint8_t *m, size_t length) {
    size_t used;
    if (s->role == SLAVE)
        return IS_SLAVE;
    if (m[1] == FLOW_MOD) {
        if (length < 8 + FLOW_MOD_SIZE)
            return BAD_LENGTH;
        if (m[25] != ADD && m[25] != DELETE_STRICT)
            return BAD_COMMAND;
        uint32_t error = read_match(r, m + 8 + FLOW_MOD_SIZE, length - 8 - FLOW_MOD_SIZE, &used);
        const uint8_t *rest = m + 8 + FLOW_MOD_SIZE + used;
        return error ? error : read_instructions(r, rest, length - 8 - FLOW_MOD_SIZE - used);
    }
    if (m[1] == GROUP_MOD)
        return length < 24 || 24u + get16(m + 16) > length ? BAD_LENGTH : read_buckets(r, m + 24, get16(m + 16));
    return m[1] == METER_MOD ? length < 16 ? BAD_LENGTH : 0 : BAD_TYPE;
}

/* Make a change that was checked. */
static void apply(struct simulated *s, const uint8_t *m, size_t length) {
    struct tables *t = &s->tables;
    if (m[1] == FLOW_MOD) {
        struct flow *flow = make_flow(m + 8, length - 8, padded(get16(m + 8 + FLOW_MOD_SIZE + 2)));
        totals.flow_mods++;
        if (m[25] == ADD) {
            put_flow(t, flow);
        } else {
            remove_flow(t, flow);
            free(flow);
        }
    } else {
        struct entries *entries = m[1] == GROUP_MOD ? &t->groups : &t->meters;
        if (get16(m + 8) == DELETE_ENTRY)
            remove_entry(entries, get32(m + 12));
        else
            put_entry(entries, get32(m + 12), m + 10, length - 10);
    }
}

static struct reading reading_for(struct simulated *s) {
    return (struct reading){.address = watch.active ? watch.address : NULL, .knows_group = has_group, .context = s};
}

static void change(struct simulated *s, const uint8_t *m, size_t length) {
    struct reading r = reading_for(s);
    uint32_t error = check(s, &r, m, length);
    totals.actions += r.actions;
    if (error) {
        refuse(s, error, m, length);
        return;
    }
    apply(s, m, length);
    s->found |= r.found;
}

void drop_bundle(struct simulated *s) {
    for (size_t i = 0; i < s->bundled; i++)
        free(s->bundle[i].message);
    s->bundled = 0;
    s->bundle_open = s->bundle_failed = false;
}

/* Open vSwitch refuses a meter in a bundle and commits the rest; anything else that is wrong fails the bundle. */
static void bundle_add(struct simulated *s, const uint8_t *m, size_t length) {
    const uint8_t *inner = m + 16;
    if (length < 24 || 16u + get16(inner + 2) > length || get32(inner + 4) != get32(m + 4)) {
        refuse(s, BAD_LENGTH, m, length);
        return;
    }
    size_t own = get16(inner + 2);
    struct reading r = reading_for(s);
    uint32_t error = inner[1] == METER_MOD ? UNSUPPORTED_IN_BUNDLE : check(s, &r, inner, own);
    totals.actions += r.actions;
    if (error) {
        refuse(s, error, m, length);
        s->bundle_failed |= inner[1] != METER_MOD;
        return;
    }
    s->found |= r.found;
    if (s->bundled == s->bundle_room) {
        s->bundle_room = s->bundle_room ? s->bundle_room * 2 : 16;
        s->bundle = must(realloc(s->bundle, s->bundle_room * sizeof *s->bundle));
    }
    struct pending *p = &s->bundle[s->bundled++];
    *p = (struct pending){must(malloc(own)), own};
    memcpy(p->message, inner, own);
}

static void bundle_control(struct simulated *s, const uint8_t *m, size_t length) {
    uint16_t type = get16(m + 12);
    if (type == COMMIT && s->bundle_failed) {
        s->found = false;
        refuse(s, BUNDLE_FAILED, m, length);
        drop_bundle(s);
        return;
    }
    if (type == COMMIT) {
        for (size_t i = 0; i < s->bundled; i++)
            apply(s, s->bundle[i].message, s->bundle[i].length);
        totals.bundles++;
    } else if (type == DISCARD) {
        s->found = false;
    }
    drop_bundle(s);
    s->bundle_open = type == OPEN;
    uint8_t *p = reply(s, BUNDLE_CONTROL, get32(m + 4), 8);
    memcpy(p, m + 8, 8);
    put16(p + 4, (uint16_t)(type + 1));
}

static void barrier(struct simulated *s, uint32_t xid) {
    reply(s, BARRIER_REPLY, xid, 0);
    totals.barriers++;
    if (!s->found || s->bundle_open)
        return;
    s->found = false;
    if (!s->holds)
        watch.reached++;
    s->holds = true;
    watch.last_ns = nanoseconds();
}

static void role(struct simulated *s, const uint8_t *m, size_t length) {
    if (get64(m + 16) < s->generation) {
        refuse(s, STALE, m, length);
        return;
    }
    s->role = get32(m + 8);
    s->generation = get64(m + 16);
    memcpy(reply(s, ROLE_REPLY, get32(m + 4), 16), m + 8, 16);
}

/* struct ofp_stats: duration, packets, bytes, all 0, and flows, if asked (OpenFlow 1.5, 7.2.4). */
static void append_stats(struct buffer *b, const uint32_t *flows) {
    static const uint8_t numbers[] = {0, 4, 5};
    size_t length = 4 + 3 * 12 + (flows ? 8 : 0);
    uint8_t *p = extend(b, padded(length));
    put16(p + 2, (uint16_t)length);
    p += 4;
    for (size_t i = 0; i < 3; i++, p += 12) {
        put16(p, 0x8002);
        p[2] = (uint8_t)(numbers[i] << 1);
        p[3] = 8;
    }
    if (flows) {
        put16(p, 0x8002);
        p[2] = 3 << 1;
        p[3] = 4;
        put32(p + 4, *flows);
    }
}

static void append_flow(struct buffer *b, const struct flow *f) {
    size_t start = b->length;
    uint8_t *p = extend(b, 24);
    p[4] = f->table;
    put16(p + 6, f->priority);
    put16(p + 8, f->idle);
    put16(p + 10, f->hard);
    put16(p + 12, f->flags);
    put64(p + 16, f->cookie);
    append(b, f->data, f->match_length);
    append_stats(b, NULL);
    append(b, f->data + f->match_length, f->instructions_length);
    put16(b->data + start, (uint16_t)(b->length - start));
}

/* A group or meter in its description: the length stands where the command was. */
static void append_entry(struct buffer *b, const struct entry *e, bool is_group) {
    put16(extend(b, 2), (uint16_t)(2 + e->length));
    uint8_t *p = extend(b, e->length);
    memcpy(p, e->data, e->length);
    if (is_group)
        memset(p + 10 - 2, 0, 6);
}

static void part(struct simulated *s, const uint8_t *request, struct buffer *body, bool more) {
    uint8_t *p = reply(s, MULTIPART_REPLY, get32(request + 4), 8 + body->length);
    put16(p, get16(request + 8));
    put16(p + 2, more);
    memcpy(p + 8, body->data, body->length);
    body->length = 0;
}

static bool selected(const struct flow *f, const uint8_t *m) {
    return (m[16] == 0xFF || m[16] == f->table) && !((f->cookie ^ get64(m + 32)) & get64(m + 40));
}

static void flows(struct simulated *s, const uint8_t *m, struct buffer *body) {
    struct flow *flow;
    for (size_t at = 0; (flow = next_flow(&s->tables, &at));)
        if (selected(flow, m)) {
            if (body->length > PART)
                part(s, m, body, true);
            append_flow(body, flow);
        }
}

static void multipart(struct simulated *s, const uint8_t *m, size_t length) {
    struct buffer body = {0};
    uint32_t count = 0;
    struct flow *flow;
    extend(&body, 1);
    body.length = 0;
    uint16_t type = length >= 16 ? get16(m + 8) : 0xFFFF;
    if ((type == FLOWS || type == AGGREGATE) && length < 56)
        type = 0xFFFF;
    switch (type) {
    case FLOWS:
        flows(s, m, &body);
        break;
    case AGGREGATE:
        for (size_t at = 0; (flow = next_flow(&s->tables, &at));)
            count += selected(flow, m);
        append_stats(&body, &count);
        break;
    case GROUPS:
        for (size_t i = 0; i < s->tables.groups.count; i++)
            append_entry(&body, &s->tables.groups.items[i], true);
        break;
    case METERS:
        for (size_t i = 0; i < s->tables.meters.count; i++)
            append_entry(&body, &s->tables.meters.items[i], false);
        break;
    case PORTS:
        break;
    default:
        refuse(s, BAD_TYPE, m, length);
        release(&body);
        return;
    }
    part(s, m, &body, false);
    release(&body);
}

static void answer(struct simulated *s, const uint8_t *m, size_t length) {
    uint32_t xid = get32(m + 4);
    uint8_t *p;
    switch (m[1]) {
    case HELLO: case ERROR: case ECHO_REPLY: case EXPERIMENTER: case SET_CONFIG: case PACKET_OUT:
        return;
    case ECHO_REQUEST:
        p = reply(s, ECHO_REPLY, xid, length - 8);
        memcpy(p, m + 8, length - 8);
        return;
    case FEATURES_REQUEST:
        p = reply(s, FEATURES_REPLY, xid, 24);
        put64(p, s->datapath_id);
        p[12] = 254;
        return;
    case BARRIER_REQUEST:
        barrier(s, xid);
        return;
    case MULTIPART_REQUEST:
        multipart(s, m, length);
        return;
    case FLOW_MOD: case GROUP_MOD: case METER_MOD:
        change(s, m, length);
        return;
    case ROLE_REQUEST:
        length < 24 ? refuse(s, BAD_LENGTH, m, length) : role(s, m, length);
        return;
    case BUNDLE_CONTROL:
        length < 16 ? refuse(s, BAD_LENGTH, m, length) : bundle_control(s, m, length);
        return;
    case BUNDLE_ADD:
        bundle_add(s, m, length);
        return;
    default:
        refuse(s, BAD_TYPE, m, length);
    }
}

void begin_session(struct simulated *s) {
    drop_bundle(s);
    s->in.length = s->out.length = 0;
    s->found = false;
    s->role = 1; /* equal */
    uint8_t *p = reply(s, HELLO, 1, 8);
    put16(p, 1);
    put16(p + 2, 8);
    put32(p + 4, 1u << VERSION);
}

/* What most switches are told: the port's own host is told more. */
static void keep(struct buffer *heard, const uint8_t *data, size_t length) {
    if (!heard->length || length < heard->length) {
        heard->length = 0;
        append(heard, data, length);
    }
}

bool receive(struct simulated *s) {
    size_t at = 0, opened = SIZE_MAX;
    while (s->in.length - at >= 8) {
        const uint8_t *m = s->in.data + at;
        size_t length = get16(m + 2);
        if (length < 8 || (m[0] != VERSION && m[1] != HELLO))
            return false;
        if (s->in.length - at < length)
            break;
        if (m[1] == BUNDLE_CONTROL && length >= 16 && get16(m + 12) == OPEN)
            opened = at;
        if (m[1] == BARRIER_REQUEST && s->found && opened != SIZE_MAX)
            keep(&watch.heard, s->in.data + opened, at + length - opened);
        uint64_t begun = nanoseconds();
        answer(s, m, length);
        uint64_t took = nanoseconds() - begun;
        if (took > totals.longest_ns)
            totals.longest_ns = took;
        totals.messages++;
        totals.bytes += length;
        at += length;
    }
    consume(&s->in, at);
    return true;
}
