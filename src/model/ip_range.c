#include "model/ip_range.h"

static uint32_t mask(unsigned length)
{
	return length ? UINT32_MAX << (32 - length) : 0;
}

/* A decimal number up to max without leading zeros, which some programs read as octal; *at goes behind it. */
static bool take_number(const char **at, unsigned max, unsigned *ret)
{
	const char *begin = *at;
	unsigned value = 0;

	for (; **at >= '0' && **at <= '9'; ++*at) {
		value = value * 10 + (unsigned)(**at - '0');
		if (value > max)
			return false;
	}
	if (*at == begin || (*begin == '0' && *at - begin > 1))
		return false;
	*ret = value;
	return true;
}

const char *ip_range_parse(const char *text, struct ip_range *ret)
{
	static const char no_address[] =
			"it is no IPv4 address such as 192.0.2.7 and no block such as "
			"192.0.2.0/24";
	uint32_t address = 0;
	unsigned length = 32, part;

	if (strchr(text, ':'))
		return "Databricks' IP access lists take IPv4 only, this is IPv6";
	for (unsigned i = 0; i < 4; i++) {
		if (i && *text++ != '.')
			return no_address;
		if (!take_number(&text, 255, &part))
			return no_address;
		address = address << 8 | part;
	}
	if (*text == '/') {
		text++;
		if (!take_number(&text, 32, &length))
			return "the prefix of a block is a number from 0 to 32";
	}
	if (*text)
		return no_address;
	*ret = (struct ip_range){address & mask(length), length};
	return NULL;
}

bool ip_range_holds(struct ip_range outer, struct ip_range inner)
{
	return outer.length <= inner.length &&
			(inner.address & mask(outer.length)) == outer.address;
}

bool ip_range_meets(struct ip_range a, struct ip_range b)
{
	return ip_range_holds(a, b) || ip_range_holds(b, a);
}
