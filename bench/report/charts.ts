import { systemNames, systems, type System } from '../contender/systems.ts';
import type { Figures, Result } from '../results.ts';
import { barChart, lineChart, type Bar } from './svg-chart.ts';

type Of<M extends Figures['measure']> = Extract<Figures, { measure: M }>['value'];

/** The plots by their file's name; of what was not measured there is none. */
export function charts(results: readonly Result[]): Map<string, string> {
  const plots = new Map<string, string>();
  const bars = <M extends Figures['measure']>(
    measure: M,
    of: (value: Of<M>) => Omit<Bar, 'label'>,
  ): Bar[] =>
    systems.flatMap((system) => {
      const value = figuresOf(results, system, measure);
      return value === undefined ? [] : [{ label: systemNames[system], ...of(value) }];
    });
  const add = (name: string, chart: { title: string; unit: string; goal: number; bars: Bar[] }) => {
    if (chart.bars.length > 0) plots.set(`${name}.svg`, barChart(chart));
  };
  add('burst', {
    title: 'Calls half a second apart: dialling to answer, p95',
    unit: 'ms',
    goal: 800,
    bars: bars('burst', ({ answerMs, answered, calls }) => ({
      value: answerMs?.p95,
      note: `${answerMs?.p95 ?? '–'} ms, ${answered} of ${calls}`,
    })),
  });
  add('memory', {
    title: 'Memory that a further call adds',
    unit: 'MB',
    goal: 12,
    bars: bars('density', (value) => ({ value: value.memoryAFurtherCallAddsMb })),
  });
  add('cpu', {
    title: 'Cores of the agents for one call, talking throughout',
    unit: 'cores',
    goal: 0.07,
    bars: bars('density', (value) => ({ value: value.cpuACallCores })),
  });
  add('turn', {
    title: 'Caller’s last sound to the reply heard, median',
    unit: 'ms',
    goal: 550,
    bars: bars('latency', ({ times }) => ({ value: times['caller_to_reply']?.p50 })),
  });
  add('barge-in', {
    title: 'Barge-in to silence, median',
    unit: 'ms',
    goal: 400,
    bars: bars('latency', ({ times }) => ({ value: times['break_in_to_silence']?.p50 })),
  });
  add('loss', {
    title: 'Host killed in mid-sentence to agent heard again, longest',
    unit: 'ms',
    goal: 3000,
    bars: bars('kill', ({ host }) =>
      host?.heardAgainMs ? { value: host.heardAgainMs.max } : { value: undefined, note: 'never' },
    ),
  });
  const soak = figuresOf(results, 'trunkline', 'soak');
  if (soak) {
    const points = soak.memoryMb.map(({ calls, mb }) => ({ x: calls, y: mb }));
    const axes = { xUnit: 'calls', yUnit: 'MB' };
    plots.set(
      'soak.svg',
      lineChart({ title: 'Memory of a worker with one host, without a call', ...axes, points }),
    );
  }
  const crowd = figuresOf(results, 'trunkline', 'crowd');
  if (crowd && crowd.samples.length > 1) {
    const points = crowd.samples.map(({ second, memoryMb }) => ({ x: second, y: memoryMb }));
    plots.set(
      'crowd.svg',
      lineChart({
        title: `Memory of the agents with ${crowd.calls} calls`,
        xUnit: 'seconds',
        yUnit: 'MB',
        points,
      }),
    );
  }
  return plots;
}

function figuresOf<M extends Figures['measure']>(
  results: readonly Result[],
  system: System,
  measure: M,
): Of<M> | undefined {
  const found = results.find(
    (result) => result.system === system && result.figures.measure === measure,
  );
  return found?.figures.value as Of<M> | undefined;
}
