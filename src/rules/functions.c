#include "rules/functions.h"

#include "base/text.h"
#include "rules/sandbox.h"

#include <lauxlib.h>

#define TEXT_MAX ((size_t)65536) /* bytes of a text that a function takes */
#define LIST_MAX 100000          /* items that split makes */
#define CALL_EFFORT 64           /* what a call counts beside the bytes that it looks at */

/* An argument that may be nil: then the function gives nil, and false comes back here. */
static bool take_text(lua_State *lua, int index, const char *function, struct span *ret)
{
	if (lua_isnoneornil(lua, index))
		return false;
	if (lua_type(lua, index) != LUA_TSTRING)
		(void)luaL_error(lua, "%s: a text is expected, not a %s", function,
				luaL_typename(lua, index));
	ret->ptr = lua_tolstring(lua, index, &ret->len);
	if (ret->len > TEXT_MAX)
		(void)luaL_error(lua, "%s: a text of over %d bytes", function, (int)TEXT_MAX);
	sandbox_charge(lua, ret->len + CALL_EFFORT);
	return true;
}

static struct span need_text(lua_State *lua, int index, const char *function)
{
	struct span ret = {NULL, 0};

	if (!take_text(lua, index, function, &ret))
		(void)luaL_error(lua, "%s: its argument %d is nil", function, index);
	return ret;
}

static bool take_list(lua_State *lua, int index, const char *function)
{
	if (lua_isnoneornil(lua, index))
		return false;
	if (lua_type(lua, index) != LUA_TTABLE)
		(void)luaL_error(lua, "%s: a list such as all.mail is expected, not a %s", function,
				luaL_typename(lua, index));
	return true;
}

/* Pushes text, which is held by the sandbox meanwhile, because pushing can leave by an error. */
static int push_held(lua_State *lua, char *text)
{
	struct sandbox *sandbox = sandbox_of(lua);

	mem_free(sandbox->held);
	sandbox->held = text;
	(void)lua_pushstring(lua, text);
	mem_free(STEAL(sandbox->held));
	return 1;
}

static int push_nil(lua_State *lua)
{
	lua_pushnil(lua);
	return 1;
}

static int push_flag(lua_State *lua, bool flag)
{
	lua_pushboolean(lua, flag);
	return 1;
}

/* text_lower and text_upper keep what is no UTF-8; a NUL would cut their result. */
static void need_utf8(lua_State *lua, const char *function, struct span text)
{
	if (!text_is_utf8(text))
		(void)luaL_error(lua, "%s: not UTF-8 text", function);
}

static int do_lower(lua_State *lua)
{
	struct span text;

	if (!take_text(lua, 1, "lower", &text))
		return push_nil(lua);
	need_utf8(lua, "lower", text);
	return push_held(lua, text_lower(text));
}

static int do_upper(lua_State *lua)
{
	struct span text;

	if (!take_text(lua, 1, "upper", &text))
		return push_nil(lua);
	need_utf8(lua, "upper", text);
	return push_held(lua, text_upper(text));
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static int do_trim(lua_State *lua)
{
	struct span text;

	if (!take_text(lua, 1, "trim", &text))
		return push_nil(lua);
	while (text.len && is_space(text.ptr[0]))
		text = (struct span){text.ptr + 1, text.len - 1};
	while (text.len && is_space(text.ptr[text.len - 1]))
		text.len--;
	(void)lua_pushlstring(lua, text.ptr, text.len);
	return 1;
}

static int do_join(lua_State *lua)
{
	struct span separator = {"", 0};
	luaL_Buffer buffer;
	lua_Integer count;

	if (!take_list(lua, 1, "join"))
		return push_nil(lua);
	(void)take_text(lua, 2, "join", &separator);
	count = (lua_Integer)lua_rawlen(lua, 1);
	lua_settop(lua, 2);
	luaL_buffinit(lua, &buffer);
	for (lua_Integer i = 1; i <= count; i++) {
		if (i > 1)
			luaL_addlstring(&buffer, separator.ptr, separator.len);
		int type = lua_rawgeti(lua, 1, i);

		if (type != LUA_TSTRING && type != LUA_TNUMBER)
			return luaL_error(lua, "join: an item is a %s, not a text",
					lua_typename(lua, type));
		luaL_addvalue(&buffer);
	}
	luaL_pushresult(&buffer);
	return 1;
}

static int do_split(lua_State *lua)
{
	struct span text, separator;
	lua_Integer count = 0;

	if (!take_text(lua, 1, "split", &text))
		return push_nil(lua);
	separator = need_text(lua, 2, "split");
	if (separator.len == 0)
		return luaL_error(lua, "split: its separator is empty");
	lua_newtable(lua);
	for (;;) {
		const char *end = memmem(text.ptr, text.len, separator.ptr, separator.len);
		size_t len = end ? (size_t)(end - text.ptr) : text.len;

		if (++count > LIST_MAX)
			return luaL_error(lua, "split: more than %d pieces", LIST_MAX);
		(void)lua_pushlstring(lua, text.ptr, len);
		lua_rawseti(lua, -2, count);
		if (!end)
			return 1;
		text = (struct span){end + separator.len, text.len - len - separator.len};
	}
}

static int pattern_failed(lua_State *lua, const char *function)
{
	return luaL_error(lua, "%s: %s", function, patterns_reason(sandbox_of(lua)->patterns));
}

static int do_match(lua_State *lua)
{
	struct span text, found;

	if (!take_text(lua, 1, "match", &text))
		return push_nil(lua);
	switch (patterns_match(
			sandbox_of(lua)->patterns, text, need_text(lua, 2, "match"), &found)) {
	case PATTERN_NO:
		return push_nil(lua);
	case PATTERN_YES:
		if (!found.ptr)
			return push_nil(lua);
		(void)lua_pushlstring(lua, found.ptr, found.len);
		return 1;
	case PATTERN_FAILED:
		break;
	}
	return pattern_failed(lua, "match");
}

static int do_test(lua_State *lua)
{
	struct span text, found;
	enum pattern_result result;

	if (!take_text(lua, 1, "test", &text))
		return push_flag(lua, false);
	result = patterns_match(sandbox_of(lua)->patterns, text, need_text(lua, 2, "test"), &found);
	return result == PATTERN_FAILED ? pattern_failed(lua, "test")
					: push_flag(lua, result == PATTERN_YES);
}

static int do_replace(lua_State *lua)
{
	struct span text, pattern, with, ret;

	if (!take_text(lua, 1, "replace", &text))
		return push_nil(lua);
	pattern = need_text(lua, 2, "replace");
	with = need_text(lua, 3, "replace");
	if (patterns_replace(sandbox_of(lua)->patterns, text, pattern, with, &ret) ==
			PATTERN_FAILED)
		return pattern_failed(lua, "replace");
	(void)lua_pushlstring(lua, ret.ptr, ret.len);
	return 1;
}

static int do_first(lua_State *lua)
{
	if (lua_type(lua, 1) == LUA_TSTRING) {
		lua_settop(lua, 1);
		return 1;
	}
	if (!take_list(lua, 1, "first"))
		return push_nil(lua);
	(void)lua_rawgeti(lua, 1, 1);
	return 1;
}

static int do_coalesce(lua_State *lua)
{
	int count = lua_gettop(lua);

	for (int i = 1; i <= count; i++) {
		bool empty = lua_type(lua, i) == LUA_TSTRING && lua_rawlen(lua, i) == 0;

		if (!lua_isnil(lua, i) && !empty) {
			lua_pushvalue(lua, i);
			return 1;
		}
	}
	return push_nil(lua);
}

static bool equal_folded(struct span a, const char *folded)
{
	AUTO(mem_freep) char *other = text_fold(a);

	return strcmp(other, folded) == 0;
}

static int do_contains(lua_State *lua)
{
	struct sandbox *sandbox = sandbox_of(lua);
	struct span text;
	lua_Integer count;
	bool found = false;

	if (!take_list(lua, 1, "contains"))
		return push_flag(lua, false);
	text = need_text(lua, 2, "contains");
	mem_free(sandbox->held);
	sandbox->held = text_fold(text);
	count = (lua_Integer)lua_rawlen(lua, 1);
	for (lua_Integer i = 1; i <= count && !found; i++) {
		if (lua_rawgeti(lua, 1, i) == LUA_TSTRING) {
			struct span item;

			item.ptr = lua_tolstring(lua, -1, &item.len);
			sandbox_charge(lua, item.len + CALL_EFFORT);
			found = equal_folded(item, sandbox->held);
		}
		lua_pop(lua, 1);
	}
	mem_free(STEAL(sandbox->held));
	return push_flag(lua, found);
}

static int do_number(lua_State *lua)
{
	struct span text;

	if (lua_type(lua, 1) == LUA_TNUMBER) {
		lua_settop(lua, 1);
		return 1;
	}
	if (!take_text(lua, 1, "number", &text))
		return push_nil(lua);
	if (lua_stringtonumber(lua, text.ptr) != text.len + 1)
		return push_nil(lua);
	return 1;
}

static lua_Integer need_integer(lua_State *lua, int index)
{
	int whole = 0;
	lua_Integer ret = lua_tointegerx(lua, index, &whole); /* texts are converted as well */

	if (!whole)
		(void)luaL_error(lua, "has_bit: its argument %d is no whole number", index);
	return ret;
}

static int do_has_bit(lua_State *lua)
{
	lua_Unsigned mask;

	if (lua_isnoneornil(lua, 1))
		return push_flag(lua, false);
	mask = (lua_Unsigned)need_integer(lua, 2);
	if (mask == 0)
		return luaL_error(lua, "has_bit: its mask has no bit set");
	return push_flag(lua, ((lua_Unsigned)need_integer(lua, 1) & mask) == mask);
}

static int do_in_group(lua_State *lua)
{
	struct sandbox *sandbox = sandbox_of(lua);
	struct span glob = need_text(lua, 1, "in_group");
	const struct membership *membership = sandbox->membership;

	need_utf8(lua, "in_group", glob);
	sandbox->read_groups = true;
	return push_flag(lua, membership && membership->in_group(membership->context, glob.ptr));
}

static const struct {
	const char *name;
	lua_CFunction run;
	bool takes_pattern;
} functions[] = {
		{"lower", do_lower, false},
		{"upper", do_upper, false},
		{"trim", do_trim, false},
		{"join", do_join, false},
		{"split", do_split, false},
		{"match", do_match, true},
		{"test", do_test, true},
		{"replace", do_replace, true},
		{"first", do_first, false},
		{"coalesce", do_coalesce, false},
		{"contains", do_contains, false},
		{"number", do_number, false},
		{"has_bit", do_has_bit, false},
		{"in_group", do_in_group, false},
};

const char *const *function_names(size_t *ret_count)
{
	static const char *const names[] = {"lower", "upper", "trim", "join", "split", "match",
			"test", "replace", "first", "coalesce", "contains", "number", "has_bit",
			"in_group"};

	_Static_assert(COUNT_OF(names) == COUNT_OF(functions), "a name per function");
	*ret_count = COUNT_OF(names);
	return names;
}

bool function_exists(struct span name)
{
	for (size_t i = 0; i < COUNT_OF(functions); i++) {
		if (span_equal(name, span_of(functions[i].name)))
			return true;
	}
	return false;
}

bool function_takes_pattern(struct span name)
{
	for (size_t i = 0; i < COUNT_OF(functions); i++) {
		if (functions[i].takes_pattern && span_equal(name, span_of(functions[i].name)))
			return true;
	}
	return false;
}

void functions_register(lua_State *lua)
{
	for (size_t i = 0; i < COUNT_OF(functions); i++) {
		lua_pushcfunction(lua, functions[i].run);
		lua_setfield(lua, -2, functions[i].name);
	}
}
