/*
 * token -- token management: every personal access token of a workspace, as its administrators see them.
 *
 * /api/2.0/token-management, workspace targets only. Facts (databricks-sdk-py service/settings.py,
 * terraform-provider-databricks tokens/): the list is one answer, never paged, without `token_infos` when there is none; a
 * filter knows the creator, not the owner, and an on-behalf-of token is its administrator's by that measure, so whoever
 * wants the tokens of an owner reads all and compares owner_id. DELETE revokes at once and for good. A token that is not
 * there is 404 NOT_FOUND (ERR_NOT_FOUND: for a removal what was wanted); 400 with that code is a real error.
 *
 * Who fills call->target, lane and wakes: the caller, as for all calls.
 */
#ifndef L2D_DATABRICKS_TOKEN_H
#define L2D_DATABRICKS_TOKEN_H

#include "base/secret.h"
#include "databricks/record.h"

#define TOKEN_NEVER_EXPIRES (-1)

struct token_info {
	const char *id; /* of the token, which is no secret */
	const char *comment;
	const char *owner_id;        /* SCIM id, NULL: not said; the owner's name is not given */
	const char *created_by_id;   /* SCIM id */
	const char *created_by_name; /* userName, of an on-behalf-of token the administrator's */
	int64_t created_ms;          /* times: 0: not said, or none before the year 10000 */
	int64_t expires_ms;          /* TOKEN_NEVER_EXPIRES; 0: not said */
	int64_t last_used_ms;        /* start of the day of the last use; 0: never, or not said */
	const char *workspace_id;
	struct texts scopes; /* none: all */
};

void token_list(struct databricks *databricks, struct call *call);
/* Those of whom we sign in as: GET /api/2.0/token/list; read by token_list_read. */
void token_list_own(struct databricks *databricks, struct call *call);
/* All tokens; in arena. Errors: those of the call, ERR_PROTO, ERR_INCOMPLETE. */
MUST_CHECK enum err_code token_list_read(const struct call *call, struct arena *arena,
		const struct token_info **ret, size_t *ret_count, struct err *err);

void token_get(struct databricks *databricks, struct call *call, const char *id);
MUST_CHECK enum err_code token_read(const struct call *call, struct arena *arena,
		struct token_info *ret, struct err *err);

void token_delete(struct databricks *databricks, struct call *call, const char *id);

/*
 * A token that a service principal owns. It needs CAN_USE on authorization/tokens there first, else ERR_DENIED; clouds and
 * workspaces without the feature: ERR_UNSUPPORTED. There is no key against doing it twice: whoever does not learn the end
 * of a call (effect_unknown) lists tokens, finds its own mark in `comment` and revokes the stray.
 */
struct token_wish {
	const char *application_id; /* of the service principal: its UUID, not its SCIM id */
	int64_t lifetime_s;         /* 0: the workspace's own */
	const char *comment;        /* NULL: none */
};
void token_create_on_behalf(
		struct databricks *databricks, struct call *call, const struct token_wish *wish);
/*
 * The token, once: what the answer held of it is overwritten, so a second reading fails. ret_value is the caller's
 * (secret_release) and may be NULL. Errors: those of the call; ERR_PROTO.
 */
MUST_CHECK enum err_code token_read_created(struct call *call, struct arena *arena,
		struct token_info *ret, struct secret *ret_value, struct err *err);

#endif
