// The Permissions API: who may be named, what each type takes, owners, admins, inheritance.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Sim } from './harness.mjs';

let sim, prod, self, serial = 0;
before(async () => {
	sim = await Sim.start('--workspace', 'prod', '--workspace', 'dev');
	prod = sim.workspace('prod');
	self = sim.first.client_id;
});
after(() => sim.stop());

const fresh = (word) => `${word}-${++serial}`;
async function user(at = sim, name = `${fresh('ada')}@example.com`) {
	return (await at.workspaceScim('prod').make('/Users', { userName: name, displayName: 'Ada Sample' })).userName;
}
async function group(at = sim, members = []) {
	const made = await at.scim.make('/Groups', { displayName: fresh('etl'), members: members.map((value) => ({ value })) });
	assert.equal((await at.assignments('prod').put(`/principals/${made.id}`, { permissions: ['USER'] })).status, 200);
	return made.displayName;
}
async function servicePrincipal(at = sim) {
	return (await at.workspaceScim('prod').make('/ServicePrincipals', { displayName: fresh('robot') })).applicationId;
}
async function made(path, body, at = prod) {
	const answer = await at.post(path, body);
	assert.equal(answer.status, 200, answer.text);
	return answer.json;
}
const job = async (at = prod, more = {}) => String((await made('/api/2.2/jobs/create', { name: fresh('job'), ...more }, at)).job_id);
const cluster = async () => (await made('/api/2.1/clusters/create', { cluster_name: fresh('c'), spark_version: 'x' })).cluster_id;
const warehouse = async (at = prod) => (await made('/api/2.0/sql/warehouses', { name: fresh('w') }, at)).id;
const pipeline = async (at = prod) => (await made('/api/2.0/pipelines', { name: fresh('p') }, at)).pipeline_id;
async function folder(path = `/Shared/${fresh('f')}`, at = prod) {
	await made('/api/2.0/workspace/mkdirs', { path }, at);
	return status(path, at);
}
async function status(path, at = prod) {
	return (await at.read(`/api/2.0/workspace/get-status?path=${encodeURIComponent(path)}`));
}

const url = (type, id) => `/api/2.0/permissions/${type}/${id}`;
const ace = (who, permission_level) => (who.includes('@') ? { user_name: who, permission_level }
	: /^[0-9a-f-]{36}$/.test(who) ? { service_principal_name: who, permission_level } : { group_name: who, permission_level });
const change = (method, type, id, ...entries) => (at = prod) => at.call(method, url(type, id), { access_control_list: entries.map(([who, level]) => ace(who, level)) });
const put = (type, id, ...entries) => change('PUT', type, id, ...entries)();
const patch = (type, id, ...entries) => change('PATCH', type, id, ...entries)();

// { name: 'DIRECT inherited(from)' }
function summary(json) {
	const all = {};
	for (const entry of json.access_control_list) {
		const name = entry.user_name ?? entry.group_name ?? entry.service_principal_name;
		assert.ok(!(name in all), `two entries of ${name}`);
		assert.ok(!('permission_level' in entry));
		all[name] = entry.all_permissions.map((one) => {
			assert.equal(one.inherited, 'inherited_from_object' in one);
			return one.inherited ? `${one.permission_level}(${one.inherited_from_object})` : one.permission_level;
		}).join(' ');
	}
	return all;
}
async function acl(type, id, at = prod) {
	return summary(await at.read(url(type, id)));
}
async function direct(type, id, at = prod) {
	return Object.fromEntries(Object.entries(await acl(type, id, at)).map(([name, text]) => [name, text.replace(/ ?[A-Z_]+\([^)]*\)/g, '')]).filter(([, text]) => text));
}
function good(answer) {
	assert.equal(answer.status, 200, answer.text);
	return summary(answer.json);
}
function refused(answer, status, code, message) {
	assert.equal(answer.status, status, answer.text);
	assert.equal(answer.json.error_code, code, answer.text);
	if (message instanceof RegExp)
		assert.match(answer.json.message, message);
	else
		assert.equal(answer.json.message, message);
}
const INVALID = 'INVALID_PARAMETER_VALUE';
async function withSim(args, body) {
	const own = await Sim.start('--workspace', 'prod', ...args);
	try {
		await body(own, own.workspace('prod'));
	} finally {
		await own.stop();
	}
}

test('an ACL as it is read', async () => {
	const id = await job(), ann = await user(), etl = await group();
	const answer = await patch('jobs', id, [ann, 'CAN_VIEW'], [etl, 'CAN_MANAGE_RUN']);
	assert.deepEqual(answer.json, { object_id: `/jobs/${id}`, object_type: 'job', access_control_list: [
		{ service_principal_name: self, display_name: 'dbx-sim admin', all_permissions: [{ permission_level: 'IS_OWNER', inherited: false }] },
		{ user_name: ann, display_name: 'Ada Sample', all_permissions: [{ permission_level: 'CAN_VIEW', inherited: false }] },
		{ group_name: etl, all_permissions: [{ permission_level: 'CAN_MANAGE_RUN', inherited: false }] },
		{ group_name: 'admins', all_permissions: [{ permission_level: 'CAN_MANAGE', inherited: true, inherited_from_object: ['/jobs/'] }] },
	] });
	assert.deepEqual((await prod.read(url('jobs', id))), answer.json);
	assert.deepEqual((await prod.read(`/api/2.0/preview/permissions/jobs/${id}`)), answer.json);
});

test('paths that are none', async () => {
	refused(await prod.get(url('nonsense', '1')), 400, INVALID, 'request_object_type is not recognized: nonsense');
	const id = await job();
	for (const path of [url('jobs', ''), `${url('jobs', id)}/else`, '/api/2.0/permissions/sql/warehouses'])
		assert.equal((await prod.get(path)).status, 404, path);
	assert.equal((await prod.delete(url('jobs', id))).status, 404);
	assert.equal((await prod.put(`${url('jobs', id)}/permissionLevels`, {})).status, 404);
	refused(await prod.call('PUT', url('jobs', id), '{'), 400, 'MALFORMED_REQUEST', 'Could not parse request object');
	refused(await prod.call('PUT', url('jobs', id), { access_control_list: 'x' }), 400, 'MALFORMED_REQUEST', 'access_control_list must be an array');
});

const types = async () => {
	const f = await folder();
	await made('/api/2.0/workspace/import', { path: `${f.path}/nb`, content: '' });
	await made('/api/2.0/workspace/import', { path: `${f.path}/x.txt`, content: '', format: 'RAW' });
	const repo = await made('/api/2.0/repos', { url: `https://git.example.com/${fresh('r')}.git`, provider: 'gitHub' });
	const dashboard = await made('/api/2.0/lakeview/dashboards', { display_name: fresh('d'), parent_path: f.path });
	const FILE = 'CAN_READ CAN_RUN CAN_EDIT CAN_MANAGE', RUN = 'CAN_VIEW CAN_MANAGE_RUN CAN_MANAGE IS_OWNER';
	const model = fresh('m');
	await made('/api/2.0/mlflow/registered-models/create', { name: model });
	return [
		['clusters', await cluster(), 'cluster', 'CAN_ATTACH_TO CAN_RESTART CAN_MANAGE'],
		['instance-pools', (await made('/api/2.0/instance-pools/create', { instance_pool_name: fresh('i') })).instance_pool_id, 'instance-pool', 'CAN_ATTACH_TO CAN_MANAGE'],
		['jobs', await job(), 'job', RUN],
		['pipelines', await pipeline(), 'pipelines', 'CAN_VIEW CAN_RUN CAN_MANAGE IS_OWNER'],
		['directories', f.object_id, 'directory', FILE],
		['directories', 0, 'directory', FILE],
		['notebooks', (await status(`${f.path}/nb`)).object_id, 'notebook', FILE],
		['files', (await status(`${f.path}/x.txt`)).object_id, 'file', FILE],
		['repos', repo.id, 'repo', FILE],
		['authorization', 'tokens', 'tokens', 'CAN_USE'],
		['authorization', 'passwords', 'passwords', 'CAN_USE'],
		['sql/warehouses', await warehouse(), 'warehouses', 'CAN_VIEW CAN_USE CAN_MONITOR CAN_MANAGE IS_OWNER'],
		['warehouses', await warehouse(), 'warehouses', 'CAN_VIEW CAN_USE CAN_MONITOR CAN_MANAGE IS_OWNER'],
		['sql/queries', (await made('/api/2.0/sql/queries', { query: { display_name: fresh('q') } })).id, 'query', FILE],
		['queries', (await made('/api/2.0/sql/queries', { query: { display_name: fresh('q') } })).id, 'query', FILE],
		['sql/alerts', (await made('/api/2.0/sql/alerts', { alert: { display_name: fresh('a') } })).id, 'alert', FILE],
		['alerts', (await made('/api/2.0/sql/alerts', { alert: { display_name: fresh('a') } })).id, 'alert', FILE],
		['alertsv2', (await made('/api/2.0/alerts', { display_name: fresh('a') })).id, 'alertv2', FILE],
		['dbsql-dashboards', (await made('/api/2.0/preview/sql/dashboards', { name: fresh('d') })).id, 'dbsql-dashboard', FILE],
		['dashboards', dashboard.dashboard_id, 'dashboard', FILE],
		['genie', (await made('/api/2.0/genie/spaces', { title: fresh('g') })).space_id, 'genie-space', FILE],
		['experiments', (await made('/api/2.0/mlflow/experiments/create', { name: `${f.path}/exp` })).experiment_id, 'mlflowExperiment', 'CAN_READ CAN_EDIT CAN_MANAGE'],
		['registered-models', (await prod.read(`/api/2.0/mlflow/databricks/registered-models/get?name=${model}`)).registered_model_databricks.id,
			'registered-model', 'CAN_READ CAN_EDIT CAN_MANAGE_STAGING_VERSIONS CAN_MANAGE_PRODUCTION_VERSIONS CAN_MANAGE'],
		['serving-endpoints', (await made('/api/2.0/serving-endpoints', { name: fresh('e') })).id, 'serving-endpoint', 'CAN_VIEW CAN_QUERY CAN_MANAGE'],
		['vector-search-endpoints', (await made('/api/2.0/vector-search/endpoints', { name: fresh('v') })).id, 'vector-search-endpoints', 'CAN_CREATE CAN_USE CAN_MANAGE'],
		['apps', (await made('/api/2.0/apps', { name: fresh('app') })).name, 'apps', 'CAN_USE CAN_MANAGE'],
		['database-instances', (await made('/api/2.0/database/instances', { name: fresh('db') })).name, 'database-instances', 'CAN_CREATE CAN_USE CAN_MANAGE'],
		['database-projects', (await made(`/api/2.0/postgres/projects?project_id=${fresh('x')}`, {})).response.project_id, 'database-projects', 'CAN_USE CAN_MANAGE'],
		['knowledge-assistants', (await made('/api/2.1/knowledge-assistants', { display_name: 'k' })).id, 'knowledge-assistants', 'CAN_QUERY CAN_MANAGE'],
		['supervisor-agents', (await made('/api/2.1/supervisor-agents', { display_name: 's' })).id, 'supervisor-agents', 'CAN_QUERY CAN_MANAGE'],
		['feature-tables', (await made('/api/2.0/feature-store/feature-tables/create', { name: fresh('ft') })).feature_table.id, 'feature-table', 'CAN_VIEW_METADATA CAN_EDIT_METADATA CAN_MANAGE'],
	];
};
const every = ['CAN_ATTACH_TO', 'CAN_BIND', 'CAN_EDIT', 'CAN_MANAGE', 'CAN_QUERY', 'CAN_READ', 'CAN_RESTART', 'CAN_RUN', 'CAN_USE', 'CAN_VIEW', 'UNSPECIFIED', undefined, 7];

test('every type: its name in answers, its levels, what it refuses', async () => {
	for (const [type, id, answerType, levels] of await types()) {
		const answer = await prod.get(url(type, id));
		assert.equal(answer.status, 200, `${type} ${answer.text}`);
		assert.equal(answer.json.object_type, answerType);
		if (type !== 'dashboards')
			assert.equal(answer.json.object_id, `/${type}/${id}`);
		const list = (await prod.read(`${url(type, id)}/permissionLevels`)).permission_levels;
		assert.equal(list.map((one) => one.permission_level).join(' '), levels, type);
		assert.ok(list.every((one) => one.description));
		const etl = await group();
		for (const level of levels.split(' ').filter((one) => one !== 'IS_OWNER'))
			assert.equal(good(await patch(type, id, [etl, level]))[etl].split(' ')[0], level, `${type} ${level}`);
		for (const level of every) {
			const old = level === 'CAN_VIEW' && ['sql/queries', 'queries', 'sql/alerts', 'alerts', 'dbsql-dashboards'].includes(type);
			if (levels.split(' ').includes(level) || old || (level === 'CAN_MANAGE' && id === 'tokens'))
				continue;
			refused(await patch(type, id, [etl, level]), 400, INVALID, new RegExp(`^Invalid permission level .* for object type ${answerType}; valid levels are: `));
		}
		assert.equal((await prod.get(url(type, 'gone'))).json.message.includes('gone'), true, type);
	}
});

test('an object that is not there, by type', async () => {
	refused(await prod.get(url('jobs', '17')), 400, INVALID, 'Job 17 does not exist.');
	refused(await prod.get('/api/2.2/jobs/get?job_id=17'), 400, INVALID, 'Job 17 does not exist.');
	refused(await prod.get(url('clusters', 'x')), 400, INVALID, 'Cluster x does not exist');
	refused(await prod.get(url('notebooks', '17')), 404, 'RESOURCE_DOES_NOT_EXIST', 'Node ID 17 does not exist.');
	refused(await prod.get(url('experiments', '17')), 404, 'RESOURCE_DOES_NOT_EXIST', 'Node ID 17 does not exist.');
	refused(await prod.get(url('vector-search-endpoints', 'x')), 404, 'NOT_FOUND', 'Vector search endpoint x not found.');
	refused(await prod.get(url('directories', (await status('/Shared')).object_id + 'x')), 404, 'RESOURCE_DOES_NOT_EXIST', /does not exist/);
	assert.equal((await sim.workspace('dev').get(url('jobs', await job()))).status, 400, 'of another workspace');
});

test('exactly one owner: PUT', async () => {
	const ann = await user(), bob = await user(), etl = await group();
	for (const [type, make, word] of [['jobs', job, 'job'], ['pipelines', pipeline, 'pipeline']]) {
		const id = await make();
		const text = `The ${word} must have exactly one owner.`;
		const was = await acl(type, id);
		refused(await put(type, id, [ann, 'IS_OWNER'], [bob, 'IS_OWNER']), 400, INVALID, text);
		refused(await put(type, id), 400, INVALID, text);
		refused(await prod.put(url(type, id), {}), 400, INVALID, text);
		refused(await put(type, id, [ann, 'CAN_MANAGE']), 400, INVALID, text);
		refused(await put(type, id, [etl, 'IS_OWNER']), 400, INVALID, /cannot be the owner/);
		refused(await put(type, id, [ann, 'IS_OWNER'], [ann, 'CAN_MANAGE']), 400, INVALID, text);
		assert.deepEqual(await acl(type, id), was);
		assert.deepEqual(good(await put(type, id, [ann, 'CAN_MANAGE'], [ann, 'IS_OWNER'], [etl, 'CAN_VIEW'])),
			{ [ann]: 'IS_OWNER', [etl]: 'CAN_VIEW', admins: `CAN_MANAGE(/${type}/)` });
	}
	const id = await job();
	assert.equal(good(await put('jobs', id, [self, 'IS_OWNER'], [etl, 'CAN_VIEW'], [etl, 'CAN_MANAGE_RUN']))[etl], 'CAN_MANAGE_RUN');
	assert.equal(good(await put('jobs', id, [self, 'IS_OWNER'], [etl, 'CAN_MANAGE_RUN'], [etl, 'CAN_VIEW']))[etl], 'CAN_VIEW');
});

test('exactly one owner: PATCH', async () => {
	const ann = await user(), bob = await user();
	const id = await job();
	assert.deepEqual(good(await patch('jobs', id, [ann, 'IS_OWNER'])), { [self]: 'CAN_MANAGE', [ann]: 'IS_OWNER', admins: 'CAN_MANAGE(/jobs/)' });
	refused(await patch('jobs', id, [ann, 'CAN_VIEW']), 400, INVALID, 'The job must have exactly one owner.');
	assert.equal((await acl('jobs', id))[ann], 'IS_OWNER');
	assert.deepEqual(good(await patch('jobs', id, [bob, 'IS_OWNER'], [ann, 'CAN_VIEW'])), { [self]: 'CAN_MANAGE', [ann]: 'CAN_VIEW', [bob]: 'IS_OWNER', admins: 'CAN_MANAGE(/jobs/)' });
	refused(await patch('jobs', id, [ann, 'IS_OWNER'], [self, 'IS_OWNER']), 400, INVALID, 'The job must have exactly one owner.');
});

test('an owner who was deleted', async () => {
	const made = await sim.scim.make('/Users', { userName: `${fresh('gone')}@example.com` });
	await sim.assignments('prod').put(`/principals/${made.id}`, { permissions: ['USER'] });
	const jobs = [await job(), await job()], etl = await group(), ann = await user(), robot = await servicePrincipal();
	for (const id of jobs)
		good(await put('jobs', id, [made.userName, 'IS_OWNER'], [ann, 'CAN_VIEW']));
	assert.equal((await sim.scim.delete(`/Users/${made.id}`)).status, 204);
	const [id] = jobs;
	assert.deepEqual(await acl('jobs', id), { [ann]: 'CAN_VIEW', admins: 'CAN_MANAGE(/jobs/)' });
	refused(await patch('jobs', id, [etl, 'CAN_VIEW']), 400, INVALID, 'The job must have exactly one owner.');
	refused(await put('jobs', id, [made.userName, 'IS_OWNER']), 404, 'RESOURCE_DOES_NOT_EXIST', `Principal: UserName(${made.userName}) does not exist`);
	good(await patch('jobs', id));
	assert.deepEqual(good(await patch('jobs', id, [robot, 'IS_OWNER'], [etl, 'CAN_VIEW'])),
		{ [ann]: 'CAN_VIEW', [robot]: 'IS_OWNER', [etl]: 'CAN_VIEW', admins: 'CAN_MANAGE(/jobs/)' });
	// Who comes back under the name is somebody else.
	await user(sim, made.userName);
	assert.deepEqual(await direct('jobs', jobs[1]), { [ann]: 'CAN_VIEW' });
});

test('warehouses: the owner stays, unless there is none', async () => {
	const ann = await user(), etl = await group();
	const id = await warehouse();
	assert.deepEqual(good(await put('sql/warehouses', id, [etl, 'CAN_USE'])), { [etl]: 'CAN_USE', [self]: 'IS_OWNER', admins: 'CAN_MANAGE(/sql/warehouses/)' });
	refused(await put('warehouses', id, [ann, 'IS_OWNER']), 400, INVALID, /allow-cluster-create/);
	assert.equal((await acl('warehouses', id))[self], 'IS_OWNER');
	const bob = await sim.workspaceScim('prod').make('/Users', { userName: `${fresh('bob')}@example.com`, entitlements: [{ value: 'allow-cluster-create' }] });
	assert.deepEqual(await good(await put('warehouses', id, [bob.userName, 'IS_OWNER'])), { [bob.userName]: 'IS_OWNER', admins: 'CAN_MANAGE(/sql/warehouses/)' });
	await sim.scim.delete(`/Users/${bob.id}`);
	const text = `PUT requests for warehouse ${id} with no existing owner must provide a new owner.`;
	refused(await put('warehouses', id, [etl, 'CAN_USE']), 400, INVALID, text);
	assert.deepEqual(good(await put('warehouses', id, [etl, 'CAN_USE'], [self, 'IS_OWNER'])), { [etl]: 'CAN_USE', [self]: 'IS_OWNER', admins: 'CAN_MANAGE(/sql/warehouses/)' });
});

test('two names of one warehouse', async () => {
	const id = await warehouse(), etl = await group();
	for (const level of ['CAN_VIEW', 'CAN_USE', 'CAN_MONITOR'])
		assert.equal(good(await patch('warehouses', id, [etl, level]))[etl], level);
	assert.deepEqual(await acl('sql/warehouses', id), await acl('warehouses', id));
	assert.equal((await prod.read(url('sql/warehouses', id))).object_id, `/sql/warehouses/${id}`);
	assert.equal((await prod.read(url('warehouses', id))).object_id, `/warehouses/${id}`);
});

test('PUT replaces, PATCH merges', async () => {
	const id = await cluster(), ann = await user(), etl = await group();
	good(await put('clusters', id, [ann, 'CAN_MANAGE'], [etl, 'CAN_ATTACH_TO']));
	assert.deepEqual(good(await patch('clusters', id, [ann, 'CAN_RESTART'])), { [ann]: 'CAN_RESTART', [etl]: 'CAN_ATTACH_TO', admins: 'CAN_MANAGE(/clusters/)' });
	const was = await acl('clusters', id);
	for (const body of [{ access_control_list: [] }, {}, undefined]) {
		assert.deepEqual(good(await prod.call('PATCH', url('clusters', id), body)), was);
	}
	assert.deepEqual(good(await put('clusters', id)), { admins: 'CAN_MANAGE(/clusters/)' });
});

test('admins', async () => {
	const etl = await group();
	const text = "Cannot change permissions for group 'admins' to None.";
	refused(await put('directories', '0', [etl, 'CAN_READ']), 400, INVALID, "Cannot remove admins's CAN_MANAGE permission on 0");
	refused(await put('registered-models', 'root', [etl, 'CAN_READ']), 400, INVALID, text);
	refused(await put('authorization', 'tokens', [etl, 'CAN_USE']), 400, INVALID, text);
	for (const [type, id] of [['directories', '0'], ['registered-models', 'root'], ['authorization', 'tokens']]) {
		const low = type === 'authorization' ? 'CAN_USE' : 'CAN_READ';
		refused(await put(type, id, ['admins', low]), 400, INVALID, `Cannot change permissions for group 'admins' to ${low}.`);
		assert.deepEqual(good(await put(type, id, [etl, low], ['admins', 'CAN_MANAGE'])), { [etl]: low, admins: 'CAN_MANAGE' });
		good(await put(type, id, ['admins', 'CAN_MANAGE']));
		assert.deepEqual((await prod.read(url(type, id))).access_control_list, [{ group_name: 'admins', all_permissions: [{ permission_level: 'CAN_MANAGE', inherited: false }] }]);
	}
	refused(await patch('authorization', 'tokens', [etl, 'CAN_MANAGE']), 400, INVALID, /group 'admins' only/);
	assert.deepEqual(good(await put('authorization', 'passwords', ['admins', 'CAN_USE'])), { admins: 'CAN_USE' });
	assert.deepEqual(good(await put('authorization', 'passwords')), {});
	const id = await cluster();
	refused(await patch('clusters', id, ['admins', 'CAN_RESTART']), 400, INVALID, "Cannot change permissions for group 'admins' to CAN_RESTART.");
	assert.equal(good(await patch('clusters', id, ['admins', 'CAN_MANAGE'])).admins, 'CAN_MANAGE(/clusters/)');
	for (const root of ['root', '/root'])
		assert.equal((await prod.read(url('feature-tables', root))).object_type, 'feature-table');
});

test('the root of models is above every model', async () => {
	const etl = await group(), name = fresh('model');
	await made('/api/2.0/mlflow/registered-models/create', { name });
	const { id } = (await prod.read(`/api/2.0/mlflow/databricks/registered-models/get?name=${name}`)).registered_model_databricks;
	good(await patch('registered-models', 'root', [etl, 'CAN_EDIT']));
	assert.deepEqual(await acl('registered-models', id), { [self]: 'CAN_MANAGE', [etl]: 'CAN_EDIT(/registered-models/root)', admins: 'CAN_MANAGE(/registered-models/root)' });
});

test('whom the workspace knows', async () => {
	const id = await job(), ann = await user(), robot = await servicePrincipal();
	const missing = (name, word = 'GroupName') => [404, 'RESOURCE_DOES_NOT_EXIST', `Principal: ${word}(${name}) does not exist`];
	const was = await acl('jobs', id);
	refused(await patch('jobs', id, ['nobody', 'CAN_VIEW']), ...missing('nobody'));
	refused(await patch('jobs', id, ['nobody@example.com', 'CAN_VIEW']), ...missing('nobody@example.com', 'UserName'));
	refused(await prod.call('PATCH', url('jobs', id), { access_control_list: [{ service_principal_name: 'robot', permission_level: 'CAN_VIEW' }] }),
		...missing('robot', 'ServicePrincipalName'));
	refused(await patch('jobs', id, ['account users', 'CAN_VIEW']), ...missing('account users'));
	// Of the account only, until it is assigned.
	const local = await sim.scim.make('/Groups', { displayName: fresh('late') });
	refused(await patch('jobs', id, [local.displayName, 'CAN_VIEW']), ...missing(local.displayName));
	refused(await patch('jobs', id, [ann, 'CAN_VIEW'], [local.displayName, 'CAN_VIEW']), ...missing(local.displayName));
	refused(await put('jobs', id, [self, 'IS_OWNER'], [ann, 'CAN_VIEW'], [local.displayName, 'CAN_VIEW']), ...missing(local.displayName));
	assert.deepEqual(await acl('jobs', id), was);
	await sim.assignments('prod').put(`/principals/${local.id}`, { permissions: ['USER'] });
	good(await patch('jobs', id, [local.displayName, 'CAN_VIEW']));
	// It disappears with its assignment, and can't be put back.
	await sim.assignments('prod').delete(`/principals/${local.id}`);
	assert.deepEqual(await acl('jobs', id), was);
	refused(await patch('jobs', id, [local.displayName, 'CAN_VIEW']), ...missing(local.displayName));
	assert.equal(good(await patch('jobs', id, ['users', 'CAN_VIEW'])).users, 'CAN_VIEW');
	assert.equal(good(await patch('jobs', id, [robot, 'CAN_VIEW']))[robot], 'CAN_VIEW');
	// A service principal may come as a user.
	const answer = await prod.call('PATCH', url('jobs', id), { access_control_list: [{ user_name: robot, permission_level: 'CAN_MANAGE' }] });
	assert.equal(answer.json.access_control_list.find((one) => one.service_principal_name === robot).all_permissions[0].permission_level, 'CAN_MANAGE');
});

test('entries that name nobody, or two', async () => {
	const id = await job();
	const send = (entry) => prod.call('PATCH', url('jobs', id), { access_control_list: [entry] });
	refused(await send({ user_name: '', permission_level: 'CAN_VIEW' }), 400, INVALID, 'Principal name not defined');
	refused(await send({ permission_level: 'CAN_VIEW' }), 400, INVALID, /^Exactly one of/);
	refused(await send({ user_name: 'a@example.com', group_name: 'b', permission_level: 'CAN_VIEW' }), 400, INVALID, /^Exactly one of/);
	refused(await send('x'), 400, INVALID, /^Invalid permission level/);
});

test('names fold their case, and stay as they are stored', async () => {
	const id = await job(), ann = await user(), etl = await group(), robot = await servicePrincipal();
	good(await patch('jobs', id, [ann, 'CAN_VIEW'], [etl, 'CAN_VIEW'], [robot, 'CAN_VIEW']));
	const all = good(await prod.call('PATCH', url('jobs', id), { access_control_list: [
		{ user_name: ann.replace('a', 'A').toUpperCase(), permission_level: 'CAN_MANAGE' },
		{ group_name: etl.toUpperCase(), permission_level: 'CAN_MANAGE' },
		{ service_principal_name: robot.toUpperCase(), permission_level: 'CAN_MANAGE' },
	] }));
	assert.deepEqual(all, { [self]: 'IS_OWNER', [ann]: 'CAN_MANAGE', [etl]: 'CAN_MANAGE', [robot]: 'CAN_MANAGE', admins: 'CAN_MANAGE(/jobs/)' });
	assert.deepEqual(good(await patch('jobs', id, [ann, 'CAN_VIEW'])), { ...all, [ann]: 'CAN_VIEW' });
});

test('a renamed group keeps what it has', async () => {
	const id = await job(), name = fresh('old');
	const made = await sim.scim.make('/Groups', { displayName: name });
	await sim.assignments('prod').put(`/principals/${made.id}`, { permissions: ['USER'] });
	good(await patch('jobs', id, [name, 'CAN_VIEW']));
	await sim.scim.patch(`/Groups/${made.id}`, { op: 'replace', path: 'displayName', value: `${name}-new` });
	assert.equal((await acl('jobs', id))[`${name}-new`], 'CAN_VIEW');
});

test('folders: what is above is inherited', async () => {
	const etl = await group(), ann = await user();
	const top = await folder(), deep = await folder(`${top.path}/a/b`);
	await made('/api/2.0/workspace/import', { path: `${deep.path}/nb`, content: '' });
	const notebook = await status(`${deep.path}/nb`);
	good(await patch('directories', top.object_id, [etl, 'CAN_MANAGE']));
	good(await patch('directories', deep.object_id, [etl, 'CAN_RUN'], [ann, 'CAN_RUN']));
	const shared = (await status('/Shared')).object_id;
	assert.deepEqual(good(await put('notebooks', notebook.object_id, [etl, 'CAN_READ'])), {
		[etl]: `CAN_READ CAN_RUN(/directories/${deep.object_id}) CAN_MANAGE(/directories/${top.object_id})`,
		[ann]: `CAN_RUN(/directories/${deep.object_id})`,
		users: `CAN_MANAGE(/directories/${shared})`,
		admins: 'CAN_MANAGE(/directories/)',
	});
	assert.equal(good(await put('notebooks', notebook.object_id))[ann], `CAN_RUN(/directories/${deep.object_id})`);
	// A level that the type below does not have is not inherited.
	const { experiment_id } = await made('/api/2.0/mlflow/experiments/create', { name: `${deep.path}/exp` });
	assert.deepEqual(await acl('experiments', experiment_id), {
		[self]: 'CAN_MANAGE', [etl]: `CAN_MANAGE(/directories/${top.object_id})`,
		users: `CAN_MANAGE(/directories/${shared})`, admins: 'CAN_MANAGE(/directories/)' });
	for (const [type, path, body, key] of [
		['sql/queries', '/api/2.0/sql/queries', { query: { display_name: 'q', parent_path: deep.path } }, 'id'],
		['sql/alerts', '/api/2.0/sql/alerts', { alert: { display_name: 'a', parent_path: `/Workspace${deep.path}` } }, 'id'],
		['alertsv2', '/api/2.0/alerts', { display_name: 'a', parent_path: deep.path }, 'id'],
		['genie', '/api/2.0/genie/spaces', { title: 'g', parent_path: deep.path }, 'space_id'],
		['dashboards', '/api/2.0/lakeview/dashboards', { display_name: 'd', parent_path: deep.path }, 'dashboard_id'],
		['dbsql-dashboards', '/api/2.0/preview/sql/dashboards', { name: 'l', parent: `folders/${deep.object_id}` }, 'id'],
	])
		assert.equal((await acl(type, (await made(path, body))[key]))[ann], `CAN_RUN(/directories/${deep.object_id})`, type);
	const repo = await made('/api/2.0/repos', { url: 'https://git.example.com/r.git', provider: 'gitHub', path: `${deep.path}/r` });
	assert.equal((await acl('repos', repo.id))[ann], `CAN_RUN(/directories/${deep.object_id})`);
});

test('homes and /Shared', async () => {
	const ann = await user();
	const home = await status(`/Users/${ann}`);
	const users = (await status('/Users')).object_id;
	assert.deepEqual(await acl('directories', home.object_id), { [ann]: `CAN_MANAGE(/directories/${users})`, admins: 'CAN_MANAGE(/directories/)' });
	assert.equal(good(await put('directories', home.object_id))[ann], `CAN_MANAGE(/directories/${users})`);
	assert.equal(good(await patch('directories', home.object_id, [ann, 'CAN_READ']))[ann], `CAN_READ CAN_MANAGE(/directories/${users})`);
	const below = await folder(`/Workspace/Users/${ann}/x`);
	assert.equal((await acl('directories', below.object_id))[ann], `CAN_MANAGE(/directories/${home.object_id}) CAN_READ(/directories/${home.object_id})`);
	assert.equal((await acl('directories', (await status(`/Repos/${ann}`)).object_id))[ann]?.includes('CAN_MANAGE'), true);
	assert.equal((await acl('directories', (await status('/Shared')).object_id)).users, 'CAN_MANAGE');
	await sim.workspaceScim('prod').delete(`/Users/${(await sim.scim.read(`/Users?filter=userName eq "${ann}"`)).Resources[0].id}`);
	assert.deepEqual(await acl('directories', home.object_id), { admins: 'CAN_MANAGE(/directories/)' });
});

test('experiments of notebooks take their rights from there', async () => {
	const f = await folder(), etl = await group();
	await made('/api/2.0/workspace/import', { path: `${f.path}/nb`, content: '' });
	const notebook = await status(`${f.path}/nb`);
	good(await patch('notebooks', notebook.object_id, [etl, 'CAN_EDIT']));
	const { experiment_id } = await made('/api/2.0/mlflow/experiments/create', { name: `${f.path}/nb`, tags: [{ key: 'mlflow.experimentType', value: 'NOTEBOOK' }] });
	assert.equal((await acl('experiments', experiment_id))[etl], `CAN_EDIT(/notebooks/${notebook.object_id})`);
	refused(await patch('experiments', experiment_id, [etl, 'CAN_READ']), 400, INVALID, /^Setting permissions on experiments created from notebooks/);
});

test('ids, not names; and odd ids in answers', async () => {
	const serving = await made('/api/2.0/serving-endpoints', { name: fresh('e') });
	const vector = await made('/api/2.0/vector-search/endpoints', { name: fresh('v') });
	const model = fresh('m'), project = fresh('x');
	await made('/api/2.0/mlflow/registered-models/create', { name: model });
	for (const [type, name] of [['serving-endpoints', serving.name], ['vector-search-endpoints', vector.name], ['registered-models', model]])
		assert.equal((await prod.get(url(type, name))).status, 404, type);
	assert.equal((await prod.get(url('serving-endpoints', (await prod.read(`/api/2.0/serving-endpoints/${serving.name}`)).id))).status, 200);
	await made(`/api/2.0/postgres/projects?project_id=${project}`, {});
	assert.equal((await prod.get(url('database-projects', `projects%2F${project}`))).status, 404);
	assert.equal((await prod.get(url('database-projects', project))).status, 200);
	const dashboard = await made('/api/2.0/lakeview/dashboards', { display_name: 'd', parent_path: '/Shared' });
	const file = await status(dashboard.path);
	assert.equal(file.resource_id, dashboard.dashboard_id);
	assert.equal((await prod.read(url('dashboards', dashboard.dashboard_id))).object_id, `/dashboards/${file.object_id}`);
	const legacy = await made('/api/2.0/preview/sql/dashboards', { name: 'l' }), etl = await group();
	assert.equal(good(await patch('dbsql-dashboards', legacy.id, [etl, 'CAN_VIEW']))[etl], 'CAN_READ');
});

test('the legacy form: flat, read and replaced as a whole', async () => {
	const ann = await user(), etl = await group(), robot = await servicePrincipal();
	for (const [word, one, type, path, body] of [
		['queries', 'query', 'sql/queries', '/api/2.0/sql/queries', { query: { display_name: fresh('q') } }],
		['alerts', 'alert', 'sql/alerts', '/api/2.0/sql/alerts', { alert: { display_name: fresh('a') } }],
		['dashboards', 'dashboard', 'dbsql-dashboards', '/api/2.0/preview/sql/dashboards', { name: fresh('d') }],
	]) {
		const { id } = await made(path, body);
		const legacy = `/api/2.0/preview/sql/permissions/${word}/${id}`;
		const send = (...entries) => prod.post(legacy, { access_control_list: entries });
		const entry = (key, name, permission_level) => ({ [key]: name, permission_level });
		const list = [entry('user_name', ann, 'CAN_VIEW'), entry('group_name', etl, 'CAN_RUN'), entry('user_name', robot, 'CAN_MANAGE')];
		const want = { object_id: `${one}/${id}`, object_type: one, access_control_list: list };
		assert.deepEqual((await send(...list)).json, want);
		assert.deepEqual(await prod.read(legacy), want);
		assert.deepEqual(await direct(type, id), { [ann]: 'CAN_READ', [etl]: 'CAN_RUN', [robot]: 'CAN_MANAGE' });
		refused(await send(entry('service_principal_name', robot, 'CAN_RUN')), 400, INVALID, /service_principal_name/);
		for (const level of ['CAN_READ', 'IS_OWNER', undefined])
			refused(await send(entry('user_name', ann, level)), 400, INVALID, /^Invalid permission level/);
		refused(await send(entry('group_name', 'nobody', 'CAN_RUN')), 404, 'RESOURCE_DOES_NOT_EXIST', 'Principal: GroupName(nobody) does not exist');
		assert.deepEqual(await prod.read(legacy), want);
		assert.deepEqual((await send()).json.access_control_list, []);
		for (const method of ['PATCH', 'PUT', 'DELETE'])
			assert.equal((await prod.call(method, legacy, {})).status, 404, method);
		refused(await prod.get(`/api/2.0/preview/sql/permissions/${word}/gone`), 404, 'RESOURCE_DOES_NOT_EXIST', /gone/);
	}
	refused(await prod.get('/api/2.0/preview/sql/permissions/jobs/1'), 400, INVALID, 'Invalid object type: jobs');
});

test('ACLs after the end', async () => {
	const [id, other] = [await job(), await pipeline()];
	await made('/api/2.2/jobs/delete', { job_id: Number(id) });
	await prod.delete(`/api/2.0/pipelines/${other}`);
	refused(await prod.get(`/api/2.2/jobs/get?job_id=${id}`), 400, INVALID, `Job ${id} does not exist.`);
	assert.equal((await acl('jobs', id))[self], 'IS_OWNER');
	assert.equal((await acl('pipelines', other))[self], 'IS_OWNER');
	const c = await cluster();
	await made('/api/2.1/clusters/delete', { cluster_id: c });
	assert.equal((await prod.get(url('clusters', c))).status, 200, 'terminated only');
	await made('/api/2.1/clusters/permanent-delete', { cluster_id: c });
	refused(await prod.get(url('clusters', c)), 400, 'INVALID_STATE', /^Cannot access cluster .* that was terminated or unpinned/);
	refused(await prod.get(`/api/2.1/clusters/get?cluster_id=${c}`), 400, INVALID, `Cluster ${c} does not exist`);
	const v = await made('/api/2.0/vector-search/endpoints', { name: fresh('v') });
	await prod.delete(`/api/2.0/vector-search/endpoints/${v.name}`);
	assert.equal((await prod.get(url('vector-search-endpoints', v.id))).status, 404);
});

test('who is no admin', () => withSim([], async (own, at) => {
	const ann = await user(own);
	const [mine, theirs, readable] = [await job(at), await job(at), await job(at)];
	for (const id of [theirs, readable])
		await at.call('PUT', url('jobs', id), { access_control_list: [ace(ann, 'IS_OWNER')] });
	await at.call('PATCH', url('jobs', readable), { access_control_list: [ace('users', 'CAN_VIEW')] });
	const me = (await own.scim.read('/ServicePrincipals')).Resources.find((one) => one.applicationId === own.first.client_id);
	await own.assignments('prod').put(`/principals/${me.id}`, { permissions: ['USER'] });
	const name = own.first.client_id;
	for (const id of [theirs, readable]) {
		refused(await at.get(url('jobs', id)), 403, 'PERMISSION_DENIED',
			`${name} does not have Manage permissions on Job with ID: ElasticJobId(${id}). Please contact the owner or an administrator for access.`);
		refused(await at.call('PATCH', url('jobs', id), {}), 403, 'PERMISSION_DENIED', /does not have Manage permissions/);
	}
	refused(await at.get(`/api/2.2/jobs/get?job_id=${theirs}`), 403, 'PERMISSION_DENIED',
		`User ${name} does not have View or Admin or Manage Run or Owner permissions on job ${theirs}`);
	refused(await at.post('/api/2.2/jobs/delete', { job_id: Number(theirs) }), 403, 'PERMISSION_DENIED',
		`User ${name} does not have Admin or Owner permissions on job ${theirs}`);
	assert.equal((await at.get(`/api/2.2/jobs/get?job_id=${readable}`)).status, 200);
	assert.deepEqual((await at.read('/api/2.2/jobs/list')).jobs.map((one) => String(one.job_id)), [mine, readable]);
	assert.equal((await at.get(url('jobs', mine))).status, 200);
	refused(await at.call('PATCH', url('jobs', mine), { access_control_list: [ace(ann, 'IS_OWNER')] }), 403, 'PERMISSION_DENIED', /Only workspace admins/);
	refused(await at.get(url('authorization', 'tokens')), 403, 'PERMISSION_DENIED', /does not have Manage permissions on Tokens/);
	// A right taken from oneself is gone at once.
	await at.call('PATCH', url('jobs', mine), { access_control_list: [ace('users', 'CAN_VIEW')] });
	assert.equal((await at.get(url('jobs', mine))).status, 200);
	const { cluster_id } = await made('/api/2.1/clusters/create', { cluster_name: 'c' }, at);
	assert.equal((await at.call('PUT', url('clusters', cluster_id), {})).status, 200);
	assert.equal((await at.get(url('clusters', cluster_id))).status, 403);
	refused(await at.post('/api/2.0/workspace/mkdirs', { path: '/Users/x' }), 403, 'PERMISSION_DENIED', /write to/);
	assert.deepEqual((await at.read('/api/2.0/workspace/list?path=/')).objects.map((one) => one.path), ['/Users', '/Shared', '/Repos']);
}));

// Each behaviour that is only expected can be had the other way.
for (const [quirk, body] of [
	['acl-ambiguous=on', async (own, at, { id, ann }) => refused(await change('PUT', 'jobs', id, [ann, 'CAN_VIEW'], [ann, 'IS_OWNER'])(at), 400, INVALID, `Permissions being set for UserName(${ann}) are ambiguous`)],
	['owner-moves=off', async (own, at, { id, ann }) => refused(await change('PATCH', 'jobs', id, [ann, 'IS_OWNER'])(at), 400, INVALID, 'The job must have exactly one owner.')],
	['owner-lowered=on', async (own, at, { id }) => good(await change('PATCH', 'jobs', id, [own.first.client_id, 'CAN_VIEW'])(at))],
	['acl-group-owner=on', async (own, at, { id, etl }) => assert.equal(good(await change('PUT', 'jobs', id, [etl, 'IS_OWNER'])(at))[etl], 'IS_OWNER')],
	['acl-partial=on', async (own, at, { id, ann }) => {
		refused(await change('PATCH', 'jobs', id, [ann, 'CAN_VIEW'], ['nobody', 'CAN_VIEW'])(at), 404, 'RESOURCE_DOES_NOT_EXIST', /nobody/);
		assert.equal((await acl('jobs', id, at))[ann], 'CAN_VIEW');
	}],
	['acl-case=on', async (own, at, { id, ann }) => refused(await change('PATCH', 'jobs', id, [ann.toUpperCase(), 'CAN_VIEW'])(at), 404, 'RESOURCE_DOES_NOT_EXIST', /^Principal: UserName/)],
	['acl-unknown-400=on', async (own, at, { id }) => refused(await change('PATCH', 'jobs', id, ['nobody', 'CAN_VIEW'])(at), 400, 'BAD_REQUEST', 'Principal: GroupName(nobody) does not exist')],
	['acl-any-level=on', async (own, at, { id, etl }) => good(await change('PATCH', 'jobs', id, [etl, 'CAN_RUN'])(at))],
	['acl-by-name=on', async (own, at) => {
		const { name } = await made('/api/2.0/serving-endpoints', { name: 'e' }, at);
		assert.equal((await at.get(url('serving-endpoints', name))).status, 200);
	}],
	['acl-root-zero=on', async (own, at) => assert.equal((await acl('directories', (await status('/Shared', at)).object_id, at)).admins, 'CAN_MANAGE(/directories/0)')],
	['acl-after-delete=off', async (own, at, { id }) => {
		await made('/api/2.2/jobs/delete', { job_id: Number(id) }, at);
		refused(await at.get(url('jobs', id)), 400, INVALID, `Job ${id} does not exist.`);
	}],
	['dashboard-id=off', async (own, at) => {
		const { dashboard_id } = await made('/api/2.0/lakeview/dashboards', { display_name: 'd' }, at);
		assert.equal((await at.read(url('dashboards', dashboard_id))).object_id, `/dashboards/${dashboard_id}`);
	}],
	['passwords=off', async (own, at) => refused(await at.get(url('authorization', 'passwords')), 404, 'FEATURE_DISABLED', /Password/)],
	['warehouse-entitled=off', async (own, at, { ann }) => assert.equal(good(await change('PUT', 'warehouses', await warehouse(at), [ann, 'IS_OWNER'])(at))[ann], 'IS_OWNER')],
	['restrict-admins=on', async (own, at, { id, ann }) => {
		refused(await change('PATCH', 'jobs', id, [ann, 'IS_OWNER'])(at), 403, 'PERMISSION_DENIED', /to themselves only/);
		good(await change('PATCH', 'jobs', id, [own.first.client_id, 'IS_OWNER'])(at));
	}],
])
	test(`quirk ${quirk}`, () => withSim(['--quirk', quirk], async (own, at) => {
		await body(own, at, { id: await job(at), ann: await user(own), etl: await group(own) });
	}));

test('quirks of what has no owner', () => withSim(['--quirk', 'acl-ownerless-500=on', '--quirk', 'warehouse-toggle=on'], async (own, at) => {
	const made = await own.scim.make('/Users', { userName: 'gone@example.com', roles: [] });
	await own.assignments('prod').put(`/principals/${made.id}`, { permissions: ['ADMIN'] });
	const [id, house] = [await job(at), await warehouse(at)];
	for (const [type, which] of [['jobs', id], ['warehouses', house]])
		good(await change('PUT', type, which, ['gone@example.com', 'IS_OWNER'])(at));
	await own.scim.delete(`/Users/${made.id}`);
	refused(await change('PATCH', 'jobs', id, ['users', 'CAN_VIEW'])(at), 500, 'INTERNAL_ERROR', 'The job must have exactly one owner.');
	refused(await change('PUT', 'warehouses', house, [own.first.client_id, 'IS_OWNER'])(at), 400, INVALID, /must provide a new owner/);
	good(await change('PUT', 'warehouses', house, ['users', 'CAN_USE'])(at));
}));

test('a principal that the ACLs do not know yet', () => withSim(['--acl-lag', '2'], async (own, at) => {
	const id = await job(at), ann = await user(own);
	good(await change('PATCH', 'jobs', id, ['users', 'CAN_VIEW'], [own.first.client_id, 'IS_OWNER'])(at));
	for (let i = 0; i < 2; i++)
		refused(await change('PATCH', 'jobs', id, [ann, 'CAN_VIEW'])(at), 404, 'RESOURCE_DOES_NOT_EXIST', `Principal: UserName(${ann}) does not exist`);
	good(await change('PATCH', 'jobs', id, [ann, 'CAN_VIEW'])(at));
}));

test('limits of permissions', () => withSim(['--limits', 'published', '--quirk', 'retry-after=off'], async (own, at) => {
	const { cluster_id: id } = await made('/api/2.1/clusters/create', { cluster_name: 'c' }, at);
	const writes = [];
	for (let i = 0; i < 60; i++)
		writes.push(await at.call('PATCH', url('clusters', id), {}));
	const late = writes.find((one) => one.status === 429);
	assert.ok(late, 'more than 30 at once');
	assert.ok(writes.filter((one) => one.status === 200).length >= 30);
	assert.equal(late.json.error_code, 'REQUEST_LIMIT_EXCEEDED');
	assert.equal(late.headers.get('retry-after'), null);
	const reads = await Promise.all(Array.from({ length: 100 }, () => at.get(url('clusters', id))));
	assert.ok(reads.filter((one) => one.status === 200).length >= 80);
}));

test('too many permission requests at once', () => withSim(['--limits', 'published', '--latency', '500'], async (own, at) => {
	const all = await Promise.all(Array.from({ length: 40 }, () => at.get(url('authorization', 'tokens'))));
	const late = all.find((one) => one.status === 429);
	refused(late, 429, 'REQUEST_LIMIT_EXCEEDED', /^Workspace \d+ exceeded the concurrent limit of 20 requests\.$/);
}));

test('rights stay in the state file', async () => {
	const own = await Sim.start('--workspace', 'prod');
	await own.stop({ keep: true });
	const file = join(own.folder, 'state');
	const run = () => own.run(['--workspace', 'prod', '--state', file]);
	await run();
	let at = own.workspace('prod');
	const ann = await user(own), etl = await group(own);
	const [id, gone] = [await job(at), await job(at)], f = await folder('/Shared/a/b', at);
	await made('/api/2.2/jobs/delete', { job_id: Number(gone) }, at);
	const targets = [['jobs', id], ['jobs', gone], ['directories', f.object_id], ['authorization', 'tokens'], ['registered-models', 'root'], ['directories', '0']];
	good(await change('PATCH', 'jobs', id, [ann, 'IS_OWNER'])(at));
	for (const [type, which, level] of [['directories', f.object_id, 'CAN_RUN'], ['authorization', 'tokens', 'CAN_USE'], ['registered-models', 'root', 'CAN_READ'], ['directories', '0', 'CAN_READ']])
		good(await change('PATCH', type, which, [etl, level])(at));
	const home = await status(`/Users/${ann}`, at);
	const read = async () => Object.fromEntries(await Promise.all([...targets, ['directories', home.object_id]].map(async ([type, which]) => [`${type} ${which}`, await acl(type, which, at)])));
	const was = await read();
	for (let i = 0; i < 2; i++) {
		await own.stop({ keep: true });
		await run();
		at = own.workspace('prod');
		assert.deepEqual(await read(), was);
		assert.equal((await status('/Shared/a/b', at)).object_id, f.object_id);
		assert.equal((await at.get(`/api/2.2/jobs/get?job_id=${gone}`)).status, 400);
	}
	await own.stop();
});

test('policies that --objects brought', async () => {
	const own = await Sim.start('--workspace', 'prod');
	await own.stop({ keep: true });
	const file = join(own.folder, 'objects');
	writeFileSync(file, JSON.stringify({ prod: { 'cluster-policies': [{ id: 'ABC0123456789DEF', name: 'de-standard' }] } }));
	await own.run(['--workspace', 'prod', '--objects', file]);
	const at = own.workspace('prod');
	refused(await change('PATCH', 'cluster-policies', 'ABC0123456789DEF', ['users', 'CAN_MANAGE'])(at), 400, INVALID, 'Invalid permission level CAN_MANAGE for object type cluster-policy; valid levels are: CAN_USE');
	assert.deepEqual(good(await change('PATCH', 'cluster-policies', 'ABC0123456789DEF', ['users', 'CAN_USE'])(at)), { users: 'CAN_USE', admins: 'CAN_MANAGE(/cluster-policies/cluster-policies)' });
	refused(await at.get(url('cluster-policies', 'X')), 404, 'RESOURCE_DOES_NOT_EXIST', /X/);
	await own.stop();
});
