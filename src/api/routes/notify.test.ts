import { afterAll, beforeAll, expect, it } from 'vitest';
import { databaseMaker, type DatabaseMaker } from '../../call/ledger/testing.ts';
import { API_KEY, startTestApi, type TestApi } from '../testing.ts';

let maker: DatabaseMaker;
let api: TestApi;
beforeAll(async () => {
  maker = await databaseMaker('embedded');
  api = await startTestApi(async () => maker.open());
});
afterAll(async () => {
  await api.close();
  await maker.remove();
});

it('tells that nobody is told, where nothing is configured', async () => {
  const request = { method: 'POST', url: '/api/notify/test' } as const;
  const answer = await api.app.inject({ ...request, headers: { 'x-api-key': API_KEY } });
  expect([answer.statusCode, answer.json()]).toEqual([200, { channels: [] }]);
  expect((await api.app.inject(request)).statusCode).toBe(401);
  expect((await api.app.inject('/health')).json()).not.toHaveProperty('services.notifications');
});
