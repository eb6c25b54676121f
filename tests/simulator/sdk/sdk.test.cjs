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

test('permissions', async () => {
	const { permissions, jobs } = byPat;
	const { job_id: id } = await jobs.create({ name: fresh('job') });
	const target = { request_object_type: 'jobs', request_object_id: String(id) };
	const ada = await byPat.usersV2.create({ userName: `${fresh('ada')}@example.com` });
	const owner = { service_principal_name: sim.first.client_id, permission_level: 'IS_OWNER' };
	const levels = async (answer) => Object.fromEntries((await answer).access_control_list.map((one) => [one.user_name ?? one.group_name ?? 'self', one.all_permissions[0].permission_level]));
	assert.deepEqual(await levels(permissions.get(target)), { self: 'IS_OWNER', admins: 'CAN_MANAGE' });
	const set = await levels(permissions.set({ ...target, access_control_list: [owner, { user_name: ada.userName, permission_level: 'CAN_MANAGE_RUN' }, { group_name: 'users', permission_level: 'CAN_VIEW' }] }));
	assert.deepEqual(set, { self: 'IS_OWNER', [ada.userName]: 'CAN_MANAGE_RUN', users: 'CAN_VIEW', admins: 'CAN_MANAGE' });
	assert.deepEqual(await levels(permissions.update({ ...target, access_control_list: [{ group_name: 'users', permission_level: 'CAN_MANAGE' }] })), set, 'no body came');
	assert.deepEqual((await permissions.getPermissionLevels(target)).permission_levels.map((one) => one.permission_level), ['CAN_VIEW', 'CAN_MANAGE_RUN', 'CAN_MANAGE', 'IS_OWNER']);
	await fails(permissions.set({ ...target, access_control_list: [] }), 400, 'The job must have exactly one owner.');
	await fails(permissions.set({ ...target, access_control_list: [owner, { group_name: 'nobody', permission_level: 'CAN_VIEW' }] }), 404, 'Principal: GroupName(nobody) does not exist');
	await fails(permissions.get({ ...target, request_object_id: '1' }), 400, 'Job 1 does not exist.');
	assert.deepEqual(await levels(jobs.getPermissions({ job_id: String(id) })), set);
	assert.equal((await permissions.get({ request_object_type: 'authorization', request_object_id: 'tokens' })).object_type, 'tokens');
});

// The first page, and the query that this version of the SDK would not send.
const all = async (list, key) => {
	const seen = new Map();
	for await (const one of list) {
		if (seen.has(key(one)))
			break;
		seen.set(key(one), one);
	}
	return [...seen.values()];
};

test('objects: jobs, clusters, warehouses, pipelines', async () => {
	const name = fresh('sample');
	const { job_id } = await byPat.jobs.create({ name, tags: { team: 'etl' } });
	const job = (await all(byPat.jobs.list({}), (one) => one.job_id)).find((one) => one.job_id === job_id);
	assert.deepEqual([job.settings.name, job.settings.tags, job.creator_user_name], [name, { team: 'etl' }, sim.first.client_id]);
	const robot = await byPat.servicePrincipalsV2.create({ displayName: fresh('robot') });
	await fails(byPat.jobs.update({ job_id, new_settings: { run_as: { service_principal_name: robot.applicationId } } }), 403, 'cannot set run_as to user');
	const name_ = `accounts/${sim.accountId}/servicePrincipals/${robot.applicationId}/ruleSets/default`;
	const rules = await sim.account.read(`/../../preview/accounts/${sim.accountId}/access-control/rule-sets?name=${name_}&etag=`);
	await account.accountAccessControl.updateRuleSet({ name: name_, rule_set: { name: name_, etag: rules.etag,
		grant_rules: [{ role: 'roles/servicePrincipal.user', principals: [`servicePrincipals/${sim.first.client_id}`] }] } });
	await byPat.jobs.update({ job_id, new_settings: { run_as: { service_principal_name: robot.applicationId } } });
	await byPat.jobs.delete({ job_id });

	const { cluster_id } = await byPat.clusters.create({ cluster_name: name, spark_version: 'x' });
	assert.equal((await all(byPat.clusters.list({}), (one) => one.cluster_id)).find((one) => one.cluster_id === cluster_id).cluster_name, name);
	assert.equal((await byPat.clusters.getPermissions({ cluster_id })).access_control_list[0].all_permissions[0].permission_level, 'CAN_MANAGE');
	await byPat.clusters.delete({ cluster_id });
	await byPat.clusters.changeOwner({ cluster_id, owner_username: robot.applicationId });
	await byPat.clusters.permanentDelete({ cluster_id });
	await fails(byPat.clusters.getPermissions({ cluster_id }), 400, 'Cannot access cluster');

	const { id } = await byPat.warehouses.create({ name, cluster_size: 'Small' });
	assert.equal((await all(byPat.warehouses.list({}), (one) => one.id)).find((one) => one.id === id).name, name);
	assert.equal((await byPat.warehouses.get({ id })).creator_name, sim.first.client_id);
	assert.equal((await byPat.warehouses.setPermissions({ warehouse_id: id, access_control_list: [{ group_name: 'users', permission_level: 'CAN_USE' }] })).object_id, `/warehouses/${id}`);
	await byPat.warehouses.delete({ id });

	const { pipeline_id } = await byPat.pipelines.create({ name });
	assert.equal((await byPat.pipelines.get({ pipeline_id })).name, name);
	assert.ok((await all(byPat.pipelines.listPipelines({}), (one) => one.pipeline_id)).some((one) => one.pipeline_id === pipeline_id));
	await byPat.pipelines.delete({ pipeline_id });
});

test('the workspace tree', async () => {
	const { workspace } = byPat;
	await workspace.mkdirs({ path: '/Shared/sdk' });
	await workspace.import({ path: '/Shared/sdk/nb', format: 'SOURCE', language: 'PYTHON', content: '' });
	// Paths go into the query, which does not leave this version of the SDK.
	await fails(workspace.getStatus({ path: '/Shared' }), 400, 'path');
	const fetched = await (await import('../harness.mjs')).request('GET', `${sim.first.workspaces.prod.host}/api/2.0/workspace/list?path=/Shared/sdk`, { token: sim.first.workspaces.prod.token });
	const [notebook] = fetched.json.objects;
	assert.deepEqual([notebook.path, notebook.object_type, notebook.language], ['/Shared/sdk/nb', 'NOTEBOOK', 'PYTHON']);
	const target = { workspace_object_type: 'notebooks', workspace_object_id: String(notebook.object_id) };
	assert.equal((await workspace.getPermissions(target)).object_type, 'notebook');
	assert.equal((await workspace.getPermissionLevels(target)).permission_levels.length, 4);
	await workspace.delete({ path: '/Shared/sdk', recursive: true });
});

test('sign-in that fails', async () => {
	const wrong = client(DEV, { clientId: sim.first.client_id, clientSecret: 'wrong' });
	await assert.rejects(wrong.currentUser.me(), /invalid_client/);
	const elsewhere = client(DEV, { token: sim.first.workspaces.prod.token });
	await fails(elsewhere.currentUser.me(), 403, 'Unauthorized access to Org');
});
