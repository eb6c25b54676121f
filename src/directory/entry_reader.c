#include "directory/entry_reader.h"

#include "base/text.h"
#include "directory/outcome.h"
#include "directory/sync_control.h"

#include <ctype.h>
#include <strings.h>

#define NAME_MAX_BYTES 256

/* One attribute as it arrives, or two that differ in their options and become one. */
struct raw_attribute {
	struct span name; /* without options */
	bool has_options;
	BerVarray values; /* points into the message; the array is ours */
	size_t count;
};
struct raw_entry {
	struct raw_attribute attributes[ENTRY_ATTRIBUTES_MAX];
	size_t count;
	bool is_cut;
};

static void release_raw(struct raw_entry *raw)
{
	for (size_t i = 0; i < raw->count; i++)
		ber_memfree(raw->attributes[i].values);
}

static size_t count_values(BerVarray values)
{
	size_t count = 0;

	while (values && values[count].bv_val)
		count++;
	return count;
}

static bool values_fit(BerVarray values, size_t count)
{
	if (count > ENTRY_VALUES_MAX)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (values[i].bv_len > ENTRY_VALUE_BYTES_MAX)
			return false;
	}
	return true;
}

static void add_raw(struct raw_entry *raw, struct span name, BerVarray values)
{
	const char *option = memchr(name.ptr, ';', name.len);
	size_t count = count_values(values);

	if (option)
		name.len = (size_t)(option - name.ptr);
	if (raw->count == ENTRY_ATTRIBUTES_MAX || name.len > NAME_MAX_BYTES ||
			!values_fit(values, count))
		raw->is_cut = true;
	if (raw->count == ENTRY_ATTRIBUTES_MAX || count == 0) {
		ber_memfree(values);
		return;
	}
	raw->attributes[raw->count++] = (struct raw_attribute){name, option != NULL, values, count};
}

static bool name_is(struct span name, const char *text)
{
	return name.len == strlen(text) && strncasecmp(name.ptr, text, name.len) == 0;
}

static const char *lower_name(struct span name, struct arena *arena)
{
	char *copy = arena_strndup(arena, name.ptr, name.len);

	for (char *c = copy; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return copy;
}

static void copy_values(const struct raw_attribute *raw, struct arena *arena, struct span *values,
		size_t *at)
{
	for (size_t i = 0; i < raw->count; i++)
		values[(*at)++] = arena_span(
				arena, (struct span){raw->values[i].bv_val, raw->values[i].bv_len});
}

/* All attributes of the same name as the one at first, those without options in front. */
static void merge(const struct raw_entry *raw, size_t first, struct arena *arena,
		struct attribute *ret)
{
	struct span *values;
	size_t count = 0;

	ret->count = 0;
	for (size_t i = first; i < raw->count; i++)
		ret->count += name_is(raw->attributes[i].name, ret->name) ? raw->attributes[i].count
									  : 0;
	values = arena_alloc(arena, ret->count * sizeof(*values));
	for (int options = 0; options < 2; options++) {
		for (size_t i = first; i < raw->count; i++) {
			if (raw->attributes[i].has_options == (options == 1) &&
					name_is(raw->attributes[i].name, ret->name))
				copy_values(&raw->attributes[i], arena, values, &count);
		}
	}
	ret->values = values;
}

static bool came_before(const struct raw_entry *raw, size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (raw->attributes[i].name.len == raw->attributes[index].name.len &&
				strncasecmp(raw->attributes[i].name.ptr,
						raw->attributes[index].name.ptr,
						raw->attributes[i].name.len) == 0)
			return true;
	}
	return false;
}

static void build(const struct raw_entry *raw, const struct feed_search *search,
		struct arena *arena, struct entry *ret)
{
	struct attribute *attributes =
			arena_alloc(arena, (raw->count ? raw->count : 1) * sizeof(*attributes));

	ret->attributes = attributes;
	for (size_t i = 0; i < raw->count; i++) {
		struct attribute *attribute = &attributes[ret->count];

		if (came_before(raw, i))
			continue;
		attribute->name = lower_name(raw->attributes[i].name, arena);
		if (!feed_search_wants(search, span_of(attribute->name)))
			continue;
		merge(raw, i, arena, attribute);
		ret->count++;
	}
}

/* What the feed asked for on its own account. */
static void note_own(
		const struct raw_attribute *raw, struct arena *arena, struct entry_reading *ret)
{
	char anchor[SYNC_ANCHOR_SIZE];

	if (name_is(raw->name, "entryuuid") &&
			anchor_from_text(
					(struct span){raw->values[0].bv_val, raw->values[0].bv_len},
					anchor))
		ret->entry.anchor = arena_strndup(arena, anchor, sizeof(anchor) - 1);
	if (name_is(raw->name, "memberurl"))
		ret->is_dynamic = true;
	for (size_t i = 0; name_is(raw->name, "objectclass") && i < raw->count; i++)
		ret->is_dynamic = ret->is_dynamic ||
				name_is((struct span){raw->values[i].bv_val, raw->values[i].bv_len},
						"groupOfURLs");
}

static int read_raw(LDAP *ld, LDAPMessage *message, struct raw_entry *raw, struct berval *ret_dn)
{
	BerElement *ber = NULL;
	struct berval name;
	BerVarray values = NULL;
	int result = ldap_get_dn_ber(ld, message, &ber, ret_dn);

	while (result == LDAP_SUCCESS) {
		result = ldap_get_attribute_ber(ld, message, ber, &name, &values);
		if (result != LDAP_SUCCESS || !name.bv_val)
			break;
		add_raw(raw, (struct span){name.bv_val, name.bv_len}, values);
		values = NULL;
	}
	ber_free(ber, 0);
	return result;
}

/* Everything else relies on DNs being text (RFC 4514); values are looked at by whoever uses them. */
static bool read_dn(const struct berval *dn, struct arena *arena, const char **ret)
{
	struct span bytes = {dn->bv_val, dn->bv_len};
	AUTO(mem_freep) char *repaired = text_repair(bytes);

	*ret = arena_strdup(arena, repaired);
	return text_is_utf8(bytes);
}

enum err_code entry_read(LDAP *ld, LDAPMessage *message, const struct feed_search *search,
		struct arena *arena, struct entry_reading *ret, struct err *err)
{
	struct entry_reading reading = {0};
	struct raw_entry raw;
	struct berval dn = {0};
	int result;

	raw.count = 0;
	raw.is_cut = false;
	result = read_raw(ld, message, &raw, &dn);
	if (result == LDAP_SUCCESS) {
		raw.is_cut |= !read_dn(&dn, arena, &reading.entry.dn);
		for (size_t i = 0; i < raw.count; i++)
			note_own(&raw.attributes[i], arena, &reading);
		reading.is_cut = raw.is_cut;
		if (!raw.is_cut)
			build(&raw, search, arena, &reading.entry);
		*ret = reading;
	}
	release_raw(&raw);
	return result == LDAP_SUCCESS ? ERR_NONE
				      : outcome_set(err, result, NULL, "an entry of \"%s\"",
							search->search->base);
}
