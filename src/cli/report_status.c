/* status as text. */
#include "cli/report.h"

#include "base/text.h"
#include "cli/report_text.h"

static void status_sources(const struct canvas *canvas, const json_t *sources)
{
	size_t i, j;
	const json_t *source, *search;

	if (json_array_size(sources))
		print_heading(canvas, "Directory");
	json_array_foreach(sources, i, source)
	{
		print_if(canvas, "  ", text_at(source, "name"), "");
		print_if(canvas, "  ", text_at(source, "state"), "");
		print_if(canvas, "  ", text_at(source, "uri"), "");
		print_time(canvas, "  since ", text_at(source, "since"), "");
		print_time(canvas, ", last change ", text_at(source, "last_event"), "");
		(void)fputc('\n', canvas->file);
		print_bad(canvas, text_at(source, "error"));
		json_array_foreach(json_object_get(source, "searches"), j, search)
		{
			bool incomplete = json_is_false(json_object_get(search, "complete"));

			/* Those for containers are ours, no rule names them: of interest only if
			 * something is wrong. */
			if (!incomplete && text_equal(text_at(search, "purpose"), "containers"))
				continue;
			(void)fprintf(canvas->file, "    %8" JSON_INTEGER_FORMAT " entries",
					int_at(search, "entries"));
			print_if(canvas, "  ", text_at(search, "purpose"), "");
			print_if(canvas, "  ", text_at(search, "base"), "");
			(void)fputs(incomplete ? "  (incomplete)\n" : "\n", canvas->file);
		}
	}
}

/* "BEFORE 200 users, 31 groups"; kinds that are not there are left out. */
static bool print_ours(const struct canvas *canvas, const char *before, const json_t *ours)
{
	static const struct {
		const char *name, *shown;
	} parts[] = {{"users", "users"}, {"groups", "groups"},
			{"service_principals", "service principals"}, {"members", "memberships"},
			{"grants", "grants"}, {"permissions", "permissions"}, {"roles", "roles"},
			{"cluster_policies", "cluster policies"},
			{"ip_access_lists", "IP access lists"}, {"settings", "settings"},
			{"secrets", "secrets"}, {"federation_policies", "federation policies"},
			{"on_behalf_tokens", "tokens on behalf"}};
	bool any = false;

	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		if (!int_at(ours, parts[i].name))
			continue;
		(void)fprintf(canvas->file, "%s%" JSON_INTEGER_FORMAT " %s", any ? ", " : before,
				int_at(ours, parts[i].name), parts[i].shown);
		any = true;
	}
	if (any)
		(void)fputc('\n', canvas->file);
	return any;
}

static void target_state(const struct canvas *canvas, const json_t *target)
{
	static const char *const counted[] = {"held", "quarantined"};
	const char *before = "      ";

	for (size_t i = 0; i < COUNT_OF(counted); i++) {
		if (!int_at(target, counted[i]))
			continue;
		(void)fprintf(canvas->file, "%s%" JSON_INTEGER_FORMAT " %s", before,
				int_at(target, counted[i]), counted[i]);
		before = ", ";
	}
	if (json_is_integer(json_object_get(target, "tokens"))) {
		(void)fprintf(canvas->file, "%s%" JSON_INTEGER_FORMAT " personal access tokens",
				before, int_at(target, "tokens"));
		before = ", ";
	}
	if (text_at(target, "last_read")) {
		(void)fputs(before, canvas->file);
		print_time(canvas, "last read ", text_at(target, "last_read"), "");
		before = ", ";
	}
	if (*before == ',')
		(void)fputc('\n', canvas->file);
}

/* The reconcile is the same for all: it has a line of its own. */
static void target_due(const struct canvas *canvas, const json_t *due)
{
	static const struct {
		const char *name, *shown;
	} parts[] = {{"retry", "next try "}, {"permissions", "new objects "}, {"tokens", "tokens "},
			{"secrets", "secrets "}, {"workspaces", "list of workspaces "}};
	const char *before = "      due: ";

	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		if (!text_at(due, parts[i].name))
			continue;
		(void)fputs(before, canvas->file);
		print_time(canvas, parts[i].shown, text_at(due, parts[i].name), "");
		before = ", ";
	}
	if (*before == ',')
		(void)fputc('\n', canvas->file);
}

static void target_calls(const struct canvas *canvas, const json_t *target)
{
	if (!json_is_integer(json_object_get(target, "calls"))) {
		(void)fputc('\n', canvas->file);
		return;
	}
	if (text_equal(text_at(target, "sign_in"), "none"))
		(void)fputs("  not used yet", canvas->file);
	else
		print_if(canvas, "  sign-in ", text_at(target, "sign_in"), "");
	print_if(canvas, " (", text_at(target, "auth_type"), ")");
	(void)fprintf(canvas->file,
			"  %" JSON_INTEGER_FORMAT " calls, %" JSON_INTEGER_FORMAT
			" throttled, %" JSON_INTEGER_FORMAT " in flight, %" JSON_INTEGER_FORMAT
			" waiting\n",
			int_at(target, "calls"), int_at(target, "throttled"),
			int_at(target, "in_flight"), int_at(target, "waiting"));
}

static void target_unseen(const struct canvas *canvas, const json_t *unseen)
{
	const json_t *item;
	size_t i;

	json_array_foreach(unseen, i, item)
	{
		print_if(canvas, "      could not be looked for: ", text_at(item, "type"), "\n");
		print_bad(canvas, text_at(item, "error"));
	}
}

static void status_targets(const struct canvas *canvas, const json_t *targets)
{
	const json_t *target;
	size_t i;

	if (json_array_size(targets))
		print_heading(canvas, "Databricks");
	json_array_foreach(targets, i, target)
	{
		print_if(canvas, "  ", text_at(target, "name"), "");
		print_if(canvas, "  ", text_at(target, "host"), "");
		target_calls(canvas, target);
		print_bad(canvas, text_at(target, "error"));
		(void)print_ours(canvas, "      ours: ", json_object_get(target, "ours"));
		target_state(canvas, target);
		target_due(canvas, json_object_get(target, "due"));
		target_unseen(canvas, json_object_get(target, "unseen"));
	}
}

static void status_numbers(const struct canvas *canvas, const json_t *status)
{
	const json_t *counts = json_object_get(status, "counts");
	const json_t *work = json_object_get(status, "work");
	const json_t *elsewhere = json_object_get(status, "elsewhere");

	if (!print_ours(canvas, "Ours       ", counts) && json_is_object(counts))
		(void)fputs("Ours       nothing\n", canvas->file);
	if (json_is_object(elsewhere))
		(void)fprintf(canvas->file, "           and %" JSON_INTEGER_FORMAT " principals",
				int_at(elsewhere, "count"));
	print_if(canvas, " at targets that are not configured any more, such as ",
			text_at(elsewhere, "target"), "\n");
	if (json_is_object(work))
		(void)fprintf(canvas->file,
				"Work       %" JSON_INTEGER_FORMAT " queued, %" JSON_INTEGER_FORMAT
				" in flight, %" JSON_INTEGER_FORMAT " done, %" JSON_INTEGER_FORMAT
				" failed\n",
				int_at(work, "queued"), int_at(work, "in_flight"),
				int_at(work, "done"), int_at(work, "failed"));
	(void)fputs("Reconcile  ", canvas->file);
	if (text_at(status, "last_complete"))
		print_time(canvas, "last complete ", text_at(status, "last_complete"), "");
	else
		(void)fputs("never complete yet", canvas->file);
	print_time(canvas, ", next ", text_at(status, "next_reconcile"), "");
	(void)fputc('\n', canvas->file);
}

static void status_holds(const struct canvas *canvas, const char *title, const json_t *holds)
{
	const json_t *hold;
	size_t i;

	if (json_array_size(holds))
		print_heading(canvas, title);
	json_array_foreach(holds, i, hold)
	{
		(void)fprintf(canvas->file, "  %s", paint_on(canvas, PAINT_HELD));
		print_if(canvas, "", text_at(hold, "id"), "");
		(void)fprintf(canvas->file, "%s  %" JSON_INTEGER_FORMAT, paint_off(canvas),
				int_at(hold, "count"));
		print_if(canvas, " ", text_at(hold, "category"), "");
		print_time(canvas, "  since ", text_at(hold, "since"), "");
		(void)fputc('\n', canvas->file);
		print_if(canvas, "      ", text_at(hold, "reason"), "\n");
	}
}

void print_quarantine(const struct canvas *canvas, const json_t *item)
{
	print_if(canvas, "  ", text_at(item, "name") ? text_at(item, "name") : text_at(item, "key"),
			"");
	print_time(canvas, "  since ", text_at(item, "since"), "");
	if (int_at(item, "tries"))
		(void)fprintf(canvas->file, ", tried %" JSON_INTEGER_FORMAT " times",
				int_at(item, "tries"));
	print_time(canvas, ", again ", text_at(item, "retry"), "");
	(void)fputc('\n', canvas->file);
	print_bad(canvas, text_at(item, "reason"));
}

static void status_quarantine(const struct canvas *canvas, const json_t *list)
{
	const json_t *item;
	size_t i;

	if (json_array_size(list))
		print_heading(canvas, "Quarantined: cannot be synced now");
	json_array_foreach(list, i, item) print_quarantine(canvas, item);
}

void report_status(const struct canvas *canvas, const json_t *status)
{
	const char *phase = text_at(status, "phase");

	if (text_equal(phase, "stopped"))
		(void)fputs("No service runs on this store; this is what it holds.\n",
				canvas->file);
	else
		(void)fprintf(canvas->file, "%s%s%s", paint_on(canvas, PAINT_BOLD),
				phase ? phase : "running", paint_off(canvas));
	print_time(canvas, " since ", text_at(status, "since"), "");
	print_if(canvas, ", mode ", text_equal(phase, "stopped") ? NULL : text_at(status, "mode"),
			"");
	print_if(canvas, ", version ",
			text_equal(phase, "stopped") ? NULL : text_at(status, "version"), "");
	if (!text_equal(phase, "stopped"))
		(void)fputc('\n', canvas->file);
	print_bad(canvas, text_at(status, "error"));
	status_sources(canvas, json_object_get(status, "sources"));
	status_targets(canvas, json_object_get(status, "targets"));
	status_numbers(canvas, status);
	status_holds(canvas, "Held: waits for approve or reject", json_object_get(status, "holds"));
	status_holds(canvas, "Rejected: kept until approved by its id",
			json_object_get(status, "rejected"));
	status_quarantine(canvas, json_object_get(status, "quarantine"));
}
