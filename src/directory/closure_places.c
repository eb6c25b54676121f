#include "directory/closure_private.h"

/*
 * Layers and loops. Both are found by one search from a group upward, over kept and looked-through groups: upward there
 * are few groups, downward there may be 50,000 people. Components complete in the order of the nesting, those above
 * first, so a layer is known when its component is. The search keeps its own stack: directories nest as deep as they like.
 */

/* Groups that nest or pass on what is in them: an edge upward leads to these only. */
static bool is_vertex(struct closure *closure, node_id node)
{
	enum node_role role = closure_role(closure, node);

	return role == ROLE_THROUGH || (role == ROLE_MADE && closure_is_kept(closure, node));
}

static void enter(struct closure *closure, node_id node)
{
	uint32_t index = (uint32_t)closure->places.count;
	struct frame *frame = vec_add(&closure->frames);

	*vec_add(&closure->places) = (struct place){
			.node = node,
			.order = index,
			.low = index,
			.is_open = true,
			.is_made = closure_role(closure, node) == ROLE_MADE,
	};
	closure->place_of[node] = index;
	*vec_add(&closure->open) = index;
	*frame = (struct frame){.place = index};
	frame->parents = snapshot_parents(closure->snapshot, node, &frame->count);
}

/* How deep a group below this parent would be, at least: the layer of the kept group there, 0 if it keeps none. */
static uint8_t layer_of_parent(const struct closure *closure, node_id parent)
{
	const struct place *place = &closure->places.items[closure->place_of[parent]];

	if (place->is_made && (place->in_loop || place->layer == CLOSURE_DEPTH_MAX))
		return 0;
	return place->layer;
}

static uint8_t layer_right_above(struct closure *closure, node_id node)
{
	uint8_t deepest = 0;
	size_t count;
	const node_id *parents = snapshot_parents(closure->snapshot, node, &count);

	for (size_t k = 0; k < count; k++) {
		uint32_t above = closure->place_of[parents[k]];
		uint8_t layer;

		/* No place: no vertex. Open: in the same component. */
		if (above == NO_PLACE || closure->places.items[above].is_open)
			continue;
		layer = layer_of_parent(closure, parents[k]);
		deepest = layer > deepest ? layer : deepest;
	}
	return deepest;
}

/* The deepest kept group above the component, places open.items[from..]; or above its looked-through groups only. */
static uint8_t layer_above(struct closure *closure, size_t from, bool through_only)
{
	uint8_t deepest = 0;

	for (size_t i = from; i < closure->open.count; i++) {
		const struct place *place = &closure->places.items[closure->open.items[i]];
		uint8_t layer = through_only && place->is_made
				? 0
				: layer_right_above(closure, place->node);

		deepest = layer > deepest ? layer : deepest;
	}
	return deepest;
}

static size_t count_made(const struct closure *closure, size_t from)
{
	size_t made = 0;

	for (size_t i = from; i < closure->open.count; i++)
		made += closure->places.items[closure->open.items[i]].is_made;
	return made;
}

/* Two made groups that reach each other are a loop; one that reaches itself through others is not. */
static void complete(struct closure *closure, uint32_t root)
{
	size_t from = closure->open.count, made;
	uint8_t own, through;

	while (closure->open.items[from - 1] != root)
		from--;
	from--;
	made = count_made(closure, from);
	own = (uint8_t)(layer_above(closure, from, false) + 1);
	through = layer_above(closure, from, true);
	if (made == 1 && own < CLOSURE_DEPTH_MAX)
		through = own;
	for (size_t i = from; i < closure->open.count; i++) {
		struct place *place = &closure->places.items[closure->open.items[i]];

		place->in_loop = place->is_made && made > 1;
		place->layer = place->is_made ? own : through;
	}
	for (; closure->open.count > from; closure->open.count--)
		closure->places.items[closure->open.items[closure->open.count - 1]].is_open = false;
}

static void leave(struct closure *closure)
{
	uint32_t index = closure->frames.items[--closure->frames.count].place;
	const struct place *place = &closure->places.items[index];

	if (place->low == place->order) {
		complete(closure, index);
	} else if (closure->frames.count > 0) {
		/* A component is never complete before its root is left, so there is a frame below. */
		struct place *below =
				&closure->places.items[closure->frames.items[closure->frames.count -
										      1]
								       .place];

		below->low = place->low < below->low ? place->low : below->low;
	}
}

static void find_places(struct closure *closure, node_id start)
{
	enter(closure, start);
	while (closure->frames.count > 0) {
		struct frame *frame = &closure->frames.items[closure->frames.count - 1];
		struct place *place = &closure->places.items[frame->place];
		node_id parent;
		uint32_t known;

		if (frame->next == frame->count) {
			leave(closure);
			continue;
		}
		parent = frame->parents[frame->next++];
		known = closure->place_of[parent];
		if (known == NO_PLACE) {
			if (is_vertex(closure, parent))
				enter(closure, parent);
		} else if (closure->places.items[known].is_open &&
				closure->places.items[known].order < place->low) {
			place->low = closure->places.items[known].order;
		}
	}
}

bool closure_is_flat(struct closure *closure, node_id group)
{
	const struct place *place;

	if (!closure_is_kept(closure, group))
		return true;
	if (closure->place_of[group] == NO_PLACE)
		find_places(closure, group);
	place = &closure->places.items[closure->place_of[group]];
	return place->in_loop || place->layer == CLOSURE_DEPTH_MAX;
}

void closure_forget_places(struct closure *closure)
{
	for (size_t i = 0; i < closure->places.count; i++)
		closure->place_of[closure->places.items[i].node] = NO_PLACE;
	closure->places.count = 0;
}
