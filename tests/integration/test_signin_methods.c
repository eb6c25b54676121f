/*
 * Each way to sign in against a server that answers as told: what it asks, in which order, and what every call then carries.
 */
#include "canned_fixture.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/stat.h>
#include <unistd.h>

#define QUESTIONS_MAX 8
#define PARTS_MAX 6
#define APP_ID "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d"
#define USER "{\"id\":\"1\"}"
#define TOKEN(name)                                                                                \
	"{\"access_token\":\"" name "\",\"token_type\":\"Bearer\",\"expires_in\":\"3599\"}"
#define TOKEN_TILL(name) "{\"access_token\":\"" name "\",\"expires_on\":\"4102444800\"}"
#define METADATA                                                                                   \
	{                                                                                          \
		"GET /.well-known/databricks-config ", {0}, 404, "", ""                            \
	}
#define DISCOVERY                                                                                  \
	{                                                                                          \
		"GET /oidc/.well-known/oauth-authorization-server ", {0}, 404, "", ""              \
	}

/* @ stands for the server's address, & for the folder with the test's files. */
struct pair {
	const char *name, *value;
};
struct setting_of {
	enum auth_key key;
	const char *value;
};
struct question {
	const char *line; /* the request begins with it */
	const char *parts
			[PARTS_MAX]; /* and holds each of these; one that begins with ! it does not hold */
	int status;
	const char *headers, *body; /* of the answer */
};
static const struct way {
	const char *type;
	struct setting_of settings[6];
	struct pair environment[8];
	struct question questions[QUESTIONS_MAX];
	const char *carried[4]; /* by the call that follows */
} ways[] = {
		{"azure-client-secret",
				{{AUTH_KEY_AZURE_CLIENT_ID, "app"},
						{AUTH_KEY_AZURE_CLIENT_SECRET, "env:ENTRA_SECRET"},
						{AUTH_KEY_AZURE_TENANT_ID, "tenant"},
						{AUTH_KEY_AZURE_LOGIN_URL, "@/entra/"}},
				{{"ENTRA_SECRET", "p&s=w%"}},
				{{"POST /entra/tenant/oauth2/token ",
						 {"grant_type=client_credentials&client_id=app&"
						  "resource=" APP_ID "&client_secret=p%26s%3Dw%25",
								 "!Authorization"},
						 200, "", TOKEN("inner")},
						{"POST /entra/tenant/oauth2/token ",
								{"resource=https%3A%2F%"
								 "2Fmanagement.core."
								 "windows.net%2F"},
								200, "", TOKEN("outer")}},
				{"\r\nAuthorization: Bearer inner\r\n",
						"\r\nX-Databricks-Azure-SP-Management-Token: "
						"outer\r\n",
						"!X-Databricks-Azure-Workspace-Resource-Id"}},
		{"azure-client-secret",
				{{AUTH_KEY_AZURE_CLIENT_ID, "app"},
						{AUTH_KEY_AZURE_CLIENT_SECRET, "env:ENTRA_SECRET"},
						{AUTH_KEY_AZURE_LOGIN_URL, "@/entra"},
						{AUTH_KEY_AZURE_ENVIRONMENT, "AzureChinaCloud"},
						{AUTH_KEY_AZURE_RESOURCE_ID, "/subscriptions/s"}},
				{{"ENTRA_SECRET", "x"}},
				{{"GET /aad/auth ", {"!Authorization"}, 302,
						 "Location: https://login.example.com/found/oauth2/"
						 "authorize?x=1\r\n",
						 ""},
						{"POST /entra/found/oauth2/token ", {0}, 200, "",
								TOKEN("inner")},
						{"POST /entra/found/oauth2/token ",
								{"resource=https%3A%2F%"
								 "2Fmanagement.core."
								 "chinacloudapi.cn%2F"},
								200, "", TOKEN("outer")}},
				{"\r\nX-Databricks-Azure-Workspace-Resource-Id: "
				 "/subscriptions/s\r\n"}},
		{"azure-client-certificate",
				{{AUTH_KEY_AZURE_CLIENT_ID, "app"},
						{AUTH_KEY_AZURE_CERTIFICATE, "file:&/both.pem"},
						{AUTH_KEY_AZURE_TENANT_ID, "tenant"},
						{AUTH_KEY_AZURE_LOGIN_URL, "@/entra/"}},
				{{0}},
				{{"POST /entra/tenant/oauth2/v2.0/token ",
						 {"scope=" APP_ID "%2F.default",
								 "client_assertion_type=urn%3Aietf%"
								 "3A"
								 "params%3Aoauth%3Aclient-"
								 "assertion-"
								 "type%3Ajwt-bearer",
								 "client_assertion=eyJ",
								 "!client_secret"},
						 200, "", TOKEN("inner")},
						{"POST /entra/tenant/oauth2/v2.0/token ",
								{"scope=https%3A%2F%2Fmanagement."
								 "core."
								 "windows.net%2F.default"},
								200, "", TOKEN("outer")}},
				{"\r\nAuthorization: Bearer inner\r\n",
						"Management-Token: outer\r\n"}},
		{"azure-workload", {{AUTH_KEY_AZURE_MANAGEMENT_URL, "https://management.example/"}},
				{{"AZURE_CLIENT_ID", "pod"}, {"AZURE_TENANT_ID", "tenant"},
						{"AZURE_FEDERATED_TOKEN_FILE", "&/token"},
						{"AZURE_AUTHORITY_HOST", "@/entra/"}},
				{{"POST /entra/tenant/oauth2/token ",
						 {"client_id=pod&",
								 "client_assertion=one.two.three"},
						 200, "", TOKEN("inner")},
						{"POST /entra/tenant/oauth2/token ",
								{"resource=https%3A%2F%"
								 "2Fmanagement."
								 "example%2F"},
								200, "", TOKEN("outer")}},
				{"\r\nAuthorization: Bearer inner\r\n",
						"Management-Token: outer\r\n"}},
		{"azure-msi",
				{{AUTH_KEY_AZURE_USE_MSI, "true"},
						{AUTH_KEY_AZURE_CLIENT_ID, "user assigned"}},
				{{"AZURE_POD_IDENTITY_AUTHORITY_HOST", "@"}},
				{{"GET /metadata/identity/oauth2/token?api-version=2018-02-01&"
				  "resource=" APP_ID "&client_id=user%20assigned ",
						 {"\r\nMetadata: true\r\n", "!X-Forwarded-For"},
						 200, "", TOKEN_TILL("inner")},
						{"GET /metadata/identity/oauth2/token?",
								{"resource=https%3A%2F%"
								 "2Fmanagement.core."
								 "windows.net%2F&"},
								200, "", TOKEN_TILL("outer")}},
				{"\r\nAuthorization: Bearer inner\r\n",
						"Management-Token: outer\r\n"}},
		{"azure-msi", {{AUTH_KEY_AZURE_USE_MSI, "true"}},
				{{"IDENTITY_ENDPOINT", "@/msi/token"}, {"IDENTITY_HEADER", "H"}},
				{{"GET /msi/token?api-version=2019-08-01&resource=" APP_ID " ",
						 {"\r\nX-IDENTITY-HEADER: H\r\n", "!\r\nMetadata:"},
						 200, "", TOKEN_TILL("inner")},
						{"GET /msi/token?", {0}, 200, "",
								TOKEN_TILL("outer")}},
				{"\r\nAuthorization: Bearer inner\r\n"}},
		{"azure-msi", {{AUTH_KEY_AZURE_USE_MSI, "true"}},
				{{"IDENTITY_ENDPOINT", "@/arc/token"}, {"IMDS_ENDPOINT", "@"},
						{"LDAP2DBX_ARC_KEY_FOLDER", "&/"}},
				{{"GET /arc/token?api-version=2020-06-01&", {"!Authorization"}, 401,
						 "WWW-Authenticate: Basic realm=&/arc.key\r\n", ""},
						{"GET /arc/token?",
								{"\r\nAuthorization: Basic "
								 "key-content\r\n"},
								200, "", TOKEN_TILL("inner")},
						{"GET /arc/token?", {"!Authorization"}, 401,
								"WWW-Authenticate: Basic "
								"realm=&/arc.key\r\n",
								""},
						{"GET /arc/token?", {0}, 200, "",
								TOKEN_TILL("outer")}},
				{"\r\nAuthorization: Bearer inner\r\n",
						"Management-Token: outer\r\n"}},
		{"env-oidc", {{AUTH_KEY_CLIENT_ID, "cid"}}, {{"DATABRICKS_OIDC_TOKEN", "a.b.c"}},
				{METADATA, DISCOVERY,
						{"POST /oidc/v1/token ",
								{"grant_type=urn%3Aietf%3Aparams%"
								 "3Aoauth%"
								 "3Agrant-type%3Atoken-exchange&"
								 "subject_"
								 "token=a.b.c&subject_token_type="
								 "urn%3Aietf%"
								 "3Aparams%3Aoauth%3Atoken-type%"
								 "3Ajwt&scope="
								 "all-apis&client_id=cid",
										"!Authorization"},
								200, "", TOKEN("tok")}},
				{"\r\nAuthorization: Bearer tok\r\n"}},
		{"file-oidc",
				{{AUTH_KEY_OIDC_TOKEN_FILE, "&/token"},
						{AUTH_KEY_SCOPES, "a, b,,c "}},
				{{0}},
				{METADATA, DISCOVERY,
						{"POST /oidc/v1/token ",
								{"subject_token=one.two.three&",
										"&scope=a%20b%20c",
										"!client_id"},
								200, "", TOKEN("tok")}},
				{"\r\nAuthorization: Bearer tok\r\n"}},
		{"github-oidc", {{AUTH_KEY_CLIENT_ID, "cid"}},
				{{"ACTIONS_ID_TOKEN_REQUEST_URL", "@/gh?api=1"},
						{"ACTIONS_ID_TOKEN_REQUEST_TOKEN", "runner"}},
				{{"GET /.well-known/databricks-config ", {0}, 200, "",
						 "{\"token_federation_default_oidc_audiences\":["
						 "\"aud "
						 "1\",\"x\"]}"},
						DISCOVERY,
						{"GET /gh?api=1&audience=aud%201 ",
								{"\r\nAuthorization: Bearer "
								 "runner\r\n"},
								200, "", "{\"value\":\"g.i.t\"}"},
						{"POST /oidc/v1/token ",
								{"subject_token=g.i.t&",
										"client_id=cid",
										"!Authorization"},
								200, "", TOKEN("tok")}},
				{"\r\nAuthorization: Bearer tok\r\n"}},
		{"azure-devops-oidc", {{AUTH_KEY_CLIENT_ID, "cid"}},
				{{"SYSTEM_TEAMFOUNDATIONCOLLECTIONURI", "@/org/"},
						{"SYSTEM_TEAMPROJECTID", "p"},
						{"SYSTEM_HOSTTYPE", "build"},
						{"SYSTEM_PLANID", "plan"}, {"SYSTEM_JOBID", "job"},
						{"SYSTEM_ACCESSTOKEN", "devops"}},
				{METADATA, DISCOVERY,
						{"POST "
						 "/org/p/_apis/distributedtask/hubs/build/plans/"
						 "plan/"
						 "jobs/job/oidctoken?api-version=7.2-preview.1 ",
								{"\r\nAuthorization: Bearer "
								 "devops\r\n",
										"\r\nContent-"
										"Length: 0\r\n"},
								200, "",
								"{\"oidcToken\":\"d.e.v\"}"},
						{"POST /oidc/v1/token ", {"subject_token=d.e.v&"},
								200, "", TOKEN("tok")}},
				{"\r\nAuthorization: Bearer tok\r\n"}},
		{"github-oidc-azure",
				{{AUTH_KEY_AZURE_CLIENT_ID, "app"},
						{AUTH_KEY_AZURE_TENANT_ID, "tenant"},
						{AUTH_KEY_AZURE_LOGIN_URL, "@/entra/"}},
				{{"ACTIONS_ID_TOKEN_REQUEST_URL", "@/gh?api=1"},
						{"ACTIONS_ID_TOKEN_REQUEST_TOKEN", "runner"}},
				{{"GET /gh?api=1&audience=api%3A%2F%2FAzureADTokenExchange ", {0},
						 200, "", "{\"value\":\"g.i.t\"}"},
						{"POST /entra/tenant/oauth2/token ",
								{"resource=" APP_ID,
										"client_assertion="
										"g.i.t",
										"!client_secret"},
								200, "", TOKEN_TILL("inner")}},
				{"\r\nAuthorization: Bearer inner\r\n", "!Management-Token"}},
		{"google-credentials", {{AUTH_KEY_GOOGLE_CREDENTIALS, "file:&/google.json"}}, {{0}},
				{{"POST /google/token ",
						 {"grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-"
						  "type%3Ajwt-bearer&assertion=eyJ"},
						 200, "", "{\"id_token\":\"i.d.t\"}"},
						{"POST /google/token ", {0}, 200, "",
								TOKEN("google-access")}},
				{"\r\nAuthorization: Bearer i.d.t\r\n",
						"\r\nX-Databricks-GCP-SA-Access-Token: "
						"google-access\r\n"}},
		{"google-credentials", {{AUTH_KEY_GOOGLE_CREDENTIALS, "file:&/google.json"}}, {{0}},
				{{"POST /google/token ", {0}, 200, "", "{\"id_token\":\"i.d.t\"}"},
						{"POST /google/token ", {0}, 400, "",
								"{\"error\":\"invalid_scope\"}"}},
				{"\r\nAuthorization: Bearer i.d.t\r\n",
						"!X-Databricks-GCP-SA-Access-Token"}},
		{"google-id",
				{{AUTH_KEY_GOOGLE_SERVICE_ACCOUNT, "sa@p.example"},
						{AUTH_KEY_GOOGLE_IAM_URL, "@/iam"}},
				{{"GCE_METADATA_HOST", "@host"}},
				{{"GET /computeMetadata/v1/instance/service-accounts/default/token",
						 {"\r\nMetadata-Flavor: Google\r\n"}, 200, "",
						 TOKEN("machine")},
						{"POST /iam/v1/projects/-/serviceAccounts/"
						 "sa%40p.example:generateIdToken ",
								{"\r\nAuthorization: Bearer "
								 "machine\r\n",
										"\"includeEmail\":"
										"true"},
								200, "", "{\"token\":\"i.d.t\"}"},
						{"POST /iam/v1/projects/-/serviceAccounts/"
						 "sa%40p.example:generateAccessToken ",
								{"\"lifetime\":\"3600s\""}, 200, "",
								"{\"accessToken\":\"google-"
								"access\","
								"\"expireTime\":\"2099-01-01T00:00:"
								"00Z\"}"}},
				{"\r\nAuthorization: Bearer i.d.t\r\n",
						"SA-Access-Token: google-access\r\n"}},
		{"metadata-service", {{AUTH_KEY_METADATA_SERVICE_URL, "@/dbx-metadata"}}, {{0}},
				{{"GET /dbx-metadata ",
						{"\r\nX-Databricks-Metadata-Version: 1\r\n",
								"\r\nX-Databricks-Host: @\r\n"},
						200, "", TOKEN_TILL("tok")}},
				{"\r\nAuthorization: Bearer tok\r\n"}},
};

static char folder[] = "/tmp/l2d-methods.XXXXXX";

/* text with @ and & filled in; caller's. */
static char *fill(const char *text, const char *host)
{
	char *filled = mem_strdup("");

	for (const char *c = text; c && *c; c++) {
		/* & also parts the values of a form: only one before a slash is ours. */
		bool is_host = *c == '@' && (c == text || c[-1] == ' ');
		bool bare = is_host && text_starts_with(c, "@host");
		char *longer = mem_printf("%s%s%.*s", filled,
				is_host ? (bare ? host + strlen("http://") : host)
						: *c == '&' && c[1] == '/' ? folder
									   : "",
				is_host || (*c == '&' && c[1] == '/') ? 0 : 1, c);

		mem_free(filled);
		filled = longer;
		if (bare)
			c += strlen("host");
	}
	return filled;
}

static void write_file(const char *name, const char *text)
{
	AUTO(mem_freep) char *path = mem_printf("%s/%s", folder, name);
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(chmod(path, 0600), 0);
}

static char *pem_of(EVP_PKEY *key, X509 *x509)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *bytes, *pem;
	long len;

	assert_int_equal(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
	if (x509)
		assert_int_equal(PEM_write_bio_X509(bio, x509), 1);
	len = BIO_get_mem_data(bio, &bytes);
	pem = mem_strndup(bytes, (size_t)len);
	BIO_free(bio);
	return pem;
}

static X509 *self_signed(EVP_PKEY *key)
{
	X509 *x509 = X509_new();

	assert_int_equal(X509_set_version(x509, 2), 1);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(x509), 1), 1);
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(x509), -60));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(x509), 3600));
	assert_int_equal(X509_set_pubkey(x509, key), 1);
	assert_int_equal(X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_ASC,
					 (const unsigned char *)"sample", -1, -1, 0),
			1);
	assert_int_equal(X509_set_issuer_name(x509, X509_get_subject_name(x509)), 1);
	assert_true(X509_sign(x509, key, EVP_sha256()) > 0);
	return x509;
}

static EVP_PKEY *the_key;

/* The key names the server, whose port differs from test to test. */
static void write_google_key(const char *host)
{
	AUTO(mem_freep) char *pem = pem_of(the_key, NULL);
	AUTO(mem_freep) char *token_uri = mem_printf("%s/google/token", host);
	json_t *json = json_pack("{s:s, s:s, s:s, s:s}", "client_email", "sa@p.example",
			"private_key_id", "k1", "private_key", pem, "token_uri", token_uri);
	char *text = json_dumps(json, 0);

	write_file("google.json", text);
	free(text);
	json_decref(json);
}

static int set_up(void **state)
{
	AUTO(mem_freep) char *pem = NULL;
	X509 *x509;

	(void)state;
	if (!mkdtemp(folder))
		return -1;
	the_key = EVP_RSA_gen(2048);
	x509 = self_signed(the_key);
	pem = pem_of(the_key, x509);
	write_file("both.pem", pem);
	write_file("token", " one.two.three\n");
	write_file("arc.key", "key-content\n");
	X509_free(x509);
	return 0;
}

static int tear_down(void **state)
{
	static const char *const names[] = {"both.pem", "token", "arc.key", "google.json"};

	(void)state;
	EVP_PKEY_free(the_key);
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		AUTO(mem_freep) char *path = mem_printf("%s/%s", folder, names[i]);

		(void)unlink(path);
	}
	return rmdir(folder);
}

static void expect_parts(const char *what, const char *request, const char *const *parts,
		size_t count, const char *host)
{
	for (size_t i = 0; i < count && parts[i]; i++) {
		AUTO(mem_freep) char *part = fill(parts[i] + (parts[i][0] == '!'), host);
		bool holds = strstr(request, part) != NULL;

		if (holds == (parts[i][0] == '!'))
			fail_msg("%s: \"%s\" in\n%s", what, parts[i], request);
	}
}

static void set_environment(const struct way *way, const char *host)
{
	for (size_t i = 0; i < COUNT_OF(way->environment) && way->environment[i].name; i++) {
		AUTO(mem_freep) char *value = fill(way->environment[i].value, host);

		assert_int_equal(setenv(way->environment[i].name, value, 1), 0);
	}
}

static void clear_environment(const struct way *way)
{
	for (size_t i = 0; i < COUNT_OF(way->environment) && way->environment[i].name; i++)
		assert_int_equal(unsetenv(way->environment[i].name), 0);
}

static void configure(struct canned_fixture *fixture, const struct way *way, char **texts)
{
	struct target_settings *target = &fixture->targets[0];

	*target = (struct target_settings){.name = "dev",
			.host = fixture->server.host,
			.auth = {.values[AUTH_KEY_TYPE] = way->type, .line = 1}};
	for (size_t i = 0; i < COUNT_OF(way->settings) && way->settings[i].value; i++) {
		texts[i] = fill(way->settings[i].value, fixture->server.host);
		target->auth.values[way->settings[i].key] = texts[i];
	}
}

static void go(const struct way *way)
{
	struct canned_fixture fixture;
	char *texts[COUNT_OF(way->settings)] = {0};
	struct canned_answer answers[QUESTIONS_MAX + 1];
	size_t asked = 0;

	canned_fixture_start(&fixture);
	write_google_key(fixture.server.host);
	set_environment(way, fixture.server.host);
	configure(&fixture, way, texts);
	canned_fixture_reconnect(&fixture);
	for (; asked < QUESTIONS_MAX && way->questions[asked].line; asked++) {
		const struct question *question = &way->questions[asked];
		AUTO(mem_freep) char *headers = fill(question->headers, fixture.server.host);

		answers[asked] = (struct canned_answer){
				canned_answer(question->status, headers, question->body),
				CANNED_KEEP};
	}
	answers[asked] = (struct canned_answer){canned_answer(200, "", USER), CANNED_KEEP};
	canned_say(&fixture.server, answers, asked + 1);
	scim_get(fixture.databricks, &fixture.call, PRINCIPAL_USER, "1", 0);
	canned_fixture_wait(&fixture, &fixture.call.done);
	if (fixture.call.code != ERR_NONE)
		fail_msg("%s: %s", way->type, fixture.call.err.text);
	assert_int_equal(canned_fixture_requests(&fixture), asked + 1);
	for (size_t i = 0; i < asked; i++) {
		const char *request = canned_fixture_request(&fixture, i);

		if (!text_starts_with(request, way->questions[i].line))
			fail_msg("%s, question %zu: %s", way->type, i, request);
		expect_parts(way->type, request, way->questions[i].parts, PARTS_MAX,
				fixture.server.host);
	}
	expect_parts(way->type, canned_fixture_request(&fixture, asked), way->carried,
			COUNT_OF(way->carried), fixture.server.host);
	clear_environment(way);
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		mem_free(texts[i]);
	canned_fixture_stop(&fixture);
}

static void each_way_asks_what_it_should(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(ways); i++)
		go(&ways[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(each_way_asks_what_it_should),
	};

	return cmocka_run_group_tests_name("signin_methods", tests, set_up, tear_down);
}
