#include "support/store_support.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <unistd.h>

static void must(enum err_code code, const struct err *err)
{
	if (code == ERR_NONE)
		return;
	(void)fprintf(stderr, "store_support: %s: %s\n", err_code_name(code), err->text);
	abort();
}

void store_support_init(struct store_support *support, bool open)
{
	const char *tmp = getenv("TMPDIR");

	*support = (struct store_support){.loop = loop_new()};
	support->folder = mem_printf("%s/l2d-store-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(support->folder)) {
		perror("store_support: mkdtemp");
		abort();
	}
	support->path = mem_printf("%s/state.db", support->folder);
	if (open)
		store_support_open(support);
}

void store_support_open(struct store_support *support)
{
	struct err err;

	must(store_open(support->loop, support->path, STORE_WRITE, &support->store, &err), &err);
}

void store_support_close(struct store_support *support)
{
	store_close(STEAL(support->store));
}

void store_support_reopen(struct store_support *support)
{
	store_support_close(support);
	store_support_open(support);
}

void store_support_release(struct store_support *support)
{
	static const char *const endings[] = {"", "-wal", "-shm", "-journal", ".lock"};

	store_support_close(support);
	loop_free(support->loop);
	for (size_t i = 0; i < COUNT_OF(endings); i++) {
		AUTO(mem_freep) char *path = mem_printf("%s%s", support->path, endings[i]);

		(void)unlink(path);
	}
	if (rmdir(support->folder) != 0)
		perror(support->folder);
	mem_free(support->folder);
	mem_free(support->path);
}

static void stop_loop(struct task *task)
{
	loop_stop(task->loop);
}

enum err_code store_support_commit(
		struct loop *loop, struct store *store, struct store_batch *batch, struct err *err)
{
	struct task task;
	struct store_commit commit = {.wakes = &task};

	task_init(&task, loop, stop_loop);
	store_commit(store, batch, &commit);
	while (!commit.done)
		loop_run(loop);
	task_cancel(&task);
	if (commit.code != ERR_NONE)
		*err = commit.err;
	return commit.code;
}

void store_support_must_commit(struct store_support *support, struct store_batch *batch)
{
	struct err err;

	must(store_support_commit(support->loop, support->store, batch, &err), &err);
}

void store_support_sql(const char *path, const char *sql)
{
	sqlite3 *db = NULL;

	if (sqlite3_open(path, &db) != SQLITE_OK ||
			sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
		(void)fprintf(stderr, "store_support: %s: %s\n", sql, sqlite3_errmsg(db));
		abort();
	}
	(void)sqlite3_close(db);
}

static void dump_entry(void *context, const struct store_entry *entry)
{
	buf_printf(context, "entry %s/%s dn=%s searches=%" PRIx64 " attributes=%.*s members=%.*s\n",
			entry->source, entry->anchor, entry->dn, entry->searches,
			(int)entry->attributes.len, entry->attributes.ptr, (int)entry->members.len,
			entry->members.ptr);
}

static void dump_principal(void *context, const struct store_principal *principal)
{
	buf_printf(context, "principal %s %s %s key=%s origin=%d active=%d left=%" PRId64,
			principal->target, principal_kind_name(principal->kind),
			principal->remote_id, principal->key, principal->origin, principal->active,
			principal->left_ms);
	for (size_t i = 0; i < FIELD_COUNT_; i++) {
		if (principal->fields[i])
			buf_printf(context, " %s=%s", field_name((enum field)i),
					principal->fields[i]);
	}
	if (principal->match)
		buf_printf(context, " match=%s", principal->match);
	if (principal->gone != GONE_DEFAULT)
		buf_printf(context, " gone=%d", principal->gone);
	buf_add_char(context, '\n');
}

static void dump_member(void *context, const struct store_member *member)
{
	buf_printf(context, "member %s %s %s\n", member->target, member->group_id,
			member->member_id);
}

static void dump_grant(void *context, const struct store_grant *grant)
{
	buf_printf(context, "grant %s %s %s %d %s former=%s\n", grant->target,
			principal_kind_name(grant->kind), grant->remote_id, grant->grant,
			grant->value, grant->former ? grant->former : "-");
}

static void dump_intent(void *context, const struct store_intent *intent)
{
	buf_printf(context, "intent %s %s %" PRId64 "\n", intent->operation_id, intent->operation,
			intent->time_ms);
}

static void dump_hold(void *context, const struct store_hold *hold)
{
	buf_printf(context, "hold %s %s %s %s %d %" PRId64 " %s\n", hold->operation_id,
			hold->hold_id, hold->operation, guard_category_name(hold->category),
			hold->state, hold->time_ms, hold->reason ? hold->reason : "-");
}

static void dump_quarantine(void *context, const struct store_quarantine *quarantine)
{
	buf_printf(context, "quarantine %s %s %s %" PRId64 " %" PRId64 " %u\n", quarantine->key,
			quarantine->name ? quarantine->name : "-", quarantine->reason,
			quarantine->since_ms, quarantine->retry_ms, quarantine->tries);
}

static void dump_removals(void *context, const struct store_removals *removals)
{
	buf_printf(context, "removals %" PRId64 " %s %u\n", removals->time_ms,
			guard_category_name(removals->category), removals->count);
}

void store_support_dump(struct store *store, struct buf *ret)
{
	struct err err;

	buf_reset(ret);
	must(store_each_entry(store, dump_entry, ret, &err), &err);
	must(store_each_principal(store, dump_principal, ret, &err), &err);
	must(store_each_member(store, dump_member, ret, &err), &err);
	must(store_each_grant(store, dump_grant, ret, &err), &err);
	must(store_each_intent(store, dump_intent, ret, &err), &err);
	must(store_each_hold(store, dump_hold, ret, &err), &err);
	must(store_each_quarantine(store, dump_quarantine, ret, &err), &err);
	must(store_each_removals(store, INT64_MIN, dump_removals, ret, &err), &err);
}
