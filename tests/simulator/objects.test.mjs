// Objects of a workspace: lists with their pages, ids, folders, hand-over, secret scopes, --objects.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { Client, Sim } from './harness.mjs';

let sim, prod, self, serial = 0;
before(async () => {
	sim = await Sim.start('--workspace', 'prod', '--workspace', 'dev');
	prod = sim.workspace('prod');
	self = sim.first.client_id;
});
after(() => sim.stop());

const fresh = (word) => `${word}-${++serial}`;
const user = async (more = {}, at = sim) => (await at.workspaceScim('prod').make('/Users', { userName: `${fresh('ada')}@example.com`, displayName: 'Ada Sample', ...more })).userName;
async function made(path, body, at = prod) {
	const answer = await at.post(path, body);
	assert.equal(answer.status, 200, answer.text);
	return answer.json;
}
function refused(answer, status, code, message) {
	assert.equal(answer.status, status, answer.text);
	assert.equal(answer.json.error_code, code, answer.text);
	if (message)
		assert.match(answer.json.message, message);
}
const INVALID = 'INVALID_PARAMETER_VALUE', GONE = 'RESOURCE_DOES_NOT_EXIST', TWICE = 'RESOURCE_ALREADY_EXISTS';
const acl = async (type, id, at = prod) => (await at.read(`/api/2.0/permissions/${type}/${id}`)).access_control_list;
const direct = async (type, id, who, at) => (await acl(type, id, at)).find((one) => (one.user_name ?? one.service_principal_name ?? one.group_name) === who)
	?.all_permissions.find((one) => !one.inherited)?.permission_level;
async function withSim(args, body, objects) {
	const own = await Sim.start('--workspace', 'prod');
	await own.stop({ keep: true });
	const file = join(own.folder, 'objects');
	if (objects)
		writeFileSync(file, JSON.stringify(objects));
	await own.run(['--workspace', 'prod', ...(objects ? ['--objects', file] : []), ...args]);
	try {
		await body(own, own.workspace('prod'));
	} finally {
		await own.stop();
	}
}

// What each type is: where it is made, listed, got and deleted, and what a list shows of it.
const types = [
	{ type: 'clusters', make: ['/api/2.1/clusters/create', (name) => ({ cluster_name: name, custom_tags: { team: 'etl' } })], list: '/api/2.1/clusters/list', key: 'clusters',
		get: (one) => `/api/2.0/clusters/get?cluster_id=${one.cluster_id}`, id: /^\d{4}-\d{6}-[a-z0-9]{8}$/, idKey: 'cluster_id',
		shows: { cluster_name: 'NAME', creator_user_name: 'SELF', custom_tags: { team: 'etl' }, cluster_source: 'API', state: 'RUNNING' } },
	{ type: 'instance-pools', make: ['/api/2.0/instance-pools/create', (name) => ({ instance_pool_name: name, custom_tags: { team: 'etl' } })], list: '/api/2.0/instance-pools/list', key: 'instance_pools',
		get: (one) => `/api/2.0/instance-pools/get?instance_pool_id=${one.instance_pool_id}`, id: /^\d{4}-\d{6}-pool-[a-z0-9]{8}$/, idKey: 'instance_pool_id',
		shows: { instance_pool_name: 'NAME', custom_tags: { team: 'etl' } }, unpaged: true, remove: ['POST', '/api/2.0/instance-pools/delete', 'instance_pool_id'] },
	{ type: 'jobs', make: ['/api/2.2/jobs/create', (name) => ({ name, tags: { team: 'etl' } })], list: '/api/2.2/jobs/list', key: 'jobs', size: 'limit',
		get: (one) => `/api/2.1/jobs/get?job_id=${one.job_id}`, id: /^\d{16}$/, idKey: 'job_id',
		shows: { creator_user_name: 'SELF', run_as_user_name: 'SELF' }, remove: ['POST', '/api/2.2/jobs/delete', 'job_id'] },
	{ type: 'pipelines', make: ['/api/2.0/pipelines', (name) => ({ name })], list: '/api/2.0/pipelines', key: 'statuses', size: 'max_results',
		get: (one) => `/api/2.0/pipelines/${one.pipeline_id}`, id: /^[0-9a-f-]{36}$/, idKey: 'pipeline_id', shows: { name: 'NAME', creator_user_name: 'SELF', run_as_user_name: 'SELF' }, remove: ['DELETE'] },
	{ type: 'warehouses', make: ['/api/2.0/sql/warehouses', (name) => ({ name, tags: { custom_tags: [{ key: 'team', value: 'etl' }] } })], list: '/api/2.0/sql/warehouses', key: 'warehouses', size: 'page_size',
		get: (one) => `/api/2.0/sql/warehouses/${one.id}`, id: /^[0-9a-f]{16}$/, idKey: 'id',
		shows: { name: 'NAME', creator_name: 'SELF', tags: { custom_tags: [{ key: 'team', value: 'etl' }] } }, remove: ['DELETE'] },
	{ type: 'queries', make: ['/api/2.0/sql/queries', (name) => ({ query: { display_name: name, tags: ['etl'] } })], list: '/api/2.0/sql/queries', key: 'results', size: 'page_size',
		get: (one) => `/api/2.0/sql/queries/${one.id}`, id: /^[0-9a-f-]{36}$/, idKey: 'id', shows: { display_name: 'NAME', owner_user_name: 'SELF', tags: ['etl'], parent_path: 'HOME' }, remove: ['DELETE'] },
	{ type: 'alerts', make: ['/api/2.0/sql/alerts', (name) => ({ alert: { display_name: name } })], list: '/api/2.0/sql/alerts', key: 'results', size: 'page_size',
		get: (one) => `/api/2.0/sql/alerts/${one.id}`, id: /^[0-9a-f-]{36}$/, idKey: 'id', shows: { display_name: 'NAME', owner_user_name: 'SELF', parent_path: 'HOME' }, remove: ['DELETE'] },
	{ type: 'alertsv2', make: ['/api/2.0/alerts', (name) => ({ display_name: name })], list: '/api/2.0/alerts', key: 'alerts', size: 'page_size',
		get: (one) => `/api/2.0/alerts/${one.id}`, id: /^\d{16}$/, idKey: 'id', shows: { display_name: 'NAME', owner_user_name: 'SELF', parent_path: 'HOME' }, remove: ['DELETE'] },
	{ type: 'dashboards', make: ['/api/2.0/lakeview/dashboards', (name) => ({ display_name: name })], list: '/api/2.0/lakeview/dashboards', key: 'dashboards', size: 'page_size',
		get: (one) => `/api/2.0/lakeview/dashboards/${one.dashboard_id}`, id: /^[0-9a-f]{32}$/, idKey: 'dashboard_id', shows: { display_name: 'NAME', lifecycle_state: 'ACTIVE' }, remove: ['DELETE'], without: ['creator_user_name', 'owner_user_name'] },
	{ type: 'genie', make: ['/api/2.0/genie/spaces', (title) => ({ title })], list: '/api/2.0/genie/spaces', key: 'spaces', size: 'page_size',
		get: (one) => `/api/2.0/genie/spaces/${one.space_id}`, id: /^[0-9a-f]{32}$/, idKey: 'space_id', shows: { title: 'NAME', parent_path: 'HOME' }, remove: ['DELETE'] },
	{ type: 'registered-models', make: ['/api/2.0/mlflow/registered-models/create', (name) => ({ name, tags: [{ key: 'team', value: 'etl' }] })], list: '/api/2.0/mlflow/registered-models/list', key: 'registered_models', size: 'max_results',
		get: (one) => `/api/2.0/mlflow/databricks/registered-models/get?name=${one.name}`, id: /^[0-9a-f]{32}$/, idKey: 'id', unwrap: 'registered_model_databricks',
		shows: { name: 'NAME', user_id: 'SELF', tags: [{ key: 'team', value: 'etl' }] }, without: ['id'], noId: true },
	{ type: 'serving-endpoints', make: ['/api/2.0/serving-endpoints', (name) => ({ name, tags: [{ key: 'team', value: 'etl' }] })], list: '/api/2.0/serving-endpoints', key: 'endpoints', unpaged: true,
		get: (one) => `/api/2.0/serving-endpoints/${one.name}`, id: /^[0-9a-f]{32}$/, idKey: 'id', shows: { name: 'NAME', creator: 'SELF', tags: [{ key: 'team', value: 'etl' }] }, remove: ['DELETE'] },
	{ type: 'vector-search-endpoints', make: ['/api/2.0/vector-search/endpoints', (name) => ({ name })], list: '/api/2.0/vector-search/endpoints', key: 'endpoints', page: 50,
		get: (one) => `/api/2.0/vector-search/endpoints/${one.name}`, id: /^[0-9a-f-]{36}$/, idKey: 'id', shows: { name: 'NAME', creator: 'SELF' }, remove: ['DELETE'] },
	{ type: 'apps', make: ['/api/2.0/apps', (name) => ({ name })], list: '/api/2.0/apps', key: 'apps', size: 'page_size', get: (one) => `/api/2.0/apps/${one.name}`, id: /^[a-z]/, idKey: 'name',
		shows: { name: 'NAME', creator: 'SELF' }, remove: ['DELETE'] },
	{ type: 'database-instances', make: ['/api/2.0/database/instances', (name) => ({ name })], list: '/api/2.0/database/instances', key: 'database_instances', size: 'page_size',
		get: (one) => `/api/2.0/database/instances/${one.name}`, id: /^[0-9a-f-]{36}$/, idKey: 'uid', aclKey: 'name', shows: { name: 'NAME', creator: 'SELF' }, remove: ['DELETE'] },
	{ type: 'knowledge-assistants', make: ['/api/2.1/knowledge-assistants', (name) => ({ display_name: name })], list: '/api/2.1/knowledge-assistants', key: 'knowledge_assistants', size: 'page_size',
		get: (one) => `/api/2.1/knowledge-assistants/${one.id}`, id: /^[0-9a-f-]{36}$/, idKey: 'id', shows: { display_name: 'NAME', creator: 'SELF' }, remove: ['DELETE'] },
	{ type: 'supervisor-agents', make: ['/api/2.1/supervisor-agents', (name) => ({ display_name: name })], list: '/api/2.1/supervisor-agents', key: 'supervisor_agents', size: 'page_size',
		get: (one) => `/api/2.1/supervisor-agents/${one.supervisor_agent_id}`, id: /^[0-9a-f-]{36}$/, idKey: 'id', shows: { display_name: 'NAME', creator: 'SELF' }, remove: ['DELETE'] },
	{ type: 'feature-tables', make: ['/api/2.0/feature-store/feature-tables/create', (name) => ({ name })], list: '/api/2.0/feature-store/feature-tables/search', key: 'feature_tables', size: 'max_results',
		get: (one) => `/api/2.0/feature-store/feature-tables/get?name=${one.name}`, id: /^[0-9a-f]{32}$/, idKey: 'id', unwrap: 'feature_table', shows: { name: 'NAME' } },
];

async function pages(path, key, at = prod, tokenName = 'page_token') {
	const all = [], sizes = [];
	let token;
	do {
		const answer = await at.read(token ? `${path}${path.includes('?') ? '&' : '?'}${tokenName}=${token}` : path);
		sizes.push((answer[key] ?? []).length);
		all.push(...(answer[key] ?? []));
		token = answer.next_page_token;
	} while (token);
	return { all, sizes };
}

for (const one of types) {
	test(`${one.type}: made, listed, got, deleted`, async () => {
		assert.deepEqual((await sim.workspace('dev').read(one.list))[one.key], undefined, 'an empty list has no array');
		const [path, body] = one.make, names = ['a', 'b', 'c'].map(() => fresh(one.type));
		for (const name of names)
			await made(path, body(name));
		const { all, sizes } = await pages(one.size ? `${one.list}?${one.size}=2` : one.list, one.key);
		const mine = all.filter((item) => names.some((name) => JSON.stringify(item).includes(`"${name}"`)));
		assert.equal(mine.length, 3);
		if (one.size)
			assert.ok(sizes.length > 1 && sizes.slice(0, -1).every((size) => size === 2));
		const fill = (value, name) => (value === 'NAME' ? name : value === 'SELF' ? self : value === 'HOME' ? `/Workspace/Users/${self}` : value);
		for (const [i, item] of mine.entries()) {
			for (const [key, value] of Object.entries(one.shows))
				assert.deepEqual(item[key], fill(value, names[i]), key);
			for (const key of one.without ?? [])
				assert.ok(!(key in item), key);
			const got = await prod.read(one.get(item));
			const whole = one.unwrap ? got[one.unwrap] : got;
			assert.match(String(whole[one.idKey]), one.id);
			if (!one.noId)
				assert.equal(whole[one.idKey], item[one.idKey]);
			assert.match((await prod.read(`/api/2.0/permissions/${one.type}/${whole[one.aclKey ?? one.idKey]}`)).access_control_list[0].service_principal_name, /^[0-9a-f-]{36}$/);
		}
		if (!one.remove)
			return;
		const [method, where, key] = one.remove;
		const answer = method === 'POST' ? await prod.post(where, { [key]: mine[0][key] }) : await prod.delete(one.get(mine[0]));
		assert.equal(answer.status, 200, answer.text);
		assert.ok((await prod.get(one.get(mine[0]))).status >= 400);
		assert.equal((await pages(one.list, one.key)).all.filter((item) => names.some((name) => JSON.stringify(item).includes(`"${name}"`))).length, 2);
	});
}

test('database projects: a long name and a bare id', async () => {
	const operation = await made('/api/2.0/postgres/projects?project_id=sample', { spec: { display_name: 'Sample' } });
	assert.equal(operation.done, true);
	const [project] = (await prod.read('/api/2.0/postgres/projects')).projects;
	assert.deepEqual([project.name, project.project_id, project.status.owner], ['projects/sample', 'sample', self]);
	assert.deepEqual(await prod.read('/api/2.0/postgres/projects/sample'), project);
	refused(await prod.post('/api/2.0/postgres/projects', {}), 400, INVALID, /project_id/);
});

test('experiments: two lists, one of them POST', async () => {
	const name = `/Shared/${fresh('exp')}`;
	const { experiment_id } = await made('/api/2.0/mlflow/experiments/create', { name, tags: [{ key: 'team', value: 'etl' }] });
	await made('/api/2.0/mlflow/experiments/create', { name: `/Shared/${fresh('exp')}` });
	const want = { experiment_id, name };
	const first = await made('/api/2.0/mlflow/experiments/search', { max_results: 1 });
	assert.deepEqual([first.experiments.length, first.experiments[0].name], [1, name]);
	const second = await made('/api/2.0/mlflow/experiments/search', { max_results: 1, page_token: first.next_page_token });
	assert.notEqual(second.experiments[0].experiment_id, experiment_id);
	assert.equal((await prod.read('/api/2.0/mlflow/experiments/list')).experiments.length, 2, 'all if no size is said');
	assert.ok(!('creator_user_name' in first.experiments[0]));
	for (const path of [`get?experiment_id=${experiment_id}`, `get-by-name?experiment_name=${encodeURIComponent(name)}`]) {
		const { experiment } = await prod.read(`/api/2.0/mlflow/experiments/${path}`);
		assert.deepEqual({ experiment_id: experiment.experiment_id, name: experiment.name }, want);
	}
	refused(await prod.post('/api/2.0/mlflow/experiments/create', { name }), 400, TWICE);
	refused(await prod.post('/api/2.0/mlflow/experiments/create', { name: 'x' }), 400, INVALID, /absolute path/);
	refused(await prod.post('/api/2.0/mlflow/experiments/create', { name: '/none/x' }), 404, GONE);
});

test('page sizes: what is too big', async () => {
	refused(await prod.get('/api/2.2/jobs/list?limit=101'), 400, INVALID, /between 1 and 100/);
	refused(await prod.get('/api/2.2/jobs/list?limit=0'), 400, INVALID);
	refused(await prod.get('/api/2.2/jobs/list?limit=x'), 400, INVALID);
	refused(await prod.get('/api/2.0/pipelines?max_results=101'), 400, INVALID);
	refused(await prod.get('/api/2.2/jobs/list?page_token=nonsense'), 400, INVALID, /page token/);
	assert.equal((await prod.get('/api/2.2/jobs/list?limit=100')).status, 200);
	const names = Array.from({ length: 105 }, () => fresh('k'));
	await Promise.all(names.map((display_name) => made('/api/2.1/knowledge-assistants', { display_name })));
	assert.deepEqual((await pages('/api/2.1/knowledge-assistants?page_size=500', 'knowledge_assistants')).sizes[0], 100);
	await withSim(['--quirk', 'list-coerced=on'], async (own, at) => assert.equal((await at.get('/api/2.2/jobs/list?limit=101')).status, 200));
});

test('pages stay right while things are deleted', async () => {
	const made3 = [];
	for (let i = 0; i < 3; i++)
		made3.push((await made('/api/2.1/supervisor-agents', { display_name: fresh('s') })).id);
	const all = (await pages('/api/2.1/supervisor-agents', 'supervisor_agents')).all.map((one) => one.id);
	const first = await prod.read(`/api/2.1/supervisor-agents?page_size=${all.indexOf(made3[0]) + 1}`);
	await prod.delete(`/api/2.1/supervisor-agents/${made3[0]}`);
	const rest = await prod.read(`/api/2.1/supervisor-agents?page_size=100&page_token=${first.next_page_token}`);
	assert.deepEqual(rest.supervisor_agents.map((one) => one.id), made3.slice(1));
});

test('filters of jobs and pipelines', async () => {
	const name = fresh('Nightly');
	await made('/api/2.2/jobs/create', { name });
	await made('/api/2.2/jobs/create', { name });
	await made('/api/2.2/jobs/create', { name: `${name}-other` });
	const list = await prod.read(`/api/2.2/jobs/list?name=${name.toUpperCase()}`);
	assert.deepEqual([list.jobs.length, list.has_more], [2, false], 'names are not unique');
	const pipe = fresh('pipe');
	await made('/api/2.0/pipelines', { name: pipe });
	refused(await prod.post('/api/2.0/pipelines', { name: pipe }), 400, TWICE);
	await made('/api/2.0/pipelines', { name: pipe, allow_duplicate_names: true });
	assert.equal((await prod.read(`/api/2.0/pipelines?filter=${encodeURIComponent(`name LIKE '%${pipe.slice(1)}%'`)}`)).statuses.length, 2);
});

test('legacy dashboards count their pages', async () => {
	const name = fresh('legacy');
	for (let i = 0; i < 3; i++)
		await made('/api/2.0/preview/sql/dashboards', { name, tags: ['etl'] });
	const page = await prod.read('/api/2.0/preview/sql/dashboards?page=2&page_size=2');
	assert.deepEqual([page.count, page.page, page.page_size, page.results.length], [3, 2, 2, 1]);
	assert.deepEqual([page.results[0].name, page.results[0].user.email, page.results[0].tags], [name, self, ['etl']]);
	refused(await prod.get('/api/2.0/preview/sql/dashboards?page=0'), 400, INVALID);
});

test('names that are taken, and none at all', async () => {
	for (const [path, body] of [['/api/2.0/sql/warehouses', { name: 'one' }], ['/api/2.0/serving-endpoints', { name: 'one' }], ['/api/2.0/apps', { name: 'one' }],
		['/api/2.0/instance-pools/create', { instance_pool_name: 'one' }], ['/api/2.0/mlflow/registered-models/create', { name: 'one' }]]) {
		await made(path, body);
		refused(await prod.post(path, body), 400, TWICE);
		refused(await prod.post(path, {}), 400, INVALID, /^Missing required field/);
	}
	refused(await prod.post('/api/2.0/sql/queries', {}), 400, INVALID, /query/);
	refused(await prod.post('/api/2.0/sql/queries', { query: { display_name: 'q', parent_path: '/none' } }), 404, GONE, /^Path \(\/none\) doesn't exist\.$/);
});

test('the tree: list, get-status, mkdirs, import, delete', async () => {
	const top = `/Shared/${fresh('tree')}`;
	const list = async (path) => (await prod.read(`/api/2.0/workspace/list?path=${encodeURIComponent(path)}`)).objects ?? [];
	const status = (path) => prod.get(`/api/2.0/workspace/get-status?path=${encodeURIComponent(path)}`);
	const root = (await status('/')).json;
	assert.deepEqual([root.object_id, root.object_type, root.path], [0, 'DIRECTORY', '/']);
	assert.deepEqual(new Set((await list('/')).map((one) => one.path)), new Set(['/Users', '/Shared', '/Repos']));
	const ann = await user();
	assert.ok((await list('/Users')).some((one) => one.path === `/Users/${ann}`), 'homes are there without being asked for');
	await made('/api/2.0/workspace/mkdirs', { path: `${top}/a/b` });
	await made('/api/2.0/workspace/mkdirs', { path: `${top}/a/b` });
	assert.deepEqual(await list(`${top}/a/b`), []);
	await made('/api/2.0/workspace/import', { path: `${top}/nb`, format: 'SOURCE', language: 'PYTHON', content: '' });
	await made('/api/2.0/workspace/import', { path: `${top}/data.csv`, format: 'AUTO', content: '' });
	await made('/api/2.0/workspace/import', { path: `${top}/auto.py`, format: 'AUTO', content: '' });
	await made('/api/2.0/lakeview/dashboards', { display_name: 'board', parent_path: top });
	await made('/api/2.0/mlflow/experiments/create', { name: `${top}/exp` });
	await made('/api/2.0/sql/queries', { query: { display_name: 'q', parent_path: top } });
	const seen = Object.fromEntries((await list(top)).map((one) => [one.path.slice(top.length + 1), one.object_type]));
	assert.deepEqual(seen, { a: 'DIRECTORY', nb: 'NOTEBOOK', 'data.csv': 'FILE', 'auto.py': 'NOTEBOOK', 'board.lvdash.json': 'DASHBOARD', exp: 'MLFLOW_EXPERIMENT' });
	for (const path of [`/Workspace${top}/nb`, `/${top}//nb`, `${top}/nb/`])
		assert.equal((await status(path)).json.path, `${top}/nb`, path);
	assert.deepEqual((await list(`${top}/nb`)).map((one) => one.path), [`${top}/nb`]);
	refused(await status('/none/x'), 404, GONE, /^Path \(\/none\/x\) doesn't exist\.$/);
	refused(await prod.get('/api/2.0/workspace/list?path=/none'), 404, GONE, /^Path \(\/none\) doesn't exist\.$/);
	refused(await prod.get('/api/2.0/workspace/list'), 400, INVALID, /path/);
	refused(await prod.post('/api/2.0/workspace/mkdirs', { path: `${top}/nb/x` }), 400, TWICE);
	refused(await prod.post('/api/2.0/workspace/import', { path: `${top}/nb`, content: '' }), 400, TWICE);
	const { object_id } = (await status(`${top}/nb`)).json;
	await made('/api/2.0/workspace/import', { path: `${top}/nb`, content: '', overwrite: true });
	assert.equal((await status(`${top}/nb`)).json.object_id, object_id);
	refused(await prod.post('/api/2.0/workspace/import', { path: '/none/x', content: '' }), 404, GONE, /parent folder/);
	refused(await prod.post('/api/2.0/workspace/delete', { path: top }), 400, 'DIRECTORY_NOT_EMPTY');
	refused(await prod.post('/api/2.0/workspace/delete', { path: '/Shared', recursive: true }), 400, 'BAD_REQUEST');
	await made('/api/2.0/workspace/delete', { path: top, recursive: true });
	refused(await status(`${top}/a/b`), 404, GONE);
	assert.equal((await prod.get(`/api/2.0/permissions/notebooks/${object_id}`)).status, 404);
});

test('quirk sql-in-tree', () => withSim(['--quirk', 'sql-in-tree=on'], async (own, at) => {
	const query = await made('/api/2.0/sql/queries', { query: { display_name: 'q', parent_path: '/Shared' } }, at);
	const [seen] = (await at.read('/api/2.0/workspace/list?path=/Shared')).objects;
	assert.deepEqual([seen.object_type, seen.resource_id], ['FILE', query.id]);
	assert.equal((await at.read(`/api/2.0/permissions/files/${seen.object_id}`)).object_type, 'query');
}));

test('repos', async () => {
	const made1 = await made('/api/2.0/repos', { url: 'https://git.example.com/sample/etl.git', provider: 'gitHub' });
	assert.equal(made1.path, `/Repos/${self}/etl`);
	const made2 = await made('/api/2.0/repos', { url: 'https://git.example.com/sample/elsewhere', provider: 'gitHub', path: '/Shared/elsewhere' });
	assert.deepEqual((await prod.read('/api/2.0/repos')).repos.map((one) => one.id), [made1.id], 'only those in /Repos');
	assert.deepEqual((await prod.read('/api/2.0/repos?path_prefix=/Workspace/Shared')).repos.map((one) => one.id), [made2.id]);
	const found = (await prod.read('/api/2.0/workspace/list?path=/Shared')).objects.find((one) => one.object_type === 'REPO');
	assert.deepEqual([found.path, found.object_id], ['/Shared/elsewhere', made2.id]);
	for (let i = 0; i < 21; i++)
		await made('/api/2.0/repos', { url: `https://git.example.com/sample/${fresh('r')}` });
	const first = await prod.read('/api/2.0/repos');
	assert.equal(first.repos.length, 20);
	assert.deepEqual((await prod.read(`/api/2.0/repos?page_token=${first.next_page_token}`)).repos.length, 20, 'that is not its name here');
	assert.equal((await prod.read(`/api/2.0/repos?next_page_token=${first.next_page_token}`)).repos.length, 2);
	assert.equal((await prod.delete(`/api/2.0/repos/${made2.id}`)).status, 200);
	refused(await prod.get(`/api/2.0/repos/${made2.id}`), 404, GONE);
});

// Makes our own service principal a user of this one.
async function giveUse(at, robot) {
	const rules = new Client(`${at.accountHost}/api/2.0/preview/accounts/${at.accountId}/access-control`, at.token);
	const name = `accounts/${at.accountId}/servicePrincipals/${robot}/ruleSets/default`;
	const { etag } = await rules.read(`/rule-sets?name=${name}&etag=`);
	assert.equal((await rules.put('/rule-sets', { name, rule_set: { name, etag,
		grant_rules: [{ role: 'roles/servicePrincipal.user', principals: [`servicePrincipals/${at.first.client_id}`] }] } })).status, 200);
}

test('quirk run-as-admin', () => withSim(['--quirk', 'run-as-admin=on'], async (own, at) => {
	const robot = (await own.workspaceScim('prod').make('/ServicePrincipals', { displayName: 'robot' })).applicationId;
	assert.equal((await at.post('/api/2.2/jobs/create', { name: 'j', run_as: { service_principal_name: robot } })).status, 200);
}));

test('whom a job runs as', async () => {
	const ann = await user(), bob = await user();
	const robot = (await sim.workspaceScim('prod').make('/ServicePrincipals', { displayName: 'robot' })).applicationId;
	const { job_id } = await made('/api/2.2/jobs/create', { name: fresh('j'), access_control_list: [{ user_name: ann, permission_level: 'CAN_VIEW' }] });
	assert.equal(await direct('jobs', job_id, ann), 'CAN_VIEW');
	assert.equal(await direct('jobs', job_id, self), 'IS_OWNER');
	const runAs = async () => (await prod.read(`/api/2.2/jobs/get?job_id=${job_id}`)).run_as_user_name;
	const update = (new_settings) => prod.post('/api/2.2/jobs/update', { job_id, new_settings });
	assert.equal(await runAs(), self);
	await prod.call('PATCH', `/api/2.0/permissions/jobs/${job_id}`, { access_control_list: [{ user_name: ann, permission_level: 'IS_OWNER' }] });
	assert.equal(await runAs(), ann, 'the owner');
	assert.equal((await update({ run_as: { user_name: bob } })).status, 200);
	assert.equal(await runAs(), bob);
	assert.equal((await update({ name: 'renamed' })).status, 200);
	const job = await prod.read(`/api/2.2/jobs/get?job_id=${job_id}`);
	assert.deepEqual([job.run_as_user_name, job.settings.name, job.settings.run_as, job.creator_user_name], [bob, 'renamed', undefined, self]);
	// To be an admin is not enough.
	refused(await update({ run_as: { service_principal_name: robot } }), 403, 'PERMISSION_DENIED', /cannot set run_as to user/);
	await giveUse(sim, robot);
	assert.equal((await update({ run_as: { service_principal_name: robot } })).status, 200);
	assert.equal((await prod.read('/api/2.2/jobs/list?name=renamed')).jobs[0].run_as_user_name, robot);
	const crew = await sim.scim.make('/Groups', { displayName: fresh('crew') });
	await sim.assignments('prod').put(`/principals/${crew.id}`, { permissions: ['USER'] });
	refused(await update({ run_as: { group_name: crew.displayName } }), 403, 'PERMISSION_DENIED', /cannot set run_as/);
	const me = (await sim.scim.read(`/ServicePrincipals?filter=applicationId eq "${self}"`)).Resources[0].id;
	await sim.scim.patch(`/Groups/${crew.id}`, { op: 'add', path: 'members', value: [{ value: me }] });
	assert.equal((await update({ run_as: { group_name: crew.displayName } })).status, 200);
	assert.equal((await update({ run_as: { service_principal_name: robot } })).status, 200);
	refused(await update({ run_as: { user_name: bob, service_principal_name: robot } }), 400, INVALID);
	refused(await update({ run_as: { user_name: 'nobody@example.com' } }), 400, INVALID);
	const off = await user();
	const { id } = (await sim.scim.read(`/Users?filter=userName eq "${off}"`)).Resources[0];
	await sim.scim.patch(`/Users/${id}`, { op: 'replace', path: 'active', value: false });
	refused(await update({ run_as: { user_name: off } }), 400, INVALID, /active/);
	await prod.post('/api/2.2/jobs/reset', { job_id, new_settings: { name: 'reset', tags: { a: 'b' } } });
	assert.deepEqual((await prod.read(`/api/2.2/jobs/get?job_id=${job_id}`)).settings, { name: 'reset', tags: { a: 'b' } });
	assert.equal(await runAs(), robot);
	// A wrong ACL makes no job.
	refused(await prod.post('/api/2.2/jobs/create', { name: 'never', access_control_list: [{ group_name: 'nobody', permission_level: 'CAN_VIEW' }] }), 404, GONE);
	assert.equal((await prod.read('/api/2.2/jobs/list?name=never')).jobs, undefined);
});

test('a pipeline takes its whole spec', async () => {
	const ann = await user();
	const { pipeline_id } = await made('/api/2.0/pipelines', { name: fresh('p'), catalog: 'main' });
	const { spec } = await prod.read(`/api/2.0/pipelines/${pipeline_id}`);
	assert.equal((await prod.put(`/api/2.0/pipelines/${pipeline_id}`, { ...spec, run_as: { user_name: ann } })).status, 200);
	const got = await prod.read(`/api/2.0/pipelines/${pipeline_id}`);
	assert.deepEqual([got.run_as, got.run_as_user_name, got.creator_user_name, got.spec], [{ user_name: ann }, ann, self, spec]);
	await prod.put(`/api/2.0/pipelines/${pipeline_id}`, { name: 'other' });
	assert.deepEqual((await prod.read(`/api/2.0/pipelines/${pipeline_id}`)).spec, { name: 'other' });
});

test('other owners: clusters, queries, alerts, legacy dashboards', async () => {
	const ann = await user();
	const { cluster_id } = await made('/api/2.1/clusters/create', { cluster_name: 'c' });
	const move = (owner_username = ann) => prod.post('/api/2.1/clusters/change-owner', { cluster_id, owner_username });
	refused(await move(), 400, 'INVALID_STATE');
	await made('/api/2.1/clusters/delete', { cluster_id });
	assert.equal((await prod.read(`/api/2.1/clusters/get?cluster_id=${cluster_id}`)).state, 'TERMINATED');
	refused(await move('nobody@example.com'), 400, INVALID);
	assert.deepEqual((await move()).json, {});
	assert.equal(await direct('clusters', cluster_id, ann), 'CAN_MANAGE');
	for (const [path, wrap] of [['/api/2.0/sql/queries', 'query'], ['/api/2.0/sql/alerts', 'alert']]) {
		const { id } = await made(path, { [wrap]: { display_name: 'x' } });
		const patch = (body) => prod.call('PATCH', `${path}/${id}`, body);
		const owner = async () => (await prod.read(`${path}/${id}`)).owner_user_name;
		refused(await patch({ [wrap]: { owner_user_name: ann } }), 400, INVALID, /update_mask/);
		assert.equal((await patch({ update_mask: 'display_name', [wrap]: { owner_user_name: ann, display_name: 'y' } })).status, 200);
		assert.deepEqual([await owner(), (await prod.read(`${path}/${id}`)).display_name], [self, 'y']);
		refused(await patch({ update_mask: 'owner_user_name', [wrap]: { owner_user_name: 'nobody@example.com' } }), 400, INVALID, /not an active user/);
		assert.equal((await patch({ update_mask: 'owner_user_name', [wrap]: { owner_user_name: ann } })).status, 200);
		assert.equal(await owner(), ann);
	}
	const { id } = await made('/api/2.0/preview/sql/dashboards', { name: 'l' });
	const transfer = (word) => prod.post(`/api/2.0/preview/sql/permissions/${word}/${id}/transfer`, { new_owner: ann });
	assert.deepEqual((await transfer('dashboard')).json, { message: 'Success' });
	assert.equal((await prod.read(`/api/2.0/preview/sql/dashboards/${id}`)).user.email, ann);
	refused(await transfer('query'), 404, GONE);
	refused(await transfer('dashboards'), 400, INVALID);
});

test('an alert whose owner is gone', async () => {
	const { id } = await made('/api/2.0/alerts', { display_name: 'a' });
	assert.equal((await prod.call('PATCH', `/api/2.0/alerts/${id}?update_mask=display_name,owner_user_name`, { display_name: 'b', owner_user_name: 'x@example.com' })).status, 200);
	const alert = await prod.read(`/api/2.0/alerts/${id}`);
	assert.deepEqual([alert.display_name, alert.owner_user_name], ['b', self]);
});

test('what moves takes its own rights along and inherits others', async () => {
	const etl = (await sim.workspaceScim('prod').make('/Groups', { displayName: fresh('etl') })).displayName;
	const paths = [`/Shared/${fresh('from')}`, `/Shared/${fresh('to')}`];
	for (const path of paths)
		await made('/api/2.0/workspace/mkdirs', { path });
	const ids = await Promise.all(paths.map(async (path) => (await prod.read(`/api/2.0/workspace/get-status?path=${path}`)).object_id));
	await prod.call('PATCH', `/api/2.0/permissions/directories/${ids[1]}`, { access_control_list: [{ group_name: etl, permission_level: 'CAN_RUN' }] });
	const { id } = await made('/api/2.0/sql/queries', { query: { display_name: 'q', parent_path: paths[0] } });
	const names = async () => (await acl('sql/queries', id)).map((one) => one.group_name ?? 'self');
	assert.deepEqual(await names(), ['self', 'users', 'admins']);
	await prod.call('PATCH', `/api/2.0/sql/queries/${id}`, { update_mask: 'parent_path', query: { parent_path: paths[1] } });
	assert.deepEqual((await names()).sort(), ['admins', etl, 'self', 'users'].sort());
	await made('/api/2.0/workspace/delete', { path: paths[0], recursive: true });
	assert.equal((await prod.get(`/api/2.0/sql/queries/${id}`)).status, 200);
});

test('secret scopes and their ACLs', async () => {
	const scope = fresh('scope'), ann = await user();
	const etl = (await sim.workspaceScim('prod').make('/Groups', { displayName: fresh('etl') })).displayName;
	const call = (verb, body) => prod.post(`/api/2.0/secrets/${verb}`, body);
	const items = async () => (await prod.read(`/api/2.0/secrets/acls/list?scope=${scope}`)).items ?? [];
	assert.deepEqual(await sim.workspace('dev').read('/api/2.0/secrets/scopes/list'), {});
	assert.deepEqual((await call('scopes/create', { scope })).json, {});
	refused(await call('scopes/create', { scope }), 400, TWICE);
	refused(await call('scopes/create', { scope: '*' }), 400, INVALID);
	refused(await call('scopes/create', { scope: 'other', initial_manage_principal: 'etl' }), 400, INVALID);
	await call('scopes/create', { scope: 'everybody', initial_manage_principal: 'users' });
	assert.deepEqual((await prod.read('/api/2.0/secrets/acls/list?scope=everybody')).items, [{ principal: 'users', permission: 'MANAGE' }]);
	assert.ok((await prod.read('/api/2.0/secrets/scopes/list')).scopes.some((one) => one.name === scope && one.backend_type === 'DATABRICKS'));
	assert.deepEqual(await items(), [{ principal: self, permission: 'MANAGE' }]);
	assert.equal((await call('acls/put', { scope, principal: ann, permission: 'READ' })).status, 200);
	assert.equal((await call('acls/put', { scope, principal: etl, permission: 'READ' })).status, 200);
	assert.equal((await call('acls/put', { scope, principal: etl, permission: 'WRITE' })).status, 200);
	assert.deepEqual((await items()).slice(1), [{ principal: ann, permission: 'READ' }, { principal: etl, permission: 'WRITE' }]);
	assert.deepEqual(await prod.read(`/api/2.0/secrets/acls/get?scope=${scope}&principal=${etl}`), { principal: etl, permission: 'WRITE' });
	refused(await call('acls/put', { scope, principal: etl, permission: 'CAN_READ' }), 400, INVALID);
	refused(await call('acls/put', { scope, principal: 'nobody', permission: 'READ' }), 400, INVALID);
	refused(await call('acls/put', { scope: 'none', principal: etl, permission: 'READ' }), 404, GONE);
	assert.equal((await call('acls/delete', { scope, principal: ann })).status, 200);
	refused(await call('acls/delete', { scope, principal: ann }), 404, GONE);
	refused(await prod.get(`/api/2.0/secrets/acls/get?scope=${scope}&principal=${ann}`), 404, GONE);
	assert.equal((await call('scopes/delete', { scope })).status, 200);
	refused(await prod.get(`/api/2.0/secrets/acls/list?scope=${scope}`), 404, GONE);
});

test('--objects', () => withSim([], async (own, at) => {
	const [first, ...others] = (await pages('/api/2.1/clusters/list', 'clusters', at)).all;
	assert.deepEqual([first.cluster_name, first.custom_tags, others.length], ['etl-1', { team: 'etl' }, 29]);
	assert.equal((await at.read('/api/2.0/sql/warehouses')).warehouses[0].tags.custom_tags[0].value, 'bi');
	assert.deepEqual((await at.read('/api/2.0/sql/queries')).results[0].tags, ['team']);
	const [job] = (await at.read('/api/2.2/jobs/list')).jobs;
	assert.deepEqual([job.settings.name, job.settings.tags, job.creator_user_name, String(job.job_id)], ['nightly', { a: 'b' }, 'gone@example.com', '4711']);
	assert.deepEqual((await acl('jobs', 4711, at)).map((one) => one.group_name), ['users', 'admins'], 'who is not known owns nothing');
	const list = (await at.read('/api/2.0/workspace/list?path=/Shared/etl')).objects.map((one) => [one.path, one.object_type]);
	assert.deepEqual(list, [['/Shared/etl/deep', 'DIRECTORY'], ['/Shared/etl/nb-1', 'NOTEBOOK'], ['/Shared/etl/nb-2', 'NOTEBOOK']]);
	assert.equal((await at.read('/api/2.0/workspace/list?path=/Teams')).objects[0].object_type, 'REPO');
	assert.deepEqual(await at.read('/api/2.0/secrets/acls/list?scope=etl'), { items: [{ principal: 'users', permission: 'READ' }] });
	assert.equal((await at.read('/api/2.0/mlflow/databricks/registered-models/get?name=churn')).registered_model_databricks.tags[0].key, 'team');
	refused(await at.get('/api/2.0/permissions/clusters/0101-000000-gonegone'), 400, 'INVALID_STATE', /^Cannot access cluster/);
	assert.equal((await at.get('/api/2.0/permissions/serving-endpoints/')).status, 404, 'system endpoints have no id');
	assert.equal((await at.read('/api/2.0/serving-endpoints')).endpoints[0].id, '');
}, { prod: {
	directories: ['/Shared/etl/deep', { path: '/Shared/etl', acl: [{ group_name: 'users', permission_level: 'CAN_RUN' }] }],
	notebooks: [{ path: '/Shared/etl/nb-#', count: 2 }],
	repos: [{ path: '/Teams/code', url: 'https://git.example.com/code' }],
	clusters: [{ name: 'etl-#', count: 30, tags: { team: 'etl' } }, { name: 'old', id: '0101-000000-gonegone', purged: true }],
	warehouses: [{ name: 'bi', tags: { team: 'bi' } }],
	'sql/queries': [{ name: 'q', folder: '/Shared/sql', tags: { team: 'etl' } }],
	jobs: [{ name: 'nightly', id: '4711', creator: 'gone@example.com', tags: { a: 'b' }, acl: [{ group_name: 'users', permission_level: 'CAN_VIEW' }] }],
	'registered-models': [{ name: 'churn', tags: { team: 'etl' } }],
	'serving-endpoints': [{ name: 'databricks-sample', id: '' }],
	'secret-scopes': [{ name: 'etl', acls: { users: 'READ' } }],
} }));

test('--objects that are not good', () => withSim([], async (own) => {
	const run = (objects) => {
		const file = join(own.folder, 'bad');
		writeFileSync(file, typeof objects === 'string' ? objects : JSON.stringify(objects));
		return spawnSync(own.child.spawnfile, ['--workspace', 'prod', '--objects', file], { encoding: 'utf8', timeout: 10000 });
	};
	for (const [objects, text] of [
		['{', 'bad:1:'],
		[{ test: {} }, 'test: no such workspace'],
		[{ prod: { nonsense: [] } }, 'nonsense: no such type'],
		[{ prod: { jobs: {} } }, 'jobs: not a list'],
		[{ prod: { jobs: [7] } }, 'jobs: an item is'],
		[{ prod: { apps: ['one', 'one'] } }, 'already exists'],
		[{ prod: { jobs: [{ name: 'x', acl: [{ group_name: 'users', permission_level: 'CAN_USE' }] }] } }, 'Invalid permission level CAN_USE'],
		[{ prod: { notebooks: [{ name: 'x' }] } }, 'x: cannot be made'],
	]) {
		const { status, stderr } = run(objects);
		assert.equal(status, 1, stderr);
		assert.ok(stderr.includes(text), stderr);
	}
}));

test('objects stay in the state file', async () => {
	const own = await Sim.start('--workspace', 'prod');
	await own.stop({ keep: true });
	const args = ['--workspace', 'prod', '--state', join(own.folder, 'state')];
	await own.run(args);
	let at = own.workspace('prod');
	for (const one of types)
		await made(one.make[0], one.make[1](`x-${one.type}`), at);
	await made('/api/2.0/postgres/projects?project_id=sample', {}, at);
	await made('/api/2.0/workspace/mkdirs', { path: '/Shared/a/b' }, at);
	await made('/api/2.0/workspace/import', { path: '/Shared/a/nb', content: '' }, at);
	await made('/api/2.0/mlflow/experiments/create', { name: '/Shared/a/nb', tags: [{ key: 'mlflow.experimentType', value: 'NOTEBOOK' }] }, at);
	await made('/api/2.0/repos', { url: 'https://git.example.com/etl', path: '/Shared/a/repo' }, at);
	await made('/api/2.0/secrets/scopes/create', { scope: 'etl' }, at);
	const { job_id } = await made('/api/2.2/jobs/create', { name: 'as' }, at);
	await made('/api/2.2/jobs/update', { job_id, new_settings: { run_as: { service_principal_name: own.first.client_id } } }, at);
	const read = async () => Promise.all([...types.map((one) => one.list), '/api/2.0/postgres/projects', '/api/2.0/mlflow/experiments/list', '/api/2.0/secrets/scopes/list',
		...['/', '/Shared', '/Shared/a', '/Shared/a/repo', '/Users'].map((path) => `/api/2.0/workspace/list?path=${path}`)].map((path) => at.read(path)));
	const was = await read();
	await own.stop({ keep: true });
	await own.run(args);
	at = own.workspace('prod');
	assert.deepEqual(await read(), was);
	await own.stop();
});
