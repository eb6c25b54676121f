/* An answer of any content: an error is looked through for a principal; as a success it is read as an access list and as objects. */
#include "databricks/answer.h"
#include "databricks/object_internal.h"
#include "databricks/permission.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_error(struct span body)
{
	const struct answer answer = {.what = "PATCH /api/2.0/permissions/jobs/1",
			.is_write = true,
			.status = 404,
			.body = body,
			.location = "",
			.retry_after = ""};
	struct answer_verdict verdict;
	struct err err;

	if (answer_check(&answer, &verdict, &err) == ERR_NONE ||
			strnlen(verdict.unknown_name, ANSWER_NAME_SIZE) == ANSWER_NAME_SIZE)
		abort();
}

static void read_as(const struct call *call, enum securable_type type, struct arena *arena)
{
	const struct object_listing *listing = object_listing(type);
	const struct tape_value *answer = tape_root(call->answer);
	struct err err;
	const struct object_reader reader = {type, &listing->keys, arena, &err};
	struct found_object *objects, one;
	struct acl acl;
	size_t count;
	bool is_one;

	if (permission_acl(call, type, arena, &acl, &err) == ERR_NONE)
		(void)acl_grants(&acl, 1, arena, &count);
	if (!listing->path)
		return;
	(void)!object_read_page(&reader, answer, listing->array, &objects, &count);
	(void)!object_read(&reader, answer, &one, &is_one);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct span body = {(const char *)data, size};
	struct arena *arena = arena_new();
	struct call call = {0};
	struct found_object node;
	struct err err;
	bool is_one;

	read_error(body);
	if (tape_parse(mem_strndup(body.ptr, body.len), body.len, &call.answer, &err) != ERR_NONE)
		call.answer = NULL;
	for (unsigned type = 0; type < SECURABLE_TYPE_COUNT_; type++)
		read_as(&call, (enum securable_type)type, arena);
	(void)!object_read_node(tape_root(call.answer), arena, &node, &is_one, &err);
	tape_free(call.answer);
	arena_free(arena);
	return 0;
}
