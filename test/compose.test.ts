import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { environmentSchema } from '../src/platform/config-schema.ts';
import { requireGo } from '../src/stack/setup/go-toolchain.ts';

type Service = {
  image?: string;
  command?: string[];
  environment?: Record<string, string>;
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { test?: string[]; disable?: boolean };
  stop_signal?: string;
  volumes?: string[];
  ports?: string[];
  profiles?: string[];
};

const root = path.resolve(import.meta.dirname, '..');
const read = (file: string) => readFileSync(path.join(root, file), 'utf8');

/** Loads the file with the parser of Docker's compose (tools/compose-check). */
function checkWithCompose(keys: Record<string, string>): { code: number | null; said: string } {
  const { LIVEKIT_API_KEY: _key, LIVEKIT_API_SECRET: _secret, ...environment } = process.env;
  const { status, stderr } = spawnSync(
    requireGo(),
    ['run', '.', path.join(root, 'docker-compose.yaml')],
    {
      cwd: path.join(root, 'tools/compose-check'),
      env: { ...environment, COMPOSE_DISABLE_ENV_FILE: '1', ...keys },
      encoding: 'utf8',
    },
  );
  const said = stderr
    .split('\n')
    .filter((line) => !line.startsWith('go: downloading'))
    .join('\n');
  return { code: status, said };
}

let compose: { services: Record<string, Service>; volumes: Record<string, unknown> };
beforeAll(() => {
  compose = parse(read('docker-compose.yaml'), { merge: true }) as typeof compose;
});

describe('docker-compose.yaml', () => {
  it('is what compose itself accepts, and is refused without the keys', () => {
    const keys = { LIVEKIT_API_KEY: 'key', LIVEKIT_API_SECRET: 'secret' };
    expect(checkWithCompose(keys)).toEqual({ code: 0, said: '' });
    const refused = checkWithCompose({ LIVEKIT_API_KEY: 'key' });
    expect(refused.code).toBe(1);
    expect(refused.said).toContain('LIVEKIT_API_SECRET is missing a value');
  });

  it('has the seven services, each with a health check', () => {
    const seven =
      'api-server livekit redis sip-server sip-trunk-init trunk-monitor voice-agent'.split(' ');
    expect(Object.keys(compose.services)).toEqual(expect.arrayContaining(seven));
    const unchecked = Object.entries(compose.services)
      .filter(([name, { healthcheck }]) => !healthcheck && !name.endsWith('-model'))
      .map(([name]) => name);
    expect(unchecked).toEqual([]);
  });

  it('publishes the ports that users know', () => {
    const published = Object.values(compose.services).flatMap(({ ports = [] }) => ports);
    const hostPorts = published.map((port) => port.replace(/^127\.0\.0\.1:/, '').split(':')[0]);
    expect(hostPorts).toEqual(expect.arrayContaining(['8000', '7880', '7881', '6379', '5060']));
  });

  it('starts in an order that has an end, and waits only for services that exist', () => {
    const started = new Set<string>();
    const begin = (name: string, above: readonly string[]): void => {
      expect(above, `${name} waits for itself`).not.toContain(name);
      const service = compose.services[name];
      expect(service, `${above.at(-1)} waits for ${name}`).toBeDefined();
      for (const [needed, { condition }] of Object.entries(service?.depends_on ?? {})) {
        begin(needed, [...above, name]);
        const check = compose.services[needed]?.healthcheck;
        if (condition === 'service_healthy')
          expect(check?.test, `health of ${needed}`).toBeDefined();
      }
      started.add(name);
    };
    for (const name of Object.keys(compose.services)) begin(name, []);
    expect(started.size).toBe(Object.keys(compose.services).length);
  });

  it('runs programs and mounts files that exist', () => {
    for (const { command = [], volumes = [] } of Object.values(compose.services)) {
      for (const word of command.filter((word) => /\.(ts|mjs)$/.test(word))) {
        expect(existsSync(path.join(root, word)), word).toBe(true);
      }
      for (const volume of volumes) {
        const [source = ''] = volume.split(':');
        // The operator's own: where it is missing Docker makes an empty folder, which counts as no file.
        if (source === './trunks.yaml' || source === './conversations') continue;
        const found = source.startsWith('./')
          ? existsSync(path.join(root, source))
          : source in compose.volumes;
        expect(found, volume).toBe(true);
      }
    }
  });

  it('gives our processes only variables that they know', () => {
    const ours = Object.values(compose.services).filter(({ image }) =>
      image?.startsWith('trunkline'),
    );
    expect(ours.length).toBeGreaterThan(5);
    for (const { environment = {} } of ours) {
      expect(Object.keys(environment).filter((name) => !(name in environmentSchema.shape))).toEqual(
        [],
      );
    }
  });

  it('ends calls in livekit-sip with SIGINT, since it waits for ever after a SIGTERM', () => {
    expect(compose.services['sip-server']?.stop_signal).toBe('SIGINT');
  });

  it('gives livekit-sip as text what sip.yaml says', () => {
    const plain = (text: string) => text.replace(/\$\{(\w+)[^}]*\}/g, 'of-$1');
    const body = compose.services['sip-server']?.environment?.['SIP_CONFIG_BODY'] ?? '';
    expect(parse(plain(body))).toEqual(parse(plain(read('sip.yaml'))));
  });

  it('runs the same versions of the LiveKit servers as a machine without Docker', () => {
    for (const [service, module] of [
      ['livekit', 'livekit-server'],
      ['sip-server', 'livekit-sip'],
    ] as const) {
      const version = compose.services[service]?.image?.split(':')[1];
      expect(read(`tools/${module}/go.mod`)).toMatch(
        new RegExp(`github.com/livekit/\\S+ ${version}\\b`),
      );
    }
  });

  it('has no secret in it', () => {
    const text = read('docker-compose.yaml');
    for (const match of text.matchAll(/^ *(\w*(?:SECRET|PASSWORD|_KEY)\w*): *(\S+)/gim)) {
      expect(match[2], match[1]).toMatch(/^['"]?\$\{/);
    }
  });
});

describe('the image', () => {
  it('holds no secret, test or local file, and does not run as root', () => {
    const ignored = read('.dockerignore').split('\n');
    expect(ignored[0], 'everything is left out but what is named').toBe('*');
    expect(ignored).toContain('**/.env*');
    const stages = read('Dockerfile')
      .split(/^FROM /m)
      .slice(2);
    for (const stage of stages) expect(stage.match(/^USER (\w+)$/gm)?.at(-1)).toBe('USER node');
  });

  it('is given every file that the Dockerfile copies', () => {
    const allowed = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'));
    const copies = [...read('Dockerfile').matchAll(/^COPY (?!--from)(.+) \S+$/gm)];
    for (const source of copies.flatMap((match) => match[1]?.split(' ') ?? [])) {
      expect(existsSync(path.join(root, source)), source).toBe(true);
      expect(allowed).toContain(`!${source}`);
    }
  });
});
