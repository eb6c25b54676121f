/* `guard:`, `limits:`, `store:` and `reconcile:`. */
#include "rules/config_reading.h"

#include "base/text.h"

#include <errno.h>
#include <unistd.h>

#define ZONES "/usr/share/zoneinfo"
#define RATE_MAX 1000000.0
#define MINUTE (INT64_C(60) * 1000)
#define DAY (INT64_C(24) * 60 * MINUTE)

/* "5%": true, with the number; spaces are not allowed. */
static bool parse_percent(const char *text, int64_t max, int64_t *ret)
{
	size_t len = strlen(text);
	AUTO(mem_freep) char *digits = mem_strndup(text, len ? len - 1 : 0);

	return len > 1 && text[len - 1] == '%' && text_parse_int(digits, 0, max, ret);
}

static enum err_code read_allowance(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	struct allowance *allowance = target;
	const char *text;
	int64_t value;
	enum err_code code = schema_text(node, &text, err);

	(void)reader;
	if (code != ERR_NONE)
		return code;
	allowance->is_share = parse_percent(text, 100, &value);
	if (!allowance->is_share && !text_parse_int(text, 0, INT32_MAX, &value))
		return document_error(node, err,
				"`%s` must be a share such as 5%% or a number, not `%.80s`",
				node->key, text);
	allowance->value = (unsigned)value;
	return ERR_NONE;
}

#define ALLOWANCE_JSON "{\"type\":[\"string\",\"integer\"],\"pattern\":\"^[0-9]+%?$\"}"
#define ALLOWANCE_KEY(name, category, value, text)                                                 \
	{                                                                                          \
		name, SCHEMA_OWN, .offset = offsetof(struct guard_settings, allowances[category]), \
				  .read = read_allowance, .preset = value, .json = ALLOWANCE_JSON, \
				  .about = text                                                    \
	}
static const struct schema_key guard_keys[] = {
		{"window", SCHEMA_DURATION, .offset = offsetof(struct guard_settings, window_ms),
				.min = MINUTE, .max = 30 * DAY, .preset = "1h",
				.about = "Over which removals are counted."},
		ALLOWANCE_KEY("users", GUARD_USERS, "5%", "Users that may go within the window."),
		ALLOWANCE_KEY("groups", GUARD_GROUPS, "5%",
				"Groups that may go within the window."),
		ALLOWANCE_KEY("members", GUARD_MEMBERS, "20%",
				"Memberships that may go within the window."),
		ALLOWANCE_KEY("permissions", GUARD_PERMISSIONS, "10%",
				"Assignments, entitlements, roles and permissions that may go "
				"within the window."),
		ALLOWANCE_KEY("tokens", GUARD_TOKENS, "20",
				"Tokens that may be revoked within the window."),
		ALLOWANCE_KEY("policies", GUARD_POLICIES, "0",
				"Cluster policies that may go within the window, whatever the "
				"minimum."),
		ALLOWANCE_KEY("lists", GUARD_LISTS, "0",
				"IP access lists that may go within the window, whatever the "
				"minimum."),
		{"minimum", SCHEMA_NUMBER, .offset = offsetof(struct guard_settings, minimum),
				.max = INT32_MAX, .preset = "10",
				.about = "Removals of a kind that always pass; of policies and "
					 "lists none."},
};
const struct schema config_guard_schema = SCHEMA("`guard`", guard_keys);

/* "2/s", "255/min", "0.5/s" */
static bool parse_rate(const char *text, double *ret)
{
	static const struct {
		const char *unit;
		double seconds;
	} units[] = {{"s", 1}, {"min", 60}, {"h", 3600}};
	char *end;
	double value;

	if (!(*text >= '0' && *text <= '9'))
		return false;
	errno = 0;
	value = strtod(text, &end);
	if (errno || *end != '/' || !(value > 0) || value > RATE_MAX ||
			strspn(text, "0123456789.") != (size_t)(end - text))
		return false;
	for (size_t i = 0; i < COUNT_OF(units); i++) {
		if (strcmp(end + 1, units[i].unit) == 0) {
			*ret = value / units[i].seconds;
			return true;
		}
	}
	return false;
}

static enum err_code read_share(
		const struct document_node *node, struct limit_settings *limits, struct err *err)
{
	const char *text;
	int64_t share = 0;
	enum err_code code = schema_text(node, &text, err);

	if (code != ERR_NONE)
		return code;
	if (!parse_percent(text, 100, &share) || share == 0)
		return document_error(
				node, err, "`share` must be from 1%% to 100%%, not `%.80s`", text);
	limits->share_percent = (unsigned)share;
	return ERR_NONE;
}

/* Which families exist is known to the layer that has them; here only the form is checked. */
static enum err_code read_rate(
		const struct document_node *node, struct rate_override *ret, struct err *err)
{
	struct document_node key = document_key(node);
	static const char *const known[] = {"share"};
	const char *text;
	enum err_code code;

	if (strspn(node->key, "abcdefghijklmnopqrstuvwxyz_") != strlen(node->key) ||
			!strchr(node->key, '_'))
		return schema_unknown(&key, "key", node->key, known, COUNT_OF(known), err);
	code = schema_text(node, &text, err);
	if (code != ERR_NONE)
		return code;
	*ret = (struct rate_override){.family = node->key, .line = node->key_line};
	if (!parse_rate(text, &ret->per_second))
		return document_error(node, err,
				"`%.80s` must be a rate such as 2/s or 255/min, not `%.80s`",
				node->key, text);
	return ERR_NONE;
}

/* Only the keys that are not names of families: for the descriptions. */
static const struct schema_key limits_keys[] = {
		{"share", SCHEMA_TEXT, .preset = "80%",
				.about = "Share of the published budgets, because other tools use "
					 "the same account."},
};
const struct schema config_limits_schema = SCHEMA("`limits`", limits_keys);

enum err_code config_read_limits(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	struct limit_settings *limits = target;
	struct rate_override *overrides;
	enum err_code code = ERR_NONE;

	limits->share_percent = 80;
	if (node->kind == DOCUMENT_SCALAR && strcmp(node->text, "off") == 0) {
		limits->share_percent = 0;
		return ERR_NONE;
	}
	if (node->kind != DOCUMENT_MAP)
		return document_error(
				node, err, "`limits` must be a map such as {share: 80%%}, or off");
	overrides = arena_alloc(reader->arena, node->count * sizeof(*overrides));
	for (size_t i = 0; i < node->count && code == ERR_NONE; i++) {
		const struct document_node *item = node->children[i];

		code = strcmp(item->key, "share") == 0
				? read_share(item, limits, err)
				: read_rate(item, &overrides[limits->override_count++], err);
	}
	limits->overrides = overrides;
	return code;
}

enum err_code config_read_store(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	static const char scheme[] = "sqlite:";
	const char *text, *path;
	enum err_code code = schema_text(node, &text, err);

	if (code != ERR_NONE)
		return code;
	if (text_starts_with(text, "postgresql:") || text_starts_with(text, "postgres:"))
		return document_error(node, err,
				"`store: postgresql:` is not executed by this version; write "
				"sqlite:PATH");
	path = text + strlen(scheme);
	if (!text_starts_with(text, scheme) || !*path || path[strlen(path) - 1] == '/')
		return document_error(node, err,
				"`store` must be sqlite:PATH with the path of a file, not `%.80s`",
				text);
	*(const char **)target = path[0] == '/'
			? path
			: arena_printf(reader->arena, "%s/%s", reader->folder, path);
	return ERR_NONE;
}

enum err_code config_read_at(struct reader *reader, const struct document_node *node, void *target,
		struct err *err)
{
	const char *text;
	enum err_code code = schema_text(node, &text, err);
	int hour, minute;

	(void)reader;
	if (code != ERR_NONE)
		return code;
	if (strlen(text) != 5 || strspn(text, "0123456789:") != 5 || text[2] != ':' ||
			text[0] == ':' || text[1] == ':' || text[3] == ':' || text[4] == ':')
		return document_error(node, err,
				"`at` must be a time of the day such as \"02:00\", not `%.80s`",
				text);
	hour = (text[0] - '0') * 10 + (text[1] - '0');
	minute = (text[3] - '0') * 10 + (text[4] - '0');
	if (hour > 23 || minute > 59)
		return document_error(node, err,
				"`at` must be from \"00:00\" to \"23:59\", not `%.80s`", text);
	*(int *)target = hour * 60 + minute;
	return ERR_NONE;
}

enum err_code config_read_timezone(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	const char *text, *path;
	enum err_code code = schema_text(node, &text, err);
	size_t len;

	if (code != ERR_NONE)
		return code;
	len = strlen(text);
	path = arena_printf(reader->arena, "%s/%s", ZONES, text);
	if (strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_+-") !=
					len ||
			text[0] == '/' || text[len - 1] == '/' ||
			(access(ZONES, R_OK) == 0 && access(path, R_OK) != 0))
		return document_error(node, err,
				"`%.80s` is no time zone; write one such as Europe/Berlin or UTC%s",
				text,
				access(ZONES, R_OK) == 0 ? "" : " (the package tzdata is missing)");
	*(const char **)target = text;
	return ERR_NONE;
}
