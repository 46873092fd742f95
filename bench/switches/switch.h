/* One simulated switch: the OpenFlow 1.5 messages that a controller of ours sends, done and answered. */
#ifndef SWITCH_H
#define SWITCH_H

#include "tables.h"

struct totals {
    uint64_t messages, flow_mods, actions, bundles, barriers, errors, bytes;
    uint64_t longest_ns; /* the longest that one message took, a dump as a rule */
};

/* What is waited for: an address in the match of a flow; how many switches hold it, and since when the last does. */
struct watch {
    bool active;
    uint8_t address[6];
    size_t expected, reached;
    uint64_t last_ns;
    struct buffer heard; /* the shortest bundle with it, from its opening to its barrier */
};

struct pending { uint8_t *message; size_t length; };

struct simulated {
    uint64_t datapath_id;
    struct tables tables;
    struct buffer in, out;
    uint32_t role;
    uint64_t generation;
    struct pending *bundle;
    size_t bundled, bundle_room;
    bool bundle_open, bundle_failed;
    bool found, holds; /* the watched address: in what was just applied; acknowledged */
};

extern struct totals totals;
extern struct watch watch;

uint64_t nanoseconds(void);
void begin_session(struct simulated *s); /* a new connection: the tables stay */
bool receive(struct simulated *s);       /* do what has come; false when the stream is no OpenFlow */
void drop_bundle(struct simulated *s);

#endif
