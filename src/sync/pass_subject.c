/* pass_subject -- which name in the mapping stands for which object, and service principals that a mapping lists. */
#include "sync/engine_state.h"

#include "base/text.h"

/* The subject that a named-only object stands for, by its key "name/KIND/FOLDED NAME". */
const struct subject *pass_named_subject(const struct engine *engine, const struct object *object)
{
	const char *name = strchr(object->key, '/');

	name = text_starts_with(object->key, "name/") && name ? strchr(name + 1, '/') : NULL;
	return name ? subjects_find(engine->subjects, object->kind, name + 1) : NULL;
}

/* What grants give to a principal; NULL if none names it. A service principal is named by its application
 * id, or, where Databricks makes that, by its display name. */
static const struct subject *subject_named(const struct engine *engine, enum principal_kind kind,
		const char *name, const char *display_name)
{
	const struct subject *subject = name ? subjects_find(engine->subjects, kind, name) : NULL;

	if (!subject && kind == PRINCIPAL_SERVICE && display_name)
		subject = subjects_find(engine->subjects, kind, display_name);
	return subject;
}

const struct subject *pass_subject(const struct engine *engine, const struct object *object)
{
	return subject_named(engine, object->kind, object_name(object),
			object->fields[FIELD_DISPLAY_NAME]);
}

const struct subject *pass_subject_of(const struct engine *engine, const struct identity *identity)
{
	return subject_named(engine, identity->kind,
			identity->fields[principal_name_field(identity->kind)],
			identity->fields[FIELD_DISPLAY_NAME]);
}

char *pass_key_of_listed(const struct identity *identity)
{
	AUTO(mem_freep) char *folded = text_fold(span_of(identity->fields[FIELD_DISPLAY_NAME]));

	return mem_printf(KEY_LISTED "%s", folded);
}

const struct identity *pass_listed(const struct engine *engine, const struct object *object)
{
	size_t count;
	const struct identity *listed = mapping_listed_services(engine->mapping, &count);

	for (size_t i = 0; text_starts_with(object->key, KEY_LISTED) && i < count; i++) {
		AUTO(mem_freep) char *key = pass_key_of_listed(&listed[i]);

		if (text_equal(key, object->key))
			return &listed[i];
	}
	return NULL;
}

static bool is_listed_name(const struct engine *engine, const struct subject *subject)
{
	size_t count;
	const struct identity *listed = mapping_listed_services(engine->mapping, &count);

	for (size_t i = 0; i < count && subject->kind == PRINCIPAL_SERVICE; i++) {
		if (pass_subject_of(engine, &listed[i]) == subject)
			return true;
	}
	return false;
}

static bool is_service_of_ours(
		const struct engine *engine, const struct subject *subject, unsigned target)
{
	for (size_t i = 0; i < registry_count(engine->registry); i++) {
		const struct object *object = registry_at(engine->registry, i);

		if (object->kind == PRINCIPAL_SERVICE && object->target == target && object->ours &&
				pass_subject(engine, object) == subject)
			return true;
	}
	return false;
}

/* An entry stands for the name, or did: its search may not be complete (again) yet. */
bool pass_has_principal_of_ours(
		const struct engine *engine, const struct subject *subject, unsigned target)
{
	const struct object *holder =
			registry_find_name(engine->registry, target, subject->kind, subject->name);

	return subject->node != NODE_NONE || (holder && holder->ours) ||
			is_listed_name(engine, subject) ||
			(subject->kind == PRINCIPAL_SERVICE &&
					is_service_of_ours(engine, subject, target));
}
