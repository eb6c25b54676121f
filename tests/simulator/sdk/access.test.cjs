// Databricks' own SDK as a client: tokens, cluster policies, IP access lists, settings, secrets, rule sets.
const { after, before, test } = require('node:test');
const assert = require('node:assert/strict');
const { settings } = require('@databricks/sdk-experimental');
const { DEV, PROD, connect, fails, sendEverything } = require('./loopback.cjs');

sendEverything();
let sim, account, prod, dev, client, serial = 0;
const fresh = (word) => `${word}-${++serial}`;
before(async () => {
	({ sim, account, prod, dev, client } = await connect());
});
after(() => sim.stop());

const all = async (list) => {
	const seen = [];
	for await (const one of list)
		seen.push(one);
	return seen;
};
async function robot() {
	const who = await account.accountServicePrincipalsV2.create({ displayName: fresh('etl') });
	await account.workspaceAssignment.update({ workspace_id: sim.workspaceIdText('prod'), principal_id: Number(who.id), permissions: ['USER'] });
	return who;
}

test('tokens of one\'s own', async () => {
	const { tokens } = prod;
	const { token_value: text, token_info: info } = await tokens.create({ comment: 'laptop', lifetime_seconds: 3600 });
	assert.ok((await all(tokens.list())).some((one) => one.token_id === info.token_id && one.comment === 'laptop'));
	const me = () => client(PROD, { token: text }).currentUser.me();
	assert.equal((await me()).userName, sim.first.client_id);
	await tokens.delete({ token_id: info.token_id });
	await fails(me(), 403, 'Invalid access token.');
	await fails(tokens.delete({ token_id: info.token_id }), 404, 'secret not found');
	await fails(tokens.create({ lifetime_seconds: 731 * 86400 }), 400, 'maximum token lifetime');
});

test('token management', async () => {
	const { tokenManagement } = prod, who = await robot();
	const { token_value: text, token_info: info } = await tokenManagement.createOboToken(
		{ application_id: who.applicationId, comment: 'for etl', lifetime_seconds: 3600 });
	assert.equal(String(info.owner_id), who.id);
	assert.equal((await client(PROD, { token: text }).currentUser.me()).userName, who.applicationId);
	assert.deepEqual((await tokenManagement.get({ token_id: info.token_id })).token_info.comment, 'for etl');
	const ids = async (filter) => (await all(tokenManagement.list(filter))).map((one) => one.token_id);
	assert.ok((await ids({})).includes(info.token_id));
	assert.ok((await ids({ created_by_username: sim.first.client_id })).includes(info.token_id));
	assert.deepEqual(await ids({ created_by_id: Number(who.id) }), []);
	await tokenManagement.delete({ token_id: info.token_id });
	await fails(tokenManagement.get({ token_id: info.token_id }), 404, 'Token does not exist');
	await fails(client(PROD, { token: text }).currentUser.me(), 403, 'Invalid access token.');
});

test('cluster policies and families', async () => {
	const { clusterPolicies: policies, policyFamilies: families } = prod, name = fresh('jobs');
	const definition = '{"cluster_type":{"type":"fixed","value":"job"}}';
	const { policy_id: id } = await policies.create({ name, definition, max_clusters_per_user: 2 });
	const made = await policies.get({ policy_id: id });
	assert.deepEqual([made.name, made.definition, made.max_clusters_per_user], [name, definition, 2]);
	await policies.edit({ policy_id: id, name, definition: '{}' });
	assert.ok(!('max_clusters_per_user' in await policies.get({ policy_id: id })));
	await fails(policies.create({ name, definition }), 400, `Cluster Policy with name \`${name}\` already exists`);
	const names = (await all(policies.list({ sort_column: 'POLICY_NAME', sort_order: 'ASC' }))).map((one) => one.name);
	assert.ok(names.includes(name) && names.includes('Personal Compute'));
	assert.deepEqual(names, [...names].sort());
	const list = await all(families.list({ max_results: 3 }));
	assert.deepEqual(list.map((one) => one.policy_family_id), ['personal-vm', 'power-user', 'shared-compute', 'job-cluster']);
	assert.equal((await families.get({ policy_family_id: 'job-cluster' })).name, 'Job Compute');
	await policies.delete({ policy_id: id });
	await fails(policies.get({ policy_id: id }), 404, id);
});

for (const [name, lists, more] of [
	['a workspace', () => dev.ipAccessLists, (list_id) => ({ list_id, ip_access_list_id: list_id })],
	['the account', () => account.accountIpAccessLists, (list_id) => ({ list_id, ip_access_list_id: list_id })],
]) {
	test(`IP access lists of ${name}`, async () => {
		const { ip_access_list: made } = await lists().create({ label: 'bad', list_type: 'BLOCK', ip_addresses: ['192.0.2.0/24'] });
		assert.deepEqual((await all(lists().list())).map((one) => one.list_id), [made.list_id]);
		await lists().update({ ...more(made.list_id), enabled: false });
		await lists().replace({ ...more(made.list_id), label: 'worse', list_type: 'BLOCK', ip_addresses: ['192.0.2.1'], enabled: false });
		const { ip_access_list: now } = await lists().get(more(made.list_id));
		assert.deepEqual([now.label, now.enabled, now.address_count], ['worse', false, 1]);
		await fails(lists().create({ label: 'worse', list_type: 'BLOCK', ip_addresses: [] }), 400, 'already exists');
		await lists().delete(more(made.list_id));
		await fails(lists().get(more(made.list_id)), 404, made.list_id);
	});
}

test('an IP list that shuts out the caller', async () => {
	// The SDK has no body for workspace-conf.
	await sim.workspace('dev').call('PATCH', '/api/2.0/workspace-conf', { enableIpAccessLists: 'true' });
	assert.equal((await dev.workspaceConf.getStatus({ keys: 'enableIpAccessLists' })).enableIpAccessLists, 'true');
	await fails(dev.ipAccessLists.create({ label: 'x', list_type: 'ALLOW', ip_addresses: ['192.0.2.0/24'] }), 400,
		'Your current IP 127.0.0.1 will not be allowed');
	await fails(dev.workspaceConf.getStatus({ keys: 'enableDcs,nonsense' }), 400, 'Invalid keys: ["nonsense"]');
});

test('settings with etags', async () => {
	const service = new settings.RestrictWorkspaceAdminsService(prod.apiClient), status = 'RESTRICT_TOKENS_AND_JOB_RUN_AS';
	const { etag, restrict_workspace_admins: before_ } = await service.get({});
	assert.deepEqual(before_, { status: 'ALLOW_ALL' });
	const update = (etag_) => service.update({ allow_missing: true, field_mask: 'restrict_workspace_admins.status',
		setting: { etag: etag_, setting_name: 'default', restrict_workspace_admins: { status } } });
	const changed = await update(etag);
	assert.deepEqual(changed.restrict_workspace_admins, { status });
	await fails(update(etag), 409, 'etag');
	await service.delete({ etag: changed.etag });
	assert.deepEqual((await service.get({})).restrict_workspace_admins, { status: 'ALLOW_ALL' });
	const lists = new settings.EnableIpAccessListsService(account.apiClient);
	assert.deepEqual((await lists.get({})).acct_ip_acl_enable, { value: true });
});

test('secrets of a service principal', async () => {
	const who = await robot(), service = account.servicePrincipalSecrets, of = { service_principal_id: Number(who.id) };
	const made = await service.create({ ...of, lifetime: '3600s' });
	const signedIn = () => client(PROD, { clientId: who.applicationId, clientSecret: made.secret }).currentUser.me();
	assert.equal((await signedIn()).userName, who.applicationId);
	assert.deepEqual((await all(service.list({ ...of, page_size: 1 }))).map((one) => one.id), [made.id]);
	const second = await prod.servicePrincipalSecretsProxy.create(of);
	assert.equal((await all(service.list({ ...of, page_size: 1 }))).length, 2);
	await prod.servicePrincipalSecretsProxy.delete({ ...of, secret_id: second.id });
	await service.delete({ ...of, secret_id: made.id });
	await assert.rejects(signedIn(), /invalid_client/);
});

test('federation policies', async () => {
	const who = await robot(), service = account.servicePrincipalFederationPolicy, of = { service_principal_id: Number(who.id), policy_id: 'ci' };
	const oidc_policy = { issuer: 'https://idp.example.com', audiences: ['databricks'], subject: 'repo:x' };
	const made = await service.create({ ...of, policy: { description: 'ci', oidc_policy } });
	assert.equal(made.policy_id, 'ci');
	const changed = await service.update({ ...of, update_mask: 'description', policy: { description: 'new' } });
	assert.deepEqual([changed.description, changed.oidc_policy], ['new', oidc_policy]);
	assert.equal((await all(service.list(of))).length, 1);
	await service.delete(of);
	await fails(service.get(of), 404, 'does not exist');
});

for (const [name, service] of [['the account', () => account.accountAccessControl], ['a workspace', () => prod.accountAccessControlProxy]]) {
	test(`rule sets, from ${name}`, async () => {
		const group = await account.accountGroupsV2.create({ displayName: fresh('eng') }), resource = `accounts/${sim.accountId}/groups/${group.id}`;
		const { roles } = await service().getAssignableRolesForResource({ resource });
		assert.deepEqual(roles.map((one) => one.name), ['roles/group.manager', 'roles/group.assumer']);
		const set = `${resource}/ruleSets/default`, grant_rules = [{ role: 'roles/group.manager', principals: [`groups/${group.displayName}`] }];
		const { etag } = await service().getRuleSet({ name: set, etag: '' });
		const changed = await service().updateRuleSet({ name: set, rule_set: { name: set, etag, grant_rules } });
		assert.deepEqual((await service().getRuleSet({ name: set, etag: changed.etag })).grant_rules, grant_rules);
		await fails(service().updateRuleSet({ name: set, rule_set: { name: set, etag, grant_rules: [] } }), 409, 'Conflict with another RuleSet operation');
	});
}
