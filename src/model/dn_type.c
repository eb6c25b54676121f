#include "model/dn_type.h"

/* RFC 4519 and RFC 4524; emailAddress and its kin are of PKCS #9 and not the same attribute as mail. */
static const struct {
	struct span name, short_name;
} aliases[] = {
		{SPAN_LIT("gn"), SPAN_LIT("givenname")},
		{SPAN_LIT("e"), SPAN_LIT("email")},
		{SPAN_LIT("commonname"), SPAN_LIT("cn")},
		{SPAN_LIT("surname"), SPAN_LIT("sn")},
		{SPAN_LIT("countryname"), SPAN_LIT("c")},
		{SPAN_LIT("localityname"), SPAN_LIT("l")},
		{SPAN_LIT("stateorprovincename"), SPAN_LIT("st")},
		{SPAN_LIT("streetaddress"), SPAN_LIT("street")},
		{SPAN_LIT("organizationname"), SPAN_LIT("o")},
		{SPAN_LIT("organizationalunitname"), SPAN_LIT("ou")},
		{SPAN_LIT("domaincomponent"), SPAN_LIT("dc")},
		{SPAN_LIT("userid"), SPAN_LIT("uid")},
		{SPAN_LIT("rfc822mailbox"), SPAN_LIT("mail")},
		{SPAN_LIT("emailaddress"), SPAN_LIT("email")},
		{SPAN_LIT("pkcs9email"), SPAN_LIT("email")},
		{SPAN_LIT("2.5.4.3"), SPAN_LIT("cn")},
		{SPAN_LIT("2.5.4.4"), SPAN_LIT("sn")},
		{SPAN_LIT("2.5.4.5"), SPAN_LIT("serialnumber")},
		{SPAN_LIT("2.5.4.6"), SPAN_LIT("c")},
		{SPAN_LIT("2.5.4.7"), SPAN_LIT("l")},
		{SPAN_LIT("2.5.4.8"), SPAN_LIT("st")},
		{SPAN_LIT("2.5.4.9"), SPAN_LIT("street")},
		{SPAN_LIT("2.5.4.10"), SPAN_LIT("o")},
		{SPAN_LIT("2.5.4.11"), SPAN_LIT("ou")},
		{SPAN_LIT("2.5.4.12"), SPAN_LIT("title")},
		{SPAN_LIT("2.5.4.13"), SPAN_LIT("description")},
		{SPAN_LIT("2.5.4.41"), SPAN_LIT("name")},
		{SPAN_LIT("2.5.4.42"), SPAN_LIT("givenname")},
		{SPAN_LIT("2.5.4.43"), SPAN_LIT("initials")},
		{SPAN_LIT("2.5.4.44"), SPAN_LIT("generationqualifier")},
		{SPAN_LIT("2.5.4.45"), SPAN_LIT("x500uniqueidentifier")},
		{SPAN_LIT("2.5.4.46"), SPAN_LIT("dnqualifier")},
		{SPAN_LIT("0.9.2342.19200300.100.1.1"), SPAN_LIT("uid")},
		{SPAN_LIT("0.9.2342.19200300.100.1.3"), SPAN_LIT("mail")},
		{SPAN_LIT("0.9.2342.19200300.100.1.25"), SPAN_LIT("dc")},
		{SPAN_LIT("1.2.840.113549.1.9.1"), SPAN_LIT("email")},
		{SPAN_LIT("2.16.840.1.113730.3.1.3"), SPAN_LIT("employeenumber")},
		{SPAN_LIT("2.16.840.1.113730.3.1.241"), SPAN_LIT("displayname")},
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* type: lower-case. The short name of the same attribute. */
static struct span short_type(struct span type)
{
	/* Almost all types are short ones already: cn, ou, uid, dc. */
	if (type.len <= 3 && type.ptr[0] != 'g' && type.ptr[0] != 'e')
		return type;
	for (size_t i = 0; i < COUNT_OF(aliases); i++) {
		if (span_equal(type, aliases[i].name))
			return aliases[i].short_name;
	}
	return type;
}

/* descr of RFC 4512 section 1.4, in lower case; the underscore is there because some servers allow it. */
static bool is_descr(struct span type)
{
	if (type.ptr[0] < 'a' || type.ptr[0] > 'z')
		return false;
	for (size_t i = 1; i < type.len; i++) {
		char c = type.ptr[i];

		if (!((c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '_'))
			return false;
	}
	return true;
}

/* numericoid of the same section: numbers with a dot between each two, at least one dot. */
static bool is_oid(struct span type)
{
	size_t dots = 0;

	for (size_t i = 0; i < type.len; i++) {
		if (is_digit(type.ptr[i]))
			continue;
		if (type.ptr[i] != '.' || i == 0 || i + 1 == type.len || type.ptr[i + 1] == '.')
			return false;
		dots++;
	}
	return dots > 0;
}

struct span dn_type_read(struct span written, char room[static DN_TYPE_MAX])
{
	struct span type = {room, written.len};

	if (written.len == 0 || written.len > DN_TYPE_MAX)
		return (struct span){0};
	for (size_t i = 0; i < written.len; i++)
		room[i] = lower(written.ptr[i]);
	if (!is_descr(type) && !is_oid(type))
		return (struct span){0};
	return short_type(type);
}
