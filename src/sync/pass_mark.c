/* pass_mark -- which objects a change of the directory or of the mapping concerns. */
#include "sync/access/item.h"

#include "base/log.h"
#include "base/text.h"

void pass_mark(struct engine *engine, struct object *object)
{
	if (object->dirty)
		return;
	object->dirty = true;
	*vec_add(&engine->dirty) = object;
	task_wake(&engine->pass);
}

static void tie_node(struct engine *engine, struct object *object, node_id node)
{
	struct object_list *list = &engine->by_node[object->target];

	while (list->count <= node)
		*vec_add(list) = NULL;
	list->items[node] = object;
	object->node = node;
}

static char *key_of_subject(const struct subject *subject)
{
	AUTO(mem_freep) char *folded = text_fold(span_of(subject->name));

	return mem_printf("name/%s/%s", principal_kind_name(subject->kind), folded);
}

/* Nobody had the name, and an entry stands for it now: what was said of it holds no more. */
static void wake_named(struct engine *engine, const struct subject *subject)
{
	AUTO(mem_freep) char *key = key_of_subject(subject);

	for (unsigned target = 0; target < engine->settings->target_count; target++) {
		struct object *object = registry_find(engine->registry, target, key);

		if (!object || object->id)
			continue;
		object->retry_ns = 0;
		object->read_wanted = false;
		pass_mark(engine, object);
	}
}

static void note_subject(struct engine *engine, node_id node, const struct want *want)
{
	const struct identity *identity =
			want && want->state != WANT_LEAVER && want->state != WANT_OUT
			? want->identity
			: NULL;
	const struct subject *subject = identity ? pass_subject_of(engine, identity) : NULL;

	subject = subjects_stand_for(engine->subjects, node, subject);
	if (subject)
		wake_named(engine, subject);
}

static char *key_of_node(const struct engine *engine, node_id node)
{
	return mem_printf("%s/%s",
			engine->settings->sources[snapshot_source(engine->snapshot, node)].name,
			snapshot_anchor(engine->snapshot, node));
}

/* The object that stands for the node at the target; NULL: there is none, and none is wanted. */
static struct object *claim_object(struct engine *engine, unsigned target, node_id node,
		const struct identity *identity)
{
	AUTO(mem_freep) char *key = key_of_node(engine, node);
	struct object *object = registry_find(engine->registry, target, key);

	if (!object && identity && pass_is_home(engine, identity, target)) {
		object = registry_object(engine->registry, target, identity->kind, key);
		records_take_doubt(engine, object);
	}
	if (object)
		tie_node(engine, object, node);
	return object;
}

void pass_mark_node(struct engine *engine, node_id node)
{
	const struct want *want = desired_want(engine->desired, node);
	const struct identity *identity = want && want->state == WANT_IN ? want->identity : NULL;

	note_subject(engine, node, want);
	if (want && want->state == WANT_UNSURE && !want->identity)
		log_event(LOG_WARNING, "entry skipped",
				{"entry", snapshot_dn(engine->snapshot, node)},
				{"reason", want->reason});
	for (unsigned target = 0; target < engine->settings->target_count; target++) {
		struct object *object = pass_object_of_node(engine, target, node);

		if (!object)
			object = claim_object(engine, target, node, identity);
		if (!object)
			continue;
		/* Its entry or its rule changed: whatever it waited for, look again at once. */
		object->retry_ns = 0;
		pass_mark(engine, object);
	}
}

void pass_node_gone(struct engine *engine, node_id node)
{
	for (unsigned target = 0; target < engine->settings->target_count; target++) {
		struct object *object = pass_object_of_node(engine, target, node);

		if (!object)
			continue;
		object->node = NODE_NONE;
		mem_free(object->gone_dn);
		object->gone_dn = mem_strdup(snapshot_dn(engine->snapshot, node));
		engine->by_node[target].items[node] = NULL;
		/* Whatever it waited for: a leaver is not put off. */
		object->retry_ns = 0;
		pass_mark(engine, object);
	}
	note_subject(engine, node, NULL);
}

void pass_mark_subjects(struct engine *engine)
{
	if (!engine->directory_ready)
		return;
	for (size_t i = 0; i < subjects_count(engine->subjects); i++) {
		const struct subject *subject = subjects_at(engine->subjects, i);
		bool has_object = false;
		char *key;

		/* Rules for each group make thousands; an entry stands for nearly all of them. */
		if (!subject->has_named_object && (subject->node != NODE_NONE || !subject->named))
			continue;
		key = key_of_subject(subject);
		for (unsigned target = 0; target < engine->settings->target_count; target++) {
			struct object *object = registry_find(engine->registry, target, key);
			bool is_here = engine->settings->has_account ? target == 0 : true;

			if (!object &&
					(!subject->named || !is_here ||
							pass_has_principal_of_ours(
									engine, subject, target)))
				continue;
			if (!object) {
				object = registry_object(
						engine->registry, target, subject->kind, key);
				object->named_only = true;
				object->read_wanted = true;
			}
			has_object = true;
			pass_mark(engine, object);
		}
		subjects_note_object(engine->subjects, i, has_object);
		mem_free(key);
	}
}

static void mark_listed(struct engine *engine)
{
	size_t count;
	const struct identity *listed = mapping_listed_services(engine->mapping, &count);

	for (size_t i = 0; i < count; i++) {
		AUTO(mem_freep) char *key = pass_key_of_listed(&listed[i]);

		for (unsigned target = 0; target < engine->settings->target_count; target++) {
			if (pass_is_home(engine, &listed[i], target))
				pass_mark(engine,
						registry_object(engine->registry, target,
								PRINCIPAL_SERVICE, key));
		}
	}
}

void pass_mark_all(struct engine *engine)
{
	for (node_id node = 0; node < snapshot_limit(engine->snapshot); node++) {
		if (snapshot_is_present(engine->snapshot, node))
			pass_mark_node(engine, node);
	}
	for (size_t i = 0; i < registry_count(engine->registry); i++)
		pass_mark(engine, registry_at(engine->registry, i));
	mark_listed(engine);
	pass_mark_subjects(engine);
	access_mark_all(engine->access);
	/* What was marked before one side had been read woke a pass that could do nothing yet. */
	task_wake(&engine->pass);
}
