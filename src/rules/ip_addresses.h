/*
 * ip_addresses -- IPv4 addresses and CIDR blocks as the files have them: one, or a list.
 */
#ifndef L2D_RULES_IP_ADDRESSES_H
#define L2D_RULES_IP_ADDRESSES_H

#include "rules/schema.h"

#define IP_ADDRESS_JSON "{\"type\":\"string\",\"pattern\":\"^[0-9.]+(/[0-9]+)?$\"}"
#define IP_ADDRESSES_JSON                                                                          \
	"{\"anyOf\":[" IP_ADDRESS_JSON ",{\"type\":\"array\",\"items\":" IP_ADDRESS_JSON "}]}"

/* target: struct texts; ip_range_parse takes each of them, and there is one at least. */
schema_read_fn ip_addresses_read;
/* The item of node that its index-th address comes from. */
const struct document_node *ip_addresses_node(const struct document_node *node, size_t index);

#endif
