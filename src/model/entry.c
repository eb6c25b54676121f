#include "model/entry.h"

#include "model/pack.h"

#include <strings.h>

/*
 * A block: number of attributes; each one its name with NUL, the number of its values, and each value its length and
 * its octets (model/pack.h). Names rise strictly, values rise (octet order), so there is one
 * block for one content.
 */
#define PAIRS_ON_STACK 64

struct pair {
	const char *name;
	struct span value;
};

const struct attribute *entry_find(const struct entry *entry, const char *name)
{
	for (size_t i = 0; i < entry->count; i++) {
		if (strcasecmp(entry->attributes[i].name, name) == 0)
			return &entry->attributes[i];
	}
	return NULL;
}

struct span entry_first(const struct entry *entry, const char *name)
{
	const struct attribute *attribute = entry_find(entry, name);

	return attribute ? attribute->values[0] : (struct span){0};
}

/* ---- packing ---- */

static int compare_values(struct span a, struct span b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = len ? memcmp(a.ptr, b.ptr, len) : 0;

	return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_pairs(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : compare_values(x->value, y->value);
}

static bool is_skipped(const char *name, const char *const *skip, size_t skip_count)
{
	for (size_t i = 0; i < skip_count; i++) {
		if (strcmp(skip[i], name) == 0)
			return true;
	}
	return false;
}

static size_t gather(const struct entry *entry, const char *const *skip, size_t skip_count,
		struct pair *ret)
{
	size_t count = 0;

	for (size_t i = 0; i < entry->count; i++) {
		const struct attribute *attribute = &entry->attributes[i];

		if (is_skipped(attribute->name, skip, skip_count))
			continue;
		for (size_t k = 0; k < attribute->count; k++) {
			if (ret)
				ret[count] = (struct pair){attribute->name, attribute->values[k]};
			count++;
		}
	}
	return count;
}

/* Attributes hold sets: a value that came twice is one. */
static size_t drop_doubles(struct pair *pairs, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (kept == 0 || compare_pairs(&pairs[kept - 1], &pairs[i]) != 0)
			pairs[kept++] = pairs[i];
	}
	return kept;
}

/* How many pairs from the first on have its name. */
static size_t run_length(const struct pair *pairs, size_t count)
{
	size_t run = 1;

	while (run < count && strcmp(pairs[run].name, pairs[0].name) == 0)
		run++;
	return run;
}

static void add_pairs(const struct pair *pairs, size_t count, struct buf *ret)
{
	size_t names = 0;

	for (size_t i = 0; i < count; i += run_length(pairs + i, count - i))
		names++;
	pack_add_number(ret, names);
	for (size_t i = 0; i < count;) {
		size_t run = run_length(pairs + i, count - i);

		buf_add(ret, pairs[i].name, strlen(pairs[i].name) + 1);
		pack_add_number(ret, run);
		for (; run > 0; run--, i++)
			pack_add_span(ret, pairs[i].value);
	}
}

void entry_pack(const struct entry *entry, const char *const *skip, size_t skip_count,
		struct buf *ret)
{
	struct pair few[PAIRS_ON_STACK];
	AUTO(mem_freep) struct pair *many = NULL;
	struct pair *pairs = few;
	size_t count = gather(entry, skip, skip_count, NULL);

	if (count > PAIRS_ON_STACK)
		pairs = many = mem_array(count, sizeof(*many));
	(void)gather(entry, skip, skip_count, pairs);
	qsort(pairs, count, sizeof(*pairs), compare_pairs);
	add_pairs(pairs, drop_doubles(pairs, count), ret);
}

/* ---- unpacking ---- */

static const char *read_name(struct pack_reader *reader)
{
	bool more = !reader->damaged && reader->rest.len > 0;
	const char *nul = more ? memchr(reader->rest.ptr, '\0', reader->rest.len) : NULL;

	if (!nul || nul == reader->rest.ptr) {
		reader->damaged = true;
		return "";
	}
	return pack_read_bytes(reader, (size_t)(nul + 1 - reader->rest.ptr)).ptr;
}

static void read_values(struct pack_reader *reader, struct arena *arena, struct attribute *ret)
{
	struct span *values;

	ret->count = pack_read_number(reader, ENTRY_VALUES_MAX);
	/* Each value takes an octet at least: a damaged number cannot make us allocate much. */
	if (reader->damaged || ret->count == 0 || ret->count > reader->rest.len) {
		reader->damaged = true;
		return;
	}
	values = arena_alloc(arena, ret->count * sizeof(*values));
	for (size_t i = 0; i < ret->count && !reader->damaged; i++) {
		values[i] = pack_read_span(reader, ENTRY_VALUE_BYTES_MAX);
		if (i > 0 && compare_values(values[i - 1], values[i]) >= 0)
			reader->damaged = true;
	}
	ret->values = values;
}

enum err_code entry_unpack(
		struct span block, struct arena *arena, struct entry *ret, struct err *err)
{
	struct pack_reader reader = {.rest = block};
	size_t count = pack_read_number(&reader, ENTRY_ATTRIBUTES_MAX);
	struct attribute *attributes = NULL;

	if (!reader.damaged && count > 0)
		attributes = arena_alloc(arena, count * sizeof(*attributes));
	for (size_t i = 0; i < count && !reader.damaged; i++) {
		attributes[i].name = read_name(&reader);
		if (i > 0 && strcmp(attributes[i - 1].name, attributes[i].name) >= 0)
			reader.damaged = true;
		read_values(&reader, arena, &attributes[i]);
	}
	if (reader.damaged || reader.rest.len > 0)
		return err_set(err, ERR_STORE, 0, "a stored entry of %zu bytes is damaged",
				block.len);
	*ret = (struct entry){.attributes = attributes, .count = count};
	return ERR_NONE;
}

struct span entry_block_first(struct span block, const char *name)
{
	struct pack_reader reader = {.rest = block};
	size_t attributes = pack_read_number(&reader, ENTRY_ATTRIBUTES_MAX);

	for (size_t i = 0; i < attributes && !reader.damaged; i++) {
		bool is_it = strcmp(read_name(&reader), name) == 0;
		size_t values = pack_read_number(&reader, ENTRY_VALUES_MAX);
		struct span first = pack_read_span(&reader, ENTRY_VALUE_BYTES_MAX);

		if (is_it)
			return reader.damaged ? (struct span){0} : first;
		for (size_t k = 1; k < values && !reader.damaged; k++)
			(void)pack_read_span(&reader, ENTRY_VALUE_BYTES_MAX);
	}
	return (struct span){0};
}
