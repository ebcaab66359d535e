import { expect, it } from 'vitest';
import { planHosts } from './plan-hosts.ts';

const plan = (changes: object, cores = 4) =>
  planHosts(
    { WORKER_MAX_CALLS: 10, WORKER_HOSTS: undefined, CALLS_PER_HOST: undefined, ...changes },
    cores,
  );

it('has a host for each core and spreads the calls evenly, rounded up', () => {
  expect(plan({})).toEqual({ hosts: 4, callsPerHost: 3, capacity: 10, isolated: false });
});

it('has two hosts on one core, so that there is one to go on', () => {
  expect(plan({}, 1)).toMatchObject({ hosts: 2, callsPerHost: 5 });
});

it('has as many hosts as calls of a given number need', () => {
  expect(plan({ CALLS_PER_HOST: 4 })).toMatchObject({ hosts: 3, callsPerHost: 4, capacity: 10 });
});

it('takes no more calls than its hosts', () => {
  expect(plan({ WORKER_HOSTS: 2, CALLS_PER_HOST: 4 })).toMatchObject({ hosts: 2, capacity: 8 });
});

it('has a process for each call where a host has one', () => {
  expect(plan({ CALLS_PER_HOST: 1 })).toMatchObject({ isolated: true, capacity: 10 });
  expect(plan({ WORKER_HOSTS: 10 })).toMatchObject({ isolated: false, callsPerHost: 1 });
});
