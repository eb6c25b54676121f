/*
 * Every target: does the sign-in work, what may our credential do, whom does it hold that would be in the way, and what ends
 * soon.
 */
#include "sync/doctor_internal.h"

#include "base/text.h"
#include "databricks/permission.h"
#include "databricks/auth/profile.h"
#include "databricks/service_principal_secret.h"
#include "databricks/token.h"
#include "databricks/workspace_list.h"

#define AREA "databricks"
#define DAY_MS (INT64_C(24) * 3600 * 1000)
/* No principal has that id: who may change groups is told "not found". */
#define NOBODYS_ID "9223372036854775807"

enum probe_kind {
	PROBE_WRITE,      /* groups over SCIM */
	PROBE_MANAGE,     /* rights of objects: those of tokens stand for all */
	PROBE_TOKENS,     /* token management */
	PROBE_WORKSPACES, /* what only an admin of the account sees */
	PROBE_OURSELVES,  /* our own service principal */
	PROBE_COUNT_
};

struct probe {
	struct task answered;
	struct patient *patient;
	enum probe_kind kind;
	struct call call;
	bool open;
};

/* One target. */
struct patient {
	struct doctor *doctor;
	unsigned target;
	bool is_account;
	size_t open;
	struct probe probes[PROBE_COUNT_];
	struct scim_list *lists[PRINCIPAL_KIND_COUNT_];
	struct table *names[PRINCIPAL_KIND_COUNT_]; /* folded -> anything */
	size_t counts[PRINCIPAL_KIND_COUNT_], twins[PRINCIPAL_KIND_COUNT_], external;
	char *twin, *outsider; /* an example of each */
	struct listing *secrets;
};

static const char *name_of(const struct patient *patient)
{
	return patient->doctor->settings->targets[patient->target].name;
}

#define TELL(patient, check, finding, ...)                                                         \
	doctor_add((patient)->doctor, AREA, name_of(patient), check, finding, __VA_ARGS__)

static void tell_sign_in(const struct patient *patient)
{
	struct target_status status;

	databricks_status(patient->doctor->databricks, patient->target, &status);
	if (status.sign_in == SIGN_IN_OK)
		TELL(patient, "sign-in", FINDING_OK, "%s at %s",
				status.auth_type ? status.auth_type : "signed in", status.host);
	else
		TELL(patient, "sign-in", FINDING_PROBLEM, "%s: %s", status.host ? status.host : "?",
				status.sign_in_error ? status.sign_in_error : "no answer in time");
}

static void part_done(struct patient *patient)
{
	if (--patient->open)
		return;
	tell_sign_in(patient);
	doctor_closed(patient->doctor);
}

/* The sign-in is told by itself. true: there is nothing more to say. */
static bool is_refused(const struct patient *patient, const struct err *err)
{
	struct target_status status;

	databricks_status(patient->doctor->databricks, patient->target, &status);
	return err->code == ERR_AUTH || status.sign_in != SIGN_IN_OK;
}

/* ---- who is there ---- */

static bool is_systems(const char *name)
{
	return text_equal_folded(name, "admins") || text_equal_folded(name, "users") ||
			text_equal_folded(name, "account users");
}

static void note_group(struct patient *patient, const struct resource *group, const char *folded)
{
	struct doctor *doctor = patient->doctor;
	const char *name = group->fields[FIELD_DISPLAY_NAME];
	AUTO(mem_freep)
	char *key = mem_printf("%s/%s/%s", name_of(patient), principal_kind_name(PRINCIPAL_GROUP),
			group->id);

	if (patient->is_account) {
		(void)table_put(doctor->account_groups, span_of(folded), doctor);
		if (group->fields[FIELD_EXTERNAL_ID] && !table_find(doctor->ours, span_of(key))) {
			patient->external++;
			if (!patient->outsider)
				patient->outsider = mem_strdup(name);
		}
	} else if (text_equal(group->resource_type, "WorkspaceGroup") && !is_systems(name)) {
		*vec_add(&doctor->clash_places) = mem_printf("%s\n%s", name_of(patient), name);
	}
}

static void note_resource(struct patient *patient, const struct resource *resource)
{
	enum principal_kind kind = resource->kind;
	const char *name = resource->fields[kind == PRINCIPAL_USER ? FIELD_USER_NAME
								   : FIELD_DISPLAY_NAME];
	AUTO(mem_freep) char *folded = name ? text_fold(span_of(name)) : NULL;

	if (!name)
		return;
	patient->counts[kind]++;
	if (table_put(patient->names[kind], span_of(folded), patient)) {
		patient->twins[kind]++;
		if (!patient->twin)
			patient->twin = mem_strdup(name);
	}
	if (kind == PRINCIPAL_GROUP)
		note_group(patient, resource, folded);
}

static void take_page(void *context, const struct resource *resources, size_t count)
{
	for (size_t i = 0; i < count; i++)
		note_resource(context, &resources[i]);
}

static void tell_list(struct patient *patient, enum principal_kind kind, const struct err *err)
{
	const char *what = kind == PRINCIPAL_USER ? "users" : "groups";

	patient->lists[kind] = NULL;
	if (err && !is_refused(patient, err))
		TELL(patient, "read", FINDING_PROBLEM, "%s cannot be read: %s", what, err->text);
	if (!err)
		TELL(patient, "read", FINDING_OK, "%zu %s can be read", patient->counts[kind],
				what);
	if (!err && patient->twins[kind])
		TELL(patient, "duplicates", FINDING_PROBLEM,
				"%zu %s have the name of another but for upper and lower case, "
				"\"%s\" "
				"for one; rename or remove one of the two",
				patient->twins[kind], what, patient->twin);
	if (!err && kind == PRINCIPAL_GROUP && patient->external)
		TELL(patient, "external groups", FINDING_WARNING,
				"%zu groups have an external id and are not ours, \"%s\" for one: "
				"another tool or automatic identity management provisions here. "
				"Let "
				"the rules only give rights (no `users:`, no `groups:`), or switch "
				"the "
				"other one off",
				patient->external, patient->outsider);
	part_done(patient);
}

static void groups_read(void *context, const struct err *err)
{
	tell_list(context, PRINCIPAL_GROUP, err);
}

static void users_read(void *context, const struct err *err)
{
	tell_list(context, PRINCIPAL_USER, err);
}

static void start_list(struct patient *patient, enum principal_kind kind)
{
	patient->open++;
	patient->names[kind] = table_new();
	patient->lists[kind] = scim_list_start(patient->doctor->databricks, patient->target, kind,
			0, take_page, kind == PRINCIPAL_USER ? users_read : groups_read, patient);
}

/* ---- what we may do ---- */

static void tell_right(struct patient *patient, const char *check, const char *right,
		const struct call *call)
{
	if (call->code == ERR_NONE)
		TELL(patient, check, FINDING_OK, "our credential may %s", right);
	else if (call->code == ERR_DENIED)
		TELL(patient, check, FINDING_PROBLEM, "our credential may not %s: %s", right,
				call->err.text);
	else if (call->code == ERR_UNSUPPORTED)
		TELL(patient, check, FINDING_INFO, "not there: %s", call->err.text);
	else
		TELL(patient, check, FINDING_WARNING,
				"whether our credential may %s is not known: %s", right,
				call->err.text);
}

static void tell_tokens(struct patient *patient, const struct call *call)
{
	AUTO(arena_freep) struct arena *arena = arena_new();
	const struct token_info *tokens;
	size_t count, soon = 0, eternal = 0;
	int64_t now = patient->doctor->now_ms;
	struct err err;

	tell_right(patient, "tokens", "manage tokens", call);
	if (call->code != ERR_NONE ||
			token_list_read(call, arena, &tokens, &count, &err) != ERR_NONE)
		return;
	for (size_t i = 0; i < count; i++) {
		soon += tokens[i].expires_ms > now &&
				tokens[i].expires_ms < now + DOCTOR_EXPIRY_DAYS * DAY_MS;
		eternal += tokens[i].expires_ms == TOKEN_NEVER_EXPIRES;
	}
	TELL(patient, "expiry", soon ? FINDING_WARNING : FINDING_OK,
			"%zu tokens: %zu expire within %d days, %zu never", count, soon,
			DOCTOR_EXPIRY_DAYS, eternal);
}

static void take_secrets(void *context, const void *items, size_t count, const struct err *err)
{
	struct patient *patient = context;
	const struct service_secret *secrets = items;
	int64_t last = 0, now = patient->doctor->now_ms;
	bool eternal = false;

	patient->secrets = NULL;
	for (size_t i = 0; i < count; i++) {
		if (!service_secret_is_active(&secrets[i]))
			continue;
		eternal = eternal || !secrets[i].expires_ms;
		last = secrets[i].expires_ms > last ? secrets[i].expires_ms : last;
	}
	if (err)
		TELL(patient, "expiry", FINDING_INFO, "our own secrets cannot be listed: %s",
				err->text);
	else if (count && !eternal)
		/* Which of them we sign in with nobody says; the one that lasts longest must be replaced first at the latest. */
		TELL(patient, "expiry",
				last < now ? FINDING_PROBLEM
						: last < now + DOCTOR_EXPIRY_DAYS * DAY_MS
						? FINDING_WARNING
						: FINDING_OK,
				"the last of our own %zu secrets expires in %lld days", count,
				(long long)((last - now) / DAY_MS));
	part_done(patient);
}

static void find_secrets(struct patient *patient, const struct call *call)
{
	AUTO(arena_freep) struct arena *arena = arena_new();
	const struct resource *found;
	size_t count = 0;
	struct err err;

	if (call->code != ERR_NONE ||
			scim_found(call, PRINCIPAL_SERVICE, arena, &found, &count, &err) !=
					ERR_NONE ||
			count != 1)
		return;
	patient->open++;
	patient->secrets = service_secret_list_start(patient->doctor->databricks, patient->target,
			found[0].id, take_secrets, patient);
}

static void take(struct probe *probe)
{
	struct patient *patient = probe->patient;
	struct call *call = &probe->call;

	if (call->code != ERR_NONE && is_refused(patient, &call->err))
		return;
	switch (probe->kind) {
	case PROBE_WRITE:
		/* Nobody has that id: who may change groups is told so. */
		if (call->code == ERR_NOT_FOUND || call->status == 404 || call->status == 400)
			call->code = ERR_NONE;
		tell_right(patient, "write", "change groups", call);
		break;
	case PROBE_MANAGE:
		tell_right(patient, "permissions", "manage rights", call);
		break;
	case PROBE_TOKENS:
		tell_tokens(patient, call);
		break;
	case PROBE_WORKSPACES:
		tell_right(patient, "admin", "list workspaces, as an admin of the account", call);
		break;
	case PROBE_OURSELVES:
		find_secrets(patient, call);
		break;
	case PROBE_COUNT_:
		break;
	}
}

static void answered(struct task *task)
{
	struct probe *probe = (struct probe *)((char *)task - offsetof(struct probe, answered));

	if (!probe->open || !probe->call.done)
		return;
	probe->open = false;
	take(probe);
	part_done(probe->patient);
}

static struct call *probe_call(struct patient *patient, enum probe_kind kind)
{
	struct probe *probe = &patient->probes[kind];

	*probe = (struct probe){.patient = patient, .kind = kind, .open = true};
	task_init(&probe->answered, patient->doctor->loop, answered);
	probe->call.target = patient->target;
	probe->call.lane = LANE_SINGLE;
	probe->call.wakes = &probe->answered;
	patient->open++;
	return &probe->call;
}

static void look_for_ourselves(struct patient *patient)
{
	struct credential credential = {0};
	struct err err;

	if (credential_resolve(patient->doctor->settings, patient->target, &credential, &err) ==
					ERR_NONE &&
			credential_principal(&credential))
		scim_find(patient->doctor->databricks, probe_call(patient, PROBE_OURSELVES),
				PRINCIPAL_SERVICE, FIELD_APPLICATION_ID,
				credential_principal(&credential), 0);
	credential_release(&credential);
}

static void start(struct patient *patient)
{
	struct databricks *databricks = patient->doctor->databricks;
	static const struct scim_change nothing = {
			.fields = {[FIELD_DISPLAY_NAME] = "ldap2dbx-doctor"}};
	static const struct permission_object tokens = {SECURABLE_AUTHORIZATION, "tokens"};
	bool is_home = patient->is_account || !patient->doctor->settings->has_account;

	patient->open = 1;
	patient->doctor->open++;
	start_list(patient, PRINCIPAL_GROUP);
	if (is_home) {
		start_list(patient, PRINCIPAL_USER);
		scim_update(databricks, probe_call(patient, PROBE_WRITE), PRINCIPAL_GROUP,
				NOBODYS_ID, &nothing);
	}
	if (patient->is_account) {
		workspace_list(databricks, probe_call(patient, PROBE_WORKSPACES));
		look_for_ourselves(patient);
	} else {
		permission_get(databricks, probe_call(patient, PROBE_MANAGE), &tokens);
		token_list(databricks, probe_call(patient, PROBE_TOKENS));
	}
	part_done(patient);
}

void doctor_targets_start(struct doctor *doctor)
{
	doctor->patients = mem_array(doctor->settings->target_count + 1, sizeof(*doctor->patients));
	for (unsigned i = 0; i < doctor->settings->target_count; i++) {
		struct patient *patient = &doctor->patients[i];

		patient->doctor = doctor;
		patient->target = i;
		patient->is_account = doctor->settings->targets[i].is_account;
		start(patient);
	}
}

/* ---- the end ---- */

/* Groups of a workspace that stand where the account's would be assigned. */
static void tell_clashes(struct doctor *doctor)
{
	for (vec_each (&doctor->clash_places, place)) {
		char *name = strchr(*place, '\n');
		AUTO(mem_freep) char *folded = NULL;

		*name++ = '\0';
		folded = text_fold(span_of(name));
		if (table_find(doctor->account_groups, span_of(folded)))
			doctor_add(doctor, AREA, *place, "clash", FINDING_PROBLEM,
					"group \"%s\" is the workspace's own, and the account has "
					"one of "
					"that name, which cannot be assigned there; migrate or "
					"rename it",
					name);
	}
}

static void patient_release(struct patient *patient)
{
	if (patient->open) {
		tell_sign_in(patient);
		TELL(patient, "answers", FINDING_WARNING, "not everything was answered in time");
	}
	for (size_t i = 0; i < PROBE_COUNT_; i++) {
		if (!patient->probes[i].patient)
			continue;
		call_release(&patient->probes[i].call);
		task_cancel(&patient->probes[i].answered);
	}
	for (size_t i = 0; i < PRINCIPAL_KIND_COUNT_; i++) {
		if (patient->lists[i])
			scim_list_cancel(patient->lists[i]);
		table_free(patient->names[i]);
	}
	listing_cancel(patient->secrets);
	mem_free(patient->twin);
	mem_free(patient->outsider);
}

void doctor_targets_free(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->settings->target_count; i++)
		patient_release(&doctor->patients[i]);
	mem_free(doctor->patients);
	tell_clashes(doctor);
}
