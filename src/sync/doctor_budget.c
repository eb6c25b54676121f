/* What an account may have and what it may be asked: sizes, rates, and whether others use them up. */
#include "sync/doctor_internal.h"

#include "databricks/budget.h"

/* Databricks, "Resource limits": users and service principals, and groups, of an account or a workspace. */
#define PEOPLE_MAX 10000
#define GROUPS_MAX 5000
#define NEARLY_PERCENT 90

void doctor_look_at_limits(struct doctor *doctor)
{
	const struct limit_settings *limits = &doctor->settings->limits;

	if (limits->share_percent == 0)
		doctor_add(doctor, "configuration", "limits", "budgets", FINDING_WARNING,
				"`limits: off` keeps to no published budget; it is meant for "
				"tests");
	else
		doctor_add(doctor, "configuration", "limits", "budgets", FINDING_OK,
				"%u %% of the published budgets, %zu set by name",
				limits->share_percent, limits->override_count);
	for (size_t i = 0; i < limits->override_count; i++) {
		const struct rate_override *rate = &limits->overrides[i];
		double published = budget_published_rate(rate->family);

		if (rate->per_second > published)
			doctor_add(doctor, "configuration", "limits", "budgets", FINDING_WARNING,
					"%s: %g a second is more than the %g that all programs "
					"together have",
					rate->family, rate->per_second, published);
	}
}

static void tell_size(const struct patient *patient, const char *what, size_t count, size_t most)
{
	if (count * 100 >= most * NEARLY_PERCENT)
		DOCTOR_TELL(patient, "budgets", FINDING_WARNING,
				"%zu %s of the %zu that one may have: ask Databricks for more "
				"ahead of the first refusal",
				count, what, most);
}

void doctor_tell_sizes(struct patient *patient)
{
	const struct limit_settings *limits = &patient->doctor->settings->limits;
	size_t groups = patient->counts[PRINCIPAL_GROUP];
	struct budget budget;
	double rate;

	tell_size(patient, "users and service principals",
			patient->counts[PRINCIPAL_USER] + patient->counts[PRINCIPAL_SERVICE],
			PEOPLE_MAX);
	tell_size(patient, "groups", groups, GROUPS_MAX);
	budget_init(&budget, limits, 0);
	rate = budget.buckets[patient->is_account ? FAMILY_ACCOUNT_SCIM_GET
						  : FAMILY_WORKSPACE_SCIM_READ]
			       .rate;
	if (rate > 0)
		DOCTOR_TELL(patient, "budgets", FINDING_OK,
				"reading each of the %zu groups takes %.0f s of the budget", groups,
				(double)groups / rate);
}

void doctor_tell_throttling(struct patient *patient)
{
	struct target_status status;

	databricks_status(patient->doctor->databricks, patient->target, &status);
	if (status.throttled)
		DOCTOR_TELL(patient, "budgets", FINDING_WARNING,
				"%llu of our %llu calls were throttled although we keep to the "
				"budget: other programs use it, too; a smaller `limits: share` "
				"leaves them room",
				(unsigned long long)status.throttled,
				(unsigned long long)status.calls);
}
