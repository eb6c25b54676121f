#include "model/identity.h"

#include "base/text.h"

static const char *const kind_names[] = {[PRINCIPAL_USER] = "user",
		[PRINCIPAL_GROUP] = "group",
		[PRINCIPAL_SERVICE] = "service_principal"};
_Static_assert(COUNT_OF(kind_names) == PRINCIPAL_KIND_COUNT_, "a name per kind");

static const struct {
	const char *name;
	bool user, group, service;
} fields[] = {
		[FIELD_USER_NAME] = {"userName", true, false, false},
		[FIELD_DISPLAY_NAME] = {"displayName", true, true, true},
		[FIELD_GIVEN_NAME] = {"name.givenName", true, false, false},
		[FIELD_FAMILY_NAME] = {"name.familyName", true, false, false},
		[FIELD_EXTERNAL_ID] = {"externalId", true, true, true},
		[FIELD_APPLICATION_ID] = {"applicationId", false, false, true},
};
_Static_assert(COUNT_OF(fields) == FIELD_COUNT_, "a row per field");

const char *principal_kind_name(enum principal_kind kind)
{
	return kind < PRINCIPAL_KIND_COUNT_ ? kind_names[kind] : "unknown";
}

const char *field_name(enum field field)
{
	return field < FIELD_COUNT_ ? fields[field].name : "unknown";
}

bool principal_has_field(enum principal_kind kind, enum field field)
{
	switch (kind) {
	case PRINCIPAL_USER:
		return fields[field].user;
	case PRINCIPAL_GROUP:
		return fields[field].group;
	case PRINCIPAL_SERVICE:
		return fields[field].service;
	case PRINCIPAL_KIND_COUNT_:
		break;
	}
	return false;
}

enum field principal_name_field(enum principal_kind kind)
{
	switch (kind) {
	case PRINCIPAL_USER:
		return FIELD_USER_NAME;
	case PRINCIPAL_SERVICE:
		return FIELD_APPLICATION_ID;
	case PRINCIPAL_GROUP:
	case PRINCIPAL_KIND_COUNT_:
		break;
	}
	return FIELD_DISPLAY_NAME;
}

static const char *place_text(char **place, const char *text)
{
	size_t size;
	char *copy = *place;

	if (!text)
		return NULL;
	size = strlen(text) + 1;
	memcpy(copy, text, size);
	*place += size;
	return copy;
}

struct identity *identity_clone(const struct identity *identity)
{
	size_t size = sizeof(*identity);
	struct identity *clone;
	char *place;

	for (size_t i = 0; i < FIELD_COUNT_; i++)
		size += identity->fields[i] ? strlen(identity->fields[i]) + 1 : 0;
	size += identity->match ? strlen(identity->match) + 1 : 0;
	size += identity->why.entry ? strlen(identity->why.entry) + 1 : 0;
	clone = mem_alloc(size);
	*clone = *identity;
	place = (char *)(clone + 1);
	for (size_t i = 0; i < FIELD_COUNT_; i++)
		clone->fields[i] = place_text(&place, identity->fields[i]);
	clone->match = place_text(&place, identity->match);
	clone->why.entry = place_text(&place, identity->why.entry);
	return clone;
}

bool identity_equal(const struct identity *a, const struct identity *b)
{
	if (a->kind != b->kind || a->active != b->active || a->nesting != b->nesting ||
			a->gone != b->gone || a->workspace_level != b->workspace_level ||
			a->workspaces != b->workspaces || a->adopt_powerful != b->adopt_powerful ||
			a->exclusive != b->exclusive)
		return false;
	if (!text_equal(a->match, b->match))
		return false;
	for (size_t i = 0; i < FIELD_COUNT_; i++) {
		if (!text_equal(a->fields[i], b->fields[i]))
			return false;
	}
	return true;
}
