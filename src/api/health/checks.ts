import { freshBeats } from '../../call/heartbeat.ts';
import type { EventConsumer } from '../../call/ledger/event-consumer.ts';
import type { OpenDatabase } from '../../platform/database.ts';
import type { LiveKit } from '../../platform/livekit.ts';
import type { Redis } from '../../platform/redis.ts';
import { readTrunkStates } from '../../trunk/trunk-state.ts';
import type { Trunk } from '../../trunk/trunk.ts';
import { degraded, healthy, unhealthy, type Checks, type ServiceHealth } from './check.ts';

/** Any name of a room that there is not: asking for it proves the address, the key and LiveKit's Redis. */
const NO_ROOM = 'trunkline-health';

export type HealthDeps = {
  redis: Redis;
  database: Pick<OpenDatabase, 'ping' | 'kind'>;
  consumer: Pick<EventConsumer, 'problem'>;
  rooms: Pick<LiveKit['rooms'], 'listRooms'>;
  sipHealthUrl: string;
  trunks: readonly Trunk[];
  personalities: { list(): readonly unknown[]; problems(): readonly unknown[] };
};

/** Every part of the system, as `GET /health` shows it. */
export function healthChecks(deps: HealthDeps): Checks {
  const { redis } = deps;
  return {
    livekit: {
      run: async () => {
        await deps.rooms.listRooms([NO_ROOM]);
        return healthy('answers, and knows our key');
      },
    },
    redis: {
      vital: true,
      run: async () => {
        await redis.ping();
        return healthy('answers');
      },
    },
    sip: { run: async () => sipHealth(deps.sipHealthUrl) },
    database: {
      vital: true,
      run: async () => {
        await deps.database.ping();
        if (deps.consumer.problem !== undefined) return degraded(deps.consumer.problem);
        return healthy(
          deps.database.kind === 'embedded' ? 'embedded, answers' : 'Postgres, answers',
        );
      },
    },
    agents: { run: async () => agentHealth(redis) },
    dispatcher: {
      run: async () => {
        const beats = await freshBeats(redis, 'dispatchers');
        if (beats.length === 0) return unhealthy('no dispatcher runs: outbound calls wait');
        return healthy(`${beats.length} running`);
      },
    },
    personalities: { run: () => personalityHealth(deps.personalities) },
    trunks: { run: async () => trunkHealth(redis, deps.trunks) },
  };
}

async function sipHealth(url: string): Promise<ServiceHealth> {
  const response = await fetch(url, { signal: AbortSignal.timeout(1000) });
  await response.arrayBuffer();
  if (response.ok) return healthy('answers');
  return unhealthy(`says that it is not well (HTTP ${response.status})`);
}

async function agentHealth(redis: Redis): Promise<ServiceHealth> {
  const beats = await freshBeats(redis, 'workers');
  if (beats.length === 0) return unhealthy('no worker is registered: calls are not answered');
  const calls = beats.reduce((sum, beat) => sum + beat.calls, 0);
  const capacity = beats.reduce((sum, beat) => sum + (beat.capacity ?? 0), 0);
  const message = `${beats.length} registered, ${calls} of ${capacity} calls`;
  return calls >= capacity ? degraded(`${message}: all are busy`) : healthy(message);
}

function personalityHealth(personalities: HealthDeps['personalities']): ServiceHealth {
  const count = personalities.list().length;
  const problems = personalities.problems().length;
  if (count === 0) return unhealthy('none could be loaded');
  if (problems === 0) return healthy(`${count} loaded`);
  return degraded(`${count} loaded, ${problems} problem(s): run trunkline personality check`);
}

/** What the trunk monitor last said of each trunk. */
async function trunkHealth(redis: Redis, trunks: readonly Trunk[]): Promise<ServiceHealth> {
  const states = await readTrunkStates(redis);
  const troubled = trunks.filter(({ name }) =>
    ['degraded', 'down'].includes(states.get(name)?.state ?? 'unknown'),
  );
  if (troubled.length > 0) {
    const names = troubled.map(({ name }) => name).join(', ');
    return degraded(`trouble with ${names}: sip-management status tells why`);
  }
  return healthy(`${trunks.length}: ${trunks.map(({ name }) => name).join(', ')}`);
}
