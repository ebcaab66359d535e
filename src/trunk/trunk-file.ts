import { z } from 'zod';
import { formatProblem, parseYamlFile } from '../platform/yaml-file.ts';
import { OperatorError } from '../platform/errors.ts';
import { trunkEntrySchema, type TrunkEntry } from './trunk-schema.ts';

/** A problem that one entry, or two together, have; `path` is where it stands in the entry. */
type EntryProblem = { path: (string | number)[]; message: string };

/**
 * Reads trunks.yaml.
 *
 * @param credentials the environment, in which the named variables must be set
 * @throws {OperatorError} with every problem of the file, each with its line and column
 */
export function parseTrunkFile(
  text: string,
  file: string,
  credentials: Readonly<Record<string, string>>,
): TrunkEntry[] {
  const schema = z
    .strictObject({ trunks: z.array(trunkEntrySchema).min(1, 'needs at least one trunk') })
    .superRefine(({ trunks }, context) => {
      const problems = [
        ...trunks.flatMap((entry, index) =>
          [...contradictions(entry), ...missingVariables(entry, credentials)].map((problem) => ({
            ...problem,
            path: ['trunks', index, ...problem.path],
          })),
        ),
        ...duplicates(trunks),
      ];
      for (const { path, message } of problems) {
        context.addIssue({ code: 'custom', path, message });
      }
    });
  const result = parseYamlFile(text, file, schema);
  if (result.ok) return result.value.trunks;
  const lines = result.problems.map((problem) => `  ${formatProblem(problem)}`);
  throw new OperatorError(`${file} has ${lines.length} problem(s):\n${lines.join('\n')}`, {
    remedy: 'mend them; trunks.example.yaml shows each key',
  });
}

function contradictions(entry: TrunkEntry): EntryProblem[] {
  const problems: EntryProblem[] = [];
  const { provider } = entry;
  if (provider === 'generic' && entry.address === undefined) {
    problems.push({ path: ['address'], message: 'is required for a generic trunk' });
  }
  if (provider === 'generic' && entry.allowed_addresses === undefined) {
    problems.push({
      path: ['allowed_addresses'],
      message: 'is required: without it anybody on the Internet could call in',
    });
  }
  if (provider !== 'twilio' && entry.twilio !== undefined) {
    problems.push({ path: ['twilio'], message: 'only goes with provider: twilio' });
  }
  if (provider === 'twilio' && entry.credentials !== undefined) {
    problems.push({
      path: ['credentials'],
      message: 'are made by `ensure` for Twilio; remove them here',
    });
  }
  if (provider === 'twilio' && entry.address !== undefined) {
    problems.push({
      path: ['address'],
      message: 'is found by `ensure` for Twilio; remove it here',
    });
  }
  if (entry.media_encryption === 'require' && entry.transport !== 'tls') {
    problems.push({
      path: ['media_encryption'],
      message: 'require needs transport: tls, since the keys travel in the signalling',
    });
  }
  return problems;
}

function missingVariables(
  entry: TrunkEntry,
  credentials: Readonly<Record<string, string>>,
): EntryProblem[] {
  const named: [string[], string][] = [];
  for (const key of ['credentials', 'inbound_credentials'] as const) {
    const pair = entry[key];
    if (!pair) continue;
    named.push([[key, 'username'], pair.username], [[key, 'password'], pair.password]);
  }
  if (entry.provider === 'twilio') {
    const account = entry.twilio;
    named.push(
      [account ? ['twilio', 'account_sid'] : [], account?.account_sid ?? 'TWILIO_ACCOUNT_SID'],
      [account ? ['twilio', 'auth_token'] : [], account?.auth_token ?? 'TWILIO_AUTH_TOKEN'],
    );
  }
  return named
    .filter(([, name]) => credentials[name] === undefined)
    .map(([path, name]) => ({
      path,
      message: `the variable ${name} is not set, neither in the environment nor in .env`,
    }));
}

function duplicates(trunks: readonly TrunkEntry[]): EntryProblem[] {
  const problems: EntryProblem[] = [];
  const names = new Set<string>();
  const owners = new Map<string, string>();
  for (const [index, trunk] of trunks.entries()) {
    if (names.has(trunk.name)) {
      problems.push({
        path: ['trunks', index, 'name'],
        message: 'is the name of another trunk too',
      });
    }
    names.add(trunk.name);
    for (const [position, { number }] of trunk.numbers.entries()) {
      const digits = number.replace(/\D/g, '');
      const owner = owners.get(digits);
      if (owner !== undefined) {
        problems.push({
          path: ['trunks', index, 'numbers', position, 'number'],
          message: `belongs to the trunk ${owner} already; livekit-sip takes one trunk per number`,
        });
      }
      owners.set(digits, trunk.name);
    }
  }
  return problems;
}
