/* What ends soon: tokens of everybody, our own credential, secrets and tokens that we made for others. */
#include "sync/doctor_internal.h"

#include "base/text.h"
#include "databricks/auth/profile.h"
#include "databricks/token.h"
#include "model/operation.h"

#define DAY_MS (INT64_C(24) * 3600 * 1000)
#define SOON_MS (DOCTOR_EXPIRY_DAYS * DAY_MS)

void doctor_tell_tokens(struct patient *patient, const struct call *call)
{
	AUTO(arena_freep) struct arena *arena = arena_new();
	const struct token_info *tokens;
	size_t count, soon = 0, eternal = 0;
	int64_t now = patient->doctor->now_ms;
	struct err err;

	if (call->code != ERR_NONE ||
			token_list_read(call, arena, &tokens, &count, &err) != ERR_NONE)
		return;
	for (size_t i = 0; i < count; i++) {
		soon += tokens[i].expires_ms > now && tokens[i].expires_ms < now + SOON_MS;
		eternal += tokens[i].expires_ms == TOKEN_NEVER_EXPIRES;
	}
	DOCTOR_TELL(patient, "expiry", soon ? FINDING_WARNING : FINDING_OK,
			"%zu tokens: %zu expire within %d days, %zu never", count, soon,
			DOCTOR_EXPIRY_DAYS, eternal);
}

/* ---- our own credential ---- */

/* Which of several we sign in with nobody says; the one that lasts longest must be replaced first at the latest. */
static void tell_last(struct patient *patient, const char *what, size_t count, int64_t last_ms)
{
	int64_t now = patient->doctor->now_ms;

	DOCTOR_TELL(patient, "expiry",
			last_ms < now                             ? FINDING_PROBLEM
					: last_ms < now + SOON_MS ? FINDING_WARNING
								  : FINDING_OK,
			"the last of our own %zu %s expires in %lld days", count, what,
			(long long)((last_ms - now) / DAY_MS));
}

void doctor_tell_own_tokens(struct patient *patient, const struct call *call)
{
	AUTO(arena_freep) struct arena *arena = arena_new();
	const struct token_info *tokens;
	int64_t last = 0;
	size_t count;
	struct err err;

	if (token_list_read(call, arena, &tokens, &count, &err) != ERR_NONE) {
		DOCTOR_TELL(patient, "expiry", FINDING_INFO, "our own tokens cannot be listed: %s",
				err.text);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		if (tokens[i].expires_ms == TOKEN_NEVER_EXPIRES || !tokens[i].expires_ms)
			return;
		last = tokens[i].expires_ms > last ? tokens[i].expires_ms : last;
	}
	if (count)
		tell_last(patient, "tokens", count, last);
}

static void take_secrets(void *context, const void *items, size_t count, const struct err *err)
{
	struct patient *patient = context;
	const struct service_secret *secrets = items;
	bool eternal = false;
	int64_t last = 0;

	patient->secrets = NULL;
	for (size_t i = 0; i < count; i++) {
		if (!service_secret_is_active(&secrets[i]))
			continue;
		eternal = eternal || !secrets[i].expires_ms;
		last = secrets[i].expires_ms > last ? secrets[i].expires_ms : last;
	}
	if (err)
		DOCTOR_TELL(patient, "expiry", FINDING_INFO, "our own secrets cannot be listed: %s",
				err->text);
	else if (count && !eternal)
		tell_last(patient, "secrets", count, last);
	doctor_part_done(patient);
}

void doctor_find_secrets(struct patient *patient, const struct call *call)
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

void doctor_expiry_start(struct patient *patient)
{
	struct databricks *databricks = patient->doctor->databricks;
	struct credential credential = {0};
	struct err err;

	if (credential_resolve(patient->doctor->settings, patient->target, &credential, &err) ==
			ERR_NONE) {
		if (patient->is_account && credential_principal(&credential))
			scim_find(databricks, doctor_probe(patient, PROBE_OURSELVES),
					PRINCIPAL_SERVICE, FIELD_APPLICATION_ID,
					credential_principal(&credential), 0);
		if (!patient->is_account && credential.type == AUTH_PAT)
			token_list_own(databricks, doctor_probe(patient, PROBE_OWN_TOKENS));
	}
	credential_release(&credential);
	if (!patient->is_account)
		token_list(databricks, doctor_probe(patient, PROBE_TOKENS));
}

/* ---- what we made for others ---- */

/* value: "STATE EXPIRES_MS ..." of secret_item.c and on_behalf_item.c; 0: never. */
void doctor_count_holding(struct doctor *doctor, const struct store_holding *holding)
{
	const char *space = holding->value ? strchr(holding->value, ' ') : NULL;
	AUTO(mem_freep)
	char *number = space ? mem_strndup(space + 1, strcspn(space + 1, " ")) : NULL;
	int64_t expires_ms = 0;

	if (!text_equal(holding->resource, resource_name(RESOURCE_SECRET)) &&
			!text_equal(holding->resource, resource_name(RESOURCE_ON_BEHALF_TOKEN)))
		return;
	if (number)
		(void)text_parse_int(number, 0, INT64_MAX, &expires_ms);
	doctor->made += !text_starts_with(holding->value ? holding->value : "", "delivered");
	if (!expires_ms)
		return;
	if (expires_ms > doctor->now_ms)
		doctor->soon += expires_ms < doctor->now_ms + SOON_MS;
	else if (doctor->ended++ == 0)
		doctor->ended_name = mem_strdup_or_null(holding->name);
}

void doctor_tell_holdings(struct doctor *doctor)
{
	if (doctor->ended)
		doctor_add(doctor, "configuration", "store", "expiry", FINDING_PROBLEM,
				"%zu secrets and tokens for others have ended without being "
				"replaced, one of \"%s\": the service replaces them while it runs",
				doctor->ended, doctor->ended_name ? doctor->ended_name : "?");
	if (doctor->made)
		doctor_add(doctor, "configuration", "store", "expiry", FINDING_WARNING,
				"%zu secrets and tokens for others were made and not delivered; "
				"they are made anew at the next pass",
				doctor->made);
	if (doctor->soon)
		doctor_add(doctor, "configuration", "store", "expiry", FINDING_INFO,
				"%zu secrets and tokens for others end within %d days; they are "
				"replaced ahead of it",
				doctor->soon, DOCTOR_EXPIRY_DAYS);
}
