/*
 * An answer of any content: an error is classified; as a success it is read as a list, a resource, a token, and as what
 * access asks for.
 */
#include "databricks/answer.h"
#include "databricks/auth/method.h"
#include "databricks/cluster_policy.h"
#include "databricks/federation_policy.h"
#include "databricks/ip_access_list.h"
#include "databricks/rule_set.h"
#include "databricks/scim_internal.h"
#include "databricks/service_principal_secret.h"
#include "databricks/token.h"
#include "databricks/workspace_list.h"
#include "databricks/workspace_setting.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_error(struct span body, int status)
{
	const struct answer answer = {.what = "GET x",
			.is_write = true,
			.status = status,
			.body = body,
			.location = "",
			.retry_after = "1"};
	struct answer_verdict verdict;
	struct err err;

	if (answer_check(&answer, &verdict, &err) == ERR_NONE || !err.text[0])
		abort();
}

static void read_success(struct span body)
{
	struct arena *arena = arena_new();
	struct scim_answer answer;
	struct resource resource;
	struct tape *tape = NULL;
	struct err err;

	if (tape_parse(mem_strndup(body.ptr, body.len), body.len, &tape, &err) != ERR_NONE)
		tape = NULL;
	for (unsigned kind = 0; kind < PRINCIPAL_KIND_COUNT_; kind++) {
		(void)!scim_read_list(
				tape_root(tape), (enum principal_kind)kind, arena, &answer, &err);
		(void)!scim_read_resource(
				tape_root(tape), (enum principal_kind)kind, arena, &resource, &err);
	}
	tape_free(tape);
	arena_free(arena);
}

/* Once more as text, which has to be read as the same. */
static void write_again(const struct tape *tape)
{
	struct tape *again = NULL;
	struct buf first, second;
	struct err err;
	char *text;
	size_t len;

	buf_init(&first, SIZE_MAX / 2);
	buf_init(&second, SIZE_MAX / 2);
	tape_write(tape_root(tape), &first);
	len = first.len;
	text = mem_strdup(buf_text(&first));
	if (tape_parse(text, len, &again, &err) != ERR_NONE)
		abort();
	tape_write(tape_root(again), &second);
	if (strcmp(buf_text(&first), buf_text(&second)) != 0)
		abort();
	buf_release(&first);
	buf_release(&second);
	tape_free(again);
}

static void read_access(struct call *call, struct arena *arena)
{
	const struct workspace_info *workspaces;
	const struct cluster_policy *policies;
	const struct ip_access_list *lists;
	const struct token_info *tokens;
	struct federation_policy federation;
	struct plain_setting plain;
	struct service_secret made;
	struct rule_set rule_set;
	struct setting_state setting;
	struct secret secret = {0};
	struct texts roles;
	size_t count;
	struct err err;

	(void)!workspace_list_read(
			call, "https://accounts.example.com", arena, &workspaces, &count, &err);
	(void)!cluster_policy_list_read(call, arena, &policies, &count, &err);
	(void)!ip_access_list_list_read(call, arena, &lists, &count, &err);
	(void)!token_list_read(call, arena, &tokens, &count, &err);
	(void)!federation_policy_read(call, arena, &federation, &err);
	(void)!plain_setting_read(call, arena, &plain, &err);
	(void)!rule_set_read(call, arena, &rule_set, &err);
	(void)!rule_set_roles_read(call, arena, &roles, &err);
	(void)!setting_read(call, setting_find("acct_ip_acl_enable", true), arena, &setting, &err);
	(void)!service_secret_read_created(call, arena, &made, &secret, &err);
	secret_release(&secret);
}

static void read_call(struct span body)
{
	struct arena *arena = arena_new();
	struct call call = {.done = true};
	struct err err;

	if (tape_parse(mem_strndup(body.ptr, body.len), body.len, &call.answer, &err) == ERR_NONE &&
			call.answer)
		write_again(call.answer);
	read_access(&call, arena);
	tape_free(call.answer);
	arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct span body = {(const char *)data, size};
	struct token_response response = {.status = 200, .body = body, .retry_after = ""};
	struct token_answer answer = {0};
	struct err err;

	read_error(body, 404);
	read_error(body, 500);
	read_success(body);
	read_call(body);
	(void)!token_answer_read(&response, "access_token", &answer, &err);
	token_answer_release(&answer);
	return 0;
}
