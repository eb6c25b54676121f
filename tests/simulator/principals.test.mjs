// Service principals' secrets, federation, access-control rule sets, and what the account says about workspaces.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { createSign, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Sim, request } from './harness.mjs';

let sim, scim, account, prod, serial = 0;
before(async () => {
	sim = await Sim.start('--workspace', 'prod', '--workspace', 'dev', '--tag', 'prod:team=etl', '--tag', 'prod:tier=gold');
	({ scim, account } = sim);
	prod = sim.workspace('prod');
});
after(() => sim.stop());

const fresh = (word) => `${word}-${++serial}`;
const refused = (answer, status, code, text = '') => {
	assert.equal(answer.status, status, answer.text);
	assert.equal(answer.json.error_code, code, answer.text);
	assert.ok(answer.json.message.includes(text), answer.text);
};
const good = (answer) => {
	assert.equal(answer.status, 200, answer.text);
	return answer.json;
};
const robot = () => scim.make('/ServicePrincipals', { displayName: fresh('etl') });
const assign = (who, level = 'USER') => sim.assignments('prod').put(`/principals/${who.id}`, { permissions: [level] });
const secretsOf = (who) => `/servicePrincipals/${who.id}/credentials/secrets`;

test('a secret: shown once, signs in, listed without itself, deleted', async () => {
	const who = await robot();
	await assign(who);
	const made = good(await account.post(secretsOf(who), { lifetime: '3600s' }));
	assert.match(made.secret, /^dose[0-9a-f]{32}$/);
	assert.match(made.id, /^[0-9a-f]+$/);
	assert.equal(made.status, 'ACTIVE');
	assert.equal(Math.round((Date.parse(made.expire_time) - Date.parse(made.create_time)) / 1000), 3600);
	const { secrets } = await account.read(secretsOf(who));
	const { secret, ...rest } = made;
	assert.deepEqual(secrets, [rest]);
	assert.ok(!secrets[0].secret_hash.includes(secret));
	const { host } = sim.first.workspaces.prod;
	const signIn = (id = who.applicationId, text = secret) => sim.signIn(host, '/oidc', { id, secret: text });
	const { access_token: token } = good(await signIn());
	const me = await request('GET', `${host}/api/2.0/preview/scim/v2/Me`, { token });
	assert.equal(me.json.userName, who.applicationId);
	assert.equal((await signIn(sim.first.client_id)).status, 401);
	const deleted = await account.delete(`${secretsOf(who)}/${made.id}`);
	assert.deepEqual([deleted.status, deleted.text], [200, '']);
	assert.equal((await signIn()).json.error, 'invalid_client');
	refused(await account.delete(`${secretsOf(who)}/${made.id}`), 404, 'NOT_FOUND');
	assert.deepEqual(await account.read(secretsOf(who)), {});
});

test('the account lets in only its admins, also by a group', async () => {
	const who = await robot();
	const { secret } = good(await account.post(secretsOf(who), {}));
	const group = await scim.make('/Groups', { displayName: fresh('admins of all') });
	const { access_token: token } = good(await sim.signIn(sim.accountHost, `/oidc/accounts/${sim.accountId}`, { id: who.applicationId, secret }));
	const client = new Client(account.base, token);
	refused(await client.get('/workspaces'), 403, 'PERMISSION_DENIED');
	await scim.patch(`/Groups/${group.id}`, { op: 'add', path: 'roles', value: [{ value: 'account_admin' }] });
	await scim.patch(`/Groups/${group.id}`, { op: 'add', path: 'members', value: [{ value: who.id }] });
	good(await client.get('/workspaces'));
	assert.deepEqual((await scim.read(`/Groups/${group.id}?attributes=roles`)).roles, [{ value: 'account_admin' }]);
	await scim.patch(`/Groups/${group.id}`, { op: 'remove', path: 'roles[value eq "account_admin"]' });
	refused(await client.get('/workspaces'), 403, 'PERMISSION_DENIED');
});

test('five secrets, a life of 730 days', async () => {
	const who = await robot(), made = [];
	for (let i = 0; i < 5; i++)
		made.push(good(await account.post(secretsOf(who))));
	assert.equal(Date.parse(made[0].expire_time) - Date.parse(made[0].create_time), 63072000000);
	refused(await account.post(secretsOf(who)), 400, 'RESOURCE_LIMIT_EXCEEDED');
	await account.delete(`${secretsOf(who)}/${made[2].id}`);
	good(await account.post(secretsOf(who), { lifetime: '63072000s', scopes: ['sql'] }));
	for (const lifetime of ['86400', '0s', '63072001s', '1h', 's', '-5s'])
		refused(await account.post(secretsOf(await robot()), { lifetime }), 400, 'INVALID_PARAMETER_VALUE');
	const page = await account.read(`${secretsOf(who)}?page_size=3`);
	const rest = await account.read(`${secretsOf(who)}?page_size=3&page_token=${page.next_page_token}`);
	assert.deepEqual([page.secrets.length, rest.secrets.length, rest.next_page_token], [3, 2, undefined]);
	refused(await account.get(`${secretsOf(who)}?page_size=2&page_token=${page.next_page_token}`), 400, 'INVALID_PARAMETER_VALUE');
	for (const path of ['/servicePrincipals/1/credentials/secrets', `/servicePrincipals/${who.applicationId}/credentials/secrets`])
		refused(await account.get(path), 404, 'NOT_FOUND');
});

test('secrets in a workspace: only of those that are in it', async () => {
	const who = await robot(), path = `/api/2.0/accounts${secretsOf(who)}`;
	refused(await prod.post(path), 404, 'NOT_FOUND');
	await assign(who);
	const made = good(await prod.post(path));
	assert.deepEqual((await prod.read(path)).secrets.map((one) => one.id), [made.id]);
	good(await sim.signIn(sim.first.workspaces.prod.host, '/oidc', { id: who.applicationId, secret: made.secret }));
	assert.equal((await prod.delete(`${path}/${made.id}`)).status, 200);
	const { token_value: text } = good(await prod.post('/api/2.0/token-management/on-behalf-of/tokens', { application_id: who.applicationId }));
	refused(await new Client(prod.base, text).get(path), 403, 'PERMISSION_DENIED');
});

test('a deactivated or deleted service principal signs in no more; expired secrets neither', async () => {
	const who = await robot(), { secret } = good(await account.post(secretsOf(who)));
	const signIn = async () => (await sim.signIn(sim.accountHost, `/oidc/accounts/${sim.accountId}`, { id: who.applicationId, secret })).status;
	assert.equal(await signIn(), 200);
	await scim.patch(`/ServicePrincipals/${who.id}`, { op: 'replace', path: 'active', value: false });
	assert.equal(await signIn(), 401);
	await scim.patch(`/ServicePrincipals/${who.id}`, { op: 'replace', path: 'active', value: true });
	assert.equal(await signIn(), 200);
	await scim.delete(`/ServicePrincipals/${who.id}`);
	assert.equal(await signIn(), 401);
});

test('quirks of secrets: empty pages, a lifetime without its unit', async () => {
	const other = await Sim.start('--quirk', 'empty-pages=on', '--quirk', 'bare-lifetime=on', '--quirk', 'absent-lists=off');
	const who = await other.scim.make('/ServicePrincipals', { displayName: 'etl' });
	good(await other.account.post(secretsOf(who), { lifetime: '86400' }));
	const first = await other.account.read(secretsOf(who));
	assert.deepEqual([first.secrets, typeof first.next_page_token], [[], 'string']);
	const second = await other.account.read(`${secretsOf(who)}?page_token=${first.next_page_token}`);
	assert.deepEqual([second.secrets.length, second.next_page_token], [1, undefined]);
	await other.stop();
});

const OIDC = { issuer: 'https://idp.example.com', audiences: ['databricks'], subject: 'repo:x' };
const { subject: _, ...ACCOUNT_OIDC } = OIDC;

for (const [name, place] of [
	['the account', async () => ['/federationPolicies', ACCOUNT_OIDC, 'accounts/A/federationPolicies/']],
	['a service principal', async () => {
		const { id } = await robot();
		return [`/servicePrincipals/${id}/federationPolicies`, OIDC, `accounts/A/servicePrincipals/${id}/federationPolicies/`];
	}],
]) {
	test(`federation policies of ${name}`, async () => {
		const [path, oidc_policy, prefix] = await place();
		const made = good(await account.post(`${path}?policy_id=ci-1`, { description: 'ci', oidc_policy }));
		assert.equal(made.name, `${prefix.replace('A', sim.accountId)}ci-1`);
		assert.deepEqual([made.policy_id, made.description, made.oidc_policy], ['ci-1', 'ci', oidc_policy]);
		assert.match(made.uid, /^[0-9a-f-]{36}$/);
		assert.deepEqual(await account.read(`${path}/ci-1`), made);
		refused(await account.post(`${path}?policy_id=ci-1`, { oidc_policy }), 409, 'ALREADY_EXISTS');
		const second = good(await account.post(path, { oidc_policy }));
		assert.match(second.policy_id, /^[0-9a-f-]{36}$/);
		assert.equal((await account.read(path)).policies.length, 2);
		const { next_page_token: token, policies } = await account.read(`${path}?page_size=1`);
		assert.equal(policies.length, 1);
		assert.equal((await account.read(`${path}?page_size=1&page_token=${token}`)).policies[0].policy_id, second.policy_id);
		const change = (mask, body) => account.call('PATCH', `${path}/ci-1${mask ? `?update_mask=${mask}` : ''}`, body);
		const other = { ...oidc_policy, issuer: 'https://other.example.com', audiences: ['x'] };
		const one = good(await change('description', { description: 'new', oidc_policy: other }));
		assert.deepEqual([one.description, one.oidc_policy, one.uid], ['new', oidc_policy, made.uid]);
		const two = good(await change('oidc_policy.audiences', { description: 'no', oidc_policy: other }));
		assert.deepEqual([two.description, two.oidc_policy], ['new', { ...oidc_policy, audiences: ['x'] }]);
		assert.deepEqual(good(await change('', { oidc_policy: other })).oidc_policy, other);
		assert.ok(!('description' in good(await change('*', { oidc_policy: other }))));
		refused(await change('oidc_policy', {}), 400, 'INVALID_PARAMETER_VALUE');
		for (const [query, body] of [['?policy_id=Upper', { oidc_policy }], ['', {}], ['', { oidc_policy: { ...oidc_policy, issuer: 'http://x' } }],
			['', { oidc_policy: { ...oidc_policy, audiences: [''] } }], ['', { oidc_policy: { ...oidc_policy, jwks_json: 'x' } }],
			['', { oidc_policy: oidc_policy.subject ? ACCOUNT_OIDC : OIDC }]])
			refused(await account.post(`${path}${query}`, body), 400, 'INVALID_PARAMETER_VALUE');
		assert.equal((await account.delete(`${path}/ci-1`)).status, 200);
		for (const answer of [await account.get(`${path}/ci-1`), await account.delete(`${path}/ci-1`), await change('*', { oidc_policy })])
			refused(answer, 404, 'NOT_FOUND');
	});
}

test('twenty federation policies', async () => {
	const { id } = await robot(), path = `/servicePrincipals/${id}/federationPolicies`;
	for (let i = 0; i < 20; i++)
		good(await account.post(path, { oidc_policy: OIDC }));
	refused(await account.post(path, { oidc_policy: OIDC }), 400, 'RESOURCE_LIMIT_EXCEEDED');
	refused(await account.get('/servicePrincipals/1/federationPolicies'), 404, 'NOT_FOUND');
});

const base64 = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
function issuer(type, alg) {
	const { privateKey, publicKey } = generateKeyPairSync(type, type === 'rsa' ? { modulusLength: 2048 } : { namedCurve: 'P-256' });
	return {
		keys: JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k1' }] }),
		sign(claims, header = {}) {
			const text = `${base64({ alg, kid: 'k1', typ: 'JWT', ...header })}.${base64({ iss: OIDC.issuer, aud: 'databricks', sub: 'repo:x',
				exp: Math.floor(Date.now() / 1000) + 60, ...claims })}`;
			const signature = createSign('sha256').update(text).sign({ key: privateKey, dsaEncoding: 'ieee-p1363' });
			return `${text}.${signature.toString('base64url')}`;
		},
	};
}
const exchange = (jwt, client, more = '') => request('POST', `${sim.first.workspaces.prod.host}/oidc/v1/token`, {
	headers: { 'content-type': 'application/x-www-form-urlencoded' },
	body: `grant_type=${encodeURIComponent('urn:ietf:params:oauth:grant-type:token-exchange')}&subject_token=${jwt}` +
		`&subject_token_type=${encodeURIComponent('urn:ietf:params:oauth:token-type:jwt')}&scope=all-apis` +
		(client ? `&client_id=${client}` : '') + more,
});
const nameOf = async (answer) => (await request('GET', `${sim.first.workspaces.prod.host}/api/2.0/preview/scim/v2/Me`,
	{ token: good(answer).access_token })).json.userName;

for (const [type, alg] of [['rsa', 'RS256'], ['ec', 'ES256']]) {
	test(`token exchange, ${alg}`, async () => {
		const idp = issuer(type, alg), other = issuer(type, alg), who = await robot();
		await assign(who);
		good(await account.post(`/servicePrincipals/${who.id}/federationPolicies`, { oidc_policy: { ...OIDC, jwks_json: idp.keys } }));
		assert.equal(await nameOf(await exchange(idp.sign({}), who.applicationId)), who.applicationId);
		assert.equal(await nameOf(await exchange(idp.sign({ aud: ['x', 'databricks'] }), who.applicationId)), who.applicationId);
		const good_ = idp.sign({});
		for (const [jwt, client] of [
			[other.sign({}), who.applicationId],
			[idp.sign({ iss: 'https://other.example.com' }), who.applicationId],
			[idp.sign({ aud: 'other' }), who.applicationId],
			[idp.sign({ sub: 'repo:y' }), who.applicationId],
			[idp.sign({ exp: 1 }), who.applicationId],
			[idp.sign({}, { alg: 'none' }), who.applicationId],
			[idp.sign({}, { kid: 'k2' }), who.applicationId],
			[`${good_.slice(0, -8)}AAAAAAAA`, who.applicationId],
			['x.y', who.applicationId],
			[good_, '00000000-0000-4000-8000-000000000000'],
			[good_, undefined],
		]) {
			const answer = await exchange(jwt, client);
			assert.deepEqual([answer.status, answer.json.error], [400, 'invalid_grant'], jwt);
		}
		const empty = await exchange('', who.applicationId);
		assert.deepEqual([empty.status, empty.json.error], [400, 'invalid_grant']);
	});
}

test('token exchange for people of the account, by a claim', async () => {
	const idp = issuer('rsa', 'RS256'), ada = await scim.make('/Users', { userName: 'ada@example.com' });
	await assign(ada);
	good(await account.post('/federationPolicies', { oidc_policy: { issuer: 'https://people.example.com', jwks_json: idp.keys, subject_claim: 'mail' } }));
	const jwt = (claims) => idp.sign({ iss: 'https://people.example.com', aud: sim.accountId, ...claims });
	assert.equal(await nameOf(await exchange(jwt({ mail: 'Ada@example.com' }))), 'ada@example.com');
	for (const claims of [{ sub: 'ada@example.com' }, { mail: 'nobody@example.com' }, { mail: 'ada@example.com', aud: 'other' }])
		assert.equal((await exchange(jwt(claims))).json.error, 'invalid_grant');
	const { token_endpoint: _, grant_types_supported: grants } = (await request('GET',
		`${sim.first.workspaces.prod.host}/oidc/.well-known/oauth-authorization-server`)).json;
	assert.ok(grants.includes('urn:ietf:params:oauth:grant-type:token-exchange'));
});

// Rule sets.
const RULES = () => new Client(`${sim.accountHost}/api/2.0/preview/accounts/${sim.accountId}/access-control`, sim.token);
const PROXY = () => new Client(`${prod.base}/api/2.0/preview/accounts/access-control`, prod.token);
const A = () => `accounts/${sim.accountId}`;
const getRules = (name, etag = '', client = RULES()) =>
	client.get(`/rule-sets?name=${encodeURIComponent(name)}&etag=${encodeURIComponent(etag)}`);
const putRules = (name, etag, grant_rules, client = RULES()) => client.put('/rule-sets', { name, rule_set: { name, etag, grant_rules } });
const grant = (role, ...principals) => ({ role: `roles/${role}`, principals });

test('a rule set: empty, replaced as a whole, with a new etag each time', async () => {
	const group = await scim.make('/Groups', { displayName: fresh('eng') }), leads = await scim.make('/Groups', { displayName: fresh('leads') });
	const ada = await scim.make('/Users', { userName: `${fresh('ada')}@example.com` }), etl = await robot();
	const name = `${A()}/groups/${group.id}/ruleSets/default`;
	const empty = good(await getRules(name));
	assert.deepEqual(Object.keys(empty), ['name', 'etag']);
	assert.match(empty.etag, /\+.*\/.*=/);
	const rules = [grant('group.manager', `users/${ada.userName}`, `groups/${leads.displayName}`, `servicePrincipals/${etl.applicationId}`),
		grant('group.assumer', `groups/${leads.displayName}`)];
	const one = good(await putRules(name, empty.etag, rules));
	assert.deepEqual([one.name, one.grant_rules], [name, rules]);
	assert.notEqual(one.etag, empty.etag);
	assert.deepEqual(good(await getRules(name)), one);
	assert.deepEqual(good(await getRules(name, one.etag)), one);
	assert.deepEqual(good(await getRules(name, '', PROXY())), one);
	refused(await putRules(name, empty.etag, []), 409, 'RESOURCE_CONFLICT', 'Conflict with another RuleSet operation');
	for (const etag of ['', undefined])
		refused(await putRules(name, etag, []), 400, 'INVALID_PARAMETER_VALUE', 'etag');
	refused(await RULES().get(`/rule-sets?name=${name}&etag=${one.etag}`), 400, 'INVALID_PARAMETER_VALUE', 'etag'); // + not escaped
	// One rule for each role, whoever stands in it twice.
	const two = good(await putRules(name, one.etag, [grant('group.manager', `users/${ada.userName}`), grant('group.manager', `users/${ada.userName}`)]));
	assert.deepEqual(two.grant_rules, [grant('group.manager', `users/${ada.userName}`)]);
	const none = good(await putRules(name, two.etag, undefined));
	assert.ok(!('grant_rules' in none));
});

test('principals of a rule set go by name and follow it', async () => {
	const group = await scim.make('/Groups', { displayName: fresh('eng') }), leads = await scim.make('/Groups', { displayName: fresh('leads') });
	const name = `${A()}/groups/${group.id}/ruleSets/default`;
	const { etag } = good(await putRules(name, good(await getRules(name)).etag, [grant('group.manager', `groups/${leads.displayName}`)]));
	const renamed = fresh('heads');
	await scim.patch(`/Groups/${leads.id}`, { op: 'replace', path: 'displayName', value: renamed });
	assert.deepEqual(good(await getRules(name)).grant_rules, [grant('group.manager', `groups/${renamed}`)]);
	refused(await putRules(name, etag, [grant('group.manager', `groups/${leads.displayName}`)]), 400, 'INVALID_PARAMETER_VALUE', leads.displayName);
	await scim.delete(`/Groups/${leads.id}`);
	assert.ok(!('grant_rules' in good(await getRules(name))));
});

test('rule sets: names, roles and principals that are none', async () => {
	const etl = await robot(), group = await scim.make('/Groups', { displayName: fresh('eng') });
	const name = `${A()}/servicePrincipals/${etl.applicationId}/ruleSets/default`;
	const { etag } = good(await getRules(name));
	for (const [rules, text] of [
		[[grant('group.manager', `groups/${group.displayName}`)], 'not assignable'],
		[[{ role: 'servicePrincipal.user', principals: [] }], 'not assignable'],
		[[grant('servicePrincipal.user', 'groups/')], 'Unsupported principal: groups/'],
		[[grant('servicePrincipal.user', 'robots/x')], 'Unsupported principal: robots/x'],
		[[grant('servicePrincipal.user', `groups/${group.id}`)], 'does not exist'],
		[[grant('servicePrincipal.user', `servicePrincipals/${etl.id}`)], 'does not exist'],
	])
		refused(await putRules(name, etag, rules), 400, 'INVALID_PARAMETER_VALUE', text);
	assert.equal(good(await getRules(name)).etag, etag);
	refused(await getRules(`${A()}/groups/1/ruleSets/default`), 400, 'INVALID_PARAMETER_VALUE', 'group 1 is not found');
	refused(await getRules(`${A()}/groups/${group.displayName}/ruleSets/default`), 400, 'INVALID_PARAMETER_VALUE', 'not found');
	refused(await getRules(`${A()}/servicePrincipals/${etl.id}/ruleSets/default`), 404, 'RESOURCE_DOES_NOT_EXIST');
	for (const bad of [`${A()}/groups/${group.id}/ruleSets/other`, `${A()}/robots/1/ruleSets/default`, 'accounts/x/ruleSets/default', ''])
		refused(await getRules(bad), 400, 'INVALID_PARAMETER_VALUE');
	refused(await RULES().put('/rule-sets', { name, rule_set: { name: `${A()}/ruleSets/default`, etag } }), 400, 'INVALID_PARAMETER_VALUE');
	const local = (await sim.workspaceScim('prod').make('/Groups', { displayName: fresh('local') })).id;
	refused(await getRules(`${A()}/groups/${local}/ruleSets/default`), 400, 'INVALID_PARAMETER_VALUE', 'not found');
});

test('roles that can be assigned', async () => {
	const etl = await robot(), group = await scim.make('/Groups', { displayName: fresh('eng') });
	const roles = async (resource, client = RULES()) =>
		good(await client.get(`/assignable-roles?resource=${resource}`)).roles.map((one) => one.name.replace('roles/', ''));
	assert.deepEqual(await roles(`${A()}/groups/${group.id}`), ['group.manager', 'group.assumer']);
	assert.deepEqual(await roles(`${A()}/servicePrincipals/${etl.applicationId}`, PROXY()), ['servicePrincipal.manager', 'servicePrincipal.user']);
	assert.deepEqual(await roles(A()), ['marketplace.admin', 'billing.admin', 'tagPolicy.creator', 'tagPolicy.manager', 'tagPolicy.assigner']);
	assert.deepEqual(await roles(`${A()}/budgetPolicies/b1`), ['budgetPolicy.manager', 'budgetPolicy.user']);
	refused(await RULES().get('/assignable-roles'), 400, 'INVALID_PARAMETER_VALUE');
});

test('in a workspace, managers change a rule set and its secrets; others may not', async () => {
	const etl = await robot(), boss = await robot();
	await assign(etl);
	await assign(boss);
	const { token_value: text } = good(await prod.post('/api/2.0/token-management/on-behalf-of/tokens', { application_id: boss.applicationId }));
	const client = new Client(`${prod.base}/api/2.0/preview/accounts/access-control`, text);
	const secrets = () => new Client(prod.base, text).get(`/api/2.0/accounts${secretsOf(etl)}`);
	const name = `${A()}/servicePrincipals/${etl.applicationId}/ruleSets/default`;
	const { etag } = good(await getRules(name));
	refused(await getRules(name, '', client), 403, 'PERMISSION_DENIED');
	refused(await secrets(), 403, 'PERMISSION_DENIED');
	const team = await scim.make('/Groups', { displayName: fresh('team'), members: [{ value: boss.id }] });
	const { etag: next } = good(await putRules(name, etag, [grant('servicePrincipal.manager', `groups/${team.displayName}`)]));
	good(await getRules(name, '', client));
	good(await secrets());
	good(await putRules(name, next, [], client));
	refused(await getRules(name, '', client), 403, 'PERMISSION_DENIED');
});

// Workspaces.
test('what the account says about its workspaces', async () => {
	const [one, two] = await account.read('/workspaces');
	assert.match(one.deployment_name, /^dbc-[0-9a-f]{8}-[0-9a-f]{4}$/);
	assert.notEqual(one.deployment_name, two.deployment_name);
	assert.deepEqual(one.custom_tags, { team: 'etl', tier: 'gold' });
	assert.ok(!('custom_tags' in two));
	assert.equal(one.workspace_url, sim.first.workspaces.prod.host);
	const path = `/workspaces/${sim.workspaceIdText('dev')}`;
	const changed = good(await account.call('PATCH', `${path}?update_mask=custom_tags`, { custom_tags: { env: 'dev', empty: '' } }));
	assert.deepEqual(changed.custom_tags, { env: 'dev', empty: '' });
	assert.deepEqual(await account.read(path), changed);
	for (const custom_tags of [{ '': 'x' }, { x: 1 }, { ['x'.repeat(128)]: 'x' }, { x: 'x'.repeat(256) }, 'x'])
		refused(await account.call('PATCH', path, { custom_tags }), 400, 'INVALID_REQUEST');
	refused(await account.call('PATCH', '/workspaces/1', {}), 404, 'NOT_FOUND');
});

test('clouds, states, and a state file', async () => {
	const folder = mkdtempSync(join(tmpdir(), 'dbx-sim-')), seed = join(folder, 'seed'), state = join(folder, 'state');
	writeFileSync(seed, [
		{ workspace: { name: 'prod', id: '6051', custom_tags: { team: 'etl' } } },
		{ workspace: { name: 'old', id: '6052', workspace_status: 'CANCELLED' } },
		{ service_principal: { id: '12', applicationId: '00000000-0000-4000-8000-000000000012', displayName: 'etl' } },
		{ secret: { owner: '12', secret: 'dose12' } },
	].map((line) => JSON.stringify(line)).join('\n'));
	let one = await Sim.start('--cloud', 'azure', '--seed', seed, '--state', state, '--quirk', 'workspace-url=off');
	const [first, second] = await one.account.read('/workspaces');
	assert.match(first.deployment_name, /^adb-6051\.[0-9]+$/);
	assert.deepEqual([first.custom_tags, 'workspace_url' in first, second.workspace_status], [{ team: 'etl' }, false, 'CANCELLED']);
	assert.ok(first.azure_workspace_info.subscription_id);
	const client = { id: '00000000-0000-4000-8000-000000000012', secret: 'dose12' };
	const prefix = `/oidc/accounts/${one.accountId}`;
	good(await one.signIn(one.accountHost, prefix, client));
	good(await one.account.post('/servicePrincipals/12/federationPolicies?policy_id=ci', { oidc_policy: OIDC }));
	const made = good(await one.account.post('/servicePrincipals/12/credentials/secrets'));
	const name = `accounts/${one.accountId}/servicePrincipals/${client.id}/ruleSets/default`;
	const rules = (sim_) => new Client(`${sim_.accountHost}/api/2.0/preview/accounts/${sim_.accountId}/access-control`, sim_.token);
	good(await putRules(name, good(await getRules(name, '', rules(one))).etag,
		[grant('servicePrincipal.user', `servicePrincipals/${one.first.client_id}`)], rules(one)));
	const read = async () => [await one.account.read('/workspaces'), await one.account.read('/servicePrincipals/12/federationPolicies'),
		await one.account.read('/servicePrincipals/12/credentials/secrets'), good(await getRules(name, '', rules(one)))];
	const before = await read();
	await one.stop();
	one = await Sim.start('--cloud', 'azure', '--state', state, '--quirk', 'workspace-url=off');
	const after_ = await read();
	for (const list of [before[0], after_[0]])
		list.forEach((item) => delete item.creation_time);
	assert.deepEqual(after_, before);
	for (const secret of ['dose12', made.secret])
		good(await one.signIn(one.accountHost, prefix, { ...client, secret }));
	await one.scim.delete('/ServicePrincipals/12');
	await one.stop();
	one = await Sim.start('--cloud', 'gcp', '--state', state);
	assert.match((await one.account.read('/workspaces'))[0].deployment_name, /^6051\.[0-9]$/);
	assert.deepEqual(await one.account.read('/federationPolicies'), {});
	await one.stop();
	rmSync(folder, { recursive: true });
});
