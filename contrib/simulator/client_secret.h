/*
 * client_secret -- OAuth secrets of service principals, which sign in at the token endpoints.
 */
#ifndef SIM_CLIENT_SECRET_H
#define SIM_CLIENT_SECRET_H

#include "record.h"

#define SECRETS_MAX 5 /* per service principal, published */
#define SECRET_SECONDS_MAX                                                                         \
	INT64_C(63072000) /* 730 days: the longest life, and the one of those that ask for none */

/* Whose client id and secret these are; NULL: nobody's, or they are dead. */
struct principal *secret_check(
		const struct state *state, const char *client_id, const char *secret);
/* Our own client secret, if it is not among its secrets yet. */
void secret_adopt_own(struct state *state);

#endif
