/* What is put into a store comes back, what is dropped does not, and commits are whole, in order
 * and told of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/clock.h"
#include "support/store_support.h"

#include <inttypes.h>

#define DUMP_MAX ((size_t)1024 * 1024)

static int set_up(void **state)
{
	static struct store_support support;

	store_support_init(&support, true);
	*state = &support;
	return 0;
}

static int tear_down(void **state)
{
	store_support_release(*state);
	return 0;
}

static void assert_dump(struct store *store, const char *expected)
{
	struct buf dump;

	buf_init(&dump, DUMP_MAX);
	store_support_dump(store, &dump);
	assert_string_equal(buf_text(&dump), expected);
	buf_release(&dump);
}

/* ---- records by short hand ---- */

static void put_user(struct store_batch *batch, const char *target, const char *id, const char *key)
{
	store_put_principal(batch,
			&(struct store_principal){.target = target,
					.kind = PRINCIPAL_USER,
					.remote_id = id,
					.key = key,
					.active = true});
}

static void put_member(struct store_batch *batch, const char *group, const char *member)
{
	store_put_member(batch, &(struct store_member){"account", group, member});
}

static void put_grant(struct store_batch *batch, const char *target, const char *id,
		enum grant_kind grant, const char *value)
{
	store_put_grant(batch,
			&(struct store_grant){target, PRINCIPAL_USER, id, grant, value, NULL});
}

static void put_entry(struct store_batch *batch, const char *anchor, const char *dn)
{
	store_put_entry(batch, &(struct store_entry){.source = "corp", .anchor = anchor, .dn = dn});
}

/* ---- tests ---- */

static void put_one_of_each(struct store_batch *batch)
{
	store_put_entry(batch,
			&(struct store_entry){"corp", "6f9619ff-8b86-d011-b42d-00cf4fc964ff",
					"uid=ada,dc=example,dc=com", UINT64_MAX - 1,
					SPAN_LIT("mail=ada@example.com"), SPAN_LIT("m1,m2")});
	store_put_principal(batch,
			&(struct store_principal){"account", PRINCIPAL_SERVICE,
					"9000000000000000001", "corp/x1", ORIGIN_ADOPTED,
					{NULL, "Sample Job", NULL, NULL, "x1", "app-1"}, false,
					1700000000123, "e1", GONE_DELETE});
	put_member(batch, "20", "30");
	store_put_grant(batch,
			&(struct store_grant){"prod", PRINCIPAL_GROUP, "20", GRANT_ASSIGNMENT,
					"ADMIN", "USER"});
	store_put_grant(batch,
			&(struct store_grant){"prod", PRINCIPAL_GROUP, "20", GRANT_ENTITLEMENT,
					"workspace-access", NULL});
	store_put_intent(
			batch, &(struct store_intent){"op1", "{\"op\":\"create\"}", 1700000000001});
	store_put_hold(batch,
			&(struct store_hold){"op2", "h1", "{\"op\":\"delete\"}", GUARD_GROUPS,
					HOLD_WAITING, 1700000000002, NULL});
	store_put_quarantine(batch,
			&(struct store_quarantine){"corp/x9", "Max Sample", "no mail",
					1700000000003, 1700000000004, 3});
	store_add_removals(batch, &(struct store_removals){4000000000005, GUARD_MEMBERS, 7});
}

static const char one_of_each[] =
		"entry corp/6f9619ff-8b86-d011-b42d-00cf4fc964ff dn=uid=ada,dc=example,dc=com"
		" searches=fffffffffffffffe attributes=mail=ada@example.com members=m1,m2\n"
		"principal account service_principal 9000000000000000001 key=corp/x1 origin=1 "
		"active=0"
		" left=1700000000123 displayName=Sample Job externalId=x1 applicationId=app-1 "
		"match=e1 gone=3\n"
		"member account 20 30\n"
		"grant prod group 20 0 ADMIN former=USER\n"
		"grant prod group 20 1 workspace-access former=-\n"
		"intent op1 {\"op\":\"create\"} 1700000000001\n"
		"hold op2 h1 {\"op\":\"delete\"} groups 0 1700000000002 -\n"
		"quarantine corp/x9 Max Sample no mail 1700000000003 1700000000004 3\n"
		"removals 4000000000005 members 7\n";

static void test_everything_comes_back(void **state)
{
	struct store_support *support = *state;
	struct store_batch *batch = store_batch_new(support->store);

	assert_true(store_batch_is_empty(batch));
	put_one_of_each(batch);
	assert_false(store_batch_is_empty(batch));
	store_support_must_commit(support, batch);
	assert_dump(support->store, one_of_each);
	store_support_reopen(support);
	assert_dump(support->store, one_of_each);
}

static void test_second_put_overwrites(void **state)
{
	struct store_support *support = *state;
	struct store_batch *batch = store_batch_new(support->store);

	put_one_of_each(batch);
	put_one_of_each(batch);
	put_entry(batch, "6f9619ff-8b86-d011-b42d-00cf4fc964ff", "uid=ada2,dc=example,dc=com");
	store_put_principal(batch,
			&(struct store_principal){.target = "account",
					.kind = PRINCIPAL_SERVICE,
					.remote_id = "9000000000000000001",
					.key = "corp/x2",
					.active = true});
	store_put_grant(batch,
			&(struct store_grant){"prod", PRINCIPAL_GROUP, "20", GRANT_ASSIGNMENT,
					"USER", NULL});
	store_put_intent(batch, &(struct store_intent){"op1", "{}", 1});
	store_put_hold(batch,
			&(struct store_hold){
					"op2", "h2", "{}", GUARD_USERS, HOLD_REJECTED, 2, "no"});
	store_put_quarantine(batch, &(struct store_quarantine){"corp/x9", NULL, "still", 3, 4, 5});
	store_support_must_commit(support, batch);
	assert_dump(support->store,
			"entry corp/6f9619ff-8b86-d011-b42d-00cf4fc964ff "
			"dn=uid=ada2,dc=example,dc=com"
			" searches=0 attributes= members=\n"
			"principal account service_principal 9000000000000000001 key=corp/x2 "
			"origin=0"
			" active=1 left=0\n"
			"member account 20 30\n"
			"grant prod group 20 0 USER former=-\n"
			"grant prod group 20 1 workspace-access former=-\n"
			"intent op1 {} 1\n"
			"hold op2 h2 {} users 2 2 no\n"
			"quarantine corp/x9 - still 3 4 5\n"
			"removals 4000000000005 members 14\n"); /* counts add up */
}

static void test_drops_find_their_record(void **state)
{
	struct store_support *support = *state;
	struct store_batch *batch = store_batch_new(support->store);

	put_one_of_each(batch);
	store_support_must_commit(support, batch);
	batch = store_batch_new(support->store);
	store_drop_entry(batch, "corp", "6f9619ff-8b86-d011-b42d-00cf4fc964ff");
	store_drop_principal(batch, "account", PRINCIPAL_SERVICE, "9000000000000000001");
	store_drop_member(batch, &(struct store_member){"account", "20", "30"});
	store_drop_grant(batch,
			&(struct store_grant){"prod", PRINCIPAL_GROUP, "20", GRANT_ASSIGNMENT,
					"another level", NULL});
	store_drop_grant(batch,
			&(struct store_grant){"prod", PRINCIPAL_GROUP, "20", GRANT_ENTITLEMENT,
					"workspace-access", NULL});
	store_drop_intent(batch, "op1");
	store_drop_hold(batch, "op2");
	store_drop_quarantine(batch, "corp/x9");
	store_support_must_commit(support, batch);
	assert_dump(support->store, "removals 4000000000005 members 7\n");
}

static void test_drops_leave_others_alone(void **state)
{
	struct store_support *support = *state;
	struct store_batch *batch = store_batch_new(support->store);

	put_one_of_each(batch);
	store_drop_entry(batch, "other", "6f9619ff-8b86-d011-b42d-00cf4fc964ff");
	store_drop_entry(batch, "corp", "6f9619ff-8b86-d011-b42d-00cf4fc964fe");
	store_drop_principal(batch, "prod", PRINCIPAL_SERVICE, "9000000000000000001");
	store_drop_principal(batch, "account", PRINCIPAL_USER, "9000000000000000001");
	store_drop_member(batch, &(struct store_member){"account", "30", "20"});
	store_drop_grant(batch,
			&(struct store_grant){"prod", PRINCIPAL_GROUP, "20", GRANT_ROLE,
					"workspace-access", NULL});
	store_drop_grant(batch,
			&(struct store_grant){"dev", PRINCIPAL_GROUP, "20", GRANT_ASSIGNMENT,
					"ADMIN", NULL});
	store_drop_intent(batch, "op2");
	store_drop_hold(batch, "op1");
	store_drop_quarantine(batch, "corp/x");
	store_support_must_commit(support, batch);
	assert_dump(support->store, one_of_each);
}

static void test_all_entries_go_with_cookies(void **state)
{
	struct store_support *support = *state;
	AUTO(arena_freep) struct arena *arena = arena_new();
	struct store_batch *batch = store_batch_new(support->store);
	struct span cookie;
	struct err err;

	put_entry(batch, "a", "cn=a");
	put_entry(batch, "b", "cn=b");
	store_put_cookie(batch, "d1", SPAN_LIT("rid=001"));
	store_drop_all_entries(batch);
	put_entry(batch, "c", "cn=c");
	store_support_must_commit(support, batch);
	assert_dump(support->store, "entry corp/c dn=cn=c searches=0 attributes= members=\n");
	assert_int_equal(store_get_cookie(support->store, "d1", arena, &cookie, &err), ERR_NONE);
	assert_null(cookie.ptr);
}

/* Whatever is short in the file is whole again outside. */
static void test_ids_come_back_byte_for_byte(void **state)
{
	static const char *const ids[] = {"0", "7", "007", "9223372036854775807",
			"9223372036854775808", "99999999999999999999", "-1", "+1", " 1", "1 ",
			"1e3", "users", "\xc3\xa4", "6f9619ff-8b86-d011-b42d-00cf4fc964ff",
			"6F9619FF-8B86-D011-B42D-00CF4FC964FF",
			"6f9619ff-8b86-d011-b42d-00cf4fc964f",
			"6f9619ff-8b86-d011-b42d-00cf4fc964ff0",
			"6f9619ff08b86-d011-b42d-00cf4fc964ff", "uid=a/b,c=d"};
	struct store_support *support = *state;
	struct store_batch *batch = store_batch_new(support->store);
	struct buf dump, expected;

	buf_init(&dump, DUMP_MAX);
	buf_init(&expected, DUMP_MAX);
	for (size_t i = 0; i < COUNT_OF(ids); i++) {
		put_entry(batch, ids[i], ids[i]);
		put_entry(batch, ids[i], ids[i]); /* found again under its short form */
		buf_printf(&expected, "entry corp/%s dn=%s searches=0 attributes= members=\n",
				ids[i], ids[i]);
	}
	for (size_t i = 0; i < COUNT_OF(ids); i++) {
		put_user(batch, "account", ids[i], ids[i]);
		buf_printf(&expected, "principal account user %s key=%s origin=0 active=1 left=0\n",
				ids[i], ids[i]);
	}
	store_support_must_commit(support, batch);
	store_support_dump(support->store, &dump);
	assert_string_equal(buf_text(&dump), buf_text(&expected));
	batch = store_batch_new(support->store);
	for (size_t i = 0; i < COUNT_OF(ids); i++) {
		store_drop_entry(batch, "corp", ids[i]);
		store_drop_principal(batch, "account", PRINCIPAL_USER, ids[i]);
	}
	store_support_must_commit(support, batch);
	assert_dump(support->store, "");
	buf_release(&dump);
	buf_release(&expected);
}

/* Binary values, also empty ones and ones with NUL inside. */
static void note_entry(void *context, const struct store_entry *entry)
{
	buf_printf(context, "%zu %zu ", entry->attributes.len, entry->members.len);
	buf_add(context, entry->attributes.ptr, entry->attributes.len);
}

static void test_spans_may_hold_anything(void **state)
{
	static const char bytes[] = {'a', '\0', '\xff', '\n'};
	struct store_support *support = *state;
	struct store_batch *batch = store_batch_new(support->store);
	struct err err;
	struct buf seen;

	store_put_entry(batch,
			&(struct store_entry){.source = "corp",
					.anchor = "a",
					.dn = "cn=a",
					.attributes = {bytes, sizeof(bytes)},
					.members = {bytes, 0}});
	store_support_must_commit(support, batch);
	buf_init(&seen, 64);
	assert_int_equal(store_each_entry(support->store, note_entry, &seen, &err), ERR_NONE);
	assert_int_equal(seen.len, 4 + sizeof(bytes));
	assert_memory_equal(seen.ptr, "4 0 a\0\xff\n", 8);
	buf_release(&seen);
}

static void test_principal_takes_along_what_hangs_on_it(void **state)
{
	struct store_support *support = *state;
	struct store_batch *batch = store_batch_new(support->store);

	put_user(batch, "account", "1", "corp/1");
	put_user(batch, "account", "2", "corp/2");
	put_user(batch, "prod", "1", "corp/1");
	put_member(batch, "1", "2");
	put_member(batch, "2", "1");
	put_member(batch, "3", "1");
	put_member(batch, "3", "2");
	store_put_member(batch, &(struct store_member){"prod", "3", "1"});
	put_grant(batch, "account", "1", GRANT_ROLE, "account_admin");
	put_grant(batch, "account", "2", GRANT_ROLE, "account_admin");
	put_grant(batch, "prod", "1", GRANT_ASSIGNMENT, "USER");
	put_grant(batch, "prod", "2", GRANT_ASSIGNMENT, "USER");
	store_drop_principal(batch, "account", PRINCIPAL_USER, "1");
	store_support_must_commit(support, batch);
	/* prod has a principal 1 of its own, so the grant there may be its. */
	assert_dump(support->store,
			"principal account user 2 key=corp/2 origin=0 active=1 left=0\n"
			"principal prod user 1 key=corp/1 origin=0 active=1 left=0\n"
			"member account 3 2\n"
			"member prod 3 1\n"
			"grant prod user 1 0 USER former=-\n"
			"grant account user 2 2 account_admin former=-\n"
			"grant prod user 2 0 USER former=-\n");
	batch = store_batch_new(support->store);
	store_drop_principal(batch, "prod", PRINCIPAL_USER, "1");
	store_drop_principal(batch, "account", PRINCIPAL_USER, "2");
	store_support_must_commit(support, batch);
	assert_dump(support->store, "");
}

static void test_successor_under_the_same_key(void **state)
{
	struct store_support *support = *state;
	struct store_batch *batch = store_batch_new(support->store);

	put_user(batch, "account", "1", "corp/1");
	put_member(batch, "3", "1");
	put_grant(batch, "prod", "1", GRANT_ASSIGNMENT, "USER");
	put_user(batch, "account", "2", "corp/1");
	store_support_must_commit(support, batch);
	assert_dump(support->store,
			"principal account user 2 key=corp/1 origin=0 active=1 left=0\n");
}

/* Memberships of a principal that went are void for good, also if it is back, in the same batch or
 * after a restart. */
static void test_returning_member_has_no_former_memberships(void **state)
{
	struct store_support *support = *state;

	for (int restart = 0; restart < 2; restart++) {
		struct store_batch *batch = store_batch_new(support->store);

		put_user(batch, "account", "1", "corp/1");
		put_member(batch, "3", "1");
		put_member(batch, "4", "1");
		put_member(batch, "4", "2");
		store_drop_principal(batch, "account", PRINCIPAL_USER, "1");
		if (restart) {
			store_support_must_commit(support, batch);
			assert_dump(support->store, "member account 4 2\n");
			store_support_reopen(support);
			batch = store_batch_new(support->store);
		}
		put_user(batch, "account", "1", "corp/1");
		put_member(batch, "5", "1");
		store_support_must_commit(support, batch);
		assert_dump(support->store,
				"principal account user 1 key=corp/1 origin=0 active=1 left=0\n"
				"member account 4 2\n"
				"member account 5 1\n");
		batch = store_batch_new(support->store);
		store_drop_principal(batch, "account", PRINCIPAL_USER, "1");
		store_support_must_commit(support, batch);
		assert_dump(support->store, "member account 4 2\n");
	}
}

static void test_many_leavers_are_swept(void **state)
{
	struct store_support *support = *state;
	struct store_batch *batch = store_batch_new(support->store);
	char id[24];

	for (int i = 1; i <= 3000; i++) {
		(void)snprintf(id, sizeof(id), "%d", i);
		put_user(batch, "account", id, id);
		put_member(batch, "5000", id);
		put_member(batch, "5001", id);
	}
	store_support_must_commit(support, batch);
	batch = store_batch_new(support->store);
	for (int i = 1; i < 3000; i++) {
		(void)snprintf(id, sizeof(id), "%d", i);
		store_drop_principal(batch, "account", PRINCIPAL_USER, id);
	}
	store_support_must_commit(support, batch);
	assert_dump(support->store,
			"principal account user 3000 key=3000 origin=0 active=1 left=0\n"
			"member account 5000 3000\n"
			"member account 5001 3000\n");
	/* Closing waits for the sweep; a file without rows that are void says so to SQL as well. */
	store_support_close(support);
	store_support_sql(support->path,
			"CREATE TEMP TABLE one(n CHECK (n = 2));"
			"INSERT INTO one SELECT count(*) FROM member");
	store_support_open(support);
}

static void note_removals(void *context, const struct store_removals *removals)
{
	buf_printf(context, "%s %u;", guard_category_name(removals->category), removals->count);
}

static void test_removals_of_the_window(void **state)
{
	struct store_support *support = *state;
	struct store_batch *batch = store_batch_new(support->store);
	struct buf seen;
	struct err err;
	int64_t now = clock_wall_ms();

	buf_init(&seen, DUMP_MAX);
	store_add_removals(batch, &(struct store_removals){now - 2000, GUARD_USERS, 1});
	store_add_removals(batch, &(struct store_removals){now - 1000, GUARD_USERS, 2});
	store_add_removals(batch, &(struct store_removals){now, GUARD_GROUPS, 3});
	store_add_removals(batch,
			&(struct store_removals){now - INT64_C(40000000000), GUARD_USERS, 9});
	store_support_must_commit(support, batch);
	assert_int_equal(
			store_each_removals(support->store, now - 1000, note_removals, &seen, &err),
			ERR_NONE);
	assert_string_equal(buf_text(&seen), "users 2;groups 3;");
	/* What is older than any window goes on opening. */
	store_support_reopen(support);
	buf_reset(&seen);
	assert_int_equal(store_each_removals(support->store, 0, note_removals, &seen, &err),
			ERR_NONE);
	assert_string_equal(buf_text(&seen), "users 1;users 2;groups 3;");
	buf_release(&seen);
}

static void assert_cookie(struct store_support *support, const char *search, const char *expected)
{
	AUTO(arena_freep) struct arena *arena = arena_new();
	struct span cookie = SPAN_LIT("untouched");
	struct err err;

	assert_int_equal(store_get_cookie(support->store, search, arena, &cookie, &err), ERR_NONE);
	if (!expected) {
		assert_null(cookie.ptr);
		return;
	}
	assert_non_null(cookie.ptr);
	assert_true(span_equal(cookie, span_of(expected)));
}

static void test_cookies(void **state)
{
	struct store_support *support = *state;
	struct store_batch *batch = store_batch_new(support->store);

	assert_cookie(support, "d1", NULL);
	store_put_cookie(batch, "d1", SPAN_LIT("rid=001,csn=1"));
	store_put_cookie(batch, "d2", SPAN_LIT(""));
	store_put_cookie(batch, "d3", SPAN_LIT("gone"));
	store_put_cookie(batch, "d1", SPAN_LIT("rid=001,csn=2"));
	store_drop_cookie(batch, "d3");
	store_support_must_commit(support, batch);
	assert_cookie(support, "d1", "rid=001,csn=2");
	assert_cookie(support, "d2", "");
	assert_cookie(support, "d3", NULL);
}

static void test_damaged_cookie_is_none(void **state)
{
	static const char *const damages[] = {
			"UPDATE cookie SET value = CAST('rid=001,csn=9' AS BLOB)",
			"UPDATE cookie SET checksum = zeroblob(32)",
			"UPDATE cookie SET checksum = zeroblob(0)",
			("UPDATE cookie SET search = 'd2'; INSERT INTO cookie"
			 " SELECT 'd1', value, checksum FROM cookie"),
	};
	struct store_support *support = *state;

	for (size_t i = 0; i < COUNT_OF(damages); i++) {
		struct store_batch *batch = store_batch_new(support->store);

		store_put_cookie(batch, i == 3 ? "d0" : "d1", SPAN_LIT("rid=001,csn=1"));
		store_support_must_commit(support, batch);
		store_support_close(support);
		store_support_sql(support->path, damages[i]);
		store_support_open(support);
		assert_cookie(support, "d1", NULL);
		/* It was dropped, so the file's own history is clean again. */
		store_support_close(support);
		store_support_sql(support->path,
				"CREATE TEMP TABLE none(n CHECK (n = 0));"
				"INSERT INTO none SELECT count(*) FROM cookie"
				" WHERE search = 'd1'; DELETE FROM cookie");
		store_support_open(support);
	}
}

static void test_meta(void **state)
{
	struct store_support *support = *state;
	AUTO(arena_freep) struct arena *arena = arena_new();
	struct store_batch *batch = store_batch_new(support->store);
	const char *value = "untouched";
	struct err err;

	store_put_meta(batch, "config_digest", "one");
	store_put_meta(batch, "config_digest", "two");
	store_put_meta(batch, "run_open", "1");
	store_put_meta(batch, "run_open", NULL);
	store_support_must_commit(support, batch);
	assert_int_equal(store_get_meta(support->store, "config_digest", arena, &value, &err),
			ERR_NONE);
	assert_string_equal(value, "two");
	assert_int_equal(store_get_meta(support->store, "run_open", arena, &value, &err), ERR_NONE);
	assert_null(value);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
			TEST(test_everything_comes_back),
			TEST(test_second_put_overwrites),
			TEST(test_drops_find_their_record),
			TEST(test_drops_leave_others_alone),
			TEST(test_all_entries_go_with_cookies),
			TEST(test_ids_come_back_byte_for_byte),
			TEST(test_spans_may_hold_anything),
			TEST(test_principal_takes_along_what_hangs_on_it),
			TEST(test_successor_under_the_same_key),
			TEST(test_returning_member_has_no_former_memberships),
			TEST(test_many_leavers_are_swept),
			TEST(test_removals_of_the_window),
			TEST(test_cookies),
			TEST(test_damaged_cookie_is_none),
			TEST(test_meta),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
