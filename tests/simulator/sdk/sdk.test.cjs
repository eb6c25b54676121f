// Databricks' own SDK as a client. It speaks only to https hosts without a port, and takes for the account's host only
// one whose name begins with "accounts."; so its agent leads such names to the simulator's ports, without TLS. The
// token endpoint of a workspace is where the discovery document says, which is on loopback.
//
// This version of the SDK sends no body with PATCH and no query with GET, and its lists ask for the first page for ever.
const { after, before, test } = require('node:test');
const assert = require('node:assert/strict');
const http = require('node:http');
const https = require('node:https');
const net = require('node:net');
const { AccountClient, WorkspaceClient } = require('@databricks/sdk-experimental');

const ACCOUNT = 'accounts.databricks.example', PROD = 'prod.databricks.example', DEV = 'dev.databricks.example';
const ports = new Map();

class LoopbackAgent extends http.Agent {
	constructor() {
		super({ keepAlive: false });
		this.protocol = 'https:';
	}
	createConnection({ host }) {
		return net.connect(ports.get(host), '127.0.0.1');
	}
}
const agent = new LoopbackAgent();
https.globalAgent = agent;

let sim, account, byPat, byOauth, serial = 0;
const fresh = (word) => `${word}-${++serial}`;
before(async () => {
	const { Sim } = await import('../harness.mjs');
	sim = await Sim.start('--workspace', 'prod', '--workspace', 'dev');
	const { client_id: clientId, client_secret: clientSecret, workspaces } = sim.first;
	ports.set(ACCOUNT, new URL(sim.accountHost).port);
	ports.set(PROD, new URL(workspaces.prod.host).port);
	ports.set(DEV, new URL(workspaces.dev.host).port);
	const common = { env: {}, retryTimeoutSeconds: 5 };
	account = new AccountClient({ ...common, host: `https://${ACCOUNT}`, accountId: sim.accountId, clientId, clientSecret }, { agent });
	byOauth = new WorkspaceClient({ ...common, host: `https://${DEV}`, clientId, clientSecret }, { agent });
	byPat = new WorkspaceClient({ ...common, host: `https://${PROD}`, token: workspaces.prod.token }, { agent });
});
after(() => sim.stop());

async function firstPage(list) {
	const seen = new Map();
	for await (const one of list) {
		if (seen.has(one.id))
			break;
		seen.set(one.id, one);
	}
	return [...seen.values()];
}
const fails = (call, code, text) => assert.rejects(call, (error) => {
	assert.equal(error.statusCode, code, error.message);
	assert.ok(error.message.includes(text), error.message);
	return true;
});

test('users of the account', async () => {
	const service = account.accountUsersV2;
	const made = await service.create({ userName: `${fresh('Ada')}@Example.com`, displayName: 'Ada Sample', active: true });
	assert.equal(made.userName, made.userName.toLowerCase());
	assert.deepEqual(await service.get({ id: made.id }), made);
	assert.ok((await firstPage(service.list({}))).some((one) => one.id === made.id));
	await service.update({ id: made.id, userName: made.userName, displayName: 'Ada Specimen', active: false });
	const changed = await service.get({ id: made.id });
	assert.deepEqual([changed.displayName, changed.active], ['Ada Specimen', false]);
	await fails(service.create({ userName: made.userName }), 409, 'already exists in this account');
	await service.delete({ id: made.id });
	await fails(service.get({ id: made.id }), 404, `User with id ${made.id} is not found`);
});

test('groups of the account, with members', async () => {
	const service = account.accountGroupsV2;
	const ada = await account.accountUsersV2.create({ userName: `${fresh('ada')}@example.com` });
	const made = await service.create({ displayName: fresh('eng'), members: [{ value: ada.id }] });
	assert.deepEqual(made.members.map((one) => one.value), [ada.id]);
	const listed = (await firstPage(service.list({}))).find((one) => one.id === made.id);
	assert.ok(listed && !listed.members);
	await service.update({ id: made.id, displayName: made.displayName, externalId: 'e' });
	const changed = await service.get({ id: made.id });
	assert.deepEqual([changed.members, changed.externalId], [undefined, 'e']);
	await fails(service.patch({ id: made.id, Operations: [{ op: 'add', path: 'members', value: [{ value: ada.id }] }] }), 400,
		'Request is unparsable');
	await service.delete({ id: made.id });
	await fails(service.get({ id: made.id }), 404, 'is not found');
});

test('service principals of the account', async () => {
	const service = account.accountServicePrincipalsV2;
	const made = await service.create({ displayName: fresh('etl'), active: true });
	assert.match(made.applicationId, /^[0-9a-f-]{36}$/);
	await service.update({ id: made.id, displayName: 'etl-2', active: false });
	const changed = await service.get({ id: made.id });
	assert.deepEqual([changed.displayName, changed.active, changed.applicationId], ['etl-2', false, made.applicationId]);
	assert.ok((await firstPage(service.list({}))).some((one) => one.id === made.id));
	await service.delete({ id: made.id });
});

test('workspaces and assignment', async () => {
	const id = sim.workspaceIdText('dev');
	const ada = await account.accountUsersV2.create({ userName: `${fresh('ada')}@example.com`, displayName: 'Ada Sample' });
	const eng = await account.accountGroupsV2.create({ displayName: fresh('eng'), members: [{ value: ada.id }] });
	const service = account.workspaceAssignment;
	const answer = await service.update({ workspace_id: id, principal_id: Number(eng.id), permissions: ['USER'] });
	assert.deepEqual([answer.permissions, answer.principal.group_name], [['USER'], eng.displayName]);
	const seen = async () => {
		const list = [];
		for await (const one of service.list({ workspace_id: id }))
			list.push(one);
		return list.find((one) => String(one.principal.principal_id) === eng.id)?.permissions;
	};
	assert.deepEqual(await seen(), ['USER']);
	assert.deepEqual((await byOauth.groupsV2.get({ id: eng.id })).meta, { resourceType: 'Group' });
	assert.equal((await byOauth.usersV2.get({ id: ada.id })).displayName, 'Ada Sample');
	await service.update({ workspace_id: id, principal_id: Number(eng.id), permissions: ['ADMIN'] });
	assert.deepEqual(await seen(), ['ADMIN']);
	assert.ok((await service.get({ workspace_id: id })).permissions.length);
	await service.delete({ workspace_id: id, principal_id: Number(eng.id) });
	assert.equal(await seen(), undefined);
	await fails(service.update({ workspace_id: id, principal_id: 1, permissions: ['USER'] }), 404, 'Principal not found in account.');
});

for (const [name, client] of [['by access token', () => byPat], ['by OAuth', () => byOauth]]) {
	test(`a workspace ${name}`, async () => {
		const { usersV2: users, groupsV2: groups, servicePrincipalsV2: servicePrincipals, currentUser } = client();
		assert.equal((await currentUser.me()).userName, sim.first.client_id);
		const ada = await users.create({ userName: `${fresh('ada')}@example.com`, entitlements: [{ value: 'allow-cluster-create' }] });
		assert.deepEqual((await users.get({ id: ada.id })).entitlements, [{ value: 'allow-cluster-create' }]);
		const local = await groups.create({ displayName: fresh('local'), members: [{ value: ada.id }] });
		assert.equal(local.meta.resourceType, 'WorkspaceGroup');
		await groups.update({ id: local.id, displayName: local.displayName });
		assert.ok(!('members' in await groups.get({ id: local.id })));
		assert.ok((await firstPage(groups.list({}))).some((one) => one.displayName === 'admins'));
		const etl = await servicePrincipals.create({ displayName: fresh('etl') });
		assert.equal((await servicePrincipals.get({ id: etl.id })).applicationId, etl.applicationId);
		await servicePrincipals.delete({ id: etl.id });
		await groups.delete({ id: local.id });
		await users.delete({ id: ada.id });
		await fails(users.get({ id: ada.id }), 404, 'is not found');
	});
}

test('sign-in that fails', async () => {
	const wrong = new WorkspaceClient({ env: {}, host: `https://${DEV}`, clientId: sim.first.client_id, clientSecret: 'wrong' }, { agent });
	await assert.rejects(wrong.currentUser.me(), /invalid_client/);
	const elsewhere = new WorkspaceClient({ env: {}, host: `https://${DEV}`, token: sim.first.workspaces.prod.token }, { agent });
	await fails(elsewhere.currentUser.me(), 403, 'Unauthorized access to Org');
});
