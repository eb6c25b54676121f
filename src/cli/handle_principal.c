/* sync: one principal, or everything. */
#include "cli/handlers.h"

#include "base/clock.h"
#include "base/text.h"
#include "cli/backend.h"
#include "cli/common.h"
#include "cli/plan_text.h"
#include "service/control_protocol.h"
#include "sync/discover.h"
#include "sync/plan_file.h"

/* How much longer than the service itself we wait for its answer. */
#define ANSWER_GRACE_MS 10000

/* ---- sync ---- */

struct sync_request {
	enum principal_kind kind;
	const char *name;
	int64_t timeout_ms;
};

static enum err_code parse_sync(
		const struct invocation *call, struct sync_request *ret, struct err *err)
{
	const char *timeout = invocation_value(call, OPTION_TIMEOUT, "30s");

	*ret = (struct sync_request){.name = call->args[1]};
	if (text_equal(call->args[0], "group"))
		ret->kind = PRINCIPAL_GROUP;
	else if (text_equal(call->args[0], "service-principal"))
		ret->kind = PRINCIPAL_SERVICE;
	if (!clock_parse_duration(timeout, &ret->timeout_ms) ||
			ret->timeout_ms > CONTROL_TIMEOUT_MAX_MS)
		return err_set(err, ERR_USAGE, 0,
				"--timeout: \"%s\" is no duration up to 10min; say 30s or 2min",
				timeout);
	return ERR_NONE;
}

static int sync_code(const json_t *result)
{
	const char *state = json_string_value(json_object_get(result, "state"));

	if (text_equal(state, "done"))
		return EXIT_DONE;
	return text_equal(state, "held") ? EXIT_HELD : EXIT_PARTLY;
}

static void print_sync(
		const struct canvas *canvas, const json_t *result, const struct settings *settings)
{
	const json_t *operations = json_object_get(result, "operations");
	const char *state = json_string_value(json_object_get(result, "state"));
	const char *reason = json_string_value(json_object_get(result, "reason"));

	print_operations_json(canvas, operations, settings, true);
	print_foreign(canvas->file, json_string_value(json_object_get(result, "name")));
	if (text_equal(state, "done") && !json_array_size(operations))
		(void)fputs(": in order, nothing to do\n", canvas->file);
	else if (text_equal(state, "under_way"))
		(void)fputs(": under way; see `ldap2dbx explain`\n", canvas->file);
	else if (text_equal(state, "held"))
		(void)fputs(": held; see `ldap2dbx status`\n", canvas->file);
	else
		(void)fprintf(canvas->file, ": %s%s", state ? state : "?", reason ? "" : "\n");
	if (reason) {
		(void)fputs(": ", canvas->file);
		print_foreign(canvas->file, reason);
		(void)fputc('\n', canvas->file);
	}
}

static enum err_code sync_through_service(struct config *config, const struct sync_request *request,
		json_t **ret, struct err *err)
{
	AUTO(backend_freep) struct backend *backend = NULL;
	json_t *json = json_pack("{s:s, s:s, s:s, s:I}", "command", "sync", "kind",
			principal_kind_name(request->kind), "name", request->name, "timeout_ms",
			(json_int_t)request->timeout_ms);

	if (backend_new(config, ENGINE_PLAN, &backend, err) != ERR_NONE) {
		json_decref(json);
		return err->code;
	}
	return backend_call(
			backend, json, (uint64_t)request->timeout_ms + ANSWER_GRACE_MS, ret, err);
}

static const char *state_alone(const struct engine_progress *progress)
{
	if (progress->operations_failed || progress->quarantined)
		return "quarantined";
	return progress->held ? "held" : "done";
}

static json_t *operations_as_json(const struct plan *plan, const struct settings *settings)
{
	json_t *list = json_array();

	for (size_t i = 0; i < plan->count; i++)
		(void)json_array_append_new(
				list, operation_to_json(&plan->operations[i], settings));
	return list;
}

/* An engine that looks at one principal only finds nothing to do for a name that nobody has. */
static enum err_code check_known(
		const struct engine *engine, const struct sync_request *request, struct err *err)
{
	json_auto_t *explain = NULL;
	const char *kind;

	if (engine_explain(engine, request->name, &explain, err) != ERR_NONE)
		return err->code;
	kind = json_string_value(json_object_get(explain, "kind"));
	if (!text_equal(kind, principal_kind_name(request->kind)))
		return err_set(err, ERR_NOT_FOUND, 0, "\"%s\" is a %s", request->name,
				kind ? kind : "principal of another kind");
	return ERR_NONE;
}

static enum err_code sync_alone(struct config *config, const struct sync_request *request,
		json_t **ret, struct err *err)
{
	AUTO(session_freep) struct session *session = NULL;
	struct engine_options options = {.mode = ENGINE_APPLY,
			.config = config,
			.only_kind = request->kind,
			.only_name = request->name};
	struct engine_progress progress;
	const struct plan *plan;

	if (check_may_write(config_settings(config), err) != ERR_NONE ||
			discover_now(config, DISCOVER_MS, err) != ERR_NONE ||
			session_new(&options, &session, err) != ERR_NONE ||
			session_run(session, ENGINE_PLANNED, err) != ERR_NONE)
		return err->code;
	if (check_known(session_engine(session), request, err) != ERR_NONE)
		return err->code;
	engine_go(session_engine(session), NULL, 0);
	if (session_run(session, ENGINE_DONE, err) != ERR_NONE)
		return err->code;
	engine_progress(session_engine(session), &progress);
	plan = engine_plan(session_engine(session));
	*ret = json_pack("{s:n, s:s, s:s, s:s?, s:o}", "key", "name", request->name, "state",
			state_alone(&progress), "reason",
			plan->note_count ? plan->notes[0].text : NULL, "operations",
			operations_as_json(plan, config_settings(config)));
	return ERR_NONE;
}

static int sync_everything(struct config *config)
{
	AUTO(backend_freep) struct backend *backend = NULL;
	json_auto_t *result = NULL;
	struct err err = {0};

	if (!service_is_running(config_settings(config))) {
		complain("no service runs on this store; `ldap2dbx apply` brings everything in "
			 "order without one");
		return EXIT_USAGE;
	}
	if (backend_new(config, ENGINE_PLAN, &backend, &err) != ERR_NONE ||
			backend_call(backend, json_pack("{s:s}", "command", "reconcile"),
					BACKEND_TIMEOUT_MS, &result, &err) != ERR_NONE)
		return fail(&err);
	(void)puts("The service reads and compares everything now; `ldap2dbx status` shows how far "
		   "it is.");
	return EXIT_DONE;
}

int handle_sync(const struct invocation *call)
{
	int code = EXIT_FAILED;
	AUTO(config_freep) struct config *config = NULL;
	struct sync_request request;
	json_auto_t *result = NULL;
	struct canvas canvas = canvas_for(call);
	struct err err = {0};

	if (call->arg_count == 1) {
		complain("`sync %s` needs a name: ldap2dbx sync %s NAME", call->args[0],
				call->args[0]);
		return EXIT_USAGE;
	}
	if (parse_sync(call, &request, &err) != ERR_NONE)
		return fail(&err);
	config = load_config(call, &code);
	if (!config)
		return code;
	if (!call->arg_count)
		return sync_everything(config);
	if ((service_is_running(config_settings(config)) ? sync_through_service : sync_alone)(
			    config, &request, &result, &err) != ERR_NONE)
		return fail(&err);
	if (invocation_wants_json(call))
		print_json(result);
	else
		print_sync(&canvas, result, config_settings(config));
	return sync_code(result);
}
