#include "rules/evaluate.h"

#include "base/text.h"
#include "rules/evaluate_text.h"
#include "rules/rule.h"

#include <lauxlib.h>
#include <strings.h>

/* One evaluation while it runs inside Lua's protected call. */
struct evaluating {
	const struct rule *rule;
	struct arena *arena;
	struct identity *identity;
	enum evaluation_result result;
	const char *what;    /* the key in work, for the reason of a failure */
	unsigned line;       /* where it stands */
	const char *missing; /* EVALUATED_NIL: the key that came out nil */
};

struct evaluator *evaluator_new(const struct mapping *mapping)
{
	struct evaluator *evaluator = mem_zalloc(sizeof(*evaluator));

	evaluator->mapping = mapping;
	evaluator->sandbox = sandbox_new(EVALUATE_STEPS_MAX, EVALUATE_BYTES_MAX);
	sandbox_compile(evaluator->sandbox, mapping->expressions, mapping->expression_count);
	return evaluator;
}

void evaluator_free(struct evaluator *evaluator)
{
	if (!evaluator)
		return;
	sandbox_free(evaluator->sandbox);
	mem_free(evaluator);
}

static size_t characters(struct span text)
{
	size_t count = 0;

	for (size_t i = 0; i < text.len; i++)
		count += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
	return count;
}

/* The text on top of the stack, checked, into the arena; NULL if it is empty. Pops it. */
static const char *take_text(lua_State *lua, struct arena *arena)
{
	struct span text;
	const char *ret;

	text.ptr = lua_tolstring(lua, -1, &text.len);
	if (!text_is_utf8(text))
		(void)luaL_error(lua, "its value is not UTF-8 text");
	if (characters(text) > EVALUATE_FIELD_MAX)
		(void)luaL_error(lua, "its value is longer than %d characters", EVALUATE_FIELD_MAX);
	for (size_t i = 0; i < text.len; i++) {
		if ((unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f)
			(void)luaL_error(lua, "its value holds a control character");
	}
	ret = text.len ? arena_strndup(arena, text.ptr, text.len) : NULL;
	lua_pop(lua, 1);
	return ret;
}

/* Leaves the template's value on the stack: nil, a text or a number for a longer one, whatever it
 * is for ${} alone. */
static void push_template(lua_State *lua, const struct template *template)
{
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
			return; /* nil on top; what is below goes with the stack */
		if (!lua_isstring(lua, -1))
			(void)luaL_error(lua, "a ${} inside a longer text is a %s, not a text",
					luaL_typename(lua, -1));
		luaL_addvalue(&buffer);
	}
	luaL_pushresult(&buffer);
}

/* NULL for nil and for an empty text. */
static const char *template_text(
		lua_State *lua, const struct template *template, struct arena *arena)
{
	const char *ret = NULL;
	int top = lua_gettop(lua);

	push_template(lua, template);
	if (lua_isstring(lua, -1)) /* or a number */
		ret = take_text(lua, arena);
	else if (!lua_isnil(lua, -1))
		(void)luaL_error(lua, "its value is a %s, not a text", luaL_typename(lua, -1));
	lua_settop(lua, top);
	return ret;
}

/* 1 and 0 for what is plainly true or false: a boolean or, as directories write it, a text; else
 * -1. */
static int truth(lua_State *lua)
{
	const char *text;

	if (lua_isboolean(lua, -1))
		return lua_toboolean(lua, -1);
	text = lua_type(lua, -1) == LUA_TSTRING ? lua_tostring(lua, -1) : "";
	if (strcasecmp(text, "true") == 0)
		return 1;
	return strcasecmp(text, "false") == 0 ? 0 : -1;
}

static bool read_active(lua_State *lua, const struct template *template)
{
	int top = lua_gettop(lua);
	int value;

	push_template(lua, template);
	value = truth(lua);
	if (value < 0 && lua_isnil(lua, -1))
		(void)luaL_error(lua,
				"it is nil, neither true nor false; say what that means, as in "
				"${enabled or true}");
	if (value < 0)
		(void)luaL_error(lua, "it must be true or false");
	lua_settop(lua, top);
	return value == 1;
}

static bool in_scope(lua_State *lua, const struct expression *when)
{
	int value;

	sandbox_push(lua, when);
	value = truth(lua);
	if (value < 0)
		value = lua_toboolean(lua, -1);
	lua_pop(lua, 1);
	return value == 1;
}

static void at(struct evaluating *e, const char *what, unsigned line)
{
	e->what = what;
	e->line = line;
}

static bool is_needed(enum principal_kind kind, enum field field)
{
	return field == (kind == PRINCIPAL_USER ? FIELD_USER_NAME : FIELD_DISPLAY_NAME);
}

static int work(lua_State *lua)
{
	struct evaluating *e = lua_touserdata(lua, 1);
	const struct rule *rule = e->rule;

	if (rule->when) {
		at(e, "when", rule->when->line);
		if (!in_scope(lua, rule->when)) {
			e->result = EVALUATED_OUT;
			return 0;
		}
	}
	for (unsigned field = 0; field < FIELD_COUNT_; field++) {
		if (!rule->fields[field])
			continue;
		at(e, field_name(field), rule->fields[field]->line);
		e->identity->fields[field] = template_text(lua, rule->fields[field], e->arena);
		if (!e->identity->fields[field] && is_needed(rule->kind, field)) {
			e->result = EVALUATED_NIL;
			e->missing = e->what;
			return 0;
		}
	}
	if (rule->match) {
		at(e, "match", rule->match->line);
		e->identity->match = template_text(lua, rule->match, e->arena);
	}
	if (rule->active) {
		at(e, "active", rule->active->line);
		e->identity->active = read_active(lua, rule->active);
	}
	return 0;
}

static struct identity start_identity(
		const struct rule *rule, const struct entry *entry, struct arena *arena)
{
	struct identity identity = {
			.kind = rule->kind,
			.active = rule->kind != PRINCIPAL_GROUP,
			.nesting = rule->nesting,
			.gone = (enum gone)(rule->gone + 1),
			.workspace_level = rule->level == LEVEL_WORKSPACE,
			.workspaces = rule->workspaces.items,
			.workspace_count = rule->workspaces.count,
			.adopt_powerful = rule->adopt,
			.exclusive = rule->exclusive,
			.service = rule->service,
			.why = {rule->file, rule->line, arena_strdup(arena, entry->dn)},
	};

	if (rule->external_id == EXTERNAL_ID_ANCHOR)
		identity.fields[FIELD_EXTERNAL_ID] = arena_strdup(arena, entry->anchor);
	return identity;
}

void evaluate_rule(struct evaluator *evaluator, const struct rule *rule, const struct entry *entry,
		const struct membership *membership, struct arena *arena, struct evaluation *ret)
{
	struct evaluating e = {.rule = rule,
			.arena = arena,
			.identity = &ret->identity,
			.result = EVALUATED};
	const char *failure;

	*ret = (struct evaluation){.identity = start_identity(rule, entry, arena)};
	failure = sandbox_run(evaluator->sandbox, entry, membership, work, &e, arena);
	ret->read_groups = evaluator->sandbox->read_groups;
	ret->result = failure ? EVALUATED_FAILED : e.result;
	if (failure)
		ret->reason = arena_printf(
				arena, "%s:%u: %s: %s", rule->file, e.line, e.what, failure);
	else if (e.result == EVALUATED_NIL)
		ret->reason = arena_printf(
				arena, "%s:%u: %s has no value", rule->file, e.line, e.missing);
}

static bool kind_of(enum search_purpose purpose, enum principal_kind *ret)
{
	switch (purpose) {
	case SEARCH_USERS:
		*ret = PRINCIPAL_USER;
		return true;
	case SEARCH_GROUPS:
		*ret = PRINCIPAL_GROUP;
		return true;
	case SEARCH_SERVICE_PRINCIPALS:
		*ret = PRINCIPAL_SERVICE;
		return true;
	case SEARCH_THROUGH:
	case SEARCH_CONTAINERS:
	case SEARCH_PURPOSE_COUNT_:
		break;
	}
	return false;
}

void evaluate_entry(struct evaluator *evaluator, const struct search *search,
		const struct entry *entry, const struct membership *membership, struct arena *arena,
		struct evaluation *ret)
{
	const struct mapping *mapping = evaluator->mapping;
	enum principal_kind kind;

	if (kind_of(search->purpose, &kind) && search->rule < mapping->rule_counts[kind])
		evaluate_rule(evaluator, mapping->rules[kind][search->rule], entry, membership,
				arena, ret);
	else
		*ret = (struct evaluation){.result = EVALUATED_OUT};
}
