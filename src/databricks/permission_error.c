#include "databricks/permission_error.h"

#include "base/text.h"

/* The first row of which all words are in the message. */
static const struct {
	const char *words, *more; /* more: further on; NULL: nothing more */
	enum err_code code;
	enum refusal refusal;
} meanings[] = {
		/* 400 and, for objects of long ago, 500. */
		{"must have exactly one owner", NULL, ERR_REFUSED, REFUSAL_OWNER},
		{"with no existing owner must provide a new owner", NULL, ERR_REFUSED,
				REFUSAL_OWNER_LOST},
		{"Permissions being set for ", "ambiguous", ERR_REFUSED, REFUSAL_AMBIGUOUS},
		{"Cannot remove admins's ", NULL, ERR_REFUSED, REFUSAL_ADMINS},
		{"does not have Manage permissions on", NULL, ERR_DENIED, REFUSAL_MANAGE},
		{"is not a metastore admin for Metastore", NULL, ERR_DENIED, REFUSAL_METASTORE},
		{"experiments created from notebooks", NULL, ERR_REFUSED, REFUSAL_ELSEWHERE},
		/* 400 INVALID_STATE: it was purged. */
		{"Cannot access cluster ", NULL, ERR_NOT_FOUND, REFUSAL_OTHER},
};

/* 400 INVALID_PARAMETER_VALUE "Job 7 does not exist." is what others say with 404; Databricks' SDKs read it so, too. */
static bool is_gone(int status, const char *message)
{
	return status == 400 &&
			(text_starts_with(message, "Job ") ||
					text_starts_with(message, "Cluster ")) &&
			strstr(message, "does not exist") != NULL;
}

bool permission_error_read(int status, const char *message, struct permission_error *ret)
{
	for (size_t i = 0; i < COUNT_OF(meanings); i++) {
		const char *at = strstr(message, meanings[i].words);

		if (at && (!meanings[i].more || strstr(at, meanings[i].more))) {
			*ret = (struct permission_error){meanings[i].code, meanings[i].refusal};
			return true;
		}
	}
	if (!is_gone(status, message))
		return false;
	*ret = (struct permission_error){ERR_NOT_FOUND, REFUSAL_OTHER};
	return true;
}

static bool skip(struct span *text, const char *word)
{
	size_t len = strlen(word);

	if (text->len < len || memcmp(text->ptr, word, len) != 0)
		return false;
	text->ptr += len;
	text->len -= len;
	return true;
}

static enum principal_kind skip_kind(struct span *text)
{
	static const char *const names[] = {[PRINCIPAL_USER] = "UserName(",
			[PRINCIPAL_GROUP] = "GroupName(",
			[PRINCIPAL_SERVICE] = "ServicePrincipalName("};

	for (unsigned i = 0; i < COUNT_OF(names); i++) {
		if (skip(text, names[i]))
			return (enum principal_kind)i;
	}
	return PRINCIPAL_KIND_COUNT_;
}

bool permission_error_principal(
		struct span message, enum principal_kind *ret_kind, struct span *ret_name)
{
	static const char begin[] = "Principal: ", end[] = " does not exist";
	struct span rest = message;
	const char *at = memmem(rest.ptr, rest.len, begin, sizeof(begin) - 1);
	const char *last = NULL;

	if (!at)
		return false;
	rest.len -= (size_t)(at - rest.ptr) + sizeof(begin) - 1;
	rest.ptr = at + sizeof(begin) - 1;
	/* The last one, should a name have these words in it. */
	for (at = rest.ptr; (at = memmem(at, rest.len - (size_t)(at - rest.ptr), end,
					     sizeof(end) - 1)) != NULL;
			at++)
		last = at;
	if (!last)
		return false;
	rest.len = (size_t)(last - rest.ptr);
	*ret_kind = skip_kind(&rest);
	if (*ret_kind != PRINCIPAL_KIND_COUNT_ && rest.len && rest.ptr[rest.len - 1] == ')')
		rest.len--;
	*ret_name = rest;
	return true;
}
