/*
 * identity -- the second API of people, groups and service principals (/api/2.0/identity): plain JSON, no SCIM. With
 * automatic identity management (quirk aim) those that have an external id are the identity provider's.
 */
#ifndef SIM_IDENTITY_H
#define SIM_IDENTITY_H

#include "api.h"

#define IDENTITY_ACCOUNT "api/2.0/identity/accounts/*/"
#define IDENTITY_WORKSPACE "api/2.0/identity/"

const char *identity_type(enum kind kind); /* "USER" */
/* One of the account's by its id; NULL: none, and refused. */
struct principal *identity_find(struct api_call *call, const char *id_text);
/* An id as a number of JSON. */
json_t *identity_number(const struct principal *who);

#endif
