/*
 * policy -- cluster policies: their families, and what their definitions make of a cluster.
 *
 * A definition is a JSON object in a text: attribute path -> element with a type. The service stores it as it comes and
 * stumbles over it when a cluster uses it.
 */
#ifndef SIM_POLICY_H
#define SIM_POLICY_H

#include <jansson.h>

#include "sim.h"

#define POLICY_NAME_BYTES_MAX 100
#define POLICY_LIBRARIES_MAX 500
#define POLICY_VIOLATIONS_MAX 200 /* how many an answer names, published */

struct policy_family {
	const char *id, *name, *description;
	const char *definition;
};
extern const struct policy_family policy_families[];
extern const size_t policy_family_count;
const struct policy_family *policy_family_find(const char *id); /* NULL: there is none */

/* definition with the elements of overrides put over it; NULL: one of them is no JSON object. Caller's. */
json_t *policy_merge(const char *definition, const char *overrides);

/*
 * What of a cluster's attributes breaks the definition: {path: message}, at most POLICY_VIOLATIONS_MAX; NULL: the
 * definition is malformed. Caller's. Pure.
 */
json_t *policy_violations(const json_t *definition, const json_t *cluster);

/* The policy's definition, parsed: its own, or its family's with overrides. NULL: no such policy, or no JSON. Caller's. */
json_t *policy_definition(const struct state *state, const struct workspace *workspace,
		const char *policy_id);
bool policy_exists(struct sim *sim, const struct workspace *workspace, const char *policy_id);

/*
 * Why a cluster's policy does not let the caller have it as it is: not there, not for the caller, malformed, broken,
 * or, if the cluster is fresh, one too many. NULL: nothing speaks against it. Caller's, mem_free.
 */
char *policy_refusal(const struct request *request, const json_t *cluster, bool fresh);

struct api_call;
/* Here the last page has an empty token in place of none: after api_answer_page. */
void policy_end_pages(struct api_call *call);

/* The policies that every workspace has from the start, if they are not there. */
void policy_adopt_standard(struct state *state, struct workspace *workspace);

#endif
