// Cluster policies and their families.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Sim } from './harness.mjs';

let sim, prod, serial = 0;
const base = '/api/2.0/policies/clusters/';
before(async () => {
	sim = await Sim.start('--workspace', 'prod');
	prod = sim.workspace('prod');
});
after(() => sim.stop());

const fresh = (word) => `${word} ${++serial}`;
const DEFINITION = '{ "autotermination_minutes" : {"type":"fixed", "value":30} }';
const call = (verb, body, client = prod) => client.post(base + verb, body);
const refused = (answer, text, status = 400, code = 'INVALID_PARAMETER_VALUE') => {
	assert.equal(answer.status, status, answer.text);
	assert.equal(answer.json.error_code, code, answer.text);
	assert.ok(answer.json.message.includes(text), answer.text);
};
const good = (answer) => {
	assert.equal(answer.status, 200, answer.text);
	return answer.json;
};
const make = async (body = {}) => good(await call('create', { name: fresh('policy'), definition: DEFINITION, ...body })).policy_id;
const read = (id) => prod.read(`${base}get?policy_id=${id}`);

test('made, read with every field, edited as a whole, deleted', async () => {
	const fields = { name: fresh('full'), description: 'text', definition: DEFINITION, max_clusters_per_user: 3,
		libraries: [{ pypi: { package: 'simplejson' } }], auto_enforcement_config: { enforce_mode: 'WAIT_FOR_TERMINATION' } };
	const answer = good(await call('create', fields));
	assert.deepEqual(Object.keys(answer), ['policy_id']);
	const id = answer.policy_id;
	assert.match(id, /^[0-9A-F]{16}$/);
	const made = await read(id);
	assert.deepEqual(made, { ...fields, policy_id: id, creator_user_name: sim.first.client_id,
		created_at_timestamp: made.created_at_timestamp });
	assert.ok(Math.abs(made.created_at_timestamp - Date.now()) < 60000);
	assert.deepEqual(good(await call('edit', { policy_id: id, name: fields.name, definition: '{}' })), {});
	const edited = await read(id);
	assert.deepEqual(Object.keys(edited).sort(),
		['created_at_timestamp', 'creator_user_name', 'definition', 'name', 'policy_id']);
	assert.equal(edited.definition, '{}');
	refused(await call('edit', { policy_id: id, name: fields.name }), 'definition or policy_family_id');
	assert.deepEqual(good(await call('delete', { policy_id: id })), {});
	for (const gone of [await prod.get(`${base}get?policy_id=${id}`), await call('delete', { policy_id: id }),
		await call('edit', { policy_id: id, name: 'x', definition: '{}' })])
		refused(gone, id, 404, 'RESOURCE_DOES_NOT_EXIST');
});

test('what is not taken', async () => {
	const id = await make(), { name } = await read(id), other = await make();
	for (const [body, text] of [
		[{ definition: { autotermination_minutes: { type: 'fixed', value: 30 } } }, 'in a string'],
		[{ definition: 'no JSON' }, 'not valid JSON'],
		[{ definition: undefined }, 'definition or policy_family_id is required'],
		[{ policy_family_id: 'personal-vm' }, 'must not be set together'],
		[{ policy_family_definition_overrides: '{}' }, 'needs policy_family_id'],
		[{ definition: undefined, policy_family_id: 'none' }, 'does not exist'],
		[{ definition: undefined, policy_family_id: 'personal-vm', policy_family_definition_overrides: '[]' }, 'overrides'],
		[{ max_clusters_per_user: 0 }, 'max_clusters_per_user must be greater than 0'],
		[{ name }, `Cluster Policy with name \`${name}\` already exists`],
		[{ name: name.toUpperCase() }, 'already exists'],
		[{ name: '' }, 'name must have'],
		[{ name: 'x'.repeat(101) }, 'name must have'],
		[{ libraries: Array(501).fill({ jar: 'x' }) }, 'libraries'],
		[{ libraries: [{ gem: 'x' }] }, 'libraries'],
		[{ auto_enforcement_config: { enforce_mode: 'NOW' } }, 'enforce_mode'],
	]) {
		refused(await call('create', { name: fresh('bad'), definition: DEFINITION, ...body }), text);
		if (body.name !== '')
			refused(await call('edit', { policy_id: other, name: 'other', definition: DEFINITION, ...body }), text);
	}
	assert.equal((await read(other)).definition, DEFINITION);
	good(await call('edit', { policy_id: id, name, definition: DEFINITION }));
});

test('the shape of a definition is nobody\'s business here', async () => {
	for (const definition of ['[]', '{"a":{}}', '  {"spark_version":{"type":"fixed"}}  '])
		assert.equal((await read(await make({ definition }))).definition, definition);
});

test('a family with overrides', async () => {
	const id = good(await call('create', { name: fresh('mine'), policy_family_id: 'personal-vm',
		policy_family_definition_overrides: '{"autotermination_minutes":{"type":"fixed","value":10}}' })).policy_id;
	const made = await read(id);
	assert.equal(made.policy_family_id, 'personal-vm');
	const definition = JSON.parse(made.definition);
	assert.deepEqual(definition.autotermination_minutes, { type: 'fixed', value: 10 });
	assert.deepEqual(definition.num_workers, { type: 'fixed', value: 0, hidden: true });
	const { policy_families: families } = await prod.read('/api/2.0/policy-families');
	assert.deepEqual(families.map((one) => one.policy_family_id), ['personal-vm', 'power-user', 'shared-compute', 'job-cluster']);
	assert.deepEqual(await prod.read('/api/2.0/policy-families/personal-vm'), families[0]);
	refused(await prod.get('/api/2.0/policy-families/none'), 'none', 404, 'RESOURCE_DOES_NOT_EXIST');
	const page = await prod.read('/api/2.0/policy-families?max_results=3');
	assert.equal(page.policy_families.length, 3);
	const rest = await prod.read(`/api/2.0/policy-families?max_results=3&page_token=${page.next_page_token}`);
	assert.deepEqual([rest.policy_families.length, 'next_page_token' in rest], [1, false]);
});

test('those that are there from the start', async () => {
	const list = (await prod.read(`${base}list`)).policies;
	const personal = list.find((one) => one.is_default && one.name === 'Personal Compute');
	refused(await call('delete', { policy_id: personal.policy_id }), 'cannot be deleted');
	refused(await call('edit', { policy_id: personal.policy_id, name: personal.name, policy_family_id: 'power-user' }),
		'Changing policy_family_id is forbidden for default cluster policies.');
	good(await call('edit', { policy_id: personal.policy_id, name: personal.name, policy_family_id: 'personal-vm',
		policy_family_definition_overrides: '{"num_workers":{"type":"unlimited"}}' }));
	const edited = await read(personal.policy_id);
	assert.deepEqual([edited.is_default, JSON.parse(edited.definition).num_workers], [true, { type: 'unlimited' }]);
});

test('the order of a list', async () => {
	await make({ name: 'aaa' });
	await make({ name: 'zzz' });
	const names = async (query) => (await prod.read(`${base}list${query}`)).policies.map((one) => one.name);
	const sorted = await names('?sort_column=POLICY_NAME&sort_order=ASC');
	assert.deepEqual(sorted, [...sorted].sort());
	assert.deepEqual(await names('?sort_column=POLICY_NAME&sort_order=DESC'), sorted.reverse());
	const times = (await prod.read(`${base}list`)).policies.map((one) => one.created_at_timestamp);
	assert.deepEqual(times, [...times].sort((a, b) => b - a));
	refused(await prod.get(`${base}list?sort_order=UP`), 'sort_order');
});

test('who is no admin reads and writes nothing; the name of who is gone does not show', async () => {
	const who = await sim.scim.make('/ServicePrincipals', { displayName: 'etl' });
	await sim.assignments('prod').put(`/principals/${who.id}`, { permissions: ['ADMIN'] });
	const { token_value: text } = good(await prod.post('/api/2.0/token-management/on-behalf-of/tokens',
		{ application_id: who.applicationId }));
	const client = new Client(prod.base, text);
	const body = { name: fresh('of etl'), definition: '{}' };
	const { policy_id: id } = good(await call('create', body, client));
	assert.equal((await read(id)).creator_user_name, who.applicationId);
	await sim.assignments('prod').put(`/principals/${who.id}`, { permissions: ['USER'] });
	for (const [verb, more] of [['create', { name: fresh('x') }], ['edit', { policy_id: id }], ['delete', { policy_id: id }]])
		refused(await call(verb, { ...body, ...more }, client), 'admins', 403, 'PERMISSION_DENIED');
	await sim.scim.delete(`/ServicePrincipals/${who.id}`);
	assert.ok(!('creator_user_name' in await read(id)));
});

test('kept in a state file', async () => {
	const folder = mkdtempSync(join(tmpdir(), 'dbx-sim-')), state = join(folder, 'state');
	let one = await Sim.start('--workspace', 'prod', '--state', state);
	const { policy_id: id } = good(await call('create', { name: 'kept', definition: DEFINITION, max_clusters_per_user: 2 },
		one.workspace('prod')));
	const before = await one.workspace('prod').read(`${base}list`);
	await one.stop();
	one = await Sim.start('--state', state);
	assert.deepEqual(await one.workspace('prod').read(`${base}list`), before);
	assert.ok(before.policies.some((policy) => policy.policy_id === id));
	await one.stop();
	rmSync(folder, { recursive: true });
});

// Where policies meet their ACLs and clusters.
const ACL = '/api/2.0/permissions/cluster-policies/';
async function robot() {
	const who = await sim.scim.make('/ServicePrincipals', { displayName: fresh('etl') });
	await sim.assignments('prod').put(`/principals/${who.id}`, { permissions: ['USER'] });
	const { token_value: text } = good(await prod.post('/api/2.0/token-management/on-behalf-of/tokens',
		{ application_id: who.applicationId }));
	return { ...who, client: new Client(prod.base, text) };
}
const give = (id, ...names) => prod.call('PATCH', ACL + id,
	{ access_control_list: names.map((service_principal_name) => ({ service_principal_name, permission_level: 'CAN_USE' })) });
const cluster = (body, client = prod) => client.post('/api/2.0/clusters/create', { cluster_name: fresh('c'), spark_version: '15.4', num_workers: 1, ...body });

test('who may use a policy sees it', async () => {
	const { applicationId, client } = await robot(), id = await make();
	const sees = async () => (await client.read(`${base}list`)).policies.some((one) => one.policy_id === id);
	assert.ok(!await sees());
	refused(await client.get(`${base}get?policy_id=${id}`), id, 403, 'PERMISSION_DENIED');
	good(await give(id, applicationId));
	assert.ok(await sees());
	good(await client.get(`${base}get?policy_id=${id}`));
});

test('a deleted policy takes its ACL along; one of the same name has none', async () => {
	const { applicationId } = await robot(), name = fresh('again'), id = await make({ name });
	good(await give(id, applicationId));
	good(await call('delete', { policy_id: id }));
	refused(await prod.get(ACL + id), id, 404, 'RESOURCE_DOES_NOT_EXIST');
	const second = await make({ name });
	assert.notEqual(second, id);
	assert.ok(!JSON.stringify(await prod.read(ACL + second)).includes(applicationId));
});

test('clusters keep to their policy when they are made or edited', async () => {
	const id = await make();
	refused(await cluster({ policy_id: id }), 'Validation failed for autotermination_minutes, must be present');
	refused(await cluster({ policy_id: id, autotermination_minutes: 20 }),
		'Validation failed for autotermination_minutes, the value must be 30 (is "20")');
	refused(await cluster({ policy_id: 'NONE' }), "Can't find a cluster policy with id: NONE.");
	const { cluster_id } = good(await cluster({ policy_id: id, autotermination_minutes: 30 }));
	const edit = (body) => prod.post('/api/2.0/clusters/edit', { cluster_id, num_workers: 2, ...body });
	good(await edit({}));
	refused(await edit({ autotermination_minutes: 40 }), 'must be 30');
	const compliance = () => prod.read(`${base}get-compliance?cluster_id=${cluster_id}`);
	assert.deepEqual(await compliance(), { is_compliant: true, violations: {} });
	good(await call('edit', { policy_id: id, name: fresh('changed'), definition: '{"autotermination_minutes":{"type":"fixed","value":10}}' }));
	assert.equal((await compliance()).is_compliant, false);
	const list = await prod.read(`${base}list-compliance?policy_id=${id}`);
	assert.deepEqual([list.clusters.map((one) => [one.cluster_id, one.is_compliant]), list.next_page_token], [[[cluster_id, false]], '']);
	const enforce = (more) => call('enforce-compliance', { cluster_id, ...more });
	const change = { field: 'autotermination_minutes', previous_value: '30', new_value: '10' };
	for (const more of [{ validate_only: true }, {}])
		assert.deepEqual(good(await enforce(more)), { has_changes: true, changes: [change] });
	assert.deepEqual(good(await enforce()), { has_changes: false, changes: [] });
	assert.equal((await compliance()).is_compliant, true);
	good(await call('delete', { policy_id: id }));
	assert.equal((await prod.read(`/api/2.0/clusters/get?cluster_id=${cluster_id}`)).state, 'RUNNING');
	refused(await edit({}), `Can't find a cluster policy with id: ${id}.`);
	good(await edit({ policy_id: await make() , autotermination_minutes: 30 }));
});

test('jobs whose clusters are under a policy', async () => {
	const id = await make(), other = await make();
	const cluster = (minutes, policy_id = id) => ({ new_cluster: { policy_id, autotermination_minutes: minutes } });
	const job = async (settings) => good(await prod.post('/api/2.2/jobs/create', { name: fresh('j'), ...settings })).job_id;
	const [kept, broken] = [await job({ tasks: [{ task_key: 'a', ...cluster(30) }] }), await job({ job_clusters: [cluster(30, other), cluster(20)] })];
	await job({ tasks: [{ task_key: 'a', existing_cluster_id: 'x' }] });
	const list = await prod.read(`/api/2.0/policies/jobs/list-compliance?policy_id=${id}`);
	assert.deepEqual(list.jobs.map((one) => [one.job_id, one.is_compliant]), [[kept, true], [broken, false]]);
	assert.equal(list.next_page_token, '');
	assert.deepEqual((await prod.read(`/api/2.0/policies/jobs/list-compliance?policy_id=${other}`)).jobs.map((one) => [one.job_id, one.is_compliant]), [[broken, true]]);
	const page = await prod.read(`/api/2.0/policies/jobs/list-compliance?policy_id=${id}&page_size=1`);
	assert.deepEqual([page.jobs.length, page.next_page_token.length > 0], [1, true]);
	assert.deepEqual(await prod.read(`/api/2.0/policies/jobs/get-compliance?job_id=${broken}`),
		{ is_compliant: false, violations: { autotermination_minutes: 'Validation failed for autotermination_minutes, the value must be 30 (is "20")' } });
	refused(await prod.get('/api/2.0/policies/jobs/list-compliance?policy_id=NONE'), 'NONE', 404, 'RESOURCE_DOES_NOT_EXIST');
	refused(await prod.get('/api/2.0/policies/jobs/get-compliance?job_id=17'), 'Job 17 does not exist.');
	const { cluster_id } = good(await prod.post('/api/2.0/clusters/create', { cluster_name: 'c', ...cluster(30).new_cluster }));
	const listed = async (policy) => ((await prod.read(`/api/2.1/clusters/list?filter_by.policy_id=${policy}`)).clusters ?? []).map((one) => one.cluster_id);
	assert.deepEqual([await listed(id), await listed(other)], [[cluster_id], []]);
});

test('a malformed definition comes to light when a cluster uses it', async () => {
	for (const definition of ['[]', '{"num_workers":{"value":1}}'])
		refused(await cluster({ policy_id: await make({ definition }) }), 'cannot be satisfied due to the malformed policy definition');
});

test('clusters of a policy: who may, and how many', async () => {
	const { applicationId, client } = await robot(), id = await make({ definition: '{}', max_clusters_per_user: 2 });
	refused(await cluster({ policy_id: id }, client), 'is not authorized to use cluster policy');
	good(await give(id, applicationId));
	for (let i = 0; i < 2; i++)
		good(await cluster({ policy_id: id }, client));
	refused(await cluster({ policy_id: id }, client), 'The maximum of 2 clusters per user');
	good(await cluster({ policy_id: id }));
});
