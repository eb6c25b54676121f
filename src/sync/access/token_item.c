/* token_item -- reading the tokens of a workspace, and revoking those that go. */
#include "sync/access/token_item.h"

#include "base/clock.h"
#include "base/text.h"
#include "databricks/assignment.h"
#include "databricks/token.h"
#include "sync/access/on_behalf_item.h"

#define TOKENS_PER_WRITE 50       /* journalled together, revoked one by one */
#define FRESH_NS (10 * SECOND_NS) /* so long a list says how many die with a right */

/* ---- items ---- */

struct token_item *token_item_of(struct item *item)
{
	return item->class == &token_class ? (struct token_item *)item : NULL;
}

struct item *tokens_item(struct access *access, unsigned target)
{
	struct item *item = item_find(access, target, "tokens");
	struct token_item *tokens;

	if (item)
		return item;
	tokens = mem_zalloc(sizeof(*tokens));
	tokens->item.class = &token_class;
	tokens->item.target = target;
	item_add(access, &tokens->item, "tokens", "tokens");
	return &tokens->item;
}

static void row_release(struct token_row *row)
{
	mem_free(row->id);
	mem_free(row->comment);
	mem_free(row->created_by);
	mem_free(row->foreign_name);
}

static void drop_rows(struct token_item *tokens)
{
	for (vec_each (&tokens->rows, row))
		row_release(row);
	tokens->rows.count = 0;
}

static void release(struct item *item)
{
	struct token_item *tokens = (struct token_item *)item;

	drop_rows(tokens);
	vec_release(&tokens->rows);
	for (vec_each (&tokens->requests, request))
		mem_free(request->id);
	vec_release(&tokens->requests);
	ids_release(&tokens->groups);
}

static size_t count_rows(const struct item *item)
{
	return ((const struct token_item *)item)->rows.count;
}

static struct token_row *find_row(struct token_item *tokens, const char *id)
{
	for (vec_each (&tokens->rows, row)) {
		if (text_equal(row->id, id))
			return row;
	}
	return NULL;
}

const struct token_request *token_request_of(
		const struct token_item *tokens, const struct token_row *row)
{
	for (vec_each (&tokens->requests, request)) {
		if (text_equal(request->id, row->id))
			return request;
	}
	return NULL;
}

/* A command sees one plan through; in the service the list may be of last night. */
static bool is_fresh(const struct access *access, const struct token_item *tokens)
{
	return tokens->item.observed &&
			(access->engine->options.mode != ENGINE_RUN ||
					clock_monotonic_ns() - tokens->read_ns < FRESH_NS);
}

enum tokens_known tokens_ask(struct access *access, unsigned target)
{
	struct item *item = tokens_item(access, target);

	if (is_fresh(access, (struct token_item *)item))
		return TOKENS_KNOWN;
	item_want_read(access, item);
	return item->tries || item->quarantined_ms ? TOKENS_FAILED : TOKENS_ASKED;
}

/* Those who asked how many tokens die look again. */
static void mark_askers(struct access *access, unsigned target)
{
	for (vec_each (&access->items, item)) {
		if ((*item)->target == target && (*item)->securable == SECURABLE_AUTHORIZATION &&
				(*item)->class->resource == RESOURCE_PERMISSIONS)
			item_mark(access, *item);
		if ((*item)->target == target && (*item)->class->resource == RESOURCE_SETTING)
			item_mark(access, *item);
	}
}

/* ---- reading ---- */

static uint64_t id_or_none(const char *text)
{
	return text ? id_parse(text) : 0;
}

static int by_time(const void *left, const void *right)
{
	const struct token_row *a = left, *b = right;

	if (a->created_ms != b->created_ms)
		return a->created_ms < b->created_ms ? -1 : 1;
	return strcmp(a->id, b->id);
}

/* What is in no list any more needs no revoking. */
static void drop_answered(struct token_item *tokens)
{
	size_t kept = 0;

	for (size_t i = 0; i < tokens->requests.count; i++) {
		struct token_request *request = &tokens->requests.items[i];

		if (request->asked_ns < tokens->asked_ns && !find_row(tokens, request->id))
			mem_free(request->id);
		else
			tokens->requests.items[kept++] = *request;
	}
	tokens->requests.count = kept;
}

static void take_list(struct token_item *tokens, const struct token_info *infos, size_t count)
{
	drop_rows(tokens);
	for (size_t i = 0; i < count; i++)
		*vec_add(&tokens->rows) = (struct token_row){.id = mem_strdup(infos[i].id),
				.comment = mem_strdup_or_null(infos[i].comment),
				.created_by = mem_strdup_or_null(infos[i].created_by_name),
				.owner = id_or_none(infos[i].owner_id ? infos[i].owner_id
								      : infos[i].created_by_id),
				.creator = id_or_none(infos[i].created_by_id),
				.created_ms = infos[i].created_ms,
				.expires_ms = infos[i].expires_ms,
				.last_used_ms = infos[i].last_used_ms};
	if (tokens->rows.count)
		qsort(tokens->rows.items, tokens->rows.count, sizeof(struct token_row), by_time);
	tokens->read_ns = clock_monotonic_ns();
	drop_answered(tokens);
}

static bool asks_who_we_are(const struct item_work *work)
{
	return work->scratch == NULL && ((struct token_item *)work->item)->own_id == 0;
}

static void ask_for_list(struct item_work *work)
{
	static char list_is_under_way;

	work->scratch = &list_is_under_way;
	((struct token_item *)work->item)->asked_ns = clock_monotonic_ns();
	item_work_prepare(work);
	token_list(work->engine->databricks, &work->call);
}

/* false: whoever does not say who he is may be the owner of any of them. */
static bool take_self(struct item_work *work)
{
	struct token_item *tokens = (struct token_item *)work->item;
	struct err err;

	tokens->own_id = assignment_self_id(&work->call);
	if (tokens->own_id)
		return true;
	(void)err_set(&err, ERR_PROTO, 0,
			"%s does not say whom we sign in as, so nobody knows "
			"which tokens are our own",
			work->engine->settings->targets[work->item->target].name);
	item_retry_later(work->access, work->item, &err);
	return false;
}

static bool read_next(struct item_work *work)
{
	struct token_item *tokens = (struct token_item *)work->item;
	const struct token_info *infos;
	struct err err;
	size_t count;

	if (work->step == 0 && asks_who_we_are(work)) {
		item_work_prepare(work);
		assignment_ask_self(work->engine->databricks, &work->call);
		return true;
	}
	if (!work->scratch) {
		if (work->step && !take_self(work))
			return false;
		ask_for_list(work);
		return true;
	}
	if (token_list_read(&work->call, work->arena, &infos, &count, &err) != ERR_NONE) {
		item_retry_later(work->access, work->item, &err);
		return false;
	}
	take_list(tokens, infos, count);
	mark_askers(work->access, work->item->target);
	return false;
}

/* ---- writing ---- */

static void choose(struct item_work *work, const struct item_plan *plan)
{
	for (vec_each (&((struct token_item *)work->item)->rows, row))
		row->refused = false;
	for (vec_each (&plan->operations, op)) {
		if (work->ops.count < TOKENS_PER_WRITE && item_may_go(work, op))
			*vec_add(&work->ops) = *op;
	}
}

static bool revoke_first(struct item_work *work)
{
	if (work->ops.count == 0)
		return false;
	item_work_prepare(work);
	token_delete(work->engine->databricks, &work->call, work->ops.items[0].object.remote_id);
	return true;
}

static void take_first_off(struct item_work *work)
{
	work->ops.count--;
	memmove(work->ops.items, work->ops.items + 1, work->ops.count * sizeof(*work->ops.items));
}

/* The first of what is left is under way; the others are journalled, too. */
static bool write_next(struct item_work *work)
{
	if (work->step) {
		item_done_without_call(work, &work->ops.items[0]);
		take_first_off(work);
	}
	return revoke_first(work);
}

/* One that is refused keeps none of the others from going. */
static bool put_last(struct item_work *work)
{
	struct token_item *tokens = (struct token_item *)work->item;
	struct operation op = work->ops.items[0];
	struct token_row *row = find_row(tokens, op.object.remote_id), *next;

	if (row)
		row->refused = true;
	take_first_off(work);
	work->ops.items[work->ops.count++] = op;
	next = find_row(tokens, work->ops.items[0].object.remote_id);
	return next && !next->refused && revoke_first(work);
}

/* A token that is not there any more is what was wanted. */
static bool again(struct item_work *work)
{
	const struct err *err = &work->call.err;

	if (err->effect_unknown || err_is_transient(err) || work->call.code == ERR_AUTH ||
			work->call.code == ERR_CANCELLED)
		return false;
	if (work->call.code != ERR_NOT_FOUND)
		return put_last(work);
	work->step++;
	return write_next(work);
}

static void drop_request(struct token_item *tokens, const char *id)
{
	size_t kept = 0;

	for (size_t i = 0; i < tokens->requests.count; i++) {
		if (text_equal(tokens->requests.items[i].id, id))
			mem_free(tokens->requests.items[i].id);
		else
			tokens->requests.items[kept++] = tokens->requests.items[i];
	}
	tokens->requests.count = kept;
}

static void settle(struct access *access, struct item *item, const struct operation *op)
{
	struct token_item *tokens = (struct token_item *)item;
	size_t kept = 0;

	on_behalf_revoked(access, item->target, op->object.remote_id);
	for (size_t i = 0; i < tokens->rows.count; i++) {
		if (text_equal(tokens->rows.items[i].id, op->object.remote_id))
			row_release(&tokens->rows.items[i]);
		else
			tokens->rows.items[kept++] = tokens->rows.items[i];
	}
	tokens->rows.count = kept;
	drop_request(tokens, op->object.remote_id);
}

static bool failed(struct item_work *work)
{
	if (work->stage == ITEM_READ)
		mark_askers(work->access, work->item->target);
	return work->stage == ITEM_WRITE && work->call.code == ERR_NOT_FOUND;
}

static bool shows(struct item *item, const struct operation *op)
{
	return op->kind == OP_REMOVE_RESOURCE &&
			!find_row((struct token_item *)item, op->object.remote_id);
}

static int64_t due_ms(const struct access *access, const struct item *item)
{
	int64_t aged = ((const struct token_item *)item)->next_ms;
	int64_t sweep = access->tokens->next_sweep_ms;

	return !aged || (sweep && sweep < aged) ? sweep : aged;
}

const struct item_class token_class = {
		.resource = RESOURCE_TOKEN,
		.rank = 90,
		.plan = token_plan,
		.read_next = read_next,
		.choose = choose,
		.write_next = write_next,
		.settle = settle,
		.again = again,
		.failed = failed,
		.shows = shows,
		.count_ours = count_rows,
		.due_ms = due_ms,
		.release = release,
};
