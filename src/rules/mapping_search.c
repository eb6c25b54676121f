/* Rules as searches. */
#include "rules/loader.h"

#include "base/digest.h"
#include "base/text.h"
#include "model/dn.h"

#define CONTAINERS_FILTER                                                                          \
	"(|(objectClass=organizationalUnit)(objectClass=organization)(objectClass=container)"      \
	"(objectClass=domain)(objectClass=dcObject)(objectClass=locality))"

static const char *const always_read[] = {"objectclass", "cn"};
static const char *const member_attributes[] = MEMBER_ATTRIBUTES;
static const char *const no_attributes[] = {"1.1"}; /* RFC 4511, section 4.5.1.8 */

static int compare_names(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

/* All searches of a source ask for the same, so that one entry looks the same in each; only groups
 * have members. */
static void set_attributes(struct loader *loader, struct search *search)
{
	bool members = search->purpose == SEARCH_GROUPS || search->purpose == SEARCH_THROUGH;
	name_vec names = {0};
	const char **copy;

	if (search->purpose == SEARCH_CONTAINERS) {
		search->attributes = no_attributes;
		search->attribute_count = COUNT_OF(no_attributes);
		return;
	}
	for (size_t i = 0; i < COUNT_OF(always_read); i++)
		loader_add_name(&names, always_read[i]);
	for (size_t i = 0; members && i < COUNT_OF(member_attributes); i++)
		loader_add_name(&names, member_attributes[i]);
	for (vec_each (&loader->attributes[search->source], name)) {
		if (strcmp(*name, "entryuuid") != 0) /* the anchor: the feed asks for it anyway */
			loader_add_name(&names, *name);
	}
	qsort(names.items, names.count, sizeof(*names.items), compare_names);
	copy = arena_alloc(loader->reader.arena, names.count * sizeof(*copy));
	memcpy(copy, names.items, names.count * sizeof(*copy));
	search->attributes = copy;
	search->attribute_count = names.count;
	vec_release(&names);
}

static void set_digest(const struct loader *loader, struct search *search)
{
	struct digest *digest = digest_new();

	digest_add_text(digest, loader->settings->sources[search->source].name);
	digest_add_text(digest, search->base);
	digest_add_text(digest, search->filter);
	for (size_t i = 0; i < search->attribute_count; i++)
		digest_add_text(digest, search->attributes[i]);
	digest_finish(digest, search->digest);
}

static enum err_code add_search(struct loader *loader, struct search search, struct err *err)
{
	if (loader->searches.count == SEARCHES_MAX)
		return err_set(err, ERR_CONFIG, 0,
				"%s:%u: more than %d searches, counting `through` and one per "
				"branch for its containers; "
				"join rules that differ in `when` only",
				search.file, search.line, SEARCHES_MAX);
	search.id = (unsigned)loader->searches.count;
	set_attributes(loader, &search);
	set_digest(loader, &search);
	*vec_add(&loader->searches) = search;
	return ERR_NONE;
}

static struct search make_search(
		const struct search_rule *from, enum search_purpose purpose, unsigned rule)
{
	return (struct search){
			.source = (unsigned)from->source,
			.purpose = purpose,
			.rule = rule,
			.base = from->base,
			.filter = from->filter,
			.file = from->node->file,
			.line = from->node->line,
	};
}

static enum err_code add_rules(struct loader *loader, enum principal_kind kind, struct err *err)
{
	static const enum search_purpose purposes[] = {[PRINCIPAL_USER] = SEARCH_USERS,
			[PRINCIPAL_GROUP] = SEARCH_GROUPS,
			[PRINCIPAL_SERVICE] = SEARCH_SERVICE_PRINCIPALS};
	enum err_code code = ERR_NONE;

	for (size_t i = 0; i < loader->rules[kind].count && code == ERR_NONE; i++) {
		const struct rule *rule = loader->rules[kind].items[i];

		code = add_search(loader, make_search(&rule->search, purposes[kind], (unsigned)i),
				err);
		for (size_t t = 0; t < rule->through_count && code == ERR_NONE; t++)
			code = add_search(loader,
					make_search(&rule->through[t], SEARCH_THROUGH, (unsigned)i),
					err);
	}
	return code;
}

static bool has_containers(
		const struct loader *loader, unsigned source, struct span key, size_t searches)
{
	bool found = false;
	struct buf other;
	struct err ignored;

	buf_init(&other, DN_KEY_MAX);
	for (size_t i = 0; i < searches && !found; i++) {
		const struct search *search = &loader->searches.items[i];

		found = search->purpose == SEARCH_CONTAINERS && search->source == source &&
				dn_key(span_of(search->base), &other, &ignored) == ERR_NONE &&
				span_equal((struct span){buf_text(&other), other.len}, key);
	}
	buf_release(&other);
	return found;
}

/* One per source and base: names of containers above the entries can change without an event for
 * the entries. */
static enum err_code add_containers(struct loader *loader, struct err *err)
{
	size_t count = loader->searches.count;
	enum err_code code = ERR_NONE;
	struct buf key;

	buf_init(&key, DN_KEY_MAX);
	for (size_t i = 0; i < count && code == ERR_NONE; i++) {
		struct search search = loader->searches.items[i];

		code = dn_key(span_of(search.base), &key, err);
		if (code != ERR_NONE ||
				has_containers(loader, search.source,
						(struct span){buf_text(&key), key.len},
						loader->searches.count))
			continue;
		search.purpose = SEARCH_CONTAINERS;
		search.rule = 0;
		search.filter = CONTAINERS_FILTER;
		code = add_search(loader, search, err);
	}
	buf_release(&key);
	return code;
}

enum err_code mapping_build_searches(struct loader *loader, struct err *err)
{
	enum err_code code = ERR_NONE;

	for (unsigned kind = 0; kind < PRINCIPAL_KIND_COUNT_ && code == ERR_NONE; kind++)
		code = add_rules(loader, kind, err);
	return code == ERR_NONE ? add_containers(loader, err) : code;
}
