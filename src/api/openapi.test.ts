import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databaseMaker, type DatabaseMaker } from '../call/ledger/testing.ts';
import { startTestApi, type TestApi } from './testing.ts';

type Response = {
  content?: Record<string, { schema: Record<string, unknown> }>;
  headers?: object;
};
type Operation = {
  operationId: string;
  summary?: string;
  description?: string;
  tags?: string[];
  security?: Record<string, string[]>[];
  responses: Record<string, Response>;
  parameters?: { name: string; in: string; required?: boolean }[];
};
type Document = {
  tags: { name: string; description: string }[];
  paths: Record<string, Record<string, Operation>>;
};

describe('the OpenAPI document', () => {
  let maker: DatabaseMaker;
  let api: TestApi;
  let document: Document;
  let operations: [string, Operation][];

  beforeAll(async () => {
    maker = await databaseMaker('embedded');
    api = await startTestApi(async () => maker.open());
    document = (await api.app.inject('/openapi.json')).json();
    operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]): [string, Operation] => [
        `${method} ${path}`,
        operation,
      ]),
    );
  });
  afterAll(async () => {
    await api.close();
    await maker.remove();
  });

  it('is valid by the schema of OpenAPI 3.1', async () => {
    const result = await new Validator().validate(
      structuredClone<object>(document) as Record<string, unknown>,
    );
    expect(result.errors ?? []).toEqual([]);
    expect(result.valid).toBe(true);
  });

  it('names each operation once, tells what it does, and sorts it under a tag that is described', () => {
    const names = operations.map(([, { operationId }]) => operationId);
    expect(new Set(names).size).toBe(names.length);
    const tags = document.tags.map(({ name }) => name);
    for (const [address, { summary, tags: own }] of operations) {
      expect(summary, address).toMatch(/^\S.{5,}/);
      expect(own, address).toHaveLength(1);
      expect(tags, address).toContain(own?.[0]);
    }
  });

  it('tells of each operation below /api which key it wants, and every way to fail', () => {
    for (const [address, operation] of operations) {
      if (!address.includes(' /api/') || operation.security?.length === 0) continue;
      expect(operation.security, address).toEqual(
        expect.arrayContaining([{ apiKey: [] }, { bearer: [] }]),
      );
      expect(operation.description, address).toMatch(/scope `(read|call|manage)`/);
      expect(Object.keys(operation.responses), address).toEqual(
        expect.arrayContaining(['401', '403', '429', '500', '503']),
      );
    }
  });

  it('describes every answer from 400 on as a problem', () => {
    for (const [address, { responses }] of operations) {
      if (!address.includes(' /api/')) continue;
      for (const [status, response] of Object.entries(responses)) {
        if (Number(status) < 400) continue;
        const media = response.content?.['application/problem+json'];
        expect(media?.schema, `${address} ${status}`).toEqual({
          $ref: '#/components/schemas/Problem',
        });
      }
      expect(responses['503']?.headers, address).toHaveProperty('Retry-After');
    }
  });

  it('names the parameters of every address', () => {
    for (const [address, { parameters = [] }] of operations) {
      const inPath = [...address.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const named = parameters.filter((one) => one.in === 'path').map(({ name }) => name);
      expect(named, address).toEqual(inPath);
    }
  });
});
