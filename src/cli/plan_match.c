#include "cli/plan_match.h"

#include "base/table.h"

/* Operations of the file that share a key, as a chain through indices. */
struct chain {
	size_t first;
};
struct index {
	struct arena *arena;
	struct table *by_key;
	size_t *next; /* by operation; SIZE_MAX: end */
};

/*
 * member: NULL for the key of the object. Members of big groups leave by one operation each, so
 * these are told apart by the member, or the chains would get long.
 */
static struct span key_of(struct arena *arena, const struct operation *op, const char *member)
{
	return span_of(arena_printf(arena, "%d %d %u %s %s", (int)op->kind, (int)op->principal,
			op->target, op->object.key ? op->object.key : "", member ? member : ""));
}

static const char *only_member(const struct operation *op)
{
	return op->member_count == 1 ? op->members[0].key : NULL;
}

static struct index index_file(const struct plan_file *file)
{
	struct index index = {.arena = arena_new(), .by_key = table_new()};

	index.next = mem_array(file->count + 1, sizeof(*index.next));
	for (size_t i = 0; i < file->count; i++) {
		struct span key = key_of(index.arena, &file->operations[i],
				only_member(&file->operations[i]));
		struct chain *chain = table_find(index.by_key, key);

		index.next[i] = chain ? chain->first : SIZE_MAX;
		if (!chain) {
			chain = arena_alloc(index.arena, sizeof(*chain));
			(void)table_put(index.by_key, key, chain);
		}
		chain->first = i;
	}
	return index;
}

/* Marks the operations of the file with that key that cover op; whether there is one. */
static bool mark_covering(const struct index *index, const struct plan_file *file,
		const struct operation *op, const char *member, bool *stale)
{
	const struct chain *chain = table_find(index->by_key, key_of(index->arena, op, member));
	bool covered = false;

	for (size_t i = chain ? chain->first : SIZE_MAX; i != SIZE_MAX; i = index->next[i]) {
		if (operation_is_covered(op, &file->operations[i])) {
			stale[i] = false;
			covered = true;
		}
	}
	return covered;
}

void plan_match(const struct plan_file *file, const struct plan *plan, struct plan_match *ret)
{
	struct index index = index_file(file);

	*ret = (struct plan_match){.stale = mem_array(file->count + 1, sizeof(*ret->stale))};
	for (size_t i = 0; i < file->count; i++)
		ret->stale[i] = true;
	for (size_t i = 0; i < plan->count; i++) {
		const struct operation *op = &plan->operations[i];
		bool covered = mark_covering(&index, file, op, NULL, ret->stale);

		if (only_member(op))
			covered = mark_covering(&index, file, op, only_member(op), ret->stale) ||
					covered;
		if (!covered)
			ret->uncovered++;
		else if (op->held_by)
			ret->held++;
		else
			ret->go++;
	}
	for (size_t i = 0; i < file->count; i++)
		ret->stale_count += ret->stale[i];
	mem_free(index.next);
	table_free(index.by_key);
	arena_free(index.arena);
}

void plan_match_release(struct plan_match *match)
{
	mem_free(match->stale);
	*match = (struct plan_match){0};
}
