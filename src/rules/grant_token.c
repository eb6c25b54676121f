/* `tokens:` of a grant. */
#include "rules/grant.h"

#include "base/text.h"
#include "rules/sink.h"

#define MINUTE (INT64_C(60) * 1000)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define LIFETIME_MAX (730 * DAY)
#define ROTATE_BEFORE_PRESET (7 * DAY)

#define DURATION_JSON "{\"type\":\"string\",\"pattern\":\"^([0-9]+(ms|s|min|h|d|w))+$|\\\\$\\\\{\"}"
#define BEHALF(member) offsetof(struct on_behalf_source, member)
static const struct schema_key on_behalf_keys[] = {
		{"lifetime", SCHEMA_OWN, true, BEHALF(lifetime), .read = grant_read_text,
				.json = DURATION_JSON, .about = "Of each token."},
		{"rotate_before", SCHEMA_OWN, .offset = BEHALF(rotate_before),
				.read = grant_read_text, .json = DURATION_JSON,
				.about = "A new one is made so long before the old one expires; "
					 "left "
					 "out: 7d, or a third of a shorter lifetime."},
		{"write_to", SCHEMA_OWN, true, BEHALF(write_to), .read = grant_read_sink,
				.json = SINK_JSON,
				.about = "Where the token goes, file:PATH or command:PROGRAM; "
					 "${workspace} and ${applicationId} are filled in."},
};
static const struct schema on_behalf_schema = SCHEMA("`on_behalf_of`", on_behalf_keys);

static enum err_code read_on_behalf(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	struct on_behalf_source *source = target;

	source->node = node;
	return schema_read(reader, &on_behalf_schema, node, source, err);
}

static const struct schema_key token_keys[] = {
		{"use", SCHEMA_FLAG, .offset = offsetof(struct token_source, use),
				.preset = "false",
				.about = "May make and use tokens: CAN_USE on "
					 "authorization/tokens."},
		{"max_lifetime", SCHEMA_OWN, .offset = offsetof(struct token_source, max_lifetime),
				.read = grant_read_text, .json = DURATION_JSON,
				.about = "Tokens of these people that are older are revoked."},
		{"on_behalf_of", SCHEMA_OWN, .offset = offsetof(struct token_source, on_behalf_of),
				.section = &on_behalf_schema, .read = read_on_behalf,
				.about = "A token that is made for the service principal."},
};
const struct schema grant_tokens_schema = SCHEMA("`tokens`", token_keys);

enum err_code grant_read_tokens(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	struct token_source *source = target;
	enum err_code code = schema_read(reader, &grant_tokens_schema, node, source, err);

	source->node = node;
	if (code == ERR_NONE && !source->use && !source->max_lifetime.node &&
			!source->on_behalf_of.node)
		return document_error(node, err,
				"`tokens` says nothing; write use: true, max_lifetime: or "
				"on_behalf_of:");
	return code;
}

/* *ret stays as it is when there is no value. */
static enum err_code make_duration(const struct grant_making *m, const struct grant_text *text,
		int64_t max, int64_t *ret)
{
	const char *value;
	struct document_node node;

	if (grant_text_value(m, text, &value) != VALUE_TEXT)
		return ERR_NONE;
	node = grant_node(text, value);
	return schema_duration(&node, HOUR, max, ret, m->err);
}

/* Whether the patterns can mean more than one workspace. */
static bool means_several(const struct settings *settings, const char *const *in, size_t count)
{
	size_t found = settings->discover.workspaces ? 2 : 0;

	for (size_t i = 0; i < settings->target_count; i++)
		found += target_matches_any(&settings->targets[i], in, count);
	return found > 1;
}

static enum err_code make_sink(const struct grant_making *m, const struct grant_text *text,
		const struct token_rule *tokens, struct sink *ret)
{
	unsigned allowed = PLACE_WORKSPACE | PLACE_APPLICATION_ID;
	const char *value;
	struct document_node node;
	enum err_code code;

	switch (grant_text_value(m, text, &value)) {
	case VALUE_LATER:
		return ERR_NONE;
	case VALUE_NIL:
		return grant_nil(m, text);
	case VALUE_TEXT:
		break;
	}
	node = grant_node(text, value);
	code = sink_parse(m->arena, m->settings->folder, &node, allowed, ret, m->err);
	if (code == ERR_NONE && !(sink_places(ret->text) & PLACE_WORKSPACE) &&
			means_several(m->settings, tokens->in, tokens->in_count))
		return document_error(&node, m->err,
				"each workspace has a token of its own; put ${workspace} into "
				"`write_to` so that they do not overwrite each other");
	return code;
}

static enum err_code make_on_behalf(const struct grant_making *m, const struct grant_source *source,
		struct token_rule *tokens)
{
	const struct on_behalf_source *from = &source->tokens.on_behalf_of;
	struct on_behalf_rule *rule = arena_alloc(m->arena, sizeof(*rule));
	enum err_code code;

	if (!from->node)
		return ERR_NONE;
	if (source->kind != PRINCIPAL_SERVICE)
		return document_error_at_key(from->node, m->err,
				"`on_behalf_of` is for service principals; people make their "
				"tokens "
				"themselves");
	code = make_duration(m, &from->lifetime, LIFETIME_MAX, &rule->lifetime_ms);
	rule->rotate_before_ms = ROTATE_BEFORE_PRESET < rule->lifetime_ms / 3
			? ROTATE_BEFORE_PRESET
			: rule->lifetime_ms / 3;
	if (code == ERR_NONE && m->known && !rule->lifetime_ms)
		code = grant_nil(m, &from->lifetime);
	if (code == ERR_NONE)
		code = make_duration(
				m, &from->rotate_before, LIFETIME_MAX, &rule->rotate_before_ms);
	if (code == ERR_NONE && rule->lifetime_ms && rule->rotate_before_ms >= rule->lifetime_ms)
		code = document_error(from->rotate_before.node, m->err,
				"`rotate_before` must be shorter than `lifetime`");
	if (code == ERR_NONE)
		code = make_sink(m, &from->write_to, tokens, &rule->write_to);
	tokens->on_behalf_of = rule;
	return code;
}

enum err_code grant_make_tokens(const struct grant_making *m, const struct grant_source *source,
		const struct texts *preset, struct grant_rule *ret)
{
	const struct document_node *node = source->tokens.node;
	struct token_rule *tokens = arena_alloc(m->arena, sizeof(*tokens));
	enum err_code code;

	if (!node)
		return ERR_NONE;
	*tokens = (struct token_rule){.use = source->tokens.use,
			.in = preset->items,
			.in_count = preset->count,
			.why = {.file = node->file, .line = node->key_line}};
	code = make_duration(
			m, &source->tokens.max_lifetime, LIFETIME_MAX, &tokens->max_lifetime_ms);
	if (code == ERR_NONE)
		code = make_on_behalf(m, source, tokens);
	if (code == ERR_NONE)
		ret->tokens = tokens;
	return code;
}
