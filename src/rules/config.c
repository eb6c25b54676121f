#include "rules/config.h"

#include "base/digest.h"
#include "base/text.h"
#include "rules/config_reading.h"
#include "rules/ip_addresses.h"
#include "rules/rule.h"

#include <dirent.h>
#include <limits.h>
#include <errno.h>
#include <sys/stat.h>
#include <threads.h>
#include <unistd.h>

#define MAPPING_FILES_MAX 1000
#define NAME_MAX_BYTES 64
#define MAPPINGS_FOLDER "mappings"

struct config {
	struct arena *arena;
	struct settings settings;
	struct mapping *mapping;
	char file_digest[65]; /* without what was discovered */
};

static const char *const modes[] = {[MODE_ENFORCE] = "enforce", [MODE_OBSERVE] = "observe", NULL};

#define TEXTS_JSON "{\"type\":[\"string\",\"array\"],\"items\":{\"type\":\"string\"}}"
#define TEXT_JSON "{\"type\":\"string\",\"minLength\":1}"

#define READING(member) offsetof(struct config_reading, member)
static const struct schema_key reconcile_keys[] = {
		{"at", SCHEMA_OWN, true, READING(settings.reconcile_minute), .read = config_read_at,
				.json = TEXT_JSON, .about = "Time of the day, HH:MM."},
		{"timezone", SCHEMA_OWN, .offset = READING(settings.timezone),
				.read = config_read_timezone, .json = TEXT_JSON,
				.about = "IANA name; left out: UTC."},
};
static const struct schema reconcile_schema = SCHEMA("`reconcile`", reconcile_keys);

static const struct schema_key protected_keys[] = {
		{"users", SCHEMA_TEXTS, .offset = READING(protected_names[PRINCIPAL_USER]),
				.about = "userNames."},
		{"groups", SCHEMA_TEXTS, .offset = READING(protected_names[PRINCIPAL_GROUP]),
				.about = "displayNames."},
		{"service_principals", SCHEMA_TEXTS,
				.offset = READING(protected_names[PRINCIPAL_SERVICE]),
				.about = "Application ids."},
};
static const struct schema protected_schema = SCHEMA("`protected`", protected_keys);

static enum err_code read_mappings(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	struct texts *texts = target;
	enum err_code code = schema_texts(reader, node, texts, err);

	if (code == ERR_NONE && texts->count == 0)
		return document_error(node, err, "`mappings` names no file");
	return code;
}

static const struct schema_key config_keys_table[] = {
		{"version", SCHEMA_NUMBER, true, READING(version), .min = 1, .max = 1,
				.about = "Version of the format: 1."},
		{"sources", SCHEMA_NAMED, true, .section = &config_source_schema,
				.read = config_read_source, .about = "Directories by name."},
		{"account", SCHEMA_OWN, .section = &config_account_schema,
				.read = config_read_account,
				.about = "The Databricks account; left out: principals are made in "
					 "each workspace."},
		{"workspaces", SCHEMA_NAMED, .section = &config_workspace_schema,
				.read = config_read_workspace,
				.about = "Workspaces by the names that rules use."},
		{"store", SCHEMA_OWN, true, READING(settings.store_path), .read = config_read_store,
				.json = TEXT_JSON, .about = "Where state is kept: sqlite:PATH."},
		{"reconcile", SCHEMA_SECTION, .section = &reconcile_schema,
				.about = "When everything is compared."},
		{"guard", SCHEMA_SECTION, .offset = READING(settings.guard),
				.section = &config_guard_schema,
				.about = "How much of what is ours may be removed at once, as a "
					 "share or a number."},
		{"limits", SCHEMA_OWN, .offset = READING(settings.limits),
				.read = config_read_limits, .section = &config_limits_schema,
				.json = "{\"type\":[\"object\",\"string\"],\"properties\":{"
					"\"share\":{\"type\":\"string\","
					"\"pattern\":\"^[0-9]+%$\",\"default\":\"80%\"}},"
					"\"additionalProperties\":"
					"{\"type\":\"string\",\"pattern\":\"^[0-9.]+/"
					"(s|min|h)$\"}}",
				.about = "share of the published budgets, rates of endpoint "
					 "families by name; or off."},
		{"permissions_interval", SCHEMA_DURATION,
				.offset = READING(settings.permissions_interval_ms), .min = 1000,
				.max = INT64_C(7) * 24 * 3600 * 1000, .preset = "15min",
				.about = "How often objects that are new are looked for, so that "
					 "permissions on them are given."},
		{"tokens", SCHEMA_SECTION, .offset = READING(settings.sweep),
				.section = &config_tokens_schema,
				.about = "Personal access tokens of all workspaces."},
		{"egress", SCHEMA_OWN, .offset = READING(settings.egress),
				.read = config_read_egress, .json = IP_ADDRESSES_JSON,
				.about = "Addresses that Databricks sees us come from: no IP "
					 "access list may shut them out."},
		{"mode", SCHEMA_CHOICE, .offset = READING(settings.mode), .choices = modes,
				.preset = "enforce",
				.about = "observe: read, plan and report, write nothing."},
		{"protected", SCHEMA_SECTION, .section = &protected_schema,
				.about = "Principals that are never touched."},
		{"mappings", SCHEMA_OWN, .offset = READING(mappings), .read = read_mappings,
				.json = TEXTS_JSON,
				.about = "A folder, or files; left out: the folder mappings beside "
					 "this file."},
		SCHEMA_KEY_LATER("admin"),
};
static const struct schema config_file_schema = SCHEMA("the configuration", config_keys_table);

enum err_code config_check_name(const struct document_node *node, const char *what, struct err *err)
{
	static const char letters[] =
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	struct document_node key = document_key(node);
	size_t len = strlen(node->key);

	if (len == 0 || len > NAME_MAX_BYTES || strspn(node->key, letters) != len)
		return document_error(&key, err,
				"`%.80s` is no name for a %s; use up to %d letters, digits, "
				"points, hyphens and underscores",
				node->key, what, NAME_MAX_BYTES);
	return ERR_NONE;
}

static void keep_lists(struct config_reading *reading)
{
	struct arena *arena = reading->reader.arena;
	struct settings *s = &reading->settings;
	size_t first = s->has_account ? 1 : 0;

	s->source_count = reading->sources.count;
	s->sources = arena_alloc(arena, s->source_count * sizeof(*s->sources));
	if (s->source_count)
		memcpy(s->sources, reading->sources.items, s->source_count * sizeof(*s->sources));
	s->target_count = first + reading->workspaces.count;
	s->targets = arena_alloc(arena, s->target_count * sizeof(*s->targets));
	if (s->has_account)
		s->targets[0] = reading->account;
	if (reading->workspaces.count)
		memcpy(s->targets + first, reading->workspaces.items,
				reading->workspaces.count * sizeof(*s->targets));
	for (size_t kind = 0; kind < COUNT_OF(s->protected_names); kind++) {
		s->protected_names[kind] = reading->protected_names[kind].items;
		s->protected_counts[kind] = reading->protected_names[kind].count;
	}
}

static enum err_code check_whole(const struct config_reading *reading,
		const struct document_node *root, struct err *err)
{
	if (reading->sources.count == 0)
		return document_error_at_key(
				document_get(root, "sources"), err, "`sources` names no directory");
	if (!reading->settings.has_account && reading->workspaces.count == 0)
		return document_error(
				root, err, "nothing to write to: add `account:` or `workspaces:`");
	return ERR_NONE;
}

/* Mappings name sources and workspaces: if these have no fault, what is wrong there is no shadow of what is wrong here. */
static bool names_are_known(const struct config_reading *reading, const struct document_node *root)
{
	static const char *const named[] = {"sources", "account", "workspaces"};

	if (root->kind != DOCUMENT_MAP || reading->sources.count == 0)
		return false;
	for (size_t i = 0; i < root->count; i++) {
		const struct document_node *node = root->children[i];
		unsigned end = i + 1 < root->count ? root->children[i + 1]->key_line : UINT_MAX;

		for (size_t k = 0; k < COUNT_OF(named); k++) {
			if (strcmp(node->key, named[k]) == 0 &&
					faults_between(reading->reader.faults, node->file,
							node->key_line, end))
				return false;
		}
	}
	return true;
}

static enum err_code read_settings(struct config_reading *reading, struct span text,
		const char *shown_as, struct err *err)
{
	struct document_node *root = NULL;
	enum err_code code = document_parse(text, shown_as, reading->reader.arena, &root, err);

	reading->settings.reconcile_minute = -1;
	reading->settings.limits.share_percent = 80;
	if (code == ERR_NONE)
		code = schema_read(&reading->reader, &config_file_schema, root, reading, err);
	if (code == ERR_NONE)
		code = check_whole(reading, root, err);
	else if (root && faults_note(reading->reader.faults, err))
		reading->names_known = names_are_known(reading, root);
	if (code == ERR_NONE || reading->names_known)
		keep_lists(reading);
	vec_release(&reading->sources);
	vec_release(&reading->workspaces);
	return code;
}

/* A mapping file that is to be read. */
struct found {
	const char *path;
	const char *shown_as;
};
typedef VEC(struct found) found_vec;

static int compare_found(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	return strcmp(x->path, y->path);
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len > end_len && strcmp(text + len - end_len, end) == 0;
}

static enum err_code take_name(struct arena *arena, const struct found *folder, const char *name,
		found_vec *ret, struct err *err)
{
	if (name[0] == '.')
		return ERR_NONE;
	if (ends_with(name, ".yml"))
		return err_set(err, ERR_CONFIG, 0,
				"%.160s/%.80s: mapping files end in .yaml; rename it",
				folder->shown_as, name);
	if (!ends_with(name, ".yaml"))
		return ERR_NONE;
	if (ret->count == MAPPING_FILES_MAX)
		return err_set(err, ERR_CONFIG, 0, "%.160s: more than %d mapping files",
				folder->shown_as, MAPPING_FILES_MAX);
	*vec_add(ret) = (struct found){
			arena_printf(arena, "%s/%s", folder->path, name),
			arena_printf(arena, "%s/%s", folder->shown_as, name),
	};
	return ERR_NONE;
}

static enum err_code list_folder(
		struct arena *arena, const struct found *folder, found_vec *ret, struct err *err)
{
	DIR *dir = opendir(folder->path);
	size_t before = ret->count;
	const struct dirent *item;
	enum err_code code = ERR_NONE;

	if (!dir)
		return err_errno(err, ERR_CONFIG, errno, "mapping files in %.160s",
				folder->shown_as);
	while (code == ERR_NONE && (item = readdir(dir)))
		code = take_name(arena, folder, item->d_name, ret, err);
	(void)closedir(dir);
	if (code == ERR_NONE && ret->count == before)
		return err_set(err, ERR_CONFIG, 0,
				"%.160s: no mapping file; write the rules into one such as "
				"%.80s/main.yaml",
				folder->shown_as, folder->shown_as);
	if (ret->count > before)
		qsort(ret->items + before, ret->count - before, sizeof(*ret->items), compare_found);
	return code;
}

/* Relative names are relative to the configuration file, in fact and as they are shown. */
static struct found place_of(
		const struct config_reading *reading, const char *name, const char *shown_folder)
{
	struct arena *arena = reading->reader.arena;

	if (name[0] == '/')
		return (struct found){name, name};
	return (struct found){
			arena_printf(arena, "%s/%s", reading->reader.folder, name),
			*shown_folder ? arena_printf(arena, "%s/%s", shown_folder, name) : name,
	};
}

static enum err_code find_mappings(const struct config_reading *reading, const char *shown_folder,
		found_vec *ret, struct err *err)
{
	static const char *const standard[] = {MAPPINGS_FOLDER};
	struct texts names = reading->mappings;
	enum err_code code = ERR_NONE;

	if (names.count == 0)
		names = (struct texts){standard, COUNT_OF(standard)};
	for (size_t i = 0; i < names.count && code == ERR_NONE; i++) {
		struct found found = place_of(reading, names.items[i], shown_folder);
		struct stat st;

		if (stat(found.path, &st) == 0 && S_ISDIR(st.st_mode))
			code = list_folder(reading->reader.arena, &found, ret, err);
		else if (names.items == standard)
			code = err_set(err, ERR_CONFIG, 0,
					"%.160s: there is no such folder; put the mapping files "
					"there",
					found.shown_as);
		else
			*vec_add(ret) = found;
	}
	return code;
}

static void add_content(struct digest *digest, struct span text)
{
	digest_add(digest, &text.len, sizeof(text.len));
	digest_add(digest, text.ptr, text.len);
}

static enum err_code load_mappings(struct config *config, const found_vec *found, struct span own,
		struct faults *faults, struct err *err)
{
	struct mapping_file *files = arena_alloc(config->arena, found->count * sizeof(*files));
	struct digest *digest = digest_new();
	enum err_code code = ERR_NONE;

	add_content(digest, own);
	for (size_t i = 0; i < found->count && code == ERR_NONE; i++) {
		files[i].shown_as = found->items[i].shown_as;
		code = document_load(found->items[i].path, files[i].shown_as, config->arena,
				&files[i].text, err);
		if (code == ERR_NONE)
			add_content(digest, files[i].text);
	}
	if (code == ERR_NONE)
		code = mapping_load(config->arena, &config->settings,
				&(struct mapping_files){files, found->count}, faults,
				&config->mapping, err);
	for (size_t i = 0; code == ERR_NONE && i < config->mapping->definition_count; i++)
		add_content(digest, config->mapping->definitions[i]);
	digest_finish(digest, config->settings.digest);
	memcpy(config->file_digest, config->settings.digest, sizeof(config->file_digest));
	return code;
}

static const char *folder_of(struct arena *arena, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return "";
	return slash == path ? "/" : arena_strndup(arena, path, (size_t)(slash - path));
}

static const char *make_absolute(struct arena *arena, const char *path)
{
	AUTO(mem_freep) char *here = NULL;

	if (path[0] == '/')
		return arena_strdup(arena, path);
	here = getcwd(NULL, 0);
	return here ? arena_printf(arena, "%s/%s", here, path) : arena_strdup(arena, path);
}

static enum err_code load(
		struct config *config, const char *path, struct faults *faults, struct err *err)
{
	const char *absolute = make_absolute(config->arena, path);
	struct config_reading reading = {
			.reader = {.arena = config->arena,
					.folder = folder_of(config->arena, absolute),
					.faults = faults}};
	found_vec found = {0};
	struct span text;
	enum err_code code = document_load(absolute, path, config->arena, &text, err);

	reading.settings.path = absolute;
	reading.settings.folder = reading.reader.folder;
	if (code == ERR_NONE)
		code = read_settings(&reading, text, path, err);
	config->settings = reading.settings;
	if (code == ERR_NONE || reading.names_known) {
		enum err_code more = find_mappings(
				&reading, folder_of(config->arena, path), &found, err);

		if (more == ERR_NONE)
			more = load_mappings(config, &found, text, faults, err);
		code = more == ERR_NONE ? code : more;
	}
	vec_release(&found);
	return code;
}

enum err_code config_load(
		const char *path, struct faults *faults, struct config **ret, struct err *err)
{
	struct config *config = mem_zalloc(sizeof(*config));
	enum err_code code;

	config->arena = arena_new();
	code = load(config, arena_strdup(config->arena, path), faults, err);
	if (code != ERR_NONE) {
		config_free(config);
		/* What came last is the error; what stands first is the one to be told. */
		if (faults_note(faults, err) && faults_at(faults, 0))
			return err_set(err, code, 0, "%s", faults_at(faults, 0));
		return code;
	}
	*ret = config;
	return ERR_NONE;
}

static struct target_settings copy_target(struct arena *arena, const struct target_settings *from)
{
	struct tag *tags = arena_alloc(arena, (from->tag_count + 1) * sizeof(*tags));

	for (size_t i = 0; i < from->tag_count; i++)
		tags[i] = (struct tag){arena_strdup(arena, from->tags[i].key),
				arena_strdup(arena, from->tags[i].value)};
	return (struct target_settings){.name = arena_strdup(arena, from->name),
			.host = arena_strdup(arena, from->host),
			.workspace_id = arena_strdup(arena, from->workspace_id),
			.ca_file = arena_strdup(arena, from->ca_file),
			.tags = tags,
			.tag_count = from->tag_count,
			.discovered = true};
}

static void add_text(struct digest *digest, const char *text)
{
	add_content(digest, span_of(text ? text : ""));
}

/* Which workspaces there are is part of what a plan is bound to, and of what a clean restart must find unchanged. */
static void digest_targets(struct config *config, const struct target_settings *added, size_t count)
{
	struct digest *digest;

	memcpy(config->settings.digest, config->file_digest, sizeof(config->file_digest));
	if (!count)
		return;
	digest = digest_new();
	add_text(digest, config->file_digest);
	for (size_t i = 0; i < count; i++) {
		add_text(digest, added[i].name);
		add_text(digest, added[i].host);
		add_text(digest, added[i].workspace_id);
		for (size_t j = 0; j < added[i].tag_count; j++) {
			add_text(digest, added[i].tags[j].key);
			add_text(digest, added[i].tags[j].value);
		}
	}
	digest_finish(digest, config->settings.digest);
}

static bool has_workspace(const struct target_settings *targets, size_t count, const char *id)
{
	for (size_t i = 0; i < count; i++) {
		if (targets[i].discovered && strcmp(targets[i].workspace_id, id) == 0)
			return true;
	}
	return false;
}

/* Those of before, and those that had vanished before, that are not among the new ones. */
static void keep_vanished(struct config *config, const struct target_settings *added, size_t count)
{
	struct settings *settings = &config->settings;
	size_t room = settings->target_count + settings->vanished_count;
	struct target_settings *vanished =
			arena_alloc(config->arena, (room + 1) * sizeof(*vanished));
	size_t kept = 0;

	for (size_t i = 0; i < room; i++) {
		const struct target_settings *old = i < settings->target_count
				? &settings->targets[i]
				: &settings->vanished[i - settings->target_count];

		if (old->discovered && !has_workspace(added, count, old->workspace_id) &&
				!has_workspace(vanished, kept, old->workspace_id))
			vanished[kept++] = *old;
	}
	settings->vanished = vanished;
	settings->vanished_count = kept;
}

void config_set_discovered(struct config *config, const struct target_settings *added, size_t count)
{
	struct settings *settings = &config->settings;
	struct target_settings *targets;
	size_t kept = settings->target_count;

	keep_vanished(config, added, count);
	while (kept && settings->targets[kept - 1].discovered)
		kept--;
	targets = arena_alloc(config->arena, (kept + count + 1) * sizeof(*targets));
	if (kept)
		memcpy(targets, settings->targets, kept * sizeof(*targets));
	for (size_t i = 0; i < count; i++)
		targets[kept + i] = copy_target(config->arena, &added[i]);
	settings->targets = targets;
	settings->target_count = kept + count;
	digest_targets(config, targets + kept, count);
}

void config_free(struct config *config)
{
	if (!config)
		return;
	arena_free(config->arena);
	mem_free(config);
}

const struct settings *config_settings(const struct config *config)
{
	return &config->settings;
}

const struct mapping *config_mapping(const struct config *config)
{
	return config->mapping;
}

static char *config_schema_text, *mapping_schema_text; /* kept until the process ends */

static void make_schemas(void)
{
	config_schema_text = schema_to_json(&config_file_schema, "ldap2dbx.yaml");
	mapping_schema_text = schema_to_json(&mapping_file_schema, "ldap2dbx mapping file");
}

static once_flag schemas_made = ONCE_FLAG_INIT;

const char *config_schema(void)
{
	call_once(&schemas_made, make_schemas);
	return config_schema_text;
}

const char *mapping_schema(void)
{
	call_once(&schemas_made, make_schemas);
	return mapping_schema_text;
}

const char *const *config_key_list(struct arena *arena, size_t *ret_count)
{
	struct texts keys = schema_key_list(&config_file_schema, arena);

	*ret_count = keys.count;
	return keys.items;
}

const char *const *mapping_key_list(struct arena *arena, size_t *ret_count)
{
	struct texts keys = schema_key_list(&mapping_file_schema, arena);

	*ret_count = keys.count;
	return keys.items;
}
