/* explain, who-can and diff: who has what, and why. */
#include "cli/handlers.h"

#include "cli/backend.h"
#include "cli/common.h"
#include "cli/report.h"
#include "service/control_protocol.h"

/* How much longer than the service itself we wait for its answer. */
#define ANSWER_GRACE_MS 10000

/* Alone, the directory and Databricks are read anew. request is given away. */
static enum err_code ask(struct config *config, json_t *request, json_t **ret, struct err *err)
{
	AUTO(backend_freep) struct backend *backend = NULL;
	enum err_code code = backend_new(config, ENGINE_PLAN, &backend, err);

	if (code == ERR_NONE && !backend_is_service(backend))
		code = session_run(backend_session(backend), ENGINE_PLANNED, err);
	if (code != ERR_NONE) {
		json_decref(request);
		return code;
	}
	return backend_call(backend, request, CONTROL_QUESTION_MS + ANSWER_GRACE_MS, ret, err);
}

struct form {
	void (*text)(const struct canvas *canvas, const json_t *answer);
	void (*csv)(FILE *file, const json_t *answer);
};

/* request is given away. form->text NULL: as explain. */
static int answer(const struct invocation *call, json_t *request, const struct form *form)
{
	int code = EXIT_FAILED;
	AUTO(config_freep) struct config *config = load_config(call, &code);
	json_auto_t *result = NULL;
	struct canvas canvas = canvas_for(call);
	struct err err = {0};

	if (!config) {
		json_decref(request);
		return code;
	}
	if (ask(config, request, &result, &err) != ERR_NONE)
		return fail(&err);
	if (invocation_wants_json(call))
		print_json(result);
	else if (invocation_wants_csv(call))
		form->csv(stdout, result);
	else if (form->text)
		form->text(&canvas, result);
	else
		report_explain(&canvas, result, config_settings(config));
	return EXIT_DONE;
}

/* Fields that were not given are left out of the request. */
static void put(json_t *request, const char *name, const char *value)
{
	if (value)
		(void)json_object_set_new(request, name, json_string(value));
}

int handle_explain(const struct invocation *call)
{
	static const struct form alone = {NULL, csv_explain}, on_object = {report_ways, csv_ways};
	bool has_object = call->arg_count == 2;
	json_t *request = json_pack("{s:s, s:s}", "command", "explain", "who", call->args[0]);

	if (invocation_has(call, OPTION_WORKSPACE) && !has_object) {
		json_decref(request);
		complain("--workspace needs an OBJECT: ldap2dbx explain PRINCIPAL OBJECT");
		return EXIT_USAGE;
	}
	put(request, "object", has_object ? call->args[1] : NULL);
	put(request, "workspace", invocation_value(call, OPTION_WORKSPACE, NULL));
	return answer(call, request, has_object ? &on_object : &alone);
}

int handle_who_can(const struct invocation *call)
{
	static const struct form form = {report_who_can, csv_who_can};
	json_t *request = json_pack("{s:s, s:s, s:b}", "command", "who_can", "object",
			call->args[0], "expand", invocation_has(call, OPTION_EXPAND));

	put(request, "level", call->arg_count == 2 ? call->args[1] : NULL);
	put(request, "workspace", invocation_value(call, OPTION_WORKSPACE, NULL));
	return answer(call, request, &form);
}

int handle_diff(const struct invocation *call)
{
	static const struct form form = {report_diff, csv_diff};

	return answer(call,
			json_pack("{s:s, s:s, s:s}", "command", "diff", "who", call->args[0],
					"other", call->args[1]),
			&form);
}
