#include "directory/dynamic_group.h"

#include "base/text.h"
#include "directory/entry_reader.h"
#include "directory/outcome.h"

struct dynamic_group {
	char *anchor;
	char *dn;
	bool overtaken; /* a newer event came: the answer on its way is not to be used */
};

static void group_free(struct dynamic_group *group)
{
	mem_free(group->anchor);
	mem_free(group->dn);
	mem_free(group);
}

static void drop_first(struct dynamic_groups *groups)
{
	group_free(groups->waiting.items[0]);
	groups->waiting.count--;
	memmove(groups->waiting.items, groups->waiting.items + 1,
			groups->waiting.count * sizeof(groups->waiting.items[0]));
}

static void read_next(struct dynamic_groups *groups)
{
	struct query query = {.scope = LDAP_SCOPE_BASE,
			.filter = groups->search->search->filter,
			.attributes = groups->search->attributes};
	struct err err;

	while (groups->waiting.count && groups->waiting.items[0]->overtaken)
		drop_first(groups);
	if (!groups->waiting.count)
		return;
	query.base = groups->waiting.items[0]->dn;
	if (connection_search(groups->connection, &query, &groups->request, &err) != ERR_NONE)
		groups->err = err;
}

static void take_entry(struct dynamic_groups *groups, LDAPMessage *message)
{
	const struct dynamic_group *group = groups->waiting.items[0];
	struct entry_reading reading;
	struct err err;

	if (group->overtaken)
		return;
	if (entry_read(connection_ldap(groups->connection), message, groups->search,
			    batch_arena(groups->batch), &reading, &err) != ERR_NONE) {
		connection_break(groups->connection, &err);
		return;
	}
	/* Another entry of the same name by now: its own event is on the way. */
	if (!text_equal(reading.entry.anchor, group->anchor))
		return;
	if (reading.is_cut)
		batch_add_anchor(groups->batch, FEED_PRESENT, group->anchor);
	else
		batch_add(groups->batch, FEED_UPSERT, &reading.entry);
}

static void take_end(struct dynamic_groups *groups, LDAPMessage *message)
{
	struct search_end end;
	struct err err;

	if (search_end_read(connection_ldap(groups->connection), message, &end, &err) != ERR_NONE) {
		connection_break(groups->connection, &err);
		return;
	}
	/* Gone, renamed or no longer matching: the event that says so is on the way. */
	if (end.code != LDAP_SUCCESS && end.code != LDAP_NO_SUCH_OBJECT)
		(void)outcome_set(&groups->err, end.code, end.said, "reading the members of \"%s\"",
				groups->waiting.items[0]->dn);
	search_end_release(&end);
	drop_first(groups);
	if (groups->err.code == ERR_NONE)
		read_next(groups);
}

static void handle(struct request *request, LDAPMessage *message)
{
	struct dynamic_groups *groups = (struct dynamic_groups *)(void *)((char *)request -
			offsetof(struct dynamic_groups, request));

	if (ldap_msgtype(message) == LDAP_RES_SEARCH_ENTRY)
		take_entry(groups, message);
	else if (ldap_msgtype(message) == LDAP_RES_SEARCH_RESULT)
		take_end(groups, message);
}

void dynamic_groups_init(struct dynamic_groups *groups, const struct feed_search *search,
		struct batch *batch)
{
	*groups = (struct dynamic_groups){
			.search = search, .batch = batch, .request = {.handle = handle}};
}

void dynamic_groups_reset(struct dynamic_groups *groups, bool alive)
{
	if (alive && groups->connection)
		connection_abandon(groups->connection, &groups->request);
	while (groups->waiting.count)
		group_free(groups->waiting.items[--groups->waiting.count]);
	groups->connection = NULL;
	groups->err = (struct err){0};
}

void dynamic_groups_release(struct dynamic_groups *groups)
{
	dynamic_groups_reset(groups, false);
	vec_release(&groups->waiting);
}

void dynamic_groups_read(struct dynamic_groups *groups, struct connection *connection,
		const struct entry *entry)
{
	struct dynamic_group *group = mem_zalloc(sizeof(*group));

	group->anchor = mem_strdup(entry->anchor);
	group->dn = mem_strdup(entry->dn);
	*vec_add(&groups->waiting) = group;
	groups->connection = connection;
	if (!groups->request.msgid && groups->err.code == ERR_NONE)
		read_next(groups);
}

void dynamic_groups_overtaken(struct dynamic_groups *groups, const char *anchor)
{
	for (vec_each (&groups->waiting, group)) {
		if (text_equal((*group)->anchor, anchor))
			(*group)->overtaken = true;
	}
}

bool dynamic_groups_pending(const struct dynamic_groups *groups)
{
	return groups->waiting.count > 0;
}
