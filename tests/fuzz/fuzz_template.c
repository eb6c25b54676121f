/* A template of any content: it is compiled, or refused; then its expressions run on an entry. */
#include "base/text.h"
#include "rules/sandbox.h"
#include "rules/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int work(lua_State *lua)
{
	const struct template *template = lua_touserdata(lua, 1);

	for (size_t i = 0; i < template->count; i++) {
		if (template->parts[i].expression)
			sandbox_push(lua, template->parts[i].expression);
		lua_settop(lua, 1);
	}
	return 0;
}

static void evaluate(const struct compiler *compiler, const struct template *template)
{
	const struct span values[] = {
			SPAN_LIT("dbx-Data"), SPAN_LIT("\xc3\x84"), SPAN_LIT("aaaaaaaaaaaaaaaaab")};
	const struct attribute attributes[] = {
			{"cn", values, 1}, {"mail", values, COUNT_OF(values)}};
	const struct entry entry = {"anchor", "cn=x", attributes, COUNT_OF(attributes)};
	struct sandbox *sandbox = sandbox_new(10000, (size_t)1024 * 1024);
	struct template copy = *template;

	sandbox_compile(sandbox, compiler->expressions.items, compiler->expressions.count);
	(void)sandbox_run(sandbox, &entry, NULL, work, &copy, compiler->arena);
	sandbox_free(sandbox);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct compiler compiler = {
			.arena = arena_new(), .sandbox = sandbox_new(10000, (size_t)1024 * 1024)};
	struct document_node node = {.kind = DOCUMENT_SCALAR,
			.file = "f",
			.line = 1,
			.column = 1,
			.text_column = 1};
	const struct template *template;
	struct err err;

	node.text = arena_strndup(compiler.arena, (const char *)data, size);
	if (text_is_utf8((struct span){(const char *)data, size}) &&
			template_compile(&compiler, &node, &template, &err) == ERR_NONE)
		evaluate(&compiler, template);
	sandbox_free(compiler.sandbox);
	arena_free(compiler.arena);
	compiler_release(&compiler);
	return 0;
}
