#include "rules/evaluate_text.h"

#include "base/text.h"

#include <lauxlib.h>

/* One filling while it runs inside Lua's protected call. */
struct filling {
	const struct text_template *templates;
	size_t count, at;
	struct arena *arena;
	struct text_value *ret;
};

static void check_value(lua_State *lua, struct span text)
{
	if (!text_is_utf8(text))
		(void)luaL_error(lua, "its value is not UTF-8 text");
	if (text.len > TEXT_VALUE_MAX)
		(void)luaL_error(lua, "its value is longer than %d bytes", (int)TEXT_VALUE_MAX);
	for (size_t i = 0; i < text.len; i++) {
		if ((unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f)
			(void)luaL_error(lua, "its value holds a control character");
	}
}

/* What a group's name gives must neither leave the folder nor begin another argument. */
static void check_strictly(lua_State *lua, struct span text)
{
	static const char harmless[] =
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@-";

	if (text.len && (text.ptr[0] == '.' || text.ptr[0] == '-'))
		(void)luaL_error(lua, "a ${} in a path or command begins with `%c`", text.ptr[0]);
	/* The places that are filled later come as they are written. */
	if (span_equal(text, SPAN_LIT("${workspace}")) ||
			span_equal(text, SPAN_LIT("${applicationId}")))
		return;
	for (size_t i = 0; i < text.len; i++) {
		if (!strchr(harmless, text.ptr[i]))
			(void)luaL_error(lua,
					"a ${} in a path or command holds more than letters, "
					"digits and . _ @ -");
	}
}

/* The value of an expression inside a longer text, on top of the stack. */
static void check_part(lua_State *lua, bool strict)
{
	struct span text;

	if (!lua_isstring(lua, -1))
		(void)luaL_error(lua, "a ${} inside a longer text is a %s, not a text",
				luaL_typename(lua, -1));
	text.ptr = lua_tolstring(lua, -1, &text.len);
	if (strict)
		check_strictly(lua, text);
}

/* Leaves the value on the stack: nil if a part is. */
static void push(lua_State *lua, const struct text_template *text)
{
	const struct template *template = text->template;
	luaL_Buffer buffer;

	if (template->count == 1 && template->parts[0].expression) {
		sandbox_push(lua, template->parts[0].expression);
		return;
	}
	luaL_buffinit(lua, &buffer);
	for (size_t i = 0; i < template->count; i++) {
		const struct template_part *part = &template->parts[i];

		if (!part->expression) {
			luaL_addlstring(&buffer, part->literal.ptr, part->literal.len);
			continue;
		}
		sandbox_push(lua, part->expression);
		if (lua_isnil(lua, -1))
			return; /* what is below goes with the stack */
		check_part(lua, text->is_strict);
		luaL_addvalue(&buffer);
	}
	luaL_pushresult(&buffer);
}

static struct text_value take(lua_State *lua, struct arena *arena)
{
	enum text_value_kind kind =
			lua_type(lua, -1) == LUA_TNUMBER ? TEXT_VALUE_NUMBER : TEXT_VALUE_TEXT;
	struct span text;

	if (lua_isnil(lua, -1))
		return (struct text_value){TEXT_VALUE_NIL, NULL};
	if (lua_isboolean(lua, -1))
		return (struct text_value){
				TEXT_VALUE_FLAG, lua_toboolean(lua, -1) ? "true" : "false"};
	if (!lua_isstring(lua, -1))
		(void)luaL_error(lua, "its value is a %s, not a text", luaL_typename(lua, -1));
	text.ptr = lua_tolstring(lua, -1, &text.len);
	check_value(lua, text);
	if (text.len == 0)
		return (struct text_value){TEXT_VALUE_NIL, NULL};
	return (struct text_value){kind, arena_strndup(arena, text.ptr, text.len)};
}

static int fill(lua_State *lua)
{
	struct filling *f = lua_touserdata(lua, 1);

	for (f->at = 0; f->at < f->count; f->at++) {
		push(lua, &f->templates[f->at]);
		f->ret[f->at] = take(lua, f->arena);
		lua_settop(lua, 1);
	}
	return 0;
}

enum err_code evaluate_texts(struct evaluator *evaluator, const struct entry *values,
		const struct text_template *templates, size_t count, struct arena *arena,
		struct text_value *ret, struct err *err)
{
	struct filling filling = {templates, count, 0, arena, ret};
	const struct document_node *node;
	const char *failure;

	if (count == 0)
		return ERR_NONE;
	failure = sandbox_run(evaluator->sandbox, values, NULL, fill, &filling, arena);
	if (!failure)
		return ERR_NONE;
	node = templates[filling.at < count ? filling.at : 0].node;
	return document_error(node, err, "%s%s%s", node->key ? node->key : "",
			node->key ? ": " : "", failure);
}
