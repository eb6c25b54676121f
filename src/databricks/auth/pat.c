/* pat: the token as it is. */
#include "databricks/auth/method.h"

static enum step_verdict take_token(struct attempt *attempt, struct err *err)
{
	struct secret token = {0};
	enum err_code code = credential_secret(
			attempt->credential, AUTH_KEY_TOKEN, attempt->folder, &token, err);

	if (code == ERR_NONE)
		code = attempt_result(attempt, "Authorization", "Bearer", token.text, err);
	secret_release(&token);
	return code == ERR_NONE ? STEP_NOTHING : STEP_FAILED;
}

static const struct signin_step token_step = {.name = "token", .prepare = take_token};
static const struct signin_step *const steps[] = {&token_step};
const struct signin_method pat_method = {
		.needs = {AUTH_KEY_TOKEN}, .need_count = 1, .steps = steps, .step_count = 1};
