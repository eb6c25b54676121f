/*
 * Every target: does the sign-in work, what may our credential do, whom does it hold that would be in the way, and what ends
 * soon. Each of these in a file of its own; here is when they begin and end.
 */
#include "sync/doctor_internal.h"

const char *doctor_name_of(const struct patient *patient)
{
	return patient->doctor->settings->targets[patient->target].name;
}

static void tell_sign_in(const struct patient *patient)
{
	struct target_status status;

	databricks_status(patient->doctor->databricks, patient->target, &status);
	if (status.sign_in == SIGN_IN_OK)
		DOCTOR_TELL(patient, "sign-in", FINDING_OK, "%s at %s",
				status.auth_type ? status.auth_type : "signed in", status.host);
	else
		DOCTOR_TELL(patient, "sign-in", FINDING_PROBLEM, "%s: %s",
				status.host ? status.host : "?",
				status.sign_in_error ? status.sign_in_error : "no answer in time");
}

void doctor_part_done(struct patient *patient)
{
	if (--patient->open)
		return;
	tell_sign_in(patient);
	doctor_tell_throttling(patient);
	doctor_closed(patient->doctor);
}

bool doctor_is_refused(const struct patient *patient, const struct err *err)
{
	struct target_status status;

	databricks_status(patient->doctor->databricks, patient->target, &status);
	return err->code == ERR_AUTH || status.sign_in != SIGN_IN_OK;
}

static void start(struct patient *patient)
{
	patient->open = 1;
	patient->doctor->open++;
	doctor_people_start(patient);
	doctor_rights_start(patient);
	doctor_expiry_start(patient);
	doctor_part_done(patient);
}

void doctor_targets_start(struct doctor *doctor)
{
	const struct settings *settings = doctor->settings;

	doctor->patients = mem_array(settings->target_count + 1, sizeof(*doctor->patients));
	for (unsigned i = 0; i < settings->target_count; i++) {
		struct patient *patient = &doctor->patients[i];

		patient->doctor = doctor;
		patient->target = i;
		patient->is_account = settings->targets[i].is_account;
		patient->is_home = patient->is_account || !settings->has_account;
		start(patient);
	}
}

/* ---- the end ---- */

static void patient_release(struct patient *patient)
{
	if (patient->open) {
		tell_sign_in(patient);
		doctor_tell_throttling(patient);
		DOCTOR_TELL(patient, "answers", FINDING_WARNING,
				"not everything was answered in time");
	}
	doctor_rights_release(patient);
	doctor_people_release(patient);
	listing_cancel(patient->secrets);
}

void doctor_targets_free(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->settings->target_count; i++)
		patient_release(&doctor->patients[i]);
	mem_free(doctor->patients);
	doctor_tell_clashes(doctor);
}
