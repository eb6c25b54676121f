/*
 * azure -- what the ways to sign in by Entra ID share: tenant, both tokens, the workspace's address and resource id.
 *
 * Source: databricks-sdk-go config/azure.go, config/auth_azure_client_secret.go; learn.microsoft.com
 * entra/identity-platform/certificate-credentials.
 */
#ifndef L2D_DATABRICKS_AUTH_AZURE_H
#define L2D_DATABRICKS_AUTH_AZURE_H

#include "databricks/auth/cloud.h"
#include "databricks/auth/method.h"

#define AZURE_MARGIN_S 40 /* Azure Databricks refuses tokens with 30 s or less to live */
#define AZURE_MANAGEMENT_HEADER "X-Databricks-Azure-SP-Management-Token"
#define AZURE_RESOURCE_ID_HEADER "X-Databricks-Azure-Workspace-Resource-Id"

/* azure_client_id and azure_tenant_id, or for azure-workload what AKS sets instead; NULL. Borrowed. */
const char *azure_client_id(const struct credential *credential);
const char *azure_tenant_id(const struct attempt *attempt);
const char *azure_lacks_place(const struct credential *credential); /* host or resource id */

/* GET {host}/aad/auth: memory->tenant_id from where it leads. */
extern const struct signin_step azure_tenant_step;
/* The host by azure_workspace_resource_id, if none is configured: a token for ARM, then ARM. */
extern const struct signin_step azure_arm_token_step, azure_host_step;
/* The token for Databricks, and the one for Azure's management; then the resource id's header. */
extern const struct signin_step azure_token_step, azure_management_step, azure_resource_id_step;

/* Takes a token of Entra's for the Authorization header, or (azure_take_management) the management header. */
MUST_CHECK enum err_code azure_take_token(
		struct attempt *attempt, const struct http_request *request, struct err *err);
MUST_CHECK enum err_code azure_take_management(
		struct attempt *attempt, const struct http_request *request, struct err *err);
MUST_CHECK enum err_code azure_take_arm_token(
		struct attempt *attempt, const struct http_request *request, struct err *err);

/* Adds client_assertion, signed with azure_client_certificate, for the endpoint url. Errors: ERR_CONFIG. */
MUST_CHECK enum err_code azure_certificate_assertion(
		struct attempt *attempt, const char *url, struct buf *form, struct err *err);

#endif
