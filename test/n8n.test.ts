import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { outboundCallBody } from '../src/call/order.ts';
import { outcomes } from '../src/call/outcome.ts';

type Workflow = {
  nodes: { name: string; type: string; typeVersion: number; parameters: Record<string, unknown> }[];
  connections: Record<string, { main: { node: string }[][] }>;
};

const folder = path.resolve(import.meta.dirname, '../docs/n8n');
const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
const read = (name: string) => readFileSync(path.join(folder, name), 'utf8');

/** What a running n8n does with them stands in docs/n8n/README.md; this holds them to the API as it changes. */
describe.each(files)('the n8n workflow %s', (name) => {
  const workflow = JSON.parse(read(name)) as Workflow;
  const nodes = new Map(workflow.nodes.map((node) => [node.name, node]));

  it('has every node at its place: named once, connected, and reachable from the start', () => {
    expect(nodes.size).toBe(workflow.nodes.length);
    const reached = new Set(
      [...nodes.values()]
        .filter(({ type }) => /Trigger$|\.webhook$|\.stickyNote$/.test(type))
        .map((node) => node.name),
    );
    for (const from of reached) {
      for (const { node } of (workflow.connections[from]?.main ?? []).flat()) reached.add(node);
    }
    expect([...reached].toSorted()).toEqual([...nodes.keys()].toSorted());
  });

  it('names only nodes that there are in its expressions', () => {
    const named = [...read(name).matchAll(/\$\('([^']+)'\)/g)].map(([, node = '']) => node);
    for (const node of named) expect([...nodes.keys()]).toContain(node);
  });

  it('orders calls with fields that the API knows, and under a key', () => {
    const orders = [...nodes.values()].filter(({ parameters }) =>
      String(parameters['url']).endsWith('/api/outbound-call'),
    );
    expect(orders.length).toBeGreaterThan(0);
    for (const { parameters } of orders) {
      const object = /JSON\.stringify\(\{(.*)\}\)/.exec(String(parameters['jsonBody']))?.[1] ?? '';
      // Fields of objects within it are people's own.
      const flat = object.replaceAll(/\{[^{}]*\}/g, '');
      const fields = [...flat.matchAll(/(?:^|,)\s*(\w+):/g)].map(([, field = '']) => field);
      expect(fields).toContain('to_number');
      for (const field of fields) expect(Object.keys(outboundCallBody.shape)).toContain(field);
      expect(JSON.stringify(parameters['headerParameters'])).toContain('Idempotency-Key');
    }
  });

  it('knows the outcomes that there are', () => {
    const compared = [
      ...read(name).matchAll(/"leftValue": "=\{\{ \$json\.outcome \}\}",\s*"rightValue": "(\w+)"/g),
    ];
    for (const [, outcome = ''] of compared) expect(outcomes).toContain(outcome);
  });
});
