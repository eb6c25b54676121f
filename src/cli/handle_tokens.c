/* tokens: personal access tokens of all workspaces, listed. */
#include "cli/tokens.h"

#include "base/clock.h"
#include "base/text.h"
#include "cli/common.h"
#include "sync/discover.h"

#include <inttypes.h>

#define DAY_MS (INT64_C(24) * 60 * 60 * 1000)

static bool wants_csv(const struct invocation *call)
{
	return text_equal(invocation_value(call, OPTION_OUTPUT, NULL), "csv");
}

static const char *text_of(const json_t *token, const char *name)
{
	const char *text = json_string_value(json_object_get(token, name));

	return text ? text : "";
}

/* ---- reading ---- */

enum err_code tokens_read(const struct token_command *command, enum engine_mode mode,
		struct session **ret, struct err *err)
{
	struct engine_options options = {
			.mode = mode, .config = command->config, .quiet = mode == ENGINE_PLAN};
	AUTO(session_freep) struct session *session = NULL;

	if (discover_now(command->config, DISCOVER_MS, err) != ERR_NONE ||
			session_new(&options, &session, err) != ERR_NONE)
		return err->code;
	engine_want_tokens(session_engine(session), command->workspaces);
	if (session_run(session, ENGINE_PLANNED, err) != ERR_NONE)
		return err->code;
	*ret = STEAL(session);
	return ERR_NONE;
}

size_t tokens_tell_unread(const json_t *tokens)
{
	const json_t *list = json_object_get(tokens, "unread"), *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		const char *reason = json_string_value(json_object_get(item, "reason"));

		complain("%s: the tokens could not be listed%s%s", text_of(item, "workspace"),
				reason ? ": " : "", reason ? reason : "");
	}
	return json_array_size(list);
}

/* ---- list ---- */

struct column {
	const char *title, *name;
};
static const struct column columns[] = {{"WORKSPACE", "workspace"}, {"TOKEN", "id"},
		{"OWNER", "owner"}, {"STATE", "state"}, {"GUARDED", "guarded"},
		{"CREATED", "created"}, {"AGE", "age"}, {"EXPIRES", "expires"},
		{"LAST USED", "last_used"}, {"COMMENT", "comment"}};

static int64_t age_ms(const json_t *token)
{
	const char *created = text_of(token, "created");
	struct tm day = {0};

	if (!strptime(created, "%Y-%m-%dT%H:%M:%S", &day))
		return -1;
	return clock_wall_ms() - (int64_t)timegm(&day) * 1000;
}

/* With an age in whole days, and the word for one that never expires. */
static void complete_token(json_t *token)
{
	int64_t age = age_ms(token);
	AUTO(mem_freep) char *days = age >= 0 ? mem_printf("%" PRId64 "d", age / DAY_MS) : NULL;

	(void)json_object_set_new(token, "age", days ? json_string(days) : json_null());
	if (json_is_true(json_object_get(token, "never_expires")))
		(void)json_object_set_new(token, "expires", json_string("never"));
}

static void print_csv_text(const char *text)
{
	/* What a spreadsheet would take for a formula is kept from being one. */
	bool formula = *text && strchr("=+-@\t\r", *text);

	(void)fputs(formula ? "\"'" : "\"", stdout);
	for (; *text; text++) {
		if (*text == '"')
			(void)fputc('"', stdout);
		(void)fputc(*text, stdout);
	}
	(void)fputc('"', stdout);
}

static void print_csv(const json_t *list)
{
	json_t *token;
	size_t i;

	for (size_t c = 0; c < COUNT_OF(columns); c++)
		(void)printf("%s%s", c ? "," : "", columns[c].name);
	(void)fputs("\r\n", stdout);
	json_array_foreach(list, i, token)
	{
		for (size_t c = 0; c < COUNT_OF(columns); c++) {
			if (c)
				(void)fputc(',', stdout);
			print_csv_text(text_of(token, columns[c].name));
		}
		(void)fputs("\r\n", stdout);
	}
}

static size_t shown_length(const struct column *column, const json_t *token)
{
	size_t length = strlen(text_of(token, column->name));

	/* The day says enough; ids are given whole, they are what `revoke` takes. */
	if (strchr("CEL", column->title[0]) && strcmp(column->title, "COMMENT") != 0 && length > 10)
		return 10;
	return length ? length : 1;
}

static void print_cell(const struct column *column, const json_t *token, size_t width)
{
	const char *text = text_of(token, column->name);
	size_t length = shown_length(column, token);
	AUTO(mem_freep) char *shown = mem_strndup(*text ? text : "-", length);

	print_foreign(stdout, shown);
	for (; length < width; length++)
		(void)fputc(' ', stdout);
}

static void print_table(const json_t *list)
{
	size_t widths[COUNT_OF(columns)], i;
	const json_t *token;

	for (size_t c = 0; c < COUNT_OF(columns); c++) {
		widths[c] = strlen(columns[c].title);
		json_array_foreach(list, i, token)
		{
			size_t length = shown_length(&columns[c], token);

			widths[c] = length > widths[c] ? length : widths[c];
		}
		(void)printf("%s%-*s", c ? "  " : "",
				c + 1 < COUNT_OF(columns) ? (int)widths[c] : 0, columns[c].title);
	}
	(void)fputc('\n', stdout);
	json_array_foreach(list, i, token)
	{
		for (size_t c = 0; c < COUNT_OF(columns); c++) {
			if (c)
				(void)fputs("  ", stdout);
			print_cell(&columns[c], token, c + 1 < COUNT_OF(columns) ? widths[c] : 0);
		}
		(void)fputc('\n', stdout);
	}
	(void)printf("%zu token%s.\n", json_array_size(list),
			json_array_size(list) == 1 ? "" : "s");
}

static bool is_meant(const struct token_command *command, const json_t *token)
{
	if (command->id && !text_equal(text_of(token, "id"), command->id))
		return false;
	if (command->owner && !text_equal_folded(text_of(token, "owner"), command->owner) &&
			!text_equal(text_of(token, "owner_id"), command->owner))
		return false;
	return !command->older_than_ms || age_ms(token) > command->older_than_ms;
}

void tokens_select(const struct token_command *command, json_t *tokens)
{
	json_t *list = json_object_get(tokens, "tokens"), *kept = json_array(), *token;
	size_t i;

	json_array_foreach(list, i, token)
	{
		complete_token(token);
		if (is_meant(command, token))
			(void)json_array_append(kept, token);
	}
	(void)json_object_set_new(tokens, "tokens", kept);
}

static int list_tokens(const struct token_command *command)
{
	AUTO(session_freep) struct session *session = NULL;
	json_auto_t *tokens = NULL;
	struct err err = {0};

	if (tokens_read(command, ENGINE_PLAN, &session, &err) != ERR_NONE)
		return fail(&err);
	tokens = engine_tokens(session_engine(session), command->workspaces);
	tokens_select(command, tokens);
	if (invocation_wants_json(command->call))
		print_json(tokens);
	else if (wants_csv(command->call))
		print_csv(json_object_get(tokens, "tokens"));
	else
		print_table(json_object_get(tokens, "tokens"));
	return tokens_tell_unread(tokens) ? EXIT_PARTLY : EXIT_DONE;
}

static enum err_code parse_options(struct token_command *command, bool revokes, struct err *err)
{
	const char *older = invocation_value(command->call, OPTION_OLDER_THAN, NULL);

	command->workspaces = invocation_value(command->call, OPTION_WORKSPACE, "*");
	command->id = invocation_value(command->call, OPTION_ID, NULL);
	command->owner = invocation_value(command->call, OPTION_OWNER, NULL);
	command->even_guarded = invocation_has(command->call, OPTION_INCLUDE_PROTECTED);
	if (older && !clock_parse_duration(older, &command->older_than_ms))
		return err_set(err, ERR_USAGE, 0,
				"--older-than: \"%s\" is no duration; say 90d or 12h", older);
	if (revokes && !command->id && !command->owner && !older)
		return err_set(err, ERR_USAGE, 0,
				"`tokens revoke` needs --id, --owner or --older-than");
	return ERR_NONE;
}

int handle_tokens(const struct invocation *call)
{
	int code = EXIT_FAILED;
	AUTO(config_freep) struct config *config = NULL;
	struct token_command command = {.call = call};
	bool lists = text_equal(call->args[0], "list");
	struct err err = {0};

	command.sweeps = text_equal(call->args[0], "sweep");
	if (parse_options(&command, !lists && !command.sweeps, &err) != ERR_NONE)
		return fail(&err);
	if (!lists && !invocation_has(call, OPTION_AUTO_APPROVE) && !can_ask()) {
		complain("nobody can be asked here: look with `tokens list`, then add "
			 "--auto-approve");
		return EXIT_USAGE;
	}
	config = load_config(call, &code);
	if (!config)
		return code;
	command.config = config;
	command.settings = config_settings(config);
	return lists ? list_tokens(&command) : tokens_revoke(&command);
}
