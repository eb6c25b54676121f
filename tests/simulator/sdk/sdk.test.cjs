// Databricks' own SDK as a client: users, groups, service principals, assignment.
//
// This version of the SDK sends no body with PATCH and no query with GET, and its lists ask for the first page for ever.
const { after, before, test } = require('node:test');
const assert = require('node:assert/strict');
const { connect, fails, DEV } = require('./loopback.cjs');

let sim, account, byPat, byOauth, client, serial = 0;
const fresh = (word) => `${word}-${++serial}`;
before(async () => {
	({ sim, account, prod: byPat, dev: byOauth, client } = await connect());
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
	const wrong = client(DEV, { clientId: sim.first.client_id, clientSecret: 'wrong' });
	await assert.rejects(wrong.currentUser.me(), /invalid_client/);
	const elsewhere = client(DEV, { token: sim.first.workspaces.prod.token });
	await fails(elsewhere.currentUser.me(), 403, 'Unauthorized access to Org');
});
