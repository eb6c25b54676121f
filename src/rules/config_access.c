/* What ldap2dbx.yaml says about rights: tags and settings of targets, `discover:`, `tokens:`. */
#include "rules/config_reading.h"

#include "base/text.h"
#include "rules/ip_addresses.h"
#include "rules/setting.h"

#include <inttypes.h>

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define TAG_KEY_MAX 127
#define TEXT_JSON "{\"type\":\"string\",\"minLength\":1}"
#define SCALAR_JSON "{\"type\":[\"string\",\"boolean\",\"number\"]}"
#define TEXTS_JSON "{\"anyOf\":[" TEXT_JSON ",{\"type\":\"array\",\"items\":" TEXT_JSON "}]}"
#define MAP_JSON(item) "{\"type\":\"object\",\"additionalProperties\":" item "}"

/* ---- tags ---- */

static enum err_code read_tag(const struct document_node *node, struct tag *ret, struct err *err)
{
	struct document_node key = document_key(node);
	size_t len = strlen(node->key);

	if (len == 0 || len > TAG_KEY_MAX || strpbrk(node->key, "=*?\\"))
		return document_error(&key, err,
				"`%.80s` is no key of a tag; write up to %d characters without =, "
				"*, "
				"? and \\",
				node->key, TAG_KEY_MAX);
	ret->key = node->key;
	return schema_text(node, &ret->value, err);
}

static enum err_code read_tag_map(struct reader *reader, const struct document_node *node,
		const struct tag **ret, size_t *ret_count, struct err *err)
{
	struct tag *tags;
	enum err_code code = ERR_NONE;

	if (node->kind != DOCUMENT_MAP)
		return document_error(node, err,
				"`tags` must be a map such as {env: prod}, this is %s",
				document_describe(node));
	tags = arena_alloc(reader->arena, node->count * sizeof(*tags));
	for (size_t i = 0; i < node->count && code == ERR_NONE; i++)
		code = read_tag(node->children[i], &tags[i], err);
	*ret = tags;
	*ret_count = node->count;
	return code;
}

enum err_code config_read_tags(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	struct target_settings *settings = target;

	return read_tag_map(reader, node, &settings->tags, &settings->tag_count, err);
}

/* ---- settings ---- */

static enum err_code refuse_setting(
		const struct document_node *node, const char *expected, struct err *err)
{
	return document_error(node, err, "`%.80s` must be %s, not `%.80s`", node->key, expected,
			node->text);
}

static enum err_code check_value(const struct known_setting *known,
		const struct document_node *node, struct err *err)
{
	int64_t number;
	int choice;

	switch (known->type) {
	case SETTING_BOOL:
		if (strcmp(node->text, "true") != 0 && strcmp(node->text, "false") != 0)
			return refuse_setting(node, "true or false", err);
		break;
	case SETTING_NUMBER:
		if (!text_parse_int(node->text, 0, known->max, &number))
			return document_error(node, err,
					"`%s` must be a whole number from 0 to %" PRId64
					", not `%.80s`",
					node->key, known->max, node->text);
		break;
	case SETTING_CHOICE:
		return schema_choice(node, known->choices, &choice, err);
	case SETTING_TEXT:
		break;
	}
	return ERR_NONE;
}

static enum err_code unknown_setting(
		const struct document_node *node, bool account, struct err *err)
{
	struct document_node key = document_key(node);
	AUTO(mem_freep) const char **names = NULL;
	size_t all, count = 0;
	const struct known_setting *known = settings_known(&all);

	if (setting_find_known(node->key, !account))
		return document_error(&key, err, "`%s` is a setting of %s", node->key,
				account ? "workspaces" : "the account");
	names = mem_array(all, sizeof(*names));
	for (size_t i = 0; i < all; i++) {
		if (known[i].account == account)
			names[count++] = known[i].name;
	}
	return schema_unknown(&key, "setting", node->key, names, count, err);
}

static enum err_code read_settings(struct reader *reader, const struct document_node *node,
		bool account, struct target_settings *target, struct err *err)
{
	struct setting *settings;

	if (node->kind != DOCUMENT_MAP)
		return document_error(node, err,
				"`settings` must be a map such as {enableTokensConfig: true}, this "
				"is %s",
				document_describe(node));
	settings = arena_alloc(reader->arena, node->count * sizeof(*settings));
	for (size_t i = 0; i < node->count; i++) {
		const struct document_node *item = node->children[i];
		const struct known_setting *known = setting_find_known(item->key, account);
		enum err_code code = known ? schema_text(item, &settings[i].value, err)
					   : unknown_setting(item, account, err);

		if (code == ERR_NONE)
			code = check_value(known, item, err);
		if (code != ERR_NONE)
			return code;
		settings[i].name = known->name;
		settings[i].line = item->key_line;
	}
	target->settings = settings;
	target->setting_count = node->count;
	return ERR_NONE;
}

enum err_code config_read_workspace_settings(struct reader *reader,
		const struct document_node *node, void *target, struct err *err)
{
	return read_settings(reader, node, false, target, err);
}

enum err_code config_read_account_settings(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	return read_settings(reader, node, true, target, err);
}

/* ---- egress ---- */

enum err_code config_read_egress(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	struct egress_settings *egress = target;
	struct texts texts;
	enum err_code code = ip_addresses_read(reader, node, &texts, err);

	if (code == ERR_NONE)
		*egress = (struct egress_settings){texts.items, texts.count, node->key_line};
	return code;
}

/* ---- discover ---- */

struct discover_reading {
	struct texts match, exclude;
	struct discover_settings settings;
};

static enum err_code read_discover_tags(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	struct discover_settings *settings = target;

	return read_tag_map(reader, node, &settings->tags, &settings->tag_count, err);
}

static const struct schema_key discovered_keys[] = {
		{"match", SCHEMA_TEXTS, .offset = offsetof(struct discover_reading, match),
				.about = "Globs of the workspaces' names; left out: all."},
		{"exclude", SCHEMA_TEXTS, .offset = offsetof(struct discover_reading, exclude),
				.about = "Globs of names that are left out."},
		{"tags", SCHEMA_OWN, .offset = offsetof(struct discover_reading, settings),
				.read = read_discover_tags, .json = MAP_JSON(SCALAR_JSON),
				.about = "Tags that a workspace must have, with globs of their "
					 "values."},
};
const struct schema config_discovered_schema = SCHEMA("`workspaces`", discovered_keys);

static enum err_code read_discovered(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	struct discover_settings *settings = target;
	struct discover_reading reading = {0};
	bool flag = node->kind == DOCUMENT_SCALAR && !node->quoted;
	enum err_code code;

	settings->line = node->key_line;
	if (flag && (strcmp(node->text, "true") == 0 || strcmp(node->text, "false") == 0)) {
		settings->workspaces = node->text[0] == 't';
		return ERR_NONE;
	}
	if (node->kind != DOCUMENT_MAP)
		return document_error(node, err,
				"`workspaces` must be true, false or a map such as {match: "
				"\"prod-*\"}");
	code = schema_read(reader, &config_discovered_schema, node, &reading, err);
	if (code != ERR_NONE)
		return code;
	*settings = reading.settings;
	settings->workspaces = true;
	settings->line = node->key_line;
	settings->match = reading.match.items;
	settings->match_count = reading.match.count;
	settings->exclude = reading.exclude.items;
	settings->exclude_count = reading.exclude.count;
	return ERR_NONE;
}

static const struct schema_key discover_keys[] = {
		{"workspaces", SCHEMA_OWN, true, .read = read_discovered,
				.section = &config_discovered_schema,
				.json = "{\"anyOf\":[{\"type\":\"boolean\"},{\"type\":\"object\","
					"\"additionalProperties\":false,\"properties\":{"
					"\"match\":" TEXTS_JSON ",\"exclude\":" TEXTS_JSON
					",\"tags\":" MAP_JSON(SCALAR_JSON) "}}]}",
				.about = "The account's workspaces are targets, too: true, or "
					 "which "
					 "of them."},
};
const struct schema config_discover_schema = SCHEMA("`discover`", discover_keys);

enum err_code config_read_discover(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	struct config_reading *reading = (struct config_reading *)reader;

	(void)target;
	return schema_read(reader, &config_discover_schema, node, &reading->settings.discover, err);
}

/* ---- tokens ---- */

#define SWEEP(member) offsetof(struct sweep_settings, member)
static const struct schema_key sweep_keys[] = {
		{"at", SCHEMA_OWN, .offset = SWEEP(minute), .read = config_read_at,
				.json = TEXT_JSON,
				.about = "Time of the day, HH:MM, in the zone of `reconcile`."},
		{"interval", SCHEMA_DURATION, .offset = SWEEP(interval_ms), .min = SECOND,
				.max = 30 * DAY, .about = "In place of `at`."},
		{"leavers", SCHEMA_FLAG, .offset = SWEEP(leavers), .preset = "true",
				.about = "Revoke tokens of people who are no longer in the "
					 "directory."},
		{"never_expiring", SCHEMA_FLAG, .offset = SWEEP(never_expiring), .preset = "false",
				.about = "Revoke tokens that never expire."},
		{"older_than", SCHEMA_DURATION, .offset = SWEEP(older_than_ms), .min = HOUR,
				.max = 3650 * DAY,
				.about = "Revoke tokens that were made longer ago."},
		{"others", SCHEMA_FLAG, .offset = SWEEP(others), .preset = "false",
				.about = "Whether never_expiring and older_than mean tokens of "
					 "people whom "
					 "no rule manages, too."},
};
const struct schema config_sweep_schema = SCHEMA("`sweep`", sweep_keys);

static enum err_code read_sweep(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	struct sweep_settings *sweep = target;
	enum err_code code;

	*sweep = (struct sweep_settings){.on = true, .minute = -1, .line = node->key_line};
	code = schema_read(reader, &config_sweep_schema, node, sweep, err);
	if (code == ERR_NONE && sweep->minute >= 0 && sweep->interval_ms)
		return document_error_at_key(document_get(node, "interval"), err,
				"`at` and `interval` exclude each other");
	if (code == ERR_NONE && sweep->minute < 0 && !sweep->interval_ms)
		return document_error_at_key(
				node, err, "`sweep` lacks `at`, or `interval` in place of it");
	return code;
}

static const struct schema_key tokens_keys[] = {
		{"sweep", SCHEMA_OWN, true, .read = read_sweep, .section = &config_sweep_schema,
				.about = "Which tokens are revoked on schedule, in all "
					 "workspaces."},
};
const struct schema config_tokens_schema = SCHEMA("`tokens`", tokens_keys);
