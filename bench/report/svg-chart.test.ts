import { describe, expect, it } from 'vitest';
import { barChart, lineChart, numberText } from './svg-chart.ts';

const TAG = /^<(\/?)([a-z]+)((?: [A-Za-z][\w:-]*="[^"<&]*")*)(\/?)>/;
const TEXT = /^(?:[^<>&]|&(?:amp|lt|gt);)+/;

/** The elements of an XML document, each with its attributes. @throws Error where it is not well formed */
function elementsOf(document: string): { name: string; attributes: Record<string, string> }[] {
  const open: string[] = [];
  const elements: { name: string; attributes: Record<string, string> }[] = [];
  for (let rest = document.trim(); rest !== '';) {
    const tag = TAG.exec(rest);
    const read = tag?.[0] ?? TEXT.exec(rest)?.[0];
    if (read === undefined) throw new Error(`no XML: ${rest.slice(0, 60)}`);
    rest = rest.slice(read.length);
    if (!tag) continue;
    const [, closing, name = '', attributes = '', empty] = tag;
    if (closing === '/') {
      if (open.pop() !== name) throw new Error(`</${name}> closes nothing`);
      continue;
    }
    const pairs = attributes.matchAll(/([A-Za-z][\w:-]*)="([^"]*)"/g);
    const named = Object.fromEntries([...pairs].map(([, key = '', value = '']) => [key, value]));
    elements.push({ name, attributes: named });
    if (empty !== '/') open.push(name);
  }
  if (open.length > 0) throw new Error(`<${open.join('>, <')}> not closed`);
  return elements;
}

const bars = [
  { label: 'Ours & theirs', value: 500 },
  { label: 'a < b', value: 1000 },
  { label: 'neither', value: undefined },
];

describe('a chart of bars', () => {
  it('is well-formed SVG, whatever is written in it', () => {
    const svg = barChart({ title: 'Time <to answer> & more', unit: 'ms', bars, goal: 800 });
    const [first] = elementsOf(svg);
    expect(first).toMatchObject({
      name: 'svg',
      attributes: { xmlns: 'http://www.w3.org/2000/svg' },
    });
    expect(svg).toContain('Time &lt;to answer&gt; &amp; more');
    expect(svg).toContain('not measured');
  });

  it('draws each bar as long as its value', () => {
    const drawn = elementsOf(barChart({ title: 'Times', unit: 'ms', bars }));
    const widths = drawn
      .filter(({ name, attributes }) => name === 'rect' && attributes['x'] !== undefined)
      .map(({ attributes }) => Number(attributes['width']));
    expect(widths).toHaveLength(3);
    expect((widths[1] ?? 0) / (widths[0] ?? 1)).toBeCloseTo(2);
    expect(widths[2]).toBe(0);
  });

  it('shows where the goal is, also where all stay below it', () => {
    const drawn = elementsOf(barChart({ title: 'Times', unit: 'ms', bars, goal: 2000 }));
    const line = drawn.find(({ name }) => name === 'line')?.attributes ?? {};
    const longest = drawn
      .filter(({ name, attributes }) => name === 'rect' && attributes['x'] !== undefined)
      .map(({ attributes }) => Number(attributes['x']) + Number(attributes['width']));
    expect(Number(line['x1'])).toBeGreaterThan(Math.max(...longest));
  });
});

describe('a chart of a line', () => {
  it('is well-formed SVG with a place for each point, higher where the value is', () => {
    const points = [
      { x: 100, y: 200 },
      { x: 500, y: 220 },
      { x: 1000, y: 210 },
    ];
    const drawn = elementsOf(lineChart({ title: 'Memory', xUnit: 'calls', yUnit: 'MB', points }));
    const line = drawn.find(({ name }) => name === 'polyline')?.attributes['points'] ?? '';
    const places = line.split(' ').map((place) => place.split(',').map(Number));
    expect(places).toHaveLength(3);
    expect(places[1]?.[1]).toBeLessThan(places[0]?.[1] ?? 0);
    expect(places[2]?.[0]).toBeGreaterThan(places[1]?.[0] ?? 0);
  });
});

describe('a number', () => {
  it.each([
    [1234.5, '1,235'],
    [12.34, '12.3'],
    [0.0712, '0.071'],
    [8, '8'],
  ])('%d is written %s', (value, written) => {
    expect(numberText(value)).toBe(written);
  });
});
