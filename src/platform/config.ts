import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseEnv } from 'node:util';
import { closestName } from './closest-name.ts';
import {
  environmentSchema,
  sensitiveVariables,
  type Environment,
  type VariableName,
} from './config-schema.ts';

/** Where the value of a variable came from. */
type Origin = 'environment' | '.env' | 'default' | 'unset';

export type Config = Readonly<Environment> & {
  /** Folder that relative paths are resolved against. */
  readonly root: string;
  readonly origins: Readonly<Record<VariableName, Origin>>;
  /** Environment of the process with `.env` below it: where trunks and tools look up credentials by name. */
  readonly credentials: Readonly<Record<string, string>>;
};

export type ConfigProblem = { name: string; reason: string };

/** Thrown with every problem of the configuration at once. */
export class ConfigError extends Error {
  readonly problems: readonly ConfigProblem[];
  constructor(problems: readonly ConfigProblem[]) {
    const lines = problems.map(({ name, reason }) => `  ${name}: ${reason}`);
    super(`The configuration has ${problems.length} problem(s):\n${lines.join('\n')}`);
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/** Names in `.env` that belong to others: credentials named by trunks.yaml and tools, and those of compose. */
const FOREIGN = /^(TRUNK_|SECRET_|COMPOSE_|POSTGRES_)/;

const variableNames = Object.keys(environmentSchema.shape) as VariableName[];

/**
 * Parses the whole configuration once. The environment wins over `.env`; an empty value counts as unset.
 *
 * @throws {ConfigError} naming every unknown, malformed or contradictory value.
 */
export function loadConfig(
  options: {
    /** Folder of `.env`, and what relative paths are resolved against. */
    root?: string;
    environment?: Record<string, string | undefined>;
    /** Values for what neither the environment nor `.env` sets. */
    fallbacks?: Record<string, string>;
  } = {},
): Config {
  const root = path.resolve(options.root ?? process.cwd());
  const environment = withoutEmpty(options.environment ?? process.env);
  const file = withoutEmpty(readEnvFile(path.join(root, '.env')));
  const problems: ConfigProblem[] = [];
  for (const name of Object.keys(file)) {
    if (!isVariable(name) && !FOREIGN.test(name)) problems.push(unknownVariable(name));
  }
  const merged: Record<string, string> = { ...options.fallbacks, ...file, ...environment };
  const given = Object.fromEntries(
    variableNames.filter((name) => name in merged).map((name) => [name, merged[name]]),
  );
  const parsed = environmentSchema.safeParse(given);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      const name = String(issue.path[0] ?? '(environment)');
      const reason = name in merged ? issue.message : 'is required, and is not set';
      problems.push({ name, reason });
    }
  }
  problems.push(...contradictions(given));
  if (problems.length > 0 || !parsed.success) throw new ConfigError(problems);

  const origins = Object.fromEntries(
    variableNames.map((name) => [name, originOf(name, environment, file, parsed.data)]),
  ) as Record<VariableName, Origin>;
  return Object.freeze({
    ...parsed.data,
    root,
    origins: Object.freeze(origins),
    credentials: Object.freeze(merged),
  });
}

/** A path of the configuration, absolute. */
export function resolvePath(config: Config, ...segments: string[]): string {
  return path.resolve(config.root, ...segments);
}

/** Whether a variable's value must be masked wherever it is shown. */
export function isSensitive(name: VariableName): boolean {
  return sensitiveVariables.has(name);
}

function isVariable(name: string): name is VariableName {
  return name in environmentSchema.shape;
}

function originOf(
  name: VariableName,
  environment: Record<string, string>,
  file: Record<string, string>,
  values: Environment,
): Origin {
  if (name in environment) return 'environment';
  if (name in file) return '.env';
  return values[name] === undefined ? 'unset' : 'default';
}

function readEnvFile(file: string): Record<string, string | undefined> {
  return existsSync(file) ? parseEnv(readFileSync(file, 'utf8')) : {};
}

function withoutEmpty(values: Record<string, string | undefined>): Record<string, string> {
  const entries = Object.entries(values).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== '',
  );
  return Object.fromEntries(entries);
}

function unknownVariable(name: string): ConfigProblem {
  const near = closestName(name, variableNames);
  const hint = near
    ? `did you mean ${near}?`
    : 'remove it, or begin its name with TRUNK_ or SECRET_ if trunks.yaml or a tool refers to it';
  return { name, reason: `is not a variable of Trunkline; ${hint}` };
}

const TOGETHER: readonly (readonly VariableName[])[] = [
  ['TWILIO_ACCOUNT_SID', 'TWILIO_AUTH_TOKEN', 'TWILIO_PHONE_NUMBER'],
  ['NOTIFY_EMAIL_TO', 'NOTIFY_EMAIL_FROM', 'SMTP_URL'],
  ['AZURE_SPEECH_KEY', 'AZURE_SPEECH_REGION'],
  ['AZURE_OPENAI_API_KEY', 'AZURE_OPENAI_ENDPOINT', 'AZURE_OPENAI_DEPLOYMENT_NAME'],
];

function contradictions(given: Record<string, unknown>): ConfigProblem[] {
  return TOGETHER.flatMap((group) => {
    const present = group.filter((name) => name in given);
    if (present.length === 0 || present.length === group.length) return [];
    return group
      .filter((name) => !(name in given))
      .map((name) => ({
        name,
        reason: `is not set, while ${present.join(' and ')} is; set all of them or none`,
      }));
  });
}
