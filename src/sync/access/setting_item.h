/*
 * setting_item -- settings of workspaces and of the account: `settings:` of a target in ldap2dbx.yaml.
 *
 * An item is one setting of one target. Keys of workspace-conf are read together (roster.h), typed settings one by one. What
 * a setting had before us is kept with the holding, and told when the setting leaves the configuration: it stays as it is
 * then. Turning tokens off stops those that there are, so it goes before the guard with their number.
 */
#ifndef L2D_SYNC_ACCESS_SETTING_ITEM_H
#define L2D_SYNC_ACCESS_SETTING_ITEM_H

#include "rules/setting.h"
#include "sync/access/item.h"

extern const struct item_class conf_setting_class, typed_setting_class;

void setting_start(struct access *access);
/* The item of a stored holding or an open intent; NULL: this version does not know the setting. */
struct item *setting_item(struct access *access, unsigned target, const char *name);
/* Of what a setting holds: whether it is so already. before NULL: it was never set. */
bool setting_is_so(const struct known_setting *known, const char *before, const char *wanted,
		bool ours);

/* The switch that puts the IP access lists of a place in force, if the configuration has it. */
bool lists_switch_goes_off(
		const struct access *access, unsigned target); /* soon, and ahead of the lists */
bool lists_switch_goes_on(
		const struct access *access, unsigned target); /* soon, and behind the lists */
/* Whether lists there have an effect now, for all that we know. */
bool lists_are_in_force(const struct access *access, unsigned target);
void lists_switch_mark(struct access *access, unsigned target);

#endif
