#include "sync/access/principal_read.h"

struct part {
	struct principal_read *read;
	struct task answered;
	const struct object *object; /* only compared: it may go meanwhile */
	enum principal_kind kind;
	unsigned target;
	struct call call;
	bool done;
	struct seen_grants seen; /* in the arena */
	const char *unread;      /* why; NULL: it was */
};

struct principal_read {
	struct engine *engine;
	struct task *wakes;
	struct task late;
	struct loop_timer *timer;
	struct arena *arena;
	VEC(struct part *) parts;
	size_t open;
	bool done;
};

/* ---- answers ---- */

static void finish(struct principal_read *read)
{
	if (read->done)
		return;
	read->done = true;
	loop_timer_stop(read->timer);
	task_wake(read->wakes);
}

static char **copy(struct arena *arena, const char *const *values, size_t count)
{
	char **copies = arena_alloc(arena, (count + 1) * sizeof(*copies));

	for (size_t i = 0; i < count; i++)
		copies[i] = arena_strdup(arena, values[i]);
	return copies;
}

static void take(struct part *part)
{
	struct arena *arena = part->read->arena;
	struct resource resource;
	struct err err;

	part->seen = (struct seen_grants){.workspace = part->target};
	if (part->call.code == ERR_NOT_FOUND)
		return; /* it has nothing there */
	if (scim_resource(&part->call, part->kind, arena, &resource, &err) != ERR_NONE) {
		part->unread = arena_strdup(arena, err.text);
		return;
	}
	part->seen.entitlements = copy(arena, resource.entitlements, resource.entitlement_count);
	part->seen.entitlement_count = resource.entitlement_count;
	part->seen.roles = copy(arena, resource.roles, resource.role_count);
	part->seen.role_count = resource.role_count;
}

static void answered(struct task *task)
{
	struct part *part = (struct part *)((char *)task - offsetof(struct part, answered));

	if (part->done || !part->call.done)
		return;
	part->done = true;
	take(part);
	call_release(&part->call);
	if (--part->read->open == 0)
		finish(part->read);
}

static void late(struct task *task)
{
	struct principal_read *read = (struct principal_read *)((char *)task -
			offsetof(struct principal_read, late));

	for (vec_each (&read->parts, place)) {
		struct part *part = *place;

		if (part->done)
			continue;
		part->done = true;
		part->unread = "it did not answer in time";
		call_release(&part->call);
	}
	read->open = 0;
	finish(read);
}

/* ---- asking ---- */

static void ask(struct principal_read *read, const struct object *object, unsigned target)
{
	struct part *part = arena_alloc(read->arena, sizeof(*part));
	unsigned with = SCIM_WITH_ROLES;
	char id[ID_TEXT_SIZE];

	*part = (struct part){
			.read = read, .object = object, .kind = object->kind, .target = target};
	task_init(&part->answered, read->engine->loop, answered);
	*vec_add(&read->parts) = part;
	read->open++;
	if (!read->engine->settings->targets[target].is_account)
		with |= SCIM_WITH_ENTITLEMENTS;
	part->call.target = target;
	part->call.lane = LANE_SINGLE;
	part->call.wakes = &part->answered;
	scim_get(read->engine->databricks, &part->call, object->kind, id_text(object->id, id),
			with);
}

static void ask_everywhere(struct principal_read *read, const struct object *object)
{
	const struct settings *settings = read->engine->settings;

	ask(read, object, object->target);
	if (!settings->targets[object->target].is_account)
		return;
	for (unsigned target = 0; target < settings->target_count; target++) {
		if (target != object->target)
			ask(read, object, target);
	}
}

struct principal_read *principal_read_new(
		struct engine *engine, const char *key, struct task *wakes)
{
	struct principal_read *read = mem_zalloc(sizeof(*read));

	read->engine = engine;
	read->wakes = wakes;
	read->arena = arena_new();
	task_init(&read->late, engine->loop, late);
	read->timer = loop_timer_new(engine->loop, &read->late);
	for (unsigned target = 0; target < engine->settings->target_count; target++) {
		const struct object *object = registry_find(engine->registry, target, key);

		if (object && object->id)
			ask_everywhere(read, object);
	}
	/* With nothing to read it is late at once. */
	if (read->open)
		loop_timer_start(read->timer, PRINCIPAL_READ_MS);
	else
		task_wake(&read->late);
	return read;
}

void principal_read_free(struct principal_read *read)
{
	if (!read)
		return;
	for (vec_each (&read->parts, part)) {
		call_release(&(*part)->call);
		task_cancel(&(*part)->answered);
	}
	vec_release(&read->parts);
	loop_timer_free(read->timer);
	task_cancel(&read->late);
	arena_free(read->arena);
	mem_free(read);
}

bool principal_read_is_done(const struct principal_read *read)
{
	return read->done;
}

const struct seen_grants *principal_read_seen(
		const struct principal_read *read, const struct object *object, unsigned target)
{
	for (vec_each (&read->parts, place)) {
		const struct part *part = *place;

		if (part->object == object && part->target == target && !part->unread)
			return &part->seen;
	}
	return NULL;
}

bool principal_read_unread(const struct principal_read *read, size_t index, unsigned *ret_target,
		const char **ret_reason)
{
	for (vec_each (&read->parts, place)) {
		const struct part *part = *place;

		if (!part->unread || index--)
			continue;
		*ret_target = part->target;
		*ret_reason = part->unread;
		return true;
	}
	return false;
}
