/* Mapping files as a whole. */
#include "rules/mapping.h"

#include "rules/loader.h"
#include "rules/policy_rule.h"
#include "rules/sandbox.h"

#include <stdarg.h>
#include <stdio.h>

#define WARNINGS_MAX 1000
#define CHECK_STEPS_MAX 1000000
#define CHECK_BYTES_MAX ((size_t)16 * 1024 * 1024)

static const char *const leaver_choices[] = {[LEAVER_KEEP] = "keep",
		[LEAVER_DEACTIVATE] = "deactivate",
		[LEAVER_DELETE] = "delete",
		NULL};

/* What the top level of one file is read into; the lists go to the loader itself. */
struct file_reading {
	unsigned version;
	int leavers;
};

static const struct schema_key leaver_keys[] = {
		{"then", SCHEMA_CHOICE, true, offsetof(struct file_reading, leavers),
				.choices = leaver_choices,
				.about = "What becomes of the account of someone who has left."},
		SCHEMA_KEY_LATER("hand_over"),
		SCHEMA_KEY_LATER("revoke_tokens"),
		SCHEMA_KEY_LATER("deactivate_within"),
		SCHEMA_KEY_LATER("delete_after"),
};
static const struct schema leavers_schema = SCHEMA("`leavers`", leaver_keys);

static const struct schema_key file_keys[] = {
		{"version", SCHEMA_NUMBER, true, offsetof(struct file_reading, version), .min = 1,
				.max = 1, .about = "Version of the format: 1."},
		{"users", SCHEMA_LIST, .section = &mapping_users_schema, .read = mapping_read_users,
				.about = "Rules that make users of entries; the first that takes "
					 "an entry counts."},
		{"groups", SCHEMA_LIST, .section = &mapping_groups_schema,
				.read = mapping_read_groups,
				.about = "Rules that make groups of entries."},
		{"service_principals", SCHEMA_LIST, .section = &mapping_service_principals_schema,
				.read = mapping_read_service_principals,
				.about = "Rules that make service principals of entries."},
		{"grants", SCHEMA_LIST, .section = &mapping_grant_schema,
				.read = mapping_read_grant, .about = "Who gets what."},
		{"leavers", SCHEMA_SECTION, .section = &leavers_schema,
				.about = "What becomes of people who are no longer in scope; in "
					 "one file only."},
		{"tests", SCHEMA_LIST, .section = &mapping_test_schema, .read = mapping_read_test,
				.about = "Sample entries with what must come out; run by `ldap2dbx "
					 "check`."},
		{"cluster_policies", SCHEMA_LIST, .section = &mapping_policy_schema,
				.read = mapping_read_policy,
				.about = "Cluster policies that are made and kept so."},
		{"ip_access_lists", SCHEMA_LIST, .section = &mapping_list_schema,
				.read = mapping_read_list,
				.about = "From where account and workspaces can be reached."},
};
const struct schema mapping_file_schema = SCHEMA("the mapping file", file_keys);

static enum err_code take_leavers(struct loader *loader, const struct document_node *root,
		int leavers, struct err *err)
{
	const struct document_node *node = document_get(root, "leavers");

	if (!node)
		return ERR_NONE;
	if (loader->leavers_node)
		return document_error_at_key(node, err,
				"`leavers` is said in %.120s line %u already; remove one",
				loader->leavers_node->file, loader->leavers_node->key_line);
	loader->leavers_node = node;
	loader->leavers = leavers;
	return ERR_NONE;
}

/* The lists' readers find the loader through the reader; target is only for what is said once. */
static enum err_code read_mapping_file(
		struct loader *loader, const struct mapping_file *file, struct err *err)
{
	struct file_reading reading = {0};
	struct document_node *root;
	enum err_code code = document_parse(
			file->text, file->shown_as, loader->reader.arena, &root, err);

	if (code == ERR_NONE)
		code = schema_read(&loader->reader, &mapping_file_schema, root, &reading, err);
	return code == ERR_NONE ? take_leavers(loader, root, reading.leavers, err) : code;
}

/* Copies a vector's items into the arena. */
#define KEEP(loader, vec, to, to_count)                                                            \
	do {                                                                                       \
		(to_count) = (vec)->count;                                                         \
		(to) = keep_items((loader)->reader.arena, (vec)->items, (vec)->count,              \
				sizeof(*(vec)->items));                                            \
	} while (0)

static void *keep_items(struct arena *arena, const void *items, size_t count, size_t size)
{
	void *copy = arena_alloc(arena, count * size);

	if (count)
		memcpy(copy, items, count * size);
	return copy;
}

static struct mapping *finish(struct loader *loader)
{
	struct mapping *mapping = arena_alloc(loader->reader.arena, sizeof(*mapping));

	for (unsigned kind = 0; kind < PRINCIPAL_KIND_COUNT_; kind++)
		KEEP(loader, &loader->rules[kind], mapping->rules[kind],
				mapping->rule_counts[kind]);
	KEEP(loader, &loader->searches, mapping->searches, mapping->search_count);
	KEEP(loader, &loader->grants, mapping->grants, mapping->grant_count);
	KEEP(loader, &loader->eaches, mapping->eaches, mapping->each_count);
	KEEP(loader, &loader->policies, mapping->policies, mapping->policy_count);
	KEEP(loader, &loader->lists, mapping->lists, mapping->list_count);
	KEEP(loader, &loader->listed, mapping->listed, mapping->listed_count);
	KEEP(loader, &loader->warnings, mapping->warnings, mapping->warning_count);
	KEEP(loader, &loader->definitions, mapping->definitions, mapping->definition_count);
	mapping->settings = loader->settings;
	KEEP(loader, &loader->tests, mapping->tests, mapping->test_count);
	KEEP(loader, &loader->compiler.expressions, mapping->expressions,
			mapping->expression_count);
	mapping->leavers = (enum leaver_action)loader->leavers;
	return mapping;
}

/* No rule at all would mean that everything of ours has to go: more likely something was lost. */
static enum err_code check_whole(const struct loader *loader, const struct mapping_file *files,
		size_t count, struct err *err)
{
	size_t rules = loader->grants.count + loader->eaches.count + loader->policies.count +
			loader->lists.count + loader->listed.count;

	for (unsigned kind = 0; kind < PRINCIPAL_KIND_COUNT_; kind++)
		rules += loader->rules[kind].count;
	if (rules > 0)
		return ERR_NONE;
	return err_set(err, ERR_CONFIG, 0,
			"%.160s: no rule in %s; write one under `users:`, `groups:` or `grants:`",
			count ? files[0].shown_as : "mappings",
			count > 1 ? "any of the mapping files" : "it");
}

static void loader_release(struct loader *loader)
{
	for (unsigned kind = 0; kind < PRINCIPAL_KIND_COUNT_; kind++)
		vec_release(&loader->rules[kind]);
	for (size_t i = 0; i < loader->settings->source_count; i++)
		vec_release(&loader->attributes[i]);
	mem_free(loader->attributes);
	vec_release(&loader->searches);
	vec_release(&loader->grants);
	vec_release(&loader->eaches);
	vec_release(&loader->policies);
	vec_release(&loader->lists);
	vec_release(&loader->list_nodes);
	vec_release(&loader->listed);
	vec_release(&loader->warnings);
	vec_release(&loader->definitions);
	vec_release(&loader->tests);
	sandbox_free(loader->compiler.sandbox);
	compiler_release(&loader->compiler);
}

static enum err_code read_files(
		struct loader *loader, const struct mapping_files *files, struct err *err)
{
	enum err_code code = ERR_NONE;

	for (size_t i = 0; i < files->count; i++) {
		enum err_code one = read_mapping_file(loader, &files->items[i], err);

		if (one == ERR_NONE)
			continue;
		code = one;
		if (!faults_note(loader->reader.faults, err))
			break;
	}
	return code;
}

enum err_code mapping_load(struct arena *arena, const struct settings *settings,
		const struct mapping_files *files, struct faults *faults, struct mapping **ret,
		struct err *err)
{
	struct loader loader = {
			.reader = {.arena = arena, .folder = settings->folder, .faults = faults},
			.settings = settings,
			.compiler = {.arena = arena,
					.sandbox = sandbox_new(CHECK_STEPS_MAX, CHECK_BYTES_MAX)},
			.attributes = mem_array(settings->source_count, sizeof(*loader.attributes)),
			.leavers = LEAVER_DEACTIVATE,
	};
	struct mapping *mapping;
	enum err_code code = read_files(&loader, files, err);

	if (code == ERR_NONE)
		code = check_whole(&loader, files->items, files->count, err);
	if (code == ERR_NONE)
		code = mapping_build_searches(&loader, err);
	if (code == ERR_NONE)
		code = mapping_check_owners(&loader, err);
	if (code == ERR_NONE)
		code = mapping_check_lists(&loader, err);
	if (code == ERR_NONE) {
		mapping = finish(&loader);
		code = mapping_check_policies(mapping, err);
	}
	if (code == ERR_NONE)
		*ret = mapping;
	loader_release(&loader);
	return code;
}

const struct search *mapping_searches(const struct mapping *mapping, size_t *ret_count)
{
	*ret_count = mapping->search_count;
	return mapping->searches;
}

const struct grant_rule *mapping_grants(const struct mapping *mapping, size_t *ret_count)
{
	*ret_count = mapping->grant_count;
	return mapping->grants;
}

const struct grant_each *const *mapping_for_each(const struct mapping *mapping, size_t *ret_count)
{
	*ret_count = mapping->each_count;
	return mapping->eaches;
}

const struct cluster_policy_rule *mapping_cluster_policies(
		const struct mapping *mapping, size_t *ret_count)
{
	*ret_count = mapping->policy_count;
	return mapping->policies;
}

const struct ip_list_rule *mapping_ip_access_lists(const struct mapping *mapping, size_t *ret_count)
{
	*ret_count = mapping->list_count;
	return mapping->lists;
}

const struct identity *mapping_listed_services(const struct mapping *mapping, size_t *ret_count)
{
	*ret_count = mapping->listed_count;
	return mapping->listed;
}

const char *const *mapping_warnings(const struct mapping *mapping, size_t *ret_count)
{
	*ret_count = mapping->warning_count;
	return mapping->warnings;
}

void loader_warn(struct loader *loader, const struct document_node *node, const char *fmt, ...)
{
	char text[sizeof(((struct err *)0)->text)];
	struct err err;
	va_list args;

	if (loader->warnings.count == WARNINGS_MAX)
		return;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	(void)document_error(node, &err, "%s", text);
	*vec_add(&loader->warnings) = arena_strdup(loader->reader.arena, err.text);
}

enum leaver_action mapping_leavers(const struct mapping *mapping)
{
	return mapping->leavers;
}
