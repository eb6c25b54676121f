/*
 * ip_range -- IPv4 addresses and CIDR blocks, as IP access lists take them.
 */
#ifndef L2D_MODEL_IP_RANGE_H
#define L2D_MODEL_IP_RANGE_H

#include "base/mem.h"

/* Databricks: of all lists of one workspace, and of one account, together. */
#define IP_VALUES_MAX 1000

struct ip_range {
	uint32_t address; /* host byte order; bits outside of the mask are zero */
	unsigned length;  /* of the prefix, 0..32; 32: one address */
};

/*
 * "192.0.2.7", "192.0.2.0/24"; bits behind the prefix may be set and are ignored, as Databricks does. Returns NULL and
 * fills *ret, or one sentence why the text is refused (static), *ret untouched.
 */
const char *ip_range_parse(const char *text, struct ip_range *ret);
/* Whether all of inner lies in outer; whether they share an address. */
bool ip_range_holds(struct ip_range outer, struct ip_range inner);
bool ip_range_meets(struct ip_range a, struct ip_range b);

#endif
