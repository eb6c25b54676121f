// Databricks' own SDK as a client, with what it builds and does not send: PATCH of SCIM at both levels, merged
// permissions, legacy ACLs, compliance, Unity Catalog's owners, permission migration, identities.
//
// Where the SDK has no service (the workspace's own form of assignment) or no body (workspace-conf), requests have the
// shape that the SDKs for Python and Go send.
const { after, before, test } = require('node:test');
const assert = require('node:assert/strict');
const iamv2 = require('@databricks/sdk-experimental/dist/apis/iamv2');
const { connect, fails, sendEverything } = require('./loopback.cjs');

sendEverything();
let sim, account, prod, serial = 0;
const fresh = (word) => `${word}-${++serial}`;
before(async () => {
	({ sim, account, prod } = await connect());
});
after(() => sim.stop());

const schemas = ['urn:ietf:params:scim:api:messages:2.0:PatchOp'];
const ids = (list) => (list ?? []).map((one) => one.value).sort();
const all = async (list) => {
	const seen = [];
	for await (const one of list)
		seen.push(one);
	return seen;
};
// Its lists of SCIM ask for the first page for ever.
async function page(list) {
	const seen = new Map();
	for await (const one of list) {
		if (seen.has(one.id))
			break;
		seen.set(one.id, one);
	}
	return [...seen.values()];
}
const assign = (who, ...permissions) => account.workspaceAssignment.update({ workspace_id: sim.workspaceIdText('prod'), principal_id: Number(who.id), permissions });
// A group of the account that is in prod.
async function team(members = []) {
	const made = await account.accountGroupsV2.create({ displayName: fresh('team'), members: members.map(({ id }) => ({ value: id })) });
	await assign(made, 'USER');
	return made;
}

test('SCIM of the account: filters, members, roles, active', async () => {
	const users = account.accountUsersV2, groups = account.accountGroupsV2, robots = account.accountServicePrincipalsV2;
	const ada = await users.create({ userName: `${fresh('ada')}@example.com` }), etl = await robots.create({ displayName: fresh('etl') });
	const list = await page(users.list({ filter: `userName eq "${ada.userName}"`, attributes: 'id,userName', count: 1 }));
	assert.deepEqual(list.map((one) => [one.id, one.userName, 'emails' in one]), [[ada.id, ada.userName, false]]);
	const group = await groups.create({ displayName: fresh('eng') });
	const patch = (...Operations) => groups.patch({ id: group.id, schemas, Operations });
	await patch({ op: 'add', path: 'members', value: [{ value: ada.id }, { value: etl.id }] });
	assert.deepEqual(ids((await groups.get({ id: group.id })).members), [ada.id, etl.id].sort());
	await patch({ op: 'remove', path: `members[value eq "${ada.id}"]` }, { op: 'replace', path: 'displayName', value: `${group.displayName}-2` });
	const changed = await groups.get({ id: group.id });
	assert.deepEqual([ids(changed.members), changed.displayName], [[etl.id], `${group.displayName}-2`]);
	await users.patch({ id: ada.id, schemas, Operations: [{ op: 'add', value: { roles: [{ value: 'account_admin' }] } }, { op: 'replace', path: 'active', value: 'false' }] });
	const now = await users.get({ id: ada.id });
	assert.deepEqual([now.active, ids(now.roles)], [false, ['account_admin']]);
	await robots.patch({ id: etl.id, schemas, Operations: [{ op: 'replace', path: 'active', value: false }] });
	assert.equal((await robots.get({ id: etl.id })).active, false);
	assert.deepEqual((await page(robots.list({ filter: `applicationId eq "${etl.applicationId}"` }))).map((one) => one.id), [etl.id]);
	await fails(patch({ op: 'add', path: 'entitlements', value: [{ value: 'workspace-access' }] }), 400, 'entitlements can only be managed at the workspace level');
	await fails(patch({ op: 'replace', path: 'displayName', value: 'account users' }), 409, 'already exists');
});

test('SCIM of a workspace: entitlements of an account group, local groups', async () => {
	const group = await team(), { groupsV2: groups, usersV2: users } = prod;
	const patch = (id, ...Operations) => groups.patch({ id, schemas, Operations });
	await patch(group.id, { op: 'add', path: 'entitlements', value: [{ value: 'allow-cluster-create' }] });
	assert.deepEqual(ids((await groups.get({ id: group.id })).entitlements), ['allow-cluster-create']);
	await patch(group.id, { op: 'remove', path: 'entitlements', value: [{ value: 'allow-cluster-create' }] });
	assert.ok(!('entitlements' in await groups.get({ id: group.id })));
	await fails(patch(group.id, { op: 'replace', path: 'displayName', value: 'x' }), 500, 'Error in performing the patch operation');
	const local = await groups.create({ displayName: fresh('local') }), ada = await users.create({ userName: `${fresh('ada')}@example.com` });
	await patch(local.id, { op: 'add', value: { members: [{ value: ada.id }] } });
	assert.deepEqual((await page(groups.list({ filter: `displayName eq "${local.displayName}"`, attributes: 'id,meta,members' }))).map((one) => [one.meta.resourceType, ids(one.members)]),
		[['WorkspaceGroup', [ada.id]]]);
	await users.patch({ id: ada.id, schemas, Operations: [{ op: 'replace', path: 'active', value: 'false' }] });
	assert.equal((await users.get({ id: ada.id })).active, false);
	await fails(groups.create({ displayName: 'admins' }), 409, 'Group with name admins already exists.');
});

test('assignment: pages, levels, a name that is taken; the workspace\'s own form', async () => {
	const id = sim.workspaceIdText('prod'), service = account.workspaceAssignment, group = await team();
	const levels = async () => (await all(service.list({ workspace_id: id }))).find((one) => String(one.principal.principal_id) === group.id)?.permissions;
	await assign(group, 'ADMIN');
	assert.deepEqual(await levels(), ['ADMIN']);
	await assign(group);
	assert.equal(await levels(), undefined);
	const name = fresh('clash');
	await prod.groupsV2.create({ displayName: name });
	await fails(assign(await account.accountGroupsV2.create({ displayName: name }), 'USER'), 409, 'workspace-local group of the same name');
	const answer = await sim.workspace('prod').post('/api/2.0/preview/permissionassignments', { permission_assignments: [{ group_name: group.displayName, permissions: ['USER'] }, { group_name: 'nobody', permissions: ['USER'] }] });
	assert.deepEqual(answer.json.permission_assignments.map((one) => one.error), [undefined, 'RESOURCE_DOES_NOT_EXIST: Principal not found in account.']);
	assert.deepEqual(await levels(), ['USER']);
});

test('permissions: merged, replaced, refused', async () => {
	const group = await team(), { job_id: id } = await prod.jobs.create({ name: fresh('job') });
	const target = { request_object_type: 'jobs', request_object_id: String(id) };
	const level = async (answer) => (await answer).access_control_list.find((one) => one.group_name === group.displayName)?.all_permissions[0].permission_level;
	const entry = (permission_level) => ({ ...target, access_control_list: [{ group_name: group.displayName, permission_level }] });
	assert.equal(await level(prod.permissions.update(entry('CAN_VIEW'))), 'CAN_VIEW');
	assert.equal(await level(prod.permissions.update(entry('CAN_MANAGE_RUN'))), 'CAN_MANAGE_RUN');
	assert.equal(await level(prod.permissions.get(target)), 'CAN_MANAGE_RUN');
	await fails(prod.permissions.update(entry('CAN_USE')), 400, 'Invalid permission level CAN_USE for object type job');
	await fails(prod.permissions.update(entry('IS_OWNER')), 400, 'cannot be the owner');
	await fails(prod.permissions.update({ ...target, access_control_list: [{ group_name: 'account users', permission_level: 'CAN_VIEW' }] }), 404, 'Principal: GroupName(account users) does not exist');
	await fails(prod.permissions.set({ request_object_type: 'authorization', request_object_id: 'tokens', access_control_list: [] }), 400, "Cannot change permissions for group 'admins' to None.");
	const { policy_id } = await prod.clusterPolicies.create({ name: fresh('p'), definition: '{}' });
	const use = await prod.clusterPolicies.updatePermissions({ cluster_policy_id: policy_id, access_control_list: [{ group_name: group.displayName, permission_level: 'CAN_USE' }] });
	assert.equal(await level(use), 'CAN_USE');
	await fails(prod.clusterPolicies.updatePermissions({ cluster_policy_id: policy_id, access_control_list: [{ group_name: group.displayName, permission_level: 'CAN_MANAGE' }] }), 400, 'valid levels are: CAN_USE');
});

test('legacy ACLs and hand-over', async () => {
	const ada = await prod.usersV2.create({ userName: `${fresh('ada')}@example.com` });
	const { id } = await prod.queries.create({ query: { display_name: fresh('q') } }), of = { objectType: 'queries', objectId: id };
	const access_control_list = [{ user_name: ada.userName, permission_level: 'CAN_VIEW' }];
	assert.deepEqual((await prod.dbsqlPermissions.set({ ...of, access_control_list })).access_control_list, access_control_list);
	assert.deepEqual((await prod.dbsqlPermissions.get(of)).access_control_list, access_control_list);
	assert.deepEqual(await prod.dbsqlPermissions.transferOwnership({ objectType: 'query', objectId: id, new_owner: ada.userName }), { message: 'Success' });
	assert.equal((await prod.queries.get({ id })).owner_user_name, ada.userName);
});

test('compliance of clusters and jobs', async () => {
	const { policy_id } = await prod.clusterPolicies.create({ name: fresh('p'), definition: '{"num_workers":{"type":"fixed","value":1}}' });
	const { job_id } = await prod.jobs.create({ name: 'j', tasks: [{ task_key: 'a', new_cluster: { policy_id, num_workers: 2 } }] });
	assert.deepEqual((await all(prod.policyComplianceForJobs.listCompliance({ policy_id }))).map((one) => [one.job_id, one.is_compliant]), [[job_id, false]]);
	assert.equal((await prod.policyComplianceForJobs.getCompliance({ job_id })).is_compliant, false);
	const { cluster_id } = await prod.clusters.create({ cluster_name: 'c', spark_version: 'x', policy_id, num_workers: 1 });
	assert.deepEqual((await all(prod.policyComplianceForClusters.listCompliance({ policy_id }))).map((one) => one.cluster_id), [cluster_id]);
});

test('owners in Unity Catalog', async () => {
	const group = await team(), name = fresh('main').replace('-', '_');
	await prod.catalogs.create({ name });
	await prod.schemas.create({ name: 'sales', catalog_name: name });
	const update = (owner) => prod.schemas.update({ full_name: `${name}.sales`, owner });
	assert.equal((await update(group.displayName)).owner, group.displayName);
	await fails(update('admins'), 404, 'Could not find principal with name admins');
	assert.deepEqual((await all(prod.schemas.list({ catalog_name: name }))).map((one) => [one.full_name, one.owner]), [[`${name}.sales`, group.displayName]]);
});

test('permission migration, and identities by their external id', async () => {
	const local = await prod.groupsV2.create({ displayName: fresh('db-temp-eng') }), group = await team();
	const { job_id } = await prod.jobs.create({ name: 'j' });
	await prod.permissions.update({ request_object_type: 'jobs', request_object_id: String(job_id), access_control_list: [{ group_name: local.displayName, permission_level: 'CAN_VIEW' }] });
	const migrate = (from) => prod.permissionMigration.migratePermissions({ workspace_id: Number(sim.workspaceIdText('prod')),
		from_workspace_group_name: from, to_account_group_name: group.displayName, size: 1000 });
	assert.deepEqual(await migrate(local.displayName), { permissions_migrated: 1 });
	assert.deepEqual(await migrate(local.displayName), {});
	await fails(migrate(group.displayName), 400, 'is not a workspace local group');
	const service = new iamv2.AccountIamV2Service(account.apiClient);
	await fails(service.resolveGroup({ external_id: 'x' }), 400, 'not enabled');
	const access = await service.getWorkspaceAccessDetail({ workspace_id: sim.workspaceIdText('prod'), principal_id: group.id });
	assert.deepEqual([access.access_type, access.principal_type], ['DIRECT', 'GROUP']);
});
