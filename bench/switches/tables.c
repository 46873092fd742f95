#include "tables.h"

static struct flow removed; /* stands where a flow was, so that others behind it are found */

static uint32_t hash_of(const struct flow *f) {
    uint32_t hash = 2166136261u ^ f->table ^ (uint32_t)f->priority << 8;
    for (size_t i = 0; i < f->match_length; i++)
        hash = (hash ^ f->data[i]) * 16777619u;
    return hash ^ hash >> 15;
}

static bool same_key(const struct flow *a, const struct flow *b) {
    return a->hash == b->hash && a->table == b->table && a->priority == b->priority &&
           a->match_length == b->match_length && !memcmp(a->data, b->data, a->match_length);
}

/* From struct ofp_flow_mod behind the header (40 bytes, then the match). */
struct flow *make_flow(const uint8_t *p, size_t length, size_t match_length) {
    struct flow *f = must(malloc(sizeof *f + length - 40));
    f->cookie = get64(p);
    f->table = p[16];
    f->idle = get16(p + 18);
    f->hard = get16(p + 20);
    f->priority = get16(p + 22);
    f->flags = get16(p + 36);
    f->match_length = (uint16_t)match_length;
    f->instructions_length = (uint16_t)(length - 40 - match_length);
    memcpy(f->data, p + 40, length - 40);
    f->hash = hash_of(f);
    return f;
}

static size_t slot_of(const struct tables *t, const struct flow *like) {
    size_t at = like->hash & (t->room - 1), free_slot = t->room;
    for (; t->slots[at]; at = (at + 1) & (t->room - 1)) {
        if (t->slots[at] == &removed)
            free_slot = free_slot == t->room ? at : free_slot;
        else if (same_key(t->slots[at], like))
            return at;
    }
    return free_slot == t->room ? at : free_slot;
}

static void grow(struct tables *t) {
    struct tables old = *t;
    t->room = t->count * 4 < 64 ? 64 : t->room * (t->count * 2 > t->room ? 2 : 1);
    t->slots = must(calloc(t->room, sizeof *t->slots));
    t->used = t->count;
    for (size_t i = 0; i < old.room; i++)
        if (old.slots[i] && old.slots[i] != &removed)
            t->slots[slot_of(t, old.slots[i])] = old.slots[i];
    free(old.slots);
}

void put_flow(struct tables *t, struct flow *flow) {
    if (t->used * 4 >= t->room * 3)
        grow(t);
    struct flow **slot = &t->slots[slot_of(t, flow)];
    if (*slot && *slot != &removed) {
        free(*slot);
    } else {
        t->used += !*slot;
        t->count++;
    }
    *slot = flow;
}

bool remove_flow(struct tables *t, const struct flow *like) {
    if (!t->room)
        return false;
    struct flow **slot = &t->slots[slot_of(t, like)];
    if (!*slot || *slot == &removed)
        return false;
    free(*slot);
    *slot = &removed;
    t->count--;
    return true;
}

struct flow *next_flow(const struct tables *t, size_t *at) {
    while (*at < t->room) {
        struct flow *flow = t->slots[(*at)++];
        if (flow && flow != &removed)
            return flow;
    }
    return NULL;
}

struct entry *find_entry(const struct entries *e, uint32_t id) {
    for (size_t i = 0; i < e->count; i++)
        if (e->items[i].id == id)
            return &e->items[i];
    return NULL;
}

void put_entry(struct entries *e, uint32_t id, const uint8_t *data, size_t length) {
    struct entry *entry = find_entry(e, id);
    if (!entry) {
        e->items = must(realloc(e->items, (e->count + 1) * sizeof *e->items));
        entry = &e->items[e->count++];
        *entry = (struct entry){.id = id};
    }
    entry->data = must(realloc(entry->data, length + 1));
    entry->length = length;
    memcpy(entry->data, data, length);
}

void remove_entry(struct entries *e, uint32_t id) {
    struct entry *entry = find_entry(e, id);
    if (entry) {
        free(entry->data);
        *entry = e->items[--e->count];
    }
}

static void clear_entries(struct entries *e) {
    for (size_t i = 0; i < e->count; i++)
        free(e->items[i].data);
    free(e->items);
    *e = (struct entries){0};
}

void clear_tables(struct tables *t) {
    struct flow *flow;
    for (size_t at = 0; (flow = next_flow(t, &at));)
        free(flow);
    free(t->slots);
    clear_entries(&t->groups);
    clear_entries(&t->meters);
    *t = (struct tables){0};
}
