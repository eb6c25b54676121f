#include "directory/closure_private.h"

#include "directory/node_set.h"

struct closure *closure_new(const struct snapshot *snapshot, const struct node_roles *roles)
{
	struct closure *closure = mem_zalloc(sizeof(*closure));

	closure->snapshot = snapshot;
	closure->roles = roles;
	return closure;
}

void closure_free(struct closure *closure)
{
	if (!closure)
		return;
	mem_free(closure->place_of);
	mem_free(closure->marks);
	mem_free(closure->far_marks);
	mem_free(closure->told);
	vec_release(&closure->places);
	vec_release(&closure->open);
	vec_release(&closure->frames);
	vec_release(&closure->stack);
	vec_release(&closure->found);
	mem_free(closure);
}

void closure_grow(struct closure *closure)
{
	uint32_t old = closure->limit, need = snapshot_limit(closure->snapshot);

	if (need <= old)
		return;
	need += need / 8;
	closure->place_of = mem_resize(closure->place_of, need, sizeof(*closure->place_of));
	closure->marks = mem_resize(closure->marks, need, sizeof(*closure->marks));
	closure->far_marks = mem_resize(closure->far_marks, need, sizeof(*closure->far_marks));
	closure->told = mem_resize(closure->told, need, sizeof(*closure->told));
	for (uint32_t i = old; i < need; i++) {
		closure->place_of[i] = NO_PLACE;
		closure->marks[i] = closure->far_marks[i] = 0;
		closure->told[i] = 0;
	}
	closure->limit = need;
}

uint32_t closure_walk(struct closure *closure)
{
	if (++closure->walk == 0) {
		memset(closure->marks, 0, closure->limit * sizeof(*closure->marks));
		memset(closure->far_marks, 0, closure->limit * sizeof(*closure->far_marks));
		closure->walk = 1;
	}
	return closure->walk;
}

/* ---- roles ---- */

/* Role and nesting as one octet, never 0. */
static uint8_t role_octet(const struct closure *closure, node_id node)
{
	const struct node_roles *roles = closure->roles;
	enum node_role role = ROLE_NONE;
	enum nesting nesting = NESTING_KEEP;

	if (snapshot_is_present(closure->snapshot, node))
		role = roles->role(roles->context, node);
	if (role == ROLE_MADE)
		nesting = roles->nesting(roles->context, node);
	return (uint8_t)(0x80 | (unsigned)nesting << 4 | (unsigned)role);
}

/*
 * What was told first stays until closure_affected looks at the node: whatever was concluded from it in between can be
 * found again by the difference.
 */
static uint8_t look(struct closure *closure, node_id node)
{
	uint8_t octet = role_octet(closure, node);

	if (closure->told[node] == 0 && !closure->is_comparing)
		closure->told[node] = octet;
	return octet;
}

enum node_role closure_role(struct closure *closure, node_id node)
{
	return (enum node_role)(look(closure, node) & 15);
}

bool closure_is_kept(struct closure *closure, node_id made_group)
{
	return (enum nesting)(look(closure, made_group) >> 4 & 7) == NESTING_KEEP;
}

/* ---- members ---- */

static size_t found_into(struct closure *closure, struct arena *arena, const node_id **ret)
{
	size_t count = node_ids_sort(closure->found.items, closure->found.count);
	node_id *copy = arena_alloc(arena, (count + 1) * sizeof(*copy));

	if (count)
		memcpy(copy, closure->found.items, count * sizeof(*copy));
	closure->found.count = 0;
	*ret = copy;
	return count;
}

/* One member of a group that is looked through for the sake of another. Returns false if it is outside. */
static bool take_member(struct closure *closure, node_id member, bool flat)
{
	switch (closure_role(closure, member)) {
	case ROLE_PERSON:
		*vec_add(&closure->found) = member;
		return true;
	case ROLE_MADE:
		*(flat ? vec_add(&closure->stack) : vec_add(&closure->found)) = member;
		return true;
	case ROLE_THROUGH:
		*vec_add(&closure->stack) = member;
		return true;
	case ROLE_NONE:
	default:
		return false;
	}
}

size_t closure_members(struct closure *closure, node_id group, struct arena *arena,
		const node_id **ret, size_t *ret_outside)
{
	size_t outside = 0;
	uint32_t walk;
	bool flat;

	closure_grow(closure);
	closure->stack.count = closure->found.count = 0;
	if (snapshot_is_present(closure->snapshot, group) &&
			closure_role(closure, group) == ROLE_MADE) {
		flat = closure_is_flat(closure, group);
		walk = closure_walk(closure);
		closure->marks[group] = walk;
		*vec_add(&closure->stack) = group;
		while (closure->stack.count > 0) {
			node_id through = closure->stack.items[--closure->stack.count];
			size_t count, unresolved;
			const node_id *members =
					snapshot_members(closure->snapshot, through, &count);

			for (size_t i = 0; i < count; i++) {
				if (closure->marks[members[i]] == walk)
					continue;
				closure->marks[members[i]] = walk;
				outside += !take_member(closure, members[i], flat);
			}
			(void)snapshot_unresolved(closure->snapshot, through, &unresolved);
			outside += unresolved;
		}
	}
	*ret_outside = outside;
	return found_into(closure, arena, ret);
}

/* ---- what a change affects ---- */

static void up_push(struct closure *closure, node_id node, bool near)
{
	size_t count;
	const node_id *parents = snapshot_parents(closure->snapshot, node, &count);

	for (size_t i = 0; i < count; i++) {
		uint32_t *marks = near ? closure->marks : closure->far_marks;

		if (marks[parents[i]] == closure->walk)
			continue;
		marks[parents[i]] = closure->walk;
		*vec_add(&closure->stack) = parents[i];
		*vec_add(&closure->stack) = near;
	}
}

/*
 * Groups that look at node. Near: a made group that sees it, itself or through others. Far, above that one, only
 * flat groups see what is inside it. The marks are shared by all walks of one closure_affected.
 */
static void walk_up(struct closure *closure, node_id node, bool near)
{
	closure->stack.count = 0;
	up_push(closure, node, near);
	while (closure->stack.count > 0) {
		bool is_near = closure->stack.items[closure->stack.count - 1];
		node_id group = closure->stack.items[closure->stack.count - 2];
		enum node_role role = closure_role(closure, group);

		closure->stack.count -= 2;
		if (role == ROLE_THROUGH) {
			up_push(closure, group, is_near);
		} else if (role == ROLE_MADE) {
			if (is_near || closure_is_flat(closure, group))
				*vec_add(&closure->found) = group;
			up_push(closure, group, false);
		}
	}
}

/* Made groups below node, whatever its own role: their layers and loops may differ. */
static void walk_down(struct closure *closure, node_id node)
{
	uint32_t walk = closure_walk(closure);

	closure->stack.count = 0;
	*vec_add(&closure->stack) = node;
	closure->marks[node] = walk;
	while (closure->stack.count > 0) {
		node_id group = closure->stack.items[--closure->stack.count];
		size_t count;
		const node_id *members = snapshot_members(closure->snapshot, group, &count);

		for (size_t i = 0; i < count; i++) {
			enum node_role role;

			if (closure->marks[members[i]] == walk)
				continue;
			closure->marks[members[i]] = walk;
			role = closure_role(closure, members[i]);
			if (role == ROLE_MADE)
				*vec_add(&closure->found) = members[i];
			if (role == ROLE_MADE || role == ROLE_THROUGH)
				*vec_add(&closure->stack) = members[i];
		}
	}
}

struct change {
	node_id node;
	unsigned effects;
	uint8_t was, is; /* as role_octet */
};

static bool nests(uint8_t octet)
{
	enum node_role role = (enum node_role)(octet & 15);

	return octet && (role == ROLE_MADE || role == ROLE_THROUGH);
}

/* First all walks down, then those up: the two count marks apart. */
static void affect_down(struct closure *closure, const struct change *change)
{
	bool is_made = (change->is & 15) == ROLE_MADE;
	bool is_direct = (change->effects & EFFECT_MEMBERS) && (change->effects & EFFECT_RECORD);

	/* EFFECT_GROUPS: something above it changed, so may have its layer or the loop that it was in. */
	if (is_made &&
			(change->was != change->is || is_direct ||
					(change->effects & EFFECT_GROUPS)))
		*vec_add(&closure->found) = change->node;
	if (change->was != change->is && (nests(change->was) || nests(change->is)))
		walk_down(closure, change->node);
}

static void affect_up(struct closure *closure, const struct change *change)
{
	bool is_direct = (change->effects & EFFECT_MEMBERS) && (change->effects & EFFECT_RECORD);

	if (change->was != change->is)
		walk_up(closure, change->node, true);
	else if (is_direct && nests(change->is))
		walk_up(closure, change->node, (change->is & 15) == ROLE_THROUGH);
}

typedef void affect(struct closure *closure, const struct change *change);

static void for_each_change(
		struct closure *closure, const node_id *changed, size_t count, affect *step)
{
	size_t effect_count;
	const struct snapshot_change *effects = snapshot_changes(closure->snapshot, &effect_count);

	for (size_t i = 0; i < effect_count; i++) {
		node_id node = effects[i].node;

		step(closure,
				&(struct change){node, effects[i].effects, closure->told[node],
						role_octet(closure, node)});
	}
	for (size_t i = 0; i < count; i++) {
		if (changed[i] < snapshot_limit(closure->snapshot))
			step(closure,
					&(struct change){changed[i], 0, closure->told[changed[i]],
							role_octet(closure, changed[i])});
	}
}

static void affect_remember(struct closure *closure, const struct change *change)
{
	closure->told[change->node] =
			snapshot_is_present(closure->snapshot, change->node) ? change->is : 0;
}

size_t closure_affected(struct closure *closure, const node_id *changed, size_t count,
		struct arena *arena, const node_id **ret)
{
	closure_grow(closure);
	closure_forget_places(closure);
	closure->found.count = 0;
	closure->is_comparing = true;
	for_each_change(closure, changed, count, affect_down);
	(void)closure_walk(closure);
	for_each_change(closure, changed, count, affect_up);
	closure->is_comparing = false;
	for_each_change(closure, changed, count, affect_remember);
	return found_into(closure, arena, ret);
}
