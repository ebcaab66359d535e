import { expect, it } from 'vitest';
import { postgresUrls } from './postgres-hosts.ts';

it('is one URL for each host, with everything else that was said', () => {
  expect(postgresUrls('postgres://ada:p%40ss@10.0.0.1/calls')).toEqual([
    'postgres://ada:p%40ss@10.0.0.1/calls',
  ]);
  const url =
    'postgresql://ada:word@one:5433,[::1]/calls?sslmode=require&target_session_attrs=read-write';
  expect(postgresUrls(url)).toEqual([
    'postgresql://ada:word@one:5433/calls?sslmode=require',
    'postgresql://ada:word@[::1]/calls?sslmode=require',
  ]);
  expect(postgresUrls('postgres:///calls?host=%2Fvar%2Frun')).toEqual([
    'postgres:///calls?host=%2Fvar%2Frun',
  ]);
});

it.each([
  ['mysql://user:secret@one/calls', 'must look like'],
  ['postgres://user:secret@one:5432:1,two/calls', 'host:port'],
  ['postgres://user:secret@one,two/calls?target_session_attrs=standby', 'read-write'],
])('is refused as %s, with the reason and without the password', (url, reason) => {
  expect(() => postgresUrls(url)).toThrow(reason);
  expect(() => postgresUrls(url)).not.toThrow('secret');
});
