import { defineCommand } from 'citty';
import { examine, type Examination } from '../../../trunk/status/examine.ts';
import { findingLines } from './finding-lines.ts';
import { withTrunkContext } from './trunk-context.ts';

const command = defineCommand({
  meta: {
    name: 'status',
    description: 'Tell why calls fail: a 403, 407, 404, 488, 503 or silence, with the evidence',
  },
  args: { json: { type: 'boolean', description: 'print one JSON object' } },
  async run({ args }) {
    const examination = await withTrunkContext(({ config, liveKit, trunks }) =>
      examine(config, trunks, liveKit),
    );
    process.stdout.write(
      args.json === true ? `${JSON.stringify(examination)}\n` : describe(examination),
    );
    const bad = examination.findings.some(({ severity }) => severity === 'problem');
    if (examination.diagnoses.length > 0 || bad) process.exitCode = 1;
  },
});

export default command;

function describe(examination: Examination): string {
  const { announced, diagnoses, findings, publicAddress, recentCalls, sipService, trunks } =
    examination;
  const announces = announced.ok
    ? announced.signalling === announced.media
      ? announced.media
      : `${announced.signalling} for signalling, ${announced.media} for sound`
    : announced.reason;
  const lines = [
    `livekit-sip      ${sipService.ok ? 'healthy' : `NOT WELL (${sipService.detail})`}`,
    `announces        ${announces}`,
    ...(publicAddress
      ? [`reached at       ${publicAddress.address} (${publicAddress.source})`]
      : []),
    `recent calls     ${recentCalls.detail}`,
    ...trunks.map(({ calls, name, pulse }) => {
      const answer = pulse.answered
        ? `answers (${pulse.status})`
        : `does not answer: ${pulse.reason}`;
      const statuses = Object.entries(calls.byStatus).map(
        ([status, count]) => `${count}×${status}`,
      );
      return `trunk ${name.padEnd(10)} ${answer}; ${calls.total} calls ${statuses.join(' ')}`.trimEnd();
    }),
    '',
    ...diagnoses.flatMap(({ cause, evidence, remedy, sentence, symptom, trunk }) => [
      `${symptom}${trunk === undefined ? '' : ` [${trunk}]`}: ${sentence} (${cause})`,
      ...evidence.map((line) => `  because ${line}`),
      `  → ${remedy}`,
    ]),
    ...findingLines(findings),
    ...(diagnoses.length + findings.length === 0 ? ['Nothing is wrong that can be seen.'] : []),
    '',
  ];
  return lines.join('\n');
}
