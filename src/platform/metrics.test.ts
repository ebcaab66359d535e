import { describe, expect, it } from 'vitest';
import { addGauge, addUpGauge, createMetrics } from './metrics.ts';

const samplesOf = async (registry: ReturnType<typeof createMetrics>, name: string) =>
  (await registry.metrics())
    .split('\n')
    .filter((line) => line.startsWith(name))
    .map((line) => line.replaceAll(/,?service="test"/g, ''));

describe('a gauge that is read on demand', () => {
  it('shows what its source says now', async () => {
    const registry = createMetrics('test');
    let queued = 3;
    addGauge(registry, { name: 'orders', help: 'h', labels: ['state'] }, () => [
      [['queued'], queued],
    ]);
    expect(await samplesOf(registry, 'orders{')).toEqual(['orders{state="queued"} 3']);
    queued = 4;
    expect(await samplesOf(registry, 'orders{')).toEqual(['orders{state="queued"} 4']);
  });

  it.each([[['state']], [[]]])(
    'has no sample while its source is away (labels: %s)',
    async (labels) => {
      const registry = createMetrics('test');
      let away = false;
      addGauge(registry, { name: 'orders', help: 'h', labels }, () => {
        if (away) throw new Error('away');
        return [[['queued'], 1]];
      });
      expect(await samplesOf(registry, 'orders{')).toHaveLength(1);
      away = true;
      expect(await samplesOf(registry, 'orders{')).toEqual([]);
      expect(await samplesOf(registry, '# TYPE orders')).toHaveLength(1);
    },
  );
});

it('tells whether something answers, also where it never does', async () => {
  const registry = createMetrics('test');
  addUpGauge(registry, { name: 'good_up', help: 'h' }, async () => 'PONG');
  addUpGauge(registry, { name: 'bad_up', help: 'h' }, async () => Promise.reject(new Error('no')));
  addUpGauge(registry, { name: 'mute_up', help: 'h' }, async () => new Promise(() => undefined));
  expect(await samplesOf(registry, 'good_up')).toEqual(['good_up{} 1']);
  expect(await samplesOf(registry, 'bad_up')).toEqual(['bad_up{} 0']);
  expect(await samplesOf(registry, 'mute_up')).toEqual(['mute_up{} 0']);
});
