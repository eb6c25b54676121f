#include "sync/doctor_internal.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK_TEXT_MAX 1024

void doctor_add(struct doctor *doctor, const char *area, const char *name, const char *check,
		enum finding finding, const char *fmt, ...)
{
	static const char *const states[] = {[FINDING_OK] = "ok",
			[FINDING_INFO] = "info",
			[FINDING_WARNING] = "warning",
			[FINDING_PROBLEM] = "problem"};
	char text[CHECK_TEXT_MAX];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	text_repair_in_place(text);
	(void)json_array_append_new(doctor->checks,
			json_pack("{s:s, s:s, s:s, s:s, s:s}", "area", area, "name", name, "check",
					check, "state", states[finding], "text", text));
}

void doctor_closed(struct doctor *doctor)
{
	if (--doctor->open == 0)
		task_wake(&doctor->over);
}

static void over(struct task *task)
{
	loop_stop(((struct doctor *)((char *)task - offsetof(struct doctor, over)))->loop);
}

/* ---- what is ours ---- */

static void note_ours(void *context, const struct store_principal *principal)
{
	struct doctor *doctor = context;
	AUTO(mem_freep)
	char *key = mem_printf("%s/%s/%s", principal->target, principal_kind_name(principal->kind),
			principal->remote_id ? principal->remote_id : "");

	(void)table_put(doctor->ours, span_of(key), doctor);
}

static void note_holding(void *context, const struct store_holding *holding)
{
	doctor_count_holding(context, holding);
}

static void look_at_store(struct doctor *doctor)
{
	struct store *store = NULL;
	struct err err;
	enum err_code code =
			store_open(NULL, doctor->settings->store_path, STORE_READ, &store, &err);

	if (code == ERR_NOT_FOUND) {
		doctor_add(doctor, "configuration", "store", "open", FINDING_INFO,
				"there is no store yet: nothing has run here");
		return;
	}
	if (code == ERR_NONE)
		code = store_each_principal(store, note_ours, doctor, &err);
	if (code == ERR_NONE)
		code = store_each_holding(store, note_holding, doctor, &err);
	if (code == ERR_NONE)
		doctor_add(doctor, "configuration", "store", "open", FINDING_OK,
				"%zu principals in it are ours", table_count(doctor->ours));
	else
		doctor_add(doctor, "configuration", "store", "open", FINDING_PROBLEM, "%s",
				err.text);
	store_close(store);
	doctor_tell_holdings(doctor);
}

static void look_at_settings(struct doctor *doctor)
{
	const struct settings *settings = doctor->settings;

	doctor_look_at_limits(doctor);
	for (size_t i = 0; i < settings->vanished_count; i++)
		doctor_add(doctor, "configuration", settings->vanished[i].name, "discover",
				FINDING_INFO,
				"the account does not have this workspace any more, or it does "
				"not run; what is ours there is left alone");
	if (settings->mode == MODE_OBSERVE)
		doctor_add(doctor, "configuration", "mode", "mode", FINDING_INFO,
				"`mode: observe`: nothing is ever written");
}

/* Whether people and groups are made by others, and our rules only give them rights. */
static bool makes_nobody(const struct config *config)
{
	size_t count;
	const struct search *searches = mapping_searches(config_mapping(config), &count);

	for (size_t i = 0; i < count; i++) {
		if (searches[i].purpose == SEARCH_USERS || searches[i].purpose == SEARCH_GROUPS)
			return false;
	}
	return true;
}

/* ---- the whole ---- */

static int compare_checks(const void *a, const void *b)
{
	static const char *const fields[] = {"area", "name", "check", "text"};
	json_t *const *x = a, *const *y = b;

	for (size_t i = 0; i < COUNT_OF(fields); i++) {
		int order = strcmp(json_string_value(json_object_get(*x, fields[i])),
				json_string_value(json_object_get(*y, fields[i])));

		if (order)
			return order;
	}
	return 0;
}

static json_t *result(const struct doctor *doctor)
{
	size_t count = json_array_size(doctor->checks);
	json_t **items = mem_array(count + 1, sizeof(json_t *));
	json_t *list = json_array();
	bool ok = true;

	for (size_t i = 0; i < count; i++) {
		items[i] = json_array_get(doctor->checks, i);
		ok = ok &&
				!text_equal(json_string_value(json_object_get(items[i], "state")),
						"problem");
	}
	if (count)
		qsort(items, count, sizeof(json_t *), compare_checks);
	for (size_t i = 0; i < count; i++)
		(void)json_array_append(list, items[i]);
	mem_free(items);
	return json_pack("{s:b, s:o}", "ok", ok, "checks", list);
}

static void run(struct doctor *doctor, uint64_t timeout_ms)
{
	struct loop_timer *timer = loop_timer_new(doctor->loop, &doctor->over);

	look_at_settings(doctor);
	look_at_store(doctor);
	doctor->open = 1; /* until all have begun */
	doctor_directory_start(doctor);
	doctor_targets_start(doctor);
	doctor_closed(doctor);
	loop_timer_start(timer, timeout_ms);
	loop_run(doctor->loop);
	doctor_targets_free(doctor);
	doctor_directory_free(doctor);
	loop_timer_free(timer);
}

enum err_code doctor_run(
		const struct config *config, uint64_t timeout_ms, json_t **ret, struct err *err)
{
	struct doctor doctor = {.config = config,
			.settings = config_settings(config),
			.now_ms = clock_wall_ms(),
			.rights_only = makes_nobody(config),
			.loop = loop_new()};
	enum err_code code;

	task_init(&doctor.over, doctor.loop, over);
	code = databricks_new(doctor.loop, doctor.settings, &doctor.databricks, err);
	if (code == ERR_NONE) {
		doctor.checks = json_array();
		doctor.ours = table_new();
		doctor.account_groups = table_new();
		run(&doctor, timeout_ms);
		*ret = result(&doctor);
		json_decref(doctor.checks);
		table_free(doctor.ours);
		table_free(doctor.account_groups);
	}
	for (vec_each (&doctor.clash_places, place))
		mem_free(*place);
	vec_release(&doctor.clash_places);
	mem_free(doctor.ended_name);
	databricks_free(doctor.databricks);
	task_cancel(&doctor.over);
	loop_free(doctor.loop);
	return code;
}
