/* plan and apply. */
#include "cli/handlers.h"

#include "cli/backend.h"
#include "cli/common.h"
#include "cli/plan_match.h"
#include "cli/plan_save.h"
#include "cli/plan_text.h"
#include "cli/session.h"
#include "sync/discover.h"
#include "sync/plan_file.h"

#include <inttypes.h>
#include <stdlib.h>

#define STALE_SHOWN 50

static size_t count_free(const struct plan *plan)
{
	size_t count = 0;

	for (size_t i = 0; i < plan->count; i++)
		count += plan->operations[i].held_by == NULL;
	return count;
}

static bool has_trouble(const struct plan *plan)
{
	for (size_t i = 0; i < plan->note_count; i++) {
		if (plan->notes[i].kind == NOTE_QUARANTINE ||
				plan->notes[i].kind == NOTE_INCOMPLETE)
			return true;
	}
	return !plan->complete;
}

/* What there is to say if nothing is to be done, or nothing was. */
static int idle_code(const struct plan *plan)
{
	if (has_trouble(plan))
		return EXIT_PARTLY;
	return plan->count ? EXIT_HELD : EXIT_DONE;
}

static void show_plan(const struct invocation *call, const struct session *session,
		const struct settings *settings)
{
	struct canvas canvas = canvas_for(call);
	struct engine_progress progress;

	engine_progress(session_engine(session), &progress);
	plan_print(&canvas, engine_plan(session_engine(session)), settings, progress.calls,
			invocation_has(call, OPTION_FULL));
}

/* ---- plan ---- */

static int output_plan(const struct invocation *call, const struct session *session,
		const struct settings *settings)
{
	const struct plan *plan = engine_plan(session_engine(session));
	const char *path = invocation_value(call, OPTION_OUT, NULL);
	json_auto_t *json =
			path || invocation_wants_json(call) ? plan_to_json(plan, settings) : NULL;
	struct err err = {0};

	if (invocation_wants_json(call))
		print_json(json);
	else if (invocation_wants_csv(call))
		plan_csv(stdout, plan, settings);
	else
		show_plan(call, session, settings);
	if (path && plan_save(path, json, &err) != ERR_NONE)
		return fail(&err);
	if (path && !invocation_wants_json(call) && !invocation_wants_csv(call))
		(void)printf("Written to %s. To carry out exactly this: ldap2dbx apply %s\n", path,
				path);
	return count_free(plan) ? EXIT_CHANGES : idle_code(plan);
}

int handle_plan(const struct invocation *call)
{
	int code = EXIT_FAILED;
	AUTO(config_freep) struct config *config = load_config(call, &code);
	AUTO(session_freep) struct session *session = NULL;
	struct engine_options options = {.mode = ENGINE_PLAN, .config = config};
	struct err err = {0};

	if (!config)
		return code;
	if (discover_now(config, DISCOVER_MS, &err) != ERR_NONE ||
			session_new(&options, &session, &err) != ERR_NONE ||
			session_run(session, ENGINE_PLANNED, &err) != ERR_NONE)
		return fail(&err);
	return output_plan(call, session, config_settings(config));
}

/* ---- apply ---- */

/* Carries out and reports. allowed: as engine_go. */
static int carry_out(struct session *session, const struct operation *allowed, size_t count)
{
	const struct plan *plan = engine_plan(session_engine(session));
	struct engine_progress progress;
	struct err err = {0};
	enum err_code code;

	engine_go(session_engine(session), allowed, count);
	code = session_run(session, ENGINE_DONE, &err);
	engine_progress(session_engine(session), &progress);
	(void)printf("%s: %zu done, %zu failed, %zu left, %zu held, %zu quarantined. %" PRIu64
		     " call%s made.\n",
			code == ERR_NONE ? "Applied" : "Ended early", progress.operations_done,
			progress.operations_failed, progress.operations_left, progress.held,
			progress.quarantined, progress.calls, progress.calls == 1 ? "" : "s");
	if (code == ERR_CANCELLED)
		complain("interrupted; what was under way is written down, and the next run goes "
			 "on from there");
	else if (code != ERR_NONE)
		complain("%s", err.text);
	if (code != ERR_NONE)
		return exit_code_of(code);
	if (progress.operations_failed)
		return progress.operations_done ? EXIT_PARTLY : EXIT_FAILED;
	if (progress.quarantined || has_trouble(plan))
		return EXIT_PARTLY;
	return progress.held && !progress.operations_done ? EXIT_HELD : EXIT_DONE;
}

static int apply_plan(const struct invocation *call, struct session *session,
		const struct settings *settings)
{
	const struct plan *plan = engine_plan(session_engine(session));

	show_plan(call, session, settings);
	if (!count_free(plan))
		return idle_code(plan);
	if (!invocation_has(call, OPTION_AUTO_APPROVE) && !ask_yes("\nCarry this out?")) {
		(void)puts("Nothing was changed.");
		return EXIT_FAILED;
	}
	return carry_out(session, NULL, 0);
}

static void tell_stale(const struct plan_file *file, const struct plan_match *match,
		const struct settings *settings, bool complete)
{
	AUTO(arena_freep) struct arena *arena = arena_new();
	size_t shown = 0;

	for (size_t i = 0; i < file->count && shown < STALE_SHOWN; i++) {
		if (!match->stale[i])
			continue;
		shown++;
		(void)fputs("  skipped: ", stdout);
		print_foreign(stdout, operation_describe(&file->operations[i], settings, arena));
		(void)fputs(complete ? " (its object has moved on)\n"
				     : " (its object has moved on, or could not be read)\n",
				stdout);
	}
	if (match->stale_count > shown)
		(void)printf("  skipped: %zu more\n", match->stale_count - shown);
	if (match->uncovered)
		(void)printf("  left alone: %zu change%s that the file does not name\n",
				match->uncovered, match->uncovered == 1 ? "" : "s");
	if (match->held)
		(void)printf("  held: %zu; a plan file does not release them, `ldap2dbx approve` "
			     "does\n",
				match->held);
}

static int apply_file(struct session *session, const struct plan_file *file,
		const struct settings *settings)
{
	const struct plan *plan = engine_plan(session_engine(session));
	struct plan_match match;
	size_t go;
	bool stale;

	plan_match(file, plan, &match);
	(void)printf("Plan file: %zu of %zu operations go ahead.\n", match.go, file->count);
	tell_stale(file, &match, settings, plan->complete);
	go = match.go;
	stale = match.stale_count > 0;
	plan_match_release(&match);
	if (go)
		return carry_out(session, file->operations, file->count);
	if (stale)
		return has_trouble(plan) ? EXIT_PARTLY : EXIT_DONE;
	return file->count ? EXIT_HELD : EXIT_DONE;
}

/* The lock of the store would refuse it as well; this says what to do instead. */
static enum err_code check_no_service(const struct settings *settings, struct err *err)
{
	if (!service_is_running(settings))
		return ERR_NONE;
	return err_set(err, ERR_CONFLICT, 0,
			"the service runs on this store and applies changes by itself; see "
			"`ldap2dbx status`, let held "
			"removals go with `ldap2dbx approve`, or stop the service first");
}

static int apply_config(const struct invocation *call, struct config *config)
{
	AUTO(session_freep) struct session *session = NULL;
	AUTO(arena_freep) struct arena *arena = arena_new();
	const struct settings *settings = config_settings(config);
	struct engine_options options = {.mode = ENGINE_APPLY, .config = config};
	struct plan_file file = {0};
	struct err err = {0};

	if (check_may_write(settings, &err) != ERR_NONE ||
			check_no_service(settings, &err) != ERR_NONE ||
			discover_now(config, DISCOVER_MS, &err) != ERR_NONE)
		return fail(&err);
	if (call->arg_count &&
			plan_file_read(call->args[0], settings, arena, &file, &err) != ERR_NONE)
		return fail(&err);
	if (session_new(&options, &session, &err) != ERR_NONE ||
			session_run(session, ENGINE_PLANNED, &err) != ERR_NONE)
		return fail(&err);
	if (call->arg_count)
		return apply_file(session, &file, settings);
	return apply_plan(call, session, settings);
}

int handle_apply(const struct invocation *call)
{
	int code = EXIT_FAILED;
	AUTO(config_freep) struct config *config = NULL;

	if (!call->arg_count && !invocation_has(call, OPTION_AUTO_APPROVE) && !can_ask()) {
		complain("nobody can be asked here: add --auto-approve, or use `plan --out FILE` "
			 "and `apply FILE`");
		return EXIT_USAGE;
	}
	config = load_config(call, &code);
	return config ? apply_config(call, config) : code;
}
