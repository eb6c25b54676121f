#include "sync/desired.h"

#include "base/text.h"
#include "base/vec.h"
#include "rules/evaluate.h"
#include "sync/claims.h"

/* So many of those that want one name are looked at again when one more wants it, or one less. */
#define RIVALS_MAX 16

struct desired {
	const struct config *config;
	const struct snapshot *snapshot;
	const struct search *searches;
	size_t search_count;
	struct evaluator *evaluator;
	struct closure *closure;
	struct node_roles roles;
	VEC(struct want) wants; /* by node; state WANT_NONE: nothing is known of it */
	size_t nameless;        /* wants that are UNSURE without an identity */
	VEC(node_id) changed;   /* of the last update */
	struct claims *claims;
	VEC(node_id) rivals; /* of those who began or ceased to claim a name, in this update */
	struct arena *scratch;
};

static enum node_role role_of(void *context, node_id node)
{
	const struct desired *desired = context;
	const struct want *want = desired_want(desired, node);
	enum principal_kind kind;

	/* Asked a million times in a big directory: the identity itself is not looked at. */
	if (want && want->identity && (want->state == WANT_IN || want->state == WANT_UNSURE))
		return want->is_group ? ROLE_MADE : ROLE_PERSON;
	kind = desired_kind(desired, node);
	if (kind == PRINCIPAL_USER || kind == PRINCIPAL_SERVICE)
		return ROLE_NONE;
	/* A group that is read but not made is transparent, whether a `through` search or a `when`
	 * left it so. */
	for (size_t i = 0; i < desired->search_count; i++) {
		const struct search *search = &desired->searches[i];

		if ((search->purpose == SEARCH_THROUGH || search->purpose == SEARCH_GROUPS) &&
				(snapshot_searches(desired->snapshot, node) >> i & 1))
			return ROLE_THROUGH;
	}
	return ROLE_NONE;
}

static enum nesting nesting_of(void *context, node_id group)
{
	const struct want *want = desired_want(context, group);

	return want && want->identity ? want->identity->nesting : NESTING_KEEP;
}

/* ---- who wants which name ---- */

static const char *claimed_name(const struct identity *identity)
{
	const char *name = identity->fields[principal_name_field(identity->kind)];

	/* Databricks gives a service principal its application id, if no rule does. */
	return name ? name : identity->fields[FIELD_DISPLAY_NAME];
}

static bool claims_name(enum want_state state, const struct identity *identity)
{
	return (state == WANT_IN || state == WANT_UNSURE) && identity && claimed_name(identity);
}

static const char *name_of_node(void *context, node_id node, enum principal_kind *ret_kind)
{
	const struct desired *desired = context;
	const struct identity *identity = desired->wants.items[node].identity;

	*ret_kind = identity->kind;
	return claimed_name(identity);
}

/* Those in the ring of node, itself too. */
static void note_rivals(struct desired *desired, node_id node)
{
	node_id rival = node;

	for (unsigned i = 0; node != NODE_NONE && i < RIVALS_MAX; i++) {
		*vec_add(&desired->rivals) = rival;
		rival = claims_next(desired->claims, rival);
		if (rival == node)
			break;
	}
}

static void enter_claim(struct desired *desired, node_id node)
{
	claims_enter(desired->claims, node);
	if (claims_next(desired->claims, node) != node)
		note_rivals(desired, node);
}

node_id desired_next_claim(const struct desired *desired, node_id node)
{
	return claims_next(desired->claims, node);
}

node_id desired_find_name(const struct desired *desired, enum principal_kind kind, const char *name)
{
	return claims_find(desired->claims, kind, name);
}

/* ---- life ---- */

struct desired *desired_new(const struct config *config, const struct snapshot *snapshot)
{
	struct desired *desired = mem_zalloc(sizeof(*desired));

	desired->config = config;
	desired->snapshot = snapshot;
	desired->searches = mapping_searches(config_mapping(config), &desired->search_count);
	desired->evaluator = evaluator_new(config_mapping(config));
	desired->roles = (struct node_roles){desired, role_of, nesting_of};
	desired->closure = closure_new(snapshot, &desired->roles);
	desired->claims = claims_new(name_of_node, desired);
	desired->scratch = arena_new();
	return desired;
}

static void want_release(struct want *want)
{
	mem_free(want->identity);
	mem_free(want->reason);
	*want = (struct want){.state = WANT_NONE};
}

void desired_free(struct desired *desired)
{
	if (!desired)
		return;
	for (vec_each (&desired->wants, want))
		want_release(want);
	vec_release(&desired->wants);
	vec_release(&desired->changed);
	vec_release(&desired->rivals);
	claims_free(desired->claims);
	closure_free(desired->closure);
	evaluator_free(desired->evaluator);
	arena_free(desired->scratch);
	mem_free(desired);
}

const struct want *desired_want(const struct desired *desired, node_id node)
{
	return node < desired->wants.count && desired->wants.items[node].state != WANT_NONE
			? &desired->wants.items[node]
			: NULL;
}

static bool search_makes(const struct search *search)
{
	return search->purpose == SEARCH_USERS || search->purpose == SEARCH_GROUPS ||
			search->purpose == SEARCH_SERVICE_PRINCIPALS;
}

enum principal_kind desired_kind(const struct desired *desired, node_id node)
{
	static const enum principal_kind kinds[] = {[SEARCH_USERS] = PRINCIPAL_USER,
			[SEARCH_GROUPS] = PRINCIPAL_GROUP,
			[SEARCH_SERVICE_PRINCIPALS] = PRINCIPAL_SERVICE};
	const struct want *want = desired_want(desired, node);
	uint64_t searches = snapshot_searches(desired->snapshot, node);

	if (want && want->identity)
		return want->identity->kind;
	for (size_t i = 0; i < desired->search_count; i++) {
		if ((searches >> i & 1) && search_makes(&desired->searches[i]))
			return kinds[desired->searches[i].purpose];
	}
	return PRINCIPAL_KIND_COUNT_;
}

struct node_context {
	const struct snapshot *snapshot;
	node_id node;
};

static bool node_in_group(void *context, const char *glob)
{
	const struct node_context *at = context;

	return snapshot_in_group(at->snapshot, at->node, glob);
}

/* The first rule that takes the entry decides; if none does, the first that could not tell. */
static void evaluate_node(struct desired *desired, node_id node, struct evaluation *ret)
{
	struct node_context context = {desired->snapshot, node};
	struct membership membership = {&context, node_in_group};
	uint64_t searches = snapshot_searches(desired->snapshot, node);
	bool read_groups = false;
	struct entry entry;
	struct err err;

	*ret = (struct evaluation){.result = EVALUATED_OUT};
	if (!snapshot_is_present(desired->snapshot, node))
		return;
	if (snapshot_entry(desired->snapshot, node, desired->scratch, &entry, &err) != ERR_NONE) {
		ret->result = EVALUATED_FAILED;
		ret->reason = arena_strdup(desired->scratch, err.text);
		return;
	}
	for (size_t i = 0; i < desired->search_count; i++) {
		struct evaluation evaluation;

		if (!(searches >> i & 1) || !search_makes(&desired->searches[i]))
			continue;
		evaluate_entry(desired->evaluator, &desired->searches[i], &entry, &membership,
				desired->scratch, &evaluation);
		read_groups = read_groups || evaluation.read_groups;
		if (evaluation.result == EVALUATED || ret->result == EVALUATED_OUT)
			*ret = evaluation;
		if (evaluation.result == EVALUATED)
			break;
	}
	ret->read_groups = read_groups;
}

static enum want_state state_of(const struct evaluation *evaluation)
{
	switch (evaluation->result) {
	case EVALUATED:
		return evaluation->identity.active || evaluation->identity.kind == PRINCIPAL_GROUP
				? WANT_IN
				: WANT_LEAVER;
	case EVALUATED_OUT:
		return WANT_OUT;
	case EVALUATED_NIL:
	case EVALUATED_FAILED:
		break;
	}
	return WANT_UNSURE;
}

/* Returns whether anything that others look at changed. */
static bool take_evaluation(struct want *place, struct evaluation *evaluation)
{
	struct want former = *place;
	struct want want = {.state = state_of(evaluation), .read_groups = evaluation->read_groups};
	bool was_out = former.state == WANT_OUT || former.state == WANT_NONE, same;

	if (want.state == WANT_OUT && !want.read_groups) {
		want_release(place);
		return !was_out;
	}
	/* Where the entry is, the snapshot knows, and better once its container was renamed. */
	evaluation->identity.why.entry = NULL;
	if (evaluation->result == EVALUATED)
		want.identity = identity_clone(&evaluation->identity);
	else if (want.state == WANT_UNSURE)
		want.identity = STEAL(former.identity);
	want.is_group = want.identity && want.identity->kind == PRINCIPAL_GROUP;
	want.reason = evaluation->reason ? text_repair(span_of(evaluation->reason)) : NULL;
	if (want.state == WANT_OUT)
		same = was_out;
	else
		same = former.state == want.state && want.identity && former.identity &&
				identity_equal(want.identity, former.identity);
	*place = want;
	want_release(&former);
	return !same;
}

static bool is_nameless(const struct want *want)
{
	return want->state == WANT_UNSURE && !want->identity;
}

size_t desired_nameless(const struct desired *desired)
{
	return desired->nameless;
}

static struct want *want_place(struct desired *desired, node_id node)
{
	while (desired->wants.count <= node)
		*vec_add(&desired->wants) = (struct want){.state = WANT_NONE};
	return &desired->wants.items[node];
}

/* An evaluation that fails leaves the last name as it is. */
static bool keeps_claim(const struct want *want, const struct evaluation *evaluation)
{
	enum want_state state = state_of(evaluation);

	return state == WANT_UNSURE ||
			(claims_name(state, &evaluation->identity) &&
					evaluation->identity.kind == want->identity->kind &&
					text_equal_folded(claimed_name(&evaluation->identity),
							claimed_name(want->identity)));
}

static bool take(struct desired *desired, node_id node, struct evaluation *evaluation)
{
	struct want *place = want_place(desired, node);
	bool stays = claims_contain(desired->claims, node) && keeps_claim(place, evaluation);
	bool changed;

	if (!stays)
		note_rivals(desired, claims_leave(desired->claims, node));
	desired->nameless -= is_nameless(place);
	changed = take_evaluation(place, evaluation);
	desired->nameless += is_nameless(place);
	if (!stays && claims_name(place->state, place->identity))
		enter_claim(desired, node);
	return changed;
}

static bool must_evaluate(const struct desired *desired, const struct snapshot_change *change)
{
	const struct want *want = desired_want(desired, change->node);

	if (change->effects & (EFFECT_CONTENT | EFFECT_GONE | EFFECT_SEARCHES))
		return true;
	return (change->effects & EFFECT_GROUPS) && want && want->read_groups;
}

static void add_affected_groups(
		struct desired *desired, const struct snapshot_change *changes, size_t count)
{
	VEC(node_id) touched = {0};
	const node_id *groups;
	size_t group_count, own = desired->changed.count;
	node_id *kept;

	for (size_t i = 0; i < count; i++) {
		if (changes[i].effects & (EFFECT_MEMBERS | EFFECT_GONE))
			*vec_add(&touched) = changes[i].node;
	}
	for (size_t i = 0; i < own; i++)
		*vec_add(&touched) = desired->changed.items[i];
	group_count = closure_affected(
			desired->closure, touched.items, touched.count, desired->scratch, &groups);
	vec_release(&touched);
	/* Merge two ascending lists. */
	kept = arena_alloc(desired->scratch, own * sizeof(*kept));
	if (own)
		memcpy(kept, desired->changed.items, own * sizeof(*kept));
	desired->changed.count = 0;
	for (size_t i = 0, k = 0; i < own || k < group_count;) {
		node_id next;

		if (k == group_count || (i < own && kept[i] <= groups[k])) {
			next = kept[i];
			k += k < group_count && groups[k] == next;
			i++;
		} else {
			next = groups[k++];
		}
		*vec_add(&desired->changed) = next;
	}
}

static int compare_nodes(const void *a, const void *b)
{
	node_id x = *(const node_id *)a, y = *(const node_id *)b;

	return (x > y) - (x < y);
}

/* Whoever shared a name with one of the changed: whether it may have it is another question now. */
static void add_rivals(struct desired *desired)
{
	size_t kept = 0;

	if (desired->rivals.count == 0)
		return;
	for (vec_each (&desired->rivals, rival))
		*vec_add(&desired->changed) = *rival;
	qsort(desired->changed.items, desired->changed.count, sizeof(node_id), compare_nodes);
	for (vec_each (&desired->changed, node)) {
		if (kept == 0 || desired->changed.items[kept - 1] != *node)
			desired->changed.items[kept++] = *node;
	}
	desired->changed.count = kept;
	desired->rivals.count = 0;
}

const node_id *desired_update(struct desired *desired, const struct snapshot_change *changes,
		size_t count, size_t *ret_count)
{
	desired->changed.count = 0;
	for (size_t i = 0; i < count; i++) {
		struct evaluation evaluation;

		if (!must_evaluate(desired, &changes[i]))
			continue;
		arena_reset(desired->scratch);
		evaluate_node(desired, changes[i].node, &evaluation);
		if (take(desired, changes[i].node, &evaluation) ||
				(changes[i].effects & EFFECT_GONE))
			*vec_add(&desired->changed) = changes[i].node;
	}
	arena_reset(desired->scratch);
	add_affected_groups(desired, changes, count);
	add_rivals(desired);
	*ret_count = desired->changed.count;
	return desired->changed.items;
}

size_t desired_members(struct desired *desired, node_id group, struct arena *arena,
		const node_id **ret, size_t *ret_outside)
{
	return closure_members(desired->closure, group, arena, ret, ret_outside);
}

void desired_count(const struct desired *desired, struct desired_counts *ret)
{
	*ret = (struct desired_counts){0};
	for (size_t i = 0; i < desired->wants.count; i++) {
		const struct want *want = &desired->wants.items[i];

		ret->in += want->state == WANT_IN;
		ret->leavers += want->state == WANT_LEAVER;
		ret->unsure += want->state == WANT_UNSURE && want->identity;
		ret->skipped += is_nameless(want);
	}
}
