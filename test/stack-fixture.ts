import { spawn, type ChildProcess, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

const root = path.resolve(import.meta.dirname, '..');
const program = path.join(root, 'bin/trunkline');

/** What `trunkline up --json` prints. */
export type StackInfo = {
  apiUrl: string;
  apiKey: string;
  livekitUrl: string;
  livekitApiKey: string;
  livekitApiSecret: string;
  redisUrl: string;
  sipAddress: string;
  simulatorUrl: string;
  simulatorSipAddress: string;
  dataDir: string;
  ports: Record<string, number>;
  processes: { name: string; pid: number }[];
};

/** A whole stack on free ports, with folders of its own, for one test file. */
export class StackFixture {
  readonly info: StackInfo;
  readonly supervisor: ChildProcess;
  /** Environment that finds this stack: for programs that are run against it. */
  readonly environment: Record<string, string | undefined>;

  private constructor(
    info: StackInfo,
    supervisor: ChildProcess,
    environment: Record<string, string | undefined>,
  ) {
    this.info = info;
    this.supervisor = supervisor;
    this.environment = environment;
  }

  /** Starts `trunkline up` as an operator would, and waits until it says that all is ready. */
  static async start(environment: Record<string, string> = {}): Promise<StackFixture> {
    const dataDir = mkdtempSync(path.join(tmpdir(), 'trunkline-stack-'));
    const whole = { ...withoutOwnVariables(), DATA_DIR: dataDir, ...environment };
    const supervisor = spawn(program, ['up', '--json', '--ports', 'auto', '--root', root], {
      env: whole,
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let errors = '';
    supervisor.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    const [line] = (await Promise.race([
      once(createInterface({ input: supervisor.stdout }), 'line'),
      once(supervisor, 'exit').then(() => {
        throw new Error(`the stack did not start:\n${errors}`);
      }),
    ])) as [string];
    const info = JSON.parse(line) as StackInfo;
    const addresses = {
      API_KEY: info.apiKey,
      API_INTERNAL_URL: info.apiUrl,
      LIVEKIT_URL: info.livekitUrl,
      LIVEKIT_API_KEY: info.livekitApiKey,
      LIVEKIT_API_SECRET: info.livekitApiSecret,
      REDIS_URL: info.redisUrl,
      SIP_ADDRESS: info.sipAddress,
      SIMULATOR_URL: info.simulatorUrl,
      SIMULATOR_SIP_ADDRESS: info.simulatorSipAddress,
    };
    return new StackFixture(info, supervisor, { ...whole, ...addresses });
  }

  /** Runs a command of Trunkline against this stack. */
  async run(
    args: string,
    environment: Record<string, string> = {},
  ): Promise<{ code: number; stdout: string; stderr: string }> {
    const child = this.spawn(args, environment);
    const output = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    return { code: code ?? 1, ...output };
  }

  /** Starts a command of Trunkline against this stack; whoever does so ends it. */
  spawn(
    args: string,
    environment: Record<string, string> = {},
  ): ChildProcessByStdio<null, Readable, Readable> {
    return spawn(program, args.split(' '), {
      env: { ...this.environment, ...environment },
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  /** A request to the api with the stack's key. */
  async request(
    method: string,
    url: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    return fetch(`${this.info.apiUrl}${url}`, {
      method,
      headers: {
        'x-api-key': this.info.apiKey,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  pidOf(name: string): number {
    const found = this.info.processes.find((process) => process.name === name);
    if (!found) throw new Error(`the stack has no process ${name}`);
    return found.pid;
  }

  /** Everything that the stack's processes wrote to their logs. */
  logs(): Record<string, string> {
    const folder = path.join(this.info.dataDir, 'logs');
    return Object.fromEntries(
      readdirSync(folder).map((file) => [file, readFileSync(path.join(folder, file), 'utf8')]),
    );
  }

  /** Stops the stack as Ctrl-C does, and removes its folder. Resolves to the supervisor's exit code. */
  async stop(): Promise<number | null> {
    if (this.supervisor.exitCode === null && this.supervisor.signalCode === null) {
      const exited = once(this.supervisor, 'exit');
      this.supervisor.kill('SIGTERM');
      await exited;
    }
    rmSync(this.info.dataDir, { recursive: true, force: true });
    return this.supervisor.exitCode;
  }
}

/** The environment without what a developer may have set for a stack of their own. */
function withoutOwnVariables(): Record<string, string | undefined> {
  const foreign = /^(OPENAI|DEEPGRAM|AZURE|TWILIO|LIVEKIT|REDIS|DATABASE|SIP|SIMULATOR|API)_/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)));
}
