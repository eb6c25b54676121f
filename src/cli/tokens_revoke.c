/* tokens_revoke -- tokens that a person names, or that rules and the sweep name, are revoked: here, or by the service. */
#include "cli/tokens.h"

#include "base/clock.h"
#include "base/text.h"
#include "cli/backend.h"
#include "cli/common.h"
#include "cli/plan_text.h"

#define TOKENS_PER_REQUEST ((size_t)1000)
#define LOOK_EVERY_NS 200000000L

/* What became of it. */
struct outcome {
	size_t revoked, failed; /* failed: refused, or still under way when we stopped waiting */
	size_t held;
	size_t guarded;   /* left alone: see engine_revoke_token */
	size_t unread;    /* workspaces */
	bool handed_over; /* the service sweeps, and nobody waited for it */
};

static json_t *outcome_json(const struct outcome *outcome)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:b}", "revoked", (json_int_t)outcome->revoked,
			"failed", (json_int_t)outcome->failed, "held", (json_int_t)outcome->held,
			"guarded", (json_int_t)outcome->guarded, "unread",
			(json_int_t)outcome->unread, "handed_over", outcome->handed_over);
}

static void print_outcome(const struct token_command *command, const struct outcome *outcome)
{
	if (invocation_wants_json(command->call)) {
		json_auto_t *json = outcome_json(outcome);

		print_json(json);
		return;
	}
	if (outcome->handed_over)
		(void)puts("The service revokes them now; `ldap2dbx audit export` shows it.");
	else if (outcome->revoked + outcome->failed)
		(void)printf("%zu revoked, %zu failed.\n", outcome->revoked, outcome->failed);
	else if (outcome->held)
		(void)puts("All of these are held; see `ldap2dbx approve`.");
	else
		(void)puts("No token is to be revoked.");
}

static int exit_code(const struct outcome *outcome)
{
	bool some = outcome->revoked || outcome->handed_over;

	if (outcome->failed || outcome->guarded)
		return some ? EXIT_PARTLY : EXIT_FAILED;
	if (outcome->unread)
		return EXIT_PARTLY;
	return outcome->held && !some ? EXIT_HELD : EXIT_DONE;
}

/* ---- by the service, which holds the store: it journals, revokes and audits ---- */

static json_t *request_of(const struct token_command *command, const struct operation *ops,
		size_t count, size_t at)
{
	json_t *list = json_array();

	for (size_t i = at; i < count && i < at + TOKENS_PER_REQUEST; i++)
		(void)json_array_append_new(list,
				json_pack("{s:s, s:s}", "workspace",
						command->settings->targets[ops[i].target].name,
						"id", ops[i].object.remote_id));
	return json_pack("{s:s, s:o, s:b}", "command", "revoke_tokens", "tokens", list,
			"even_guarded", command->even_guarded);
}

static const json_t *find_waiting(
		const json_t *list, const struct token_command *command, const struct operation *op)
{
	const char *workspace = command->settings->targets[op->target].name;
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		if (text_equal(json_string_value(json_object_get(item, "id")),
				    op->object.remote_id) &&
				text_equal(json_string_value(json_object_get(item, "workspace")),
						workspace))
			return item;
	}
	return NULL;
}

/* How many of them wait; *ret_refused: of these, those that a workspace did not revoke. */
static enum err_code look(const struct token_command *command, struct backend *backend,
		const struct operation *ops, size_t count, size_t *ret_refused, size_t *ret_waiting,
		struct err *err)
{
	json_auto_t *result = NULL;
	size_t waiting = 0, refused = 0;

	if (backend_call(backend, json_pack("{s:s}", "command", "revocations"), BACKEND_TIMEOUT_MS,
			    &result, err) != ERR_NONE)
		return err->code;
	for (size_t i = 0; i < count; i++) {
		const json_t *item =
				find_waiting(json_object_get(result, "waiting"), command, &ops[i]);

		waiting += item != NULL;
		refused += json_is_string(json_object_get(item, "reason"));
	}
	*ret_waiting = waiting;
	*ret_refused = refused;
	return ERR_NONE;
}

static enum err_code wait_for_service(const struct token_command *command, struct backend *backend,
		const struct operation *ops, size_t count, size_t *ret_left)
{
	const struct timespec pause = {0, LOOK_EVERY_NS};
	uint64_t end = clock_monotonic_ns() + BACKEND_TIMEOUT_MS * UINT64_C(1000000);
	size_t waiting = count, refused = 0;
	struct err err = {0};

	while (look(command, backend, ops, count, &refused, &waiting, &err) == ERR_NONE &&
			waiting > refused && clock_monotonic_ns() < end)
		(void)nanosleep(&pause, NULL);
	if (err.code != ERR_NONE)
		complain("%s", err.text);
	else if (waiting > refused)
		complain("%zu are still under way; the service goes on with them",
				waiting - refused);
	*ret_left = waiting;
	return err.code;
}

static enum err_code by_service(const struct token_command *command, const struct operation *ops,
		size_t count, struct outcome *ret, struct err *err)
{
	AUTO(backend_freep) struct backend *backend = NULL;
	size_t left = 0;

	if (backend_new(command->config, ENGINE_PLAN, &backend, err) != ERR_NONE)
		return err->code;
	for (size_t at = 0; at < count; at += TOKENS_PER_REQUEST) {
		json_auto_t *result = NULL;
		json_t *request = command->sweeps
				? json_pack("{s:s, s:s}", "command", "sweep_tokens", "workspace",
						  command->workspaces)
				: request_of(command, ops, count, at);

		if (backend_call(backend, request, BACKEND_TIMEOUT_MS, &result, err) != ERR_NONE)
			return err->code;
		if (command->sweeps)
			break;
	}
	ret->handed_over = command->sweeps;
	if (command->sweeps)
		return ERR_NONE;
	if (wait_for_service(command, backend, ops, count, &left) != ERR_NONE)
		left = count;
	ret->failed = left;
	ret->revoked = count - left;
	return ERR_NONE;
}

/* ---- alone ---- */

/* In the workspaces that are meant; the caller's, mem_free. */
static struct operation *planned_ops(
		const struct token_command *command, struct session *session, size_t *ret_count)
{
	size_t count, kept = 0;
	const struct operation *all =
			engine_token_operations(session_engine(session), !command->sweeps, &count);
	struct operation *ops = mem_array(count + 1, sizeof(*ops));

	for (size_t i = 0; i < count; i++) {
		if (target_matches(&command->settings->targets[all[i].target], command->workspaces))
			ops[kept++] = all[i];
	}
	*ret_count = kept;
	return ops;
}

static size_t count_free(const struct operation *ops, size_t count)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		n += ops[i].held_by == NULL;
	return n;
}

static size_t count_left(const struct token_command *command, struct session *session)
{
	size_t count;
	AUTO(mem_freep) struct operation *ops = planned_ops(command, session, &count);

	return count_free(ops, count);
}

static enum err_code alone(const struct token_command *command, struct session *session,
		const struct operation *ops, size_t count, struct outcome *ret, struct err *err)
{
	size_t before = count_free(ops, count);
	enum err_code code;

	engine_go(session_engine(session), ops, count);
	code = session_run(session, ENGINE_DONE, err);
	ret->failed = count_left(command, session);
	ret->revoked = before > ret->failed ? before - ret->failed : 0;
	return code;
}

/* ---- both ---- */

static bool is_confirmed(const struct token_command *command, size_t count)
{
	AUTO(mem_freep)
	char *question =
			mem_printf("\nRevoke %zu token%s, for good?", count, count == 1 ? "" : "s");

	if (invocation_has(command->call, OPTION_AUTO_APPROVE) || ask_yes(question))
		return true;
	(void)puts("Nothing was changed.");
	return false;
}

static int decide(const struct token_command *command, struct session *session,
		struct outcome *outcome)
{
	struct canvas canvas = canvas_for(command->call);
	size_t count = 0, go;
	AUTO(mem_freep) struct operation *ops = planned_ops(command, session, &count);
	enum err_code code = ERR_NONE;
	struct err err = {0};

	go = count_free(ops, count);
	outcome->held = count - go;
	if (!invocation_wants_json(command->call))
		operations_print(&canvas, ops, count, command->settings,
				invocation_has(command->call, OPTION_FULL));
	if (go && !is_confirmed(command, go))
		return EXIT_FAILED;
	if (go)
		code = command->through_service
				? by_service(command, ops, count, outcome, &err)
				: alone(command, session, ops, count, outcome, &err);
	print_outcome(command, outcome);
	return code == ERR_NONE ? exit_code(outcome) : fail(&err);
}

/* Marks those that are meant, but for those that are left alone: how many these are. */
static size_t request_tokens(const struct token_command *command, struct session *session)
{
	json_auto_t *tokens = engine_tokens(session_engine(session), command->workspaces);
	const json_t *token;
	size_t i, guarded = 0;

	tokens_select(command, tokens);
	json_array_foreach(json_object_get(tokens, "tokens"), i, token)
	{
		if (!command->even_guarded && json_is_string(json_object_get(token, "guarded")))
			guarded++;
		else
			(void)engine_revoke_token(session_engine(session),
					json_string_value(json_object_get(token, "workspace")),
					json_string_value(json_object_get(token, "id")),
					command->even_guarded);
	}
	if (guarded)
		complain("%zu of these %s left alone: the owner is protected or unknown, or we "
			 "sign in as him; --include-protected takes %s, too",
				guarded, guarded == 1 ? "is" : "are", guarded == 1 ? "it" : "them");
	return guarded;
}

static size_t tell_unread(const struct token_command *command, struct session *session)
{
	json_auto_t *tokens = engine_tokens(session_engine(session), command->workspaces);

	return tokens_tell_unread(tokens);
}

int tokens_revoke(struct token_command *command)
{
	AUTO(session_freep) struct session *session = NULL;
	struct outcome outcome = {0};
	enum engine_mode mode;
	struct err err = {0};

	command->through_service = service_is_running(command->settings);
	mode = command->through_service ? ENGINE_PLAN : ENGINE_APPLY;
	if (check_may_write(command->settings, &err) != ERR_NONE ||
			tokens_read(command, mode, &session, &err) != ERR_NONE)
		return fail(&err);
	outcome.unread = tell_unread(command, session);
	if (!command->sweeps)
		outcome.guarded = request_tokens(command, session);
	return decide(command, session, &outcome);
}
