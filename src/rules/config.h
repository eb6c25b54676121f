/*
 * config -- ldap2dbx.yaml and the mapping files beside it, read, checked and compiled into one
 * value.
 */
#ifndef L2D_RULES_CONFIG_H
#define L2D_RULES_CONFIG_H

#include "model/search.h"
#include "model/settings.h"
#include "rules/faults.h"
#include "rules/mapping.h"

struct config;

/*
 * Reads path and mappings/\*.yaml in its folder (sorted by name; the place can be given by
 * `mappings:`), everything checked that can be checked without a network: keys, types, ranges,
 * expressions, references between files, the `tests:` are not run (mapping_run_tests). A key that
 * is not executed in this version is refused, never ignored. Errors: ERR_CONFIG, the first one
 * by place, as "FILE:LINE:COLUMN: what is wrong; what to do". faults: all of them, the first included; NULL: the reading
 * ends at the first.
 */
MUST_CHECK enum err_code config_load(
		const char *path, struct faults *faults, struct config **ret, struct err *err);
void config_free(struct config *config); /* NULL is fine */

/*
 * Workspaces that were discovered become targets behind those of the files, in place of those of an earlier call, which are kept as
 * vanished if they are not among the new ones; copied. The
 * settings' digest depends on them. Nobody may be using the configuration meanwhile.
 */
void config_set_discovered(
		struct config *config, const struct target_settings *targets, size_t count);

/* All borrowed until config_free; read-only, from any thread. */
const struct settings *config_settings(const struct config *config);
const struct mapping *config_mapping(const struct config *config);

/*
 * JSON Schemas of the two kinds of file, for editors; made from the tables that files are read by. Valid until the
 * process ends.
 */
const char *config_schema(void);
const char *mapping_schema(void);

/*
 * All keys of the two kinds of file, for the manual's check: "sources.NAME.bind.dn" (NAME: the
 * user's word), "users[].when" (an item of a list). In arena.
 */
const char *const *config_key_list(struct arena *arena, size_t *ret_count);
const char *const *mapping_key_list(struct arena *arena, size_t *ret_count);

#endif
