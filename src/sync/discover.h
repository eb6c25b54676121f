/*
 * discover -- the account's workspaces as targets beside those of the file (`discover: workspaces:`).
 *
 * Targets are fixed for the life of an engine, so they are found out before one is made, and an engine that sees the list
 * change says so and is made anew by who runs it. A workspace keeps the name that it had at its first sight, under which the
 * store knows what is ours there; the list is remembered for the time when the account does not answer.
 */
#ifndef L2D_SYNC_DISCOVER_H
#define L2D_SYNC_DISCOVER_H

#include "databricks/workspace_list.h"
#include "rules/config.h"

#define DISCOVERED_MAX 10000 /* workspaces of an account */

/* Whether the configuration asks for it. */
bool discover_is_on(const struct config *config);

/* What the store remembers becomes targets; without a store or a list in it: none. Asks nobody. */
void discover_remembered(struct config *config);
/*
 * The account's list becomes targets; does nothing if nobody asked for it. On failure the configuration is as before.
 * Blocks, with a loop of its own, up to timeout_ms. Errors: those of calls, ERR_TIMEOUT, ERR_CONFIG.
 */
MUST_CHECK enum err_code discover_now(struct config *config, uint64_t timeout_ms, struct err *err);

/*
 * Which of the workspaces are targets, by name, in arena. Pure. settings: with the targets of before, whose names stay.
 * hosts: of the targets of the file, by index, NULL where it is not known; none of these is discovered once more.
 */
size_t discover_choose(const struct settings *settings, const char *const *hosts,
		const struct workspace_info *workspaces, size_t count, struct arena *arena,
		const struct target_settings **ret);
/* Whether those are the ones that settings has. */
bool discover_is_same(const struct settings *settings, const struct target_settings *targets,
		size_t count);

/* For the store's `discovered`: what settings has, the vanished included, as text; caller's, mem_free. */
char *discover_to_text(const struct settings *settings);
/* The other way, in arena: those that there are, and behind them *ret_gone that had vanished. Text that is none of ours gives none. */
size_t discover_from_text(const char *text, struct arena *arena, const struct target_settings **ret,
		size_t *ret_gone);

/* Of the targets of the file, for discover_choose; in arena. */
const char *const *discover_hosts(const struct settings *settings, struct arena *arena);

#define DISCOVERED_META "discovered"

#endif
