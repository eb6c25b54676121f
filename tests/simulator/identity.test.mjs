// The second API of identities, automatic identity management, and permission migration.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { Client, Sim } from './harness.mjs';

let sim, prod, account, serial = 0;
before(async () => {
	sim = await Sim.start('--workspace', 'prod');
	prod = sim.workspace('prod');
	account = identities(sim);
});
after(() => sim.stop());

const identities = (at) => new Client(`${at.accountHost}/api/2.0/identity/accounts/${at.accountId}`, at.token);
const fresh = (word) => `${word}-${++serial}`;
const good = (answer) => {
	assert.equal(answer.status, 200, answer.text);
	return answer.json;
};
const refused = (answer, status, code, text) => {
	assert.equal(answer.status, status, answer.text);
	assert.equal(answer.json.error_code, code, answer.text);
	assert.ok(answer.json.message.includes(text), answer.text);
};
const INVALID = 'INVALID_PARAMETER_VALUE';

test('people, groups and service principals, on both hosts, the same as SCIM shows', async () => {
	const local = new Client(`${prod.base}/api/2.0/identity`, prod.token);
	for (const client of [account, local]) {
		const ada = good(await client.post('/users', { username: `${fresh('Ada')}@example.com`, full_name: { given_name: 'Ada' } }));
		assert.equal((await sim.scim.read(`/Users/${ada.user_id}`)).userName, ada.username);
		assert.deepEqual(good(await client.get(`/users/${ada.user_id}`)), ada);
		const team = good(await client.post('/groups', { group_name: fresh('team'), external_id: fresh('x') }));
		assert.deepEqual([(await sim.scim.read(`/Groups/${team.group_id}`)).externalId, team.members], [team.external_id, undefined]);
		const etl = good(await client.post('/service-principals', { display_name: 'etl' }));
		assert.equal((await sim.scim.read(`/ServicePrincipals/${etl.service_principal_id}`)).applicationId, etl.application_id);
		const members = `/groups/${team.group_id}/direct-members`;
		const made = good(await client.post(members, { principal_id: Number(ada.user_id) }));
		assert.deepEqual([made.principal_id, made.principal_type, made.membership_source], [Number(ada.user_id), 'USER', 'IDENTITY_PROVIDER']);
		assert.equal(good(await client.get(members)).direct_group_members.length, 1);
		refused(await client.post(members, { principal_id: Number(team.group_id) }), 400, INVALID, 'would contain itself');
		assert.equal((await client.delete(`${members}/${ada.user_id}`)).status, 200);
		refused(await client.get(`${members}/${ada.user_id}`), 404, 'NOT_FOUND', 'is not a member');
		refused(await client.post('/groups', { group_name: team.group_name.toUpperCase() }), 409, 'ALREADY_EXISTS', 'already exists');
		refused(await client.post('/users', {}), 400, INVALID, 'username is required');
		const change = (mask, body) => client.call('PATCH', `/groups/${team.group_id}?update_mask=${mask}`, body);
		refused(await change('', { group_name: 'x' }), 400, INVALID, 'update_mask');
		const renamed = good(await change('group_name', { group_name: fresh('other'), external_id: 'no' }));
		assert.equal(renamed.external_id, team.external_id);
		assert.equal(good(await change('external_id', { group_name: 'no', external_id: team.external_id })).group_name, renamed.group_name);
		assert.equal((await sim.scim.read(`/Groups/${team.group_id}`)).displayName, renamed.group_name);
		refused(await client.get(`/users/${team.group_id}`), 404, 'NOT_FOUND', 'does not exist');
		assert.ok(good(await client.get('/users?page_size=1000')).users.some((one) => one.user_id === ada.user_id));
		good(await client.delete(`/groups/${team.group_id}`));
		assert.equal((await sim.scim.get(`/Groups/${team.group_id}`)).status, 404);
	}
});

test('automatic identity management, off and on', async () => {
	const resolve = (client, external_id, kind = 'groups') => client.post(`/${kind}/resolve-by-external-id`, { external_id });
	refused(await resolve(account, 'x'), 400, INVALID, 'not enabled');
	good(await account.post('/groups', { group_name: fresh('g'), external_id: fresh('e') }));
	const own = await Sim.start('--workspace', 'prod', '--quirk', 'aim=on'), client = identities(own);
	refused(await client.post('/groups', { group_name: 'g', external_id: 'e' }), 400, INVALID, 'resolve-by-external-id');
	const { group } = good(await resolve(client, 'e'));
	assert.equal(group.external_id, 'e');
	assert.equal(good(await resolve(client, 'e')).group.group_id, group.group_id);
	assert.ok(good(await resolve(client, 'u', 'users')).user.user_id);
	const change = (id, mask, body) => client.call('PATCH', `/groups/${id}?update_mask=${mask}`, body);
	refused(await change(group.group_id, 'group_name', { group_name: 'x' }), 400, INVALID, 'identity provider');
	assert.equal(good(await change(group.group_id, 'external_id', { external_id: 'e2' })).external_id, 'e2');
	const plain = good(await client.post('/groups', { group_name: 'plain' }));
	assert.equal(good(await change(plain.group_id, 'group_name', { group_name: 'plainer' })).group_name, 'plainer');
	await own.stop();
});

test('assignments: lists without rights, whole sets, and what is left of a failure', async () => {
	const id = sim.workspaceIdText('prod'), path = `/workspaces/${id}/workspace-assignments`;
	const team = await sim.scim.make('/Groups', { displayName: fresh('team') });
	const scim = () => sim.workspaceScim('prod').read(`/Groups/${team.id}`);
	refused(await account.post(path, { principal_id: Number(team.id), entitlements: [] }), 400, INVALID, 'must not be empty');
	const made = good(await account.post(path, { principal_id: Number(team.id), entitlements: ['WORKSPACE_ACCESS', 'ALLOW_CLUSTER_CREATE'] }));
	assert.deepEqual(made.entitlements, ['WORKSPACE_ACCESS', 'ALLOW_CLUSTER_CREATE']);
	assert.deepEqual((await scim()).entitlements.map((one) => one.value).sort(), ['allow-cluster-create', 'workspace-access']);
	const listed = good(await account.get(path)).workspace_assignments.find((one) => String(one.principal_id) === team.id);
	assert.deepEqual([listed.principal_type, 'entitlements' in listed, 'effective_entitlements' in listed], ['GROUP', false, false]);
	const one = good(await account.get(`${path}/${team.id}`));
	assert.ok(one.effective_entitlements.includes('DATABRICKS_SQL_ACCESS') && !one.entitlements.includes('DATABRICKS_SQL_ACCESS'));
	const change = (entitlements, mask = 'entitlements') => account.call('PATCH', `${path}/${team.id}?update_mask=${mask}`, { entitlements });
	refused(await change([]), 400, INVALID, 'must not be empty');
	refused(await change(['WORKSPACE_ACCESS'], ''), 400, INVALID, 'update_mask');
	assert.deepEqual(good(await change(['WORKSPACE_ADMIN'])).entitlements, ['WORKSPACE_ADMIN']);
	assert.deepEqual(good(await change(['DATABRICKS_SQL_ACCESS'])).entitlements, ['DATABRICKS_SQL_ACCESS']);
	// Not atomic: what came before stays.
	refused(await change(['WORKSPACE_ACCESS', 'NONSENSE', 'ALLOW_CLUSTER_CREATE']), 400, INVALID, 'NONSENSE');
	assert.deepEqual(good(await account.get(`${path}/${team.id}`)).entitlements, ['WORKSPACE_ACCESS']);
	refused(await account.post(path, { principal_id: Number(team.id), entitlements: ['WORKSPACE_ACCESS'] }), 409, 'ALREADY_EXISTS', 'is assigned');
	assert.equal((await account.delete(`${path}/${team.id}`)).status, 200);
	refused(await account.get(`${path}/${team.id}`), 404, 'NOT_FOUND', 'is not assigned');
	assert.equal((await sim.workspaceScim('prod').get(`/Groups/${team.id}`)).status, 404);
	const other = await sim.scim.make('/Groups', { displayName: fresh('team') });
	refused(await account.post(path, { principal_id: Number(other.id), entitlements: ['WORKSPACE_ACCESS', 'NONSENSE'] }), 400, INVALID, 'NONSENSE');
	assert.deepEqual(good(await account.get(`${path}/${other.id}`)).entitlements, ['WORKSPACE_ACCESS']);
	refused(await account.get('/workspaces/1/workspace-assignments'), 404, 'NOT_FOUND', 'Workspace 1');
});

test('access: direct, and by way of a group', async () => {
	const ada = await sim.scim.make('/Users', { userName: `${fresh('ada')}@example.com` });
	const team = await sim.scim.make('/Groups', { displayName: fresh('team'), members: [{ value: ada.id }] });
	const path = `/workspaces/${sim.workspaceIdText('prod')}/workspace-access-details`;
	refused(await account.get(`${path}/${ada.id}`), 404, 'NOT_FOUND', 'has no access');
	await sim.assignments('prod').put(`/principals/${team.id}`, { permissions: ['ADMIN'] });
	const rows = good(await account.get(path)).workspace_access_details.filter((one) => [ada.id, team.id].includes(String(one.principal_id)));
	assert.deepEqual(rows.map((one) => [one.principal_type, one.access_type, one.status, one.permissions]),
		[['USER', 'INDIRECT', 'ACTIVE', ['ADMIN_PERMISSION']], ['GROUP', 'DIRECT', undefined, ['ADMIN_PERMISSION']]]);
});

test('permission migration: from a group of the workspace to one of the account', async () => {
	const workspace = sim.workspaceScim('prod'), name = fresh('eng'), temporary = `db-temp-${name}`;
	const local = await workspace.make('/Groups', { displayName: name });
	const jobs = [];
	for (let i = 0; i < 3; i++) {
		const { job_id } = good(await prod.post('/api/2.2/jobs/create', { name: 'j' }));
		jobs.push(job_id);
		good(await prod.call('PATCH', `/api/2.0/permissions/jobs/${job_id}`, { access_control_list: [{ group_name: name, permission_level: 'CAN_MANAGE_RUN' }] }));
	}
	await workspace.patch(`/Groups/${local.id}`, { op: 'replace', path: 'displayName', value: temporary });
	const migrate = (from, to, more = {}) => prod.post('/api/2.0/permissionmigration',
		{ workspace_id: sim.first.workspaces.prod.id, from_workspace_group_name: from, to_account_group_name: to, ...more });
	refused(await migrate(temporary, name), 404, 'RESOURCE_DOES_NOT_EXIST', name);
	const team = await sim.scim.make('/Groups', { displayName: name });
	await sim.assignments('prod').put(`/principals/${team.id}`, { permissions: ['USER'] });
	refused(await migrate(name, name), 400, INVALID, `Workspace group ${name} is not a workspace local group`);
	refused(await migrate('users', name), 400, INVALID, 'is not a workspace local group');
	refused(await migrate(temporary, name, { workspace_id: 1 }), 400, INVALID, 'workspace_id');
	assert.deepEqual(good(await migrate(temporary, name, { size: 2 })), { permissions_migrated: 2 });
	assert.deepEqual(good(await migrate(temporary, name, { size: 2 })), { permissions_migrated: 1 });
	assert.deepEqual(good(await migrate(temporary, name)), {});
	for (const id of jobs) {
		const { access_control_list: list } = await prod.read(`/api/2.0/permissions/jobs/${id}`);
		for (const group of [name, temporary])
			assert.equal(list.find((one) => one.group_name === group).all_permissions[0].permission_level, 'CAN_MANAGE_RUN');
	}
	assert.equal((await sim.scim.read(`/Groups/${team.id}`)).members, undefined);
});
