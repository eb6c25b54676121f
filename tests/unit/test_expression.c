/* Expressions: what they give, what is refused before Lua sees it, and what the sandbox holds
 * against. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/text.h"
#include "rules/expression.h"
#include "rules/functions.h"
#include "rules/sandbox.h"
#include "rules/template.h"

#include <lauxlib.h>
#include <stdio.h>

#define STEPS 100000
#define BYTES ((size_t)1024 * 1024)

#define VALUE(literal)                                                                             \
	{                                                                                          \
		literal, sizeof(literal) - 1                                                       \
	}
#define ATTRIBUTE(name, ...)                                                                       \
	{                                                                                          \
		name, (const struct span[]){__VA_ARGS__},                                          \
				sizeof((const struct span[]){__VA_ARGS__}) / sizeof(struct span)   \
	}
static char big[65536];
static const struct attribute attributes[] = {
		ATTRIBUTE("mail", VALUE("Ada.Sample@Example.com")),
		ATTRIBUTE("cn", VALUE("dbx-Data")),
		ATTRIBUTE("memberof", VALUE("cn=b"), VALUE("cn=a"), VALUE("cn=ab")),
		ATTRIBUTE("street",
				VALUE("\xc3\x84 Stra\xc3\x9f"
				      "e")),
		ATTRIBUTE("photo", VALUE("\xff\xd8")),
		ATTRIBUTE("uidnumber", VALUE("42")),
		ATTRIBUTE("x-y", VALUE("hyphen")),
		ATTRIBUTE("first", VALUE("like a function")),
		ATTRIBUTE("path", VALUE("a,b,,c")),
		ATTRIBUTE("padded", VALUE(" \t x y \n")),
		{"big", (const struct span[]){{big, sizeof(big)}}, 1},
		ATTRIBUTE("empty", VALUE("")),
		ATTRIBUTE("as", VALUE("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab")),
};
static const struct entry entry = {
		"11111111-2222-3333-4444-555555555555", "cn=x", attributes, COUNT_OF(attributes)};

struct fixture {
	struct arena *arena;
	struct compiler compiler;
	struct err err;
};

static int set_up(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));

	memset(big, 'x', sizeof(big));
	f->arena = arena_new();
	f->compiler = (struct compiler){.arena = f->arena, .sandbox = sandbox_new(STEPS, BYTES)};
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	sandbox_free(f->compiler.sandbox);
	compiler_release(&f->compiler);
	arena_free(f->arena);
	mem_free(f);
	return 0;
}

static bool in_group(void *context, const char *glob)
{
	return text_matches_glob(glob, context);
}

static char group_name[] = "dbx-all";
static const struct membership membership = {group_name, in_group};

static struct document_node node_of(const char *text)
{
	return (struct document_node){.kind = DOCUMENT_SCALAR,
			.file = "f",
			.line = 1,
			.column = 1,
			.text = text,
			.text_column = 1};
}

static bool compile(struct fixture *f, const char *text)
{
	struct document_node node = node_of(arena_strdup(f->arena, text));
	struct expression *expression;
	size_t end;

	f->compiler.expressions.count = 0;
	f->compiler.attributes.count = 0;
	return expression_compile(&f->compiler, &node, 0, false, &expression, &end, &f->err) ==
			ERR_NONE;
}

struct asked {
	const struct expression *expression;
	struct buf *out;
};

static void show(lua_State *lua, struct buf *out)
{
	if (lua_istable(lua, -1)) {
		for (lua_Integer i = 1; i <= (lua_Integer)lua_rawlen(lua, -1); i++) {
			(void)lua_rawgeti(lua, -1, i);
			buf_printf(out, "%s%s", i > 1 ? "|" : "", lua_tostring(lua, -1));
			lua_pop(lua, 1);
		}
		return;
	}
	if (lua_isboolean(lua, -1))
		buf_add_text(out, lua_toboolean(lua, -1) ? "true" : "false");
	else
		buf_add_text(out, lua_isnil(lua, -1) ? "nil" : lua_tostring(lua, -1));
}

static int work(lua_State *lua)
{
	struct asked *asked = lua_touserdata(lua, 1);

	sandbox_push(lua, asked->expression);
	show(lua, asked->out);
	return 0;
}

/* The value as text, or "! reason"; in the fixture's arena. */
static const char *evaluate(struct fixture *f, const char *text)
{
	struct sandbox *sandbox = sandbox_new(STEPS, BYTES);
	struct asked asked;
	struct buf out;
	const char *failure, *ret;

	if (!compile(f, text)) {
		sandbox_free(sandbox);
		return arena_printf(f->arena, "! %s", f->err.text);
	}
	buf_init(&out, BYTES);
	sandbox_compile(sandbox, f->compiler.expressions.items, f->compiler.expressions.count);
	asked = (struct asked){f->compiler.expressions.items[0], &out};
	failure = sandbox_run(sandbox, &entry, &membership, work, &asked, f->arena);
	ret = failure ? arena_printf(f->arena, "! %s", failure)
		      : arena_strdup(f->arena, buf_text(&out));
	buf_release(&out);
	sandbox_free(sandbox);
	return ret;
}

struct expectation {
	const char *expression, *value;
};

static void check(struct fixture *f, const struct expectation *cases, size_t count)
{
	unsigned unexpected = 0;

	for (size_t i = 0; i < count; i++) {
		const char *value = evaluate(f, cases[i].expression);

		/* A failure is checked by its beginning. */
		if (cases[i].value[0] == '!' ? text_starts_with(value, cases[i].value)
					     : strcmp(value, cases[i].value) == 0)
			continue;
		print_error("%s: %s, expected %s\n", cases[i].expression, value, cases[i].value);
		unexpected++;
	}
	assert_int_equal(unexpected, 0);
}

static const struct expectation values[] = {
		{"mail", "Ada.Sample@Example.com"},
		{"MAIL", "Ada.Sample@Example.com"},
		{"unknown", "nil"},
		{"unknown or cn", "dbx-Data"},
		{"cn .. '!' .. 5", "dbx-Data!5"},
		{"cn == 'dbx-Data' and not unknown", "true"},
		{"entry[\"x-y\"]", "hyphen"},
		{"entry['X-Y']", "hyphen"},
		{"entry[\"first\"]", "like a function"},
		{"entry['none']", "nil"},
		{"entryUUID", "11111111-2222-3333-4444-555555555555"},
		{"memberOf", "cn=a"}, /* the smallest: values have no order */
		{"all.memberOf", "cn=a|cn=ab|cn=b"},
		{"all['memberOf'][2]", "cn=ab"},
		{"#all.memberOf", "3"},
		{"all.none", "nil"},
		{"{'a', 'b'}", "a|b"},
		{"({x = 'y'}).x", "y"},
		{"[[long ]] .. [==[ ]] bracket]==]", "long  ]] bracket"},
		{"'it''s'", "! f:1:1: <eof> expected near"},
		{"\"q\\\"}\" .. 'x'", "q\"}x"},
		{"1 + 2 * 3 // 2", "4"},
		{"6 & 3 | 8 ~ 1", "11"},
		{"2 ~= 3 and 'differ'", "differ"},
		{"- - 5", "5"},
		{"0x10 + 1e1", "26.0"},
		{"true and false or nil", "nil"},
		{"(cn)", "dbx-Data"},
};

static const struct expectation functions[] = {
		{"lower(mail)", "ada.sample@example.com"},
		{"upper(cn)", "DBX-DATA"},
		{"lower(street)",
				"\xc3\xa4 stra\xc3\x9f"
				"e"},
		{"upper(street)", "\xc3\x84 STRASSE"},
		{"lower(unknown)", "nil"},
		{"lower(5)", "! lower: a text is expected, not a number"},
		{"lower(all.memberOf)", "! lower: a text is expected, not a table"},
		{"trim(padded)", "x y"},
		{"trim(unknown)", "nil"},
		{"join(all.memberOf, '; ')", "cn=a; cn=ab; cn=b"},
		{"join(all.memberOf)", "cn=acn=abcn=b"},
		{"join(all.none, ',')", "nil"},
		{"join({1, 'b'}, ',')", "1,b"},
		{"join({true}, ',')", "! join: an item is a boolean, not a text"},
		{"join('x', ',')", "! join: a list such as all.mail is expected, not a string"},
		{"split(path, ',')", "a|b||c"},
		{"split(empty, ',')[1]", ""},
		{"split(path, '')", "! split: its separator is empty"},
		{"split(unknown, ',')", "nil"},
		{"match(cn, '^dbx-(.+)$')", "Data"},
		{"match(cn, '^dbx')", "dbx"},
		{"match(cn, '^(x)?dbx')", "nil"}, /* the group took no part */
		{"match(cn, '^other')", "nil"},
		{"match(unknown, 'x')", "nil"},
		{"match(cn, unknown)", "! match: its argument 2 is nil"},
		{"match(cn, '(?i)DBX-(\\\\w+)')", "Data"},
		{"match(street, '(\\\\w+)$')",
				"Stra\xc3\x9f"
				"e"},
		{"test(cn, 'data')", "false"},
		{"test(cn, '(?i)data')", "true"},
		{"test(unknown, 'x')", "false"},
		{"replace(cn, '[a-z]', '<$0>')", "<d><b><x>-D<a><t><a>"},
		{"replace(cn, '^(?<p>dbx)-', '${p}:')", "dbx:Data"},
		{"replace(cn, 'x', '$9')", "! replace: unknown substring"},
		{"replace(cn, '', '.')", ".d.b.x.-.D.a.t.a."},
		{"replace(unknown, 'x', 'y')", "nil"},
		{"first(all.memberOf)", "cn=a"},
		{"first(mail)", "Ada.Sample@Example.com"},
		{"first(unknown)", "nil"},
		{"first({})", "nil"},
		{"coalesce(unknown, empty, cn)", "dbx-Data"},
		{"coalesce(unknown, empty)", "nil"},
		{"coalesce(false, cn)", "false"},
		{"contains(all.memberOf, 'CN=AB')", "true"},
		{"contains(all.memberOf, 'cn=c')", "false"},
		{"contains(all.none, 'x')", "false"},
		{"contains({'\xc3\x84'}, '\xc3\xa4')", "true"},
		{"number(uidNumber) + 1", "43"},
		{"number(cn)", "nil"},
		{"number(unknown)", "nil"},
		{"number(7)", "7"},
		{"uidNumber + 1",
				"! attempt to perform arithmetic on a string value (attribute "
				"'uidNumber')"},
		{"uidNumber < 5", "! attempt to compare string with number"},
		{"has_bit(uidNumber, 2)", "true"},
		{"has_bit(uidNumber, 4)", "false"},
		{"has_bit(uidNumber, 10)", "true"},
		{"has_bit(42, 0)", "! has_bit: its mask has no bit set"},
		{"has_bit(cn, 2)", "! has_bit: its argument 1 is no whole number"},
		{"has_bit(unknown, 2)", "false"},
		{"in_group('DBX-*')", "true"},
		{"in_group('other')", "false"},
		{"in_group(unknown)", "! in_group: its argument 1 is nil"},
		{"unknown .. 'x'", "! attempt to concatenate a nil value (attribute 'unknown')"},
		{"photo", "! attribute 'photo' is not UTF-8 text"},
		{"all.photo", "! attribute 'photo' is not UTF-8 text"},
		{"photo and 1", "! attribute 'photo' is not UTF-8 text"},
		{"lower('\\xff')", "! lower: not UTF-8 text"},
};

static const struct expectation refusals[] = {
		{"", "! f:1:1: the expression is empty"},
		{"  ", "! f:1:3: the expression is empty"},
		{"return 1", "! f:1:1: `return`: an expression is expected here, not a statement"},
		{"x = 1", "! f:1:3: `=` assigns, which an expression can't; compare with `==`"},
		{"local x", "! f:1:1: `local`: an expression"},
		{"(function() return 1 end)()", "! f:1:2: `function`: an expression"},
		{"1) return (2", "! f:1:2: `)` closes nothing"},
		{"1 goto x", "! f:1:3: `goto`: an expression"},
		{"::x::", "! f:1:1: `::` is a statement's; an expression is expected"},
		{"...", "! f:1:1: `...` is a statement's"},
		{"1, 2", "! f:1:2: an expression is one value; `,` would begin another"},
		{"1; 2", "! f:1:2: an expression is one value; `;` would begin another"},
		{"(1; 2)", "! f:1:3: an expression is one value"},
		{"1 2", "! f:1:1: <eof> expected near '2'"},
		{"cn --[[ x", "! f:1:4: a comment has no place in an expression"},
		{"cn -- x", "! f:1:4: a comment"},
		{"cn) --", "! f:1:3: `)` closes nothing"},
		{"'open", "! f:1:1: a text lacks its closing quote"},
		{"[[open", "! f:1:1: a text in long brackets lacks its end"},
		{"[==[open]=]", "! f:1:1: a text in long brackets lacks its end"},
		{"'a\nb'", "! f:1:1: a text does not end in its line"},
		{"(cn", "! f:1:1: `(` is not closed"},
		{"(cn]", "! f:1:4: `]` closes a `(`"},
		{"mail:lower()",
				"! f:1:5: values have no methods; write lower(mail), not "
				"mail:lower()"},
		{"('x'):rep(9)", "! f:1:6: values have no methods"},
		{"lowr(mail)", "! f:1:1: unknown function `lowr`, did you mean `lower`?"},
		{"require('os')", "! f:1:1: unknown function `require`"},
		{"load 'x'", "! f:1:1: unknown function `load`"},
		{"print{}", "! f:1:1: unknown function `print`"},
		{"setmetatable({}, {})", "! f:1:1: unknown function `setmetatable`"},
		{"_ENV.lower", "! f:1:1: `_ENV` is not available"},
		{"_G", "! f:1:1: `_G` is not available"},
		{"lower",
				"! f:1:1: `lower` is a function; for an attribute of this name "
				"write entry[\"lower\"]"},
		{"entry", "! f:1:1: `entry` needs a literal name"},
		{"entry[cn]", "! f:1:1: `entry` needs a literal name"},
		{"entry['a' .. 'b']", "! f:1:1: `entry` needs a literal name"},
		{"entry.mail", "! f:1:1: `entry` needs a literal name"},
		{"entry['a b']", "! f:1:7: 'a b' is no attribute's name"},
		{"entry['\\x61']", "! f:1:7: '\\x61' is no attribute's name"},
		{"entry['cn;lang-de']", "! f:1:7: 'cn;lang-de' is no attribute's name"},
		{"#all", "! f:1:2: `all` needs a literal name"},
		{"all[cn]", "! f:1:1: `all` needs a literal name"},
		{"cn && mail", "! f:1:4: `&&` is not Lua, write `and`"},
		{"cn || mail", "! f:1:4: `||` is not Lua, write `or`"},
		{"!cn", "! f:1:1: this character has no meaning"},
		{"cn == @x", "! f:1:7: this character has no meaning"},
		{"cn == ", "! f:1:1: unexpected symbol near <eof>"},
		{"match(cn, '(')",
				"! f:1:11: pattern: missing closing parenthesis (at its character "
				"1)"},
		{"test(cn, '[')", "! f:1:10: pattern: missing terminating ]"},
		{"replace(cn, '\\\\C', '')", "! f:1:13: pattern: using \\C is disabled"},
		{"_x", "! f:1:1: `_x` is no attribute's name"},
};

/* Dangerous names are nil even where the check would let them pass; nothing leads out of the
 * sandbox. */
static const struct expectation escapes[] = {
		{"os", "nil"},
		{"io or load or require or debug or package or string or coroutine or dofile",
				"nil"},
		{"('x').rep", "! attempt to index a string value"},
		{"cn.len", "! attempt to index a string value (attribute 'cn')"},
		{"#'abc'", "3"},
		{"all.memberOf.x", "nil"},
		{"({}).__index", "nil"},
		{"({})()", "! attempt to call a table value"},
		{"'x'()", "! f:1:1: <eof> expected near '('"},
		{"cn()", "! f:1:1: unknown function `cn`"},
		{"({lower})[1]", "! f:1:3: `lower` is a function"},
		{"1 // 0", "! attempt to divide by zero"},
		{"{}.x", "! f:1:1: <eof> expected near '.'"},
		{"1 < {}", "! attempt to compare number with table"},
};

static void gives_values(void **state)
{
	check(*state, values, COUNT_OF(values));
}

static void has_functions(void **state)
{
	check(*state, functions, COUNT_OF(functions));
}

static void refuses_what_is_no_expression(void **state)
{
	check(*state, refusals, COUNT_OF(refusals));
}

static void lets_nothing_out(void **state)
{
	check(*state, escapes, COUNT_OF(escapes));
}

/* Text between head and tail, repeated. */
static const char *repeat(struct fixture *f, const char *head, const char *piece, size_t count,
		const char *tail)
{
	struct buf buf;
	const char *ret;

	buf_init(&buf, (size_t)1024 * 1024);
	buf_add_text(&buf, head);
	for (size_t i = 0; i < count; i++)
		buf_add_text(&buf, piece);
	buf_add_text(&buf, tail);
	ret = arena_strdup(f->arena, buf_text(&buf));
	buf_release(&buf);
	return ret;
}

static void bounds_memory(void **state)
{
	struct fixture *f = *state;
	const char *doubled = "as";

	/* The text doubles with each replace. */
	for (int i = 0; i < 12; i++)
		doubled = arena_printf(f->arena, "replace(%s, '.', '$0$0')", doubled);
	assert_string_equal(evaluate(f, doubled),
			"! replace: more than 1000 matches in one evaluation");
	assert_string_equal(evaluate(f, repeat(f, "#join({", "big,", 4, "})")), "262144");
	assert_string_equal(evaluate(f, repeat(f, "#join({", "big,", 20, "})")),
			"! it takes too much memory");
	assert_string_equal(evaluate(f, repeat(f, "#(", "big..", 20, "big)")),
			"! it takes too much memory");
	assert_string_equal(evaluate(f, repeat(f, "#lower(", "big..", 1, "big)")),
			"! lower: a text of over 65536 bytes");
}

static void bounds_the_work_of_functions(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(evaluate(f, repeat(f, "#{", "test(big,'y'),", 500, "}")), "500");
	assert_string_equal(evaluate(f, repeat(f, "#{", "test(big,'y'),", 520, "}")),
			"! it takes too many steps");
}

static void bounds_matches(void **state)
{
	struct fixture *f = *state;

	/* Catastrophic backtracking: exponential in the length of the text. */
	assert_string_equal(evaluate(f, "match(as, '^(a+)+$')"),
			"! match: the pattern takes too many steps on this text; make it simpler");
	assert_string_equal(evaluate(f, "test(as, '^(a|aa)+$')"),
			"! test: the pattern takes too many steps on this text; make it simpler");
	assert_string_equal(
			evaluate(f, repeat(f, "{", "test(cn,'x'),", PATTERN_MATCHES_MAX + 1, "}")),
			"! test: more than 1000 matches in one evaluation");
	assert_string_equal(evaluate(f, repeat(f, "#replace('", "xxxxxxxxxx", 101, "', 'x', 'y')")),
			"! replace: more than 1000 matches in one evaluation");
	assert_string_equal(evaluate(f, repeat(f, "#replace('", "xxxxxxxxxx", 99, "', 'x', 'y')")),
			"990");
}

static void bounds_texts_and_depth(void **state)
{
	struct fixture *f = *state;
	const char *deep = repeat(f, "", "(", EXPRESSION_DEPTH_MAX + 1, "1");

	assert_string_equal(evaluate(f, deep), "! f:1:65: more than 64 brackets inside each other");
	assert_string_equal(evaluate(f, repeat(f, "", "not ", 300, "1")),
			"! f:1:1: it is nested too deeply");
	assert_string_equal(evaluate(f, repeat(f, "'", "x", EXPRESSION_BYTES_MAX, "'")),
			"! f:1:1: the expression is longer than 16384 bytes");
	assert_string_equal(
			evaluate(f, repeat(f, "#match(cn, '", "x", PATTERN_BYTES_MAX + 1, "')")),
			"! f:1:12: pattern: longer than 4096 bytes");
}

/* Beside the check of words: a chunk that loops is stopped by Lua's count, one that hoards by the
 * allocator. */
static int run_loop(lua_State *lua)
{
	const char *chunk = lua_touserdata(lua, 1);

	if (luaL_loadstring(lua, chunk) != LUA_OK)
		return lua_error(lua);
	lua_call(lua, 0, 0);
	return 0;
}

static void has_a_second_line_of_defence(void **state)
{
	struct fixture *f = *state;
	struct sandbox *sandbox = sandbox_new(STEPS, BYTES);
	char loop[] = "while true do end";
	char recursion[] = "local function f() return 1 + f() end return f()";
	char hoard[] = "local t = {} for i = 1, 1e9 do t[i] = {} end";
	char fine[] = "local t = {} for i = 1, 10 do t[i] = {} end";

	sandbox_compile(sandbox, NULL, 0);
	assert_string_equal(sandbox_run(sandbox, &entry, NULL, run_loop, loop, f->arena),
			"it takes too many steps");
	assert_non_null(strstr(
			sandbox_run(sandbox, &entry, NULL, run_loop, recursion, f->arena), "too"));
	assert_non_null(strstr(sandbox_run(sandbox, &entry, NULL, run_loop, hoard, f->arena),
			"it takes too m"));
	assert_null(sandbox_run(sandbox, &entry, NULL, run_loop, fine,
			f->arena)); /* and it goes on working */
	sandbox_free(sandbox);
}

static void says_whether_groups_were_read(void **state)
{
	struct fixture *f = *state;
	struct sandbox *sandbox = sandbox_new(STEPS, BYTES);
	struct buf out;

	buf_init(&out, 100);
	assert_true(compile(f, "cn == 'x' and in_group('y')"));
	sandbox_compile(sandbox, f->compiler.expressions.items, 1);
	assert_null(sandbox_run(sandbox, &entry, &membership, work,
			&(struct asked){f->compiler.expressions.items[0], &out}, f->arena));
	assert_false(sandbox->read_groups); /* not reached */
	sandbox_free(sandbox);
	sandbox = sandbox_new(STEPS, BYTES);
	assert_true(compile(f, "cn ~= 'x' and in_group('y')"));
	sandbox_compile(sandbox, f->compiler.expressions.items, 1);
	assert_null(sandbox_run(sandbox, &entry, &membership, work,
			&(struct asked){f->compiler.expressions.items[0], &out}, f->arena));
	assert_true(sandbox->read_groups);
	sandbox_free(sandbox);
	buf_release(&out);
}

static void names_the_attributes_that_are_used(void **state)
{
	struct fixture *f = *state;

	assert_true(compile(f,
			"lower(Mail) .. all.memberOf[1] .. entry['x-Y'] .. ({a = sn}).a .. mail .. "
			"'cn'"));
	assert_int_equal(f->compiler.attributes.count, 5);
	assert_string_equal(f->compiler.attributes.items[0], "mail");
	assert_string_equal(f->compiler.attributes.items[1], "memberof");
	assert_string_equal(f->compiler.attributes.items[2], "x-y");
	assert_string_equal(f->compiler.attributes.items[3],
			"a"); /* a key looks like one; it does no harm */
	assert_string_equal(f->compiler.attributes.items[4], "sn");
}

/* The parts of a template as literal, or as ${source}. */
static const struct expectation templates[] = {
		{"plain", "plain"},
		{"${mail}", "${mail}"},
		{"a ${cn} b ${ sn } c", "a ${cn} b ${ sn } c"},
		{"${ {1, {2}}[1] }", "! f:1:3: <eof> expected near '['"},
		{"${({1, {2}})[1]}x", "${({1, {2}})[1]}x"},
		{"${'}' .. \"}\"}", "${'}' .. \"}\"}"},
		{"${[[}]]}", "${[[}]]}"},
		{"$${cn}", "${|cn}"},
		{"a$${cn}", "a|${|cn}"},
		{"$$${cn}", "$|${|cn}"},
		{"5 $ and $x", "5 $ and $x"},
		{"${cn", "! f:1:1: `${` lacks its closing `}`"},
		{"x${'}", "! f:1:4: a text lacks its closing quote"},
		{"x${}", "! f:1:4: the expression is empty"},
		{"${f(}", "! f:1:3: unknown function `f`"},
		{"${lower(}", "! f:1:8: `(` is not closed"},
		{"x ${a b}", "! f:1:5: <eof> expected near 'b'"},
};

static const char *show_template(struct fixture *f, const char *text)
{
	struct document_node node = node_of(arena_strdup(f->arena, text));
	const struct template *template;
	struct buf out;
	const char *ret;

	if (template_compile(&f->compiler, &node, &template, &f->err) != ERR_NONE)
		return arena_printf(f->arena, "! %s", f->err.text);
	buf_init(&out, 1000);
	for (size_t i = 0; i < template->count; i++) {
		const struct template_part *part = &template->parts[i];
		struct span span = part->expression ? part->expression->source : part->literal;
		bool join = i > 0 && !part->expression && !template->parts[i - 1].expression;

		buf_printf(&out, "%s%s%.*s%s", join ? "|" : "", part->expression ? "${" : "",
				(int)span.len, span.ptr, part->expression ? "}" : "");
	}
	ret = arena_strdup(f->arena, buf_text(&out));
	buf_release(&out);
	return ret;
}

static void takes_templates_apart(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT_OF(templates); i++) {
		const char *shown = show_template(f, templates[i].expression);

		if (!text_starts_with(shown, templates[i].value))
			fail_msg("%s: %s", templates[i].expression, shown);
	}
}

static void bounds_templates(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(show_template(f, repeat(f, "", "${cn}", TEMPLATE_PARTS_MAX + 1, "")),
			"! f:1:1: more than 64 parts in one template");
}

static void knows_its_functions(void **state)
{
	size_t count;
	const char *const *names = function_names(&count);

	(void)state;
	for (size_t i = 0; i < count; i++)
		assert_true(function_exists(span_of(names[i])));
	assert_false(function_exists(SPAN_LIT("load")));
	assert_true(function_takes_pattern(SPAN_LIT("match")));
	assert_false(function_takes_pattern(SPAN_LIT("split")));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
int main(void)
{
	const struct CMUnitTest tests[] = {
			TEST(gives_values),
			TEST(has_functions),
			TEST(refuses_what_is_no_expression),
			TEST(lets_nothing_out),
			TEST(bounds_memory),
			TEST(bounds_the_work_of_functions),
			TEST(bounds_matches),
			TEST(bounds_texts_and_depth),
			TEST(has_a_second_line_of_defence),
			TEST(says_whether_groups_were_read),
			TEST(names_the_attributes_that_are_used),
			TEST(takes_templates_apart),
			TEST(bounds_templates),
			TEST(knows_its_functions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
