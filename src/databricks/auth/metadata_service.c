/* metadata-service: a process of this machine that hands out tokens (databricks-sdk-go config/auth_metadata_service.go). */
#include "databricks/auth/method.h"

#include "base/text.h"
#include "databricks/auth/host.h"

#define METADATA_TIME_MAX_MS 10000

static enum step_verdict ask_token(struct attempt *attempt, struct err *err)
{
	const char *url = credential_text(attempt->credential, AUTH_KEY_METADATA_SERVICE_URL);

	if (!text_starts_with(url, "http://") || !host_url_is_safe(url)) {
		(void)err_set(err, ERR_CONFIG, 0,
				"metadata_service_url: only http addresses of this machine are "
				"allowed");
		return STEP_FAILED;
	}
	attempt_get(attempt, mem_strdup(url));
	attempt_header(attempt, "X-Databricks-Metadata-Version", SPAN_LIT("1"));
	attempt_header(attempt, "X-Databricks-Host", span_of(attempt->credential->host));
	attempt->direct = true;
	return STEP_ASK;
}

static const struct signin_step token_step = {.name = "token of the metadata service",
		.is_token_request = true,
		.time_max_ms = METADATA_TIME_MAX_MS,
		.prepare = ask_token,
		.take = oauth_take_token};
static const struct signin_step *const steps[] = {&token_step};
const struct signin_method metadata_service_method = {.needs = {AUTH_KEY_METADATA_SERVICE_URL},
		.need_count = 1,
		.steps = steps,
		.step_count = 1};
