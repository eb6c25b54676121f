/* Who claims the same name as whom, whatever the order in which they come and go. */
#include "sync/claims.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct claim {
	const char *name;
	enum principal_kind kind;
};

static struct claim claims_of_nodes[] = {{"ada", PRINCIPAL_USER}, {"Bo", PRINCIPAL_USER},
		{"ADA", PRINCIPAL_USER}, {"ada", PRINCIPAL_GROUP}, {"Ada", PRINCIPAL_USER},
		{"STRASSE", PRINCIPAL_USER},
		{"stra\xc3\x9f"
		 "e",
				PRINCIPAL_USER}};

static const char *name_of(void *context, node_id node, enum principal_kind *ret_kind)
{
	const struct claim *claims = context;

	*ret_kind = claims[node].kind;
	return claims[node].name;
}

static size_t ring_size(const struct claims *claims, node_id node)
{
	size_t size = 1;

	for (node_id at = claims_next(claims, node); at != node; at = claims_next(claims, at))
		size++;
	return size;
}

static void names_are_shared(void **state)
{
	struct claims *claims = claims_new(name_of, claims_of_nodes);

	(void)state;
	assert_int_equal(claims_next(claims, 0), NODE_NONE);
	for (node_id node = 0; node < COUNT_OF(claims_of_nodes); node++)
		claims_enter(claims, node);
	assert_int_equal(ring_size(claims, 0), 3);
	assert_int_equal(ring_size(claims, 2), 3);
	assert_int_equal(ring_size(claims, 4), 3);
	assert_int_equal(claims_next(claims, 1), 1); /* nobody else */
	assert_int_equal(claims_next(claims, 3), 3); /* of another kind */
	assert_int_equal(claims_next(claims, 5), 6); /* folded as Unicode has it */
	claims_free(claims);
}

static void the_last_one_has_it(void **state)
{
	/* Whoever leaves first and second, the third one is alone, and told as the neighbour. */
	static const node_id orders[][3] = {
			{0, 2, 4}, {0, 4, 2}, {2, 0, 4}, {2, 4, 0}, {4, 0, 2}, {4, 2, 0}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(orders); i++) {
		struct claims *claims = claims_new(name_of, claims_of_nodes);
		const node_id *order = orders[i];
		node_id neighbour;

		for (node_id node = 0; node < 5; node++)
			claims_enter(claims, node);
		neighbour = claims_leave(claims, order[0]);
		assert_true(neighbour == order[1] || neighbour == order[2]);
		assert_int_equal(claims_leave(claims, order[0]), NODE_NONE);
		assert_int_equal(claims_leave(claims, order[1]), order[2]);
		assert_int_equal(claims_next(claims, order[2]), order[2]);
		/* One who comes back meets it again. */
		claims_enter(claims, order[0]);
		assert_int_equal(claims_next(claims, order[0]), order[2]);
		assert_int_equal(claims_leave(claims, order[2]), order[0]);
		assert_int_equal(claims_leave(claims, order[0]), NODE_NONE);
		assert_false(claims_contain(claims, order[0]));
		assert_int_equal(claims_next(claims, 1), 1);
		claims_free(claims);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(names_are_shared),
			cmocka_unit_test(the_last_one_has_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
