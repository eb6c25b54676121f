/*
 * federation -- federation policies: whose tokens, of another issuer, may be exchanged for ours.
 */
#ifndef SIM_FEDERATION_H
#define SIM_FEDERATION_H

#include "sim.h"

#define FEDERATION_POLICIES_MAX 20 /* per service principal, published; per account the same */

/*
 * Who the JWT stands for: a service principal if client_id names one and one of its policies fits the token, else whom
 * a policy of the account makes of it. NULL: nobody, and *ret_why says why (static).
 */
struct principal *federation_check(const struct sim *sim, const char *jwt, const char *client_id,
		const char **ret_why);

#endif
