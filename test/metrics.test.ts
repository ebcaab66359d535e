import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parser } from '@prometheus-io/lezer-promql';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { exposedMetrics, services, type Metric, type Service } from './exposed-metrics.ts';

const docs = path.resolve(import.meta.dirname, '../docs');
const read = (name: string) => readFileSync(path.join(docs, name), 'utf8');

let exposed: Record<Service, Metric[]>;
beforeAll(async () => {
  exposed = await exposedMetrics();
});

/** The tables of one section of docs/metrics.md. */
function documented(section: string): Metric[] {
  const text = read('metrics.md')
    .split(/^## /m)
    .find((part) => part.startsWith(`${section}\n`));
  return [...(text ?? '').matchAll(/^\| +`(\w+)` +\| +(\w+) +\|([^|]*)\| +(\w+) +\|/gm)].map(
    ([, name = '', type = '', labels = '']) => ({
      name,
      type,
      labels: labels
        .split(',')
        .map((label) => label.trim())
        .filter((label) => label !== '')
        .toSorted(),
    }),
  );
}

const byName = (metrics: Metric[]) => metrics.toSorted((a, b) => a.name.localeCompare(b.name));

describe('docs/metrics.md', () => {
  it.each(services)(
    'tells every metric of the %s, with its type and labels, and no other',
    (service) => {
      const common = documented('Every process');
      expect(common.length).toBeGreaterThan(20);
      const own = documented(service);
      expect(byName([...common, ...own])).toEqual(byName(exposed[service]));
    },
  );

  it('has no label that could hold a number, an id or what was said', () => {
    const labels = new Set(
      Object.values(exposed).flatMap((all) => all.flatMap((one) => one.labels)),
    );
    for (const label of labels) expect(label).not.toMatch(/number|call|from|to$|text|id$|key|url/);
  });
});

/** Metrics and label matchers of a PromQL expression, which must parse. */
function examine(expression: string): { metrics: string[]; labels: string[] } {
  const metrics: string[] = [];
  const labels: string[] = [];
  const text = expression
    // What Grafana fills in.
    .replaceAll('$__rate_interval', '5m')
    .replaceAll('$__range', '1h');
  parser.parse(text).iterate({
    enter: ({ type, from, to, node }) => {
      const word = text.slice(from, to);
      if (type.isError) throw new Error(`no PromQL at ${from}: ${text}`);
      if (type.name === 'LabelName') labels.push(word);
      if (type.name === 'Identifier' && node.parent?.name === 'VectorSelector') metrics.push(word);
    },
  });
  return { metrics, labels };
}

/** Of Prometheus itself, for each target and sample. */
const builtIn = { metrics: ['up'], labels: ['job', 'instance', 'service', 'le'] };

function expectKnown(expression: string): void {
  const all = Object.values(exposed).flat();
  const { metrics, labels } = examine(expression);
  expect(metrics.length, expression).toBeGreaterThan(0);
  const known = metrics.flatMap((metric) => {
    if (builtIn.metrics.includes(metric)) return [];
    const found = all.filter(
      ({ name, type }) =>
        name === metric ||
        (type === 'histogram' &&
          ['_bucket', '_sum', '_count'].some((end) => name + end === metric)),
    );
    expect(found, `${metric} in ${expression}`).not.toEqual([]);
    return found.flatMap((one) => one.labels);
  });
  expect([...builtIn.labels, ...known], expression).toEqual(expect.arrayContaining(labels));
}

type Rule = {
  alert: string;
  expr: string;
  for?: string;
  labels: { severity: string };
  annotations: { summary: string; description: string; runbook: string };
};

describe('docs/alerts.yaml', () => {
  const { groups } = parse(read('alerts.yaml')) as { groups: { name: string; rules: Rule[] }[] };
  const rules = groups.flatMap((group) => group.rules);

  it('has alerts of different names', () => {
    expect(rules.length).toBeGreaterThan(15);
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
    expect(new Set(groups.map(({ name }) => name)).size).toBe(groups.length);
  });

  it.each(rules.map((rule) => [rule.alert, rule] as const))(
    '%s: is PromQL over metrics that there are, and tells what to do',
    (alert, rule) => {
      expectKnown(rule.expr);
      expect(rule.for ?? '0m').toMatch(/^\d+[smh]$/);
      expect(['critical', 'warning']).toContain(rule.labels.severity);
      expect(rule.annotations.summary.length).toBeGreaterThan(10);
      expect(rule.annotations.description.length).toBeGreaterThan(20);
      // Templates may use only labels that the expression leaves.
      const used = [...rule.annotations.summary.matchAll(/\$labels\.(\w+)/g)].map(([, one]) => one);
      for (const label of used)
        expect(rule.expr, `${alert}: ${label}`).toMatch(
          new RegExp(`by \\([^)]*${label}|^(?!.*(sum|max|min)).*$`, 's'),
        );
      expect(rule.annotations.runbook).toBe('docs/operating.md#at-3-am');
      expect(read('operating.md')).toMatch(new RegExp(`^\\|.*\`${alert}\`.*\\|$`, 'm'));
    },
  );

  it('is all that docs/operating.md tells of', () => {
    const told = [...read('operating.md').matchAll(/`(Trunkline[A-Z]\w+)`/g)].map(
      ([, name]) => name,
    );
    expect(new Set(told)).toEqual(new Set(rules.map(({ alert }) => alert)));
    expect(read('operating.md')).toContain('\n## At 3 a.m.\n');
  });
});

type Panel = {
  id: number;
  title: string;
  type: string;
  gridPos: { x: number; y: number; w: number; h: number };
  datasource?: { uid: string };
  targets?: { expr: string; refId: string; datasource: { uid: string } }[];
};

describe('the Prometheus of docker-compose.yaml', () => {
  type Scrape = {
    job_name: string;
    static_configs?: { targets: string[] }[];
    dns_sd_configs?: { names: string[]; port: number }[];
  };
  const root = path.resolve(docs, '..');

  it('scrapes every process of ours where compose has it listen', () => {
    const { services: containers } = parse(
      readFileSync(path.join(root, 'docker-compose.yaml'), 'utf8'),
      { merge: true },
    ) as { services: Record<string, { command?: string[]; healthcheck?: { test?: string[] } }> };
    const { scrape_configs: jobs } = parse(
      readFileSync(path.join(root, 'deploy/prometheus.yml'), 'utf8'),
    ) as { scrape_configs: Scrape[] };
    const ours = jobs.find(({ job_name: name }) => name === 'trunkline');
    const targets = [
      ...(ours?.static_configs ?? []).flatMap((one) => one.targets),
      ...(ours?.dns_sd_configs ?? []).flatMap(({ names, port }) =>
        names.map((name) => `${name}:${port}`),
      ),
    ];
    const listening = Object.entries(containers).flatMap(([name, { command, healthcheck }]) => {
      const service = /^src\/(.*)\/main\.ts$/.exec(command?.[1] ?? '')?.[1] ?? '';
      const port = /127\.0\.0\.1:(\d+)\/health/.exec(healthcheck?.test?.join(' ') ?? '')?.[1];
      return services.includes(service as Service) && port ? [`${name}:${port}`] : [];
    });
    expect(listening).toHaveLength(services.length);
    expect(new Set(targets)).toEqual(new Set(listening));
  });
});

describe('docs/grafana-dashboard.json', () => {
  const dashboard = JSON.parse(read('grafana-dashboard.json')) as {
    uid: string;
    schemaVersion: number;
    templating: { list: { name: string; type: string; query: string }[] };
    panels: Panel[];
  };
  const { panels } = dashboard;
  const charts = panels.filter(({ type }) => type !== 'row');

  it('can be imported: one data source to choose, and panels that do not collide', () => {
    expect(dashboard.schemaVersion).toBeGreaterThanOrEqual(39);
    expect(dashboard.templating.list).toMatchObject([
      { name: 'datasource', type: 'datasource', query: 'prometheus' },
    ]);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const taken = new Map<string, string>();
    for (const { title, gridPos } of panels) {
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          expect(taken.get(`${x}/${y}`), `${title} lies over another panel`).toBeUndefined();
          taken.set(`${x}/${y}`, title);
        }
      }
    }
  });

  it.each(charts.map((panel) => [panel.title, panel] as const))(
    '%s: asks PromQL over metrics that there are',
    (_title, panel) => {
      expect(panel.targets?.length).toBeGreaterThan(0);
      const refs = panel.targets?.map(({ refId }) => refId) ?? [];
      expect(new Set(refs).size).toBe(refs.length);
      for (const { expr, datasource } of panel.targets ?? []) {
        expect(datasource.uid).toBe('${datasource}');
        expectKnown(expr);
      }
    },
  );

  it('shows every metric of ours that is not for debugging', () => {
    const shown = charts
      .flatMap(({ targets }) => (targets ?? []).map(({ expr }) => expr))
      .join('\n');
    const missing = [
      ...new Set(
        Object.values(exposed)
          .flat()
          .map(({ name }) => name),
      ),
    ]
      .filter((name) => name.startsWith('trunkline_'))
      .filter((name) => !new RegExp(`\\b${name}(_bucket|_sum|_count)?\\b`).test(shown));
    expect(missing).toEqual([]);
  });
});
