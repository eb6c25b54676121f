/*
 * sandbox -- a Lua state that can compute and nothing else.
 *
 * No standard library is loaded, strings have no methods, and only checked expressions
 * (rules/expression.h) reach the compiler, so there is no way to define, assign, loop, load, or
 * reach a metatable. Steps and memory are bounded all the same. One sandbox belongs to one thread.
 */
#ifndef L2D_RULES_SANDBOX_H
#define L2D_RULES_SANDBOX_H

#include "model/entry.h"
#include "model/membership.h"
#include "rules/expression.h"
#include "rules/pattern.h"

#include <lua.h>

/* Bytes and items that our own functions look at in one evaluation; they run outside Lua's count of
 * steps. */
#define SANDBOX_EFFORT_MAX ((size_t)32 * 1024 * 1024)

struct sandbox {
	lua_State *lua;
	size_t used, limit; /* bytes; limit 0: none (while it is being built) */
	size_t limit_above_idle;
	int steps_max;
	int globals;   /* registry reference of the table that expressions see as _ENV */
	int *compiled; /* registry references by expression index */
	size_t compiled_count;
	struct patterns *patterns;
	/* Of the evaluation in progress, borrowed. */
	const struct entry *entry;
	const struct membership *membership;
	bool read_groups;
	size_t effort;
	char *held; /* memory of a function in progress: freed even if Lua leaves it by an error */
};

/* steps_max: Lua instructions, bytes_max: memory above the idle state, both of one evaluation. */
struct sandbox *sandbox_new(int steps_max, size_t bytes_max);
void sandbox_free(struct sandbox *sandbox); /* NULL is fine */

/* Whether Lua accepts the expression; if not, reason says why. */
bool sandbox_check(struct sandbox *sandbox, const struct expression *expression, char *reason,
		size_t size);
/* Compiles expressions 0..count-1, which were checked before, for sandbox_push. */
void sandbox_compile(
		struct sandbox *sandbox, const struct expression *const *expressions, size_t count);

/*
 * Runs work(lua) with context as its only argument (light userdata) under the limits. entry and
 * membership are what expressions see. Returns NULL, or in arena the reason why it failed, one
 * sentence without place.
 */
const char *sandbox_run(struct sandbox *sandbox, const struct entry *entry,
		const struct membership *membership, lua_CFunction work, void *context,
		struct arena *arena);
/* Inside work: evaluates the expression and leaves its value on Lua's stack. Failure leaves work
 * (longjmp). */
void sandbox_push(lua_State *lua, const struct expression *expression);

struct sandbox *sandbox_of(lua_State *lua);
/* Counts work of a function; fails the evaluation (longjmp) when it is too much. */
void sandbox_charge(lua_State *lua, size_t effort);

#endif
