#include "sync/plan_internal.h"

#include <stdarg.h>

#include "base/text.h"

const char *planner_id(const struct planner *p, uint64_t id)
{
	char text[ID_TEXT_SIZE];

	return id ? arena_strdup(p->context->arena, id_text(id, text)) : NULL;
}

struct operation *planner_add(struct planner *p, enum operation_kind kind)
{
	struct object *object = p->object;
	struct operation *op = vec_add(&p->plan->operations);
	const struct identity *identity = p->wanted->identity;
	const char *name = identity ? identity->fields[principal_name_field(object->kind)] : NULL;

	if (!name)
		name = object->ours || !identity ? object_name(object)
						 : identity->fields[FIELD_DISPLAY_NAME];
	*op = (struct operation){
			.kind = kind,
			.principal = object->kind,
			.target = object->target,
			.object = {object->key, planner_id(p, object->id),
					arena_strdup(p->context->arena, name)},
			.active_before = object->active,
			.active_after = object->active,
			.why = p->wanted->why,
	};
	/* A plan outlives what it was made from: the entry may change while its call is under way. */
	op->why.entry = arena_strdup(p->context->arena, p->wanted->why.entry);
	return op;
}

void planner_finish(struct planner *p, struct operation *op)
{
	operation_set_id(op, p->context->settings, p->context->arena);
}

void planner_mark_removal(
		const struct planner *p, struct operation *op, enum guard_category category)
{
	op->is_removal = true;
	op->category = category;
	if (p->plan->leaving && p->object->kind != PRINCIPAL_GROUP)
		op->follows_leaver = p->object->key;
}

void planner_quarantine(struct planner *p, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	text_repair_in_place(text); /* it may be cut within a character */
	p->plan->quarantine = arena_strdup(p->context->arena, text);
}
