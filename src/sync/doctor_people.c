/* Who is there: whether all can be read, who would be in the way, and whether another tool brings people, too. */
#include "sync/doctor_internal.h"

#include "base/text.h"
#include "databricks/external_identity.h"

static bool is_systems(const char *name)
{
	return text_equal_folded(name, "admins") || text_equal_folded(name, "users") ||
			text_equal_folded(name, "account users");
}

static bool is_ours(const struct patient *patient, const struct resource *resource)
{
	AUTO(mem_freep)
	char *key = mem_printf("%s/%s/%s", doctor_name_of(patient),
			principal_kind_name(resource->kind), resource->id);

	return table_find(patient->doctor->ours, span_of(key)) != NULL;
}

static void note_external(
		struct patient *patient, const struct resource *resource, const char *name)
{
	enum principal_kind kind = resource->kind;
	const char *external_id = resource->fields[FIELD_EXTERNAL_ID];

	if (!patient->is_home || kind == PRINCIPAL_SERVICE || !external_id ||
			is_ours(patient, resource) || patient->external[kind]++)
		return;
	patient->outsider[kind] = mem_strdup(name);
	patient->outside_id[kind] = mem_strdup(external_id);
}

static void note_group(struct patient *patient, const struct resource *group, const char *folded)
{
	const char *name = group->fields[FIELD_DISPLAY_NAME];

	if (patient->is_account)
		(void)table_put(patient->doctor->account_groups, span_of(folded), patient);
	else if (text_equal(group->resource_type, "WorkspaceGroup") && !is_systems(name))
		*vec_add(&patient->doctor->clash_places) =
				mem_printf("%s\n%s", doctor_name_of(patient), name);
}

static void note_resource(struct patient *patient, const struct resource *resource)
{
	enum principal_kind kind = resource->kind;
	const char *name = resource->fields[kind == PRINCIPAL_USER ? FIELD_USER_NAME
								   : FIELD_DISPLAY_NAME];
	AUTO(mem_freep) char *folded = name ? text_fold(span_of(name)) : NULL;

	patient->counts[kind]++;
	if (!name)
		return;
	/* Display names of service principals are not unique. */
	if (kind != PRINCIPAL_SERVICE &&
			table_put(patient->names[kind], span_of(folded), patient) &&
			patient->twins[kind]++ == 0)
		patient->twin[kind] = mem_strdup(name);
	note_external(patient, resource, name);
	if (kind == PRINCIPAL_GROUP)
		note_group(patient, resource, folded);
}

static void take_page(void *context, const struct resource *resources, size_t count)
{
	for (size_t i = 0; i < count; i++)
		note_resource(context, &resources[i]);
}

/* ---- who else brings people ---- */

#define RIGHTS_ONLY                                                                                \
	"let the rules only give rights (no `users:`, no `groups:`; grants name whom the other "   \
	"one makes), or switch the other one off"

void doctor_tell_provisioning(struct patient *patient, const struct call *call)
{
	size_t users = patient->external[PRINCIPAL_USER];
	size_t groups = patient->external[PRINCIPAL_GROUP];
	const char *name = patient->outsider[groups ? PRINCIPAL_GROUP : PRINCIPAL_USER];
	bool rights_only = patient->doctor->rights_only;
	enum finding finding = rights_only ? FINDING_INFO : FINDING_WARNING;

	if (call && call->code == ERR_NONE)
		DOCTOR_TELL(patient, "identity management", finding,
				"automatic identity management is on: the identity provider brings "
				"users and groups, \"%s\" for one; %s",
				name, rights_only ? "the rules only give rights" : RIGHTS_ONLY);
	if (users || groups)
		DOCTOR_TELL(patient, "external", finding,
				"%zu users and %zu groups have an external id and are not ours, "
				"\"%s\" for one: another tool provisions here; %s",
				users, groups, name,
				rights_only ? "the rules only give rights" : RIGHTS_ONLY);
}

static void ask_provider(struct patient *patient)
{
	enum principal_kind kind =
			patient->external[PRINCIPAL_GROUP] ? PRINCIPAL_GROUP : PRINCIPAL_USER;

	if (patient->external[kind] && patient->is_account)
		external_identity_get(patient->doctor->databricks,
				doctor_probe(patient, PROBE_EXTERNAL), kind,
				patient->outside_id[kind]);
	else
		doctor_tell_provisioning(patient, NULL);
}

/* ---- lists ---- */

static void tell_twins(const struct patient *patient, enum principal_kind kind)
{
	if (patient->twins[kind])
		DOCTOR_TELL(patient, "duplicates", FINDING_PROBLEM,
				"%zu %ss have the name of another but for upper and lower case, "
				"\"%s\" for one; rename or remove one of the two",
				patient->twins[kind], principal_kind_name(kind),
				patient->twin[kind]);
}

static bool is_all_read(const struct patient *patient)
{
	for (unsigned kind = 0; kind < PRINCIPAL_KIND_COUNT_; kind++) {
		if (patient->lists[kind])
			return false;
	}
	return !patient->read_failed;
}

static void tell_list(struct patient *patient, enum principal_kind kind, const struct err *err)
{
	static const char *const what[] = {[PRINCIPAL_USER] = "users",
			[PRINCIPAL_GROUP] = "groups",
			[PRINCIPAL_SERVICE] = "service principals"};

	patient->lists[kind] = NULL;
	patient->read_failed = patient->read_failed || err;
	if (err && !doctor_is_refused(patient, err))
		DOCTOR_TELL(patient, "read", FINDING_PROBLEM, "%s cannot be read: %s", what[kind],
				err->text);
	if (!err) {
		DOCTOR_TELL(patient, "read", FINDING_OK, "%zu %s can be read",
				patient->counts[kind], what[kind]);
		tell_twins(patient, kind);
	}
	if (patient->is_home && is_all_read(patient)) {
		doctor_tell_sizes(patient);
		ask_provider(patient);
	}
	doctor_part_done(patient);
}

static void users_read(void *context, const struct err *err)
{
	tell_list(context, PRINCIPAL_USER, err);
}

static void groups_read(void *context, const struct err *err)
{
	tell_list(context, PRINCIPAL_GROUP, err);
}

static void services_read(void *context, const struct err *err)
{
	tell_list(context, PRINCIPAL_SERVICE, err);
}

static void start_list(struct patient *patient, enum principal_kind kind)
{
	static void (*const done[])(void *, const struct err *) = {[PRINCIPAL_USER] = users_read,
			[PRINCIPAL_GROUP] = groups_read,
			[PRINCIPAL_SERVICE] = services_read};

	patient->open++;
	patient->names[kind] = table_new();
	patient->lists[kind] = scim_list_start(patient->doctor->databricks, patient->target, kind,
			0, take_page, done[kind], patient);
}

void doctor_people_start(struct patient *patient)
{
	start_list(patient, PRINCIPAL_GROUP);
	if (patient->is_home) {
		start_list(patient, PRINCIPAL_USER);
		start_list(patient, PRINCIPAL_SERVICE);
	}
}

/* Groups of a workspace that stand where the account's would be assigned. */
void doctor_tell_clashes(struct doctor *doctor)
{
	for (vec_each (&doctor->clash_places, place)) {
		char *name = strchr(*place, '\n');
		AUTO(mem_freep) char *folded = NULL;

		*name++ = '\0';
		folded = text_fold(span_of(name));
		if (table_find(doctor->account_groups, span_of(folded)))
			doctor_add(doctor, "databricks", *place, "clash", FINDING_PROBLEM,
					"group \"%s\" is the workspace's own, and the account has "
					"one of that name, which cannot be assigned there; "
					"migrate or rename it",
					name);
	}
}

void doctor_people_release(struct patient *patient)
{
	for (size_t i = 0; i < PRINCIPAL_KIND_COUNT_; i++) {
		if (patient->lists[i])
			scim_list_cancel(patient->lists[i]);
		table_free(patient->names[i]);
		mem_free(patient->twin[i]);
		mem_free(patient->outsider[i]);
		mem_free(patient->outside_id[i]);
	}
}
