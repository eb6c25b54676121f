#include "databricks_world.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define ACCOUNT 0
#define WORKSPACE 1

static void assert_done(const struct call *call)
{
	if (call->code != ERR_NONE)
		fail_msg("%s", call->err.text);
}

/* Creates one and returns its id, which the arena owns. */
static const char *create(struct world *world, struct arena *arena, unsigned target, enum principal_kind kind,
		const char *const fields[FIELD_COUNT_])
{
	struct call call = world_call(world, target);
	struct resource resource;
	struct err err;

	scim_create(world->databricks, &call, kind, fields, true);
	world_wait(world, &call);
	assert_done(&call);
	if (scim_resource(call.answer, kind, arena, &resource, &err) != ERR_NONE)
		fail_msg("%s", err.text);
	call_release(&call);
	return resource.id;
}

static struct resource get(struct world *world, struct arena *arena, unsigned target, enum principal_kind kind,
		const char *id)
{
	struct call call = world_call(world, target);
	struct resource resource;
	struct err err;

	scim_get(world->databricks, &call, kind, id, SCIM_WITH_MEMBERS | SCIM_WITH_ROLES | SCIM_WITH_ENTITLEMENTS);
	world_wait(world, &call);
	assert_done(&call);
	if (scim_resource(call.answer, kind, arena, &resource, &err) != ERR_NONE)
		fail_msg("%s", err.text);
	call_release(&call);
	return resource;
}

static const char *find(struct world *world, struct arena *arena, unsigned target, enum principal_kind kind,
		enum field by, const char *value)
{
	struct call call = world_call(world, target);
	const struct resource *found;
	struct err err;
	size_t count;

	scim_find(world->databricks, &call, kind, by, value, 0);
	world_wait(world, &call);
	assert_done(&call);
	if (scim_found(&call, kind, arena, &found, &count, &err) != ERR_NONE)
		fail_msg("%s", err.text);
	call_release(&call);
	assert_true(count <= 1);
	return count ? found[0].id : NULL;
}

static void every_kind_at(struct world *world, unsigned target)
{
	static const struct {
		enum principal_kind kind;
		const char *fields[FIELD_COUNT_];
		enum field by;
		const char *asked;
	} cases[] = {
			{PRINCIPAL_USER,
					{[FIELD_USER_NAME] = "ada.o'sample@example.com",
							[FIELD_DISPLAY_NAME] = "Ada \"A\" Sample \\ Co",
							[FIELD_GIVEN_NAME] = "Ada",
							[FIELD_FAMILY_NAME] = "O'Sample",
							[FIELD_EXTERNAL_ID] = "anchor-1"},
					FIELD_USER_NAME, "ADA.O'SAMPLE@example.com"},
			{PRINCIPAL_GROUP,
					{[FIELD_DISPLAY_NAME] = "Data \"Engineers\" \\ Überall",
							[FIELD_EXTERNAL_ID] = "anchor-2"},
					FIELD_DISPLAY_NAME, "Data \"Engineers\" \\ Überall"},
			{PRINCIPAL_SERVICE,
					{[FIELD_DISPLAY_NAME] = "etl", [FIELD_EXTERNAL_ID] = "anchor-3"},
					FIELD_EXTERNAL_ID, "anchor-3"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct arena *arena = arena_new();
		const char *id = create(world, arena, target, cases[i].kind, cases[i].fields);
		struct call call = world_call(world, target);
		struct resource read = get(world, arena, target, cases[i].kind, id);
		struct scim_change change = {.fields = {[FIELD_DISPLAY_NAME] = "Renamed", [FIELD_EXTERNAL_ID] = "anchor-x",
							     [FIELD_GIVEN_NAME] = "Grace"},
				.set_active = true, .active = false};

		for (unsigned f = 0; f < FIELD_COUNT_; f++) {
			if (cases[i].fields[f])
				assert_string_equal(read.fields[f], cases[i].fields[f]);
		}
		assert_string_equal(find(world, arena, target, cases[i].kind, cases[i].by, cases[i].asked), id);
		scim_update(world->databricks, &call, cases[i].kind, id, &change);
		world_wait(world, &call);
		assert_done(&call);
		read = get(world, arena, target, cases[i].kind, id);
		/* A workspace leaves the names of people to the account. */
		if (target == ACCOUNT || cases[i].kind == PRINCIPAL_GROUP) {
			assert_string_equal(read.fields[FIELD_DISPLAY_NAME], "Renamed");
			assert_string_equal(read.fields[FIELD_EXTERNAL_ID], "anchor-x");
			assert_null(find(world, arena, target, cases[i].kind, FIELD_EXTERNAL_ID,
					cases[i].fields[FIELD_EXTERNAL_ID]));
		}
		if (target == ACCOUNT && cases[i].kind == PRINCIPAL_USER)
			assert_string_equal(read.fields[FIELD_GIVEN_NAME], "Grace");
		if (cases[i].kind != PRINCIPAL_GROUP)
			assert_false(read.active);
		scim_delete(world->databricks, &call, cases[i].kind, id);
		world_wait(world, &call);
		assert_done(&call);
		scim_get(world->databricks, &call, cases[i].kind, id, 0);
		world_wait(world, &call);
		assert_int_equal(call.code, ERR_NOT_FOUND);
		call_release(&call);
		arena_free(arena);
	}
}

static void every_kind_is_made_found_changed_and_deleted(void **state)
{
	struct world world;

	(void)state;
	world_start(&world, NULL, 0);
	every_kind_at(&world, ACCOUNT);
	every_kind_at(&world, WORKSPACE);
	world_stop(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(every_kind_is_made_found_changed_and_deleted),
	};

	return cmocka_run_group_tests_name("databricks", tests, NULL, NULL);
}
