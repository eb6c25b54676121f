/*
 * proxy -- a TCP forwarder on a free loopback port, on its own thread, that fails on demand.
 */
#ifndef L2D_TESTS_PROXY_H
#define L2D_TESTS_PROXY_H

#include <stdbool.h>
#include <stddef.h>

struct proxy;
/* target_port 0: nothing is behind it; it accepts and says nothing. */
struct proxy *proxy_new(int target_port);
void proxy_free(struct proxy *proxy);
int proxy_port(const struct proxy *proxy);

/* Cuts the connection (the next one, if none is open) before the server's octet of that number gets through; once. */
void proxy_cut_after(struct proxy *proxy, size_t server_octets);
/* The same for every further connection, counted anew for each; 0: no more cuts. */
void proxy_cut_each(struct proxy *proxy, size_t server_octets);
/* While held, what the client sends does not get through. */
void proxy_hold_requests(struct proxy *proxy, bool held);
/* From here on the server gets cookies (slapd's form) that it cannot read. */
void proxy_garble_cookies(struct proxy *proxy);
/* Octets that clients sent so far. */
size_t proxy_received(struct proxy *proxy);
/* Connections accepted so far. */
unsigned proxy_accepted(struct proxy *proxy);

#endif
