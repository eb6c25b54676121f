/* acl_settle -- what was done to one access control list: what is observed and ours follows. */
#include "sync/access/acl_item.h"

#include "base/clock.h"
#include "base/text.h"

/* ---- what became of it ---- */

/* A job, pipeline or warehouse has one owner: the former one is CAN_MANAGE after a move. */
static void move_owner(struct access *access, struct acl_item *acl, const char *new_key)
{
	for (vec_each (&acl->rows, row)) {
		if (text_equal(row->key, new_key) || !text_equal(row->direct, ACL_OWNER))
			continue;
		mem_replace_text(&row->direct, ACL_MANAGE);
		if (!row->held)
			continue;
		mem_replace_text(&row->held, ACL_MANAGE);
		item_hold(access, &acl->item, row->key, row->held, row->former);
	}
}

static void settle_set(
		struct access *access, struct acl_item *acl, const struct operation *op, size_t at)
{
	struct acl_row *row = acl_row_make(acl, op->members[at].key, op->members[at].name);

	if (!row->held && !op->adopts)
		mem_replace_text(&row->former, op->values_before ? op->values_before[at] : NULL);
	if (text_equal(op->values[at], ACL_OWNER))
		move_owner(access, acl, row->key);
	mem_replace_text(&row->direct, op->values[at]);
	mem_replace_text(&row->held, op->values[at]);
	mem_replace_text(&row->gone, NULL);
	row->refused_until_ns = 0;
	row->refusals = 0;
	item_hold(access, &acl->item, row->key, row->held, row->former);
}

static void settle_removal(struct access *access, struct acl_item *acl, const struct operation *op)
{
	struct acl_row *row = acl_row(acl, op->members[0].key);

	if (!row)
		return;
	mem_replace_text(&row->gone, op->values[0]);
	if (row->held)
		acl_drop_hold(access, acl, row);
	mem_replace_text(&row->direct, op->values_before ? op->values_before[0] : NULL);
}

void acl_settle(struct access *access, struct item *item, const struct operation *op)
{
	struct acl_item *acl = (struct acl_item *)item;

	if (!op->adopts)
		item->written_ns = clock_monotonic_ns();
	if (op->kind == OP_REMOVE_PERMISSIONS)
		settle_removal(access, acl, op);
	for (size_t i = 0; op->kind == OP_SET_PERMISSIONS && i < op->member_count; i++)
		settle_set(access, acl, op, i);
	acl_sweep(access, acl);
}

bool acl_shows(struct item *item, const struct operation *op)
{
	struct acl_item *acl = (struct acl_item *)item;

	for (size_t i = 0; i < op->member_count; i++) {
		const struct acl_row *row = acl_row(acl, op->members[i].key);
		const char *after = op->kind == OP_SET_PERMISSIONS ? op->values[i]
				: op->values_before                ? op->values_before[i]
								   : NULL;

		if (!text_equal(row ? row->direct : NULL, after))
			return false;
	}
	return operation_sets_permissions(op);
}
