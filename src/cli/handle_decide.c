/* approve, reject, retry: what waits for a person. */
#include "cli/handlers.h"

#include "base/text.h"
#include "cli/backend.h"
#include "cli/common.h"
#include "service/control_protocol.h"

/* Ids per request, well below CONTROL_IDS_MAX and CONTROL_REQUEST_MAX. */
#define IDS_PER_REQUEST ((size_t)10000)

struct decision {
	const struct invocation *call;
	const struct settings *settings;
	struct backend *backend;
	const char *command; /* "approve" or "reject" */
};

static json_t *request_for(const struct decision *decision)
{
	return json_pack("{s:s}", "command", decision->command);
}

/* What the selector stands for now, as a list of operations. */
static enum err_code list_held(const struct decision *decision, json_t **ret, struct err *err)
{
	json_t *request = request_for(decision);

	(void)json_object_set_new(request, "selector", json_string(decision->call->args[0]));
	(void)json_object_set_new(request, "dry_run", json_true());
	return backend_call(decision->backend, request, BACKEND_TIMEOUT_MS, ret, err);
}

static json_t *ids_of(const json_t *operations, size_t from)
{
	json_t *ids = json_array();

	for (size_t i = from; i < json_array_size(operations) && i < from + IDS_PER_REQUEST; i++)
		(void)json_array_append(ids, json_object_get(json_array_get(operations, i), "id"));
	return ids;
}

/* Decides on exactly the operations listed, in portions; adds up what was decided and what was held
 * no more. */
static enum err_code decide_on(const struct decision *decision, const json_t *operations,
		json_t *result, struct err *err)
{
	const char *reason = invocation_value(decision->call, OPTION_REASON, NULL);

	for (size_t at = 0; at < json_array_size(operations); at += IDS_PER_REQUEST) {
		json_auto_t *part = NULL;
		json_t *request = request_for(decision);

		(void)json_object_set_new(request, "operations", ids_of(operations, at));
		if (reason)
			(void)json_object_set_new(request, "reason", json_string(reason));
		if (backend_call(decision->backend, request, BACKEND_TIMEOUT_MS, &part, err) !=
				ERR_NONE)
			return err->code;
		(void)json_array_extend(json_object_get(result, "operations"),
				json_object_get(part, "operations"));
		(void)json_array_extend(
				json_object_get(result, "gone"), json_object_get(part, "gone"));
	}
	return ERR_NONE;
}

static void print_decided(const struct decision *decision, const json_t *result)
{
	size_t count = json_array_size(json_object_get(result, "operations"));
	size_t gone = json_array_size(json_object_get(result, "gone"));

	(void)printf("%zu %s.%s\n", count,
			text_equal(decision->command, "approve") ? "approved" : "rejected",
			backend_is_service(decision->backend) || !count ? ""
					: text_equal(decision->command, "approve")
					? " The next `ldap2dbx apply` or `run` carries them out."
					: "");
	if (gone)
		(void)printf("%zu were held no more.\n", gone);
}

static int decide_shown(const struct decision *decision, const json_t *operations)
{
	json_auto_t *result = json_pack("{s:[], s:[]}", "operations", "gone");
	struct err err = {0};

	if (decide_on(decision, operations, result, &err) != ERR_NONE)
		return fail(&err);
	if (invocation_wants_json(decision->call))
		print_json(result);
	else
		print_decided(decision, result);
	return EXIT_DONE;
}

/* Whether to go on: asked for without a question, or answered with yes. */
static bool is_confirmed(const struct decision *decision, size_t count)
{
	AUTO(mem_freep)
	char *question = mem_printf("\n%s %zu held removal%s?",
			text_equal(decision->command, "approve") ? "Let go" : "Reject", count,
			count == 1 ? "" : "s");

	if (invocation_has(decision->call, OPTION_AUTO_APPROVE) || ask_yes(question))
		return true;
	(void)puts("Nothing was decided.");
	return false;
}

static int decide(const struct decision *decision)
{
	bool json = invocation_wants_json(decision->call);
	bool dry = invocation_has(decision->call, OPTION_DRY_RUN);
	struct canvas canvas = canvas_for(decision->call);
	json_auto_t *listed = NULL;
	const json_t *operations;
	struct err err = {0};

	if (list_held(decision, &listed, &err) != ERR_NONE)
		return fail(&err);
	operations = json_object_get(listed, "operations");
	if (json && dry)
		print_json(listed);
	else if (!json)
		print_operations_json(&canvas, operations, decision->settings,
				invocation_has(decision->call, OPTION_FULL));
	if (dry)
		return EXIT_DONE;
	return is_confirmed(decision, json_array_size(operations))
			? decide_shown(decision, operations)
			: EXIT_FAILED;
}

static int handle_decision(const struct invocation *call, const char *command)
{
	int code = EXIT_FAILED;
	AUTO(config_freep) struct config *config = NULL;
	AUTO(backend_freep) struct backend *backend = NULL;
	struct err err = {0};

	if (!invocation_has(call, OPTION_AUTO_APPROVE) && !invocation_has(call, OPTION_DRY_RUN) &&
			!can_ask()) {
		complain("nobody can be asked here: look with --dry-run, then add --auto-approve");
		return EXIT_USAGE;
	}
	config = load_config(call, &code);
	if (!config)
		return code;
	if (backend_new(config, ENGINE_APPLY, &backend, &err) != ERR_NONE)
		return fail(&err);
	return decide(&(struct decision){call, config_settings(config), backend, command});
}

int handle_approve(const struct invocation *call)
{
	return handle_decision(call, "approve");
}

int handle_reject(const struct invocation *call)
{
	return handle_decision(call, "reject");
}

static void print_retried(const struct backend *backend, const json_t *result)
{
	const json_t *list = json_object_get(result, "retried");
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		(void)fputs("  ", stdout);
		print_foreign(stdout, json_string_value(json_object_get(item, "name")));
		(void)fputc('\n', stdout);
	}
	(void)printf("%zu %s.\n", json_array_size(list),
			backend_is_service(backend)
					? "tried again now"
					: "tried again at the next `ldap2dbx apply` or `run`");
}

int handle_retry(const struct invocation *call)
{
	int code = EXIT_FAILED;
	AUTO(config_freep) struct config *config = load_config(call, &code);
	AUTO(backend_freep) struct backend *backend = NULL;
	json_auto_t *result = NULL;
	struct err err = {0};

	if (!config)
		return code;
	if (backend_new(config, ENGINE_APPLY, &backend, &err) != ERR_NONE ||
			backend_call(backend,
					json_pack("{s:s, s:s}", "command", "retry", "who",
							call->args[0]),
					BACKEND_TIMEOUT_MS, &result, &err) != ERR_NONE)
		return fail(&err);
	if (invocation_wants_json(call))
		print_json(result);
	else
		print_retried(backend, result);
	return EXIT_DONE;
}
