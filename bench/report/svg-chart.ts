/** One bar, or a point of a line; what is missing is said in words. */
export type Bar = { label: string; value: number | undefined; note?: string };

export type BarChart = {
  title: string;
  /** Of all values, for example ms. */
  unit: string;
  bars: readonly Bar[];
  /** A line across all bars that shows what was aimed for. */
  goal?: number;
};

const WIDTH = 720;
const LABEL = 210;
const RIGHT = 130;
const ROW = 34;
const TOP = 64;
const BOTTOM = 30;
const COLOURS = ['#2a6f97', '#8d99ae', '#c9a227'];
const FONT = 'font-family="system-ui, sans-serif"';

/** Horizontal bars from zero, one below the other, as an SVG document. */
export function barChart({ title, unit, bars, goal }: BarChart): string {
  const most = Math.max(goal ?? 0, ...bars.map(({ value }) => value ?? 0), Number.MIN_VALUE);
  const height = TOP + bars.length * ROW + BOTTOM;
  const plot = WIDTH - LABEL - RIGHT;
  const x = (value: number) => LABEL + (value / most) * plot;
  const rows = bars.map(({ label, value, note }, index) => {
    const y = TOP + index * ROW;
    const said = note ?? (value === undefined ? 'not measured' : `${numberText(value)} ${unit}`);
    const width = value === undefined ? 0 : x(value) - LABEL;
    return [
      text({ x: LABEL - 10, y: y + 17, anchor: 'end', size: 14 }, label),
      `<rect x="${LABEL}" y="${y}" width="${fixed(width)}" height="${ROW - 10}" rx="2" fill="${COLOURS[index % COLOURS.length]}"/>`,
      text({ x: LABEL + width + 8, y: y + 17, anchor: 'start', size: 14 }, said),
    ].join('\n');
  });
  const bottom = TOP + bars.length * ROW;
  const line =
    goal === undefined
      ? []
      : [
          `<line x1="${fixed(x(goal))}" y1="${TOP - 8}" x2="${fixed(x(goal))}" y2="${bottom}" stroke="#c1121f" stroke-dasharray="4 3"/>`,
          text(
            { x: x(goal), y: bottom + 18, anchor: 'middle', size: 12, fill: '#c1121f' },
            `goal ${numberText(goal)} ${unit}`,
          ),
        ];
  return document(height, title, [...rows, ...line]);
}

export type LineChart = {
  title: string;
  xUnit: string;
  yUnit: string;
  points: readonly { x: number; y: number }[];
};

/** A line over time or number, from zero, as an SVG document. */
export function lineChart({ title, xUnit, yUnit, points }: LineChart): string {
  const height = 300;
  const area = { left: 80, right: WIDTH - 40, top: TOP, bottom: height - 50 };
  const mostX = Math.max(...points.map((point) => point.x), Number.MIN_VALUE);
  const mostY = Math.max(...points.map((point) => point.y), Number.MIN_VALUE) * 1.1;
  const x = (value: number) => area.left + (value / mostX) * (area.right - area.left);
  const y = (value: number) => area.bottom - (value / mostY) * (area.bottom - area.top);
  const path = points.map((point) => `${fixed(x(point.x))},${fixed(y(point.y))}`).join(' ');
  const marks = [0, 0.5, 1].flatMap((share) => [
    text(
      { x: x(mostX * share), y: area.bottom + 20, anchor: 'middle', size: 12 },
      numberText(mostX * share),
    ),
    text(
      { x: area.left - 8, y: y(mostY * share) + 4, anchor: 'end', size: 12 },
      numberText(mostY * share),
    ),
  ]);
  return document(height, title, [
    `<path d="M${area.left},${area.top}V${area.bottom}H${area.right}" fill="none" stroke="#888"/>`,
    `<polyline points="${path}" fill="none" stroke="${COLOURS[0]}" stroke-width="2"/>`,
    ...marks,
    text({ x: area.right, y: height - 10, anchor: 'end', size: 12 }, xUnit),
    text({ x: area.left - 60, y: area.top - 12, anchor: 'start', size: 12 }, yUnit),
  ]);
}

function document(height: number, title: string, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    text({ x: 20, y: 30, anchor: 'start', size: 16 }, title),
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

function text(
  at: { x: number; y: number; anchor: 'start' | 'middle' | 'end'; size: number; fill?: string },
  words: string,
): string {
  const place = `x="${fixed(at.x)}" y="${fixed(at.y)}" text-anchor="${at.anchor}"`;
  return `<text ${place} ${FONT} font-size="${at.size}" fill="${at.fill ?? '#222222'}">${escaped(words)}</text>`;
}

/** As people read it: thousands set off, no more digits than mean something. */
export function numberText(value: number): string {
  const digits = value >= 100 || Number.isInteger(value) ? 0 : value >= 1 ? 1 : 3;
  return value.toLocaleString('en-GB', { maximumFractionDigits: digits });
}

function fixed(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function escaped(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
