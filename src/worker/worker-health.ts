import type { Health } from '../platform/health-server.ts';
import type { Redis } from '../platform/redis.ts';
import type { CallSlots } from './call-slots.ts';

const ASK_MS = 1000;

/** Healthy when livekit-server has registered this worker and Redis answers. */
export async function workerHealth(options: {
  /** Answers 200 when the framework is connected to livekit-server. */
  frameworkUrl: string;
  redis: Pick<Redis, 'ping'>;
  slots: Pick<CallSlots, 'taken' | 'load'>;
}): Promise<Health> {
  const [livekit, redis] = await Promise.all([
    isRegistered(options.frameworkUrl),
    answers(async () => (await options.redis.ping()) === 'PONG'),
  ]);
  return {
    status: livekit && redis ? 'healthy' : 'unhealthy',
    services: { livekit: livekit ? 'up' : 'down', redis: redis ? 'up' : 'down' },
    calls: options.slots.taken,
    load: options.slots.load,
  };
}

/** Whether livekit-server has registered this worker. @param frameworkUrl answers 200 when it has */
export async function isRegistered(frameworkUrl: string): Promise<boolean> {
  return answers(async (signal) => (await fetch(frameworkUrl, { signal })).ok);
}

async function answers(ask: (signal: AbortSignal) => Promise<boolean>): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), ASK_MS);
  try {
    const asked = ask(AbortSignal.timeout(ASK_MS)).catch(() => false);
    return await Promise.race([asked, promise]);
  } finally {
    clearTimeout(timer);
  }
}
