#include "rules/sandbox.h"

#include "base/text.h"
#include "rules/functions.h"

#include <lauxlib.h>
#include <strings.h>

#define REASON_MAX 300 /* bytes of a failure's sentence */

struct sandbox *sandbox_of(lua_State *lua)
{
	struct sandbox *sandbox;

	memcpy(&sandbox, lua_getextraspace(lua), sizeof(sandbox));
	return sandbox;
}

/* Lua takes NULL as "no memory", collects its garbage, asks again, and then fails the evaluation.
 */
static void *allocate(void *context, void *ptr, size_t old_size, size_t new_size)
{
	struct sandbox *sandbox = context;
	size_t others = sandbox->used -
			(ptr ? old_size : 0); /* without a pointer old_size is a type */

	if (new_size == 0) {
		mem_free(ptr);
		sandbox->used = others;
		return NULL;
	}
	if (sandbox->limit && new_size > old_size &&
			(others > sandbox->limit || new_size > sandbox->limit - others))
		return NULL;
	ptr = mem_resize(ptr, new_size, 1);
	sandbox->used = others + new_size;
	return ptr;
}

static void too_many_steps(lua_State *lua, lua_Debug *debug)
{
	(void)debug;
	(void)luaL_error(lua, "it takes too many steps");
}

void sandbox_charge(lua_State *lua, size_t effort)
{
	struct sandbox *sandbox = sandbox_of(lua);

	sandbox->effort += effort;
	if (sandbox->effort > SANDBOX_EFFORT_MAX)
		(void)luaL_error(lua, "it takes too many steps");
}

static void push_value(lua_State *lua, const char *name, struct span value)
{
	if (!text_is_utf8(value))
		(void)luaL_error(lua, "attribute '%s' is not UTF-8 text", name);
	(void)lua_pushlstring(lua, value.ptr, value.len);
}

static int compare_values(const void *a, const void *b)
{
	const struct span *x = a, *y = b;
	int order = memcmp(x->ptr, y->ptr, x->len < y->len ? x->len : y->len);

	return order ? order : (x->len > y->len) - (x->len < y->len);
}

/*
 * Values have no order (RFC 4511, section 4.1.7): two reads of one entry may list them differently.
 * The smallest one is "the first", so that equal entries give equal identities.
 */
static struct span smallest_value(const struct attribute *attribute)
{
	struct span ret = attribute->values[0];

	for (size_t i = 1; i < attribute->count; i++) {
		if (compare_values(&attribute->values[i], &ret) < 0)
			ret = attribute->values[i];
	}
	return ret;
}

/* __index of the globals and of `entry`: the first value of an attribute, or nil. */
static int index_first(lua_State *lua)
{
	struct sandbox *sandbox = sandbox_of(lua);
	const char *name = lua_type(lua, 2) == LUA_TSTRING ? lua_tostring(lua, 2) : NULL;
	const struct attribute *attribute =
			name && sandbox->entry ? entry_find(sandbox->entry, name) : NULL;

	if (attribute) {
		sandbox_charge(lua, attribute->count);
		push_value(lua, name, smallest_value(attribute));
	} else if (name && sandbox->entry && strcasecmp(name, "entryUUID") == 0) {
		(void)lua_pushstring(lua, sandbox->entry->anchor);
	} else {
		lua_pushnil(lua);
	}
	return 1;
}

static void push_all(lua_State *lua, const char *name, const struct attribute *attribute)
{
	sandbox_charge(lua, attribute->count * 16); /* for the sorting */
	/* Lua's own memory, so that the limit holds and an error leaves nothing behind. */
	struct span *sorted = lua_newuserdatauv(lua, attribute->count * sizeof(*sorted), 0);

	memcpy(sorted, attribute->values, attribute->count * sizeof(*sorted));
	qsort(sorted, attribute->count, sizeof(*sorted), compare_values);
	lua_createtable(lua, (int)attribute->count, 0);
	for (size_t i = 0; i < attribute->count; i++) {
		push_value(lua, name, sorted[i]);
		lua_rawseti(lua, -2, (lua_Integer)i + 1);
	}
}

/* __index of `all`: the list of an attribute's values, or nil. */
static int index_all(lua_State *lua)
{
	struct sandbox *sandbox = sandbox_of(lua);
	const char *name = lua_type(lua, 2) == LUA_TSTRING ? lua_tostring(lua, 2) : NULL;
	const struct attribute *attribute =
			name && sandbox->entry ? entry_find(sandbox->entry, name) : NULL;

	if (attribute)
		push_all(lua, name, attribute);
	else
		lua_pushnil(lua);
	return 1;
}

/* Gives the table on top of the stack an __index. */
static void set_index(lua_State *lua, lua_CFunction index)
{
	lua_createtable(lua, 0, 1);
	lua_pushcfunction(lua, index);
	lua_setfield(lua, -2, "__index");
	(void)lua_setmetatable(lua, -2);
}

static void build_globals(struct sandbox *sandbox)
{
	lua_State *lua = sandbox->lua;

	lua_newtable(lua);
	functions_register(lua);
	lua_newtable(lua);
	set_index(lua, index_first);
	lua_setfield(lua, -2, "entry");
	lua_newtable(lua);
	set_index(lua, index_all);
	lua_setfield(lua, -2, "all");
	set_index(lua, index_first);
	sandbox->globals = luaL_ref(lua, LUA_REGISTRYINDEX);
}

/* The idle state is what memory is counted from. */
static void settle(struct sandbox *sandbox)
{
	(void)lua_gc(sandbox->lua, LUA_GCCOLLECT);
	sandbox->limit = sandbox->used + sandbox->limit_above_idle;
}

struct sandbox *sandbox_new(int steps_max, size_t bytes_max)
{
	struct sandbox *sandbox = mem_zalloc(sizeof(*sandbox));

	sandbox->steps_max = steps_max;
	sandbox->limit_above_idle = bytes_max;
	sandbox->patterns = patterns_new();
	/* Without a limit the allocator never fails, so nothing outside a protected call can raise
	 * a Lua error. */
	sandbox->lua = lua_newstate(allocate, sandbox);
	memcpy(lua_getextraspace(sandbox->lua), &sandbox, sizeof(sandbox));
	build_globals(sandbox);
	settle(sandbox);
	return sandbox;
}

void sandbox_free(struct sandbox *sandbox)
{
	if (!sandbox)
		return;
	lua_close(sandbox->lua);
	patterns_free(sandbox->patterns);
	mem_free(sandbox->held);
	mem_free(sandbox->compiled);
	mem_free(sandbox);
}

/* Leaves the compiled chunk on the stack, or a message. */
static bool load(struct sandbox *sandbox, const struct expression *expression)
{
	AUTO(mem_freep)
	char *chunk = mem_printf(
			"return %.*s", (int)expression->source.len, expression->source.ptr);

	return luaL_loadbufferx(sandbox->lua, chunk, strlen(chunk), "=?", "t") == LUA_OK;
}

/* Lua's messages begin with "?:LINE: " of our chunk and call attributes globals. */
static void tidy(const char *message, char *ret, size_t size)
{
	static const char lua_word[] = "(global '", our_word[] = "(attribute '";
	const char *body = text_starts_with(message, "?:") ? strstr(message, ": ") : NULL;
	const char *word;

	body = body ? body + 2 : message;
	if (text_starts_with(body, "C stack overflow"))
		body = "it is nested too deeply";
	word = strstr(body, lua_word);
	if (word)
		(void)snprintf(ret, size, "%.*s%s%s", (int)(word - body), body, our_word,
				word + strlen(lua_word));
	else
		(void)snprintf(ret, size, "%s", body);
}

bool sandbox_check(struct sandbox *sandbox, const struct expression *expression, char *reason,
		size_t size)
{
	bool ok;

	sandbox->limit = 0;
	ok = load(sandbox, expression);
	if (!ok)
		tidy(lua_tostring(sandbox->lua, -1), reason, size);
	lua_settop(sandbox->lua, 0);
	return ok;
}

void sandbox_compile(
		struct sandbox *sandbox, const struct expression *const *expressions, size_t count)
{
	lua_State *lua = sandbox->lua;

	sandbox->limit = 0;
	sandbox->compiled = mem_array(count, sizeof(*sandbox->compiled));
	sandbox->compiled_count = count;
	for (size_t i = 0; i < count; i++) {
		if (!load(sandbox, expressions[i]))
			abort(); /* it passed sandbox_check */
		(void)lua_rawgeti(lua, LUA_REGISTRYINDEX, sandbox->globals);
		(void)lua_setupvalue(lua, -2, 1); /* _ENV, the only upvalue of a main chunk */
		sandbox->compiled[i] = luaL_ref(lua, LUA_REGISTRYINDEX);
	}
	settle(sandbox);
}

static const char *failure(struct sandbox *sandbox, struct arena *arena)
{
	const char *message = lua_type(sandbox->lua, -1) == LUA_TSTRING
			? lua_tostring(sandbox->lua, -1)
			: "it failed";
	AUTO(mem_freep) char *printable = NULL;
	char reason[REASON_MAX];

	if (strcmp(message, "not enough memory") == 0)
		message = "it takes too much memory";
	tidy(message, reason, sizeof(reason));
	printable = text_printable(span_of(reason));
	return arena_strdup(arena, printable);
}

const char *sandbox_run(struct sandbox *sandbox, const struct entry *entry,
		const struct membership *membership, lua_CFunction work, void *context,
		struct arena *arena)
{
	lua_State *lua = sandbox->lua;
	const char *reason = NULL;

	sandbox->entry = entry;
	sandbox->membership = membership;
	sandbox->read_groups = false;
	sandbox->effort = 0;
	patterns_begin(sandbox->patterns);
	lua_sethook(lua, too_many_steps, LUA_MASKCOUNT, sandbox->steps_max);
	/* Neither of the two allocates. */
	lua_pushcfunction(lua, work);
	lua_pushlightuserdata(lua, context);
	if (lua_pcall(lua, 1, 0, 0) != LUA_OK)
		reason = failure(sandbox, arena);
	lua_settop(lua, 0);
	mem_free(STEAL(sandbox->held));
	sandbox->entry = NULL;
	sandbox->membership = NULL;
	return reason;
}

void sandbox_push(lua_State *lua, const struct expression *expression)
{
	struct sandbox *sandbox = sandbox_of(lua);

	luaL_checkstack(lua, 4, NULL);
	(void)lua_rawgeti(lua, LUA_REGISTRYINDEX, sandbox->compiled[expression->index]);
	lua_call(lua, 0, 1);
}
