/*
 * object_list -- which objects a workspace has: all of a type, one by its name or path, those below a folder.
 *
 * A list shows what our credential may see: all, for an admin of the workspace. Objects whose rights are not set on
 * themselves are left out: clusters of jobs and pipelines, experiments of notebooks, endpoints of the system, what lies in
 * Git folders.
 */
#ifndef L2D_DATABRICKS_OBJECT_LIST_H
#define L2D_DATABRICKS_OBJECT_LIST_H

#include "databricks/client.h"
#include "model/selector.h"

#define OBJECT_LIST_MAX 200000U        /* objects of one list or walk */
#define OBJECT_TAGS_MAX 200U           /* of one object; what is over it is not looked at */
#define OBJECT_TREE_FOLDERS_MAX 50000U /* that one walk lists */
#define OBJECT_TREE_DEPTH_MAX 64U      /* of a path, in segments: what is deeper is left out */

/*
 * Facts: id is what the Permissions API wants, always as text; NULL only in `wants`. name is "" if there is none; of what
 * lies in the tree it is the last part of the path, of experiments the whole. path is without /Workspace in front; alerts and
 * Genie spaces have one made of their folder's and their name. creator is a user's name or a service principal's application
 * id as of the creation. Tags without value have "".
 */
struct found_object {
	enum securable_type type;
	struct securable_facts facts;
};

struct object_sink {
	/* Objects as they are found, each once; they end after the call. */
	void (*page)(void *context, const struct found_object *objects, size_t count);
	/*
	 * Once, at the end. On error nothing may be concluded from what was not seen: ERR_INCOMPLETE (pages without end),
	 * ERR_LIMIT, ERR_UNSUPPORTED (the workspace has not this feature: there are no such objects), and those of calls.
	 */
	void (*done)(void *context, const struct err *err_or_null);
	/*
	 * Whether an object is of interest; asked where one more call is needed to know its id (registered models). NULL: all
	 * are.
	 */
	bool (*wants)(void *context, const struct found_object *object);
	void *context;
};

struct object_list;
/* Whether the type has a list: all but `authorization` and those that are found in the tree; repos have both. */
bool object_can_list(enum securable_type type);
/* sink is copied. object_can_list must hold, else done gets ERR_BUG. */
struct object_list *object_list_start(struct databricks *databricks, unsigned target,
		enum securable_type type, const struct object_sink *sink);

/*
 * Whether the selector can be looked up by itself, in one call as a rule: by path, or by exact name where the type's API
 * takes one. More than one object may have the name, so all of them are found. Without that: a list.
 */
bool object_can_find(const struct selector *selector);
/*
 * What is not there is no error: done without page. A path that leads to an object of another type is ERR_NOT_FOUND, and
 * the text says what it is. selector is borrowed until done. object_can_find must hold, else done gets ERR_BUG.
 */
struct object_list *object_find_start(struct databricks *databricks, unsigned target,
		const struct selector *selector, const struct object_sink *sink);
void object_list_cancel(struct
		object_list *list); /* frees; no callback afterwards. After done: it is freed already */

/*
 * Walks the workspace's tree and gives what any of the selectors matches; enters only folders in which something can match.
 * Selectors are those of tree types with a path or `all`, and of dashboards with a path; they are borrowed until done. Folders that are
 * not there, or vanish while it walks, hold nothing; object types that are not known are passed over.
 */
struct object_tree_query {
	const struct selector *const *selectors;
	size_t count;
};
struct object_tree;
struct object_tree *object_tree_start(struct databricks *databricks, unsigned target,
		const struct object_tree_query *query, const struct object_sink *sink);
void object_tree_cancel(struct object_tree *tree); /* as object_list_cancel */

#endif
