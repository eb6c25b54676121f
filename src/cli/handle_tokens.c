/* tokens: personal access tokens of all workspaces, listed and revoked. */
#include "cli/handlers.h"

#include "base/clock.h"
#include "base/text.h"
#include "base/vec.h"
#include "cli/backend.h"
#include "cli/common.h"
#include "cli/plan_text.h"
#include "cli/session.h"
#include "sync/discover.h"

#include <inttypes.h>

#define TOKENS_PER_REQUEST ((size_t)1000)
#define DAY_MS (INT64_C(24) * 60 * 60 * 1000)

struct token_command {
	const struct invocation *call;
	struct config *config;
	const struct settings *settings;
	const char *workspaces;
	const char *id, *owner; /* NULL: any */
	int64_t older_than_ms;  /* 0: any */
	bool through_service;
};

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

/* An engine of our own reads directory and tokens; with mode ENGINE_APPLY it may revoke, too. */
static enum err_code read_tokens(const struct token_command *command, enum engine_mode mode,
		struct session **ret, struct err *err)
{
	struct engine_options options = {.mode = mode, .config = command->config};
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

static void tell_unread(const json_t *tokens)
{
	const json_t *item;
	size_t i;

	json_array_foreach(json_object_get(tokens, "unread"), i, item)
	{
		const char *reason = json_string_value(json_object_get(item, "reason"));

		complain("%s: the tokens could not be listed%s%s", text_of(item, "workspace"),
				reason ? ": " : "", reason ? reason : "");
	}
}

static int code_of(const json_t *tokens)
{
	return json_array_size(json_object_get(tokens, "unread")) ? EXIT_PARTLY : EXIT_DONE;
}

/* ---- list ---- */

struct column {
	const char *title, *name;
};
static const struct column columns[] = {{"WORKSPACE", "workspace"}, {"TOKEN", "id"},
		{"OWNER", "owner"}, {"STATE", "state"}, {"CREATED", "created"}, {"AGE", "age"},
		{"EXPIRES", "expires"}, {"LAST USED", "last_used"}, {"COMMENT", "comment"}};

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

/* Those that the options name. */
static void select_tokens(const struct token_command *command, json_t *tokens)
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

	if (read_tokens(command, ENGINE_PLAN, &session, &err) != ERR_NONE)
		return fail(&err);
	tokens = engine_tokens(session_engine(session), command->workspaces);
	select_tokens(command, tokens);
	if (invocation_wants_json(command->call))
		print_json(tokens);
	else if (wants_csv(command->call))
		print_csv(json_object_get(tokens, "tokens"));
	else
		print_table(json_object_get(tokens, "tokens"));
	tell_unread(tokens);
	return code_of(tokens);
}

/* ---- revoke and sweep ---- */

static json_t *request_of(const struct operation *ops, size_t count, size_t at,
		const struct settings *settings)
{
	json_t *list = json_array();

	for (size_t i = at; i < count && i < at + TOKENS_PER_REQUEST; i++)
		(void)json_array_append_new(list,
				json_pack("{s:s, s:s}", "workspace",
						settings->targets[ops[i].target].name, "id",
						ops[i].object.remote_id));
	return json_pack("{s:s, s:o}", "command", "revoke_tokens", "tokens", list);
}

/* The service holds the store: it journals, revokes and audits. */
static int hand_to_service(const struct token_command *command, const struct operation *ops,
		size_t count, bool sweeps)
{
	AUTO(backend_freep) struct backend *backend = NULL;
	struct err err = {0};

	if (backend_new(command->config, ENGINE_PLAN, &backend, &err) != ERR_NONE)
		return fail(&err);
	for (size_t at = 0; at < count; at += TOKENS_PER_REQUEST) {
		json_auto_t *result = NULL;
		json_t *request = sweeps ? json_pack("{s:s, s:s}", "command", "sweep_tokens",
							   "workspace", command->workspaces)
					 : request_of(ops, count, at, command->settings);

		if (backend_call(backend, request, BACKEND_TIMEOUT_MS, &result, &err) != ERR_NONE)
			return fail(&err);
		if (sweeps)
			break;
	}
	(void)puts("The service revokes them now; `ldap2dbx audit export` shows it.");
	return EXIT_DONE;
}

static int carry_out(struct session *session, const struct operation *ops, size_t count)
{
	struct engine_progress progress;
	struct err err = {0};
	enum err_code code;

	engine_go(session_engine(session), ops, count);
	code = session_run(session, ENGINE_DONE, &err);
	engine_progress(session_engine(session), &progress);
	(void)printf("%zu revoked, %zu failed.\n", progress.operations_done,
			progress.operations_failed);
	if (code != ERR_NONE)
		return fail(&err);
	if (progress.operations_failed)
		return progress.operations_done ? EXIT_PARTLY : EXIT_FAILED;
	return EXIT_DONE;
}

static size_t count_free(const struct operation *ops, size_t count)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		n += ops[i].held_by == NULL;
	return n;
}

static void show(const struct token_command *command, const struct operation *ops, size_t count)
{
	struct canvas canvas = canvas_for(command->call);

	operations_print(&canvas, ops, count, command->settings,
			invocation_has(command->call, OPTION_FULL));
}

/* In the workspaces that are meant; the caller's, mem_free. */
static struct operation *planned_ops(const struct token_command *command, struct session *session,
		bool sweeps, size_t *ret_count)
{
	size_t count, kept = 0;
	const struct operation *all =
			engine_token_operations(session_engine(session), !sweeps, &count);
	struct operation *ops = mem_array(count + 1, sizeof(*ops));

	for (size_t i = 0; i < count; i++) {
		if (target_matches(&command->settings->targets[all[i].target], command->workspaces))
			ops[kept++] = all[i];
	}
	*ret_count = kept;
	return ops;
}

static int decide(const struct token_command *command, struct session *session, bool sweeps)
{
	json_auto_t *tokens = engine_tokens(session_engine(session), command->workspaces);
	size_t count = 0, go;
	AUTO(mem_freep) struct operation *ops = planned_ops(command, session, sweeps, &count);
	AUTO(mem_freep) char *question = NULL;

	tell_unread(tokens);
	go = count_free(ops, count);
	show(command, ops, count);
	if (!go) {
		(void)puts(count ? "All of these are held; see `ldap2dbx approve`."
				 : "No token is to be revoked.");
		return count ? EXIT_HELD : code_of(tokens);
	}
	question = mem_printf("\nRevoke %zu token%s, for good?", go, go == 1 ? "" : "s");
	if (!invocation_has(command->call, OPTION_AUTO_APPROVE) && !ask_yes(question)) {
		(void)puts("Nothing was changed.");
		return EXIT_FAILED;
	}
	if (command->through_service)
		return hand_to_service(command, ops, count, sweeps);
	return carry_out(session, ops, count);
}

/* Marks those that are meant; how many. */
static size_t request_tokens(const struct token_command *command, struct session *session)
{
	json_auto_t *tokens = engine_tokens(session_engine(session), command->workspaces);
	const json_t *token;
	size_t i;

	select_tokens(command, tokens);
	json_array_foreach(json_object_get(tokens, "tokens"), i, token)(void) engine_revoke_token(
			session_engine(session), text_of(token, "workspace"), text_of(token, "id"));
	return json_array_size(json_object_get(tokens, "tokens"));
}

static int revoke_tokens(struct token_command *command, bool sweeps)
{
	AUTO(session_freep) struct session *session = NULL;
	struct err err = {0};
	size_t wanted, planned;

	command->through_service = service_is_running(command->settings);
	if (check_may_write(command->settings, &err) != ERR_NONE ||
			read_tokens(command, command->through_service ? ENGINE_PLAN : ENGINE_APPLY,
					&session, &err) != ERR_NONE)
		return fail(&err);
	wanted = sweeps ? 0 : request_tokens(command, session);
	(void)engine_token_operations(session_engine(session), !sweeps, &planned);
	if (wanted > planned)
		complain("%zu of these are left alone: their owners are protected, or we sign in "
			 "as them",
				wanted - planned);
	return decide(command, session, sweeps);
}

static enum err_code parse_options(struct token_command *command, bool revokes, struct err *err)
{
	const char *older = invocation_value(command->call, OPTION_OLDER_THAN, NULL);

	command->workspaces = invocation_value(command->call, OPTION_WORKSPACE, "*");
	command->id = invocation_value(command->call, OPTION_ID, NULL);
	command->owner = invocation_value(command->call, OPTION_OWNER, NULL);
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
	bool sweeps = text_equal(call->args[0], "sweep");
	struct err err = {0};

	if (parse_options(&command, !lists && !sweeps, &err) != ERR_NONE)
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
	return lists ? list_tokens(&command) : revoke_tokens(&command, sweeps);
}
