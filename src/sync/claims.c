#include "sync/claims.h"

#include "base/digest.h"
#include "base/text.h"
#include "base/vec.h"
#include "directory/hash_index.h"

struct claims {
	const char *(*name_of)(void *context, node_id node, enum principal_kind *ret_kind);
	void *context;
	struct hash_index rings; /* one node of each ring, by name and kind */
	VEC(node_id) next;       /* by node; NODE_NONE: in no ring */
};

struct claims *claims_new(
		const char *(*name_of)(void *context, node_id node, enum principal_kind *ret_kind),
		void *context)
{
	struct claims *claims = mem_zalloc(sizeof(*claims));

	claims->name_of = name_of;
	claims->context = context;
	return claims;
}

void claims_free(struct claims *claims)
{
	if (!claims)
		return;
	hash_index_release(&claims->rings);
	vec_release(&claims->next);
	mem_free(claims);
}

static uint32_t hash_claim(enum principal_kind kind, const char *name)
{
	return digest_quick_folded(name) ^ (uint32_t)kind;
}

/* The node by which the ring of that name is known; NODE_NONE: nobody claims it. */
static node_id find_ring(const struct claims *claims, enum principal_kind kind, const char *name)
{
	for (hash_each(&claims->rings, hash_claim(kind, name), it)) {
		enum principal_kind other_kind;
		const char *other = claims->name_of(claims->context, it.id, &other_kind);

		if (other_kind == kind && text_equal_folded(other, name))
			return it.id;
	}
	return NODE_NONE;
}

void claims_enter(struct claims *claims, node_id node)
{
	enum principal_kind kind;
	const char *name = claims->name_of(claims->context, node, &kind);
	node_id ring = find_ring(claims, kind, name);

	while (claims->next.count <= node)
		*vec_add(&claims->next) = NODE_NONE;
	if (ring == NODE_NONE) {
		claims->next.items[node] = node;
		hash_index_add(&claims->rings, hash_claim(kind, name), node);
	} else {
		claims->next.items[node] = claims->next.items[ring];
		claims->next.items[ring] = node;
	}
}

node_id claims_leave(struct claims *claims, node_id node)
{
	enum principal_kind kind;
	const char *name;
	node_id before = node;

	if (!claims_contain(claims, node))
		return NODE_NONE;
	name = claims->name_of(claims->context, node, &kind);
	while (claims->next.items[before] != node)
		before = claims->next.items[before];
	if (find_ring(claims, kind, name) == node) {
		hash_index_remove(&claims->rings, hash_claim(kind, name), node);
		if (before != node)
			hash_index_add(&claims->rings, hash_claim(kind, name), before);
	}
	claims->next.items[before] = claims->next.items[node];
	claims->next.items[node] = NODE_NONE;
	return before == node ? NODE_NONE : before;
}

bool claims_contain(const struct claims *claims, node_id node)
{
	return claims_next(claims, node) != NODE_NONE;
}

node_id claims_next(const struct claims *claims, node_id node)
{
	return node < claims->next.count ? claims->next.items[node] : NODE_NONE;
}
