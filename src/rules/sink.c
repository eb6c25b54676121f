#include "rules/sink.h"

#include "base/buf.h"
#include "base/text.h"

#define FILE_PREFIX "file:"
#define COMMAND_PREFIX "command:"

static const struct {
	enum sink_place place;
	const char *name;
} places[] = {{PLACE_WORKSPACE, "workspace"}, {PLACE_DISPLAY_NAME, "displayName"},
		{PLACE_APPLICATION_ID, "applicationId"}};

/* The place that text begins with, "${workspace}"; 0: none. */
static unsigned place_at(const char *text, size_t *ret_len)
{
	if (!text_starts_with(text, "${"))
		return 0;
	for (size_t i = 0; i < COUNT_OF(places); i++) {
		size_t len = strlen(places[i].name);

		if (strncmp(text + 2, places[i].name, len) == 0 && text[2 + len] == '}') {
			*ret_len = len + 3;
			return places[i].place;
		}
	}
	return 0;
}

unsigned sink_places(const char *text)
{
	unsigned found = 0;
	size_t len;

	for (; (text = strstr(text, "${")); text += 2)
		found |= place_at(text, &len);
	return found;
}

enum err_code sink_check_places(const struct document_node *node, unsigned allowed, struct err *err)
{
	const char *known[COUNT_OF(places)];
	size_t count = 0, len;

	for (size_t i = 0; i < COUNT_OF(places); i++) {
		if (allowed & places[i].place)
			known[count++] = places[i].name;
	}
	for (const char *at = node->text; (at = strstr(at, "${")); at += 2) {
		AUTO(mem_freep) char *word = mem_strndup(at + 2, strcspn(at + 2, "}"));

		if (!(allowed & place_at(at, &len)))
			return schema_unknown(node, "place", word, known, count, err);
	}
	return ERR_NONE;
}

static enum err_code check_path(const struct document_node *node, const char *path, struct err *err)
{
	size_t len = strlen(path);

	if (path[len - 1] == '/' || strstr(path, "/../") || text_starts_with(path, "../") ||
			(len >= 3 && strcmp(path + len - 3, "/..") == 0))
		return document_error(node, err,
				"`%s`: `%.120s` is no path of a file; write one without ..",
				node->key, path);
	return ERR_NONE;
}

enum err_code sink_parse(struct arena *arena, const char *folder, const struct document_node *node,
		unsigned allowed, struct sink *ret, struct err *err)
{
	const char *text, *rest;
	bool file;
	enum err_code code = schema_text(node, &text, err);

	if (code != ERR_NONE)
		return code;
	file = text_starts_with(text, FILE_PREFIX);
	rest = text + strlen(file ? FILE_PREFIX : COMMAND_PREFIX);
	if ((!file && !text_starts_with(text, COMMAND_PREFIX)) || !*rest)
		return document_error(node, err,
				"`%s` must be file:PATH or command:PROGRAM ARGUMENT..., not "
				"`%.80s`",
				node->key, text);
	if (strlen(text) > SINK_TEXT_MAX)
		return document_error(node, err, "longer than %d bytes", SINK_TEXT_MAX);
	if (!file && rest[0] != '/')
		return document_error(node, err,
				"`%s`: the program must be an absolute path, not `%.80s`; no shell "
				"looks for it",
				node->key, rest);
	code = sink_check_places(node, allowed, err);
	if (code == ERR_NONE && file)
		code = check_path(node, rest, err);
	if (code != ERR_NONE)
		return code;
	*ret = (struct sink){file ? SINK_FILE : SINK_COMMAND,
			file && rest[0] != '/' ? arena_printf(arena, "%s/%s", folder, rest)
					       : arena_strdup(arena, rest)};
	return ERR_NONE;
}

/* What could leave the folder, or begin another argument, becomes an underscore. */
static void add_harmless(struct buf *out, const char *value)
{
	static const char harmless[] =
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@-";

	for (const char *c = value; *c; c++) {
		bool ok = (unsigned char)*c >= 0x80 || strchr(harmless, *c);

		buf_add_char(out, ok && !(c == value && (*c == '.' || *c == '-')) ? *c : '_');
	}
}

/* What becomes of the values. */
enum filling {
	FILL_AS_THEY_ARE = 0,
	FILL_HARMLESS = 1,
	FILL_KNOWN = 2 /* a place whose value is not known stays */
};

static const char *fill(const char *text, const struct sink_values *values, unsigned how,
		struct arena *arena)
{
	const char *ret = NULL;
	struct buf out;

	buf_init(&out, 4 * SINK_TEXT_MAX);
	for (const char *at = text; *at;) {
		size_t len = 1;
		unsigned place = place_at(at, &len);
		const char *value = place == PLACE_WORKSPACE  ? values->workspace
				: place == PLACE_DISPLAY_NAME ? values->display_name
							      : values->application_id;

		if (place && !value && !(how & FILL_KNOWN))
			goto out;
		if (!place || !value)
			buf_add(&out, at, len);
		else if (how & FILL_HARMLESS)
			add_harmless(&out, value);
		else
			buf_add_text(&out, value);
		at += len;
	}
	if (!out.overflowed)
		ret = arena_strdup(arena, buf_text(&out));
out:
	buf_release(&out);
	return ret;
}

const char *sink_text(
		const struct sink *sink, const struct sink_values *values, struct arena *arena)
{
	return fill(sink->text, values, FILL_HARMLESS, arena);
}

const char *sink_shown(
		const struct sink *sink, const struct sink_values *values, struct arena *arena)
{
	return fill(sink->text, values, FILL_HARMLESS | FILL_KNOWN, arena);
}

const char *federation_subject(const struct federation_rule *rule, const struct sink_values *values,
		struct arena *arena)
{
	return fill(rule->subject, values, FILL_AS_THEY_ARE, arena);
}

const char *federation_subject_shown(const struct federation_rule *rule,
		const struct sink_values *values, struct arena *arena)
{
	return fill(rule->subject, values, FILL_KNOWN, arena);
}
