/*
 * ip_list -- IP access lists of a workspace and of the account: which addresses get in, and the guard that keeps the
 * one who changes them from shutting itself out.
 *
 * Evaluation: off: all get in. A match of an enabled BLOCK list: out. No enabled ALLOW list: in. Else only a match of
 * one.
 */
#ifndef SIM_IP_LIST_H
#define SIM_IP_LIST_H

#include "api.h"

/* IPv4, or CIDR whose host bits may be set. *ret_mask 0xffffffff for a single address. */
bool ip_parse(const char *text, uint32_t *ret_address, uint32_t *ret_mask);

/* Whether the lists of this place are in force. */
bool ip_list_is_on(const struct state *state, const struct workspace *place);
/* What the lists say about an address, in force or not. */
bool ip_list_admits(const struct state *state, const struct workspace *place, uint32_t address);

/* Where the request comes from: the connection, or what the options or (if trusted) a header pretend. */
uint32_t ip_of_request(const struct request *request);
/* 403 if the lists of the place keep the request out. */
MUST_CHECK bool ip_list_check(const struct request *request, struct answer *answer);
/* Before the lists are switched on: 400 if they would shut the caller out. */
MUST_CHECK bool ip_list_check_switch(struct api_call *call);

#endif
