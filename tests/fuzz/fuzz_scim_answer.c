/* An answer of any content: an error is classified; as a success it is read as a list, a resource, a token. */
#include "databricks/answer.h"
#include "databricks/scim_internal.h"
#include "databricks/signin.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct span body = {(const char *)data, size};
	struct secret header = {0};
	int64_t life_s;
	struct err err;

	read_error(body, 404);
	read_error(body, 500);
	read_success(body);
	(void)!signin_read_token(200, body, "", &header, &life_s, &err);
	secret_release(&header);
	return 0;
}
