#include "databricks/auth/method.h"

static const struct signin_method *const methods[AUTH_TYPE_COUNT_] = {
		[AUTH_PAT] = &pat_method,
		[AUTH_OAUTH_M2M] = &oauth_m2m_method,
};

const struct signin_method *signin_method_of(enum auth_type type)
{
	return methods[type];
}

const char *signin_method_lacks(enum auth_type type, const struct credential *credential)
{
	const struct signin_method *method = methods[type];

	if (!method)
		return "support by this version";
	for (size_t i = 0; i < method->need_count; i++) {
		if (!credential_has(credential, method->needs[i]))
			return auth_keys[method->needs[i]].name;
	}
	return method->lacks ? method->lacks(credential) : NULL;
}
