/* `ip_access_lists:`. */
#include "rules/loader.h"

#include "base/text.h"
#include "model/ip_range.h"
#include "rules/ip_addresses.h"

static const char *const types[] = {"ALLOW", "BLOCK", NULL};

#define TEXT_JSON "{\"type\":\"string\",\"minLength\":1}"
#define TEXTS_JSON "{\"anyOf\":[" TEXT_JSON ",{\"type\":\"array\",\"items\":" TEXT_JSON "}]}"

struct list_reading {
	const char *label;
	int type;
	struct texts addresses, must_keep, in;
	bool account, enabled;
};

#define READING(member) offsetof(struct list_reading, member)
static const struct schema_key list_keys[] = {
		{"label", SCHEMA_TEXT, true, READING(label),
				.about = "Name of the list, unique among those of its type."},
		{"type", SCHEMA_CHOICE, true, READING(type), .choices = types,
				.about = "ALLOW or BLOCK; what is blocked stays blocked, whatever "
					 "allows it."},
		{"addresses", SCHEMA_OWN, true, READING(addresses), .read = ip_addresses_read,
				.json = IP_ADDRESSES_JSON,
				.about = "IPv4 addresses and CIDR blocks."},
		{"in", SCHEMA_OWN, .offset = READING(in), .read = mapping_read_workspaces,
				.json = TEXTS_JSON,
				.about = "Names, globs or tag:KEY=VALUE of workspaces."},
		{"account", SCHEMA_FLAG, .offset = READING(account), .preset = "false",
				.about = "A list of the account, in place of `in`."},
		{"must_keep", SCHEMA_OWN, .offset = READING(must_keep), .read = ip_addresses_read,
				.json = IP_ADDRESSES_JSON,
				.about = "Addresses that must stay able to reach these targets; a "
					 "change that would shut them out is refused."},
		{"enabled", SCHEMA_FLAG, .offset = READING(enabled), .preset = "true",
				.about = "Whether the list has an effect."},
};
const struct schema mapping_list_schema = SCHEMA("this item of `ip_access_lists`", list_keys);

static enum err_code check_place(const struct loader *loader, const struct list_reading *reading,
		const struct document_node *node, struct err *err)
{
	if (reading->account && reading->in.count)
		return document_error_at_key(document_get(node, "in"), err,
				"`in` and `account: true` exclude each other; make it two lists");
	if (!reading->account && !reading->in.count)
		return document_error_at_key(node, err,
				"this item of `ip_access_lists` lacks `in`, or `account: true`");
	if (reading->account && !loader->settings->has_account)
		return document_error_at_key(document_get(node, "account"), err,
				"`account: true`, but no `account:` is configured");
	return ERR_NONE;
}

enum err_code mapping_read_list(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	struct loader *loader = loader_of(reader);
	struct list_reading reading = {0};
	enum err_code code = schema_read(reader, &mapping_list_schema, node, &reading, err);

	(void)target;
	if (code == ERR_NONE)
		code = check_place(loader, &reading, node, err);
	if (code != ERR_NONE)
		return code;
	*vec_add(&loader->lists) = (struct ip_list_rule){.label = reading.label,
			.block = reading.type == 1,
			.enabled = reading.enabled,
			.account = reading.account,
			.in = reading.in.items,
			.in_count = reading.in.count,
			.addresses = reading.addresses.items,
			.address_count = reading.addresses.count,
			.must_keep = reading.must_keep.items,
			.must_keep_count = reading.must_keep.count,
			.why = {.file = node->file, .line = node->line}};
	*vec_add(&loader->list_nodes) = node;
	return ERR_NONE;
}

/* ---- all lists of one target together ---- */

static bool is_of(const struct ip_list_rule *list, const struct target_settings *target)
{
	return target->is_account ? list->account
				  : target_matches_any(target, list->in, list->in_count);
}

static struct ip_range range_of(const char *text)
{
	struct ip_range range = {0, 0};

	(void)ip_range_parse(text, &range); /* it was checked when it was read */
	return range;
}

/* The list's address that meets, or with `whole` holds, the given one; NULL. */
static const char *find_address(const struct ip_list_rule *list, const char *address, bool whole)
{
	struct ip_range wanted = range_of(address);

	for (size_t i = 0; i < list->address_count; i++) {
		struct ip_range range = range_of(list->addresses[i]);

		if (whole ? ip_range_holds(range, wanted) : ip_range_meets(range, wanted))
			return list->addresses[i];
	}
	return NULL;
}

/* An address that must stay able to reach a target, and where it was said. */
struct kept {
	const char *address;
	const struct document_node *node; /* of must_keep; NULL: our own, of `egress` */
	unsigned line;                    /* of `egress` */
};

static enum err_code refuse_blocked(const struct target_settings *target, const struct kept *kept,
		const struct ip_list_rule *list, const struct document_node *list_node,
		struct err *err)
{
	const char *blocked = find_address(list, kept->address, false);

	if (kept->node)
		return document_error(kept->node, err,
				"must_keep %s would be shut out of %s: list `%.60s` (line %u) "
				"blocks "
				"%s",
				kept->address, target->name, list->label, list->why.line, blocked);
	return document_error(document_get(list_node, "addresses"), err,
			"list `%.60s` would shut ldap2dbx itself out of %s: it blocks %s, and "
			"`egress` (line %u of the configuration) has %s",
			list->label, target->name, blocked, kept->line, kept->address);
}

static void warn_of_unlisted(struct loader *loader, const struct target_settings *target,
		const struct kept *kept, const struct document_node *list_node)
{
	if (kept->node)
		loader_warn(loader, kept->node,
				"must_keep %s is in no list of these files that allows it in %s; "
				"it stays only if another list there does",
				kept->address, target->name);
	else
		loader_warn(loader, list_node,
				"`egress` %s is in no list of these files that allows it in %s; we "
				"stay in only if another list there does",
				kept->address, target->name);
}

/* A blocked address is lost; one that no list of ours allows may still be in somebody else's. */
static enum err_code check_kept(struct loader *loader, const struct target_settings *target,
		const struct kept *kept, struct err *err)
{
	const struct document_node *first = NULL; /* that allows anybody */
	bool allowed = false;

	for (size_t i = 0; i < loader->lists.count; i++) {
		const struct ip_list_rule *list = &loader->lists.items[i];

		if (!list->enabled || !is_of(list, target))
			continue;
		if (list->block && find_address(list, kept->address, false))
			return refuse_blocked(target, kept, list, loader->list_nodes.items[i], err);
		if (list->block)
			continue;
		first = first ? first : loader->list_nodes.items[i];
		allowed = allowed || find_address(list, kept->address, true);
	}
	if (first && !allowed)
		warn_of_unlisted(loader, target, kept, first);
	return ERR_NONE;
}

static enum err_code check_egress(
		struct loader *loader, const struct target_settings *target, struct err *err)
{
	const struct egress_settings *egress = target_egress(loader->settings, target);
	enum err_code code = ERR_NONE;

	for (size_t i = 0; i < egress->count && code == ERR_NONE; i++) {
		struct kept kept = {egress->addresses[i], NULL, egress->line};

		code = check_kept(loader, target, &kept, err);
	}
	return code;
}

static enum err_code check_list(struct loader *loader, size_t index,
		const struct target_settings *target, struct err *err)
{
	const struct ip_list_rule *list = &loader->lists.items[index];
	const struct document_node *node = loader->list_nodes.items[index];
	enum err_code code = ERR_NONE;

	for (size_t i = 0; i < index; i++) {
		const struct ip_list_rule *other = &loader->lists.items[i];

		if (is_of(other, target) && other->block == list->block &&
				text_equal(other->label, list->label))
			return document_error(document_get(node, "label"), err,
					"%s would have two %s lists `%.60s`, the other of %.120s "
					"line "
					"%u",
					target->name, types[list->block], list->label,
					other->why.file, other->why.line);
	}
	for (size_t i = 0; i < list->must_keep_count && code == ERR_NONE; i++) {
		struct kept kept = {list->must_keep[i],
				ip_addresses_node(document_get(node, "must_keep"), i), 0};

		code = check_kept(loader, target, &kept, err);
	}
	return code;
}

enum err_code mapping_check_lists(struct loader *loader, struct err *err)
{
	const struct settings *settings = loader->settings;
	enum err_code code = ERR_NONE;

	for (size_t t = 0; t < settings->target_count && code == ERR_NONE; t++) {
		const struct target_settings *target = &settings->targets[t];
		size_t values = 0;

		for (size_t i = 0; i < loader->lists.count && code == ERR_NONE; i++) {
			if (!is_of(&loader->lists.items[i], target))
				continue;
			values += loader->lists.items[i].address_count;
			code = check_list(loader, i, target, err);
			if (code == ERR_NONE && values > IP_VALUES_MAX)
				loader_warn(loader, loader->list_nodes.items[i],
						"%s would have %zu addresses in its lists; "
						"Databricks takes %d",
						target->name, values, IP_VALUES_MAX);
		}
		if (code == ERR_NONE)
			code = check_egress(loader, target, err);
	}
	return code;
}
