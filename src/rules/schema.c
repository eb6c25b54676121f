#include "rules/schema.h"

#include "base/clock.h"
#include "base/secret.h"
#include "base/text.h"
#include "base/vec.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#define KNOWN_SHOWN_MAX 200 /* bytes of a list of what is known */

enum err_code schema_unknown(const struct document_node *node, const char *what, const char *word,
		const char *const *known, size_t count, struct err *err)
{
	const char *likely = text_did_you_mean(word, known, count);
	enum err_code code;
	struct buf list;

	if (likely)
		return document_error(node, err, "unknown %s `%.80s`, did you mean `%s`?", what,
				word, likely);
	buf_init(&list, KNOWN_SHOWN_MAX);
	for (size_t i = 0; i < count; i++)
		buf_printf(&list, "%s%s", i ? ", " : "", known[i]);
	code = document_error(node, err, "unknown %s `%.80s`; known: %.200s", what, word,
			count ? buf_text(&list) : "none");
	buf_release(&list);
	return code;
}

/* `key` in front if the node stands in a map. */
static enum err_code refuse_kind(
		const struct document_node *node, const char *expected, struct err *err)
{
	if (node->key)
		return document_error(node, err, "`%.80s` must be %s, this is %s", node->key,
				expected, document_describe(node));
	return document_error(node, err, "%s is expected here, this is %s", expected,
			document_describe(node));
}

static enum err_code refuse_value(
		const struct document_node *node, const char *expected, struct err *err)
{
	return document_error(node, err, "`%.80s` must be %s, not `%.80s`",
			node->key ? node->key : "value", expected, node->text);
}

enum err_code schema_text(const struct document_node *node, const char **ret, struct err *err)
{
	if (node->kind != DOCUMENT_SCALAR || document_is_null(node))
		return refuse_kind(node, "a text", err);
	if (!node->text[0])
		return document_error(node, err, "`%.80s` is empty; give a value or remove the key",
				node->key ? node->key : "text");
	*ret = node->text;
	return ERR_NONE;
}

enum err_code schema_texts(struct reader *reader, const struct document_node *node,
		struct texts *ret, struct err *err)
{
	bool list = node->kind == DOCUMENT_LIST;
	size_t count = list ? node->count : 1;
	const char **items;

	if (count > SCHEMA_ITEMS_MAX)
		return document_error(node, err, "more than %d items", SCHEMA_ITEMS_MAX);
	items = arena_alloc(reader->arena, count * sizeof(*items));
	for (size_t i = 0; i < count; i++) {
		enum err_code code = schema_text(list ? node->children[i] : node, &items[i], err);

		if (code != ERR_NONE)
			return code;
	}
	*ret = (struct texts){items, count};
	return ERR_NONE;
}

enum err_code schema_choice(const struct document_node *node, const char *const *choices, int *ret,
		struct err *err)
{
	const char *text;
	enum err_code code = schema_text(node, &text, err);
	size_t count = 0;

	if (code != ERR_NONE)
		return code;
	for (; choices[count]; count++) {
		if (strcmp(choices[count], text) == 0) {
			*ret = (int)count;
			return ERR_NONE;
		}
	}
	return schema_unknown(node, "value", text, choices, count, err);
}

static enum err_code read_flag(const struct document_node *node, bool *ret, struct err *err)
{
	if (node->kind != DOCUMENT_SCALAR || document_is_null(node))
		return refuse_kind(node, "true or false", err);
	if (node->quoted || (strcmp(node->text, "true") != 0 && strcmp(node->text, "false") != 0))
		return refuse_value(node, "true or false, without quotes", err);
	*ret = node->text[0] == 't';
	return ERR_NONE;
}

static enum err_code read_number(const struct schema_key *key, const struct document_node *node,
		unsigned *ret, struct err *err)
{
	int64_t max = key->max ? key->max : INT32_MAX;
	int64_t value;

	if (node->kind != DOCUMENT_SCALAR || document_is_null(node))
		return refuse_kind(node, "a number", err);
	if (!text_parse_int(node->text, key->min, max, &value))
		return document_error(node, err,
				"`%.80s` must be a whole number from %" PRId64 " to %" PRId64
				", not `%.80s`",
				key->name, key->min, max, node->text);
	*ret = (unsigned)value;
	return ERR_NONE;
}

enum err_code schema_duration(const struct document_node *node, int64_t min, int64_t max,
		int64_t *ret, struct err *err)
{
	char least[CLOCK_TEXT_SIZE], most[CLOCK_TEXT_SIZE];
	int64_t value;

	if (node->kind != DOCUMENT_SCALAR || document_is_null(node))
		return refuse_kind(node, "a duration such as 30s", err);
	if (!clock_parse_duration(node->text, &value))
		return refuse_value(node,
				"a duration with its unit, such as 500ms, 30s, 15min, 1h or 30d",
				err);
	if (value < min || (max && value > max)) {
		clock_format_duration(min, least);
		clock_format_duration(max ? max : value, most);
		return document_error(node, err, "`%.80s` must be from %s to %s, not `%.40s`",
				node->key, least, most, node->text);
	}
	*ret = value;
	return ERR_NONE;
}

static enum err_code read_secret(
		const struct document_node *node, const char **ret, struct err *err)
{
	enum err_code code = schema_text(node, ret, err);

	if (code == ERR_NONE && !secret_is_reference(*ret))
		/* The value may be the secret itself: it is not shown. */
		code = document_error(node, err,
				"`%.80s` must be a reference, file:PATH, env:NAME or "
				"credential:NAME, never the "
				"secret itself",
				node->key ? node->key : "secret");
	return code;
}

static enum err_code read_path(struct reader *reader, const struct document_node *node,
		const char **ret, struct err *err)
{
	const char *text;
	enum err_code code = schema_text(node, &text, err);

	if (code == ERR_NONE)
		*ret = text[0] == '/' ? text
				      : arena_printf(reader->arena, "%s/%s", reader->folder, text);
	return code;
}

static enum err_code read_file(struct reader *reader, const struct document_node *node,
		const char **ret, struct err *err)
{
	enum err_code code = read_path(reader, node, ret, err);
	char reason[80];

	if (code == ERR_NONE && access(*ret, R_OK) != 0)
		code = document_error(node, err, "`%.80s`: file \"%.160s\" can't be read: %s",
				node->key ? node->key : "file", *ret,
				strerror_r(errno, reason, sizeof(reason)));
	return code;
}

static enum err_code read_items(struct reader *reader, const struct schema_key *key,
		const struct document_node *node, void *target, struct err *err)
{
	bool named = key->type == SCHEMA_NAMED;
	enum err_code code = ERR_NONE;

	if (node->kind != (named ? DOCUMENT_MAP : DOCUMENT_LIST))
		return refuse_kind(node, named ? "a map" : "a list", err);
	if (node->count > SCHEMA_ITEMS_MAX)
		return document_error(node, err, "more than %d items", SCHEMA_ITEMS_MAX);
	for (size_t i = 0; i < node->count; i++) {
		enum err_code one = key->read(reader, node->children[i], target, err);

		if (one == ERR_NONE)
			continue;
		code = one;
		if (!faults_note(reader->faults, err))
			break;
	}
	return code;
}

static enum err_code refuse_later(
		const struct schema_key *key, const struct document_node *node, struct err *err)
{
	if (key->remedy)
		return document_error_at_key(node, err, "`%s` is not executed by this version; %s",
				key->name, key->remedy);
	return document_error_at_key(
			node, err, "`%s` is not executed by this version; remove it", key->name);
}

static enum err_code read_choice(const struct schema_key *key, const struct document_node *node,
		void *member, struct err *err)
{
	int value = 0;
	enum err_code code;

	for (size_t i = 0; key->later && key->later[i] && node->kind == DOCUMENT_SCALAR; i++) {
		if (strcmp(key->later[i], node->text) == 0)
			return document_error(node, err, "`%s: %s` is not executed by this version",
					key->name, node->text);
	}
	code = schema_choice(node, key->choices, &value, err);
	if (code == ERR_NONE)
		memcpy(member, &value, sizeof(value));
	return code;
}

static enum err_code read_key(struct reader *reader, const struct schema_key *key,
		const struct document_node *node, void *target, struct err *err)
{
	void *member = (char *)target + key->offset;

	switch (key->type) {
	case SCHEMA_TEXT:
		return schema_text(node, member, err);
	case SCHEMA_FLAG:
		return read_flag(node, member, err);
	case SCHEMA_NUMBER:
		return read_number(key, node, member, err);
	case SCHEMA_DURATION:
		return schema_duration(node, key->min, key->max, member, err);
	case SCHEMA_CHOICE:
		return read_choice(key, node, member, err);
	case SCHEMA_SECRET:
		return read_secret(node, member, err);
	case SCHEMA_FILE:
		return read_file(reader, node, member, err);
	case SCHEMA_TEXTS:
		return schema_texts(reader, node, member, err);
	case SCHEMA_SECTION:
		return schema_read(reader, key->section, node, member, err);
	case SCHEMA_NAMED:
	case SCHEMA_LIST:
		return read_items(reader, key, node, target, err);
	case SCHEMA_OWN:
		return key->read(reader, node, member, err);
	case SCHEMA_LATER:
		break;
	}
	return refuse_later(key, node, err);
}

static const struct schema_key *find_key(const struct schema *schema, const char *name)
{
	for (size_t i = 0; i < schema->count; i++) {
		if (strcmp(schema->keys[i].name, name) == 0)
			return &schema->keys[i];
	}
	return NULL;
}

static enum err_code refuse_key(
		const struct schema *schema, const struct document_node *node, struct err *err)
{
	AUTO(mem_freep) const char **known = mem_array(schema->count, sizeof(*known));
	struct document_node key = document_key(node);
	size_t count = 0;

	for (size_t i = 0; i < schema->count; i++) {
		if (schema->keys[i].type != SCHEMA_LATER)
			known[count++] = schema->keys[i].name;
	}
	return schema_unknown(&key, "key", node->key, known, count, err);
}

/* A section that is not there still has its defaults. */
static enum err_code set_preset(
		struct reader *reader, const struct schema_key *key, void *target, struct err *err)
{
	struct document_node node = {.kind = DOCUMENT_SCALAR,
			.file = "default",
			.text = key->preset,
			.key = key->name};

	if (key->preset)
		return read_key(reader, key, &node, target, err);
	if (key->type == SCHEMA_SECTION && !key->required) {
		for (size_t i = 0; i < key->section->count; i++) {
			enum err_code code = set_preset(reader, &key->section->keys[i],
					(char *)target + key->offset, err);

			if (code != ERR_NONE)
				return code;
		}
	}
	return ERR_NONE;
}

enum err_code schema_read(struct reader *reader, const struct schema *schema,
		const struct document_node *node, void *target, struct err *err)
{
	enum err_code code = ERR_NONE, one;
	bool misspelt = false;

	if (node->kind != DOCUMENT_MAP)
		return refuse_kind(node, "a map", err);
	for (size_t i = 0; i < node->count; i++) {
		const struct schema_key *key = find_key(schema, node->children[i]->key);

		one = key ? read_key(reader, key, node->children[i], target, err)
			  : refuse_key(schema, node->children[i], err);
		if (one == ERR_NONE)
			continue;
		misspelt = misspelt || !key;
		code = one;
		if (!faults_note(reader->faults, err))
			return code;
	}
	for (size_t i = 0; i < schema->count; i++) {
		const struct schema_key *key = &schema->keys[i];

		/* What is missing may be what has a wrong name. */
		if (document_get(node, key->name) || (key->required && misspelt))
			continue;
		one = key->required ? document_error_at_key(node, err, "%s lacks `%s`",
						      schema->name, key->name)
				    : set_preset(reader, key, target, err);
		if (one == ERR_NONE)
			continue;
		code = one;
		if (!faults_note(reader->faults, err))
			return code;
	}
	return code;
}

static void add_quoted(struct buf *out, const char *text)
{
	buf_add_char(out, '"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			buf_add_char(out, '\\');
		buf_add_char(out, *text);
	}
	buf_add_char(out, '"');
}

static void add_section(struct buf *out, const struct schema *schema);

static void add_formed_section(struct buf *out, const struct schema_key *key)
{
	if (key->form == SCHEMA_ONE_OR_LIST)
		buf_add_text(out, "{\"anyOf\":[");
	if (key->form != SCHEMA_SEVERAL)
		add_section(out, key->section);
	if (key->form == SCHEMA_ONE_OR_LIST)
		buf_add_char(out, ',');
	if (key->form != SCHEMA_ONE) {
		buf_add_text(out, "{\"type\":\"array\",\"items\":");
		add_section(out, key->section);
		buf_add_char(out, '}');
	}
	if (key->form == SCHEMA_ONE_OR_LIST)
		buf_add_text(out, "]}");
}

static void add_item(struct buf *out, const struct schema_key *key)
{
	if (key->json)
		buf_add_text(out, key->json);
	else if (key->section)
		add_formed_section(out, key);
	else
		buf_add_text(out, "{\"type\":\"string\"}");
}

static void add_choices(struct buf *out, const struct schema_key *key)
{
	buf_add_text(out, "{\"enum\":[");
	for (size_t i = 0; key->choices[i]; i++) {
		buf_add_text(out, i ? "," : "");
		add_quoted(out, key->choices[i]);
	}
	buf_add_text(out, "]}");
}

/* The JSON Schema of a key's value, without its description. */
static void add_type(struct buf *out, const struct schema_key *key)
{
	switch (key->type) {
	case SCHEMA_FLAG:
		buf_add_text(out, "{\"type\":\"boolean\"}");
		break;
	case SCHEMA_NUMBER:
		buf_printf(out,
				"{\"type\":\"integer\",\"minimum\":%" PRId64 ",\"maximum\":%" PRId64
				"}",
				key->min, key->max ? key->max : INT32_MAX);
		break;
	case SCHEMA_DURATION:
		buf_add_text(out,
				"{\"type\":\"string\",\"pattern\":\"^([0-9]+(ms|s|min|h|d|w))+$"
				"\"}");
		break;
	case SCHEMA_CHOICE:
		add_choices(out, key);
		break;
	case SCHEMA_SECRET:
		buf_add_text(out, "{\"type\":\"string\",\"pattern\":\"^(file|env|credential):.\"}");
		break;
	case SCHEMA_TEXTS:
		buf_add_text(out,
				"{\"type\":[\"string\",\"array\"],\"items\":{\"type\":\"string\"}"
				"}");
		break;
	case SCHEMA_SECTION:
		add_section(out, key->section);
		break;
	case SCHEMA_NAMED:
		buf_add_text(out, "{\"type\":\"object\",\"additionalProperties\":");
		add_item(out, key);
		buf_add_char(out, '}');
		break;
	case SCHEMA_LIST:
		buf_add_text(out, "{\"type\":\"array\",\"items\":");
		add_item(out, key);
		buf_add_char(out, '}');
		break;
	case SCHEMA_OWN:
		add_item(out, key);
		break;
	case SCHEMA_TEXT:
	case SCHEMA_FILE:
	case SCHEMA_LATER:
		buf_add_text(out, "{\"type\":\"string\",\"minLength\":1}");
		break;
	}
}

static void add_key(struct buf *out, const struct schema_key *key)
{
	add_quoted(out, key->name);
	buf_add_text(out, ":{\"allOf\":[");
	add_type(out, key);
	buf_add_char(out, ']');
	if (key->about) {
		buf_add_text(out, ",\"description\":");
		add_quoted(out, key->about);
	}
	if (key->preset) {
		bool plain = key->type == SCHEMA_NUMBER || key->type == SCHEMA_FLAG;

		buf_add_text(out, ",\"default\":");
		if (plain)
			buf_add_text(out, key->preset);
		else
			add_quoted(out, key->preset);
	}
	buf_add_char(out, '}');
}

static void add_required(struct buf *out, const struct schema *schema)
{
	bool any = false;

	for (size_t i = 0; i < schema->count; i++) {
		if (!schema->keys[i].required)
			continue;
		buf_add_text(out, any ? "," : ",\"required\":[");
		add_quoted(out, schema->keys[i].name);
		any = true;
	}
	if (any)
		buf_add_char(out, ']');
}

static void add_section(struct buf *out, const struct schema *schema)
{
	bool any = false;

	buf_add_text(out, "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{");
	for (size_t i = 0; i < schema->count; i++) {
		if (schema->keys[i].type == SCHEMA_LATER)
			continue;
		buf_add_text(out, any ? ",\n" : "\n");
		add_key(out, &schema->keys[i]);
		any = true;
	}
	buf_add_char(out, '}');
	add_required(out, schema);
	buf_add_char(out, '}');
}

char *schema_to_json(const struct schema *schema, const char *title)
{
	struct buf inner, out;

	buf_init(&inner, SCHEMA_JSON_MAX);
	buf_init(&out, SCHEMA_JSON_MAX);
	add_section(&inner, schema);
	buf_add_text(&out,
			"{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"title\":");
	add_quoted(&out, title);
	buf_printf(&out, ",%s\n", buf_text(&inner) + 1);
	buf_release(&inner);
	return buf_steal(&out);
}

typedef VEC(const char *) text_vec;

static void list_keys(const struct schema *schema, const char *prefix, struct arena *arena,
		text_vec *lines)
{
	for (size_t i = 0; i < schema->count; i++) {
		const struct schema_key *key = &schema->keys[i];
		const char *suffix = key->type == SCHEMA_NAMED                            ? ".NAME"
				: key->type == SCHEMA_LIST || key->form == SCHEMA_SEVERAL ? "[]"
											  : "";
		const char *line = arena_printf(arena, "%s%s", prefix, key->name);

		if (key->type == SCHEMA_LATER)
			continue;
		*vec_add(lines) = line;
		if (key->section)
			list_keys(key->section, arena_printf(arena, "%s%s.", line, suffix), arena,
					lines);
	}
}

struct texts schema_key_list(const struct schema *schema, struct arena *arena)
{
	text_vec lines = {0};
	const char **items;
	size_t count;

	list_keys(schema, "", arena, &lines);
	count = lines.count;
	items = arena_alloc(arena, count * sizeof(*items));
	if (count)
		memcpy(items, lines.items, count * sizeof(*items));
	vec_release(&lines);
	return (struct texts){items, count};
}
