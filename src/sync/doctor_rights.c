/* What our credential may do at a target; the answers of all single calls arrive here. */
#include "sync/doctor_internal.h"

#include "databricks/permission.h"
#include "databricks/workspace_list.h"

/* No principal has that id: who may change groups is told "not found". */
#define NOBODYS_ID "9223372036854775807"

/* without: what is missing if it may not. */
static void tell_right(struct patient *patient, const char *check, const char *right,
		const char *without, const struct call *call)
{
	if (call->code == ERR_NONE)
		DOCTOR_TELL(patient, check, FINDING_OK, "our credential may %s", right);
	else if (call->code == ERR_DENIED)
		DOCTOR_TELL(patient, check, FINDING_PROBLEM, "our credential may not %s: %s; %s",
				right, call->err.text, without);
	else if (call->code == ERR_UNSUPPORTED)
		DOCTOR_TELL(patient, check, FINDING_INFO, "not there: %s", call->err.text);
	else
		DOCTOR_TELL(patient, check, FINDING_WARNING,
				"whether our credential may %s is not known: %s", right,
				call->err.text);
}

#define NO_ACCOUNT_ADMIN "give it the role account_admin"
#define NO_ADMIN "make it an admin of the workspace"

static void take(struct probe *probe)
{
	struct patient *patient = probe->patient;
	struct call *call = &probe->call;

	if (probe->kind == PROBE_EXTERNAL) {
		doctor_tell_provisioning(patient, call);
		return;
	}
	if (call->code != ERR_NONE && doctor_is_refused(patient, &call->err))
		return;
	switch (probe->kind) {
	case PROBE_WRITE:
		/* Nobody has that id: who may change groups is told so. */
		if (call->code == ERR_NOT_FOUND || call->status == 404 || call->status == 400)
			call->code = ERR_NONE;
		tell_right(patient, "write", "change groups",
				patient->is_account ? NO_ACCOUNT_ADMIN : NO_ADMIN, call);
		break;
	case PROBE_MANAGE:
		tell_right(patient, "permissions", "manage rights, as an admin of the workspace",
				NO_ADMIN, call);
		break;
	case PROBE_TOKENS:
		tell_right(patient, "tokens", "manage tokens", NO_ADMIN, call);
		doctor_tell_tokens(patient, call);
		break;
	case PROBE_WORKSPACES:
		tell_right(patient, "admin", "list workspaces, as an admin of the account",
				NO_ACCOUNT_ADMIN, call);
		break;
	case PROBE_OURSELVES:
		doctor_find_secrets(patient, call);
		break;
	case PROBE_OWN_TOKENS:
		doctor_tell_own_tokens(patient, call);
		break;
	case PROBE_EXTERNAL:
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
	doctor_part_done(probe->patient);
}

struct call *doctor_probe(struct patient *patient, enum probe_kind kind)
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

void doctor_rights_start(struct patient *patient)
{
	struct databricks *databricks = patient->doctor->databricks;
	static const struct scim_change nothing = {
			.fields = {[FIELD_DISPLAY_NAME] = "ldap2dbx-doctor"}};
	static const struct permission_object tokens = {SECURABLE_AUTHORIZATION, "tokens"};

	if (patient->is_home)
		scim_update(databricks, doctor_probe(patient, PROBE_WRITE), PRINCIPAL_GROUP,
				NOBODYS_ID, &nothing);
	if (patient->is_account)
		workspace_list(databricks, doctor_probe(patient, PROBE_WORKSPACES));
	else
		permission_get(databricks, doctor_probe(patient, PROBE_MANAGE), &tokens);
}

void doctor_rights_release(struct patient *patient)
{
	for (size_t i = 0; i < PROBE_COUNT_; i++) {
		if (!patient->probes[i].patient)
			continue;
		call_release(&patient->probes[i].call);
		task_cancel(&patient->probes[i].answered);
	}
}
