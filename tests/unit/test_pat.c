#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "asks.h"
#include "base/clock.h"
#include "pat.h"
#include "persist.h"

/* A workspace with an admin, somebody in a group and somebody else; each has two tokens. */
struct house {
	struct sim sim;
	struct workspace *workspace;
	struct principal *admin, *member, *other, *group;
	struct record *tokens[6];
};

static struct principal *add(struct house *house, enum kind kind, const char *name)
{
	struct state *state = house->sim.state;
	struct principal *who = state_make(state, kind, NULL, 0);

	if (kind == KIND_GROUP)
		who->display_name = mem_strdup(name);
	else
		who->name = mem_strdup(name);
	state_enter(state, who);
	seat_set_level(state, who, house->workspace, LEVEL_USER);
	return who;
}

static void set_up(struct house *house)
{
	struct record_make make = {.kind = RECORD_TOKEN};
	struct principal *owners[3];
	struct state *state;

	*house = (struct house){0};
	house->sim.options.quirks[QUIRK_UNUSED_TOKENS_END] = true;
	state = house->sim.state = state_new();
	persist_complete(state, NULL);
	house->workspace = make.place = state_add_workspace(state, "prod", 0);
	persist_join(state, house->workspace);
	owners[0] = house->admin = add(house, KIND_USER, "admin@example.com");
	owners[1] = house->member = add(house, KIND_USER, "member@example.com");
	owners[2] = house->other = add(house, KIND_USER, "other@example.com");
	house->group = add(house, KIND_GROUP, "eng");
	group_add_member(state, house->group, house->member);
	seat_set_level(state, house->admin, house->workspace, LEVEL_ADMIN);
	for (size_t i = 0; i < COUNT_OF(house->tokens); i++) {
		AUTO(mem_freep) char *secret = record_random("dapi", 16);

		make.owner = owners[i / 2];
		make.secret = secret;
		make.fields = json_pack("{s:I, s:I}", "creation_time", (json_int_t)clock_wall_ms(),
				"expiry_time", (json_int_t)-1);
		house->tokens[i] = record_make(state, &make);
	}
}

static size_t count_of(const struct house *house, const struct principal *who)
{
	return pat_count(&house->sim, house->workspace, who);
}

/* The ACL of authorization/tokens has the one group in it. */
static const struct principal *right_holder;
static bool is_in_group(const struct state *state, const struct workspace *workspace,
		const struct principal *who)
{
	(void)state;
	(void)workspace;
	return right_holder && group_has_member(right_holder, who);
}

static void test_losing_the_right_ends_tokens(void **unused)
{
	struct house house;

	(void)unused;
	set_up(&house);
	right_holder = house.group;
	assert_int_equal(tokens_revoke_without_right(house.sim.state, house.workspace, is_in_group),
			2);
	assert_int_equal(count_of(&house, house.admin), 2);
	assert_int_equal(count_of(&house, house.member), 2);
	assert_int_equal(count_of(&house, house.other), 0);
	right_holder = NULL;
	assert_int_equal(tokens_revoke_without_right(house.sim.state, house.workspace, is_in_group),
			2);
	/* For good: having the right again brings nothing back. */
	right_holder = house.group;
	assert_int_equal(tokens_revoke_without_right(house.sim.state, house.workspace, is_in_group),
			0);
	assert_int_equal(count_of(&house, house.member), 0);
	assert_int_equal(count_of(&house, house.admin), 2);
	state_free(house.sim.state);
}

static void test_one_owner(void **unused)
{
	struct house house;

	(void)unused;
	set_up(&house);
	pat_end_all(&house.sim, house.workspace, house.member);
	assert_int_equal(count_of(&house, house.member), 0);
	assert_int_equal(count_of(&house, house.other), 2);
	state_free(house.sim.state);
}

static void test_who_may(void **unused)
{
	struct house house;
	const struct state *state;

	(void)unused;
	set_up(&house);
	state = house.sim.state;
	assert_true(pat_is_allowed(state, house.workspace, house.other));
	state->asks->may_use_tokens = is_in_group;
	right_holder = house.group;
	assert_false(pat_is_allowed(state, house.workspace, house.other));
	assert_true(pat_is_allowed(state, house.workspace, house.member));
	assert_true(pat_is_allowed(state, house.workspace, house.admin));
	state_free(house.sim.state);
}

static void test_life(void **unused)
{
	static const struct {
		int64_t made_days, used_days, expires_days; /* from now; expires 0: never */
		bool idle_ends, live;
	} cases[] = {
			{0, 0, 0, true, true},
			{-400, -1, 0, true, true},
			{-91, 0, 0, true, false},
			{-91, 0, 0, false, true},
			{-200, -91, 0, true, false},
			{-10, 0, -1, true, false},
			{-10, 0, 1, true, true},
	};
	struct house house;
	int64_t now = clock_wall_ms();

	(void)unused;
	set_up(&house);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct record *token = house.tokens[0];

		json_object_set_new(token->fields, "creation_time",
				json_integer(now + cases[i].made_days * MS_PER_DAY));
		json_object_set_new(token->fields, "expiry_time",
				json_integer(cases[i].expires_days
								? now + cases[i].expires_days * MS_PER_DAY
								: -1));
		token->used_ms = cases[i].used_days ? now + cases[i].used_days * MS_PER_DAY : 0;
		house.sim.options.quirks[QUIRK_UNUSED_TOKENS_END] = cases[i].idle_ends;
		if (pat_is_live(&house.sim, token, now) != cases[i].live)
			fail_msg("case %zu", i);
	}
	state_remove(house.sim.state, house.admin);
	assert_false(pat_is_live(&house.sim, house.tokens[1], now));
	state_free(house.sim.state);
}

static void test_our_own_is_none_that_was_made(void **unused)
{
	struct sim sim = {.state = state_new()};
	struct workspace *workspace;

	(void)unused;
	persist_complete(sim.state, NULL);
	workspace = state_add_workspace(sim.state, "prod", 0);
	persist_join(sim.state, workspace);
	assert_false(pat_was_made(sim.state, workspace));
	assert_non_null(record_find_secret(sim.state, RECORD_TOKEN, workspace->token));
	state_free(sim.state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_losing_the_right_ends_tokens),
			cmocka_unit_test(test_one_owner),
			cmocka_unit_test(test_who_may),
			cmocka_unit_test(test_life),
			cmocka_unit_test(test_our_own_is_none_that_was_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
